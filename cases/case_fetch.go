package cases

import (
	"context"
	"errors"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var fetchGroup = Case{
	ID: "fetch", Title: "FETCH of one group returns exactly its objects",
	Rules: []rules.ID{rules.Fetch, rules.FetchEnd},
	Level: Must, Suite: SuiteStandard, Tags: []string{"data", "fetch"}, Roles: []string{"publisher", "subscriber",
		"fetcher"}, Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("fetch-silent", "nothing for 5000 ms after FETCH"),
		requestFault("fetch-error", "0x0 INTERNAL_ERROR"),
		dataFault("fetch-missing-object", "4 of 5 objects came, {1, 1}"),
		dataFault("fetch-extra-object", "unexpected {1, 5}"),
		dataFault("fetch-corrupt-payload", "payload differs from byte 0"),
		dataFault("fetch-reset", "RESET_STREAM"),
		dataFault("fetch-no-stream", "0 of 5 objects came, {1, 0}"),
		dataFault("fetch-everything", "unexpected {0, 0}"),
		requestFault("fetch-wrong-end", "End {2, 4}").from(wire.Draft20).should(),
		requestFault("fetch-wrong-end", "End {2, 0}").until(wire.Draft19).should(),
		dataFault("drop-object", "12 of 15 objects came, {0, 0}, {1, 0}, {2, 0}"),
		dataFault("corrupt-payload", "payload differs from byte 0"),
	},
	Run: runFetchGroup,
}

// runFetchGroup: a standalone FETCH of group 1 returns exactly its objects. The drafts define the End in FETCH_OK, but
// not with a MUST (draft-18 §10.13): the end of a whole group can be named in two ways, both are accepted, and any
// other End breaks a SHOULD.
func runFetchGroup(ctx context.Context, e *Env) error {
	p := e.History(ctx)
	s := e.Dial(ctx, "fetcher")
	step, cancel := e.Step(ctx)
	defer cancel()
	f, err := s.StartFetch(step, moqt.FetchRequest{
		TrackNamespace: p.Namespace, TrackName: p.Name, Parameters: e.Parameters(),
		Range: wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 1, EndGroup: 1},
	})
	s.Check(step, err, transport.LayerRequest, "FETCH to be sent")
	k := NewChecker(e.Groups(1, 1), Checks{})
	r := s.Read(ctx, "FETCH", k, f.Next)
	if err := f.Ready(step); err != nil {
		s.Refused(step, err, "FETCH_OK", p)
	}
	if end, ok := f.End(); ok {
		last, whole := wire.Location{Group: 1, Object: 4}, wire.Location{Group: 1, Object: groupEnd}
		expected := "FETCH_OK with End " + EndText(s.Draft(), last)
		if s.Draft() <= wire.Draft19 {
			expected += " or " + EndText(s.Draft(), whole)
		}
		e.Should(end == last || end == whole, transport.LayerRequest, expected,
			"FETCH_OK with End "+EndText(s.Draft(), end))
	}
	s.Gather(step, k, r)
	s.Finished(step, k, r)
	s.Exactly(step, k, 0, r)
	return nil
}

// fetchCase is a case of one FETCH.
func fetchCase(id, title string, faults []Fault, run func(ctx context.Context, e *Env) error,
	what ...rules.ID) Case {
	return topicCase(id, title, faults, run, what, "data", "fetch").among("publisher", "subscriber", "fetcher")
}

