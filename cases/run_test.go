package cases_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/internal/leak"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestMain(m *testing.M) { leak.VerifyTestMain(m) }

// peer plays the relay on one connection.
type peer func(ctx context.Context, t *testing.T, conn *memconn.Conn)

// against gives a configuration whose connections, all of draft d, lead to the peer. It may be used inside a synctest
// bubble.
func against(t *testing.T, d wire.Draft, play peer) cases.Config {
	return cases.Config{
		Drafts: []wire.Draft{d},
		Dial: func(ctx context.Context, role string, drafts []wire.Draft) (transport.Conn, error) {
			client, server := memconn.Pair(memconn.Options{Info: transport.Info{ALPN: drafts[0].ALPN(),
				OriginalDestinationConnectionID: []byte{1, 2, 0xab}}})
			go play(context.WithoutCancel(ctx), t, server)
			return client, nil
		},
	}
}

// session plays a relay that does SETUP properly and answers each request with handle; nil answers nothing.
func session(handle func(s *moqt.Session, r *moqt.Request), then func(s *moqt.Session)) peer {
	return func(ctx context.Context, t *testing.T, conn *memconn.Conn) {
		s, err := moqt.Server(ctx, conn, moqt.Config{Implementation: "scripted", Handler: func(r *moqt.Request) {
			if handle != nil {
				handle(r.Session(), r)
			}
			<-r.Context().Done()
		}})
		if err != nil {
			return
		}
		if then != nil {
			then(s)
		}
		<-s.Context().Done()
		s.Close(wire.NoError, "")
	}
}

// acceptAll accepts every request that REQUEST_OK accepts.
func acceptAll(s *moqt.Session, r *moqt.Request) { r.Accept(r.Context(), &wire.RequestOK{}) }

func find(t *testing.T, name string) cases.Case {
	c, ok := cases.Find(name)
	if !ok {
		t.Fatalf("no case %s", name)
	}
	return c
}

// want compares what matters of a result; a message, expectation or reception that ends in "…" needs only begin so.
func want(t *testing.T, got, want cases.Result) {
	t.Helper()
	for _, f := range [][2]*string{{&got.Message, &want.Message}, {&got.Expected, &want.Expected},
		{&got.Received, &want.Received}} {
		if start, ok := strings.CutSuffix(*f[1], "…"); ok && strings.HasPrefix(*f[0], start) {
			*f[0] = *f[1]
		}
	}
	if want.Message == "" && want.Status == cases.Fail {
		want.Message = "expected " + want.Expected + ", received " + want.Received
		if strings.HasSuffix(want.Received, "…") {
			got.Message = want.Message
		}
	}
	ignore := cmpopts.IgnoreFields(cases.Result{}, "Case", "Duration", "Sessions", "Transcript", "Rules", "Sections",
		"Level", "Notes")
	if diff := cmp.Diff(want, got, ignore); diff != "" {
		t.Errorf("%s (-want +got):\n%s\nnotes %q\n%s", got.Case, diff, got.Notes, strings.Join(got.Transcript, "\n"))
	}
}

func TestDialFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := cases.Config{Dial: func(context.Context, string, []wire.Draft) (transport.Conn, error) {
			return nil, &transport.DialError{Layer: transport.LayerALPN, Reason: "the server speaks none of moqt-16"}
		}}
		want(t, cases.Run(t.Context(), find(t, "setup-only"), cfg), cases.Result{
			Status: cases.Fail, Layer: transport.LayerALPN, DialFailed: true,
			Message:  "the server speaks none of moqt-16",
			Expected: "a connection", Received: "the server speaks none of moqt-16",
		})
		cfg.Dial = func(ctx context.Context, _ string, _ []wire.Draft) (transport.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		want(t, cases.Run(t.Context(), find(t, "setup-only"), cfg), cases.Result{
			Status: cases.Fail, Layer: transport.LayerUDP, DialFailed: true, Message: "no connection within 5s",
			Expected: "a connection", Received: "no connection within 5s",
		})
	})
}

