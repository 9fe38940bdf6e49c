package cases

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Requests that a session makes beside each other, or of what is reserved.

// requestsCase is a case of such requests.
func requestsCase(id, title string, faults []Fault, run func(ctx context.Context, e *Env) error,
	what ...rules.ID) Case {
	return topicCase(id, title, faults, run, what, "requests")
}

var duplicateSubscription = requestsCase("duplicate-subscription",
	"A second subscription to a track is refused with DUPLICATE_SUBSCRIPTION, and the first goes on",
	[]Fault{
		requestFault("duplicate-accepted", "SUBSCRIBE_OK for a second subscription"),
		dataFault("drop-object", "8 of 10 objects came, {0, 0}"),
	}, func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		l := e.Groups(0, 1)
		a := e.Follow(ctx, "subscriber", p, l, Checks{})
		p.WaitForward(ctx)
		step, cancel := e.Step(ctx)
		defer cancel()
		_, err := a.Session.Session.Subscribe(step, a.SubscribeMessage(p.Namespace, p.Name))
		a.WantRefusal(step, err, wire.KindSubscribe, wire.NameDuplicateSubscription,
			"SUBSCRIBE_OK for a second subscription")
		p.Deliver(ctx, l, ObjectPace, a)
		return nil
	}, rules.DuplicateSubscription, rules.Forwarding).from(wire.Draft16).until(wire.Draft18)

var twoSubscriptions = requestsCase("two-subscriptions",
	"Two subscriptions of one session to a track each bring its objects",
	[]Fault{
		dataFault("second-subscription-starved", "0 of 10 objects came, {2, 0}"),
		dataFault("drop-object", "8 of 10 objects came, {0, 0}"),
	}, runTwoSubscriptions, rules.MatchingSubscriptions, rules.LocationFilter).from(wire.Draft19)

// runTwoSubscriptions: an object is sent once for each subscription that it matches (draft-19 §5.1). Subscriptions may
// share a Track Alias, so their filters do not overlap here.
func runTwoSubscriptions(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	l := e.Groups(0, 3)
	s := e.Dial(ctx, "subscriber")
	first := s.Follow(ctx, p, l[:10], Checks{}, FilterParameter(WholeGroups(0, 1)))
	second := s.Follow(ctx, p, l[10:], Checks{}, FilterParameter(WholeGroups(2, 3)))
	p.WaitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
	first.WaitAll(ctx)
	second.WaitAll(ctx)
	p.End()
	first.WantExactly(ctx)
	second.WantExactly(ctx)
	return nil
}

var rendezvousZero = requestsCase("rendezvous-zero",
	"SUBSCRIBE with RENDEZVOUS_TIMEOUT 0 is refused at once with DOES_NOT_EXIST",
	[]Fault{
		requestFault("rendezvous-zero-waits", "nothing for 5000 ms after SUBSCRIBE"),
		requestFault("subscribe-error-zero", "0x0 INTERNAL_ERROR"),
	}, func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "subscriber")
		step, cancel := e.Step(ctx)
		defer cancel()
		m := s.SubscribeMessage(e.Namespace(), e.TrackName())
		m.Parameters.SetUint(wire.ParamRendezvousTimeout, 0)
		_, err := s.Session.Subscribe(step, m)
		s.WantRefusal(step, err, wire.KindSubscribe, wire.NameDoesNotExist, "SUBSCRIBE_OK for a track that nobody "+
			"publishes")
		return nil
	}, rules.RendezvousZero).from(wire.Draft17).among("subscriber")

var rendezvousPublish = requestsCase("rendezvous-publish",
	"A PUBLISH that a SUBSCRIBE waits for goes to that one, and does not come as PUBLISH too",
	[]Fault{
		requestFault("publish-doubled", "PUBLISH of namespace"),
		requestFault("publish-not-routed", "0x2 TIMEOUT"),
	}, runRendezvousPublish, rules.SubscribeTracks, rules.Rendezvous).from(wire.Draft18)

