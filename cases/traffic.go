package cases

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// traffic is a session's connection that counts the bytes of objects in both directions. To judge a wait one has to
// know whether the objects are still on their way. Safe for concurrent use.
type traffic struct {
	transport.Conn

	mu sync.Mutex
	// open are the peer's unidirectional streams that have not ended.
	open map[uint64]*inflow
	// latest is the stream on which bytes came last.
	latest *inflow
	down   flow
	up     flow
	// chopped: streams are written byte by byte, with a pause behind each byte.
	chopped atomic.Bool
	// fetches counts the peer's streams of fetches and fills.
	fetches int
	// blocked is when the last write ended that had to wait for the path.
	blocked time.Time
	// keep takes the streams that the session stops; nil while they are stopped.
	keep atomic.Pointer[keptStreams]
}

// inflow is one unidirectional stream of the peer.
type inflow struct {
	bytes int64
	last  time.Time
	// header, group and subgroup are known once a subgroup's header has come, fetch once a fetch's header has.
	header, fetch   bool
	group, subgroup uint64
	// control: the stream carries messages, not objects.
	control bool
}

// flow is bytes of objects in one direction.
type flow struct {
	bytes       int64
	first, last time.Time
	// busy is how long writes had to wait. best is the highest rate, in bit/s, of any run of bestPieces pieces.
	busy  time.Duration
	best  float64
	marks [bestPieces]time.Time
	n     int
}

const (
	// piece is how many bytes are written at a time, so that the progress of a long write shows.
	piece = 64 << 10
	// bestPieces is how many pieces are sent at the pace of the path, and not just into its queue.
	bestPieces = 4
	// blockedTime is how long a write takes at least if it waits for the path.
	blockedTime = 5 * time.Millisecond
)

func newTraffic(c transport.Conn) *traffic { return &traffic{Conn: c, open: map[uint64]*inflow{}} }

func (f *flow) add(n int, now time.Time) {
	if n == 0 {
		return
	}
	if f.bytes == 0 {
		f.first = now
	}
	f.bytes += int64(n)
	f.last = now
}

// rate is the mean rate since the first byte, in bit/s; 0 when nothing came.
func (f *flow) rate(now time.Time) float64 {
	if f.bytes == 0 {
		return 0
	}
	return float64(f.bytes) * 8 / max(now.Sub(f.first), time.Millisecond).Seconds()
}

// carried is the rate that the path has shown to carry, in bit/s: the mean rate of writes that had to wait, or the rate
// of the best run; 0 if too little was written to tell.
func (f *flow) carried() float64 {
	mean := 0.0
	if f.bytes >= piece {
		mean = float64(f.bytes) * 8 / max(f.busy, time.Millisecond).Seconds()
	}
	return max(mean, f.best)
}

// header says that a stream of the peer carries a subgroup, fetch that it carries a fetch.
func (t *traffic) header(id uint64, group, subgroup uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.open[id]; s != nil {
		s.header, s.group, s.subgroup = true, group, subgroup
	}
}

func (t *traffic) fetch(id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fetches++
	if s := t.open[id]; s != nil {
		s.fetch = true
	}
}

// fetchStreams is how many streams of fetches and fills have come.
func (t *traffic) fetchStreams() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.fetches
}

// message says that a stream of the peer carries messages, so that its bytes are not those of objects.
func (t *traffic) message(id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.open[id]; s != nil && !s.control {
		s.control = true
		t.down.bytes -= s.bytes
		if t.down.bytes == 0 {
			t.down = flow{}
		}
		if t.latest == s {
			t.latest = nil
		}
	}
}

// came counts bytes that came on a stream of the peer.
func (t *traffic) came(s *inflow, n int) {
	if n == 0 {
		return
	}
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.control {
		return
	}
	s.bytes += int64(n)
	s.last, t.latest = now, s
	t.down.add(n, now)
}

// went counts one write of ours.
func (t *traffic) went(n int, began, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.up.add(n, now)
	took := now.Sub(began)
	t.up.busy += took
	if took >= blockedTime && n > 0 {
		t.blocked = now
	}
	if n < piece {
		return
	}
	if t.up.n >= bestPieces {
		took := now.Sub(t.up.marks[t.up.n%bestPieces])
		t.up.best = max(t.up.best, bestPieces*piece*8/max(took, time.Millisecond).Seconds())
	}
	t.up.marks[t.up.n%bestPieces] = now
	t.up.n++
}

// ended forgets a stream that has ended.
func (t *traffic) ended(id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, id)
}

// bytesIn is how many bytes of objects have come.
func (t *traffic) bytesIn() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.down.bytes
}

// lastByte is when the last bytes of objects came, or went out if they had to wait for the path.
func (t *traffic) lastByte() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.blocked.After(t.down.last) {
		return t.blocked
	}
	return t.down.last
}

