package cases

import (
	"context"
	"errors"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var goaway = Case{
	ID: "goaway", Title: "After a subscriber's GOAWAY its subscription goes on, and requests are answered",
	Rules: []rules.ID{rules.Goaway},
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "limits"}, Roles: []string{"publisher", "subscriber"},
	Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("goaway-ignored", "nothing for 5000 ms after PUBLISH_NAMESPACE"),
		requestFault("goaway-closes-session", `connection closed by the peer with 0x0 NO_ERROR "fault"`),
		dataFault("drop-object", "8 of 20 objects came, {0, 0}"),
	},
	Run: runGoaway,
}

// runGoaway: GOAWAY has no effect on subscriptions (draft-18 §10.4), but a relay may end one with PUBLISH_DONE
// GOING_AWAY. It may refuse new requests, and must answer them.
func runGoaway(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	a := e.Follow(ctx, "subscriber", p, e.Groups(0, 3), Checks{})
	p.WaitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, e.Groups(0, 1), ObjectPace) })
	a.WaitTo(ctx, wire.Location{Group: 1, Object: 4})
	g := &wire.Goaway{}
	if a.Draft() >= wire.Draft17 {
		g.Timeout = 60_000
	}
	a.Check(ctx, a.Goaway(ctx, g), transport.LayerRequest, "GOAWAY to be sent")
	a.Healthy(ctx, transport.LayerRequest)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, e.Groups(2, 3), ObjectPace) })
	step, cancel := e.Step(ctx)
	defer cancel()
	if !a.Checker.WaitRange(step, wire.Location{}, wire.Location{Group: 3, Object: 4}) {
		if !a.Reader.Over() {
			a.Late(step, a.Checker.Want.String()+" though the subscriber has sent GOAWAY", a.Checker.Problem(),
				a.Checker)
		}
		a.wentAway(ctx)
	}
	step, cancel = e.Step(ctx)
	defer cancel()
	_, err := a.PublishNamespace(step, e.Namespace("behind"), e.Parameters())
	var refused *moqt.RequestError
	switch {
	case errors.As(err, &refused):
		e.Annotate("a request after GOAWAY was refused: %s", RefusalText(refused))
	case err != nil:
		a.Check(step, err, transport.LayerRequest, "an answer to PUBLISH_NAMESPACE behind GOAWAY")
	default:
		e.Annotate("a request after GOAWAY was accepted")
	}
	return nil
}

var goawayRequests = Case{
	ID: "goaway-requests", Title: "A publisher that has sent GOAWAY is asked for no further track",
	Rules: []rules.ID{rules.GoawayRequests},
	Level: Should, Suite: SuiteAll, Tags: []string{"limits", "upstream"}, Roles: []string{"publisher", "subscriber"},
	Timeout: CaseLimit,
	Faults: []Fault{
		// In 18 GOAWAY says that no request was processed, and then the relay's session makes none.
		requestFault("goaway-not-heeded", "the publisher has seen SUBSCRIBE").until(wire.Draft17).should(),
		requestFault("goaway-not-heeded", "the publisher has seen SUBSCRIBE").from(wire.Draft19).should(),
		requestFault("goaway-is-violation", "connection closed by the peer with 0x3 PROTOCOL_VIOLATION"),
	},
	Run: runGoawayRequests,
}

// runGoawayRequests: who got a GOAWAY should make no new requests (draft-18 §10.4: SHOULD). What the relay answers the
// subscriber, who asks for a track of that publisher, is not judged; it may wait for another publisher.
func runGoawayRequests(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	g := &wire.Goaway{}
	if p.Session.Draft() >= wire.Draft17 {
		g.Timeout = 60_000
	}
	p.Session.Check(ctx, p.Session.Goaway(ctx, g), transport.LayerRequest, "GOAWAY to be sent")
	s := e.Dial(ctx, "subscriber")
	p.Session.Healthy(ctx, transport.LayerRequest)
	step, cancel := e.Step(ctx)
	defer cancel()
	_, err := s.StartSubscribe(step, s.SubscribeMessage(p.Namespace, p.Name))
	s.Check(step, err, transport.LayerRequest, "SUBSCRIBE to be sent")
	e.Silence(ctx, LateTime)
	saw := p.Saw()
	e.Should(saw == noRequest, transport.LayerRequest, "no new request to a publisher that has sent GOAWAY",
		"the publisher has seen "+saw)
	return nil
}

