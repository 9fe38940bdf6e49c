package cases_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// TestRelayThatOffersOtherTracks: what a relay PUBLISHes unasked of other namespaces is refused and noted, and the case
// waits for its own.
func TestRelayThatOffersOtherTracks(t *testing.T) {
	for _, name := range []string{"namespace-discovery", "subscribe-tracks", "subscribe-tracks-paused"} {
		c := find(t, name)
		for _, d := range wire.Drafts() {
			if !c.Applies(d) {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				relay, err := reference.New(reference.Options{})
				if err != nil {
					t.Fatal(err)
				}
				var served sync.WaitGroup
				cfg := cases.Config{Drafts: []wire.Draft{d}, Dial: func(ctx context.Context, _ string,
					drafts []wire.Draft) (transport.Conn, error) {
					client, server := memconn.Pair(memconn.Options{Info: transport.Info{ALPN: drafts[0].ALPN()}})
					served.Go(func() {
						ctx := context.WithoutCancel(ctx)
						s, err := moqt.Server(ctx, server, moqt.Config{})
						if err != nil {
							return
						}
						time.Sleep(time.Millisecond) // until the case waits for a PUBLISH
						s.Publish(ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"other"}, TrackName: "news",
							TrackAlias: 1 << 20})
						relay.Serve(ctx, s)
					})
					return client, nil
				}}
				r := cases.Run(t.Context(), c, cfg)
				relay.Close()
				served.Wait()
				want(t, r, cases.Result{Status: cases.Pass})
				if text := strings.Join(r.Notes, "\n"); !strings.Contains(text,
					`the relay sent PUBLISH (namespace "other" track "news"); refused`) {
					t.Errorf("%s in %s: notes %s", name, d, text)
				}
			})
		}
	}
}

// tracksRelay plays a relay of one track for the cases of SUBSCRIBE_TRACKS: it accepts everything, and calls follow
// once it has both a request for tracks (up to 17 SUBSCRIBE_NAMESPACE) and a PUBLISH that it has accepted.
func tracksRelay(t *testing.T, follow func(tracks, publish *moqt.Request)) peer {
	requests := map[wire.Kind]chan *moqt.Request{}
	var mu sync.Mutex
	have := func(k wire.Kind) chan *moqt.Request {
		mu.Lock()
		defer mu.Unlock()
		if requests[k] == nil {
			requests[k] = make(chan *moqt.Request, 1)
		}
		return requests[k]
	}
	return session(func(s *moqt.Session, r *moqt.Request) {
		switch r.Kind() {
		case wire.KindPublish:
			ok := &wire.RequestOK{}
			if s.Draft() <= wire.Draft19 {
				ok.Parameters.SetUint(wire.ParamForward, 1)
			}
			if _, err := r.AcceptPublish(r.Context(), ok); err != nil {
				t.Errorf("PUBLISH: %v", err)
			}
			have(wire.KindPublish) <- r
		case wire.KindSubscribeTracks, wire.KindSubscribeNamespace:
			acceptAll(s, r)
			select {
			case publish := <-have(wire.KindPublish):
				follow(r, publish)
			case <-r.Context().Done():
			}
		default:
			acceptAll(s, r)
		}
	}, nil)
}

// A relay that says that no PUBLISH will come is heard at once. From 19 on it may say so for any reason (draft-19 §6.1,
// draft-22 §3.6.3); in 17 and 18 only for want of streams, which we give (draft-18 §6.1). It may not name
// another track.
func TestSkippedTracks(t *testing.T) {
	for _, name := range []string{"namespace-discovery", "subscribe-tracks", "subscribe-tracks-paused"} {
		c := find(t, name)
		for d := wire.Draft17; d <= wire.Newest; d++ {
			if !c.Applies(d) {
				continue
			}
			for _, other := range []string{"", "-other"} {
				t.Run(name+other+"/"+d.String(), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						relay := tracksRelay(t, func(tracks, publish *moqt.Request) {
							skipped := &wire.PublishSkipped{TrackName: publish.TrackName() + other,
								Suffix: publish.TrackNamespace()[len(tracks.TrackNamespace()):]}
							if err := tracks.Send(tracks.Context(), skipped); err != nil {
								t.Errorf("PUBLISH_SKIPPED: %v", err)
							}
						})
						r := cases.Run(t.Context(), c, against(t, d, relay))
						named := wire.NameOf(d, &wire.PublishSkipped{}) + " of namespace"
						heard := r.Status == cases.Skip && strings.Contains(r.Reason, "the track was skipped, as "+
							rules.Cite(d, rules.SkippedTracks)+" allows: "+named)
						if d <= wire.Draft18 || other != "" {
							heard = r.Status == cases.Fail && strings.Contains(r.Received, named)
						}
						if !heard || r.Duration > time.Second {
							t.Errorf("%s after %s: %s%s\n%s", r.Status, r.Duration, r.Message, r.Reason,
								strings.Join(r.Transcript, "\n"))
						}
					})
				})
			}
		}
	}
}

// A relay that ends the PUBLISH that it sent, behind our OK. By RESET_STREAM it cancels it, as either end may
// (draft-22 §6.4.2.3). FIN is no cancellation: from 19 on it may not come before PUBLISH_DONE (draft-19 §3.3.2), and 17
// and 18 do not say what it means.
func TestPublishEndedBehindOurOK(t *testing.T) {
	for d := wire.Draft17; d <= wire.Newest; d++ {
		for _, how := range []string{"RESET_STREAM", "FIN"} {
			t.Run(how+"/"+d.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := cases.Run(t.Context(), find(t, "subscribe-tracks"), against(t, d,
						tracksRelay(t, func(tracks, publish *moqt.Request) {
							pub, err := tracks.Session().Publish(tracks.Context(), &wire.Publish{
								TrackNamespace: publish.TrackNamespace(), TrackName: publish.TrackName()})
							if err != nil {
								t.Errorf("PUBLISH: %v", err)
								return
							}
							if how == "FIN" {
								pub.Request().CloseSend()
							} else {
								pub.Request().Cancel(moqt.ResetCancelled)
							}
						})))
					allowed := "the relay has ended the PUBLISH that was accepted, as " +
						rules.Cite(d, rules.CancelRequest) + " allows: "
					ok := r.Status == cases.Skip && strings.HasPrefix(r.Reason, allowed)
					if how == "FIN" && d >= wire.Draft19 {
						ok = r.Status == cases.Fail && strings.Contains(r.Received, "FIN")
					}
					if !ok || r.Duration > time.Second {
						t.Errorf("%s after %s: %s%s\n%s", r.Status, r.Duration, r.Message, r.Reason,
							strings.Join(r.Transcript, "\n"))
					}
				})
			})
		}
	}
}
