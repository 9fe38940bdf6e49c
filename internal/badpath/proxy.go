// Package badpath is a bad network path on purpose: a UDP proxy between clients and a relay that delays, drops, doubles
// and reorders packets and has little bandwidth, each direction by itself. What happens by chance follows from a seed.
package badpath

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Path is both directions, and the seed of what happens by chance.
type Path struct {
	// Up is from the clients to the relay, Down the way back.
	Up, Down Direction
	// Seed decides what happens to each client's n-th packet in each direction.
	Seed uint64
}

// Symmetric is a path that does the same both ways.
func Symmetric(d Direction, seed uint64) Path { return Path{Up: d, Down: d, Seed: seed} }

const (
	// maxClients bounds the clients at a time: packets of others are dropped.
	maxClients = 4096
	// idleTime is how long a client that is silent keeps its port when another one needs room.
	idleTime = time.Minute
	// socketBuffer is how many bytes the system is asked to keep for us: what does not fit it drops, unseeded.
	socketBuffer = 4 << 20
	maxDatagram  = 64 << 10
	// errorPause follows an error of a socket. The system reports on a socket that an earlier packet found nobody;
	// whoever is missing may come back.
	errorPause = time.Millisecond
)

// Proxy forwards packets between clients and one relay. Each client has a port of its own towards the relay. Safe for
// concurrent use.
type Proxy struct {
	path     Path
	to       *net.UDPAddr
	socket   *net.UDPConn
	up, down *pipe
	stop     context.CancelFunc
	wait     sync.WaitGroup

	mu       sync.Mutex
	clients  map[netip.AddrPort]*client
	came     int
	unserved uint64
}

// client is one address that packets came from.
type client struct {
	addr     netip.AddrPort
	socket   *net.UDPConn // towards the relay
	up, down *flow
	heard    time.Time // under Proxy.mu
}

// Listen starts a proxy at a UDP address, HOST:PORT, for the relay at another. Port 0 is any free one. The caller
// closes the proxy.
func Listen(addr, to string, path Path) (*Proxy, error) {
	for way, d := range map[string]Direction{"up": path.Up, "down": path.Down} {
		if err := d.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", way, err)
		}
	}
	relay, err := net.ResolveUDPAddr("udp", to)
	if err != nil {
		return nil, err
	}
	local, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, err
	}
	socket, err := net.ListenUDP("udp", local)
	if err != nil {
		return nil, err
	}
	socket.SetReadBuffer(socketBuffer) // as much as the system grants
	ctx, stop := context.WithCancel(context.Background())
	p := &Proxy{path: path, to: relay, socket: socket, stop: stop, clients: map[netip.AddrPort]*client{}}
	p.up = newPipe(path.Up, func(c *client, packet []byte) error { return ignored(c.socket.Write(packet)) })
	p.down = newPipe(path.Down, func(c *client, packet []byte) error {
		return ignored(socket.WriteToUDPAddrPort(packet, c.addr))
	})
	p.wait.Go(func() { p.up.run(ctx) })
	p.wait.Go(func() { p.down.run(ctx) })
	p.wait.Go(p.listen)
	return p, nil
}

func ignored(_ int, err error) error { return err }

// Addr is where clients reach the proxy.
func (p *Proxy) Addr() *net.UDPAddr { return p.socket.LocalAddr().(*net.UDPAddr) }

// Stats gives the counters so far.
func (p *Proxy) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{Clients: p.came, Unserved: p.unserved, Up: p.up.count(), Down: p.down.count()}
}

// Close ends the proxy and waits until all of it has ended. Packets that are under way do not arrive. It may be called
// more than once.
func (p *Proxy) Close() {
	p.stop()
	p.socket.Close()
	p.wait.Wait()
}

// listen takes what clients send, until the proxy is closed; then it closes every client's port.
func (p *Proxy) listen() {
	buffer := make([]byte, maxDatagram)
	for {
		n, from, err := p.socket.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			break
		}
		if err != nil {
			time.Sleep(errorPause)
			continue
		}
		if c := p.client(from); c != nil {
			p.up.take(c, c.up, buffer[:n])
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.clients {
		c.socket.Close()
	}
}

// client gives the client at an address, and makes it where there is none; nil when there is no room for it.
func (p *Proxy) client(from netip.AddrPort) *client {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if c, ok := p.clients[from]; ok {
		c.heard = now
		return c
	}
	if len(p.clients) >= maxClients {
		p.forget(now)
	}
	if len(p.clients) >= maxClients {
		p.unserved++
		return nil
	}
	socket, err := net.DialUDP("udp", nil, p.to)
	if err != nil {
		p.unserved++
		return nil
	}
	socket.SetReadBuffer(socketBuffer)
	c := &client{addr: from, socket: socket, up: newFlow(p.path.Seed, p.came, 0), heard: now,
		down: newFlow(p.path.Seed, p.came, 1)}
	p.came++
	p.clients[from] = c
	p.wait.Go(func() { p.answer(c) })
	return c
}

// forget takes the ports of silent clients back. The caller holds mu.
func (p *Proxy) forget(now time.Time) {
	for from, c := range p.clients {
		if now.Sub(c.heard) > idleTime {
			c.socket.Close()
			delete(p.clients, from)
		}
	}
}

// answer takes what the relay sends to one client, until the client's port is closed.
func (p *Proxy) answer(c *client) {
	buffer := make([]byte, maxDatagram)
	for {
		n, err := c.socket.Read(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(errorPause)
			continue
		}
		p.down.take(c, c.down, buffer[:n])
	}
}
