package cases

import (
	"context"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// FETCH of tracks that are laid out in other ways than one subgroup of consecutive objects a group.

// fetchLayoutCase is a case that fetches a whole track of one layout, once a subscriber has received it. What that gets
// is not judged here.
func fetchLayoutCase(layoutName, title string, plan func(e *Env) layout, faults ...string) Case {
	return fetchCase("fetch-"+layoutName, "FETCH of "+title, append(faults, "fetch-missing-object"),
		func(ctx context.Context, e *Env) error {
			p := announced(ctx, e)
			l := plan(e)
			a := attend(ctx, "subscriber", p, l, checks{})
			p.waitForward(ctx)
			p.publish(ctx, l, objectPace)
			a.expect(ctx)
			last := l[len(l)-1].location()
			e.Dial(ctx, "fetcher").fetchExactly(ctx, p, fetchOf(p, between(l[0].location(), last)), l,
				checks{priority: true, properties: true}).wantOrder(e, l)
			return nil
		}, wire.TopicFetchFlags)
}

// expect waits a while for everything wanted, and notes what has not come.
func (a *audience) expect(ctx context.Context) {
	step, cancel := a.e.Within(ctx, time.Second)
	defer cancel()
	if !a.k.waitUntil(step, wire.Location{}, wire.Location{Group: 1<<64 - 1}) {
		a.e.Note("%s: %s", a.Role, a.k.problem())
	}
}

// evenAndOdd are the priorities of even and odd groups.
func evenAndOdd(group uint64) uint8 { return uint8(200 + group%2) }

var (
	fetchOnePerGroup = fetchLayoutCase("one-subgroup-per-group", "groups of one subgroup each", func(e *Env) layout {
		return newLayout(span(0, 1), span(0, 2), layoutOptions{payload: e.namedPayload, priority: evenAndOdd})
	}, "fetch-corrupt-payload")
	fetchOnePerObject = fetchLayoutCase("one-subgroup-per-object",
		"a group whose objects each have a subgroup of their own", func(e *Env) layout {
			return newLayout(span(0, 0), span(0, 2), layoutOptions{payload: e.namedPayload, priority: evenAndOdd,
				subgroup: func(object uint64) uint64 { return object }})
		}, "fetch-corrupt-payload")
	fetchTwoPerGroup = fetchLayoutCase("two-subgroups-per-group",
		"a group whose objects alternate between two subgroups", func(e *Env) layout {
			return newLayout(span(0, 0), span(0, 5), layoutOptions{payload: e.namedPayload, priority: evenAndOdd,
				subgroup: func(object uint64) uint64 { return object % 2 }})
		}, "fetch-extra-object")
	fetchStartGroup = fetchLayoutCase("nonzero-start-group", "a track that starts with group 5", func(e *Env) layout {
		return newLayout(span(5, 6), span(0, 1), layoutOptions{payload: e.namedPayload, priority: evenAndOdd})
	}, "fetch-extra-object")
	fetchStartObject = fetchLayoutCase("nonzero-start-object", "a group that starts with object 3",
		func(e *Env) layout {
			return newLayout(span(0, 0), span(3, 5), layoutOptions{payload: e.namedPayload, priority: evenAndOdd})
		}, "fetch-reset")
	fetchSparse = fetchLayoutCase("sparse-group-object-ids", "groups and objects with gaps between them",
		func(e *Env) layout {
			return newLayout([]uint64{0, 2, 4}, []uint64{0, 2, 4},
				layoutOptions{payload: e.namedPayload, priority: evenAndOdd})
		}, "fetch-extra-object")
	fetchProperties = fetchLayoutCase("object-properties", "objects with properties", func(e *Env) layout {
		return newLayout(span(0, 1), span(0, 2), layoutOptions{payload: e.namedPayload, priority: evenAndOdd,
			properties: unknownProperties})
	}, "fetch-corrupt-payload")
)
