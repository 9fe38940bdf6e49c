package cases

import (
	"context"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// That every request is answered, and what follows an answer.

var everyRequest = requestsCase("every-request", "Requests of every kind are answered, each with an OK or an error",
	[]Fault{
		requestFault("announce-silent", "nothing for 5000 ms after PUBLISH_NAMESPACE"),
		requestFault("publish-silent", "nothing for 5000 ms after PUBLISH"),
		requestFault("subscribe-silent", "nothing for 5000 ms after SUBSCRIBE"),
		requestFault("fetch-silent", "nothing for 5000 ms after FETCH"),
		requestFault("track-status-silent", "nothing for 5000 ms after TRACK_STATUS"),
	}, runEveryRequest, rules.AllMessages, rules.NotSupported).among("client")

// runEveryRequest: a relay implements every message, and who does not support a request refuses it (draft-18 §4,
// §10.6.2). What the answer is does not matter here.
func runEveryRequest(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "client")
	ns, name := e.Namespace("nobody"), e.TrackName()
	for _, ask := range []func(ctx context.Context) error{
		func(ctx context.Context) error {
			_, err := s.PublishNamespace(ctx, e.Namespace("own"), e.Parameters())
			return err
		},
		func(ctx context.Context) error {
			pub, err := s.StartPublish(ctx, &wire.Publish{TrackNamespace: e.Namespace("own"), TrackName: name,
				Parameters: e.Parameters()})
			if err == nil {
				err = pub.Ready(ctx)
			}
			return err
		},
		func(ctx context.Context) error {
			_, err := s.Session.Subscribe(ctx, s.SubscribeMessage(ns, name))
			return err
		},
		func(ctx context.Context) error {
			p := &Publisher{Session: s, Namespace: ns, Name: name}
			_, err := s.Session.Fetch(ctx, p.FetchOf(WholeGroups(0, 0)))
			return err
		},
		func(ctx context.Context) error {
			_, err := s.Session.TrackStatus(ctx, (*wire.TrackStatus)(s.SubscribeMessage(ns, name)))
			return err
		},
		func(ctx context.Context) error {
			_, err := s.Session.SubscribeNamespace(ctx, e.Namespace("prefix"), e.Parameters())
			return err
		},
		func(ctx context.Context) error {
			_, err := s.Session.SubscribeTracks(ctx, e.Namespace("tracks"), e.Parameters())
			return err
		},
	} {
		step, cancel := e.Step(ctx)
		s.answered(step, ask(step), "an OK or an error for each request")
		cancel()
	}
	s.Healthy(ctx, transport.LayerRequest)
	return nil
}

var updatesTogether = updateCase("updates-together", "Three updates sent together get three answers",
	[]Fault{
		requestFault("updates-answered-once", "nothing for 5000 ms after REQUEST_UPDATE"),
		requestFault("update-silent", "nothing for 5000 ms after REQUEST_UPDATE"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		a := e.Follow(ctx, "updater", p, e.Groups(0, 0), Checks{})
		p.WaitForward(ctx)
		const n = 3
		step, cancel := e.Step(ctx)
		defer cancel()
		answers := make(chan error, n)
		for i := range uint64(n) {
			e.Go(step, func(ctx context.Context) {
				_, err := a.Subscription.Update(ctx, wire.Parameters{UintParameter(wire.ParamSubscriberPriority, 10+i)})
				answers <- err
			})
		}
		for range n {
			a.Check(step, <-answers, transport.LayerRequest, "REQUEST_OK for each REQUEST_UPDATE")
		}
		p.Deliver(ctx, e.Groups(0, 0), ObjectPace, a)
		return nil
	}, rules.UpdateEachAnswer, rules.Update).from(wire.Draft18).among("publisher", "updater")

var pendingSubscription = requestsCase("pending-subscription",
	"While a track is being asked for, a session's second SUBSCRIBE is refused with DUPLICATE_SUBSCRIPTION",
	[]Fault{
		requestFault("duplicate-accepted", "SUBSCRIBE_OK for a second subscription"),
		requestFault("subscribe-silent", "nothing for 5000 ms after SUBSCRIBE"),
	}, runPendingSubscription, rules.PendingSubscription).from(wire.Draft16).until(wire.Draft18)

// runPendingSubscription: the publisher lets the relay wait for its answer, and meanwhile a second SUBSCRIBE comes
// (draft-18 §5.1). From 17 on the two travel on different streams, so either may be the second.
func runPendingSubscription(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	p.Early, p.EarlyBy = e.Groups(0, 0)[:1], LateTime
	s := e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	var both [2]*moqt.Subscription
	for i := range both {
		var err error
		both[i], err = s.StartSubscribe(step, s.SubscribeMessage(p.Namespace, p.Name))
		s.Check(step, err, transport.LayerRequest, "SUBSCRIBE to be sent")
	}
	first, second := both[0].Ready(step), both[1].Ready(step)
	if first != nil {
		first, second = second, first
	}
	s.WantRefusal(step, second, wire.KindSubscribe, wire.NameDuplicateSubscription,
		"SUBSCRIBE_OK for a second subscription")
	s.Check(step, first, transport.LayerRequest, "SUBSCRIBE_OK for the first subscription")
	return nil
}

var errorBringsNothing = requestsCase("error-brings-nothing", "A refused SUBSCRIBE brings no objects",
	[]Fault{
		dataFault("objects-after-error", "1 streams or datagrams"),
		requestFault("subscribe-accepts-everything", "SUBSCRIBE_OK"),
	},
	func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "subscriber")
		step, cancel := e.Step(ctx)
		defer cancel()
		_, err := s.Session.Subscribe(step, s.SubscribeMessage(e.Namespace(), e.TrackName()))
		s.WantUnknown(step, err, wire.KindSubscribe, "SUBSCRIBE_OK for a track that nobody publishes")
		e.Silence(ctx, LateTime)
		if n := s.DataSeen(); n > 0 {
			e.Fail(transport.LayerData, "no objects of a request that was refused",
				fmt.Sprintf("%d streams or datagrams", n))
		}
		return nil
	}, rules.NoObjectsAfterError).among("subscriber")
