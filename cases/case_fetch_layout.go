package cases

import (
	"context"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// FETCH of tracks with other layouts than one subgroup of consecutive objects in each group.

// fetchLayoutCase is a case that fetches a whole track of one layout. A subscriber has received the track before; what
// it received is not judged here.
func fetchLayoutCase(layoutName, title string, plan func(e *Env) Layout, faults ...Fault) Case {
	return fetchCase("fetch-"+layoutName, "FETCH of "+title, faults,
		func(ctx context.Context, e *Env) error {
			p := e.Announced(ctx)
			l := plan(e)
			a := e.Follow(ctx, "subscriber", p, l, Checks{})
			p.WaitForward(ctx)
			p.Publish(ctx, l, ObjectPace)
			a.expect(ctx)
			last := l[len(l)-1].Location()
			e.Dial(ctx, "fetcher").FetchExactly(ctx, p, p.FetchOf(Between(l[0].Location(), last)), l,
				Checks{Priority: true, Properties: true}).WantOrder(e, l)
			return nil
		}, rules.Fetch, rules.ObjectFields, rules.CacheFields)
}

// alsoAbout adds a rule to what a case is about.
func alsoAbout(rule rules.ID, c Case) Case {
	c.Rules = append(c.Rules, rule)
	return c
}

// expect waits a while for every wanted object, and notes what has not come.
func (a *Subscriber) expect(ctx context.Context) {
	step, cancel := a.e.Within(ctx, time.Second)
	defer cancel()
	if !a.Checker.WaitRange(step, wire.Location{}, wire.Location{Group: 1<<64 - 1}) {
		a.e.Note("%s: %s", a.Role, a.Checker.Problem())
	}
}

// evenAndOdd are the priorities of even and odd groups.
func evenAndOdd(group uint64) uint8 { return uint8(200 + group%2) }

var (
	fetchOnePerGroup = fetchLayoutCase("one-subgroup-per-group", "groups of one subgroup each", func(e *Env) Layout {
		return NewLayout(Span(0, 1), Span(0, 2), LayoutOptions{Payload: e.NamedPayload, Priority: evenAndOdd})
	},
		dataFault("fetch-corrupt-payload", "payload differs from byte 0"),
		dataFault("fetch-missing-object", "5 of 6 objects came, {0, 1}"))
	fetchOnePerObject = fetchLayoutCase("one-subgroup-per-object",
		"a group whose objects each have a subgroup of their own", func(e *Env) Layout {
			return NewLayout(Span(0, 0), Span(0, 2), LayoutOptions{Payload: e.NamedPayload, Priority: evenAndOdd,
				Subgroup: func(object uint64) uint64 { return object }})
		},
		dataFault("fetch-corrupt-payload", "payload differs from byte 0"),
		dataFault("fetch-missing-object", "2 of 3 objects came, {0, 1}"))
	fetchTwoPerGroup = fetchLayoutCase("two-subgroups-per-group",
		"a group whose objects alternate between two subgroups", func(e *Env) Layout {
			return NewLayout(Span(0, 0), Span(0, 5), LayoutOptions{Payload: e.NamedPayload, Priority: evenAndOdd,
				Subgroup: func(object uint64) uint64 { return object % 2 }})
		},
		dataFault("fetch-extra-object", "unexpected {0, 6}"),
		dataFault("fetch-missing-object", "5 of 6 objects came, {0, 1}"))
	fetchStartGroup = fetchLayoutCase("nonzero-start-group", "a track that starts with group 5", func(e *Env) Layout {
		return NewLayout(Span(5, 6), Span(0, 1), LayoutOptions{Payload: e.NamedPayload, Priority: evenAndOdd})
	},
		dataFault("fetch-extra-object", "unexpected {6, 2}"),
		dataFault("fetch-missing-object", "3 of 4 objects came, {5, 1}"))
	fetchStartObject = fetchLayoutCase("nonzero-start-object", "a group that starts with object 3",
		func(e *Env) Layout {
			return NewLayout(Span(0, 0), Span(3, 5), LayoutOptions{Payload: e.NamedPayload, Priority: evenAndOdd})
		},
		dataFault("fetch-reset", "RESET_STREAM"),
		dataFault("fetch-missing-object", "2 of 3 objects came, {0, 4}"))
	fetchSparse = fetchLayoutCase("sparse-group-object-ids", "groups and objects with gaps between them",
		func(e *Env) Layout {
			return NewLayout([]uint64{0, 2, 4}, []uint64{0, 2, 4},
				LayoutOptions{Payload: e.NamedPayload, Priority: evenAndOdd})
		},
		dataFault("fetch-extra-object", "unexpected {4, 5}"),
		dataFault("fetch-missing-object", "8 of 9 objects came, {0, 2}"))
	fetchProperties = alsoAbout(rules.ObjectProperties, fetchLayoutCase("object-properties", "objects with properties",
		func(e *Env) Layout {
			return NewLayout(Span(0, 1), Span(0, 2), LayoutOptions{Payload: e.NamedPayload, Priority: evenAndOdd,
				Properties: unknownProperties})
		},
		dataFault("fetch-strip-properties", "property 0x38 is missing"),
		dataFault("fetch-corrupt-payload", "payload differs from byte 0"),
		dataFault("fetch-missing-object", "5 of 6 objects came, {0, 1}")))
)
