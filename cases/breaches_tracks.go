package cases

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// breachesOfTracks make a track malformed: who sees it gives up the track, and nobody's session (draft-18 §2.4.2, §9.1,
// §12.7-12.9, draft-22 §7.1, §10.7-10.9, §12.1).
var breachesOfTracks = []breach{
	comesAgain("", "an object that comes again with another payload",
		func(s *scene, group uint64) []byte { return append(s.numbers(0x10, s.alias, group), 128, 0, 1, 'b') }),
	comesAgain("subgroup", "an object that comes again in another subgroup",
		func(s *scene, group uint64) []byte { return append(s.numbers(0x14, s.alias, group, 1), 128, 0, 1, 'a') }),
	comesAgain("status", "an object that comes again as the end of its group",
		func(s *scene, group uint64) []byte { return append(s.numbers(0x10, s.alias, group), 128, 0, 0, 3) }),
	comesAgain("priority", "an object that comes again with another Publisher Priority",
		func(s *scene, group uint64) []byte { return append(s.numbers(0x10, s.alias, group), 7, 0, 1, 'a') }),
	contradicts(rules.MalformedDuplicate, "preference", "an object that comes again as a datagram", 0x10,
		func(group uint64) act {
			return datagrams(func(s *scene) []byte { return append(s.numbers(0, s.alias, group, 0), 128, 'a') })
		}),
	contradicts(rules.MalformedTrack, "final", "an object behind the one that ended its group", 0x18,
		func(group uint64) act {
			return streams(func(s *scene) []byte {
				return append(s.numbers(0x14, s.alias, group, 1), 128, 1, 1, 'a')
			}, fin)
		}),
	malformedBy("immutable-once", "twice", "an object with two Immutable Properties",
		wire.Property{Type: wire.PropImmutable}, wire.Property{Type: wire.PropImmutable}),
	malformedBy("immutable-properties", "nested", "an object with Immutable Properties inside Immutable Properties",
		wire.Property{Type: wire.PropImmutable, Bytes: []byte{byte(wire.PropImmutable), 0}}),
	malformedBy("group-gap-once", "", "an object with two Prior Group ID Gaps",
		wire.Property{Type: wire.PropPriorGroupIDGap}, wire.Property{Type: wire.PropPriorGroupIDGap}),
	malformedBy("group-gap-once", "large", "a Prior Group ID Gap that is larger than the Group ID",
		wire.Property{Type: wire.PropPriorGroupIDGap, Uint: 60}),
	malformedBy("object-gap-once", "", "an object with two Prior Object ID Gaps",
		wire.Property{Type: wire.PropPriorObjectIDGap}, wire.Property{Type: wire.PropPriorObjectIDGap}),
	malformedBy("object-gap-once", "large", "a Prior Object ID Gap that is larger than the Object ID",
		wire.Property{Type: wire.PropPriorObjectIDGap, Uint: 9}),
	malformedBy("immutable-search", "gap", "a Prior Group ID Gap, and another one among Immutable Properties",
		wire.Property{Type: wire.PropImmutable, Bytes: []byte{byte(wire.PropPriorGroupIDGap), 0}},
		wire.Property{Type: wire.PropPriorGroupIDGap}),
	malformedBy("mandatory-scope", "object", "a Mandatory Track Property on an object",
		wire.Property{Type: mandatoryType, Uint: 1}),
}

// comesAgain is an object of one byte, and behind it a stream that has it otherwise (draft-18 §2.4.2, §9.1).
func comesAgain(of, what string, otherwise func(s *scene, group uint64) []byte) breach {
	return contradicts(rules.MalformedDuplicate, of, what, 0x10, func(group uint64) act {
		return streams(func(s *scene) []byte { return otherwise(s, group) }, fin)
	})
}

// contradicts is a stream of this type with an object of one byte, and what does not go with it.
func contradicts(rule rules.ID, of, what string, header uint64, then func(group uint64) act) breach {
	also := []rules.ID{rules.MalformedTrack}
	if rule == rules.MalformedTrack {
		also = nil
	}
	return breach{rule: rule, of: of, also: also, what: what, as: asPublisher, want: malformed, good: goodStream,
		bad: func(ctx context.Context, s *scene) (*asked, error) {
			group := s.group()
			first := streams(func(s *scene) []byte {
				return append(s.numbers(header, s.alias, group), 128, 0, 1, 'a')
			}, fin)
			if _, err := first(ctx, s); err != nil {
				return nil, err
			}
			s.arrive(ctx)
			return then(group)(ctx, s)
		}}
}

// malformedBy is an object whose properties make its track malformed.
func malformedBy(rule rules.ID, of, what string, ps ...wire.Property) breach {
	return breach{rule: rule, of: of, also: []rules.ID{rules.MalformedTrack}, what: what, as: asPublisher,
		want: malformed, good: goodStream,
		bad: streams(func(s *scene) []byte {
			block, _ := wire.AppendProperties(nil, s.draft(), ps)
			b := wire.AppendVarint(s.object(0x11, 0), s.draft(), uint64(len(block)))
			return append(append(b, block...), 1, 'x')
		}, fin)}
}
