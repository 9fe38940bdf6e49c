package tools

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

var clock = Name{moq.Namespace{"hall"}, "clock"}

// told collects what is said.
type told struct {
	mu    sync.Mutex
	lines []string
}

func (l *told) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *told) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// buffer may be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// connection is one to a relay or listener with that certificate.
func connection(url string, o moq.Options, said *told) Connection {
	return Connection{URL: url, Options: o, Say: said.say}
}

func startRelay(t *testing.T) (url string, o moq.Options) {
	t.Helper()
	r, err := runner.StartRelay(reference.Options{}, endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return "moqt://" + r.Addr().String(), moq.Options{TLS: r.Connect(endpoint.DialOptions{}).TLS}
}

// TestSubscribeGoesOnAfterGoaway: a relay sends its subscribers to another one, and nothing is lost or doubled.
func TestSubscribeGoesOnAfterGoaway(t *testing.T) {
	for _, d := range []moq.Draft{wire.Draft14, wire.Draft16, wire.Draft19, wire.Newest} {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			ctx := limited(t)
			track := moq.NewTrack(clock.Namespace, clock.Track, moq.TrackOptions{KeepGroups: 64})
			o := moq.Options{Handler: moq.Serve(track)}
			first, err := moq.Listen("127.0.0.1:0", &o)
			if err != nil {
				t.Fatal(err)
			}
			defer first.Close()
			o.TLS = nil
			second, err := moq.Listen("127.0.0.1:0", &o)
			if err != nil {
				t.Fatal(err)
			}
			defer second.Close()
			var said told
			var out bytes.Buffer
			client := moq.Options{TLS: first.ClientTLS(), Drafts: []moq.Draft{d}}
			client.TLS.InsecureSkipVerify = true // the second has another certificate
			r := Read{Connection: connection(first.URL(), client, &said), Tracks: []Name{clock},
				InOrder: true, To: &Sink{Out: &out, Format: FormatLine}}
			read := make(chan error, 1)
			go func() { read <- r.Subscribe(ctx) }()
			if err := track.WaitForward(ctx, 1); err != nil {
				t.Fatal(err)
			}
			var want []string
			for g := range uint64(40) {
				if g == 10 {
					go first.Goaway(second.URL(), 10*time.Second)
				}
				if err := track.Write(ctx, &moq.Object{GroupID: g, Payload: fmt.Append(nil, g)}); err != nil {
					t.Fatal(err)
				}
				want = append(want, fmt.Sprint(g))
				time.Sleep(30 * time.Millisecond)
			}
			if err := track.End(ctx); err != nil {
				t.Fatal(err)
			}
			if err := <-read; err != nil {
				t.Error(err)
			}
			if got := strings.Fields(out.String()); !slices.Equal(got, want) {
				t.Errorf("%v\n%s", got, &said)
			}
		})
	}
}

func seven(*moq.Object) uint8 { return 7 }

// TestProvoke: what a relay's author can provoke arrives at a subscriber.
func TestProvoke(t *testing.T) {
	url, o := startRelay(t)
	for name, c := range map[string]struct {
		set  func(*Publish)
		says string // to the subscriber at the end
		json string // something of its objects
	}{
		"plain":      {func(*Publish) {}, "12 objects, ", `"payload":"11 `},
		"end":        {func(p *Publish) { p.EndAfter = 5 }, "5 objects, ", `"group":2,`},
		"withdraw":   {func(p *Publish) { p.WithdrawAfter = 5 }, "12 objects, ", `"payload":"11 `},
		"goaway":     {func(p *Publish) { p.GoawayAfter = 5 }, "12 objects, ", `"payload":"11 `},
		"gaps":       {func(p *Publish) { p.Gaps = 1; p.Groups.Objects = 4 }, "9 missing: ", `"object":6,`},
		"padding":    {func(p *Publish) { p.Padding = 100_000 }, "12 objects, ", `"payload":"11 `},
		"datagrams":  {func(p *Publish) { p.Options.Layout.Mode = moq.LayoutDatagram }, "", `"datagram":true`},
		"bytes":      {func(p *Publish) { p.Groups = Groups{Bytes: 100} }, "up to {2,3}", `"group":2,`},
		"one group":  {func(p *Publish) { p.Groups = Groups{} }, "up to {0,11}", `"object":11,`},
		"priority":   {func(p *Publish) { p.Options.Priority = seven }, "", `"priority":7,`},
		"properties": {func(p *Publish) { p.Properties = wire.Properties{{Type: 0x3800, Uint: 9}} }, "", `"value":9`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := limited(t)
			var said, pubSaid told
			track := Name{moq.Namespace{"hall", name}, "clock"}
			p := Publish{Connection: connection(url, o, &pubSaid), Track: track, From: Generated(12, 25),
				Groups: Groups{Objects: 2}}
			c.set(&p)
			published := make(chan error, 1)
			go func() { published <- p.Run(ctx) }()
			for !strings.Contains(pubSaid.String(), "waiting") {
				time.Sleep(time.Millisecond)
			}
			var out bytes.Buffer
			r := Read{Connection: connection(url, o, &said), Tracks: []Name{track},
				To: &Sink{Out: &out, Format: FormatJSON}}
			if err := r.Subscribe(ctx); err != nil {
				t.Error(err)
			}
			if err := <-published; err != nil {
				t.Error(err)
			}
			if !strings.Contains(said.String(), c.says) || !strings.Contains(out.String(), c.json) {
				t.Errorf("%s\n%s\npublisher: %s", &said, &out, &pubSaid)
			}
		})
	}
}

