package cases

import (
	"context"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var tracksOverlap = namespaceCase("tracks-overlap",
	"An overlapping SUBSCRIBE_TRACKS is refused with PREFIX_OVERLAP", wire.Draft18,
	[]string{"subscriber"}, []Fault{
		requestFault("overlap-accepted", `REQUEST_OK for the prefix "moq-interop/tracks-overlap/`),
		requestFault("overlap-across-kinds", "REQUEST_ERROR 0x30 PREFIX_OVERLAP"),
	},
	func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "subscriber")
		step, cancel := e.Step(ctx)
		defer cancel()
		_, err := s.SubscribeTracks(step, e.Namespace("a"), e.Parameters())
		s.SkipUnsupported(err)
		s.Check(step, err, transport.LayerRequest, s.OKName(wire.KindSubscribeTracks)+" for SUBSCRIBE_TRACKS")
		_, err = s.SubscribeTracks(step, e.Namespace("a", "b"), e.Parameters())
		s.WantRefusal(step, err, wire.KindSubscribeTracks, wire.NamePrefixOverlap,
			fmt.Sprintf("%s for the prefix %q beside %q", s.OKName(wire.KindSubscribeTracks), e.Namespace("a", "b"),
				e.Namespace("a")))
		s.WantNamespaceSubscription(step, e.Namespace("a"))
		return nil
	}, rules.TracksOverlap)

var subscribeTracks = Case{
	ID:    "subscribe-tracks",
	Title: "A subscriber of a namespace's tracks gets PUBLISH for a later track, and its objects",
	Rules: []rules.ID{rules.SubscribeTracks, rules.SkippedTracks, rules.Forwarding},
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "namespace", "publish"},
	Roles: []string{"publisher", "subscriber"}, Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("tracks-silent", "nothing for 5000 ms after SUBSCRIBE_"),
		requestFault("publish-not-routed", "nothing for 5000 ms after SUBSCRIBE_"),
		dataFault("drop-object", "8 of 10 objects came, {0, 0}"),
		dataFault("corrupt-payload", "payload differs from byte 0"),
	},
	Run: runSubscribeTracks,
}

// runSubscribeTracks: the client sends SUBSCRIBE_TRACKS (up to 17 SUBSCRIBE_NAMESPACE), gets a PUBLISH, accepts it with
// Forward State 1, and receives objects.
func runSubscribeTracks(ctx context.Context, e *Env) error {
	step, cancel := e.Step(ctx)
	defer cancel()
	s := e.Dial(ctx, "subscriber").FollowTracks(step, e.Namespace())

	source := e.Dial(ctx, "publisher")
	p := source.Publisher(e.Namespace("studio"), e.TrackName())
	step, cancel = e.Step(ctx)
	defer cancel()
	offered := p.OfferBeside(ctx)
	r := s.WantPublish(step, p, "PUBLISH")
	ok := &wire.RequestOK{}
	// from 20 on an update carries only what changes
	if s.Draft() <= wire.Draft19 || r.Parameters().UintOr(wire.ParamForward, 1) == 0 {
		ok.Parameters.SetUint(wire.ParamForward, 1)
	}
	sub, err := r.AcceptPublish(step, ok)
	s.Check(step, err, transport.LayerRequest, "a PUBLISH that can be accepted")
	offered(ctx)
	l := e.Groups(0, 1)
	k := NewChecker(l, Checks{})
	read := s.Read(ctx, "PUBLISH", k, sub.Next)
	p.WaitAnyForward(ctx)
	s.Healthy(ctx, transport.LayerRequest) // PUBLISH_OK has reached the relay
	e.Go(ctx, func(ctx context.Context) { p.Emit(ctx, l, ObjectPace) })
	step, cancel = e.Step(ctx)
	defer cancel()
	if !k.wait(step, read) {
		s.mayCancel(read.err)
	}
	s.Gather(step, k, read)
	p.End()
	s.Exactly(ctx, k, LateTime, read)
	return nil
}

var subscribeTracksPaused = Case{
	ID:    "subscribe-tracks-paused",
	Title: "SUBSCRIBE_TRACKS with Forward State 0 brings a paused PUBLISH and no objects",
	Rules: []rules.ID{rules.TracksParameters, rules.ForwardState, rules.SubscribeTracks}, First: wire.Draft18,
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "namespace", "publish"},
	Roles: []string{"publisher", "subscriber", "tracker"}, Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("tracks-silent", "nothing for 5000 ms after SUBSCRIBE_TRACKS"),
		dataFault("forward-ignored", "2 streams or datagrams within 250 ms"),
	},
	Run: runSubscribeTracksPaused,
}

func runSubscribeTracksPaused(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	l := e.Groups(0, 1)
	step, cancel := e.Step(ctx)
	defer cancel()
	s := e.Dial(ctx, "tracker").FollowTracks(step, e.Namespace(), UintParameter(wire.ParamForward, 0))
	offered := p.OfferBeside(ctx)
	const expected = "PUBLISH with Forward State 0"
	r := s.WantPublish(step, p, expected)
	if r.Parameters().UintOr(wire.ParamForward, 1) != 0 {
		e.Fail(transport.LayerRequest, expected, "PUBLISH with Forward State 1")
	}
	ok := &wire.RequestOK{}
	if s.Draft() <= wire.Draft19 { // where PUBLISH_OK says it, and means 1 when it does not
		ok.Parameters.SetUint(wire.ParamForward, 0)
	}
	_, err := r.AcceptPublish(step, ok)
	s.Check(step, err, transport.LayerRequest, "a PUBLISH that can be accepted")
	offered(ctx)
	a := e.Follow(ctx, "subscriber", p, l, Checks{})
	p.WaitAnyForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.Emit(ctx, l, ObjectPace) })
	a.WaitAll(ctx)
	e.Silence(ctx, LateTime)
	if n := s.DataSeen(); n > 0 {
		e.Fail(transport.LayerData, "no objects with Forward State 0",
			fmt.Sprintf("%d streams or datagrams within %d ms", n, LateTime/time.Millisecond))
	}
	return nil
}

var namespaceDiscovery = Case{
	ID: "namespace-discovery", Title: "A subscriber that knows only the namespace gets PUBLISH for a track in it",
	Rules: []rules.ID{rules.SubscribeTracks, rules.SkippedTracks},
	Level: Must, Suite: SuiteStandard, Tags: []string{"namespace", "publish"},
	Roles: []string{"publisher", "subscriber"}, Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("tracks-silent", "nothing for 5000 ms after SUBSCRIBE_"),
		requestFault("publish-silent", "nothing for 5000 ms after PUBLISH"),
		requestFault("publish-not-routed", "nothing for 5000 ms after SUBSCRIBE_"),
		requestFault("announce-reject", "0x1 UNAUTHORIZED"),
	},
	Run: runNamespaceDiscovery,
}

// runNamespaceDiscovery: SUBSCRIBE_TRACKS (up to 17 SUBSCRIBE_NAMESPACE) brings tracks that were published before it
// (draft-14 §9.28, draft-18 §10.19).
func runNamespaceDiscovery(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	step, cancel := e.Step(ctx)
	defer cancel()
	p.Offer(step)

	s := e.Dial(ctx, "subscriber")
	step, cancel = e.Step(ctx)
	defer cancel()
	r := s.FollowTracks(step, p.Namespace).WantPublish(step, p, "PUBLISH")
	_, err := r.AcceptPublish(step, nil)
	s.Check(step, err, transport.LayerRequest, "a PUBLISH that can be accepted")
	s.Healthy(ctx, transport.LayerRequest)
	return nil
}
