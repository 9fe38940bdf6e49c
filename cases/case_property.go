package cases

import (
	"context"
	"errors"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Property types that the cases use: two for applications (draft-18 §2.5), a grease value, and one that nobody has
// registered. No relay knows them.
const (
	propSmallEven = 0x38
	propSmallOdd  = 0x39
	propEven      = 0x3800
	propOdd       = 0x3801
	propUnknown   = 0x7F3A4B2 // even
	propGrease    = 0x9D      // odd; 0x7f * N + 0x9D (draft-18 §14)
)

// unknownProperties are properties that a relay cannot know: integers of every length, no bytes, and many bytes.
func unknownProperties(group, object uint64) wire.Properties {
	return wire.Properties{
		{Type: propSmallEven, Uint: object},
		{Type: propSmallOdd, Bytes: []byte("small")},
		{Type: propGrease, Bytes: Filled(17, group, object)},
		{Type: propEven, Uint: 1<<62 - 1 - object},
		{Type: propOdd, Bytes: Filled(int(object)*100, group, object)},
		{Type: propUnknown, Uint: 1<<30 + group},
	}
}

var objectProperties = Case{
	ID: "object-properties", Title: "Properties unknown to the relay arrive unchanged",
	Rules: []rules.ID{rules.ObjectProperties, rules.GreaseProperties},
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "properties"}, Roles: []string{"publisher", "subscriber"},
	Timeout: CaseLimit,
	Faults: []Fault{
		dataFault("strip-properties", "property 0x38 is missing"),
		dataFault("drop-object", "6 of 8 objects came, {0, 0}"),
	},
	Run: func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		l := NewLayout(Span(0, 1), Span(0, 3), LayoutOptions{Payload: e.NamedPayload, Properties: unknownProperties})
		a := e.Follow(ctx, "subscriber", p, l, Checks{Properties: true})
		p.WaitForward(ctx)
		p.Deliver(ctx, l, ObjectPace, a)
		return nil
	},
}

var immutableProperties = Case{
	ID: "immutable-properties", Title: "Immutable Properties arrive unchanged",
	Rules: []rules.ID{rules.ImmutableProperties},
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "properties"}, Roles: []string{"publisher", "subscriber"},
	Timeout: CaseLimit,
	Faults: []Fault{
		dataFault("strip-properties", "property 0xb is missing"),
	},
	Run: func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		inner, err := wire.AppendProperties(nil, p.Session.Draft(), wire.Properties{{Type: propEven, Uint: 4660},
			{Type: propOdd, Bytes: []byte("never changed")}})
		e.Check(ctx, err, transport.LayerData, "Immutable Properties to have a form")
		l := NewLayout(Span(0, 0), Span(0, 3),
			LayoutOptions{Payload: e.NamedPayload, Properties: func(uint64, uint64) wire.Properties {
				return wire.Properties{{Type: wire.PropImmutable, Bytes: inner}, {Type: propSmallEven, Uint: 7}}
			}})
		a := e.Follow(ctx, "subscriber", p, l, Checks{Properties: true})
		p.WaitForward(ctx)
		p.Deliver(ctx, l, ObjectPace, a)
		return nil
	},
}

var trackProperties = Case{
	ID: "track-properties", Title: "SUBSCRIBE_OK and FETCH_OK carry the track's unknown properties",
	Rules: []rules.ID{rules.TrackProperties}, First: wire.Draft16,
	Level: Must, Suite: SuiteAll, Tags: []string{"properties", "subscribe"}, Roles: []string{"publisher", "subscriber"},
	Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("strip-track-properties", "SUBSCRIBE_OK with 0 properties and without it"),
	},
	Run: runTrackProperties,
}

// runTrackProperties: a relay must pass on all properties of a track (draft-18 §9.6). The case looks for them in the
// answer to SUBSCRIBE, and in the answer to a FETCH as well.
func runTrackProperties(ctx context.Context, e *Env) error {
	p := e.Announced(ctx, unknownProperties(1, 2)...)
	l := NewLayout(Span(0, 0), Span(0, 2), LayoutOptions{Payload: e.NamedPayload})
	a := e.Follow(ctx, "subscriber", p, l, Checks{})
	compareProperties(e, "SUBSCRIBE_OK", p.Properties, a.Subscription.Properties())
	p.WaitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
	a.WaitAll(ctx)

	step, cancel := e.Step(ctx)
	defer cancel()
	f, err := a.Fetch(step, p.FetchOf(wire.LocationFilter{Form: wire.FilterGroupEnd}))
	var refused *moqt.RequestError
	switch {
	case err == nil:
		compareProperties(e, "FETCH_OK", p.Properties, f.OK().Properties)
		f.Cancel()
	case errors.As(err, &refused) && refused.Name == string(wire.NameNotSupported):
		e.Note("FETCH is not supported")
	default:
		a.Refused(step, err, "FETCH_OK", p)
	}
	return nil
}

