package cases

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// FETCH in all its forms, of a track whose groups 0 to 2 have 5 objects each and are live.

// fetchOf asks for a range of a track.
func fetchOf(p *publisher, f wire.LocationFilter, more ...wire.Parameter) moqt.FetchRequest {
	return moqt.FetchRequest{TrackNamespace: p.ns, TrackName: p.name, Range: f,
		Parameters: with(p.s.e.Parameters(), more...)}
}

// between is the range from one object to another, inclusive; wholeGroups the groups from first to last.
func between(start, end wire.Location) wire.LocationFilter {
	return wire.LocationFilter{Form: wire.FilterRange, StartGroup: start.Group, StartObject: start.Object,
		EndGroup: end.Group, EndObject: end.Object}
}

func wholeGroups(first, last uint64) wire.LocationFilter {
	return wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: first, EndGroup: last}
}

// fetched is an answered FETCH whose stream has come to its end.
type fetched struct {
	f *moqt.Fetch
	// order is where the objects stood, in the order of the stream.
	order []wire.Location
}

// fetchExactly sends a FETCH and requires exactly these objects, then FIN.
func (s *Session) fetchExactly(ctx context.Context, p *publisher, q moqt.FetchRequest, want layout, c checks) *fetched {
	step, cancel := s.e.Step(ctx)
	defer cancel()
	f, err := s.StartFetch(step, q)
	s.Check(step, err, transport.LayerRequest, "FETCH to be sent")
	got := &fetched{f: f}
	k := newChecker(want, c)
	r := s.read(ctx, "FETCH", k, func(ctx context.Context) (*moqt.Object, error) {
		o, err := f.Next(ctx)
		if err == nil && o.Range == wire.NoRange {
			got.order = append(got.order, o.Location()) // nobody looks before the reader has ended
		}
		return o, err
	})
	if err := f.Ready(step); err != nil {
		s.refused(step, err, "FETCH_OK", p)
	}
	s.gather(step, k, r)
	s.finished(step, k, r)
	s.exact(step, k, 0, r)
	return got
}

// wantOrder ends the case unless the objects stood on the stream as planned: groups in the order asked for, objects
// ascending in each (draft-18 §10.12.3).
func (f *fetched) wantOrder(e *Env, want layout) {
	for i, x := range want {
		if f.order[i] != x.location() {
			e.Fail(transport.LayerData, fmt.Sprintf("%s as object %d of the stream", x.location(), i+1),
				fmt.Sprintf("%s (order: %s)", f.order[i], locations(f.order)))
		}
	}
}

// descending is a layout with its groups turned round.
func descending(l layout) layout {
	l = slices.Clone(l)
	slices.SortStableFunc(l, func(a, b item) int {
		x, y := a.location(), b.location()
		if x.Group != y.Group {
			x, y = y, x
		}
		return x.Compare(y)
	})
	return l
}

// fetchCase is a case of one FETCH.
func fetchCase(id, title string, faults []string, run func(ctx context.Context, e *Env) error,
	more ...wire.Topic) Case {
	return Case{
		ID: id, Title: title, Topics: append([]wire.Topic{wire.TopicFetch, wire.TopicFetchOK, wire.TopicFetchHeader},
			more...),
		Level: Must, Suite: SuiteAll, Tags: []string{"data", "fetch"}, Roles: []string{"publisher", "subscriber",
			"fetcher"}, Timeout: caseLimit,
		Faults: faults, Run: run,
	}
}

var fetchRange = fetchCase("fetch-range", "FETCH from within one group to within another returns exactly what lies "+
	"between",
	[]string{"fetch-missing-object", "fetch-everything", "fetch-extra-object", "fetch-silent"},
	func(ctx context.Context, e *Env) error {
		p := history(ctx, e)
		from, to := wire.Location{Group: 0, Object: 3}, wire.Location{Group: 2, Object: 1}
		e.Dial(ctx, "fetcher").fetchExactly(ctx, p, fetchOf(p, between(from, to)), pastGroups(e, 0, 2).within(from, to),
			checks{})
		return nil
	})