func TestSilentPeer(t *testing.T) {
	for _, d := range wire.Drafts() {
		synctest.Test(t, func(t *testing.T) {
			cfg := against(t, d, func(context.Context, *testing.T, *memconn.Conn) {})
			expected := "SERVER_SETUP"
			if d >= wire.Draft17 {
				expected = "SETUP from the peer"
			}
			r := cases.Run(t.Context(), find(t, "announce-only"), cfg)
			want(t, r, cases.Result{Status: cases.Fail, Layer: transport.LayerSetup, Expected: expected,
				Received: "nothing (0 bytes) for 5000 ms"})
			if r.DialFailed || r.Duration != 5*time.Second {
				t.Errorf("dial failed: %v, took %s", r.DialFailed, r.Duration)
			}
			// SETUP is a step, where the limit of the case is longer
			step := cases.Run(t.Context(), find(t, "fetch"), cfg)
			want(t, step, cases.Result{Status: cases.Fail, Layer: transport.LayerSetup, Expected: expected,
				Received: "nothing (0 bytes) for 5000 ms"})
			if step.Duration != 5*time.Second {
				t.Errorf("fetch took %s", step.Duration)
			}
			if len(r.Sessions) != 1 || r.Sessions[0].ConnectionID != "0102ab" || r.Sessions[0].Ready {
				t.Errorf("sessions %+v", r.Sessions)
			}
		})
	}
}

// TestSecondPeerSilent: the silence is that of the connection, not that of the case.
func TestSecondPeerSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := against(t, wire.Draft18, session(acceptAll, nil))
		first := cfg.Dial
		cfg.Dial = func(ctx context.Context, role string, drafts []wire.Draft) (transport.Conn, error) {
			if role == "publisher" {
				time.Sleep(time.Second)
				return first(ctx, role, drafts)
			}
			client, _ := memconn.Pair(memconn.Options{Info: transport.Info{ALPN: drafts[0].ALPN()}})
			return client, nil
		}
		want(t, cases.Run(t.Context(), find(t, "fetch"), cfg),
			cases.Result{Status: cases.Fail, Layer: transport.LayerSetup,
				Expected: "SETUP from the peer", Received: "nothing (0 bytes) for 5000 ms"})
	})
}

func TestPeerWithoutProtocolAndThenSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := cases.Config{Dial: func(context.Context, string, []wire.Draft) (transport.Conn, error) {
			client, _ := memconn.Pair(memconn.Options{Info: transport.Info{Kind: transport.WebTransport, ALPN: "h3",
				OfferedProtocols: []string{"moqt-16", "moqt-15"}}})
			return client, nil
		}}
		want(t, cases.Run(t.Context(), find(t, "setup-only"), cfg),
			cases.Result{Status: cases.Fail, Layer: transport.LayerSetup, Expected: "SERVER_SETUP",
				Received: "nothing (0 bytes) for 5000 ms; the answer to the WebTransport request had no WT-Protocol, " +
					"so draft 14 was read (offered beside it: moqt-16, moqt-15)"})
	})
}

func TestPeerThatSaysHalfOfIt(t *testing.T) {
	for d, first := range map[wire.Draft]string{14: "2100", 16: "2100", 17: "af00", 22: "af0000"} {
		synctest.Test(t, func(t *testing.T) {
			cfg := against(t, d, func(ctx context.Context, t *testing.T, conn *memconn.Conn) {
				var b []byte
				fmt.Sscanf(first, "%x", &b)
				if d >= wire.Draft17 {
					if s, err := conn.OpenUniStream(ctx); err == nil {
						s.Write(b)
					}
				} else if s, err := conn.AcceptStream(ctx); err == nil {
					s.Write(b)
				}
			})
			r := cases.Run(t.Context(), find(t, "setup-only"), cfg)
			received := fmt.Sprintf("%d bytes that hold no whole SETUP (first: %s) for 5000 ms", len(first)/2, first)
			if r.Layer != transport.LayerSetup || r.Received != received {
				t.Errorf("%s: layer %s, received %q, want %q", d, r.Layer, r.Received, received)
			}
		})
	}
}

func TestPeerThatDiesInTheMiddle(t *testing.T) {
	for _, test := range []struct {
		name, received string
		layer          transport.Layer
		play           peer
	}{
		{"closes", `connection closed by the peer with 0x1 INTERNAL_ERROR "tired"`, transport.LayerRequest,
			session(func(s *moqt.Session, _ *moqt.Request) { s.Abort(wire.InternalError, "tired") }, nil)},
		{"vanishes", "silence until the connection timed out: no recent network activity", transport.LayerUDP,
			func(ctx context.Context, t *testing.T, conn *memconn.Conn) {
				session(func(*moqt.Session, *moqt.Request) {
					conn.Abort(transport.CloseError{Transport: true, Timeout: true,
						Reason: "no recent network activity"})
				}, nil)(ctx, t, conn)
			}},
		{"crashes", `connection closed by the peer with QUIC code 0x1 "crash"`, transport.LayerRequest,
			func(ctx context.Context, t *testing.T, conn *memconn.Conn) {
				session(func(*moqt.Session, *moqt.Request) {
					conn.Abort(transport.CloseError{Remote: true, Transport: true, Code: 1, Reason: "crash"})
				}, nil)(ctx, t, conn)
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, d := range wire.Drafts() {
				synctest.Test(t, func(t *testing.T) {
					r := cases.Run(t.Context(), find(t, "announce-only"), against(t, d, test.play))
					if r.Status != cases.Fail || r.Layer != test.layer || r.Received != test.received ||
						r.Duration > time.Second {
						t.Errorf("%s: layer %s, received %q after %s", d, r.Layer, r.Received, r.Duration)
					}
				})
			}
		})
	}
}

