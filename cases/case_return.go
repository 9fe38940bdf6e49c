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

// What leaves and comes again: the last subscriber, a namespace, a request for tracks.

var subscriberReturns = livesCase("subscriber-returns",
	"The last subscriber of a track leaves, and the next one gets its objects",
	[]string{"publisher", "subscriber"}, []Fault{
		dataFault("leaver-deafens", "0 of 5 objects came, {1, 0}"),
		requestFault("route-nowhere", "(the publisher has seen no request for the track)"),
	}, func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		s := e.Dial(ctx, "subscriber")
		for g := range uint64(3) {
			s.visit(ctx, p, e.Groups(g, g))
			e.Sleep(ctx, leisure) // longer than a relay keeps an upstream subscription for one that may come back
		}
		return nil
	}, rules.Routing, rules.Upstream, rules.Forwarding)

// leisure is how long nobody is subscribed between two subscribers that come at leisure.
const leisure = 400 * time.Millisecond

// visits is how often subscribers come and go quickly.
const visits = 20

var subscribersQuickly = livesCase("subscribers-in-turn",
	fmt.Sprintf("%d subscribers come and go, each as the last one has left, and get their objects", visits),
	[]string{"publisher", "subscriber-1", "subscriber-2"}, []Fault{
		dataFault("leaver-deafens", "0 of 1 objects came"),
		requestFault("subscribe-silent", "nothing for 5000 ms after SUBSCRIBE"),
	}, func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		both := []*Session{e.Dial(ctx, "subscriber-1"), e.Dial(ctx, "subscriber-2")}
		for g := range uint64(visits) {
			both[g%2].visit(ctx, p, NewLayout(Span(g, g), Span(0, 0), LayoutOptions{Payload: e.NamedPayload}))
		}
		return nil
	}, rules.Routing, rules.Upstream, rules.Forwarding)

// visit subscribes to a track, waits until objects that it publishes have come, and unsubscribes.
func (s *Session) visit(ctx context.Context, p *Publisher, l Layout) {
	k := NewChecker(l, Checks{May: past(l[0].Group)})
	step, cancel := s.e.Step(ctx)
	defer cancel()
	sub := s.subscribeAgain(step, p)
	r := s.Read(ctx, "SUBSCRIBE", k, sub.Next)
	p.waitFlow(step)
	p.Publish(ctx, l, ObjectPace)
	step, cancel = s.e.Step(ctx)
	defer cancel()
	s.Gather(step, k, r)
	sub.Unsubscribe()
	<-r.ended // of a subscription that is over; the next one may have its alias
}

// subscribeAgain subscribes to a track that the session has just left. From 16 to 18 a relay that does not know that
// yet has to refuse (draft-18 §5.1), since from 17 on the two travel on different streams. Then it is asked again.
func (s *Session) subscribeAgain(ctx context.Context, p *Publisher) *moqt.Subscription {
	for tries := 0; ; tries++ {
		sub, err := s.Session.Subscribe(ctx, s.SubscribeMessage(p.Namespace, p.Name))
		var refused *moqt.RequestError
		switch {
		case err == nil:
			return sub
		case errors.As(err, &refused) && refused.Name == string(wire.NameDuplicateSubscription) && tries < 3:
			s.e.Note("%s came back so quickly that it was refused: %s", s.Role, RefusalText(refused))
			s.e.Sleep(ctx, s.e.settled(SettleTime))
		default:
			panic(s.unanswered(ctx, err, "SUBSCRIBE_OK at the "+s.Role, p))
		}
	}
}

var namespaceAgain = livesCase("namespace-again",
	"A namespace is published, withdrawn and published again: the second time counts like the first",
	[]string{"publisher", "subscriber"}, []Fault{
		requestFault("announce-again-ignored", "(the publisher has seen no request for the track)"),
		requestFault("announce-silent", "nothing for 5000 ms after PUBLISH_NAMESPACE"),
	}, func(ctx context.Context, e *Env) error {
		source := e.Dial(ctx, "publisher")
		p := source.Publisher(e.Namespace(), e.TrackName())
		s := e.Dial(ctx, "subscriber")
		step, cancel := e.Step(ctx)
		defer cancel()
		for range 2 {
			source.Withdraw(source.Announce(step, p.Namespace), p.Namespace)
			source.Healthy(ctx, transport.LayerRequest) // from 17 on the next one is on another stream
		}
		source.Announce(step, p.Namespace)
		s.visit(ctx, p, e.Groups(0, 0))
		return nil
	}, rules.PublishNamespace, rules.WithdrawNamespace, rules.Routing)

var namespacesCancelled = livesCase("namespaces-cancelled",
	"A SUBSCRIBE_NAMESPACE that was cancelled leaves nothing behind: its prefix is free, and the next one is told all",
	[]string{"publisher", "subscriber"}, []Fault{
		requestFault("prefix-stays", "PREFIX_OVERLAP"),
		requestFault("namespace-silent", "nothing new for 5000 ms"),
	}, func(ctx context.Context, e *Env) error {
		source := e.Dial(ctx, "publisher")
		s := e.Dial(ctx, "subscriber")
		step, cancel := e.Step(ctx)
		defer cancel()
		ns := e.Namespace("live")
		source.Announce(step, ns)
		for range 3 {
			n := s.WantNamespaceSubscription(step, e.Namespace())
			s.WantNamespace(step, n, ns, false)
			n.Close()
			s.Healthy(ctx, transport.LayerRequest) // from 17 on the next one is on another stream
		}
		return nil
	}, rules.SubscribeNamespace, rules.PrefixOverlap)

var tracksCancelled = livesCase("tracks-cancelled",
	"No PUBLISH comes after the request for a namespace's tracks was cancelled",
	[]string{"publisher", "subscriber"}, []Fault{
		requestFault("tracks-cancel-ignored", "PUBLISH of namespace"),
		requestFault("tracks-silent", "nothing for 5000 ms after SUBSCRIBE_"),
	}, runTracksCancelled, rules.AuthorizedPublish, rules.SubscribeTracks)

// runTracksCancelled: a relay sends PUBLISH only to those that want it (draft-18 §6.1). This one has said so, and then
// no longer.
func runTracksCancelled(ctx context.Context, e *Env) error {
	source := e.Dial(ctx, "publisher")
	s := e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	t := s.FollowTracks(step, e.Namespace())
	first := source.Publisher(e.Namespace("studio"), e.TrackName()+"-1")
	offered := first.OfferBeside(ctx)
	r := t.WantPublish(step, first, "PUBLISH")
	t.Take(step, r)
	offered(ctx)
	t.Cancel()
	s.Healthy(ctx, transport.LayerRequest) // the relay knows of it
	step, cancel = e.Step(ctx)
	defer cancel()
	source.Publisher(e.Namespace("studio"), e.TrackName()+"-2").Offer(step)
	t.WantNone(ctx, "no PUBLISH, since SUBSCRIBE_TRACKS was cancelled")
	return nil
}