// Path implements transport.PathTeller. If the Conn does not, nothing is known.
func (t *traffic) Path() transport.Path {
	if p, ok := t.Conn.(transport.PathTeller); ok {
		return p.Path()
	}
	return transport.Path{}
}

// TellUniStreams implements transport.UniStreamTeller. If the Conn does not, nothing is told.
func (t *traffic) TellUniStreams(f func(id uint64, coming bool)) {
	if c, ok := t.Conn.(transport.UniStreamTeller); ok {
		c.TellUniStreams(f)
	}
}

// AcceptUniStream implements transport.Conn.
func (t *traffic) AcceptUniStream(ctx context.Context) (transport.ReceiveStream, error) {
	s, err := t.Conn.AcceptUniStream(ctx)
	if err != nil {
		return s, err
	}
	in := &inflow{}
	t.mu.Lock()
	t.open[s.StreamID()] = in
	t.mu.Unlock()
	return &countedReceiveStream{ReceiveStream: s, t: t, in: in, reading: make(chan struct{}, 1)}, nil
}

// OpenUniStream implements transport.Conn.
func (t *traffic) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	s, err := t.Conn.OpenUniStream(ctx)
	if err != nil {
		return s, err
	}
	return &countedSendStream{SendStream: s, t: t}, nil
}

// ReceiveDatagram implements transport.Conn.
func (t *traffic) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	b, err := t.Conn.ReceiveDatagram(ctx)
	if err == nil {
		now := time.Now()
		t.mu.Lock()
		defer t.mu.Unlock()
		t.down.add(len(b), now)
	}
	return b, err
}

// OpenStream implements transport.Conn.
func (t *traffic) OpenStream(ctx context.Context) (transport.Stream, error) {
	s, err := t.Conn.OpenStream(ctx)
	if err != nil {
		return s, err
	}
	return &choppedStream{s, t}, nil
}

// AcceptStream implements transport.Conn.
func (t *traffic) AcceptStream(ctx context.Context) (transport.Stream, error) {
	s, err := t.Conn.AcceptStream(ctx)
	if err != nil {
		return s, err
	}
	return &choppedStream{s, t}, nil
}

// choppedStream is a bidirectional stream that is written byte by byte while its connection is chopped.
type choppedStream struct {
	transport.Stream
	t *traffic
}

// Write implements io.Writer.
func (s *choppedStream) Write(p []byte) (int, error) {
	if s.t.chopped.Load() {
		return chop(s.Stream, p)
	}
	return s.Stream.Write(p)
}

// chopPause is long enough that a byte has a packet of its own.
const chopPause = 500 * time.Microsecond

// chop writes byte by byte.
func chop(w io.Writer, p []byte) (int, error) {
	for i := range p {
		if _, err := w.Write(p[i : i+1]); err != nil {
			return i, err
		}
		time.Sleep(chopPause)
	}
	return len(p), nil
}

type countedReceiveStream struct {
	transport.ReceiveStream
	t  *traffic
	in *inflow
	// kept is set once the session has stopped the stream, and the peer is not to know. reading has room for the one
	// who reads.
	kept    atomic.Pointer[keptStream]
	reading chan struct{}
}

// Read implements io.Reader.
func (s *countedReceiveStream) Read(p []byte) (int, error) {
	n, err := s.read(p)
	if x := s.kept.Load(); x != nil {
		return 0, &transport.StreamError{StreamID: s.StreamID(), Stop: true, Code: x.code}
	}
	return n, err
}

// read reads what has come, whether or not the session has stopped the stream.
func (s *countedReceiveStream) read(p []byte) (int, error) {
	s.reading <- struct{}{}
	n, err := s.ReceiveStream.Read(p)
	<-s.reading
	s.t.came(s.in, n)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		s.t.ended(s.StreamID())
	}
	return n, err
}

// Stop implements transport.ReceiveStream.
func (s *countedReceiveStream) Stop(code uint64) {
	if k := s.t.keep.Load(); k != nil && k.take(s, code) {
		return
	}
	s.ReceiveStream.Stop(code)
	s.t.ended(s.StreamID())
}

type countedSendStream struct {
	transport.SendStream
	t *traffic
}

// Write implements io.Writer. It sends a long write in pieces.
func (s *countedSendStream) Write(p []byte) (written int, err error) {
	if s.t.chopped.Load() {
		return chop(s.SendStream, p)
	}
	for {
		part := p[written:min(len(p), written+piece)]
		began := time.Now()
		n, err := s.SendStream.Write(part)
		s.t.went(n, began, time.Now())
		written += n
		if err != nil || written == len(p) {
			return written, err
		}
	}
}
