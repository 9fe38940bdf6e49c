package reference

import (
	"bytes"
	"math"
	"sort"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// entry is one object in the log, from the first byte of it that came. What has come of it never changes. Its Payload
// is set if it came in one piece; else parts have it. The log's lock guards all but what is set at first.
type entry struct {
	moqt.Object
	length uint64 // of the payload, as the header says
	have   uint64 // how much of it has come
	parts  []part // of these bytes, those that are still held
	// seq is the order in which objects began to come by subscription, end that in which they had come whole, unended
	// before. 0: it came by a fetch, and subscribers have not seen it.
	seq, end uint64
	began    time.Time // when its first byte came
	noted    time.Time // from when on it could go out
	at       time.Time // when it had come whole
	reign    uint32
	opens    bool // it is the first of its stream
	// in is the stream that it came on. feeders are the sources that bring it now. broken: none is left and it is not
	// whole; cause says why.
	in      *inflow
	feeders int
	broken  bool
	cause   moqt.ResetCode
	// older is a whole copy that the log had before, and with which it must agree.
	older *entry

	// charge is what it takes in memory, in bytes, and home where that is counted.
	charge int64
	home   home
}

// unended is the end of an entry that is not whole.
const unended = math.MaxUint64

// home is where an entry's memory is counted.
type home uint8

const (
	nowhere home = iota // what comes of it is not kept
	cached
	waiting // in its inflow, for those who have not got it
)

// part is a piece of a payload. More of the same memory may become its end.
type part struct {
	start uint64
	b     []byte
}

// partSize is how much of a payload has its memory in one piece, in bytes.
const partSize = 64 << 10

// newEntry makes an entry of an object's header; Payload and parts are its caller's to set.
func newEntry(o moqt.Object, length uint64, began time.Time) *entry {
	return &entry{Object: o, length: length, began: began, noted: began, end: unended}
}

// wholeEntry makes an entry of a whole object.
func wholeEntry(o moqt.Object, began time.Time) *entry {
	e := newEntry(o, uint64(len(o.Payload)), began)
	e.complete()
	return e
}

// complete notes that the object has come whole, in one piece.
func (e *entry) complete() {
	e.have, e.at = e.length, time.Now()
	e.noted = e.at
}

func (e *entry) whole() bool { return e.have == e.length }

// size is what the entry takes in memory now.
func (e *entry) size() int64 {
	n := int64(len(e.Payload)+len(e.Properties)) + entryOverhead
	for _, p := range e.parts {
		n += int64(cap(p.b))
	}
	if e.opens {
		n += streamOverhead
	}
	if e.older != nil {
		n += e.older.charge
	}
	return n
}

// overhead is what a subscriber is behind by an entry beside its payload.
func (e *entry) overhead() int64 { return int64(len(e.Properties)) + entryOverhead }

// behind is by how many bytes a subscriber is behind who has got nothing of the entry.
func (e *entry) behind() int64 { return e.overhead() + int64(e.have) }

// append adds a piece at the end of what has come. A piece that follows the last part in memory becomes its end.
func (e *entry) append(p []byte) {
	e.have += uint64(len(p))
	if n := len(e.parts); n > 0 {
		last := &e.parts[n-1].b
		if k := len(*last); k < cap(*last) && &(*last)[:k+1][k] == &p[0] {
			*last = (*last)[:k+len(p)]
			return
		}
	}
	e.parts = append(e.parts, part{e.have - uint64(len(p)), p})
}

// from gives what is held of the payload from an offset on, as far as it lies together.
func (e *entry) from(offset uint64) []byte {
	if len(e.parts) == 0 {
		return e.Payload[min(offset, uint64(len(e.Payload))):]
	}
	i := e.part(offset)
	if i == len(e.parts) || e.parts[i].start > offset {
		return nil
	}
	return e.parts[i].b[offset-e.parts[i].start:]
}

// part is the index of the first part that ends behind an offset.
func (e *entry) part(offset uint64) int {
	return sort.Search(len(e.parts), func(i int) bool { return e.parts[i].start+uint64(len(e.parts[i].b)) > offset })
}

// drop frees the parts that end before an offset.
func (e *entry) drop(offset uint64) {
	n := e.part(offset)
	clear(e.parts[:n])
	e.parts = e.parts[n:]
}

// headless reports whether the start of the payload has come and is gone.
func (e *entry) headless() bool {
	return e.have > 0 && len(e.Payload) == 0 && (len(e.parts) == 0 || e.parts[0].start > 0)
}

// agrees reports whether two copies of an object agree in everything that must not differ (draft-18 §9.1), as far as
// both have come. The fetch streams of 14 and 15 show datagrams as subgroups.
func (e *entry) agrees(f *entry) bool {
	if e.length != f.length || e.Status != f.Status || e.SubgroupID != f.SubgroupID && e.Datagram == f.Datagram {
		return false
	}
	for offset := uint64(0); offset < f.have; {
		p := f.from(offset)
		if len(p) == 0 {
			return true // it is gone
		}
		if !e.has(offset, p) {
			return false
		}
		offset += uint64(len(p))
	}
	return true
}

// alike reports whether two that came by subscriptions have one Publisher Priority and one Forwarding Preference
// (draft-18 §9.1). In a FETCH before draft 18 a datagram looks like others.
func (e *entry) alike(f *entry) bool { return e.Priority == f.Priority && e.Datagram == f.Datagram }

// has reports whether the payload has these bytes at an offset, as far as it is held.
func (e *entry) has(offset uint64, p []byte) bool {
	for len(p) > 0 {
		mine := e.from(offset)
		if len(mine) == 0 {
			next := e.part(offset)
			if next == len(e.parts) || e.parts[next].start >= offset+uint64(len(p)) {
				return true
			}
			p = p[e.parts[next].start-offset:]
			offset = e.parts[next].start
			continue
		}
		n := min(len(mine), len(p))
		if !bytes.Equal(mine[:n], p[:n]) {
			return false
		}
		p, offset = p[n:], offset+uint64(n)
	}
	return true
}

// header is the object's header on a subgroup stream.
func (e *entry) header() wire.ObjectHeader {
	return wire.ObjectHeader{ObjectID: e.ObjectID, Status: e.Status, Properties: e.Properties, PayloadLength: e.length}
}

// fetchHeader is the object's header on a fetch stream.
func (e *entry) fetchHeader() wire.FetchObject {
	return wire.FetchObject{Group: e.GroupID, Subgroup: e.SubgroupID, Object: e.ObjectID, Priority: e.Priority,
		Datagram: e.Datagram, Properties: e.Properties, PayloadLength: e.length, Status: e.Status}
}

// recharge counts the entry's memory anew, where it is counted. The caller holds the log's lock.
func (l *trackLog) recharge(e *entry) {
	before := e.charge
	e.charge = 0
	if !e.broken {
		e.charge = e.size()
	}
	switch n := e.charge - before; e.home {
	case cached:
		l.cache.grow(l.groups[e.GroupID], n)
	case waiting:
		l.cache.wait(e.in, n)
	}
}
