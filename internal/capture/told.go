package capture

import (
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Answers implements wire.LineSession.
func (s *stream) Answers(requestID uint64) wire.Kind {
	if s.d.draft <= wire.Draft16 {
		if r := s.d.requests[requestID]; r != nil && r.server != s.key.server {
			return r.kind
		}
		return wire.KindNone
	}
	other := s.d.streams[streamKey{s.key.id, !s.key.server}]
	switch {
	case other == nil:
	case s.request == nil && other.request != nil:
		return other.request.kind
	case other.updates:
		return wire.KindRequestUpdate
	}
	return wire.KindNone
}

// Descending implements wire.LineSession.
func (s *stream) Descending(requestID uint64) bool {
	r := s.d.requests[requestID]
	return r != nil && r.descending
}

// Told implements wire.LineSession: it keeps what other streams are read with.
func (s *stream) Told(m wire.Message) {
	d := s.d
	if d.watch != nil {
		s.broken = append(s.broken, d.watch.told(s, m)...)
	}
	switch x := m.(type) {
	case *wire.Subscribe:
		s.open(x.RequestID, m.Kind(), wire.NameText(x.TrackNamespace, x.TrackName), x.Parameters)
	case *wire.TrackStatus:
		s.open(x.RequestID, m.Kind(), wire.NameText(x.TrackNamespace, x.TrackName), x.Parameters)
	case *wire.Publish:
		s.open(x.RequestID, m.Kind(), wire.NameText(x.TrackNamespace, x.TrackName), x.Parameters)
		key := aliasKey{s.key.server, x.TrackAlias}
		d.aliases[key] = wire.NameText(x.TrackNamespace, x.TrackName)
		d.watch.owns(key, d.requests[x.RequestID])
	case *wire.SubscribeOK:
		r := s.about()
		if d.draft <= wire.Draft16 {
			r = d.requests[x.RequestID]
		}
		if r != nil {
			d.aliases[aliasKey{s.key.server, x.TrackAlias}] = r.track
		}
	case *wire.PublishDone:
		s.over(x.RequestID)
	case *wire.Unsubscribe:
		s.over(x.RequestID)
	case *wire.RequestError:
		s.over(x.RequestID)
	case *wire.Fetch:
		name := wire.NameText(x.TrackNamespace, x.TrackName)
		if joined := d.requests[x.JoiningRequestID]; x.Type > wire.FetchStandalone && joined != nil {
			name = joined.track
		}
		s.open(x.RequestID, m.Kind(), name, x.Parameters)
	case *wire.PublishNamespace:
		s.open(x.RequestID, m.Kind(), wire.NamespaceText(x.TrackNamespace), x.Parameters)
	case *wire.SubscribeNamespace:
		s.open(x.RequestID, m.Kind(), wire.NamespaceText(x.Prefix), x.Parameters)
	case *wire.SubscribeTracks:
		s.open(x.RequestID, m.Kind(), wire.NamespaceText(x.Prefix), x.Parameters)
	case *wire.RequestUpdate:
		s.updates = true
		r := &request{kind: m.Kind(), server: s.key.server}
		if of := s.about(); of != nil { // a fill has the order of its subscription
			r.track, r.descending = of.track, descending(x.Parameters, of.descending)
		}
		d.requests[x.RequestID] = r
	}
}

// over ends a request: up to 16 by its id, after that that of the stream.
func (s *stream) over(id uint64) {
	r := s.about()
	if s.d.draft <= wire.Draft16 {
		r = s.d.requests[id]
	}
	if r != nil {
		r.over = true
	}
}

// open keeps a request. On a stream of its own it is the first.
func (s *stream) open(id uint64, kind wire.Kind, name string, ps wire.Parameters) {
	r := &request{kind: kind, server: s.key.server, track: name, descending: descending(ps, false)}
	s.d.requests[id] = r
	if s.on != "control" && s.request == nil {
		s.request = r
	}
}

// descending is the Group Order of a request: that of a fill where it has one (draft-20 §10.2.18).
func descending(ps wire.Parameters, inherited bool) bool {
	order := uint64(wire.Ascending)
	if inherited {
		order = wire.Descending
	}
	order = ps.UintOr(wire.ParamGroupOrder, order)
	if p, ok := ps.Get(wire.ParamFillParameters); ok {
		order = p.Inner.UintOr(wire.ParamGroupOrder, order)
	}
	return order == wire.Descending
}

// loggedName is the name that the drafts have for what a qlog event tells of.
func loggedName(event string) string {
	name := event
	for _, end := range []string{"_created", "_parsed"} {
		name = strings.TrimSuffix(name, end)
	}
	return strings.ToUpper(name)
}
