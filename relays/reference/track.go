package reference

import (
	"context"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// track is one track: its log, who publishes it to the relay, and who subscribes to it here. The log's lock guards
// everything but the first fields.
type track struct {
	trackLog
	relay     *Relay
	namespace wire.TrackNamespace
	name      string
	key       string
	users     int // guarded by the relay's lock; a track without users and objects is forgotten

	// upstreams are the live subscriptions that bring the track. asked are those that the relay asked for, by session,
	// until they are gone. coming are the sessions whose PUBLISH is being accepted.
	upstreams []*upstream
	asked     map[*peer]*upstream
	coming    map[*peer]struct{}
	// attempt is the current round of asking for an upstream, waiters are the requests that need one.
	attempt *attempt
	waiters []*waiter
	// idling: leaveIdle waits. idleSince is when the last one that needed the track left. parted is the session that
	// the relay left last, at partedAt.
	idling    bool
	idleSince time.Time
	parted    *peer
	partedAt  time.Time
	// orphan is the time at which the relay noticed that nobody publishes the track any more.
	orphan time.Time
	// subscribers is never changed in place.
	subscribers []*subscriber
	// properties are the track's, in the newest shape; priority is its default Publisher Priority.
	properties wire.Properties
	priority   uint8
	timeouts   timeouts
	maxAge     time.Duration
	// newGroups is the largest NEW_GROUP_REQUEST passed on since the last new group, plus 1.
	newGroups uint64
	// change is closed when an upstream comes or goes, or a publisher appears.
	change chan struct{}

	// crowded counts the subscribers that are further behind than Limits.SubscriberBytes, taken the bytes sent to any
	// of them. room is closed when one has caught up. impatient: the publisher no longer waits for them.
	crowded   int
	taken     int64
	room      chan struct{}
	impatient bool
	// fetches are the retrievals under way, each with what ends it.
	fetches map[*retrieval]context.CancelCauseFunc
	// deaf: a fault keeps subscribers from getting anything.
	deaf bool
}

// acquire finds or makes a track. The caller must release it.
func (r *Relay) acquire(ns wire.TrackNamespace, name string) *track {
	key := ns.Join(name).Key()
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tracks[key]
	if t == nil {
		r.sweep()
		t = &track{
			relay: r, namespace: ns, name: name, key: key,
			priority: moqt.DefaultPublisherPriority, change: make(chan struct{}), room: make(chan struct{}),
			asked: make(map[*peer]*upstream), coming: make(map[*peer]struct{}),
		}
		t.init(r.cache)
		t.takesGone = r.faults[goneForwarded]
		r.tracks[key] = t
		r.counters.Tracks.Add(1)
	}
	t.users++
	return t
}

// release gives a track back.
func (r *Relay) release(t *track) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.users--
	r.forget(t)
}

// forget drops a track that nobody uses and that holds nothing. The caller holds the relay's lock.
func (r *Relay) forget(t *track) {
	if t.users > 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.groups) == 0 {
		delete(r.tracks, t.key)
		r.counters.Tracks.Add(-1)
	}
}

// sweep forgets tracks that eviction has emptied, when there are many more tracks than the last time. The caller holds
// the relay's lock.
func (r *Relay) sweep() {
	if len(r.tracks) < r.sweepAt {
		return
	}
	for _, t := range r.tracks {
		r.forget(t)
	}
	r.sweepAt = max(1024, 2*len(r.tracks))
}

// changed wakes those who wait for an upstream. The caller holds the track's lock.
func (t *track) changed() {
	close(t.change)
	t.change = make(chan struct{})
}

// published tells t that a publisher has appeared.
func (t *track) published() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed()
}
