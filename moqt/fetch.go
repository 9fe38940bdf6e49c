package moqt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// FetchRequest says what to fetch, in the newest draft's shape.
type FetchRequest struct {
	TrackNamespace wire.TrackNamespace
	TrackName      string
	// Range has inclusive ends in every draft. The zero value, or one without an end, goes up to the Largest Object. Up
	// to 19 a relative range or Next Object cannot be asked for.
	Range wire.LocationFilter
	// Parameters are further ones: GROUP_ORDER, SUBSCRIBER_PRIORITY, tokens.
	Parameters wire.Parameters
}

// Fetch is a FETCH that this end has sent, or a fill that one of its subscriptions has asked for (20 and later). Next
// gives its objects; or Accept gives its stream to read. All methods are safe for concurrent use.
type Fetch struct {
	s          *Session
	sub        *Subscription // of a fill
	id         uint64
	inner      wire.Parameters // of a fill
	descending bool

	turn chan struct{} // holds one token while nobody is in Next
	came chan struct{} // closed when the stream has come, or will not come

	mu       sync.Mutex
	r        *Request // nil for a fill
	ok       *wire.FetchOK
	reader   *FetchReader
	arrived  bool  // came is closed
	err      error // why no more comes
	complete bool  // the stream has ended with FIN
	partial  *Object
}

// NoFetch gives a fetch that has nothing and is complete. It stands in for one that need not be sent, because nothing
// has been published.
func (s *Session) NoFetch() *Fetch {
	f := s.newFetch()
	f.err, f.complete = io.EOF, true
	f.arrive()
	return f
}

func (s *Session) newFetch() *Fetch {
	f := &Fetch{s: s, turn: make(chan struct{}, 1), came: make(chan struct{})}
	f.turn <- struct{}{}
	return f
}

// StartFetch sends FETCH and does not wait for the answer; see Start for the rest. The error wraps ErrNotInDraft for a
// range that the draft cannot express.
func (s *Session) StartFetch(ctx context.Context, q FetchRequest) (*Fetch, error) {
	m, err := q.message(s.draft)
	if err != nil {
		return nil, err
	}
	return s.StartFetchMessage(ctx, m)
}

// StartFetchMessage sends this FETCH, for instance a joining one (14 to 19); see Start for the rest.
func (s *Session) StartFetchMessage(ctx context.Context, m *wire.Fetch) (*Fetch, error) {
	f := s.newFetch()
	if _, err := s.startRequest(ctx, m, f); err != nil {
		return nil, err
	}
	return f, nil
}

// Fetch sends FETCH and waits for FETCH_OK. The error is that of StartFetch or of Request.Response. When the context
// ends before the answer, the fetch is cancelled.
func (s *Session) Fetch(ctx context.Context, q FetchRequest) (*Fetch, error) {
	f, err := s.StartFetch(ctx, q)
	if err != nil {
		return nil, err
	}
	if err := f.Ready(ctx); err != nil {
		f.Cancel()
		return nil, err
	}
	return f, nil
}

// message is the FETCH in the draft's shape.
func (q FetchRequest) message(d wire.Draft) (*wire.Fetch, error) {
	m := &wire.Fetch{TrackNamespace: q.TrackNamespace, TrackName: q.TrackName, Parameters: q.Parameters.Clone()}
	if d >= wire.Draft20 {
		whole := wire.LocationFilter{Form: wire.FilterAbsoluteStart} // 20 and 21 cannot say it; it is the same as none
		if q.Range.Form != wire.FilterNone && q.Range != whole {
			m.Parameters.SetFilter(q.Range)
		}
		return m, nil
	}
	m.Type = wire.FetchStandalone
	f := q.Range
	m.Start = wire.Location{Group: f.StartGroup, Object: f.StartObject}
	switch f.Form {
	case wire.FilterNone, wire.FilterAbsoluteStart:
		m.End = wire.Location{Group: 1<<62 - 1} // the publisher ends at the Largest Object (draft-19 §10.12.3)
	case wire.FilterGroupEnd:
		m.End = wireEnd(d, wire.Location{Group: f.EndGroup, Object: math.MaxUint64})
	case wire.FilterRange:
		m.End = wireEnd(d, wire.Location{Group: f.EndGroup, Object: f.EndObject})
	default:
		return nil, fmt.Errorf("FETCH %s in %s: %w", f, d, ErrNotInDraft)
	}
	return m, nil
}

// wireEnd writes an inclusive end as FETCH and FETCH_OK have it: up to 19 the last object plus one, where Object 0 is
// the whole group (draft-19 §10.12.1).
func wireEnd(d wire.Draft, end wire.Location) wire.Location {
	switch {
	case d >= wire.Draft20:
		return end
	case end.Object >= d.MaxVarint():
		return wire.Location{Group: end.Group}
	}
	return wire.Location{Group: end.Group, Object: end.Object + 1}
}

