package cases

import (
	"context"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Subscriptions that change: Forward State, priority, range.

// updateCase is a case of REQUEST_UPDATE (SUBSCRIBE_UPDATE up to 15).
func updateCase(id, title string, faults []Fault, run func(ctx context.Context, e *Env) error,
	what ...rules.ID) Case {
	return topicCase(id, title, faults, run, what, "data", "subscribe", "update").
		among("publisher", "subscriber", "updater")
}

var forwardState = updateCase("forward-state", "Forward State 0 holds objects back until an update sets it to 1",
	[]Fault{
		dataFault("forward-ignored", "2 streams or datagrams"),
		requestFault("update-silent", "nothing for 5000 ms after REQUEST_UPDATE").from(wire.Draft16),
		dataFault("second-subscriber-starved", "0 of 10 objects came, {2, 0}"),
	}, runForwardState, rules.ForwardState, rules.ForwardUpstream)

func runForwardState(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	control := e.Follow(ctx, "subscriber", p, e.Groups(0, 3), Checks{})
	p.WaitForward(ctx)
	// No text says whether what was published meanwhile may follow. With Forward State 0 none of it may come.
	paused := e.Follow(ctx, "updater", p, e.Groups(2, 3), Checks{May: past(2)}, UintParameter(wire.ParamForward, 0))
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, e.Groups(0, 1), ObjectPace) })
	control.WaitTo(ctx, wire.Location{Group: 1, Object: 4})
	e.Silence(ctx, LateTime)
	if n := paused.DataSeen(); n > 0 {
		e.Fail(transport.LayerData, "no objects with Forward State 0", fmt.Sprintf("%d streams or datagrams", n))
	}
	paused.Update(ctx, UintParameter(wire.ParamForward, 1))
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, e.Groups(2, 3), ObjectPace) })
	paused.WaitAll(ctx)
	control.WaitAll(ctx)
	p.End()
	paused.WantExactly(ctx)
	return nil
}

var updatePriority = updateCase("update-priority",
	"An update of the Subscriber Priority is accepted, and objects keep coming",
	[]Fault{
		requestFault("update-silent", "nothing for 5000 ms after ").from(wire.Draft15),
		requestFault("update-reject", `REQUEST_ERROR 0x0 INTERNAL_ERROR "fault"`).from(wire.Draft15),
		dataFault("second-subscriber-starved", "0 of 20 objects came, {0, 0}"),
	}, runUpdatePriority, rules.Update, rules.ParameterPayload)

func runUpdatePriority(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	control := e.Follow(ctx, "subscriber", p, e.Groups(0, 3), Checks{})
	p.WaitForward(ctx)
	a := e.Follow(ctx, "updater", p, e.Groups(0, 3), Checks{}, UintParameter(wire.ParamSubscriberPriority, 200))
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, e.Groups(0, 1), ObjectPace) })
	a.WaitTo(ctx, wire.Location{Group: 1, Object: 4})
	a.Update(ctx, UintParameter(wire.ParamSubscriberPriority, 10))
	p.Deliver(ctx, e.Groups(2, 3), ObjectPace, a, control)
	return nil
}

var updateRange = updateCase("update-range", "An update that narrows the range holds back what lies after its end",
	[]Fault{
		dataFault("filter-ignored", "unexpected {3, 0}").from(wire.Draft16),
		dataFault("second-subscriber-starved", "0 of 15 objects came, {0, 0}"),
	}, runUpdateRange, rules.Update, rules.LocationFilter)

// runUpdateRange: objects sent before the update was processed may come. Here there are none, since nothing past the
// new end is published before the answer. Draft 14 has no answer, and allows that an update is processed late (draft-14
// §9.10).
func runUpdateRange(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	control := e.Follow(ctx, "subscriber", p, e.Groups(0, 4), Checks{})
	p.WaitForward(ctx)
	a := e.Follow(ctx, "updater", p, e.Groups(0, 2), Checks{},
		FilterParameter(wire.LocationFilter{Form: wire.FilterGroupEnd, EndGroup: 9}))
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, e.Groups(0, 0), ObjectPace) })
	a.WaitTo(ctx, wire.Location{Group: 0, Object: 4})
	a.Update(ctx, FilterParameter(wire.LocationFilter{Form: wire.FilterGroupEnd, EndGroup: 2}))
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, e.Groups(1, 4), ObjectPace) })
	a.WaitAll(ctx)
	control.WaitAll(ctx)
	p.End()
	if a.Draft() == wire.Draft14 {
		a.WaitQuiet(ctx)
		if what := a.Checker.Unexpected(); what != "" && a.Checker.Corrupted() == "" {
			e.Should(false, transport.LayerData, "a SUBSCRIBE_UPDATE that narrows the range heeded promptly", what)
			return nil
		}
	}
	a.WantExactly(ctx)
	return nil
}

var stateNotify = updateCase("state-notify",
	"What a publisher tells of its state changes nothing that a subscriber has set",
	[]Fault{
		requestFault("state-notify-bare", "PUBLISH_STATE_NOTIFY with FORWARD 0"),
		dataFault("drop-object", "4 of 10 objects came, {0, 0}"),
	}, runStateNotify, rules.StateNotifyValues, rules.StateNotifyLargest).from(wire.Draft20).
	among("publisher", "subscriber")

// runStateNotify: the relay need not pass on what it is told. If it tells its subscriber something, it names the
// Largest Object, and leaves FORWARD and the filter as the subscriber has set them (draft-20 §10.10, draft-22 §9.10).
func runStateNotify(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	l := e.Groups(0, 1)
	a := e.Follow(ctx, "subscriber", p, l, Checks{}, UintParameter(wire.ParamForward, 1))
	p.WaitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l[:5], ObjectPace) })
	a.WaitTo(ctx, wire.Location{Group: 0, Object: 4})
	p.mu.Lock()
	pub := p.subscriptions[0].pub
	p.mu.Unlock()
	var told wire.Parameters
	told.SetLargest(wire.Location{Group: 0, Object: 4})
	p.Session.Check(ctx, pub.Notify(ctx, told), transport.LayerRequest, "PUBLISH_STATE_NOTIFY to be sent")
	p.Session.Healthy(ctx, transport.LayerRequest)
	n := 0
	for ; ; n++ {
		ps, err := a.Subscription.NextNotify(known())
		if err != nil {
			break
		}
		const expected = "PUBLISH_STATE_NOTIFY with the Largest Object, and with nothing that the subscriber has set"
		if v, ok := ps.Uint(wire.ParamForward); ok && v != 1 {
			e.Fail(transport.LayerRequest, expected, fmt.Sprintf("PUBLISH_STATE_NOTIFY with FORWARD %d", v))
		}
		if _, ok := ps.Filter(); ok {
			e.Fail(transport.LayerRequest, expected, "PUBLISH_STATE_NOTIFY with LOCATION_FILTER")
		}
		if _, ok := ps.Largest(); !ok {
			e.Fail(transport.LayerRequest, expected, "PUBLISH_STATE_NOTIFY without LARGEST_OBJECT")
		}
	}
	e.Note("PUBLISH_STATE_NOTIFY came to the subscriber %d times", n)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l[5:], ObjectPace) })
	a.WaitAll(ctx)
	p.End()
	a.WantExactly(ctx)
	return nil
}
