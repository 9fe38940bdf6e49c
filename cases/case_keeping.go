package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// What a relay keeps, and what it asks its publishers for. No draft demands a cache: a relay without one asks for
// everything.

var fetchMixed = fetchCase("fetch-mixed",
	"A FETCH of what the relay has followed, and of what lies before that, returns both",
	[]Fault{
		dataFault("fetch-gap-skipped", "10 of 20 objects came, {1, 0}"),
		dataFault("fetch-missing-object", "19 of 20 objects came, {1, 1}"),
	}, runFetchMixed, rules.Fetch, rules.FetchUpstream, rules.FetchPause)

// runFetchMixed: the publisher has groups 0 to 2 when the relay subscribes, then publishes 3 and 4. Up to 19 a relay
// may ask a publisher for what it lacks, and need not (draft-18 §9.5); then it refuses, or says what is unknown.
func runFetchMixed(ctx context.Context, e *Env) error {
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
	q := p.FetchOf(WholeGroups(1, 4))
	if s.Draft() <= wire.Draft19 {
		f, err := s.Fetch(step, q)
		s.SkipUnsupported(err)
		s.MayRefuse(err, "FETCH of what the relay does not hold", rules.FetchUpstream)
		if err == nil {
			f.Cancel()
		}
	}
	s.FetchExactly(ctx, p, q, e.Groups(1, 4), Checks{})
	return nil
}

// fetchOrRefusal sends FETCH and waits for its answer. A refusal is noted as why, and gives nil.
func (s *Session) fetchOrRefusal(step context.Context, q moqt.FetchRequest, why string) *moqt.Fetch {
	f, err := s.StartFetch(step, q)
	s.Check(step, err, transport.LayerRequest, "FETCH to be sent")
	if err := f.Ready(step); err != nil {
		s.SkipUnsupported(err)
		s.answered(step, err, "FETCH_OK or a request error")
		s.e.Annotate("%s: %v", why, err)
		return nil
	}
	return f
}

// fetchesAsked is how many FETCHes have come to the publisher.
func (p *Publisher) fetchesAsked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked["FETCH"]
}

var fetchFails = fetchCase("fetch-upstream-fails",
	"A FETCH whose publisher fails in the middle does not end as if it were whole",
	[]Fault{
		dataFault("fetch-failure-hidden", "FIN"),
		requestFault("fetch-silent", "nothing for 5000 ms after FETCH"),
	}, runFetchFails, rules.Fetch).among("publisher", "fetcher")

// runFetchFails: the publisher resets every fetch stream behind its first object. The relay refuses the FETCH, resets
// its stream too, says which objects are unknown (16 and later), or asks until its own time is over.
func runFetchFails(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	p.Publish(ctx, e.Groups(0, 2), 0)
	p.failing = true
	s := e.Dial(ctx, "fetcher")
	step, cancel := e.Step(ctx)
	defer cancel()
	f := s.fetchOrRefusal(step, p.FetchOf(WholeGroups(1, 1)), "FETCH was refused, since the publisher fails")
	if f == nil {
		return nil
	}
	came, unknown := map[wire.Location]bool{}, false
	for {
		o, err := f.Next(step)
		switch {
		case err == nil && o.Range == wire.NoRange:
			came[o.Location()] = true
			continue
		case err == nil:
			unknown = unknown || o.Range != wire.NonExistentRange
			continue
		case errors.Is(err, io.EOF) && len(came) < 5 && !unknown:
			e.Fail(transport.LayerData, "a reset, or the objects that did not come named as unknown",
				fmt.Sprintf("%d of 5 objects and FIN", len(came)))
		case errors.Is(err, io.EOF):
			e.Annotate("%d of 5 objects, the others named as unknown: %t", len(came), unknown)
		case step.Err() != nil:
			e.Annotate("%d of 5 objects; the stream is still open", len(came))
		default:
			e.Annotate("%d of 5 objects; then %v", len(came), err)
		}
		return nil
	}
}

var fetchGone = fetchCase("fetch-after-publisher",
	"A FETCH of a track whose publisher is gone is answered, from the cache or with an error",
	[]Fault{
		requestFault("fetch-silent", "nothing for 5000 ms after FETCH"),
		dataFault("fetch-missing-object", "4 of 5 objects came, {1, 1}"),
	}, runFetchGone, rules.Fetch)

