package reference

import (
	"context"
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt"
)

// chase is a fetch that sends an object which came in pieces, and of which more may come. It holds what it has not sent
// as a subscriber's stream does.
type chase struct {
	place
	f      *retrieval
	entry  *entry
	behind int64
}

// inPieces is the index of the first object that came in pieces, or is coming; -1 if there is none.
func inPieces(objects []*entry) int {
	return slices.IndexFunc(objects, func(e *entry) bool { return len(e.parts) > 0 || !e.whole() })
}

// chase begins to follow an object. The caller holds the track's lock.
func (f *retrieval) chase(e *entry) *chase {
	c := &chase{f: f, entry: e}
	c.to = c
	in := f.track.inflowOf(e)
	c.follow(in, in.dropped+in.index(e))
	return c
}

// inflowOf gives the stream that an object came on, and makes one for an object that came by a fetch.
func (l *trackLog) inflowOf(e *entry) *inflow {
	if e.in == nil {
		g := l.groups[e.GroupID]
		e.in = &inflow{group: g, entries: []*entry{e}, last: e.ObjectID, state: finished, reign: e.reign, fetched: true}
		g.inflows = append(g.inflows, e.in)
	}
	return e.in
}

// grew implements towards.
func (c *chase) grew(n int64) { c.f.track.lags(&c.behind, n) }

// lag implements towards.
func (c *chase) lag() int64 { return c.behind }

// gaveUp implements towards.
func (c *chase) gaveUp() { c.f.track.relay.counters.TooFarBehind.Add(1) }

// complete implements towards.
func (c *chase) complete() {}

// abort implements towards.
func (c *chase) abort(code moqt.ResetCode) { c.f.w.Reset(code.Number(c.f.peer.session.Draft())) }

// send sends the object to its end, if the request wants it.
func (c *chase) send() error {
	t := c.f.track
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		c.unfollow()
	}()
	if !c.f.wants(&c.entry.Object) {
		return nil
	}
	for {
		t.mu.Lock()
		p, ok := c.entry.next(c.offset, c.begun, batchBytes)
		failed := c.failed()
		var wait <-chan struct{}
		if !ok {
			wait = c.in.wait()
		}
		t.mu.Unlock()
		if failed != nil {
			return failed
		}
		if !ok {
			if err := c.f.w.Flush(); err != nil {
				return err
			}
			select {
			case <-wait:
			case <-c.f.ctx.Done():
				return context.Cause(c.f.ctx)
			}
			continue
		}
		if err := c.f.putPiece(&p); err != nil {
			return err
		}
		t.mu.Lock()
		if !c.lost {
			c.advance(&p)
			c.in.release()
		}
		t.mu.Unlock()
		if p.last {
			return nil
		}
	}
}

// failed says why the object cannot be sent to its end; nil if it can. The caller holds the track's lock.
func (c *chase) failed() error {
	e := c.entry
	switch {
	case c.lost:
		return errReset{moqt.ResetTooFarBehind}
	case e.broken:
		return errReset{e.cause}
	case !e.whole() && e.feeders == 0, c.offset < e.have && len(e.from(c.offset)) == 0: // the log was emptied
		return errReset{moqt.ResetInternalError}
	}
	return nil
}
