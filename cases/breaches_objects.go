package cases

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// breachesOfObjects are breaches of the rules of data streams, datagrams and objects (draft-18 §10.4, §11, draft-22
// §11).
var breachesOfObjects = []breach{
	{
		rule: rules.StreamType, of: "unknown", what: "a unidirectional stream of type 0x3",
		as: asClient, want: anyClose,
		good: asks(aNamespace),
		bad:  streams(func(s *scene) []byte { return []byte{3, 0, 0, 0} }, fin),
	},
	{
		rule: rules.StreamType, of: "publisher", what: "a unidirectional stream of type 0x7 from a publisher",
		as: asPublisher, want: anyClose,
		good: goodStream,
		bad:  streams(func(s *scene) []byte { return s.numbers(7, s.alias, 0, 0) }, open),
	},
	{
		rule: rules.SubgroupTypeBits, of: "mode", what: "a subgroup with Subgroup ID mode 3", as: asPublisher,
		want: anyClose, seen: rules.StreamType,
		good: goodStream,
		bad:  streams(func(s *scene) []byte { return s.object(0x16, 0, 1, 'x') }, fin),
	},
	{
		rule: rules.SubgroupTypeBits, of: "high", what: "a subgroup of type 0x90", first: wire.Draft18,
		as:   asPublisher,
		want: anyClose, seen: rules.StreamType,
		good: goodStream,
		bad:  streams(func(s *scene) []byte { return s.object(0x90, 0, 1, 'x') }, fin),
	},
	{
		rule: "datagram-type", what: "a datagram of type 0x77", as: asClient, want: anyClose,
		seen: rules.DatagramTypeBits,
		good: asks(aNamespace),
		bad:  datagrams(func(s *scene) []byte { return s.numbers(0x77, 1, 0, 0) }),
	},
	{
		rule: rules.DatagramTypeBits, of: "form", what: "a datagram of type 0x10", as: asPublisher, want: anyClose,
		good: goodDatagram,
		bad:  datagrams(func(s *scene) []byte { return append(s.numbers(0x10, s.alias, s.group(), 0), 128, 'x') }),
	},
	{
		rule: rules.DatagramTypeBits, of: "status-end", what: "a datagram with a status and END_OF_GROUP",
		as: asPublisher, want: anyClose,
		good: goodDatagram,
		bad:  datagrams(func(s *scene) []byte { return append(s.numbers(0x22, s.alias, s.group(), 0), 128, 3) }),
	},
	{
		rule: rules.DatagramPropertiesEmpty, what: "a datagram with properties of length 0", as: asPublisher,
		want: violation,
		good: goodDatagram,
		bad:  datagrams(func(s *scene) []byte { return append(s.numbers(0x01, s.alias, s.group(), 0), 128, 0, 'x') }),
	},
	{
		rule: "datagram-status-properties", what: "a datagram with a status and properties", as: asPublisher,
		want: violation, seen: rules.StatusProperties,
		good: goodDatagram,
		bad: datagrams(func(s *scene) []byte {
			return append(s.numbers(0x21, s.alias, s.group(), 0), 128, 2, 0x38, 1, 3)
		}),
	},
	{
		rule: rules.StatusEmpty, of: "datagram", what: "a datagram with a status and a byte behind it",
		as:   asPublisher,
		want: violation, level: Probe,
		good: goodDatagram,
		bad:  datagrams(func(s *scene) []byte { return append(s.numbers(0x20, s.alias, s.group(), 0), 128, 3, 'x') }),
	},
	{
		rule: rules.StatusProperties, of: "subgroup", what: "an End of Group with properties on a subgroup stream",
		first: wire.Draft15, as: asPublisher, want: violation,
		good: goodStream,
		bad: streams(func(s *scene) []byte {
			return s.object(0x11, 0, 2, 0x38, 1, 0, 3)
		}, fin),
	},
	{
		rule: rules.StatusProperties, of: "none", what: "an object that does not exist, with properties",
		last: wire.Draft14, as: asPublisher, want: violation,
		good: goodStream,
		bad: streams(func(s *scene) []byte {
			return s.object(0x11, 0, 2, 0x38, 1, 0, 1)
		}, fin),
	},
	{
		rule: rules.StatusUnknown, of: "subgroup", what: "an Object Status of 7 on a subgroup stream",
		as:   asPublisher,
		want: violation,
		good: goodStream,
		bad:  streams(func(s *scene) []byte { return s.object(0x10, 0, 0, 7) }, fin),
	},
	{
		rule: rules.StatusUnknown, of: "datagram", what: "an Object Status of 7 in a datagram", as: asPublisher,
		want: violation,
		good: goodDatagram,
		bad:  datagrams(func(s *scene) []byte { return append(s.numbers(0x20, s.alias, s.group(), 0), 128, 7) }),
	},
	{
		rule: rules.StreamCut, of: "payload", what: "FIN inside the payload of an object",
		as: asPublisher, want: violation,
		good: goodStream,
		bad:  streams(func(s *scene) []byte { return s.object(0x10, 0, 9, 'x') }, fin),
	},
	{
		rule: rules.StreamCut, of: "header", what: "FIN inside the header of an object",
		as: asPublisher, want: violation,
		good: goodStream,
		bad: streams(func(s *scene) []byte {
			return s.object(0x10, 0, 1, 'x', 0)
		}, fin),
	},
	{
		rule: rules.StreamCut, of: "properties", what: "FIN inside the properties of an object", as: asPublisher,
		want: violation,
		good: goodStream,
		bad:  streams(func(s *scene) []byte { return s.object(0x11, 0, 9, 0x38) }, fin),
	},
	{
		rule: rules.SubgroupObjectBound, what: "an Object ID past the largest number on a subgroup stream",
		as: asPublisher, want: violation,
		good: goodStream,
		bad: streams(func(s *scene) []byte {
			b := append(s.numbers(0x10, s.alias, s.group()), 128)
			return append(wire.AppendVarint(append(b, 5, 1, 'x'), s.draft(), s.draft().MaxVarint()), 1, 'x')
		}, fin),
	},
	{
		rule: rules.KeyValueType, of: "object", what: "a property type past 2^64-1 in an object", first: wire.Draft17,
		as: asPublisher, want: violation,
		good: goodStream,
		bad: streams(func(s *scene) []byte {
			props := wire.AppendVarint(nil, s.draft(), 1<<64-2)
			props = append(props, 0, 4, 0)
			b := s.object(0x11, 0, byte(len(props)))
			return append(append(b, props...), 1, 'x')
		}, fin),
	},
	{
		rule: rules.KeyValueLength, of: "object", what: "a property of 65536 bytes in an object", as: asPublisher,
		want: violation,
		good: goodStream,
		bad: streams(func(s *scene) []byte {
			props := wire.AppendVarint([]byte{0x39}, s.draft(), 1<<16)
			props = append(props, long(100)...)
			b := s.object(0x11, 0)
			b = append(wire.AppendVarint(b, s.draft(), uint64(len(props))), props...)
			return append(b, 1, 'x')
		}, fin),
	},
	{
		rule: rules.KeyValueForm, of: "object", what: "an object whose properties end inside one of them",
		as: asPublisher, want: closedWithCode(wire.KeyValueFormattingError, wire.ProtocolViolation),
		good: goodStream,
		bad: streams(func(s *scene) []byte {
			return s.object(0x11, 0, 3, 0x39, 9, 'x', 1, 'x')
		}, fin),
	},
	fetchBreach(rules.FetchFlags, "undefined", "undefined flags on a fetch stream", wire.Draft15, violation,
		func(s *scene) []byte {
			if s.draft() == wire.Draft15 {
				return []byte{0xC0}
			}
			return s.numbers(0x80)
		}),
	fetchBreach(rules.FetchFirstObject, "group", "a first object on a fetch stream without a Group ID", wire.Draft15,
		violation, func(s *scene) []byte { return []byte{0x14, 0, 128, 1, 'x'} }),
	fetchBreach(rules.FetchFirstObject, "subgroup", "a first object on a fetch stream with the Subgroup ID before",
		wire.Draft15, violation, func(s *scene) []byte { return []byte{0x1D, fetchedGroup, 0, 128, 1, 'x'} }),
	fetchBreach(rules.FetchFirstObject, "priority", "a first object on a fetch stream without a priority", wire.Draft15,
		violation, func(s *scene) []byte { return []byte{0x0C, fetchedGroup, 0, 1, 'x'} }),
	fetchBreach(rules.FetchGroupBound, "", "a Group ID past 2^64-1 on a fetch stream", wire.Draft18, violation,
		func(s *scene) []byte {
			b := []byte{0x1C, fetchedGroup, 0, 128, 1, 'x', 0x0C}
			return append(wire.AppendVarint(b, s.draft(), 1<<64-1), 0, 1, 'x')
		}),
	fetchBreach(rules.FetchObjectBound, "", "an Object ID past 2^64-1 on a fetch stream", wire.Draft18, violation,
		func(s *scene) []byte {
			b := []byte{0x1C, fetchedGroup, 7, 128, 1, 'x', 0x04}
			return append(wire.AppendVarint(b, s.draft(), 1<<64-1), 1, 'x')
		}),
	fetchBreach(rules.FetchObjectBound, "next", "an object behind the largest Object ID on a fetch stream",
		wire.Draft15,
		violation, func(s *scene) []byte {
			b := []byte{0x1C, fetchedGroup}
			b = append(wire.AppendVarint(b, s.draft(), s.draft().MaxVarint()), 128, 1, 'x')
			return append(b, 0x01, 1, 'x')
		}),
	fetchBreach(rules.StreamCut, "fetch", "FIN inside an object of a fetch stream", wire.Draft15, violation,
		func(s *scene) []byte { return []byte{0x1C, fetchedGroup, 0, 128, 9, 'x'} }),
}