// runRendezvousPublish: a relay that holds a SUBSCRIBE for the track proceeds with it, and must not forward the PUBLISH
// to that subscriber (draft-18 §9.5). One that does not hold it is not judged.
func runRendezvousPublish(ctx context.Context, e *Env) error {
	source, s := e.Dial(ctx, "publisher"), e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	t := s.FollowTracks(step, e.Namespace())
	ns := e.Namespace("studio")
	m := s.SubscribeMessage(ns, e.TrackName())
	m.Parameters.SetUint(wire.ParamRendezvousTimeout, uint64(StepLimit.Milliseconds()))
	sub, err := s.StartSubscribe(step, m)
	s.Check(step, err, transport.LayerRequest, "SUBSCRIBE to be sent")
	s.Healthy(ctx, transport.LayerRequest) // the relay has it
	var refused *moqt.RequestError
	if errors.As(sub.Ready(known()), &refused) {
		e.Annotate("the relay holds no SUBSCRIBE for a publisher to come: %s", RefusalText(refused))
		return nil
	}
	p := source.Publisher(ns, e.TrackName())
	step, cancel = e.Step(ctx)
	defer cancel()
	offered := p.OfferBeside(ctx)
	if err := sub.Ready(step); err != nil {
		panic(s.unanswered(step, err, "SUBSCRIBE_OK at the subscriber", p))
	}
	offered(ctx)
	t.WantNone(ctx, "no PUBLISH of a track that the session has a SUBSCRIBE for")
	return nil
}

