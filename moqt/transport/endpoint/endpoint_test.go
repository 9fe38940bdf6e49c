package endpoint

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/internal/leak"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/internal/quietlog"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestMain(m *testing.M) { leak.VerifyTestMain(quietlog.Run{M: m}) }

// insecure accepts any certificate.
var insecure = &tls.Config{InsecureSkipVerify: true}

func listen(t *testing.T, opts ListenOptions) *Listener {
	t.Helper()
	if opts.Addr == "" {
		opts.Addr = "127.0.0.1:0"
	}
	if opts.Warn == nil {
		opts.Warn = func(err error) { t.Logf("listener: %v", err) }
	}
	l, err := Listen(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func urlOf(t *testing.T, scheme string, addr net.Addr, path string) transport.URL {
	t.Helper()
	u, err := transport.ParseURL(scheme + "://" + addr.String() + path)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// connect gives both ends of a connection.
func connect(t *testing.T, lopts ListenOptions, dopts DialOptions, scheme, path string) (
	client, server transport.Conn) {
	t.Helper()
	l := listen(t, lopts)
	ctx := testContext(t)
	dopts.URL = urlOf(t, scheme, l.Addr(), path)
	if dopts.TLS == nil {
		dopts.TLS = insecure
	}
	client, err := Dial(ctx, dopts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.CloseWithError(0, "") })
	if server, err = l.Accept(ctx); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// schemes are the two ways to one port, with the drafts pinned to one.
var schemes = []struct {
	scheme string
	kind   transport.Kind
}{{"moqt", transport.QUIC}, {"https", transport.WebTransport}}

func TestStreamsDatagramsAndCloseBothWays(t *testing.T) {
	for _, s := range schemes {
		for _, closer := range []string{"client", "server"} {
			t.Run(s.scheme+"/"+closer+" closes", func(t *testing.T) {
				client, server := connect(t, ListenOptions{},
					DialOptions{Drafts: []wire.Draft{wire.Draft18}, Transport: transport.Auto}, s.scheme, "/a?b=c")
				if s.kind == transport.QUIC && client.Info().Kind != transport.QUIC {
					t.Fatalf("kind %s", client.Info().Kind)
				}
				echo(t, client, server)
				echo(t, server, client)
				here, there := client, server
				if closer == "server" {
					here, there = server, client
				}
				if err := here.CloseWithError(0x17, "enough"); err != nil {
					t.Error(err)
				}
				<-there.Context().Done()
				for _, side := range []struct {
					conn transport.Conn
					want *transport.CloseError
				}{{here, &transport.CloseError{Code: 0x17, Reason: "enough"}},
					{there, &transport.CloseError{Code: 0x17, Reason: "enough", Remote: true}}} {
					_, err := side.conn.AcceptStream(t.Context())
					var got *transport.CloseError
					if !errors.As(err, &got) || !errors.Is(err, net.ErrClosed) {
						t.Fatalf("AcceptStream after the end: %v", err)
					}
					bare := *got
					bare.Err = nil
					if diff := cmp.Diff(side.want, &bare); diff != "" {
						t.Error(diff)
					}
					if context.Cause(side.conn.Context()) != error(got) {
						t.Errorf("the context's cause is %v, AcceptStream's error %v",
							context.Cause(side.conn.Context()), got)
					}
					for what, err := range map[string]error{
						"OpenStream":      fault(side.conn.OpenStream(t.Context())),
						"OpenUniStream":   fault(side.conn.OpenUniStream(t.Context())),
						"AcceptUniStream": fault(side.conn.AcceptUniStream(t.Context())),
						"ReceiveDatagram": fault(side.conn.ReceiveDatagram(t.Context())),
						"SendDatagram":    side.conn.SendDatagram([]byte("x")),
					} {
						if err != error(got) {
							t.Errorf("%s after the end: %v", what, err)
						}
					}
				}
			})
		}
	}
}

func fault[T any](_ T, err error) error { return err }

// echo sends a large bidirectional stream, a unidirectional one and a datagram from a to b and back.
func echo(t *testing.T, a, b transport.Conn) {
	t.Helper()
	ctx := testContext(t)
	payload := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	go func() {
		s, err := b.AcceptStream(ctx)
		if err != nil {
			return
		}
		io.Copy(s, s)
		s.Close()
	}()
	s, err := a.OpenStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	go func() { s.Write(payload); s.Close() }()
	if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, payload) {
		t.Fatalf("echo: %d bytes of %d, %v", len(got), len(payload), err)
	}

	u, err := a.OpenUniStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := u.Write(payload[:100]); n != 100 || err != nil {
		t.Fatalf("Write = %d, %v", n, err)
	}
	u.Close()
	r, err := b.AcceptUniStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, payload[:100]) {
		t.Fatalf("uni: %q, %v", got, err)
	}
	if r.StreamID() != u.StreamID() {
		t.Errorf("stream ids %d and %d", u.StreamID(), r.StreamID())
	}

	if err := a.SendDatagram(payload[:1000]); err != nil {
		t.Fatal(err)
	}
	if got, err := b.ReceiveDatagram(ctx); err != nil || !bytes.Equal(got, payload[:1000]) {
		t.Fatalf("datagram: %d bytes, %v", len(got), err)
	}
	var large *transport.DatagramTooLargeError
	if err := a.SendDatagram(payload); !errors.As(err, &large) || large.Size != len(payload) || large.Max < 1000 {
		t.Errorf("a large datagram: %v", err)
	} else if err := a.SendDatagram(payload[:large.Max]); err != nil {
		t.Errorf("a datagram of the largest size: %v", err)
	} else if got, err := b.ReceiveDatagram(ctx); err != nil || len(got) != large.Max {
		t.Errorf("the largest datagram: %d bytes, %v", len(got), err)
	}
}

func TestResetAndStopCodes(t *testing.T) {
	for _, s := range schemes {
		t.Run(s.scheme, func(t *testing.T) {
			client, server := connect(t, ListenOptions{}, DialOptions{Drafts: []wire.Draft{wire.Draft17}}, s.scheme, "")
			for _, dir := range [][2]transport.Conn{{client, server}, {server, client}} {
				for _, code := range []uint64{0, 1, 0x1d, 0x1e, 0x1f, 1 << 20, 1<<32 - 1} {
					resetAndStop(t, dir[0], dir[1], code)
				}
			}
		})
	}
}

func resetAndStop(t *testing.T, a, b transport.Conn, code uint64) {
	t.Helper()
	ctx := testContext(t)
	s, err := a.OpenStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	r, err := b.AcceptStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	s.Reset(code)
	_, err = r.Read(make([]byte, 1))
	check := func(what string, err error, want transport.StreamError) {
		t.Helper()
		want.StreamID, want.Code = s.StreamID(), code
		if diff := cmp.Diff(error(&want), err); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	check("Read after the peer's Reset", err, transport.StreamError{Remote: true})
	_, err = s.Write([]byte("x"))
	check("Write after Reset", err, transport.StreamError{})
	<-s.Context().Done()
	check("the context after Reset", context.Cause(s.Context()), transport.StreamError{})

	s.Stop(code)
	<-r.Context().Done()
	check("the context after the peer's Stop", context.Cause(r.Context()),
		transport.StreamError{Remote: true, Stop: true})
	_, err = r.Write([]byte("x"))
	check("Write after the peer's Stop", err, transport.StreamError{Remote: true, Stop: true})
	check("Close after the peer's Stop", r.Close(), transport.StreamError{Remote: true, Stop: true})
	_, err = s.Read(make([]byte, 1))
	check("Read after Stop", err, transport.StreamError{Stop: true})
}

func TestStreamsWithoutAByte(t *testing.T) {
	for _, s := range schemes {
		t.Run(s.scheme, func(t *testing.T) {
			client, server := connect(t, ListenOptions{}, DialOptions{Drafts: []wire.Draft{wire.Draft17}}, s.scheme, "")
			ctx := testContext(t)
			for _, reset := range []bool{true, false} {
				w, err := client.OpenUniStream(ctx)
				if err != nil {
					t.Fatal(err)
				}
				want := io.EOF
				if reset {
					w.Reset(7)
					want = &transport.StreamError{StreamID: w.StreamID(), Remote: true, Code: 7}
				} else if err := w.Close(); err != nil {
					t.Error(err)
				}
				r, err := server.AcceptUniStream(ctx)
				if err != nil {
					t.Fatal(err)
				}
				_, err = r.Read(make([]byte, 1))
				if want == io.EOF && err != io.EOF || want != io.EOF && !cmp.Equal(want, err) {
					t.Errorf("Read: %v, want %v", err, want)
				}
			}
		})
	}
}

func TestResetBeforeAByteWhenTheConnectionIsFull(t *testing.T) {
	for _, s := range schemes {
		t.Run(s.scheme, func(t *testing.T) {
			client, server := connect(t, ListenOptions{}, DialOptions{Drafts: []wire.Draft{wire.Draft17}}, s.scheme, "")
			ctx := testContext(t)
			conf := quicDefaults()
			connectionWindow, streamWindow := int(conf.InitialConnectionReceiveWindow),
				int(conf.InitialStreamReceiveWindow)
			for total := 0; total < connectionWindow-64; { // the client reads nothing of it
				w, err := server.OpenUniStream(ctx)
				if err != nil {
					t.Fatal(err)
				}
				w.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
				n, err := w.Write(make([]byte, streamWindow))
				if total += n; err == nil {
					w.Close()
				} else if n == 0 {
					break
				}
			}
			w, err := server.OpenUniStream(ctx)
			if err != nil {
				t.Fatal(err)
			}
			w.Reset(7)
			for range 2 {
				r, err := client.AcceptUniStream(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(r, make([]byte, connectionWindow/4)); err != nil {
					t.Fatal(err)
				}
			}
			resetAndStop(t, server, client, 8)
		})
	}
}

func TestInfo(t *testing.T) {
	for _, s := range schemes {
		t.Run(s.scheme, func(t *testing.T) {
			client, server := connect(t, ListenOptions{}, DialOptions{Drafts: []wire.Draft{wire.Draft17, wire.Draft16,
				wire.Draft14}}, s.scheme, "/x?y=z")
			c, sv := client.Info(), server.Info()
			if len(c.OriginalDestinationConnectionID) < 8 ||
				!bytes.Equal(c.OriginalDestinationConnectionID, sv.OriginalDestinationConnectionID) {
				t.Errorf("original destination connection ids %x and %x", c.OriginalDestinationConnectionID,
					sv.OriginalDestinationConnectionID)
			}
			if !c.Client || sv.Client || c.RemoteAddr.String() != sv.LocalAddr.String() ||
				c.LocalAddr.String() != sv.RemoteAddr.String() {
				t.Errorf("addresses %v %v, %v %v", c.LocalAddr, c.RemoteAddr, sv.LocalAddr, sv.RemoteAddr)
			}
			for _, info := range []transport.Info{c, sv} {
				want := transport.Info{Kind: s.kind, ALPN: "moqt-17"}
				if s.kind == transport.WebTransport {
					want = transport.Info{Kind: s.kind, ALPN: "h3", Protocol: "moqt-17",
						OfferedProtocols: []string{"moqt-17", "moqt-16"}, Path: "/x?y=z",
						Authority: c.RemoteAddr.String()}
				}
				got := transport.Info{Kind: info.Kind, ALPN: info.ALPN, Protocol: info.Protocol,
					OfferedProtocols: info.OfferedProtocols, Path: info.Path, Authority: info.Authority}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				if d, ok := transport.NegotiatedDraft(info); !ok || d != wire.Draft17 {
					t.Errorf("negotiated %v %v", d, ok)
				}
				if !info.WireStreamIDs {
					t.Error("the stream ids are said not to be the wire's")
				}
			}
		})
	}
}

func TestTrustedCertificate(t *testing.T) {
	cert, err := SelfSigned("relay.example", "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert.Leaf)
	for _, s := range schemes {
		connect(t, ListenOptions{TLS: &tls.Config{Certificates: []tls.Certificate{cert}}},
			DialOptions{TLS: &tls.Config{RootCAs: pool}}, s.scheme, "")
	}
}

func TestPath(t *testing.T) {
	for _, s := range schemes {
		t.Run(s.scheme, func(t *testing.T) {
			client, server := connect(t, ListenOptions{}, DialOptions{QUIC: QUIC{KeepAlive: time.Second}},
				s.scheme, "/")
			for _, c := range []transport.Conn{client, server} {
				p := c.(transport.PathTeller).Path()
				if p.SmoothedRTT <= 0 || p.MinRTT <= 0 || p.RTT() < p.SmoothedRTT || p.RTT() < p.LatestRTT ||
					p.PacketsSent == 0 {
					t.Errorf("%+v", p)
				}
			}
		})
	}
}