func TestPeerThatDoesNotAnswer(t *testing.T) {
	for _, d := range wire.Drafts() {
		synctest.Test(t, func(t *testing.T) {
			r := cases.Run(t.Context(), find(t, "announce-only"), against(t, d, session(nil, nil)))
			ok := "REQUEST_OK"
			if d == wire.Draft14 {
				ok = "PUBLISH_NAMESPACE_OK"
			}
			want(t, r, cases.Result{Status: cases.Fail, Layer: transport.LayerRequest,
				Expected: ok + " for PUBLISH_NAMESPACE", Received: "nothing for 2000 ms after PUBLISH_NAMESPACE…"})
			if len(r.Transcript) < 3 || r.Sessions[0].Implementation != "scripted" ||
				r.Sessions[0].Version != fmt.Sprintf("moqt-%d", d) || r.Sections == "" ||
				!slices.Equal(r.Rules, []rules.ID{rules.PublishNamespace}) {
				t.Errorf("sessions %+v, sections %q of %q, transcript:\n%s", r.Sessions, r.Sections, r.Rules,
					strings.Join(r.Transcript, "\n"))
			}
		})
	}
}

// A right answer does not make up for a breach right behind it.
func TestBreachBehindTheAnswer(t *testing.T) {
	for _, d := range wire.Drafts() {
		synctest.Test(t, func(t *testing.T) {
			relay := session(func(s *moqt.Session, r *moqt.Request) {
				acceptAll(s, r)
				time.Sleep(5 * time.Millisecond)
				s.SendControl(r.Context(), &wire.Raw{Type: 0x3b, Body: []byte{0}})
			}, nil)
			r := cases.Run(t.Context(), find(t, "announce-only"), against(t, d, relay))
			want(t, r, cases.Result{Status: cases.Fail, Lost: true, Layer: transport.LayerRequest,
				Expected: "a relay that keeps to the draft until the case has ended",
				Received: "a breach of the draft: …"})
		})
	}
}

func TestNoRequestIDs(t *testing.T) {
	for _, d := range []wire.Draft{14, 15, 16} {
		none := func(ctx context.Context, t *testing.T, conn *memconn.Conn) {
			s, err := moqt.Server(ctx, conn, moqt.Config{FixedRequestLimit: true,
				SetupOptions: wire.Properties{{Type: wire.OptionMaxRequestID, Uint: 0}}})
			if err == nil {
				<-s.Context().Done()
				s.Close(wire.NoError, "")
			}
		}
		synctest.Test(t, func(t *testing.T) {
			r := cases.Run(t.Context(), find(t, "announce-only"), against(t, d, none))
			want(t, r, cases.Result{Status: cases.Fail, Layer: transport.LayerRequest,
				Message:  "no request id granted; would pass with --compat no-request-limit",
				Expected: "MAX_REQUEST_ID above 0", Received: "MAX_REQUEST_ID 0 and no more"})
			if !strings.Contains(strings.Join(r.Transcript, "\n"), "-> REQUESTS_BLOCKED") {
				t.Errorf("%s: no REQUESTS_BLOCKED in\n%s", d, strings.Join(r.Transcript, "\n"))
			}
		})
	}
}

