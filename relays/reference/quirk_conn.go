package reference

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The quirks of how and when bytes go out. They are those of a connection, since no message knows of them.

// odd is a connection with such quirks.
type odd struct {
	transport.Conn
	quirks *quirkSet
	draft  wire.Draft
	tasks  sync.WaitGroup // what is sent later

	mu      sync.Mutex
	streams int    // unidirectional ones that were opened
	kept    []byte // a datagram that lets the next one pass
}

// oddly gives the connection with its quirks; wait ends when nothing is to be sent any more, which is soon after the
// connection has ended.
func (q *quirkSet) oddly(conn transport.Conn) (c transport.Conn, wait func()) {
	own := false
	for _, is := range []quirk{closesLate, streamsInPieces, answersBehindData, dataInPieces, dataLate, dataShuffled,
		dataSlow, datagramsLate, datagramsShuffled} {
		own = own || q[is]
	}
	if !own {
		return conn, func() {}
	}
	o := &odd{Conn: conn, quirks: q}
	o.draft, _ = transport.NegotiatedDraft(conn.Info())
	return o, o.tasks.Wait
}

// TellUniStreams implements transport.UniStreamTeller.
func (c *odd) TellUniStreams(f func(id uint64, coming bool)) {
	if t, ok := c.Conn.(transport.UniStreamTeller); ok {
		t.TellUniStreams(f)
	}
}

// CloseWithError implements transport.Conn.
func (c *odd) CloseWithError(code uint64, reason string) error {
	if c.quirks[closesLate] && code != uint64(wire.NoError) {
		pause(c.Context(), 500*time.Millisecond)
	}
	return c.Conn.CloseWithError(code, reason)
}

// OpenUniStream implements transport.Conn.
func (c *odd) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	s, err := c.Conn.OpenUniStream(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	n := c.streams
	c.streams++
	c.mu.Unlock()
	if n == 0 && c.draft >= wire.Draft17 { // the control stream
		if c.quirks[streamsInPieces] {
			return &chopped{SendStream: s, all: true}, nil
		}
		return s, nil
	}
	q := c.quirks
	var lag time.Duration
	switch {
	case q[dataLate]:
		lag = 400 * time.Millisecond
	case q[dataShuffled]:
		lag = []time.Duration{120, 0, 60}[n%3] * time.Millisecond
	}
	if lag > 0 || q[dataSlow] {
		s = &late{SendStream: s, conn: c, lag: lag, slow: q[dataSlow]}
	}
	if q[dataInPieces] {
		s = &chopped{SendStream: s}
	}
	return s, nil
}

// AcceptStream implements transport.Conn.
func (c *odd) AcceptStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.Conn.AcceptStream(ctx)
	if err != nil {
		return nil, err
	}
	return c.both(s), nil
}

// OpenStream implements transport.Conn.
func (c *odd) OpenStream(ctx context.Context) (transport.Stream, error) {
	s, err := c.Conn.OpenStream(ctx)
	if err != nil {
		return nil, err
	}
	return c.both(s), nil
}

// both gives a bidirectional stream its quirks.
func (c *odd) both(s transport.Stream) transport.Stream {
	out := transport.SendStream(s)
	if c.quirks[answersBehindData] {
		out = &late{SendStream: out, conn: c, lag: 150 * time.Millisecond}
	}
	if c.quirks[streamsInPieces] {
		out = &chopped{SendStream: out, all: true}
	}
	return &twoWay{SendStream: out, in: s}
}

// twoWay is a bidirectional stream whose two directions differ.
type twoWay struct {
	transport.SendStream
	in transport.ReceiveStream
}

// Read implements transport.ReceiveStream, as the next two do.
func (s *twoWay) Read(p []byte) (int, error)         { return s.in.Read(p) }
func (s *twoWay) Stop(code uint64)                   { s.in.Stop(code) }
func (s *twoWay) SetReadDeadline(at time.Time) error { return s.in.SetReadDeadline(at) }

