package moqt

import (
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// withRequestID copies a request with its id.
func withRequestID(m wire.Message, id uint64) wire.Message {
	switch x := m.(type) {
	case *wire.Subscribe:
		c := *x
		c.RequestID = id
		return &c
	case *wire.TrackStatus:
		c := *x
		c.RequestID = id
		return &c
	case *wire.Publish:
		c := *x
		c.RequestID = id
		return &c
	case *wire.Fetch:
		c := *x
		c.RequestID = id
		return &c
	case *wire.PublishNamespace:
		c := *x
		c.RequestID = id
		return &c
	case *wire.SubscribeNamespace:
		c := *x
		c.RequestID = id
		return &c
	case *wire.SubscribeTracks:
		c := *x
		c.RequestID = id
		return &c
	}
	return m
}

// requestIDIn is the id of a request.
func requestIDIn(m wire.Message) uint64 {
	switch x := m.(type) {
	case *wire.Subscribe:
		return x.RequestID
	case *wire.TrackStatus:
		return x.RequestID
	case *wire.Publish:
		return x.RequestID
	case *wire.Fetch:
		return x.RequestID
	case *wire.PublishNamespace:
		return x.RequestID
	case *wire.SubscribeNamespace:
		return x.RequestID
	case *wire.SubscribeTracks:
		return x.RequestID
	}
	return 0
}

// requiredDelta is the Required Request ID Delta of a request (17).
func requiredDelta(m wire.Message) uint64 {
	switch x := m.(type) {
	case *wire.Subscribe:
		return x.RequiredRequestIDDelta
	case *wire.TrackStatus:
		return x.RequiredRequestIDDelta
	case *wire.Publish:
		return x.RequiredRequestIDDelta
	case *wire.Fetch:
		return x.RequiredRequestIDDelta
	case *wire.PublishNamespace:
		return x.RequiredRequestIDDelta
	case *wire.SubscribeNamespace:
		return x.RequiredRequestIDDelta
	}
	return 0
}

// parametersOf is the parameter list of a request.
func parametersOf(m wire.Message) wire.Parameters {
	switch x := m.(type) {
	case *wire.Subscribe:
		return x.Parameters
	case *wire.TrackStatus:
		return x.Parameters
	case *wire.Publish:
		return x.Parameters
	case *wire.Fetch:
		return x.Parameters
	case *wire.PublishNamespace:
		return x.Parameters
	case *wire.SubscribeNamespace:
		return x.Parameters
	case *wire.SubscribeTracks:
		return x.Parameters
	}
	return nil
}

// trackOf is the namespace or prefix, and the track name, of a request; named is true when it names one track.
func trackOf(m wire.Message) (ns wire.TrackNamespace, name string, named bool) {
	switch x := m.(type) {
	case *wire.Subscribe:
		return x.TrackNamespace, x.TrackName, true
	case *wire.TrackStatus:
		return x.TrackNamespace, x.TrackName, true
	case *wire.Publish:
		return x.TrackNamespace, x.TrackName, true
	case *wire.Fetch:
		return x.TrackNamespace, x.TrackName, x.Type != wire.FetchRelativeJoining && x.Type != wire.FetchAbsoluteJoining
	case *wire.PublishNamespace:
		return x.TrackNamespace, "", false
	case *wire.SubscribeNamespace:
		return x.Prefix, "", false
	case *wire.SubscribeTracks:
		return x.Prefix, "", false
	}
	return nil, "", false
}

// trackKey is a string that two tracks share only when they are the same.
func trackKey(ns wire.TrackNamespace, name string) string { return ns.Join(name).Key() }

// addressed copies a message of ours on the request with the ids that up to 16 stand in it, and with what it answers.
func (r *Request) addressed(m wire.Message) wire.Message {
	switch x := m.(type) {
	case *wire.RequestOK:
		c := *x
		if c.Answers == wire.KindNone {
			c.Answers = r.kind
		}
		if c.Answers != wire.KindRequestUpdate {
			c.RequestID = r.id
		}
		return &c
	case *wire.RequestError:
		c := *x
		if c.Answers == wire.KindNone {
			c.Answers = r.kind
		}
		if c.Answers != wire.KindRequestUpdate {
			c.RequestID = r.id
		}
		return &c
	case *wire.SubscribeOK:
		c := *x
		c.RequestID = r.id
		return &c
	case *wire.FetchOK:
		c := *x
		c.RequestID = r.id
		return &c
	case *wire.PublishDone:
		c := *x
		c.RequestID = r.id
		return &c
	case *wire.Unsubscribe:
		return &wire.Unsubscribe{RequestID: r.id}
	case *wire.FetchCancel:
		return &wire.FetchCancel{RequestID: r.id}
	case *wire.PublishNamespaceDone:
		c := *x
		c.RequestID, c.TrackNamespace = r.id, r.TrackNamespace()
		return &c
	case *wire.PublishNamespaceCancel:
		c := *x
		c.RequestID, c.TrackNamespace = r.id, r.TrackNamespace()
		return &c
	case *wire.UnsubscribeNamespace:
		return &wire.UnsubscribeNamespace{RequestID: r.id, Prefix: r.TrackNamespace()}
	}
	return m
}

// requestIDOf is the request that a received message belongs to, for the trace.
func requestIDOf(m wire.Message, r *Request) uint64 {
	if r != nil {
		return r.id
	}
	if m.Kind().Opens() {
		return requestIDIn(m)
	}
	id, _ := addressOf(m)
	return id
}

// addressOf is the id by which a message on the control stream of 14-16 names its request. ok is false for those that
// have none: by namespace, and those of the session itself.
func addressOf(m wire.Message) (id uint64, ok bool) {
	switch x := m.(type) {
	case *wire.RequestOK:
		return x.RequestID, true
	case *wire.RequestError:
		return x.RequestID, true
	case *wire.SubscribeOK:
		return x.RequestID, true
	case *wire.FetchOK:
		return x.RequestID, true
	case *wire.RequestUpdate:
		return x.ExistingRequestID, true
	case *wire.PublishDone:
		return x.RequestID, true
	case *wire.Unsubscribe:
		return x.RequestID, true
	case *wire.FetchCancel:
		return x.RequestID, true
	case *wire.PublishNamespaceDone:
		return x.RequestID, true
	case *wire.PublishNamespaceCancel:
		return x.RequestID, true
	case *wire.UnsubscribeNamespace:
		return x.RequestID, true
	}
	return 0, false
}

// aboutOf is the kind of request that a response or update on the control stream of 14-16 is about, where that is
// known.
func (s *Session) aboutOf(m wire.Message) wire.Kind {
	switch m.(type) {
	case *wire.RequestOK, *wire.RequestError, *wire.RequestUpdate:
	default:
		return wire.KindNone
	}
	id, _ := addressOf(m)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.updates[id]; ok {
		return wire.KindRequestUpdate
	}
	if r, ok := s.requests[id]; ok {
		return r.kind
	}
	return wire.KindNone
}

// typeRequestUpdate is the type code of REQUEST_UPDATE in every draft.
const typeRequestUpdate = 0x2

// answersIn is what a message on a request's own stream is about: an update is about the request, an OK or error about
// the request at first, about updates later.
func (r *Request) answersIn(frame []byte) wire.Kind {
	if r == nil || r.kind == wire.KindRaw {
		return wire.KindNone
	}
	if code, _ := wire.Varint(frame, r.s.draft); code == typeRequestUpdate {
		return r.kind
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.awaited() {
		return r.kind
	}
	return wire.KindRequestUpdate
}