// compareProperties ends the case when a message lacks a property of the track, or gives it another value.
func compareProperties(e *Env, where string, want, have wire.Properties) {
	for _, p := range want {
		expected := fmt.Sprintf("property 0x%x of the track in %s, as its publisher gave it", p.Type, where)
		q, ok := have.Get(p.Type)
		switch {
		case !ok:
			e.Fail(transport.LayerRequest, expected, fmt.Sprintf("%s with %d properties and without it", where,
				len(have)))
		case q.Uint != p.Uint || string(q.Bytes) != string(p.Bytes):
			e.Fail(transport.LayerRequest, expected, fmt.Sprintf("%s with another value", where))
		}
	}
}

// propMandatory is a Mandatory Track Property that nobody has registered (draft-18 §2.5.1: 0x4000 to 0x7FFF).
const propMandatory = 0x6A5C

var mandatoryProperty = Case{
	ID: "mandatory-property", Title: "A track with an unknown Mandatory Track Property is refused",
	Rules: []rules.ID{rules.MandatoryProperties, rules.MandatoryNotForwarded}, First: wire.Draft18,
	Level: Must, Suite: SuiteAll, Tags: []string{"properties", "subscribe"}, Roles: []string{"publisher", "subscriber"},
	Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("mandatory-property-ignored", "SUBSCRIBE_OK for a track with the mandatory property 0x6a5c"),
		requestFault("subscribe-silent", "nothing for 5000 ms after SUBSCRIBE"),
	},
	Run: runMandatoryProperty,
}

// runMandatoryProperty: a relay that gets a SUBSCRIBE_OK with a Mandatory Track Property that it does not know must
// refuse its subscribers with UNSUPPORTED_EXTENSION (draft-18 §2.5.1).
func runMandatoryProperty(ctx context.Context, e *Env) error {
	p := e.Announced(ctx, wire.Property{Type: propMandatory, Uint: 1})
	s := e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	_, err := s.Subscribe(step, s.SubscribeMessage(p.Namespace, p.Name))
	s.WantRefusal(step, err, wire.KindSubscribe, wire.NameUnsupportedExtension,
		fmt.Sprintf("SUBSCRIBE_OK for a track with the mandatory property 0x%x", propMandatory))
	s.Healthy(ctx, transport.LayerRequest)
	return nil
}

var includeProperties = Case{
	ID: "include-properties", Title: "With INCLUDE_PROPERTIES 0 SUBSCRIBE_OK and FETCH_OK have no track properties",
	Rules: []rules.ID{rules.IncludeProperties}, First: wire.Draft20,
	Level: Should, Suite: SuiteAll, Tags: []string{"properties", "subscribe", "fetch"},
	Roles:   []string{"publisher", "subscriber", "fetcher"},
	Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("properties-always", "SUBSCRIBE_OK with 1 track properties").should(),
		requestFault("subscribe-silent", "nothing for 5000 ms after SUBSCRIBE").should(),
	},
	Run: runIncludeProperties,
}

// runIncludeProperties: the subscriber knows the track's properties already (draft-22 §9.20.21: SHOULD).
func runIncludeProperties(ctx context.Context, e *Env) error {
	p := e.Announced(ctx, wire.Property{Type: propUnknown, Uint: 1})
	without := UintParameter(wire.ParamIncludeProperties, 0)
	l := e.Groups(0, 1)
	a := e.Follow(ctx, "subscriber", p, l, Checks{}, without)
	said := func(kind wire.Kind, ps wire.Properties) {
		name := a.OKName(kind)
		e.Should(len(ps) == 0, transport.LayerRequest, name+" without track properties, with INCLUDE_PROPERTIES 0",
			fmt.Sprintf("%s with %d track properties", name, len(ps)))
	}
	said(wire.KindSubscribe, a.Subscription.Properties())
	p.WaitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, ObjectPace) })
	a.WaitAll(ctx)
	s := e.Dial(ctx, "fetcher")
	got := s.FetchExactly(ctx, p, p.FetchOf(WholeGroups(0, 0), without), l[:5], Checks{})
	said(wire.KindFetch, got.Fetch.OK().Properties)
	return nil
}
