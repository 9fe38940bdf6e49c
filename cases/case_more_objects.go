package cases

import (
	"context"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Objects of all sizes, many groups, and the properties of objects and tracks.

// sized is a case of objects of one size.
func sized(id, size string, bytes, groups, objects int, faults ...string) Case {
	return Case{
		ID: id, Title: "objects of " + size + " arrive unchanged",
		Topics: []wire.Topic{wire.TopicSubscribe, wire.TopicSubgroupHeader, wire.TopicStreamEnd},
		Level:  Must, Suite: SuiteAll, Tags: []string{"data", "sizes"}, Roles: []string{"publisher", "subscriber"},
		Timeout: caseLimit,
		Faults:  faults,
		Run: func(ctx context.Context, e *Env) error {
			p := announced(ctx, e)
			l := newLayout(span(0, uint64(groups)-1), span(0, uint64(objects)-1),
				layoutOptions{payload: func(g, o uint64) []byte { return filled(bytes, g, o) }})
			a := attend(ctx, "subscriber", p, l, checks{})
			p.waitForward(ctx)
			deliver(ctx, p, l, 0, a)
			return nil
		},
	}
}

var (
	objectEmpty = sized("object-empty", "0 bytes", 0, 2, 5, "drop-object", "wrong-object-id")
	objectByte  = sized("object-1-byte", "1 byte", 1, 2, 5, "drop-object", "wrong-object-id", "corrupt-payload",
		"truncate-payload")
	object10KB = sized("object-10-kb", "10 KB", 10_000, 2, 5, "drop-object", "corrupt-payload", "truncate-payload")
	object1MB  = sized("object-1-mb", "1 MB", 1_000_000, 1, 2, "large-objects-missing", "corrupt-payload",
		"truncate-payload")
	object10MB = sized("object-10-mb", "10 MB", 10_000_000, 1, 1, "large-objects-missing", "truncate-payload")
)

var manyGroups = Case{
	ID: "many-short-groups", Title: "500 groups of one object, each on a stream of its own",
	Topics: []wire.Topic{wire.TopicSubscribe, wire.TopicSubgroupHeader, wire.TopicStreamEnd},
	Level:  Must, Suite: SuiteAll, Tags: []string{"data", "limits"}, Roles: []string{"publisher", "subscriber"},
	Timeout: caseLimit,
	Faults:  []string{"drop-group", "drop-object", "duplicate-object"},
	Run: func(ctx context.Context, e *Env) error {
		p := announced(ctx, e)
		l := newLayout(span(0, 499), span(0, 0), layoutOptions{payload: e.namedPayload})
		a := attend(ctx, "subscriber", p, l, checks{})
		p.waitForward(ctx)
		deliver(ctx, p, l, 0, a)
		return nil
	},
}

// Property types of the cases: those for applications (draft-18 §2.5), a grease value, and one that nobody has
// registered. No relay supports them.
const (
	propSmallEven = 0x38
	propSmallOdd  = 0x39
	propEven      = 0x3800
	propOdd       = 0x3801
	propUnknown   = 0x7F3A4B2 // even
	propGrease    = 0x9D      // odd; 0x7f * N + 0x9D (draft-18 §14)
)

// unknownProperties are properties of every kind that a relay cannot know: integers of every length, and bytes, none
// and many.
func unknownProperties(group, object uint64) wire.Properties {
	return wire.Properties{
		{Type: propSmallEven, Uint: object},
		{Type: propSmallOdd, Bytes: []byte("small")},
		{Type: propGrease, Bytes: filled(17, group, object)},
		{Type: propEven, Uint: 1<<62 - 1 - object},
		{Type: propOdd, Bytes: filled(int(object)*100, group, object)},
		{Type: propUnknown, Uint: 1<<30 + group},
	}
}

var objectProperties = Case{
	ID: "object-properties", Title: "properties that the relay does not know reach the subscriber unchanged",
	Topics: []wire.Topic{wire.TopicObjectProperties, wire.TopicKeyValuePairs},
	Level:  Must, Suite: SuiteAll, Tags: []string{"data", "properties"}, Roles: []string{"publisher", "subscriber"},
	Timeout: caseLimit,
	Faults:  []string{"strip-properties", "drop-object"},
	Run: func(ctx context.Context, e *Env) error {
		p := announced(ctx, e)
		l := newLayout(span(0, 1), span(0, 3), layoutOptions{payload: e.namedPayload, properties: unknownProperties})
		a := attend(ctx, "subscriber", p, l, checks{properties: true})
		p.waitForward(ctx)
		deliver(ctx, p, l, objectPace, a)
		return nil
	},
}

var immutableProperties = Case{
	ID: "immutable-properties", Title: "Immutable Properties reach the subscriber unchanged, with what stands in them",
	Topics: []wire.Topic{wire.TopicObjectProperties, wire.TopicMalformedTracks},
	Level:  Must, Suite: SuiteAll, Tags: []string{"data", "properties"}, Roles: []string{"publisher", "subscriber"},
	Timeout: caseLimit,
	Faults:  []string{"strip-properties"},
	Run: func(ctx context.Context, e *Env) error {
		p := announced(ctx, e)
		inner, err := wire.AppendProperties(nil, p.s.Draft(), wire.Properties{{Type: propEven, Uint: 4660},
			{Type: propOdd, Bytes: []byte("never changed")}})
		e.Check(ctx, err, transport.LayerData, "Immutable Properties to have a form")
		l := newLayout(span(0, 0), span(0, 3),
			layoutOptions{payload: e.namedPayload, properties: func(uint64, uint64) wire.Properties {
				return wire.Properties{{Type: wire.PropImmutable, Bytes: inner}, {Type: propSmallEven, Uint: 7}}
			}})
		a := attend(ctx, "subscriber", p, l, checks{properties: true})
		p.waitForward(ctx)
		deliver(ctx, p, l, objectPace, a)
		return nil
	},
}

var trackProperties = Case{
	ID: "track-properties", Title: "a track's unknown properties stand in SUBSCRIBE_OK and FETCH_OK",
	Topics: []wire.Topic{wire.TopicSubscribeOK, wire.TopicFetchOK, wire.TopicKeyValuePairs}, First: wire.Draft16,
	Level: Must, Suite: SuiteAll, Tags: []string{"properties", "subscribe"}, Roles: []string{"publisher", "subscriber"},
	Timeout: caseLimit,
	Faults:  []string{"strip-track-properties"},
	Run:     runTrackProperties,
}

// runTrackProperties: a relay must include all properties of a track (draft-18 §9.6). It is asked for them where it has
// a subscription, and by a FETCH on top of that.
func runTrackProperties(ctx context.Context, e *Env) error {
	p := announced(ctx, e, unknownProperties(1, 2)...)
	l := newLayout(span(0, 0), span(0, 2), layoutOptions{payload: e.namedPayload})
	a := attend(ctx, "subscriber", p, l, checks{})
	compareProperties(e, "SUBSCRIBE_OK", p.properties, a.sub.Properties())
	p.waitForward(ctx)
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, l, objectPace) })
	a.served(ctx)

	step, cancel := e.Step(ctx)
	defer cancel()
	f, err := a.Fetch(step, fetchOf(p, wire.LocationFilter{Form: wire.FilterGroupEnd}))
	switch {
	case err == nil:
		compareProperties(e, "FETCH_OK", p.properties, f.OK().Properties)
		f.Cancel()
	case a.unsupported(err):
		e.Note("FETCH is not supported")
	default:
		a.refused(step, err, "FETCH_OK", p)
	}
	return nil
}

