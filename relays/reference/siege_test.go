//go:build linux

package reference

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// siegeRelay, set in the environment, makes the test binary a relay with the default limits, which TestSiege attacks.
const siegeRelay = "SIEGE_RELAY"

// serveSiege is that relay. It says its address on stdout and ends with stdin.
func serveSiege() {
	r, err := New(Options{})
	if err == nil {
		var l *endpoint.Listener
		if l, err = endpoint.Listen(r.ListenOptions(endpoint.ListenOptions{Addr: "127.0.0.1:0"})); err == nil {
			fmt.Println(l.Addr())
			if dir := os.Getenv("SIEGE_PROFILE"); dir != "" {
				go profile(dir)
			}
			go r.ServeListener(context.Background(), l)
			io.Copy(io.Discard, os.Stdin)
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// profile writes the heap's profile to a folder whenever resident memory has grown by a tenth: the last one shows the
// peak.
func profile(dir string) {
	for most := 0; ; time.Sleep(100 * time.Millisecond) {
		if now := peakOf(os.Getpid()); now > most+most/10 {
			most = now
			if f, err := os.Create(filepath.Join(dir, "heap")); err == nil {
				pprof.Lookup("heap").WriteTo(f, 0)
				f.Close()
			}
			if f, err := os.Create(filepath.Join(dir, "goroutines")); err == nil {
				pprof.Lookup("goroutine").WriteTo(f, 1)
				f.Close()
			}
		}
	}
}

// siege is a relay in a process of its own, and those who besiege it.
type siege struct {
	*testing.T
	ctx context.Context
	url transport.URL
	pid int
}

func besiege(t *testing.T) *siege {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), siegeRelay+"=1", "GOMEMLIMIT=")
	cmd.Stderr = os.Stderr
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	u, err := transport.ParseURL("moqt://" + strings.TrimSpace(address))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(func() {
		cancel()
		in.Close()
		cmd.Wait()
	})
	return &siege{T: t, ctx: ctx, url: u, pid: cmd.Process.Pid}
}

// peakOf is the most resident memory that a process has had, in MB; 0 when that cannot be known.
func peakOf(pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kb, _ := strconv.Atoi(strings.Fields(rest)[0])
	return kb / 1000
}

func (s *siege) connect(d wire.Draft) transport.Conn {
	conn, err := endpoint.Dial(s.ctx, endpoint.DialOptions{URL: s.url, Transport: transport.OnlyQUIC,
		Drafts: []wire.Draft{d}, TLS: &tls.Config{InsecureSkipVerify: true}})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { conn.CloseWithError(0, "") })
	return conn
}

func (s *siege) dial(d wire.Draft) *moqt.Session {
	session, err := moqt.Client(s.ctx, s.connect(d), moqt.Config{Drafts: []wire.Draft{d}})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { session.Close(wire.NoError, "") })
	return session
}

// someAttacks are those that CI tries in every run.
var someAttacks = []string{"unfinished objects", "half requests", "subscribers that do not read"}

// TestSiege: whatever one client does, the relay with its default limits holds less than 300 MB, and a good subscriber
// gets every object in time. An attack takes ten seconds: SIEGE=all runs all, SIEGE=some a few.
func TestSiege(t *testing.T) {
	which := os.Getenv("SIEGE")
	if which == "" {
		t.Skip("it takes minutes: SIEGE=all runs it")
	}
	const most, late = 300, 3 * time.Second
	for _, a := range attacks {
		if which == "some" && !slices.Contains(someAttacks, a.name) {
			continue
		}
		t.Run(a.name, func(t *testing.T) {
			s := besiege(t)
			ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
			defer cancel()
			sent, slowest := s.good(ctx, late)
			a.do(s, ctx)
			<-ctx.Done()
			if n := peakOf(s.pid); n == 0 || n > most {
				t.Errorf("%d MB, at most %d may be", n, most)
			} else {
				t.Logf("%d MB", n)
			}
			n, worst := sent(), slowest()
			t.Logf("the good subscriber has had %d objects, the slowest after %v", n, worst)
			if n < 50 || worst > late {
				t.Errorf("the good subscriber has had %d objects, the slowest after %v", n, worst)
			}
		})
	}
}

// good publishes an object of 1 KB every 50 ms and subscribes to that until ctx ends; it tells how many have come in
// order and how long the slowest took.
func (s *siege) good(ctx context.Context, late time.Duration) (count func() int64, worst func() time.Duration) {
	from, to := s.dial(wire.Draft16), s.dial(wire.Draft18)
	pub, err := from.Publish(ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"good"}, TrackName: "t"})
	if err != nil {
		s.Fatal(err)
	}
	sub, err := to.Subscribe(ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"good"}, TrackName: "t"})
	if err != nil {
		s.Fatal(err)
	}
	go func() {
		for i := uint64(0); ctx.Err() == nil; i++ {
			sw, err := pub.OpenSubgroup(ctx, wire.SubgroupHeader{GroupID: i, FirstObject: true})
			if err != nil {
				return
			}
			now, _ := time.Now().MarshalBinary()
			sw.WriteObject(&moqt.Object{Payload: append(now, make([]byte, 1000)...)})
			sw.Close()
			time.Sleep(50 * time.Millisecond)
		}
	}()
	var n, slowest atomic.Int64
	go func() {
		for {
			wait, cancel := context.WithTimeout(ctx, 2*late)
			o, err := sub.Next(wait)
			cancel()
			if err != nil {
				if ctx.Err() == nil {
					s.Errorf("the good subscriber: %v", err)
				}
				return
			}
			var at time.Time
			if at.UnmarshalBinary(o.Payload[:len(o.Payload)-1000]) == nil {
				slowest.Store(max(slowest.Load(), int64(time.Since(at))))
			}
			n.Add(1)
		}
	}()
	return n.Load, func() time.Duration { return time.Duration(slowest.Load()) }
}
