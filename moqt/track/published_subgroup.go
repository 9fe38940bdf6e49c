package track

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Subgroup is one subgroup of a Published: one stream to every subscriber that wants it. Only one goroutine at a time
// may write objects; the other methods are safe for concurrent use.
type Subgroup struct {
	t     *Published
	group uint64
	key   uint64 // the ID, unless the first object gives it
	whole bool   // its header says that it has the group's last object
	in    *publishedGroup

	mu     sync.Mutex
	closed bool
	began  bool
	id     uint64
	last   uint64 // Object ID
	header wire.SubgroupHeader
	object wire.ObjectHeader // the one that is being written
	subs   []*subscriber     // for whom there are ways
	ways   []way
	chunk  []byte
	// timeout and lifetime are what the first object's properties say (19 and later), -1 = nothing.
	timeout, lifetime time.Duration
}

// way is the stream of a subgroup to one subscriber, or the reason why there is none.
type way struct {
	sub   *subscriber
	out   *outlet // nil while there is no stream
	scope int     // of the delivery under which out was opened
	gone  bool    // the stream has failed: no other one is opened (draft-19 §8, §11.4.3)
}

// WriteObject writes an object of the subgroup. Of o it uses ObjectID, Status, Properties and Payload. It keeps no
// pace. See Published.Write for the errors.
func (g *Subgroup) WriteObject(ctx context.Context, o *moqt.Object) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.write(ctx, o, 0)
}

// WriteFrom writes an object whose payload is the next size bytes of r; see Published.WriteFrom.
func (g *Subgroup) WriteFrom(ctx context.Context, o *moqt.Object, size uint64, r io.Reader) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	head := *o
	head.Payload = nil
	failed := g.write(ctx, &head, size)
	if failed != nil && !unencodableError(failed) {
		if g.began && g.last == o.ObjectID { // some have the header
			g.reset(moqt.ResetInternalError)
		}
		return failed
	}
	if g.chunk == nil {
		g.chunk = make([]byte, 32<<10)
	}
	for left := size; left > 0; {
		n, err := io.ReadFull(r, g.chunk[:min(left, uint64(len(g.chunk)))])
		if err != nil {
			g.reset(moqt.ResetInternalError)
			return fmt.Errorf("payload of object {%d, %d}, %d of %d bytes: %w", g.group, o.ObjectID,
				size-left+uint64(n), size, err)
		}
		for i := range g.ways {
			w := &g.ways[i]
			if w.out == nil || w.out.left == 0 {
				continue
			}
			out, sub := w.out, w.sub
			err := out.more(ctx, g.patience(sub), g.chunk[:n])
			if stopped := stopOf(err); stopped != nil && sub.goesOn() {
				failed = errors.Join(failed, fmt.Errorf("object {%d, %d} was stopped after %d of %d bytes: %w", g.group,
					o.ObjectID, size-left, size, stopped))
			}
			if err := w.judge(err); err != nil {
				g.reset(moqt.ResetInternalError)
				return err
			}
		}
		left -= uint64(n)
	}
	return failed
}

// stopOf is the peer's STOP_SENDING in an error, or nil.
func stopOf(err error) *transport.StreamError {
	var e *transport.StreamError
	if errors.As(err, &e) && e.Remote && e.Stop {
		return e
	}
	return nil
}

// unencodableError tells an object that a draft cannot encode from an error that ends a write.
func unencodableError(err error) bool {
	var e *wire.Error
	return errors.As(err, &e)
}

