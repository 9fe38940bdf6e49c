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

// Delivery compares the streams of a subscription with what the track's publisher sends. Safe for concurrent use.
type Delivery struct {
	s    *Session
	sub  *moqt.Subscription
	w    *Streams
	want Layout
	k    *Checker
}

// Delivery begins to read a subscription that should bring exactly these objects.
func (s *Session) Delivery(ctx context.Context, sub *moqt.Subscription, want Layout, c Checks) *Delivery {
	k := NewChecker(want, c)
	return &Delivery{s: s, sub: sub, w: s.watch(ctx, sub, k), want: want, k: k}
}

// ended reports whether nothing more can come: the subscription is over and all of its streams have ended. The caller
// holds the streams' lock.
func (d *Delivery) ended() bool {
	return d.w.closed == 2 && uint64(len(d.w.Subgroups)) >= d.sub.StreamsSeen() && d.open() == nil
}

// open gives a stream that has not ended, nil if there is none. The caller holds the streams' lock.
func (d *Delivery) open() *Arrived {
	for _, a := range d.w.Subgroups {
		if a.End == nil {
			return a
		}
	}
	return nil
}

// Complete waits until everything wanted has come. It ends the case when that can no longer happen, or when ctx ends.
func (d *Delivery) Complete(ctx context.Context) {
	expected := d.want.String()
	all := false
	in := d.w.Wait(ctx, func() bool {
		all = d.k.Complete()
		return all || d.ended()
	})
	if all {
		return
	}
	problem := d.k.Problem()
	if in { // it is over
		cause := context.Cause(d.sub.Context())
		if !errors.Is(cause, io.EOF) {
			problem += "; " + d.s.e.classify(ctx, cause, d.s, transport.LayerData, expected).received
		}
		d.s.e.Fail(transport.LayerData, expected, problem+d.resets()+d.s.log.doneText())
	}
	d.s.Late(ctx, expected, problem, d.k)
}

// resets describes the streams that did not end with FIN.
func (d *Delivery) resets() string {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	text := ""
	for _, a := range d.w.Subgroups {
		if a.End != nil && !a.Finished() {
			text += "; " + a.Text(d.s.Draft())
		}
	}
	return text
}

// Drain waits for PUBLISH_DONE and for as many streams as it counts. It ends the case unless exactly the wanted objects
// have come, each subgroup on one stream with FIN after its last object (draft-18 §2.2, §11.4.3). There may be more
// streams of the relay's own, and objects that only signal something about the track.
func (d *Delivery) Drain(ctx context.Context) {
	step, cancel := d.s.e.Step(ctx)
	defer cancel()
	done := d.Done(step)
	if done != nil {
		d.count(ctx, done)
	}
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	if problem := d.k.Problem(); problem != "" {
		d.s.e.Fail(transport.LayerData, d.want.String(), problem)
	}
	type key struct{ group, subgroup uint64 }
	whole := map[key]bool{}
	for _, a := range d.w.Subgroups {
		some, last := d.holds(a)
		k, text := key{a.Header.GroupID, a.Header.SubgroupID}, a.Text(d.s.Draft())
		switch {
		case last && !a.Finished():
			d.s.e.Fail(transport.LayerData, "FIN behind the last object of every subgroup", text)
		case some && !a.Finished(): // the rest may come on another
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
func (d *Delivery) holds(a *Arrived) (some, last bool) {
	for _, o := range a.Objects {
		for i := range d.want {
			if o.Status == wire.StatusNormal && d.want[i].Location() == o.Location() {
				some, last = true, last || d.want[i].last
			}
		}
	}
	return some, last
}

// Done waits for PUBLISH_DONE, and gives nil when none came. Passing it on at once with the publisher's status is a
// SHOULD (draft-18 §10.11), since a relay may hope for another publisher.
func (d *Delivery) Done(ctx context.Context) *wire.PublishDone {
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

// count waits for the streams that PUBLISH_DONE counts. It ends the case when the count differs from the number of
// streams opened (draft-18 §10.11: MUST).
func (d *Delivery) count(ctx context.Context, done *wire.PublishDone) {
	ctx, cancel := d.s.e.Step(ctx)
	defer cancel()
	known := done.StreamCount < 1<<62-1 // from 20 on 2^64-1 means unknown
	ok := d.w.Wait(ctx, func() bool {
		return d.ended() || d.open() == nil && (!known || uint64(len(d.w.Subgroups)) >= done.StreamCount)
	})
	d.w.mu.Lock()
	came, open := uint64(len(d.w.Subgroups)), d.open()
	d.w.mu.Unlock()
	headless := d.s.log.headlessStreams()
	d.s.e.Note("%s: PUBLISH_DONE with Stream Count %d, %d streams came", d.s.Role, done.StreamCount, came)
	switch {
	case open != nil && !ok:
		d.s.Late(ctx, "the end of every stream, since PUBLISH_DONE says that all are closed",
			open.Text(d.s.Draft()), nil)
	case !known:
		d.s.e.Silence(ctx, LateTime)
	// a stream that was reset before its header cannot be seen
	case came > done.StreamCount, came < done.StreamCount && headless == 0:
		d.s.e.Fail(transport.LayerData, fmt.Sprintf("as many streams as PUBLISH_DONE counts: %d", done.StreamCount),
			fmt.Sprintf("%d streams", came))
	}
}
