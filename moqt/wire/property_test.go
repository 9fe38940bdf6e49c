package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestPropertyBlocks(t *testing.T) {
	everyDraft(t, func(t *rapid.T, d Draft) {
		want := drawProperties(t, d, "properties")
		b, err := AppendProperties([]byte{0xee}, d, want)
		if err != nil {
			t.Fatal(err)
		}
		b = b[1:]
		got, err := ParseProperties(b, d, ObjectScope, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
		for _, p := range want {
			first, _ := want.Get(p.Type)
			if x, ok := LookupProperty(b, d, p.Type); !ok || x.Uint != first.Uint ||
				!bytes.Equal(x.Bytes, first.Bytes) {
				t.Fatalf("lookup of %#x: %v, %v; want %v", p.Type, x, ok, first)
			}
		}
		back, err := parseDescribedProperties(d, describeProperties(d, want, ObjectScope), ObjectScope)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := AppendProperties(nil, d, back); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("described and back: %x, want %x: %v", again, b, err)
		}
		for i := range b { // a prefix is either a shorter list or an error, never anything else
			part, err := ParseProperties(b[:i], d, ObjectScope, Options{})
			if again, _ := AppendProperties(nil, d, part); err == nil && !bytes.Equal(again, b[:i]) {
				t.Fatalf("prefix of %d read as %v", i, part)
			}
		}
	})
}

func TestPropertyRules(t *testing.T) {
	for _, tt := range []struct {
		name        string
		first, last Draft
		scope       Scope
		hex         string
		code        SessionError // 0: accepted
		field       string
		offset      int
	}{
		{"DELIVERY_TIMEOUT 0", 16, 16, TrackScope, "0200", ProtocolViolation, "DELIVERY_TIMEOUT", 1},
		{"DELIVERY_TIMEOUT 0 after 16", 17, Newest, TrackScope, "0200", 0, "", 0},
		{"DELIVERY_TIMEOUT 0 on an object", 16, 16, ObjectScope, "0200", 0, "", 0},
		{"DYNAMIC_GROUPS 2", 16, Newest, TrackScope, "3002", ProtocolViolation, "DYNAMIC_GROUPS", 1},
		{"DYNAMIC_GROUPS 1", 16, Newest, TrackScope, "3001", 0, "", 0},
		{"DYNAMIC_GROUPS 2 on an object", 14, Newest, ObjectScope, "3002", 0, "", 0},
		{"group order 0", 16, Newest, TrackScope, "2200", ProtocolViolation, "DEFAULT_PUBLISHER_GROUP_ORDER", 1},
		{"group order 3", 16, Newest, TrackScope, "04052203"[:4] + "1e03", ProtocolViolation,
			"DEFAULT_PUBLISHER_GROUP_ORDER", 3},
		{"group order 3 inside Immutable", 16, Newest, TrackScope, "0b02" + "2203", ProtocolViolation,
			"DEFAULT_PUBLISHER_GROUP_ORDER", 3},
		{"priority 256", 16, 16, TrackScope, "0e4100", KeyValueFormattingError, "DEFAULT_PUBLISHER_PRIORITY", 1},
		{"priority 256", 17, Newest, TrackScope, "0e8100", KeyValueFormattingError, "DEFAULT_PUBLISHER_PRIORITY", 1},
		{"priority 255", 17, Newest, TrackScope, "0e80ff", 0, "", 0},
		{"a value of 65536 bytes", 14, 16, TrackScope, "0180010000", ProtocolViolation, "length", 0},
		{"a value of 65536 bytes", 17, Newest, TrackScope, "01c10000", ProtocolViolation, "length", 0},
		{"type past 2^64-1", 17, Newest, TrackScope, "ffffffffffffffffff00" + "0100", ProtocolViolation, "type", 10},
		{"nested garbage is a malformed track", 16, Newest, TrackScope, "0b0105", 0, "", 0},
		{"nested garbage is a malformed track", 14, Newest, ObjectScope, "0b0105", 0, "", 0},
		{"unknown types", 16, Newest, TrackScope, "3f00" + "02" + "00", 0, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for d := tt.first; d <= tt.last; d++ {
				_, err := ParseProperties(unhex(t, tt.hex), d, tt.scope, Options{})
				if tt.code == 0 {
					if err != nil {
						t.Errorf("%s: %v", d, err)
					}
					continue
				}
				wantError(t, err, tt.code, "properties", tt.field, tt.offset)
			}
		})
	}
}

