package wtconn_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// onBothSides runs a test on a server of ours and on a client.
func onBothSides(t *testing.T, run func(t *testing.T, a *attacked)) {
	for _, server := range []bool{true, false} {
		name := "client"
		if server {
			name = "server"
		}
		t.Run(name, func(t *testing.T) { run(t, newAttacked(t, server)) })
	}
}

// There is one control stream, and one of each of QPACK's two, in a direction (RFC 9114 §6.2.1, RFC 9204 §4.2).
func TestSecondCriticalStream(t *testing.T) {
	settings := controlStream[1:]
	onBothSides(t, func(t *testing.T, a *attacked) {
		for _, tt := range []struct {
			name        string
			kind        byte
			first, then []byte // what follows the types, once both streams are open
		}{
			{"control, SETTINGS on both", 0, settings, settings},
			{"control, types alone", 0, nil, nil},
			{"control, half of SETTINGS on both", 0, []byte{4}, []byte{4}},
			{"QPACK encoder", 2, nil, nil},
			{"QPACK decoder", 3, nil, nil},
		} {
			t.Run(tt.name, func(t *testing.T) {
				v, end := a.victim(t)
				defer end()
				first, second := v.open(tt.kind), v.open(tt.kind)
				first.Write(tt.first)
				second.Write(tt.then)
				v.wantEnd(http3.ErrCodeStreamCreationError)
			})
		}
		t.Run("control, behind SETTINGS", func(t *testing.T) {
			v, end := a.victim(t)
			defer end()
			v.open(controlStream...)
			v.open(controlStream...)
			v.wantEnd(http3.ErrCodeStreamCreationError)
		})
	})
}

// HTTP/3's own streams may not end (RFC 9114 §6.2.1, RFC 9204 §4.2).
func TestClosedCriticalStream(t *testing.T) {
	onBothSides(t, func(t *testing.T, a *attacked) {
		for name, kind := range map[string]byte{"control": 0, "QPACK encoder": 2, "QPACK decoder": 3} {
			for how, end := range map[string]func(*quic.SendStream){
				"FIN":   func(s *quic.SendStream) { s.Close() },
				"reset": func(s *quic.SendStream) { s.SetReliableBoundary(); s.CancelWrite(0) }, // not before its type
			} {
				t.Run(name+", "+how, func(t *testing.T) {
					v, over := a.victim(t)
					defer over()
					s := v.open(kind)
					if kind == 0 {
						s.Write(controlStream[1:])
					} else {
						s.Write([]byte{0x20}) // a capacity of 0, and as well a cancelled stream
					}
					end(s)
					v.wantEnd(http3.ErrCodeClosedCriticalStream)
				})
			}
		}
	})
}

// goesOn is for breaches that end no connection.
const goesOn = http3.ErrCode(0)

