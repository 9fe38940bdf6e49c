package track

import (
	"context"
	"fmt"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// JoinRequest asks for a track's objects from now on and for its past from some group on, without gap or overlap.
type JoinRequest struct {
	TrackNamespace wire.TrackNamespace
	TrackName      string
	// GroupsBack says where the past starts, in groups before the current one: 0 is the start of the current group.
	GroupsBack uint64
	// Start, if set, is where the past starts instead. Up to 19 only its group counts: a joining FETCH starts with
	// whole groups.
	Start *wire.Location
	// Parameters are sent in SUBSCRIBE, PastParameters in the FETCH or fill. Neither has a location filter.
	Parameters     wire.Parameters
	PastParameters wire.Parameters
}

// Joined is the answer to a JoinRequest. Live and Past together have each object of the range once.
type Joined struct {
	Live *moqt.Subscription
	// Past is set once Ready has returned. Where nothing had been published, its first Next returns io.EOF.
	Past *moqt.Fetch

	s    *moqt.Session
	q    JoinRequest
	once sync.Once
	err  error
}

// StartJoin sends the SUBSCRIBE and does not wait for the answer. From 20 on the SUBSCRIBE asks for the past too
// (FILL_PARAMETERS). Up to 19 Ready sends the joining FETCH, so it must be called. The subscription's filter is Next
// Object (Largest Object up to 19), as joining needs it in every draft.
func StartJoin(ctx context.Context, s *moqt.Session, q JoinRequest) (*Joined, error) {
	m := &wire.Subscribe{TrackNamespace: q.TrackNamespace, TrackName: q.TrackName, Parameters: q.Parameters.Clone()}
	m.Parameters.SetFilter(wire.LocationFilter{Form: wire.FilterNextObject})
	if s.Draft() >= wire.Draft20 {
		if q.GroupsBack == 1<<64-1 {
			return nil, fmt.Errorf("%d groups back: at most 2^64-2 can be asked for", q.GroupsBack)
		}
		past := wire.LocationFilter{Form: wire.FilterRelative, StartGroup: q.GroupsBack + 1}
		if q.Start != nil {
			past = wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: q.Start.Group,
				StartObject: q.Start.Object}
			if *q.Start == (wire.Location{}) {
				past = wire.LocationFilter{} // 20 and 21 have no form for {0,0} and open; it is the whole track
			}
		}
		inner := q.PastParameters.Clone()
		inner.SetFilter(past)
		m.Parameters.Set(wire.Parameter{Type: wire.ParamFillParameters, Inner: inner})
	}
	live, err := s.StartSubscribe(ctx, m)
	if err != nil {
		return nil, err
	}
	return &Joined{Live: live, Past: live.Fill(), s: s, q: q}, nil
}

// Join is StartJoin and Ready. On error no request is left open.
func Join(ctx context.Context, s *moqt.Session, q JoinRequest) (*Joined, error) {
	j, err := StartJoin(ctx, s, q)
	if err != nil {
		return nil, err
	}
	if err := j.Ready(ctx); err != nil {
		return nil, err
	}
	return j, nil
}

// Ready waits for SUBSCRIBE_OK and, up to 19, sends the joining FETCH and waits for FETCH_OK. On error both are
// cancelled. The Kind of a *moqt.RequestError says which of the two was refused. Further calls return the same.
func (j *Joined) Ready(ctx context.Context) error {
	j.once.Do(func() {
		if j.err = j.ready(ctx); j.err == nil {
			return
		}
		j.Live.Unsubscribe()
		if j.Past != nil {
			j.Past.Cancel()
		}
	})
	return j.err
}

func (j *Joined) ready(ctx context.Context) error {
	if err := j.Live.Ready(ctx); err != nil || j.s.Draft() >= wire.Draft20 {
		return err
	}
	largest, published := j.Live.OK().Parameters.Largest()
	if !published || j.q.Start != nil && j.q.Start.Group > largest.Group { // a joining FETCH would be refused
		j.Past = j.s.NoFetch()
		return nil
	}
	m := &wire.Fetch{Type: wire.FetchRelativeJoining, JoiningRequestID: j.Live.Request().ID(),
		JoiningStart: min(j.q.GroupsBack, largest.Group), Parameters: j.q.PastParameters}
	if j.q.Start != nil {
		m.Type, m.JoiningStart = wire.FetchAbsoluteJoining, j.q.Start.Group
	}
	past, err := j.s.StartFetchMessage(ctx, m)
	if err != nil {
		return err
	}
	j.Past = past
	return past.Ready(ctx)
}