var fetchRange = fetchCase("fetch-range", "FETCH between two locations returns exactly what lies between",
	[]Fault{
		dataFault("fetch-missing-object", "8 of 9 objects came, {0, 4}"),
		dataFault("fetch-everything", "unexpected {0, 0}"),
		dataFault("fetch-extra-object", "unexpected {2, 2}"),
		requestFault("fetch-silent", "nothing for 5000 ms after FETCH"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.History(ctx)
		from, to := wire.Location{Group: 0, Object: 3}, wire.Location{Group: 2, Object: 1}
		e.Dial(ctx, "fetcher").FetchExactly(ctx, p, p.FetchOf(Between(from, to)), e.Groups(0, 2).Within(from, to),
			Checks{})
		return nil
	}, rules.Fetch)

var fetchObject = fetchCase("fetch-single-object", "FETCH of one object returns only that object",
	[]Fault{
		dataFault("fetch-everything", "unexpected {0, 0}"),
		dataFault("fetch-corrupt-payload", "payload differs from byte 0"),
		dataFault("fetch-extra-object", "unexpected {1, 3}"),
		dataFault("fetch-no-stream", "0 of 1 objects came, {1, 2}"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.History(ctx)
		at := wire.Location{Group: 1, Object: 2}
		e.Dial(ctx, "fetcher").FetchExactly(ctx, p, p.FetchOf(Between(at, at)), e.Groups(1, 1).Within(at, at),
			Checks{})
		return nil
	}, rules.Fetch)

var fetchAscending = fetchCase("fetch-ascending", "FETCH with Group Order Ascending returns ascending groups",
	[]Fault{
		dataFault("fetch-missing-object", "14 of 15 objects came, {0, 1}"),
		dataFault("fetch-reset", "RESET_STREAM"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.History(ctx)
		want := e.Groups(0, 2)
		q := p.FetchOf(WholeGroups(0, 2), UintParameter(wire.ParamGroupOrder, wire.Ascending))
		e.Dial(ctx, "fetcher").FetchExactly(ctx, p, q, want, Checks{}).WantOrder(e, want)
		return nil
	}, rules.FetchOrder, rules.Fetch)

var fetchDescending = fetchCase("fetch-descending", "FETCH with Group Order Descending returns descending groups",
	[]Fault{
		dataFault("fetch-wrong-order", "RESET_STREAM").from(wire.Draft18),
		dataFault("fetch-missing-object", "14 of 15 objects came, {2, 1}"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.History(ctx)
		want := Descending(e.Groups(0, 2))
		q := p.FetchOf(WholeGroups(0, 2), UintParameter(wire.ParamGroupOrder, wire.Descending))
		e.Dial(ctx, "fetcher").FetchExactly(ctx, p, q, want, Checks{}).WantOrder(e, want)
		return nil
	}, rules.FetchOrder, rules.Fetch)

var fetchOpenEnd = fetchCase("fetch-past-the-end",
	"FETCH past the Largest Object returns what there is, and FETCH_OK says where it ends",
	[]Fault{
		requestFault("fetch-wrong-end", "End {3, 4}").from(wire.Draft20).should(),
		requestFault("fetch-wrong-end", "End {3, 5}").until(wire.Draft19).should(),
		dataFault("fetch-missing-object", "9 of 10 objects came, {1, 1}"),
		dataFault("fetch-everything", "unexpected {0, 0}"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.History(ctx)
		s := e.Dial(ctx, "fetcher")
		got := s.FetchExactly(ctx, p, p.FetchOf(Between(wire.Location{Group: 1}, wire.Location{Group: 9, Object: 3})),
			e.Groups(1, 2), Checks{})
		end, _ := got.Fetch.End()
		want := wire.Location{Group: 2, Object: 4}
		// no MUST, as in the case fetch
		expected := "FETCH_OK with End " + EndText(s.Draft(), want) + ", which names the Largest Object"
		e.Should(end == want, transport.LayerRequest, expected,
			"FETCH_OK with End "+EndText(s.Draft(), end))
		return nil
	}, rules.Fetch, rules.FetchEnd)

var fetchBeyond = fetchCase("fetch-beyond-largest",
	"FETCH that starts after the Largest Object is refused with INVALID_RANGE",
	[]Fault{
		requestFault("invalid-range-wrong", `DOES_NOT_EXIST "fault"`),
		requestFault("fetch-error", "0x0 INTERNAL_ERROR"),
		requestFault("fetch-silent", "nothing for 5000 ms after FETCH"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.History(ctx)
		s := e.Dial(ctx, "fetcher")
		step, cancel := e.Step(ctx)
		defer cancel()
		f, err := s.Fetch(step, p.FetchOf(WholeGroups(7, 7)))
		s.WantRefusal(step, err, wire.KindFetch, wire.NameInvalidRange, fetchAccepted(s.Draft(), f))
		s.Healthy(ctx, transport.LayerRequest)
		return nil
	}, rules.FetchInvalidRange)

var fetchUnknown = Case{
	ID: "fetch-unknown-track", Title: "FETCH of a track that does not exist is refused",
	Rules: []rules.ID{rules.Fetch, rules.UnknownTrack},
	Level: Must, Suite: SuiteAll, Tags: []string{"fetch"}, Roles: []string{"fetcher"}, Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("fetch-error", "0x0 INTERNAL_ERROR"),
		requestFault("fetch-silent", "nothing for 5000 ms after FETCH"),
	},
	Run: func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "fetcher")
		step, cancel := e.Step(ctx)
		defer cancel()
		f, err := s.Fetch(step, moqt.FetchRequest{TrackNamespace: e.Namespace(), TrackName: e.TrackName(),
			Range: WholeGroups(0, 0), Parameters: e.Parameters()})
		s.WantUnknown(step, err, wire.KindFetch, fetchAccepted(s.Draft(), f)+" for a track that does not exist")
		s.Healthy(ctx, transport.LayerRequest)
		return nil
	},
}

var fetchEmpty = Case{
	ID: "fetch-empty-track", Title: "FETCH of a track without objects is refused with INVALID_RANGE",
	Rules: []rules.ID{rules.FetchInvalidRange}, First: wire.Draft18,
	Level: Must, Suite: SuiteAll, Tags: []string{"fetch"}, Roles: []string{"publisher", "subscriber", "fetcher"},
	Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("invalid-range-wrong", `REQUEST_ERROR 0x10 DOES_NOT_EXIST "fault"`),
		requestFault("fetch-error", `REQUEST_ERROR 0x0 INTERNAL_ERROR "fault"`),
	},
	Run: func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		e.Follow(ctx, "subscriber", p, nil, Checks{})
		s := e.Dial(ctx, "fetcher")
		step, cancel := e.Step(ctx)
		defer cancel()
		f, err := s.Fetch(step, p.FetchOf(WholeGroups(0, 0)))
		s.WantRefusal(step, err, wire.KindFetch, wire.NameInvalidRange, fetchAccepted(s.Draft(), f))
		return nil
	},
}

var fetchUpstream = Case{
	ID: "fetch-upstream", Title: "FETCH of a track without a subscriber is answered from its publisher",
	Rules: []rules.ID{rules.FetchUpstream, rules.Fetch},
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "fetch"}, Roles: []string{"publisher", "fetcher"},
	Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("fetch-cache-only", "0x10 DOES_NOT_EXIST").from(wire.Draft20),
		dataFault("fetch-missing-object", "4 of 5 objects came, {1, 1}"),
		dataFault("fetch-no-stream", "0 of 5 objects came, {1, 0}"),
		requestFault("fetch-silent", "nothing for 5000 ms after FETCH"),
	},
	Run: func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		p.Publish(ctx, e.Groups(0, 2), 0)
		s := e.Dial(ctx, "fetcher")
		step, cancel := e.Step(ctx)
		defer cancel()
		f, err := s.Fetch(step, p.FetchOf(WholeGroups(1, 1)))
		s.SkipUnsupported(err)
		var refused *moqt.RequestError
		// Up to 19 a relay may ask a publisher, and need not (draft-18 §9.5).
		if errors.As(err, &refused) && refused.Code != 0 && s.Draft() <= wire.Draft19 {
			s.MayRefuse(err, "FETCH of what the relay does not hold", rules.FetchUpstream)
		}
		if err != nil {
			panic(s.unanswered(step, err, "FETCH_OK, since a relay must ask a publisher for what it does not hold", p))
		}
		f.Cancel()
		s.FetchExactly(ctx, p, p.FetchOf(WholeGroups(1, 1)), e.Groups(1, 1), Checks{})
		return nil
	},
}

