package cases

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// published runs a case in which a publisher has published groups 0 to 2 of 5 objects; ask asks it for them as a relay
// does, in the bubble.
func published(t *testing.T, d wire.Draft, ask func(t *testing.T, ctx context.Context, relay *moqt.Session,
	p *Publisher)) Result {
	var r Result
	synctest.Test(t, func(t *testing.T) {
		relays := make(chan *moqt.Session, 1)
		cfg := Config{Drafts: []wire.Draft{d}, Dial: func(ctx context.Context, _ string,
			_ []wire.Draft) (transport.Conn, error) {
			client, server := memconn.Pair(memconn.Options{Info: transport.Info{ALPN: d.ALPN()}})
			go func() {
				s, err := moqt.Server(context.WithoutCancel(ctx), server, moqt.Config{})
				if err != nil {
					t.Error(err)
				}
				relays <- s
			}()
			return client, nil
		}}
		c := Case{ID: "custom", Ending: true, Roles: []string{"publisher"}, Timeout: 15 * time.Second,
			Run: func(ctx context.Context, e *Env) error {
				s := e.Dial(ctx, "publisher")
				p := s.Publisher(e.Namespace(), e.TrackName())
				relay := <-relays
				defer relay.Close(wire.NoError, "")
				ask(t, ctx, relay, p)
				return nil
			}}
		r = Run(t.Context(), c, cfg)
	})
	return r
}

// objects reads until the end and gives the locations.
func objects(t *testing.T, ctx context.Context, next func(context.Context) (*moqt.Object, error)) (at []wire.Location) {
	t.Helper()
	for {
		o, err := next(ctx)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Errorf("after %v: %v", at, err)
			}
			return at
		}
		at = append(at, o.Location())
	}
}

func locationsOf(l Layout) (at []wire.Location) {
	for _, x := range l {
		at = append(at, x.Location())
	}
	return at
}

func byLocation(a, b wire.Location) int { return a.Compare(b) }

func TestPublisherServesSubscriptions(t *testing.T) {
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			l := NewLayout(Span(0, 2), Span(0, 4), LayoutOptions{Subgroup: func(o uint64) uint64 { return o % 2 }})
			r := published(t, d, func(t *testing.T, ctx context.Context, relay *moqt.Session, p *Publisher) {
				first, err := relay.Subscribe(ctx, &wire.Subscribe{TrackNamespace: p.Namespace, TrackName: p.Name})
				if err != nil {
					t.Fatal(err)
				}
				p.WaitForward(ctx)
				p.Publish(ctx, l[:7], time.Millisecond)
				var late *moqt.Subscription
				// up to 18 there is one subscription to a track in a session; a later one gets what comes from then on
				if d >= wire.Draft19 {
					if late, err = relay.Subscribe(ctx,
						&wire.Subscribe{TrackNamespace: p.Namespace, TrackName: p.Name}); err != nil {
						t.Fatal(err)
					}
					if largest, ok := late.Largest(); !ok || largest != l[6].Location() {
						t.Errorf("Largest Object %v %v, want %v", largest, ok, l[6].Location())
					}
				}
				p.Publish(ctx, l[7:], time.Millisecond)
				p.End()
				got := objects(t, ctx, first.Next)
				slices.SortFunc(got, byLocation)
				if diff := cmp.Diff(locationsOf(l), got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				done, err := first.Done(ctx)
				if err != nil || done.StreamCount != 6 ||
					wire.PublishDoneCode(done.StatusCode).Name(d) != "TRACK_ENDED" {
					t.Errorf("PUBLISH_DONE %+v, %v", done, err)
				}
				if late != nil {
					got := objects(t, ctx, late.Next)
					slices.SortFunc(got, byLocation)
					if diff := cmp.Diff(locationsOf(l[7:]), got); diff != "" {
						t.Errorf("late (-want +got):\n%s", diff)
					}
				}
				if saw := p.Saw(); !strings.Contains(saw, "SUBSCRIBE") {
					t.Errorf("saw %q", saw)
				}
			})
			if r.Status != Pass {
				t.Errorf("%s: %s\n%s", r.Status, r.Message, strings.Join(r.Transcript, "\n"))
			}
		})
	}
}

