package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// feed gives a decoder a long input in pieces, and returns the lines, the error and the most memory that was held
// between them; garbage is not held, however much of it a busy machine has let lie.
func feed(t *testing.T, l *LineDecoder, head []byte, n int, fill byte) (lines []Line, peak uint64, err error) {
	t.Helper()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	piece := bytes.Repeat([]byte{fill}, 64<<10)
	lines, err = l.Decode(head, false)
	for i := 0; n > 0 && err == nil; i++ {
		b := piece[:min(n, len(piece))]
		n -= len(b)
		var more []Line
		more, err = l.Decode(b, n == 0)
		lines = append(lines, more...)
		if i%100 == 0 || n == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
		}
	}
	return lines, peak, err
}

// TestDecodeIsBounded: with MaxPayload, what an input says of its size makes nothing large here.
func TestDecodeIsBounded(t *testing.T) {
	const size = 100 << 20
	const bound = 2 << 20
	header := unhex(t, "11010080")
	object := append(append([]byte{}, header...), 0, 0)
	object = AppendVarint(object, Draft18, size)
	fetch := AppendVarint(unhex(t, "0500"+"1c00008000")[:6], Draft18, size)
	for _, x := range []struct {
		name  string
		head  []byte
		n     int
		fill  byte
		lines int
		err   string
	}{
		{"object of 100 MiB", object, size, 0x74, 2, ""},
		{"object of a fetch of 100 MiB", fetch, size, 0x74, 2, ""},
		{"padding of zeros", unhex(t, "f0132b3e28"), size, 0, 1, ""},
		{"padding of other bytes", unhex(t, "f0132b3e28"), size, 1, 1, ""},
		{"2 million properties", AppendVarint(append(append([]byte{}, header...), 0), Draft18, 4<<20), 4 << 20, 0,
			1, "4194304 bytes, this endpoint takes at most 1048576"},
	} {
		l := NewLineDecoder(Draft18, UniStream, Options{})
		l.MaxPayload = 64 << 10
		lines, peak, err := feed(t, l, x.head, x.n, x.fill)
		if len(lines) != x.lines || (err == nil) != (x.err == "") ||
			err != nil && !strings.Contains(err.Error(), x.err) {
			t.Errorf("%s: %d lines, %v", x.name, len(lines), err)
		}
		if peak > bound {
			t.Errorf("%s: %d KiB in use", x.name, peak>>10)
		}
		if len(lines) == 0 {
			continue
		}
		last := lines[len(lines)-1]
		if err == nil && last.Offset+last.Length != len(x.head)+x.n {
			t.Errorf("%s: the last line ends at %d of %d", x.name, last.Offset+last.Length, len(x.head)+x.n)
		}
		if _, err := Encode(Draft18, lines); x.lines == 2 && (err == nil ||
			!strings.Contains(err.Error(), "payload_start_hex: the beginning of a payload of 104857600 bytes")) {
			t.Errorf("%s: encoded: %v", x.name, err)
		}
	}
}

// TestManyProperties: of many properties some are listed and all are there as bytes; they come back.
func TestManyProperties(t *testing.T) {
	block := make([]byte, 2*5000)
	in := append(unhex(t, "11010080"+"00"), AppendVarint(nil, Draft18, uint64(len(block)))...)
	in = append(append(in, block...), 1, 'x')
	lines, err := Decode(Draft18, UniStream, in, Options{})
	if err != nil || len(lines) != 2 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	list, _ := lines[1].Fields.Get("properties")
	if n := len(list.([]any)); n != maxListedProperties {
		t.Errorf("%d properties are listed, want %d", n, maxListedProperties)
	}
	if back, err := Encode(Draft18, lines); err != nil || !bytes.Equal(back, in) {
		t.Errorf("comes back as %d bytes, want %d: %v", len(back), len(in), err)
	}
}

