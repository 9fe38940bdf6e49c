package cases

import (
	"bytes"
	"context"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var dataSubgroupBasic = Case{
	ID: "data-subgroup-basic", Title: "Three groups of five objects arrive unchanged",
	Rules: []rules.ID{rules.Routing, rules.Forwarding, rules.ObjectFields, rules.Subgroups, rules.SubgroupEnd,
		rules.PublishDone, rules.StreamCount, rules.DoneCode, rules.PayloadOpaque},
	Level: Must, Suite: SuiteStandard, Tags: []string{"data", "namespace", "subscribe"},
	Roles: []string{"publisher", "subscriber"}, Timeout: 2*StepLimit + DeliveryLimit,
	Faults: []Fault{
		requestFault("refuse-not-supported", "0x3 NOT_SUPPORTED"),
		requestFault("refuse-unauthorized", "0x1 UNAUTHORIZED"),
		dataFault("too-far-behind", "TOO_FAR_BEHIND"),
		requestFault("route-nowhere", "(the publisher has seen no request for the track)"),
		dataFault("die-midway",
			"the end of the subscriber's session: connection closed by the peer with 0x1 INTERNAL_ERROR"),
		dataFault("drop-object", "12 of 15 objects came, {0, 0}, {1, 0}, {2, 0}"),
		dataFault("duplicate-object", "more than once {0, 0}"),
		dataFault("corrupt-payload", "payload differs from byte 0"),
		dataFault("truncate-payload", "63 bytes of payload instead of 64"),
		dataFault("wrong-object-id", "unexpected {0, 5}"),
		dataFault("wrong-group-id", "came, {0, 0}"),
		dataFault("wrong-subgroup-id", "subgroup 1 instead of 0"),
		dataFault("wrong-priority", "priority 129 instead of 128"),
		dataFault("drop-group", "10 of 15 objects came, {1, 0}"),
		dataFault("drop-everything", "0 of 15 objects came, {0, 0}"),
		dataFault("split-streams", "more than one stream of group 0, subgroup 0"),
		dataFault("never-fin", "RESET_STREAM"),
		dataFault("stream-count-wrong", "3 streams"),
		requestFault("done-wrong-status", "PUBLISH_DONE with 0x0 INTERNAL_ERROR").should(),
		requestFault("done-never", "nothing new for").should(),
	},
	Run: runDataSubgroupBasic,
}

// runDataSubgroupBasic: a namespace is published, a subscriber subscribes to a track in it, and receives 15 objects on
// 3 streams.
func runDataSubgroupBasic(ctx context.Context, e *Env) error {
	source := e.Dial(ctx, "publisher")
	p := source.Publisher(e.Namespace(), "track")
	step, cancel := e.Step(ctx)
	defer cancel()
	source.Announce(step, p.Namespace)
	s := e.Dial(ctx, "subscriber")
	step, cancel = e.Step(ctx)
	defer cancel()
	sub := s.SubscribeTo(step, p, UintParameter(wire.ParamGroupOrder, wire.Ascending))
	p.WaitForward(step)
	l := NewLayout(Span(0, 2), Span(0, 4), LayoutOptions{Payload: func(_, object uint64) []byte {
		if object == 0 {
			return bytes.Repeat([]byte{0x74}, 64)
		}
		return bytes.Repeat([]byte{0x74}, 32)
	}})
	d := s.Delivery(ctx, sub, l, Checks{Priority: true, Forwarding: true})
	e.Go(ctx, func(ctx context.Context) {
		p.Emit(ctx, l, ObjectPace)
		p.End()
	})
	delivery, cancel := e.Within(ctx, DeliveryLimit)
	defer cancel()
	d.Complete(delivery)
	d.Drain(delivery)
	return nil
}

// The objects of the layout cases. The first object of a group is longer than the others. Even and odd groups have
// different priorities.
const (
	layoutFirst   = 16 // bytes
	layoutOther   = 8  // bytes
	layoutEven    = 200
	layoutOdd     = 201
	layoutPace    = 10 * time.Millisecond
	layoutPayload = 0x74
)

// layoutCase is a case that publishes one layout and requires that it reaches a subscriber unchanged.
func layoutCase(id, title string, groups, objects []uint64, o LayoutOptions, faults ...Fault) Case {
	o.Payload = func(_, object uint64) []byte {
		if object == objects[0] {
			return bytes.Repeat([]byte{layoutPayload}, layoutFirst)
		}
		return bytes.Repeat([]byte{layoutPayload}, layoutOther)
	}
	o.Priority = func(group uint64) uint8 { return uint8(layoutEven + group%2) }
	l := NewLayout(groups, objects, o)
	what := []rules.ID{rules.Publish, rules.Forwarding, rules.ObjectFields, rules.Subgroups, rules.SubgroupEnd,
		rules.PublishDone, rules.StreamCount, rules.DoneCode, rules.FirstObject, rules.PayloadOpaque}
	if o.Properties != nil {
		what = append(what, rules.ObjectProperties, rules.PropertiesOpaque)
	}
	return Case{
		ID: id, Title: title, Rules: what,
		Level: Must, Suite: SuiteStandard, Tags: []string{"data", "layout", "publish"},
		Roles: []string{"publisher", "subscriber"}, Timeout: CaseLimit,
		Faults: faults,
		Run:    func(ctx context.Context, e *Env) error { return runLayout(ctx, e, l) },
	}
}

var (
	oneSubgroupPerGroup = layoutCase("subscribe-one-subgroup-per-group",
		"Two groups of 3 objects, one subgroup each, arrive unchanged",
		Span(0, 1), Span(0, 2), LayoutOptions{},

		requestFault("publish-silent", "nothing for 5000 ms after PUBLISH"),
		requestFault("publish-reject", "UNINTERESTED"),
		requestFault("publish-not-routed", "(the publisher has seen no request for the track)"),
		requestFault("publish-stays-paused", "for 5"),
		dataFault("wrong-priority", "priority 201 instead of 200"),

		dataFault("duplicate-object", "more than once {0, 0}"),
		dataFault("split-streams", "more than one stream of group 0, subgroup 0"),
		dataFault("never-fin", "RESET_STREAM"),
		dataFault("first-object-missing", "FIRST_OBJECT is false instead of true").from(wire.Draft18))
	oneSubgroupPerObject = layoutCase("subscribe-one-subgroup-per-object",
		"A group of 3 objects, each in its own subgroup, arrives unchanged",
		Span(0, 0), Span(0, 2), LayoutOptions{Subgroup: func(object uint64) uint64 { return object }},

		dataFault("wrong-subgroup-id", "subgroup 2 instead of 1"),
		dataFault("drop-object", "0 of 3 objects"),
		dataFault("first-object-missing", "FIRST_OBJECT is false instead of true").from(wire.Draft18))
	twoSubgroupsPerGroup = layoutCase("subscribe-two-subgroups-per-group",
		"A group of 6 objects in two alternating subgroups arrives unchanged",
		Span(0, 0), Span(0, 5), LayoutOptions{Subgroup: func(object uint64) uint64 { return object % 2 }},

		dataFault("wrong-subgroup-id", "subgroup 2 instead of 1"),
		dataFault("split-streams", "more than one stream of group 0, subgroup"),
		dataFault("corrupt-payload", "corrupted {0, "))
	nonzeroStartGroup = layoutCase("subscribe-nonzero-start-group",
		"Groups 5 and 6 of a track that starts there arrive unchanged",
		Span(5, 6), Span(0, 1), LayoutOptions{},

		dataFault("wrong-group-id", "came, {5, 0}"),
		dataFault("drop-group", "2 of 4 objects came, {5, 0}, {5, 1}"))
	nonzeroStartObject = layoutCase("subscribe-nonzero-start-object",
		"A group that starts with object 3 arrives unchanged",
		Span(0, 0), Span(3, 5), LayoutOptions{},

		dataFault("wrong-object-id", "{0, 3} is missing; unexpected {0, 6}"),
		dataFault("truncate-payload", "{0, 3}: 15 bytes of payload instead of 16"),
		dataFault("first-object-missing", "FIRST_OBJECT is false instead of true").from(wire.Draft18))
	sparseIDs = layoutCase("subscribe-sparse-group-object-ids",
		"Groups 0, 2, 4 of objects 0, 2, 4 arrive unchanged",
		[]uint64{0, 2, 4}, []uint64{0, 2, 4}, LayoutOptions{},

		dataFault("wrong-object-id", "unexpected {0, 1}, {0, 3}, {0, 5}"),
		dataFault("drop-object", "6 of 9 objects came, {0, 0}, {2, 0}, {4, 0}"),
		dataFault("split-streams", "more than one stream of group"))
	layoutProperties = layoutCase("subscribe-object-properties",
		"Properties of two objects arrive unchanged",
		Span(0, 0), Span(0, 1), LayoutOptions{Properties: func(_, object uint64) wire.Properties {
			if object == 0 {
				return wire.Properties{{Type: 0x3800, Uint: 4660}, {Type: 0x3801, Bytes: []byte("high-type-3801")}}
			}
			return wire.Properties{{Type: 0x3802, Uint: 270544960}, {Type: 0x3803, Bytes: []byte("high-type-3803")}}
		}},

		dataFault("strip-properties", "property 0x3800 is missing"),
		requestFault("publish-not-routed", "(the publisher has seen no request for the track)"))
)

// runLayout: the publisher sends PUBLISH, and the layout once a subscriber has SUBSCRIBE_OK and the Forward State is 1.
// The subscriber gets exactly these objects with their ids, priorities and properties, each subgroup on a stream of its
// own (draft-18 §2.2, §9.7).
func runLayout(ctx context.Context, e *Env, l Layout) error {
	source := e.Dial(ctx, "publisher")
	p := source.Publisher(e.Namespace(), e.TrackName())
	step, cancel := e.Step(ctx)
	defer cancel()
	p.Offer(step)
	s := e.Dial(ctx, "subscriber")
	step, cancel = e.Step(ctx)
	defer cancel()
	sub := s.SubscribeTo(step, p)
	d := s.Delivery(ctx, sub, l, Checks{Priority: true, Properties: true, Forwarding: true,
		FirstObject: s.Draft() >= wire.Draft18})
	p.WaitAnyForward(ctx)
	e.Go(ctx, func(ctx context.Context) {
		p.Emit(ctx, l, layoutPace)
		p.End()
	})
	step, cancel = e.Step(ctx)
	defer cancel()
	d.Complete(step)
	d.Drain(ctx)
	return nil
}
