package reference

import (
	"container/list"
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// guest is a connection that the relay serves. Those that have not sent SETUP, and where a token is required those that
// have not shown a valid one, are in the lobby: they have a limit of their own, and the one that has waited longest
// makes room for the next. So nobody locks out those who would be admitted.
type guest struct {
	address netip.Addr              // of the client; the zero Addr where there is none
	leave   context.CancelCauseFunc // with the cause
	// lobby is its place there, nil when it has none; admitted that it was let in. The relay's lock guards both.
	lobby    *list.Element
	admitted bool
}

// admission is who is served. The relay's lock guards it.
type admission struct {
	lobby     list.List // of *guest, the one that came first at the front
	admitted  int
	addresses map[netip.Addr]int
}

// errClosed is the cause when the relay was closed.
var errClosed = fmt.Errorf("the relay is shutting down: %w", net.ErrClosed)

// errLobby is the cause for a guest that made room for another one.
type errLobby struct{ waits string }

func (e errLobby) Error() string {
	return "the relay has no room for more connections without " + e.waits
}

// begin takes a connection into the lobby. done counts it out.
func (r *Relay) begin(ctx context.Context, info transport.Info) (_ context.Context, g *guest, done func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g = &guest{address: hostOf(info)}
	a := &r.admission
	switch limit := r.limits.PerAddress; {
	case r.closed:
		return nil, nil, nil, errClosed
	case r.opts.RequireToken == "" && a.admitted >= r.limits.Sessions: // SETUP would not help
		return nil, nil, nil, r.full()
	case limit > 0 && g.address.IsValid() && a.addresses[g.address] >= limit:
		return nil, nil, nil, fmt.Errorf("the relay has its limit of %d sessions from %s", limit, g.address)
	}
	if a.lobby.Len() >= r.limits.Lobby {
		first := a.lobby.Remove(a.lobby.Front()).(*guest)
		first.lobby = nil
		first.leave(errLobby{r.awaited()})
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := onDone(r.ctx, func() { cancel(errClosed) })
	g.leave = cancel
	g.lobby = a.lobby.PushBack(g)
	if g.address.IsValid() {
		a.addresses[g.address]++
	}
	r.counters.Sessions.Add(1)
	r.counters.Lobby.Store(int64(a.lobby.Len()))
	r.tasks.Add(1)
	return ctx, g, func() {
		stop()
		cancel(context.Canceled)
		r.counters.Sessions.Add(-1)
		r.mu.Lock()
		r.leaves(g)
		close(r.left)
		r.left = make(chan struct{})
		r.mu.Unlock()
		r.tasks.Done()
	}, nil
}

// full is the error for a guest that comes when there are Limits.Sessions.
func (r *Relay) full() error {
	return fmt.Errorf("the relay has its limit of %d sessions", r.limits.Sessions)
}

// awaited is what those in the lobby lack.
func (r *Relay) awaited() string {
	if r.opts.RequireToken != "" {
		return "a valid token"
	}
	return "SETUP"
}

// admit takes a guest out of the lobby, and reports whether there is room for it.
func (r *Relay) admit(g *guest) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &r.admission
	switch {
	case g.admitted:
		return nil
	case g.lobby == nil:
		return errLobby{r.awaited()}
	case a.admitted >= r.limits.Sessions:
		return r.full()
	}
	a.lobby.Remove(g.lobby)
	g.lobby, g.admitted = nil, true
	a.admitted++
	r.counters.Lobby.Store(int64(a.lobby.Len()))
	return nil
}

// leaves counts a guest out. The caller holds the relay's lock.
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
