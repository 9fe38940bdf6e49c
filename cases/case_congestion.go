package cases

import (
	"context"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// What a relay does when a subscriber reads too slowly. The subscriber reads nothing for a while. The flow control
// windows of its connection fill, and the relay has to decide what to send next, or whether to send it.

const (
	// congestedObject is the size of each object, in bytes; congestedGroup how many a group has.
	congestedObject = 70_000
	congestedGroup  = 4
	// congestedGroups such groups are more than a connection of ours buffers unread.
	congestedGroups = 26
	// feedTime is how long the relay may take to read all of it while its subscriber reads nothing.
	feedTime = 3 * time.Second
)

// notFed is why a case is skipped: objects that the relay has not read cannot wait in it.
const notFed = "the relay did not take everything in while its subscriber took nothing"

// feeding says how the relay has read the objects: whether it read all of them, at which rate, and whether the path was
// too slow to carry them in time.
type feeding struct {
	all, slow bool
	rate      float64 // bit/s
}

// skipUnlessAll ends the case as skipped unless the relay has read everything.
func (f feeding) skipUnlessAll(e *Env) {
	switch {
	case f.all:
	case f.slow:
		e.SkipTooSlow("%s; %s", bitRate(f.rate), notFed)
	default:
		e.NotApplicable(notFed)
	}
}

// congestionCase is a case of a slow subscriber.
func congestionCase(id, title string, level Level, faults []Fault, run func(ctx context.Context, e *Env) error,
	what ...rules.ID) Case {
	return Case{
		ID: id, Title: title, Rules: what,
		Level: level, Suite: SuiteAll, Tags: []string{"data", "congestion"},
		Roles: []string{"publisher", "subscriber"}, Timeout: CaseLimit, Lags: true,
		Faults: faults, Run: run,
	}
}

// congest publishes objects for a subscriber that reads none of them yet, and says how the relay has read them. The
// last group follows a moment after the others.
func congest(ctx context.Context, e *Env, l Layout, more ...wire.Parameter) (*Publisher, *Session, *moqt.Subscription,
	feeding) {
	p := e.Announced(ctx)
	s := e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	sub := s.SubscribeTo(step, p, more...)
	p.WaitForward(step)
	feed, cancel := e.Within(ctx, feedTime)
	defer cancel()
	last := len(l) - congestedGroup
	p.Publish(ctx, l[:last], 0)
	p.fed(feed)
	e.Sleep(ctx, ObjectPace*congestedGroup)
	p.Publish(ctx, l[last:], 0)
	f := p.feeding(p.fed(feed), len(l))
	e.Silence(ctx, SettleTime)
	return p, s, sub, f
}

// fed waits until the relay has read everything, and reports false when ctx ends first.
func (p *Publisher) fed(ctx context.Context) bool {
	return p.wait(ctx, func() bool {
		return len(p.subscriptions) > 0 && p.subscriptions[0].next == len(p.log)
	}) == nil
}

// feeding says how the relay has read so many objects.
func (p *Publisher) feeding(all bool, objects int) feeding {
	f := feeding{all: all, rate: p.Session.sent()}
	needed := float64(objects) * congestedObject * 8 / feedTime.Seconds()
	f.slow = !p.Session.e.cfg.Embedded && p.Session.conn.Path().SmoothedRTT > 0 && f.rate < needed
	return f
}

// mixedUp reports whether the path may be why things come in another order: it filled the relay too slowly, or lost
// packets whose contents came late. A burst loses packets on any loopback, in a socket that is full; where round trips
// are short and stay so, what is lost comes again before much else does.
func (f feeding) mixedUp(e *Env) bool {
	p := e.path()
	return f.slow || p.lossy && (p.far || p.busy)
}

var priorities = congestionCase("priorities", "A slow subscriber gets the group with the higher priority first", Should,
	[]Fault{
		dataFault("priority-ignored", "of 26 streams with priority 200 opened behind").should(),
		dataFault("drop-object", "subgroup 0 with 3 objects").should(),
	}, runPriorities, rules.Priorities)

// runPriorities: a relay SHOULD send first what has the higher Publisher Priority (draft-18 §7.2). The group published
// last has the highest. The groups before it fill the windows, so many of them still wait in the relay when it arrives
// there. The relay has preferred it if its stream was opened before theirs, or if most of what waited came after it. A
// relay that serves all streams in turn does neither, nor does one that keeps the order of arrival.
func runPriorities(ctx context.Context, e *Env) error {
	const low, high = 200, 10
	l := NewLayout(Span(0, congestedGroups), Span(0, congestedGroup-1), LayoutOptions{
		Payload: func(g, o uint64) []byte { return Filled(congestedObject, g, o) },
		Priority: func(g uint64) uint8 {
			if g == congestedGroups {
				return high
			}
			return low
		},
	})
	return lastFirst(ctx, e, l,
		fmt.Sprintf("the group with priority %d before groups with priority %d that wait", high, low),
		fmt.Sprintf("streams with priority %d opened behind the one with priority %d", low, high))
}

// lastFirst publishes a layout for a subscriber that does not read, and wants the last group before those that wait.
// behindIt says what opened behind it.
func lastFirst(ctx context.Context, e *Env, l Layout, want, behindIt string, more ...wire.Parameter) error {
	p, s, sub, fed := congest(ctx, e, l, more...)
	w := s.Watch(ctx, sub)
	step, cancel := e.Step(ctx)
	defer cancel()
	w.Wait(step, func() bool {
		return len(w.Arrivals) >= len(l) || sub.Context().Err() != nil || s.gaveUp() != ""
	})
	s.mayFallBehind()
	s.WantStreams(ctx, w, l.String(), func() bool { return len(w.Arrivals) >= len(l) })
	p.End()
	w.mu.Lock()
	defer w.mu.Unlock()
	opened, behind := w.after(congestedGroups)
	text := fmt.Sprintf("%d of %d %s, %d of %d objects came behind its last", opened, congestedGroups, behindIt,
		behind, congestedGroups*congestedGroup)
	e.Note("%s", text)
	fed.skipUnlessAll(e)
	const someStreams, someObjects = 2, 20
	preferred := opened >= someStreams || behind >= someObjects
	if !preferred && fed.mixedUp(e) {
		e.Annotate("recorded, not judged: the path was so slow, or lost so much, that the relay had long begun to "+
			"send the others: %s", text)
		return nil
	}
	e.Should(preferred, transport.LayerData, want, text)
	return nil
}

// after counts the streams that were opened after the stream of a group, and the objects of other groups that came
// after its last object. The caller holds the lock.
func (w *Streams) after(group uint64) (opened, behind int) {
	for _, at := range w.Arrivals {
		if behind++; at.Group == group {
			behind = 0
		}
	}
	var own uint64
	for _, a := range w.Subgroups {
		if a.Header.GroupID == group {
			own = a.StreamID
		}
	}
	for _, a := range w.Subgroups {
		if a.StreamID > own {
			opened++
		}
	}
	return opened, behind
}

var groupOrder = congestionCase("group-order",
	"A slow subscriber that asks for descending groups gets the newest first", Should,
	[]Fault{
		dataFault("group-order-ignored", "opened behind the newest").should(),
		dataFault("priority-ignored", "opened behind the newest").should(),
	}, runGroupOrder, rules.Priorities)

// runGroupOrder: of what has the same priorities, the group that comes first in the order asked for goes first
// (draft-18 §7.2). Judged as in runPriorities.
func runGroupOrder(ctx context.Context, e *Env) error {
	l := NewLayout(Span(0, congestedGroups), Span(0, congestedGroup-1),
		LayoutOptions{Payload: func(g, o uint64) []byte { return Filled(congestedObject, g, o) }})
	return lastFirst(ctx, e, l, "the newest group before older ones that wait, with Group Order descending",
		"groups opened behind the newest", UintParameter(wire.ParamGroupOrder, wire.Descending))
}

// deliveryTimeout is what the subscriber asks for. It reads nothing for much longer.
const deliveryTimeout = 100 * time.Millisecond

var deliveryTimeouts = congestionCase("delivery-timeout",
	"Objects past the subscriber's delivery timeout are dropped with a reset", Must,
	[]Fault{
		dataFault("delivery-timeout-ignored", "every object").should(),
	}, runTimeout(wire.ParamObjectDeliveryTimeout), rules.DeliveryTimeouts, rules.SubgroupEnd)

var subgroupTimeouts = congestionCase("subgroup-delivery-timeout",
	"Subgroups past the subscriber's SUBGROUP_DELIVERY_TIMEOUT are reset", Must,
	[]Fault{
		dataFault("subgroup-timeout-ignored", "every object").should(),
		dataFault("delivery-timeout-ignored", "every object").should(),
	}, runTimeout(wire.ParamSubgroupDeliveryTimeout), rules.SubgroupTimeout, rules.SubgroupEnd).from(wire.Draft18)

// runTimeout is runDeliveryTimeout with one of the timeouts.
func runTimeout(t wire.ParameterType) func(ctx context.Context, e *Env) error {
	return func(ctx context.Context, e *Env) error { return runDeliveryTimeout(ctx, e, t) }
}

// runDeliveryTimeout: a relay must reset a stream rather than hand the transport an object that has waited longer than
// the timeout (draft-18 §8). What the transport already holds may still come; the text only recommends that it be
// little, so a relay that delivers everything breaks a SHOULD. The subscriber must be able to see that objects are
// missing: a stream that lacks some must not end with FIN (§11.4.3).
func runDeliveryTimeout(ctx context.Context, e *Env, timeout wire.ParameterType) error {
	l := NewLayout(Span(0, congestedGroups), Span(0, congestedGroup-1),
		LayoutOptions{Payload: func(g, o uint64) []byte { return Filled(congestedObject, g, o) }})
	p, s, sub, fed := congest(ctx, e, l, UintParameter(timeout,
		uint64(deliveryTimeout.Milliseconds())))
	e.Sleep(ctx, 4*deliveryTimeout)
	p.End()
	d := s.Delivery(ctx, sub, l, Checks{})
	step, cancel := e.Step(ctx)
	defer cancel()
	came, resets := -1, 0
	for over := false; !over; e.Sleep(ctx, LateTime) {
		before := came
		d.w.mu.Lock()
		came, resets = len(d.w.Arrivals), d.resetStreams()
		quiet := came == before && d.open() == nil
		over = came == len(l) || d.ended() || quiet && resets > 0
		d.w.mu.Unlock()
		if !over && step.Err() != nil {
			break
		}
	}
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	for _, a := range d.w.Subgroups {
		switch {
		case a.Header.GroupID > congestedGroups: // the relay's own
		case a.Finished() && len(a.Objects) < congestedGroup && len(a.Objects) > 0:
			e.Fail(transport.LayerData, "a reset of each stream that lacks objects", a.Text(s.Draft()))
		case a.End != nil && !a.Finished():
			e.Note("%s", a.Text(s.Draft()))
		}
	}
	e.Note("%d of %d objects came, %d streams were reset", came, len(l), resets)
	s.mayFallBehind()
	switch _, err := sub.Done(step); {
	case came == len(l) && !fed.all:
		fed.skipUnlessAll(e)
	case came < len(l) && resets == 0 && err != nil: // late objects are no objects given up
		const expected = "every object, or resets, or PUBLISH_DONE"
		if s.Context().Err() != nil {
			s.Check(ctx, context.Cause(s.Context()), transport.LayerData, expected)
		}
		e.Fail(transport.LayerData, expected, fmt.Sprintf("%d of %d objects; %s", came, len(l),
			s.log.stall(time.Now())))
	}
	e.Should(came < len(l), transport.LayerData,
		fmt.Sprintf("streams reset for objects that have waited longer than %d ms", deliveryTimeout/time.Millisecond),
		"every object")
	return nil
}

// resetStreams is how many streams were reset. The caller holds the streams' lock.
func (d *Delivery) resetStreams() int {
	n := d.s.log.headlessStreams()
	for _, a := range d.w.Subgroups {
		if a.End != nil && !a.Finished() {
			n++
		}
	}
	return n
}
