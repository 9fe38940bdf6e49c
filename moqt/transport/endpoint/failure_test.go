package endpoint

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/moqinterop/moq-interop-client/internal/freeport"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// udpSocket is a bound socket; serve, which may be nil, gets every datagram and gives the answer, nil for none.
func udpSocket(t *testing.T, serve func(b []byte) []byte) net.Addr {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { conn.Close(); wg.Wait() })
	if serve != nil {
		wg.Go(func() {
			b := make([]byte, 2048)
			for {
				n, addr, err := conn.ReadFrom(b)
				if err != nil {
					return
				}
				if answer := serve(b[:n]); answer != nil {
					conn.WriteTo(answer, addr)
				}
			}
		})
	}
	return conn.LocalAddr()
}

// quicServer serves QUIC with one ALPN; serve gets every connection in a goroutine of its own.
func quicServer(t *testing.T, alpn string, conf *quic.Config, serve func(*quic.Conn)) net.Addr {
	t.Helper()
	cert, err := SelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	if conf == nil {
		conf = quicDefaults()
	}
	ln, err := quic.ListenAddr("127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert},
		NextProtos: []string{alpn}}, conf)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			q, err := ln.Accept(ctx)
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, func() { q.CloseWithError(0, "") })
			wg.Go(func() {
				defer stop()
				serve(q)
				<-q.Context().Done()
			})
		}
	})
	t.Cleanup(func() { cancel(); ln.Close(); wg.Wait() })
	return ln.Addr()
}

// http3Server is a web server; settings come beside those that every quic-go server announces (extended CONNECT among
// them).
func http3Server(t *testing.T, settings map[uint64]uint64, handler http.HandlerFunc) net.Addr {
	return quicServer(t, "h3", nil, func(q *quic.Conn) {
		srv := &http3.Server{AdditionalSettings: settings, Handler: handler}
		srv.ServeQUICConn(q)
		srv.Close()
	})
}

// bareHTTP3 sends the bytes on a unidirectional stream and does nothing more.
func bareHTTP3(t *testing.T, control []byte) net.Addr {
	return quicServer(t, "h3", nil, func(q *quic.Conn) {
		if s, err := q.OpenUniStream(); err == nil {
			s.Write(control)
		}
	})
}

// answerHTTP3 announces extended CONNECT, and answers the request with these bytes and FIN.
func answerHTTP3(t *testing.T, b ...byte) net.Addr {
	return quicServer(t, "h3", nil, func(q *quic.Conn) {
		if s, err := q.OpenUniStream(); err == nil {
			s.Write([]byte{0, 4, 2, 8, 1})
		}
		if s, err := q.AcceptStream(q.Context()); err == nil {
			s.Write(b)
			s.Close()
		}
	})
}

func answer(status int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
	}
}

var oldSettings = map[uint64]uint64{0x33: 1, 0x2b603742: 1, 0x2b603743: 1, 0xc671706a: 1}

