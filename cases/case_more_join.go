package cases

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Joining a track: more forms of it, and what must be refused.

// joinCase is a case of joining.
func joinCase(id, title string, last wire.Draft, roles, faults []string,
	run func(ctx context.Context, e *Env) error) Case {
	return Case{
		ID: id, Title: title, Topics: []wire.Topic{wire.TopicJoining, wire.TopicFillParameters, wire.TopicSubscribe},
		Last:  last,
		Level: Must, Suite: SuiteAll, Tags: []string{"data", "fetch", "join"}, Roles: roles, Timeout: caseLimit,
		Faults: faults, Run: run,
	}
}

var joinRoles = []string{"publisher", "subscriber", "joiner"}

var joinAbsolute = joinCase("join-absolute", "joining from a group that is named by its number: each object once, "+
	"none missing at the seam", 0, joinRoles,
	[]string{"join-hole", "join-duplicate", "join-silent", "fetch-corrupt-payload"},
	func(ctx context.Context, e *Env) error {
		p := history(ctx, e)
		j := e.Dial(ctx, "joiner").joinTrack(ctx, p, moqt.JoinRequest{Start: &wire.Location{Group: 1}})
		live := pastGroups(e, 3, 4)
		e.Go(ctx, func(ctx context.Context) { p.publish(ctx, live, objectPace) })
		j.exactly(ctx, p, append(pastGroups(e, 1, 2), live...))
		return nil
	})

var joinLive = joinCase("join-live", "joining one group back while objects keep coming: each object once, none "+
	"missing at the seam", 0, joinRoles,
	[]string{"join-hole", "join-silent", "fetch-corrupt-payload"}, runJoinLive)

// livePace is the time between two objects of a track that is joined while it goes on.
const livePace = 5 * time.Millisecond

// runJoinLive: objects are on their way the whole time, so that the seam lies where nobody can know beforehand.
func runJoinLive(ctx context.Context, e *Env) error {
	p := announced(ctx, e)
	l := newLayout(span(0, 5), span(0, 9), layoutOptions{payload: e.namedPayload})
	a := attend(ctx, "subscriber", p, l, checks{})
	p.waitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, l, livePace) })
	a.reach(ctx, wire.Location{Group: 1, Object: 3})
	j := e.Dial(ctx, "joiner").joinTrack(ctx, p, moqt.JoinRequest{GroupsBack: 1})
	if !j.has {
		e.Fail(transport.LayerRequest, "SUBSCRIBE_OK with a Largest Object from {1, 3} on",
			"SUBSCRIBE_OK that says that nothing was published")
	}
	var want layout
	for _, x := range l {
		if x.group+1 >= j.largest.Group {
			want = append(want, x)
		}
	}
	j.exactly(ctx, p, want)
	return nil
}

// joiner is a subscription and what it asked for of the past.
type joiner struct {
	*Session
	j       *moqt.Joined
	largest wire.Location
	has     bool
	what    string // the past, by the draft's name
	past    <-chan error
}

// joinTrack asks for a track live, and for its past.
func (s *Session) joinTrack(ctx context.Context, p *publisher, q moqt.JoinRequest) *joiner {
	e := s.e
	q.TrackNamespace, q.TrackName, q.Parameters = p.ns, p.name, e.Parameters()
	out := &joiner{Session: s, what: "fill"}
	if s.Draft() <= wire.Draft19 {
		out.what = "joining FETCH"
		q.PastParameters = e.Parameters() // those of a fill have no place for a token
	}
	step, cancel := e.Step(ctx)
	defer cancel()
	var err error
	out.j, err = s.StartJoin(step, q)
	s.Check(step, err, transport.LayerRequest, "SUBSCRIBE to be sent")
	past := make(chan error, 1)
	out.past = past
	e.Go(ctx, func(ctx context.Context) {
		step, cancel := e.Step(ctx)
		defer cancel()
		past <- out.j.Ready(step)
	})
	if err := out.j.Live.Ready(step); err != nil {
		s.refused(step, err, "SUBSCRIBE_OK at the joiner", p)
	}
	out.largest, out.has = out.j.Live.OK().Parameters.Largest()
	return out
}

// exactly requires every object of past and live once.
func (j *joiner) exactly(ctx context.Context, p *publisher, want layout) {
	k := newChecker(want, checks{})
	now := j.read(ctx, "SUBSCRIBE", k, j.j.Live.Next)
	if err := <-j.past; err != nil {
		j.refused(ctx, err, "FETCH_OK for the "+j.what, p)
	}
	before := j.read(ctx, j.what, k, j.j.Past.Next)
	step, cancel := j.e.Step(ctx)
	defer cancel()
	j.gather(step, k, before, now)
	j.finished(step, k, before)
	p.end()
	j.exact(step, k, lateTime, now)
}

// startJoiningFetch sends a joining FETCH with nothing done for it beforehand (up to 19).
func (s *Session) startJoiningFetch(ctx context.Context, subscription, back uint64) *moqt.Request {
	r, err := s.Start(ctx, &wire.Fetch{Type: wire.FetchRelativeJoining, JoiningRequestID: subscription,
		JoiningStart: back, Parameters: s.e.Parameters()})
	s.Check(ctx, err, transport.LayerRequest, "a joining FETCH to be sent")
	return r
}

