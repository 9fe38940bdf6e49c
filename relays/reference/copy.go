package reference

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// copy writes what an upstream fetch brings from pos on, as it comes, and puts it into the cache. It returns the
// location to go on at. If the fetch failed, the rest is a gap.
func (f *retrieval) copy(m *missing, pos, end wire.Location) (next wire.Location, over bool, err error) {
	t := f.track
	last := least(m.last, end)
	told := last
	if reported, ok := m.fetch.End(); ok {
		told = least(last, reported)
	}
	stop := onDone(f.ctx, func() { f.cancel(m) })
	defer stop()
	for {
		o, e, err := f.next(m)
		if errors.Is(err, io.EOF) {
			t.mu.Lock()
			t.confirm(pos, told)
			t.mu.Unlock()
			pos, over = behind(last)
			return pos, over, nil
		}
		if err != nil {
			if t.relay.faults[fetchFailureHidden] {
				pos, over = behind(last)
			}
			return pos, over, f.missed(err)
		}
		loc := o.Location()
		if loc.Compare(pos) < 0 || loc.Compare(last) > 0 {
			continue // not asked for
		}
		if o.Range != wire.NoRange {
			err = f.mark(o, pos, loc)
		} else {
			err = f.pass(m, e, pos)
		}
		if err != nil {
			return pos, false, err
		}
		if pos, over = behind(loc); over {
			return pos, over, nil
		}
	}
}

// missed notes that nothing more comes of what was asked for. The error is the end of the whole fetch.
func (f *retrieval) missed(err error) error {
	if f.ctx.Err() != nil {
		return context.Cause(f.ctx)
	}
	f.alone = true
	f.timedOut = errors.Is(err, context.DeadlineExceeded)
	return nil
}

// wait calls read, which waits for what an upstream fetch brings, within the time that publishers may take.
func (f *retrieval) wait(m *missing, read func() error) error {
	began := time.Now()
	_ = m.reader.SetReadDeadline(began.Add(max(f.budget, time.Second)))
	err := read()
	f.budget -= time.Since(began)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return context.DeadlineExceeded
	}
	return m.fetch.StreamEnded(err)
}