var fetchObject = fetchCase("fetch-single-object", "FETCH of one object returns it and nothing else",
	[]string{"fetch-everything", "fetch-corrupt-payload", "fetch-extra-object", "fetch-no-stream"},
	func(ctx context.Context, e *Env) error {
		p := history(ctx, e)
		at := wire.Location{Group: 1, Object: 2}
		e.Dial(ctx, "fetcher").fetchExactly(ctx, p, fetchOf(p, between(at, at)), pastGroups(e, 1, 1).within(at, at),
			checks{})
		return nil
	})

var fetchAscending = fetchCase("fetch-ascending", "FETCH with Group Order Ascending returns groups in ascending order",
	[]string{"fetch-missing-object", "fetch-reset"},
	func(ctx context.Context, e *Env) error {
		p := history(ctx, e)
		want := pastGroups(e, 0, 2)
		q := fetchOf(p, wholeGroups(0, 2), parameter(wire.ParamGroupOrder, wire.Ascending))
		e.Dial(ctx, "fetcher").fetchExactly(ctx, p, q, want, checks{}).wantOrder(e, want)
		return nil
	})

var fetchDescending = fetchCase("fetch-descending", "FETCH with Group Order Descending returns groups in descending "+
	"order, each in ascending order of objects",
	[]string{"fetch-wrong-order", "fetch-missing-object"},
	func(ctx context.Context, e *Env) error {
		p := history(ctx, e)
		want := descending(pastGroups(e, 0, 2))
		q := fetchOf(p, wholeGroups(0, 2), parameter(wire.ParamGroupOrder, wire.Descending))
		e.Dial(ctx, "fetcher").fetchExactly(ctx, p, q, want, checks{}).wantOrder(e, want)
		return nil
	})

var fetchOpenEnd = fetchCase("fetch-past-the-end", "FETCH of more than there is returns what there is, and FETCH_OK "+
	"says where it ends",
	[]string{"fetch-wrong-end", "fetch-missing-object", "fetch-everything"},
	func(ctx context.Context, e *Env) error {
		p := history(ctx, e)
		s := e.Dial(ctx, "fetcher")
		got := s.fetchExactly(ctx, p, fetchOf(p, between(wire.Location{Group: 1}, wire.Location{Group: 9, Object: 3})),
			pastGroups(e, 1, 2), checks{})
		end, _ := got.f.End()
		want := wire.Location{Group: 2, Object: 4}
		// as in fetch: no MUST
		e.Should(end == want, transport.LayerRequest, fmt.Sprintf("FETCH_OK with End %s, the Largest Object", want),
			"FETCH_OK with End "+endText(end))
		return nil
	})

var fetchBeyond = fetchCase("fetch-beyond-largest", "FETCH that starts behind the Largest Object is refused with "+
	"INVALID_RANGE",
	[]string{"invalid-range-wrong", "fetch-error", "fetch-silent"},
	func(ctx context.Context, e *Env) error {
		p := history(ctx, e)
		s := e.Dial(ctx, "fetcher")
		step, cancel := e.Step(ctx)
		defer cancel()
		f, err := s.Fetch(step, fetchOf(p, wholeGroups(7, 7)))
		s.wantRefusal(step, err, wire.KindFetch, wire.NameInvalidRange, fetchAccepted(f))
		s.Healthy(ctx, transport.LayerRequest)
		return nil
	}, wire.TopicRequestError)

// fetchAccepted says that a FETCH was accepted that should not have been.
func fetchAccepted(f *moqt.Fetch) string {
	if f == nil {
		return ""
	}
	end, _ := f.End()
	return "FETCH_OK with End " + endText(end)
}

var fetchUnknown = Case{
	ID: "fetch-unknown-track", Title: "FETCH of a track that does not exist is refused",
	Topics: []wire.Topic{wire.TopicFetch, wire.TopicRequestError},
	Level:  Must, Suite: SuiteAll, Tags: []string{"fetch"}, Roles: []string{"fetcher"}, Timeout: caseLimit,
	Faults: []string{"fetch-error", "fetch-silent"},
	Run: func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "fetcher")
		step, cancel := e.Step(ctx)
		defer cancel()
		f, err := s.Fetch(step, moqt.FetchRequest{TrackNamespace: e.Namespace(), TrackName: e.TrackName(),
			Range: wholeGroups(0, 0), Parameters: e.Parameters()})
		s.wantUnknown(step, err, wire.KindFetch, fetchAccepted(f)+" for a track that does not exist")
		s.Healthy(ctx, transport.LayerRequest)
		return nil
	},
}

