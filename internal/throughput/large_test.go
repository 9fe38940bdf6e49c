package throughput

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/badpath"
	"github.com/moqinterop/moq-interop-client/internal/bench/turns"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// ends are a publisher and a subscriber of one track, through a relay.
type ends struct {
	pub *moqt.Publication
	sub *moqt.Subscription
}

// connect makes them. The publisher reaches the relay at to, the subscriber at from.
func connect(t *testing.T, to, from string) ends {
	t.Helper()
	session := func(addr string) *moqt.Session {
		u, err := transport.ParseURL("moqt://" + addr)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := endpoint.Dial(t.Context(), endpoint.DialOptions{URL: u, Transport: transport.OnlyQUIC,
			Drafts: []wire.Draft{wire.Draft18}, TLS: &tls.Config{InsecureSkipVerify: true}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := moqt.Client(t.Context(), conn, moqt.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close(wire.NoError, "") })
		return s
	}
	publisher := session(to)
	if _, err := publisher.PublishNamespace(t.Context(), wire.TrackNamespace{"n"}, nil); err != nil {
		t.Fatal(err)
	}
	pubs := make(chan *moqt.Publication, 1)
	go func() {
		r, err := publisher.AcceptRequest(t.Context())
		if err == nil {
			p, _ := r.AcceptSubscribe(t.Context(), nil)
			pubs <- p
		}
	}()
	sub, err := session(from).Subscribe(t.Context(), &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"n"},
		TrackName: "t"})
	if err != nil {
		t.Fatal(err)
	}
	return ends{<-pubs, sub}
}

// send begins an object, and writes its payload in the background. begun is when its header went out.
func (e ends) send(t *testing.T, group, size uint64) (begun time.Time) {
	t.Helper()
	w, err := e.pub.OpenSubgroup(t.Context(), wire.SubgroupHeader{GroupID: group, FirstObject: true})
	if err != nil {
		t.Fatal(err)
	}
	begun = time.Now()
	if err := w.BeginObject(&wire.ObjectHeader{PayloadLength: size}, 0); err != nil {
		t.Fatal(err)
	}
	go func() {
		piece := make([]byte, 64<<10)
		for left, n := size, byte(0); left > 0; n++ {
			piece[0] = n
			p := piece[:min(left, uint64(len(piece)))]
			if _, err := w.Write(p); err != nil {
				return // what is missing shows at the other end
			}
			left -= uint64(len(p))
		}
		w.Close()
	}()
	return begun
}

// take reads the next object whole.
func (e ends) take(t *testing.T, size uint64) (first, last time.Time) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	r, err := e.sub.AcceptSubgroup(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := r.Next(); err != nil || h.PayloadLength != size {
		t.Fatalf("%+v, %v", h, err)
	}
	piece := make([]byte, 64<<10)
	for left, n := size, byte(0); left > 0; n++ {
		p := piece[:min(left, uint64(len(piece)))]
		if first.IsZero() {
			if _, err := io.ReadFull(r, p[:1]); err != nil {
				t.Fatal(err)
			}
			first = time.Now()
			_, err = io.ReadFull(r, p[1:])
		} else {
			_, err = io.ReadFull(r, p)
		}
		if err != nil || p[0] != n {
			t.Fatalf("%d bytes are missing: %v; a piece begins with %d, want %d", left, err, p[0], n)
		}
		left -= uint64(len(p))
	}
	return first, time.Now()
}

// large skips what takes long.
func large(t *testing.T) map[string][]string {
	if os.Getenv("MOQ_LARGE") == "" {
		t.Skip("takes minutes; MOQ_LARGE=1 runs it")
	}
	_, commands := relays(t)
	return commands
}

// started starts a relay.
func started(t *testing.T, name string, command []string) (r *turns.Started, addr string) {
	t.Helper()
	r, err := turns.Start(t.Context(), turns.Relay{Name: name, Command: command})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	return r, strings.TrimPrefix(r.URL, "moqt://")
}

// TestGiantObject: an object of 1 GiB goes through the relay, and the relay's memory stays what it is.
func TestGiantObject(t *testing.T) {
	relay, addr := started(t, ours, large(t)[ours])
	const size = 1 << 30
	e := connect(t, addr, addr)
	begun := e.send(t, 0, size)
	first, last := e.take(t, size)
	peak := peakMemory(t, relay.PID())
	t.Logf("1 GiB: first byte after %s, last after %s, the relay's peak memory %d MiB", first.Sub(begun),
		last.Sub(begun), peak>>20)
	if peak > 150<<20 {
		t.Errorf("the relay had %d MiB", peak>>20)
	}
}

// peakMemory is the most that was resident of a process, in bytes.
func peakMemory(t *testing.T, pid int) uint64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	n, err := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

// TestFirstByteOnASlowLine: of an object of 1 MB that comes over 1.5 Mbit/s, the first byte is with the subscriber
// about as soon as through the forwarder, and the last not much later. Relays are processes of their own.
func TestFirstByteOnASlowLine(t *testing.T) {
	const rate, size, rounds = 1_500_000, 1_000_000, 5
	commands := large(t)
	firsts, lasts := map[string][]time.Duration{}, map[string][]time.Duration{}
	for range rounds {
		for _, name := range []string{plain, ours} {
			relay, addr := started(t, name, commands[name])
			slow, err := badpath.Listen("127.0.0.1:0", addr, badpath.Path{Up: badpath.Direction{Rate: rate}})
			if err != nil {
				t.Fatal(err)
			}
			e := connect(t, slow.Addr().String(), addr)
			begun := e.send(t, 0, size)
			first, last := e.take(t, size)
			firsts[name] = append(firsts[name], first.Sub(begun))
			lasts[name] = append(lasts[name], last.Sub(begun))
			slow.Close()
			relay.Stop()
		}
	}
	for _, all := range []map[string][]time.Duration{firsts, lasts} {
		slices.Sort(all[plain])
		slices.Sort(all[ours])
		a, b := all[ours], all[plain]
		t.Logf("ours %s (%s-%s), forwarder %s (%s-%s)", a[rounds/2], a[0], a[rounds-1], b[rounds/2], b[0], b[rounds-1])
		if most := 2*b[rounds/2] + 20*time.Millisecond; a[rounds/2] > most { // the machine may be busy
			t.Errorf("more than %s", most)
		}
	}
}
