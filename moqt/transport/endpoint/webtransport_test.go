package endpoint

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"
	"github.com/quic-go/webtransport-go"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// foreignServer is webtransport-go's server: the newest draft of WebTransport.
func foreignServer(t *testing.T, protocols []string, serve func(*webtransport.Session)) net.Addr {
	return quicServer(t, "h3", nil, func(q *quic.Conn) {
		srv := &webtransport.Server{H3: &http3.Server{}, ApplicationProtocols: protocols}
		srv.H3.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			session, err := srv.Upgrade(w, r)
			if err != nil {
				t.Errorf("upgrade: %v", err)
				return
			}
			if r.Proto != "webtransport-h3" {
				t.Errorf(":protocol = %s", r.Proto)
			}
			serve(session)
		})
		srv.ServeQUICConn(q)
		srv.Close()
	})
}

func TestClientAgainstAnotherServer(t *testing.T) {
	sessions := make(chan *webtransport.Session, 1)
	addr := foreignServer(t, []string{"moqt-16"}, func(s *webtransport.Session) { sessions <- s })
	ctx := testContext(t)
	c, err := Dial(ctx, DialOptions{URL: urlOf(t, "https", addr, ""), TLS: insecure,
		Drafts: []wire.Draft{wire.Draft18, wire.Draft16}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseWithError(0, "")
	if got := c.Info().Protocol; got != "moqt-16" {
		t.Errorf("protocol %q", got)
	}
	againstForeign(t, ctx, c, <-sessions)
}

// foreignClient is webtransport-go's client.
func foreignClient(t *testing.T, ctx context.Context, addr net.Addr, path string, protocols ...string) (
	*http.Response, *webtransport.Session) {
	t.Helper()
	// On a connection of ours: one that it dials itself it closes together with the session, and what it said last is
	// lost.
	q, err := quic.DialAddr(ctx, addr.String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}},
		quicDefaults())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.CloseWithError(0, "") })
	tr := &webtransport.Transport{ApplicationProtocols: protocols}
	t.Cleanup(func() { tr.Close() })
	cc, err := tr.NewClientConn(q)
	if err != nil {
		t.Fatal(err)
	}
	rsp, s, err := cc.Dial(ctx, "https://"+addr.String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rsp, s
}

func TestServerAgainstAnotherClient(t *testing.T) {
	l := listen(t, ListenOptions{})
	ctx := testContext(t)
	rsp, s := foreignClient(t, ctx, l.Addr(), "/moq", "foo", "moqt-15", "moqt-16")
	c, err := l.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if rsp.StatusCode != 200 || s.SessionState().ApplicationProtocol != "moqt-15" || c.Info().Protocol != "moqt-15" ||
		c.Info().Path != "/moq" {
		t.Errorf("status %d, protocols %q and %q, path %q", rsp.StatusCode, s.SessionState().ApplicationProtocol,
			c.Info().Protocol, c.Info().Path)
	}
	againstForeign(t, ctx, c, s)
}