// What stands on HTTP/3's own streams and in stream headers, before there is a session and after.
func TestBreachesOfHTTP3(t *testing.T) {
	fin := func(s *quic.SendStream) { s.Close() }
	big := uint64(1<<62 - 1)
	for _, tt := range []struct {
		name   string
		bytes  []byte // of a unidirectional stream
		then   func(*quic.SendStream)
		server http3.ErrCode
		client http3.ErrCode // that of the server if it is 0
	}{
		{"unknown stream", frames(0x21, []byte("grease")), nil, goesOn, 0},
		{"stream without a byte", nil, fin, goesOn, 0},
		{"stream with half a type", []byte{0x40}, fin, goesOn, 0},
		{"stream type of eight bytes, cut", []byte{0xc0, 0, 0}, fin, goesOn, 0},
		{"push stream", frames(1, []byte{0}), nil, http3.ErrCodeStreamCreationError, http3.ErrCodeIDError},
		{"session header cut in the type", []byte{0x40}, fin, goesOn, 0},
		{"session header cut behind the type", []byte{0x40, 0x54}, fin, goesOn, 0},
		{"session header cut in the id", []byte{0x40, 0x54, 0x80, 0}, fin, goesOn, 0},
		{"session id of a server's stream", []byte{0x40, 0x54, 1}, nil, http3.ErrCodeIDError, 0},
		{"session id of a unidirectional stream", []byte{0x40, 0x54, 2}, nil, http3.ErrCodeIDError, 0},
		{"another session", []byte{0x40, 0x54, 0x40, 0x80, 'x'}, nil, goesOn, 0},
		{"the largest session id", frames(0x54, quicvarint.Append(nil, big-3), []byte("x")), nil, goesOn, 0},
		{"reset at once", nil, func(s *quic.SendStream) { s.CancelWrite(7) }, goesOn, 0},
	} {
		onBothSides(t, func(t *testing.T, a *attacked) {
			t.Run(tt.name, func(t *testing.T) {
				v, end := a.victim(t)
				defer end()
				v.establish()
				s := v.open(tt.bytes...)
				if tt.then != nil {
					tt.then(s)
				}
				want := tt.server
				if !a.server && tt.client != 0 {
					want = tt.client
				}
				if want == goesOn {
					v.wantAlive()
				} else {
					v.wantEnd(want)
				}
			})
		})
	}
}

// What stands on the control stream.
func TestBreachesOnTheControlStream(t *testing.T) {
	settings := controlStream[1:]
	fin := func(s *quic.SendStream) { s.Close() }
	for _, tt := range []struct {
		name  string
		bytes []byte // behind the type
		then  func(*quic.SendStream)
		want  http3.ErrCode
	}{
		{"GOAWAY first", frame(7, []byte{0}), nil, http3.ErrCodeMissingSettings},
		{"grease first", frame(0x21), nil, http3.ErrCodeMissingSettings},
		{"DATA first", frame(0, []byte("x")), nil, http3.ErrCodeMissingSettings},
		{"FIN at once", nil, fin, http3.ErrCodeClosedCriticalStream},
		{"FIN in SETTINGS", []byte{4, 10, 8, 1}, fin, http3.ErrCodeClosedCriticalStream},
		{"FIN behind SETTINGS", settings, fin, http3.ErrCodeClosedCriticalStream},
		{"FIN in a frame", append(bytes.Clone(settings), 0x21, 5, 'x'), fin, http3.ErrCodeClosedCriticalStream},
		{"reset", settings, func(s *quic.SendStream) { s.SetReliableBoundary(); s.CancelWrite(0x10c) },
			http3.ErrCodeClosedCriticalStream},
		{"SETTINGS cut in a value", frame(4, []byte{8, 0x40}), nil, http3.ErrCodeFrameError},
		{"SETTINGS without a value", frame(4, []byte{8}), nil, http3.ErrCodeFrameError},
		{"SETTINGS of a megabyte", append([]byte{4}, quicvarint.Append(nil, 1<<20)...), nil,
			http3.ErrCodeExcessiveLoad},
		{"SETTINGS of 2^62 bytes", append([]byte{4}, quicvarint.Append(nil, 1<<62-1)...), nil,
			http3.ErrCodeExcessiveLoad},
		{"a setting of HTTP/2", frame(4, setting(0x4, 65535)), nil, http3.ErrCodeSettingsError},
		{"a setting twice", frame(4, setting(0x8, 1), setting(0x8, 1)), nil, http3.ErrCodeSettingsError},
		{"SETTINGS twice", append(bytes.Clone(settings), settings...), nil, http3.ErrCodeFrameUnexpected},
		{"DATA", append(bytes.Clone(settings), frame(0, []byte("x"))...), nil, http3.ErrCodeFrameUnexpected},
		{"HEADERS", append(bytes.Clone(settings), answer...), nil, http3.ErrCodeFrameUnexpected},
		{"PUSH_PROMISE", append(bytes.Clone(settings), frame(5, []byte{0})...), nil, http3.ErrCodeFrameUnexpected},
		{"HTTP/2's PING", append(bytes.Clone(settings), frame(6, make([]byte, 8))...), nil,
			http3.ErrCodeFrameUnexpected},
		{"GOAWAY and grease", append(append(bytes.Clone(settings), frame(7, []byte{0})...), frame(0x21,
			[]byte("x"))...),
			nil, goesOn},
		{"a frame of 2^62 bytes", append(append(bytes.Clone(settings), 0x21), quicvarint.Append(nil, 1<<62-1)...), nil,
			goesOn},
		{"grease as settings", frame(4, setting(0x21, math.MaxUint16), setting(0x8, 1), setting(0xc671706a, 1)), nil,
			goesOn},
	} {
		onBothSides(t, func(t *testing.T, a *attacked) {
			t.Run(tt.name, func(t *testing.T) {
				v, end := a.victim(t)
				defer end()
				s := v.open(append([]byte{0}, tt.bytes...)...)
				if tt.then != nil {
					tt.then(s)
				}
				if tt.want == goesOn {
					v.ask()
					v.wantAlive()
				} else {
					v.wantEnd(tt.want)
				}
			})
		})
	}
}

