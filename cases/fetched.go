package cases

import (
	"context"
	"fmt"
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// groupEnd is the Object ID in an End that means the end of its group.
const groupEnd = 1<<64 - 1

// EndText is the End of a FETCH_OK as on the wire. Up to 19 it is one past the last object, and Object 0 means the end
// of the group (draft-18 §10.13).
func EndText(d wire.Draft, end wire.Location) string {
	switch {
	case d >= wire.Draft20:
	case end.Object == groupEnd:
		end.Object = 0
	default:
		end.Object++
	}
	return locationText(end)
}

// FetchOf is a standalone FETCH of a range of the track, with the user's token and the given parameters.
func (p *Publisher) FetchOf(f wire.LocationFilter, more ...wire.Parameter) moqt.FetchRequest {
	return moqt.FetchRequest{TrackNamespace: p.Namespace, TrackName: p.Name, Range: f,
		Parameters: WithParameters(p.Session.e.Parameters(), more...)}
}

// Fetched is an answered FETCH whose stream has come to its end.
type Fetched struct {
	// Fetch is the request, with its FETCH_OK.
	Fetch *moqt.Fetch
	// Order is the locations of the objects in the order of the stream.
	Order []wire.Location
}

// FetchExactly sends a FETCH of p's track and ends the case unless exactly these objects come, and then FIN. The case
// is skipped when the relay answers NOT_SUPPORTED.
func (s *Session) FetchExactly(ctx context.Context, p *Publisher, q moqt.FetchRequest, want Layout, c Checks) *Fetched {
	step, cancel := s.e.Step(ctx)
	defer cancel()
	f, err := s.StartFetch(step, q)
	s.Check(step, err, transport.LayerRequest, "FETCH to be sent")
	got := &Fetched{Fetch: f}
	k := NewChecker(want, c)
	r := s.Read(ctx, "FETCH", k, func(ctx context.Context) (*moqt.Object, error) {
		o, err := f.Next(ctx)
		if err == nil && o.Range == wire.NoRange {
			got.Order = append(got.Order, o.Location()) // nobody looks before the reader has ended
		}
		return o, err
	})
	if err := f.Ready(step); err != nil {
		s.Refused(step, err, "FETCH_OK", p)
	}
	s.Gather(step, k, r)
	s.Finished(step, k, r)
	s.Exactly(step, k, 0, r)
	return got
}

// WantOrder ends the case unless the objects came in the right order: groups as asked for, objects ascending in each
// group (draft-18 §10.12.3).
func (f *Fetched) WantOrder(e *Env, want Layout) {
	for i, x := range want {
		if f.Order[i] != x.Location() {
			e.Fail(transport.LayerData, fmt.Sprintf("%s as object %d of the stream", x.Location(), i+1),
				fmt.Sprintf("%s (order: %s)", f.Order[i], locations(f.Order)))
		}
	}
}

// Descending is a copy of a layout with its groups in descending order, and the objects of each in ascending order.
func Descending(l Layout) Layout {
	l = slices.Clone(l)
	slices.SortStableFunc(l, func(a, b Item) int {
		x, y := a.Location(), b.Location()
		if x.Group != y.Group {
			x, y = y, x
		}
		return x.Compare(y)
	})
	return l
}

// fetchAccepted is the text for a FETCH that was accepted and should not have been.
func fetchAccepted(d wire.Draft, f *moqt.Fetch) string {
	if f == nil {
		return ""
	}
	end, _ := f.End()
	return "FETCH_OK with End " + EndText(d, end)
}
