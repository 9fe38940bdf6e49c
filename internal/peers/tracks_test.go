package peers

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	tracks "github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The library's publisher and subscriber meet on the relays of others: nothing may get lost on the way.

func TestTracksThroughRustRelay(t *testing.T) {
	carryTracks(t, startRustRelay(t), rustRelay.drafts)
}

func TestTracksThroughAiomoqtRelay(t *testing.T) {
	carryTracks(t, startAiomoqtRelay(t), aiomoqtRelay.drafts)
}

// The track: trackGroups groups, one subgroup each, at a pace that both relays keep up with on a busy machine.
const (
	trackGroups = 30
	groupSize   = 100
	trackRate   = 3000
)

func carryTracks(t *testing.T, port string, drafts []wire.Draft) {
	for _, d := range drafts {
		t.Run(d.String(), func(t *testing.T) {
			for transport, scheme := range schemes {
				t.Run(transport, func(t *testing.T) {
					t.Parallel()
					carryTrack(t, fmt.Sprintf("%s://127.0.0.1:%s/", scheme, port), d)
				})
			}
		})
	}
}

// trackPayload is that of an object.
func trackPayload(at wire.Location) []byte {
	text := fmt.Sprintf("object %d of group %d ", at.Object, at.Group)
	return bytes.Repeat([]byte(text), int(1+at.Object%50))
}

// carryTrack publishes a track on one session and requires each of its objects once on another.
func carryTrack(t *testing.T, url string, d wire.Draft) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	track := tracks.NewPublished(wire.TrackNamespace{"peers", t.Name()}, "track", tracks.Options{Rate: trackRate})
	publisher := join(t, ctx, url, d, track)
	if _, err := publisher.PublishNamespace(ctx, track.Namespace(), nil); err != nil {
		t.Fatalf("PUBLISH_NAMESPACE: %v", err)
	}
	subscriber := join(t, ctx, url, d, nil)
	sub, err := tracks.Open(ctx, subscriber, tracks.Request{TrackNamespace: track.Namespace(), TrackName: track.Name()})
	if err != nil {
		t.Fatalf("SUBSCRIBE: %v", err)
	}
	if err := track.WaitForward(ctx, 1); err != nil {
		t.Fatalf("no subscription with Forward State 1 at the publisher: %v", err)
	}
	published := make(chan error, 1)
	go func() { published <- publish(ctx, track) }()

	got := map[wire.Location]int{}
	for {
		o, err := sub.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Errorf("after %d objects: %v", len(got), err)
			break
		}
		if o.Status != wire.StatusNormal {
			continue // what a relay says about the track
		}
		if got[o.Location()]++; !bytes.Equal(o.Payload, trackPayload(o.Location())) {
			t.Errorf("%s has another payload: %d bytes", o.Location(), len(o.Payload))
			break
		}
	}
	if t.Failed() {
		cancel()
	}
	if err := <-published; err != nil {
		t.Errorf("publishing: %v", err)
	}
	if r := sub.Report(); len(got) != trackGroups*groupSize || r.Objects != uint64(len(got)) {
		t.Errorf("%d of %d objects came: %+v", len(got), trackGroups*groupSize, r)
	}
}

// publish writes the whole track.
func publish(ctx context.Context, track *tracks.Published) error {
	for g := range uint64(trackGroups) {
		for o := range uint64(groupSize) {
			at := wire.Location{Group: g, Object: o}
			if err := track.Write(ctx, &moqt.Object{GroupID: g, ObjectID: o, Payload: trackPayload(at)}); err != nil {
				return fmt.Errorf("%s: %w", at, err)
			}
		}
	}
	return track.End(ctx)
}

// join sets up a session that answers what it is asked about a track, which may be nil, and takes what a relay
// announces.
func join(t *testing.T, ctx context.Context, url string, d wire.Draft, track *tracks.Published) *moqt.Session {
	t.Helper()
	u, err := transport.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	choice := transport.OnlyQUIC
	if u.Scheme == "https" {
		choice = transport.OnlyWebTransport
	}
	conn, err := endpoint.Dial(ctx, endpoint.DialOptions{URL: u, Transport: choice, Drafts: []wire.Draft{d},
		TLS: &tls.Config{InsecureSkipVerify: true}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := moqt.Client(ctx, conn, moqt.Config{
		Path: u.Path, Authority: u.Authority,
		Decode: wire.Options{Tolerate: wire.EmptyNamespacePrefix}, // the Rust relay asks for an empty one on 14 and 15
		Handler: func(r *moqt.Request) {
			switch {
			case track != nil && track.Asks(r):
				track.Serve(ctx, r) // how it ended shows at the subscriber
			case r.Kind() == wire.KindPublishNamespace, r.Kind() == wire.KindSubscribeNamespace:
				r.Accept(ctx, &wire.RequestOK{})
				<-r.Context().Done()
			default:
				r.Reject(ctx, moqt.RejectNotSupported, "")
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(wire.NoError, "") })
	return s
}