func TestPublisherHonoursFilterAndForward(t *testing.T) {
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			l := NewLayout(Span(0, 2), Span(0, 4), LayoutOptions{})
			r := published(t, d, func(t *testing.T, ctx context.Context, relay *moqt.Session, p *Publisher) {
				m := &wire.Subscribe{TrackNamespace: p.Namespace, TrackName: p.Name}
				m.Parameters.SetUint(wire.ParamForward, 0)
				m.Parameters.SetFilter(wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 1, StartObject: 2,
					EndGroup: 1})
				sub, err := relay.Subscribe(ctx, m)
				if err != nil {
					t.Fatal(err)
				}
				p.Publish(ctx, l[:8], time.Millisecond) // paused: not even {1, 2} comes
				synctest.Wait()
				update := wire.Parameters{{Type: wire.ParamForward, Uint: 1}}
				if d == wire.Draft14 { // its update restates the range
					update.SetFilter(wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 1, StartObject: 2,
						EndGroup: 1})
				}
				if _, err := sub.Update(ctx, update); err != nil {
					t.Fatal(err)
				}
				p.WaitForward(ctx)
				p.Publish(ctx, l[8:], time.Millisecond)
				p.End()
				if diff := cmp.Diff([]wire.Location{{Group: 1, Object: 3}, {Group: 1, Object: 4}},
					objects(t, ctx, sub.Next)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
			if r.Status != Pass {
				t.Errorf("%s: %s\n%s", r.Status, r.Message, strings.Join(r.Transcript, "\n"))
			}
		})
	}
}

func TestPublisherServesFetches(t *testing.T) {
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			l := NewLayout(Span(0, 2), Span(0, 4), LayoutOptions{})
			r := published(t, d, func(t *testing.T, ctx context.Context, relay *moqt.Session, p *Publisher) {
				fetch := func(f wire.LocationFilter, ps wire.Parameters) ([]wire.Location, wire.Location, error) {
					t.Helper()
					x, err := relay.Fetch(ctx, moqt.FetchRequest{
						TrackNamespace: p.Namespace, TrackName: p.Name, Range: f,
						Parameters: ps})
					if err != nil {
						return nil, wire.Location{}, err
					}
					end, _ := x.End()
					return objects(t, ctx, x.Next), end, nil
				}
				whole := wire.LocationFilter{Form: wire.FilterGroupEnd, EndGroup: 9}
				if _, _, err := fetch(whole, nil); !refusedWith(err, d, wire.NameInvalidRange) {
					t.Errorf("FETCH before anything was published: %v", err)
				}
				if _, err := relay.TrackStatus(ctx,
					&wire.TrackStatus{TrackNamespace: p.Namespace, TrackName: p.Name}); err != nil {
					t.Error(err)
				}
				p.Publish(ctx, l, 0)
				descending := wire.Parameters{{Type: wire.ParamGroupOrder, Uint: wire.Descending}}
				back := slices.Concat(locationsOf(l[10:]), locationsOf(l[5:10]), locationsOf(l[:5]))
				group := wire.Location{Group: 1, Object: 1<<64 - 1}
				if d >= wire.Draft20 {
					group.Object = 4
				}
				for _, x := range []struct {
					name   string
					filter wire.LocationFilter
					ps     wire.Parameters
					want   []wire.Location
					end    wire.Location
				}{
					{"a group", wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 1, EndGroup: 1}, nil,
						locationsOf(l[5:10]), group},
					{"a range", wire.LocationFilter{Form: wire.FilterRange, StartObject: 3, EndGroup: 1, EndObject: 1},
						nil, locationsOf(l[3:7]), wire.Location{Group: 1, Object: 1}},
					{"past the largest", whole, nil, locationsOf(l), wire.Location{Group: 2, Object: 4}},
					{"descending", whole, descending, back, wire.Location{Group: 2, Object: 4}},
				} {
					got, end, err := fetch(x.filter, x.ps)
					if diff := cmp.Diff(x.want, got); err != nil || diff != "" || end != x.end {
						t.Errorf("%s: End %v, want %v; error %v (-want +got):\n%s", x.name, end, x.end, err, diff)
					}
				}
				if _, _, err := fetch(wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 3, EndGroup: 4},
					nil); !refusedWith(err, d, wire.NameInvalidRange) {
					t.Errorf("FETCH beyond the largest: %v", err)
				}
				status, err := relay.TrackStatus(ctx, &wire.TrackStatus{TrackNamespace: p.Namespace, TrackName: p.Name})
				if err != nil {
					t.Error(err)
				} else if largest, ok := status.Parameters.Largest(); !ok ||
					largest != (wire.Location{Group: 2, Object: 4}) {
					t.Errorf("TRACK_STATUS says %v %v", largest, ok)
				}
			})
			if r.Status != Pass {
				t.Errorf("%s: %s\n%s", r.Status, r.Message, strings.Join(r.Transcript, "\n"))
			}
		})
	}
}

func refusedWith(err error, d wire.Draft, name wire.ErrorName) bool {
	var refused *moqt.RequestError
	if !errors.As(err, &refused) {
		return false
	}
	got, ok := wire.RequestErrorCode(refused.Code).Meaning(d, refused.Kind)
	return ok && got == name
}

