package moqt

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Request is one request of this end or of the peer, and the messages that follow it in both directions. Messages have
// the newest draft's shape. Up to 16 the session fills in and reads the ids that match them. All methods are safe for
// concurrent use.
type Request struct {
	s        *Session
	id       uint64
	kind     wire.Kind
	message  wire.Message
	incoming bool
	tokens   []wire.Token
	carrier  carrier

	ctx       context.Context
	cancel    context.CancelCauseFunc
	inbox     stream.Queue[wire.Message]
	responded chan struct{} // closed with the response (outgoing)

	mu     sync.Mutex
	state  requestState
	hook   hook
	params wire.Parameters
	// paramsChanged is closed when params change.
	paramsChanged chan struct{}
	response      wire.Message
	refused       error         // what Response gives instead
	answering     bool          // incoming: Accept or Reject is at work, or was
	updates       []*ownUpdate  // ours, sent and not answered
	lateAnswers   int           // updates of ours that the request's end overtook: their answers may still come
	outstanding   int           // ours, counted for the peer's MAX_REQUEST_UPDATES
	updated       chan struct{} // closed when one of updates is answered
	peerUpdates   int
	goaway        goawayState
	names         map[string]namespaceState
	bounds        bounds
	fills         map[uint64]wire.Parameters // the fills that the peer asks for, by the id that names their stream
	stopped       *transport.StreamError     // the peer's STOP_SENDING, while it decides nothing
	replies       stream.Queue[func()]       // answers to updates that this end gives by itself
	replying      bool                       // a goroutine sends them
	finCame       bool                       // the peer has no more to say
	decided       bool                       // our last message is on its way, which ends the request
	held          int64                      // what the session's account counts for the request
	reading       bool                       // a goroutine reads its stream, and keeps the request
	ended         bool
}

// hook is what stands on a request: a Subscription, a Publication, a Fetch.
type hook interface {
	// received is told of each message of the peer on the goroutine that reads it, in order, once the rules were
	// judged. It reports true when the message is not to be queued for Next. It may not wait for the application unless
	// the request has a stream of its own.
	received(m wire.Message) bool
	// over is told once why the request ended.
	over(cause error)
}

// ID is the Request ID.
func (r *Request) ID() uint64 { return r.id }

// Kind is the kind of request. SUBSCRIBE_NAMESPACE of 16 and 17 is KindSubscribeNamespace whatever its options.
func (r *Request) Kind() wire.Kind { return r.kind }

// Message is the request as it was sent. Do not change it.
func (r *Request) Message() wire.Message { return r.message }

// Incoming is true for a request of the peer.
func (r *Request) Incoming() bool { return r.incoming }

// Session is the session of the request.
func (r *Request) Session() *Session { return r.s }

// Context ends when the request does. context.Cause says why: *RequestError when it was refused, io.EOF when it is
// done, *CancelError when either end cancelled it, *SessionError when the session ended. Data streams of a subscription
// or fetch may still come then.
func (r *Request) Context() context.Context { return r.ctx }

// Tokens are the tokens of an incoming request, with aliases resolved: all are USE_VALUE.
func (r *Request) Tokens() []wire.Token { return slices.Clone(r.tokens) }

// AskedParameters are the parameters of the request as it was sent. Parameters gives those in effect now.
func (r *Request) AskedParameters() wire.Parameters { return parametersOf(r.message) }

// Parameters are the parameters in effect: those of the request, of PUBLISH_OK up to 19, and of all accepted updates.
// Tokens, FILL_PARAMETERS and NEW_GROUP_REQUEST take effect once and are not among them.
func (r *Request) Parameters() wire.Parameters {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.params.Clone()
}

// setParams changes the parameters in effect. The caller holds mu.
func (r *Request) setParams(ps wire.Parameters) {
	r.params = ps
	close(r.paramsChanged)
	r.paramsChanged = make(chan struct{})
}

