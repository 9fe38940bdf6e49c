package cases

import (
	"context"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var joinCurrent = Case{
	ID: "join", Title: "Joining at the current group gives each object once, with none missing",
	Rules: []rules.ID{rules.Join},
	Level: Must, Suite: SuiteStandard, Tags: []string{"data", "fetch", "join"},
	Roles: []string{"publisher", "subscriber", "joiner"}, Timeout: CaseLimit,
	Faults: []Fault{
		dataFault("join-hole", "14 of 15 objects came, {2, 4}"),
		dataFault("join-duplicate", "15 of 15 objects came; more than once {2, 4}"),
		dataFault("join-silent", "10 of 15 objects came, {2, 0}").from(wire.Draft20),
		requestFault("join-silent", "none for 5000 ms after FETCH").until(wire.Draft19),
		dataFault("fetch-error", "RESET_STREAM").from(wire.Draft20),
		requestFault("fetch-error", "0x0 INTERNAL_ERROR").until(wire.Draft19),
		dataFault("fetch-corrupt-payload", "payload differs from byte 0"),
	},
	Run: func(ctx context.Context, e *Env) error { return join(ctx, e, 0) },
}

var joinOneBack = Case{
	ID: "join-one-back", Title: "Joining one group back gives each object once, with none missing",
	Rules: []rules.ID{rules.Join},
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "fetch", "join"}, Roles: []string{"publisher", "subscriber",
		"joiner"}, Timeout: CaseLimit,
	Faults: []Fault{
		dataFault("join-hole", "19 of 20 objects came, {2, 4}"),
		dataFault("join-duplicate", "20 of 20 objects came; more than once {2, 4}"),
		dataFault("join-silent", "10 of 20 objects came, {1, 0}").from(wire.Draft20),
		requestFault("join-silent", "none for 5000 ms after FETCH").until(wire.Draft19),
		dataFault("fetch-reset", "RESET_STREAM"),
	},
	Run: func(ctx context.Context, e *Env) error { return join(ctx, e, 1) },
}

// join: SUBSCRIBE at the live edge, and the past from the start of a group with a joining FETCH (14-19) or a fill (20
// and later). Groups 3 and 4 follow live meanwhile. Each object of the range comes once, and none is missing between
// past and live.
func join(ctx context.Context, e *Env, back uint64) error {
	p := e.History(ctx)
	s := e.Dial(ctx, "joiner")
	step, cancel := e.Step(ctx)
	defer cancel()
	q := track.JoinRequest{TrackNamespace: p.Namespace, TrackName: p.Name, GroupsBack: back, Parameters: e.Parameters()}
	what := "fill"
	if s.Draft() <= wire.Draft19 {
		what = "joining FETCH"
		q.PastParameters = e.Parameters() // those of a fill have no place for a token
	}
	j, err := track.StartJoin(step, s.Session, q)
	s.Check(step, err, transport.LayerRequest, "SUBSCRIBE to be sent")
	answered := make(chan error, 1)
	e.Go(step, func(ctx context.Context) { answered <- j.Ready(ctx) })
	if err := j.Live.Ready(step); err != nil {
		s.Refused(step, err, "SUBSCRIBE_OK at the joiner", p)
	}
	if largest, ok := j.Live.Largest(); ok {
		e.Note("joined at Largest Object %s", largest)
	} else {
		e.Note("joined without a Largest Object")
	}

	live := e.Groups(3, 4)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, live, ObjectPace) })
	k := NewChecker(append(e.Groups(2-back, 2), live...), Checks{})
	now := s.Read(ctx, "SUBSCRIBE", k, j.Live.Next)
	if err := <-answered; err != nil {
		s.Refused(step, err, "FETCH_OK for the "+what, p)
	}
	past := s.Read(ctx, what, k, j.Past.Next)
	step, cancel = e.Step(ctx)
	defer cancel()
	s.Gather(step, k, past, now)
	s.Finished(step, k, past)
	p.End()
	s.Exactly(step, k, LateTime, now)
	return nil
}

// More forms of joining a track, and what a relay must refuse.

// joinCase is a case of joining.
func joinCase(id, title string, last wire.Draft, roles []string, faults []Fault,
	run func(ctx context.Context, e *Env) error, what ...rules.ID) Case {
	return topicCase(id, title, faults, run, what, "data", "fetch", "join").until(last).among(roles...)
}

var joinRoles = []string{"publisher", "subscriber", "joiner"}

var joinAbsolute = joinCase("join-absolute",
	"Joining at a numbered group gives each object once, with none missing", 0, joinRoles,
	[]Fault{
		dataFault("join-hole", "19 of 20 objects came, {2, 4}"),
		dataFault("join-duplicate", "more than once {2, 4}"),
		dataFault("join-silent", "10 of 20 objects came, {1, 0}").from(wire.Draft20),
		requestFault("join-silent", "none for 5000 ms after FETCH").until(wire.Draft19),
		dataFault("fetch-corrupt-payload", "payload differs from byte 0"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.History(ctx)
		j := e.Dial(ctx, "joiner").JoinTrack(ctx, p, track.JoinRequest{Start: &wire.Location{Group: 1}})
		live := e.Groups(3, 4)
		e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, live, ObjectPace) })
		j.WantExactly(ctx, p, append(e.Groups(1, 2), live...))
		return nil
	}, rules.Join)

