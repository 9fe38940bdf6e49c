package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestLineJSON(t *testing.T) {
	lines, err := Decode(Draft16, UniStream, unhex(t, "39050340643c04"+"0002"+"3c01"+"026162")[:0], Options{})
	if err == nil {
		t.Errorf("an empty stream gives %v", lines)
	}
	lines, err = Decode(Draft16, UniStream, unhex(t, "39054064"+"00023c01026162"+"00023e01"+"0000"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"type":"SUBGROUP_HEADER","type_id":"57","draft":16,"offset":0,"length":4,"fields":{"track_alias":"5",` +
			`"group_id":"100","subgroup_id":"0","end_of_group":true}}`,
		`{"type":"OBJECT","type_id":"57","draft":16,"offset":4,"length":7,"fields":{"object_id_delta":"0",` +
			`"extension_headers_length":"2",` +
			`"extension_headers":[{"type":"0x3c","name":"PRIOR_GROUP_ID_GAP","value":"1"}],"payload_length":"2",` +
			`"payload_hex":"6162","object_id":"0"}}`,
		`{"type":"OBJECT","type_id":"57","draft":16,"offset":11,"length":6,"fields":{"object_id_delta":"0",` +
			`"extension_headers_length":"2",` +
			`"extension_headers":[{"type":"0x3e","name":"PRIOR_OBJECT_ID_GAP","value":"1"}],"payload_length":"0",` +
			`"object_status":"0","payload_hex":"","object_id":"1"},"remarks":["malformed track: ` +
			`PRIOR_OBJECT_ID_GAP 1 of object {100,1} covers object {100,0} (draft-16 §2.4.2)"]}`,
	}
	for i, line := range lines {
		b, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[i], string(b)); diff != "" {
			t.Errorf("line %d (-want +got)\n%s", i, diff)
		}
		var back Line
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(line, back); diff != "" {
			t.Errorf("line %d through JSON (-want +got)\n%s", i, diff)
		}
	}
}

// throughJSON is what `decode | encode` does to the lines.
func throughJSON(t *rapid.T, lines []Line) []Line {
	var out []Line
	for _, line := range lines {
		b, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		var back Line
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		out = append(out, back)
	}
	return out
}

// checkLines: decode | encode gives the bytes back, the lines cover them without gaps, and a stream cut inside an item
// is an error that keeps what came before.
func checkLines(t *rapid.T, d Draft, stream StreamKind, b []byte, opt Options) {
	lines, err := Decode(d, stream, b, opt)
	if err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	pos := 0
	ends := map[int]int{}
	for i, line := range lines {
		if line.Offset != pos || line.Length <= 0 || line.Draft != int(d) {
			t.Fatalf("line %d at %d of length %d, want it at %d", i, line.Offset, line.Length, pos)
		}
		pos += line.Length
		ends[pos] = i + 1
	}
	if pos != len(b) {
		t.Fatalf("the lines cover %d of %d bytes", pos, len(b))
	}
	back, err := Encode(d, throughJSON(t, lines))
	if err != nil || !bytes.Equal(back, b) {
		t.Fatalf("%x comes back as %x: %v", b, back, err)
	}
	if stream != UniStream || lines[0].Type == paddingMessage {
		return
	}
	for range min(len(b), 10) {
		i := rapid.IntRange(0, len(b)-1).Draw(t, "cut")
		part, err := Decode(d, stream, b[:i], opt)
		n, whole := ends[i]
		switch {
		case whole && (err != nil || len(part) != n):
			t.Fatalf("cut at %d, between items: %d lines, want %d: %v", i, len(part), n, err)
		case !whole && !errors.Is(err, ErrTruncated):
			t.Fatalf("cut at %d, inside an item: %v, want truncated", i, err)
		}
		for j := range part {
			if !cmp.Equal(part[j], lines[j]) {
				t.Fatalf("cut at %d: line %d is %v, want %v", i, j, part[j], lines[j])
			}
		}
	}
}

func TestSubgroupLines(t *testing.T) {
	everyDraft(t, func(t *rapid.T, d Draft) {
		_, b, _ := drawSubgroup(t, d)
		checkLines(t, d, UniStream, b, Options{})
	})
}

func TestFetchLines(t *testing.T) {
	everyDraft(t, func(t *rapid.T, d Draft) {
		descending := rapid.Bool().Draw(t, "descending")
		_, b, _ := drawFetch(t, d, descending)
		checkLines(t, d, UniStream, b, Options{Descending: descending})
	})
}

func TestDatagramLines(t *testing.T) {
	everyDraft(t, func(t *rapid.T, d Draft) {
		g := drawDatagram(t, d)
		b, err := AppendDatagram(nil, d, &g)
		if err != nil {
			t.Fatal(err)
		}
		checkLines(t, d, DatagramStream, b, Options{})
	})
}

func TestPaddingLines(t *testing.T) {
	for d := Draft18; d <= Newest; d++ {
		for stream, head := range map[StreamKind]string{UniStream: "f0132b3e28", DatagramStream: "f0132b3e29"} {
			for _, rest := range []string{"", "000000", "0001"} {
				b := unhex(t, head+rest)
				lines, err := Decode(d, stream, b, Options{})
				if err != nil || len(lines) != 1 || lines[0].Type != "PADDING" || lines[0].Length != len(b) {
					t.Fatalf("%s: %x: %v: %v", d, b, lines, err)
				}
				if back, err := Encode(d, lines); err != nil || !bytes.Equal(back, b) {
					t.Errorf("%s: %x comes back as %x: %v", d, b, back, err)
				}
			}
		}
	}
}

// TestControlUniStream: from 17 on a uni stream that starts with SETUP is a control stream.
func TestControlUniStream(t *testing.T) {
	for _, d := range Drafts() {
		b := unhex(t, "af000000")
		lines, err := Decode(d, UniStream, b, Options{})
		if d < Draft17 {
			if err == nil {
				t.Errorf("%s: %v, want an unknown type", d, lines)
			}
			continue
		}
		if err != nil || len(lines) != 1 || lines[0].Type != "SETUP" || lines[0].TypeID != "12032" {
			t.Fatalf("%s: %v: %v", d, lines, err)
		}
		if back, err := Encode(d, lines); err != nil || !bytes.Equal(back, b) {
			t.Errorf("%s: comes back as %x: %v", d, back, err)
		}
	}
}

// errTooLong marks what is refused because it is too long to be shown.
var errTooLong = errors.New("too long")

func TestDecodeErrors(t *testing.T) {
	for _, tt := range []struct {
		name    string
		d       Draft
		stream  StreamKind
		hex     string
		lines   int
		message string
		field   string
		offset  int
		cause   error
	}{
		{"nothing", 18, UniStream, "", 0, "unidirectional stream", "type", 0, ErrIncomplete},
		{"unknown stream", 18, UniStream, "4000", 0, "unidirectional stream", "type", 0, ErrUnknownType},
		{"cut header", 18, UniStream, "1001", 0, "SUBGROUP_HEADER", "group_id", 2, ErrIncomplete},
		{"cut fetch header", 16, UniStream, "05", 0, "FETCH_HEADER", "request_id", 1, ErrIncomplete},
		{"cut object", 18, UniStream, "10010080" + "000161" + "00", 2, "OBJECT", "payload_length", 8, ErrIncomplete},
		{"cut payload", 18, UniStream, "10010080" + "000161" + "000461", 2, "OBJECT", "payload", 9, ErrIncomplete},
		{"a payload of 2^64-1 bytes", 18, UniStream, "10010080" + "00ffffffffffffffffff", 1, "OBJECT", "payload", 14,
			ErrIncomplete},
		{"properties of 2^64-1 bytes", 18, UniStream, "11010080" + "00ffffffffffffffffff00", 1, "OBJECT",
			"properties_length", 5, errTooLong},
		{"bad status", 16, UniStream, "10010080" + "000161" + "000009", 2, "OBJECT", "object_status", 9, nil},
		{"bad flags", 16, UniStream, "0504" + "1c00008000" + "4080", 2, "OBJECT", "serialization_flags", 7, nil},
		{"cut datagram", 14, DatagramStream, "000102", 0, "OBJECT_DATAGRAM", "object_id", 3, ErrTruncated},
		{"no datagram", 14, DatagramStream, "", 0, "OBJECT_DATAGRAM", "type", 0, ErrTruncated},
		{"invalid integer", 17, UniStream, "fc", 0, "unidirectional stream", "type", 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines, err := Decode(tt.d, tt.stream, unhex(t, tt.hex), Options{})
			if len(lines) != tt.lines {
				t.Errorf("%d lines, want %d", len(lines), tt.lines)
			}
			code := ProtocolViolation
			switch tt.cause {
			case ErrIncomplete:
				code = NoError // a capture may end anywhere
			case errTooLong:
				code = InternalError
			}
			wantError(t, err, code, tt.message, tt.field, tt.offset)
			for _, cause := range []error{ErrIncomplete, ErrTruncated, ErrUnknownType} {
				if want := errors.Is(tt.cause, cause); errors.Is(err, cause) != want {
					t.Errorf("cause of %v is %v: %v, want %v", err, cause, !want, want)
				}
			}
		})
	}
}

