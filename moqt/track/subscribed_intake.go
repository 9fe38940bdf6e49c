package track

import (
	"errors"
	"io"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// perSource is how many batches of one stream may be in use: one is read while the consumer has the other.
const perSource = 2

// put queues a batch. It waits while too much is held, so that flow control stops the stream. It reports false when
// nothing is wanted any more. Either way the caller gives the batch away.
func (t *Subscribed) put(b *batch) bool {
	s := b.src
	b.cost = b.weigh()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waitRoom(b, s) && t.accept(b)
}

// waitRoom waits until a batch fits, which s stands for. It reports false when nothing is wanted any more, and when the
// session has ended: what there was no room for is lost then, and the batch is not the caller's any more. The caller
// holds mu.
func (t *Subscribed) waitRoom(b *batch, s *source) bool {
	for t.err == nil && !t.fits(b) {
		if t.ctx.Err() != nil {
			if t.cause == nil {
				t.cause = t.s.Err()
			}
			t.discard(b)
			return false
		}
		t.blocked = append(t.blocked, s)
		t.mu.Unlock()
		select {
		case <-s.room:
		case <-t.ctx.Done():
		}
		t.mu.Lock()
	}
	if t.err != nil {
		t.discard(b)
		return false
	}
	return true
}

// discard frees a batch that did not come into the line. The caller holds mu.
func (t *Subscribed) discard(b *batch) {
	if b.body {
		stream.Signal(b.src.body)
	}
	b.free()
	stream.Signal(t.news)
}

// fits reports whether there is room for a batch. In order there always is for one that would be first in line: the
// others wait for it. The caller holds mu.
func (t *Subscribed) fits(b *batch) bool {
	if b.src != nil && b.src.inLine >= perSource {
		return false
	}
	return t.held == 0 || t.held+b.cost <= t.s.Limits().QueuedBytes ||
		t.opts.InOrder && (t.line.empty() || b.objects[0].Location().Compare(t.line.first().location()) < 0)
}

// accept takes a batch into the account and into the line. The caller holds mu.
func (t *Subscribed) accept(b *batch) bool {
	err := t.account.take(b)
	if err != nil {
		t.end(err)
	}
	if err != nil || len(b.objects) == 0 {
		t.discard(b)
		return err == nil
	}
	t.held += b.cost
	t.arrivals++
	b.order = t.arrivals
	if b.src != nil {
		b.src.inLine++
	}
	if t.opts.InOrder {
		if b.src != nil && b.src.inLine > 1 {
			b.src.line = append(b.src.line, b)
		} else {
			t.line.push(b)
		}
	} else {
		t.line.push(b)
	}
	stream.Signal(t.news)
	return true
}

// release frees a batch that is used up, and lets the streams go on that waited for room. The caller holds mu.
func (t *Subscribed) release(b *batch) {
	t.held -= b.cost
	if s := b.src; s != nil {
		s.inLine--
		if b.body {
			stream.Signal(s.body)
		}
		if len(s.line) > 0 {
			t.line.push(s.line[0])
			s.line = s.line[1:]
		}
	}
	b.free()
	t.unblock()
}

// unblock has those that wait for room look again. The caller holds mu.
func (t *Subscribed) unblock() {
	for _, s := range t.blocked {
		stream.Signal(s.room)
	}
	t.blocked = t.blocked[:0]
}

// addSource begins to read a stream, on a goroutine that is free or on one more.
func (t *Subscribed) addSource(s *source) {
	t.mu.Lock()
	gone := t.err != nil
	if !gone {
		t.sources[s] = struct{}{}
		if s.subgroup != nil {
			t.subgroups++
			if g := t.account.group(s.subgroup.Header().GroupID); g != nil {
				g.open++
			}
		}
	}
	t.mu.Unlock()
	if gone {
		s.stop(moqt.ResetCancelled)
		return
	}
	select {
	case t.idle <- s:
	default:
		if !t.s.Go(func() { t.read(s) }) {
			s.stop(moqt.ResetCancelled)
			t.sourceEnded(s, t.s.Err())
		}
	}
}

// read reads one stream after the other.
func (t *Subscribed) read(s *source) {
	for {
		s.run()
		select {
		case s = <-t.idle:
		case <-t.ctx.Done():
			return
		}
	}
}

// sourceEnded takes the end of a stream: err is nil for FIN.
func (t *Subscribed) sourceEnded(s *source, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.sources, s)
	a := &t.account
	if err != nil && s.begun {
		a.breakOff(s.head.Location())
	}
	if s.fetch != nil {
		t.past--
		if err == nil {
			a.complete(s)
		}
		t.problem(s, err)
		stream.Signal(t.news)
		return
	}
	h := s.subgroup.Header()
	if g := a.group(h.GroupID); g != nil {
		g.open--
		if err == nil {
			g.fins++
			if h.EndOfGroup && s.subgroup.Objects() > 0 && s.last < 1<<64-1 {
				if bad := a.groupEnd(g, h.GroupID, s.last+1); bad != nil {
					t.end(bad)
				}
			}
		}
	}
	t.problem(s, err)
	stream.Signal(t.news)
}

