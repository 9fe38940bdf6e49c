// Package tools has what the everyday commands do: publish a track, read it, join it, fetch from it, announce and watch
// names, ask for a track's status, and serve tracks without a relay. The command line is package main's.
package tools

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Connection says how to reach a relay, and where to tell of it.
type Connection struct {
	// URL is the relay's.
	URL string
	// Options are those of every session.
	Options moq.Options
	// Token, if not empty, goes with every request.
	Token string
	// Say gets what people want to know, a line at a time, from any goroutine.
	Say func(format string, args ...any)
}

// parameters are those of every request.
func (c *Connection) parameters() (ps wire.Parameters) {
	if c.Token != "" {
		ps.Add(wire.Parameter{Type: wire.ParamAuthorizationToken,
			Token: wire.Token{AliasType: wire.TokenUseValue, Value: []byte(c.Token)}})
	}
	return ps
}

// errGoaway is the cause of a context that ends because the peer has sent GOAWAY.
var errGoaway = errors.New("the peer has sent GOAWAY")

// How long a session that was left may still bring what is on its way, the least time between two of them, and how long
// the second is tried for.
const (
	leaveAfter  = 2 * time.Second
	betweenDial = 500 * time.Millisecond
	redialTime  = 10 * time.Second
)

// Keep gives a session to f, and after a GOAWAY another one, until f returns for another reason or ctx ends. The
// context of f ends when its session is to be left; the session itself stays for a while, so that nothing is lost that
// is on its way.
func (c *Connection) Keep(ctx context.Context, f func(ctx context.Context, s *moq.Session) error) error {
	var left sync.WaitGroup
	defer left.Wait()
	over, end := context.WithCancel(context.Background())
	defer end()
	s, err := moq.Dial(ctx, c.URL, &c.Options)
	for {
		if err != nil {
			return err
		}
		c.Say("%s", describe(s))
		began := time.Now()
		err = use(ctx, s, f)
		if !errors.Is(err, errGoaway) {
			s.Close()
			return err
		}
		old := s
		left.Go(func() {
			t := time.NewTimer(leaveAfter)
			defer t.Stop()
			select {
			case <-t.C:
			case <-over.Done():
			case <-old.Context().Done():
			}
			old.Close()
		})
		if g := s.LastGoaway(); g != nil && g.NewSessionURI != "" {
			c.Say("GOAWAY: going to %s", g.NewSessionURI)
		} else {
			c.Say("GOAWAY: connecting again")
		}
		if err := pause(ctx, betweenDial-time.Since(began)); err != nil { // a peer may send everybody away at once
			return err
		}
		s, err = again(ctx, s)
	}
}

// again dials the peer of a session again, for a while: one that is replaced may not be there yet.
func again(ctx context.Context, old *moq.Session) (*moq.Session, error) {
	for began := time.Now(); ; {
		s, err := old.Redial(ctx)
		if err == nil || time.Since(began) > redialTime {
			return s, err
		}
		if paused := pause(ctx, betweenDial); paused != nil {
			return nil, err
		}
	}
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// use runs f with a context that ends with errGoaway. What f says because of that is errGoaway too.
func use(ctx context.Context, s *moq.Session, f func(context.Context, *moq.Session) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-s.PeerGoaway():
			cancel(errGoaway)
		case <-done:
		}
	})
	err := f(ctx, s)
	close(done)
	watch.Wait()
	if err != nil && errors.Is(context.Cause(ctx), errGoaway) {
		return errGoaway
	}
	return err
}

// describe is a line about a session.
func describe(s *moq.Session) string {
	text := fmt.Sprintf("connected to %s: %s over %s", s.URL(), s.Draft(), s.Conn().Info().Kind)
	if name := s.PeerImplementation(); name != "" {
		text += fmt.Sprintf(", %q", name)
	}
	return text
}

// Name is the Full Track Name of a track.
type Name struct {
	Namespace moq.Namespace
	Track     string
}

// String is the form of draft-22 §8.8.
func (n Name) String() string { return wire.NameText(n.Namespace, n.Track) }
