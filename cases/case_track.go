package cases

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var publishTrackOnly = Case{
	ID: "publish-track-only", Title: "PUBLISH of a track without a subscriber is accepted, and the track ends in " +
		"good order",
	Topics: []wire.Topic{wire.TopicPublish, wire.TopicPublishOK, wire.TopicPublisherInteractions,
		wire.TopicPublishDone},
	Level: Must, Suite: SuiteAll, Tags: []string{"publish"}, Roles: []string{"publisher"}, Timeout: caseLimit,
	Faults: []string{"publish-silent", "publish-reject", "done-closes-session"},
	Run:    runPublishTrackOnly,
}

// runPublishTrackOnly: whether a relay wants objects that nobody has subscribed to is its affair (draft-18 §9.5): with
// Forward State 1 it gets one, else none.
func runPublishTrackOnly(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "publisher")
	p := s.publisher(e.Namespace(), e.TrackName())
	step, cancel := e.Step(ctx)
	defer cancel()
	sub := p.offer(step)
	if s.Draft() >= wire.Draft20 { // PUBLISH_OK says nothing; a pause comes in a REQUEST_UPDATE behind it
		s.Healthy(step, transport.LayerRequest)
	}
	state := "0"
	if sub.pub.Forward() {
		state = "1"
		p.publish(ctx, oneObject(e), 0)
	}
	step, cancel = e.Step(ctx)
	defer cancel()
	p.finish(step)
	e.Note("Forward State %s; PUBLISH_DONE with Stream Count %d", state, sub.pub.StreamCount())
	s.Healthy(step, transport.LayerRequest)
	s.CloseCleanly(step, transport.LayerRequest)
	return nil
}

// oneObject is a layout of one object that names the run.
func oneObject(e *Env) layout {
	return newLayout(span(0, 0), span(0, 0),
		layoutOptions{payload: func(uint64, uint64) []byte { return []byte(e.run + " the only object") }})
}

var publishTrackSubscribe = Case{
	ID: "publish-track-subscribe", Title: "a track that its publisher published itself reaches a subscriber (17 and " +
		"later: who has waited for it)",
	Topics: []wire.Topic{wire.TopicPublish, wire.TopicPublisherInteractions, wire.TopicSubscribe, wire.TopicRendezvous,
		wire.TopicPublishDone},
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "publish", "subscribe"},
	Roles: []string{"publisher", "subscriber"}, Timeout: caseLimit,
	Faults: []string{"publish-silent", "publish-not-routed", "publish-stays-paused", "drop-object", "duplicate-object",
		"corrupt-payload"},
	Run: runPublishTrackSubscribe,
}

// waitForPublisher is the RENDEZVOUS_TIMEOUT of a subscriber whose publisher comes in time.
const waitForPublisher = 5000 // ms

// runPublishTrackSubscribe: from 17 on the subscriber comes first and waits with RENDEZVOUS_TIMEOUT, before the
// publisher does. A relay that does not hold the SUBSCRIBE gets it again behind the PUBLISH.
func runPublishTrackSubscribe(ctx context.Context, e *Env) error {
	source := e.Dial(ctx, "publisher")
	p := source.publisher(e.Namespace(), e.TrackName())
	s := e.Dial(ctx, "subscriber")
	var sub *moqt.Subscription
	if s.Draft() >= wire.Draft17 {
		sub = s.subscribeAhead(ctx, p)
	}
	step, cancel := e.Step(ctx)
	defer cancel()
	p.offer(step)
	step, cancel = e.Step(ctx)
	defer cancel()
	if sub != nil && !s.held(step, sub) {
		sub = nil
	}
	if sub == nil {
		sub = s.SubscribeTo(step, p)
	}
	l := oneObject(e)
	d := s.delivery(ctx, sub, l, checks{forwarding: true})
	p.flowing(ctx)
	e.Go(ctx, func(ctx context.Context) {
		p.emit(ctx, l, 0)
		p.end()
	})
	step, cancel = e.Step(ctx)
	defer cancel()
	d.complete(step)
	d.drain(ctx)
	return nil
}

