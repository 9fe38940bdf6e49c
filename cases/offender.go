package cases

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// offender is one end of a session by hand: it sends any bytes anywhere, and judges nothing of what comes. A session of
// package moqt would refuse to send most of that. It can be either side, so that a client can be judged like a relay.
// Safe for concurrent use, except that one stream is written to by one goroutine at a time.
type offender struct {
	conn  transport.Conn
	draft wire.Draft
	side  wire.Side
	// note takes a line of the transcript.
	note func(text string)

	control transport.SendStream // ours
	nextID  uint64

	mu      sync.Mutex
	changed broadcast
	came    []arrivedMessage
	bytes   int // of messages in came
	wait    sync.WaitGroup
	cancel  context.CancelFunc
}

// arrivedMessage is a message of the peer, or the end of a stream of messages.
type arrivedMessage struct {
	// message is nil where it could not be decoded; code is its type.
	message wire.Message
	code    uint64
	// on is the bidirectional stream that it came on; nil for the control stream.
	on transport.Stream
	// opened: the peer opened that stream. first: it is the first message there.
	opened, first bool
	// end says how the stream ended; then there is no message.
	end error
}

// What an offender keeps of a peer's messages: enough for any case, and bounded.
const (
	maxCame      = 4096
	maxCameBytes = 16 << 20
)

// newOffender makes an offender on a connection. Nothing is sent.
func newOffender(conn transport.Conn, d wire.Draft, side wire.Side, note func(string)) *offender {
	x := &offender{conn: conn, draft: d, side: side, note: note, changed: newBroadcast(), cancel: func() {}}
	if side == wire.ServerSide {
		x.nextID = 1
	}
	return x
}

// begin opens our direction of the control channel and begins to read what comes. Our setup message is still to be
// sent, with write. Up to 16 a server's direction comes with the client's.
func (x *offender) begin(ctx context.Context) error {
	if x.draft >= wire.Draft17 {
		s, err := x.conn.OpenUniStream(ctx)
		if err != nil {
			return err
		}
		x.control = s
	} else {
		var s transport.Stream
		var err error
		if x.side == wire.ClientSide {
			s, err = x.conn.OpenStream(ctx)
		} else {
			s, err = x.conn.AcceptStream(ctx)
		}
		if err != nil {
			return err
		}
		x.control = s
		x.read(nil, s, false)
	}
	x.listen()
	return nil
}

// listen begins to take the peer's streams.
func (x *offender) listen() {
	ctx, cancel := context.WithCancel(x.conn.Context())
	x.cancel = cancel
	x.wait.Go(func() {
		for {
			s, err := x.conn.AcceptStream(ctx)
			if err != nil {
				return
			}
			x.read(s, s, true)
		}
	})
	x.wait.Go(func() {
		for {
			s, err := x.conn.AcceptUniStream(ctx)
			if err != nil {
				return
			}
			x.wait.Go(func() { x.uni(s) })
		}
	})
}

// uni reads a unidirectional stream of the peer: the control stream's messages, and nothing of objects.
func (x *offender) uni(s transport.ReceiveStream) {
	if x.draft < wire.Draft17 {
		_, _ = io.Copy(io.Discard, s)
		return
	}
	head := make([]byte, 1)
	if _, err := io.ReadFull(s, head); err != nil {
		return
	}
	setup := wire.AppendVarint(nil, x.draft, 0x2F00)
	if head[0] != setup[0] {
		_, _ = io.Copy(io.Discard, s)
		return
	}
	x.messages(nil, io.MultiReader(bytes.NewReader(head), s), false)
}

// read begins to read the messages of a stream.
func (x *offender) read(on transport.Stream, in io.Reader, opened bool) {
	x.wait.Go(func() { x.messages(on, in, opened) })
}

func (x *offender) messages(on transport.Stream, in io.Reader, opened bool) {
	var buf []byte
	piece := make([]byte, 4096)
	first := true
	for {
		n, err := in.Read(piece)
		buf = append(buf, piece[:n]...)
		for {
			n := x.message(buf, arrivedMessage{on: on, opened: opened, first: first})
			if n == 0 {
				break
			}
			first, buf = false, buf[n:]
		}
		if err != nil || len(buf) > 1<<17 {
			x.add(arrivedMessage{on: on, opened: opened, end: errors.Join(err, io.EOF)}, 0)
			return
		}
	}
}

