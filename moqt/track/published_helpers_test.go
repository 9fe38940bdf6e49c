package track

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// stage is a published track on the server's side of a session.
type stage struct {
	*sessions
	track *Published
}

// publishing makes a session of a draft whose server serves a track.
func publishing(t *testing.T, d wire.Draft, opts Options) *stage {
	t.Helper()
	return publishingOver(t, d, opts, memconn.Options{Info: memInfo(d)}, moqt.Config{})
}

func publishingOver(t *testing.T, d wire.Draft, opts Options, over memconn.Options, client moqt.Config) *stage {
	t.Helper()
	track := NewPublished(testNS, testName, opts)
	p := &stage{track: track}
	p.sessions = dialOver(t, d, over, client,
		moqt.Config{Handler: func(r *moqt.Request) { _ = track.Serve(r.Session().Context(), r) },
			SetupOptions: filterRanges(d)})
	return p
}

// filterRanges allows range filters, where the draft has them.
func filterRanges(d wire.Draft) wire.Properties {
	if d < wire.Draft19 {
		return nil
	}
	return wire.Properties{{Type: 0x06, Uint: 16}}
}

// open subscribes the client to the track.
func (p *stage) open(q Request) *Subscribed {
	p.t.Helper()
	q.TrackNamespace, q.TrackName = testNS, testName
	s, err := Open(p.ctx, p.client, q)
	noError(p.t, err)
	return s
}

// write writes objects with these locations, whose payload names them.
func (p *stage) write(at ...wire.Location) {
	p.t.Helper()
	for _, l := range at {
		noError(p.t, p.track.Write(p.ctx, objectAt(l)))
	}
}

// objectAt is a small object that can be recognised.
func objectAt(l wire.Location) *moqt.Object {
	return &moqt.Object{GroupID: l.Group, ObjectID: l.Object, Payload: fmt.Appendf(nil, "%d/%d", l.Group, l.Object)}
}

// locations are those of so many groups of so many objects.
func locations(first, groups, objects uint64) (all []wire.Location) {
	for g := first; g < first+groups; g++ {
		for o := range objects {
			all = append(all, wire.Location{Group: g, Object: o})
		}
	}
	return all
}

// drain takes objects until io.EOF.
func drain(t *testing.T, ctx context.Context, s *Subscribed) (all []*moqt.Object) {
	t.Helper()
	for {
		o, err := s.Next(ctx)
		if err == io.EOF {
			return all
		}
		noError(t, err)
		all = append(all, o.Clone())
	}
}

// take takes so many objects.
func take(t *testing.T, ctx context.Context, s *Subscribed, n int) (all []*moqt.Object) {
	t.Helper()
	for range n {
		o, err := s.Next(ctx)
		if err != nil {
			t.Logf("after %d of %d objects, the last %v: due %v, line %d, sources %d, held %d, report %+v", len(all), n,
				all, s.due, len(s.line.batches), len(s.sources), s.held, s.Report())
		}
		noError(t, err)
		all = append(all, o.Clone())
	}
	return all
}

// same fails unless the objects are those with the locations, each once and with its payload; in any order, unless
// ordered.
func same(t *testing.T, got []*moqt.Object, want []wire.Location, ordered bool) {
	t.Helper()
	missing := map[wire.Location]bool{}
	for _, l := range want {
		missing[l] = true
	}
	for i, o := range got {
		if o.Status != wire.StatusNormal {
			continue
		}
		l := o.Location()
		switch {
		case !missing[l]:
			t.Errorf("object %s came again, or was not wanted", l)
		case string(o.Payload) != string(objectAt(l).Payload):
			t.Errorf("object %s has payload %q", l, o.Payload)
		case ordered && i < len(want) && want[i] != l:
			t.Errorf("object %d is %s, want %s", i, l, want[i])
		}
		delete(missing, l)
	}
	for l := range missing {
		t.Errorf("object %s is missing", l)
	}
}

// quiet fails when an object comes although none should.
func quiet(t *testing.T, s *Subscribed) {
	t.Helper()
	settle()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if o, err := s.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("object %v, error %v: nothing should have come", o, err)
	}
}

// wantReset fails unless the peer has reset a stream with that code.
func wantReset(t *testing.T, d wire.Draft, err error, code moqt.ResetCode) {
	t.Helper()
	var reset *transport.StreamError
	if !errors.As(err, &reset) || !reset.Remote || reset.Code != code.Number(d) {
		t.Errorf("the stream ended with %v, want a reset with %s", err, moqt.ResetName(d, code.Number(d)))
	}
}