func TestLookupInsideImmutable(t *testing.T) {
	for _, d := range Drafts() {
		inner, err := AppendProperties(nil, d, Properties{{Type: 2, Uint: 7}, {Type: PropPriorGroupIDGap, Uint: 300}})
		if err != nil {
			t.Fatal(err)
		}
		props := Properties{{Type: 2, Uint: 5}, {Type: PropImmutable, Bytes: inner}}
		raw, err := AppendProperties(nil, d, props)
		if err != nil {
			t.Fatal(err)
		}
		for want, typ := range map[uint64]uint64{5: 2, 300: PropPriorGroupIDGap} { // the mutable list is searched first
			if x, ok := props.Lookup(d, typ); !ok || x.Uint != want {
				t.Errorf("%s: Lookup(%#x) = %d, %v; want %d", d, typ, x.Uint, ok, want)
			}
			if x, ok := LookupProperty(raw, d, typ); !ok || x.Uint != want {
				t.Errorf("%s: LookupProperty(%#x) = %d, %v; want %d", d, typ, x.Uint, ok, want)
			}
		}
		if _, ok := props.Get(PropPriorGroupIDGap); ok {
			t.Errorf("%s: Get looks inside", d)
		}
		if _, ok := props.Lookup(d, 0x99); ok {
			t.Errorf("%s: finds what is not there", d)
		}
	}
}

func TestMalformedTrack(t *testing.T) {
	at := Location{Group: 4, Object: 9}
	for _, tt := range []struct {
		name      string
		d         Draft
		scope     Scope
		props     Properties
		malformed bool
	}{
		{"nothing", Draft18, ObjectScope, nil, false},
		{"gaps that fit", Draft14, ObjectScope, Properties{{Type: PropPriorGroupIDGap, Uint: 4},
			{Type: PropPriorObjectIDGap, Uint: 9}}, false},
		{"group gap too large", Draft14, ObjectScope, Properties{{Type: PropPriorGroupIDGap, Uint: 5}}, true},
		{"object gap too large", Draft18, ObjectScope, Properties{{Type: PropPriorObjectIDGap, Uint: 10}}, true},
		{"object gap twice", Draft18, ObjectScope, Properties{{Type: PropPriorObjectIDGap, Uint: 1},
			{Type: PropPriorObjectIDGap, Uint: 1}}, true},
		{"group gap outside and inside", Draft18, ObjectScope, Properties{{Type: PropImmutable, Bytes: []byte{0x3c, 1}},
			{Type: PropPriorGroupIDGap, Uint: 1}}, true},
		{"gaps mean nothing on a track", Draft18, TrackScope, Properties{{Type: PropPriorObjectIDGap, Uint: 10}},
			false},
		{"nested block cut", Draft18, TrackScope, Properties{{Type: PropImmutable, Bytes: []byte{0x3c}}}, true},
		{"nested block cut", Draft14, ObjectScope, Properties{{Type: PropImmutable, Bytes: []byte{0x0d, 9}}}, true},
		{"immutable inside immutable", Draft16, ObjectScope, Properties{{Type: PropImmutable, Bytes: []byte{0x0b, 0}}},
			true},
		{"mandatory on an object", Draft18, ObjectScope, Properties{{Type: 0x4000}}, true},
		{"mandatory on a track", Draft18, TrackScope, Properties{{Type: 0x4000}}, false},
		{"17 knows no mandatory range", Draft17, ObjectScope, Properties{{Type: 0x7FFF}}, false},
	} {
		if err := tt.props.Malformed(tt.d, tt.scope, at); (err != nil) != tt.malformed {
			t.Errorf("%s: %v, want malformed %v", tt.name, err, tt.malformed)
		}
		if tt.scope != ObjectScope {
			continue
		}
		raw, err := AppendProperties(nil, tt.d, tt.props)
		if err != nil {
			t.Fatal(err)
		}
		if err := MalformedObject(raw, tt.d, at); (err != nil) != tt.malformed {
			t.Errorf("%s, encoded: %v, want malformed %v", tt.name, err, tt.malformed)
		}
	}
}