// runFetchGone: what a relay has kept it may give; no text says for how long.
func runFetchGone(ctx context.Context, e *Env) error {
	p := e.History(ctx)
	p.Session.Leave()
	s := e.Dial(ctx, "fetcher")
	s.Healthy(ctx, transport.LayerRequest) // the relay knows of it
	step, cancel := e.Step(ctx)
	defer cancel()
	f := s.fetchOrRefusal(step, p.FetchOf(WholeGroups(1, 1)), "the track has ended with its publisher")
	if f == nil {
		return nil
	}
	l := e.Groups(1, 1)
	k := NewChecker(l, Checks{})
	unknown := false
	r := s.Read(ctx, "FETCH", k, func(ctx context.Context) (*moqt.Object, error) {
		o, err := f.Next(ctx)
		unknown = unknown || err == nil && o.Range != wire.NoRange && o.Range != wire.NonExistentRange
		return o, err
	})
	select {
	case <-r.ended:
	case <-step.Done():
		s.Late(step, l.String()+", or an error", k.Problem(), k)
	}
	switch {
	case errors.Is(r.err, io.EOF) && !k.Complete() && !unknown:
		e.Fail(transport.LayerData, l.String()+", a reset, or the others named as unknown", k.Problem()+" and FIN")
	case !errors.Is(r.err, io.EOF):
		e.Annotate("%s; then %v", k.Count(), r.err)
	default:
		e.Annotate("%s", k.Count())
	}
	if what := k.Unexpected(); what != "" {
		e.Fail(transport.LayerData, l.String(), what)
	}
	return nil
}

// cacheAge is the MAX_CACHE_DURATION of a track whose objects get older.
const cacheAge = 200 * time.Millisecond

var cacheDuration = Case{
	ID: "cache-duration", Title: "Objects older than MAX_CACHE_DURATION are not taken from the cache",
	Rules: []rules.ID{rules.MaxCacheDuration},
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "fetch", "cache"},
	Roles: []string{"publisher", "subscriber", "fetcher"}, Timeout: CaseLimit,
	Faults: []Fault{
		dataFault("cache-duration-ignored", "5 of 5 objects, and no FETCH at the publisher"),
		requestFault("fetch-silent", "nothing for 5000 ms after FETCH"),
	},
	Run: runCacheDuration,
}

// runCacheDuration: a relay must not begin to forward an object that is older (draft-18 §12.3). It may ask the
// publisher again, who still has it.
func runCacheDuration(ctx context.Context, e *Env) error {
	p := e.Announced(ctx, wire.Property{Type: wire.PropMaxCacheDuration, Uint: uint64(cacheAge.Milliseconds())})
	l := e.Groups(0, 1)
	a := e.Follow(ctx, "subscriber", p, l, Checks{})
	p.WaitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
	a.WaitAll(ctx)
	s := e.Dial(ctx, "fetcher")
	e.Sleep(ctx, 2*cacheAge)
	step, cancel := e.Step(ctx)
	defer cancel()
	f := s.fetchOrRefusal(step, p.FetchOf(WholeGroups(0, 0)), "FETCH was refused")
	if f == nil {
		return nil
	}
	n := 0
	for {
		o, err := f.Next(step)
		if err != nil {
			if step.Err() != nil {
				s.Check(step, err, transport.LayerData, "the end of the FETCH")
			}
			break
		}
		if o.Range == wire.NoRange {
			n++
		}
	}
	asked := p.fetchesAsked()
	if n > 0 && asked == 0 {
		e.Fail(transport.LayerData, fmt.Sprintf("no object from the cache that is older than MAX_CACHE_DURATION, "+
			"%d ms", cacheAge.Milliseconds()), fmt.Sprintf("%d of 5 objects, and no FETCH at the publisher", n))
	}
	e.Note("%d of 5 objects; %d FETCH at the publisher", n, asked)
	return nil
}

