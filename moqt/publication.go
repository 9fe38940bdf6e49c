package moqt

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Publication is a subscription of which this end is the publisher: made by a SUBSCRIBE of the peer's or by our
// PUBLISH. All methods are safe for concurrent use.
//
// Updates of the subscriber are applied and answered by the session itself, unless ManualUpdates was asked for:
// Parameters and Forward tell what is in effect. A fill that such an update asks for (20 and later) is answered with
// all of its range unknown, up to what SetLargest said.
type Publication struct {
	s     *Session
	r     *Request
	alias uint64
	opts  publicationOptions

	updates stream.Queue[*Update]

	mu         sync.Mutex
	open       map[*trackedStream]struct{}
	count      uint64
	freed      bool
	answering  bool
	largest    wire.Location
	hasLargest bool
}

// PublicationOption adjusts a Publication.
type PublicationOption func(*publicationOptions)

type publicationOptions struct {
	manual bool
	alias  *uint64
}

// ManualUpdates leaves updates of the subscriber to the application: it must take them with NextUpdate and answer each.
func ManualUpdates() PublicationOption {
	return func(o *publicationOptions) { o.manual = true }
}

// WithTrackAlias sets the Track Alias, also to 0. Without it a Track Alias of 0 in the message means that the session
// chooses one that is not in use.
func WithTrackAlias(alias uint64) PublicationOption {
	return func(o *publicationOptions) { o.alias = &alias }
}

// newPublication prepares a publication with the alias wanted.
func (s *Session) newPublication(alias uint64, opts []PublicationOption) *Publication {
	p := &Publication{s: s, open: make(map[*trackedStream]struct{})}
	for _, o := range opts {
		o(&p.opts)
	}
	if p.opts.alias != nil {
		alias = *p.opts.alias
	}
	p.alias = s.data.chooseAlias(alias, alias == 0 && p.opts.alias == nil)
	return p
}

// StartPublish sends PUBLISH and does not wait for the answer; see Start for the rest. Unless FORWARD is 0, objects may
// be sent at once (draft-19 §10.10).
func (s *Session) StartPublish(ctx context.Context, m *wire.Publish, opts ...PublicationOption) (*Publication, error) {
	p := s.newPublication(m.TrackAlias, opts)
	c := *m
	c.TrackAlias = p.alias
	if _, err := s.startRequest(ctx, &c, p); err != nil {
		p.free()
		return nil, err
	}
	return p, nil
}

// Publish sends PUBLISH and waits for PUBLISH_OK. The error is that of Start or of Request.Response. When the context
// ends before the answer, the request is cancelled.
func (s *Session) Publish(ctx context.Context, m *wire.Publish, opts ...PublicationOption) (*Publication, error) {
	p, err := s.StartPublish(ctx, m, opts...)
	if err != nil {
		return nil, err
	}
	if err := p.Ready(ctx); err != nil {
		p.r.Cancel(ResetCancelled)
		return nil, err
	}
	return p, nil
}

// AcceptSubscribe accepts a SUBSCRIBE of the peer's: this end becomes the publisher. ok may be nil; its LARGEST_OBJECT
// is what relative filters refer to.
func (r *Request) AcceptSubscribe(ctx context.Context, ok *wire.SubscribeOK, opts ...PublicationOption) (*Publication,
	error) {
	if r.kind != wire.KindSubscribe || !r.incoming {
		return nil, fmt.Errorf("%s %d is not a SUBSCRIBE of the peer's", r.kind, r.id)
	}
	m := wire.SubscribeOK{}
	if ok != nil {
		m = *ok
	}
	p := r.s.newPublication(m.TrackAlias, opts)
	p.r = r
	m.TrackAlias = p.alias
	if l, has := m.Parameters.Largest(); has {
		p.SetLargest(l)
	}
	if err := r.Accept(ctx, &m); err != nil {
		p.free()
		return nil, err
	}
	p.bounded()
	r.attach(p)
	return p, nil
}

// starting implements startHook.
func (p *Publication) starting(r *Request) error {
	p.r = r
	p.bounded()
	if l, has := parametersOf(r.message).Largest(); has {
		p.SetLargest(l)
	}
	return nil
}

