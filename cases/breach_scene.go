package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// scene is one breach as it happens: the offender, the innocent session beside it, and what the acts refer to.
type scene struct {
	e *Env // nil against a client
	b *breach
	x *offender
	// innocent is the session that must not notice; publisher is the track's, where the offender subscribes.
	innocent  *Session
	publisher *Publisher
	follower  *Subscriber

	namespace wire.TrackNamespace
	track     string
	// mine is the offender's own request: its SUBSCRIBE, PUBLISH_NAMESPACE or SUBSCRIBE_NAMESPACE.
	mine *asked
	// theirs is the peer's: its SUBSCRIBE or FETCH for the offender's track.
	theirs *asked
	alias  uint64
	// followed is the innocent's subscription to the offender's track; streams is what the innocent session gets of
	// the offender's track, arrived how many objects so far.
	followed *moqt.Subscription
	streams  *Streams
	arrived  int
	// begun: nobody has become a client by its setup message.
	begun bool
	// offending: the good twin is behind us.
	offending bool
	// twins counts acts, for names that must differ.
	twins int
}

func (s *scene) draft() wire.Draft { return s.x.draft }

// another is a namespace that no other act of the case uses.
func (s *scene) another() wire.TrackNamespace {
	s.twins++
	return s.namespace.Join(fmt.Sprint("n", s.twins))
}

// enter makes the sessions and brings the offender into its role.
func (s *scene) enter(ctx context.Context) {
	e, d := s.e, wire.Draft(0)
	s.namespace, s.track = e.Namespace(), e.TrackName()
	switch s.b.as {
	case asSubscriber:
		s.publisher = e.Announced(ctx)
		s.follower = e.Follow(ctx, "innocent", s.publisher, e.Groups(0, 0), Checks{})
		s.innocent = s.follower.Session
		s.namespace, s.track = s.publisher.Namespace, s.publisher.Name
	default:
		s.innocent = e.Dial(ctx, "innocent")
		s.asks(ctx, "an answer to the innocent's first request")
	}
	d = s.innocent.Draft()
	if s.b.needsTokens && s.innocent.tokenBytes() < 3*(tokenOverhead+1) {
		e.NotApplicable("the relay stores no tokens (MAX_AUTH_TOKEN_CACHE_SIZE %d)", s.innocent.tokenBytes())
	}
	s.dial(ctx, d)
	step, cancel := e.Step(ctx)
	defer cancel()
	switch s.b.as {
	case asSubscriber:
		s.subscribe(step)
	case asPublisher, asFetched:
		s.announce(step)
		if s.b.as == asFetched {
			s.fetched(ctx)
		} else {
			s.follow(ctx)
		}
	case asAsked:
		s.announce(step)
		s.asked(ctx)
	case asWatcher:
		s.watch(step)
	case asOffered:
		s.offered(ctx)
	}
}

// dial makes the offender's connection, and its session unless it is nobody's.
func (s *scene) dial(ctx context.Context, d wire.Draft) {
	e := s.e
	done := e.clock.dial()
	defer done()
	hand, cancel := e.handshake(ctx)
	defer cancel()
	conn, about := e.connect(hand, "offender", e.cfg.drafts())
	s.x = newOffender(conn, d, wire.ClientSide, func(text string) {
		e.transcript.add(time.Now(), "offender", e.hide(text))
	})
	if s.b.as == asNobody {
		return
	}
	if err := s.x.setup(hand, s.address()...); err != nil {
		s.fail(hand, err, transport.LayerSetup, "SETUP from the peer")
	}
	e.mu.Lock()
	about.setDraft(d)
	about.Ready = true
	e.mu.Unlock()
}

// address is PATH and AUTHORITY where the transport does not carry them (draft-18 §10.3.1).
func (s *scene) address() []wire.Property {
	u := s.e.cfg.URL
	if s.x.conn.Info().Kind == transport.WebTransport || u.Path == "" && u.Authority == "" {
		return nil
	}
	ps := []wire.Property{{Type: wire.OptionPath, Bytes: []byte(u.Path)}}
	if u.Authority != "" {
		ps = append(ps, wire.Property{Type: wire.OptionAuthority, Bytes: []byte(u.Authority)})
	}
	return ps
}

// fail ends the case for what went wrong with the offender's session.
func (s *scene) fail(ctx context.Context, err error, layer transport.Layer, expected string) {
	if o := s.e.lossOf(); o != nil { // the innocent's counts more
		panic(o.metBy(layer, expected))
	}
	if end := s.x.ended(); end != nil {
		panic(s.closing(end, layer, expected))
	}
	if errors.Is(err, context.DeadlineExceeded) && s.e.open.Err() == nil {
		o := failed(layer, expected, "nothing in time")
		o.timeout = true
		panic(o)
	}
	if errors.Is(err, io.EOF) {
		panic(failed(layer, expected, "nothing but the end of the request's stream"))
	}
	panic(s.e.classify(ctx, err, s.innocent, layer, expected))
}

