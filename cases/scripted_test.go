package cases_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// scripted is a small relay of one track: it accepts requests, subscribes at the publisher when the first subscriber
// comes, and forwards each group on a stream of its own. fetch answers FETCH; other, if set, sees all requests but
// that, SUBSCRIBE and PUBLISH_NAMESPACE.
type scripted struct {
	t *testing.T
	// late is how long it goes on sending to a subscriber that has left.
	late  time.Duration
	fetch func(r *moqt.Request, m *wire.Fetch)
	other func(r *moqt.Request)

	mu          sync.Mutex
	source      *moqt.Session
	subscribers []*reader
}

// reader is one subscriber. left is when it was seen to have gone.
type reader struct {
	pub    *moqt.Publication
	left   time.Time
	groups map[uint64]*moqt.SubgroupWriter
}

func (c *scripted) peer() peer {
	return session(func(s *moqt.Session, r *moqt.Request) {
		switch m := r.Message().(type) {
		case *wire.PublishNamespace:
			c.mu.Lock()
			c.source = s
			c.mu.Unlock()
			acceptAll(s, r)
		case *wire.Subscribe:
			c.subscribe(r, m)
		case *wire.Fetch:
			c.fetch(r, m)
		default:
			if c.other != nil {
				c.other(r)
			}
			acceptAll(s, r)
		}
	}, nil)
}

// subscribe accepts a subscriber. The first one sets the forwarding off.
func (c *scripted) subscribe(r *moqt.Request, m *wire.Subscribe) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.subscribers == nil {
		ctx := c.source.Context()
		up, err := c.source.Subscribe(ctx, &wire.Subscribe{TrackNamespace: m.TrackNamespace, TrackName: m.TrackName})
		if err != nil {
			c.t.Errorf("SUBSCRIBE at the publisher: %v", err)
			return
		}
		go func() {
			for {
				o, err := up.Next(ctx)
				if err != nil {
					return
				}
				c.forward(o)
			}
		}()
	}
	pub, err := r.AcceptSubscribe(r.Context(), nil)
	if err != nil {
		c.t.Errorf("SUBSCRIBE: %v", err)
		return
	}
	c.subscribers = append(c.subscribers, &reader{pub: pub, groups: map[uint64]*moqt.SubgroupWriter{}})
}

// forward sends an object to every subscriber. Groups have 5 objects.
func (c *scripted) forward(o *moqt.Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.subscribers {
		if a.left.IsZero() && a.pub.Context().Err() != nil {
			a.left = time.Now()
		}
		if !a.left.IsZero() && time.Since(a.left) > c.late {
			continue
		}
		w := a.groups[o.GroupID]
		if w == nil {
			// past the session, which would refuse a stream for a subscriber that has left
			s, err := a.pub.Session().Conn().OpenUniStream(context.Background())
			if err != nil {
				continue
			}
			w, err = moqt.NewSubgroupWriter(s, a.pub.Draft(), wire.SubgroupHeader{TrackAlias: a.pub.TrackAlias(),
				GroupID: o.GroupID, Priority: o.Priority, FirstObject: true})
			if err != nil {
				c.t.Errorf("stream: %v", err)
				continue
			}
			a.groups[o.GroupID] = w
		}
		w.WriteObject(o) // fails once the subscriber has stopped the stream
		if o.ObjectID == 4 {
			w.Close()
		}
	}
}
