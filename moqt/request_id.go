package moqt

import (
	"context"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// grant sets the first limit of the peer.
func (ids *requestIDs) grant(limit uint64) { ids.granted, ids.window = limit, limit }

// raise takes over the limit of the peer's setup message.
func (ids *requestIDs) raise(limit uint64) {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	ids.raiseLocked(limit)
}

func (ids *requestIDs) raiseLocked(limit uint64) {
	ids.max, ids.blocked = limit, false
	close(ids.raised)
	ids.raised = make(chan struct{})
}

// peerMax takes MAX_REQUEST_ID, which must grow (draft-16 §9.5).
func (ids *requestIDs) peerMax(m *wire.MaxRequestID) error {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	if m.MaxRequestID <= ids.max {
		return ids.s.breach("MAX_REQUEST_ID", wire.ProtocolViolation, rules.MaxRequestIDGrows,
			"%d does not exceed the earlier %d", m.MaxRequestID, ids.max)
	}
	ids.raiseLocked(m.MaxRequestID)
	return nil
}

// assign gives the next number to use, which sets and keeps it: when it returns an error the number stays free. Up to
// 16 it may be called with the control stream's lock held only, so that numbers go out in order; it reports false when
// the peer's limit forbids it.
func (ids *requestIDs) assign(use func(id uint64) error) (ok bool, err error) {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	if !ids.allowed() {
		return false, nil
	}
	if err := use(ids.next); err != nil {
		return true, err
	}
	ids.next += 2
	return true, nil
}

func (ids *requestIDs) allowed() bool {
	return ids.s.draft >= wire.Draft17 || ids.next < ids.max || ids.s.cfg.IgnoreRequestLimit
}

// blocked is what holds a request up.
type blocked struct {
	raised      <-chan struct{} // closed when the limit is raised; nil when nothing holds it up
	next, limit uint64
	tell        bool // REQUESTS_BLOCKED is to be sent
}

// blockedAt looks at the limit once: a request that may not be sent waits for the limit after this one.
// REQUESTS_BLOCKED is sent once per limit (draft-16 §9.6, SHOULD).
func (ids *requestIDs) blockedAt() (b blocked) {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	if ids.allowed() {
		return b
	}
	b = blocked{raised: ids.raised, next: ids.next, limit: ids.max, tell: !ids.blocked}
	ids.blocked = true
	return b
}

// waitAllowed waits until a request may be sent (14-16).
func (ids *requestIDs) waitAllowed(ctx context.Context) error {
	for {
		b := ids.blockedAt()
		if b.raised == nil {
			return nil
		}
		if b.tell {
			err := ids.s.control.write(ctx, &wire.RequestsBlocked{MaximumRequestID: b.limit}, 0)
			if err != nil && ctx.Err() == nil {
				return err
			}
		}
		select {
		case <-b.raised:
		case <-ctx.Done():
			return &NoRequestIDError{Max: b.limit, Next: b.next, Err: context.Cause(ctx)}
		case <-ids.s.ctx.Done():
			return context.Cause(ids.s.ctx)
		}
	}
}

// ours reports whether an id is of our numbers, and whether we have used it.
func (ids *requestIDs) ours(id uint64) (parity, used bool) {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	parity = id%2 == ids.next%2
	return parity, parity && id < ids.next
}

// existed reports whether the peer has used an id of its own.
func (ids *requestIDs) existed(id uint64) bool {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	return id%2 != ids.next%2 && ids.used.Has(id/2)
}

// firstUnseen is the smallest id of the peer above all that it has used.
func (ids *requestIDs) firstUnseen() uint64 {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	first := 1 - ids.next%2
	if n := len(ids.used); n > 0 {
		first += 2 * (ids.used[n-1].Last + 1)
	}
	return first
}

// maxGap bounds by how many numbers 16's two kinds of streams may overtake each other.
const maxGap = 128

// peer judges the number of a new request or update of the peer (draft-16 §9.1, draft-19 §10.1).
func (ids *requestIDs) peer(m wire.Message, id uint64) error {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	d := ids.s.draft
	name := wire.NameOf(d, m)
	if id%2 == ids.next%2 {
		return ids.s.breach(name, wire.InvalidRequestID, rules.RequestIDParity,
			"Request ID %d has the parity of the other side's requests", id)
	}
	if d <= wire.Draft16 && id >= ids.granted {
		return ids.s.breach(name, wire.TooManyRequests, rules.RequestID, "Request ID %d, but MAX_REQUEST_ID is %d",
			id, ids.granted)
	}
	n := id / 2
	if ids.used.Has(n) {
		return ids.s.breach(name, wire.InvalidRequestID, rules.RequestIDParity, "Request ID %d was used before", id)
	}
	if d <= wire.Draft16 {
		next := uint64(0)
		if k := len(ids.used); k > 0 {
			next = ids.used[k-1].Last + 1
		}
		if n > next && (d <= wire.Draft15 || n-next > maxGap) {
			return ids.s.breach(name, wire.InvalidRequestID, rules.RequestIDParity, "Request ID %d, expected %d", id,
				2*next+1-ids.next%2)
		}
		if n > next {
			ids.awaitGap(name, n)
		}
	}
	ids.used.Add(n)
	if len(ids.used) > maxSpans {
		return ids.s.breach(name, wire.InvalidRequestID, rules.RequestIDParity,
			"Request IDs must step by 2, there are %d gaps", len(ids.used)-1)
	}
	return nil
}

// awaitGap: in 16 a SUBSCRIBE_NAMESPACE has a stream of its own and may be overtaken by requests on the control stream,
// so a skipped number is a breach (draft-16 §9.1) only if nothing has used it in Limits.PendingTime, and no stream has
// ended before it could.
func (ids *requestIDs) awaitGap(name string, n uint64) {
	time.AfterFunc(ids.s.limits.PendingTime, func() {
		ids.mu.Lock()
		missing := ids.used.Gaps(n)
		judged := ids.s.ctx.Err() == nil && missing > ids.excused
		ids.mu.Unlock()
		if judged {
			ids.s.fail(ids.s.breach(name, wire.InvalidRequestID, rules.RequestIDParity,
				"%d Request IDs below %d were skipped", missing, 2*n))
		}
	})
}

// awaitRequired waits until the request with this id has been given to the application (draft-17 §9.2). It reports
// false after Limits.PendingTime.
func (ids *requestIDs) awaitRequired(id uint64) bool {
	timer := time.NewTimer(ids.s.limits.PendingTime)
	defer timer.Stop()
	for {
		ids.mu.Lock()
		ok, changed := ids.delivered.Has(id/2), ids.changed
		ids.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-timer.C:
			return false
		case <-ids.s.ctx.Done():
			return false
		}
	}
}

