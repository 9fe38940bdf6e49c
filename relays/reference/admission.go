package reference

import (
	"container/list"
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// guest is a connection that the relay serves. Connections without SETUP are in the lobby, and where a token is
// required also those that have not shown a valid one. The lobby has a limit of its own: when it is full, the
// connection that has waited longest is closed to make room. So nobody can lock out clients that would be admitted.
type guest struct {
	address netip.Addr // of the client; the zero Addr where there is none
	// turnAway closes the connection with a reason for the client.
	turnAway func(reason string)
	// lobby is its place in the lobby, nil if it has none; admitted is true once it was let in. The relay's lock guards
	// both.
	lobby    *list.Element
	admitted bool
}

// admission counts who is served. The relay's lock guards it.
type admission struct {
	lobby     list.List // of *guest, the one that came first at the front
	admitted  int
	addresses map[netip.Addr]int
}

// errClosed is the cause when the relay was closed.
var errClosed = fmt.Errorf("the relay is shutting down: %w", net.ErrClosed)

// begin lets a connection into the lobby. turnAway closes the connection with a reason for the client; done must be
// called when it has ended.
func (r *Relay) begin(ctx context.Context, info transport.Info, turnAway func(reason string)) (_ context.Context,
	g *guest, done func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g = &guest{address: hostOf(info), turnAway: turnAway}
	a := &r.admission
	switch limit := r.limits.PerAddress; {
	case r.closed:
		return nil, nil, nil, errClosed
	case r.opts.RequireToken == "" && a.admitted >= r.limits.Sessions: // SETUP would not help
		return nil, nil, nil, r.full()
	case limit > 0 && g.address.IsValid() && a.addresses[g.address] >= limit:
		return nil, nil, nil, fmt.Errorf("the relay is at its limit of %d sessions from %s", limit, g.address)
	}
	if a.lobby.Len() >= r.limits.Lobby {
		first := a.lobby.Remove(a.lobby.Front()).(*guest)
		first.lobby = nil
		r.tasks.Go(func() { first.turnAway(r.crowded().Error()) })
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := onDone(r.ctx, cancel)
	g.lobby = a.lobby.PushBack(g)
	if g.address.IsValid() {
		a.addresses[g.address]++
	}
	r.counters.Sessions.Add(1)
	r.counters.Lobby.Store(int64(a.lobby.Len()))
	r.tasks.Add(1)
	return ctx, g, func() {
		stop()
		cancel()
		r.counters.Sessions.Add(-1)
		r.mu.Lock()
		r.leaves(g)
		close(r.left)
		r.left = make(chan struct{})
		r.mu.Unlock()
		r.tasks.Done()
	}, nil
}

// full is the error for a guest when there are already Limits.Sessions.
func (r *Relay) full() error {
	return fmt.Errorf("the relay is at its limit of %d sessions", r.limits.Sessions)
}

// crowded is the error for a guest that had to make room for another one.
func (r *Relay) crowded() error {
	lacks := "SETUP"
	if r.opts.RequireToken != "" {
		lacks = "a valid token"
	}
	return fmt.Errorf("the relay has no room for more connections without %s", lacks)
}

// admit moves a guest from the lobby to the sessions, and reports whether there is room for it.
func (r *Relay) admit(g *guest) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &r.admission
	switch {
	case g.admitted:
		return nil
	case g.lobby == nil:
		return r.crowded()
	case a.admitted >= r.limits.Sessions:
		return r.full()
	}
	a.lobby.Remove(g.lobby)
	g.lobby, g.admitted = nil, true
	a.admitted++
	r.counters.Lobby.Store(int64(a.lobby.Len()))
	return nil
}

// leaves counts a guest as gone. The caller holds the relay's lock.
func (r *Relay) leaves(g *guest) {
	a := &r.admission
	switch {
	case g.admitted:
		a.admitted--
	case g.lobby != nil:
		a.lobby.Remove(g.lobby)
		r.counters.Lobby.Store(int64(a.lobby.Len()))
	}
	if g.address.IsValid() {
		if a.addresses[g.address]--; a.addresses[g.address] == 0 {
			delete(a.addresses, g.address)
		}
	}
}

// hostOf is the client's address without its port.
func hostOf(info transport.Info) netip.Addr {
	if info.RemoteAddr == nil {
		return netip.Addr{}
	}
	at, err := netip.ParseAddrPort(info.RemoteAddr.String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}