// TrackNamespace is the namespace or prefix that the request names; nil for a joining FETCH.
func (r *Request) TrackNamespace() wire.TrackNamespace {
	ns, _, _ := trackOf(r.message)
	return ns
}

// TrackName is the track that the request names, "" if it names none.
func (r *Request) TrackName() string {
	_, name, _ := trackOf(r.message)
	return name
}

// Response waits for the answer to a request that this end has sent: *wire.SubscribeOK, *wire.FetchOK or
// *wire.RequestOK. It may be called again. The error is a *RequestError if the peer refused, a *CancelError if it
// cancelled, a *SessionError, or the context's cause.
func (r *Request) Response(ctx context.Context) (wire.Message, error) {
	if r.incoming {
		return nil, fmt.Errorf("%s %d is a request of the peer, which this end answers", r.kind, r.id)
	}
	select {
	case <-r.responded:
	default:
		select {
		case <-r.responded:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-r.s.ctx.Done():
			return nil, context.Cause(r.s.ctx)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.response, r.refused
}

// Next waits for the peer's next message on the request after the response: *wire.RequestUpdate, *wire.PublishDone,
// *wire.PublishStateNotify, *wire.Namespace, *wire.NamespaceDone, *wire.PublishSkipped or *wire.Goaway. io.EOF means
// that the peer will send no more, a *CancelError that it cancelled. A Subscription, Publication or other type of this
// package takes the messages of its request itself.
func (r *Request) Next(ctx context.Context) (wire.Message, error) {
	m, err := r.inbox.Take(ctx, r.s.ctx)
	if _, ok := m.(*wire.RequestUpdate); ok {
		r.s.ids.took()
	}
	return m, err
}

// Send sends a further message on the request, also one that is illegal there. It gives a *wire.RequestUpdate its id
// but does not wait for the answer; use Update for that. PUBLISH_DONE ends the request, and from 17 on our direction of
// its stream.
func (r *Request) Send(ctx context.Context, m wire.Message) error {
	switch x := m.(type) {
	case *wire.RequestUpdate:
		_, err := r.startUpdate(ctx, x)
		return err
	case *wire.PublishDone:
		before := r.decide(stateDone)
		if err := r.carrier.send(ctx, r, r.addressed(m), true); err != nil {
			r.undecide(before, err)
			return err
		}
		r.finish(io.EOF, stateDone)
		return nil
	}
	return r.carrier.send(ctx, r, r.addressed(m), false)
}

// Cancel ends a request of either end (draft-19 §3.3.3). From 17 on it resets our direction of the request's stream and
// stops the peer's, with this code. Up to 16 it sends the draft's message: UNSUBSCRIBE, FETCH_CANCEL,
// PUBLISH_NAMESPACE_DONE, PUBLISH_NAMESPACE_CANCEL, UNSUBSCRIBE_NAMESPACE or PUBLISH_DONE, or an error if the request
// is not answered. Data streams of a Subscription or Fetch are stopped, those of a Publication reset. It does nothing
// once the request or the session has ended.
func (r *Request) Cancel(code ResetCode) {
	r.mu.Lock()
	over, state := r.ended, r.state
	r.mu.Unlock()
	if over {
		return
	}
	if cause := r.s.Err(); cause != nil { // the session's end says it all, and takes its time on WebTransport
		r.finish(cause, stateCancelled)
		return
	}
	number := code.Number(r.s.draft)
	how := r.carrier.cancelWord(r, state)
	if !r.finish(&CancelError{Side: r.s.side, Kind: r.kind, How: how, Code: number, Name: ResetName(r.s.draft, number),
		HasCode: true}, stateCancelled) {
		return
	}
	r.carrier.cancel(r, state, number)
}

// CloseSend ends our direction of the request's stream with FIN (17 and later). It does nothing up to 16.
func (r *Request) CloseSend() { r.carrier.closeSend() }

// step moves the state by an event and reports whether it was allowed; the state of a request that has ended stays.
func (r *Request) step(e requestEvent) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stepLocked(e)
}

func (r *Request) stepLocked(e requestEvent) error {
	m, ok := requestMachines[r.kind]
	if !ok {
		return nil // a raw request has no rules
	}
	next, err := m.next(r.state, e)
	if err != nil {
		why := err.(*wire.Error)
		return r.s.breach(r.kind.String(), wire.ProtocolViolation, why.Rule, "%s", why.Reason)
	}
	r.state = next
	return nil
}

// finish ends the request; the first cause wins and is reported with true. What waits in the inbox can still be read.
func (r *Request) finish(cause error, state requestState) bool {
	r.mu.Lock()
	if r.ended {
		r.mu.Unlock()
		return false
	}
	awaited := r.awaited()
	kept := awaited && r.kind == wire.KindPublish && state == stateDone // our PUBLISH_DONE may overtake the answer
	r.ended, r.state = true, state
	if awaited && !kept {
		r.refused = cause
		close(r.responded)
	}
	updates := r.updates
	r.updates = nil
	r.lateAnswers = len(updates)
	h := r.hook
	r.mu.Unlock()
	r.giveBack()
	r.cancel(cause)
	var late []uint64
	if awaited && state == stateCancelled {
		late = append(late, r.id)
	}
	for _, u := range updates {
		late = append(late, u.id)
		u.resolve(nil, cause)
	}
	r.s.late(late...)
	r.inbox.End(cause)
	if !kept {
		r.s.forget(r)
	}
	switch {
	case h != nil:
		h.over(cause)
	case state != stateDone: // after PUBLISH_DONE it may still be accepted, for the data on its way
		r.releaseAlias()
	}
	return true
}

// hold counts n bytes more of what the request takes; must says whatever the limit. It reports false, and counts
// nothing, when there is no room.
func (r *Request) hold(n int64, must bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.ended:
		return true
	case n < 0:
		r.s.account.Give(HeldRequests, -n)
	case must:
		r.s.account.Force(HeldRequests, n)
	case !r.s.account.Take(HeldRequests, n):
		return false
	}
	r.held += n
	return true
}

