package cases

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Limits of a session and its end: request ids, GOAWAY, the token cache.

// limitsCase is a case of one session.
func limitsCase(id, title string, last wire.Draft, faults []string, run func(ctx context.Context, e *Env) error,
	topics ...wire.Topic) Case {
	return Case{
		ID: id, Title: title, Topics: topics, Last: last,
		Level: Must, Suite: SuiteAll, Tags: []string{"limits"}, Roles: []string{"client"}, Timeout: caseLimit,
		Faults: faults, Run: run,
	}
}

// wantClosed waits until the relay has closed the session, and ends the case unless it did so with one of these codes.
func (s *Session) wantClosed(ctx context.Context, because string, codes ...wire.SessionError) {
	var names []string
	for _, c := range codes {
		names = append(names, c.In(s.Draft()))
	}
	expected := fmt.Sprintf("the session closed with %s, for %s", strings.Join(names, " or "), because)
	step, cancel := s.e.Within(ctx, closeTime)
	defer cancel()
	select {
	case <-s.Context().Done():
	case <-step.Done():
		if ctx.Err() != nil {
			s.Check(ctx, context.Cause(ctx), transport.LayerRequest, expected)
		}
		s.e.Fail(transport.LayerRequest, expected, fmt.Sprintf("a session that is open %s later", closeTime))
	}
	var end *moqt.SessionError
	var broken *wire.Error
	cause := context.Cause(s.Context())
	// for it answers what we never asked for by the session's means
	if errors.As(cause, &end) && end.Local && errors.As(end.Err, &broken) {
		s.e.Fail(transport.LayerRequest, expected, broken.Message+" in answer")
	}
	if errors.As(cause, &end) && !end.Local {
		for _, c := range codes {
			if end.Code == c {
				s.e.Annotate("%s", closing(end, s.Draft()))
				return
			}
		}
	}
	s.Check(ctx, cause, transport.LayerRequest, expected)
}

// closeTime is how long a relay may take to close a session that it must close.
const closeTime = stepLimit / 2

// granted is the relay's MAX_REQUEST_ID at first, 0 if it names none.
func (s *Session) granted() uint64 {
	p, _ := s.PeerSetup().Options.Get(wire.OptionMaxRequestID)
	return p.Uint
}

// manyRequests is how many requests a session makes at most to see whether it is granted more.
const manyRequests = 300

var requestIDs = limitsCase("request-ids", "requests are answered up to the limit that MAX_REQUEST_ID grants; "+
	"whether the limit grows is recorded", wire.Draft16,
	[]string{"no-request-ids", "announce-silent"}, runRequestIDs, wire.TopicRequestIDs, wire.TopicPublishNamespace)

// runRequestIDs makes more requests than were granted at first. That a relay grants more is not demanded; that it
// grants any is, for without there is no session to speak of, and every request must be answered.
func runRequestIDs(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "client")
	first := s.granted() / 2
	requests := uint64(min(first+10, manyRequests))
	var answered atomic.Uint64
	step, cancel := e.Step(ctx)
	defer cancel()
	const parallel = 8
	ended := make(chan error, parallel)
	var next atomic.Uint64
	for range parallel {
		e.Go(step, func(ctx context.Context) {
			for {
				n := next.Add(1)
				if n > requests {
					ended <- nil
					return
				}
				a, err := s.PublishNamespace(ctx, e.Namespace(fmt.Sprint(n)), e.Parameters())
				var no *moqt.RequestError
				if err != nil && !errors.As(err, &no) {
					ended <- err
					return
				}
				if err == nil {
					a.Withdraw()
				}
				answered.Add(1)
			}
		})
	}
	var failed error
	for range parallel {
		if err := <-ended; err != nil && failed == nil {
			failed = err
		}
	}
	var blocked *moqt.NoRequestIDError
	count := answered.Load()
	switch {
	case failed == nil:
		e.Annotate("%d requests answered, %d granted at first", count, first)
	case errors.As(failed, &blocked) && blocked.Max > 0 && count >= blocked.Max/2:
		e.Annotate("all %d requests answered that MAX_REQUEST_ID %d grants; no more was granted within %s", count,
			blocked.Max, stepLimit)
	case errors.As(failed, &blocked):
		s.Check(step, failed, transport.LayerRequest, "MAX_REQUEST_ID above 0")
	default:
		s.Check(step, failed, transport.LayerRequest, fmt.Sprintf("an answer to each of %d PUBLISH_NAMESPACE; %d came",
			requests, count))
	}
	return nil
}

