package cases

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// What a relay does with the streams of requests that are cancelled.

var unsubscribeResets = endsCase("unsubscribe-resets",
	"A subscriber that leaves in mid-subgroup sees the stream reset",
	[]Fault{
		dataFault("cancelled-streams-stay", "a stream that is still open after 5"),
		dataFault("drop-everything", "0 of 2 objects came, {0, 0}"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		l := e.Groups(0, 0)[:2]
		a := e.Follow(ctx, "subscriber", p, l, Checks{})
		p.WaitForward(ctx)
		e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
		a.WaitAll(ctx)
		a.WantReset(ctx, "a subscription that was cancelled", a.Subscription.Unsubscribe)
		a.Healthy(ctx, transport.LayerRequest)
		return nil
	}, rules.Unsubscribe)

var fetchCancelUpstream = fetchCase("fetch-cancel-upstream",
	"A FETCH cancelled in the middle has its stream reset, and the relay's own FETCH is cancelled or read to its end",
	[]Fault{
		dataFault("cancelled-streams-stay", "a stream that is still open after 5"),
		requestFault("fetch-stops-stream-alone", "STOP_SENDING of the data stream alone"),
		requestFault("fetch-silent", "nothing for "),
	}, runFetchCancelUpstream, rules.FetchCancel, rules.FetchCancelStream).among("publisher", "fetcher")

// runFetchCancelUpstream: the publisher sends the first object of what the relay fetches, and nothing more until the
// fetcher has cancelled. So the relay has nothing with which it could complete the stream.
func runFetchCancelUpstream(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	p.Publish(ctx, e.Groups(0, 2), 0)
	p.holding = true
	s := e.Dial(ctx, "fetcher")
	f := p.heldFetch(ctx, s)
	if f == nil {
		return nil
	}
	s.WantReset(ctx, "a FETCH that was cancelled", f.Cancel)
	p.wantGivenUp(ctx)
	s.Healthy(ctx, transport.LayerRequest)
	return nil
}

// soon is how long a relay that passes on what a publisher sends may take to pass on the first of it.
const soon = time.Second

// heldFetch fetches group 1 from a publisher that holds it back behind its first object, and waits for that. It returns
// nil when begins reports false.
func (p *Publisher) heldFetch(ctx context.Context, s *Session) *moqt.Fetch {
	step, cancel := s.e.Step(ctx)
	defer cancel()
	f, err := s.StartFetch(step, p.FetchOf(WholeGroups(1, 1)))
	s.Check(step, err, transport.LayerRequest, "FETCH to be sent")
	if !p.begins(step, s, f) {
		return nil
	}
	return f
}

// begins waits for the first object of a fetch or fill of which the publisher holds back the others. It reports false
// when the relay does not ask the publisher (which it need not up to 19), and ends the case as skipped when the relay
// sends nothing before it has everything.
func (p *Publisher) begins(step context.Context, s *Session, f *moqt.Fetch) bool {
	e := s.e
	first, cancel := e.Within(step, soon)
	defer cancel()
	_, err := f.Next(first)
	if err == nil {
		return true
	}
	waits := first.Err() != nil
	p.release()
	if s.log.headlessStreams() > 0 {
		e.Annotate("the relay does not ask the publisher: a stream was reset before its header came")
		return false
	}
	if err := f.Ready(step); err != nil {
		s.SkipUnsupported(err)
		s.answered(step, err, "FETCH_OK or a request error")
		e.Annotate("the relay does not ask the publisher: %v", err)
		return false
	}
	if waits {
		_, err = f.Next(step)
	}
	s.Check(step, err, transport.LayerData, "the first object of the range")
	e.Skip("the relay sends nothing before its publisher has sent everything, so nothing can be cancelled midway")
	return false
}

// wantGivenUp lets the publisher go on with what it holds back, and ends the case if the relay has stopped the data
// stream of a FETCH without cancelling the request (draft-18 §5.2). That it goes on reading is its own affair.
func (p *Publisher) wantGivenUp(ctx context.Context) {
	s, e := p.Session, p.Session.e
	s.Healthy(ctx, transport.LayerRequest) // a cancellation has arrived
	p.release()
	step, cancel := e.Step(ctx)
	defer cancel()
	const expected = "the relay's FETCH cancelled, or read to its end"
	s.Check(step, p.wait(step, func() bool {
		for _, x := range p.fetches {
			if !x.over {
				return false
			}
		}
		return true
	}), transport.LayerRequest, expected)
	s.Healthy(ctx, transport.LayerRequest)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range p.fetches {
		var cancelled *moqt.CancelError
		var stop *transport.StreamError
		switch {
		case errors.As(context.Cause(x.r.Context()), &cancelled):
			e.Note("the relay has cancelled its own FETCH")
		case errors.As(x.err, &stop) && stop.Stop:
			e.Fail(transport.LayerRequest, expected,
				"STOP_SENDING of the data stream alone: "+streamEnd(stop, s.Draft()))
		default:
			e.Note("the relay has read its own FETCH to its end")
		}
	}
}

var fillCancel = joinCase("fill-cancel", "The fill of a subscription that is cancelled is reset", 0,
	[]string{"publisher", "joiner"}, []Fault{
		dataFault("cancelled-streams-stay", "a stream that is still open after 5"),
		requestFault("route-nowhere", `DOES_NOT_EXIST "fault"`),
	},
	func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		p.Publish(ctx, e.Groups(0, 2), 0)
		p.holding = true
		s := e.Dial(ctx, "joiner")
		j := s.JoinTrack(ctx, p, track.JoinRequest{})
		j.wantFill()
		step, cancel := e.Step(ctx)
		defer cancel()
		if p.begins(step, s, j.Joined.Past) {
			s.WantReset(ctx, "a fill whose subscription was cancelled", j.Joined.Live.Unsubscribe)
			p.release()
			s.Healthy(ctx, transport.LayerRequest)
		}
		return nil
	}, rules.FillCancel).from(wire.Draft20)

