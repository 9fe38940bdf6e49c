package cases

import (
	"bytes"
	"context"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The objects of the layout cases: the first of a group is longer than the others, and the priority tells even groups
// from odd ones.
const (
	layoutFirst   = 16 // bytes
	layoutOther   = 8  // bytes
	layoutEven    = 200
	layoutOdd     = 201
	layoutPace    = 10 * time.Millisecond
	layoutPayload = 0x74
)

// layoutCase is a case that publishes one layout and requires that it reaches a subscriber unchanged.
func layoutCase(id, title string, groups, objects []uint64, o layoutOptions, faults ...string) Case {
	o.payload = func(_, object uint64) []byte {
		if object == objects[0] {
			return bytes.Repeat([]byte{layoutPayload}, layoutFirst)
		}
		return bytes.Repeat([]byte{layoutPayload}, layoutOther)
	}
	o.priority = func(group uint64) uint8 { return uint8(layoutEven + group%2) }
	l := newLayout(groups, objects, o)
	topics := []wire.Topic{wire.TopicPublish, wire.TopicPublisherInteractions, wire.TopicRelayObjects,
		wire.TopicSubgroups, wire.TopicSubgroupHeader, wire.TopicSubgroupEnd, wire.TopicPublishDone}
	if o.properties != nil {
		topics = append(topics, wire.TopicObjectProperties)
	}
	return Case{
		ID: id, Title: title, Topics: topics,
		Level: Must, Suite: SuiteAll, Tags: []string{"data", "layout", "publish"},
		Roles: []string{"publisher", "subscriber"}, Timeout: caseLimit,
		Faults: faults,
		Run:    func(ctx context.Context, e *Env) error { return runLayout(ctx, e, l) },
	}
}

var (
	oneSubgroupPerGroup = layoutCase("subscribe-one-subgroup-per-group",
		"groups 0-1 of 3 objects, one subgroup each, reach a subscriber unchanged",
		span(0, 1), span(0, 2), layoutOptions{},
		"publish-silent", "publish-reject", "publish-not-routed", "publish-stays-paused", "wrong-priority",
		"duplicate-object", "split-streams", "never-fin", "first-object-missing")
	oneSubgroupPerObject = layoutCase("subscribe-one-subgroup-per-object",
		"group 0 of 3 objects, each in a subgroup of its own, reaches a subscriber unchanged",
		span(0, 0), span(0, 2), layoutOptions{subgroup: func(object uint64) uint64 { return object }},
		"wrong-subgroup-id", "drop-object", "first-object-missing")
	twoSubgroupsPerGroup = layoutCase("subscribe-two-subgroups-per-group",
		"group 0 of 6 objects, alternating between two subgroups, reaches a subscriber unchanged",
		span(0, 0), span(0, 5), layoutOptions{subgroup: func(object uint64) uint64 { return object % 2 }},
		"wrong-subgroup-id", "split-streams", "corrupt-payload")
	nonzeroStartGroup = layoutCase("subscribe-nonzero-start-group",
		"groups 5-6 of 2 objects reach a subscriber unchanged",
		span(5, 6), span(0, 1), layoutOptions{},
		"wrong-group-id", "drop-group")
	nonzeroStartObject = layoutCase("subscribe-nonzero-start-object",
		"group 0 of objects 3-5 reaches a subscriber unchanged",
		span(0, 0), span(3, 5), layoutOptions{},
		"wrong-object-id", "truncate-payload", "first-object-missing")
	sparseIDs = layoutCase("subscribe-sparse-group-object-ids",
		"groups 0, 2, 4 of objects 0, 2, 4 reach a subscriber unchanged",
		[]uint64{0, 2, 4}, []uint64{0, 2, 4}, layoutOptions{},
		"wrong-object-id", "drop-object", "split-streams")
	layoutProperties = layoutCase("subscribe-object-properties",
		"properties of two objects reach a subscriber unchanged",
		span(0, 0), span(0, 1), layoutOptions{properties: func(_, object uint64) wire.Properties {
			if object == 0 {
				return wire.Properties{{Type: 0x3800, Uint: 4660}, {Type: 0x3801, Bytes: []byte("high-type-3801")}}
			}
			return wire.Properties{{Type: 0x3802, Uint: 270544960}, {Type: 0x3803, Bytes: []byte("high-type-3803")}}
		}},
		"strip-properties", "publish-not-routed")
)

// runLayout: the publisher publishes the track itself and sends the layout once a subscriber has SUBSCRIBE_OK and the
// Forward State is 1. The subscriber gets exactly these objects, with their ids, priorities and properties, each
// subgroup on a stream of its own, and no other (draft-18 §2.2, §9.7).
func runLayout(ctx context.Context, e *Env, l layout) error {
	source := e.Dial(ctx, "publisher")
	p := source.publisher(e.Namespace(), e.TrackName())
	step, cancel := e.Step(ctx)
	defer cancel()
	p.offer(step)
	s := e.Dial(ctx, "subscriber")
	step, cancel = e.Step(ctx)
	defer cancel()
	sub := s.SubscribeTo(step, p)
	d := s.delivery(ctx, sub, l, checks{priority: true, properties: true, forwarding: true,
		first: s.Draft() >= wire.Draft18})
	p.flowing(ctx)
	e.Go(ctx, func(ctx context.Context) {
		p.emit(ctx, l, layoutPace)
		p.end()
	})
	step, cancel = e.Step(ctx)
	defer cancel()
	d.complete(step)
	d.drain(ctx)
	return nil
}