func TestFailuresNameTheirLayer(t *testing.T) {
	newDrafts := []wire.Draft{wire.Draft18, wire.Draft16}
	for _, tt := range []struct {
		name   string
		server func(t *testing.T) net.Addr
		host   string // in place of the server's
		scheme string // https unless given
		choice transport.Choice
		tls    *tls.Config
		limit  time.Duration // of the dial; 5 s unless given
		within time.Duration // it must have failed by then; the limit unless given
		layer  transport.Layer
		status int
		reason []string // all must stand in it
	}{
		{
			name:   "name that does not resolve",
			server: func(*testing.T) net.Addr { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} },
			host:   "no..such.host",
			layer:  transport.LayerDNS, reason: []string{`"no..such.host"`, "does not resolve"},
		}, {
			name: "nobody on the port",
			server: func(t *testing.T) net.Addr {
				addr, err := freeport.Loopback()
				if err != nil {
					t.Fatal(err)
				}
				return addr
			},
			within: 500 * time.Millisecond,
			layer:  transport.LayerUDP, reason: []string{"nothing listens", "unreachable"},
		}, {
			name:   "silent port",
			server: func(t *testing.T) net.Addr { return udpSocket(t, nil) },
			limit:  200 * time.Millisecond,
			layer:  transport.LayerUDP, reason: []string{"no answer", "within", "h3",
				"packets of this size (1200 bytes"},
		}, {
			name: "port that answers nonsense",
			server: func(t *testing.T) net.Addr {
				return udpSocket(t, func([]byte) []byte { return []byte("nonsense") })
			},
			limit: 200 * time.Millisecond,
			layer: transport.LayerTLS, reason: []string{"datagrams", "did not complete", "h3"},
		}, {
			name:   "QUIC version",
			server: func(t *testing.T) net.Addr { return udpSocket(t, versionNegotiation) },
			layer:  transport.LayerUDP, reason: []string{"no common QUIC version"},
		}, {
			name:   "untrusted certificate",
			server: func(t *testing.T) net.Addr { return listen(t, ListenOptions{}).Addr() },
			tls:    &tls.Config{},
			layer:  transport.LayerTLS, reason: []string{"not trusted", "--tls-disable-verify"},
		}, {
			name:   "no common ALPN",
			server: func(t *testing.T) net.Addr { return quicServer(t, "doq", nil, func(*quic.Conn) {}) },
			scheme: "moqt",
			layer:  transport.LayerALPN, reason: []string{"moqt-18, moqt-16, h3", "0x178"},
		}, {
			name: "no common ALPN where WebTransport was not offered",
			server: func(t *testing.T) net.Addr {
				return listen(t, ListenOptions{Transport: transport.OnlyWebTransport}).Addr()
			},
			scheme: "moqt", choice: transport.Scheme,
			layer: transport.LayerALPN, reason: []string{"(moqt-18, moqt-16)", "WebTransport alone",
				"--transport auto"},
		}, {
			name:   "no SETTINGS",
			server: func(t *testing.T) net.Addr { return quicServer(t, "h3", nil, func(*quic.Conn) {}) },
			limit:  200 * time.Millisecond,
			layer:  transport.LayerHTTP3, reason: []string{"no SETTINGS", "time limit"},
		}, {
			name:   "control stream without SETTINGS",
			server: func(t *testing.T) net.Addr { return bareHTTP3(t, []byte{0, 7, 1, 0}) },
			layer:  transport.LayerHTTP3, reason: []string{"SETTINGS"},
		}, {
			name:   "HTTP/3 without extended CONNECT",
			server: func(t *testing.T) net.Addr { return bareHTTP3(t, []byte{0, 4, 2, 1, 0}) },
			layer:  transport.LayerWebTransport, reason: []string{"without extended CONNECT", "0x1=0"},
		}, {
			name:   "no answer",
			server: func(t *testing.T) net.Addr { return bareHTTP3(t, []byte{0, 4, 2, 8, 1}) },
			limit:  200 * time.Millisecond,
			layer:  transport.LayerWebTransport, reason: []string{"no answer", "time limit", "moqt-18, moqt-16",
				":protocol = webtransport"},
		}, {
			name:   "404",
			server: func(t *testing.T) net.Addr { return http3Server(t, oldSettings, answer(404)) },
			layer:  transport.LayerWebTransport, status: 404, reason: []string{"404 Not Found", "expected 200"},
		}, {
			name:   "web server that answers 404",
			server: func(t *testing.T) net.Addr { return http3Server(t, nil, answer(404)) },
			layer:  transport.LayerWebTransport, status: 404, reason: []string{"404", "do not announce WebTransport"},
		}, {
			name:   "web server that answers 200",
			server: func(t *testing.T) net.Addr { return http3Server(t, nil, answer(200)) },
			layer:  transport.LayerWebTransport, status: 200, reason: []string{"web server without WebTransport"},
		}, {
			name: "redirect",
			server: func(t *testing.T) net.Addr {
				return http3Server(t, oldSettings, answer(308, "Location", "/elsewhere"))
			},
			layer: transport.LayerWebTransport, status: 308,
			reason: []string{"redirect", `"/elsewhere"`, "not followed"},
		}, {
			name:   "500",
			server: func(t *testing.T) net.Addr { return http3Server(t, oldSettings, answer(500)) },
			layer:  transport.LayerWebTransport, status: 500, reason: []string{"500", "moqt-18"},
		}, {
			name: "406 of our own listener",
			server: func(t *testing.T) net.Addr {
				return listen(t, ListenOptions{Drafts: []wire.Draft{wire.Draft17}}).Addr()
			},
			layer: transport.LayerWebTransport, status: 406, reason: []string{"no common draft", "moqt-18, moqt-16"},
		}, {
			name:   "404 of our own listener",
			server: func(t *testing.T) net.Addr { return listen(t, ListenOptions{Path: "/moq"}).Addr() },
			layer:  transport.LayerWebTransport, status: 404, reason: []string{"404"},
		}, {
			name: "protocol that was not offered",
			server: func(t *testing.T) net.Addr {
				return http3Server(t, oldSettings, answer(200, "WT-Protocol", `"moqt-99"`))
			},
			layer: transport.LayerWebTransport, status: 200,
			reason: []string{"no common draft", `"moqt-99"`, "moqt-18, moqt-16"},
		}, {
			name:   "no protocol, and 14 was not offered",
			server: func(t *testing.T) net.Addr { return http3Server(t, oldSettings, answer(200)) },
			layer:  transport.LayerWebTransport, status: 200,
			reason: []string{"no common draft", "without WT-Protocol", "moqt-18, moqt-16"},
		}, {
			name: "connection closed instead of an answer",
			server: func(t *testing.T) net.Addr {
				return quicServer(t, "h3", nil, func(q *quic.Conn) {
					if s, err := q.OpenUniStream(); err == nil {
						s.Write([]byte{0, 4, 2, 8, 1})
					}
					q.AcceptStream(q.Context())
					q.CloseWithError(0x10e, "bad protocol")
				})
			},
			layer: transport.LayerWebTransport, reason: []string{"no answer", "0x10e", "H3_MESSAGE_ERROR",
				"bad protocol"},
		}, {
			name: "application close in an Initial packet",
			server: func(t *testing.T) net.Addr {
				return udpSocket(t, func(b []byte) []byte { return initialClose(t, b, 0x1d, 0x3, "go away") })
			},
			layer: transport.LayerTLS, reason: []string{"application's CONNECTION_CLOSE (0x1d)",
				"Initial or Handshake packet",
				"RFC 9000 §12.5", "h3"},
		}, {
			name: "transport close in an Initial packet",
			server: func(t *testing.T) net.Addr {
				return udpSocket(t, func(b []byte) []byte { return initialClose(t, b, 0x1c, 0xc, "go away") })
			},
			layer: transport.LayerTLS, reason: []string{"ended the handshake", "APPLICATION_ERROR", "go away"},
		}, {
			name:   ":status behind a regular field",
			server: func(t *testing.T) net.Addr { return answerHTTP3(t, 1, 7, 0, 0, 0x21, 'a', 1, 'b', 0xd9) },
			layer:  transport.LayerHTTP3, reason: []string{"no HTTP/3 response",
				"pseudo header :status after a regular header field", ":protocol = webtransport", "moqt-18"},
		}, {
			name:   "no :status",
			server: func(t *testing.T) net.Addr { return answerHTTP3(t, 1, 6, 0, 0, 0x21, 'a', 1, 'b') },
			layer:  transport.LayerHTTP3, reason: []string{"no HTTP/3 response", ":status"},
		}, {
			name:   "DATA instead of HEADERS",
			server: func(t *testing.T) net.Addr { return answerHTTP3(t, 0, 1, 'x') },
			layer:  transport.LayerHTTP3, reason: []string{"no HTTP/3 response", "HEADERS"},
		}, {
			name:   "request stream ended instead of an answer",
			server: func(t *testing.T) net.Addr { return answerHTTP3(t) },
			layer:  transport.LayerWebTransport, reason: []string{"no answer", "ended the request's stream"},
		}, {
			name:   "half an answer",
			server: func(t *testing.T) net.Addr { return answerHTTP3(t, 1, 3, 0, 0) },
			layer:  transport.LayerWebTransport, reason: []string{"no answer", "ended the request's stream"},
		}, {
			name: "request stream reset instead of an answer",
			server: func(t *testing.T) net.Addr {
				return quicServer(t, "h3", nil, func(q *quic.Conn) {
					if s, err := q.OpenUniStream(); err == nil {
						s.Write([]byte{0, 4, 2, 8, 1})
					}
					if s, err := q.AcceptStream(q.Context()); err == nil {
						s.CancelRead(0x10b)
						s.CancelWrite(0x10b)
					}
				})
			},
			layer: transport.LayerWebTransport, reason: []string{"no answer", "0x10b", "H3_REQUEST_REJECTED"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			opts := DialOptions{TLS: insecure, Drafts: newDrafts, Transport: tt.choice}
			if tt.tls != nil {
				opts.TLS = tt.tls
			}
			scheme := "https"
			if tt.scheme != "" {
				scheme = tt.scheme
			}
			opts.URL = urlOf(t, scheme, tt.server(t), "/")
			if tt.host != "" {
				opts.URL.Host = tt.host
			}
			if tt.limit == 0 {
				tt.limit = 5 * time.Second
			}
			ctx, cancel := context.WithTimeout(t.Context(), tt.limit)
			defer cancel()
			start := time.Now()
			conn, err := Dial(ctx, opts)
			took := time.Since(start)
			var got *transport.DialError
			if !errors.As(err, &got) {
				if conn != nil {
					conn.CloseWithError(0, "")
				}
				t.Fatalf("Dial gave %v, %v", conn, err)
			}
			if got.Layer != tt.layer || got.HTTPStatus != tt.status {
				t.Errorf("layer %s, status %d; want %s, %d", got.Layer, got.HTTPStatus, tt.layer, tt.status)
			}
			for _, part := range tt.reason {
				if !strings.Contains(got.Reason, part) {
					t.Errorf("the reason lacks %q: %s", part, got.Reason)
				}
			}
			if tt.within == 0 {
				tt.within = tt.limit + time.Second
			}
			if took > tt.within {
				t.Errorf("took %s", took)
			}
		})
	}
}