// inclusiveEnd is the way back; the end of a whole group has the largest Object ID there is.
func inclusiveEnd(d wire.Draft, end wire.Location) wire.Location {
	switch {
	case d >= wire.Draft20:
		return end
	case end.Object == 0:
		return wire.Location{Group: end.Group, Object: math.MaxUint64}
	}
	return wire.Location{Group: end.Group, Object: end.Object - 1}
}

// starting implements startHook.
func (f *Fetch) starting(r *Request) error {
	f.mu.Lock()
	f.r = r
	f.mu.Unlock()
	f.id = r.id
	f.descending = parametersOf(r.message).UintOr(wire.ParamGroupOrder, wire.Ascending) == wire.Descending
	f.s.data.expectFetch(r.id, f)
	return nil
}

// received implements hook.
func (f *Fetch) received(m wire.Message) bool {
	ok, isOK := m.(*wire.FetchOK)
	if isOK {
		f.mu.Lock()
		f.ok = ok
		f.mu.Unlock()
	}
	return isOK
}

// over implements hook.
func (f *Fetch) over(cause error) {
	var refused *RequestError
	f.mu.Lock()
	streaming := f.reader != nil
	f.mu.Unlock()
	if cause == io.EOF || errors.As(cause, &refused) && streaming {
		return // what the stream has is read to its end
	}
	f.fail(cause)
}

// bind takes the fetch stream.
func (f *Fetch) bind(u *UniStream) {
	r, err := u.FetchReader(f.descending)
	if err != nil {
		f.s.fail(err)
		return
	}
	f.mu.Lock()
	over := f.err != nil
	if !over {
		f.reader = r
		f.arrive()
	}
	f.mu.Unlock()
	if over {
		f.s.data.drop(u, ResetCancelled, "it was cancelled")
		return
	}
	if f.sub != nil {
		f.sub.countFill()
	}
}

// arrive says that the stream has come, or will not. The caller holds mu.
func (f *Fetch) arrive() {
	if !f.arrived {
		f.arrived = true
		close(f.came)
	}
}

// fail ends the fetch: a stream is stopped, one to come is not wanted any more. The first cause wins.
func (f *Fetch) fail(cause error) {
	f.mu.Lock()
	reader := f.reader
	if f.err == nil {
		f.err = cause
	}
	f.arrive()
	complete := f.complete
	f.mu.Unlock()
	f.s.data.forgetFetch(f.id, f)
	if reader != nil && !complete {
		reader.Stop(ResetCancelled.Number(f.s.draft))
	}
	if f.sub != nil {
		f.sub.forgetFill(f)
	}
}

// settle ends the request once its answer and its whole stream have come. Whoever brings the second of the two calls
// it: the stream's reader must not end the request while the answer is still being taken, or Response would tell of an
// end without one.
func (f *Fetch) settle() {
	f.mu.Lock()
	r, complete := f.r, f.complete
	f.mu.Unlock()
	if r == nil || !complete {
		return
	}
	r.mu.Lock()
	accepted := r.response != nil
	r.mu.Unlock()
	if !accepted {
		return
	}
	r.carrier.closeSend()
	r.finish(io.EOF, stateDone)
}

// Ready waits for FETCH_OK. A fill has none and is always ready. See Request.Response for the error.
func (f *Fetch) Ready(ctx context.Context) error {
	if r := f.Request(); r != nil {
		_, err := r.Response(ctx)
		return err
	}
	return nil
}

// Request is the FETCH; for a fill it is that of the subscription.
func (f *Fetch) Request() *Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.r
}

// Session is the session that the fetch belongs to.
func (f *Fetch) Session() *Session { return f.s }

// Descending reports whether the fetch asks for groups in descending order.
func (f *Fetch) Descending() bool { return f.descending }

// AskedParameters are those of the FETCH or of the fill. A fill without range filters has those of its subscription.
func (f *Fetch) AskedParameters() wire.Parameters {
	switch r := f.Request(); {
	case r != nil:
		return r.AskedParameters()
	case f.sub != nil && RangeFiltersOf(f.inner).Empty():
		return f.sub.Parameters()
	}
	return f.inner
}

// ID is the Request ID in the header of the fetch stream.
func (f *Fetch) ID() uint64 { return f.id }

// OK is the FETCH_OK that came; nil before it comes and for a fill. Do not change it.
func (f *Fetch) OK() *wire.FetchOK {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ok
}

