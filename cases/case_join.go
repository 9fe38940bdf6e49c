package cases

import (
	"context"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// lateTime is how long objects that should not come are waited for behind the last that should.
const lateTime = 250 * time.Millisecond

var joinCurrent = Case{
	ID: "join", Title: "joining at the current group: each object once, none missing at the seam",
	Topics: []wire.Topic{wire.TopicJoining, wire.TopicFillParameters, wire.TopicSubscribe},
	Level:  Must, Suite: SuiteStandard, Tags: []string{"data", "fetch", "join"},
	Roles: []string{"publisher", "subscriber", "joiner"}, Timeout: caseLimit,
	Faults: []string{"join-hole", "join-duplicate", "join-silent", "fetch-error", "fetch-corrupt-payload"},
	Run:    func(ctx context.Context, e *Env) error { return join(ctx, e, 0) },
}

var joinOneBack = Case{
	ID: "join-one-back", Title: "joining one group before the current one: each object once, none missing at the seam",
	Topics: []wire.Topic{wire.TopicJoining, wire.TopicFillParameters, wire.TopicSubscribe},
	Level:  Must, Suite: SuiteAll, Tags: []string{"data", "fetch", "join"}, Roles: []string{"publisher", "subscriber",
		"joiner"}, Timeout: caseLimit,
	Faults: []string{"join-hole", "join-duplicate", "join-silent", "fetch-reset"},
	Run:    func(ctx context.Context, e *Env) error { return join(ctx, e, 1) },
}

// join: live from here, the past from the start of a group: SUBSCRIBE at the live edge with a joining FETCH (14-19) or
// a fill (20 and later). Groups 3 and 4 follow live meanwhile. Each object of the range comes once, and none is missing
// at the seam.
func join(ctx context.Context, e *Env, back uint64) error {
	p := history(ctx, e)
	s := e.Dial(ctx, "joiner")
	step, cancel := e.Step(ctx)
	defer cancel()
	q := moqt.JoinRequest{TrackNamespace: p.ns, TrackName: p.name, GroupsBack: back, Parameters: e.Parameters()}
	what := "fill"
	if s.Draft() <= wire.Draft19 {
		what = "joining FETCH"
		q.PastParameters = e.Parameters() // those of a fill have no place for a token
	}
	j, err := s.StartJoin(step, q)
	s.Check(step, err, transport.LayerRequest, "SUBSCRIBE to be sent")
	answered := make(chan error, 1)
	e.Go(step, func(ctx context.Context) { answered <- j.Ready(ctx) })
	if err := j.Live.Ready(step); err != nil {
		s.refused(step, err, "SUBSCRIBE_OK at the joiner", p)
	}
	if largest, ok := j.Live.Largest(); ok {
		e.Note("joined at Largest Object %s", largest)
	} else {
		e.Note("joined without a Largest Object")
	}

	live := pastGroups(e, 3, 4)
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, live, objectPace) })
	k := newChecker(append(pastGroups(e, 2-back, 2), live...), checks{})
	now := s.read(ctx, "SUBSCRIBE", k, j.Live.Next)
	if err := <-answered; err != nil {
		s.refused(step, err, "FETCH_OK for the "+what, p)
	}
	past := s.read(ctx, what, k, j.Past.Next)
	step, cancel = e.Step(ctx)
	defer cancel()
	s.gather(step, k, past, now)
	s.finished(step, k, past)
	p.end()
	s.exact(step, k, lateTime, now)
	return nil
}
