package cases

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Subscriber is a subscription whose objects are compared with what it should get. Safe for concurrent use.
type Subscriber struct {
	*Session
	// Subscription is the accepted one. Checker compares what Reader takes from it.
	Subscription *moqt.Subscription
	Checker      *Checker
	Reader       *Reader
}

// Follow dials a subscriber in a role and subscribes to the track, of which it should get these objects. It ends the
// case unless the relay accepts the SUBSCRIBE, which may carry more parameters.
func (e *Env) Follow(ctx context.Context, role string, p *Publisher, want Layout, c Checks,
	more ...wire.Parameter) *Subscriber {
	return e.Dial(ctx, role).Follow(ctx, p, want, c, more...)
}

// Follow is Env.Follow on a session that is there already.
func (s *Session) Follow(ctx context.Context, p *Publisher, want Layout, c Checks, more ...wire.Parameter) *Subscriber {
	a := &Subscriber{Session: s, Checker: NewChecker(want, c)}
	step, cancel := s.e.Step(ctx)
	defer cancel()
	a.Subscription = a.SubscribeTo(step, p, more...)
	a.Reader = a.Read(ctx, "SUBSCRIBE", a.Checker, a.Subscription.Next)
	return a
}

// WaitAll waits until everything wanted has come, at most DeliveryLimit; it ends the case when it does not.
func (a *Subscriber) WaitAll(ctx context.Context) {
	step, cancel := a.e.Within(ctx, DeliveryLimit)
	defer cancel()
	a.Gather(step, a.Checker, a.Reader)
}

// WaitTo waits for one step until every wanted object up to a location has come, and ends the case when it does not.
func (a *Subscriber) WaitTo(ctx context.Context, end wire.Location) {
	a.WaitRange(ctx, wire.Location{}, end)
}

// WaitRange waits for one step until every wanted object from start to end, inclusive, has come, and ends the case when
// it does not.
func (a *Subscriber) WaitRange(ctx context.Context, start, end wire.Location) {
	step, cancel := a.e.Step(ctx)
	defer cancel()
	if !a.Checker.WaitRange(step, start, end) {
		a.Late(step, fmt.Sprintf("%s at the %s", a.Checker.Want.Within(start, end), a.Role), a.Checker.Problem(),
			a.Checker)
	}
}

// WantExactly ends the case unless what came is what was wanted and nothing else. It waits LateTime for what should not
// come.
func (a *Subscriber) WantExactly(ctx context.Context) { a.Exactly(ctx, a.Checker, LateTime, a.Reader) }

// WaitQuiet waits for what may still come: until the subscription has ended, at most LateTime, or
// three round trips where that is longer.
func (a *Subscriber) WaitQuiet(ctx context.Context) {
	t := time.NewTimer(a.Session.e.settled(LateTime))
	defer t.Stop()
	select {
	case <-a.Reader.ended:
	case <-t.C:
	case <-ctx.Done():
	}
}

// Deliver publishes objects, ends the track and ends the case unless every subscriber gets exactly what it wants.
func (p *Publisher) Deliver(ctx context.Context, l Layout, pace time.Duration, to ...*Subscriber) {
	p.Session.e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, pace) })
	for _, a := range to {
		a.WaitAll(ctx)
	}
	p.End()
	for _, a := range to {
		a.WantExactly(ctx)
	}
}

// LateTime is how long a case waits for objects that should not come, behind the last one that should.
const LateTime = 250 * time.Millisecond

// WantLargest ends the case unless SUBSCRIBE_OK says what has been published: it must (draft-18 §10.2.11).
func (a *Subscriber) WantLargest(want wire.Location) {
	largest, ok := a.Subscription.OK().Parameters.Largest()
	expected := fmt.Sprintf("SUBSCRIBE_OK with Largest Object %s at the %s", want, a.Role)
	switch {
	case !ok:
		a.e.Fail(transport.LayerRequest, expected, "SUBSCRIBE_OK that says that nothing was published")
	case largest != want:
		a.e.Fail(transport.LayerRequest, expected, fmt.Sprintf("SUBSCRIBE_OK with Largest Object %s", largest))
	}
}

// Update changes the subscription and ends the case unless the relay accepts that. Draft 14 has no answer: there Update
// waits for the answer to another request behind it.
func (a *Subscriber) Update(ctx context.Context, ps ...wire.Parameter) {
	step, cancel := a.e.Step(ctx)
	defer cancel()
	name := wire.NameOf(a.Draft(), &wire.RequestUpdate{})
	_, err := a.Subscription.Update(step, ps)
	a.MayRefuse(err, name, rules.NotSupported, wire.NameNotSupported)
	a.Check(step, err, transport.LayerRequest, "REQUEST_OK for "+name)
	if a.Draft() == wire.Draft14 {
		a.heard(step)
		a.Healthy(step, transport.LayerRequest)
	}
}

// heard waits until the relay has answered a request that stands behind SUBSCRIBE_UPDATE on the control stream, for 14
// gives the update itself no answer. What the answer is does not matter.
func (a *Subscriber) heard(ctx context.Context) {
	ns, err := a.PublishNamespace(ctx, a.e.Namespace("behind-the-update"), a.e.Parameters())
	var refused *moqt.RequestError
	if errors.As(err, &refused) {
		return
	}
	a.Check(ctx, err, transport.LayerRequest, "an answer to PUBLISH_NAMESPACE behind SUBSCRIBE_UPDATE")
	ns.Withdraw()
}

// DeliveryLimit is how long the objects of a track may take, stretched by Config.TimeoutFactor.
const DeliveryLimit = 10 * time.Second