// wentAway ends the case unless the subscription has ended with PUBLISH_DONE GOING_AWAY.
func (a *Subscriber) wentAway(ctx context.Context) {
	const expected = "the objects behind GOAWAY, or PUBLISH_DONE with GOING_AWAY"
	done, err := a.Subscription.Done(ctx)
	a.Check(ctx, err, transport.LayerRequest, expected)
	code := wire.PublishDoneCode(done.StatusCode)
	if name, _ := code.Meaning(a.Draft()); name != wire.NameGoingAway {
		a.e.Fail(transport.LayerRequest, expected, "PUBLISH_DONE with "+code.In(a.Draft()))
	}
	a.e.Note("the relay has ended the subscription with GOING_AWAY")
}

// survivesGoaway sends a valid GOAWAY and ends the case unless the relay accepts it. The relay accepts it by going on,
// or by closing the session with NO_ERROR, as it may when there are no requests (draft-18 §3.6). The result reports
// whether the session goes on.
func (s *Session) survivesGoaway(ctx context.Context) bool {
	const expected = "a session that goes on after a good GOAWAY, or is closed with NO_ERROR"
	s.Check(ctx, s.Goaway(ctx, &wire.Goaway{}), transport.LayerRequest, "GOAWAY to be sent")
	s.e.Silence(ctx, SettleTime)
	if s.Context().Err() == nil {
		return true
	}
	cause := context.Cause(s.Context())
	if _, left := s.left(cause); !left {
		s.Check(ctx, cause, transport.LayerRequest, expected)
	}
	return false
}

// left reports whether the relay has closed the session with NO_ERROR, and says how it was closed.
func (s *Session) left(cause error) (text string, ok bool) {
	var end *moqt.SessionError
	if !errors.As(cause, &end) {
		return "", false
	}
	if code, ok := closedWith(end); !ok || code != wire.NoError {
		return "", false
	}
	return closing(end, s.Draft()), true
}

// mayLeave ends the case when the relay closes the session with NO_ERROR within closeTime. A relay may do so after
// GOAWAY when there are no requests (draft-18 §3.6), and then nothing shows whether it has read what came after GOAWAY.
func (s *Session) mayLeave(ctx context.Context) {
	step, cancel := s.e.Within(ctx, closeTime)
	defer cancel()
	select {
	case <-s.Context().Done():
	case <-step.Done():
	}
	if text, ok := s.left(context.Cause(s.Context())); ok {
		s.skipRefused("the session was closed after GOAWAY", rules.Goaway, text)
	}
}

// goawayBreach is a case of a GOAWAY that a relay must not accept from a client.
func goawayBreach(id, title string, rule rules.ID, roles []string,
	run func(ctx context.Context, e *Env) error) Case {
	c := endingCase(id, title, 0, []Fault{
		requestFault("close-code-wrong", "connection closed by the peer with 0x1 INTERNAL_ERROR"),
		requestFault("goaway-is-violation", "connection closed by the peer with 0x3 PROTOCOL_VIOLATION"),
	}, run, rule)
	c.Roles = roles
	return c
}

// A relay that closes the session after any GOAWAY has not noticed the breach, so each of these cases first sends a
// valid one.
var (
	goawayTwice = goawayBreach("goaway-twice", "A second GOAWAY closes the session with PROTOCOL_VIOLATION",
		rules.GoawayOnce, []string{"client"}, func(ctx context.Context, e *Env) error {
			s := e.Dial(ctx, "client")
			if s.survivesGoaway(ctx) {
				if err := s.Goaway(ctx, &wire.Goaway{}); s.Context().Err() == nil {
					s.Check(ctx, err, transport.LayerRequest, "a second GOAWAY to be sent")
				}
			}
			s.mayLeave(ctx)
			s.WantClosed(ctx, "a second GOAWAY", wire.ProtocolViolation)
			return nil
		})
	goawayURI = goawayBreach("goaway-uri", "A client's GOAWAY with a URI closes the session with PROTOCOL_VIOLATION",
		rules.GoawayURI, []string{"client-1", "client-2"}, func(ctx context.Context, e *Env) error {
			e.Dial(ctx, "client-1").survivesGoaway(ctx)
			s := e.Dial(ctx, "client-2")
			err := s.Goaway(ctx, &wire.Goaway{NewSessionURI: "https://relay.example/moq"})
			s.Check(ctx, err, transport.LayerRequest, "GOAWAY to be sent")
			s.WantClosed(ctx, "a URI in a client's GOAWAY", wire.ProtocolViolation)
			return nil
		})
)