// deliveredTo notes that the application has the request or update with this id.
func (ids *requestIDs) deliveredTo(id uint64) {
	if ids.s.draft != wire.Draft17 {
		return
	}
	ids.mu.Lock()
	defer ids.mu.Unlock()
	ids.delivered.Add(id / 2)
	close(ids.changed)
	ids.changed = make(chan struct{})
}

// excuse counts a stream of 16 that ended unread.
func (ids *requestIDs) excuse() {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	ids.excused++
}

// took counts a number of the peer whose request or update the application has taken, and raises the limit when half of
// the window is used up (draft-16 §9.5 leaves the policy open). The message is written in the background: readers must
// not wait for writers.
func (ids *requestIDs) took() {
	if ids.s.draft >= wire.Draft17 || ids.s.cfg.FixedRequestLimit {
		return
	}
	ids.mu.Lock()
	defer ids.mu.Unlock()
	ids.taken++
	if ids.sending || ids.window == 0 || ids.window+2*ids.taken < ids.granted+max(2, ids.window/2) {
		return
	}
	ids.sending = true
	if !ids.s.Go(ids.sendMax) {
		ids.sending = false
	}
}

func (ids *requestIDs) sendMax() {
	if ids.s.control.acquire(ids.s.ctx) != nil {
		return
	}
	ids.mu.Lock()
	ids.sending = false
	ids.granted = min(ids.window+2*ids.taken, 1<<62-1) // before it is sent: the peer may use it at once
	m := &wire.MaxRequestID{MaxRequestID: ids.granted}
	ids.mu.Unlock()
	b, err := ids.s.control.encode(m)
	if err != nil {
		ids.s.control.release()
		return
	}
	_, _ = ids.s.control.send(ids.s.ctx, m, b, 0, false)
}

// maxSpans bounds the memory for the peer's numbers.
const maxSpans = 4096

// numbered sends a message that takes a Request ID. make builds it for its id and registers what the answer is for;
// undo takes that back when nothing was sent. When the context ends while the message waits for the stream, up to 16
// the number is taken all the same: the message goes out later, and the request is cancelled.
func (s *Session) numbered(ctx context.Context, out *messageWriter, build func(id uint64) (wire.Message, error),
	undo func(), r *Request) error {
	for {
		if err := s.ids.waitAllowed(ctx); err != nil {
			return err
		}
		if err := out.acquire(ctx); err != nil {
			return err
		}
		var m wire.Message
		var b []byte
		ok, err := s.ids.assign(func(id uint64) (err error) {
			if m, err = build(id); err != nil {
				return err
			}
			if b, err = out.encode(m); err != nil {
				undo()
			}
			return err
		})
		if !ok || err != nil {
			out.release()
			if err != nil {
				return err
			}
			continue // another request was faster
		}
		sent, err := out.send(ctx, m, b, r.id, s.draft <= wire.Draft16)
		if err != nil && !sent {
			undo()
		}
		if err != nil && sent {
			s.Go(func() { r.Cancel(ResetCancelled) })
		}
		return err
	}
}
