package moqt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Subscription is the subscriber's end of a subscription, made by our SUBSCRIBE or by the peer's PUBLISH. Next gives
// its objects whole. Or AcceptSubgroup and AcceptDatagram give its streams and datagrams. The first call decides which.
// All methods are safe for concurrent use.
//
// With Next, objects wait up to Limits.QueuedObjects and QueuedBytes; otherwise streams wait unread. Beyond that flow
// control stops the peer. Datagrams have no flow control. More than Limits.QueuedDatagrams of them are dropped, counted
// (Dropped) and traced.
type Subscription struct {
	s *Session
	r *Request

	streams   stream.Queue[*SubgroupReader]
	datagrams stream.Queue[*Object]
	objects   stream.Queue[arrival]
	notices   stream.Queue[wire.Parameters]
	doneCame  chan struct{}

	mu        sync.Mutex
	ok        *wire.SubscribeOK
	bound     bool
	pulling   bool
	reading   map[*SubgroupReader]struct{} // streams that Next reads
	seen      uint64                       // streams so far
	subgroups uint64                       // of them those with a SUBGROUP_HEADER
	late      bool                         // datagrams may still come: some have, or nothing else can
	done      *wire.PublishDone
	ended     error // why nothing comes any more
	timer     *time.Timer
	round     int // of the timer
	dropped   uint64
	resets    uint64
	fill      *Fetch
	fills     map[*Fetch]struct{}
	ctx       context.Context
	cancel    context.CancelCauseFunc
	priority  uint8
}

// arrival is an object for Next, or an error that ends nothing.
type arrival struct {
	object *Object
	err    error
}

func (s *Session) newSubscription() *Subscription {
	sub := &Subscription{s: s, doneCame: make(chan struct{}), reading: make(map[*SubgroupReader]struct{}),
		fills: make(map[*Fetch]struct{}), priority: DefaultPublisherPriority}
	sub.ctx, sub.cancel = context.WithCancelCause(s.ctx)
	sub.datagrams.MaxItems, sub.datagrams.Held = s.limits.QueuedDatagrams, s.holdObjects
	sub.objects.MaxItems, sub.objects.MaxCost = s.limits.QueuedObjects, s.limits.QueuedBytes
	sub.notices.MaxItems, sub.notices.Held = s.limits.QueuedMessages, s.holdMessages
	return sub
}

// StartSubscribe sends SUBSCRIBE and does not wait for the answer; see Start for the rest.
func (s *Session) StartSubscribe(ctx context.Context, m *wire.Subscribe) (*Subscription, error) {
	sub := s.newSubscription()
	if _, err := s.startRequest(ctx, m, sub); err != nil {
		return nil, err
	}
	return sub, nil
}

// Subscribe sends SUBSCRIBE and waits for SUBSCRIBE_OK. The error is that of Start or of Request.Response. When the
// context ends before the answer, the subscription is cancelled.
func (s *Session) Subscribe(ctx context.Context, m *wire.Subscribe) (*Subscription, error) {
	sub, err := s.StartSubscribe(ctx, m)
	if err != nil {
		return nil, err
	}
	if err := sub.Ready(ctx); err != nil {
		sub.Unsubscribe()
		return nil, err
	}
	return sub, nil
}

// AcceptPublish accepts the peer's PUBLISH, and this end becomes the subscriber. ok may be nil. Up to 19 its parameters
// are the subscription's. From 20 on PUBLISH_OK has EXPIRES only (draft-20 §10.10), so the others follow in a
// REQUEST_UPDATE, and AcceptPublish waits for the answer.
func (r *Request) AcceptPublish(ctx context.Context, ok *wire.RequestOK) (*Subscription, error) {
	m, isPublish := r.message.(*wire.Publish)
	if !isPublish || !r.incoming {
		return nil, fmt.Errorf("%s %d is not a PUBLISH of the peer's", r.kind, r.id)
	}
	answer, later := wire.RequestOK{}, wire.Parameters(nil)
	if ok != nil {
		answer = *ok
	}
	if r.s.draft >= wire.Draft20 {
		later = answer.Parameters.Clone()
		later.Delete(wire.ParamExpires)
		expires, has := answer.Parameters.Get(wire.ParamExpires)
		answer.Parameters = nil
		if has {
			answer.Parameters.Add(expires)
		}
	}
	sub := r.s.newSubscription()
	sub.r = r
	sub.establish(&wire.SubscribeOK{RequestID: r.id, TrackAlias: m.TrackAlias, Parameters: m.Parameters,
		Properties: m.Properties})
	if err := r.accept(ctx, &answer); err != nil {
		return nil, err
	}
	if err := r.s.data.bind(m.TrackAlias, trackKey(m.TrackNamespace, m.TrackName), r, sub); err != nil {
		r.s.fail(err)
		return nil, err
	}
	r.attach(sub)
	if len(later) > 0 {
		if _, err := r.Update(ctx, later); err != nil {
			return sub, err
		}
	}
	return sub, nil
}