func TestPropertiesUnencodable(t *testing.T) {
	for _, tt := range []struct {
		name  string
		d     Draft
		props Properties
		ok    bool
	}{
		{"descending types before 16", Draft15, Properties{{Type: 4}, {Type: 2}}, true},
		{"descending types", Draft16, Properties{{Type: 4}, {Type: 2}}, false},
		{"repeated type", Draft16, Properties{{Type: 2}, {Type: 2}}, true},
		{"63 bits", Draft16, Properties{{Type: 2, Uint: 1 << 62}}, false},
		{"type of 63 bits", Draft14, Properties{{Type: 1 << 62}}, false},
		{"type of 63 bits, by a delta of 62", Draft16, Properties{{Type: 1<<62 - 2}, {Type: 1 << 62}}, true},
		{"64 bits", Draft17, Properties{{Type: 1<<64 - 2, Uint: 1<<64 - 1}}, true},
		{"bytes in an even type", Draft18, Properties{{Type: 2, Bytes: []byte{1}}}, false},
		{"integer in an odd type", Draft18, Properties{{Type: 3, Uint: 1}}, false},
		{"65535 bytes", Draft18, Properties{{Type: 3, Bytes: make([]byte, 65535)}}, true},
		{"65536 bytes", Draft18, Properties{{Type: 3, Bytes: make([]byte, 65536)}}, false},
	} {
		b, err := AppendProperties([]byte{7}, tt.d, tt.props)
		var e *Error
		if tt.ok != (err == nil) || err != nil && (!errors.As(err, &e) || len(b) != 1) {
			t.Errorf("%s: %v, %d bytes appended", tt.name, err, len(b)-1)
		}
	}
}

func TestPropertyNames(t *testing.T) {
	for _, tt := range []struct {
		d     Draft
		scope Scope
		typ   uint64
		want  string
	}{
		{14, ObjectScope, 0x3C, "PRIOR_GROUP_ID_GAP"},
		{14, ObjectScope, 0x0B, "IMMUTABLE_EXTENSIONS"},
		{14, TrackScope, 0x02, ""},
		{16, TrackScope, 0x02, "DELIVERY_TIMEOUT"},
		{16, ObjectScope, 0x02, "DELIVERY_TIMEOUT"}, // misplaced, yet known
		{17, TrackScope, 0x0B, "IMMUTABLE_PROPERTIES"},
		{17, TrackScope, 0x06, ""},
		{18, TrackScope, 0x06, "SUBGROUP_DELIVERY_TIMEOUT"},
		{18, ObjectScope, 0x06, "TIMESTAMP"},
		{19, ObjectScope, 0x06, "SUBGROUP_DELIVERY_TIMEOUT"},
		{20, ObjectScope, 0x10, "TIMESTAMP"},
		{19, ObjectScope, 0x0A, "VIDEO_FRAME_MARKING"},
		{22, ObjectScope, 0x0A, "ENCRYPTED_LIST"},
		{22, ObjectScope, 0x09, "VIDEO_FRAME_MARKING"},
		{22, TrackScope, 0x9D, ""},
	} {
		if got := PropertyName(tt.d, tt.scope, tt.typ); got != tt.want {
			t.Errorf("%s: %#x is %q, want %q", tt.d, tt.typ, got, tt.want)
		}
	}
}

