package wtconn_test

import (
	"context"
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
)

// victim is one side of ours and a QUIC connection of a peer that may write on it what it likes.
type victim struct {
	peer *quic.Conn
	ctx  context.Context
}

// sides makes a victim of each side: a server of ours whose client attacks, and a client of ours whose server does.
var sides = map[string]func(t *testing.T) victim{"server": attackedServer, "client": attackedClient}

func attackedServer(t *testing.T) victim {
	t.Helper()
	ctx := limit(t)
	l, err := endpoint.Listen(endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	peer, err := quic.DialAddr(ctx, l.Addr().String(), &tls.Config{InsecureSkipVerify: true,
		NextProtos: []string{"h3"}}, &quic.Config{EnableDatagrams: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.CloseWithError(0, "") })
	return victim{peer: peer, ctx: ctx}
}

func attackedClient(t *testing.T) victim {
	t.Helper()
	ctx := limit(t)
	cert, err := endpoint.SelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := quic.ListenAddr("127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert},
		NextProtos: []string{"h3"}}, &quic.Config{EnableDatagrams: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	u, err := transport.ParseURL("https://" + ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	dialled := make(chan struct{})
	t.Cleanup(func() { <-dialled })
	go func() {
		defer close(dialled)
		if c, err := endpoint.Dial(ctx, endpoint.DialOptions{URL: u,
			TLS: &tls.Config{InsecureSkipVerify: true}}); err == nil {
			<-ctx.Done()
			c.CloseWithError(0, "")
		}
	}()
	peer, err := ln.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.CloseWithError(0, "") })
	return victim{peer: peer, ctx: ctx}
}

// limit is a context for one test.
func limit(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// open begins a unidirectional stream with these bytes.
func (v victim) open(t *testing.T, b ...byte) *quic.SendStream {
	t.Helper()
	s, err := v.peer.OpenUniStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(b); err != nil {
		t.Fatal(err)
	}
	return s
}

// wantClose waits until our side has ended the connection, which has to be with this code.
func (v victim) wantClose(t *testing.T, code http3.ErrCode) {
	t.Helper()
	select {
	case <-v.peer.Context().Done():
	case <-v.ctx.Done():
		t.Fatalf("the connection goes on, want %s", code)
	}
	var got *quic.ApplicationError
	if err := context.Cause(v.peer.Context()); !errors.As(err, &got) || !got.Remote ||
		http3.ErrCode(got.ErrorCode) != code {
		t.Errorf("the connection ended with %v, want %s", err, code)
	}
}

// There is one control stream, and one of each of QPACK's two, in a direction (RFC 9114 §6.2.1, RFC 9204 §4.2).
func TestSecondCriticalStream(t *testing.T) {
	for side, attack := range sides {
		for _, tt := range []struct {
			name        string
			kind        byte
			first, then []byte // what follows the types, once both streams are open
		}{
			{"control, SETTINGS on both", 0, []byte{4, 2, 8, 1}, []byte{4, 2, 8, 1}},
			{"control, types alone", 0, nil, nil},
			{"control, half of SETTINGS on both", 0, []byte{4}, []byte{4}},
			{"QPACK encoder", 2, nil, nil},
			{"QPACK decoder", 3, nil, nil},
		} {
			t.Run(side+"/"+tt.name, func(t *testing.T) {
				v := attack(t)
				first, second := v.open(t, tt.kind), v.open(t, tt.kind)
				first.Write(tt.first)
				second.Write(tt.then)
				v.wantClose(t, http3.ErrCodeStreamCreationError)
			})
		}
		t.Run(side+"/control, behind SETTINGS", func(t *testing.T) {
			v := attack(t)
			v.open(t, 0, 4, 2, 8, 1)
			v.open(t, 0, 4, 2, 8, 1)
			v.wantClose(t, http3.ErrCodeStreamCreationError)
		})
	}
}
