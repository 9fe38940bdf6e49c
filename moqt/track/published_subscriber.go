package track

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// subscriber is one subscription of a Published.
type subscriber struct {
	t     *Published
	draft wire.Draft
	// request is known once ready is closed, or before.
	request *moqt.Request
	// ready is closed when pub is set, or the subscription came to nothing.
	ready    chan struct{}
	pub      *moqt.Publication
	delivery atomic.Pointer[delivery]
	idle     chan *outlet  // where goroutines wait for the next stream to write
	gone     chan struct{} // closed when nothing more is sent

	// held is how long, in nanoseconds, it has held up the others; see holdsUp, which heldAt is the last time of.
	held   atomic.Int64
	heldAt atomic.Int64

	mu      sync.Mutex
	outlets map[*outlet]struct{}
	streams atomic.Int32 // how many outlets
	leaving leaving
	fills   []chan struct{} // each is closed when a fill has been written
	ending  bool
}

// join makes a subscription one of the track's: what is written from here on is for it. It gives the Largest Object as
// of now; ready is the caller's to close.
func (t *Published) join(r *moqt.Request, d wire.Draft, ps wire.Parameters) (s *subscriber, largest wire.Location,
	hasLargest bool) {
	s = &subscriber{t: t, draft: d, request: r, ready: make(chan struct{}), idle: make(chan *outlet),
		gone: make(chan struct{}), outlets: make(map[*outlet]struct{}),
		leaving: leaving{less: make(chan struct{}, 1)}}
	t.mu.Lock()
	defer t.mu.Unlock()
	v := deliveryOf(d, ps, t.largest, t.hasLargest)
	v.since = t.number
	s.delivery.Store(v)
	t.subs = append(slices.Clip(t.subs), s)
	t.wake()
	return s, t.largest, t.hasLargest
}

// goesOn reports whether the subscription has not ended.
func (s *subscriber) goesOn() bool {
	select {
	case <-s.gone:
		return false
	default:
	}
	return s.pub == nil || s.pub.Context().Err() == nil
}

// heldForgiven says which part of the time since then is taken off what a subscriber has held up: a tenth.
const heldForgiven = 10

// holdsUp notes that a write has waited for this subscriber alone. What it has held up before is forgotten bit by bit,
// so that pauses now and then do not add up.
func (s *subscriber) holdsUp(waited time.Duration) {
	now := time.Now().UnixNano()
	since := now - s.heldAt.Swap(now)
	s.held.Store(max(0, s.held.Load()-since/heldForgiven) + int64(waited))
}

// serves reports whether a session has a subscription.
func (t *Published) serves(session *moqt.Session) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.subs, func(s *subscriber) bool {
		return s.request != nil &&
			s.request.Session() == session
	})
}

// leave takes it off again, and ends what it had. It does nothing the second time.
func (s *subscriber) leave() {
	t := s.t
	t.mu.Lock()
	i := slices.Index(t.subs, s)
	if i >= 0 {
		t.subs = slices.Delete(slices.Clone(t.subs), i, i+1)
		t.wake()
	}
	t.mu.Unlock()
	if i < 0 {
		return
	}
	s.mu.Lock()
	s.ending = true
	close(s.gone)
	outlets := s.outlets
	s.outlets = nil
	s.mu.Unlock()
	for o := range outlets {
		o.reset(moqt.ResetCancelled)
	}
}

// Asks reports whether a request is a SUBSCRIBE, a FETCH (also a joining one) or a TRACK_STATUS for this track.
func (t *Published) Asks(r *moqt.Request) bool {
	ns, name := r.TrackNamespace(), r.TrackName()
	switch r.Kind() {
	case wire.KindFetch:
		q, err := r.FetchRange()
		if err != nil {
			return false
		}
		ns, name = q.TrackNamespace, q.TrackName
	case wire.KindSubscribe, wire.KindTrackStatus:
	default:
		return false
	}
	return ns.Equal(t.ns) && name == t.name
}

// Serve answers a request for the track. It returns when the subscription, or the stream of a FETCH, has ended. The
// error says how a subscription ended, unless it ended with PUBLISH_DONE, or why no answer could be given. A request
// that is not for this track is an error, and is not answered.
func (t *Published) Serve(ctx context.Context, r *moqt.Request) error {
	if !r.Incoming() || !t.Asks(r) {
		return fmt.Errorf("%s %d is not for the track %q", r.Kind(), r.ID(), t.name)
	}
	switch r.Kind() {
	case wire.KindFetch:
		return t.serveFetch(ctx, r)
	case wire.KindTrackStatus:
		return t.serveStatus(ctx, r)
	}
	return t.serveSubscribe(ctx, r)
}

