package wire

import (
	"bytes"
	"errors"
	"testing"
)

// TestQuarterStreamID: a datagram of HTTP/3 is not read as if it were one on raw QUIC.
func TestQuarterStreamID(t *testing.T) {
	in := unhex(t, "00000102000080aa")
	lines, err := Decode(Draft18, DatagramStream, in, Options{HTTP3: true})
	if err != nil || len(lines) != 2 || lines[0].Type != "WEBTRANSPORT_DATAGRAM" || lines[1].Offset != 1 {
		t.Fatalf("%+v, %v", lines, err)
	}
	for name, want := range map[string]string{"track_alias": "1", "group_id": "2", "object_id": "0",
		"publisher_priority": "0", "payload_hex": "80aa"} {
		if got, _ := lines[1].Fields.Get(name); got != want {
			t.Errorf("%s is %v, want %s", name, got, want)
		}
	}
	if back, err := Encode(Draft18, lines); err != nil || !bytes.Equal(back, in) {
		t.Errorf("comes back as %x: %v", back, err)
	}
	for _, x := range []struct {
		name, hex string
		http3     bool
		field     string
	}{
		{"nothing", "", true, "quarter_stream_id"},
		{"no datagram behind it", "00", true, "type"},
		{"above 2^60-1", "d000000000000000" + "0001020080", true, "quarter_stream_id"},
		{"cut behind it", "0000", true, "track_alias"},
	} {
		_, err := Decode(Draft18, DatagramStream, unhex(t, x.hex), Options{HTTP3: x.http3})
		var e *Error
		if !errors.As(err, &e) || e.Field != x.field {
			t.Errorf("%s: %v, want an error in %s", x.name, err, x.field)
		}
	}
}

// TestAlsoHTTP3: where the bytes leave open which datagram they are, that can be asked.
func TestAlsoHTTP3(t *testing.T) {
	for _, x := range []struct {
		hex     string
		http3   bool
		quarter uint64
		also    bool
	}{
		{"00000102000080aa", false, 0, true},
		{"00000102000080aa", true, 0, false},
		{"4101" + "00010200aa", false, 257, true}, // which is none on raw QUIC
		{"0505ff", false, 5, false},
		{"00", false, 0, false},
	} {
		l := NewLineDecoder(Draft18, DatagramStream, Options{HTTP3: x.http3})
		_, _ = l.Decode(unhex(t, x.hex), true)
		if quarter, also := l.AlsoHTTP3(); also != x.also || also && quarter != x.quarter {
			t.Errorf("%s: %d, %v; want %d, %v", x.hex, quarter, also, x.quarter, x.also)
		}
	}
}