var malformedFetch = fetchCase("malformed-track-fetch",
	"A FETCH under way is reset when the relay sees that its track is malformed",
	[]Fault{
		dataFault("malformed-fetch-goes-on", "though the subscription has ended with MALFORMED_TRACK"),
		requestFault("fetch-silent", "nothing for "),
	}, runMalformedFetch, rules.MalformedTrack).among("publisher", "subscriber", "fetcher")

// runMalformedFetch: the publisher holds a FETCH of the relay back behind its first object, and meanwhile sends an
// object of its subscription again with other contents. A relay need not notice (draft-18 §2.4.2).
func runMalformedFetch(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	p.Publish(ctx, e.Groups(0, 2), 0)
	p.holding = true
	l := e.Groups(3, 3)
	a := e.Follow(ctx, "subscriber", p, l, Checks{May: func(wire.Location) bool { return true }})
	p.WaitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
	a.WaitAll(ctx)
	s := e.Dial(ctx, "fetcher")
	f := p.heldFetch(ctx, s)
	if f == nil {
		return nil
	}
	p.Publish(ctx, NewLayout(Span(3, 3), Span(0, 4), LayoutOptions{Payload: func(g, o uint64) []byte {
		return append([]byte("other "), e.NamedPayload(g, o)...)
	}}), ObjectPace)
	quiet, cancel := context.WithTimeout(ctx, e.settled(2*LateTime))
	defer cancel()
	done, err := a.Subscription.Done(quiet)
	p.release()
	if err != nil {
		e.Annotate("the relay has not seen it, or says nothing of it")
		return nil
	}
	code := wire.PublishDoneCode(done.StatusCode)
	if name, _ := code.Meaning(a.Draft()); name != wire.NameMalformedTrack {
		e.Annotate("the subscription has ended with %s", code.In(a.Draft()))
		return nil
	}
	step, cancel := e.Step(ctx)
	defer cancel()
	const expected = "a reset of the FETCH of a malformed track"
	for n := 1; ; n++ {
		_, err := f.Next(step)
		var reset *transport.StreamError
		switch {
		case err == nil:
			continue
		case errors.As(err, &reset) && reset.Remote && !reset.Stop:
			e.Annotate("the FETCH was reset behind %d objects", n)
			return nil
		case step.Err() != nil:
			s.Check(step, err, transport.LayerData, expected)
		}
		e.Fail(transport.LayerData, expected,
			fmt.Sprintf("%d objects and %v, though the subscription has ended with MALFORMED_TRACK", n, err))
	}
}