var newGroup = Case{
	ID: "new-group-request", Title: "A NEW_GROUP_REQUEST is passed on",
	Rules: []rules.ID{rules.NewGroupUpdate, rules.DynamicGroupsKept}, First: wire.Draft15,
	Level: Must, Suite: SuiteAll, Tags: []string{"subscribe", "update"},
	Roles: []string{"publisher", "subscriber-1", "subscriber-2"}, Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("new-group-lost", "(the publisher has seen SUBSCRIBE)"),
		requestFault("update-silent", "nothing for 5000 ms after "),
	},
	Run: runNewGroup,
}

// runNewGroup: two subscribers ask for a group behind the current one. The relay must pass the first on. The second it
// may leave out while the first is outstanding (draft-18 §10.2.13); that is recorded.
func runNewGroup(ctx context.Context, e *Env) error {
	p := e.Announced(ctx, wire.Property{Type: wire.PropDynamicGroups, Uint: 1})
	l := e.Groups(0, 0)
	both := []*Subscriber{e.Follow(ctx, "subscriber-1", p, l, Checks{}), e.Follow(ctx, "subscriber-2", p, l, Checks{})}
	p.WaitForward(ctx)
	if ok := both[0].Subscription.OK(); both[0].Draft() == wire.Draft15 && ok.Parameters.UintOr(wire.ParamDynamicGroups,
		0) != 1 {
		e.Fail(transport.LayerRequest, "SUBSCRIBE_OK with DYNAMIC_GROUPS 1, as the publisher said it",
			"SUBSCRIBE_OK without DYNAMIC_GROUPS")
	}
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
	for _, a := range both {
		a.WaitAll(ctx)
		a.Update(ctx, UintParameter(wire.ParamNewGroupRequest, 1))
	}
	step, cancel := e.Step(ctx)
	defer cancel()
	const expected = "NEW_GROUP_REQUEST 1 at the publisher"
	if err := p.wait(step, func() bool { return slices.Contains(p.newGroups, 1) }); err != nil {
		panic(p.Session.unanswered(step, err, expected, p))
	}
	e.Silence(ctx, LateTime)
	p.mu.Lock()
	defer p.mu.Unlock()
	e.Note("NEW_GROUP_REQUEST came %d times for two subscribers", len(p.newGroups))
	return nil
}

var mandatoryPublish = Case{
	ID: "mandatory-property-publish", Title: "A PUBLISH with an unknown Mandatory Track Property is refused",
	Rules: []rules.ID{rules.MandatoryPublish, rules.MandatoryNotForwarded}, First: wire.Draft18,
	Level: Must, Suite: SuiteAll, Tags: []string{"properties", "publish"}, Roles: []string{"publisher"},
	Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("mandatory-property-ignored", "for a track with the mandatory property 0x6a5c"),
		requestFault("publish-silent", "nothing for 5000 ms after PUBLISH"),
	},
	Run: func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "publisher")
		step, cancel := e.Step(ctx)
		defer cancel()
		pub, err := s.StartPublish(step, &wire.Publish{TrackNamespace: e.Namespace(), TrackName: e.TrackName(),
			Parameters: e.Parameters(), Properties: wire.Properties{{Type: propMandatory, Uint: 1}}})
		s.Check(step, err, transport.LayerRequest, "PUBLISH to be sent")
		s.WantRefusal(step, pub.Ready(step), wire.KindPublish, wire.NameUnsupportedExtension,
			fmt.Sprintf("%s for a track with the mandatory property 0x%x", s.OKName(wire.KindPublish), propMandatory))
		s.Healthy(ctx, transport.LayerRequest)
		return nil
	},
}

var mandatoryFetch = Case{
	ID: "mandatory-property-fetch", Title: "A FETCH of a track with an unknown Mandatory Track Property is refused",
	Rules: []rules.ID{rules.MandatoryFetchOK, rules.MandatoryNotForwarded}, First: wire.Draft18,
	Level: Must, Suite: SuiteAll, Tags: []string{"properties", "fetch"}, Roles: []string{"publisher", "fetcher"},
	Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("mandatory-property-ignored", "FETCH_OK for a track with the mandatory property 0x6a5c"),
		requestFault("fetch-silent", "nothing for 5000 ms after FETCH"),
	},
	Run: runMandatoryFetch,
}

