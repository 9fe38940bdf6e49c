package wire

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// subgroupTypes lists the types as the drafts' tables do.
func subgroupTypes(d Draft) []uint64 {
	var types []uint64
	for _, base := range []uint64{0x10, 0x18, 0x30, 0x38, 0x50, 0x58, 0x70, 0x78} {
		if base >= 0x30 && d < Draft15 || base >= 0x50 && d < Draft18 {
			continue
		}
		for i := range uint64(6) {
			types = append(types, base+i)
		}
	}
	return types
}

func TestSubgroupHeaderTypes(t *testing.T) {
	for _, d := range Drafts() {
		types := subgroupTypes(d)
		for typ := range uint64(0x200) {
			b := AppendVarint(nil, d, typ)
			b = append(b, 1, 2, 3, 4) // alias, group, then what the type says
			var h SubgroupHeader
			n, err := ParseSubgroupHeader(b, d, &h)
			_, _, streamErr := ParseStreamType(b, d)
			if !slices.Contains(types, typ) {
				var e *Error
				if !errors.As(err, &e) || !errors.Is(err, ErrUnknownType) || e.Code != ProtocolViolation {
					t.Errorf("%s: type %#x: %v, want an unknown type", d, typ, err)
				}
				if typ != typeFetch && !errors.Is(streamErr, ErrUnknownType) {
					t.Errorf("%s: stream type %#x: %v, want an unknown type", d, typ, streamErr)
				}
				continue
			}
			if err != nil || streamErr != nil {
				t.Errorf("%s: type %#x: %v, %v", d, typ, err, streamErr)
				continue
			}
			if h.Type(d) != typ || h.TrackAlias != 1 || h.GroupID != 2 {
				t.Errorf("%s: type %#x read as %#x: %+v", d, typ, h.Type(d), h)
			}
			want := SubgroupHeader{TrackAlias: 1, GroupID: 2, HasProperties: typ&1 != 0, EndOfGroup: typ&8 != 0,
				DefaultPriority: typ&0x20 != 0,
				FirstObject:     typ&0x40 != 0, IDMode: SubgroupIDMode(typ >> 1 & 3)}
			rest := []uint8{3, 4}
			if want.IDMode == SubgroupIDPresent {
				want.SubgroupID, rest = 3, rest[1:]
			}
			if !want.DefaultPriority {
				want.Priority, rest = rest[0], rest[1:]
			}
			if diff := cmp.Diff(want, h); diff != "" {
				t.Errorf("%s: type %#x: (-want +got)\n%s", d, typ, diff)
			}
			if n != len(b)-len(rest) {
				t.Errorf("%s: type %#x took %d bytes, want %d", d, typ, n, len(b)-len(rest))
			}
			again, err := AppendSubgroupHeader(nil, d, &h)
			if err != nil || !bytes.Equal(again, b[:n]) {
				t.Errorf("%s: type %#x written as %x, want %x: %v", d, typ, again, b[:n], err)
			}
		}
	}
}

func TestStreamTypes(t *testing.T) {
	for _, d := range Drafts() {
		for _, tt := range []struct {
			value uint64
			first Draft
			want  StreamType
		}{
			{0x05, 14, FetchStream},
			{0x10, 14, SubgroupStream},
			{0x30, 15, SubgroupStream},
			{0x50, 18, SubgroupStream},
			{0x2F00, 17, ControlUniStream},
			{TypePaddingStream, 18, PaddingStream},
			{TypePaddingDatagram, Newest + 1, 0},
			{0x80, Newest + 1, 0},
			{0x00, Newest + 1, 0},
		} {
			b := AppendVarint(nil, d, tt.value)
			got, n, err := ParseStreamType(append(b, 0), d)
			if d < tt.first {
				if !errors.Is(err, ErrUnknownType) || got != 0 {
					t.Errorf("%s: %#x: %v, %v; want an unknown type", d, tt.value, got, err)
				}
				continue
			}
			if got != tt.want || n != len(b) || err != nil {
				t.Errorf("%s: %#x: %v, %d, %v; want %v, %d", d, tt.value, got, n, err, tt.want, len(b))
			}
			for i := range b {
				if _, _, err := ParseStreamType(b[:i], d); err != ErrTruncated {
					t.Errorf("%s: %x: %v, want ErrTruncated itself", d, b[:i], err)
				}
			}
		}
	}
}

