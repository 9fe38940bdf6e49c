package cases

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Publishers that come while others are subscribed already, and sessions that are publisher and subscriber at once.

// followedFirst has publisher-1 announce a track, and a subscriber get the first of its two groups.
func followedFirst(ctx context.Context, e *Env) (*Publisher, *Subscriber, Layout) {
	first := e.Dial(ctx, "publisher-1")
	p := first.Publisher(e.Namespace(), e.TrackName())
	step, cancel := e.Step(ctx)
	defer cancel()
	first.Announce(step, p.Namespace)
	l := e.Groups(0, 1)
	a := e.Follow(ctx, "subscriber", p, l, Checks{})
	p.WaitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l[:5], ObjectPace) })
	a.WaitRange(ctx, wire.Location{}, wire.Location{Object: 4})
	return p, a, l
}

var lateNamespace = livesCase("late-namespace",
	"A publisher that comes late is asked for the tracks that others are subscribed to",
	[]string{"publisher-1", "subscriber", "publisher-2"}, []Fault{
		requestFault("late-publisher-not-asked", "no request for the track there"),
		dataFault("second-publisher-ignored", "5 of 10 objects came, {1, 0}"),
	}, runLateNamespace, rules.LatePublisher, rules.MultiplePublishers)

// runLateNamespace: the relay must ask it for each subscription that matches (draft-18 §9.5). It may refuse it as a
// further publisher (§9.3).
func runLateNamespace(ctx context.Context, e *Env) error {
	p, a, l := followedFirst(ctx, e)
	other := e.Dial(ctx, "publisher-2")
	q := other.Publisher(p.Namespace, p.Name)
	step, cancel := e.Step(ctx)
	defer cancel()
	mine, err := other.PublishNamespace(step, p.Namespace, e.Parameters())
	other.MayRefuse(err, "a second PUBLISH_NAMESPACE", rules.FurtherPublisher)
	other.Check(step, err, transport.LayerRequest, other.OKName(wire.KindPublishNamespace)+
		" for the second PUBLISH_NAMESPACE")
	other.wantAsked(step, q, mine, p)
	q.WaitAnyForward(ctx)
	e.Go(ctx, func(ctx context.Context) { q.Publish(ctx, l[5:], ObjectPace) })
	a.WaitAll(ctx)
	p.End()
	q.End()
	a.WantExactly(ctx)
	return nil
}

var latePublish = livesCase("late-publish",
	"A PUBLISH of a track that others are subscribed to brings them its objects",
	[]string{"publisher-1", "subscriber", "publisher-2"}, []Fault{
		dataFault("second-publisher-ignored", "5 of 10 objects came, {1, 0}"),
		requestFault("publish-stays-paused", "a subscription with Forward State 0").until(wire.Draft19),
	}, runLatePublish, rules.LatePublisher, rules.ForwardReply, rules.MultiplePublishers)

// runLatePublish: a relay may refuse a further publisher (draft-18 §9.3). If it accepts the PUBLISH of a track with
// subscribers that want objects, it does so with Forward State 1 (§9.5). From 20 on our PUBLISH has that already.
func runLatePublish(ctx context.Context, e *Env) error {
	p, a, l := followedFirst(ctx, e)
	q := e.Dial(ctx, "publisher-2").Publisher(p.Namespace, p.Name)
	step, cancel := e.Step(ctx)
	defer cancel()
	pub := q.OfferFurther(step)
	if !pub.Forward() {
		e.Fail(transport.LayerRequest, q.Session.OKName(wire.KindPublish)+" with Forward State 1, since the track "+
			"has a subscriber that wants objects", "a subscription with Forward State 0")
	}
	e.Go(ctx, func(ctx context.Context) { q.Publish(ctx, l[5:], ObjectPace) })
	a.WaitAll(ctx)
	p.End()
	q.End()
	a.WantExactly(ctx)
	return nil
}

var selfSubscription = livesCase("self-subscription",
	"A session subscribes to a track that it publishes itself, and gets its objects",
	[]string{"publisher"}, []Fault{
		requestFault("own-track-unknown", "(the publisher has seen no request for the track)"),
		dataFault("drop-object", "8 of 10 objects came, {0, 0}"),
	}, func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		l := e.Groups(0, 1)
		a := p.Session.Follow(ctx, p, l, Checks{})
		p.WaitForward(ctx)
		p.Deliver(ctx, l, ObjectPace, a)
		return nil
	}, rules.SelfSubscription).until(wire.Draft19)

var ownTracks = livesCase("own-tracks",
	"A request for the tracks of a namespace brings those of others, and from 18 on not the session's own",
	[]string{"publisher", "subscriber"}, []Fault{
		requestFault("own-tracks-echoed", "PUBLISH of namespace").from(wire.Draft18).should(),
		requestFault("tracks-silent", "nothing for 5000 ms after SUBSCRIBE_"),
	}, runOwnTracks, rules.SubscribeTracks)

// runOwnTracks: up to 17 the own tracks come back too; that is recorded. From 18 on they are left out (draft-18 §6.1),
// which is no MUST.
func runOwnTracks(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "subscriber")
	own := s.Publisher(e.Namespace("studio"), e.TrackName()+"-own")
	step, cancel := e.Step(ctx)
	defer cancel()
	own.Offer(step)
	t := s.FollowTracks(step, e.Namespace())
	other := e.Dial(ctx, "publisher").Publisher(e.Namespace("studio"), e.TrackName())
	offered := other.OfferBeside(ctx)
	step, cancel = e.Step(ctx)
	defer cancel()
	for echoed, came := false, false; !came; {
		r := t.NextPublish(step, other, "PUBLISH of "+fullName(other.Namespace, other.Name))
		came = r.TrackName() == other.Name
		if !came && r.TrackName() == own.Name && !echoed {
			echoed = true
			e.Note("the session's own track came back with PUBLISH")
			e.Should(s.Draft() <= wire.Draft17, transport.LayerRequest, "no PUBLISH of the session's own track",
				"PUBLISH of "+fullName(r.TrackNamespace(), r.TrackName()))
		}
		t.Take(step, r)
	}
	offered(ctx)
	return nil
}