// The control stream is cut at every byte over packets, and is read all the same.
func TestControlStreamInPieces(t *testing.T) {
	onBothSides(t, func(t *testing.T, a *attacked) {
		v, end := a.victim(t)
		defer end()
		s := v.open()
		for i := range controlStream {
			s.Write(controlStream[i : i+1])
			time.Sleep(time.Millisecond)
		}
		v.ask()
		v.wantAlive()
	})
}

// What comes on the stream of the request, once there is a session (draft-ietf-webtrans-http3 §6).
func TestConnectStream(t *testing.T) {
	code := func(reason string) []byte { return frame(0x2843, []byte{0, 0, 0, 7}, []byte(reason)) }
	data := func(b ...[]byte) []byte { return frame(0, b...) }
	fin := func(s *quic.Stream) { s.Close() }
	for _, tt := range []struct {
		name  string
		bytes []byte
		then  func(*quic.Stream)
		want  transport.CloseError // Err aside; Code H3_NO_ERROR with HTTP3 is for sessions that go on
	}{
		{"close", data(code("why")), fin, transport.CloseError{Remote: true, Code: 7, Reason: "why"}},
		{"close, cut over frames", bytes.Join([][]byte{data(code("why")[:3]), data(), data(code("why")[3:6]),
			frame(0x21, []byte("grease")), data(code("why")[6:])}, nil), fin,
			transport.CloseError{Remote: true, Code: 7, Reason: "why"}},
		{"close with a long reason", data(code(strings.Repeat("r", 5000))), nil,
			transport.CloseError{Remote: true, Code: 7, Reason: strings.Repeat("r", 1024)}},
		{"close without a code", data(frame(0x2843, []byte{0, 0})), nil,
			transport.CloseError{Transport: true, HTTP3: true,
				Code: uint64(http3.ErrCodeMessageError), Name: "H3_MESSAGE_ERROR",
				Reason: "the CONNECT stream: a CLOSE_WEBTRANSPORT_SESSION capsule without a code"}},
		{"close that is cut", data(code("why")[:8]), fin, transport.CloseError{Transport: true, HTTP3: true,
			Code: uint64(http3.ErrCodeMessageError), Name: "H3_MESSAGE_ERROR",
			Reason: "the CONNECT stream: unexpected EOF"}},
		{"FIN", nil, fin, transport.CloseError{Remote: true, Reason: "the CONNECT stream ended"}},
		{"reset", nil, func(s *quic.Stream) { s.CancelWrite(0x10c) },
			transport.CloseError{Remote: true, Transport: true,
				HTTP3: true, Code: 0x10c, Name: "H3_REQUEST_CANCELLED", Reason: "the CONNECT stream was reset"}},
		{"capsule that is cut", data([]byte{0x21, 9, 'x'}), fin, transport.CloseError{Transport: true, HTTP3: true,
			Code: uint64(http3.ErrCodeMessageError), Name: "H3_MESSAGE_ERROR",
			Reason: "the CONNECT stream: unexpected EOF"}},
		{"other capsules and drain", data(frame(0x21, []byte("grease")), frame(0x78ae)), nil,
			transport.CloseError{HTTP3: true, Code: uint64(http3.ErrCodeNoError)}},
		{"a capsule of 2^62 bytes", data([]byte{0x21}, quicvarint.Append(nil, 1<<62-1)), nil,
			transport.CloseError{HTTP3: true, Code: uint64(http3.ErrCodeNoError)}},
	} {
		onBothSides(t, func(t *testing.T, a *attacked) {
			t.Run(tt.name, func(t *testing.T) {
				v, end := a.victim(t)
				defer end()
				v.establish()
				conn, err := v.ours()
				if err != nil {
					t.Fatal(err)
				}
				v.first.Write(tt.bytes)
				if tt.then != nil {
					tt.then(v.first)
				}
				if tt.want.Code == uint64(http3.ErrCodeNoError) {
					v.wantAlive()
					return
				}
				select {
				case <-conn.Context().Done():
				case <-v.ctx.Done():
					t.Fatal("the session goes on")
				}
				var got *transport.CloseError
				if !errors.As(context.Cause(conn.Context()), &got) {
					t.Fatal(context.Cause(conn.Context()))
				}
				bare := *got
				bare.Err = nil
				if bare != tt.want {
					t.Errorf("%+v, want %+v", bare, tt.want)
				}
			})
		})
	}
}

