package reference

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestWouldPass: a publisher on draft 20 that writes LARGEST_OBJECT with a length, as a browser stack does, is closed
// with a reason that names the tolerance, and the relay's log names it too. With the tolerance it is served.
func TestWouldPass(t *testing.T) { synctest.Test(t, testWouldPass) }

func testWouldPass(t *testing.T) {
	const d = wire.Draft20
	for _, tolerate := range []wire.Tolerance{0, wire.LargestObjectLength} {
		var log bytes.Buffer
		w := newWorld(t, Options{
			Logger: slog.New(slog.NewTextHandler(&log, nil)), Decode: wire.Options{Tolerate: tolerate},
		})
		s, err := moqt.Client(w.ctx, retyper{w.connect(d), withLength, nil}, moqt.Config{Drafts: []wire.Draft{d},
			Limits: moqt.Limits{Linger: linger}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.PublishNamespace(w.ctx, wire.TrackNamespace{"n"}, nil); err != nil {
			t.Fatal(err)
		}
		go func() {
			if req, err := s.AcceptRequest(w.ctx); err == nil {
				ok := &wire.SubscribeOK{}
				ok.Parameters.SetLargest(loc(3, 1))
				req.AcceptSubscribe(w.ctx, ok)
			}
		}()
		_, err = w.dial(d).Subscribe(w.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"n"}, TrackName: "t"})
		if tolerate != 0 {
			if err != nil {
				t.Errorf("tolerated: %v", err)
			}
			s.Close(wire.NoError, "")
			continue
		}
		<-s.Context().Done()
		w.relay.Close()
		const want = "the deviation is in parameters[0].LARGEST_OBJECT; would pass with --compat largest-object-length"
		if err := s.Err(); !strings.Contains(err.Error(), want) {
			t.Errorf("the publisher is told %q, want %q in it", err, want)
		}
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log is\n%s\nwant %q in it", &log, want)
		}
	}
}

// withLength puts the length before the LARGEST_OBJECT of a SUBSCRIBE_OK that has no other parameter before it.
func withLength(_ wire.Draft, code uint64, body []byte) (uint64, []byte) {
	const alias, count, largest = 1, 1, 0x9
	if code != 0x4 || body[alias+count] != largest {
		return code, body
	}
	at := alias + count + 1
	return code, append(append(body[:at:at], 2), body[at:]...)
}
