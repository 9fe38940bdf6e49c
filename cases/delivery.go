package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// delivery holds a subscription, read stream by stream, against exactly what the track's publisher sends.
type delivery struct {
	s    *Session
	sub  *moqt.Subscription
	w    *streams
	want layout
	c    checks
}

// delivery begins to read a subscription.
func (s *Session) delivery(ctx context.Context, sub *moqt.Subscription, want layout, c checks) *delivery {
	return &delivery{s: s, sub: sub, w: s.watch(ctx, sub), want: want, c: c}
}

// tally holds what has come against the plan. The caller holds the streams' lock.
func (d *delivery) tally() *checker {
	k := newChecker(d.want, d.c)
	for _, a := range d.w.all {
		for _, o := range a.objects {
			k.add(o)
		}
	}
	for _, o := range d.w.datagrams {
		k.add(o)
	}
	return k
}

// ended reports whether nothing more can come: the subscription is over and every stream of it has ended. The caller
// holds the streams' lock.
func (d *delivery) ended() bool {
	return d.w.closed == 2 && uint64(len(d.w.all)) >= d.sub.StreamsSeen() && d.open() == nil
}

// open gives a stream that has not ended, nil if there is none. The caller holds the streams' lock.
func (d *delivery) open() *arrived {
	for _, a := range d.w.all {
		if a.end == nil {
			return a
		}
	}
	return nil
}

// complete waits until everything wanted has come. It ends the case when that cannot come any more, or ctx ends.
func (d *delivery) complete(ctx context.Context) {
	expected := d.want.String()
	all := false
	in := d.w.wait(ctx, func() bool {
		all = d.tally().complete()
		return all || d.ended()
	})
	if all {
		return
	}
	d.w.mu.Lock()
	problem := d.tally().problem()
	d.w.mu.Unlock()
	if in { // it is over
		cause := context.Cause(d.sub.Context())
		if !errors.Is(cause, io.EOF) {
			problem += "; " + d.s.e.classify(ctx, cause, d.s, transport.LayerData, expected).received
		}
		d.s.e.Fail(transport.LayerData, expected, problem+d.resets())
	}
	d.s.late(ctx, expected, problem)
}

// late ends the case because something was not complete when ctx ended.
func (s *Session) late(ctx context.Context, expected, problem string) {
	o := s.e.classify(ctx, context.Cause(ctx), s, transport.LayerData, expected)
	if o.layer == transport.LayerData && o.expected == expected && !o.quiet {
		o = failed(transport.LayerData, expected, problem+"; "+s.log.stall(time.Now()))
	}
	panic(o)
}

// resets tells of streams that did not end with FIN.
func (d *delivery) resets() string {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	text := ""
	for _, a := range d.w.all {
		if a.end != nil && !a.finished() {
			text += "; " + a.text(d.s.Draft())
		}
	}
	return text
}

// drain waits for PUBLISH_DONE and for as many streams as it counts, and ends the case unless exactly the wanted
// objects have come, each subgroup on one stream with FIN behind its last object (draft-18 §2.2, §11.4.3). The relay's
// own streams, and objects that say something about the track, may be more.
func (d *delivery) drain(ctx context.Context) {
	step, cancel := d.s.e.Step(ctx)
	defer cancel()
	done := d.done(step)
	if done != nil {
		d.count(ctx, done)
	}
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	if problem := d.tally().problem(); problem != "" {
		d.s.e.Fail(transport.LayerData, d.want.String(), problem)
	}
	type key struct{ group, subgroup uint64 }
	whole := map[key]bool{}
	for _, a := range d.w.all {
		some, last := d.holds(a)
		k, text := key{a.header.GroupID, a.header.SubgroupID}, a.text(d.s.Draft())
		switch {
		case last && !a.finished():
			d.s.e.Fail(transport.LayerData, "FIN behind the last object of every subgroup", text)
		case some && !a.finished(): // the rest may come on another
			d.s.e.Note("%s: %s", d.s.Role, text)
		case some && whole[k]:
			d.s.e.Fail(transport.LayerData, "the objects of a subgroup on one stream, since none was reset",
				fmt.Sprintf("more than one stream of group %d, subgroup %d, the last one %s", k.group, k.subgroup,
					text))
		case some:
			whole[k] = true
		}
	}
}

// holds reports whether a stream has brought any object that was published, and whether the last one of a subgroup is
// among them.
func (d *delivery) holds(a *arrived) (some, last bool) {
	for _, o := range a.objects {
		for i := range d.want {
			if o.Status == wire.StatusNormal && d.want[i].location() == o.Location() {
				some, last = true, last || d.want[i].last
			}
		}
	}
	return some, last
}

// done waits for PUBLISH_DONE. That a relay passes it on at once, and with the publisher's status, is a SHOULD
// (draft-18 §10.11): it may hope for another publisher. nil: none came.
func (d *delivery) done(ctx context.Context) *wire.PublishDone {
	const expected = "PUBLISH_DONE with TRACK_ENDED for the subscriber, behind the publisher's"
	done, err := d.sub.Done(ctx)
	var session *moqt.SessionError
	switch {
	case err == nil:
		code := wire.PublishDoneCode(done.StatusCode)
		name, _ := code.Meaning(d.s.Draft())
		d.s.e.Should(name == wire.NameTrackEnded, transport.LayerRequest, expected, "PUBLISH_DONE with "+
			code.In(d.s.Draft()))
		return done
	case errors.As(err, &session), context.Cause(d.s.Context()) != nil:
		d.s.Check(ctx, err, transport.LayerRequest, expected)
	}
	o := d.s.e.classify(ctx, err, d.s, transport.LayerRequest, expected)
	if o.expected != expected {
		panic(o)
	}
	received := o.received
	if ctx.Err() != nil {
		received = d.s.log.stall(time.Now())
	}
	d.s.e.Should(false, transport.LayerRequest, expected, received)
	return nil
}

// count waits for the streams that PUBLISH_DONE counts, and ends the case when it counts another number than were
// opened (draft-18 §10.11: MUST).
func (d *delivery) count(ctx context.Context, done *wire.PublishDone) {
	ctx, cancel := d.s.e.Step(ctx)
	defer cancel()
	known := done.StreamCount < 1<<62-1 // from 20 on 2^64-1 means unknown
	ok := d.w.wait(ctx, func() bool {
		return d.ended() || d.open() == nil && (!known || uint64(len(d.w.all)) >= done.StreamCount)
	})
	d.w.mu.Lock()
	came, open := uint64(len(d.w.all)), d.open()
	d.w.mu.Unlock()
	headless := d.s.log.headlessStreams()
	d.s.e.Note("%s: PUBLISH_DONE with Stream Count %d, %d streams came", d.s.Role, done.StreamCount, came)
	switch {
	case open != nil && !ok:
		d.s.late(ctx, "the end of every stream, since PUBLISH_DONE says that all are closed", open.text(d.s.Draft()))
	case !known:
		d.s.e.Sleep(ctx, lateTime)
	// one that was reset before its header cannot be seen
	case came > done.StreamCount, came < done.StreamCount && headless == 0:
		d.s.e.Fail(transport.LayerData, fmt.Sprintf("as many streams as PUBLISH_DONE counts: %d", done.StreamCount),
			fmt.Sprintf("%d streams", came))
	}
}
