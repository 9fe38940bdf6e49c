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

// A publisher that is gone from one moment to the next, and the one that comes after it.

// livesCase is a case of publishers and subscribers that come and go.
func livesCase(id, title string, roles []string, faults []Fault, run func(ctx context.Context, e *Env) error,
	what ...rules.ID) Case {
	return topicCase(id, title, faults, run, what, "lives").among(roles...)
}

var publisherLost = livesCase("publisher-lost",
	"When a publisher's session is gone, its subscribers get PUBLISH_DONE",
	[]string{"publisher", "subscriber"}, []Fault{
		requestFault("lost-publisher-silent", "SUBSCRIBE").should(),
		requestFault("lost-publisher-cancels", "SUBSCRIBE cancelled by the server with").from(wire.Draft17),
		dataFault("drop-object", "4 of 5 objects came, {0, 0}"),
	}, runPublisherLost, rules.PublishDoneAlways, rules.Forwarding)

// runPublisherLost: the subscription of a track whose publisher is gone ends with PUBLISH_DONE, if it ends (draft-18
// §10.11). No text says by when: a relay may hope for another publisher.
func runPublisherLost(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	l := e.Groups(0, 0)
	a := e.Follow(ctx, "subscriber", p, l, Checks{})
	p.WaitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
	a.WaitAll(ctx)
	p.Session.Leave()
	const expected = "PUBLISH_DONE for the subscriber, since the publisher's session is gone"
	step, cancel := e.Step(ctx)
	defer cancel()
	done, err := a.Subscription.Done(step)
	var ended *moqt.CancelError
	switch {
	case err == nil:
		e.Annotate("%s with %s", wire.NameOf(a.Draft(), done), wire.PublishDoneCode(done.StatusCode).In(a.Draft()))
	case errors.As(err, &ended):
		e.Fail(transport.LayerRequest, expected, ended.Error())
	case step.Err() != nil && ctx.Err() == nil:
		e.Should(false, transport.LayerRequest, expected, a.log.silence(time.Now()))
	default:
		a.Check(step, err, transport.LayerRequest, expected)
	}
	a.WantExactly(ctx)
	return nil
}

var publisherTakeover = livesCase("publisher-takeover",
	"A new publisher takes over from one whose session is gone",
	[]string{"publisher", "subscriber", "publisher-2", "subscriber-2"}, []Fault{
		requestFault("lost-publisher-stays", "(the publisher has seen no request for the track)"),
		requestFault("announce-again-ignored", "(the publisher has seen no request for the track)"),
	}, runPublisherTakeover, rules.Routing, rules.Forwarding)

// runPublisherTakeover: the routes to a session end with it, and whoever publishes the namespace next is asked
// (draft-18 §9.5).
func runPublisherTakeover(ctx context.Context, e *Env) error {
	first := e.Announced(ctx)
	a := e.Follow(ctx, "subscriber", first, e.Groups(0, 0), Checks{May: func(wire.Location) bool { return true }})
	first.WaitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { first.Publish(ctx, e.Groups(0, 0), ObjectPace) })
	a.WaitAll(ctx)
	first.Session.Leave()
	a.Healthy(ctx, transport.LayerRequest) // the relay knows of it

	second := e.Dial(ctx, "publisher-2").Publisher(first.Namespace, first.Name)
	step, cancel := e.Step(ctx)
	defer cancel()
	second.Session.Announce(step, second.Namespace)
	l := e.Groups(1, 2)
	b := e.Follow(ctx, "subscriber-2", second, l, Checks{May: past(1)})
	second.WaitAnyForward(ctx)
	second.Deliver(ctx, l, ObjectPace, b)
	return nil
}

var namespaceLost = livesCase("namespace-lost",
	"When a publisher's session is gone, namespace subscribers are told that its namespace is, and of the next one",
	[]string{"subscriber", "publisher", "publisher-2"}, []Fault{
		requestFault("lost-namespace-stays", "nothing new for 5000 ms"),
		requestFault("namespace-silent", "nothing new for 5000 ms"),
	}, func(ctx context.Context, e *Env) error {
		step, cancel := e.Step(ctx)
		defer cancel()
		s := e.Dial(ctx, "subscriber")
		n := s.WantNamespaceSubscription(step, e.Namespace())
		ns := e.Namespace("live")
		first := e.Dial(ctx, "publisher")
		step, cancel = e.Step(ctx)
		defer cancel()
		first.Announce(step, ns)
		s.WantNamespace(step, n, ns, false)
		first.Leave()
		step, cancel = e.Step(ctx)
		defer cancel()
		s.WantNamespace(step, n, ns, true)
		second := e.Dial(ctx, "publisher-2")
		step, cancel = e.Step(ctx)
		defer cancel()
		second.Announce(step, ns)
		s.WantNamespace(step, n, ns, false)
		return nil
	}, rules.SubscribeNamespace)

var namespaceShared = livesCase("namespace-shared",
	"The first of two publishers leaves: their namespace is still there, until the second one leaves too",
	[]string{"subscriber", "publisher-1", "publisher-2"}, []Fault{
		requestFault("namespace-done-early", "NAMESPACE_DONE of"),
		requestFault("namespace-done-missing", "nothing new for 5"),
	}, runNamespaceShared, rules.SubscribeNamespace, rules.WithdrawNamespace)

// runNamespaceShared: a relay may refuse a second publisher (draft-22 §7.3). What it has accepted is there as long as
// one of both publishes it.
func runNamespaceShared(ctx context.Context, e *Env) error {
	step, cancel := e.Step(ctx)
	defer cancel()
	s := e.Dial(ctx, "subscriber")
	n := s.WantNamespaceSubscription(step, e.Namespace())
	ns := e.Namespace("live")
	first, second := e.Dial(ctx, "publisher-1"), e.Dial(ctx, "publisher-2")
	step, cancel = e.Step(ctx)
	defer cancel()
	a := first.Announce(step, ns)
	s.WantNamespace(step, n, ns, false)
	b, err := second.PublishNamespace(step, ns, e.Parameters())
	second.MayRefuse(err, "a second PUBLISH_NAMESPACE", rules.FurtherPublisher)
	second.Check(step, err, transport.LayerRequest, second.OKName(wire.KindPublishNamespace)+
		" for the second PUBLISH_NAMESPACE")
	first.Withdraw(a, ns)
	quiet, cancel := context.WithTimeout(ctx, e.settled(LateTime))
	defer cancel()
	for {
		news, err := n.Next(quiet)
		if err != nil {
			break
		}
		if b.Context().Err() != nil {
			second.skipRefused("a second publisher was given up", rules.FurtherPublisher,
				"PUBLISH_NAMESPACE of publisher-2 was ended")
		}
		if text := NewsText(s.Draft(), news.Namespace, news.Done); news.Done || !news.Namespace.Equal(ns) {
			e.Fail(transport.LayerRequest, fmt.Sprintf("no news while another one still publishes %q", ns), text)
		} else {
			e.Note("%s came more than once", text)
		}
	}
	s.Healthy(ctx, transport.LayerRequest)
	second.Withdraw(b, ns)
	step, cancel = e.Step(ctx)
	defer cancel()
	s.WantNamespace(step, n, ns, true)
	return nil
}
