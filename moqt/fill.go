package moqt

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// newFill expects the fill that a SUBSCRIBE or REQUEST_UPDATE with this id asks for.
func (sub *Subscription) newFill(id uint64, inner wire.Parameters) *Fetch {
	f := sub.s.newFetch()
	f.sub, f.id, f.inner = sub, id, inner
	order, ok := inner.Uint(wire.ParamGroupOrder)
	if !ok {
		order = parametersOf(sub.r.message).UintOr(wire.ParamGroupOrder, wire.Ascending)
	}
	f.descending = order == wire.Descending
	sub.mu.Lock()
	if sub.fills != nil {
		sub.fills[f] = struct{}{}
	}
	sub.mu.Unlock()
	sub.s.data.expectFetch(id, f)
	return f
}

// judgeFill sees from the OK whether there is anything to fill: if not, there is no stream (draft-20 §5.1.3, draft-22
// §3.4). One that has come all the same is read.
func (f *Fetch) judgeFill(ok wire.Parameters) {
	ps := f.sub.r.Parameters()
	filter, has := f.inner.Filter()
	if !has {
		filter, _ = ps.Filter()
	}
	largest, published := ok.Largest()
	start, _, _ := filter.Bounds(largest, published)
	if published && start.Compare(largest) <= 0 && ps.UintOr(wire.ParamForward, 1) == 1 {
		return
	}
	f.mu.Lock()
	none := f.reader == nil && f.err == nil
	if none {
		f.err, f.complete = io.EOF, true
		f.arrive()
	}
	f.mu.Unlock()
	if none {
		f.sub.forgetFill(f)
	}
}

// errNoFill says that a subscription ended and its fill had not come.
var errNoFill = errors.New("the subscription ended before the stream of its fill came")

// subscriptionOver: cancelling the subscription cancels its fills (draft-20 §5.1.3); after PUBLISH_DONE what has come
// is read to its end.
func (f *Fetch) subscriptionOver(cause error) {
	f.mu.Lock()
	streaming := f.reader != nil
	f.mu.Unlock()
	switch {
	case cause != io.EOF:
		f.fail(cause)
	case !streaming:
		f.fail(errNoFill)
	}
}

// countFill counts the stream of a fill, as PUBLISH_DONE does (draft-20 §10.12).
func (sub *Subscription) countFill() {
	sub.mu.Lock()
	sub.seen++
	sub.mu.Unlock()
	sub.settle()
}

func (sub *Subscription) forgetFill(f *Fetch) {
	sub.mu.Lock()
	delete(sub.fills, f)
	sub.mu.Unlock()
	sub.s.data.forgetFetch(f.id, f)
}

// answerFill answers a fill of an update that the application does not see: nothing of its range is at hand, so it is
// an unknown range (draft-22 §11.4.1.2). A reset would say the same, but may take the header with it, and then the
// subscriber would wait in vain.
func (p *Publication) answerFill(requestID uint64) {
	p.r.mu.Lock()
	inner := p.r.fills[requestID]
	p.r.mu.Unlock()
	p.mu.Lock()
	largest, published := p.largest, p.hasLargest
	p.mu.Unlock()
	ps := p.r.Parameters()
	f, has := inner.Filter()
	if !has {
		f, _ = ps.Filter()
	}
	start, end, open := f.Bounds(largest, published)
	if !published || start.Compare(largest) > 0 || ps.UintOr(wire.ParamForward, 1) == 0 {
		return // there is nothing to fill
	}
	w, err := p.s.OpenFill(p.r.ctx, requestID)
	if err != nil {
		return
	}
	if open || end.Compare(largest) > 0 {
		end = largest
	}
	if w.WriteRange(wire.UnknownRange, end) != nil || w.Close() != nil {
		w.Reset(ResetInternalError.Number(p.s.draft))
	}
}

// OpenFill opens the stream of a fill that the peer asked for with FILL_PARAMETERS (20 and later). requestID is that of
// the SUBSCRIBE or REQUEST_UPDATE. The stream counts for PUBLISH_DONE, and is reset when the subscription is cancelled.
// Do not open it if there is nothing to fill. To report a failure, call Flush and then Reset.
func (s *Session) OpenFill(ctx context.Context, requestID uint64) (*FetchWriter, error) {
	var inner wire.Parameters
	asked := false
	r := s.find(func(r *Request) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		if inner, asked = r.fills[requestID]; asked {
			delete(r.fills, requestID)
			return true
		}
		if r.id != requestID || !r.incoming || r.kind != wire.KindSubscribe {
			return false
		}
		p, ok := parametersOf(r.message).Get(wire.ParamFillParameters)
		inner, asked = p.Inner, ok
		return ok
	})
	if r == nil {
		return nil, fmt.Errorf("request %d does not ask for a fill", requestID)
	}
	order, ok := inner.Uint(wire.ParamGroupOrder)
	if !ok {
		order = r.Parameters().UintOr(wire.ParamGroupOrder, wire.Ascending)
	}
	r.mu.Lock()
	p, _ := r.hook.(*Publication)
	r.mu.Unlock()
	if p == nil {
		return nil, fmt.Errorf("request %d was not accepted with AcceptSubscribe or made with Publish", r.id)
	}
	stream, err := p.openStream(ctx)
	if err != nil {
		return nil, err
	}
	w, err := NewFetchWriter(stream, s.draft, requestID, order == wire.Descending)
	if err != nil {
		stream.Reset(ResetInternalError.Number(s.draft))
		return nil, err
	}
	w.log = s.log
	s.trace(Event{Type: EventFetch, Sent: true, Stream: wire.UniStream, StreamID: stream.StreamID(),
		RequestID: requestID})
	return w, nil
}