// againstForeign runs streams, datagrams and codes between our connection and webtransport-go's session.
func againstForeign(t *testing.T, ctx context.Context, ours transport.Conn, theirs *webtransport.Session) {
	payload := bytes.Repeat([]byte("0123456789abcdef"), 10_000)

	// Our bidirectional stream, reset and stopped by both sides.
	a, err := ours.OpenStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	go a.Write(payload)
	b, err := theirs.AcceptStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(io.LimitReader(b, int64(len(payload)))); err != nil || !bytes.Equal(got, payload) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	a.Reset(0x1e)
	_, err = b.Read(make([]byte, 1))
	if diff := cmp.Diff(error(&webtransport.StreamError{Remote: true, ErrorCode: 0x1e}), err); diff != "" {
		t.Error(diff)
	}
	b.CancelWrite(0x3f)
	_, err = a.Read(make([]byte, 1))
	if diff := cmp.Diff(error(&transport.StreamError{StreamID: a.StreamID(), Remote: true, Code: 0x3f}),
		err); diff != "" {
		t.Error(diff)
	}

	// Their unidirectional stream, stopped by us; ours, stopped by them.
	u, err := theirs.OpenUniStreamSync(ctx)
	if err != nil {
		t.Fatal(err)
	}
	u.Write([]byte("hello"))
	r, err := ours.AcceptUniStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	r.Stop(0x5d)
	<-u.Context().Done()
	_, err = u.Write([]byte("x"))
	if diff := cmp.Diff(error(&webtransport.StreamError{Remote: true, ErrorCode: 0x5d}), err); diff != "" {
		t.Error(diff)
	}
	// FIN without a byte.
	w, err := ours.OpenUniStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	x, err := theirs.AcceptUniStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(x); len(got) != 0 || err != nil {
		t.Errorf("an empty stream gave %q, %v", got, err)
	}

	if err := ours.SendDatagram([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	if got, err := theirs.ReceiveDatagram(ctx); string(got) != "ping" || err != nil {
		t.Errorf("datagram %q, %v", got, err)
	}
	if err := theirs.SendDatagram([]byte("pong")); err != nil {
		t.Fatal(err)
	}
	if got, err := ours.ReceiveDatagram(ctx); string(got) != "pong" || err != nil {
		t.Errorf("datagram %q, %v", got, err)
	}

	// A stream of theirs that is open when they close reports the close, not WebTransport's internal code.
	y, err := theirs.OpenStreamSync(ctx)
	if err != nil {
		t.Fatal(err)
	}
	y.Write([]byte("x"))
	z, err := ours.AcceptStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(z, make([]byte, 1))
	theirs.CloseWithError(0x12, "their reason")
	<-ours.Context().Done()
	want := error(&transport.CloseError{Remote: true, Code: 0x12, Reason: "their reason"})
	if diff := cmp.Diff(want, context.Cause(ours.Context())); diff != "" {
		t.Error(diff)
	}
	_, err = z.Read(make([]byte, 1))
	if diff := cmp.Diff(want, err); diff != "" {
		t.Error(diff)
	}
}

func TestOurCloseReachesTheOtherStack(t *testing.T) {
	l := listen(t, ListenOptions{})
	ctx := testContext(t)
	_, s := foreignClient(t, ctx, l.Addr(), "", "moqt-16")
	c, err := l.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c.CloseWithError(0x12, strings.Repeat("ä", 600))
	_, err = s.AcceptStream(ctx)
	want := &webtransport.SessionError{Remote: true, ErrorCode: 0x12, Message: strings.Repeat("ä", 512)}
	if diff := cmp.Diff(error(want), err); diff != "" {
		t.Error(diff)
	}
}

// rustStyle is a server as most public relays have it: old settings, `:protocol = webtransport` alone, no
// RESET_STREAM_AT, a stream of its own before the client has sent anything, and closing with a mapped QUIC code instead
// of a capsule.
func rustStyle(t *testing.T, protocol string,
	serve func(q *quic.Conn, connect *http3.Stream, streams <-chan *quic.Stream)) net.Addr {
	conf := quicDefaults()
	conf.EnableStreamResetPartialDelivery = false
	return quicServer(t, "h3", conf, func(q *quic.Conn) {
		early, err := q.OpenUniStream()
		if err != nil {
			return
		}
		early.Write(append([]byte{0x40, 0x54, 0}, "early"...))
		early.Close()
		streams := make(chan *quic.Stream, 16)
		srv := &http3.Server{AdditionalSettings: map[uint64]uint64{
			0x33: 1, 0xffd277: 1, 0x2b603742: 1, 0x2b603743: 1, 0xc671706a: 1,
		}, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Proto != "webtransport" || r.Header.Get("Sec-Webtransport-Http3-Draft02") != "1" {
				q.CloseWithError(0x10e, "bad protocol")
				return
			}
			w.Header().Set("sec-webtransport-http3-draft", "draft02")
			if protocol != "" {
				w.Header().Set("WT-Protocol", protocol)
			}
			str := w.(http3.HTTPStreamer).HTTPStream()
			go serve(q, str, streams)
			io.Copy(io.Discard, str)
		})}
		raw, err := srv.NewRawServerConn(q)
		if err != nil {
			return
		}
		go func() {
			for {
				s, err := q.AcceptUniStream(q.Context())
				if err != nil {
					return
				}
				go raw.HandleUnidirectionalStream(s)
			}
		}()
		for {
			s, err := q.AcceptStream(q.Context())
			if err != nil {
				return
			}
			if kind, err := quicvarint.Peek(s); err == nil && kind == 0x41 {
				io.ReadFull(s, make([]byte, 3)) // 0x4041, session 0
				streams <- s
				continue
			}
			go raw.HandleRequestStream(s)
		}
	})
}

