package track

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// zeros is an endless payload.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestStoppedPayload: WriteFrom tells that a subscriber has stopped an object in the middle of it, and the next object
// is written all the same.
func TestStoppedPayload(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := publishing(t, d, Options{})
		sub := must[*moqt.Subscription](t)(p.client.Subscribe(p.ctx,
			&wire.Subscribe{TrackNamespace: testNS, TrackName: testName}))
		code := moqt.ResetExcessiveLoad.Number(d)
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			r, err := sub.AcceptSubgroup(p.ctx)
			noError(t, err)
			_, err = r.Next()
			noError(t, err)
			r.Stop(code)
		}()
		err := p.track.WriteFrom(p.ctx, &moqt.Object{}, 10<<20, zeros{})
		var stop *transport.StreamError
		if !errors.As(err, &stop) || stop.Code != code {
			t.Errorf("WriteFrom: %v, want the subscriber's STOP_SENDING", err)
		}
		<-stopped
		noError(t, p.track.Write(p.ctx, &moqt.Object{GroupID: 1}))
		noError(t, p.track.End(p.ctx))
	})
}

// TestBrokenOff: an object that began to come and was broken off is missing.
func TestBrokenOff(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p, s, pub := receiving(t, d, ReadOptions{}, moqt.Limits{})
		w := p.stream(pub, wire.SubgroupHeader{}, 0)
		noError(t, w.BeginObject(&wire.ObjectHeader{ObjectID: 1, PayloadLength: 100_000}, 0))
		_, err := w.Write(make([]byte, 10))
		noError(t, err)
		noError(t, w.Flush())
		synctest.Wait()
		w.Reset(moqt.ResetInternalError.Number(d))
		noError(t, pub.Done(p.ctx, moqt.DoneTrackEnded, ""))
		for err = nil; err == nil; {
			_, err = s.Next(p.ctx)
		}
		if err != io.EOF {
			t.Error(err)
		}
		if r := s.Report(); r.Objects != 1 || r.Missing != 1 || r.Resets != 1 {
			t.Errorf("report %+v", r)
		}
	})
}