// subscribeAhead sends a SUBSCRIBE that waits for its publisher, and gives the relay a moment to refuse it.
func (s *Session) subscribeAhead(ctx context.Context, p *publisher) *moqt.Subscription {
	m := s.subscribeMessage(p.ns, p.name)
	m.Parameters.SetUint(wire.ParamRendezvousTimeout, waitForPublisher)
	sub, err := s.StartSubscribe(ctx, m)
	s.Check(ctx, err, transport.LayerRequest, "SUBSCRIBE to be sent")
	s.Healthy(ctx, transport.LayerRequest)
	if sub.OK() != nil {
		s.e.Fail(transport.LayerRequest, "no SUBSCRIBE_OK until a publisher is there",
			"SUBSCRIBE_OK for a track that nobody publishes")
	}
	return sub
}

// held waits for the answer to a SUBSCRIBE that came before its publisher. It reports false when the relay has refused
// it: TIMEOUT is its right, for it may shorten the time; with another code it has not held it, as it should (draft-18
// §10.2.6).
func (s *Session) held(ctx context.Context, sub *moqt.Subscription) bool {
	const expected = "SUBSCRIBE_OK at the subscriber that has waited for the publisher"
	err := sub.Ready(ctx)
	var refused *moqt.RequestError
	switch {
	case err == nil:
		return true
	case !errors.As(err, &refused):
		s.Check(ctx, err, transport.LayerRequest, expected)
	}
	if name, _ := wire.RequestErrorCode(refused.Code).Meaning(s.Draft(), refused.Kind); name == wire.NameTimeout {
		s.e.Note("%s: the SUBSCRIBE was not held for %d ms: %s", s.Role, waitForPublisher, refusal(refused))
	} else {
		s.e.Should(false, transport.LayerRequest, "hold a SUBSCRIBE with RENDEZVOUS_TIMEOUT until its publisher comes",
			refusal(refused))
	}
	return false
}

var dataSubgroupBasic = Case{
	ID: "data-subgroup-basic", Title: "three groups of five objects reach a subscriber unchanged",
	Topics: []wire.Topic{wire.TopicPublishNamespace, wire.TopicSubscribe, wire.TopicRelayObjects, wire.TopicSubgroups,
		wire.TopicSubgroupEnd, wire.TopicPublishDone},
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "namespace", "subscribe"},
	Roles: []string{"publisher", "subscriber"}, Timeout: 2*stepLimit + deliveryLimit,
	Faults: []string{
		"route-nowhere", "drop-object", "duplicate-object", "corrupt-payload", "truncate-payload", "wrong-object-id",
		"wrong-group-id", "wrong-subgroup-id",
		"wrong-priority", "drop-group", "split-streams", "never-fin", "stream-count-wrong", "done-wrong-status",
		"done-never",
	},
	Run: runDataSubgroupBasic,
}

// deliveryLimit is how long the objects of data-subgroup-basic may take; every other phase has stepLimit.
const deliveryLimit = 10 * time.Second

// runDataSubgroupBasic: a namespace is published, a track in it subscribed to, and 15 objects in 3 streams go through.
func runDataSubgroupBasic(ctx context.Context, e *Env) error {
	p := announced(ctx, e)
	s := e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	sub := s.SubscribeTo(step, p)
	p.waitForward(step)
	l := newLayout(span(0, 2), span(0, 4), layoutOptions{payload: func(_, object uint64) []byte {
		if object == 0 {
			return bytes.Repeat([]byte{0x74}, 64)
		}
		return bytes.Repeat([]byte{0x74}, 32)
	}})
	d := s.delivery(ctx, sub, l, checks{priority: true, forwarding: true})
	e.Go(ctx, func(ctx context.Context) {
		p.emit(ctx, l, objectPace)
		p.end()
	})
	delivery, cancel := e.Within(ctx, deliveryLimit)
	defer cancel()
	d.complete(delivery)
	d.drain(delivery)
	return nil
}
