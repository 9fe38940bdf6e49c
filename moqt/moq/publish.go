package moq

import (
	"context"
	"fmt"
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// announced is a namespace that this end announces on a session.
type announced struct {
	ns     Namespace
	tracks int           // that are published under it
	done   chan struct{} // closed once the peer has answered
	err    error         // valid then
	here   *moqt.Announcement
}

// PublishOption changes how Session.Publish makes a track known.
type PublishOption func(*publishing)

type publishing struct {
	direct     bool
	parameters wire.Parameters
}

// Direct offers the track itself, with PUBLISH. Objects flow as soon as the peer wants them, without a SUBSCRIBE.
func Direct() PublishOption { return func(p *publishing) { p.direct = true } }

// WithParameters adds parameters to the PUBLISH or PUBLISH_NAMESPACE, such as an authorization token.
func WithParameters(ps ...wire.Parameter) PublishOption {
	return func(p *publishing) {
		for _, x := range ps {
			p.parameters.Add(x)
		}
	}
}

// Publish makes a track known to the peer, and answers what the peer asks for of it until the session ends or Withdraw
// is called: SUBSCRIBE, FETCH and TRACK_STATUS. It announces the track's namespace with PUBLISH_NAMESPACE, once for all
// tracks of the namespace, and waits for the answer. The error is a *RequestError when the peer refuses. A track may be
// published on several sessions.
//
// Objects go to those who have subscribed when they are written (Track.WaitForward waits for them), and from
// TrackOptions.KeepGroups to those who fetch or join later.
func (s *Session) Publish(ctx context.Context, t *Track, opts ...PublishOption) error {
	if t == nil {
		return errNoTrack
	}
	var p publishing
	for _, o := range opts {
		o(&p)
	}
	s.mu.Lock()
	if _, there := s.tracks[t]; there {
		s.mu.Unlock()
		return fmt.Errorf("the track %q is published on this session already", t.Name())
	}
	s.tracks[t] = nil // the peer may ask before its answer comes
	s.mu.Unlock()
	var err error
	if p.direct {
		s.sent.Store(true)
		_, err = t.Publish(ctx, s.Session, p.parameters)
	} else {
		err = s.announce(ctx, t, p.parameters)
	}
	if err != nil {
		s.Withdraw(t)
	}
	return err
}

// announce announces a track's namespace, unless it is.
func (s *Session) announce(ctx context.Context, t *Track, ps wire.Parameters) error {
	ns := t.Namespace()
	s.mu.Lock()
	a := s.announcement(ns)
	first := a == nil
	if first {
		a = &announced{ns: ns, done: make(chan struct{})}
		s.names = append(s.names, a)
		s.namesChanged()
	}
	a.tracks++
	s.tracks[t] = a
	s.mu.Unlock()
	if first {
		a.here, a.err = s.Session.PublishNamespace(ctx, ns, ps)
		close(a.done)
	}
	select {
	case <-a.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return a.err
}

// announcement finds that of a namespace, nil if there is none. The caller holds mu.
func (s *Session) announcement(ns Namespace) *announced {
	for _, a := range s.names {
		if a.ns.Equal(ns) {
			return a
		}
	}
	return nil
}

// namesChanged tells those who wait. The caller holds mu.
func (s *Session) namesChanged() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Withdraw takes back what Publish has made known. Subscriptions go on; later requests are refused. It does nothing to
// a track that is not published on this session.
func (s *Session) Withdraw(t *Track) {
	s.mu.Lock()
	a := s.tracks[t]
	delete(s.tracks, t)
	last := false
	if a != nil {
		a.tracks--
		if last = a.tracks == 0; last {
			s.names = slices.DeleteFunc(s.names, func(x *announced) bool { return x == a })
			s.namesChanged()
		}
	}
	s.mu.Unlock()
	if !last {
		return
	}
	if <-a.done; a.err == nil {
		a.here.Withdraw()
	}
}