// message takes the first message of b, and gives its length; 0 while it is not whole.
func (x *offender) message(b []byte, a arrivedMessage) int {
	code, _, n, _, err := wire.Frame(b, x.draft)
	if err != nil || n == 0 {
		return 0
	}
	kind := streamKind(a.on)
	a.code = code
	a.message, _, err = wire.ParseMessage(b[:n], x.draft, kind, wire.Options{Tolerate: alwaysTolerated})
	if err == nil {
		x.note("<- " + messageText(x.draft, a.message, kind))
	} else {
		a.message = nil
		x.note(fmt.Sprintf("<- message 0x%x that cannot be read: %v", code, err))
	}
	x.add(a, n)
	return n
}

func (x *offender) add(a arrivedMessage, size int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.bytes += size; len(x.came) < maxCame && x.bytes < maxCameBytes {
		x.came = append(x.came, a)
	}
	x.changed.fire()
}

// errClosed is the cause of a wait that ended because the connection did.
var errClosed = errors.New("the connection ended")

// seen is how many messages have come.
func (x *offender) seen() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.came)
}

// await waits for a message that is wanted, behind the first seen ones. The error is errClosed when the connection ends
// first, or the cause of ctx.
func (x *offender) await(ctx context.Context, seen int, want func(a *arrivedMessage) bool) (arrivedMessage, error) {
	for {
		x.mu.Lock()
		for ; seen < len(x.came); seen++ {
			if a := x.came[seen]; want(&a) {
				x.mu.Unlock()
				return a, nil
			}
		}
		changed := x.changed.wait()
		x.mu.Unlock()
		select {
		case <-changed:
		case <-x.conn.Context().Done():
			return arrivedMessage{}, errClosed
		case <-ctx.Done():
			return arrivedMessage{}, context.Cause(ctx)
		}
	}
}

// setup sends a good setup message, with more options, and waits for the peer's.
func (x *offender) setup(ctx context.Context, options ...wire.Property) error {
	if err := x.begin(ctx); err != nil {
		return err
	}
	b, err := wire.AppendUnchecked(nil, x.draft, x.setupMessage(options...), wire.ControlStream)
	if err != nil {
		return err
	}
	if err := x.write(x.control, b); err != nil {
		return err
	}
	return x.waitSetup(ctx)
}

// waitSetup waits for the peer's setup message.
func (x *offender) waitSetup(ctx context.Context) error {
	_, err := x.await(ctx, 0, func(a *arrivedMessage) bool {
		return a.message != nil && a.message.Kind() == wire.KindSetup
	})
	return err
}

// setupMessage is a good setup message of ours.
func (x *offender) setupMessage(options ...wire.Property) *wire.Setup {
	m := &wire.Setup{Sender: x.side, Versions: []uint64{x.draft.Version()}, SelectedVersion: x.draft.Version()}
	if x.draft <= wire.Draft16 {
		m.Options = append(m.Options, wire.Property{Type: wire.OptionMaxRequestID, Uint: 1000})
	}
	m.Options = append(m.Options, options...)
	sortProperties(m.Options)
	return m
}

// write sends bytes on a stream.
func (x *offender) write(to transport.SendStream, b []byte) error {
	_, err := to.Write(b)
	return err
}

// id takes the next Request ID.
func (x *offender) id() uint64 {
	x.nextID += 2
	return x.nextID - 2
}

// ownStream reports whether a request of a kind has a stream of its own.
func ownStream(d wire.Draft, kind wire.Kind) bool {
	return d >= wire.Draft17 || d == wire.Draft16 && kind == wire.KindSubscribeNamespace
}

// asked is a request that was sent, or one that came.
type asked struct {
	id   uint64
	kind wire.Kind
	on   transport.Stream // nil up to 16, but for SUBSCRIBE_NAMESPACE of 16
	// after is how many messages had come before it was sent.
	after int
}

// open gives the stream for a request of a kind.
func (x *offender) open(ctx context.Context, kind wire.Kind) (transport.Stream, error) {
	if !ownStream(x.draft, kind) {
		return nil, nil
	}
	s, err := x.conn.OpenStream(ctx)
	if err != nil {
		return nil, err
	}
	x.read(s, s, false)
	return s, nil
}

// to is where messages of a request go.
func (x *offender) to(s transport.Stream) transport.SendStream {
	if s == nil {
		return x.control
	}
	return s
}

// request sends a good request.
func (x *offender) request(ctx context.Context, m wire.Message) (*asked, error) {
	q := &asked{id: idOf(m), kind: m.Kind(), after: x.seen()}
	var err error
	if q.on, err = x.open(ctx, q.kind); err != nil {
		return nil, err
	}
	b, err := wire.AppendUnchecked(nil, x.draft, m, streamKind(q.on))
	if err != nil {
		return nil, err
	}
	x.note("-> " + messageText(x.draft, m, streamKind(q.on)))
	return q, x.write(x.to(q.on), b)
}