var fetchEmpty = Case{
	ID: "fetch-empty-track", Title: "FETCH of a track without objects is refused with INVALID_RANGE",
	Topics: []wire.Topic{wire.TopicFetch, wire.TopicRequestError}, First: wire.Draft18,
	Level: Must, Suite: SuiteAll, Tags: []string{"fetch"}, Roles: []string{"publisher", "subscriber", "fetcher"},
	Timeout: caseLimit,
	Faults:  []string{"invalid-range-wrong", "fetch-error"},
	Run: func(ctx context.Context, e *Env) error {
		p := announced(ctx, e)
		attend(ctx, "subscriber", p, nil, checks{})
		s := e.Dial(ctx, "fetcher")
		step, cancel := e.Step(ctx)
		defer cancel()
		f, err := s.Fetch(step, fetchOf(p, wholeGroups(0, 0)))
		s.wantRefusal(step, err, wire.KindFetch, wire.NameInvalidRange, fetchAccepted(f))
		return nil
	},
}

var fetchUpstream = Case{
	ID: "fetch-upstream", Title: "FETCH of a track that nobody subscribes to is answered from its publisher",
	Topics: []wire.Topic{wire.TopicFetch, wire.TopicFetchOK, wire.TopicNamespaceDiscovery},
	Level:  Must, Suite: SuiteAll, Tags: []string{"data", "fetch"}, Roles: []string{"publisher", "fetcher"},
	Timeout: caseLimit,
	Faults:  []string{"fetch-missing-object", "fetch-no-stream", "fetch-silent"},
	Run: func(ctx context.Context, e *Env) error {
		p := announced(ctx, e)
		p.publish(ctx, pastGroups(e, 0, 2), 0)
		s := e.Dial(ctx, "fetcher")
		step, cancel := e.Step(ctx)
		defer cancel()
		f, err := s.Fetch(step, fetchOf(p, wholeGroups(1, 1)))
		var refused *moqt.RequestError
		// it need not look for what it does not hold (draft-18 §9.5)
		if errors.As(err, &refused) && refused.Code != 0 && !s.unsupported(err) {
			e.Should(false, transport.LayerRequest, "FETCH_OK", s.unanswered(step, err, "FETCH_OK", p).received)
			return nil
		}
		if err == nil {
			f.Cancel()
		}
		s.fetchExactly(ctx, p, fetchOf(p, wholeGroups(1, 1)), pastGroups(e, 1, 1), checks{})
		return nil
	},
}

var fetchCancel = fetchCase("fetch-cancel", "a FETCH is cancelled after its first object; the session lives on, and "+
	"the next FETCH is whole",
	[]string{"fetch-cancel-closes-session", "fetch-missing-object", "fetch-no-stream"},
	func(ctx context.Context, e *Env) error {
		// More than a session takes in unread, so that the FETCH cannot be over when it is cancelled.
		l := newLayout(span(0, 1), span(0, 9),
			layoutOptions{payload: func(g, o uint64) []byte { return filled(300_000, g, o) }})
		p := announced(ctx, e)
		a := attend(ctx, "subscriber", p, l, checks{})
		p.waitForward(ctx)
		e.Go(ctx, func(ctx context.Context) { p.publish(ctx, l, 0) })
		a.served(ctx)
		s := e.Dial(ctx, "fetcher")
		step, cancel := e.Step(ctx)
		defer cancel()
		f, err := s.StartFetch(step, fetchOf(p, wholeGroups(0, 0)))
		s.Check(step, err, transport.LayerRequest, "FETCH to be sent")
		if err := f.Ready(step); err != nil {
			s.refused(step, err, "FETCH_OK", p)
		}
		_, err = f.Next(step)
		s.Check(step, err, transport.LayerData, "the first object of the range")
		f.Cancel()
		s.Healthy(step, transport.LayerRequest)
		want := l.within(wire.Location{Group: 1}, wire.Location{Group: 1, Object: 1})
		s.fetchExactly(ctx, p, fetchOf(p, between(want[0].location(), want[1].location())), want, checks{})
		return nil
	})
