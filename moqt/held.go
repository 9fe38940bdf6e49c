package moqt

import (
	"context"
	"io"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// holdMessages and holdObjects count what waits in a queue.
func (s *Session) holdMessages(n int) { s.holdQueued(HeldMessages, n) }

func (s *Session) holdObjects(n int) { s.holdQueued(HeldObjects, n) }

func (s *Session) holdQueued(k Held, n int) {
	if n < 0 {
		s.account.Give(k, int64(-n))
		return
	}
	s.account.Force(k, int64(n))
}

// longFrame is the length of a message from which on its decoding is bounded; decodedParts is by how much longer it may
// be in memory, decodedShare which part of what the session may hold is enough for any.
const (
	longFrame    = 2 << 10
	decodedParts = 24
	decodedShare = 8
)

// decodeWithin is decode for a request's stream, where many may be decoded at a time: the longest take room for what
// they may become. The error may be a *TooMuchError.
func (s *Session) decodeWithin(decoded stream.Room, frame []byte, streamID uint64, r *Request) (wire.Message, error) {
	if len(frame) > longFrame {
		n := min(decodedParts*int64(len(frame)), s.limits.HeldBytes/decodedShare)
		if err := decoded.Wait(n); err != nil {
			return nil, err
		}
		defer decoded.Give(n)
	}
	return s.decode(frame, wire.RequestStream, streamID, r)
}

// newMessageReader reads messages from a stream of its own, within what the session may hold.
func (s *Session) newMessageReader(in io.Reader) *messageReader {
	return &messageReader{in: in, draft: s.draft, room: room{s, HeldMessages}}
}

// room is a session's for one kind of what it reads.
type room struct {
	s    *Session
	kind Held
}

// roomPatience is how long a message or object may wait for room. A longer wait would be no help: what others need to
// end may be behind it, on its stream or in the window that QUIC has for all.
const roomPatience = time.Second

// Take implements stream.Room.
func (r room) Take(n int64) bool { return r.s.account.Take(r.kind, n) }

// Give implements stream.Room.
func (r room) Give(n int64) { r.s.account.Give(r.kind, n) }

// Wait implements stream.Room. The error is a *TooMuchError after roomPatience.
func (r room) Wait(n int64) error {
	a := r.s.account
	if a.Take(r.kind, n) {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(r.s.ctx, roomPatience, &TooMuchError{Bytes: n, Limit: a.Limit()})
	defer cancel()
	return a.Wait(ctx, r.kind, n)
}

// spareRoom is that of a stream that is read although there is no room, so that its request can be refused.
type spareRoom struct{ room }

// Wait implements stream.Room.
func (r spareRoom) Wait(n int64) error {
	r.s.account.Force(r.kind, n)
	return nil
}

// admitStream counts a request's stream that has come, and reports whether there was room; where not, it waits until it
// is one of few. The error is the session's end. over counts it out.
func (s *Session) admitStream() (spare bool, over func(), err error) {
	if s.account.Take(HeldStreams, streamCost) {
		return false, func() { s.account.Give(HeldStreams, streamCost) }, nil
	}
	select {
	case s.spares <- struct{}{}:
	case <-s.ctx.Done():
		return false, nil, context.Cause(s.ctx)
	}
	s.account.Force(HeldStreams, streamCost)
	return true, func() {
		s.account.Give(HeldStreams, streamCost)
		<-s.spares
	}, nil
}