func TestTolerantLines(t *testing.T) {
	for _, tt := range []struct {
		d        Draft
		tolerate Tolerance
		hex      string
		field    string // of the last line
		want     string
	}{
		{16, LenientExtensions, "11010080" + "00023c4000", "extension_headers_hex", "3c40"},
		{18, LenientExtensions, "11010080" + "00023c8000", "properties_hex", "3c80"},
		{18, EndOfRangeDeltas, "0504" + "1c00008000" + "808c010200", "group_id", "2"},
		{16, EndOfRangeDeltas, "0504" + "1c00008000" + "408c010200", "payload_length", "0"},
		{16, FetchObjectStatus, "0504" + "1c0000800003", "object_status", "3"},
	} {
		b := unhex(t, tt.hex)
		if tt.tolerate == LenientExtensions {
			b = append(b, 0)
		}
		if _, err := Decode(tt.d, UniStream, b, Options{}); err == nil && tt.tolerate != FetchObjectStatus &&
			tt.tolerate != EndOfRangeDeltas {
			t.Errorf("%s: %s: accepted strictly", tt.d, tt.hex)
		}
		lines, err := Decode(tt.d, UniStream, b, Options{Tolerate: tt.tolerate})
		if err != nil {
			t.Errorf("%s: %s: %v", tt.d, tt.hex, err)
			continue
		}
		if v, _ := lines[len(lines)-1].Fields.Get(tt.field); v != tt.want {
			t.Errorf("%s: %s: %s is %v, want %s", tt.d, tt.hex, tt.field, v, tt.want)
		}
		if back, err := Encode(tt.d, lines); err != nil || !bytes.Equal(back, b) {
			t.Errorf("%s: %x comes back as %x: %v", tt.d, b, back, err)
		}
	}
}