// drawBlock draws an encoded block of properties that the draft can read, often empty.
func drawBlock(t *rapid.T, d Draft, name string) []byte {
	b, err := AppendProperties(nil, d, drawProperties(t, d, name))
	if err != nil {
		t.Fatal(err)
	}
	if len(b) == 0 {
		return nil
	}
	return b
}

func drawProperties(t *rapid.T, d Draft, name string) Properties {
	var props Properties
	for range rapid.IntRange(0, 4).Draw(t, name+" count") {
		p := Property{Type: drawInt(t, d, name+" type")}
		if p.Type%2 == 0 {
			p.Uint = drawInt(t, d, name+" value")
		} else if b := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, name+" bytes"); len(b) > 0 {
			p.Bytes = b
		}
		props = append(props, p)
	}
	if d >= Draft16 {
		slices.SortStableFunc(props, func(a, b Property) int {
			if a.Type < b.Type {
				return -1
			}
			return int(min(a.Type-b.Type, 1))
		})
	}
	return props
}

func drawStatus(t *rapid.T, d Draft, properties int) ObjectStatus {
	all := []ObjectStatus{StatusNormal}
	for _, s := range []ObjectStatus{StatusDoesNotExist, StatusEndOfGroup, StatusEndOfTrack} {
		if s.Defined(d) && (properties == 0 || s.allowsProperties(d)) {
			all = append(all, s)
		}
	}
	return rapid.SampledFrom(all).Draw(t, "status")
}

func drawSubgroupHeader(t *rapid.T, d Draft) SubgroupHeader {
	h := SubgroupHeader{
		TrackAlias:      drawInt(t, d, "alias"),
		GroupID:         drawInt(t, d, "group"),
		IDMode:          SubgroupIDMode(rapid.IntRange(0, 2).Draw(t, "mode")),
		DefaultPriority: d >= Draft15 && rapid.Bool().Draw(t, "default priority"),
		HasProperties:   rapid.Bool().Draw(t, "properties"),
		EndOfGroup:      rapid.Bool().Draw(t, "end of group"),
		FirstObject:     d >= Draft18 && rapid.Bool().Draw(t, "first object"),
	}
	if h.IDMode == SubgroupIDPresent {
		h.SubgroupID = drawInt(t, d, "subgroup")
	}
	if !h.DefaultPriority {
		h.Priority = rapid.Byte().Draw(t, "priority")
	}
	return h
}

// drawSubgroup draws a whole stream, and gives its bytes, its objects and where each header ends.
func drawSubgroup(t *rapid.T, d Draft) (h SubgroupHeader, b []byte, objects []ObjectHeader) {
	h = drawSubgroupHeader(t, d)
	b, err := AppendSubgroupHeader(nil, d, &h)
	if err != nil {
		t.Fatal(err)
	}
	w := h.Objects(d)
	next, left := uint64(0), d.MaxVarint()
	for range rapid.IntRange(0, 4).Draw(t, "objects") {
		delta := min(drawInt(t, d, "delta"), left/2)
		o := ObjectHeader{Delta: delta, ObjectID: next + delta}
		if h.HasProperties {
			o.Properties = drawBlock(t, d, "properties")
		}
		if o.PayloadLength = uint64(rapid.IntRange(0, 70).Draw(t, "payload")); o.PayloadLength == 0 {
			o.Status = drawStatus(t, d, len(o.Properties))
		}
		if b, err = w.AppendHeader(b, &o); err != nil {
			t.Fatal(err)
		}
		b = append(b, bytes.Repeat([]byte{0xa5}, int(o.PayloadLength))...)
		objects = append(objects, o)
		next = o.ObjectID + 1
		left = d.MaxVarint() - next
	}
	return h, b, objects
}