// closing is the failure of an offender's session that ended otherwise than it should have.
func (s *scene) closing(end *transport.CloseError, layer transport.Layer, expected string) *outcome {
	session := &moqt.SessionError{Draft: s.draft(), Code: wire.SessionError(end.Code), Reason: end.Reason, Err: end}
	if end.Remote && !end.Transport && !end.Timeout {
		session.Side = wire.ServerSide
	}
	if end.Timeout || end.Gone {
		layer = transport.LayerUDP
	}
	o := failed(layer, expected, closing(session, s.draft()))
	o.lost = end.Timeout || end.Gone
	return o
}

// subscribe subscribes the offender to the innocent publisher's track.
func (s *scene) subscribe(ctx context.Context) {
	s.mine = s.granted(ctx, s.subscribeTo(s.namespace, s.track, s.b.subscribes...), "SUBSCRIBE_OK")
}

func (s *scene) subscribeMessage(ns wire.TrackNamespace, name string) *wire.Subscribe {
	return &wire.Subscribe{RequestID: s.x.id(), TrackNamespace: ns, TrackName: name, Parameters: s.parameters()}
}

// parameters are what every request carries.
func (s *scene) parameters() wire.Parameters {
	if s.e == nil {
		return nil
	}
	return s.e.Parameters()
}

// granted sends a request that the peer must accept for the case to go on.
func (s *scene) granted(ctx context.Context, m wire.Message, expected string) *asked {
	q, err := s.x.request(ctx, m)
	var answer wire.Message
	if err == nil {
		answer, err = s.x.answer(ctx, q)
	}
	if err != nil {
		s.fail(ctx, err, transport.LayerRequest, expected)
	}
	if no, ok := answer.(*wire.RequestError); ok {
		refused := s.refusal(m.Kind(), no)
		s.innocent.SkipUnsupported(refused)
		s.e.Fail(transport.LayerRequest, expected, RefusalText(refused))
	}
	return q
}

// refusal is a request error of the peer's.
func (s *scene) refusal(kind wire.Kind, no *wire.RequestError) *moqt.RequestError {
	return requestError(s.draft(), kind, no)
}

// announce announces the offender's namespace.
func (s *scene) announce(ctx context.Context) {
	s.mine = s.granted(ctx, &wire.PublishNamespace{RequestID: s.x.id(), TrackNamespace: s.namespace,
		Parameters: s.parameters()}, "an OK for PUBLISH_NAMESPACE")
}

// watch subscribes the offender to a namespace prefix.
func (s *scene) watch(ctx context.Context) {
	s.mine = s.granted(ctx, &wire.SubscribeNamespace{RequestID: s.x.id(), Prefix: s.namespace,
		Options: s.namespacesOnly(), Parameters: s.parameters()}, "an OK for SUBSCRIBE_NAMESPACE")
}

// offered asks for the tracks of a namespace, and has the innocent session publish one. The peer's PUBLISH of it is
// left
// unanswered.
func (s *scene) offered(ctx context.Context) {
	step, cancel := s.e.Step(ctx)
	defer cancel()
	id, ps := s.x.id(), s.parameters()
	var m wire.Message = &wire.SubscribeTracks{RequestID: id, Prefix: s.namespace, Parameters: ps}
	if s.draft() <= wire.Draft17 {
		m = &wire.SubscribeNamespace{RequestID: id, Prefix: s.namespace, Parameters: ps}
	}
	s.mine = s.granted(step, m, "an OK for "+wire.NameOf(s.draft(), m))
	s.innocent.Publisher(s.namespace, s.track).OfferBeside(ctx)
	q, _, err := s.x.incoming(step, func(m wire.Message) bool {
		p, ok := m.(*wire.Publish)
		return ok && p.TrackName == s.track
	})
	if err != nil {
		s.fail(step, err, transport.LayerRequest, "PUBLISH at the subscriber")
	}
	s.theirs = q
}

func (s *scene) namespacesOnly() uint64 {
	if s.x.draft <= wire.Draft17 {
		return wire.SubscribeNamespaces
	}
	return 0
}

