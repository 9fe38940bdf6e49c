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
	"strconv"
	"strings"
	"sync"
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
		if l, err = endpoint.Listen(endpoint.ListenOptions{Addr: "127.0.0.1:0"}); err == nil {
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

// attacks are what one client does to the relay; each ends by itself or with ctx.
var attacks = []struct {
	name string
	do   func(s *siege, ctx context.Context)
}{
	{"unfinished objects", func(s *siege, ctx context.Context) {
		pub, conn := s.track("t")
		s.streams(ctx, conn, 100, func(i uint64, stream transport.SendStream) {
			const size = 15_900_000
			sw, err := moqt.NewSubgroupWriter(stream, pub.Draft(),
				wire.SubgroupHeader{TrackAlias: pub.TrackAlias(), GroupID: i,
					FirstObject: true})
			if err != nil || sw.BeginObject(&wire.ObjectHeader{PayloadLength: size}, 0) != nil {
				return
			}
			io.CopyN(sw, zeros{}, size-1)
			sw.Flush()
		})
	}},
	{"half requests", func(s *siege, ctx context.Context) {
		conn := s.dial(wire.Draft18).Conn()
		for ctx.Err() == nil {
			stream, err := conn.OpenStream(ctx)
			if err != nil {
				return
			}
			stream.SetWriteDeadline(time.Now().Add(time.Second))
			stream.Write(append([]byte{0x3, 0xff, 0xff}, make([]byte, 65_000)...))
		}
	}},
	{"half headers", func(s *siege, ctx context.Context) {
		conn := s.dial(wire.Draft18).Conn()
		for ctx.Err() == nil {
			stream, err := conn.OpenUniStream(ctx)
			if err != nil {
				return
			}
			stream.Write([]byte{0x10})
		}
	}},
	{"empty subgroups", func(s *siege, ctx context.Context) {
		pub, conn := s.track("t")
		for i := uint64(0); i < 400_000 && ctx.Err() == nil; i++ {
			stream, err := conn.OpenUniStream(ctx)
			if err != nil {
				return
			}
			sw, err := moqt.NewSubgroupWriter(stream, pub.Draft(), wire.SubgroupHeader{TrackAlias: pub.TrackAlias(),
				SubgroupID: i, IDMode: wire.SubgroupIDPresent})
			if err == nil {
				sw.Close()
			}
		}
	}},
	{"subgroups of one object", func(s *siege, ctx context.Context) {
		pub, conn := s.track("t")
		for i := uint64(0); i < 400_000 && ctx.Err() == nil; i++ {
			stream, err := conn.OpenUniStream(ctx)
			if err != nil {
				return
			}
			sw, err := moqt.NewSubgroupWriter(stream, pub.Draft(), wire.SubgroupHeader{TrackAlias: pub.TrackAlias(),
				SubgroupID: i, IDMode: wire.SubgroupIDPresent, FirstObject: true})
			if err == nil {
				sw.WriteObject(&moqt.Object{ObjectID: i})
				sw.Close()
			}
		}
	}},
	{"streams that stand still", func(s *siege, ctx context.Context) {
		pub, conn := s.track("t")
		s.streams(ctx, conn, 16_000, func(i uint64, stream transport.SendStream) {
			sw, err := moqt.NewSubgroupWriter(stream, pub.Draft(),
				wire.SubgroupHeader{TrackAlias: pub.TrackAlias(), GroupID: i,
					FirstObject: true})
			if err == nil {
				sw.WriteObject(&moqt.Object{Payload: []byte("one")})
			}
		})
	}},
	{"updates", func(s *siege, ctx context.Context) { // from a client that does not read the answers
		const d = wire.Draft18
		stream, err := s.dial(d).Conn().OpenStream(ctx)
		if err != nil {
			s.Error(err)
			return
		}
		stop := context.AfterFunc(ctx, func() { stream.SetWriteDeadline(time.Unix(1, 0)) })
		defer stop()
		send := func(m wire.Message) {
			if b, err := wire.AppendMessage(nil, d, m, wire.RequestStream); err != nil {
				s.Error(err)
			} else {
				stream.Write(b)
			}
		}
		send(&wire.Publish{TrackNamespace: wire.TrackNamespace{"attack"}, TrackName: "t"})
		for i := uint64(1); i < 500_000 && ctx.Err() == nil; i++ {
			send(&wire.RequestUpdate{RequestID: 2 * i})
		}
	}},
	{"names", func(s *siege, ctx context.Context) {
		session := s.dial(wire.Draft18)
		for i := 0; ctx.Err() == nil && i < 100_000; i++ {
			name := fmt.Sprint(i, strings.Repeat("x", 4000))
			_, err := session.StartSubscribe(ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"attack"},
				TrackName: name})
			if err != nil {
				return
			}
		}
	}},
	{"namespaces", func(s *siege, ctx context.Context) {
		session := s.dial(wire.Draft18)
		for i := 0; ctx.Err() == nil && i < 100_000; i++ {
			name := fmt.Sprint(i, strings.Repeat("x", 4000))
			if _, err := session.StartPublishNamespace(ctx, wire.TrackNamespace{"attack", name}, nil); err != nil {
				return
			}
		}
	}},
	{"tracks of one object", func(s *siege, ctx context.Context) {
		session := s.dial(wire.Draft18)
		for i := 0; ctx.Err() == nil && i < 20_000; i++ {
			pub, err := session.Publish(ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"attack"},
				TrackName: fmt.Sprint(i, strings.Repeat("x", 1000))})
			if err != nil {
				return
			}
			if sw, err := pub.OpenSubgroup(ctx, wire.SubgroupHeader{FirstObject: true}); err == nil {
				sw.WriteObject(&moqt.Object{Payload: []byte("one")})
				sw.Close()
			}
		}
	}},
	{"tokens", func(s *siege, ctx context.Context) {
		session := s.dial(wire.Draft18)
		for i := uint64(0); ctx.Err() == nil && i < 100_000; i++ {
			ps := wire.Parameters{{Type: wire.ParamAuthorizationToken,
				Token: wire.Token{AliasType: wire.TokenUseValue, Value: make([]byte, 16_000)}}}
			if _, err := session.StartPublishNamespace(ctx, wire.TrackNamespace{"attack", fmt.Sprint(i)},
				ps); err != nil {
				return
			}
		}
	}},
	{"datagrams of no byte", func(s *siege, ctx context.Context) {
		pub, _ := s.track("t")
		for i := uint64(0); ctx.Err() == nil && i < 1_000_000; i++ {
			pub.SendDatagram(&moqt.Object{GroupID: i})
		}
	}},
	{"subscriptions", func(s *siege, ctx context.Context) {
		session := s.dial(wire.Draft22)
		for i := 0; ctx.Err() == nil && i < 10_000; i++ {
			_, err := session.StartSubscribe(ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"good"},
				TrackName: "t"})
			if err != nil {
				return
			}
		}
		<-ctx.Done()
	}},
	{"subscribers that do not read", func(s *siege, ctx context.Context) {
		pub, _ := s.track("t")
		for range 50 {
			session := s.dial(wire.Draft18)
			_, err := session.Subscribe(ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"attack"},
				TrackName: "t"})
			if err != nil {
				return
			}
		}
		for i := uint64(0); ctx.Err() == nil; i++ {
			if sw, err := pub.OpenSubgroup(ctx, wire.SubgroupHeader{GroupID: i, FirstObject: true}); err == nil {
				sw.WriteObject(&moqt.Object{Payload: make([]byte, 100_000)})
				sw.Close()
			}
		}
	}},
	{"connections without SETUP", func(s *siege, ctx context.Context) {
		for i := 0; ctx.Err() == nil && i < 1500; i++ {
			conn, err := endpoint.Dial(ctx, endpoint.DialOptions{URL: s.url, Transport: transport.OnlyQUIC,
				Drafts: []wire.Draft{18}, TLS: &tls.Config{InsecureSkipVerify: true}})
			if err == nil {
				s.Cleanup(func() { conn.CloseWithError(0, "") })
			}
		}
	}},
}

