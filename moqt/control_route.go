package moqt

import (
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// routeControl is the adapter of 14-16: it takes a message of the one control stream to the request that it belongs to.
func (s *Session) routeControl(m wire.Message) error {
	switch x := m.(type) {
	case *wire.Goaway:
		return s.peerGoaway(x)
	case *wire.MaxRequestID:
		return s.ids.peerMax(x)
	case *wire.RequestsBlocked:
		return nil // the limit follows what the application takes, not what the peer wants (draft-16 §9.6)
	case *wire.PublishNamespaceDone:
		if r := s.announcement(true, x.RequestID, x.TrackNamespace); r != nil {
			r.cancelledBy("PUBLISH_NAMESPACE_DONE", 0, false, "")
		}
		return nil
	case *wire.PublishNamespaceCancel:
		if r := s.announcement(false, x.RequestID, x.TrackNamespace); r != nil {
			r.cancelledBy("PUBLISH_NAMESPACE_CANCEL", x.Code, true, x.Reason)
		}
		return nil
	case *wire.UnsubscribeNamespace:
		if r := s.namespaceSubscription(x); r != nil {
			r.cancelledBy("UNSUBSCRIBE_NAMESPACE", 0, false, "")
		}
		return nil
	case *wire.Unsubscribe:
		if r := s.request(x.RequestID); r != nil && (r.kind == wire.KindSubscribe && r.incoming ||
			r.kind == wire.KindPublish && !r.incoming) {
			r.cancelledBy("UNSUBSCRIBE", 0, false, "")
		}
		return nil
	case *wire.FetchCancel:
		if r := s.request(x.RequestID); r != nil && r.kind == wire.KindFetch && r.incoming {
			r.cancelledBy("FETCH_CANCEL", 0, false, "")
		}
		return nil
	case *wire.RequestUpdate:
		return s.routeUpdate(x)
	}
	if m.Kind().Opens() {
		_, err := s.receiveRequest(m, sharedStream{s})
		return err
	}
	id, ok := addressOf(m)
	if !ok {
		return s.breach(wire.NameOf(s.draft, m), wire.ProtocolViolation, rules.MessageStream,
			"it may not come on the control stream")
	}
	if done, isDone := m.(*wire.PublishDone); isDone {
		if r := s.request(id); r != nil {
			return r.receive(done)
		}
		return nil // it may have crossed UNSUBSCRIBE
	}
	return s.routeResponse(m, id)
}

// routeResponse takes a response to the request or update of ours that has its id (draft-19 §6.2).
func (s *Session) routeResponse(m wire.Message, id uint64) error {
	s.mu.Lock()
	r := s.updates[id]
	if r == nil {
		r = s.requests[id]
	}
	_, late := s.lateAnswers[id]
	delete(s.lateAnswers, id)
	late = late || s.anyLate
	s.mu.Unlock()
	name := wire.NameOf(s.draft, m)
	parity, used := s.ids.ours(id)
	switch {
	case !parity:
		return s.breach(name, wire.InvalidRequestID, rules.RequestIDParity,
			"Request ID %d is not of this side's requests", id)
	case r != nil:
		return r.receive(m)
	case late:
		return nil
	case !used:
		return s.breach(name, wire.InvalidRequestID, rules.RequestIDParity, "Request ID %d has not been used", id)
	}
	return s.breach(name, wire.ProtocolViolation, rules.SecondAnswer, "a second response to request %d", id)
}

// routeUpdate takes an update to the request that it names. It must exist or have existed (draft-16 §9.11); what has
// ended is answered with DOES_NOT_EXIST, for the update may have crossed its end.
func (s *Session) routeUpdate(m *wire.RequestUpdate) error {
	if r := s.request(m.ExistingRequestID); r != nil {
		return r.receiveUpdate(m)
	}
	name := wire.NameOf(s.draft, m)
	_, ours := s.ids.ours(m.ExistingRequestID)
	if !ours && !s.ids.existed(m.ExistingRequestID) {
		return s.breach(name, wire.ProtocolViolation, rules.UpdateRequest,
			"it names request %d, which never existed", m.ExistingRequestID)
	}
	if err := s.ids.peer(m, m.RequestID); err != nil {
		return err
	}
	s.Go(func() {
		s.ids.took()
		if s.draft >= wire.Draft15 {
			_ = s.control.write(s.ctx, &wire.RequestError{Answers: wire.KindRequestUpdate, RequestID: m.RequestID,
				Code: RejectDoesNotExist.Number(s.draft, wire.KindSubscribe), Reason: "the request has ended"},
				m.RequestID)
		}
	})
	return nil
}

// announcement finds a PUBLISH_NAMESPACE by id (16) or by namespace (14, 15), of the peer or of ours.
func (s *Session) announcement(incoming bool, id uint64, ns wire.TrackNamespace) *Request {
	return s.find(func(r *Request) bool {
		m, ok := r.message.(*wire.PublishNamespace)
		return ok && r.incoming == incoming && (s.draft >= wire.Draft16 && r.id == id || s.draft <= wire.Draft15 &&
			m.TrackNamespace.Equal(ns))
	})
}

// namespaceSubscription finds a SUBSCRIBE_NAMESPACE of the peer by prefix (14) or id (15).
func (s *Session) namespaceSubscription(m *wire.UnsubscribeNamespace) *Request {
	return s.find(func(r *Request) bool {
		x, ok := r.message.(*wire.SubscribeNamespace)
		return ok && r.incoming && (s.draft == wire.Draft14 && x.Prefix.Equal(m.Prefix) || s.draft >= wire.Draft15 &&
			r.id == m.RequestID)
	})
}

// find looks through the live requests.
func (s *Session) find(ok func(*Request) bool) *Request {
	for _, r := range s.allRequests() {
		if ok(r) {
			return r
		}
	}
	return nil
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