// write hands an object to every subscriber. left bytes of its payload are to come. The caller holds mu.
func (g *Subgroup) write(ctx context.Context, o *moqt.Object, left uint64) error {
	t := g.t
	switch {
	case g.closed:
		return fmt.Errorf("object {%d, %d}: subgroup %d is closed", g.group, o.ObjectID, g.key)
	case g.began && o.ObjectID <= g.last:
		return fmt.Errorf("object {%d, %d} after {%d, %d}: Object IDs must ascend in a subgroup", g.group, o.ObjectID,
			g.group, g.last)
	}
	if !g.began {
		g.begin(o)
	}
	kept := o
	if left > 0 {
		kept = nil
	}
	at := wire.Location{Group: g.group, Object: o.ObjectID}
	number, subs, err := t.note(at, kept, g.in, g.id, g.header.Priority)
	if err != nil {
		return err
	}
	first := !g.began
	g.began, g.last = true, o.ObjectID
	if len(subs) > 0 && (len(subs) != len(g.subs) || &subs[0] != &g.subs[0]) || len(subs) == 0 && len(g.ways) > 0 {
		g.refresh(subs)
	}
	g.object = wire.ObjectHeader{ObjectID: o.ObjectID, Status: o.Status, Properties: o.Properties,
		PayloadLength: uint64(len(o.Payload)) + left}
	var errs error
	for i := range g.ways {
		err := g.deliver(ctx, &g.ways[i], number, o, left, first)
		if err != nil && !unencodableError(err) {
			for j := i; j < len(g.ways); j++ { // a subscriber without it has a hole, which FIN would deny
				g.ways[j].giveUp()
			}
			return err
		}
		if err != nil {
			errs = errors.Join(errs, err)
		}
	}
	return errs
}

// begin settles what the first object settles: the ID, the priority and the form of the streams. The caller holds mu.
func (g *Subgroup) begin(o *moqt.Object) {
	layout := g.t.opts.Layout
	g.id = g.key
	h := wire.SubgroupHeader{GroupID: g.group, IDMode: layout.IDs, DefaultPriority: true, Priority: g.t.priority,
		HasProperties: g.t.opts.ObjectProperties || len(o.Properties) > 0, EndOfGroup: g.whole}
	switch {
	case layout.IDs == wire.SubgroupIDFirstObject:
		g.id = o.ObjectID
	case g.id != 0:
		h.IDMode = wire.SubgroupIDPresent
	}
	h.SubgroupID = g.id
	if f := g.t.opts.Priority; f != nil {
		h.DefaultPriority, h.Priority = false, f(o)
	}
	g.header = h
	g.timeout, g.lifetime = -1, -1
	if len(o.Properties) > 0 && o.Draft >= wire.Draft19 {
		if p, ok := wire.LookupProperty(o.Properties, o.Draft, wire.PropObjectDeliveryTimeout); ok {
			g.timeout = milliseconds(p.Uint)
		}
		if p, ok := wire.LookupProperty(o.Properties, o.Draft, wire.PropSubgroupDeliveryTimeout); ok {
			g.lifetime = milliseconds(p.Uint)
		}
	}
}

// refresh follows a change of the track's subscribers. The caller holds mu.
func (g *Subgroup) refresh(subs []*subscriber) {
	ways := make([]way, 0, len(subs))
	for _, s := range subs {
		w := way{sub: s}
		for _, old := range g.ways {
			if old.sub == s {
				w = old
			}
		}
		ways = append(ways, w)
	}
	g.subs, g.ways = subs, ways
}

// deliver hands an object to one subscriber. The error ends the write, but for a *wire.Error. The caller holds mu.
func (g *Subgroup) deliver(ctx context.Context, w *way, number uint64, o *moqt.Object, left uint64,
	first bool) error {
	d := w.sub.delivery.Load()
	at := wire.Location{Group: g.group, Object: o.ObjectID}
	if !d.forward || number <= d.since || !d.covers(at) {
		w.stop(d)
		return nil
	}
	if d.ranged && !d.ranges.Pass(w.sub.draft, o, g.id, g.header.Priority) {
		return nil
	}
	if w.out != nil && w.out.dead.Load() {
		w.out, w.gone = nil, true
	}
	if w.gone {
		return nil
	}
	if w.out == nil {
		out, err := g.open(ctx, w.sub, d, first)
		if err != nil || out == nil {
			w.gone = err == nil
			return err
		}
		w.out, w.scope = out, d.scope
		if out.waited > 0 {
			g.blame(w.sub, out.waited)
		}
	}
	out := w.out
	err := out.add(ctx, g.patience(w.sub), &g.object, o.Draft, o.Payload, left)
	if out.waited > 0 {
		g.blame(w.sub, out.waited)
	}
	return w.judge(err)
}

