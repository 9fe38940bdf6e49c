package moq

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Handler answers a request of the peer. It is called in a goroutine of its own, and may stay in it while the request
// lives. A request that it leaves unanswered is refused when it returns. See moqt.Request for how to answer.
type Handler func(*Request)

// Serve answers requests for these tracks, and refuses all others.
func Serve(tracks ...*Track) Handler {
	tracks = slices.Clone(tracks)
	return Find(func(ns Namespace, name string) *Track {
		for _, t := range tracks {
			if t.Name() == name && t.Namespace().Equal(ns) {
				return t
			}
		}
		return nil
	})
}

// Find answers requests for the tracks that a function finds or makes, and refuses all others. The function gives nil
// for a track that there is not. It may be called from several goroutines at a time.
func Find(find func(ns Namespace, name string) *Track) Handler {
	return func(r *Request) {
		ns, name, ok := asked(r)
		if !ok {
			refuse(r)
			return
		}
		if t := find(ns, name); t != nil {
			_ = t.Serve(r.Context(), r) // its end is the peer's to see
			return
		}
		refuse(r)
	}
}

// asked is the track that a SUBSCRIBE, FETCH or TRACK_STATUS is about.
func asked(r *Request) (ns Namespace, name string, ok bool) {
	switch r.Kind() {
	case wire.KindSubscribe, wire.KindTrackStatus:
		return r.TrackNamespace(), r.TrackName(), true
	case wire.KindFetch:
		q, err := r.FetchRange()
		return q.TrackNamespace, q.TrackName, err == nil
	}
	return nil, "", false
}

// refuse says that there is no such thing here.
func refuse(r *Request) {
	code, reason := moqt.RejectNotSupported, fmt.Sprintf("%s is not served here", r.Kind())
	if ns, name, ok := asked(r); ok {
		code, reason = moqt.RejectDoesNotExist, fmt.Sprintf("no track %q in the namespace %q", name, ns)
		if r.Kind() == wire.KindFetch && len(ns) == 0 {
			code, reason = moqt.RejectInvalidJoiningRequestID, "no such subscription"
		}
	}
	_ = r.Reject(r.Context(), code, reason) // or the session has ended
}

// answer is the Handler of every session: the tracks of Publish first, then Options.Handler.
func (s *Session) answer(r *Request) {
	s.mu.Lock()
	tracks := slices.Collect(maps.Keys(s.tracks))
	s.mu.Unlock()
	for _, t := range tracks {
		if t.Asks(r) {
			s.sent.Store(true)
			_ = t.Serve(r.Context(), r)
			return
		}
	}
	switch {
	case s.opts.Handler != nil:
		s.sent.Store(true)
		s.opts.Handler(r)
	case r.Kind() == wire.KindSubscribeNamespace:
		s.tellNamespaces(r)
	default:
		refuse(r)
	}
}

// tellNamespaces answers SUBSCRIBE_NAMESPACE. A publisher that accepts it must send NAMESPACE for each namespace
// under the prefix (draft-16 §6.2, draft-18 §6.2). Up to 15 that is PUBLISH_NAMESPACE, which Publish sends anyway.
func (s *Session) tellNamespaces(r *Request) {
	ctx := r.Context()
	prefix := r.TrackNamespace()
	if r.Accept(ctx, nil) != nil {
		return
	}
	d := r.Session().Draft()
	m, _ := r.Message().(*wire.SubscribeNamespace)
	if d <= wire.Draft15 || d <= wire.Draft17 && m != nil && m.Options == wire.SubscribePublishes {
		<-ctx.Done()
		return
	}
	var told []Namespace
	for {
		s.mu.Lock()
		changed := s.changed
		var now []Namespace
		for _, a := range s.names {
			if a.ns.HasPrefix(prefix) {
				now = append(now, a.ns)
			}
		}
		s.mu.Unlock()
		if tell(ctx, r, now, told, func(rest Namespace) wire.Message { return &wire.Namespace{Suffix: rest} }) != nil ||
			tell(ctx, r, told, now, func(rest Namespace) wire.Message {
				return &wire.NamespaceDone{Suffix: rest}
			}) != nil {
			return
		}
		told = now
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// tell sends a message about each namespace of a list that is not in another.
func tell(ctx context.Context, r *Request, list, known []Namespace, message func(rest Namespace) wire.Message) error {
	for _, ns := range list {
		if slices.ContainsFunc(known, ns.Equal) {
			continue
		}
		if err := r.Send(ctx, message(ns[len(r.TrackNamespace()):])); err != nil {
			return err
		}
	}
	return nil
}