// follow has the innocent session subscribe to the offender's track, which the offender accepts.
func (s *scene) follow(ctx context.Context) {
	done := make(chan error, 1)
	var sub *moqt.Subscription
	s.e.Go(ctx, func(ctx context.Context) {
		var err error
		sub, err = s.innocent.Subscribe(ctx, s.innocent.SubscribeMessage(s.namespace, s.track))
		done <- err
	})
	step, cancel := s.e.Step(ctx)
	defer cancel()
	q, _, err := s.x.incoming(step, func(m wire.Message) bool {
		sub, ok := m.(*wire.Subscribe)
		return ok && sub.TrackName == s.track
	})
	if err == nil {
		s.theirs, s.alias = q, 1
		err = s.x.send(q, &wire.SubscribeOK{RequestID: q.id, TrackAlias: s.alias})
	}
	if err != nil {
		s.fail(step, err, transport.LayerRequest, "SUBSCRIBE at the publisher")
	}
	select {
	case err = <-done:
	case <-step.Done():
		err = context.Cause(step)
	}
	s.innocent.Check(ctx, err, transport.LayerRequest, "SUBSCRIBE_OK at the innocent")
	s.followed, s.streams = sub, s.innocent.Watch(ctx, sub)
}

// asked has the innocent session subscribe to the offender's track, and leaves the peer's SUBSCRIBE unanswered.
func (s *scene) asked(ctx context.Context) {
	s.e.Go(ctx, func(ctx context.Context) {
		_, _ = s.innocent.Subscribe(ctx, s.innocent.SubscribeMessage(s.namespace, s.track))
	})
	step, cancel := s.e.Step(ctx)
	defer cancel()
	q, _, err := s.x.incoming(step, func(m wire.Message) bool {
		sub, ok := m.(*wire.Subscribe)
		return ok && sub.TrackName == s.track
	})
	if err != nil {
		s.fail(step, err, transport.LayerRequest, "SUBSCRIBE at the publisher")
	}
	s.theirs = q
}

// arrive waits until the innocent session has got one more object. Not all that is no breach brings one.
func (s *scene) arrive(ctx context.Context) {
	step, cancel := s.e.Within(ctx, promptTime)
	defer cancel()
	s.streams.Wait(step, func() bool { return len(s.streams.Arrivals) > s.arrived })
	s.streams.Wait(ctx, func() bool {
		s.arrived = len(s.streams.Arrivals)
		return true
	})
}

// fetchedGroup is the first of two groups that the peer fetches from an offender.
const fetchedGroup = 5

// fetched has the innocent session FETCH from the offender's track what the peer cannot have.
func (s *scene) fetched(ctx context.Context) {
	f := wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: fetchedGroup, EndGroup: fetchedGroup + 1}
	s.e.Go(ctx, func(ctx context.Context) {
		_, _ = s.innocent.StartFetch(ctx, moqt.FetchRequest{TrackNamespace: s.namespace, TrackName: s.track,
			Range: f, Parameters: s.parameters()})
	})
	step, cancel := s.e.Step(ctx)
	defer cancel()
	q, _, err := s.x.incoming(step, func(m wire.Message) bool { return m.Kind() == wire.KindFetch })
	if err != nil && s.x.ended() == nil && step.Err() != nil && ctx.Err() == nil {
		s.e.NotApplicable("the relay passes no FETCH on to a publisher")
	}
	if err != nil {
		s.fail(step, err, transport.LayerRequest, "FETCH at the publisher")
	}
	s.theirs = q
}

// survive does the good twin, and ends the case unless the session goes on.
func (s *scene) survive(ctx context.Context) {
	const expected = "a session that goes on after what is no breach"
	step, cancel := s.e.Step(ctx)
	defer cancel()
	q, err := s.b.good(step, s)
	if err == nil && q != nil {
		_, err = s.x.answer(step, q)
	} else if err == nil && s.streams != nil {
		s.arrive(step)
	}
	if err == nil {
		err = s.alive(step)
	}
	if err != nil {
		s.fail(step, err, transport.LayerRequest, expected)
	}
}

// alive asks the peer for something harmless on the offender's session. Any answer is a sign of life.
func (s *scene) alive(ctx context.Context) error {
	if s.b.as == asNobody && !s.begun {
		return nil
	}
	q, err := s.x.request(ctx, &wire.PublishNamespace{RequestID: s.x.id(), TrackNamespace: s.another(),
		Parameters: s.parameters()})
	if err != nil {
		return err
	}
	_, err = s.x.answer(ctx, q)
	return err
}

// innocence ends the case unless the innocent session has not noticed: it is open, a request of it is answered, and the
// track that the offender subscribed to goes on.
func (s *scene) innocence(ctx context.Context) {
	const expected = "an innocent session that has not noticed"
	s.asks(ctx, expected)
	if s.publisher != nil {
		s.e.Go(ctx, func(ctx context.Context) { s.publisher.Publish(ctx, s.e.Groups(0, 0), 0) })
		s.follower.WaitAll(ctx)
	}
}

// asks has the innocent session make a request, and ends the case unless it is answered.
func (s *scene) asks(ctx context.Context, expected string) {
	step, cancel := s.e.Step(ctx)
	defer cancel()
	_, err := s.innocent.Session.PublishNamespace(step, s.another().Join("innocent"), s.parameters())
	s.innocent.answered(step, err, expected)
}
