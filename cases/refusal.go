package cases

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// MayRefuse ends the case as skipped when err is a refusal that the draft allows. rule says where the draft allows it,
// names with which codes; without names any code will do. Otherwise MayRefuse returns, and the case judges err. step
// names the step for people: "FETCH", "a second PUBLISH_NAMESPACE".
func (s *Session) MayRefuse(err error, step string, rule rules.ID, names ...wire.ErrorName) {
	var refused *moqt.RequestError
	if !errors.As(err, &refused) {
		return
	}
	name, _ := wire.RequestErrorCode(refused.Code).Meaning(s.Draft(), refused.Kind)
	if len(names) == 0 || slices.Contains(names, name) {
		s.skipRefused(step+" was refused", rule, RefusalText(refused))
	}
}

// skipRefused ends the case as skipped because the relay has declined something, as a rule allows.
func (s *Session) skipRefused(what string, rule rules.ID, received string) {
	s.e.Skip("%s, as %s allows: %s", what, rules.Cite(s.Draft(), rule), received)
}

// SkipUnsupported ends the case as skipped when err says that the relay does not support a kind of request. Relays must
// support SUBSCRIBE and PUBLISH_NAMESPACE, so for these it does nothing.
func (s *Session) SkipUnsupported(err error) {
	var refused *moqt.RequestError
	if errors.As(err, &refused) && refused.Kind != wire.KindSubscribe && refused.Kind != wire.KindPublishNamespace {
		s.MayRefuse(err, refused.Kind.String(), rules.NotSupported, wire.NameNotSupported)
	}
}

// WantRefusal ends the case unless a request was refused with the code that the draft demands. err is the request's
// outcome; accepted describes the answer if there was no error. The case is skipped when the relay answers
// NOT_SUPPORTED.
func (s *Session) WantRefusal(ctx context.Context, err error, kind wire.Kind, name wire.ErrorName, accepted string) {
	code, _ := wire.RequestErrorFor(s.Draft(), kind, name)
	expected := fmt.Sprintf("%s %s", wire.NameOf(s.Draft(), &wire.RequestError{Answers: kind}),
		code.In(s.Draft(), kind))
	var refused *moqt.RequestError
	s.SkipUnsupported(err)
	switch {
	case err == nil:
		s.e.Fail(transport.LayerRequest, expected, accepted)
	case !errors.As(err, &refused) || refused.Code != uint64(code):
		s.Check(ctx, err, transport.LayerRequest, expected)
	}
}

// WantUnknown ends the case unless a request for something that does not exist was refused; accepted describes the
// answer if it was not. Any code but 0x0 is a refusal. If the draft has another code for this, the case's message names
// the relay's.
func (s *Session) WantUnknown(ctx context.Context, err error, kind wire.Kind, accepted string) {
	const expected = "a request error that is not 0x0 INTERNAL_ERROR"
	var refused *moqt.RequestError
	s.SkipUnsupported(err)
	switch {
	case err == nil:
		s.e.Fail(transport.LayerRequest, expected, accepted)
	case !errors.As(err, &refused) || refused.Code == 0:
		s.Check(ctx, err, transport.LayerRequest, expected)
	}
	want, _ := wire.RequestErrorFor(s.Draft(), kind, wire.NameDoesNotExist)
	if refused.Code == uint64(want) {
		s.e.Annotate("%s", RefusalText(refused))
	} else {
		s.e.Annotate("%s; the draft's own code for what does not exist is %s", RefusalText(refused),
			want.In(s.Draft(), kind))
	}
}

// mayHaveEnough ends the case as skipped when err says that the relay lets no more requests be made beside so many, or
// takes no more of them.
func (s *Session) mayHaveEnough(err error, there int) {
	var full *moqt.NoStreamError
	if errors.As(err, &full) {
		s.e.Skip("the relay lets no more streams be opened beside %d requests: %v", there, err)
	}
	var refused *moqt.RequestError
	if errors.As(err, &refused) && refused.Name == string(wire.NameExcessiveLoad) {
		s.e.Skip("the relay takes no more requests beside %d: %s", there, RefusalText(refused))
	}
}

// OKName is the draft's name for the message that accepts a kind of request.
func (s *Session) OKName(kind wire.Kind) string {
	switch kind {
	case wire.KindSubscribe:
		return wire.NameOf(s.Draft(), &wire.SubscribeOK{})
	case wire.KindFetch:
		return wire.NameOf(s.Draft(), &wire.FetchOK{})
	}
	return wire.NameOf(s.Draft(), &wire.RequestOK{Answers: kind})
}

// unanswered is the failure of a request that got no OK. It says what the publisher has seen, which shows where the
// request was lost.
func (s *Session) unanswered(ctx context.Context, err error, expected string, p *Publisher) *outcome {
	o := s.e.classify(ctx, err, s, transport.LayerRequest, expected)
	if o.layer == transport.LayerRequest && o.expected == expected && !o.quiet {
		return failed(o.layer, o.expected, o.received+" (the publisher has seen "+p.Saw()+")")
	}
	return o
}

// Refused ends the case because a FETCH of p's track got no FETCH_OK, or a SUBSCRIBE no SUBSCRIBE_OK. The case is
// skipped if a FETCH was refused with NOT_SUPPORTED.
func (s *Session) Refused(ctx context.Context, err error, expected string, p *Publisher) {
	s.SkipUnsupported(err)
	panic(s.unanswered(ctx, err, expected, p))
}

// WantClosed waits until the relay has closed the session, at most closeTime, and ends the case unless it did so with
// one of these codes.
func (s *Session) WantClosed(ctx context.Context, because string, codes ...wire.SessionError) {
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
	// The session knows no such request, so an answer to it counts as a breach.
	if errors.As(cause, &end) && end.Local && errors.As(end.Err, &broken) {
		s.e.Fail(transport.LayerRequest, expected, broken.Message+" in answer")
	}
	if errors.As(cause, &end) {
		if code, ok := closedWith(end); ok && slices.Contains(codes, code) {
			s.e.Annotate("%s", closing(end, s.Draft()))
			return
		}
	}
	s.Check(ctx, cause, transport.LayerRequest, expected)
}

// closeTime is how long a relay may take to close a session that it must close.
const closeTime = StepLimit / 2

// requestError is a refusal of a request that was sent as raw bytes, as that of any other.
func requestError(d wire.Draft, kind wire.Kind, no *wire.RequestError) *moqt.RequestError {
	name, _ := wire.RequestErrorCode(no.Code).Meaning(d, kind)
	return &moqt.RequestError{Draft: d, Kind: kind, Code: no.Code, Name: string(name), Reason: no.Reason}
}

// answered ends the case unless a request was answered, possibly with an error.
func (s *Session) answered(ctx context.Context, err error, expected string) {
	var refused *moqt.RequestError
	if !errors.As(err, &refused) {
		s.Check(ctx, err, transport.LayerRequest, expected)
	}
}
