package track

import (
	"errors"
	"io"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestReadSessionEnds: a session can be closed while streams and datagrams wait for room in a track that nobody takes
// from. What came is still handed out, and what had no room is not denied: the end is the session's, and not io.EOF.
func TestReadSessionEnds(t *testing.T) {
	for name, layout := range map[string]Layout{"one subgroup": {}, "subgroups": {Mode: LayoutObject},
		"datagrams": {Mode: LayoutDatagram}} {
		for _, inOrder := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				eachDraft(t, func(t *testing.T, d wire.Draft) {
					track := NewPublished(testNS, testName, Options{Layout: layout})
					p := dialSessions(t, d, moqt.Config{Limits: moqt.Limits{QueuedBytes: 1000}},
						moqt.Config{Handler: func(r *moqt.Request) { _ = track.Serve(r.Session().Context(), r) }})
					s, err := Open(p.ctx, p.client, Request{TrackNamespace: testNS, TrackName: testName,
						Read: ReadOptions{InOrder: inOrder}})
					noError(t, err)
					for _, l := range locations(0, 1, 20) {
						noError(t, track.Write(p.ctx, &moqt.Object{GroupID: l.Group, ObjectID: l.Object,
							Payload: make([]byte, 500)}))
						settle()
					}
					noError(t, track.End(p.ctx))
					settle()
					p.client.Close(wire.NoError, "")
					var ended *moqt.SessionError
					for n := 0; ; n++ {
						if _, err = s.Next(p.ctx); err != nil {
							if n == 0 || n >= 20 {
								t.Errorf("%d of 20 objects", n)
							}
							break
						}
					}
					if err == io.EOF || !errors.As(err, &ended) {
						t.Errorf("the track ended with %v", err)
					}
				})
			})
		}
	}
}
