package cases

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// How a subscriber learns that a group or a track is over.

// endsCase is a case of that.
func endsCase(id, title string, faults []string, run func(ctx context.Context, e *Env) error,
	topics ...wire.Topic) Case {
	return Case{
		ID: id, Title: title, Topics: append([]wire.Topic{wire.TopicObjectStatus, wire.TopicSubgroupHeader,
			wire.TopicStreamEnd}, topics...),
		Level: Must, Suite: SuiteAll, Tags: []string{"data", "ends"}, Roles: []string{"publisher", "subscriber"},
		Timeout: caseLimit, Faults: faults, Run: run,
	}
}

// watched announces a track, subscribes to it and looks at its streams.
func watched(ctx context.Context, e *Env) (*publisher, *Session, *moqt.Subscription, *streams) {
	p := announced(ctx, e)
	s := e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	sub := s.subscribeWith(step, p)
	w := s.watch(ctx, sub)
	p.waitForward(step)
	return p, s, sub, w
}

// wantStreams waits until cond holds of what has come, and ends the case when it does not in time.
func (s *Session) wantStreams(ctx context.Context, w *streams, expected string, cond func() bool) {
	step, cancel := s.e.Step(ctx)
	defer cancel()
	if w.wait(step, cond) {
		return
	}
	o := s.e.classify(step, context.Cause(step), s, transport.LayerData, expected)
	if o.layer == transport.LayerData && o.expected == expected && !o.quiet {
		o = failed(transport.LayerData, expected, w.describe(s.Draft()))
	}
	panic(o)
}

// whole reports whether a stream of a group has brought the objects 0 to last and has ended with FIN. The caller holds
// the lock.
func (w *streams) whole(group, last uint64) *arrived {
	for _, a := range w.all {
		have := map[uint64]bool{}
		for _, o := range a.objects {
			if o.Status == wire.StatusNormal {
				have[o.ObjectID] = true
			}
		}
		if a.header.GroupID == group && a.finished() && uint64(len(have)) == last+1 {
			return a
		}
	}
	return nil
}

// wholeSubgroup reports whether a subgroup has come as it must: its objects may not be spread over streams unless one
// of these was reset (draft-18 §2.2), and the stream that brought the last one ends with FIN (draft-18 §11.4.3). The
// caller holds the lock.
func (w *streams) wholeSubgroup(group, subgroup uint64, objects int) bool {
	have := map[uint64]bool{}
	unbroken, fin := 0, false
	for _, a := range w.all {
		if a.header.GroupID != group || a.header.SubgroupID != subgroup || len(a.objects) == 0 {
			continue
		}
		for _, o := range a.objects {
			have[o.ObjectID] = true
		}
		if a.end == nil || a.finished() {
			unbroken++
		}
		fin = fin || a.finished()
	}
	return len(have) == objects && unbroken == 1 && fin
}

var subgroupFin = endsCase("subgroup-fin", "each subgroup arrives on one stream, which ends with FIN",
	[]string{"never-fin", "split-streams", "drop-object"},
	func(ctx context.Context, e *Env) error {
		p, s, _, w := watched(ctx, e)
		l := newLayout(span(0, 2), span(0, 5),
			layoutOptions{payload: e.namedPayload, subgroup: func(o uint64) uint64 { return o % 2 }})
		e.Go(ctx, func(ctx context.Context) { p.publish(ctx, l, objectPace) })
		s.wantStreams(ctx, w, "6 subgroups, each with its 3 objects on one stream that ends with FIN", func() bool {
			for _, g := range []uint64{0, 1, 2} {
				if !w.wholeSubgroup(g, 0, 3) || !w.wholeSubgroup(g, 1, 3) {
					return false
				}
			}
			return true
		})
		return nil
	})

// The END_OF_GROUP bit is no field of an object: what becomes of it is recorded. An object with status End of Group is
// one, and a relay may not drop it from a stream (draft-18 §9.4), but it may say the same with the bit (§9.1).
var endOfGroup = endsCase("end-of-group", "the end of a group, said by an object with status End of Group, reaches "+
	"the subscriber",
	[]string{"end-of-group-missing", "status-missing", "never-fin"}, runEndOfGroup)

func runEndOfGroup(ctx context.Context, e *Env) error {
	p, s, _, w := watched(ctx, e)
	l := newLayout(span(0, 1), span(0, 3), layoutOptions{payload: e.namedPayload})
	for i := range l {
		switch x := &l[i]; {
		case x.group == 0 && x.object == 3:
			x.status, x.payload = wire.StatusEndOfGroup, nil
		case x.group == 1 && x.object == 3:
			x.endOfGroup = true
		}
	}
	l.mark()
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, l, objectPace) })
	s.wantStreams(ctx, w, "group 0 with objects 0-2 and group 1 with objects 0-3, each on a stream that ends with FIN",
		func() bool {
			return w.whole(0, 2) != nil && w.whole(1, 3) != nil
		})
	w.mu.Lock()
	defer w.mu.Unlock()
	zero, one := w.whole(0, 2), w.whole(1, 3)
	status := false
	for _, o := range zero.objects {
		status = status || o.Status == wire.StatusEndOfGroup && o.ObjectID == 3
	}
	if !status && !zero.header.EndOfGroup {
		e.Fail(transport.LayerData, "an object with status End of Group at {0, 3}, or the END_OF_GROUP bit in the "+
			"header of group 0's stream", zero.text(s.Draft())+", without either")
	}
	e.Note("the stream of group 1, published with the END_OF_GROUP bit, has the bit: %t", one.header.EndOfGroup)
	return nil
}

var endOfTrack = endsCase("end-of-track", "the end of a track, said by an object with status End of Track, reaches "+
	"the subscriber, and PUBLISH_DONE says TRACK_ENDED",
	[]string{"status-missing", "done-wrong-status", "done-never"}, runEndOfTrack, wire.TopicPublishDone)

func runEndOfTrack(ctx context.Context, e *Env) error {
	p, s, sub, w := watched(ctx, e)
	l := newLayout(span(0, 1), span(0, 2), layoutOptions{payload: e.namedPayload})
	l = append(l, item{group: 1, object: 3, priority: 128, status: wire.StatusEndOfTrack})
	l.mark()
	p.publish(ctx, l, objectPace)
	p.end()
	// A relay may say the same in another way (draft-18 §9.1): at any place behind the last object.
	s.wantStreams(ctx, w, "an object with status End of Track at {1, 3}", func() bool {
		for _, a := range w.all {
			for _, o := range a.objects {
				if o.Status == wire.StatusEndOfTrack && o.Location().Compare(wire.Location{Group: 1, Object: 2}) > 0 {
					return true
				}
			}
		}
		return false
	})
	s.wantStreams(ctx, w, "all objects of the groups 0 and 1, and FIN", func() bool {
		return w.whole(0, 2) != nil &&
			w.whole(1, 2) != nil
	})
	step, cancel := e.Step(ctx)
	defer cancel()
	d := &delivery{s: s, sub: sub, w: w}
	d.done(step)
	return nil
}
