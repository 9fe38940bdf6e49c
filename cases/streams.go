package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Streams is what has come of a subscription, stream by stream. Read its fields only in a condition of Wait. Safe for
// concurrent use.
type Streams struct {
	sub   *moqt.Subscription
	check *Checker // which gets each object as it comes; nil for none

	mu        sync.Mutex
	changed   broadcast
	closed    int // see nothingMore
	Subgroups []*Arrived
	// Datagrams are the objects that came as datagrams, in order of arrival.
	Datagrams []*moqt.Object
	// Arrivals are the locations of all objects with status Normal, in order of arrival over streams and datagrams.
	Arrivals []wire.Location
	// order has for each of them how many had come before, to all Streams of the case.
	order []int64
	count *atomic.Int64
}

// Arrived is one subgroup stream, as far as it has arrived.
type Arrived struct {
	StreamID uint64 // of the QUIC stream: they count up in the order of opening
	Header   wire.SubgroupHeader
	Objects  []*moqt.Object // their payloads are dropped above keepPayload bytes
	// End is nil while the stream is open and io.EOF after FIN; otherwise it says how the stream ended.
	End error
	// stop asks the peer to stop the stream.
	stop func()
}

// keepPayload is the longest payload that is kept, in bytes.
const keepPayload = 1024

// Watch reads the streams and datagrams of a subscription in the background.
func (s *Session) Watch(ctx context.Context, sub *moqt.Subscription) *Streams {
	return s.watch(ctx, sub, nil)
}

func (s *Session) watch(ctx context.Context, sub *moqt.Subscription, check *Checker) *Streams {
	w := &Streams{sub: sub, check: check, changed: newBroadcast(), count: &s.e.arrivals}
	s.e.Go(ctx, func(ctx context.Context) {
		for {
			r, err := sub.AcceptSubgroup(ctx)
			if err != nil {
				w.nothingMore()
				return
			}
			s.e.Go(ctx, func(ctx context.Context) { w.read(ctx, s, r) })
		}
	})
	s.e.Go(ctx, func(ctx context.Context) {
		for {
			o, err := sub.AcceptDatagram(ctx)
			if err != nil {
				w.nothingMore()
				return
			}
			w.mu.Lock()
			w.Datagrams = append(w.Datagrams, o)
			w.arrived(o)
			w.changed.fire()
			w.mu.Unlock()
		}
	})
	return w
}

// nothingMore notes that no more streams, or no more datagrams, will come.
func (w *Streams) nothingMore() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed++
	w.changed.fire()
}

// arrived notes that an object came. The caller holds the lock.
func (w *Streams) arrived(o *moqt.Object) {
	if w.check != nil {
		w.check.Add(o)
	}
	if o.Status == wire.StatusNormal {
		w.Arrivals = append(w.Arrivals, o.Location())
		w.order = append(w.order, w.count.Add(1)-1)
	}
}

// read reads one stream.
func (w *Streams) read(ctx context.Context, s *Session, r *moqt.SubgroupReader) {
	cancel := func() { r.Stop(moqt.ResetCancelled.Number(s.Draft())) }
	stop := context.AfterFunc(ctx, cancel)
	defer stop()
	a := &Arrived{StreamID: r.StreamID(), stop: cancel}
	w.mu.Lock()
	a.Header = r.Header()
	w.Subgroups = append(w.Subgroups, a)
	w.changed.fire()
	w.mu.Unlock()
	for {
		o := &moqt.Object{}
		err := r.ReadObject(o)
		if err != nil && !errors.Is(err, io.EOF) {
			err = w.sub.StreamEnded(r, err)
		}
		w.mu.Lock()
		a.Header = r.Header()
		if err != nil {
			a.End = err
			w.changed.fire()
			w.mu.Unlock()
			return
		}
		w.arrived(o)
		if len(o.Payload) > keepPayload {
			o.Payload = nil
		}
		a.Objects = append(a.Objects, o)
		w.changed.fire()
		w.mu.Unlock()
	}
}

// Wait waits until cond holds. cond is called with the lock held. It reports false when ctx ends first.
func (w *Streams) Wait(ctx context.Context, cond func() bool) bool {
	for {
		w.mu.Lock()
		ok, changed := cond(), w.changed.wait()
		w.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// of gives the streams of a group. The caller holds the lock.
func (w *Streams) of(group uint64) (all []*Arrived) {
	for _, a := range w.Subgroups {
		if a.Header.GroupID == group {
			all = append(all, a)
		}
	}
	return all
}

// has reports whether the objects first to last of a group have come, on whatever streams. The caller holds the lock.
func (w *Streams) has(group, first, last uint64) bool {
	have := map[uint64]bool{}
	for _, at := range w.Arrivals {
		if at.Group == group && first <= at.Object && at.Object <= last {
			have[at.Object] = true
		}
	}
	return uint64(len(have)) == last-first+1
}

// Finished reports whether a stream has ended with FIN.
func (a *Arrived) Finished() bool { return errors.Is(a.End, io.EOF) }

// Reset reports whether the peer has reset a stream.
func (a *Arrived) Reset() bool {
	var reset *transport.StreamError
	return errors.As(a.End, &reset) && reset.Remote && !reset.Stop
}

// Text describes a stream for a failure message: its ids, its objects and its end.
func (a *Arrived) Text(d wire.Draft) string {
	var at []wire.Location
	marks := ""
	for _, o := range a.Objects {
		if at = append(at, o.Location()); o.Status != wire.StatusNormal {
			marks += fmt.Sprintf(", %s with status %s", locations(at[len(at)-1:]), o.Status)
		}
	}
	objects := "no object"
	if len(at) > 0 {
		objects = fmt.Sprintf("%d objects (%s)", len(at), locations(at))
	}
	text := fmt.Sprintf("a stream of group %d, subgroup %d with %s%s", a.Header.GroupID, a.Header.SubgroupID, objects,
		marks)
	var reset *transport.StreamError
	switch {
	case a.End == nil:
		return text + ", still open"
	case a.Finished():
		return text + " and FIN"
	case errors.As(a.End, &reset):
		return text + " and " + streamEnd(reset, d)
	}
	return text + ": " + a.End.Error()
}

// Describe says in one sentence what came.
func (w *Streams) Describe(d wire.Draft) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var parts []string
	for _, a := range w.Subgroups {
		parts = append(parts, a.Text(d))
	}
	for _, o := range w.Datagrams {
		parts = append(parts, "datagram "+o.String())
	}
	if len(parts) == 0 {
		return "no stream and no datagram"
	}
	if len(parts) > maxDescribed {
		parts = append(parts[:maxDescribed], fmt.Sprintf("and %d more", len(parts)-maxDescribed))
	}
	return strings.Join(parts, ", ")
}

// maxDescribed bounds how many streams one sentence describes.
const maxDescribed = 4

// WantStreams waits for one step until cond holds, and ends the case if it does not. cond is called with w's lock held.
func (s *Session) WantStreams(ctx context.Context, w *Streams, expected string, cond func() bool) {
	step, cancel := s.e.Step(ctx)
	defer cancel()
	if w.Wait(step, cond) {
		return
	}
	o := s.e.classify(step, context.Cause(step), s, transport.LayerData, expected)
	if o.layer == transport.LayerData && o.expected == expected && !o.quiet {
		o = failed(transport.LayerData, expected, w.Describe(s.Draft()))
	}
	panic(o)
}