func (t *Published) serveSubscribe(ctx context.Context, r *moqt.Request) error {
	d := r.Session().Draft()
	ps := r.Parameters()
	if f, _ := ps.Filter(); f.Form == wire.FilterGroupEnd && d <= wire.Draft19 {
		if largest, ok := t.Largest(); ok && f.EndGroup < largest.Group { // draft-19 §5.1.2
			return r.Reject(ctx, moqt.RejectInvalidRange, "the whole range has been published already: use FETCH")
		}
	}
	// draft-16 §5.1; up to 15 the session closes, and from 19 on there may be several
	if d >= wire.Draft16 && d <= wire.Draft18 && t.serves(r.Session()) {
		return r.Reject(ctx, moqt.RejectDuplicateSubscription, "the session has a subscription to this track")
	}
	s, largest, has := t.join(r, d, ps)
	ok := &wire.SubscribeOK{}
	t.describe(d, wire.KindSubscribeOK, ps, &ok.Parameters, &ok.Properties)
	if has {
		ok.Parameters.SetLargest(largest)
	}
	pub, err := r.AcceptSubscribe(ctx, ok, moqt.ManualUpdates())
	if err != nil {
		s.leave()
		close(s.ready)
		return err
	}
	s.pub = pub
	if p, asked := r.AskedParameters().Get(wire.ParamFillParameters); asked {
		s.fill(r.ID(), p.Inner, largest, has)
	}
	close(s.ready)
	if group, asked := r.AskedParameters().Uint(wire.ParamNewGroupRequest); asked && t.opts.NewGroup != nil {
		t.opts.NewGroup(group)
	}
	return s.serve()
}

// Publish offers the track to a peer with PUBLISH and serves the subscription in the background. ps are the parameters
// of PUBLISH. Objects are sent at once, unless FORWARD is 0 (draft-19 §5.1). It waits for PUBLISH_OK; the error is that
// of Session.Publish. The subscription ends with the track, or with Publication.Request().Cancel.
func (t *Published) Publish(ctx context.Context, session *moqt.Session, ps wire.Parameters) (*moqt.Publication, error) {
	s, largest, has := t.join(nil, session.Draft(), ps)
	m := &wire.Publish{TrackNamespace: t.ns, TrackName: t.name, Parameters: ps.Clone()}
	t.describe(session.Draft(), wire.KindPublish, nil, &m.Parameters, &m.Properties)
	if has {
		m.Parameters.SetLargest(largest)
	}
	pub, err := session.StartPublish(ctx, m, moqt.ManualUpdates())
	if err != nil {
		s.leave()
		close(s.ready)
		return nil, err
	}
	t.mu.Lock()
	s.pub, s.request = pub, pub.Request()
	t.mu.Unlock()
	close(s.ready)
	err = pub.Ready(ctx)
	if err == nil {
		if session.Draft() <= wire.Draft19 { // PUBLISH_OK says what is wanted
			s.apply(pub.Parameters())
		}
		if !session.Go(func() { _ = s.serve() }) {
			err = context.Cause(session.Context())
		}
	}
	if err != nil {
		pub.Request().Cancel(moqt.ResetCancelled)
		s.leave()
		return nil, err
	}
	return pub, nil
}

// serve answers updates until the subscription is over.
func (s *subscriber) serve() error {
	defer s.leave()
	for {
		u, err := s.pub.NextUpdate(context.Background())
		if err != nil {
			<-s.pub.Context().Done()
			if err == io.EOF {
				return nil
			}
			return err
		}
		if s.update(u) != nil {
			continue // the end follows
		}
	}
}

// update takes over an update: what it says holds from the answer's Largest Object on.
func (s *subscriber) update(u *moqt.Update) error {
	before := s.delivery.Load().forward
	largest, has := s.apply(u.Message.Parameters)
	ok := &wire.RequestOK{}
	if has {
		ok.Parameters.SetLargest(largest)
	}
	ctx := s.pub.Context()
	if err := u.Accept(ctx, ok); err != nil {
		return err
	}
	now := s.delivery.Load().forward
	if s.t.opts.NotifyState && now != before && s.draft >= wire.Draft20 {
		var ps wire.Parameters
		ps.SetUint(wire.ParamForward, 0)
		if now {
			ps.SetUint(wire.ParamForward, 1)
		}
		if has {
			ps.SetLargest(largest)
		}
		if err := s.pub.Notify(ctx, ps); err != nil {
			return err
		}
	}
	if group, asked := u.Message.Parameters.Uint(wire.ParamNewGroupRequest); asked && s.t.opts.NewGroup != nil {
		s.t.opts.NewGroup(group)
	}
	if p, asked := u.Message.Parameters.Get(wire.ParamFillParameters); asked {
		s.fill(u.Message.RequestID, p.Inner, largest, has)
	}
	return nil
}