// End is the End Location of FETCH_OK, inclusive in every draft. Up to 19 its Object ID is 2^64-1 where the end is that
// of a whole group. It reports false before FETCH_OK, and for a fill.
func (f *Fetch) End() (wire.Location, bool) {
	ok := f.OK()
	if ok == nil {
		return wire.Location{}, false
	}
	return inclusiveEnd(f.s.draft, ok.End), true
}

// Next waits for the next object or range marker (Object.Range). The object belongs to the caller. io.EOF means that
// everything has come: the stream has ended with FIN, or there is nothing to fill. A *transport.StreamError says that
// the publisher has reset the stream, a *RequestError that it has refused the request. Other final errors are
// *CancelError and *SessionError. After an *ObjectTooLargeError, which is about one object, and after the context's
// cause, Next may be called again.
func (f *Fetch) Next(ctx context.Context) (*Object, error) {
	select {
	case <-f.turn:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { f.turn <- struct{}{} }()
	reader, err := f.stream(ctx)
	if err != nil {
		return nil, err
	}
	if f.partial == nil {
		f.partial = new(Object)
	}
	err = readUntil(ctx, reader, f.partial)
	o := f.partial
	var large *ObjectTooLargeError
	switch {
	case err == nil:
		f.partial = nil
		return o, nil
	case errors.As(err, &large):
		f.partial = nil
		return nil, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, context.Cause(ctx)
	}
	return nil, f.StreamEnded(err)
}

// readUntil reads an object unless the context ends first, which shows as os.ErrDeadlineExceeded.
func readUntil(ctx context.Context, reader *FetchReader, o *Object) error {
	if ctx.Done() == nil {
		return reader.ReadObject(o)
	}
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = reader.SetReadDeadline(time.Unix(1, 0))
		close(over)
	})
	err := reader.ReadObject(o)
	if !stop() {
		<-over
		_ = reader.SetReadDeadline(time.Time{})
	}
	return err
}

// stream waits for the fetch stream.
func (f *Fetch) stream(ctx context.Context) (*FetchReader, error) {
	select {
	case <-f.came:
	default:
		select {
		case <-f.came:
		case <-ctx.Done():
			return nil, f.s.data.waited(context.Cause(ctx))
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	return f.reader, nil
}

// StreamEnded is to be called with the final error of the reader that Accept gave. The result is what Next returns from
// then on: io.EOF if the fetch is complete.
func (f *Fetch) StreamEnded(err error) error {
	var reset *transport.StreamError
	var breach *wire.Error
	f.mu.Lock()
	if f.err != nil { // cancelled, or over with its session
		defer f.mu.Unlock()
		return f.err
	}
	r := f.r
	if err == io.EOF && r != nil { // a refusal may have come first (draft-19 §5.2)
		r.mu.Lock()
		if refused := r.refused; refused != nil {
			err = refused
		}
		r.mu.Unlock()
	}
	f.err = err
	f.complete = err == io.EOF
	f.mu.Unlock()
	switch {
	case err == io.EOF:
		f.settle()
	case errors.As(err, &reset):
		f.s.trace(Event{Type: EventReset, Stream: wire.UniStream, StreamID: reset.StreamID, RequestID: f.id,
			Code: reset.Code})
		if r != nil {
			r.carrier.closeSend()
			r.finish(err, stateDone)
		}
	case errors.As(err, &breach) && breach.Code != wire.InternalError:
		f.s.fail(err)
	default:
		err = f.s.streamError(err)
	}
	if f.sub != nil {
		f.sub.forgetFill(f)
	}
	return err
}

// Accept waits for the stream and gives it to the caller, who reads it instead of calling Next. Then call Close, or
// Cancel to stop early. Errors are those of Next.
func (f *Fetch) Accept(ctx context.Context) (*FetchReader, error) { return f.stream(ctx) }

// Close ends a fetch after the stream that Accept gave was read to its end. It does nothing after Next.
func (f *Fetch) Close() {
	f.mu.Lock()
	if f.err == nil {
		f.err = io.EOF
	}
	f.complete = true
	f.mu.Unlock()
	f.settle()
	if f.sub != nil {
		f.sub.forgetFill(f)
	}
}

// Cancel stops the fetch's stream and cancels the request (draft-18 §5.2). Of a fill it stops the stream alone, and the
// subscription goes on. It does nothing once the stream has ended.
func (f *Fetch) Cancel() {
	f.mu.Lock()
	r, complete := f.r, f.complete
	f.mu.Unlock()
	if complete {
		return
	}
	if r != nil {
		r.Cancel(ResetCancelled)
	}
	f.fail(&CancelError{Side: f.s.side, Kind: wire.KindFetch, How: "STOP_SENDING",
		Code: ResetCancelled.Number(f.s.draft),
		Name: "CANCELLED", HasCode: true})
}
