package cases

import (
	"context"
	"errors"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var publishTrackOnly = Case{
	ID: "publish-track-only", Aliases: []string{"publish-without-subscriber"},
	Title: "PUBLISH without a subscriber is accepted, and the track ends cleanly",
	Rules: []rules.ID{rules.Publish, rules.OneAnswer, rules.PublishDone},
	Level: Must, Suite: SuiteStandard, Tags: []string{"publish"}, Roles: []string{"publisher"}, Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("publish-silent", "nothing for 5000 ms after PUBLISH"),
		requestFault("publish-reject", "UNINTERESTED"),
		requestFault("publish-ok-wrong-type", "does not answer PUBLISH").until(wire.Draft17),
		requestFault("done-closes-session", "connection closed by the peer with 0x3 PROTOCOL_VIOLATION"),
	},
	Run: runPublishTrackOnly,
}

// runPublishTrackOnly: a relay may ask for objects that nobody has subscribed to, or not (draft-18 §9.5). With Forward
// State 1 the publisher sends it one object, else none.
func runPublishTrackOnly(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "publisher")
	p := s.Publisher(e.Namespace(), e.TrackName())
	step, cancel := e.Step(ctx)
	defer cancel()
	sub := p.Offer(step)
	if s.Draft() >= wire.Draft20 { // PUBLISH_OK says nothing; a pause comes in a REQUEST_UPDATE behind it
		s.Healthy(step, transport.LayerRequest)
	}
	state := "0"
	if sub.Forward() {
		state = "1"
		p.Publish(ctx, oneObject(e), 0)
	}
	step, cancel = e.Step(ctx)
	defer cancel()
	p.Finish(step)
	e.Note("Forward State %s; PUBLISH_DONE with Stream Count %d", state, sub.StreamCount())
	s.Healthy(step, transport.LayerRequest)
	s.CloseCleanly(step, transport.LayerRequest)
	return nil
}

var publishTrackSubscribe = Case{
	ID: "publish-track-subscribe", Aliases: []string{"publish-to-pending-subscription"},
	Title: "SUBSCRIBE reaches a track announced by PUBLISH",
	Rules: []rules.ID{rules.Publish, rules.Rendezvous, rules.Upstream, rules.ForwardReply, rules.ObjectFields,
		rules.PublishDone},
	Level: Must, Suite: SuiteStandard, Tags: []string{"data", "publish", "subscribe"},
	Roles: []string{"publisher", "subscriber"}, Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("publish-silent", "nothing for 5000 ms after PUBLISH"),
		requestFault("publish-not-routed", "(the publisher has seen no request for the track)"),
		requestFault("publish-stays-paused", "for 5000 ms after PUBLISH"),
		dataFault("drop-object", "0 of 1 objects came, {0, 0}"),
		dataFault("duplicate-object", "1 of 1 objects came; more than once {0, 0}"),
		dataFault("corrupt-payload", "payload differs from byte 0"),
	},
	Run: runPublishTrackSubscribe,
}

// waitForPublisher is the RENDEZVOUS_TIMEOUT of a subscriber whose publisher does come.
const waitForPublisher = 5000 // ms

// runPublishTrackSubscribe: from 17 on the subscriber comes first and waits for the publisher with RENDEZVOUS_TIMEOUT.
// If the relay does not hold the SUBSCRIBE, it is sent again after the PUBLISH.
func runPublishTrackSubscribe(ctx context.Context, e *Env) error {
	source := e.Dial(ctx, "publisher")
	p := source.Publisher(e.Namespace(), e.TrackName())
	s := e.Dial(ctx, "subscriber")
	var sub *moqt.Subscription
	if s.Draft() >= wire.Draft17 {
		sub = s.subscribeAhead(ctx, p)
	}
	step, cancel := e.Step(ctx)
	defer cancel()
	p.Offer(step)
	step, cancel = e.Step(ctx)
	defer cancel()
	if sub != nil && !s.held(step, sub) {
		sub = nil
	}
	if sub == nil {
		sub = s.SubscribeTo(step, p)
	}
	l := oneObject(e)
	d := s.Delivery(ctx, sub, l, Checks{Forwarding: true})
	p.WaitAnyForward(ctx)
	e.Go(ctx, func(ctx context.Context) {
		p.Emit(ctx, l, 0)
		p.End()
	})
	step, cancel = e.Step(ctx)
	defer cancel()
	d.Complete(step)
	d.Drain(ctx)
	return nil
}

// subscribeAhead sends a SUBSCRIBE that waits for its publisher, and gives the relay a moment to refuse it.
func (s *Session) subscribeAhead(ctx context.Context, p *Publisher) *moqt.Subscription {
	m := s.SubscribeMessage(p.Namespace, p.Name)
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
// it. A relay may refuse it with TIMEOUT, since it may shorten the wait; with another code it breaks a SHOULD (draft-18
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
		s.e.Note("%s: the SUBSCRIBE was not held for %d ms: %s", s.Role, waitForPublisher, RefusalText(refused))
	} else {
		s.e.Should(false, transport.LayerRequest, "hold a SUBSCRIBE with RENDEZVOUS_TIMEOUT until its publisher comes",
			RefusalText(refused))
	}
	return false
}
