package reference

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestBreachOnData: a publisher that breaks the draft on a subgroup stream has its session closed, as the texts want it
// (draft-16 §1.4.2, draft-18 §1.4.3, §11.4), the log says so, and the subscriber learns that the track is over.
func TestBreachOnData(t *testing.T) {
	for _, tt := range []struct {
		name  string
		props bool
		tail  string // behind a good object
	}{
		{"FIN inside a payload", false, "\x00\x05a"},
		{"FIN inside a header", false, "\x00"},
		{"an unknown status", false, "\x00\x00\x07"},
		{"properties that end in the middle of one", true, "\x00\x02\x01\x05\x01a"},
	} {
		onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
			var log bytes.Buffer
			w := newWorld(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			o := w.announce(d, "n")
			sub := w.subscribe(w.dial(wire.Draft18), nil, "t", "n")
			pub := o.publication()
			stream, err := o.s.Conn().OpenUniStream(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			sw, err := moqt.NewSubgroupWriter(stream, d, wire.SubgroupHeader{TrackAlias: pub.TrackAlias(),
				HasProperties: tt.props, FirstObject: true})
			if err != nil {
				t.Fatal(err)
			}
			if err := sw.WriteObject(&moqt.Object{Payload: []byte("good")}); err != nil {
				t.Fatal(err)
			}
			w.receive(sub, 1)
			stream.Write([]byte(tt.tail))
			stream.Close()
			<-o.s.Context().Done()
			var end *moqt.SessionError
			if !errors.As(o.s.Err(), &end) || end.Local || end.Code != wire.ProtocolViolation {
				t.Errorf("%s: the publisher's session ends with %v, want PROTOCOL_VIOLATION", tt.name, o.s.Err())
			}
			if _, done := w.finish(sub); done.StatusCode != moqt.DoneInternalError.Number(wire.Draft18) {
				t.Errorf("%s: the subscriber's PUBLISH_DONE has 0x%x", tt.name, done.StatusCode)
			}
			synctest.Wait()
			w.relay.Close()
			if !strings.Contains(log.String(), "PROTOCOL_VIOLATION") {
				t.Errorf("%s: the log says nothing:\n%s", tt.name, &log)
			}
		})
	}
}

// TestBreachOnFetch: the same on the stream of an upstream FETCH.
func TestBreachOnFetch(t *testing.T) {
	onDrafts(t, wire.Drafts(), func(t *testing.T, d wire.Draft) {
		w := newWorld(t, Options{})
		s := w.dial(d)
		if _, err := s.PublishNamespace(w.ctx, wire.TrackNamespace{"n"}, nil); err != nil {
			t.Fatal(err)
		}
		go func() {
			req, err := s.AcceptRequest(w.ctx)
			if err != nil {
				return
			}
			f, err := req.AcceptFetch(w.ctx, &wire.FetchOK{End: loc(0, 1)})
			if err != nil {
				return
			}
			f.WriteObject(&moqt.Object{Payload: []byte("good")})
			f.BeginObject(&wire.FetchObject{Object: 1, PayloadLength: 9}, 0)
			f.Flush()
			f.Stream().Close()
		}()
		f := w.fetch(w.dial(wire.Draft18), groupEnd(loc(0, 0), 0), false, "t", "n")
		for {
			if _, err := f.Next(w.ctx); err != nil {
				break
			}
		}
		<-s.Context().Done()
		var end *moqt.SessionError
		if !errors.As(s.Err(), &end) || end.Local || end.Code != wire.ProtocolViolation {
			t.Errorf("the publisher's session ends with %v, want PROTOCOL_VIOLATION", s.Err())
		}
	})
}