// TestEncodeRefuses: a line that contradicts itself, or that no draft's stream can be, is refused with a word that says
// where.
func TestEncodeRefuses(t *testing.T) {
	header := Line{Type: "SUBGROUP_HEADER", TypeID: "16", Draft: 18,
		Fields: Fields{{"track_alias", "1"}, {"group_id", "2"}, {"publisher_priority", "3"}}}
	fetch := Line{Type: "FETCH_HEADER", TypeID: "5", Draft: 18, Fields: Fields{{"request_id", "1"}}}
	object := func(typeID string, f ...Field) Line {
		return Line{Type: "OBJECT", TypeID: typeID, Draft: 18, Fields: f}
	}
	for _, tt := range []struct {
		name  string
		lines []Line
		want  string
	}{
		{"other draft", []Line{{Type: "OBJECT", Draft: 16}}, "of draft 16"},
		{"object alone", []Line{object("16")}, "no SUBGROUP_HEADER"},
		{"no type", []Line{{Type: "SUBGROUP_HEADER"}}, "type_id"},
		{"missing field", []Line{{Type: "SUBGROUP_HEADER", TypeID: "16"}}, "track_alias: missing"},
		{"priority 256", []Line{{Type: "SUBGROUP_HEADER", TypeID: "16",
			Fields: Fields{{"track_alias", "1"}, {"group_id", "2"}, {"publisher_priority", "256"}}}}, "above 255"},
		{"reserved type", []Line{{Type: "SUBGROUP_HEADER", TypeID: "22", Fields: header.Fields}}, "unknown type 0x16"},
		{"type of another", []Line{{Type: "SUBGROUP_HEADER", TypeID: "5",
			Fields: Fields{{"track_alias", "1"}, {"group_id", "2"}, {"publisher_priority", "3"}}}},
			"subgroup_id: missing"},
		{"no such field", []Line{{Type: "FETCH_HEADER", TypeID: "5",
			Fields: Fields{{"request_id", "1"}, {"extra", "1"}}}}, "extra: no such field"},
		{"object of another stream", []Line{header, object("17", Field{"object_id_delta", "0"},
			Field{"payload_length", "1"}, Field{"payload_hex", "00"})}, "the stream's is 16"},
		{"wrong object id", []Line{header, object("16", Field{"object_id_delta", "1"}, Field{"payload_length", "1"},
			Field{"payload_hex", "00"}, Field{"object_id", "2"})}, "object_id says 2, but the bytes say 1"},
		{"short payload", []Line{header, object("16", Field{"object_id_delta", "1"}, Field{"payload_length", "2"},
			Field{"payload_hex", "00"})}, "1 of 2 bytes"},
		{"long payload", []Line{header, object("16", Field{"object_id_delta", "1"}, Field{"payload_length", "1"},
			Field{"payload_hex", "0000"})}, "the draft reads 3"},
		{"no hex", []Line{header, object("16", Field{"object_id_delta", "1"}, Field{"payload_length", "1"},
			Field{"payload_hex", "xx"})}, "payload_hex"},
		{"first object without priority", []Line{fetch, object("5", Field{"serialization_flags", "12"},
			Field{"group_id_delta", "1"}, Field{"object_id_delta", "1"}, Field{"payload_length", "0"})}, "Priority"},
		{"marker as object", []Line{fetch, object("5", Field{"serialization_flags", "140"},
			Field{"group_id_delta", "1"}, Field{"object_id_delta", "1"}, Field{"payload_length", "0"})}, ""},
		{"too much padding", []Line{{Type: "PADDING", TypeID: "321601064",
			Fields: Fields{{"padding_length", "99999999999"}}}}, "padding_length"},
		{"unknown message", []Line{{Type: "NONSENSE"}}, "NONSENSE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := Encode(Draft18, tt.lines)
			if err == nil {
				t.Fatalf("written as %x", b)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want a word of %q", err, tt.want)
			}
		})
	}
}

// TestLineEncoderByHand: what a person writes, without what follows from it.
func TestLineEncoderByHand(t *testing.T) {
	e := LineEncoder{Draft: Draft18}
	var b []byte
	for _, text := range []string{
		`{"type":"SUBGROUP_HEADER","type_id":"0x11","fields":{"track_alias":"1","group_id":"200",` +
			`"publisher_priority":"3"}}`,
		`{"type":"OBJECT","type_id":"17","fields":{"object_id_delta":"0","properties_length":"2",` +
			`"properties":[{"type":"60","value":"1"}],"payload_length":"1","payload_hex":"AB"}}`,
		`{"type":"OBJECT","type_id":"17","fields":{"object_id_delta":"0","properties_length":"0",` +
			`"payload_length":"0","object_status":"4"}}`,
	} {
		var line Line
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		var err error
		if b, err = e.Append(b, line); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if got, want := hex.EncodeToString(b), "110180c803"+"00023c0101ab"+"00000004"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
