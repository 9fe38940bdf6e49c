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

// Publication is the publisher's end of a subscription, made by the peer's SUBSCRIBE or by our PUBLISH. All methods are
// safe for concurrent use.
//
// The session applies and answers the subscriber's updates, unless ManualUpdates is given: Parameters and Forward tell
// what is in effect. If such an update asks for a fill (20 and later), the answer is that its whole range is unknown,
// up to the location given to SetLargest.
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

// ManualUpdates leaves the subscriber's updates to the application, which must take each with NextUpdate and answer it.
func ManualUpdates() PublicationOption {
	return func(o *publicationOptions) { o.manual = true }
}

// WithTrackAlias sets the Track Alias, also to 0. Without it, and with a Track Alias of 0 in the message, the session
// chooses one that is not in use.
func WithTrackAlias(alias uint64) PublicationOption {
	return func(o *publicationOptions) { o.alias = &alias }
}

// newPublication prepares a publication with the alias wanted.
func (s *Session) newPublication(alias uint64, opts []PublicationOption) *Publication {
	p := &Publication{s: s, open: make(map[*trackedStream]struct{})}
	p.updates.Held = s.holdMessages
	for _, o := range opts {
		o(&p.opts)
	}
	if p.opts.alias != nil {
		alias = *p.opts.alias
	}
	p.alias = s.data.chooseAlias(alias, alias == 0 && p.opts.alias == nil)
	return p
}

// StartPublish sends PUBLISH and does not wait for the answer; see Start for the rest. Objects may be sent at once,
// unless FORWARD is 0 (draft-19 §10.10).
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

// AcceptSubscribe accepts the peer's SUBSCRIBE, and this end becomes the publisher. ok may be nil. Relative filters
// refer to its LARGEST_OBJECT.
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
	_ = p.updates.Put(p.r.ctx, &Update{Message: u, p: p}, messageCost(u))
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

// Ready waits for PUBLISH_OK. A publication that a SUBSCRIBE made is always ready. See Request.Response for the error.
func (p *Publication) Ready(ctx context.Context) error {
	if p.r.incoming {
		return nil
	}
	_, err := p.r.Response(ctx)
	return err
}

// Session is the session that the subscription belongs to.
func (p *Publication) Session() *Session { return p.s }

// Request is the SUBSCRIBE or PUBLISH of the publication.
func (p *Publication) Request() *Request { return p.r }

// Draft is the session's draft.
func (p *Publication) Draft() wire.Draft { return p.s.draft }

// TrackAlias is the Track Alias that this end uses.
func (p *Publication) TrackAlias() uint64 { return p.alias }

// Forward reports whether the Forward State is 1, so that objects are to be sent.
func (p *Publication) Forward() bool {
	return p.r.Parameters().UintOr(wire.ParamForward, 1) == 1
}

// WaitForward waits until the Forward State is 1. The error is the context's cause, or says why the publication has
// ended.
func (p *Publication) WaitForward(ctx context.Context) error {
	switch {
	case p.r.waitForward(ctx):
		return nil
	case p.r.ctx.Err() != nil:
		return context.Cause(p.r.ctx)
	}
	return context.Cause(ctx)
}

// Parameters are the parameters of the subscription that are in effect; see Request.Parameters.
func (p *Publication) Parameters() wire.Parameters { return p.r.Parameters() }

// SetLargest sets the track's Largest Object for answers to updates (draft-19 §10.9.1).
func (p *Publication) SetLargest(l wire.Location) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.largest, p.hasLargest = l, true
}

// Context ends when the subscriber cancels or refuses, after Done, and when the session ends. See Request.Context.
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
	t := &trackedStream{SendStream: stream, s: p.s}
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

// OpenSubgroup opens a subgroup stream with this header and fills in its Track Alias. It waits while the peer's limit
// of streams is reached. The stream counts for PUBLISH_DONE, and is reset when the subscriber cancels. The caller must
// heed the Forward State and the filters. In 14 a header without priority gets DefaultPublisherPriority.
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