var joiningPaused = joinCase("join-paused",
	"A joining FETCH of a paused subscription is refused with INVALID_RANGE", wire.Draft19, joinRoles,
	[]Fault{
		requestFault("join-paused-accepted", "FETCH_OK for a subscription with Forward State 0"),
		requestFault("join-silent", "nothing for 5000 ms after FETCH"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.History(ctx)
		s := e.Dial(ctx, "joiner")
		step, cancel := e.Step(ctx)
		defer cancel()
		sub := s.SubscribeTo(step, p, FilterParameter(wire.LocationFilter{Form: wire.FilterNextObject}),
			UintParameter(wire.ParamForward, 0))
		_, err := s.startJoiningFetch(step, sub.Request().ID(), 0).Response(step)
		s.WantRefusal(step, err, wire.KindFetch, wire.NameInvalidRange,
			"FETCH_OK for a subscription with Forward State 0")
		s.Healthy(ctx, transport.LayerRequest)
		return nil
	}, rules.JoiningForward).from(wire.Draft18)

var fillPaused = requestsCase("fill-paused",
	"A fill asked for with a paused subscription brings nothing, also when it is resumed",
	[]Fault{
		dataFault("fill-while-paused", "a stream with FETCH_HEADER"),
		requestFault("update-silent", "nothing for 5000 ms after REQUEST_UPDATE"),
	}, runFillPaused, rules.Fill, rules.ForwardState).from(wire.Draft20).among("publisher", "subscriber", "joiner")

// runFillPaused: FILL_PARAMETERS count for the request that has them, and nothing is sent while it is paused (draft-20
// §5.1.3, draft-22 §3.4).
func runFillPaused(ctx context.Context, e *Env) error {
	p := e.History(ctx)
	l := e.Groups(3, 3)
	a := e.Follow(ctx, "joiner", p, l, Checks{May: past(3)}, UintParameter(wire.ParamForward, 0),
		FilterParameter(wire.LocationFilter{Form: wire.FilterNextObject}), wire.Parameter{
			Type: wire.ParamFillParameters, Inner: wire.Parameters{FilterParameter(WholeGroups(0, 1))}})
	e.Silence(ctx, LateTime)
	if a.conn.fetchStreams() > 0 {
		e.Fail(transport.LayerData, "no fill while the subscription is paused", "a stream with FETCH_HEADER")
	}
	a.Update(ctx, UintParameter(wire.ParamForward, 1))
	p.Deliver(ctx, l, ObjectPace, a)
	if a.conn.fetchStreams() > 0 {
		e.Fail(transport.LayerData, "no fill after the subscription is resumed", "a stream with FETCH_HEADER")
	}
	return nil
}

var prefixUpdate = requestsCase("prefix-update",
	"An update of the prefix of SUBSCRIBE_NAMESPACE brings the namespaces under the new one",
	[]Fault{
		requestFault("prefix-update-ignored", "nothing new for 5"),
		requestFault("overlap-accepted", "REQUEST_OK for the prefix"),
	}, runPrefixUpdate, rules.SubscribeNamespace, rules.PrefixUpdateOverlap).from(wire.Draft18)

// runPrefixUpdate: what the old prefix has and the new one has not may be reported as gone. A prefix that overlaps with
// another subscription's is refused (draft-18 §10.9.2).
func runPrefixUpdate(ctx context.Context, e *Env) error {
	source, s := e.Dial(ctx, "publisher"), e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	source.Announce(step, e.Namespace("a", "1"))
	source.Announce(step, e.Namespace("b", "2"))
	n := s.WantNamespaceSubscription(step, e.Namespace("a"))
	s.WantNamespace(step, n, e.Namespace("a", "1"), false)
	_, err := n.Request().Update(step, prefixParameter(e.Namespace("b")))
	s.MayRefuse(err, "an update of a prefix", rules.NotSupported, wire.NameNotSupported)
	s.Check(step, err, transport.LayerRequest, "REQUEST_OK for REQUEST_UPDATE")
	s.wantMoved(step, n, e.Namespace("b", "2"))
	s.WantNamespaceSubscription(step, e.Namespace("c"))
	_, err = n.Request().Update(step, prefixParameter(e.Namespace("c", "3")))
	s.WantRefusal(step, err, wire.KindSubscribeNamespace, wire.NamePrefixOverlap,
		fmt.Sprintf("REQUEST_OK for the prefix %q beside %q", e.Namespace("c", "3"), e.Namespace("c")))
	return nil
}

// wantMoved waits for a namespace under a prefix that was updated. Ends of others may come before it.
func (s *Session) wantMoved(ctx context.Context, n *moqt.NamespaceSubscription, ns wire.TrackNamespace) {
	expected := NewsText(s.Draft(), ns, false)
	for {
		news, err := n.Next(ctx)
		switch {
		case err != nil:
			o := s.e.classify(ctx, err, s, transport.LayerRequest, expected)
			if o.expected == expected && ctx.Err() != nil {
				o = failed(transport.LayerRequest, expected, s.log.stall(time.Now()))
			}
			panic(o)
		case !news.Done && news.Namespace.Equal(ns):
			return
		case !news.Done:
			s.e.Fail(transport.LayerRequest, expected, NewsText(s.Draft(), news.Namespace, false))
		}
	}
}

// prefixParameter is TRACK_NAMESPACE_PREFIX.
func prefixParameter(ns wire.TrackNamespace) wire.Parameters {
	return wire.Parameters{{Type: wire.ParamTrackNamespacePrefix, Namespace: ns}}
}

var reservedNames = requestsCase("reserved-namespaces",
	`Requests under "." and unknown ones under ".session" are refused with DOES_NOT_EXIST`,
	[]Fault{
		requestFault("does-not-exist-unsaid", "0x0 INTERNAL_ERROR"),
	}, runReservedNames, rules.ReservedDot, rules.SessionNamespace, rules.SessionNamespaceEmpty,
	rules.SessionNamespaceUnknown).from(wire.Draft18).among("subscriber")

func runReservedNames(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	for _, x := range []struct {
		ns   wire.TrackNamespace
		name string
	}{
		{wire.TrackNamespace{"."}, e.TrackName()},
		{wire.TrackNamespace{".", "more"}, e.TrackName()},
		{wire.TrackNamespace{".session"}, e.TrackName()},
		{wire.TrackNamespace{".session"}, ""},
		{wire.TrackNamespace{".session", "more"}, e.TrackName()},
	} {
		_, err := s.Session.Subscribe(step, s.SubscribeMessage(x.ns, x.name))
		s.WantRefusal(step, err, wire.KindSubscribe, wire.NameDoesNotExist, "SUBSCRIBE_OK for "+fullName(x.ns, x.name))
	}
	_, err := s.PublishNamespace(step, wire.TrackNamespace{"."}, e.Parameters())
	s.WantRefusal(step, err, wire.KindPublishNamespace, wire.NameDoesNotExist,
		`REQUEST_OK for PUBLISH_NAMESPACE of "."`)
	s.Healthy(ctx, transport.LayerRequest)
	return nil
}
