package cases

import (
	"context"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// How a subscriber learns that a group or a track is over.

// endsCase is a case of that end.
func endsCase(id, title string, faults []Fault, run func(ctx context.Context, e *Env) error,
	what ...rules.ID) Case {
	return topicCase(id, title, faults, run, what, "data", "ends")
}

// watched announces a track, subscribes to it and reads its streams.
func watched(ctx context.Context, e *Env) (*Publisher, *Session, *moqt.Subscription, *Streams) {
	p := e.Announced(ctx)
	s := e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	sub := s.SubscribeTo(step, p)
	w := s.Watch(ctx, sub)
	p.WaitForward(step)
	return p, s, sub, w
}

// whole gives the stream of a group that has ended with FIN, once the objects 0 to last have come, and no others; nil
// before. Streams of the group that were reset may have brought some of them. The caller holds the lock.
func (w *Streams) whole(group, last uint64) (end *Arrived) {
	have := map[uint64]bool{}
	for _, a := range w.of(group) {
		switch {
		case a.Reset():
		case !a.Finished() || end != nil:
			return nil
		default:
			end = a
		}
		for _, o := range a.Objects {
			if o.Status == wire.StatusNormal {
				have[o.ObjectID] = true
			}
		}
	}
	if uint64(len(have)) != last+1 {
		return nil
	}
	return end
}

// wholeSubgroup reports whether a subgroup has come as it must. Its objects must be on one stream, unless a stream was
// reset (draft-18 §2.2), and the stream with the last object must end with FIN (draft-18 §11.4.3). The caller holds the
// lock.
func (w *Streams) wholeSubgroup(group, subgroup uint64, objects int) bool {
	have := map[uint64]bool{}
	unbroken, fin := 0, false
	for _, a := range w.Subgroups {
		if a.Header.GroupID != group || a.Header.SubgroupID != subgroup || len(a.Objects) == 0 {
			continue
		}
		for _, o := range a.Objects {
			have[o.ObjectID] = true
		}
		if a.End == nil || a.Finished() {
			unbroken++
		}
		fin = fin || a.Finished()
	}
	return len(have) == objects && unbroken == 1 && fin
}

var subgroupFin = endsCase("subgroup-fin", "Each subgroup arrives on one stream that ends with FIN",
	[]Fault{
		dataFault("never-fin", "RESET_STREAM of the peer"),
		dataFault("split-streams", "a stream of group 0, subgroup 0 with 1 objects ({0, 0}) and FIN, "+
			"a stream of group 0, subgroup 1 with 1 objects"),
		dataFault("drop-object", "a stream of group 0, subgroup 0 with 2 objects ({0, 2}"),
	},
	func(ctx context.Context, e *Env) error {
		p, s, _, w := watched(ctx, e)
		l := NewLayout(Span(0, 2), Span(0, 5),
			LayoutOptions{Payload: e.NamedPayload, Subgroup: func(o uint64) uint64 { return o % 2 }})
		e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
		s.WantStreams(ctx, w, "6 subgroups, each with its 3 objects on one stream that ends with FIN", func() bool {
			for _, g := range []uint64{0, 1, 2} {
				if !w.wholeSubgroup(g, 0, 3) || !w.wholeSubgroup(g, 1, 3) {
					return false
				}
			}
			return true
		})
		return nil
	}, rules.SubgroupEnd, rules.Subgroups)

// The END_OF_GROUP bit is no field of an object, so the case only records what becomes of it. An object with status End
// of Group is an object: a relay must not drop it from a stream (draft-18 §9.4), but it may say the same with the bit
// (§9.1).
var endOfGroup = endsCase("end-of-group", "An End of Group object reaches the subscriber",
	[]Fault{
		dataFault("end-of-group-missing", "and FIN, without either"),
		dataFault("status-missing", "and FIN, without either"),
		dataFault("never-fin", "RESET_STREAM of the peer"),
	}, runEndOfGroup, rules.SubgroupEnd, rules.Subgroups, rules.ObjectStatus)

func runEndOfGroup(ctx context.Context, e *Env) error {
	p, s, _, w := watched(ctx, e)
	l := NewLayout(Span(0, 1), Span(0, 3), LayoutOptions{Payload: e.NamedPayload})
	for i := range l {
		switch x := &l[i]; {
		case x.Group == 0 && x.Object == 3:
			x.Status, x.Payload = wire.StatusEndOfGroup, nil
		case x.Group == 1 && x.Object == 3:
			x.EndOfGroup = true
		}
	}
	l.Mark()
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
	s.WantStreams(ctx, w, "group 0 with objects 0-2 and group 1 with objects 0-3, each on a stream that ends with FIN",
		func() bool {
			return w.whole(0, 2) != nil && w.whole(1, 3) != nil
		})
	w.mu.Lock()
	defer w.mu.Unlock()
	zero, one := w.whole(0, 2), w.whole(1, 3)
	status := false
	for _, o := range zero.Objects {
		status = status || o.Status == wire.StatusEndOfGroup && o.ObjectID == 3
	}
	if !status && !zero.Header.EndOfGroup {
		e.Fail(transport.LayerData, "an object with status End of Group at {0, 3}, or the END_OF_GROUP bit in the "+
			"header of group 0's stream", zero.Text(s.Draft())+", without either")
	}
	e.Note("the stream of group 1, published with the END_OF_GROUP bit, has the bit: %t", one.Header.EndOfGroup)
	return nil
}

var endOfTrack = endsCase("end-of-track",
	"An End of Track object and PUBLISH_DONE with TRACK_ENDED reach the subscriber",
	[]Fault{
		dataFault("status-missing", "a stream of group 0, subgroup 0 with 3 objects ({0, 0}"),
		requestFault("done-wrong-status", "PUBLISH_DONE with 0x0 INTERNAL_ERROR").should(),
		requestFault("done-never", "the last message or stream was SUBGROUP_HEADER").should(),
	}, runEndOfTrack, rules.ObjectStatus, rules.PublishDone)

func runEndOfTrack(ctx context.Context, e *Env) error {
	p, s, sub, w := watched(ctx, e)
	l := NewLayout(Span(0, 1), Span(0, 2), LayoutOptions{Payload: e.NamedPayload})
	l = append(l, Item{Group: 1, Object: 3, Priority: 128, Status: wire.StatusEndOfTrack})
	l.Mark()
	p.Publish(ctx, l, ObjectPace)
	p.End()
	// A relay may signal the end otherwise (draft-18 §9.1): at any location after the last object.
	s.WantStreams(ctx, w, "an object with status End of Track at {1, 3}", func() bool {
		for _, a := range w.Subgroups {
			for _, o := range a.Objects {
				if o.Status == wire.StatusEndOfTrack && o.Location().Compare(wire.Location{Group: 1, Object: 2}) > 0 {
					return true
				}
			}
		}
		return false
	})
	s.WantStreams(ctx, w, "all objects of the groups 0 and 1, and FIN", func() bool {
		return w.whole(0, 2) != nil &&
			w.whole(1, 2) != nil
	})
	step, cancel := e.Step(ctx)
	defer cancel()
	d := &Delivery{s: s, sub: sub, w: w}
	d.Done(step)
	return nil
}

var doneFin = endsCase("done-fin", "FIN follows PUBLISH_DONE on the stream of the subscription", []Fault{
	requestFault("done-without-fin", "PUBLISH_DONE, and no FIN").should(),
	requestFault("done-never", "nothing").or(transport.LayerData),
}, runDoneFin, rules.DoneFin, rules.PublishDoneAlways).from(wire.Draft18)

// runDoneFin: PUBLISH_DONE is the last message, so FIN should follow it at once (draft-18 §10.11: SHOULD).
func runDoneFin(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	l := e.Groups(0, 0)
	a := e.Follow(ctx, "subscriber", p, l, Checks{})
	p.WaitForward(ctx)
	p.Deliver(ctx, l, ObjectPace, a)
	step, cancel := e.Step(ctx)
	defer cancel()
	_, err := a.Subscription.Done(step)
	a.Check(step, err, transport.LayerRequest, "PUBLISH_DONE")
	id := a.Subscription.Request().ID()
	for end := time.Now().Add(e.settled(2 * LateTime)); !a.log.ended(id) && time.Now().Before(end); {
		e.Sleep(ctx, ObjectPace)
	}
	e.Should(a.log.ended(id), transport.LayerRequest, "FIN at once behind PUBLISH_DONE", "PUBLISH_DONE, and no FIN")
	return nil
}
