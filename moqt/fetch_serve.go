package moqt

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// FetchAsked is what an incoming FETCH asks for, in the newest draft's shape.
type FetchAsked struct {
	// TrackNamespace and TrackName are those of the track. For a joining FETCH they are those of the subscription that
	// it joins, and empty when there is none.
	TrackNamespace wire.TrackNamespace
	TrackName      string
	// Range has an inclusive end. For a joining FETCH it is the zero value.
	Range wire.LocationFilter
	// Joining is set for a joining FETCH (up to 19).
	Joining *Joining
	// Descending is the Group Order.
	Descending bool
}

// Joining says which subscription a joining FETCH joins, and from where on (draft-19 §10.12.2).
type Joining struct {
	// RequestID names the subscription. Target is its request, nil when there is none; INVALID_JOINING_REQUEST_ID is
	// the answer then.
	RequestID uint64
	Target    *Request
	// If Relative is set, Start counts groups back from that of the subscription's Largest Object. Otherwise Start is a
	// group.
	Relative bool
	Start    uint64
}

// FetchRange says what an incoming FETCH asks for. It is an error for any other request.
func (r *Request) FetchRange() (FetchAsked, error) {
	m, ok := r.message.(*wire.Fetch)
	if !ok {
		return FetchAsked{}, fmt.Errorf("%s %d is not a FETCH", r.kind, r.id)
	}
	q := FetchAsked{TrackNamespace: m.TrackNamespace, TrackName: m.TrackName, Descending: r.descending()}
	switch {
	case r.s.draft >= wire.Draft20:
		q.Range, _ = m.Parameters.Filter()
	case m.Type == wire.FetchStandalone:
		end := inclusiveEnd(r.s.draft, m.End)
		q.Range = wire.LocationFilter{Form: wire.FilterRange, StartGroup: m.Start.Group, StartObject: m.Start.Object,
			EndGroup: end.Group, EndObject: end.Object}
		if m.End.Object == 0 {
			q.Range.Form, q.Range.EndObject = wire.FilterGroupEnd, 0
		}
	default:
		q.Joining = &Joining{RequestID: m.JoiningRequestID, Target: r.s.joinTarget(m),
			Relative: m.Type == wire.FetchRelativeJoining, Start: m.JoiningStart}
		if t := q.Joining.Target; t != nil {
			q.TrackNamespace, q.TrackName = t.TrackNamespace(), t.TrackName()
		}
	}
	return q, nil
}

// descending is the Group Order of a FETCH.
func (r *Request) descending() bool {
	return parametersOf(r.message).UintOr(wire.ParamGroupOrder, wire.Ascending) == wire.Descending
}

// AcceptFetch answers the peer's FETCH with FETCH_OK and opens its stream. ok.End is inclusive in every draft, and is
// translated for the draft. Up to 19 the Object ID 2^64-1 means the whole group. The request ends when the writer is
// closed or reset. When the peer cancels, the stream is reset. The session answers updates.
func (r *Request) AcceptFetch(ctx context.Context, ok *wire.FetchOK) (*FetchWriter, error) {
	w, err := r.OpenFetch(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.AcceptFetchOnly(ctx, ok); err != nil {
		w.Reset(ResetInternalError.Number(r.s.draft))
		return nil, err
	}
	return w, nil
}

// AcceptFetchOnly is AcceptFetch without the stream: OpenFetch opens it, before or after.
func (r *Request) AcceptFetchOnly(ctx context.Context, ok *wire.FetchOK) error {
	m := wire.FetchOK{}
	if ok != nil {
		m = *ok
	}
	m.End = wireEnd(r.s.draft, m.End)
	if err := r.Accept(ctx, &m); err != nil {
		return err
	}
	r.mu.Lock()
	f, _ := r.hook.(*fetchServer)
	r.mu.Unlock()
	if f != nil {
		f.settle(true, false)
	}
	return nil
}

// OpenFetch opens the stream of the peer's FETCH, before or after the answer: objects may go before FETCH_OK (draft-19
// §10.13). The header goes out with the first object, or with Flush or Close.
func (r *Request) OpenFetch(ctx context.Context) (*FetchWriter, error) {
	if r.kind != wire.KindFetch || !r.incoming {
		return nil, fmt.Errorf("%s %d is not a FETCH of the peer's", r.kind, r.id)
	}
	if r.ctx.Err() != nil {
		return nil, context.Cause(r.ctx)
	}
	stream, err := r.s.conn.OpenUniStream(ctx)
	if err != nil {
		return nil, r.s.notOpened(true, err)
	}
	f := &fetchServer{r: r}
	f.stream = &trackedStream{SendStream: stream, s: r.s, ended: func() { f.settle(false, true) }}
	w, err := NewFetchWriter(f.stream, r.s.draft, r.id, r.descending())
	if err != nil {
		stream.Reset(ResetInternalError.Number(r.s.draft))
		return nil, err
	}
	w.log = r.s.log
	r.s.trace(Event{Type: EventFetch, Sent: true, Stream: wire.UniStream, StreamID: stream.StreamID(), RequestID: r.id})
	r.attach(f)
	return w, nil
}

// fetchServer is what stands on an incoming FETCH once its stream is open.
type fetchServer struct {
	r      *Request
	stream *trackedStream

	mu       sync.Mutex
	accepted bool
	ended    bool
}

// received implements hook. An update can change the priority only, which the application reads from
// Request.Parameters.
func (f *fetchServer) received(m wire.Message) bool {
	u, ok := m.(*wire.RequestUpdate)
	if ok {
		f.r.reply(u, func() { _ = f.r.AcceptUpdate(f.r.ctx, u, nil) })
	}
	return ok
}

// over implements hook: what the peer has cancelled is reset (draft-18 §5.2: MUST).
func (f *fetchServer) over(cause error) {
	if _, cancelled := cause.(*CancelError); cancelled {
		f.reset(ResetCancelled)
	}
}

func (f *fetchServer) reset(code ResetCode) { f.stream.Reset(code.Number(f.r.s.draft)) }

// settle ends the request once it is answered and its stream has ended.
func (f *fetchServer) settle(accepted, ended bool) {
	f.r.mu.Lock()
	answered := f.r.state == stateEstablished
	f.r.mu.Unlock()
	f.mu.Lock()
	f.accepted = f.accepted || accepted || answered
	f.ended = f.ended || ended
	both := f.accepted && f.ended
	f.mu.Unlock()
	if both {
		f.r.carrier.closeSend()
		f.r.finish(io.EOF, stateDone)
	}
}

// trackedStream tells when its sending direction has been ended by this end.
type trackedStream struct {
	transport.SendStream
	s     *Session
	once  sync.Once
	ended func()
}

// Close implements transport.SendStream.
func (t *trackedStream) Close() error {
	err := t.SendStream.Close()
	t.once.Do(t.ended)
	return err
}

// ResetBehind implements transport.BehindResetter.
func (t *trackedStream) ResetBehind(head []byte, code uint64) {
	if behind, ok := t.SendStream.(transport.BehindResetter); ok && t.s.Err() == nil {
		behind.ResetBehind(head, code)
	}
	t.Reset(code)
}

// Reset implements transport.SendStream. The end of the session ends the stream without it.
func (t *trackedStream) Reset(code uint64) {
	if t.s.Err() == nil {
		t.SendStream.Reset(code)
	}
	t.once.Do(t.ended)
}
