package cases

import (
	"context"
	"errors"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// From 16 to 18 the relay may not subscribe to a track on the session that has published it; in the other drafts it
// may. From 20 on the PUBLISH says that objects may flow.
func TestSubscribeBesidePublish(t *testing.T) {
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			r := published(t, d, func(t *testing.T, ctx context.Context, relay *moqt.Session, p *Publisher) {
				offered := make(chan *moqt.Publication, 1)
				p.Session.e.Go(ctx, func(ctx context.Context) { offered <- p.Offer(ctx) })
				r, err := relay.AcceptRequest(ctx)
				if err != nil {
					t.Fatal(err)
				}
				forward, said := r.Message().(*wire.Publish).Parameters.Uint(wire.ParamForward)
				if said != (d == wire.Draft14 || d >= wire.Draft20) || said && forward != 1 {
					t.Errorf("PUBLISH with FORWARD %d %v", forward, said)
				}
				q, err := relay.Start(ctx, &wire.Subscribe{TrackNamespace: p.Namespace, TrackName: p.Name})
				if err == nil {
					_, err = q.Response(ctx)
				}
				var refused *moqt.RequestError
				duplicate := errors.As(err, &refused) && refused.Name == "DUPLICATE_SUBSCRIPTION"
				if want := d >= wire.Draft16 && d <= wire.Draft18; duplicate != want || !want && err != nil {
					t.Errorf("SUBSCRIBE beside the PUBLISH: %v", err)
				}
				if _, err := r.AcceptPublish(ctx, nil); err != nil {
					t.Fatal(err)
				}
				if sub := <-offered; !sub.Forward() {
					t.Error("Forward State 0")
				}
			})
			if r.Status != Pass {
				t.Errorf("%s %s", r.Status, r.Message)
			}
		})
	}
}
