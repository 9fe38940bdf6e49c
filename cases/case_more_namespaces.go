package cases

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Namespaces: how they match, which subscriptions of them exclude each other, and tracks that come by PUBLISH.

// namespaceCase is a case of them.
func namespaceCase(id, title string, first wire.Draft, roles, faults []string,
	run func(ctx context.Context, e *Env) error, topics ...wire.Topic) Case {
	return Case{
		ID: id, Title: title, Topics: append([]wire.Topic{wire.TopicSubscribeNamespace, wire.TopicNamespaceDiscovery},
			topics...), First: first,
		Level: Must, Suite: SuiteAll, Tags: []string{"namespace"}, Roles: roles, Timeout: caseLimit, Faults: faults,
		Run: run,
	}
}

// subscribeNamespaces asks for the namespaces under a prefix; the case is skipped when the relay does not support that.
func (s *Session) subscribeNamespaces(ctx context.Context, prefix wire.TrackNamespace) *moqt.NamespaceSubscription {
	n, err := s.SubscribeNamespace(ctx, prefix, s.e.Parameters())
	s.skipUnsupported(err)
	s.Check(ctx, err, transport.LayerRequest, s.okName(wire.KindSubscribeNamespace)+" for SUBSCRIBE_NAMESPACE")
	return n
}

var namespaceOverlap = namespaceCase("namespace-overlap", "a second SUBSCRIBE_NAMESPACE whose prefix overlaps is "+
	"refused with PREFIX_OVERLAP, another one is not", 0,
	[]string{"subscriber"}, []string{"overlap-accepted"},
	func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "subscriber")
		step, cancel := e.Step(ctx)
		defer cancel()
		s.subscribeNamespaces(step, e.Namespace("a"))
		for _, ns := range []wire.TrackNamespace{e.Namespace("a"), e.Namespace("a", "b"), e.Namespace()} {
			_, err := s.SubscribeNamespace(step, ns, e.Parameters())
			s.wantRefusal(step, err, wire.KindSubscribeNamespace, wire.NamePrefixOverlap,
				fmt.Sprintf("%s for the prefix %q beside %q", s.okName(wire.KindSubscribeNamespace), ns,
					e.Namespace("a")))
		}
		_, err := s.SubscribeNamespace(step, e.Namespace("ab"), e.Parameters())
		s.Check(step, err, transport.LayerRequest, fmt.Sprintf("%s for the prefix %q, which has nothing to do with %q",
			s.okName(wire.KindSubscribeNamespace), e.Namespace("ab"), e.Namespace("a")))
		return nil
	}, wire.TopicRequestError)

var tracksOverlap = namespaceCase("tracks-overlap", "SUBSCRIBE_TRACKS excludes SUBSCRIBE_TRACKS with an overlapping "+
	"prefix, but not SUBSCRIBE_NAMESPACE", wire.Draft18,
	[]string{"subscriber"}, []string{"overlap-accepted", "overlap-across-kinds"},
	func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "subscriber")
		step, cancel := e.Step(ctx)
		defer cancel()
		_, err := s.SubscribeTracks(step, e.Namespace("a"), e.Parameters())
		s.skipUnsupported(err)
		s.Check(step, err, transport.LayerRequest, s.okName(wire.KindSubscribeTracks)+" for SUBSCRIBE_TRACKS")
		_, err = s.SubscribeTracks(step, e.Namespace("a", "b"), e.Parameters())
		s.wantRefusal(step, err, wire.KindSubscribeTracks, wire.NamePrefixOverlap,
			fmt.Sprintf("%s for the prefix %q beside %q", s.okName(wire.KindSubscribeTracks), e.Namespace("a", "b"),
				e.Namespace("a")))
		s.subscribeNamespaces(step, e.Namespace("a"))
		return nil
	}, wire.TopicSubscribeTracks, wire.TopicRequestError)

var namespaceMatching = namespaceCase("namespace-matching", "a prefix matches whole fields: namespaces from before "+
	"and after the subscription, and no others", 0,
	[]string{"publisher", "subscriber"}, []string{"namespace-silent", "namespace-wrong-suffix"}, runNamespaceMatching,
	wire.TopicNamespace, wire.TopicPublishNamespace)

