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

var namespaceDiscovery = Case{
	ID: "namespace-discovery", Title: "a subscriber that knows a namespace alone gets the PUBLISH of the track in it",
	Topics: []wire.Topic{wire.TopicPublisherInteractions, wire.TopicSubscribingNamespaces, wire.TopicSubscribeNamespace,
		wire.TopicSubscribeTracks, wire.TopicPublish},
	Level: Must, Suite: SuiteAll, Tags: []string{"namespace", "publish"}, Roles: []string{"publisher", "subscriber"},
	Timeout: caseLimit,
	Faults:  []string{"tracks-silent", "publish-silent", "publish-not-routed", "announce-reject"},
	Run:     runNamespaceDiscovery,
}

// runNamespaceDiscovery: SUBSCRIBE_TRACKS, up to 17 SUBSCRIBE_NAMESPACE, brings the tracks that are published already
// (draft-14 §9.28, draft-18 §10.19).
func runNamespaceDiscovery(ctx context.Context, e *Env) error {
	p := announced(ctx, e)
	step, cancel := e.Step(ctx)
	defer cancel()
	p.offer(step)

	s := e.Dial(ctx, "subscriber")
	publishes := s.peer.expectPublishes()
	step, cancel = e.Step(ctx)
	defer cancel()
	ts, err := s.StartSubscribeTracks(step, p.ns, e.Parameters())
	request := wire.NameOf(s.Draft(), &wire.SubscribeTracks{})
	if s.Draft() <= wire.Draft17 {
		request = wire.NameOf(s.Draft(), &wire.SubscribeNamespace{})
	}
	s.Check(step, err, transport.LayerRequest, request+" to be sent")
	if err := ts.Ready(step); err != nil {
		s.skipUnsupported(err)
		s.Check(step, err, transport.LayerRequest, s.okName(ts.Request().Kind())+" for "+request)
	}
	expected := "PUBLISH of " + fullName(p.ns, p.name)
	ended := make(chan error, 1)
	if s.Draft() >= wire.Draft17 { // which can say that a PUBLISH will not come
		e.Go(step, func(ctx context.Context) {
			skipped, err := ts.NextSkipped(ctx)
			switch {
			case err == nil:
				ended <- fmt.Errorf("%s of %s", wire.NameOf(s.Draft(), skipped),
					fullName(p.ns.Join(skipped.Suffix...), skipped.TrackName))
			case !errors.Is(err, io.EOF): // FIN says that no PUBLISH will be skipped (draft-19 §3.3.2)
				ended <- err
			}
		})
	}
	select {
	case r := <-publishes:
		if got := fullName(r.TrackNamespace(), r.TrackName()); !r.TrackNamespace().Equal(p.ns) ||
			r.TrackName() != p.name {
			e.Fail(transport.LayerRequest, expected, "PUBLISH of "+got)
		}
		_, err := r.AcceptPublish(step, nil)
		s.Check(step, err, transport.LayerRequest, "a PUBLISH that can be accepted")
	case err := <-ended:
		s.Check(step, err, transport.LayerRequest, expected)
	case <-s.Context().Done():
		s.Check(step, context.Cause(s.Context()), transport.LayerRequest, expected)
	case <-step.Done():
		s.Check(step, context.Cause(step), transport.LayerRequest, expected)
	}
	s.Healthy(ctx, transport.LayerRequest)
	return nil
}

var subscribeNamespaceLifecycle = Case{
	ID: "subscribe-namespace-lifecycle", Title: "a subscriber of a prefix is told of a namespace and of its end",
	Topics: []wire.Topic{wire.TopicSubscribingNamespaces, wire.TopicSubscribeNamespace, wire.TopicNamespace,
		wire.TopicNamespaceDiscovery, wire.TopicPublishNamespace},
	Level: Must, Suite: SuiteAll, Tags: []string{"namespace"}, Roles: []string{"subscriber", "publisher"},
	Timeout: caseLimit,
	Faults:  []string{"namespace-silent", "namespace-done-missing", "namespace-wrong-suffix", "announce-silent"},
	Run:     runSubscribeNamespaceLifecycle,
}

// runSubscribeNamespaceLifecycle: NAMESPACE, then NAMESPACE_DONE once the namespace is withdrawn; up to 15
// PUBLISH_NAMESPACE and PUBLISH_NAMESPACE_DONE.
func runSubscribeNamespaceLifecycle(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	n, err := s.StartSubscribeNamespace(step, &wire.SubscribeNamespace{Prefix: e.Namespace(),
		Options: wire.SubscribeNamespaces, Parameters: e.Parameters()})
	s.Check(step, err, transport.LayerRequest, "SUBSCRIBE_NAMESPACE to be sent")
	if err := n.Ready(step); err != nil {
		s.skipUnsupported(err)
		s.Check(step, err, transport.LayerRequest, s.okName(wire.KindSubscribeNamespace)+" for SUBSCRIBE_NAMESPACE")
	}

	ns := e.Namespace("live")
	source := e.Dial(ctx, "publisher")
	step, cancel = e.Step(ctx)
	defer cancel()
	a := source.Announce(step, ns)
	s.toldOf(step, n, ns, false)
	source.Withdraw(a, ns)
	step, cancel = e.Step(ctx)
	defer cancel()
	s.toldOf(step, n, ns, true)
	s.Healthy(ctx, transport.LayerRequest)
	return nil
}

// toldOf waits until a namespace subscription tells of a namespace, or that it is gone. That it is told of twice is
// noted; any other namespace under the prefix ends the case, for nobody else can have published one there.
func (s *Session) toldOf(ctx context.Context, n *moqt.NamespaceSubscription, ns wire.TrackNamespace, gone bool) {
	expected := newsText(s.Draft(), ns, gone)
	for {
		news, err := n.Next(ctx)
		if err != nil {
			o := s.e.classify(ctx, err, s, transport.LayerRequest, expected)
			if o.expected == expected && ctx.Err() != nil {
				o = failed(transport.LayerRequest, expected, s.log.stall(time.Now()))
			}
			panic(o)
		}
		received := newsText(s.Draft(), news.Namespace, news.Done)
		switch {
		case received == expected:
			return
		case gone && news.Namespace.Equal(ns):
			s.e.Note("%s: %s came more than once", s.Role, received)
		default:
			s.e.Fail(transport.LayerRequest, expected, received)
		}
	}
}

// newsText is the message that tells of a namespace, or of its end, with the namespace.
func newsText(d wire.Draft, ns wire.TrackNamespace, gone bool) string {
	name := map[bool]string{false: "NAMESPACE", true: "NAMESPACE_DONE"}[gone]
	if d <= wire.Draft15 {
		name = "PUBLISH_" + name
	}
	return fmt.Sprintf("%s of %q", name, ns)
}