// TestResetAndSecondTrack: a reset is seen, and both tracks arrive. Where the reset overtakes the group's first
// object, the group is missing instead.
func TestResetAndSecondTrack(t *testing.T) {
	url, o := startRelay(t)
	ctx := limited(t)
	var said, pubSaid told
	p := Publish{Connection: connection(url, o, &pubSaid), Track: clock, Second: "other", From: Generated(12, 25),
		Options: moq.TrackOptions{Rate: 100}, Groups: Groups{Objects: 4}, Provoke: Provoke{ResetAfter: 6}}
	published := make(chan error, 1)
	go func() { published <- p.Run(ctx) }()
	for !strings.Contains(pubSaid.String(), "waiting") {
		time.Sleep(time.Millisecond)
	}
	var out bytes.Buffer
	r := Read{Connection: connection(url, o, &said), Tracks: []Name{{clock.Namespace, "other"}, clock},
		To: &Sink{Out: &out, Format: FormatJSON}}
	if err := r.Subscribe(ctx); err != nil {
		t.Error(err)
	}
	if err := <-published; err != nil {
		t.Error(err)
	}
	reset := regexp.MustCompile(`1 (streams reset|whole groups missing)`).MatchString(said.String())
	if !reset || !strings.Contains(out.String(), `"track":"hall--other"`) {
		t.Errorf("%s\n%s", &said, &pubSaid)
	}
}

// TestJoinWantsEverything: a hole is an error that names it.
func TestJoinWantsEverything(t *testing.T) {
	for _, d := range []moq.Draft{wire.Draft14, wire.Draft19, wire.Newest} {
		ctx := limited(t)
		track := moq.NewTrack(clock.Namespace, clock.Track, moq.TrackOptions{KeepGroups: 8})
		l, err := moq.Listen("127.0.0.1:0", &moq.Options{Handler: moq.Serve(track)})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		for _, id := range []uint64{0, 1, 2} {
			if err := track.Write(ctx, &moq.Object{ObjectID: id, Payload: []byte("x")}); err != nil {
				t.Fatal(err)
			}
		}
		var said told
		var out buffer
		r := Read{Connection: connection(l.URL(), moq.Options{TLS: l.ClientTLS(), Drafts: []moq.Draft{d}}, &said),
			Tracks: []Name{clock}, InOrder: true, To: &Sink{Out: &out, Format: FormatLine}}
		joined := make(chan error, 1)
		go func() { joined <- r.Join(ctx) }()
		for strings.Count(out.String(), "x") < 3 { // the past, for which the subscription must live
			time.Sleep(time.Millisecond)
		}
		for _, id := range []uint64{3, 5} {
			if err := track.Write(ctx, &moq.Object{ObjectID: id, Payload: []byte("x")}); err != nil {
				t.Fatal(err)
			}
		}
		if err := track.End(ctx); err != nil {
			t.Fatal(err)
		}
		if err := <-joined; !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), "{0, 4}") {
			t.Errorf("%s: %v\n%s", d, err, &said)
		}
		if n := strings.Count(out.String(), "x"); n != 5 {
			t.Errorf("%s: %d objects", d, n)
		}
	}
}
