package track

import (
	"time"

	"github.com/moqinterop/moq-interop-client/internal/spans"
	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// line is batches that wait to be taken: in order of arrival, or by their first location.
type line struct {
	inOrder bool
	batches []*batch
	head    int // in order of arrival
}

func (l *line) empty() bool { return l.head == len(l.batches) }

// first is the batch that is taken next.
func (l *line) first() *batch { return l.batches[l.head] }

// location is that of the batch's next object.
func (b *batch) location() wire.Location { return b.objects[b.next].Location() }

// before says which of two batches is taken first.
func before(a, b *batch) bool {
	if c := a.location().Compare(b.location()); c != 0 {
		return c < 0
	}
	return a.order < b.order
}

func (l *line) push(b *batch) {
	l.batches = append(l.batches, b)
	if !l.inOrder {
		return
	}
	for i := len(l.batches) - 1; i > 0; {
		up := (i - 1) / 2
		if !before(l.batches[i], l.batches[up]) {
			break
		}
		l.batches[i], l.batches[up] = l.batches[up], l.batches[i]
		i = up
	}
}

func (l *line) pop() *batch {
	if !l.inOrder {
		b := l.batches[l.head]
		l.batches[l.head] = nil
		if l.head++; l.head == len(l.batches) {
			l.batches, l.head = l.batches[:0], 0
		}
		return b
	}
	b, n := l.batches[0], len(l.batches)-1
	l.batches[0], l.batches[n] = l.batches[n], nil
	l.batches = l.batches[:n]
	for i := 0; ; {
		least := i
		for _, down := range [2]int{2*i + 1, 2*i + 2} {
			if down < n && before(l.batches[down], l.batches[least]) {
				least = down
			}
		}
		if least == i {
			return b
		}
		l.batches[i], l.batches[least] = l.batches[least], l.batches[i]
		i = least
	}
}

// pick takes the next batch out of the line: nil while there is none, or while its first object waits for those before
// it, for as long as wait says (0: until something comes). The caller holds mu.
func (t *Subscribed) pick() (b *batch, wait time.Duration) {
	for !t.line.empty() {
		if !t.opts.InOrder {
			return t.line.pop(), 0
		}
		b := t.line.first()
		at := b.location()
		if at.Compare(t.due) < 0 { // its place has been passed
			t.line.pop()
			t.account.report.Late++
			if b.next++; b.next < len(b.objects) {
				t.line.push(b)
			} else {
				t.release(b)
			}
			continue
		}
		if at != t.due && !t.account.nothing(t.due, at, false) &&
			!(t.account.nothing(t.due, at, true) && t.allKnown(b)) {
			ready, wait := t.ripe(b)
			if !ready {
				return nil, wait
			}
			if t.opts.Gap != nil {
				t.opts.Gap(t.due, at)
			}
		}
		t.due = at
		return t.line.pop(), 0
	}
	return nil, 0
}

// ripe says whether an object is handed out although something before it is missing, or how long it waits still: from
// the moment at which it was found missing, because streams that were held up by a slow reader have their say then.
// What a fetch leaves out will not come; while one is on its way everything waits for it. The caller holds mu.
func (t *Subscribed) ripe(b *batch) (ready bool, wait time.Duration) {
	if b.src != nil && b.src.fetch != nil || t.loops == 0 && len(t.sources) == 0 {
		return true, 0
	}
	if t.past > 0 {
		if wait = t.awaitPast(); wait > 0 {
			return false, wait
		}
	}
	if t.missed != t.due || t.since.IsZero() {
		t.missed, t.since = t.due, time.Now()
	}
	wait = time.Until(t.since.Add(t.opts.Patience))
	return wait <= 0, wait
}

// awaitPast says how long the fetches that are on their way are still waited for: not for ever, when nothing comes of
// them. The caller holds mu.
func (t *Subscribed) awaitPast() time.Duration {
	came := uint64(0)
	for s := range t.sources {
		if s.fetch != nil {
			came += 1 + stream.ReaderOf(s.payload).In.Received.Load() // the stream counts too
		}
	}
	if came != t.pastBytes {
		t.pastBytes, t.pastAt = came, time.Now()
	}
	return time.Until(t.pastAt.Add(max(t.opts.Patience, t.s.Limits().PendingTime)))
}

// allKnown reports whether every stream is being read that the peer has opened before that of a batch. If not, there
// will be news. The caller holds mu.
func (t *Subscribed) allKnown(b *batch) bool {
	if t.sub == nil {
		return true
	}
	id := uint64(1<<64 - 1)
	if b.src != nil {
		id = b.src.payload.StreamID()
	}
	if t.s.StreamBefore(id, t.news) {
		return false
	}
	all, _ := t.sub.Given() // behind below: a stream is counted before it is routed
	return all == t.subgroups
}

// nothing reports whether nothing can come any more between two locations. allKnown: there are no streams but those
// that were seen.
func (a *account) nothing(from, to wire.Location, allKnown bool) bool {
	if from.Group == to.Group {
		g := a.groups[from.Group]
		return g != nil && !g.missing(from.Object, to.Object-1)
	}
	if g := a.groups[from.Group]; g == nil || !g.over(from.Object, allKnown) {
		return false
	}
	if g := a.groups[to.Group]; to.Object > 0 && (g == nil || g.missing(0, to.Object-1)) {
		return false
	}
	if to.Group-from.Group == 1 {
		return true
	}
	clear := true
	a.known.Missing(from.Group+1, to.Group-1, func(spans.Run) bool { clear = false; return false })
	if !clear {
		return false
	}
	for id, g := range a.groups {
		if from.Group < id && id < to.Group && !g.over(0, allKnown) {
			return false
		}
	}
	return true
}

// over reports whether a group has nothing more from an Object ID on: its end was told, or, where all its streams are
// known, they have ended with FIN and left no hole.
func (g *groupAccount) over(from uint64, allKnown bool) bool {
	if !g.missing(from, 1<<64-1) {
		return true
	}
	return allKnown && g.open == 0 && g.fins > 0 && g.seen.some && !g.missing(from, g.seen.top)
}
