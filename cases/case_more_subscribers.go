package cases

import (
	"context"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Who gets what: subscribers that come late or together, publishers that share a track, subscribers that leave.

// subscribersCase is a case of live delivery.
func subscribersCase(id, title string, roles, faults []string, run func(ctx context.Context, e *Env) error,
	topics ...wire.Topic) Case {
	return Case{
		ID: id, Title: title, Topics: append([]wire.Topic{wire.TopicSubscribe, wire.TopicSubscribeOK}, topics...),
		Level: Must, Suite: SuiteAll, Tags: []string{"data", "subscribe"}, Roles: roles, Timeout: caseLimit,
		Faults: faults, Run: run,
	}
}

// past tells whether a location lies before a group.
func past(group uint64) func(at wire.Location) bool {
	return func(at wire.Location) bool { return at.Group < group }
}

var lateSubscriber = subscribersCase("late-subscriber", "who subscribes late is told the Largest Object and gets "+
	"everything from then on",
	[]string{"publisher", "subscriber", "latecomer"}, []string{"largest-missing", "second-subscriber-starved",
		"drop-object"},
	func(ctx context.Context, e *Env) error {
		p := history(ctx, e)
		l := pastGroups(e, 3, 4)
		// The past is not asked for, but a relay may hold that it has it from a subscription (draft-18 §5.1.2).
		late := attend(ctx, "latecomer", p, l, checks{may: past(3)})
		late.wantLargest(wire.Location{Group: 2, Object: 4})
		deliver(ctx, p, l, objectPace, late)
		return nil
	})

// wantLargest ends the case unless SUBSCRIBE_OK says what has been published: it must (draft-18 §10.2.11).
func (a *audience) wantLargest(want wire.Location) {
	largest, ok := a.sub.OK().Parameters.Largest()
	expected := fmt.Sprintf("SUBSCRIBE_OK with Largest Object %s at the %s", want, a.Role)
	switch {
	case !ok:
		a.e.Fail(transport.LayerRequest, expected, "SUBSCRIBE_OK that says that nothing was published")
	case largest != want:
		a.e.Fail(transport.LayerRequest, expected, fmt.Sprintf("SUBSCRIBE_OK with Largest Object %s", largest))
	}
}

var threeSubscribers = subscribersCase("three-subscribers", "three subscribers of one track each get every object",
	[]string{"publisher", "subscriber-1", "subscriber-2", "subscriber-3"},
	[]string{"second-subscriber-starved", "drop-object", "corrupt-payload", "duplicate-object"},
	func(ctx context.Context, e *Env) error {
		p := announced(ctx, e)
		l := pastGroups(e, 0, 2)
		var all []*audience
		for i := range 3 {
			all = append(all, attend(ctx, fmt.Sprintf("subscriber-%d", i+1), p, l, checks{priority: true}))
		}
		p.waitForward(ctx)
		deliver(ctx, p, l, objectPace, all...)
		return nil
	})

var twoTracks = subscribersCase("two-tracks", "one subscriber follows two tracks of a namespace, and each object is "+
	"its own track's",
	[]string{"publisher", "subscriber"}, []string{"duplicate-alias", "drop-object"},
	func(ctx context.Context, e *Env) error {
		p := announced(ctx, e)
		second := p.s.publisher(p.ns, e.TrackName()+"-second")
		a := attend(ctx, "subscriber", p, pastGroups(e, 0, 1), checks{})
		l := newLayout(span(0, 1), span(0, 4),
			layoutOptions{payload: func(g, o uint64) []byte {
				return append([]byte("second "),
					e.namedPayload(g, o)...)
			}})
		step, cancel := e.Step(ctx)
		defer cancel()
		b := &audience{Session: a.Session, k: newChecker(l, checks{})}
		b.sub = a.subscribeWith(step, second)
		b.r = a.read(ctx, "SUBSCRIBE", b.k, b.sub.Next)
		p.waitForward(step)
		second.waitForward(step)
		e.Go(ctx, func(ctx context.Context) { second.publish(ctx, l, objectPace) })
		deliver(ctx, p, pastGroups(e, 0, 1), objectPace, a)
		b.served(ctx)
		second.end()
		b.exactly(ctx)
		return nil
	}, wire.TopicSubgroupHeader)

var twoPublishers = subscribersCase("two-publishers", "two sessions publish one track: the subscriber gets what "+
	"either of them sends",
	[]string{"publisher-1", "publisher-2", "subscriber"}, []string{"second-publisher-ignored", "drop-object"},
	runTwoPublishers, wire.TopicPublishNamespace)

// runTwoPublishers: a relay must ask all publishers of a namespace for a track, and forward the objects of each
// (draft-18 §9.3, §9.5). One that takes no second publisher has to say so: REQUEST_ERROR, or an end of the request.
func runTwoPublishers(ctx context.Context, e *Env) error {
	first := e.Dial(ctx, "publisher-1")
	p := first.publisher(e.Namespace(), e.TrackName())
	other := e.Dial(ctx, "publisher-2")
	q := other.publisher(p.ns, p.name)
	step, cancel := e.Step(ctx)
	defer cancel()
	mine := first.Announce(step, p.ns)
	a, err := other.PublishNamespace(step, p.ns, e.Parameters())
	if reason, no := other.declined(ctx, err); no {
		e.Skip("a second publisher is not taken: %s", reason)
	}
	other.Check(step, err, transport.LayerRequest, other.okName(wire.KindPublishNamespace)+
		" for the second PUBLISH_NAMESPACE")
	l := pastGroups(e, 0, 3)
	s := attend(ctx, "subscriber", p, l, checks{})
	first.wantAsked(step, p, mine, q)
	other.wantAsked(step, q, a, p)
	p.waitForward(step)
	q.waitForward(step)
	// Each group comes from one of them, in turns: what the first one has sent has arrived when the second one goes on.
	for i, x := range []*publisher{p, q, p, q} {
		g := uint64(i)
		x.publish(ctx, pastGroups(e, g, g), objectPace)
		s.reachFrom(ctx, wire.Location{Group: g}, wire.Location{Group: g, Object: 4})
	}
	p.end()
	q.end()
	s.exactly(ctx)
	return nil
}

// wantAsked waits for the SUBSCRIBE at one of two publishers. The case is skipped when the relay has ended its
// PUBLISH_NAMESPACE: which of them it takes is for the relay to say.
func (s *Session) wantAsked(ctx context.Context, p *publisher, a *moqt.Announcement, other *publisher) {
	err := p.waitSubscribed(ctx)
	switch {
	case err == nil:
		return
	case a.Context().Err() != nil && s.Context().Err() == nil:
		s.e.Skip("a second publisher is not taken: PUBLISH_NAMESPACE of %s was ended", s.Role)
	}
	expected := "SUBSCRIBE at " + s.Role + " too, since its PUBLISH_NAMESPACE was accepted"
	o := s.e.classify(ctx, err, s, transport.LayerRequest, expected)
	if o.layer == transport.LayerRequest && o.expected == expected && !o.quiet {
		o = failed(o.layer, expected, fmt.Sprintf("%s there (%s has seen %s)", p.saw(), other.s.Role, other.saw()))
	}
	panic(o)
}

var unsubscribeStops = subscribersCase("unsubscribe", "who unsubscribes gets nothing any more, and who stays gets "+
	"everything",
	[]string{"publisher", "subscriber", "leaver"}, []string{"unsubscribe-ignored", "drop-object"}, runUnsubscribe)

// runUnsubscribe: streams that come when the relay has had time to see UNSUBSCRIBE (STOP_SENDING from 17 on) were
// opened after it.
func runUnsubscribe(ctx context.Context, e *Env) error {
	p := announced(ctx, e)
	l := pastGroups(e, 0, 9)
	stays := attend(ctx, "subscriber", p, l, checks{})
	leaves := attend(ctx, "leaver", p, pastGroups(e, 0, 1), checks{may: func(wire.Location) bool { return true }})
	p.waitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, pastGroups(e, 0, 1), objectPace) })
	leaves.served(ctx)
	leaves.sub.Unsubscribe()
	leaves.Healthy(ctx, transport.LayerRequest) // time for it to arrive, and for what was on its way
	before := leaves.log.data()
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, pastGroups(e, 2, 9), objectPace) })
	stays.served(ctx)
	e.Sleep(ctx, lateTime)
	if after := leaves.log.data(); after != before {
		e.Fail(transport.LayerData, "no objects after the subscriber has unsubscribed",
			fmt.Sprintf("%d streams and datagrams of the track, from %d ms on after it", after-before,
				settleTime/time.Millisecond))
	}
	leaves.Healthy(ctx, transport.LayerRequest)
	stays.exactly(ctx)
	return nil
}