// runNamespaceMatching: who subscribes to "live" is told of "live" and "live"/"a", which are there, and of "live"/"b",
// which comes, and not of "livestream" (draft-18 §9.5).
func runNamespaceMatching(ctx context.Context, e *Env) error {
	source := e.Dial(ctx, "publisher")
	step, cancel := e.Step(ctx)
	defer cancel()
	source.Announce(step, e.Namespace("live"))
	source.Announce(step, e.Namespace("livestream"))
	source.Announce(step, e.Namespace("live", "a"))
	s := e.Dial(ctx, "subscriber")
	n := s.subscribeNamespaces(step, e.Namespace("live"))
	source.Announce(step, e.Namespace("livestream", "b"))
	source.Announce(step, e.Namespace("live", "b"))

	published := []wire.TrackNamespace{e.Namespace("live"), e.Namespace("live", "a"), e.Namespace("live", "b")}
	missing := map[string]wire.TrackNamespace{}
	for _, ns := range published {
		missing[ns.Key()] = ns
	}
	take := func(ctx context.Context, expected string) bool {
		news, err := n.Next(ctx)
		if err != nil {
			return false
		}
		key := news.Namespace.Key()
		_, wanted := missing[key]
		switch {
		case news.Done || !slices.ContainsFunc(published, news.Namespace.Equal):
			e.Fail(transport.LayerRequest, expected, newsText(s.Draft(), news.Namespace, news.Done))
		case !wanted:
			e.Note("%s came more than once", newsText(s.Draft(), news.Namespace, false))
		}
		delete(missing, key)
		return true
	}
	step, cancel = e.Step(ctx)
	defer cancel()
	for len(missing) > 0 {
		var next wire.TrackNamespace
		for _, next = range missing {
			break
		}
		expected := newsText(s.Draft(), next, false)
		if !take(step, expected) {
			s.Check(step, context.Cause(step), transport.LayerRequest, expected)
		}
	}
	quiet, cancel := context.WithTimeout(ctx, lateTime)
	defer cancel()
	for take(quiet, fmt.Sprintf("news of namespaces under %q alone", e.Namespace("live"))) {
	}
	s.Healthy(ctx, transport.LayerRequest)
	return nil
}

var namespaceRouting = namespaceCase("namespace-routing", "a SUBSCRIBE reaches the publisher of a prefix of its "+
	"namespace, and no other", 0,
	[]string{"publisher", "subscriber"}, []string{"route-nowhere", "subscribe-ok-without-publisher",
		"namespace-prefix-as-text"}, runNamespaceRouting, wire.TopicSubscribe)

// runNamespaceRouting: the namespace "live" of the publisher stands for "live"/"studio", and not for "livestream".
func runNamespaceRouting(ctx context.Context, e *Env) error {
	source := e.Dial(ctx, "publisher")
	step, cancel := e.Step(ctx)
	defer cancel()
	source.Announce(step, e.Namespace("live"))
	p := source.publisher(e.Namespace("live", "studio"), e.TrackName())
	other := source.publisher(e.Namespace("livestream"), e.TrackName())
	s := e.Dial(ctx, "subscriber")
	s.SubscribeTo(step, p)
	source.Check(step, p.waitSubscribed(step), transport.LayerRequest,
		"SUBSCRIBE at the publisher (the subscriber has SUBSCRIBE_OK)")
	_, err := s.Subscribe(step, s.subscribeMessage(other.ns, other.name))
	s.wantUnknown(step, err, wire.KindSubscribe,
		fmt.Sprintf("SUBSCRIBE_OK for namespace %q, which nobody has published", other.ns))
	if saw := other.saw(); saw != "no request for the track" {
		e.Fail(transport.LayerRequest, fmt.Sprintf("no request for namespace %q at the publisher of %q", other.ns,
			e.Namespace("live")), saw)
	}
	return nil
}

var subscribeTracks = Case{
	ID: "subscribe-tracks", Title: "who subscribes to the tracks of a namespace gets the PUBLISH of a track that " +
		"comes later, and its objects",
	Topics: []wire.Topic{wire.TopicSubscribeTracks, wire.TopicSubscribeNamespace, wire.TopicPublish,
		wire.TopicPublishOK},
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "namespace", "publish"},
	Roles: []string{"publisher", "subscriber"}, Timeout: caseLimit,
	Faults: []string{"tracks-silent", "publish-not-routed", "drop-object", "corrupt-payload"},
	Run:    runSubscribeTracks,
}

// runSubscribeTracks: SUBSCRIBE_TRACKS, up to 17 SUBSCRIBE_NAMESPACE, then PUBLISH, its acceptance with Forward State
// 1, and objects.
func runSubscribeTracks(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "subscriber")
	publishes := s.peer.expectPublishes()
	step, cancel := e.Step(ctx)
	defer cancel()
	request := "SUBSCRIBE_TRACKS"
	if s.Draft() <= wire.Draft17 {
		request = "SUBSCRIBE_NAMESPACE"
	}
	_, err := s.SubscribeTracks(step, e.Namespace(), e.Parameters())
	s.skipUnsupported(err)
	s.Check(step, err, transport.LayerRequest, "an OK for "+request)

	source := e.Dial(ctx, "publisher")
	p := source.publisher(e.Namespace("studio"), e.TrackName())
	step, cancel = e.Step(ctx)
	defer cancel()
	offered := p.offerBeside(ctx)
	r := s.published(step, publishes, p, "PUBLISH")
	ok := &wire.RequestOK{}
	// from 20 on only what changes is said, in an update
	if s.Draft() <= wire.Draft19 || r.Parameters().UintOr(wire.ParamForward, 1) == 0 {
		ok.Parameters.SetUint(wire.ParamForward, 1)
	}
	sub, err := r.AcceptPublish(step, ok)
	s.Check(step, err, transport.LayerRequest, "a PUBLISH that can be accepted")
	offered(ctx)
	l := pastGroups(e, 0, 1)
	k := newChecker(l, checks{})
	read := s.read(ctx, "PUBLISH", k, sub.Next)
	p.flowing(ctx)
	s.Healthy(ctx, transport.LayerRequest) // PUBLISH_OK has reached the relay
	e.Go(ctx, func(ctx context.Context) { p.emit(ctx, l, objectPace) })
	step, cancel = e.Step(ctx)
	defer cancel()
	s.gather(step, k, read)
	p.end()
	s.exact(ctx, k, lateTime, read)
	return nil
}