var fetchCancel = fetchCase("fetch-cancel", "After a cancelled FETCH the session lives on, and the next FETCH is whole",
	[]Fault{
		requestFault("fetch-cancel-closes-session", "connection closed by the peer with 0x3 PROTOCOL_VIOLATION"),
		dataFault("fetch-missing-object", "objects came, {1, 1}"),
		dataFault("fetch-no-stream", "nothing for 5000 ms after FETCH"),
	},
	func(ctx context.Context, e *Env) error {
		// More than a session buffers unread, so that the FETCH is not over when it is cancelled.
		l := NewLayout(Span(0, 1), Span(0, 9),
			LayoutOptions{Payload: func(g, o uint64) []byte { return Filled(300_000, g, o) }})
		p := e.Announced(ctx)
		a := e.Follow(ctx, "subscriber", p, l, Checks{})
		p.WaitForward(ctx)
		e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, 0) })
		a.WaitAll(ctx)
		s := e.Dial(ctx, "fetcher")
		step, cancel := e.Step(ctx)
		defer cancel()
		f, err := s.StartFetch(step, p.FetchOf(WholeGroups(0, 0)))
		s.Check(step, err, transport.LayerRequest, "FETCH to be sent")
		if err := f.Ready(step); err != nil {
			s.Refused(step, err, "FETCH_OK", p)
		}
		_, err = f.Next(step)
		s.Check(step, err, transport.LayerData, "the first object of the range")
		f.Cancel()
		s.Healthy(step, transport.LayerRequest)
		want := l.Within(wire.Location{Group: 1}, wire.Location{Group: 1, Object: 1})
		s.FetchExactly(ctx, p, p.FetchOf(Between(want[0].Location(), want[1].Location())), want, Checks{})
		return nil
	}, rules.FetchCancel, rules.Fetch)