// starting implements startHook.
func (sub *Subscription) starting(r *Request) error {
	sub.r = r
	if p, ok := parametersOf(r.message).Get(wire.ParamFillParameters); ok {
		sub.fill = sub.newFill(r.id, p.Inner)
	}
	if m, ok := r.message.(*wire.Subscribe); ok {
		sub.s.data.ask(sub, trackKey(m.TrackNamespace, m.TrackName))
	}
	return nil
}

// establish takes over the OK, before data is routed by its alias.
func (sub *Subscription) establish(ok *wire.SubscribeOK) {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	sub.ok, sub.bound = ok, true
	if v, has := ok.Parameters.Uint(wire.ParamPublisherPriority); has && sub.s.draft == wire.Draft15 {
		sub.priority = uint8(v)
	}
	if p, has := ok.Properties.Lookup(sub.s.draft, wire.PropDefaultPublisherPriority); has {
		sub.priority = uint8(p.Uint)
	}
}

// received implements hook.
func (sub *Subscription) received(m wire.Message) bool {
	switch x := m.(type) {
	case *wire.SubscribeOK:
		if sub.fill != nil {
			sub.fill.judgeFill(x.Parameters)
		}
	case *wire.PublishDone:
		sub.mu.Lock()
		if sub.done == nil {
			sub.done = x
			close(sub.doneCame)
		}
		sub.mu.Unlock()
	case *wire.PublishStateNotify:
		sub.r.mu.Lock()
		sub.r.setParams(MergeParameters(sub.r.params, x.Parameters))
		sub.r.mu.Unlock()
		if !sub.notices.Add(x.Parameters, messageCost(x)) { // the oldest give way: Parameters has what is in effect
			sub.notices.Drain()
			sub.notices.Add(x.Parameters, messageCost(x))
		}
	case *wire.RequestUpdate: // the publisher renews its PUBLISH (draft-17 §9.10)
		sub.r.reply(x, func() { _ = sub.r.AcceptUpdate(sub.s.ctx, x, nil) })
	default:
		return false
	}
	return true
}

// over implements hook: the request has ended.
func (sub *Subscription) over(cause error) {
	sub.s.data.answered(sub)
	if cause == io.EOF {
		sub.settle()
		return
	}
	sub.finish(cause)
}

// Ready waits for SUBSCRIBE_OK. A subscription that a PUBLISH made is always ready. See Request.Response for the error.
func (sub *Subscription) Ready(ctx context.Context) error {
	if sub.r.incoming {
		return nil
	}
	_, err := sub.r.Response(ctx)
	return err
}

// OK is SUBSCRIBE_OK, or the same information from PUBLISH; nil before it has come. Do not change it.
func (sub *Subscription) OK() *wire.SubscribeOK {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.ok
}

// Request is the SUBSCRIBE or PUBLISH of the subscription.
func (sub *Subscription) Request() *Request { return sub.r }

// Session is the session that the subscription belongs to.
func (sub *Subscription) Session() *Session { return sub.s }

// TrackAlias is the Track Alias that the publisher has chosen, 0 before it is known.
func (sub *Subscription) TrackAlias() uint64 {
	if ok := sub.OK(); ok != nil {
		return ok.TrackAlias
	}
	return 0
}

// Largest is the Largest Object that the publisher has told last, in SUBSCRIBE_OK, PUBLISH or PUBLISH_STATE_NOTIFY. It
// reports false if the publisher has told none.
func (sub *Subscription) Largest() (wire.Location, bool) {
	if l, ok := sub.r.Parameters().Largest(); ok {
		return l, true
	}
	if ok := sub.OK(); ok != nil {
		return ok.Parameters.Largest()
	}
	return wire.Location{}, false
}

