package moqt

import (
	"context"
	"io"
	"time"
	"unsafe"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// What things count as in a session's account, in bytes: about what they take in memory.
const (
	// streamCost is that of a stream of the peer's that is read: QUIC's part, a goroutine, its buffer.
	streamCost = 8 << 10
	// requestCost is that of a request beside its message.
	requestCost = 8 << 10
	// messageOverhead is that of a message beside what it says, or of a name.
	messageOverhead = 512
	// objectOverhead is that of an object that waits.
	objectOverhead = 256
	parameterCost  = int(unsafe.Sizeof(wire.Parameter{}))
	propertyCost   = int(unsafe.Sizeof(wire.Property{}))
	rangeCost      = int(unsafe.Sizeof(wire.Range{}))
	fieldCost      = int(unsafe.Sizeof(""))
)

// messageCost is what a message takes in memory, in bytes: many small parts take much more there than on the wire.
func messageCost(m wire.Message) int {
	n := messageOverhead
	ns, name, _ := trackOf(m)
	ps := parametersOf(m)
	var properties wire.Properties
	switch x := m.(type) {
	case *wire.Publish:
		properties = x.Properties
	case *wire.SubscribeOK:
		ps, properties = x.Parameters, x.Properties
	case *wire.FetchOK:
		ps, properties = x.Parameters, x.Properties
	case *wire.RequestOK:
		ps, properties = x.Parameters, x.Properties
	case *wire.RequestUpdate:
		ps = x.Parameters
	case *wire.PublishStateNotify:
		ps = x.Parameters
	case *wire.RequestError:
		n += len(x.Reason)
	case *wire.PublishDone:
		n += len(x.Reason)
	case *wire.Namespace:
		ns = x.Suffix
	case *wire.NamespaceDone:
		ns = x.Suffix
	case *wire.PublishSkipped:
		ns, name = x.Suffix, x.TrackName
	}
	n += namespaceCost(ns) + len(name)
	for _, p := range ps {
		n += parameterCost + len(p.Bytes) + len(p.Token.Value) + namespaceCost(p.Namespace) +
			len(p.Inner)*parameterCost + len(p.Ranges.Ranges)*rangeCost
	}
	for _, p := range properties {
		n += propertyCost + len(p.Bytes)
	}
	return n
}

// namespaceCost is what a namespace takes, in bytes.
func namespaceCost(ns wire.TrackNamespace) (n int) {
	for _, field := range ns {
		n += fieldCost + len(field)
	}
	return n
}

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

// hold counts n bytes more of what the request takes; must says whatever the limit. It reports false, and counts
// nothing, when there is no room.
func (r *Request) hold(n int64, must bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.ended:
		return true
	case n < 0:
		r.s.account.Give(HeldRequests, -n)
	case must:
		r.s.account.Force(HeldRequests, n)
	case !r.s.account.Take(HeldRequests, n):
		return false
	}
	r.held += n
	return true
}

// giveBack gives back what the request takes. It has ended.
func (r *Request) giveBack() {
	r.mu.Lock()
	n := r.held
	r.held = 0
	r.mu.Unlock()
	r.s.account.Give(HeldRequests, n)
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

// roomPatience is how long a message or object may wait for room. Longer would be no help: what others need to end may be
// behind it, on its stream or in the window that QUIC has for all.
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

// spareStreams is how many request streams are read at a time although there is no room for them.
const spareStreams = 16

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