func TestDescribeProperties(t *testing.T) {
	props := Properties{{Type: 0x02, Uint: 300}, {Type: 0x0B, Bytes: []byte{0x3c, 1}}, {Type: 0x24, Uint: 200},
		{Type: 0x41, Bytes: []byte("ab")}}
	b, err := marshalPlain(describeProperties(Draft18, props, TrackScope))
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"type":"0x2","name":"OBJECT_DELIVERY_TIMEOUT","value":"300"},` +
		`{"type":"0xb","name":"IMMUTABLE_PROPERTIES","length":"2","hex":"3c01","properties":[{"type":"0x3c",` +
		`"name":"PRIOR_GROUP_ID_GAP","value":"1"}]},` +
		`{"type":"0x24","length":"2","hex":"80c8","value":"200"},` +
		`{"type":"0x41","length":"2","hex":"6162"}]`
	if diff := cmp.Diff(want, string(b)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, bad := range []Fields{{}, {{"type", "0x2"}}, {{"type", "0x3"}}, {{"type", "x"}, {"value", "1"}},
		{{"type", "0x2"}, {"value", "-1"}}, {{"type", "0x3"}, {"hex", "1"}}, {{"type", "0x3"}, {"hex", Fields{}}}} {
		if p, err := parseDescribedProperties(Draft18, []any{bad}, TrackScope); err == nil {
			t.Errorf("%v read as %v", bad, p)
		}
	}
	nested, err := parseDescribedProperties(Draft18,
		[]any{Fields{{"type", "11"}, {"properties", []any{Fields{{"type", "0x3c"}, {"value", "1"}}}}}}, TrackScope)
	if err != nil || hex.EncodeToString(nested[0].Bytes) != "3c01" {
		t.Errorf("%v: %v", nested, err)
	}
}

func TestTranscodeExamples(t *testing.T) {
	for _, tt := range []struct {
		name     string
		from, to Draft
		raw      string
		want     string // "": refused
	}{
		{"same dialect", 16, 15, "3c02" + "0205", "3c02" + "3e05"},
		{"same draft, even what does not parse", 18, 22, "0b", "0b"},
		{"integers change their form", 16, 22, "024040" + "0241f4", "0240" + "0281f4"},
		{"types become deltas", 14, 16, "3c01" + "3e02", "3c01" + "0202"},
		{"types out of order", 14, 22, "3e02" + "3c01" + "0d0161", "0d0161" + "2f01" + "0202"},
		{"immutable alike in both", 16, 22, "0b02" + "3c01", "0b02" + "3c01"},
		{"immutable alike but not minimal", 18, 22, "0b03" + "3c8001", "0b03" + "3c8001"},
		{"immutable translated", 16, 22, "0b03" + "3c4040", "0b02" + "3c40"},
		{"immutable translated with its lengths", 14, 22, "0b03" + "004000", "0b03" + "008000"},
		{"immutable translated with its lengths, back", 22, 14, "0b03" + "008000", "0b03" + "004000"},
		{"immutable with types and lengths of values", 16, 22, "0b09" + "400205" + "018000000140",
			"0b09" + "800205" + "01e000000140"},
		{"a length that the other draft lacks", 18, 17, "0b08" + "02fc000000000001", "0b09" + "02fe00000000000001"},
		{"immutable that nobody can parse", 16, 22, "0b01" + "3c", "0b01" + "3c"},
		{"too large for the old dialect", 22, 16, "02ff4000000000000000", ""},
		{"too large inside", 22, 16, "0b0a02ff4000000000000000", ""},
		{"does not parse", 16, 22, "0240", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := TranscodeProperties([]byte{0xee}, tt.from, tt.to, unhex(t, tt.raw))
			if tt.want == "" {
				if err == nil || len(got) != 1 {
					t.Errorf("%x: %v; want an error", got, err)
				}
				return
			}
			if err != nil || hex.EncodeToString(got) != "ee"+tt.want {
				t.Errorf("%x, want ee%s: %v", got, tt.want, err)
			}
		})
	}
}

// drawImmutable draws a block to stand in Immutable Properties: well-formed, types ascending, values that every draft
// can encode. Up to 16 its integers have any length: newer drafts have them all.
func drawImmutable(t *rapid.T, d Draft) []byte {
	var b []byte
	integer := func(v uint64) {
		n := VarintLen(d, v)
		longer := d <= Draft16 && rapid.Bool().Draw(t, "longer")
		if longer {
			n = rapid.IntRange(n, 8).Draw(t, "length")
		}
		b = appendVarintAlike(b, d, v, longer, n)
	}
	var prev uint64
	for range rapid.IntRange(0, 3).Draw(t, "pairs") {
		next := prev + drawInt(t, Draft16, "delta")>>2
		if next == PropImmutable {
			next++
		}
		integer(typeField(d, prev, next))
		prev = next
		if next%2 == 0 {
			integer(drawInt(t, Draft16, "value"))
			continue
		}
		value := rapid.SliceOfN(rapid.Byte(), 0, 70).Draw(t, "bytes")
		integer(uint64(len(value)))
		b = append(b, value...)
	}
	return b
}

// TestTranscodeNestedImmutable: Immutable Properties inside each other are not translated level by level: a block of 64
// KB has room for thousands.
func TestTranscodeNestedImmutable(t *testing.T) {
	for _, x := range []struct {
		from, to Draft
		around   Properties // of each level
	}{{16, 22, Properties{{Type: 2, Uint: 100}}}, {14, 22, Properties{{Type: 62}, {Type: 60}}}} {
		var block []byte
		for len(block) < 30000 {
			next, err := AppendProperties(nil, x.from, append(slices.Clone(x.around),
				Property{Type: PropImmutable, Bytes: block}))
			if err != nil {
				t.Fatal(err)
			}
			block = next
		}
		if allocs := testing.AllocsPerRun(1, func() {
			if _, err := TranscodeProperties(nil, x.from, x.to, block); err != nil {
				t.Error(err)
			}
		}); allocs > 50 {
			t.Errorf("%s to %s: %v allocations", x.from, x.to, allocs)
		}
	}
}

func TestTranscodeProperties(t *testing.T) {
	everyDraft(t, func(t *rapid.T, from Draft) {
		to := rapid.SampledFrom(Drafts()).Draw(t, "to")
		ascending := from >= Draft16 || to < Draft16
		props := drawProperties(t, min(from, Draft16), "properties") // what both can encode
		if ascending {
			props = drawProperties(t, Draft16, "ascending")
		}
		props = slices.DeleteFunc(props, func(p Property) bool { return p.Type == PropImmutable })
		if b := drawImmutable(t, from); len(b) > 0 {
			i := 0
			for ; ascending && i < len(props) && props[i].Type <= PropImmutable; i++ {
			}
			props = slices.Insert(props, i, Property{Type: PropImmutable, Bytes: b})
		}
		raw, err := AppendProperties(nil, from, props)
		if err != nil {
			t.Fatal(err)
		}
		out, err := TranscodeProperties(nil, from, to, raw)
		if err != nil {
			t.Fatal(err)
		}
		want, err := props.Transcode(from, to)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseProperties(out, to, ObjectScope, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
		if err := got.Malformed(to, TrackScope, Location{}); err != nil {
			t.Fatalf("%x became %x: %v", raw, out, err)
		}
		switch {
		case !ascending: // the order is another
		case from == Draft16 && to < Draft16: // types become absolute, and may need the longer form themselves
		case from > to && to == Draft17: // 7 bytes become 8, which the way back has to keep
		default:
			if back, err := TranscodeProperties(nil, to, from, out); err != nil || !bytes.Equal(back, raw) {
				t.Fatalf("back: %x, want %x: %v", back, raw, err)
			}
		}
	})
}
