package moq_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/freeport"
	"github.com/moqinterop/moq-interop-client/internal/leak"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestMain(m *testing.M) { leak.VerifyTestMain(m) }

var hall = moq.Namespace{"hall"}

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// dial dials a listener, with more options if wanted.
func dial(t *testing.T, l *moq.Listener, more ...func(*moq.Options)) *moq.Session {
	t.Helper()
	o := &moq.Options{TLS: l.ClientTLS()}
	for _, f := range more {
		f(o)
	}
	s, err := moq.Dial(limited(t), l.URL(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func listen(t *testing.T, o *moq.Options) *moq.Listener {
	t.Helper()
	l, err := moq.Listen("127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// on gives every draft its subtest.
func on(t *testing.T, f func(t *testing.T, d moq.Draft, only func(*moq.Options))) {
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			f(t, d, func(o *moq.Options) { o.Drafts = []moq.Draft{d} })
		})
	}
}

func wait(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing within 20 s")
	}
}

func read(t *testing.T, s *moq.Subscribed) (got []string) {
	t.Helper()
	for {
		o, err := s.Next(limited(t))
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.Location().String()+" "+string(o.Payload))
	}
}

// TestPublishThroughRelay: in both ways of making a track known, on every draft, over both transports.
func TestPublishThroughRelay(t *testing.T) {
	r := startRelay()
	t.Cleanup(r.Close)
	on(t, func(t *testing.T, d moq.Draft, only func(*moq.Options)) {
		for name, how := range map[string][]moq.PublishOption{"PUBLISH_NAMESPACE": nil, "PUBLISH": {moq.Direct()}} {
			for _, choice := range []moq.Transport{moq.OnlyQUIC, moq.WebTransport} {
				t.Run(name+" "+string(choice), func(t *testing.T) {
					t.Parallel() // it mostly waits
					ctx := limited(t)
					o := &moq.Options{TLS: r.clientTLS(), Transport: choice, Implementation: "test", UserAgent: "test"}
					only(o)
					session := func() *moq.Session {
						s, err := moq.Dial(ctx, r.url(), o)
						if err != nil {
							t.Fatal(err)
						}
						t.Cleanup(s.Close)
						return s
					}
					publisher, ns := session(), moq.Namespace{"hall", t.Name()}
					clock := moq.NewTrack(ns, "clock", moq.TrackOptions{})
					if err := publisher.Publish(ctx, clock, how...); err != nil {
						t.Fatal(err)
					}
					hands, err := session().Subscribe(ctx, ns, "clock", moq.InOrder())
					if err != nil {
						t.Fatal(err)
					}
					if err := clock.WaitForward(ctx, 1); err != nil {
						t.Fatal(err)
					}
					for g := range uint64(3) {
						if err := clock.Write(ctx, &moq.Object{GroupID: g, Payload: []byte("tick")}); err != nil {
							t.Fatal(err)
						}
					}
					if err := clock.End(ctx); err != nil {
						t.Fatal(err)
					}
					if got := read(t, hands); !slices.Equal(got, []string{"{0,0} tick", "{1,0} tick", "{2,0} tick"}) {
						t.Error(got)
					}
				})
			}
		}
	})
}

// TestRefusals: what is not there is refused with the code for it, not left to time out.
func TestRefusals(t *testing.T) {
	l := listen(t, nil)
	on(t, func(t *testing.T, d moq.Draft, only func(*moq.Options)) {
		ctx, s := limited(t), dial(t, l, only)
		_, err := s.Subscribe(ctx, hall, "clock")
		var refused *moq.RequestError
		if !errors.As(err, &refused) || refused.Code != moqt.RejectDoesNotExist.Number(d, wire.KindSubscribe) ||
			!strings.Contains(refused.Reason, "clock") {
			t.Errorf("SUBSCRIBE: %v", err)
		}
		_, err = s.Fetch(ctx, hall, "clock", moq.Location{}, moq.Location{Group: 1})
		if !errors.As(err, &refused) || refused.Code != moqt.RejectDoesNotExist.Number(d, wire.KindFetch) {
			t.Errorf("FETCH: %v", err)
		}
		err = s.Publish(ctx, moq.NewTrack(hall, "x", moq.TrackOptions{}))
		if !errors.As(err, &refused) || refused.Code != moqt.RejectNotSupported.Number(d, wire.KindPublishNamespace) {
			t.Errorf("PUBLISH_NAMESPACE: %v", err)
		}
		if err := s.Publish(ctx, nil); err == nil {
			t.Error("no track was published")
		}
	})
}