var requestIDLimit = limitsCase("request-id-limit", "a request above MAX_REQUEST_ID closes the session with "+
	"TOO_MANY_REQUESTS", wire.Draft16,
	[]string{"close-code-wrong"}, runRequestIDLimit, wire.TopicRequestIDs, wire.TopicTermination)

// runRequestIDLimit: the id is not the next one either, so INVALID_REQUEST_ID is right too (draft-16 §9.1).
func runRequestIDLimit(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "client")
	const above = 1 << 20
	id := s.granted() + above
	if limit := s.Draft().MaxVarint(); s.granted() >= limit-above {
		e.Skip("the relay grants every request id")
	}
	id += id % 2 // a client's ids are even
	err := s.SendControl(ctx, &wire.TrackStatus{RequestID: id, TrackNamespace: e.Namespace(), TrackName: e.TrackName(),
		Parameters: e.Parameters()})
	s.Check(ctx, err, transport.LayerRequest, "TRACK_STATUS to be sent")
	s.wantClosed(ctx, fmt.Sprintf("Request ID %d, above MAX_REQUEST_ID %d", id, s.granted()), wire.TooManyRequests,
		wire.InvalidRequestID)
	return nil
}

var goaway = Case{
	ID: "goaway", Title: "GOAWAY of a subscriber does not end its subscription, and requests after it are answered",
	Topics: []wire.Topic{wire.TopicGoaway, wire.TopicPublishDone},
	Level:  Must, Suite: SuiteAll, Tags: []string{"data", "limits"}, Roles: []string{"publisher", "subscriber"},
	Timeout: caseLimit,
	Faults:  []string{"goaway-ignored", "goaway-closes-session", "drop-object"},
	Run:     runGoaway,
}

// runGoaway: GOAWAY has no effect on subscriptions (draft-18 §10.4), but a relay may end one with PUBLISH_DONE
// GOING_AWAY. New requests it may refuse; it must answer them.
func runGoaway(ctx context.Context, e *Env) error {
	p := announced(ctx, e)
	a := attend(ctx, "subscriber", p, pastGroups(e, 0, 3), checks{})
	p.waitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, pastGroups(e, 0, 1), objectPace) })
	a.reach(ctx, wire.Location{Group: 1, Object: 4})
	g := &wire.Goaway{}
	if a.Draft() >= wire.Draft17 {
		g.Timeout = 60_000
	}
	a.Check(ctx, a.Goaway(ctx, g), transport.LayerRequest, "GOAWAY to be sent")
	a.Healthy(ctx, transport.LayerRequest)
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, pastGroups(e, 2, 3), objectPace) })
	step, cancel := e.Step(ctx)
	defer cancel()
	if !a.k.waitUntil(step, wire.Location{}, wire.Location{Group: 3, Object: 4}) {
		if !a.r.over() {
			a.late(step, a.k.want.String()+" though the subscriber has sent GOAWAY", a.k.problem())
		}
		a.wentAway(ctx)
	}
	step, cancel = e.Step(ctx)
	defer cancel()
	_, err := a.PublishNamespace(step, e.Namespace("behind"), e.Parameters())
	var refused *moqt.RequestError
	switch {
	case errors.As(err, &refused):
		e.Annotate("a request after GOAWAY was refused: %s", refusal(refused))
	case err != nil:
		a.Check(step, err, transport.LayerRequest, "an answer to PUBLISH_NAMESPACE behind GOAWAY")
	default:
		e.Annotate("a request after GOAWAY was accepted")
	}
	return nil
}

