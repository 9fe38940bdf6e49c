package moqt

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Goaway tells the peer on the control channel that this end will close soon (draft-18 §10.4). In 18 a Request ID of 0
// in g becomes the smallest one that the peer has not used, and later requests are refused with GOING_AWAY, as that
// draft demands. In the other drafts the application decides whether to refuse requests, and in all when to close. To
// move one request only, send a *wire.Goaway with Request.Send (18 and later).
func (s *Session) Goaway(ctx context.Context, g *wire.Goaway) error {
	m := *g
	if s.draft == wire.Draft18 {
		s.goaway.mu.Lock()
		s.goaway.sent = true
		s.goaway.mu.Unlock()
		if m.RequestID == 0 {
			m.RequestID = s.ids.firstUnseen()
		}
	}
	return s.control.write(ctx, &m, 0)
}

// goingAway reports whether new requests of the peer must be refused.
func (s *Session) goingAway() bool {
	s.goaway.mu.Lock()
	defer s.goaway.mu.Unlock()
	return s.goaway.sent
}

// PeerGoaway is closed when the peer has sent GOAWAY on the control channel. The session goes on. The application
// decides whether to make new requests, which it SHOULD NOT (draft-18 §10.4).
func (s *Session) PeerGoaway() <-chan struct{} { return s.goaway.came }

// LastGoaway is the GOAWAY that the peer has sent on the control channel, nil if none has come.
func (s *Session) LastGoaway() *wire.Goaway {
	s.goaway.mu.Lock()
	defer s.goaway.mu.Unlock()
	return s.goaway.last
}

// peerGoaway takes GOAWAY from the control channel.
func (s *Session) peerGoaway(m *wire.Goaway) error {
	s.goaway.mu.Lock()
	defer s.goaway.mu.Unlock()
	next, err := s.checkGoaway(s.goaway.state, m)
	if err != nil {
		return err
	}
	if s.draft == wire.Draft18 { // draft-18 §10.4: the Request ID is one of ours
		if parity, _ := s.ids.ours(m.RequestID); !parity {
			return s.breach("GOAWAY", wire.InvalidRequestID, rules.GoawayRequestID,
				"Request ID %d does not have the parity of this side's requests", m.RequestID)
		}
	}
	s.goaway.state, s.goaway.last = next, m
	close(s.goaway.came)
	return nil
}

// checkGoaway judges a GOAWAY on any stream (draft-19 §10.4). Package wire judges the length of the URI.
func (s *Session) checkGoaway(state goawayState, m *wire.Goaway) (goawayState, error) {
	next, err := goawayMachine.next(state, goawayEvent{})
	if err != nil {
		return state, s.breach("GOAWAY", wire.ProtocolViolation, rules.GoawayOnce, "%s", err.(*wire.Error).Reason)
	}
	if m.NewSessionURI != "" && s.side == wire.ServerSide {
		return state, s.breach("GOAWAY", wire.ProtocolViolation, rules.GoawayURI, "a client sent a New Session URI")
	}
	return next, nil
}
