package throughput

import (
	"io"
	"sync"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	tracks "github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A stream for each object, as fast as they go: whoever reads the track in order gets every object, whichever stream's
// header is read first.
func TestInOrder(t *testing.T) {
	for name, choice := range map[string]transport.Choice{"quic": transport.OnlyQUIC,
		"webtransport": transport.OnlyWebTransport} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			p := dial(t, choice, wire.Newest)
			track := tracks.NewPublished(wire.TrackNamespace{"hall"}, "clock",
				tracks.Options{Layout: tracks.Layout{Mode: tracks.LayoutObject}})
			var server, client *moqt.Session
			var failed [2]error
			var wg sync.WaitGroup
			wg.Go(func() {
				server, failed[0] = moqt.Server(ctx, p.server,
					moqt.Config{Handler: func(r *moqt.Request) { track.Serve(r.Session().Context(), r) }})
			})
			wg.Go(func() { client, failed[1] = moqt.Client(ctx, p.client, moqt.Config{}) })
			wg.Wait()
			if failed[0] != nil || failed[1] != nil {
				t.Fatal(failed)
			}
			defer server.Close(wire.NoError, "")
			defer client.Close(wire.NoError, "")
			s, err := tracks.Open(ctx, client, tracks.Request{TrackNamespace: track.Namespace(),
				TrackName: track.Name(), Read: tracks.ReadOptions{InOrder: true}})
			if err != nil {
				t.Fatal(err)
			}
			const groups, objects = 300, 6
			wg.Go(func() {
				for i := range uint64(groups * objects) {
					if err := track.Write(ctx, &moqt.Object{GroupID: i / objects, ObjectID: i % objects,
						Payload: make([]byte, 500)}); err != nil {
						t.Error(err)
						return
					}
				}
				if err := track.End(ctx); err != nil {
					t.Error(err)
				}
			})
			for i := uint64(0); ; i++ {
				o, err := s.Next(ctx)
				if err == io.EOF && i == groups*objects {
					break
				}
				if err != nil {
					t.Fatalf("after %d objects: %v; %+v", i, err, s.Report())
				}
				if want := (wire.Location{Group: i / objects, Object: i % objects}); o.Location() != want {
					t.Fatalf("object %s instead of %s; %+v", o.Location(), want, s.Report())
				}
			}
			wg.Wait()
		})
	}
}