// SendDatagram implements transport.Conn.
func (c *odd) SendDatagram(b []byte) error {
	switch {
	case c.quirks[datagramsLate]:
		b = bytes.Clone(b)
		c.tasks.Go(func() {
			pause(c.Context(), 200*time.Millisecond)
			c.Conn.SendDatagram(b)
		})
		return nil
	case !c.quirks[datagramsShuffled]:
		return c.Conn.SendDatagram(b)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if before := c.kept; before != nil {
		c.kept = nil
		err := c.Conn.SendDatagram(b)
		c.Conn.SendDatagram(before)
		return err
	}
	kept := bytes.Clone(b)
	c.kept = kept
	c.tasks.Go(func() { // no other one may come
		pause(c.Context(), 100*time.Millisecond)
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.kept) > 0 && &c.kept[0] == &kept[0] {
			c.kept = nil
			c.Conn.SendDatagram(kept)
		}
	})
	return nil
}

// chopped is a stream whose bytes are written one by one: all of them, or the first ones, and the rest in pieces of an
// odd size.
type chopped struct {
	transport.SendStream
	all   bool
	count int
}

// Write implements transport.SendStream.
func (s *chopped) Write(p []byte) (n int, err error) {
	const first, piece = 48, 1009
	for n < len(p) && err == nil {
		size := 1
		if !s.all && s.count >= first {
			size = min(piece, len(p)-n)
		}
		var wrote int
		wrote, err = s.SendStream.Write(p[n : n+size])
		n += wrote
		s.count += wrote
	}
	return n, err
}

// late is a stream that sends everything some time later than it is told, in the same order.
type late struct {
	transport.SendStream
	conn *odd
	lag  time.Duration
	slow bool

	mu      sync.Mutex
	queue   []sending
	bytes   int
	running bool
	err     error
	room    chan struct{} // closed when there is room again
}

// sending is what waits to be sent: bytes, or FIN without any.
type sending struct {
	at    time.Time
	bytes []byte
}

// Write implements transport.SendStream. It waits while more than 64 KiB wait.
func (s *late) Write(p []byte) (int, error) {
	for {
		s.mu.Lock()
		if s.err != nil {
			defer s.mu.Unlock()
			return 0, s.err
		}
		if s.bytes < 64<<10 {
			break
		}
		if s.room == nil {
			s.room = make(chan struct{})
		}
		room := s.room
		s.mu.Unlock()
		select {
		case <-room:
		case <-s.Context().Done():
			return 0, context.Cause(s.Context())
		}
	}
	defer s.mu.Unlock()
	if len(p) > 0 {
		s.push(bytes.Clone(p))
	}
	return len(p), nil
}

// Close implements transport.SendStream.
func (s *late) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.push(nil)
	}
	return s.err
}

// push queues what is to be sent. The caller holds mu.
func (s *late) push(b []byte) {
	s.queue = append(s.queue, sending{time.Now().Add(s.lag), b})
	s.bytes += len(b)
	if !s.running {
		s.running = true
		s.conn.tasks.Go(s.run)
	}
}

// run sends what is queued, until there is nothing any more.
func (s *late) run() {
	for {
		s.mu.Lock()
		if len(s.queue) == 0 || s.err != nil {
			s.running, s.queue = false, nil
			s.mu.Unlock()
			return
		}
		next := s.queue[0]
		s.mu.Unlock()
		pause(s.Context(), time.Until(next.at))
		err := s.put(next.bytes)
		s.mu.Lock()
		if len(s.queue) > 0 {
			s.queue = s.queue[1:]
		}
		s.bytes -= len(next.bytes)
		if s.err = err; s.room != nil {
			close(s.room)
			s.room = nil
		}
		s.mu.Unlock()
	}
}

// put sends bytes, at 8 Mbit/s if the stream is slow, or FIN.
func (s *late) put(b []byte) error {
	if b == nil {
		return s.SendStream.Close()
	}
	for len(b) > 0 {
		n := len(b)
		if s.slow {
			n = min(n, 10_000)
			pause(s.Context(), 10*time.Millisecond)
		}
		if _, err := s.SendStream.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// Reset implements transport.SendStream. What waits is not sent.
func (s *late) Reset(code uint64) {
	s.mu.Lock()
	if s.err == nil {
		s.err = &transport.StreamError{StreamID: s.StreamID(), Code: code}
	}
	s.mu.Unlock()
	s.SendStream.Reset(code)
}

// pause waits for a time, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