// giveBack gives back what the request takes, if it has ended and nothing keeps it: a peer that leaves the stream of a
// refused request open has it held.
func (r *Request) giveBack() {
	r.mu.Lock()
	if r.reading || !r.ended {
		r.mu.Unlock()
		return
	}
	n := r.held
	r.held = 0
	r.mu.Unlock()
	r.s.account.Give(HeldRequests, n)
}

// keep says that a goroutine reads the request's stream, until over is called.
func (r *Request) keep() (over func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reading = true
	return func() {
		r.mu.Lock()
		r.reading = false
		r.mu.Unlock()
		r.giveBack()
	}
}

// awaited reports whether the answer to a request of ours is still to come. The caller holds mu.
func (r *Request) awaited() bool { return !r.incoming && r.response == nil && r.refused == nil }

// attach puts a hook on an incoming request, and gives it the messages that have come in the meantime, in order. Those
// that are not for it stay for Next.
func (r *Request) attach(h hook) {
	var kept []wire.Message
	for {
		for _, m := range r.inbox.Drain() {
			if !h.received(m) {
				kept = append(kept, m)
			}
		}
		r.mu.Lock()
		if r.inbox.Len() == 0 {
			r.hook = h
			r.inbox.PutBack(kept, messageCost)
			over := r.ended
			r.mu.Unlock()
			if over {
				h.over(context.Cause(r.ctx))
			}
			return
		}
		r.mu.Unlock()
	}
}

// deliver hands a message of the peer to the hook, or queues it. With a stream of its own the request waits for room,
// which holds up that stream alone; on the shared stream the peer's request ids bound what can come.
func (r *Request) deliver(m wire.Message) {
	for {
		r.mu.Lock()
		h := r.hook
		if h == nil {
			if r.inbox.Add(m, messageCost(m)) || r.ended {
				r.mu.Unlock()
				return
			}
		}
		r.mu.Unlock()
		if h != nil {
			if !h.received(m) {
				_ = r.inbox.Put(r.ctx, m, messageCost(m))
			}
			return
		}
		if !r.inbox.WaitRoom(r.ctx) {
			return
		}
	}
}

