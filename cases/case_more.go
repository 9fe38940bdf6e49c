package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// What the cases of the data plane share: a track with its publisher, subscriptions that are held against what was
// published, and streams looked at one by one.

// announced dials the publisher of a track, which may have properties, and publishes its namespace.
func announced(ctx context.Context, e *Env, properties ...wire.Property) *publisher {
	s := e.Dial(ctx, "publisher")
	p := s.publisher(e.Namespace(), e.TrackName())
	p.properties = properties
	step, cancel := e.Step(ctx)
	defer cancel()
	s.Announce(step, p.ns)
	return p
}

// subscribeWith subscribes to a published track with more parameters; the case is skipped when the relay says that it
// supports none of this, and ends when it refuses otherwise.
func (s *Session) subscribeWith(ctx context.Context, p *publisher, more ...wire.Parameter) *moqt.Subscription {
	m := s.subscribeMessage(p.ns, p.name)
	for _, x := range more {
		m.Parameters.Set(x)
	}
	sub, err := s.Session.Subscribe(ctx, m)
	if err != nil {
		s.refused(ctx, err, "SUBSCRIBE_OK at the "+s.Role, p)
	}
	return sub
}

// audience is a subscription of a session of its own, held against what it should bring.
type audience struct {
	*Session
	sub *moqt.Subscription
	k   *checker
	r   *reader
}

// attend dials a subscriber of the track that wants these objects.
func attend(ctx context.Context, role string, p *publisher, want layout, c checks, more ...wire.Parameter) *audience {
	return p.s.e.Dial(ctx, role).attend(ctx, p, want, c, more...)
}

// attend subscribes to the track and wants these objects.
func (s *Session) attend(ctx context.Context, p *publisher, want layout, c checks, more ...wire.Parameter) *audience {
	a := &audience{Session: s, k: newChecker(want, c)}
	step, cancel := s.e.Step(ctx)
	defer cancel()
	a.sub = a.subscribeWith(step, p, more...)
	a.r = a.read(ctx, "SUBSCRIBE", a.k, a.sub.Next)
	return a
}

// served waits until everything wanted has come.
func (a *audience) served(ctx context.Context) {
	step, cancel := a.e.Within(ctx, deliveryLimit)
	defer cancel()
	a.gather(step, a.k, a.r)
}

// reach waits until every wanted object up to a location has come.
func (a *audience) reach(ctx context.Context, end wire.Location) {
	a.reachFrom(ctx, wire.Location{}, end)
}

// reachFrom waits until every wanted object from start to end, inclusive, has come.
func (a *audience) reachFrom(ctx context.Context, start, end wire.Location) {
	step, cancel := a.e.Step(ctx)
	defer cancel()
	if !a.k.waitUntil(step, start, end) {
		a.late(step, fmt.Sprintf("%s at the %s", a.k.want.within(start, end), a.Role), a.k.problem())
	}
}

// exactly ends the case unless what came is what was wanted and nothing else.
func (a *audience) exactly(ctx context.Context) { a.exact(ctx, a.k, lateTime, a.r) }

// quiet waits for what may still come: until the subscription has ended, or no longer than late objects take.
func (a *audience) quiet(ctx context.Context) {
	t := time.NewTimer(lateTime)
	defer t.Stop()
	select {
	case <-a.r.ended:
	case <-t.C:
	case <-ctx.Done():
	}
}

// deliver publishes objects, ends the track and requires that everybody gets exactly what they want.
func deliver(ctx context.Context, p *publisher, l layout, pace time.Duration, to ...*audience) {
	p.s.e.Go(ctx, func(ctx context.Context) { p.publish(ctx, l, pace) })
	for _, a := range to {
		a.served(ctx)
	}
	p.end()
	for _, a := range to {
		a.exactly(ctx)
	}
}

