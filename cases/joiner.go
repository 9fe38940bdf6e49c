package cases

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Joiner is a subscription that has also asked for past objects.
type Joiner struct {
	*Session
	// Joined is the subscription and the request for past objects.
	Joined *track.Joined
	// Largest is the Largest Object of SUBSCRIBE_OK; HasLargest is false when it names none.
	Largest    wire.Location
	HasLargest bool

	what string // the past, by the draft's name
	past <-chan error
}

// JoinTrack subscribes to a track live and asks for its past, up to 19 with a joining FETCH, from 20 on with a fill. It
// ends the case unless the relay accepts the SUBSCRIBE. It fills in q's track and parameters.
func (s *Session) JoinTrack(ctx context.Context, p *Publisher, q track.JoinRequest) *Joiner {
	e := s.e
	q.TrackNamespace, q.TrackName, q.Parameters = p.Namespace, p.Name, e.Parameters()
	out := &Joiner{Session: s, what: "fill"}
	if s.Draft() <= wire.Draft19 {
		out.what = "joining FETCH"
		q.PastParameters = e.Parameters() // those of a fill have no place for a token
	}
	step, cancel := e.Step(ctx)
	defer cancel()
	var err error
	out.Joined, err = track.StartJoin(step, s.Session, q)
	s.Check(step, err, transport.LayerRequest, "SUBSCRIBE to be sent")
	past := make(chan error, 1)
	out.past = past
	e.Go(ctx, func(ctx context.Context) {
		step, cancel := e.Step(ctx)
		defer cancel()
		past <- out.Joined.Ready(step)
	})
	if err := out.Joined.Live.Ready(step); err != nil {
		s.Refused(step, err, "SUBSCRIBE_OK at the joiner", p)
	}
	out.Largest, out.HasLargest = out.Joined.Live.OK().Parameters.Largest()
	return out
}

// wantFill ends the case as skipped when SUBSCRIBE_OK says that nothing was published, since then there is nothing to
// fill. Other cases judge that.
func (j *Joiner) wantFill() {
	if !j.HasLargest {
		j.e.Skip("SUBSCRIBE_OK names no Largest Object, so that there is nothing to fill")
	}
}

// WantExactly ends the case unless every wanted object comes once, in the past or live. It ends p's track.
func (j *Joiner) WantExactly(ctx context.Context, p *Publisher, want Layout) {
	k := NewChecker(want, Checks{})
	now := j.Read(ctx, "SUBSCRIBE", k, j.Joined.Live.Next)
	if err := <-j.past; err != nil {
		j.Refused(ctx, err, "FETCH_OK for the "+j.what, p)
	}
	before := j.Read(ctx, j.what, k, j.Joined.Past.Next)
	step, cancel := j.e.Step(ctx)
	defer cancel()
	j.Gather(step, k, before, now)
	j.Finished(step, k, before)
	p.End()
	j.Exactly(step, k, LateTime, now)
}