// apply resolves changed parameters against the track as it is, and gives its Largest Object.
func (s *subscriber) apply(changed wire.Parameters) (largest wire.Location, has bool) {
	t := s.t
	ps := moqt.MergeParameters(s.pub.Parameters(), changed)
	t.mu.Lock()
	defer t.mu.Unlock()
	s.delivery.Store(s.delivery.Load().next(s.draft, ps, changed, t.largest, t.hasLargest, t.number))
	t.wake()
	return t.largest, t.hasLargest
}

// await waits until pub is set, or will not be.
func (s *subscriber) await(ctx context.Context) error {
	select {
	case <-s.ready:
		return nil
	default:
	}
	select {
	case <-s.ready:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// open opens a stream, which a goroutine of the subscriber writes. Without outlet and error the subscription is over.
func (s *subscriber) open(ctx context.Context, stall time.Duration, h wire.SubgroupHeader, timeout,
	lifetime time.Duration) (*outlet, error) {
	if err := s.await(ctx); err != nil || s.pub == nil {
		return nil, err
	}
	opening := ctx
	if stall > 0 {
		var cancel context.CancelFunc
		opening, cancel = context.WithTimeoutCause(ctx, stall, errStalled)
		defer cancel()
	}
	waited, err := s.leaving.wait(opening, s.gone)
	var w *moqt.SubgroupWriter
	if err == nil {
		w, err = s.pub.OpenSubgroup(opening, h)
	}
	switch {
	case err == nil:
	case s.pub.Context().Err() != nil:
		return nil, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case unencodableError(err):
		return nil, err
	case opening.Err() != nil: // the peer's stream limit
		s.abandon()
		return nil, nil
	default:
		return nil, nil
	}
	o := newOutlet(w, &s.streams, &s.leaving, timeout, lifetime)
	o.waited = waited
	s.mu.Lock()
	over := s.ending
	if !over {
		s.outlets[o] = struct{}{}
		s.streams.Add(1)
	}
	s.mu.Unlock()
	if over {
		o.reset(moqt.ResetCancelled)
		return nil, nil
	}
	select {
	case s.idle <- o:
	default:
		if !s.pub.Session().Go(func() { s.write(o) }) {
			o.reset(moqt.ResetCancelled)
			o.leave()
			close(o.ended)
		}
	}
	return o, nil
}

// write writes one stream after the other.
func (s *subscriber) write(o *outlet) {
	for {
		o.run()
		s.mu.Lock()
		delete(s.outlets, o)
		s.streams.Add(-1)
		s.mu.Unlock()
		select {
		case o = <-s.idle:
		case <-s.gone:
			return
		}
	}
}

// finish ends the subscription with PUBLISH_DONE behind its last stream. When ctx ends before, the streams that are
// left are reset.
func (s *subscriber) finish(ctx context.Context, code moqt.DoneCode, reason string) {
	if s.await(ctx) != nil || s.pub == nil {
		return
	}
	s.mu.Lock()
	first := !s.ending
	s.ending = true
	var outlets []*outlet
	for o := range s.outlets {
		outlets = append(outlets, o)
	}
	fills := s.fills
	s.mu.Unlock()
	if !first {
		return
	}
	for _, o := range outlets {
		o.end()
	}
	for _, o := range outlets {
		select {
		case <-o.ended:
		case <-ctx.Done():
			o.reset(moqt.ResetCancelled)
		case <-s.pub.Context().Done():
			return
		}
	}
	for _, f := range fills {
		select {
		case <-f:
		case <-ctx.Done():
		case <-s.pub.Context().Done():
			return
		}
	}
	if ctx = context.WithoutCancel(ctx); s.pub.Done(ctx, code, reason) != nil {
		_ = s.pub.Abandon(ctx, code, reason) // a fill is still on its way
	}
	s.leave()
}

// finishLater is finish without waiting.
func (s *subscriber) finishLater(code moqt.DoneCode, reason string) {
	if over(s.ready) && s.pub != nil {
		s.pub.Session().Go(func() { s.finish(s.pub.Context(), code, reason) })
	}
}

// abandon ends a subscription that takes nothing (draft-19 §8).
func (s *subscriber) abandon() {
	s.leave()
	s.pub.Session().Go(func() {
		_ = s.pub.Abandon(s.pub.Session().Context(), moqt.DoneTooFarBehind,
			errStalled.Error())
	})
}

var errNotKept = errors.New("nothing of the track is kept")
