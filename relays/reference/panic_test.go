package reference

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// lines is a log that several goroutines write.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

// TestPanic: a panic in a goroutine of a session, or in the relay's work for it, ends that session with a line in the
// log, and others go on.
func TestPanic(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft16, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		var log lines
		panics := func(e moqt.Event) {
			if m, ok := e.Message.(*wire.PublishNamespace); ok && !e.Sent && m.TrackNamespace[0] == "panic" {
				panic("for the test")
			}
		}
		w := newWorld(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Trace: func(transport.Conn) func(moqt.Event) { return panics }})
		good, bad, worse := w.dial(d), w.dial(d), w.dial(d)
		gone := func(what string, s *moqt.Session) {
			t.Helper()
			<-s.Context().Done()
			var end *moqt.SessionError
			if !errors.As(s.Err(), &end) || end.Local || end.Code != wire.InternalError {
				t.Errorf("%s: %v, want INTERNAL_ERROR", what, s.Err())
			}
		}
		if _, err := bad.PublishNamespace(w.ctx, wire.TrackNamespace{"panic"}, nil); err == nil {
			t.Error("a session that panics accepts")
		}
		gone("the session that panics", bad)
		if _, err := worse.PublishNamespace(w.ctx, wire.TrackNamespace{"n"}, nil); err != nil {
			t.Fatal(err)
		}
		p := w.relay.publishers(wire.TrackNamespace{"n"})[0]
		p.tasks.Go(func() { p.guard(func() { panic("for the test") }) })
		gone("whose work panics", worse)
		if _, err := good.PublishNamespace(w.ctx, wire.TrackNamespace{"m"}, nil); err != nil {
			t.Errorf("another session: %v", err)
		}
		if n := log.count("level=ERROR"); n != 2 || log.count(`panic="for the test"`) != 2 {
			t.Errorf("%d lines tell of it, want 2", n)
		}
	})
}