// object is a stream of one object: type, alias and a group, the priority, then the given bytes.
func (s *scene) object(t uint64, rest ...byte) []byte {
	return append(append(s.numbers(t, s.alias, s.group()), 128), rest...)
}

// numbers are integers of the draft.
func (s *scene) numbers(vs ...uint64) (b []byte) {
	for _, v := range vs {
		b = wire.AppendVarint(b, s.draft(), v)
	}
	return b
}

// group is a group that no other act of the case uses.
func (s *scene) group() uint64 {
	s.twins++
	return uint64(s.twins)
}

// goodStream is a subgroup of one object.
var goodStream = streams(func(s *scene) []byte {
	return s.object(0x10, 0, 4, 'g', 'o', 'o', 'd')
}, fin)

// goodDatagram is an object in a datagram.
var goodDatagram = datagrams(func(s *scene) []byte {
	return append(s.numbers(0x00, s.alias, s.group(), 0), 128, 'g', 'o', 'o', 'd')
})

// fetchBreach is an object on a fetch stream that breaks a rule, behind a good FETCH_OK.
func fetchBreach(rule rules.ID, of, what string, first wire.Draft, want reaction, object func(*scene) []byte) breach {
	return breach{rule: rule, of: of, what: what, first: first, as: asFetched, want: want,
		bad: func(ctx context.Context, s *scene) (*asked, error) {
			ok := &wire.FetchOK{RequestID: s.theirs.id, End: wire.Location{Group: fetchedGroup + 4, Object: 9}}
			if err := s.x.send(s.theirs, ok); err != nil {
				return nil, err
			}
			answer := func(s *scene) []byte { return append(s.numbers(5, s.theirs.id), object(s)...) }
			return streams(answer, fin)(ctx, s)
		}}
}
