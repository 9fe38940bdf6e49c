package bench

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// streamAbove is the size of payloads, in bytes, from which on they are read in pieces.
const streamAbove = 256 << 10

// batch is how many latencies one subscriber gathers before they are counted, holdLatency for how long.
const (
	batch       = 64
	holdLatency = 50 * time.Millisecond
)

// receiver reads one subscription.
type receiver struct {
	sub     *moq.Subscribed
	clock   clock
	trusted bool // the wall clock of publishers of another make
	anybody bool // the publisher may be of another make
	// other is the clock of a publisher on another host; nil while nothing is known of it.
	other atomic.Pointer[offset]
	// joined is the largest location there was before the subscription, if hasJoined: what is not behind it counts not
	// at all, even if a stream brings it later.
	joined    wire.Location
	hasJoined bool
	lat       *latencies
	account   *account
	stamps    stampReader
	from      Timestamps // where a foreign publisher's times are from

	// What others watch while it runs.
	objects    atomic.Uint64 // measured
	bytes      atomic.Uint64 // is size; while it runs it may be timedEvery objects behind
	pieces     atomic.Uint64 // of large objects: how many reads
	firstAt    atomic.Int64  // when the first object came, of any phase; 0 before
	elsewhere  atomic.Bool   // it came from another host
	measuredAt atomic.Int64  // the first measured one
	lastAt     atomic.Int64  // the last measured one that tells its time
	gap        atomic.Bool   // something before the last object has not come: is open
	total      atomic.Int64  // how many were measured, as the last object says; -1 before
	done       chan struct{} // closed when nothing more comes
	// leaving is set by whoever waits only for what is missing: later objects do not count any more.
	leaving atomic.Bool

	// Valid once done is closed.
	err       error // how it ended; nil for the end of the track and of the bench
	corrupt   uint64
	reordered uint64
	untimed   uint64 // objects that came from another clock before that was known
	foreign   bool   // the publisher is of another make
	report    track.Report

	size     uint64 // of the measured objects, in bytes
	open     bool
	samples  []int64
	before   int64 // the latency before them, or -1
	flushed  int64
	low      wire.Location // the measured objects lie from low to high
	high     wire.Location
	repeats  repeats
	places   []place // of each subgroup of the latest groups
	base     track.Report
	scratch  []byte
	pastWarm func(now int64) bool // of a foreign publisher
}

// place is the last number that came in a subgroup.
type place struct{ group, number uint64 }

// To count what is reordered so many subgroups of a group are told apart, and so many groups are remembered.
const (
	placesKept = 256
	groupsKept = 8
)

// newReceiver makes a receiver. One of a publisher that anybody may be does not expect what came before its first
// object. window is that of its account.
func newReceiver(c clock, lat *latencies, anybody bool, window uint64) *receiver {
	r := &receiver{clock: c, lat: lat, anybody: anybody, account: newAccount(anybody, window),
		done: make(chan struct{}), before: -1, samples: make([]int64, 0, batch)}
	r.total.Store(-1)
	return r
}

// run reads until the track or ctx ends.
func (r *receiver) run(ctx context.Context, sub *moq.Subscribed) {
	defer close(r.done)
	r.sub = sub
	s := sub.Subscription()
	var err error
	r.stamps, _ = newStampReader(s.Session().Draft(), s.Properties()) // what cannot be used leaves latency out
	for {
		var o *moq.Object
		if o, err = sub.Next(ctx); err != nil {
			if ctx.Err() != nil || err == io.EOF {
				err = nil
				break
			}
			if large := (*moqt.ObjectTooLargeError)(nil); errors.As(err, &large) {
				r.corrupt++
				continue
			}
			break
		}
		if o.Status != wire.StatusNormal {
			continue
		}
		if err = r.take(ctx, o); err != nil {
			break
		}
	}
	r.flush(r.clock.now())
	r.bytes.Store(r.size)
	r.err = err
	r.report = sub.Report()
	r.report.Duplicates = r.repeats.between(r.low, r.high)
	r.report.Resets -= r.base.Resets
	r.report.Dropped -= r.base.Dropped
	r.report.Missing -= min(r.base.Missing, r.report.Missing)
}

// take counts one object.
func (r *receiver) take(ctx context.Context, o *moq.Object) error {
	payload, size := o.Payload, uint64(len(o.Payload))
	if size == 0 {
		if body := r.sub.Body(); body.Size() > 0 {
			var err error
			if payload, err = r.whole(body); err != nil {
				if ctx.Err() == nil {
					r.corrupt++ // it was cut
				}
				return nil
			}
			size = body.Size()
		}
	}
	h, whole := parseHeader(payload)
	if r.firstAt.Load() == 0 {
		r.foreign = r.anybody && !ours(payload)
		r.elsewhere.Store(whole && h.host != r.clock.host)
		r.firstAt.Store(r.clock.now())
	}
	if r.foreign {
		r.takeForeign(o, size)
		return nil
	}
	switch {
	case !whole:
		r.corrupt++
	case h.phase == phaseMeasured:
		r.takeMeasured(o, h, size)
	case h.phase == phaseEnd:
		r.total.Store(int64(h.number))
	}
	return nil
}