// TestNamespacesAreTold: a peer that asks for the namespaces of a session learns of those that are published, and of
// their end, which comes with the last track.
func TestNamespacesAreTold(t *testing.T) {
	on(t, func(t *testing.T, d moq.Draft, only func(*moq.Options)) {
		if d <= wire.Draft15 {
			t.Skip("PUBLISH_NAMESPACE tells there")
		}
		l := listen(t, &moq.Options{Handler: func(r *moq.Request) {
			_ = r.Accept(r.Context(), nil)
			<-r.Context().Done()
		}})
		ctx, client := limited(t), dial(t, l, only)
		server, err := l.Accept(ctx)
		if err != nil {
			t.Fatal(err)
		}
		asked, err := server.SubscribeNamespace(ctx, moq.Namespace{"hall"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		one := moq.NewTrack(moq.Namespace{"hall", "left"}, "one", moq.TrackOptions{})
		two := moq.NewTrack(moq.Namespace{"hall", "left"}, "two", moq.TrackOptions{})
		elsewhere := moq.NewTrack(moq.Namespace{"yard"}, "x", moq.TrackOptions{})
		for _, track := range []*moq.Track{elsewhere, one, two} {
			if err := client.Publish(ctx, track); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.Publish(ctx, one); err == nil {
			t.Error("published twice")
		}
		next := func() moqt.NamespaceEvent {
			e, err := asked.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		if e := next(); e.Done || e.Namespace.String() != "hall/left" {
			t.Errorf("%+v", e)
		}
		client.Withdraw(one)
		client.Withdraw(one)
		client.Withdraw(two)
		if e := next(); !e.Done || e.Namespace.String() != "hall/left" {
			t.Errorf("%+v", e)
		}
	})
}

// TestGoawayAndRedial: a client that is asked to leave comes back, and reads on.
func TestGoawayAndRedial(t *testing.T) {
	on(t, func(t *testing.T, d moq.Draft, only func(*moq.Options)) {
		clock := moq.NewTrack(hall, "clock", moq.TrackOptions{})
		l, next := listen(t, nil), listen(t, &moq.Options{Handler: moq.Serve(clock)})
		ctx, s := limited(t), dial(t, l, only, func(o *moq.Options) { o.TLS = insecureTLS() })
		if _, err := l.Accept(ctx); err != nil {
			t.Fatal(err)
		}
		left := make(chan struct{})
		go func() {
			defer close(left)
			l.Goaway(next.URL(), 20*time.Second)
		}()
		wait(t, s.PeerGoaway())
		again, err := s.Redial(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		s.Close()
		wait(t, left)
		if again.Draft() != d || again.URL() != next.URL() {
			t.Errorf("%v at %s", again.Draft(), again.URL())
		}
		if _, err := again.Subscribe(ctx, hall, "clock"); err != nil {
			t.Error(err)
		}
	})
}

// TestListenAndServe: it serves until its context ends, and then lets clients leave.
func TestListenAndServe(t *testing.T) {
	free, err := freeport.Loopback()
	if err != nil {
		t.Fatal(err)
	}
	addr := free.String()
	clock := moq.NewTrack(hall, "clock", moq.TrackOptions{})
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- moq.ListenAndServe(ctx, addr, moq.Serve(clock), &moq.Options{Path: "/live"})
	}()
	insecure := &moq.Options{TLS: insecureTLS()}
	var s *moq.Session
	for s == nil { // until it listens
		s, err = moq.Dial(limited(t), "moqt://"+addr+"/live", insecure)
		if err != nil {
			time.Sleep(5 * time.Millisecond)
		}
	}
	defer s.Close()
	if _, err := s.Subscribe(limited(t), hall, "clock"); err != nil {
		t.Error(err)
	}
	for _, url := range []string{"moqt://" + addr + "/other", "https://" + addr + "/other"} {
		if other, err := moq.Dial(limited(t), url, insecure); err == nil {
			if _, err = other.Subscribe(limited(t), hall, "clock"); err == nil {
				t.Errorf("%s is served", url)
			}
			other.Close()
		}
	}
	stop()
	wait(t, s.PeerGoaway())
	s.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if err := moq.ListenAndServe(t.Context(), "no such address", moq.Serve(), nil); err == nil {
		t.Error("listens nowhere")
	}
}

// TestDialErrors say in which layer it failed, and end.
func TestDialErrors(t *testing.T) {
	l := listen(t, &moq.Options{Drafts: []moq.Draft{wire.Draft18}})
	for _, c := range []struct {
		url   string
		opts  *moq.Options
		layer transport.Layer
		says  string
	}{
		{"http://relay.example", nil, "", "the scheme must be"},
		{"moqt://127.0.0.1:1", nil, transport.LayerUDP, "nothing listens"},
		{l.URL(), nil, transport.LayerTLS, "not trusted"},
		{l.URL(), &moq.Options{TLS: l.ClientTLS(), Drafts: []moq.Draft{wire.Draft16}}, transport.LayerALPN, "ALPN"},
		{l.URL(), &moq.Options{QUIC: moq.QUIC{PacketSize: 9}}, "", "PacketSize"},
	} {
		_, err := moq.Dial(limited(t), c.url, c.opts)
		var d *moq.DialError
		if err == nil || errors.As(err, &d) != (c.layer != "") || d != nil && d.Layer != c.layer ||
			!strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.url, err)
		}
	}
	if _, err := (&moq.Session{}).Redial(t.Context()); err == nil {
		t.Error("redialled what was never dialled")
	}
}

// TestCloseLosesNothing: a publisher that ends its track and closes its session at once has delivered everything.
func TestCloseLosesNothing(t *testing.T) {
	r := startRelay()
	t.Cleanup(r.Close)
	for _, choice := range []moq.Transport{moq.OnlyQUIC, moq.WebTransport} {
		for i := range 5 {
			ctx := limited(t)
			o := &moq.Options{TLS: r.clientTLS(), Transport: choice}
			publisher, err := moq.Dial(ctx, r.url(), o)
			if err != nil {
				t.Fatal(err)
			}
			subscriber, err := moq.Dial(ctx, r.url(), o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(subscriber.Close)
			ns := moq.Namespace{"hall", string(choice), string(rune('a' + i))}
			clock := moq.NewTrack(ns, "clock", moq.TrackOptions{})
			if err := publisher.Publish(ctx, clock); err != nil {
				t.Fatal(err)
			}
			hands, err := subscriber.Subscribe(ctx, clock.Namespace(), "clock")
			if err != nil {
				t.Fatal(err)
			}
			if err := clock.WaitForward(ctx, 1); err != nil {
				t.Fatal(err)
			}
			for g := range uint64(20) {
				if err := clock.Write(ctx, &moq.Object{GroupID: g, Payload: make([]byte, 50_000)}); err != nil {
					t.Fatal(err)
				}
			}
			if err := clock.End(ctx); err != nil {
				t.Fatal(err)
			}
			publisher.Close()
			if n := len(read(t, hands)); n != 20 {
				t.Errorf("%d objects of 20", n)
			}
		}
	}
}