// filled gives n bytes that differ with the location, and from each other but for a period that no packet has.
func filled(n int, group, object uint64) []byte {
	b := make([]byte, n)
	x := uint32(group*31 + object*7 + 1)
	for i := range min(n, fillPeriod) {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	for i := fillPeriod; i < n; i *= 2 {
		copy(b[i:], b[:i])
	}
	return b
}

// fillPeriod is prime.
const fillPeriod = 4093

// namedPayload is a payload that names the run and the location.
func (e *Env) namedPayload(group, object uint64) []byte {
	return fmt.Appendf(nil, "%s object %d of group %d", e.run, object, group)
}

// parameter is an integer parameter, filterBy the LOCATION_FILTER.
func parameter(t wire.ParameterType, v uint64) wire.Parameter {
	return wire.Parameter{Type: t, Uint: v}
}

func filterBy(f wire.LocationFilter) wire.Parameter {
	return wire.Parameter{Type: wire.ParamLocationFilter, Filter: f}
}

// with is a request's parameters with more.
func with(ps wire.Parameters, more ...wire.Parameter) wire.Parameters {
	ps = ps.Clone()
	for _, p := range more {
		ps.Set(p)
	}
	return ps
}

// streams is what a subscription has brought, stream by stream. Safe for concurrent use.
type streams struct {
	mu      sync.Mutex
	changed broadcast
	closed  int // see nothingMore
	all     []*arrived
	// datagrams are objects that came alone, in order of arrival.
	datagrams []*moqt.Object
	// arrivals is every object but those that only say something about the track, in order of arrival over all streams
	// and datagrams.
	arrivals []wire.Location
}

// arrived is one subgroup stream.
type arrived struct {
	id      uint64 // of the QUIC stream: they count up in the order of opening
	header  wire.SubgroupHeader
	objects []*moqt.Object // their payloads are dropped above keepPayload bytes
	// end is nil while it is open, io.EOF for FIN, or how else it ended.
	end error
}

// keepPayload is the longest payload that is kept, in bytes.
const keepPayload = 1024

// watch reads the streams and datagrams of a subscription beside the case.
func (s *Session) watch(ctx context.Context, sub *moqt.Subscription) *streams {
	w := &streams{changed: newBroadcast()}
	s.e.Go(ctx, func(ctx context.Context) {
		for {
			r, err := sub.AcceptSubgroup(ctx)
			if err != nil {
				w.nothingMore()
				return
			}
			s.e.Go(ctx, func(ctx context.Context) { w.read(ctx, s, r) })
		}
	})
	s.e.Go(ctx, func(ctx context.Context) {
		for {
			o, err := sub.AcceptDatagram(ctx)
			if err != nil {
				w.nothingMore()
				return
			}
			w.mu.Lock()
			w.datagrams = append(w.datagrams, o)
			w.arrived(o)
			w.changed.fire()
			w.mu.Unlock()
		}
	})
	return w
}

// nothingMore counts one of the two ways as closed, by stream or by datagram.
func (w *streams) nothingMore() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed++
	w.changed.fire()
}

// arrived notes that an object came. The caller holds the lock.
func (w *streams) arrived(o *moqt.Object) {
	if o.Status == wire.StatusNormal {
		w.arrivals = append(w.arrivals, o.Location())
	}
}

// read takes in one stream.
func (w *streams) read(ctx context.Context, s *Session, r *moqt.SubgroupReader) {
	stop := context.AfterFunc(ctx, func() { r.Stop(moqt.ResetCancelled.Number(s.Draft())) })
	defer stop()
	a := &arrived{id: r.StreamID()}
	w.mu.Lock()
	a.header = r.Header()
	w.all = append(w.all, a)
	w.changed.fire()
	w.mu.Unlock()
	for {
		o := &moqt.Object{}
		err := r.ReadObject(o)
		w.mu.Lock()
		a.header = r.Header()
		if err != nil {
			a.end = err
			w.changed.fire()
			w.mu.Unlock()
			return
		}
		if len(o.Payload) > keepPayload {
			o.Payload = nil
		}
		a.objects = append(a.objects, o)
		w.arrived(o)
		w.changed.fire()
		w.mu.Unlock()
	}
}

