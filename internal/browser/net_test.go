package browser

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	tracks "github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// @moq/net is the JavaScript stack of browsers. It publishes and subscribes in a page, through `serve`.

// netDrafts are those that it speaks.
var netDrafts = []wire.Draft{wire.Draft14, wire.Draft15, wire.Draft16, wire.Draft17, wire.Draft18, wire.Draft19,
	wire.Draft20}

// netCompat lets pass what it does otherwise than the drafts say: on 20 the LARGEST_OBJECT of its SUBSCRIBE_OK has a
// length.
const netCompat = "largest-object-length"

const netPrefix, netTrack = "net", "track"

// netGroups are the sizes of the objects of a track, group by group. They are the groups that `pub` makes of these
// objects when a group may have netGroupObjects, and netGroupSize bytes.
var netGroups = [][]int{{0}, {200_000}, {1, 0, 1, 63, 64, 65}, {0, 1200, 16383, 16384}, {70_000, 3, 0}, {1 << 20},
	{0, 0, 0, 5, 6, 7}, {8, 9, 10}}

const netGroupObjects, netGroupSize = "6", "100000"

// netPayload is that of an object; the page has the same function. No byte of it ends a line.
func netPayload(at wire.Location, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(14 + (at.Group*7+at.Object*31+uint64(i))%241)
	}
	return b
}

// netWant are the objects of a track, in order.
func netWant() (want []netObject) {
	for g, sizes := range netGroups {
		for o, size := range sizes {
			want = append(want, netObject{Group: uint64(g), Object: uint64(o), Size: size, Intact: true})
		}
	}
	return want
}

// checkNet requires the objects of a track, each once, in any order.
func checkNet(t *testing.T, got []netObject) {
	t.Helper()
	slices.SortStableFunc(got, func(a, b netObject) int {
		return wire.Location{Group: a.Group, Object: a.Object}.Compare(wire.Location{Group: b.Group, Object: b.Object})
	})
	if want := netWant(); !slices.Equal(got, want) {
		t.Errorf("%d objects came, want %d:\n%v\nwant\n%v", len(got), len(want), got, want)
	}
}

func TestNet(t *testing.T) {
	page := openNetPage(t)
	program := buildProgram(t)
	relay := startServe(t, program, "--compat", netCompat)
	t.Run("both", func(t *testing.T) { netBoth(t, page, relay) })
	t.Run("subscriber", func(t *testing.T) { netSubscribes(t, page, relay, program) })
	t.Run("publisher", func(t *testing.T) { netPublishes(t, page, relay, program) })
	t.Run("strict", func(t *testing.T) { netIsToldWhatWouldPass(t, page, startServe(t, program)) })
}

// Publisher and subscriber are sessions of the page, on each pair of drafts.
func netBoth(t *testing.T, page *netPage, relay *serve) {
	for i, pub := range netDrafts {
		for j, sub := range netDrafts {
			t.Run(fmt.Sprintf("%s to %s", pub, sub), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				name := fmt.Sprintf("%d-%d", pub, sub)
				var publisher, subscriber string
				publish := func() { publisher = page.publisher(relay, pub, name, readsOn(sub)) }
				// Either is there first in half of the pairs.
				if (i+j)%2 == 0 {
					publish()
				}
				subscriber = page.subscriber(relay, sub, name)
				if (i+j)%2 != 0 {
					page.wait(ctx, t, subscriber, "connected")
					publish()
				}
				page.wait(ctx, t, publisher, "written")
				page.wait(ctx, t, subscriber, "complete")
				page.step(publisher)
				checkNet(t, page.objects(ctx, t, subscriber))
				page.step(publisher)
			})
		}
	}
}

// readsOn reports whether the page's subscriber reads the streams that are still open when PUBLISH_DONE comes. Up to 16
// it drops them. From 17 on it does not read PUBLISH_DONE.
func readsOn(d wire.Draft) bool { return d >= wire.Draft17 }

func (p *netPage) publisher(relay *serve, d wire.Draft, name string, ends bool) string {
	return p.begin(relay, d, netJob{Do: "publish", Prefix: netPrefix, Name: name, Track: netTrack, Groups: netGroups,
		Ends: ends})
}

func (p *netPage) subscriber(relay *serve, d wire.Draft, name string) string {
	return p.begin(relay, d, netJob{Do: "subscribe", Prefix: netPrefix, Name: name, Track: netTrack,
		Count: len(netWant())})
}

// objects is what a subscriber has got when it hears that the namespace is gone.
func (p *netPage) objects(ctx context.Context, t *testing.T, subscriber string) []netObject {
	t.Helper()
	p.wait(ctx, t, subscriber, "withdrawn")
	p.step(subscriber)
	return p.wait(ctx, t, subscriber, "objects").Objects
}

// awaitNamespace waits for an event and passes others over.
func awaitNamespace(ctx context.Context, t *testing.T, names *moqt.NamespaceSubscription, want moqt.NamespaceEvent) {
	t.Helper()
	for {
		e, err := names.Next(ctx)
		if err != nil {
			t.Fatalf("no %s, gone %t: %v", want.Namespace, want.Done, err)
		}
		if slices.Equal(e.Namespace, want.Namespace) && e.Done == want.Done {
			return
		}
	}
}

// Without the tolerance a publisher on draft 20 that has objects already is closed at its SUBSCRIBE_OK. Log and browser
// are told which parameter it was, and the name of the tolerance.
func netIsToldWhatWouldPass(t *testing.T, page *netPage, relay *serve) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	publisher := page.begin(relay, wire.Draft20, netJob{Do: "publish", Prefix: netPrefix, Name: "early",
		Track: netTrack, Groups: netGroups[:2], Early: true})
	page.wait(ctx, t, publisher, "connected")
	s := join(ctx, t, "moqt://"+relay.addr, wire.Draft20, nil)
	names, err := s.SubscribeNamespace(ctx, wire.TrackNamespace{netPrefix}, nil)
	if err != nil {
		t.Fatal(err)
	}
	namespace := wire.TrackNamespace{netPrefix, "early"}
	awaitNamespace(ctx, t, names, moqt.NamespaceEvent{Namespace: namespace})
	if _, err := tracks.Open(ctx, s, tracks.Request{TrackNamespace: namespace, TrackName: netTrack}); err == nil {
		t.Error("the subscription is accepted")
	} else {
		t.Logf("the subscriber is told %q", err)
	}
	told := page.wait(ctx, t, publisher, "closed").Text
	t.Logf("the page is told %q", told)
	for where, text := range map[string]string{"the page": told, "the log": relay.said(t)} {
		if want := "LARGEST_OBJECT; would pass with --compat " + netCompat; !strings.Contains(text, want) {
			t.Errorf("%s says %q, want %q in it", where, text, want)
		}
	}
}
