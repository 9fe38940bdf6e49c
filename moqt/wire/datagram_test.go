package wire

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// datagramTypes lists the types as the drafts' tables do (draft-14 §10.3.1, draft-15 §10.3.1).
func datagramTypes(d Draft) []uint64 {
	if d == Draft14 {
		return []uint64{0, 1, 2, 3, 4, 5, 6, 7, 0x20, 0x21}
	}
	types := []uint64{0x20, 0x21, 0x24, 0x25, 0x28, 0x29, 0x2C, 0x2D}
	for i := range uint64(16) {
		types = append(types, i)
	}
	return types
}

func TestDatagramTypes(t *testing.T) {
	for _, d := range Drafts() {
		types := datagramTypes(d)
		for typ := range uint64(0x200) {
			b := AppendVarint(nil, d, typ)
			b = append(b, 1, 2) // alias, group
			want := Datagram{TrackAlias: 1, GroupID: 2, EndOfGroup: typ&2 != 0, ZeroObjectID: typ&4 != 0,
				DefaultPriority: typ&8 != 0, HasStatus: typ&0x20 != 0}
			if !want.ZeroObjectID {
				b, want.ObjectID = append(b, 3), 3
			}
			if !want.DefaultPriority {
				b, want.Priority = append(b, 4), 4
			}
			if typ&1 != 0 {
				b, want.Properties = append(b, 2, 0x3c, 1), []byte{0x3c, 1}
			}
			if want.HasStatus {
				b = append(b, 0)
			} else {
				b, want.Payload = append(b, 9, 9), []byte{9, 9}
			}
			var g Datagram
			err := ParseDatagram(b, d, Options{}, &g)
			if !slices.Contains(types, typ) {
				var e *Error
				if !errors.As(err, &e) || !errors.Is(err, ErrUnknownType) || e.Code != ProtocolViolation {
					t.Errorf("%s: type %#x: %v, want an unknown type", d, typ, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: type %#x: %v", d, typ, err)
				continue
			}
			if diff := cmp.Diff(want, g); diff != "" {
				t.Errorf("%s: type %#x (-want +got)\n%s", d, typ, diff)
			}
			if again, err := AppendDatagram(nil, d, &g); err != nil || !bytes.Equal(again, b) {
				t.Errorf("%s: type %#x written as %x, want %x: %v", d, typ, again, b, err)
			}
		}
	}
}

func drawDatagram(t *rapid.T, d Draft) Datagram {
	typ := rapid.SampledFrom(datagramTypes(d)).Draw(t, "type")
	g := Datagram{
		TrackAlias:      drawInt(t, d, "alias"),
		GroupID:         drawInt(t, d, "group"),
		EndOfGroup:      typ&2 != 0,
		ZeroObjectID:    typ&4 != 0,
		DefaultPriority: typ&8 != 0,
		HasStatus:       typ&0x20 != 0,
	}
	if !g.ZeroObjectID {
		g.ObjectID = drawInt(t, d, "object")
	}
	if !g.DefaultPriority {
		g.Priority = rapid.Byte().Draw(t, "priority")
	}
	if typ&1 != 0 {
		g.Properties = drawBlock(t, d, "properties")
	}
	if g.HasStatus {
		g.Status = drawStatus(t, d, len(g.Properties))
	} else {
		g.Payload = rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "payload")
	}
	return g
}

func TestDatagramProperties(t *testing.T) {
	everyDraft(t, func(t *rapid.T, d Draft) {
		want := drawDatagram(t, d)
		b, err := AppendDatagram([]byte{0xee}, d, &want)
		if err != nil {
			t.Fatal(err)
		}
		b = b[1:]
		var g Datagram
		if err := ParseDatagram(b, d, Options{}, &g); err != nil {
			t.Fatal(err)
		}
		if len(want.Payload) == 0 {
			want.Payload, g.Payload = nil, nil
		}
		if diff := cmp.Diff(want, g); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
		header := len(b) - len(g.Payload)
		for i := range header {
			if err := ParseDatagram(b[:i], d, Options{}, &g); !errors.Is(err, ErrTruncated) {
				t.Fatalf("prefix of %d: %v, want truncated", i, err)
			}
		}
	})
}

func TestDatagramRules(t *testing.T) {
	for _, tt := range []struct {
		name        string
		first, last Draft
		hex         string
		field       string
		offset      int
	}{
		{"STATUS and END_OF_GROUP", 14, Newest, "22010203800300", "type", 0},
		{"0x10", 14, Newest, "1001020380", "type", 0},
		{"no extensions", 14, 16, "010102038000", "extension_headers_length", 5},
		{"no properties", 17, Newest, "010102038000", "properties_length", 5},
		{"extensions on an object that does not exist", 14, 14, "2101020380023c0101", "object_status", 8},
		{"properties on End of Group", 15, Newest, "2101020380023c0103", "object_status", 8},
		{"status 0x1", 16, Newest, "200102038001", "object_status", 5},
		{"status 0x2", 14, Newest, "200102038002", "object_status", 5},
		{"payload after a status", 14, Newest, "20010203800055", "object_status", 6},
		{"pair cut by the block", 14, 16, "0101020380013cff", "extension_headers.value", 6},
		{"padding before 18", 17, 17, "f0132b3e2900", "type", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for d := tt.first; d <= tt.last; d++ {
				var g Datagram
				wantError(t, ParseDatagram(unhex(t, tt.hex), d, Options{}, &g), ProtocolViolation, "OBJECT_DATAGRAM",
					tt.field, tt.offset)
			}
		})
	}
	for d := Draft18; d <= Newest; d++ {
		var g Datagram
		if err := ParseDatagram(unhex(t, "f0132b3e290000"), d, Options{}, &g); err != ErrPadding {
			t.Errorf("%s: %v, want ErrPadding", d, err)
		}
	}
}

func TestDatagramUnencodable(t *testing.T) {
	for _, tt := range []struct {
		name string
		d    Draft
		g    Datagram
	}{
		{"14 has no default priority", Draft14, Datagram{DefaultPriority: true}},
		{"14 has no status without Object ID", Draft14, Datagram{HasStatus: true, ZeroObjectID: true}},
		{"status and end of group", Draft18, Datagram{HasStatus: true, EndOfGroup: true}},
		{"Object ID 1 left out", Draft18, Datagram{ZeroObjectID: true, ObjectID: 1}},
		{"status and payload", Draft18, Datagram{HasStatus: true, Payload: []byte{1}}},
		{"status without its bit", Draft18, Datagram{Status: StatusEndOfGroup}},
		{"status 0x1", Draft16, Datagram{HasStatus: true, Status: StatusDoesNotExist}},
		{"properties on End of Track", Draft18, Datagram{HasStatus: true, Status: StatusEndOfTrack,
			Properties: []byte{2, 2}}},
		{"group of 63 bits", Draft14, Datagram{GroupID: 1 << 62}},
	} {
		b, err := AppendDatagram([]byte{7}, tt.d, &tt.g)
		var e *Error
		if !errors.As(err, &e) || e.Code != InternalError || len(b) != 1 {
			t.Errorf("%s: %v, %d bytes appended; want an *Error with INTERNAL_ERROR", tt.name, err, len(b)-1)
		}
	}
}