// patience is how long a write may wait for a subscriber, 0 being for ever. The caller holds mu.
func (g *Subgroup) patience(s *subscriber) time.Duration {
	stall := g.t.opts.Stall
	if stall > 0 && len(g.ways) > 1 {
		stall = max(stall-time.Duration(s.held.Load()), time.Millisecond)
	}
	return stall
}

// blame counts the time that a write waited for a subscriber while another one had taken everything: it holds up the
// track then. The caller holds mu.
func (g *Subgroup) blame(s *subscriber, waited time.Duration) {
	for i := range g.ways {
		if w := &g.ways[i]; w.sub != s && w.idle() {
			s.holdsUp(waited)
			return
		}
	}
}

// idle reports whether a subscriber wants objects and has taken all there were.
func (w *way) idle() bool {
	if w.out == nil {
		return !w.gone && w.sub.delivery.Load().forward && w.sub.leaving.bytes.Load() == 0
	}
	return w.out.idle()
}

// stop ends the stream of a subscriber that does not want the objects to come: with FIN where it has got all that it
// asked for, else with a reset (draft-19 §11.4.3).
func (w *way) stop(d *delivery) {
	if w.out == nil {
		return
	}
	if w.scope == d.scope {
		w.out.end()
	} else {
		w.out.reset(moqt.ResetCancelled)
	}
	w.out = nil
}

// giveUp resets the stream, and opens no other.
func (w *way) giveUp() {
	if w.out != nil {
		w.out.reset(moqt.ResetCancelled)
	}
	w.out, w.gone = nil, true
}

// judge takes what an outlet said to an object. Only what concerns the writer is an error.
func (w *way) judge(err error) error {
	switch {
	case err == nil || unencodableError(err):
		return err
	case err == errStalled:
		w.sub.abandon()
		w.out, w.gone = nil, true
		return nil
	case w.out.dead.Load(): // reset by this end or stopped by the peer
		w.out, w.gone = nil, true
		return nil
	}
	return err
}

// open opens the stream to a subscriber. Without outlet and error the subscriber is gone.
func (g *Subgroup) open(ctx context.Context, s *subscriber, d *delivery, first bool) (*outlet, error) {
	h := g.header
	h.FirstObject = first
	if h.IDMode == wire.SubgroupIDFirstObject && !first {
		h.IDMode = wire.SubgroupIDPresent
	}
	timeout, lifetime := g.t.timeouts(s.draft)
	if s.draft >= wire.Draft19 && g.timeout >= 0 { // draft-19 §8
		timeout = g.timeout
	}
	if s.draft >= wire.Draft19 && g.lifetime >= 0 {
		lifetime = g.lifetime
	}
	return s.open(ctx, g.patience(s), h, sooner(timeout, d.timeout), sooner(lifetime, d.lifetime))
}

// Close ends the subgroup: its streams end with FIN after what was written.
func (g *Subgroup) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	g.closed = true
	for _, w := range g.ways {
		if w.out != nil {
			w.out.end()
		}
	}
	g.t.forget(g)
}

// Reset ends the subgroup and resets its streams. What they had not delivered is lost.
func (g *Subgroup) Reset(code moqt.ResetCode) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reset(code)
}

// reset is Reset with mu held.
func (g *Subgroup) reset(code moqt.ResetCode) {
	if g.closed {
		return
	}
	g.closed = true
	for _, w := range g.ways {
		if w.out != nil {
			w.out.reset(code)
		}
	}
	g.t.forget(g)
}

// ID is the Subgroup ID. It reports false while the ID depends on a first object that has not been written.
func (g *Subgroup) ID() (uint64, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.began && g.t.opts.Layout.IDs == wire.SubgroupIDFirstObject {
		return 0, false
	}
	if g.began {
		return g.id, true
	}
	return g.key, true
}
