package cases

import (
	"context"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// What a fetch stream keeps of objects, and what it says of those that are not there.

var fetchDatagrams = fetchCase("fetch-datagrams", "Objects that were published as datagrams are marked so in a FETCH",
	[]Fault{
		dataFault("fetch-datagram-lost", "sent as a datagram though published in a subgroup, or the other way round"),
		requestFault("fetch-silent", "nothing for 5000 ms after FETCH"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		l := NewLayout(Span(0, 0), Span(0, 4), LayoutOptions{Payload: e.NamedPayload})
		for i := range l {
			l[i].Datagram = true
		}
		l.Mark()
		p.Publish(ctx, l, 0)
		s := e.Dial(ctx, "fetcher")
		q := p.FetchOf(WholeGroups(0, 0))
		if s.Draft() <= wire.Draft19 {
			step, cancel := e.Step(ctx)
			defer cancel()
			f, err := s.Fetch(step, q)
			s.SkipUnsupported(err)
			s.MayRefuse(err, "FETCH of what the relay does not hold", rules.FetchUpstream)
			if err == nil {
				f.Cancel()
			}
		}
		s.FetchExactly(ctx, p, q, l, Checks{Forwarding: true})
		return nil
	}, rules.FetchDatagramBit, rules.Fetch).from(wire.Draft16).among("publisher", "fetcher")

var fetchNoWait = fetchCase("fetch-fill-timeout-zero",
	"A FETCH with FILL_TIMEOUT 0 brings what the relay has, and names the rest as unknown",
	[]Fault{
		dataFault("fill-timeout-ignored", "an object that the relay did not have: {1,0}"),
		requestFault("fetch-silent", "nothing for 5000 ms after FETCH"),
	}, runFetchNoWait, rules.FetchFillTimeout, rules.Fetch).from(wire.Draft18)

// runFetchNoWait: the relay has followed the groups 3 and 4, and has never seen those before. It must not wait for them
// (draft-18 §10.2.5). A relay that keeps nothing refuses.
func runFetchNoWait(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	p.Publish(ctx, e.Groups(0, 2), 0)
	l := e.Groups(3, 4)
	a := e.Follow(ctx, "subscriber", p, l, Checks{May: past(3)})
	p.WaitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
	a.WaitAll(ctx)
	s := e.Dial(ctx, "fetcher")
	step, cancel := e.Step(ctx)
	defer cancel()
	f := s.fetchOrRefusal(step, p.FetchOf(WholeGroups(1, 4), UintParameter(wire.ParamFillTimeout, 0)),
		"the relay refused the FETCH")
	if f == nil {
		return nil
	}
	const expected = "the objects of the groups 3 and 4, the others named as unknown"
	had, unknown := 0, false
	for {
		o, err := f.Next(step)
		switch {
		case err != nil && step.Err() != nil:
			s.Check(step, err, transport.LayerData, expected)
		case err != nil && had < len(l) && !unknown && !isStream(err):
			e.Fail(transport.LayerData, expected, fmt.Sprintf("%d objects and FIN", had))
		case err != nil:
			e.Annotate("%d objects that the relay had; the others named as unknown: %t", had, unknown)
			return nil
		case o.Range != wire.NoRange:
			unknown = unknown || o.Range != wire.NonExistentRange
		case o.GroupID < 3:
			e.Fail(transport.LayerData, expected, "an object that the relay did not have: "+o.Location().String())
		default:
			had++
		}
	}
}

var priorGaps = Case{
	ID: "prior-gaps", Title: "Prior Group ID Gap and Prior Object ID Gap are passed on, and none is added",
	Rules: []rules.ID{rules.GroupGapKept, rules.ObjectGapKept, rules.ObjectProperties},
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "properties"}, Roles: []string{"publisher", "subscriber"},
	Timeout: CaseLimit,
	Faults: []Fault{
		dataFault("strip-properties", "property 0x3c is missing"),
		dataFault("gaps-added", "property 0x3e, which its publisher did not set"),
	},
	Run: func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		l := NewLayout([]uint64{2, 4}, []uint64{0, 1, 3}, LayoutOptions{Payload: e.NamedPayload,
			Properties: func(g, o uint64) (ps wire.Properties) {
				if g == 4 {
					ps = append(ps, wire.Property{Type: wire.PropPriorGroupIDGap, Uint: 1})
				}
				if o == 3 {
					ps = append(ps, wire.Property{Type: wire.PropPriorObjectIDGap, Uint: 1})
				}
				return ps
			}})
		a := e.Follow(ctx, "subscriber", p, l, Checks{Properties: true})
		p.WaitForward(ctx)
		p.Deliver(ctx, l, ObjectPace, a)
		return nil
	},
}

var goneObjects = topicCase("gone-objects",
	"An object that is known not to exist is not forwarded when it comes after all",
	[]Fault{
		dataFault("gone-forwarded", "{0, 2}, which does not exist").should(),
		dataFault("drop-everything", "no stream and no datagram"),
	}, runGoneObjects, []rules.ID{rules.GoneObjects, rules.Forwarding}, "data", "properties").from(wire.Draft18)

// runGoneObjects: object 4 says with a Prior Object ID Gap that 1 to 3 do not exist; then 2 comes in another subgroup.
// That is no error, and a relay that keeps objects should not forward it (draft-18 §2.1, §9.1: SHOULD). What it still
// has to forward is what follows.
func runGoneObjects(ctx context.Context, e *Env) error {
	p, s, _, w := watched(ctx, e)
	l := NewLayout(Span(0, 0), []uint64{0, 4, 2}, LayoutOptions{Payload: e.NamedPayload,
		Subgroup: func(o uint64) uint64 { return o / 2 % 2 },
		Properties: func(_, o uint64) wire.Properties {
			if o != 4 {
				return nil
			}
			return wire.Properties{{Type: wire.PropPriorObjectIDGap, Uint: 3}}
		}})
	p.Publish(ctx, l[:2], ObjectPace)
	s.WantStreams(ctx, w, "objects {0, 0} and {0, 4}", func() bool { return w.has(0, 0, 0) && w.has(0, 4, 4) })
	p.Publish(ctx, l[2:], ObjectPace)
	next := e.Groups(1, 1)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, next, ObjectPace) })
	s.WantStreams(ctx, w, next.String(), func() bool { return w.has(1, 0, 4) })
	e.Silence(ctx, LateTime)
	w.mu.Lock()
	defer w.mu.Unlock()
	e.Should(!w.has(0, 2, 2), transport.LayerData, "no object that a Prior Object ID Gap has said does not exist",
		"{0, 2}, which does not exist")
	return nil
}
