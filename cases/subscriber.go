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

// Subscriber is a subscription whose objects are compared with those that it should get. Safe for concurrent use.
type Subscriber struct {
	*Session
	// Subscription is the accepted subscription. Checker compares what Reader reads from it.
	Subscription *moqt.Subscription
	Checker      *Checker
	Reader       *Reader
}

// Follow dials a subscriber in a role and subscribes to the track with the given parameters. want is the objects that
// it should get. The case ends unless the relay accepts the SUBSCRIBE.
func (e *Env) Follow(ctx context.Context, role string, p *Publisher, want Layout, c Checks,
	more ...wire.Parameter) *Subscriber {
	return e.Dial(ctx, role).Follow(ctx, p, want, c, more...)
}

// Follow is Env.Follow on an existing session.
func (s *Session) Follow(ctx context.Context, p *Publisher, want Layout, c Checks, more ...wire.Parameter) *Subscriber {
	a := &Subscriber{Session: s, Checker: NewChecker(want, c)}
	step, cancel := s.e.Step(ctx)
	defer cancel()
	a.Subscription = a.SubscribeTo(step, p, more...)
	a.Reader = a.Read(ctx, "SUBSCRIBE", a.Checker, a.Subscription.Next)
	return a
}

// WaitAll waits until everything wanted has come, at most DeliveryLimit. It ends the case if not.
func (a *Subscriber) WaitAll(ctx context.Context) {
	step, cancel := a.e.Within(ctx, DeliveryLimit)
	defer cancel()
	a.Gather(step, a.Checker, a.Reader)
}

// WaitTo waits for one step until every wanted object up to a location has come, and ends the case if not.
func (a *Subscriber) WaitTo(ctx context.Context, end wire.Location) {
	a.WaitRange(ctx, wire.Location{}, end)
}

// WaitRange waits for one step until every wanted object from start to end, inclusive, has come, and ends the case if
// not.
func (a *Subscriber) WaitRange(ctx context.Context, start, end wire.Location) {
	step, cancel := a.e.Step(ctx)
	defer cancel()
	if !a.Checker.WaitRange(step, start, end) {
		a.Late(step, fmt.Sprintf("%s at the %s", a.Checker.Want.Within(start, end), a.Role), a.Checker.Problem(),
			a.Checker)
	}
}

// WantExactly ends the case unless exactly the wanted objects came. It waits LateTime for what should not come.
func (a *Subscriber) WantExactly(ctx context.Context) { a.Exactly(ctx, a.Checker, LateTime, a.Reader) }

// WaitQuiet waits for what may still come: until the subscription has ended, at most LateTime, or three round trips if
// that is longer.
func (a *Subscriber) WaitQuiet(ctx context.Context) {
	t := time.NewTimer(a.Session.e.settled(LateTime))
	defer t.Stop()
	select {
	case <-a.Reader.ended:
	case <-t.C:
	case <-ctx.Done():
	}
}

// Deliver publishes objects and ends the track. It ends the case unless every subscriber gets exactly what it wants.
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

// LateTime is how long a case waits for objects that should not come, after the last one that should.
const LateTime = 250 * time.Millisecond

// WantLargest ends the case unless SUBSCRIBE_OK gives the Largest Object, as it must (draft-18 §10.2.11).
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

// Update changes the subscription and ends the case unless the relay accepts the change. Draft 14 has no answer to it,
// so there Update waits for the answer to a later request.
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

// heard waits until the relay has answered a request sent after SUBSCRIBE_UPDATE on the control stream, since draft 14
// has no answer to the update itself. Any answer will do.
func (a *Subscriber) heard(ctx context.Context) {
	ns, err := a.PublishNamespace(ctx, a.e.Namespace("behind-the-update"), a.e.Parameters())
	var refused *moqt.RequestError
	if errors.As(err, &refused) {
		return
	}
	a.Check(ctx, err, transport.LayerRequest, "an answer to PUBLISH_NAMESPACE behind SUBSCRIBE_UPDATE")
	ns.Withdraw()
}

// DeliveryLimit is how long the objects of a track may take, multiplied by Config.TimeoutFactor.
const DeliveryLimit = 10 * time.Second