// A stream that is reset before its type came is told of like on raw QUIC: as one that gives the reset.
func TestStreamResetBeforeItsType(t *testing.T) {
	addr := rustStyle(t, `"moqt-16"`, func(q *quic.Conn, _ *http3.Stream, _ <-chan *quic.Stream) {
		if s, err := q.OpenUniStream(); err == nil {
			s.CancelWrite(0x52e4a40fa8db + 5)
		}
	})
	ctx := testContext(t)
	c, err := Dial(ctx, DialOptions{URL: urlOf(t, "https", addr, "/p"), TLS: insecure,
		Drafts: []wire.Draft{wire.Draft16}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseWithError(0, "")
	for range 2 { // the early one, and this; in any order
		u, err := c.AcceptUniStream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(u)
		if string(got) == "early" && err == nil {
			continue
		}
		if diff := cmp.Diff(error(&transport.StreamError{StreamID: u.StreamID(), Remote: true, Code: 5}),
			err); diff != "" {
			t.Errorf("%q: %s", got, diff)
		}
	}
}

func TestClientAgainstOldServers(t *testing.T) {
	for _, tt := range []struct {
		header, protocol string
		draft            wire.Draft
	}{{`"moqt-16"`, "moqt-16", wire.Draft16}, {"moqt-16", "moqt-16", wire.Draft16},
		{`"moqt-16";q=1`, "moqt-16", wire.Draft16}, {"", "", wire.Draft14}} {
		t.Run("WT-Protocol "+tt.header, func(t *testing.T) {
			addr := rustStyle(t, tt.header, func(q *quic.Conn, connect *http3.Stream, streams <-chan *quic.Stream) {
				s := <-streams
				io.CopyN(s, s, 4)
				s.Read(make([]byte, 1))
				s.CancelWrite(0x52e4a40fa8db + 5)
				connect.ReceiveDatagram(q.Context())
				q.SendDatagram([]byte("\x01another session's"))
				q.SendDatagram([]byte("\x00pong"))
				s = <-streams
				s.Read(make([]byte, 1))
				q.CloseWithError(0x52e4a40fa8db+0x21+1, "like quinn") // application code 0x21
			})
			ctx := testContext(t)
			c, err := Dial(ctx, DialOptions{URL: urlOf(t, "https", addr, "/p"), TLS: insecure,
				Drafts: []wire.Draft{wire.Draft16, wire.Draft14}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseWithError(0, "")
			if d, ok := transport.NegotiatedDraft(c.Info()); c.Info().Protocol != tt.protocol || d != tt.draft || !ok {
				t.Errorf("protocol %q, %v", c.Info().Protocol, d)
			}
			u, err := c.AcceptUniStream(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(u); string(got) != "early" || err != nil {
				t.Errorf("the early stream gave %q, %v", got, err)
			}
			s, err := c.OpenStream(ctx)
			if err != nil {
				t.Fatal(err)
			}
			s.Write([]byte("echo"))
			got := make([]byte, 4)
			if _, err := io.ReadFull(s, got); string(got) != "echo" || err != nil {
				t.Errorf("echo %q, %v", got, err)
			}
			s.Write([]byte("."))
			_, err = s.Read(got)
			if diff := cmp.Diff(error(&transport.StreamError{StreamID: s.StreamID(), Remote: true, Code: 5}),
				err); diff != "" {
				t.Error(diff)
			}
			if err := c.SendDatagram([]byte("ping")); err != nil {
				t.Fatal(err)
			}
			if d, err := c.ReceiveDatagram(ctx); string(d) != "pong" || err != nil {
				t.Errorf("datagram %q, %v", d, err)
			}
			if s, err = c.OpenStream(ctx); err != nil {
				t.Fatal(err)
			}
			s.Write([]byte("x"))
			<-c.Context().Done()
			var cause *transport.CloseError
			if !errors.As(context.Cause(c.Context()), &cause) || !cause.Remote || cause.Transport ||
				cause.Code != 0x21 || cause.Reason != "like quinn" {
				t.Errorf("cause %v", context.Cause(c.Context()))
			}
		})
	}
}

func TestForeignCodesAreToldApart(t *testing.T) {
	addr := rustStyle(t, `"moqt-16"`, func(q *quic.Conn, connect *http3.Stream, streams <-chan *quic.Stream) {
		s := <-streams
		s.CancelWrite(0x10c)
		s.CancelRead(0x10c)
		<-streams
		q.CloseWithError(0x102, "oops")
	})
	ctx := testContext(t)
	c, err := Dial(ctx, DialOptions{URL: urlOf(t, "https", addr, ""), TLS: insecure})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseWithError(0, "")
	s, err := c.OpenStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.Write([]byte("x"))
	_, err = s.Read(make([]byte, 1))
	if diff := cmp.Diff(error(&transport.StreamError{StreamID: s.StreamID(), Remote: true, Code: 0x10c,
		Transport: true}), err); diff != "" {
		t.Error(diff)
	}
	if s, err = c.OpenStream(ctx); err != nil {
		t.Fatal(err)
	}
	s.Write([]byte("x"))
	<-c.Context().Done()
	var cause *transport.CloseError
	if !errors.As(context.Cause(c.Context()), &cause) || !cause.Remote || !cause.Transport || cause.Code != 0x102 ||
		!cause.HTTP3 || cause.Name != "H3_INTERNAL_ERROR" || cause.Reason != "oops" {
		t.Errorf("cause %v", context.Cause(c.Context()))
	}
}

// A server that ends the QUIC connection with MoQT's code has put it where HTTP/3's codes stand.
func TestCodeInTheWrongPlace(t *testing.T) {
	addr := rustStyle(t, `"moqt-16"`, func(q *quic.Conn, _ *http3.Stream, streams <-chan *quic.Stream) {
		<-streams
		q.CloseWithError(0x3, "a second SETUP")
	})
	ctx := testContext(t)
	c, err := Dial(ctx, DialOptions{URL: urlOf(t, "https", addr, ""), TLS: insecure})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseWithError(0, "")
	s, err := c.OpenStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.Write([]byte("x"))
	<-c.Context().Done()
	var cause *transport.CloseError
	if !errors.As(context.Cause(c.Context()), &cause) {
		t.Fatal(context.Cause(c.Context()))
	}
	if code, ok := cause.MisplacedCode(); !ok || code != 3 || cause.Reason != "a second SETUP" {
		t.Errorf("misplaced %v, code 0x%x, reason %q", ok, code, cause.Reason)
	}
	for _, part := range []string{"HTTP/3 code 0x3", "CLOSE_WEBTRANSPORT_SESSION"} {
		if !strings.Contains(cause.Error(), part) {
			t.Errorf("%q is not in %q", part, cause)
		}
	}
}
