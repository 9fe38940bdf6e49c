package cases

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Request IDs and their limit; helpers for the cases about the limits and the end of one session.

// limitsCase is a case of a session's limits.
func limitsCase(id, title string, last wire.Draft, faults []Fault, run func(ctx context.Context, e *Env) error,
	what ...rules.ID) Case {
	return topicCase(id, title, faults, run, what, "limits").until(last).among("client")
}

// endingCase is a case of one session that the relay must close.
func endingCase(id, title string, last wire.Draft, faults []Fault, run func(ctx context.Context, e *Env) error,
	what ...rules.ID) Case {
	c := limitsCase(id, title, last, faults, run, what...)
	c.Ending = true
	return c
}

// granted is the MAX_REQUEST_ID in the relay's SETUP, 0 if it has none.
func (s *Session) granted() uint64 {
	p, _ := s.PeerSetup().Options.Get(wire.OptionMaxRequestID)
	return p.Uint
}

// manyRequests is how many requests a session makes at most to see whether it is granted more of them.
const manyRequests = 300

var requestIDs = limitsCase("request-ids",
	"Requests are answered up to MAX_REQUEST_ID; whether it grows is recorded", wire.Draft16,
	[]Fault{
		requestFault("no-request-ids", "MAX_REQUEST_ID 0 and no more"),
		requestFault("announce-silent", "nothing for 5000 ms after PUBLISH_NAMESPACE"),
	}, runRequestIDs, rules.RequestID, rules.PublishNamespace)

// runRequestIDs makes more requests than SETUP allows. No text demands that a relay allow more. But it must allow some
// at the start, since a session is of no use without requests, and it must answer every request.
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
			blocked.Max, StepLimit)
	case errors.As(failed, &blocked):
		s.Check(step, failed, transport.LayerRequest, "MAX_REQUEST_ID above 0")
	default:
		s.Check(step, failed, transport.LayerRequest, fmt.Sprintf("an answer to each of %d PUBLISH_NAMESPACE; %d came",
			requests, count))
	}
	return nil
}

var requestIDLimit = endingCase("request-id-limit",
	"A request above MAX_REQUEST_ID closes the session with TOO_MANY_REQUESTS", wire.Draft16,
	[]Fault{
		requestFault("close-code-wrong", "connection closed by the peer with 0x1 INTERNAL_ERROR"),
	}, runRequestIDLimit, rules.RequestID)

// runRequestIDLimit: the ID is also not the next one, so INVALID_REQUEST_ID is right too (draft-16 §9.1). A
// TRACK_STATUS with a valid ID goes first and is answered, so it is the ID that closes the session.
func runRequestIDLimit(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "client")
	const above = 1 << 20
	id := s.granted() + above
	if limit := s.Draft().MaxVarint(); s.granted() >= limit-above {
		e.NotApplicable("the relay grants every request id")
	}
	id += id % 2 // a client's ids are even
	step, cancel := e.Step(ctx)
	defer cancel()
	good := &wire.TrackStatus{TrackNamespace: e.Namespace(), TrackName: e.TrackName(), Parameters: e.Parameters()}
	_, err := s.TrackStatus(step, good)
	s.answered(step, err, "an answer to a TRACK_STATUS with the next Request ID")
	err = s.SendControl(ctx, &wire.TrackStatus{RequestID: id, TrackNamespace: e.Namespace(), TrackName: e.TrackName(),
		Parameters: e.Parameters()})
	s.Check(ctx, err, transport.LayerRequest, "TRACK_STATUS to be sent")
	s.WantClosed(ctx, fmt.Sprintf("Request ID %d, above MAX_REQUEST_ID %d", id, s.granted()), wire.TooManyRequests,
		wire.InvalidRequestID)
	return nil
}

var requiredRequest = limitsCase("required-request",
	"A request that requires another one is handled after it, though it comes first", wire.Draft17,
	[]Fault{
		requestFault("required-ignored", "an answer to the request that requires it"),
		requestFault("track-status-silent", "nothing for "),
	}, runRequiredRequest, rules.RequiredRequest).from(wire.Draft17)

// runRequiredRequest: each request has a stream of its own, so the second may come first; the receiver then waits for
// the first one (draft-17 §9.2).
func runRequiredRequest(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "client")
	step, cancel := e.Step(ctx)
	defer cancel()
	m := wire.TrackStatus{TrackNamespace: e.Namespace(), TrackName: e.TrackName(), Parameters: e.Parameters()}
	second := m
	second.RequestID, second.RequiredRequestIDDelta = 2, 1
	b, err := wire.AppendMessage(nil, s.Draft(), &second, wire.RequestStream)
	s.Check(step, err, transport.LayerRequest, "TRACK_STATUS to be written")
	code, body, _, _, err := wire.Frame(b, s.Draft())
	s.Check(step, err, transport.LayerRequest, "TRACK_STATUS to be written")
	later, err := s.Start(step, &wire.Raw{Type: code, Body: body})
	s.Check(step, err, transport.LayerRequest, "TRACK_STATUS to be sent")
	early, cancel := context.WithTimeout(step, e.settled(LateTime))
	defer cancel()
	if answer, err := later.Next(early); err == nil {
		if no, ok := answer.(*wire.RequestError); ok { // no application has been told of a kind that is not supported
			s.SkipUnsupported(requestError(s.Draft(), wire.KindTrackStatus, no))
		}
		e.Fail(transport.LayerRequest, "no answer before the required request has come", fmt.Sprintf(
			"an answer to the request that requires it: %s", wire.NameOf(s.Draft(), answer)))
	}
	required, err := s.Start(step, &m)
	s.Check(step, err, transport.LayerRequest, "TRACK_STATUS to be sent")
	_, err = required.Response(step)
	s.answered(step, err, "an answer to TRACK_STATUS")
	_, err = later.Next(step)
	s.Check(step, err, transport.LayerRequest, "an answer to the request that requires another one")
	return nil
}