// send sends a good message that belongs to a request.
func (x *offender) send(q *asked, m wire.Message) error {
	b, err := wire.AppendUnchecked(nil, x.draft, m, streamKind(q.on))
	if err != nil {
		return err
	}
	x.note("-> " + messageText(x.draft, m, streamKind(q.on)))
	return x.write(x.to(q.on), b)
}

func streamKind(s transport.Stream) wire.StreamKind {
	if s == nil {
		return wire.ControlStream
	}
	return wire.RequestStream
}

// answer waits for the first message that answers a request. The error is errClosed, the cause of ctx, or io.EOF for a
// stream that ended without an answer.
func (x *offender) answer(ctx context.Context, q *asked) (wire.Message, error) {
	a, err := x.await(ctx, q.after, func(a *arrivedMessage) bool {
		id, ok := answerID(a.message)
		switch {
		case q.on == nil:
			return ok && id == q.id
		case q.kind == wire.KindRequestUpdate: // among other messages of its request
			return a.on == q.on && (ok || a.message == nil)
		}
		return a.on == q.on
	})
	if err == nil && a.message == nil {
		err = io.EOF
	}
	return a.message, err
}

// answerID is the request that a message of 14 to 16 answers.
func answerID(m wire.Message) (id uint64, ok bool) {
	switch m := m.(type) {
	case *wire.RequestOK:
		return m.RequestID, true
	case *wire.RequestError:
		return m.RequestID, true
	case *wire.SubscribeOK:
		return m.RequestID, true
	case *wire.FetchOK:
		return m.RequestID, true
	}
	return 0, false
}

// incoming waits for a request of the peer.
func (x *offender) incoming(ctx context.Context, want func(m wire.Message) bool) (*asked, wire.Message, error) {
	a, err := x.await(ctx, 0, func(a *arrivedMessage) bool {
		return a.message != nil && (a.on == nil || a.opened) && want(a.message)
	})
	if err != nil {
		return nil, nil, err
	}
	return &asked{id: idOf(a.message), kind: a.message.Kind(), on: a.on}, a.message, nil
}

// idOf is the Request ID of a request.
func idOf(m wire.Message) uint64 {
	switch m := m.(type) {
	case *wire.Subscribe:
		return m.RequestID
	case *wire.Publish:
		return m.RequestID
	case *wire.Fetch:
		return m.RequestID
	case *wire.TrackStatus:
		return m.RequestID
	case *wire.PublishNamespace:
		return m.RequestID
	case *wire.SubscribeNamespace:
		return m.RequestID
	case *wire.SubscribeTracks:
		return m.RequestID
	case *wire.RequestUpdate:
		return m.RequestID
	}
	return 0
}

// breaks writes a line of the transcript for bytes that break a rule. It says the same as decode says of them, where
// the bytes alone show the breach, and else what the case says.
func (x *offender) breaks(rule rules.ID, what string, kind wire.StreamKind, b []byte) {
	why := what
	dec := wire.NewLineDecoder(x.draft, kind, wire.Options{})
	_, err := dec.Decode(b, true)
	var broken *wire.Error
	if errors.As(err, &broken) && broken.Code != wire.InternalError && !errors.Is(err, wire.ErrIncomplete) {
		why = broken.Error()
	}
	x.note(fmt.Sprintf("-> (raw, breaks rule %s: %s) %s", rule, why, hexText(b)))
}

// hexText is the beginning of bytes in hex.
func hexText(b []byte) string {
	text := hex.EncodeToString(b[:min(len(b), maxRaw)])
	if len(b) > maxRaw {
		text += fmt.Sprintf("… (%d bytes)", len(b))
	}
	return text
}

// sortProperties sorts options by type, as deltas want them.
func sortProperties(ps wire.Properties) {
	slices.SortStableFunc(ps, func(a, b wire.Property) int { return cmp.Compare(a.Type, b.Type) })
}

// maxRaw is how many raw bytes a line of the transcript shows.
const maxRaw = 64

// ended is how the connection ended; nil while it is open.
func (x *offender) ended() *transport.CloseError {
	if x.conn.Context().Err() == nil {
		return nil
	}
	var c *transport.CloseError
	if !errors.As(context.Cause(x.conn.Context()), &c) {
		return &transport.CloseError{Reason: fmt.Sprint(context.Cause(x.conn.Context()))}
	}
	return c
}

// waitEnded waits for the end of the connection, at most for a time.
func (x *offender) waitEnded(ctx context.Context, limit time.Duration) bool {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-x.conn.Context().Done():
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return false
}

// close ends the session and waits for its goroutines.
func (x *offender) close() {
	x.conn.CloseWithError(uint64(wire.NoError), "")
	x.cancel()
	x.wait.Wait()
}
