package moqt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Update changes parameters of the request with REQUEST_UPDATE (SUBSCRIBE_UPDATE in 14 and 15) and waits for the
// answer. The error is a *RequestError if the peer refused; a publisher then also ends the subscription with
// PUBLISH_DONE UPDATE_FAILED (draft-18 §10.9.1). Up to 15 only a subscriber can update, and only its subscriptions.
//
// In 14 an update has every field, so parameters that ps leaves out are sent as they are in effect. It has no answer
// there: Update returns nil at once. From 19 on it first waits while as many updates are unanswered as the peer's
// MAX_REQUEST_UPDATES allows.
func (r *Request) Update(ctx context.Context, ps wire.Parameters) (*wire.RequestOK, error) {
	u, err := r.startUpdate(ctx, &wire.RequestUpdate{Parameters: ps})
	if err != nil || r.s.draft == wire.Draft14 {
		return nil, err
	}
	return u.wait(ctx, r)
}

func (u *ownUpdate) wait(ctx context.Context, r *Request) (*wire.RequestOK, error) {
	select {
	case <-u.done:
		return u.ok, u.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-r.s.ctx.Done():
		return nil, context.Cause(r.s.ctx)
	}
}

// startUpdate sends an update.
func (r *Request) startUpdate(ctx context.Context, m *wire.RequestUpdate) (*ownUpdate, error) {
	return r.startUpdateWith(ctx, m, nil)
}

func (r *Request) startUpdateWith(ctx context.Context, m *wire.RequestUpdate, note func(id uint64)) (*ownUpdate,
	error) {
	if !updatable(r.s.draft, r.kind, !r.incoming) {
		return nil, fmt.Errorf("%s cannot be updated by this end in %s: %w", r.kind, r.s.draft, ErrNotInDraft)
	}
	for {
		r.mu.Lock()
		limit, wait, over := r.s.setup.peerUpdates, r.updated, r.ended
		free := !over && (limit == 0 || uint64(r.outstanding) < limit)
		if free {
			r.outstanding++
		}
		r.mu.Unlock()
		if over {
			return nil, context.Cause(r.ctx)
		}
		if free {
			break
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-r.ctx.Done():
			return nil, context.Cause(r.ctx)
		}
	}
	c := *m
	c.ExistingRequestID = r.id
	if r.s.draft == wire.Draft14 {
		if err := r.restate(&c); err != nil {
			r.updateOver()
			return nil, err
		}
	}
	u := &ownUpdate{params: c.Parameters, done: make(chan struct{}), note: note}
	err := r.carrier.update(ctx, r, &c, u)
	if err != nil {
		r.updateOver()
		return nil, err
	}
	if r.s.draft == wire.Draft14 {
		r.updateOver()
		r.mu.Lock()
		r.setParams(MergeParameters(r.params, c.Parameters))
		r.bounds.update(c.Parameters)
		r.mu.Unlock()
		u.resolve(nil, nil)
	}
	return u, nil
}

// updateOver counts an update of ours as no longer outstanding.
func (r *Request) updateOver() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outstanding--
	close(r.updated)
	r.updated = make(chan struct{})
}

// noteUpdate registers an update that is about to be sent with its number.
func (r *Request) noteUpdate(u *ownUpdate, id uint64) {
	u.id = id
	if u.note != nil {
		u.note(id)
	}
	if r.s.draft == wire.Draft14 {
		return
	}
	r.mu.Lock()
	r.updates = append(r.updates, u)
	r.mu.Unlock()
	if r.s.draft <= wire.Draft16 {
		r.s.mu.Lock()
		r.s.updates[id] = r
		r.s.mu.Unlock()
	}
}

// dropUpdate takes an update back that was not sent.
func (r *Request) dropUpdate(u *ownUpdate) {
	r.mu.Lock()
	r.updates = slices.DeleteFunc(r.updates, func(x *ownUpdate) bool { return x == u })
	r.mu.Unlock()
	r.s.mu.Lock()
	delete(r.s.updates, u.id)
	r.s.mu.Unlock()
}