// offerBeside publishes the track itself beside the case: a relay may ask its subscribers first. The function that it
// gives waits until the relay has accepted it.
func (p *publisher) offerBeside(ctx context.Context) func(ctx context.Context) {
	done := make(chan struct{})
	p.s.e.Go(ctx, func(ctx context.Context) {
		step, cancel := p.s.e.Step(ctx)
		defer cancel()
		p.offer(step)
		close(done)
	})
	return func(ctx context.Context) {
		select {
		case <-done:
		case <-ctx.Done():
			p.s.Check(ctx, context.Cause(ctx), transport.LayerRequest, p.s.okName(wire.KindPublish)+" for PUBLISH")
		}
	}
}

// published waits for the PUBLISH of a track.
func (s *Session) published(ctx context.Context, publishes <-chan *moqt.Request, p *publisher,
	what string) *moqt.Request {
	expected := what + " of " + fullName(p.ns, p.name)
	select {
	case r := <-publishes:
		if !r.TrackNamespace().Equal(p.ns) || r.TrackName() != p.name {
			s.e.Fail(transport.LayerRequest, expected, "PUBLISH of "+fullName(r.TrackNamespace(), r.TrackName()))
		}
		return r
	case <-s.Context().Done():
		s.Check(ctx, context.Cause(s.Context()), transport.LayerRequest, expected)
	case <-ctx.Done():
		s.Check(ctx, context.Cause(ctx), transport.LayerRequest, expected)
	}
	return nil
}

var subscribeTracksPaused = Case{
	ID: "subscribe-tracks-paused", Title: "SUBSCRIBE_TRACKS with Forward State 0 leads to a PUBLISH with Forward " +
		"State 0, and to no objects",
	Topics: []wire.Topic{wire.TopicSubscribeTracks, wire.TopicPublish}, First: wire.Draft18,
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "namespace", "publish"},
	Roles: []string{"publisher", "subscriber", "tracker"}, Timeout: caseLimit,
	Faults: []string{"tracks-silent", "forward-ignored"},
	Run:    runSubscribeTracksPaused,
}

func runSubscribeTracksPaused(ctx context.Context, e *Env) error {
	p := announced(ctx, e)
	l := pastGroups(e, 0, 1)
	step, cancel := e.Step(ctx)
	defer cancel()
	s := e.Dial(ctx, "tracker")
	publishes := s.peer.expectPublishes()
	_, err := s.SubscribeTracks(step, e.Namespace(), with(e.Parameters(), parameter(wire.ParamForward, 0)))
	s.skipUnsupported(err)
	s.Check(step, err, transport.LayerRequest, "an OK for SUBSCRIBE_TRACKS")
	offered := p.offerBeside(ctx)
	const expected = "PUBLISH with Forward State 0"
	r := s.published(step, publishes, p, expected)
	if r.Parameters().UintOr(wire.ParamForward, 1) != 0 {
		e.Fail(transport.LayerRequest, expected, "PUBLISH with Forward State 1")
	}
	ok := &wire.RequestOK{}
	if s.Draft() <= wire.Draft19 { // where PUBLISH_OK says it, and means 1 when it does not
		ok.Parameters.SetUint(wire.ParamForward, 0)
	}
	_, err = r.AcceptPublish(step, ok)
	s.Check(step, err, transport.LayerRequest, "a PUBLISH that can be accepted")
	offered(ctx)
	a := attend(ctx, "subscriber", p, l, checks{})
	p.flowing(ctx)
	e.Go(ctx, func(ctx context.Context) { p.emit(ctx, l, objectPace) })
	a.served(ctx)
	e.Sleep(ctx, lateTime)
	if n := s.log.data(); n > 0 {
		e.Fail(transport.LayerData, "no objects with Forward State 0",
			fmt.Sprintf("%d streams or datagrams within %d ms", n, lateTime/time.Millisecond))
	}
	return nil
}