// Datagrams for nobody and without an id (RFC 9297 §2.1).
func TestBreachesInDatagrams(t *testing.T) {
	onBothSides(t, func(t *testing.T, a *attacked) {
		for name, b := range map[string][]byte{"empty": {}, "id that is cut": {0x80, 0},
			"id of 2^60": quicvarint.Append(nil, 1<<60)} {
			t.Run(name, func(t *testing.T) {
				v, end := a.victim(t)
				defer end()
				v.establish()
				conn, err := v.ours()
				if err != nil {
					t.Fatal(err)
				}
				v.peer.SendDatagram([]byte("\x09another session's"))
				v.peer.SendDatagram(append([]byte{byte(v.first.StreamID() / 4)}, "ours"...))
				if got, err := conn.ReceiveDatagram(v.ctx); string(got) != "ours" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
				v.peer.SendDatagram(b)
				var over *transport.CloseError
				if _, err := conn.ReceiveDatagram(v.ctx); !errors.As(err, &over) || over.Name != "H3_DATAGRAM_ERROR" {
					t.Error(err)
				}
				v.wantEnd(http3.ErrCodeDatagramError)
			})
		}
	})
}

// A client may not hold a server's memory with requests that it begins: some are read, the rest is rejected, and a
// session comes all the same.
func TestRequestsThatAreNeverWhole(t *testing.T) {
	a := newAttacked(t, true)
	v, end := a.victim(t)
	defer end()
	v.establish()
	half := append([]byte{1}, quicvarint.Append(nil, 16<<10)...)
	var begun []*quic.Stream
	for range 100 {
		s := v.openBidi(half...)
		if s == nil {
			t.Fatal("the connection is over")
		}
		begun = append(begun, s)
	}
	rejected := 0
	for _, s := range begun {
		// the first that are read take it, the rest is at once
		s.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		var reset *quic.StreamError
		if _, err := s.Read(make([]byte, 1)); errors.As(err, &reset) &&
			http3.ErrCode(reset.ErrorCode) == http3.ErrCodeRequestRejected {
			rejected++
		}
	}
	if rejected < 90 {
		t.Errorf("%d of 100 requests are rejected", rejected)
	}
	v.wantAlive()
}