// SendDatagram sends an object as a datagram. The error is a *transport.DatagramTooLargeError if it is too large for
// the path.
func (p *Publication) SendDatagram(o *Object) error {
	if p.r.ctx.Err() != nil {
		return context.Cause(p.r.ctx)
	}
	b, err := AppendDatagram(nil, p.s.draft, p.alias, o)
	if err != nil {
		return err
	}
	p.s.trace(Event{Type: EventDatagram, Sent: true, Stream: wire.DatagramStream, TrackAlias: p.alias,
		Location: o.Location(), Status: o.Status, EndOfGroup: o.EndOfGroup, Payload: len(o.Payload), Bytes: len(b),
		RequestID: p.r.id})
	return p.s.streamError(p.s.conn.SendDatagram(b))
}

// Skip tells Config.Trace that an object was not sent as a datagram, and why.
func (p *Publication) Skip(at wire.Location, why error) {
	p.s.trace(Event{Type: EventDropped, Sent: true, Stream: wire.DatagramStream, TrackAlias: p.alias, Location: at,
		Err: why})
}

// StreamCount is the number of data streams opened so far, including fills.
func (p *Publication) StreamCount() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// Notify tells the subscriber with PUBLISH_STATE_NOTIFY what the publisher has changed (20 and later): LARGEST_OBJECT,
// FORWARD or LOCATION_FILTER. The error is that of Request.Send, a *wire.Error in earlier drafts.
func (p *Publication) Notify(ctx context.Context, ps wire.Parameters) error {
	if err := p.r.Send(ctx, &wire.PublishStateNotify{Parameters: ps}); err != nil {
		return err
	}
	p.r.mu.Lock()
	p.r.setParams(MergeParameters(p.r.params, ps))
	p.r.mu.Unlock()
	return nil
}

// DoneOption changes the PUBLISH_DONE of a Done.
type DoneOption func(*wire.PublishDone)

// WithStreamCount sets another Stream Count than that of the streams that were opened, and sends PUBLISH_DONE also
// while some of them are open. It is for a publisher that knows of streams of another session, and for tests.
func WithStreamCount(n uint64) DoneOption { return func(m *wire.PublishDone) { m.StreamCount = n } }

// Done ends the publication with PUBLISH_DONE and the exact Stream Count. It fails while data streams are open, because
// PUBLISH_DONE must come after them (draft-18 §10.11).
func (p *Publication) Done(ctx context.Context, code DoneCode, reason string, opts ...DoneOption) error {
	p.mu.Lock()
	open, count := len(p.open), p.count
	p.mu.Unlock()
	if open > 0 && len(opts) == 0 {
		return fmt.Errorf("PUBLISH_DONE for request %d: %d of its data streams are still open", p.r.id, open)
	}
	return p.done(ctx, code, count, reason, opts...)
}

func (p *Publication) done(ctx context.Context, code DoneCode, count uint64, reason string, opts ...DoneOption) error {
	m := &wire.PublishDone{StatusCode: code.Number(p.s.draft), StreamCount: count, Reason: reason}
	for _, o := range opts {
		o(m)
	}
	if p.r.ctx.Err() != nil {
		return context.Cause(p.r.ctx)
	}
	return p.r.Send(ctx, m)
}

// Abandon resets the open streams and ends the publication with PUBLISH_DONE. See Done.
func (p *Publication) Abandon(ctx context.Context, code DoneCode, reason string) error {
	p.mu.Lock()
	open, count := p.open, p.count
	p.open = make(map[*trackedStream]struct{})
	p.mu.Unlock()
	for t := range open {
		t.Reset(ResetCancelled.Number(p.s.draft))
	}
	return p.done(ctx, code, count, reason)
}

// Update is an update of the subscriber that the application has to answer.
type Update struct {
	// Message is the update. It has only the parameters that change.
	Message *wire.RequestUpdate
	p       *Publication
}

// Parameters are the parameters that the update changes. Do not change them.
func (u *Update) Parameters() wire.Parameters { return u.Message.Parameters }

// NextUpdate waits for the subscriber's next update. It needs ManualUpdates. The error says how the publication ended,
// or is the context's cause.
func (p *Publication) NextUpdate(ctx context.Context) (*Update, error) {
	if !p.opts.manual {
		return nil, errors.New("the session answers updates itself without the option ManualUpdates")
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

// Reject refuses the update, resets the open streams and ends the publication with UPDATE_FAILED; see
// Request.RejectUpdate.
func (u *Update) Reject(ctx context.Context, code RejectCode, reason string) error {
	return u.p.r.RejectUpdate(ctx, u.Message, code, reason)
}

var (
	_ transport.SendStream = (*trackedStream)(nil)
)
