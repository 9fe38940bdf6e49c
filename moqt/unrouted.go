package moqt

import (
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
)

// unrouted are the peer's unidirectional streams that have come and whose header has not been read, so that their
// request is not known. A stream implies all with smaller ids (RFC 9000 §2.1), so every stream is known that the peer
// opened before one that has come. Safe for concurrent use.
type unrouted struct {
	mu      sync.Mutex
	ids     map[uint64]struct{}
	waiters map[chan struct{}]struct{}
}

// add notes a stream.
func (u *unrouted) add(id uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ids == nil {
		u.ids = make(map[uint64]struct{})
	}
	u.ids[id] = struct{}{}
}

// tell is for transport.UniStreamTeller.
func (u *unrouted) tell(id uint64, coming bool) {
	if coming {
		u.add(id)
	} else {
		u.remove(id)
	}
}

// remove takes a stream off once its request is known, or that it has none. A second call does nothing.
func (u *unrouted) remove(id uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.ids, id)
	for news := range u.waiters {
		stream.Signal(news)
	}
	clear(u.waiters)
}

// below reports whether there is one with a smaller id. If so, news is signalled at the next change.
func (u *unrouted) below(id uint64, news chan struct{}) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for x := range u.ids {
		if x < id {
			if u.waiters == nil {
				u.waiters = make(map[chan struct{}]struct{})
			}
			u.waiters[news] = struct{}{}
			return true
		}
	}
	return false
}