// With the tolerance requests go out although the peer grants none, and that is reported.
func TestNoRequestLimit(t *testing.T) {
	for _, d := range []wire.Draft{14, 15, 16} {
		synctest.Test(t, func(t *testing.T) {
			cfg := against(t, d, func(ctx context.Context, t *testing.T, conn *memconn.Conn) {
				s, err := conn.AcceptStream(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				var in []byte
				for buf := make([]byte, 1024); ; {
					n, err := s.Read(buf)
					if err != nil {
						return
					}
					in = append(in, buf[:n]...)
					for m, n, err := wire.ParseMessage(in, d, wire.ControlStream, wire.Options{}); err == nil; m, n,
						err = wire.ParseMessage(in, d, wire.ControlStream, wire.Options{}) {
						in = in[n:]
						var answer wire.Message
						switch m := m.(type) {
						case *wire.Setup:
							answer = &wire.Setup{Sender: wire.ServerSide, SelectedVersion: d.Version()}
						case *wire.PublishNamespace:
							answer = &wire.RequestOK{Answers: m.Kind(), RequestID: m.RequestID}
						default:
							continue
						}
						out, err := wire.AppendMessage(nil, d, answer, wire.ControlStream)
						if err != nil {
							t.Error(err)
						}
						s.Write(out)
					}
				}
			})
			cfg.NoRequestLimit = true
			want(t, cases.Run(t.Context(), find(t, "announce-only"), cfg), cases.Result{Status: cases.Pass,
				Tolerated: []string{"no-request-limit: PUBLISH_NAMESPACE with request id 0, MAX_REQUEST_ID is 0"}})
		})
	}
}

// full is a connection whose peer lets us open no stream of a kind.
type full struct {
	transport.Conn
	uni bool
}

func (c full) OpenStream(ctx context.Context) (transport.Stream, error) {
	if !c.uni {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return c.Conn.OpenStream(ctx)
}

func (c full) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	if c.uni {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return c.Conn.OpenUniStream(ctx)
}

// TestPeerWithoutRoomForStreams: a peer that answers nothing because nothing could be sent is not silent.
func TestPeerWithoutRoomForStreams(t *testing.T) {
	for _, test := range []struct {
		d        wire.Draft
		uni      bool
		layer    transport.Layer
		expected string
	}{
		{wire.Draft16, false, transport.LayerSetup, "SERVER_SETUP"},
		{wire.Draft18, true, transport.LayerSetup, "SETUP from the peer"},
		{wire.Draft18, false, transport.LayerRequest, "REQUEST_OK for PUBLISH_NAMESPACE"},
	} {
		synctest.Test(t, func(t *testing.T) {
			cfg := against(t, test.d, session(acceptAll, nil))
			dial := cfg.Dial
			cfg.Dial = func(ctx context.Context, role string, drafts []wire.Draft) (transport.Conn, error) {
				conn, err := dial(ctx, role, drafts)
				return full{conn, test.uni}, err
			}
			kind := "bidirectional"
			if test.uni {
				kind = "unidirectional"
			}
			want(t, cases.Run(t.Context(), find(t, "announce-only"), cfg),
				cases.Result{Status: cases.Fail, Layer: test.layer, Expected: test.expected,
					Received: "nothing, for nothing could be sent: the peer's limit of " + kind +
						" streams leaves no room for another one: context deadline exceeded"})
		})
	}
}

// slowClose is a connection whose close takes its time, as that of WebTransport does, which waits for the peer's
// answer.
type slowClose struct{ transport.Conn }

func (c slowClose) CloseWithError(code uint64, reason string) error {
	time.Sleep(time.Second)
	return c.Conn.CloseWithError(code, reason)
}

// TestCloseBehindTheLimit: a relay that did all in time is not held against the time that our close takes.
func TestCloseBehindTheLimit(t *testing.T) {
	for _, name := range []string{"setup-only", "publish-namespace-done"} {
		synctest.Test(t, func(t *testing.T) {
			serve := session(acceptAll, nil)
			cfg := against(t, wire.Draft18, func(ctx context.Context, t *testing.T, conn *memconn.Conn) {
				time.Sleep(1500 * time.Millisecond)
				serve(ctx, t, conn)
			})
			dial := cfg.Dial
			cfg.Dial = func(ctx context.Context, role string, drafts []wire.Draft) (transport.Conn, error) {
				conn, err := dial(ctx, role, drafts)
				return slowClose{conn}, err
			}
			r := cases.Run(t.Context(), find(t, name), cfg)
			want(t, r, cases.Result{Status: cases.Pass})
			if r.Duration < 2*time.Second {
				t.Errorf("%s took %s: nothing is shown", name, r.Duration)
			}
		})
	}
}

// TestSlowPathIsNoted: where SETUP alone took most of the limit, the notes say so, and what helps.
// A SETUP that takes a while is no part of the case's time, and tells how long a round trip may be.
func TestTimeOfTheCaseBehindASlowSetup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serve := session(nil, nil)
		cfg := against(t, wire.Draft18, func(ctx context.Context, t *testing.T, conn *memconn.Conn) {
			time.Sleep(1500 * time.Millisecond)
			serve(ctx, t, conn)
		})
		r := cases.Run(t.Context(), find(t, "announce-only"), cfg)
		want(t, r, cases.Result{Status: cases.Fail, Layer: transport.LayerRequest,
			Expected: "REQUEST_OK for PUBLISH_NAMESPACE",
			// 2 s, and three round trips for each of two steps
			Received: "nothing for 11000 ms after PUBLISH_NAMESPACE; the last message before it was SETUP"})
	})
}
