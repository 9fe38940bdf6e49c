package reference

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestShutdown: every client gets a GOAWAY, who comes meanwhile too. Who leaves is waited for; who stays is closed with
// NO_ERROR when the time is over, and counted.
func TestShutdown(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		leaver, stayer := w.dial(d), w.dial(d)
		o := w.announce(d, "n")
		sub := w.subscribe(stayer, nil, "t", "n")
		ctx, cancel := context.WithTimeout(w.ctx, time.Second)
		defer cancel()
		began := time.Now()
		gone := make(chan error, 1)
		go func() { gone <- w.relay.Shutdown(ctx) }()
		synctest.Wait()
		late := w.dial(d)
		for name, s := range map[string]*moqt.Session{"a client": leaver, "a subscriber": stayer, "a publisher": o.s,
			"who comes late": late} {
			select {
			case <-s.PeerGoaway():
			case <-s.Context().Done():
				t.Fatalf("%s was closed without GOAWAY: %v", name, context.Cause(s.Context()))
			}
		}
		o.send(o.publication(), 0, 0) // all goes on until the time is over
		w.same("meanwhile", o.expected(loc(0, 0)), w.receive(sub, 1))
		leaver.Close(wire.NoError, "")
		o.s.Close(wire.NoError, "")
		late.Close(wire.NoError, "")
		err := <-gone
		if !errors.Is(err, context.DeadlineExceeded) ||
			err.Error() != "1 sessions were closed: context deadline exceeded" {
			t.Errorf("%v, want one session that stayed", err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("it took %v", took)
		}
		<-stayer.Context().Done()
		var closed *moqt.SessionError
		if !errors.As(context.Cause(stayer.Context()), &closed) || closed.Local || closed.Code != wire.NoError {
			t.Errorf("the one who stayed: %v, want NO_ERROR from the relay", context.Cause(stayer.Context()))
		}
	})
}

// TestShutdownWaitsForWhoComes: a client whose session was being set up when the relay began to stop has its time too.
func TestShutdownWaitsForWhoComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		conn := w.connect(wire.Draft18) // the relay waits for SETUP
		synctest.Wait()
		ctx, cancel := context.WithTimeout(w.ctx, time.Second)
		defer cancel()
		gone := make(chan error, 1)
		go func() { gone <- w.relay.Shutdown(ctx) }()
		synctest.Wait()
		s, err := moqt.Client(w.ctx, conn, moqt.Config{Drafts: []wire.Draft{wire.Draft18}})
		if err != nil {
			t.Fatal(err)
		}
		<-s.PeerGoaway()
		time.Sleep(500 * time.Millisecond)
		if err := s.Err(); err != nil {
			t.Errorf("closed while there was time: %v", err)
		}
		s.Close(wire.NoError, "")
		if err := <-gone; err != nil {
			t.Error(err)
		}
	})
}

// TestShutdownOfNobody: it is over at once when everybody has left.
func TestShutdownOfNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.dial(wire.Draft18).Close(wire.NoError, "")
		synctest.Wait()
		began := time.Now()
		if err := w.relay.Shutdown(w.ctx); err != nil || time.Since(began) > 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
