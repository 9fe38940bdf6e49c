package cases

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var announceOnly = Case{
	ID: "announce-only", Title: "PUBLISH_NAMESPACE is accepted", Aliases: []string{"publish-namespace-only"},
	Rules: []rules.ID{rules.PublishNamespace},
	Level: Must, Suite: SuiteStandard, Tags: []string{"namespace"}, Roles: []string{"publisher"},
	Timeout: 2 * time.Second,
	Faults: []Fault{
		requestFault("announce-silent", "nothing for 2000 ms after PUBLISH_NAMESPACE"),
		requestFault("announce-reject", "0x1 UNAUTHORIZED"),
		requestFault("refuse-not-supported", "0x3 NOT_SUPPORTED"),
		requestFault("refuse-unauthorized", "0x1 UNAUTHORIZED"),
		requestFault("request-ok-wrong-type", "does not answer PUBLISH_NAMESPACE").until(wire.Draft17),
		requestFault("die-on-request", "connection"),
	},
	Run: runAnnounceOnly,
}

// runAnnounceOnly: PUBLISH_NAMESPACE is accepted.
func runAnnounceOnly(ctx context.Context, e *Env) error {
	e.Dial(ctx, "publisher").Announce(ctx, e.Namespace())
	return nil
}

var publishNamespaceDone = Case{
	ID: "publish-namespace-done", Title: "A namespace is published and withdrawn, and the session lives on",
	Rules: []rules.ID{rules.WithdrawNamespace, rules.PublishNamespace},
	Level: Must, Suite: SuiteStandard, Tags: []string{"namespace"}, Roles: []string{"publisher"},
	Timeout: 2 * time.Second,
	Faults: []Fault{
		requestFault("withdraw-closes-session", "connection closed by the peer with 0x3 PROTOCOL_VIOLATION"),
		requestFault("announce-silent", "nothing for 2000 ms after PUBLISH_NAMESPACE"),
	},
	Run: runPublishNamespaceDone,
}

// runPublishNamespaceDone: a namespace is published and withdrawn; the session stays healthy and closes cleanly.
func runPublishNamespaceDone(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "publisher")
	ns := e.Namespace()
	s.Withdraw(s.Announce(ctx, ns), ns)
	s.Healthy(ctx, transport.LayerRequest)
	s.CloseCleanly(ctx, transport.LayerRequest)
	return nil
}

// Namespaces: which prefixes match, which namespace subscriptions exclude each other, and where a SUBSCRIBE goes.

// namespaceCase is a case of namespaces.
func namespaceCase(id, title string, first wire.Draft, roles []string, faults []Fault,
	run func(ctx context.Context, e *Env) error, what ...rules.ID) Case {
	return topicCase(id, title, faults, run, what, "namespace").from(first).among(roles...)
}

var namespaceOverlap = namespaceCase("namespace-overlap",
	"An overlapping SUBSCRIBE_NAMESPACE is refused with PREFIX_OVERLAP", 0,
	[]string{"subscriber"}, []Fault{
		requestFault("overlap-accepted", "OK for the prefix"),
	},
	func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "subscriber")
		step, cancel := e.Step(ctx)
		defer cancel()
		s.WantNamespaceSubscription(step, e.Namespace("a"))
		for _, ns := range []wire.TrackNamespace{e.Namespace("a"), e.Namespace("a", "b"), e.Namespace()} {
			_, err := s.SubscribeNamespace(step, ns, e.Parameters())
			s.WantRefusal(step, err, wire.KindSubscribeNamespace, wire.NamePrefixOverlap,
				fmt.Sprintf("%s for the prefix %q beside %q", s.OKName(wire.KindSubscribeNamespace), ns,
					e.Namespace("a")))
		}
		// From 15 on the text forbids prefixes that share "a common prefix". Taken literally, these do.
		_, err := s.SubscribeNamespace(step, e.Namespace("ab"), e.Parameters())
		expected := fmt.Sprintf("%s for the prefix %q, which does not overlap with %q",
			s.OKName(wire.KindSubscribeNamespace), e.Namespace("ab"), e.Namespace("a"))
		var refused *moqt.RequestError
		if errors.As(err, &refused) && s.Draft() >= wire.Draft15 {
			e.Note("%q beside %q was refused, which the text may mean: %s", e.Namespace("ab"), e.Namespace("a"),
				RefusalText(refused))
			return nil
		}
		s.Check(step, err, transport.LayerRequest, expected)
		return nil
	}, rules.PrefixOverlap)

var namespaceMatching = namespaceCase("namespace-matching",
	"A namespace prefix matches whole fields, and earlier and later namespaces alike", 0,
	[]string{"publisher", "subscriber"}, []Fault{
		requestFault("namespace-silent", "nothing for 5000 ms after SUBSCRIBE_NAMESPACE"),
		requestFault("namespace-wrong-suffix", "/wrong"),
	}, runNamespaceMatching,
	rules.SubscribeNamespace, rules.PrefixMatch)