// TestNestedImmutable: Immutable Properties inside each other, which make a track malformed, are listed one deep: each
// level as hex again would take gigabytes.
func TestNestedImmutable(t *testing.T) {
	block := []byte{}
	for len(block) < 60000 {
		next, err := AppendProperties(nil, Draft18, Properties{{Type: PropImmutable, Bytes: block}})
		if err != nil {
			t.Fatal(err)
		}
		block = next
	}
	in, err := AppendMessage(nil, Draft18, &SubscribeOK{Properties: Properties{{Type: PropImmutable, Bytes: block}}},
		RequestStream)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	lines, err := Decode(Draft18, RequestStream, in, Options{})
	runtime.ReadMemStats(&after)
	if err != nil || len(lines[0].Remarks) != 1 ||
		!strings.Contains(lines[0].Remarks[0], "IMMUTABLE_PROPERTIES inside IMMUTABLE_PROPERTIES") {
		t.Errorf("%v, %v", lines[0].Remarks, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("%d MiB allocated for %d bytes", used>>20, len(in))
	}
	if back, err := Encode(Draft18, lines); err != nil || !bytes.Equal(back, in) {
		t.Errorf("comes back as %d bytes, want %d: %v", len(back), len(in), err)
	}
}

// TestMaxPayload: a longer payload shows its beginning, also in a datagram.
func TestMaxPayload(t *testing.T) {
	for _, x := range []struct {
		stream StreamKind
		hex    string
		want   Field
	}{
		{UniStream, "10010080" + "0004" + "61626364", Field{"payload_start_hex", "616263"}},
		{UniStream, "10010080" + "0003" + "616263", Field{"payload_hex", "616263"}},
		{UniStream, "0500" + "1c0000800461626364", Field{"payload_start_hex", "616263"}},
		{DatagramStream, "0001020080" + "61626364", Field{"payload_start_hex", "616263"}},
		{UniStream, "f0132b3e28" + "00000001", Field{"padding_start_hex", "000000"}},
	} {
		for _, size := range []int{1, 100} {
			l := NewLineDecoder(Draft18, x.stream, Options{})
			l.MaxPayload = 3
			var lines []Line
			for in := unhex(t, x.hex); len(in) > 0; {
				n := min(size, len(in))
				more, err := l.Decode(in[:n], n == len(in))
				if err != nil {
					t.Fatal(err)
				}
				lines, in = append(lines, more...), in[n:]
			}
			if v, _ := lines[len(lines)-1].Fields.Get(x.want.Name); v != x.want.Value {
				t.Errorf("%s in pieces of %d: %v, want %v", x.hex, size, lines, x.want)
			}
			if _, err := Encode(Draft18, lines); (err == nil) != (x.want.Name == "payload_hex") {
				t.Errorf("%s: encoded: %v", x.hex, err)
			}
		}
	}
}

// TestLongDatagram: what is longer than any datagram is none, and is not collected.
func TestLongDatagram(t *testing.T) {
	l := NewLineDecoder(Draft18, DatagramStream, Options{})
	if _, err := l.Decode(make([]byte, 1<<16), false); err == nil || !strings.Contains(err.Error(), "longer than any") {
		t.Error(err)
	}
}

// TestIncomplete: where an input ends is said, without a close code.
func TestIncomplete(t *testing.T) {
	for _, x := range []struct {
		stream StreamKind
		hex    string
		want   string
	}{
		{RequestStream, "03000d", "SUBSCRIBE (draft-18): request_id at byte 3: incomplete: the input ends after 0 of " +
			"the 13 bytes that the message has behind its length"},
		{RequestStream, "03", "SUBSCRIBE (draft-18): length at byte 1: incomplete: the input ends inside the message"},
		{UniStream, "1001", "SUBGROUP_HEADER (draft-18): group_id at byte 2: incomplete: the input ends here"},
		{UniStream, "10010080" + "00", "OBJECT (draft-18): payload_length at byte 5: incomplete: the input ends here"},
		{UniStream, "10010080" + "00046162", "OBJECT (draft-18): payload at byte 6: incomplete: the input ends after " +
			"2 of 4 bytes"},
		{UniStream, "4054", "WEBTRANSPORT_STREAM (draft-18): session_id at byte 2: incomplete: the input ends here"},
	} {
		_, err := Decode(Draft18, x.stream, unhex(t, x.hex), Options{})
		var e *Error
		if !errors.As(err, &e) || !errors.Is(err, ErrIncomplete) || e.Code != NoError ||
			err.Error() != "wire: "+x.want {
			t.Errorf("%s: %v, want %s", x.hex, err, x.want)
		}
	}
	// A message whose fields do not fit its length, or a datagram that is too short, is a breach: its end is known.
	for _, x := range []struct {
		stream StreamKind
		hex    string
	}{{RequestStream, "03000101"}, {DatagramStream, "000102"}, {RequestStream, "0b00030201" + "05"}} {
		_, err := Decode(Draft18, x.stream, unhex(t, x.hex), Options{})
		var e *Error
		if !errors.As(err, &e) || errors.Is(err, ErrIncomplete) || e.Code != ProtocolViolation {
			t.Errorf("%s: %v, want a breach", x.hex, err)
		}
	}
}

// TestWebTransportPrefix: the prefix of a WebTransport stream is a line of its own.
func TestWebTransportPrefix(t *testing.T) {
	for d := Oldest; d <= Newest; d++ {
		for _, x := range []struct {
			stream StreamKind
			hex    string
			types  string
		}{
			{UniStream, "4054" + "04" + "0501", "WEBTRANSPORT_STREAM 84 4 FETCH_HEADER"},
			{UniStream, "4054" + "4104" + "0501", "WEBTRANSPORT_STREAM 84 260 FETCH_HEADER"},
			{ControlStream, "4041" + "00" + "10000100", "WEBTRANSPORT_STREAM 65 0 GOAWAY"},
			{RequestStream, "4041" + "08" + "0d", "WEBTRANSPORT_STREAM 65 8"},
		} {
			in := unhex(t, x.hex)
			if x.stream == ControlStream && d >= Draft17 {
				in = append(in[:3], unhex(t, "1000020000")...)
				if d == Draft18 {
					in = append(in[:3], unhex(t, "100003000000")...)
				}
			}
			lines, err := Decode(d, x.stream, in, Options{})
			id, _ := lines[0].Fields.Get("session_id")
			got := []string{lines[0].Type, lines[0].TypeID, id.(string)}
			for _, l := range lines[1:] {
				got = append(got, l.Type)
			}
			if strings.Join(got, " ") != x.types || (err == nil) != (x.stream != RequestStream) {
				t.Errorf("%s %x: %q, %v; want %s", d, in, got, err, x.types)
			}
			back, err := Encode(d, lines)
			if want := in[:len(in)-b2i(x.stream == RequestStream)]; err != nil || !bytes.Equal(back, want) {
				t.Errorf("%s: comes back as %x, want %x: %v", d, back, want, err)
			}
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestMalformedRemarks: what makes a track malformed is no error of the stream, and is remarked at the line that shows
// it (draft-14 §2.5, draft-18 §2.4.2).
func TestMalformedRemarks(t *testing.T) {
	for _, x := range []struct {
		name        string
		first, last Draft
		stream      StreamKind
		hex         string
		descending  bool
		line        int // with the remark, -1: none
		remark      string
	}{
		{"a gap larger than the ID", 18, 22, UniStream, "11010080" + "00" + "023e01" + "0161", false, 1,
			"PRIOR_OBJECT_ID_GAP 1 is larger than the ID 0"},
		{"a gap that covers an object", 18, 22, UniStream, "11010080" + "05000161" + "02" + "023e03" + "0161", false, 2,
			"PRIOR_OBJECT_ID_GAP 3 of object {0,8} covers object {0,5}"},
		{"a gap behind an object", 18, 22, UniStream, "11010080" + "05000161" + "02" + "023e02" + "0161", false,
			-1, ""},
		{"past the end of the group", 15, 22, UniStream, "14010000" + "80" + "000003" + "000161", false, 2,
			"object {0,1} is past the End of Group at {0,0}"},
		{"past the end of the track", 15, 22, UniStream, "14010000" + "80" + "000004" + "000161", false, 2,
			"object {0,1} is past the End of Track at {0,0}"},
		{"a mandatory property of an object", 18, 22, DatagramStream, "0101020380" + "04c0400001" + "61", false, 0,
			"Mandatory Track Property 0x4000"},
		{"nested properties of a track", 17, 22, RequestStream, "0400060100" + "0b020b00", false, 0,
			"IMMUTABLE_PROPERTIES inside IMMUTABLE_PROPERTIES"},
		{"the same object of a fetch", 16, 17, UniStream, "0500" + "1c0000800161" + "04000161", false, 2,
			"Object ID 0 after 0 in one group of a fetch"},
		{"descending groups of an ascending fetch", 16, 17, UniStream, "0500" + "1c0500800161" + "0c04000161", false, 2,
			"group 4 after 5 in an ascending fetch"},
		{"descending groups of a descending fetch", 16, 17, UniStream, "0500" + "1c0500800161" + "0c04000161", true,
			-1, ""},
		{"ascending groups of a descending fetch", 16, 17, UniStream, "0500" + "1c0500800161" + "0c06000161", true, 2,
			"group 6 after 5 in a descending fetch"},
		{"two priorities in a subgroup of a fetch", 16, 22, UniStream, "0500" + "1c0000800161" + "10810161", false, 2,
			"priority 129 in subgroup 0, whose last object had 128"},
		{"two priorities in two groups", 18, 22, UniStream, "0500" + "1c0000800161" + "1c0000810161", false, -1, ""},
	} {
		for d := x.first; d <= x.last; d++ {
			in := unhex(t, x.hex)
			for _, size := range []int{1, len(in)} {
				l := NewLineDecoder(d, x.stream, Options{Descending: x.descending})
				var lines []Line
				for at := 0; at < len(in); at += size {
					more, err := l.Decode(in[at:min(at+size, len(in))], at+size >= len(in))
					if err != nil {
						t.Fatalf("%s: %s: %v", d, x.name, err)
					}
					lines = append(lines, more...)
				}
				for i, line := range lines {
					text := strings.Join(line.Remarks, "; ")
					if (i == x.line) != (text != "") || i == x.line && (!strings.Contains(text, x.remark) ||
						!strings.HasSuffix(text, " ("+d.String()+" "+rules.Section(d, rules.MalformedTrack)+")")) {
						t.Errorf("%s: %s: line %d has %q, want %q at %d", d, x.name, i, text, x.remark, x.line)
					}
				}
				if back, err := Encode(d, lines); err != nil || !bytes.Equal(back, in) {
					t.Errorf("%s: %s: comes back as %x: %v", d, x.name, back, err)
				}
			}
		}
	}
}

// TestFetchHints: where a fetch stream cannot be read, the error names the tolerance with which it can, also when the
// deviation was long before.
func TestFetchHints(t *testing.T) {
	for _, x := range []struct {
		name string
		d    Draft
		hex  string
		want Tolerance
	}{
		{"a status behind a payload of 0", 16, "0504" + "1c00008000" + "00" + "0c01000162", FetchObjectStatus},
		{"a status, and more objects", 18, "0504" + "1c00008000" + "00" + strings.Repeat("000162", 9),
			FetchObjectStatus},
		{"a length behind a marker", 16, "0504" + "1c05008000" + "408c070300" + "1c08008000", EndOfRangeDeltas},
		{"nothing would do", 18, "0504" + "1c00008000" + "8080", 0},
	} {
		for _, size := range []int{1, 1000} {
			l := NewLineDecoder(x.d, UniStream, Options{})
			in := unhex(t, x.hex)
			var err error
			for at := 0; at < len(in) && err == nil; at += size {
				_, err = l.Decode(in[at:min(at+size, len(in))], at+size >= len(in))
			}
			var e *Error
			if !errors.As(err, &e) || e.WouldPass != x.want {
				t.Errorf("%s, pieces of %d: %v; want the tolerance %q", x.name, size, err, x.want)
			}
		}
		if x.want == 0 {
			continue
		}
		lines, err := Decode(x.d, UniStream, unhex(t, x.hex), Options{Tolerate: x.want})
		if back, e := Encode(x.d, lines); err != nil || e != nil || hex.EncodeToString(back) != x.hex {
			t.Errorf("%s, tolerated: %v, %v", x.name, err, e)
		}
	}
}
