package cases

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Subscriber Priority between two subscriptions of a session, while both have objects that wait.

// The priorities of the two subscriptions, and one that an update replaces.
const (
	priorityHigh, priorityLow = 10, 200
	priorityBefore            = 250
	// preferredGroups is how many groups the track with the higher priority has. A relay that serves the two in turn
	// has sent as many of the other's by then.
	preferredGroups = 12
)

var subscriberPriorities = congestionCase("subscriber-priorities",
	"Of two tracks, a slow subscriber gets the one with the higher Subscriber Priority first", Should,
	[]Fault{
		dataFault("priority-ignored", "of 108 objects of the other track came amid").should(),
	}, func(ctx context.Context, e *Env) error { return preferTrack(ctx, e, false) },
	rules.PrioritiesRespected, rules.Priorities)

var priorityUpdate = congestionCase("subscriber-priority-update",
	"A Subscriber Priority that an update raises counts for what waits already", Should,
	[]Fault{
		dataFault("priority-update-ignored", "of 108 objects of the other track came amid").should(),
		dataFault("priority-ignored", "of 108 objects of the other track came amid").should(),
	}, func(ctx context.Context, e *Env) error { return preferTrack(ctx, e, true) }, rules.PriorityUpdate)

// preferTrack: the subscriber follows two tracks, and reads nothing until the relay has all of both. It then wants the
// second one's objects before those of the first that wait (draft-18 §7.1, §7.2: SHOULD). With update the second track
// gets its priority only then.
func preferTrack(ctx context.Context, e *Env, update bool) error {
	p := e.Announced(ctx)
	q := p.Session.Publisher(p.Namespace, e.TrackName()+"-second")
	s := e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	first := uint64(priorityHigh)
	if update {
		first = priorityBefore
	}
	low := s.SubscribeTo(step, p, UintParameter(wire.ParamSubscriberPriority, priorityLow))
	high := s.SubscribeTo(step, q, UintParameter(wire.ParamSubscriberPriority, first))
	p.WaitForward(step)
	q.WaitForward(step)
	big := func(groups uint64) Layout {
		return NewLayout(Span(0, groups-1), Span(0, congestedGroup-1),
			LayoutOptions{Payload: func(g, o uint64) []byte { return Filled(congestedObject, g, o) }})
	}
	feed, cancel := e.Within(ctx, feedTime)
	defer cancel()
	others, wanted := big(congestedGroups+1), big(preferredGroups)
	p.Publish(ctx, others, 0)
	all := p.fed(feed)
	q.Publish(ctx, wanted, 0)
	fed := p.feeding(q.fed(feed) && all, len(others)+len(wanted))
	if update { // the answer needs credit of the connection, which there is only once something is read
		e.Go(ctx, func(ctx context.Context) {
			(&Subscriber{Session: s, Subscription: high}).Update(ctx,
				UintParameter(wire.ParamSubscriberPriority, priorityHigh))
		})
	}
	// No longer than the path takes: a relay need not let streams wait for ever for one that is not read.
	e.Sleep(ctx, max(SettleTime, stepRoundTrips*s.conn.Path().RTT()))
	a, b := s.Watch(ctx, low), s.Watch(ctx, high)
	s.WantStreams(ctx, b, wanted.String(), func() bool { return len(b.Arrivals) >= len(wanted) || s.gaveUp() != "" })
	s.WantStreams(ctx, a, others.String(), func() bool { return len(a.Arrivals) >= len(others) || s.gaveUp() != "" })
	s.mayFallBehind()
	p.End()
	q.End()
	between, behind := b.among(a)
	text := fmt.Sprintf("%d of %d objects of the other track came amid the middle half of its own, and %d behind that",
		between, len(others), behind)
	e.Note("%s", text)
	fed.skipUnlessAll(e)
	// A relay that serves the two in turn sends as many of the one as of the other: half of those that are wanted.
	const someObjects = 20
	if preferred := behind >= someObjects && between < len(wanted)/4; !preferred && fed.mixedUp(e) {
		e.Annotate("recorded, not judged, on a path so slow or lossy: %s", text)
	} else {
		e.Should(preferred, transport.LayerData, fmt.Sprintf("the track with Subscriber Priority %d before what waits "+
			"of the one with %d", priorityHigh, priorityLow), text)
	}
	return nil
}

// among counts the objects of other streams that came amid the middle half of those of w, and behind that. The first
// and the last may have been begun before, or have waited in the transport.
func (w *Streams) among(other *Streams) (between, behind int) {
	w.mu.Lock()
	own := slices.Sorted(slices.Values(w.order))
	w.mu.Unlock()
	first, last := own[len(own)/4], own[len(own)*3/4]
	other.mu.Lock()
	defer other.mu.Unlock()
	for _, n := range other.order {
		switch {
		case n > last:
			behind++
		case n > first:
			between++
		}
	}
	return between, behind
}

var controlFirst = congestionCase("answers-before-objects",
	"An answer does not wait for the objects that wait for a slow subscriber", Should,
	[]Fault{
		requestFault("answers-behind-objects", "objects came before the answer").should(),
		requestFault("track-status-silent", "nothing for ").should(),
	}, runControlFirst, rules.ControlFirst).from(wire.Draft17)

// runControlFirst: the streams of requests go before those of objects (draft-18 §7.2: SHOULD). The subscriber reads
// nothing until the relay has the objects and the request; then the answer comes with the first of what waits.
func runControlFirst(ctx context.Context, e *Env) error {
	l := NewLayout(Span(0, congestedGroups), Span(0, congestedGroup-1),
		LayoutOptions{Payload: func(g, o uint64) []byte { return Filled(congestedObject, g, o) }})
	p, s, sub, fed := congest(ctx, e, l)
	step, cancel := e.Step(ctx)
	defer cancel()
	// How long an answer takes is seen where nothing waits.
	began := time.Now()
	asked, err := p.Session.Start(step, &wire.TrackStatus{TrackNamespace: e.Namespace("nobody"), TrackName: p.Name,
		Parameters: e.Parameters()})
	p.Session.Check(step, err, transport.LayerRequest, "TRACK_STATUS to be sent")
	_, err = asked.Response(step)
	p.Session.answered(step, err, "an answer to TRACK_STATUS")
	took := time.Since(began)
	status, err := s.Start(step, &wire.TrackStatus{TrackNamespace: p.Namespace, TrackName: p.Name,
		Parameters: e.Parameters()})
	s.Check(step, err, transport.LayerRequest, "TRACK_STATUS to be sent")
	e.Silence(ctx, max(SettleTime, 2*took))
	w := s.Watch(ctx, sub)
	step, cancel = e.Step(ctx)
	defer cancel()
	_, err = status.Response(step)
	s.answered(step, err, "an answer to TRACK_STATUS")
	came := int(s.objectsBefore())
	s.WantStreams(ctx, w, l.String(), func() bool { return len(w.Arrivals) >= len(l) || s.gaveUp() != "" })
	s.mayFallBehind()
	text := fmt.Sprintf("%d of %d objects came before the answer", came, len(l))
	e.Note("%s", text)
	fed.skipUnlessAll(e)
	const someObjects = 10
	if late := came > len(l)-someObjects; late && fed.mixedUp(e) {
		e.Annotate("recorded, not judged, on a path so slow or lossy: %s", text)
	} else {
		e.Should(!late, transport.LayerRequest, "the answer to a request before the objects that wait", text)
	}
	return nil
}
