package cases

import (
	"context"
	"fmt"
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// What a relay asks its publishers for, and what it does not.

// upstreamCase is a case of what comes to a publisher.
func upstreamCase(id, title string, faults []Fault, run func(ctx context.Context, e *Env) error,
	what ...rules.ID) Case {
	return topicCase(id, title, faults, run, what, "subscribe", "upstream")
}

var newGroupFirst = upstreamCase("new-group-subscribe",
	"A NEW_GROUP_REQUEST in the first SUBSCRIBE to a track is in the relay's SUBSCRIBE too",
	[]Fault{
		requestFault("new-group-lost", "(the publisher has seen SUBSCRIBE)"),
		requestFault("subscribe-silent", "nothing for 5000 ms after SUBSCRIBE"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx, wire.Property{Type: wire.PropDynamicGroups, Uint: 1})
		s := e.Dial(ctx, "subscriber")
		step, cancel := e.Step(ctx)
		defer cancel()
		s.SubscribeTo(step, p, UintParameter(wire.ParamNewGroupRequest, 0))
		const expected = "NEW_GROUP_REQUEST 0 at the publisher"
		if err := p.wait(step, func() bool { return slices.Contains(p.newGroups, 0) }); err != nil {
			panic(p.Session.unanswered(step, err, expected, p))
		}
		return nil
	}, rules.NewGroupUpstream).from(wire.Draft15)

var newGroupStatic = upstreamCase("new-group-static",
	"A NEW_GROUP_REQUEST for a track without dynamic groups is not passed on in an update",
	[]Fault{
		requestFault("new-group-always", "an update with NEW_GROUP_REQUEST"),
		dataFault("drop-object", "4 of 5 objects came, {0, 0}"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		l := e.Groups(0, 0)
		a := e.Follow(ctx, "subscriber-1", p, l, Checks{})
		p.WaitForward(ctx)
		e.Follow(ctx, "subscriber-2", p, l, Checks{}, UintParameter(wire.ParamNewGroupRequest, 0))
		p.Deliver(ctx, l, ObjectPace, a)
		e.Silence(ctx, LateTime)
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.newGroups) > 0 {
			e.Fail(transport.LayerRequest, "no NEW_GROUP_REQUEST for a track that does not say DYNAMIC_GROUPS",
				fmt.Sprintf("an update with NEW_GROUP_REQUEST %d", p.newGroups[0]))
		}
		return nil
	}, rules.NewGroupSupport).from(wire.Draft15).among("publisher", "subscriber-1", "subscriber-2")

var upstreamNeutral = upstreamCase("upstream-neutral",
	"A relay asks its publisher for objects, without one subscriber's priority, order and timeout",
	[]Fault{
		requestFault("upstream-copies", "SUBSCRIBER_PRIORITY 7").should(),
		requestFault("subscribe-silent", "nothing for 5000 ms after SUBSCRIBE"),
	}, runUpstreamNeutral, rules.PrioritiesUpstream, rules.TimeoutsUpstream, rules.ForwardEager)

// runUpstreamNeutral: what one subscriber wants may not suit the next (draft-18 §7.3, §9.2, §10.2.3: SHOULD).
func runUpstreamNeutral(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	s := e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	s.SubscribeTo(step, p, UintParameter(wire.ParamSubscriberPriority, 7),
		UintParameter(wire.ParamGroupOrder, wire.Descending),
		UintParameter(wire.ParamObjectDeliveryTimeout, 7000), UintParameter(wire.ParamForward, 0))
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range []struct {
		t    wire.ParameterType
		name string
		not  uint64
		last wire.Draft
	}{
		{wire.ParamSubscriberPriority, "SUBSCRIBER_PRIORITY", 7, wire.Newest},
		{wire.ParamGroupOrder, "GROUP_ORDER", wire.Descending, wire.Newest},
		{wire.ParamObjectDeliveryTimeout, "a delivery timeout of", 7000, wire.Newest},
		{wire.ParamForward, "FORWARD", 0, wire.Draft18},
	} {
		v, ok := p.first.Uint(x.t)
		text := fmt.Sprintf("%s %d", x.name, v)
		e.Should(!ok || v != x.not || s.Draft() > x.last, transport.LayerRequest,
			"a SUBSCRIBE at the publisher without what one subscriber has asked for", text)
	}
	return nil
}