// problem keeps an error for Next that ends nothing: not the reset of a subgroup stream, which only counts, nor the end
// of the session, which ends everything. The caller holds mu.
func (t *Subscribed) problem(s *source, err error) {
	var reset *transport.StreamError
	var closed *moqt.SessionError
	switch {
	case err == nil || t.err != nil:
	case errors.As(err, &closed):
		t.cause = err
	case errors.As(err, &reset) && !reset.Remote: // stopped here
	case errors.As(err, &reset) && s.fetch == nil:
		t.account.report.Resets++
	default:
		t.problems = append(t.problems, err)
	}
}

// skip notes an object that is too large.
func (t *Subscribed) skip(large *moqt.ObjectTooLargeError) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.account.report.Skipped++
	if g := t.account.group(large.Location.Group); g != nil {
		g.seen.add(large.Location.Object)
	}
	t.problem(nil, large)
	stream.Signal(t.news)
}

// acceptStreams takes the subscription's streams until there are no more.
func (t *Subscribed) acceptStreams() {
	for {
		r, err := t.sub.AcceptSubgroup(t.ctx)
		if err != nil {
			t.loopEnded(err)
			return
		}
		s := t.newSource()
		s.subgroup, s.payload, s.core = r, &r.PayloadReader, stream.ReaderOf(&r.PayloadReader)
		t.addSource(s)
	}
}

// acceptDatagrams takes the subscription's datagrams. What it does not take in time is dropped and counted by the
// subscription.
func (t *Subscribed) acceptDatagrams() {
	for {
		o, err := t.sub.AcceptDatagram(t.ctx)
		if err != nil {
			t.loopEnded(err)
			return
		}
		b := batches.Get().(*batch)
		b.objects = append(b.objects, *o)
		b.cost = len(o.Payload) + len(o.Properties) + 128
		t.mu.Lock()
		if t.waitRoom(b, t.datagrams) {
			t.accept(b)
		}
		t.mu.Unlock()
	}
}

// acceptFetch waits for the stream of a fetch.
func (t *Subscribed) acceptFetch(s *source) {
	r, err := s.fetch.Accept(t.ctx)
	if err == nil {
		s.fetched, s.payload, s.core = r, &r.PayloadReader, stream.ReaderOf(&r.PayloadReader)
		t.addSource(s)
		t.loopEnded(io.EOF)
		return
	}
	t.mu.Lock()
	t.past--
	if err == io.EOF { // there is nothing in the range
		t.account.complete(s)
	}
	if err != io.EOF && t.sub != nil {
		t.problem(s, err)
		err = io.EOF
	}
	t.mu.Unlock()
	t.loopEnded(err)
}

// loopEnded counts one that brought streams as ended. Errors but io.EOF end the track, once what came has been taken.
func (t *Subscribed) loopEnded(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.loops--
	if err != io.EOF {
		if t.cause == nil {
			t.cause = err
		}
		t.stopSources()
	}
	stream.Signal(t.news)
}
