package reference

import (
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt"
)

// place is a place in an inflow, from which one stream goes on. The track's lock guards it.
type place struct {
	to     towards
	in     *inflow
	cursor int    // of the first entry that is not sent
	offset uint64 // of the first byte of its payload that is not sent
	begun  bool   // its header is sent
	// pending is how many bytes have come and are not sent.
	pending int64
	lost    bool // what the place was at was evicted
}

// towards is the stream that a place is for. The caller holds the track's lock, but for abort.
type towards interface {
	// grew counts bytes that came, or that were sent if n is negative.
	grew(n int64)
	// gaveUp notes that the stream has lost its place.
	gaveUp()
	// complete notes that the inflow has ended with FIN.
	complete()
	// abort resets the stream, even while a write is blocked, and prevents opening it again. The caller must not hold
	// the track's lock.
	abort(code moqt.ResetCode)
	// lag is how many bytes the client has not got.
	lag() int64
}

// follow makes f follow an inflow from a cursor on.
func (f *place) follow(in *inflow, cursor int) {
	f.in, f.cursor = in, cursor
	in.followers = append(in.followers, f)
	for _, e := range in.entries[cursor-in.dropped:] {
		f.grow(e.behind())
	}
}

// unfollow removes f from its inflow.
func (f *place) unfollow() {
	if i := slices.Index(f.in.followers, f); i >= 0 {
		f.in.followers = slices.Delete(f.in.followers, i, i+1)
	}
	f.grow(-f.pending)
	f.in.release()
}

// grow counts n bytes that came, or that were sent if n is negative.
func (f *place) grow(n int64) {
	f.pending += n
	f.to.grew(n)
}

// lose gives f up because its client is too slow. The caller calls abort later, without the lock.
func (f *place) lose() {
	f.lost = true
	f.unfollow()
	f.to.gaveUp()
}

// at is the entry at f's place, nil when there is none.
func (f *place) at() *entry {
	if f.cursor == f.in.end() {
		return nil
	}
	return f.in.entries[f.cursor-f.in.dropped]
}

// skip moves f past the entry at its place.
func (f *place) skip() {
	e := f.at()
	f.grow(int64(f.offset) - e.behind())
	f.cursor, f.offset, f.begun = f.cursor+1, 0, false
	f.in.release()
}

// advance moves f past a piece that was sent of the entry at its place.
func (f *place) advance(p *piece) {
	n := int64(len(p.data))
	f.offset, f.begun = f.offset+uint64(n), true
	if p.last {
		n += p.entry.overhead()
		f.cursor, f.offset, f.begun = f.cursor+1, 0, false
	}
	f.grow(-n)
}

// piece is a part of an object that is to be sent.
type piece struct {
	entry       *entry
	data        []byte
	first, last bool // of the object
	// inOne: the object came in one piece, so that its Payload is all of it. The log may take an object's parts away
	// while a piece is written.
	inOne bool
}

// next gives what there is to send of the entry behind an offset, at most max bytes unless it came in one piece. ok is
// false if there is nothing; begun says that the header is sent.
func (e *entry) next(offset uint64, begun bool, max int) (p piece, ok bool) {
	data := e.from(offset)
	if len(e.parts) > 0 && len(data) > max {
		data = data[:max]
	}
	p = piece{entry: e, data: data, first: !begun, last: e.whole() && offset+uint64(len(data)) == e.length,
		inOne: len(e.parts) == 0}
	return p, len(data) > 0 || !begun
}
