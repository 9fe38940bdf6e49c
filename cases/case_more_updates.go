package cases

import (
	"context"
	"errors"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Subscriptions that change: Forward State, priority, range.

// updateCase is a case of REQUEST_UPDATE (SUBSCRIBE_UPDATE up to 15).
func updateCase(id, title string, faults []string, run func(ctx context.Context, e *Env) error,
	topics ...wire.Topic) Case {
	return Case{
		ID: id, Title: title, Topics: append([]wire.Topic{wire.TopicRequestUpdate, wire.TopicSubscribe}, topics...),
		Level: Must, Suite: SuiteAll, Tags: []string{"data", "subscribe", "update"},
		Roles: []string{"publisher", "subscriber", "updater"}, Timeout: caseLimit,
		Faults: faults, Run: run,
	}
}

// update changes the subscription and waits until the relay has accepted that. 14 has no answer: there it gets the time
// in which it would have come.
func (a *audience) update(ctx context.Context, ps ...wire.Parameter) {
	step, cancel := a.e.Step(ctx)
	defer cancel()
	name := wire.NameOf(a.Draft(), &wire.RequestUpdate{})
	_, err := a.sub.Update(step, ps)
	var refused *moqt.RequestError
	switch {
	case a.unsupported(err):
		a.e.Skip("%s: %s", name, a.e.classify(step, err, a.Session, transport.LayerRequest, "").received)
	case errors.As(err, &refused):
		a.Check(step, err, transport.LayerRequest, "REQUEST_OK for "+name)
	}
	a.Check(step, err, transport.LayerRequest, "REQUEST_OK for "+name)
	if a.Draft() == wire.Draft14 {
		a.heard(step)
		a.Healthy(step, transport.LayerRequest)
	}
}

// heard waits until the relay has answered a request that stands behind SUBSCRIBE_UPDATE on the control stream, for 14
// gives the update itself no answer. What the answer is does not matter.
func (a *audience) heard(ctx context.Context) {
	ns, err := a.PublishNamespace(ctx, a.e.Namespace("behind-the-update"), a.e.Parameters())
	var refused *moqt.RequestError
	if errors.As(err, &refused) {
		return
	}
	a.Check(ctx, err, transport.LayerRequest, "an answer to PUBLISH_NAMESPACE behind SUBSCRIBE_UPDATE")
	ns.Withdraw()
}

var forwardState = updateCase("forward-state", "a subscription with Forward State 0 gets no objects, and gets them "+
	"once an update has set it to 1",
	[]string{"forward-ignored", "update-silent", "second-subscriber-starved"}, runForwardState)

func runForwardState(ctx context.Context, e *Env) error {
	p := announced(ctx, e)
	control := attend(ctx, "subscriber", p, pastGroups(e, 0, 3), checks{})
	p.waitForward(ctx)
	// No text says that what was published meanwhile must not follow; with Forward State 0 none of it may come.
	paused := attend(ctx, "updater", p, pastGroups(e, 2, 3), checks{may: past(2)}, parameter(wire.ParamForward, 0))
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, pastGroups(e, 0, 1), objectPace) })
	control.reach(ctx, wire.Location{Group: 1, Object: 4})
	e.Sleep(ctx, lateTime)
	if n := paused.log.data(); n > 0 {
		e.Fail(transport.LayerData, "no objects with Forward State 0", fmt.Sprintf("%d streams or datagrams", n))
	}
	paused.update(ctx, parameter(wire.ParamForward, 1))
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, pastGroups(e, 2, 3), objectPace) })
	paused.served(ctx)
	control.served(ctx)
	p.end()
	paused.exactly(ctx)
	return nil
}

var updatePriority = updateCase("update-priority", "an update of the Subscriber Priority is accepted, and delivery "+
	"goes on",
	[]string{"update-silent", "update-reject", "second-subscriber-starved"}, runUpdatePriority)

func runUpdatePriority(ctx context.Context, e *Env) error {
	p := announced(ctx, e)
	control := attend(ctx, "subscriber", p, pastGroups(e, 0, 3), checks{})
	p.waitForward(ctx)
	a := attend(ctx, "updater", p, pastGroups(e, 0, 3), checks{}, parameter(wire.ParamSubscriberPriority, 200))
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, pastGroups(e, 0, 1), objectPace) })
	a.reach(ctx, wire.Location{Group: 1, Object: 4})
	a.update(ctx, parameter(wire.ParamSubscriberPriority, 10))
	deliver(ctx, p, pastGroups(e, 2, 3), objectPace, a, control)
	return nil
}

var updateRange = updateCase("update-range", "an update that narrows the range lets nothing behind its new end pass",
	[]string{"filter-ignored", "second-subscriber-starved"}, runUpdateRange, wire.TopicLocationFilter)

// runUpdateRange: what had been sent before the update was processed may come; nothing had, for nothing behind its end
// was published before its answer. In 14, which has no answer, an update that is not processed promptly is what the
// text puts up with (draft-14 §9.10).
func runUpdateRange(ctx context.Context, e *Env) error {
	p := announced(ctx, e)
	control := attend(ctx, "subscriber", p, pastGroups(e, 0, 4), checks{})
	p.waitForward(ctx)
	a := attend(ctx, "updater", p, pastGroups(e, 0, 2), checks{},
		filterBy(wire.LocationFilter{Form: wire.FilterGroupEnd, EndGroup: 9}))
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, pastGroups(e, 0, 0), objectPace) })
	a.reach(ctx, wire.Location{Group: 0, Object: 4})
	a.update(ctx, filterBy(wire.LocationFilter{Form: wire.FilterGroupEnd, EndGroup: 2}))
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, pastGroups(e, 1, 4), objectPace) })
	a.served(ctx)
	control.served(ctx)
	p.end()
	if a.Draft() == wire.Draft14 {
		a.quiet(ctx)
		if what := a.k.unexpected(); what != "" && a.k.corrupted() == "" {
			e.Should(false, transport.LayerData, "a SUBSCRIBE_UPDATE that narrows the range heeded promptly", what)
			return nil
		}
	}
	a.exactly(ctx)
	return nil
}