func TestSubgroupProperties(t *testing.T) {
	everyDraft(t, func(t *rapid.T, d Draft) {
		want, b, objects := drawSubgroup(t, d)
		var h SubgroupHeader
		pos, err := ParseSubgroupHeader(b, d, &h)
		if err != nil || h != want {
			t.Fatalf("header %+v, want %+v: %v", h, want, err)
		}
		for i := range pos {
			if _, err := ParseSubgroupHeader(b[:i], d, &h); err != ErrTruncated {
				t.Fatalf("prefix of %d: %v, want ErrTruncated itself", i, err)
			}
		}
		r := h.Objects(d)
		for i, want := range objects {
			var o ObjectHeader
			before := r
			n, err := r.ParseHeader(b[pos:], &o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, o); diff != "" {
				t.Fatalf("object %d (-want +got)\n%s", i, diff)
			}
			for k := range n {
				short := before
				if _, err := short.ParseHeader(b[pos:pos+k], &o); err != ErrTruncated {
					t.Fatalf("object %d, prefix of %d: %v, want ErrTruncated itself", i, k, err)
				}
				if k > 0 && !errors.Is(before.EndOfStream(b[pos:pos+k]), ErrTruncated) {
					t.Fatalf("object %d ends at %d: %v", i, k, before.EndOfStream(b[pos:pos+k]))
				}
			}
			pos += n + int(want.PayloadLength)
		}
		if pos != len(b) || r.EndOfStream(b[pos:]) != nil {
			t.Fatalf("%d of %d bytes read, end: %v", pos, len(b), r.EndOfStream(b[pos:]))
		}
	})
}

// wantError checks code, message, field and offset of an *Error.
func wantError(t *testing.T, err error, code SessionError, message, field string, offset int) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%v, want an *Error", err)
	}
	if e.Code != code || e.Message != message || e.Field != field || e.Offset != offset {
		t.Errorf("code %#x, %s, %q at %d; want %#x, %s, %q at %d: %v", uint64(e.Code), e.Message, e.Field, e.Offset,
			uint64(code), message, field, offset, err)
	}
}

func TestSubgroupObjectRules(t *testing.T) {
	for _, tt := range []struct {
		name        string
		first, last Draft
		properties  bool
		hex         []string // headers without payload, each parsed; the last one is refused
		code        SessionError
		field       string
		offset      int
	}{
		{"extensions on an object that does not exist", 14, 14, true, []string{"00023c010001"}, ProtocolViolation,
			"object_status", 5},
		{"properties on End of Group", 15, Newest, true, []string{"00023c010003"}, ProtocolViolation,
			"object_status", 5},
		{"status 0x1 is gone", 16, Newest, false, []string{"000001"}, ProtocolViolation, "object_status", 2},
		{"status 0x2", 14, Newest, false, []string{"000002"}, ProtocolViolation, "object_status", 2},
		{"status 0x5", 14, Newest, true, []string{"00000005"}, ProtocolViolation, "object_status", 3},
		{"Object ID past the end", 17, Newest, false, []string{"ffffffffffffffffff01", "00"}, ProtocolViolation,
			"object_id_delta", 0},
		{"Object ID past the end, by the delta", 17, Newest, false, []string{"0101", "fffffffffffffffffe"},
			ProtocolViolation, "object_id_delta", 0},
		{"Object ID past the end", 14, 16, false, []string{"ffffffffffffffff01", "00"}, ProtocolViolation,
			"object_id_delta", 0},
		{"2 value of 65536 bytes", 17, Newest, true, []string{"0005" + "0bc1000000"}, ProtocolViolation,
			"properties.length", 2},
		{"2 value of 65536 bytes", 16, 16, true, []string{"0006" + "0b8001000000"}, ProtocolViolation,
			"extension_headers.length", 2},
		{"3 type past 2^64-1", 17, Newest, true, []string{"000c" + "ffffffffffffffffff00" + "0100"}, ProtocolViolation,
			"properties.type", 12},
		{"pair cut by the block", 14, 16, true, []string{"00013c0000"}, ProtocolViolation, "extension_headers.value",
			2},
		{"pair cut by the block", 17, Newest, true, []string{"00020b020000"}, ProtocolViolation, "properties.value", 2},
		{"1 invalid integer", 17, 17, false, []string{"fc"}, ProtocolViolation, "object_id_delta", 0},
		{"1 invalid integer", 17, 17, false, []string{"00fd"}, ProtocolViolation, "payload_length", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for d := tt.first; d <= tt.last; d++ {
				o := SubgroupObjects{Draft: d, HasProperties: tt.properties}
				var h ObjectHeader
				for _, s := range tt.hex[:len(tt.hex)-1] {
					if _, err := o.ParseHeader(unhex(t, s), &h); err != nil {
						t.Fatal(err)
					}
				}
				_, err := o.ParseHeader(unhex(t, tt.hex[len(tt.hex)-1]), &h)
				wantError(t, err, tt.code, "OBJECT", tt.field, tt.offset)
				if errors.Is(err, ErrTruncated) {
					t.Errorf("%s: %v asks for more bytes", d, err)
				}
			}
		})
	}
}