var joinNothing = joinCase("join-nothing-published", "a joining FETCH of a track without objects is refused with "+
	"INVALID_RANGE", wire.Draft19,
	[]string{"publisher", "joiner"}, []string{"invalid-range-wrong", "join-silent"},
	func(ctx context.Context, e *Env) error {
		p := announced(ctx, e)
		s := e.Dial(ctx, "joiner")
		step, cancel := e.Step(ctx)
		defer cancel()
		sub := s.subscribeWith(step, p, filterBy(wire.LocationFilter{Form: wire.FilterNextObject}))
		_, err := s.startJoiningFetch(step, sub.Request().ID(), 0).Response(step)
		s.wantRefusal(step, err, wire.KindFetch, wire.NameInvalidRange, "FETCH_OK though nothing was published")
		s.Healthy(ctx, transport.LayerRequest)
		return nil
	})

var joinUnknown = joinCase("join-unknown-request", "a joining FETCH for a subscription that does not exist is "+
	"refused with INVALID_JOINING_REQUEST_ID", wire.Draft19,
	joinRoles, []string{"join-unknown-wrong", "join-silent"},
	func(ctx context.Context, e *Env) error {
		p := history(ctx, e)
		s := e.Dial(ctx, "joiner")
		step, cancel := e.Step(ctx)
		defer cancel()
		s.subscribeWith(step, p, filterBy(wire.LocationFilter{Form: wire.FilterNextObject}))
		_, err := s.startJoiningFetch(step, 5000, 0).Response(step)
		s.wantRefusal(step, err, wire.KindFetch, wire.NameInvalidJoiningRequestID,
			"FETCH_OK for the subscription 5000, which does not exist")
		s.Healthy(ctx, transport.LayerRequest)
		return nil
	})

var joinEmptyFill = Case{
	ID: "fill-nothing-published", Title: "a fill of a track without objects brings none, and the subscription goes on",
	Topics: []wire.Topic{wire.TopicFillParameters, wire.TopicSubscribe}, First: wire.Draft20,
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "fetch", "join"}, Roles: []string{"publisher", "joiner"},
	Timeout: caseLimit,
	Faults:  []string{"drop-object", "route-nowhere"},
	Run: func(ctx context.Context, e *Env) error {
		p := announced(ctx, e)
		j := e.Dial(ctx, "joiner").joinTrack(ctx, p, moqt.JoinRequest{GroupsBack: 1})
		if j.has {
			e.Fail(transport.LayerRequest, "SUBSCRIBE_OK without a Largest Object",
				fmt.Sprintf("Largest Object %s", j.largest))
		}
		p.waitForward(ctx)
		live := pastGroups(e, 0, 1)
		e.Go(ctx, func(ctx context.Context) { p.publish(ctx, live, objectPace) })
		k := newChecker(live, checks{})
		now := j.read(ctx, "SUBSCRIBE", k, j.j.Live.Next)
		step, cancel := e.Step(ctx)
		defer cancel()
		j.Check(step, <-j.past, transport.LayerRequest, "SUBSCRIBE_OK at the joiner")
		none := newChecker(nil, checks{})
		before := j.read(ctx, j.what, none, j.j.Past.Next)
		j.gather(step, k, now)
		j.finished(step, none, before)
		if what := none.problem(); what != "" {
			e.Fail(transport.LayerData, "no object in the fill of a track without objects", what)
		}
		p.end()
		j.exact(step, k, lateTime, now)
		return nil
	},
}

var fillUpdate = Case{
	ID: "fill-update", Title: "a fill asked for in REQUEST_UPDATE brings the groups it names",
	Topics: []wire.Topic{wire.TopicFillParameters, wire.TopicRequestUpdate}, First: wire.Draft20,
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "fetch", "join", "update"}, Roles: joinRoles,
	Timeout: caseLimit,
	Faults:  []string{"update-silent", "join-silent", "fetch-corrupt-payload"},
	Run:     runFillUpdate,
}

// runFillUpdate: the stream has the Request ID of the update, and an end inside the past (draft-22 §3.4).
func runFillUpdate(ctx context.Context, e *Env) error {
	p := history(ctx, e)
	s := e.Dial(ctx, "joiner")
	step, cancel := e.Step(ctx)
	defer cancel()
	sub := s.subscribeWith(step, p, filterBy(wire.LocationFilter{Form: wire.FilterNextObject}))
	inner := wire.Parameters{filterBy(wholeGroups(0, 1))}
	_, fill, err := sub.UpdateFill(step, wire.Parameters{{Type: wire.ParamFillParameters, Inner: inner}})
	var refused *moqt.RequestError
	if errors.As(err, &refused) {
		s.refused(step, err, "REQUEST_OK for REQUEST_UPDATE", p)
	}
	s.Check(step, err, transport.LayerRequest, "REQUEST_OK for REQUEST_UPDATE")
	k := newChecker(pastGroups(e, 0, 1), checks{})
	r := s.read(ctx, "fill", k, fill.Next)
	s.gather(step, k, r)
	s.finished(step, k, r)
	s.exact(step, k, 0, r)
	return nil
}