var joinLive = joinCase("join-live",
	"Joining while objects keep coming gives each object once, with none missing", 0, joinRoles,
	[]Fault{
		dataFault("join-hole", "objects came, {"),
		dataFault("join-silent", "objects came, {").from(wire.Draft20),
		requestFault("join-silent", "none for 5000 ms after FETCH").until(wire.Draft19),
		dataFault("fetch-corrupt-payload", "payload differs from byte 0"),
	}, runJoinLive, rules.Join, rules.JoiningLocation)

// livePace is the time between two objects of a track that goes on while it is joined.
const livePace = 5 * time.Millisecond

// runJoinLive: the publisher sends all the time, so nobody can know beforehand where the past ends and live begins.
func runJoinLive(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	l := NewLayout(Span(0, 5), Span(0, 9), LayoutOptions{Payload: e.NamedPayload})
	a := e.Follow(ctx, "subscriber", p, l, Checks{})
	p.WaitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, livePace) })
	a.WaitTo(ctx, wire.Location{Group: 1, Object: 3})
	j := e.Dial(ctx, "joiner").JoinTrack(ctx, p, track.JoinRequest{GroupsBack: 1})
	if !j.HasLargest {
		e.Fail(transport.LayerRequest, "SUBSCRIBE_OK with a Largest Object from {1, 3} on",
			"SUBSCRIBE_OK that says that nothing was published")
	}
	var want Layout
	for _, x := range l {
		if x.Group+1 >= j.Largest.Group {
			want = append(want, x)
		}
	}
	j.WantExactly(ctx, p, want)
	return nil
}

// startJoiningFetch sends a joining FETCH for any Request ID (up to 19), without checking it.
func (s *Session) startJoiningFetch(ctx context.Context, subscription, back uint64) *moqt.Request {
	r, err := s.Start(ctx, &wire.Fetch{Type: wire.FetchRelativeJoining, JoiningRequestID: subscription,
		JoiningStart: back, Parameters: s.e.Parameters()})
	s.Check(ctx, err, transport.LayerRequest, "a joining FETCH to be sent")
	return r
}

var joinNothing = joinCase("join-nothing-published",
	"A joining FETCH of an empty track is refused with INVALID_RANGE", wire.Draft19,
	[]string{"publisher", "joiner"}, []Fault{
		requestFault("invalid-range-wrong", `DOES_NOT_EXIST "fault"`),
		requestFault("join-silent", "nothing for 5000 ms after FETCH"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		s := e.Dial(ctx, "joiner")
		step, cancel := e.Step(ctx)
		defer cancel()
		sub := s.SubscribeTo(step, p, FilterParameter(wire.LocationFilter{Form: wire.FilterNextObject}))
		_, err := s.startJoiningFetch(step, sub.Request().ID(), 0).Response(step)
		s.WantRefusal(step, err, wire.KindFetch, wire.NameInvalidRange, "FETCH_OK though nothing was published")
		s.Healthy(ctx, transport.LayerRequest)
		return nil
	}, rules.JoiningFetch)

var joinUnknown = joinCase("join-unknown-request",
	"A joining FETCH for an unknown request is refused with INVALID_JOINING_REQUEST_ID", wire.Draft19,
	joinRoles, []Fault{
		requestFault("join-unknown-wrong", `DOES_NOT_EXIST "fault"`),
		requestFault("join-silent", "nothing for 5000 ms after FETCH"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.History(ctx)
		s := e.Dial(ctx, "joiner")
		step, cancel := e.Step(ctx)
		defer cancel()
		// The Request ID belongs to another request. No SUBSCRIBE with it can still be on its way, so the relay has
		// nothing to wait for.
		status, err := s.Start(step, &wire.TrackStatus{TrackNamespace: p.Namespace, TrackName: p.Name,
			Parameters: e.Parameters()})
		s.Check(step, err, transport.LayerRequest, "TRACK_STATUS to be sent")
		_, err = status.Response(step)
		s.answered(step, err, "an answer to TRACK_STATUS")
		s.SubscribeTo(step, p, FilterParameter(wire.LocationFilter{Form: wire.FilterNextObject}))
		_, err = s.startJoiningFetch(step, status.ID(), 0).Response(step)
		s.WantRefusal(step, err, wire.KindFetch, wire.NameInvalidJoiningRequestID,
			fmt.Sprintf("FETCH_OK for request %d, which is a TRACK_STATUS", status.ID()))
		s.Healthy(ctx, transport.LayerRequest)
		return nil
	}, rules.JoiningFetch)