// track publishes a track of the attacker's.
func (s *siege) track(name string) (*moqt.Publication, transport.Conn) {
	session := s.dial(wire.Draft18)
	pub, err := session.Publish(s.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"attack"}, TrackName: name})
	if err != nil {
		s.Fatal(err)
	}
	return pub, session.Conn()
}

// streams opens n streams that go on side by side and stay open until ctx ends.
func (s *siege) streams(ctx context.Context, conn transport.Conn, n uint64, do func(uint64, transport.SendStream)) {
	var all sync.WaitGroup
	defer all.Wait()
	for i := range n {
		stream, err := conn.OpenUniStream(ctx)
		if err != nil {
			return
		}
		stop := context.AfterFunc(ctx, func() { stream.SetWriteDeadline(time.Unix(1, 0)) })
		all.Go(func() {
			defer stop()
			do(i, stream)
		})
	}
	<-ctx.Done()
}

// zeros reads as zero bytes.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestSiege: whatever one client does, the relay with its default limits holds less than 300 MB, and a good subscriber
// gets every object in time. It takes minutes and runs with SIEGE=1.
func TestSiege(t *testing.T) {
	if os.Getenv("SIEGE") == "" {
		t.Skip("it takes minutes: SIEGE=1 runs it")
	}
	const most, late = 300, 3 * time.Second
	for _, a := range attacks {
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