// wentAway ends the case unless the subscription has ended with PUBLISH_DONE GOING_AWAY.
func (a *audience) wentAway(ctx context.Context) {
	const expected = "the objects behind GOAWAY, or PUBLISH_DONE with GOING_AWAY"
	done, err := a.sub.Done(ctx)
	a.Check(ctx, err, transport.LayerRequest, expected)
	code := wire.PublishDoneCode(done.StatusCode)
	if name, _ := code.Meaning(a.Draft()); name != wire.NameGoingAway {
		a.e.Fail(transport.LayerRequest, expected, "PUBLISH_DONE with "+code.In(a.Draft()))
	}
	a.e.Note("the relay has ended the subscription with GOING_AWAY")
}

// goawayBreach is a case of a client's GOAWAY that the relay may not take.
func goawayBreach(id, title, because string, messages ...*wire.Goaway) Case {
	return limitsCase(id, title, 0, []string{"close-code-wrong"}, func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "client")
		for i, g := range messages {
			if err := s.Goaway(ctx, g); i == 0 || s.Context().Err() == nil {
				s.Check(ctx, err, transport.LayerRequest, "GOAWAY to be sent")
			}
		}
		if len(messages) > 1 {
			s.mayLeave(ctx)
		}
		s.wantClosed(ctx, because, wire.ProtocolViolation)
		return nil
	}, wire.TopicGoaway, wire.TopicTermination)
}

// mayLeave ends the case as skipped when the relay closes the session with NO_ERROR: having seen GOAWAY it may do so
// where there are no requests (draft-18 §3.6), and nothing tells whether it has seen more.
func (s *Session) mayLeave(ctx context.Context) {
	step, cancel := s.e.Within(ctx, closeTime)
	defer cancel()
	select {
	case <-s.Context().Done():
	case <-step.Done():
	}
	var end *moqt.SessionError
	if errors.As(context.Cause(s.Context()), &end) && !end.Local && end.Code == wire.NoError {
		s.e.Skip("the relay has answered GOAWAY by closing the session: %s", closing(end, s.Draft()))
	}
}

var (
	goawayTwice = goawayBreach("goaway-twice", "a second GOAWAY closes the session with PROTOCOL_VIOLATION",
		"a second GOAWAY", &wire.Goaway{}, &wire.Goaway{})
	goawayURI = goawayBreach("goaway-uri", "a client's GOAWAY with a URI closes the session with PROTOCOL_VIOLATION",
		"a URI in a client's GOAWAY",
		&wire.Goaway{NewSessionURI: "https://relay.example/moq"})
)

// token is an AUTHORIZATION_TOKEN as a parameter.
func token(t wire.Token) wire.Parameter {
	return wire.Parameter{Type: wire.ParamAuthorizationToken, Token: t}
}

// tokenBytes is how many bytes of tokens the relay stores.
func (s *Session) tokenBytes() uint64 {
	p, _ := s.PeerSetup().Options.Get(wire.OptionMaxAuthTokenCacheSize)
	return p.Uint
}

// tokenOverhead is what a registered token counts besides its value (draft-18 §10.3.1.3).
const tokenOverhead = 16

// tokenValue is the user's token, or one that means nothing.
func (e *Env) tokenValue() []byte {
	if e.cfg.AuthToken != "" {
		return []byte(e.cfg.AuthToken)
	}
	return []byte("moq-interop " + e.run)
}

var tokenAlias = limitsCase("token-alias", "a registered token has the same effect by its alias as by its value", 0,
	[]string{"token-alias-lost", "announce-silent"}, runTokenAlias, wire.TopicTokens, wire.TopicPublishNamespace)