// takeMeasured counts an object of the measured window.
func (r *receiver) takeMeasured(o *moq.Object, h header, size uint64) {
	if r.measuredAt.Load() == 0 {
		r.base = r.sub.Report()
		r.repeats.begin()
		r.measuredAt.Store(r.clock.now())
	}
	if r.leaving.Load() && h.number >= r.account.top || r.hasJoined && o.Location().Compare(r.joined) <= 0 {
		return
	}
	if !r.account.add(h.number) {
		return
	}
	r.measured(o.Location())
	if gap := r.account.gap(); gap != r.open {
		r.open = gap
		r.gap.Store(gap)
	}
	r.order(o, h.number)
	r.size += size
	r.objects.Store(r.account.had)
	if h.time == 0 {
		return
	}
	now := r.clock.now()
	r.bytes.Store(r.size)
	r.lastAt.Store(now)
	if h.host != r.clock.host {
		other := r.other.Load()
		if other == nil {
			r.untimed++
			return
		}
		h.time += other.ns
	}
	r.sample(now-h.time, now)
}

// progress moves as long as something comes.
func (r *receiver) progress() uint64 { return r.objects.Load() + r.pieces.Load() }

// takeForeign counts an object of a publisher of another make: its place tells what is missing, and a timestamp its
// age.
func (r *receiver) takeForeign(o *moq.Object, size uint64) {
	now := r.clock.now()
	if r.measuredAt.Load() == 0 {
		if r.pastWarm != nil && !r.pastWarm(now) {
			return
		}
		r.base = r.sub.Report()
		r.repeats.begin()
		r.measuredAt.Store(now)
	}
	r.measured(o.Location())
	r.objects.Add(1)
	r.size += size
	r.bytes.Store(r.size)
	r.lastAt.Store(now)
	r.order(o, o.ObjectID)
	if at, from := r.stamps.read(o); from != NoTimestamps {
		if r.from = from; r.trusted {
			r.sample(r.clock.epoch(now)-at, now)
		} else {
			r.untimed++
		}
	}
}

// measured notes where the measured objects lie.
func (r *receiver) measured(at wire.Location) {
	if r.objects.Load() == 0 {
		r.low, r.high = at, at
	}
	if at.Compare(r.low) < 0 {
		r.low = at
	}
	if at.Compare(r.high) > 0 {
		r.high = at
	}
}

// order counts an object that comes behind a later one of its subgroup.
func (r *receiver) order(o *moq.Object, number uint64) {
	n := int(o.SubgroupID%placesKept*groupsKept + o.GroupID%groupsKept)
	if n >= len(r.places) {
		r.places = append(r.places, make([]place, n+1-len(r.places))...)
	}
	p := &r.places[n]
	switch {
	case o.GroupID == p.group && number < p.number:
		r.reordered++
	case o.GroupID >= p.group:
		*p = place{o.GroupID, number}
	}
}

// sample takes a latency in nanoseconds.
func (r *receiver) sample(latency, now int64) {
	r.samples = append(r.samples, latency)
	if len(r.samples) == batch || now-r.flushed > int64(holdLatency) {
		r.flush(now)
	}
}

func (r *receiver) flush(now int64) {
	if n := len(r.samples); n > 0 {
		r.lat.record(r.samples, r.before)
		r.before = r.samples[n-1]
		r.samples = r.samples[:0]
	}
	r.flushed = now
}

// whole reads a payload that comes in pieces, and gives its beginning and its end as one that is shorter.
func (r *receiver) whole(body *track.Body) ([]byte, error) {
	if r.scratch == nil {
		r.scratch = make([]byte, headerSize+trailerSize+64<<10)
	}
	head := r.scratch[:headerSize]
	if _, err := io.ReadFull(body, head); err != nil {
		return nil, err
	}
	end := r.scratch[headerSize : headerSize+trailerSize]
	piece := r.scratch[headerSize+trailerSize:]
	for {
		n, err := body.Read(piece)
		r.pieces.Add(1)
		if n >= trailerSize {
			copy(end, piece[n-trailerSize:n])
		} else {
			copy(end, end[n:])
			copy(end[trailerSize-n:], piece[:n])
		}
		if err == io.EOF {
			return r.scratch[:headerSize+trailerSize], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// result adds what this subscriber got to a sum. total is how many objects were sent, or -1.
func (r *receiver) result(sum *Received, total int64) {
	sum.Subscribers++
	sum.Corrupt += r.corrupt
	sum.Reordered += r.reordered
	sum.Resets += r.report.Resets
	sum.Dropped += r.report.Dropped
	sum.Duplicates += r.report.Duplicates
	sum.Bytes += r.bytes.Load()
	objects, lost := r.objects.Load(), r.report.Missing
	if !r.foreign {
		if total < 0 {
			total = r.total.Load()
		}
		if total >= 0 {
			r.account.expect(uint64(total))
		}
		var g gaps
		lost, g = r.account.result()
		sum.Expected += r.account.expected()
		sum.Duplicates += r.account.duplicates
		sum.Gaps += g.runs
		sum.LongestGap = max(sum.LongestGap, g.longest)
	} else {
		sum.Expected += objects + lost
		sum.Gaps += uint64(len(r.report.Gaps))
		for _, g := range r.report.Gaps {
			sum.LongestGap = max(sum.LongestGap, g.Last-g.First+1)
		}
	}
	sum.Objects += objects
	sum.Lost += lost
}