// versionNegotiation answers an Initial with a version nobody has (RFC 9000 §17.2.1).
func versionNegotiation(b []byte) []byte {
	if len(b) < 7 || b[0]&0x80 == 0 {
		return nil
	}
	dst := b[6 : 6+b[5]]
	src := b[7+len(dst) : 7+len(dst)+int(b[6+len(dst)])]
	out := []byte{0xc0, 0, 0, 0, 0, byte(len(src))}
	out = append(append(out, src...), byte(len(dst)))
	return binary.BigEndian.AppendUint32(append(out, dst...), 0x1a2a3a4a)
}

func TestSecondAddressHasItsTurn(t *testing.T) {
	l := listen(t, ListenOptions{})
	live := l.Addr().(*net.UDPAddr)
	silent := udpSocket(t, nil).(*net.UDPAddr)
	dead, err := freeport.Loopback()
	if err != nil {
		t.Fatal(err)
	}
	for _, first := range []*net.UDPAddr{dead, silent} {
		d := &dialer{opts: DialOptions{URL: urlOf(t, "https", live, ""), TLS: insecure}, offer: []string{"h3"}}
		a, err := d.race(testContext(t), []*net.UDPAddr{first, live})
		if err != nil {
			t.Fatal(err)
		}
		if a.q.RemoteAddr().String() != live.String() {
			t.Errorf("connected to %s", a.q.RemoteAddr())
		}
		a.q.CloseWithError(0, "")
		a.free()
	}
	d := &dialer{opts: DialOptions{URL: urlOf(t, "https", live, ""), TLS: insecure}, offer: []string{"h3"}}
	_, err = d.race(testContext(t), []*net.UDPAddr{dead, dead})
	var got *transport.DialError
	if !errors.As(err, &got) || strings.Count(got.Reason, "nothing listens") != 2 {
		t.Errorf("two dead addresses: %v", err)
	}
}

func TestPeerThatDies(t *testing.T) {
	// The server's socket goes away without a word.
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := SelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	tr := &quic.Transport{Conn: conn}
	if _, err := tr.Listen(&tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"moqt-18"}},
		quicDefaults()); err != nil {
		t.Fatal(err)
	}
	client, err := Dial(testContext(t), DialOptions{URL: urlOf(t, "moqt", conn.LocalAddr(), ""), TLS: insecure})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseWithError(0, "")
	conn.Close()
	tr.Close()
	s, err := client.OpenUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	s.Write([]byte("is anybody there?"))
	select {
	case <-client.Context().Done():
	case <-testContext(t).Done():
		t.Fatal("the connection does not end")
	}
	var got *transport.CloseError
	if !errors.As(context.Cause(client.Context()), &got) || !got.Transport || !got.Gone ||
		!strings.Contains(got.Reason, "unreachable") {
		t.Errorf("cause: %v", context.Cause(client.Context()))
	}
}
