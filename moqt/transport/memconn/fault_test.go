package memconn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// TestFaults sends 10 bytes and FIN on the second unidirectional stream of the client, with the fault.
func TestFaults(t *testing.T) {
	sent := []byte("0123456789")
	for _, tt := range []struct {
		name  string
		fault Fault
		got   string        // what the receiver reads
		err   error         // and then
		at    time.Duration // when
		wrote error         // what the sender's next Write gives, once the receiver is done
	}{
		{name: "none", got: "0123456789", wrote: io.ErrClosedPipe},
		{name: "delay", fault: Fault{Delay: time.Second}, got: "0123456789", at: time.Second, wrote: io.ErrClosedPipe},
		{name: "reset", fault: Fault{After: 4, Action: Reset, Code: 9}, got: "0123",
			err: &transport.StreamError{StreamID: 6, Remote: true, Code: 9}, wrote: io.ErrClosedPipe},
		{name: "reset at once", fault: Fault{Action: Reset, Code: 9},
			err: &transport.StreamError{StreamID: 6, Remote: true, Code: 9}, wrote: io.ErrClosedPipe},
		{name: "reset instead of FIN", fault: Fault{After: 10, Action: Reset, Code: 9}, got: "0123456789",
			err: &transport.StreamError{StreamID: 6, Remote: true, Code: 9}, wrote: io.ErrClosedPipe},
		{name: "reset beyond the end", fault: Fault{After: 11, Action: Reset, Code: 9}, got: "0123456789",
			wrote: io.ErrClosedPipe},
		{name: "late reset", fault: Fault{Delay: time.Second, After: 3, Action: Reset, Code: 9}, at: time.Second,
			got: "012", err: &transport.StreamError{StreamID: 6, Remote: true, Code: 9}, wrote: io.ErrClosedPipe},
		{name: "stop", fault: Fault{After: 4, Action: Stop, Code: 9}, got: "0123",
			err:   &transport.StreamError{StreamID: 6, Remote: true, Code: 9},
			wrote: &transport.StreamError{StreamID: 6, Remote: true, Stop: true, Code: 9}},
		{name: "close", fault: Fault{After: 4, Action: Close, Code: 9}, got: "0123",
			err:   &transport.CloseError{Remote: true, Code: 9, Reason: "fault"},
			wrote: &transport.CloseError{Remote: true, Code: 9, Reason: "fault"}},
		{name: "cut", fault: Fault{After: 4, Action: Cut}, got: "0123", err: errTimeout, at: time.Hour,
			wrote: io.ErrClosedPipe},
		{name: "cut at once", fault: Fault{Action: Cut}, err: errTimeout, at: time.Hour, wrote: io.ErrClosedPipe},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := Pair(Options{StreamBuffer: 4, Faults: OnStream(true, true, 1, tt.fault)})
				defer client.CloseWithError(0, "")
				ctx := t.Context()
				start := time.Now()
				must(client.OpenUniStream(ctx))
				w := must(client.OpenUniStream(ctx))
				go func() {
					w.Write(sent)
					w.Close()
				}()
				must(server.AcceptUniStream(ctx)) // the first one, shown by the second
				r := must(server.AcceptUniStream(ctx))
				r.SetReadDeadline(start.Add(time.Hour))
				got, err := io.ReadAll(r)
				if string(got) != tt.got {
					t.Errorf("received %q, want %q", got, tt.got)
				}
				sameTimeout := cmp.Comparer(func(a, b *timeoutError) bool { return (a == nil) == (b == nil) })
				if diff := cmp.Diff(tt.err, err, sameTimeout); diff != "" {
					t.Error(diff)
				}
				if d := time.Since(start); d < tt.at || d > tt.at+tt.fault.Delay*10 {
					t.Errorf("after %v, want %v", d, tt.at)
				}
				synctest.Wait()
				_, err = w.Write([]byte("x"))
				if diff := cmp.Diff(fmt.Sprint(tt.wrote), fmt.Sprint(err)); diff != "" {
					t.Errorf("the sender's next Write: %s", diff)
				}
			})
		})
	}
}

func TestDatagramFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := Pair(Options{DatagramFaults: func(d DatagramInfo) DatagramFault {
			return DatagramFault{Drop: d.FromClient && d.Index == 1, Delay: time.Duration(3-d.Index) * time.Second}
		}})
		defer client.CloseWithError(0, "")
		for i := range 3 {
			client.SendDatagram([]byte{byte(i)})
		}
		var got []byte
		for range 2 {
			got = append(got, must(server.ReceiveDatagram(t.Context()))...)
		}
		if !bytes.Equal(got, []byte{2, 0}) || server.LostDatagrams() != 1 {
			t.Errorf("received %v, lost %d", got, server.LostDatagrams())
		}
	})
}

func TestAbort(t *testing.T) {
	client, server := Pair(Options{})
	client.Abort(transport.CloseError{Transport: true, Timeout: true, Reason: "silence"})
	for _, c := range []*Conn{client, server} {
		var got *transport.CloseError
		if !errors.As(context.Cause(c.Context()), &got) || !got.Timeout {
			t.Errorf("cause %v", context.Cause(c.Context()))
		}
	}
}

func TestCloseStopsWhatIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := Pair(Options{Faults: func(StreamInfo) Fault { return Fault{Delay: time.Hour} }})
		s := must(client.OpenStream(t.Context()))
		s.Write([]byte("x"))
		s.SetReadDeadline(time.Now().Add(time.Hour))
		server.CloseWithError(1, "")
		synctest.Wait() // the bubble must end without the hour
		if _, err := s.Read(make([]byte, 1)); err == nil {
			t.Error("Read after the end")
		}
	})
}

// Whatever the sizes of writes, reads and buffer, what arrives is what was sent.
func TestBytesArriveInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		client, server := Pair(Options{StreamBuffer: rapid.IntRange(1, 3000).Draw(t, "buffer")})
		defer client.CloseWithError(0, "")
		chunks := rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 0, 2000)).Draw(t, "chunks")
		readSize := rapid.IntRange(1, 3000).Draw(t, "read")
		w := must(client.OpenStream(context.Background()))
		go func() {
			for _, c := range chunks {
				w.Write(c)
			}
			w.Close()
		}()
		r := must(server.AcceptStream(context.Background()))
		var got []byte
		b := make([]byte, readSize)
		for {
			n, err := r.Read(b)
			got = append(got, b[:n]...)
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, bytes.Join(chunks, nil)) {
			t.Fatalf("received %d bytes, want %d", len(got), len(bytes.Join(chunks, nil)))
		}
	})
}