// wait waits until cond holds, which is called with the lock held. It reports false when ctx ends before.
func (w *streams) wait(ctx context.Context, cond func() bool) bool {
	for {
		w.mu.Lock()
		ok, changed := cond(), w.changed.wait()
		w.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// finished reports whether a stream has ended with FIN.
func (a *arrived) finished() bool { return errors.Is(a.end, io.EOF) }

// text says how far a stream has come.
func (a *arrived) text(d wire.Draft) string {
	var at []wire.Location
	marks := ""
	for _, o := range a.objects {
		if at = append(at, o.Location()); o.Status != wire.StatusNormal {
			marks += fmt.Sprintf(", %s with status %s", locations(at[len(at)-1:]), o.Status)
		}
	}
	text := fmt.Sprintf("a stream of group %d, subgroup %d with %d objects (%s)%s", a.header.GroupID,
		a.header.SubgroupID, len(at), locations(at), marks)
	var reset *transport.StreamError
	switch {
	case a.end == nil:
		return text + ", still open"
	case a.finished():
		return text + " and FIN"
	case errors.As(a.end, &reset):
		return text + " and " + streamEnd(reset, d)
	}
	return text + ": " + a.end.Error()
}

// describe says in one sentence what came.
func (w *streams) describe(d wire.Draft) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var parts []string
	for _, a := range w.all {
		parts = append(parts, a.text(d))
	}
	for _, o := range w.datagrams {
		parts = append(parts, "datagram "+o.String())
	}
	if len(parts) == 0 {
		return "no stream and no datagram"
	}
	return few(parts)
}

// unsupported reports whether a request was refused with NOT_SUPPORTED.
func (s *Session) unsupported(err error) bool {
	var refused *moqt.RequestError
	if !errors.As(err, &refused) {
		return false
	}
	name, ok := wire.RequestErrorCode(refused.Code).Meaning(s.Draft(), refused.Kind)
	return ok && name == wire.NameNotSupported
}

// wantRefusal ends the case unless a request of a kind was refused with the code that the draft demands. It is skipped
// when the relay does not support the request.
func (s *Session) wantRefusal(ctx context.Context, err error, kind wire.Kind, name wire.ErrorName, accepted string) {
	code, _ := wire.RequestErrorFor(s.Draft(), kind, name)
	expected := fmt.Sprintf("%s %s", wire.NameOf(s.Draft(), &wire.RequestError{Answers: kind}),
		code.In(s.Draft(), kind))
	var refused *moqt.RequestError
	switch {
	case err == nil:
		s.e.Fail(transport.LayerRequest, expected, accepted)
	case s.unsupported(err):
		s.e.Skip("%s: %s", kind, s.e.classify(ctx, err, s, transport.LayerRequest, expected).received)
	case !errors.As(err, &refused) || refused.Code != uint64(code):
		s.Check(ctx, err, transport.LayerRequest, expected)
	}
}

// wantUnknown ends the case unless a request for something that does not exist was refused. The number on the wire
// decides, as in subscribe-error: 0x0 says nothing about the track; any other code refuses it, and is named where it is
// not the draft's own for this.
func (s *Session) wantUnknown(ctx context.Context, err error, kind wire.Kind, accepted string) {
	const expected = "a request error that is not 0x0 INTERNAL_ERROR"
	var refused *moqt.RequestError
	switch {
	case err == nil:
		s.e.Fail(transport.LayerRequest, expected, accepted)
	case s.unsupported(err):
		s.e.Skip("%s: %s", kind, s.e.classify(ctx, err, s, transport.LayerRequest, expected).received)
	case !errors.As(err, &refused) || refused.Code == 0:
		s.Check(ctx, err, transport.LayerRequest, expected)
	}
	want, _ := wire.RequestErrorFor(s.Draft(), kind, wire.NameDoesNotExist)
	if refused.Code == uint64(want) {
		s.e.Annotate("%s", refusal(refused))
	} else {
		s.e.Annotate("%s; the draft's own code for what does not exist is %s", refusal(refused),
			want.In(s.Draft(), kind))
	}
}

// declined reports whether a request was refused for what the relay does not do, or cannot at the moment:
// NOT_SUPPORTED, EXCESSIVE_LOAD, DUPLICATE_SUBSCRIPTION, UNINTERESTED.
func (s *Session) declined(ctx context.Context, err error) (reason string, no bool) {
	var refused *moqt.RequestError
	if !errors.As(err, &refused) {
		return "", false
	}
	name, _ := wire.RequestErrorCode(refused.Code).Meaning(s.Draft(), refused.Kind)
	switch name {
	case wire.NameNotSupported, wire.NameExcessiveLoad, wire.NameDuplicateSubscription, wire.NameUninterested:
		return refusal(refused), true
	}
	return "", false
}