// A relay that keeps nothing passes joins on: joining FETCH up to 19, fills later.
func TestPublisherServesJoins(t *testing.T) {
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			l := NewLayout(Span(0, 3), Span(0, 4), LayoutOptions{})
			r := published(t, d, func(t *testing.T, ctx context.Context, relay *moqt.Session, p *Publisher) {
				p.Publish(ctx, l[:13], 0)
				j, err := track.Join(ctx, relay,
					track.JoinRequest{TrackNamespace: p.Namespace, TrackName: p.Name, GroupsBack: 1})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(locationsOf(l[5:13]), objects(t, ctx, j.Past.Next)); diff != "" {
					t.Errorf("past (-want +got):\n%s", diff)
				}
				p.Publish(ctx, l[13:], time.Millisecond)
				p.End()
				got := objects(t, ctx, j.Live.Next)
				slices.SortFunc(got, byLocation)
				if diff := cmp.Diff(locationsOf(l[13:]), got); diff != "" {
					t.Errorf("live (-want +got):\n%s", diff)
				}
			})
			if r.Status != Pass || slices.ContainsFunc(r.Notes,
				func(n string) bool { return strings.Contains(n, "not ") }) {
				t.Errorf("%s: %s, notes %q\n%s", r.Status, r.Message, r.Notes, strings.Join(r.Transcript, "\n"))
			}
		})
	}
}

// A relay that says NOT_SUPPORTED is skipped with that reason; another refusal is a failure that says what the
// publisher has seen.
func TestRefusals(t *testing.T) {
	for _, d := range wire.Drafts() {
		for code, want := range map[moqt.RejectCode]Status{moqt.RejectNotSupported: Skip,
			moqt.RejectInternalError: Fail} {
			synctest.Test(t, func(t *testing.T) {
				var served sync.WaitGroup
				defer served.Wait()
				cfg := Config{Drafts: []wire.Draft{d}, Dial: func(ctx context.Context, _ string,
					_ []wire.Draft) (transport.Conn, error) {
					client, server := memconn.Pair(memconn.Options{Info: transport.Info{ALPN: d.ALPN()}})
					served.Go(func() {
						s, err := moqt.Server(context.WithoutCancel(ctx), server,
							moqt.Config{Handler: func(r *moqt.Request) { r.Reject(r.Context(), code, "no") }})
						if err != nil {
							t.Error(err)
							return
						}
						<-s.Context().Done()
						s.Close(wire.NoError, "")
					})
					return client, nil
				}}
				c := Case{ID: "custom", Ending: true, Timeout: time.Second}
				c.Run = func(ctx context.Context, e *Env) error {
					s := e.Dial(ctx, "fetcher")
					p := s.Publisher(e.Namespace(), e.TrackName())
					f, err := s.StartFetch(ctx, moqt.FetchRequest{TrackNamespace: p.Namespace, TrackName: p.Name})
					s.Check(ctx, err, transport.LayerRequest, "FETCH to be sent")
					s.Refused(ctx, f.Ready(ctx), "FETCH_OK", p)
					return nil
				}
				r := Run(t.Context(), c, cfg)
				said := wire.NameOf(d, &wire.RequestError{Answers: wire.KindFetch}) + " "
				if want == Skip && (r.Status != Skip || r.Reason != "FETCH was refused, as "+
					rules.Cite(d, rules.NotSupported)+" allows: "+said+`0x3 NOT_SUPPORTED "no"`) {
					t.Errorf("%s: %s %q", d, r.Status, r.Reason)
				}
				if want == Fail && (r.Status != Fail || r.Received != said+
					`0x0 INTERNAL_ERROR "no" (the publisher has seen no request for the track)`) {
					t.Errorf("%s: %s %q", d, r.Status, r.Received)
				}
			})
		}
	}
}

// A panic in a goroutine that a session started is the case's failure.
func TestPanicInHandler(t *testing.T) {
	for _, d := range wire.Drafts() {
		r := published(t, d, func(t *testing.T, ctx context.Context, relay *moqt.Session, p *Publisher) {
			p.asked = nil // counting a request panics
			m := &wire.Subscribe{TrackNamespace: p.Namespace, TrackName: p.Name}
			if _, err := relay.Subscribe(ctx, m); err == nil {
				t.Error("answered")
			}
		})
		if r.Status != Fail || !strings.HasPrefix(r.Message,
			"panic in the test program: assignment to entry in nil map") || r.Layer != "" {
			t.Errorf("%s: %s %s", d, r.Status, r.Message)
		}
	}
}