// next gives the next object or marker of an upstream fetch. An object that has not come whole has no payload yet. With
// faults next waits for the whole, since they change objects.
func (f *retrieval) next(m *missing) (o *moqt.Object, e *entry, err error) {
	if m.reader == nil {
		ctx, cancel := context.WithTimeout(f.ctx, max(f.budget, time.Second))
		defer cancel()
		began := time.Now()
		m.reader, err = m.fetch.Accept(ctx)
		f.budget -= time.Since(began)
		if err != nil {
			m.reader = nil
			return nil, nil, err
		}
		m.accepted.Store(m.reader)
	}
	o = new(moqt.Object)
	err = f.wait(m, func() error {
		_, err := m.reader.Next()
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	m.reader.View(o)
	o.Properties = append([]byte(nil), o.Properties...)
	length, began := m.reader.Remaining(), time.Now()
	if !f.peer.relay.faulty && uint64(m.reader.Buffered()) < length {
		return o, newEntry(*o, length, began), nil
	}
	if length > m.reader.MaxObjectSize() {
		return nil, nil, &moqt.ObjectTooLargeError{Location: o.Location(), Size: length, Max: m.reader.MaxObjectSize()}
	}
	if err := f.wait(m, func() error { return m.reader.ReadPayload(o) }); err != nil {
		return nil, nil, err
	}
	return o, wholeEntry(*o, began), nil
}

// mark passes on a range marker.
func (f *retrieval) mark(o *moqt.Object, pos, loc wire.Location) error {
	t, d := f.track, f.peer.session.Draft()
	switch {
	case o.Range == wire.NonExistentRange:
		t.mu.Lock()
		t.confirm(pos, loc)
		t.mu.Unlock()
		return nil // a gap says the same
	case d <= wire.Draft15:
		return errReset{moqt.ResetInternalError}
	case d < wire.Draft20:
		return f.w.WriteRange(wire.UnknownRange, f.clip(loc))
	}
	return f.w.WriteRange(o.Range, f.clip(loc))
}

// pass writes an object that an upstream fetch brings from pos on, and puts it into the cache once it is whole.
func (f *retrieval) pass(m *missing, e *entry, pos wire.Location) error {
	r := f.track.relay
	if most := r.limits.ObjectBytes; most > 0 && e.length > uint64(most) {
		r.log.Warn("object too large", "track", f.track.name, "session", f.peer.id, "object", e.Location(), "bytes",
			e.length)
		return errReset{moqt.ResetExcessiveLoad}
	}
	if e.whole() {
		if err := f.keep(m, e, pos); err != nil {
			return err
		}
		return f.puts(e)
	}
	k := f.keeper(e)
	defer k.over()
	wants := f.wants(&e.Object)
	for offset, memory := uint64(0), []byte(nil); offset < e.length; {
		var data []byte
		if m.reader.Buffered() == 0 && f.w.Flush() != nil {
			return errCancelled
		}
		err := f.wait(m, func() (err error) {
			data, memory, err = nextPiece(&m.reader.PayloadReader, memory)
			return err
		})
		if err != nil {
			return f.broken(m, err)
		}
		p := piece{entry: e, data: data, first: offset == 0, last: offset+uint64(len(data)) == e.length}
		offset += uint64(len(data))
		if memory = k.keeps(data, memory); !wants {
			continue
		}
		if err := f.putPiece(&p); err != nil {
			return err
		}
	}
	if !k.on {
		return nil
	}
	e.at = time.Now()
	return f.keep(m, e, pos)
}

// errCancelled ends a fetch whose client takes nothing more.
var errCancelled = errors.New("the fetch stream was stopped")

// broken ends a fetch in the middle of an object, with the publisher's code if there is one.
func (f *retrieval) broken(m *missing, err error) error {
	var reset *transport.StreamError
	switch {
	case f.ctx.Err() != nil:
		return context.Cause(f.ctx)
	case errors.As(err, &reset) && reset.Remote:
		return errReset{meaningOfReset(m.publisher.session.Draft(), reset.Code)}
	}
	return errReset{moqt.ResetInternalError}
}

// keep puts an object that an upstream fetch brought, the first from pos on, into the cache.
func (f *retrieval) keep(m *missing, e *entry, pos wire.Location) error {
	t := f.track
	err := t.agreed(f.ctx, m.publisher, func() error {
		if loc := e.Location(); loc.Compare(pos) > 0 {
			t.confirm(pos, before(loc))
		}
		_, err := t.add(e, false)
		return err
	})
	if err != nil {
		t.malformed(err)
		return errReset{moqt.ResetMalformedTrack}
	}
	t.relay.cache.trim()
	return nil
}

// keeper holds what has come of an object that an upstream fetch brings, so that it can go into the cache. It gives up
// when the session or the relay holds too much: the object passes all the same.
type keeper struct {
	f     *retrieval
	e     *entry
	on    bool
	taken int64
}

// cacheShare is which part of the cache an object of a fetch may take.
const cacheShare = 4

func (f *retrieval) keeper(e *entry) *keeper {
	return &keeper{f: f, e: e, on: e.length <= uint64(f.peer.relay.limits.CacheBytes/cacheShare)}
}

// keeps takes a piece, and returns the memory that may be used for what comes next.
func (k *keeper) keeps(data, rest []byte) []byte {
	if !k.on {
		return data[:cap(data)]
	}
	before := k.e.size()
	k.e.append(data)
	n := k.e.size() - before
	if !k.f.peer.account.Take(moqt.HeldObjects, n) {
		k.over()
		return nil
	}
	k.taken += n
	return rest
}

// over gives back what was taken. Once it is called before the object is whole, the object is not kept.
func (k *keeper) over() {
	k.f.peer.account.Give(moqt.HeldObjects, k.taken)
	k.taken = 0
	if !k.e.whole() {
		k.on, k.e.parts = false, nil
	}
}
