package reference

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestStall: an object that stands still is given up after the session's Stall, with a line in the log: its publisher
// is told to stop with CANCELLED, and the subscriber's stream, where the object before it had gone, is reset. A stream
// that stands still between objects goes on.
func TestStall(t *testing.T) {
	onDrafts(t, []wire.Draft{wire.Draft16, wire.Draft22}, func(t *testing.T, d wire.Draft) {
		var log lines
		o, pub, sub := published(t, d, d, Options{Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Limits: Limits{Session: moqt.Limits{Stall: time.Second}}}, nil)
		still, rests := o.open(pub, 1), o.open(pub, 2)
		for _, sw := range []*moqt.SubgroupWriter{still, rests} {
			if err := sw.WriteObject(&moqt.Object{Payload: []byte("first")}); err != nil {
				t.Fatal(err)
			}
		}
		if err := still.BeginObject(&wire.ObjectHeader{ObjectID: 1, PayloadLength: 10}, 0); err != nil {
			t.Fatal(err)
		}
		still.Write([]byte("half"))
		still.Flush()
		streams := make(map[uint64]*moqt.SubgroupReader)
		for range 2 {
			sr, err := sub.AcceptSubgroup(o.ctx)
			if err != nil {
				t.Fatal(err)
			}
			streams[sr.Header().GroupID] = sr
		}
		time.Sleep(3 * time.Second)
		var x moqt.Object
		var reset *transport.StreamError
		for range 2 {
			if err := streams[1].ReadObject(&x); err != nil && !errors.As(err, &reset) {
				t.Errorf("the subscriber's stream: %v, want a reset", err)
			}
		}
		if reset == nil {
			t.Error("the subscriber's stream was not reset")
		}
		if _, err := still.Write([]byte("more")); !errors.As(err, &reset) ||
			reset.Code != moqt.ResetCancelled.Number(d) {
			t.Errorf("the publisher's stream: %v, want CANCELLED", err)
		}
		if n := log.count("stood still"); n != 1 {
			t.Errorf("%d lines tell of it", n)
		}
		if err := rests.WriteObject(&moqt.Object{ObjectID: 1, Payload: []byte("second")}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := streams[2].ReadObject(&x); err != nil {
				t.Errorf("the stream that rested between objects: %v", err)
			}
		}
	})
}
