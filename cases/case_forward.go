package cases

import (
	"context"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var forwardResumed = updateCase("forward-resumed",
	"A track whose only subscriber is paused flows once it resumes",
	[]Fault{
		requestFault("forward-not-passed-on", "nothing"),
		requestFault("update-silent", "nothing for 5000 ms after REQUEST_UPDATE").from(wire.Draft16),
	}, runForwardResumed, rules.ForwardState, rules.ForwardUpstream, rules.Update)

// runForwardResumed: a relay should have asked with Forward State 1 at once (draft-18 §9.2). At the latest when its
// subscriber wants objects it must set it (§9.5).
func runForwardResumed(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	l := e.Groups(0, 1)
	a := e.Follow(ctx, "subscriber", p, l, Checks{}, UintParameter(wire.ParamForward, 0))
	step, cancel := e.Step(ctx)
	defer cancel()
	p.Session.Check(step, p.WaitSubscribed(step), transport.LayerRequest, "SUBSCRIBE at the publisher")
	p.mu.Lock()
	e.Note("the relay's SUBSCRIBE for a paused subscriber has Forward State 1: %t", p.subscriptions[0].pub.Forward())
	p.mu.Unlock()
	a.Update(ctx, UintParameter(wire.ParamForward, 1))
	p.WaitAnyForward(ctx)
	p.Deliver(ctx, l, ObjectPace, a)
	return nil
}

var forwardMidSubgroup = updateCase("forward-mid-subgroup",
	"A pause in the middle of a subgroup leaves no hole in one of its streams",
	[]Fault{
		dataFault("forward-hole", "a stream of group 0, subgroup 0 with 4 objects ({0, 0}, {0, 1}, {0, 3}, {0, 4})"),
		requestFault("update-silent", "nothing for 5000 ms after ").from(wire.Draft15),
	}, runForwardMidSubgroup, rules.SubgroupNextObject, rules.SubgroupUnknownNext, rules.SubgroupEnd,
	rules.ForwardState)

// runForwardMidSubgroup: a relay sends an object on an open stream only when it is the subgroup's next one, and resets
// a stream that lacks one because of the Forward State (draft-18 §11.4.3). Another subscriber keeps the track flowing.
func runForwardMidSubgroup(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	l := e.Groups(0, 0)
	control := e.Follow(ctx, "subscriber", p, l, Checks{})
	p.WaitForward(ctx)
	s := e.Dial(ctx, "updater")
	step, cancel := e.Step(ctx)
	defer cancel()
	sub := s.SubscribeTo(step, p)
	w := s.Watch(ctx, sub)
	a := &Subscriber{Session: s, Subscription: sub}
	p.Publish(ctx, l[:2], ObjectPace)
	s.WantStreams(ctx, w, "objects {0, 0} and {0, 1}", func() bool { return w.has(0, 0, 1) })
	a.Update(ctx, UintParameter(wire.ParamForward, 0))
	p.Publish(ctx, l[2:3], ObjectPace)
	control.WaitTo(ctx, wire.Location{Object: 2})
	s.Healthy(ctx, transport.LayerData) // the relay has left it out
	a.Update(ctx, UintParameter(wire.ParamForward, 1))
	p.Publish(ctx, l[3:], ObjectPace)
	s.WantStreams(ctx, w, "objects {0, 3} and {0, 4}", func() bool { return w.has(0, 3, 4) })
	e.Silence(ctx, LateTime)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, arrived := range w.of(0) {
		text := arrived.Text(s.Draft())
		e.Note("%s", text)
		for i, o := range arrived.Objects {
			if i > 0 && o.ObjectID != arrived.Objects[i-1].ObjectID+1 {
				e.Fail(transport.LayerData, fmt.Sprintf("a new stream for object %s, since the one before it was "+
					"left out", o.Location()), text)
			}
		}
		if n := len(arrived.Objects); arrived.Finished() && n > 0 && arrived.Objects[n-1].ObjectID < 4 {
			e.Fail(transport.LayerData, "a reset of the stream that lacks objects", text)
		}
	}
	return nil
}
