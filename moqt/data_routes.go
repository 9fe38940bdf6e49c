package moqt

import (
	"fmt"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// dataRoutes takes data streams and datagrams to what asked for them: by Track Alias to subscriptions, by Request ID to
// fetches and fills.
type dataRoutes struct {
	s        *Session
	unrouted unrouted

	mu      sync.Mutex
	ended   bool
	aliases map[uint64]*aliasEntry
	// aliases of subscriptions that are over, with their tracks: what still comes is discarded quickly (draft-18 §11.1)
	retired  map[uint64]string
	order    []uint64                 // of retired, oldest first
	asking   map[*Subscription]string // SUBSCRIBEs without an answer, with their tracks
	fetches  map[uint64]*Fetch
	changed  chan struct{} // closed when a binding changes
	held     int           // streams held unread
	lost     int           // streams that were reset before their header could be read
	lostCode uint64        // of the last
	waiting  []heldDatagram
	ownAlias uint64
	ownUsed  map[uint64]int
}

func (d *dataRoutes) init(s *Session) {
	d.s = s
	d.aliases, d.retired, d.fetches = make(map[uint64]*aliasEntry), make(map[uint64]string), make(map[uint64]*Fetch)
	d.asking = make(map[*Subscription]string)
	d.ownUsed = make(map[uint64]int)
	d.changed = make(chan struct{})
}

// end gives up what waits when the session ends.
func (d *dataRoutes) end() {
	d.mu.Lock()
	fetches := d.fetches
	d.fetches, d.ended = make(map[uint64]*Fetch), true
	d.waiting = nil
	d.mu.Unlock()
	for _, f := range fetches {
		f.fail(d.s.Err())
	}
}

// wake tells those that hold streams to look again. The caller holds mu.
func (d *dataRoutes) wake() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// hold claims a place for a stream that is not read further yet.
func (d *dataRoutes) hold() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held >= d.s.limits.PendingStreams {
		return false
	}
	d.held++
	return true
}

func (d *dataRoutes) unhold() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held--
}

// waited is the error for a wait for a stream that did not come. A reset discards a header that has not been read, so
// it cannot be known which stream it was.
func (d *dataRoutes) waited(cause error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lost == 0 {
		return cause
	}
	return fmt.Errorf("%w (%d streams were reset before their header came, the last with %s)", cause, d.lost,
		wire.ResetCode(d.lostCode).In(d.s.draft))
}

// expectFetch registers the fetch of a Request ID before the request is sent, so that its stream finds it.
func (d *dataRoutes) expectFetch(id uint64, f *Fetch) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fetches[id] = f
}

func (d *dataRoutes) forgetFetch(id uint64, f *Fetch) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fetches[id] == f {
		delete(d.fetches, id)
	}
}

// drop stops a data stream that nobody wants.
func (d *dataRoutes) drop(u *UniStream, code ResetCode, why string) {
	number := code.Number(d.s.draft)
	u.Stop(number)
	e := Event{Sent: true, Stream: wire.UniStream, StreamID: u.StreamID(), Code: number}
	e.Type = EventStop
	d.s.trace(e)
	e.Type, e.Sent = EventDropped, false
	switch u.Type {
	case wire.FetchStream:
		e.RequestID = u.RequestID
		e.Err = fmt.Errorf("fetch stream of request %d: %s", u.RequestID, why)
	default:
		e.TrackAlias = u.Subgroup.TrackAlias
		e.Err = fmt.Errorf("subgroup stream with Track Alias %d: %s", u.Subgroup.TrackAlias, why)
	}
	d.s.trace(e)
}

// heldDatagram waits for its alias.
type heldDatagram struct {
	alias  uint64
	object *Object
	until  time.Time
}

// aliasEntry is what one Track Alias of the peer means.
type aliasEntry struct {
	track   string
	subs    []*Subscription
	pending []*Request // PUBLISHes that are not answered: their data waits
	picked  map[pickKey]int
}

// pickKey is what tells copies of the same data apart from other data.
type pickKey struct {
	group, id uint64
	datagram  bool
}