// addressed copies a message of ours on the request, and adds the ids that it has up to 16, and what it answers.
func (r *Request) addressed(m wire.Message) wire.Message {
	switch x := m.(type) {
	case *wire.RequestOK:
		c := *x
		r.address(&c.Answers, &c.RequestID)
		return &c
	case *wire.RequestError:
		c := *x
		r.address(&c.Answers, &c.RequestID)
		return &c
	case *wire.SubscribeOK:
		c := *x
		c.RequestID = r.id
		return &c
	case *wire.FetchOK:
		c := *x
		c.RequestID = r.id
		return &c
	case *wire.PublishDone:
		c := *x
		c.RequestID = r.id
		return &c
	case *wire.Unsubscribe:
		return &wire.Unsubscribe{RequestID: r.id}
	case *wire.FetchCancel:
		return &wire.FetchCancel{RequestID: r.id}
	case *wire.PublishNamespaceDone:
		c := *x
		c.RequestID, c.TrackNamespace = r.id, r.TrackNamespace()
		return &c
	case *wire.PublishNamespaceCancel:
		c := *x
		c.RequestID, c.TrackNamespace = r.id, r.TrackNamespace()
		return &c
	case *wire.UnsubscribeNamespace:
		return &wire.UnsubscribeNamespace{RequestID: r.id, Prefix: r.TrackNamespace()}
	}
	return m
}

// address says what an answer of ours answers: the request itself, unless it says otherwise. An answer to an update has
// the update's id.
func (r *Request) address(answers *wire.Kind, id *uint64) {
	if *answers == wire.KindNone {
		*answers = r.kind
	}
	if *answers != wire.KindRequestUpdate {
		*id = r.id
	}
}

// requestIDOf is the request that a received message belongs to, for the trace.
func requestIDOf(m wire.Message, r *Request) uint64 {
	if r != nil {
		return r.id
	}
	if m.Kind().Opens() {
		return requestIDIn(m)
	}
	id, _ := addressOf(m)
	return id
}

// answersIn is what a message on a request's own stream is about: an update is about the request, an OK or error about
// the request at first, about updates later.
func (r *Request) answersIn(frame []byte) wire.Kind {
	if r == nil || r.kind == wire.KindRaw {
		return wire.KindNone
	}
	if code, _ := wire.Varint(frame, r.s.draft); code == typeRequestUpdate {
		return r.kind
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.awaited() {
		return r.kind
	}
	return wire.KindRequestUpdate
}

// ownUpdate is an update that this end has sent and that is not answered.
type ownUpdate struct {
	id     uint64
	params wire.Parameters
	done   chan struct{}
	ok     *wire.RequestOK
	err    error
	note   func(id uint64) // told of the number before the update is sent; may be nil
}

// resolve gives the answer; it is called once.
func (u *ownUpdate) resolve(ok *wire.RequestOK, err error) {
	u.ok, u.err = ok, err
	close(u.done)
}

// carrier moves the messages of one request: on a stream of its own, or on the control stream that all share up to 16.
type carrier interface {
	// send sends a message of ours, with fin as the last one.
	send(ctx context.Context, r *Request, m wire.Message, fin bool) error
	// update numbers an update and sends it.
	update(ctx context.Context, r *Request, m *wire.RequestUpdate, u *ownUpdate) error
	// cancelWord is the means of a cancellation in that state, for people.
	cancelWord(r *Request, state requestState) string
	// cancel tells the peer.
	cancel(r *Request, state requestState, code uint64)
	// abandon ends what is still open when the peer has cancelled.
	abandon(code uint64)
	closeSend()
	streamID() uint64
}