// received implements hook.
func (p *Publication) received(m wire.Message) bool {
	u, ok := m.(*wire.RequestUpdate)
	if !ok {
		return false
	}
	_ = p.updates.Put(p.r.ctx, &Update{Message: u, p: p}, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.opts.manual && !p.answering {
		p.answering = p.s.Go(p.answerUpdates)
	}
	return true
}

// answerUpdates answers updates in order until there are none.
func (p *Publication) answerUpdates() {
	for {
		p.mu.Lock()
		u, ok := p.updates.Poll()
		if !ok {
			p.answering = false
			p.mu.Unlock()
			return
		}
		answer := &wire.RequestOK{}
		if p.hasLargest {
			answer.Parameters.SetLargest(p.largest)
		}
		p.mu.Unlock()
		p.s.ids.took()
		if u.Accept(p.r.ctx, answer) != nil {
			continue
		}
		if _, fill := u.Message.Parameters.Get(wire.ParamFillParameters); fill {
			p.answerFill(u.Message.RequestID)
		}
	}
}

// bounded makes updates wait on a stream of the request's own. On the shared stream of 14-16 the peer's request ids
// bound them, and readers may not wait.
func (p *Publication) bounded() {
	if _, own := p.r.carrier.(*ownStream); own {
		p.updates.MaxItems = p.s.limits.QueuedMessages
	}
}

// over implements hook: streams of what the subscriber has cancelled or refused are reset (draft-18 §5.1.1: MUST).
func (p *Publication) over(cause error) {
	var cancelled *CancelError
	var refused *RequestError
	if errors.As(cause, &cancelled) || errors.As(cause, &refused) {
		p.mu.Lock()
		open := p.open
		p.open = make(map[*trackedStream]struct{})
		p.mu.Unlock()
		for t := range open {
			t.Reset(ResetCancelled.Number(p.s.draft))
		}
	}
	p.updates.End(cause)
	p.free()
}

// free gives the alias back, once.
func (p *Publication) free() {
	p.mu.Lock()
	freed := p.freed
	p.freed = true
	p.mu.Unlock()
	if !freed {
		p.s.data.freeAlias(p.alias)
	}
}

// Ready waits for PUBLISH_OK; a publication that a SUBSCRIBE made is ready. See Request.Response for the error.
func (p *Publication) Ready(ctx context.Context) error {
	if p.r.incoming {
		return nil
	}
	_, err := p.r.Response(ctx)
	return err
}

// Session is the session that the subscription belongs to.
func (p *Publication) Session() *Session { return p.s }

// Request is the request of the publication.
func (p *Publication) Request() *Request { return p.r }

// Draft is the session's draft.
func (p *Publication) Draft() wire.Draft { return p.s.draft }

// TrackAlias is the Track Alias that this end has chosen.
func (p *Publication) TrackAlias() uint64 { return p.alias }

// Forward reports whether the Forward State is 1: objects are to be sent.
func (p *Publication) Forward() bool {
	return p.r.Parameters().UintOr(wire.ParamForward, 1) == 1
}

// WaitForward waits until the Forward State is 1. The error is the context's cause, or why the publication has ended.
func (p *Publication) WaitForward(ctx context.Context) error {
	switch {
	case p.r.waitForward(ctx):
		return nil
	case p.r.ctx.Err() != nil:
		return context.Cause(p.r.ctx)
	}
	return context.Cause(ctx)
}

// Parameters are the subscription's parameters in effect; see Request.Parameters.
func (p *Publication) Parameters() wire.Parameters { return p.r.Parameters() }

// SetLargest says what the track's Largest Object is: answers to updates carry it (draft-19 §10.9.1).
func (p *Publication) SetLargest(l wire.Location) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.largest, p.hasLargest = l, true
}

// Context ends when the publication has: the subscriber cancelled or refused, Done was called, or the session ended.
// See Request.Context.
func (p *Publication) Context() context.Context { return p.r.ctx }

// openStream opens a data stream that counts.
func (p *Publication) openStream(ctx context.Context) (*trackedStream, error) {
	if p.r.ctx.Err() != nil {
		return nil, context.Cause(p.r.ctx)
	}
	stream, err := p.s.conn.OpenUniStream(ctx)
	if err != nil {
		return nil, p.s.notOpened(true, err)
	}
	t := &trackedStream{SendStream: stream}
	t.ended = func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, t)
	}
	p.mu.Lock()
	p.count++
	p.open[t] = struct{}{}
	p.mu.Unlock()
	if cause := context.Cause(p.r.ctx); cause != nil { // it ended in the meantime
		t.Reset(ResetCancelled.Number(p.s.draft))
		return nil, cause
	}
	return t, nil
}

// OpenSubgroup opens a subgroup stream with the header, whose Track Alias is filled in. The stream counts for
// PUBLISH_DONE, and is reset when the subscriber cancels. It waits while the peer's stream limit is reached. The
// Forward State and the filter are the caller's to heed. In 14 a header without priority has DefaultPublisherPriority.
func (p *Publication) OpenSubgroup(ctx context.Context, h wire.SubgroupHeader) (*SubgroupWriter, error) {
	h.TrackAlias = p.alias
	if h.DefaultPriority && p.s.draft == wire.Draft14 { // 14 has no form without
		h.DefaultPriority, h.Priority = false, DefaultPublisherPriority
	}
	if _, err := wire.AppendSubgroupHeader(nil, p.s.draft, &h); err != nil {
		return nil, err
	}
	stream, err := p.openStream(ctx)
	if err != nil {
		return nil, err
	}
	w, err := NewSubgroupWriter(stream, p.s.draft, h)
	if err != nil {
		stream.Reset(ResetInternalError.Number(p.s.draft))
		return nil, err
	}
	w.log = p.s.log
	p.s.trace(Event{Type: EventSubgroup, Sent: true, Stream: wire.UniStream, StreamID: stream.StreamID(), Subgroup: &h,
		TrackAlias: p.alias, RequestID: p.r.id})
	return w, nil
}