// runMandatoryFetch: the relay learns of the property from its publisher's FETCH_OK, cancels, and refuses (draft-18
// §2.5.1). Up to 19 it may refuse as one that holds nothing (§9.5).
func runMandatoryFetch(ctx context.Context, e *Env) error {
	p := e.Announced(ctx, wire.Property{Type: propMandatory, Uint: 1})
	p.Publish(ctx, e.Groups(0, 1), 0)
	s := e.Dial(ctx, "fetcher")
	step, cancel := e.Step(ctx)
	defer cancel()
	_, err := s.Fetch(step, p.FetchOf(WholeGroups(0, 0)))
	asked := p.fetchesAsked()
	if asked == 0 && s.Draft() <= wire.Draft19 {
		s.MayRefuse(err, "FETCH of what the relay does not hold", rules.FetchUpstream)
	}
	s.WantRefusal(step, err, wire.KindFetch, wire.NameUnsupportedExtension,
		fmt.Sprintf("FETCH_OK for a track with the mandatory property 0x%x", propMandatory))
	s.Healthy(ctx, transport.LayerRequest)
	return nil
}

var malformedTrack = Case{
	ID:    "malformed-track",
	Title: "A track on which an object comes again with other contents ends with MALFORMED_TRACK, if the relay sees it",
	Rules: []rules.ID{rules.MalformedTrack, rules.MalformedDuplicate},
	Level: Must, Suite: SuiteAll, Tags: []string{"data"}, Roles: []string{"publisher", "subscriber"},
	Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("malformed-code-wrong", "PUBLISH_DONE with 0x0 INTERNAL_ERROR"),
		requestFault("malformed-closes", "with 0x3 PROTOCOL_VIOLATION"),
		dataFault("drop-object", "4 of 5 objects came, {0, 0}"),
	},
	Run: runMalformedTrack,
}

// runMalformedTrack: only a relay that keeps objects can notice. One that does must end the subscriptions with
// MALFORMED_TRACK (draft-18 §2.4.2).
func runMalformedTrack(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	l := e.Groups(0, 0)
	a := e.Follow(ctx, "subscriber", p, l, Checks{May: func(wire.Location) bool { return true }})
	p.WaitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
	a.WaitAll(ctx)
	other := NewLayout(Span(0, 0), Span(0, 4), LayoutOptions{Payload: func(g, o uint64) []byte {
		return append([]byte("other "), e.NamedPayload(g, o)...)
	}})
	p.Publish(ctx, other, ObjectPace)
	quiet, cancel := context.WithTimeout(ctx, e.settled(2*LateTime))
	defer cancel()
	done, err := a.Subscription.Done(quiet)
	p.Session.Healthy(ctx, transport.LayerRequest)
	if err != nil {
		e.Annotate("the relay has not seen it, or says nothing of it")
		a.Healthy(ctx, transport.LayerData)
		return nil
	}
	code := wire.PublishDoneCode(done.StatusCode)
	if name, _ := code.Meaning(a.Draft()); name != wire.NameMalformedTrack {
		e.Fail(transport.LayerRequest, "PUBLISH_DONE with MALFORMED_TRACK", "PUBLISH_DONE with "+code.In(a.Draft()))
	}
	e.Annotate("PUBLISH_DONE with %s", code.In(a.Draft()))
	return nil
}

var defaultPriority = Case{
	ID: "default-priority", Title: "Subgroups without a priority keep the track's DEFAULT_PUBLISHER_PRIORITY",
	Rules: []rules.ID{rules.ObjectFields, rules.TrackProperties, rules.PropertiesKnown}, First: wire.Draft16,
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "properties"}, Roles: []string{"publisher", "subscriber"},
	Timeout: CaseLimit,
	Faults: []Fault{
		dataFault("default-priority-lost", "priority 128 instead of 77"),
		dataFault("drop-object", "8 of 10 objects came, {0, 0}"),
	},
	Run: func(ctx context.Context, e *Env) error {
		const priority = 77
		p := e.Announced(ctx, wire.Property{Type: wire.PropDefaultPublisherPriority, Uint: priority})
		p.Unsaid = true
		l := NewLayout(Span(0, 1), Span(0, 4), LayoutOptions{Payload: e.NamedPayload,
			Priority: func(uint64) uint8 { return priority }})
		a := e.Follow(ctx, "subscriber", p, l, Checks{Priority: true})
		p.WaitForward(ctx)
		p.Deliver(ctx, l, ObjectPace, a)
		return nil
	},
}