func TestSubgroupAllowed(t *testing.T) {
	for _, tt := range []struct {
		first, last Draft
		hex         string
	}{
		{14, 14, "00023c010003"},     // extensions on End of Group
		{14, 15, "00000001"},         // Object Does Not Exist, block empty
		{14, Newest, "00023c010000"}, // a Normal object without payload
		// repeated type: delta 0 would be 3c 01 00 01; here 3c and 78 or twice 3c
		{14, Newest, "00043c013c0101"},
		{17, Newest, "000a" + "fffffffffffffffffe0001"}, // the largest even type
	} {
		for d := tt.first; d <= tt.last; d++ {
			o := SubgroupObjects{Draft: d, HasProperties: true}
			var h ObjectHeader
			if n, err := o.ParseHeader(unhex(t, tt.hex), &h); err != nil || n != len(tt.hex)/2 {
				t.Errorf("%s: %s: n = %d: %v", d, tt.hex, n, err)
			}
		}
	}
}

// TestPropertiesBound: a length above the caller's bound is refused before the bytes are there.
func TestPropertiesBound(t *testing.T) {
	for _, d := range Drafts() {
		b := AppendVarint([]byte{0}, d, 5000)
		o := SubgroupObjects{Draft: d, HasProperties: true, MaxProperties: 4999}
		var h ObjectHeader
		_, err := o.ParseHeader(b, &h)
		wantError(t, err, InternalError, "OBJECT", propertiesLengthField(d), 1)
		o.MaxProperties = 5000
		if _, err := o.ParseHeader(b, &h); err != ErrTruncated {
			t.Errorf("%s: %v, want ErrTruncated", d, err)
		}
		f := FetchObjects{Draft: d, MaxProperties: 4999}
		item := []byte{0x3c, 1, 2, 3}
		if d == Draft14 {
			item = []byte{1, 0, 2, 3}
		}
		var fo FetchObject
		_, err = f.ParseHeader(AppendVarint(item, d, 5000), &fo)
		wantError(t, err, InternalError, "OBJECT", propertiesLengthField(d), 4)
	}
}

func TestLenientExtensions(t *testing.T) {
	var told []string
	opt := Options{Tolerate: LenientExtensions,
		Tolerated: func(x Tolerance, where string) { told = append(told, fmt.Sprint(x, " ", where)) }}
	o := SubgroupObjects{Draft: Draft16, HasProperties: true, Options: opt}
	var h ObjectHeader
	// told once, when the header is whole
	if _, err := o.ParseHeader(unhex(t, "00013c"), &h); err != ErrTruncated || len(told) != 0 {
		t.Errorf("%v, told %v", err, told)
	}
	if n, err := o.ParseHeader(unhex(t, "00013c04"), &h); err != nil || n != 4 ||
		!bytes.Equal(h.Properties, []byte{0x3c}) {
		t.Errorf("n = %d, %x: %v", n, h.Properties, err)
	}
	strict := SubgroupObjects{Draft: Draft16, HasProperties: true}
	if _, err := strict.ParseHeader(unhex(t, "00013c04"), &h); err == nil ||
		!strings.HasSuffix(err.Error(), "; would pass with --compat lenient-extensions") {
		t.Errorf("strictly: %v", err)
	}
	props, err := ParseProperties(unhex(t, "04050b09"), Draft16, TrackScope, opt)
	if err != nil || len(props) != 1 || props[0].Uint != 5 {
		t.Errorf("%v: %v", props, err)
	}
	if diff := cmp.Diff([]string{"lenient-extensions OBJECT", "lenient-extensions properties"}, told); diff != "" {
		t.Errorf("told (-want +got)\n%s", diff)
	}
	if _, err := ParseProperties(unhex(t, "04050b09"), Draft16, 0, opt); err == nil {
		t.Error("setup options are no extensions, yet let pass")
	}
}

