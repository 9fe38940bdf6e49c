package wtconn_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"

	"github.com/moqinterop/moq-interop-client/internal/leak"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/transport/internal/quietlog"
)

func TestMain(m *testing.M) { leak.VerifyTestMain(quietlog.Run{M: m}) }

// victim is a side of ours, and a QUIC connection of a peer that may write on it what it likes.
type victim struct {
	t      testing.TB
	server bool // ours is the server
	peer   *quic.Conn
	ctx    context.Context
	first  *quic.Stream // the stream of the request: the peer opens it, or our client does
	rest   []*quic.SendStream
	used   bool // see use
	// patience is how long our client's request is waited for.
	patience time.Duration
	// ours gives our side's session, or why there is none.
	ours func() (transport.Conn, error)
	once sync.Once
	conn transport.Conn
	err  error
}

// attacked has what serves many victims of one kind: a server of ours, or one that our clients dial.
type attacked struct {
	server bool
	ours   *endpoint.Listener
	theirs *quic.Listener
	warn   chan error
}

var (
	attackerTLS = &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}}
	quicConf    = &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true}
)

// newAttacked prepares for attacks on our server, or on our client. A panic fails the test.
func newAttacked(t testing.TB, server bool) *attacked {
	t.Helper()
	a := &attacked{server: server, warn: make(chan error, 1024)}
	if server {
		l, err := endpoint.Listen(endpoint.ListenOptions{Addr: "127.0.0.1:0", Panicked: panicked(t),
			Warn: func(err error) {
				select {
				case a.warn <- err:
				default:
				}
			}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		a.ours = l
		return a
	}
	cert, err := endpoint.SelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	conf := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h3"}}
	if a.theirs, err = quic.ListenAddr("127.0.0.1:0", conf, quicConf); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.theirs.Close() })
	return a
}

func panicked(t testing.TB) func(value any, stack []byte) {
	return func(value any, stack []byte) { t.Errorf("panic: %v\n%s", value, stack) }
}

// victim makes a connection. end ends it, and waits until nothing of it is left.
func (a *attacked) victim(t testing.TB) (v *victim, end func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	v = &victim{t: t, server: a.server, ctx: ctx, patience: 2 * time.Second}
	type result struct {
		conn transport.Conn
		err  error
	}
	ours := make(chan result, 1)
	v.ours = func() (transport.Conn, error) {
		v.once.Do(func() { r := <-ours; v.conn, v.err = r.conn, r.err })
		return v.conn, v.err
	}
	var err error
	if a.server {
		if v.peer, err = quic.DialAddr(ctx, a.ours.Addr().String(), attackerTLS, quicConf); err != nil {
			t.Fatal(err)
		}
		accepting, stop := context.WithCancel(ctx)
		context.AfterFunc(v.peer.Context(), stop) // no session can come any more
		go func() {
			conn, err := a.ours.Accept(accepting)
			ours <- result{conn, err}
		}()
	} else {
		u, err := transport.ParseURL("https://" + a.theirs.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := endpoint.Dial(ctx, endpoint.DialOptions{URL: u, TLS: attackerTLS, Panicked: panicked(t)})
			ours <- result{conn, err}
		}()
		if v.peer, err = a.theirs.Accept(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return v, func() {
		v.peer.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
		if conn, err := v.ours(); err == nil {
			select {
			case <-conn.Context().Done():
			case <-time.After(3 * time.Second):
				t.Error("our side does not notice that the connection is over")
			}
			conn.CloseWithError(0, "")
		}
		cancel()
	}
}

// open begins a unidirectional stream with these bytes.
func (v *victim) open(b ...byte) *quic.SendStream {
	v.t.Helper()
	s, err := v.peer.OpenUniStream()
	if err != nil {
		return nil // the connection is over
	}
	s.Write(b)
	v.rest = append(v.rest, s)
	return s
}

// openBidi begins a bidirectional stream with these bytes.
func (v *victim) openBidi(b ...byte) *quic.Stream {
	v.t.Helper()
	s, err := v.peer.OpenStream()
	if err != nil {
		return nil
	}
	s.Write(b)
	return s
}

// controlStream is a control stream with settings that let a session be made.
var controlStream = frames(0, frame(4, setting(0x8, 1), setting(0x33, 1), setting(0xc671706a, 1)))

// request is a WebTransport request for /, and answer the 200 to one (RFC 9204 §4.5).
var (
	request = frame(1, bytes.Join([][]byte{{0, 0, 0xcf, 0xd7, 0x50, 1, 'h', 0xc1, 0x27, 2}, []byte(":protocol"),
		{12}, []byte("webtransport")}, nil))
	answer = frame(1, []byte{0, 0, 0xd9})
)

// establish makes a session: both send SETTINGS, and the request is made and answered.
func (v *victim) establish() {
	v.t.Helper()
	v.open(controlStream...)
	v.ask()
}

// ask sends the request, or answers our client's.
func (v *victim) ask() {
	v.t.Helper()
	if v.first != nil {
		return
	}
	if v.server {
		v.first = v.openBidi(request...)
		return
	}
	limit, cancel := context.WithTimeout(v.ctx, v.patience)
	defer cancel()
	if s, err := v.peer.AcceptStream(limit); err == nil {
		v.first = s
		s.Write(answer)
	}
}

// frame is a frame or capsule of a type, with its parts.
func frame(kind uint64, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(quicvarint.Append(quicvarint.Append(nil, kind), uint64(len(body))), body...)
}

// frames are a stream: its type, and what follows.
func frames(kind uint64, parts ...[]byte) []byte {
	return append(quicvarint.Append(nil, kind), bytes.Join(parts, nil)...)
}

func setting(id, value uint64) []byte { return quicvarint.Append(quicvarint.Append(nil, id), value) }

// wantEnd waits until our side has ended the connection, which has to be with this code.
func (v *victim) wantEnd(code http3.ErrCode) {
	v.t.Helper()
	select {
	case <-v.peer.Context().Done():
	case <-time.After(5 * time.Second):
		v.t.Errorf("the connection goes on, want %s", code)
		return
	}
	var got *quic.ApplicationError
	err := context.Cause(v.peer.Context())
	if !errors.As(err, &got) || !got.Remote || http3.ErrCode(got.ErrorCode) != code {
		v.t.Errorf("the connection ended with %v, want %s", err, code)
	}
}

// wantAlive checks that the session can still be used: a stream each way, and a datagram.
func (v *victim) wantAlive() {
	v.t.Helper()
	conn, err := v.ours()
	if err != nil {
		v.t.Errorf("no session: %v", err)
		return
	}
	defer func() {
		if v.t.Failed() {
			v.t.Logf("the connection: %v", context.Cause(conn.Context()))
		}
	}()
	s, err := conn.OpenUniStream(v.ctx)
	if err != nil {
		v.t.Error(err)
		return
	}
	s.Write([]byte("ours"))
	u := v.open(append([]byte{0x40, 0x54, byte(v.first.StreamID())}, "theirs"...)...)
	if u == nil {
		v.t.Error("the peer's connection is over")
		return
	}
	for {
		r, err := conn.AcceptUniStream(v.ctx)
		if err != nil {
			v.t.Error(err)
			return
		}
		if r.StreamID() != uint64(u.StreamID()) {
			continue
		}
		b := make([]byte, 6)
		r.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, err := r.Read(b); !slices.Equal(b[:n], []byte("theirs")[:n]) || n == 0 {
			v.t.Errorf("%q, %v", b[:n], err)
		}
		return
	}
}