// Properties are the track's properties, nil before SUBSCRIBE_OK.
func (sub *Subscription) Properties() wire.Properties {
	if ok := sub.OK(); ok != nil {
		return ok.Properties
	}
	return nil
}

// Parameters are the parameters of the subscription that are in effect; see Request.Parameters.
func (sub *Subscription) Parameters() wire.Parameters { return sub.r.Parameters() }

// NextNotify waits for the next PUBLISH_STATE_NOTIFY (20 and later) and gives its parameters. At most
// Limits.QueuedMessages wait; the oldest are dropped then, but Parameters still has what they changed. The error says
// how the subscription ended, or is the context's cause.
func (sub *Subscription) NextNotify(ctx context.Context) (wire.Parameters, error) {
	return sub.notices.Take(ctx, sub.ctx)
}

// Done waits for PUBLISH_DONE. The error says how the subscription ended without one, or is the context's cause.
func (sub *Subscription) Done(ctx context.Context) (*wire.PublishDone, error) {
	select {
	case <-sub.doneCame:
	default:
		select {
		case <-sub.doneCame:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-sub.ctx.Done():
			select {
			case <-sub.doneCame:
			default:
				return nil, context.Cause(sub.ctx)
			}
		}
	}
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.done, nil
}

// StreamsSeen is the number of data streams of the subscription so far, including fills, as the Stream Count of
// PUBLISH_DONE counts them. The session does not close when more come than that (draft-18 §10.11, MAY).
func (sub *Subscription) StreamsSeen() uint64 {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.seen
}

// Dropped is how many datagrams were dropped because the queue was full.
func (sub *Subscription) Dropped() uint64 {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.dropped
}

// Resets is how many streams ended with RESET_STREAM while Next read them.
func (sub *Subscription) Resets() uint64 {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.resets
}

// Update changes parameters of the subscription; see Request.Update.
func (sub *Subscription) Update(ctx context.Context, ps wire.Parameters) (*wire.RequestOK, error) {
	return sub.r.Update(ctx, ps)
}

// UpdateFill is Update with FILL_PARAMETERS among the parameters (20 and later). It also gives the fill that they ask
// for, which is complete at once if there is nothing to fill. The error is that of Request.Update, or says that
// FILL_PARAMETERS is missing.
func (sub *Subscription) UpdateFill(ctx context.Context, ps wire.Parameters) (*wire.RequestOK, *Fetch, error) {
	p, ok := ps.Get(wire.ParamFillParameters)
	if !ok {
		return nil, nil, errors.New("UpdateFill needs FILL_PARAMETERS")
	}
	var fill *Fetch
	u, err := sub.r.startUpdateWith(ctx, &wire.RequestUpdate{Parameters: ps},
		func(id uint64) { fill = sub.newFill(id, p.Inner) })
	if err != nil {
		if fill != nil {
			fill.fail(err)
		}
		return nil, nil, err
	}
	answer, err := u.wait(ctx, sub.r)
	if err != nil {
		fill.fail(err)
		return nil, nil, err
	}
	fill.judgeFill(answer.Parameters)
	return answer, fill, nil
}

// Fill is the fill that FILL_PARAMETERS of our SUBSCRIBE asked for; nil if it had none.
func (sub *Subscription) Fill() *Fetch { return sub.fill }

// Unsubscribe ends the subscription as Request.Cancel does, with CANCELLED. It stops streams that Next reads or that
// wait for AcceptSubgroup. It does nothing once the subscription is over.
func (sub *Subscription) Unsubscribe() {
	sub.r.Cancel(ResetCancelled)
	sub.finish(&CancelError{Side: sub.s.side, Kind: sub.r.kind, How: "Unsubscribe"})
}

// Context ends when nothing more will come: after PUBLISH_DONE once all streams have come (cause io.EOF), after a
// refusal or cancellation, or with the session.
func (sub *Subscription) Context() context.Context { return sub.ctx }

// isDone reports whether PUBLISH_DONE has come.
func (sub *Subscription) isDone() bool {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.done != nil || sub.ended != nil
}

// mayWant reports whether the location filter lets objects of a group pass, as far as that can be told.
func (sub *Subscription) mayWant(group uint64) bool {
	f, _ := sub.r.Parameters().Filter()
	switch f.Form {
	case wire.FilterAbsoluteStart:
		return group >= f.StartGroup
	case wire.FilterGroupEnd, wire.FilterRange:
		return group >= f.StartGroup && group <= f.EndGroup
	}
	return true
}