// runTokenAlias: PUBLISH_NAMESPACE with the token by value, registered, and by its alias (draft-18 §10.2.2). Whether
// the relay wants it is its affair.
func runTokenAlias(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "client")
	value := e.tokenValue()
	if s.tokenBytes() < tokenOverhead+uint64(len(value)) {
		e.Skip("the relay stores %d bytes of tokens (MAX_AUTH_TOKEN_CACHE_SIZE), %d are needed", s.tokenBytes(),
			tokenOverhead+len(value))
	}
	var answers []string
	for i, t := range []wire.Token{
		{AliasType: wire.TokenUseValue, Value: value},
		{AliasType: wire.TokenRegister, Alias: 7, Value: value},
		{AliasType: wire.TokenUseAlias, Alias: 7},
	} {
		step, cancel := e.Step(ctx)
		defer cancel()
		ns := e.Namespace(fmt.Sprint(i))
		_, err := s.PublishNamespace(step, ns, wire.Parameters{token(t)})
		var refused *moqt.RequestError
		answer := s.okName(wire.KindPublishNamespace)
		switch {
		case errors.As(err, &refused):
			answer = wire.RequestErrorCode(refused.Code).In(s.Draft(), wire.KindPublishNamespace)
		case err != nil:
			s.Check(step, err, transport.LayerRequest, "an answer to PUBLISH_NAMESPACE with a token")
		}
		answers = append(answers, answer)
	}
	e.Annotate("by value: %s; registered: %s; by alias: %s", answers[0], answers[1], answers[2])
	if answers[1] != answers[0] || answers[2] != answers[0] {
		e.Fail(transport.LayerRequest, "the same answer by value, when registered, and by alias",
			fmt.Sprintf("%s by value, %s when registered, %s by alias", answers[0], answers[1], answers[2]))
	}
	return nil
}

var tokenTwice = limitsCase("token-alias-twice", "registering a token alias twice closes the session with "+
	"DUPLICATE_AUTH_TOKEN_ALIAS", 0,
	[]string{"close-code-wrong"},
	func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "client")
		if s.tokenBytes() < tokenOverhead+1 {
			e.Skip("the relay stores no tokens (MAX_AUTH_TOKEN_CACHE_SIZE %d)", s.tokenBytes())
		}
		for i := range 2 {
			ps := wire.Parameters{token(wire.Token{AliasType: wire.TokenRegister, Alias: 1, Value: []byte{byte(i)}})}
			_, err := s.StartPublishNamespace(ctx, e.Namespace(fmt.Sprint(i)), ps)
			s.Check(ctx, err, transport.LayerRequest, "PUBLISH_NAMESPACE to be sent")
		}
		s.wantClosed(ctx, "a token alias that is registered twice", wire.DuplicateAuthTokenAlias)
		return nil
	}, wire.TopicTokens, wire.TopicTermination)

var tokenOverflow = limitsCase("token-cache-overflow", "registering more than the relay stores closes the session "+
	"with AUTH_TOKEN_CACHE_OVERFLOW", 0,
	[]string{"close-code-wrong"},
	func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "client")
		size := s.tokenBytes()
		if size > 1<<15 { // a control message has at most 2^16-1 bytes
			e.Skip("the relay stores %d bytes of tokens, more than one message can hold", size)
		}
		ps := wire.Parameters{token(wire.Token{AliasType: wire.TokenRegister, Alias: 1,
			Value: filled(int(size)+1, 1, 1)})}
		_, err := s.StartPublishNamespace(ctx, e.Namespace(), ps)
		s.Check(ctx, err, transport.LayerRequest, "PUBLISH_NAMESPACE to be sent")
		s.wantClosed(ctx, fmt.Sprintf("a token of %d bytes where %d are stored", size+1, size),
			wire.AuthTokenCacheOverflow)
		return nil
	}, wire.TopicTokens, wire.TopicTermination)