// compareProperties ends the case when a message lacks a property of the track, or has another value.
func compareProperties(e *Env, where string, want, have wire.Properties) {
	for _, p := range want {
		expected := fmt.Sprintf("property 0x%x of the track in %s, as its publisher said it", p.Type, where)
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
	ID: "mandatory-property", Title: "a track with a Mandatory Track Property that the relay does not know is refused",
	Topics: []wire.Topic{wire.TopicSubscribeOK, wire.TopicRequestError}, First: wire.Draft18,
	Level: Must, Suite: SuiteAll, Tags: []string{"properties", "subscribe"}, Roles: []string{"publisher", "subscriber"},
	Timeout: caseLimit,
	Faults:  []string{"mandatory-property-ignored", "subscribe-silent"},
	Run:     runMandatoryProperty,
}

// runMandatoryProperty: a relay that gets SUBSCRIBE_OK with one that it does not understand must refuse its subscribers
// with UNSUPPORTED_EXTENSION (draft-18 §2.5.1).
func runMandatoryProperty(ctx context.Context, e *Env) error {
	p := announced(ctx, e, wire.Property{Type: propMandatory, Uint: 1})
	s := e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	_, err := s.Subscribe(step, s.subscribeMessage(p.ns, p.name))
	s.wantRefusal(step, err, wire.KindSubscribe, wire.NameUnsupportedExtension,
		fmt.Sprintf("SUBSCRIBE_OK for a track with the mandatory property 0x%x", propMandatory))
	s.Healthy(ctx, transport.LayerRequest)
	return nil
}
