package memconn

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/moqinterop/moq-interop-client/internal/leak"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// The goroutine that a wait for the host leaves on GOOS=js is the runtime's own.
func TestMain(m *testing.M) {
	leak.VerifyTestMain(m, goleak.IgnoreAnyFunction("runtime.handleEvent"))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestStreamsCarryBytesBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := Pair(Options{})
		ctx := t.Context()
		up := bytes.Repeat([]byte("0123456789abcdef"), 50_000) // far more than the buffer
		go func() {
			s := must(client.OpenStream(ctx))
			must(s.Write(up))
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			back := must(io.ReadAll(s))
			if !bytes.Equal(back, []byte("answer")) {
				t.Errorf("client read %q", back)
			}
			client.CloseWithError(7, "done")
		}()
		s := must(server.AcceptStream(ctx))
		got := must(io.ReadAll(s))
		if !bytes.Equal(got, up) {
			t.Errorf("server read %d bytes, want %d", len(got), len(up))
		}
		must(s.Write([]byte("answer")))
		s.Close()
		<-server.Context().Done()
		want := &transport.CloseError{Remote: true, Code: 7, Reason: "done"}
		if diff := cmp.Diff(error(want), context.Cause(server.Context())); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStreamIDsAndOrder(t *testing.T) {
	client, server := Pair(Options{})
	defer client.CloseWithError(0, "")
	ctx := t.Context()
	var ids []uint64
	first := must(client.OpenUniStream(ctx))
	second := must(client.OpenUniStream(ctx))
	second.Write([]byte("2")) // shows the first as well, in order
	for range 2 {
		ids = append(ids, must(server.AcceptUniStream(ctx)).StreamID())
	}
	ids = append(ids, first.StreamID(), second.StreamID(), must(client.OpenStream(ctx)).StreamID(),
		must(server.OpenStream(ctx)).StreamID(), must(server.OpenUniStream(ctx)).StreamID(),
		must(server.OpenUniStream(ctx)).StreamID())
	if diff := cmp.Diff([]uint64{2, 6, 2, 6, 0, 1, 3, 7}, ids); diff != "" {
		t.Error(diff)
	}
	if !client.Info().WireStreamIDs || !server.Info().WireStreamIDs {
		t.Error("the ids are said to be one side's own, and both sides have the same")
	}
}

func TestBackPressureAndDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := Pair(Options{StreamBuffer: 1000})
		defer client.CloseWithError(0, "")
		s := must(client.OpenStream(t.Context()))
		s.SetWriteDeadline(time.Now().Add(time.Minute))
		start := time.Now()
		n, err := s.Write(make([]byte, 1001))
		if n != 1000 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("Write = %d, %v after %v", n, err, time.Since(start))
		}
		s.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read: %v", err)
		}
	})
}

func TestResetStopAndClose(t *testing.T) {
	client, server := Pair(Options{})
	ctx := t.Context()
	a := must(client.OpenStream(ctx))
	a.Write([]byte("lost by the reset"))
	b := must(server.AcceptStream(ctx))
	a.Reset(5)
	_, err := b.Read(make([]byte, 10))
	if diff := cmp.Diff(error(&transport.StreamError{StreamID: 0, Remote: true, Code: 5}), err); diff != "" {
		t.Error(diff)
	}
	_, err = a.Write([]byte("x"))
	if diff := cmp.Diff(error(&transport.StreamError{StreamID: 0, Code: 5}), err); diff != "" {
		t.Error(diff)
	}
	a.Stop(9)
	stopped := error(&transport.StreamError{StreamID: 0, Remote: true, Stop: true, Code: 9})
	_, err = b.Write([]byte("x"))
	if diff := cmp.Diff(stopped, err); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(stopped, context.Cause(b.Context())); diff != "" {
		t.Error(diff)
	}
	client.CloseWithError(3, "bye")
	for _, err := range []error{
		second(client.AcceptStream(ctx)), second(client.OpenUniStream(ctx)), second(server.ReceiveDatagram(ctx)),
		server.SendDatagram(nil), second(b.Write(nil)),
	} {
		var ce *transport.CloseError
		if !errors.As(err, &ce) || ce.Code != 3 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("after close: %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestStreamLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := Pair(Options{MaxUniStreams: 1})
		defer client.CloseWithError(0, "")
		s := must(client.OpenUniStream(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := client.OpenUniStream(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("the second stream: %v", err)
		}
		s.Close()
		r := must(server.AcceptUniStream(t.Context()))
		must(io.ReadAll(r))
		must(client.OpenUniStream(t.Context()))
	})
}

func TestDatagrams(t *testing.T) {
	client, server := Pair(Options{MaxDatagramSize: 10, DatagramQueue: 2})
	defer client.CloseWithError(0, "")
	var tooLarge *transport.DatagramTooLargeError
	if err := client.SendDatagram(make([]byte, 11)); !errors.As(err, &tooLarge) || tooLarge.Max != 10 {
		t.Errorf("a large datagram: %v", err)
	}
	for i := range 3 {
		client.SendDatagram([]byte{byte(i)})
	}
	got := append(must(server.ReceiveDatagram(t.Context())), must(server.ReceiveDatagram(t.Context()))...)
	if !bytes.Equal(got, []byte{0, 1}) || server.LostDatagrams() != 1 {
		t.Errorf("received %v, lost %d", got, server.LostDatagrams())
	}
}
