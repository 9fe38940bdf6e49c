package moqt

import (
	"context"
	"errors"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Client starts a session on an established connection: it sends SETUP and waits for the peer's. ctx bounds that wait,
// not the session. The error wraps the *SessionError that ended the session, or the context's cause. The connection is
// then closed and no goroutine is left.
func Client(ctx context.Context, conn transport.Conn, cfg Config) (*Session, error) {
	return start(ctx, conn, cfg, wire.ClientSide)
}

// Server is Client for the end that accepted the connection.
func Server(ctx context.Context, conn transport.Conn, cfg Config) (*Session, error) {
	return start(ctx, conn, cfg, wire.ServerSide)
}

func start(ctx context.Context, conn transport.Conn, cfg Config, side wire.Side) (*Session, error) {
	s, err := newSession(conn, cfg, side)
	if err != nil {
		return nil, err
	}
	if err := s.begin(ctx); err != nil {
		_ = s.Close(wire.NoError, "gave up sending SETUP")
		return nil, fmt.Errorf("sending our setup message: %w", err)
	}
	if err := s.awaitSetup(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// awaitSetup waits for the peer's setup message. A session that was set up and has ended since was set up: who is told
// so late finds its end in the session.
func (s *Session) awaitSetup(ctx context.Context) error {
	select {
	case <-s.setup.done:
		return nil
	case <-ctx.Done():
		cause := context.Cause(ctx)
		_ = s.Close(wire.NoError, "gave up waiting for SETUP")
		return fmt.Errorf("waiting for the peer's setup message: %w", cause)
	case <-s.ctx.Done():
	}
	select {
	case <-s.setup.done:
		return nil
	default:
	}
	cause := s.Err()
	_ = s.Close(wire.InternalError, "")
	if assumed := s.conn.Info().DraftAssumed(); assumed != "" {
		return fmt.Errorf("%w; %s", cause, assumed)
	}
	return cause
}

// begin sends what this end sends first, and starts to listen. The error is a *NoStreamError; any other ends the
// session.
func (s *Session) begin(ctx context.Context) error {
	s.Go(s.watch)
	s.Go(func() { s.watches.run(s.ctx, s.limits.Stall) })
	s.setup.own = s.ownSetup()
	s.limitsOf(s.setup.own.Options)
	if err := s.openControl(ctx); errors.As(err, new(*NoStreamError)) {
		return err
	} else if err != nil {
		s.fail(err)
		return nil
	}
	s.Go(s.acceptUni)
	s.Go(s.acceptBidi)
	s.Go(s.receiveDatagrams)
	return nil
}