func TestSubgroupUnencodable(t *testing.T) {
	for _, tt := range []struct {
		name   string
		d      Draft
		header SubgroupHeader
		before []ObjectHeader
		object *ObjectHeader // nil: the header itself is refused
	}{
		{"14 has no default priority", Draft14, SubgroupHeader{DefaultPriority: true}, nil, nil},
		{"mode 3", Draft22, SubgroupHeader{IDMode: 3}, nil, nil},
		{"alias of 63 bits", Draft16, SubgroupHeader{TrackAlias: 1 << 62}, nil, nil},
		{"subgroup of 63 bits", Draft16, SubgroupHeader{SubgroupID: 1 << 62, IDMode: SubgroupIDPresent}, nil, nil},
		{"same Object ID", Draft18, SubgroupHeader{}, []ObjectHeader{{ObjectID: 3, PayloadLength: 1}},
			&ObjectHeader{ObjectID: 3, PayloadLength: 1}},
		{"lower Object ID", Draft18, SubgroupHeader{}, []ObjectHeader{{ObjectID: 3, PayloadLength: 1}},
			&ObjectHeader{ObjectID: 2, PayloadLength: 1}},
		{"status with payload", Draft18, SubgroupHeader{}, nil,
			&ObjectHeader{PayloadLength: 1, Status: StatusEndOfGroup}},
		{"status 0x1", Draft16, SubgroupHeader{}, nil, &ObjectHeader{Status: StatusDoesNotExist}},
		{"properties in a stream without", Draft18, SubgroupHeader{}, nil, &ObjectHeader{Properties: []byte{2, 2}}},
		{"properties on End of Track", Draft18, SubgroupHeader{HasProperties: true}, nil,
			&ObjectHeader{Properties: []byte{2, 2}, Status: StatusEndOfTrack}},
		{"Object ID of 63 bits", Draft15, SubgroupHeader{}, nil, &ObjectHeader{ObjectID: 1 << 62}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := AppendSubgroupHeader([]byte{7}, tt.d, &tt.header)
			if tt.object != nil {
				if err != nil {
					t.Fatal(err)
				}
				o := tt.header.Objects(tt.d)
				for _, x := range tt.before {
					if b, err = o.AppendHeader(b, &x); err != nil {
						t.Fatal(err)
					}
				}
				n := len(b)
				if b, err = o.AppendHeader(b, tt.object); len(b) != n {
					t.Errorf("%d bytes appended", len(b)-n)
				}
			} else if len(b) != 1 {
				t.Errorf("%d bytes appended", len(b)-1)
			}
			var e *Error
			if !errors.As(err, &e) || e.Code != InternalError {
				t.Errorf("%v, want an *Error with INTERNAL_ERROR", err)
			}
		})
	}
	// FIRST_OBJECT is a hint that older drafts have no bit for.
	h := SubgroupHeader{FirstObject: true}
	if b, err := AppendSubgroupHeader(nil, Draft17, &h); err != nil || b[0] != 0x10 {
		t.Errorf("%x: %v", b, err)
	}
}

// TestEndOfStream: FIN in the middle of an object (draft-18 §11.4).
func TestEndOfStream(t *testing.T) {
	o := SubgroupObjects{Draft: Draft18}
	wantError(t, o.EndOfStream([]byte{0}), ProtocolViolation, "OBJECT", "payload_length", 1)
	wantError(t, o.EndOfStream([]byte{0, 3, 'a'}), ProtocolViolation, "OBJECT", "payload", 2)
	if err := o.EndOfStream(nil); err != nil {
		t.Error(err)
	}
	f := FetchObjects{Draft: Draft18}
	wantError(t, f.EndOfStream([]byte{0x1c, 1}), ProtocolViolation, "OBJECT", "object_id_delta", 2)
	wantError(t, f.EndOfStream([]byte{0x1c, 1, 1, 1, 9}), ProtocolViolation, "OBJECT", "payload", 5)
	if err := f.EndOfStream(nil); err != nil {
		t.Error(err)
	}
}
