package badpath

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/freeport"
	"github.com/moqinterop/moq-interop-client/internal/leak"
)

func TestMain(m *testing.M) { leak.VerifyTestMain(m) }

// echo is a relay that sends everything back. It says who sent it.
func echo(t *testing.T) (addr string, from chan string) {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	from, ended := make(chan string, 1000), make(chan struct{})
	go func() {
		defer close(ended)
		buffer := make([]byte, 2048)
		for {
			n, a, err := socket.ReadFrom(buffer)
			if err != nil {
				return
			}
			from <- a.String()
			socket.WriteTo(buffer[:n], a)
		}
	}()
	t.Cleanup(func() {
		socket.Close()
		<-ended
	})
	return socket.LocalAddr().String(), from
}

func start(t *testing.T, to string, path Path) *Proxy {
	t.Helper()
	p, err := Listen("127.0.0.1:0", to, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("udp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// ask sends a packet and wants it back.
func ask(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 2048)
	n, err := c.Read(buffer)
	if err != nil || !bytes.Equal(buffer[:n], []byte(text)) {
		t.Fatalf("sent %q, got %q, %v", text, buffer[:n], err)
	}
}

func TestEachClientHasAPortOfItsOwn(t *testing.T) {
	addr, from := echo(t)
	p := start(t, addr, Path{})
	one, other := dial(t, p), dial(t, p)
	ask(t, one, "one")
	ask(t, other, "other")
	ask(t, one, "one again")
	a, b, c := <-from, <-from, <-from
	if a == b || a != c {
		t.Errorf("packets of two clients came from %s, %s and %s", a, b, c)
	}
	s := p.Stats()
	if s.Clients != 2 || s.Up.Delivered != 3 || s.Down.Delivered != 3 || s.Up.DeliveredBytes != 17 {
		t.Errorf("%+v", s)
	}
	const want = "2 clients; up: 3 of 3 packets (17 of 17 bytes); down: 3 of 3 packets (17 of 17 bytes)"
	if s.String() != want {
		t.Errorf("%s, want %s", s, want)
	}
}

func TestEachDirectionByItself(t *testing.T) {
	addr, _ := echo(t)
	p := start(t, addr, Path{Up: Direction{Delay: 20 * time.Millisecond}, Down: Direction{Duplicate: 1}})
	c := dial(t, p)
	sent := time.Now()
	ask(t, c, "twice")
	if d := time.Since(sent); d < 20*time.Millisecond {
		t.Errorf("an answer after %s", d)
	}
	buffer := make([]byte, 10)
	if n, err := c.Read(buffer); err != nil || string(buffer[:n]) != "twice" {
		t.Errorf("%q, %v", buffer[:n], err)
	}
}

// A relay that is away for a while is reached again when it is back.
func TestARelayComesBack(t *testing.T) {
	away, err := freeport.Loopback()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, away.String(), Path{})
	c := dial(t, p)
	c.Write([]byte("nobody"))
	for p.Stats().Up.Packets == 0 {
		time.Sleep(time.Millisecond)
	}
	back, err := net.ListenPacket("udp", away.String())
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	c.Write([]byte("lost")) // it may meet the error of the one before
	c.Write([]byte("here"))
	back.SetReadDeadline(time.Now().Add(20 * time.Second))
	buffer := make([]byte, 10)
	for {
		n, _, err := back.ReadFrom(buffer)
		if err != nil {
			t.Fatal(err)
		}
		if string(buffer[:n]) == "here" {
			return
		}
	}
}

func TestCloseDropsWhatIsUnderWay(t *testing.T) {
	addr, _ := echo(t)
	p := start(t, addr, Path{Up: Direction{Delay: time.Hour}})
	c := dial(t, p)
	c.Write([]byte("never"))
	for p.Stats().Up.UnderWay == 0 {
		time.Sleep(time.Millisecond)
	}
	p.Close()
	p.Close()
}

func TestListenRefuses(t *testing.T) {
	addr, _ := echo(t)
	for name, path := range map[string]Path{
		"loss":  {Up: Direction{Loss: 1.5}},
		"delay": {Down: Direction{Delay: -1}},
		"rate":  {Down: Direction{Rate: -1}},
	} {
		if p, err := Listen("127.0.0.1:0", addr, path); err == nil {
			p.Close()
			t.Errorf("%s: no error", name)
		}
	}
	if p, err := Listen(addr, addr, Path{}); err == nil {
		p.Close()
		t.Error("a port that is taken: no error")
	}
	if p, err := Listen("127.0.0.1:0", "nowhere", Path{}); err == nil {
		p.Close()
		t.Error("a relay without a port: no error")
	}
}

// BenchmarkProxy says what a packet costs the proxy there and back.
func BenchmarkProxy(b *testing.B) {
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer socket.Close()
	p, err := Listen("127.0.0.1:0", socket.LocalAddr().String(), Path{})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	c, err := net.Dial("udp", p.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	packet, buffer := make([]byte, 1200), make([]byte, 2048)
	b.SetBytes(int64(len(packet)))
	for b.Loop() {
		c.Write(packet)
		if _, _, err := socket.ReadFrom(buffer); err != nil {
			b.Fatal(err)
		}
	}
}