// runNamespaceMatching: a subscriber of the prefix "live" is told of "live" and "live"/"a", published before, and of
// "live"/"b", published after, but not of "livestream" (draft-18 §9.5).
func runNamespaceMatching(ctx context.Context, e *Env) error {
	source := e.Dial(ctx, "publisher")
	step, cancel := e.Step(ctx)
	defer cancel()
	source.Announce(step, e.Namespace("live"))
	source.Announce(step, e.Namespace("livestream"))
	source.Announce(step, e.Namespace("live", "a"))
	s := e.Dial(ctx, "subscriber")
	n := s.WantNamespaceSubscription(step, e.Namespace("live"))
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
			e.Fail(transport.LayerRequest, expected, NewsText(s.Draft(), news.Namespace, news.Done))
		case !wanted:
			e.Note("%s came more than once", NewsText(s.Draft(), news.Namespace, false))
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
		expected := NewsText(s.Draft(), next, false)
		if !take(step, expected) {
			s.Check(step, context.Cause(step), transport.LayerRequest, expected)
		}
	}
	quiet, cancel := context.WithTimeout(ctx, e.settled(LateTime))
	defer cancel()
	for take(quiet, fmt.Sprintf("news of namespaces under %q alone", e.Namespace("live"))) {
	}
	s.Healthy(ctx, transport.LayerRequest)
	return nil
}

var namespaceRouting = namespaceCase("namespace-routing",
	"SUBSCRIBE reaches the publisher of a prefix of its namespace, and no other", 0,
	[]string{"publisher", "subscriber"}, []Fault{
		requestFault("route-nowhere", "(the publisher has seen no request for the track)"),
		requestFault("subscribe-ok-without-publisher", "nothing for 5000 ms after PUBLISH_NAMESPACE"),
		requestFault("namespace-prefix-as-text", `SUBSCRIBE_OK for namespace "moq-interop/namespace-routing/`),
	}, runNamespaceRouting, rules.Routing)

// runNamespaceRouting: a SUBSCRIBE in "live"/"studio" goes to the publisher of "live", one in "livestream" does not.
func runNamespaceRouting(ctx context.Context, e *Env) error {
	source := e.Dial(ctx, "publisher")
	step, cancel := e.Step(ctx)
	defer cancel()
	source.Announce(step, e.Namespace("live"))
	p := source.Publisher(e.Namespace("live", "studio"), e.TrackName())
	other := source.Publisher(e.Namespace("livestream"), e.TrackName())
	s := e.Dial(ctx, "subscriber")
	s.SubscribeTo(step, p)
	source.Check(step, p.WaitSubscribed(step), transport.LayerRequest,
		"SUBSCRIBE at the publisher (the subscriber has SUBSCRIBE_OK)")
	_, err := s.Subscribe(step, s.SubscribeMessage(other.Namespace, other.Name))
	s.WantUnknown(step, err, wire.KindSubscribe,
		fmt.Sprintf("SUBSCRIBE_OK for namespace %q, which nobody has published", other.Namespace))
	if saw := other.Saw(); saw != "no request for the track" {
		e.Fail(transport.LayerRequest, fmt.Sprintf("no request for namespace %q at the publisher of %q",
			other.Namespace,
			e.Namespace("live")), saw)
	}
	return nil
}

var subscribeNamespaceLifecycle = Case{
	ID: "subscribe-namespace-lifecycle", Title: "A namespace subscriber learns that a namespace comes and goes",
	Rules: []rules.ID{rules.SubscribeNamespace, rules.WithdrawNamespace},
	Level: Must, Suite: SuiteStandard, Tags: []string{"namespace"}, Roles: []string{"subscriber", "publisher"},
	Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("request-ok-wrong-type", "does not answer SUBSCRIBE_NAMESPACE").until(wire.Draft15),
		requestFault("request-ok-wrong-type", "PUBLISH_OK (draft-16)").from(wire.Draft16).until(wire.Draft16),
		requestFault("request-ok-wrong-type", "does not answer SUBSCRIBE_NAMESPACE").from(wire.Draft17).
			until(wire.Draft17),
		requestFault("namespace-silent", "nothing new for 5000 ms"),
		requestFault("namespace-done-missing", "nothing new for 5000 ms"),
		requestFault("namespace-wrong-suffix", "/wrong"),
		requestFault("announce-silent", "nothing for 5000 ms after PUBLISH_NAMESPACE"),
	},
	Run: runSubscribeNamespaceLifecycle,
}

// runSubscribeNamespaceLifecycle: the subscriber gets NAMESPACE, and NAMESPACE_DONE once the namespace is withdrawn. Up
// to 15 these are PUBLISH_NAMESPACE and PUBLISH_NAMESPACE_DONE.
func runSubscribeNamespaceLifecycle(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	n, err := s.StartSubscribeNamespace(step, &wire.SubscribeNamespace{Prefix: e.Namespace(),
		Options: wire.SubscribeNamespaces, Parameters: e.Parameters()})
	s.Check(step, err, transport.LayerRequest, "SUBSCRIBE_NAMESPACE to be sent")
	if err := n.Ready(step); err != nil {
		s.SkipUnsupported(err)
		s.Check(step, err, transport.LayerRequest, s.OKName(wire.KindSubscribeNamespace)+" for SUBSCRIBE_NAMESPACE")
	}

	ns := e.Namespace() // the prefix itself: its suffix is empty
	source := e.Dial(ctx, "publisher")
	step, cancel = e.Step(ctx)
	defer cancel()
	a := source.Announce(step, ns)
	s.WantNamespace(step, n, ns, false)
	source.Withdraw(a, ns)
	step, cancel = e.Step(ctx)
	defer cancel()
	s.WantNamespace(step, n, ns, true)
	s.Healthy(ctx, transport.LayerRequest)
	return nil
}
