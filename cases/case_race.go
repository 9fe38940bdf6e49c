package cases

import (
	"context"
	"errors"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Objects and answers travel on different streams, so each may come first.

var dataBeforeOK = livesCase("data-before-ok",
	"Objects that come before their publisher's SUBSCRIBE_OK do no harm, and those behind it are delivered",
	[]string{"publisher", "subscriber"}, []Fault{
		requestFault("early-data-closes", "connection closed by the peer with 0x3 PROTOCOL_VIOLATION"),
		dataFault("drop-object", "4 of 5 objects came, {2, 0}"),
	}, runDataBeforeOK, rules.Forwarding)

// runDataBeforeOK: an endpoint may buffer a stream or datagram with an unknown Track Alias for a while, or drop it
// (draft-18 §11.3, §11.4.2).
func runDataBeforeOK(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	early := e.Groups(0, 0)
	early = append(early, NewLayout(Span(1, 1), Span(0, 0), LayoutOptions{Payload: e.NamedPayload})...)
	early[5].Datagram = true
	p.Early, p.EarlyBy = early, 50*time.Millisecond
	l := e.Groups(2, 2)
	a := e.Follow(ctx, "subscriber", p, l, Checks{May: past(2)})
	p.WaitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
	a.WaitAll(ctx)
	p.End()
	a.WantExactly(ctx)
	a.Healthy(ctx, transport.LayerData)
	p.Session.Healthy(ctx, transport.LayerData)
	return nil
}

var dataAtOnce = livesCase("data-at-once",
	"Objects that follow their publisher's SUBSCRIBE_OK at once are delivered",
	[]string{"publisher", "subscriber"}, []Fault{
		dataFault("early-objects-lost", "of 5 objects came, {0, 0}"),
		dataFault("drop-object", "4 of 5 objects came, {0, 0}"),
	}, func(ctx context.Context, e *Env) error {
		return runAtOnce(ctx, e, e.Groups(0, 0), false)
	}, rules.Forwarding, rules.Upstream)

var oneObjectTrack = livesCase("one-object-track",
	"A track of one object, which ends as soon as it begins, is delivered",
	[]string{"publisher", "subscriber"}, []Fault{
		dataFault("early-objects-lost", "0 of 1 objects came, {0, 0} is missing"),
		dataFault("drop-object", "0 of 1 objects came, {0, 0} is missing"),
	}, func(ctx context.Context, e *Env) error {
		return runAtOnce(ctx, e, oneObject(e), true)
	}, rules.Forwarding, rules.OneAnswer, rules.Upstream)

// runAtOnce: the publisher sends objects as soon as it is subscribed, and may end the track behind them. The relay may
// have all of it before it has answered the subscriber. It must not say then that nothing was published, and leave the
// objects out. If it names the Largest Object, those up to there count as past (draft-18 §10.2.11). A subscription that
// is over upstream before the answer may be refused, since none is established.
func runAtOnce(ctx context.Context, e *Env, l Layout, ends bool) error {
	p := e.Announced(ctx)
	s := e.Dial(ctx, "subscriber")
	e.Go(ctx, func(ctx context.Context) {
		if p.WaitSubscribed(ctx) == nil {
			p.Publish(ctx, l, 0)
			if ends {
				p.End()
			}
		}
	})
	step, cancel := e.Step(ctx)
	defer cancel()
	sub, err := s.Session.Subscribe(step, s.SubscribeMessage(p.Namespace, p.Name))
	var refused *moqt.RequestError
	switch {
	case ends && errors.As(err, &refused):
		e.Annotate("SUBSCRIBE to a track that has ended meanwhile was refused: %s", RefusalText(refused))
		return nil
	case err != nil:
		panic(s.unanswered(step, err, "SUBSCRIBE_OK at the subscriber", p))
	}
	var want Layout
	largest, told := sub.OK().Parameters.Largest()
	for _, x := range l {
		if !told || x.Location().Compare(largest) > 0 {
			want = append(want, x)
		}
	}
	if told {
		e.Note("SUBSCRIBE_OK has the Largest Object %s: those up to there count as past", largest)
	}
	k := NewChecker(want, Checks{May: func(at wire.Location) bool { return told && at.Compare(largest) <= 0 }})
	r := s.Read(ctx, "SUBSCRIBE", k, sub.Next)
	step, cancel = e.Step(ctx)
	defer cancel()
	s.Gather(step, k, r)
	p.End()
	s.Exactly(ctx, k, LateTime, r)
	return nil
}

var midGroup = subscribersCase("subscribe-mid-group",
	"A subscriber that comes in the middle of a group gets the rest of it",
	[]string{"publisher", "subscriber", "latecomer"}, []Fault{
		dataFault("mid-group-waits", "0 of 3 objects came, {0, 2}"),
		dataFault("first-object-always", "FIRST_OBJECT is true instead of false").from(wire.Draft18),
	}, runMidGroup, rules.Forwarding, rules.LargestObject, rules.LocationFilter, rules.FirstObject)

// runMidGroup: without a filter a subscription starts behind the Largest Object (draft-18 §5.1.2).
func runMidGroup(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	l := e.Groups(0, 0)
	a := e.Follow(ctx, "subscriber", p, l, Checks{})
	p.WaitForward(ctx)
	p.Publish(ctx, l[:2], ObjectPace)
	a.WaitTo(ctx, wire.Location{Object: 1})
	late := e.Follow(ctx, "latecomer", p, l[2:],
		Checks{FirstObject: a.Draft() >= wire.Draft18, May: func(at wire.Location) bool { return at.Object < 2 }},
		FilterParameter(wire.LocationFilter{Form: wire.FilterNextObject}))
	late.WantLargest(wire.Location{Object: 1})
	p.Deliver(ctx, l[2:], ObjectPace, late, a)
	return nil
}
