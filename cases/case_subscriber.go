package cases

import (
	"context"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Which subscriber receives what: late subscribers, several subscribers, publishers that share a track, subscribers
// that leave.

// subscribersCase is a case of live delivery.
func subscribersCase(id, title string, roles []string, faults []Fault, run func(ctx context.Context, e *Env) error,
	what ...rules.ID) Case {
	return topicCase(id, title, faults, run, what, "data", "subscribe").among(roles...)
}

// past reports for a location whether it lies before a group.
func past(group uint64) func(at wire.Location) bool {
	return func(at wire.Location) bool { return at.Group < group }
}

var lateSubscriber = subscribersCase("late-subscriber",
	"A late subscriber learns the Largest Object and gets everything from then on",
	[]string{"publisher", "subscriber", "latecomer"}, []Fault{
		requestFault("largest-missing", "SUBSCRIBE_OK that says that nothing was published"),
		dataFault("second-subscriber-starved", "0 of 10 objects came, {3, 0}"),
		dataFault("drop-object", "12 of 15 objects came, {0, 0}"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.History(ctx)
		l := e.Groups(3, 4)
		// Past objects were not asked for. A relay that has them from a subscription may still send them (draft-18
		// §5.1.2).
		late := e.Follow(ctx, "latecomer", p, l, Checks{May: past(3)})
		late.WantLargest(wire.Location{Group: 2, Object: 4})
		p.Deliver(ctx, l, ObjectPace, late)
		return nil
	}, rules.LargestObject, rules.RelayLargestObject)

var threeSubscribers = subscribersCase("three-subscribers", "Three subscribers of one track each get every object",
	[]string{"publisher", "subscriber-1", "subscriber-2", "subscriber-3"},
	[]Fault{
		dataFault("too-far-behind", "TOO_FAR_BEHIND"),
		dataFault("second-subscriber-starved", "0 of 15 objects came, {0, 0}"),
		dataFault("drop-object", "12 of 15 objects came, {0, 0}"),
		dataFault("corrupt-payload", "payload differs from byte 0"),
		dataFault("duplicate-object", "more than once {0, 0}"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		l := e.Groups(0, 2)
		var all []*Subscriber
		for i := range 3 {
			all = append(all, e.Follow(ctx, fmt.Sprintf("subscriber-%d", i+1), p, l, Checks{Priority: true}))
		}
		p.WaitForward(ctx)
		p.Deliver(ctx, l, ObjectPace, all...)
		return nil
	}, rules.Forwarding, rules.UpstreamEstablished, rules.ObjectFields)

var twoTracks = subscribersCase("two-tracks", "Two tracks on one session are not mixed up",
	[]string{"publisher", "subscriber"}, []Fault{
		requestFault("duplicate-alias", "closed with 0x5 DUPLICATE_TRACK_ALIAS"),
		dataFault("drop-object", "8 of 10 objects came, {0, 0}"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		second := p.Session.Publisher(p.Namespace, e.TrackName()+"-second")
		a := e.Follow(ctx, "subscriber", p, e.Groups(0, 1), Checks{})
		l := NewLayout(Span(0, 1), Span(0, 4),
			LayoutOptions{Payload: func(g, o uint64) []byte {
				return append([]byte("second "),
					e.NamedPayload(g, o)...)
			}})
		step, cancel := e.Step(ctx)
		defer cancel()
		b := &Subscriber{Session: a.Session, Checker: NewChecker(l, Checks{})}
		b.Subscription = a.SubscribeTo(step, second)
		b.Reader = a.Read(ctx, "SUBSCRIBE", b.Checker, b.Subscription.Next)
		p.WaitForward(step)
		second.WaitForward(step)
		e.Go(ctx, func(ctx context.Context) { second.Publish(ctx, l, ObjectPace) })
		p.Deliver(ctx, e.Groups(0, 1), ObjectPace, a)
		b.WaitAll(ctx)
		second.End()
		b.WantExactly(ctx)
		return nil
	}, rules.TrackAlias, rules.Forwarding)

var unsubscribeStops = subscribersCase("unsubscribe",
	"Objects stop for a subscriber that leaves, and keep coming for the others",
	[]string{"publisher", "subscriber", "leaver"}, []Fault{
		dataFault("unsubscribe-ignored", "streams and datagrams of the track"),
		dataFault("drop-object", "8 of 10 objects came, {0, 0}"),
	}, runUnsubscribe, rules.Unsubscribe)

// stopTime is how long a relay may take to stop sending to a subscriber that has left.
const stopTime = time.Second

// runUnsubscribe: objects may still arrive after a subscription was cancelled (draft-22 §3.1.3), so those that come
// within stopTime are only noted. A relay that sends objects published later has not noticed that the subscriber left.
func runUnsubscribe(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	l := e.Groups(0, 9)
	stays := e.Follow(ctx, "subscriber", p, l, Checks{})
	leaves := e.Follow(ctx, "leaver", p, e.Groups(0, 1), Checks{May: func(wire.Location) bool { return true }})
	p.WaitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, e.Groups(0, 1), ObjectPace) })
	leaves.WaitAll(ctx)
	leaves.Subscription.Unsubscribe()
	left := leaves.DataSeen()
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, e.Groups(2, 5), ObjectPace) })
	stays.WaitTo(ctx, wire.Location{Group: 5, Object: 4})
	e.Silence(ctx, stopTime)
	before := leaves.DataSeen()
	if before > left {
		e.Note("%d streams and datagrams came after the subscriber had left, within %s", before-left, stopTime)
	}
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, e.Groups(6, 9), ObjectPace) })
	stays.WaitAll(ctx)
	e.Silence(ctx, LateTime)
	if after := leaves.DataSeen(); after != before {
		e.Fail(transport.LayerData, "no objects any more for a subscriber that has left",
			fmt.Sprintf("%d streams and datagrams of the track, from %s on after it left", after-before, stopTime))
	}
	leaves.Healthy(ctx, transport.LayerRequest)
	stays.WantExactly(ctx)
	return nil
}
