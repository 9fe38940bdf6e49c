package cases

import (
	"context"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var twoPublishers = subscribersCase("two-publishers",
	"A track with two publishers: the subscriber gets the objects of both",
	[]string{"publisher-1", "publisher-2", "subscriber", "publisher-3"}, []Fault{
		dataFault("second-publisher-ignored", "of 20 objects came, {"),
		dataFault("drop-object", "4 of 20 objects came, {0, 0}"),
	},
	runTwoPublishers, rules.MultiplePublishers)

// runTwoPublishers: a relay must ask every publisher of a namespace for a track, and forward the objects of each
// (draft-18 §9.3, §9.5). It may refuse a second publisher with any code, or end its request later (draft-22 §7.3). If
// it has accepted one, it must ask it.
func runTwoPublishers(ctx context.Context, e *Env) error {
	first := e.Dial(ctx, "publisher-1")
	p := first.Publisher(e.Namespace(), e.TrackName())
	other := e.Dial(ctx, "publisher-2")
	q := other.Publisher(p.Namespace, p.Name)
	step, cancel := e.Step(ctx)
	defer cancel()
	mine := first.Announce(step, p.Namespace)
	a, err := other.PublishNamespace(step, p.Namespace, e.Parameters())
	other.MayRefuse(err, "a second PUBLISH_NAMESPACE", rules.FurtherPublisher)
	other.Check(step, err, transport.LayerRequest, other.OKName(wire.KindPublishNamespace)+
		" for the second PUBLISH_NAMESPACE")
	l := e.Groups(0, 3)
	s := e.Follow(ctx, "subscriber", p, l, Checks{})
	first.wantAsked(step, p, mine, q)
	other.wantAsked(step, q, a, p)
	p.WaitForward(step)
	q.WaitForward(step)
	// The publishers take turns, one group each. The first one's group has arrived when the second one goes on.
	for i, x := range []*Publisher{p, q, p, q} {
		g := uint64(i)
		x.Publish(ctx, e.Groups(g, g), ObjectPace)
		s.WaitRange(ctx, wire.Location{Group: g}, wire.Location{Group: g, Object: 4})
	}
	e.recordPublish(ctx, p)
	p.End()
	q.End()
	s.WantExactly(ctx)
	return nil
}

// recordPublish notes how the relay answers the PUBLISH of one more publisher while the track has an Established
// subscription. The text contradicts itself: the relay may refuse a further publisher (draft-22 §7.3), and must accept
// the PUBLISH of a track with subscribers (draft-22 §7.6).
func (e *Env) recordPublish(ctx context.Context, p *Publisher) {
	s := e.Dial(ctx, "publisher-3")
	step, cancel := e.Step(ctx)
	defer cancel()
	m := &wire.Publish{TrackNamespace: p.Namespace, TrackName: p.Name, Parameters: e.Parameters()}
	pub, err := s.StartPublish(step, m)
	s.Check(step, err, transport.LayerRequest, "PUBLISH to be sent")
	err = pub.Ready(step)
	s.answered(step, err, "an answer to the PUBLISH of one more publisher")
	said := s.OKName(wire.KindPublish)
	if err != nil {
		said = s.e.classify(step, err, s, transport.LayerRequest, "").received
	}
	e.Note("PUBLISH of a third publisher beside an Established subscription: %s. Recorded, not judged: draft-22 §7.3 "+
		"lets a relay refuse a further publisher, §7.6 demands PUBLISH_OK", said)
}

// wantAsked waits for the SUBSCRIBE at one of two publishers. The case is skipped when the relay has ended that one's
// PUBLISH_NAMESPACE, since the relay may choose between publishers.
func (s *Session) wantAsked(ctx context.Context, p *Publisher, a *moqt.Announcement, other *Publisher) {
	err := p.WaitSubscribed(ctx)
	switch {
	case err == nil:
		return
	case a.Context().Err() != nil && s.Context().Err() == nil:
		s.skipRefused("a second publisher was given up", rules.FurtherPublisher,
			fmt.Sprintf("PUBLISH_NAMESPACE of %s was ended", s.Role))
	}
	expected := "SUBSCRIBE at " + s.Role + " too, since its PUBLISH_NAMESPACE was accepted"
	o := s.e.classify(ctx, err, s, transport.LayerRequest, expected)
	if o.layer == transport.LayerRequest && o.expected == expected && !o.quiet {
		o = failed(o.layer, expected,
			fmt.Sprintf("%s there (%s has seen %s)", p.Saw(), other.Session.Role, other.Saw()))
	}
	panic(o)
}

var deduplicated = subscribersCase("deduplicated",
	"Objects that two publishers send alike reach the subscriber once",
	[]string{"publisher-1", "publisher-2", "subscriber"}, []Fault{
		dataFault("duplicate-object", "more than once {0, 0}").should(),
		dataFault("drop-object", "12 of 15 objects came, {0, 0}"),
	}, runDeduplicated, rules.Deduplicated, rules.MultiplePublishers)

// runDeduplicated: a relay should forward each object once (draft-18 §9.3: SHOULD). One that does not break a track
// over it still brings every object.
func runDeduplicated(ctx context.Context, e *Env) error {
	first, other := e.Dial(ctx, "publisher-1"), e.Dial(ctx, "publisher-2")
	p := first.Publisher(e.Namespace(), e.TrackName())
	q := other.Publisher(p.Namespace, p.Name)
	step, cancel := e.Step(ctx)
	defer cancel()
	first.Announce(step, p.Namespace)
	_, err := other.PublishNamespace(step, p.Namespace, e.Parameters())
	other.MayRefuse(err, "a second PUBLISH_NAMESPACE", rules.FurtherPublisher)
	other.Check(step, err, transport.LayerRequest, other.OKName(wire.KindPublishNamespace)+
		" for the second PUBLISH_NAMESPACE")
	l := e.Groups(0, 2)
	s := e.Follow(ctx, "subscriber", p, l, Checks{})
	both, cancel := e.Within(ctx, soon)
	defer cancel()
	for _, x := range []*Publisher{p, q} {
		if x.WaitSubscribed(both) != nil && ctx.Err() == nil { // the case two-publishers judges that
			e.Skip("the relay does not ask %s, so nothing comes twice", x.Session.Role)
		}
	}
	p.WaitForward(step)
	q.WaitForward(step)
	for _, x := range []*Publisher{p, q} {
		e.Go(ctx, func(ctx context.Context) { x.Publish(ctx, l, ObjectPace) })
	}
	s.WaitAll(ctx)
	e.Silence(ctx, LateTime)
	p.End()
	q.End()
	s.WaitQuiet(ctx)
	if what := s.Checker.Corrupted(); what != "" {
		e.Fail(transport.LayerData, l.String(), what)
	}
	what := s.Checker.Unexpected()
	e.Should(what == "", transport.LayerData, "each object once, since both publishers sent the same", what)
	return nil
}