// SendDatagram sends an object as a datagram. The error is a *transport.DatagramTooLargeError when it does not fit the
// path.
func (p *Publication) SendDatagram(o *Object) error {
	if p.r.ctx.Err() != nil {
		return context.Cause(p.r.ctx)
	}
	b, err := AppendDatagram(nil, p.s.draft, p.alias, o)
	if err != nil {
		return err
	}
	p.s.trace(Event{Type: EventDatagram, Sent: true, Stream: wire.DatagramStream, TrackAlias: p.alias,
		Location: o.Location(), Status: o.Status, Bytes: len(b), RequestID: p.r.id})
	return p.s.streamError(p.s.conn.SendDatagram(b))
}

// Skip tells the session's trace that an object does not go out as a datagram, and why.
func (p *Publication) Skip(at wire.Location, why error) {
	p.s.trace(Event{Type: EventDropped, Sent: true, Stream: wire.DatagramStream, TrackAlias: p.alias, Location: at,
		Err: why})
}

// StreamCount is the number of data streams opened so far, fills included.
func (p *Publication) StreamCount() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// Notify reports with PUBLISH_STATE_NOTIFY a change that is the publisher's own (20 and later): LARGEST_OBJECT,
// FORWARD, LOCATION_FILTER. The error is that of Request.Send: a *wire.Error where the draft has no such message.
func (p *Publication) Notify(ctx context.Context, ps wire.Parameters) error {
	if err := p.r.Send(ctx, &wire.PublishStateNotify{Parameters: ps}); err != nil {
		return err
	}
	p.r.mu.Lock()
	p.r.setParams(MergeParameters(p.r.params, ps))
	p.r.mu.Unlock()
	return nil
}

// Done ends the publication with PUBLISH_DONE and the exact Stream Count. It is an error while data streams are open:
// PUBLISH_DONE may come only after them (draft-18 §10.11). A symbolic code becomes the draft's number.
func (p *Publication) Done(ctx context.Context, code DoneCode, reason string) error {
	p.mu.Lock()
	open, count := len(p.open), p.count
	p.mu.Unlock()
	if open > 0 {
		return fmt.Errorf("PUBLISH_DONE for request %d: %d of its data streams are still open", p.r.id, open)
	}
	return p.DoneWith(ctx, &wire.PublishDone{StatusCode: code.Number(p.s.draft), StreamCount: count, Reason: reason})
}

// DoneWith ends the publication with this PUBLISH_DONE, as it is.
func (p *Publication) DoneWith(ctx context.Context, m *wire.PublishDone) error {
	if p.r.ctx.Err() != nil {
		return context.Cause(p.r.ctx)
	}
	return p.r.Send(ctx, m)
}

// Abandon ends the publication although streams are open: they are reset.
func (p *Publication) Abandon(ctx context.Context, code DoneCode, reason string) error {
	p.mu.Lock()
	open, count := p.open, p.count
	p.open = make(map[*trackedStream]struct{})
	p.mu.Unlock()
	for t := range open {
		t.Reset(ResetCancelled.Number(p.s.draft))
	}
	return p.DoneWith(ctx, &wire.PublishDone{StatusCode: code.Number(p.s.draft), StreamCount: count, Reason: reason})
}

// Update is an update of the subscriber's that waits for its answer.
type Update struct {
	// Message is the update. Its parameters are only those that change.
	Message *wire.RequestUpdate
	p       *Publication
}

// Parameters are the parameters that the update changes. They may not be changed.
func (u *Update) Parameters() wire.Parameters { return u.Message.Parameters }

// NextUpdate waits for the subscriber's next update, with ManualUpdates. The error says how the publication ended.
func (p *Publication) NextUpdate(ctx context.Context) (*Update, error) {
	if !p.opts.manual {
		return nil, errors.New("updates are answered by the session: ManualUpdates was not asked for")
	}
	u, err := p.updates.Take(ctx, p.s.ctx)
	if err == nil {
		p.s.ids.took()
	}
	return u, err
}

// Accept answers the update with REQUEST_OK; see Request.AcceptUpdate.
func (u *Update) Accept(ctx context.Context, ok *wire.RequestOK) error {
	return u.p.r.AcceptUpdate(ctx, u.Message, ok)
}

// Reject refuses the update, and ends the publication with UPDATE_FAILED: its open streams are reset; see
// Request.RejectUpdate.
func (u *Update) Reject(ctx context.Context, code RejectCode, reason string) error {
	return u.p.r.RejectUpdate(ctx, u.Message, code, reason)
}

var (
	_ transport.SendStream = (*trackedStream)(nil)
)