// answered finds the update of ours that a response answers: by its id up to 16, the oldest one after that, once the
// request itself has its response.
func (r *Request) answered(m wire.Message) (*ownUpdate, bool) {
	var id uint64
	switch x := m.(type) {
	case *wire.RequestOK:
		id = x.RequestID
	case *wire.RequestError:
		id = x.RequestID
	default:
		return nil, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, u := range r.updates {
		if r.s.draft <= wire.Draft16 && u.id != id {
			continue
		}
		if r.s.draft >= wire.Draft17 && r.awaited() {
			break
		}
		r.updates = slices.Delete(r.updates, i, i+1)
		r.outstanding--
		close(r.updated)
		r.updated = make(chan struct{})
		r.s.mu.Lock()
		delete(r.s.updates, u.id)
		r.s.mu.Unlock()
		return u, true
	}
	return nil, false
}

// maxFills bounds the fills of one subscription that are asked for and whose streams are not opened; further ones
// cannot be opened.
const maxFills = 256

// receiveUpdate takes an update of the peer's.
func (r *Request) receiveUpdate(m *wire.RequestUpdate) error {
	s := r.s
	name := wire.NameOf(s.draft, m)
	if err := s.ids.peer(m, m.RequestID); err != nil {
		return err
	}
	s.ids.deliveredTo(m.RequestID)
	if !updatable(s.draft, r.kind, r.incoming) { // draft-19 §10.9
		return s.breach(name, wire.ProtocolViolation, rules.UpdateWho,
			"a %s of the %s may not be updated by the %s", r.kind, r.sender(), s.peerSide())
	}
	if err := r.checkUpdate(name, m); err != nil {
		return err
	}
	_, err := s.resolve(name, m.Parameters.Tokens(), false) // the application reads an update's tokens from the message
	var refused *messageRefused
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	if invalid := s.checkFilters(r.Parameters(), m.Parameters); invalid != "" && refused == nil {
		refused = &messageRefused{RejectInvalidFilter, invalid}
	}
	r.mu.Lock()
	if err := r.stepLocked(onUpdate); err != nil {
		r.mu.Unlock()
		return err
	}
	over := r.ended
	if p, ok := m.Parameters.Get(wire.ParamFillParameters); ok && refused == nil && len(r.fills) < maxFills {
		if r.fills == nil {
			r.fills = make(map[uint64]wire.Parameters)
		}
		r.fills[m.RequestID] = p.Inner
	}
	r.peerUpdates++
	n := r.peerUpdates
	if s.draft == wire.Draft14 {
		r.peerUpdates = 0
		r.setParams(MergeParameters(r.params, m.Parameters))
		r.bounds.update(m.Parameters)
	}
	r.mu.Unlock()
	if limit := s.setup.ownUpdates; limit > 0 && uint64(n) > limit { // draft-19 §10.3.1.7
		return s.breach(name, wire.TooManyRequestUpdates, rules.UpdateLimitExceeded,
			"%d updates outstanding on one stream, MAX_REQUEST_UPDATES is %d", n, limit)
	}
	switch {
	case over:
		r.reply(m, func() { _ = r.RejectUpdate(s.ctx, m, RejectDoesNotExist, "the request has ended") })
	case refused != nil:
		r.reply(m, func() { _ = r.RejectUpdate(s.ctx, m, refused.code, refused.reason) })
	default:
		r.deliver(m)
	}
	return nil
}

// reply has an answer to an update of the peer's sent behind those before it, on one goroutine for all of them: readers
// must not wait for writers. On a stream of its own the reader waits when too many of them wait, which holds up that
// stream alone. What finds no room once the request has ended is not sent.
func (r *Request) reply(m *wire.RequestUpdate, answer func()) {
	if r.replies.Put(r.ctx, answer, messageCost(m)) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.replying {
		r.replying = r.s.Go(r.sendReplies)
	}
}

// sendReplies sends answers until there are none.
func (r *Request) sendReplies() {
	for {
		r.mu.Lock()
		answer, ok := r.replies.Poll()
		if !ok {
			r.replying = false
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		r.s.ids.took() // only now: up to 16 this bounds how many can wait
		answer()
	}
}

// AcceptUpdate answers the peer's update with REQUEST_OK, and its parameters take effect. ok may be nil. In 14 updates
// have no answer, so it sends nothing.
func (r *Request) AcceptUpdate(ctx context.Context, u *wire.RequestUpdate, ok *wire.RequestOK) error {
	if r.s.draft == wire.Draft14 {
		return nil
	}
	m := wire.RequestOK{}
	if ok != nil {
		m = *ok
	}
	m.Answers, m.RequestID = wire.KindRequestUpdate, u.RequestID
	r.mu.Lock()
	r.setParams(MergeParameters(r.params, u.Parameters))
	r.bounds.update(u.Parameters)
	r.mu.Unlock()
	r.updateAnswered()
	return r.carrier.send(ctx, r, &m, false)
}

// RejectUpdate answers the peer's update with an error. It then ends the request, as the drafts demand (draft-18
// §10.9.1): a subscription with PUBLISH_DONE UPDATE_FAILED, other requests by cancelling them. The Stream Count is that
// of the Publication, or unknown if there is none. In 14 an update cannot be refused, and RejectUpdate fails.
func (r *Request) RejectUpdate(ctx context.Context, u *wire.RequestUpdate, code RejectCode, reason string) error {
	if r.s.draft == wire.Draft14 {
		return fmt.Errorf("refusing SUBSCRIBE_UPDATE in %s: %w", r.s.draft, ErrNotInDraft)
	}
	m := &wire.RequestError{Answers: wire.KindRequestUpdate, RequestID: u.RequestID,
		Code: code.Number(r.s.draft, wire.KindRequestUpdate), Reason: reason}
	r.updateAnswered()
	if err := r.carrier.send(ctx, r, m, false); err != nil {
		return err
	}
	r.mu.Lock()
	over, h := r.ended, r.hook
	r.mu.Unlock()
	if over {
		return nil
	}
	switch r.kind {
	case wire.KindSubscribe, wire.KindPublish:
		if r.fromPublisher() {
			return nil // the publisher's own update; the subscription stays
		}
		if p, ok := h.(*Publication); ok {
			return p.Abandon(ctx, DoneUpdateFailed, reason)
		}
		return r.Send(ctx, &wire.PublishDone{StatusCode: DoneUpdateFailed.Number(r.s.draft),
			StreamCount: wire.StreamCountUnknown(r.s.draft), Reason: reason})
	case wire.KindFetch:
		if f, ok := h.(*fetchServer); ok {
			f.reset(ResetInternalError)
		}
		return nil
	}
	r.carrier.closeSend() // draft-18 §10.9.1: close the stream (graceful-request-closure)
	r.finish(io.EOF, stateDone)
	return nil
}

// updateAnswered counts an update of the peer's as answered. It comes before the answer: the peer may send the next one
// at once.
func (r *Request) updateAnswered() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.peerUpdates > 0 {
		r.peerUpdates--
	}
}
