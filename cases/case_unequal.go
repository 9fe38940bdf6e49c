package cases

import (
	"context"
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Subscribers that are unlike each other: one that reads nothing beside one that reads, one of another draft.

var slowBesideFast = Case{
	ID: "slow-beside-fast", Title: "A subscriber that reads nothing does not hold up one that reads",
	Rules: []rules.ID{rules.Forwarding},
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "congestion"},
	Roles: []string{"publisher", "subscriber-1", "subscriber-2"}, Timeout: 2 * CaseLimit,
	Faults: []Fault{
		dataFault("slow-holds-all", "of 108 objects came"),
		dataFault("drop-object", "81 of 108 objects came"),
	},
	Run: runSlowBesideFast,
}

// runSlowBesideFast: the relay may give the slow one up (draft-18 §8). The other one gets every object.
func runSlowBesideFast(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	slow := e.Dial(ctx, "subscriber-1")
	step, cancel := e.Step(ctx)
	defer cancel()
	slow.SubscribeTo(step, p)
	p.WaitForward(step)
	l := NewLayout(Span(0, congestedGroups), Span(0, congestedGroup-1),
		LayoutOptions{Payload: func(g, o uint64) []byte { return Filled(congestedObject, g, o) }})
	a := e.Follow(ctx, "subscriber-2", p, l, Checks{})
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, 0) })
	a.WaitAll(ctx)
	a.WantExactly(ctx)
	return nil
}

var twoDrafts = Case{
	ID: "two-drafts", Title: "A subscriber that speaks another draft gets the objects of a track, if it is accepted",
	Rules: []rules.ID{rules.Forwarding, rules.ObjectFields},
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "subscribe"}, Roles: []string{"publisher", "subscriber"},
	Stranger: "subscriber", Timeout: CaseLimit,
	Faults: []Fault{
		dataFault("other-draft-starved", "0 of 10 objects came, {0, 0}"),
		dataFault("drop-object", "8 of 10 objects came, {0, 0}"),
	},
	Run: runTwoDrafts,
}

// runTwoDrafts: no text says that a relay joins drafts. One that accepts the SUBSCRIBE has to forward.
func runTwoDrafts(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	others := slices.DeleteFunc([]wire.Draft{18, 16, 14, 22, 20, 19, 17, 15, 21},
		func(d wire.Draft) bool { return d == p.Session.Draft() })
	var s *Session
	if o := guard(func() error { s = e.dial(ctx, "subscriber", others); return nil }); o != nil {
		e.NotApplicable("the relay speaks no other draft: %s", o.message)
	}
	e.Note("publisher: %s, subscriber: %s", p.Session.Draft(), s.Draft())
	l := e.Groups(0, 1)
	k := NewChecker(l, Checks{Priority: true})
	step, cancel := e.Step(ctx)
	defer cancel()
	sub, err := s.Session.Subscribe(step, s.SubscribeMessage(p.Namespace, p.Name))
	if err != nil {
		s.answered(step, err, "SUBSCRIBE_OK or a request error")
		e.Annotate("the relay keeps drafts apart: %v", err)
		return nil
	}
	a := &Subscriber{Session: s, Subscription: sub, Checker: k}
	a.Reader = s.Read(ctx, "SUBSCRIBE", k, sub.Next)
	p.WaitForward(ctx)
	p.Deliver(ctx, l, ObjectPace, a)
	return nil
}
