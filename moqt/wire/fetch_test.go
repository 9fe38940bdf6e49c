package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// drawFetchObject draws what can follow prior on the wire.
func drawFetchObject(t *rapid.T, o *FetchObjects) FetchObject {
	d := o.Draft
	h := FetchObject{Group: o.group, Object: o.object, Priority: o.priority}
	forward := d <= Draft17 || !o.items
	switch { // where deltas have a sign, keep within it
	case !rapid.Bool().Draw(t, "new group") && o.items:
	case forward:
		h.Group = drawInt(t, d, "group")
	case o.Options.Descending && o.group > 0:
		h.Group = drawInt(t, d, "group") % o.group
	case !o.Options.Descending && o.group < d.MaxVarint():
		h.Group += 1 + drawInt(t, d, "group")%(d.MaxVarint()-o.group)
	}
	switch {
	case rapid.Bool().Draw(t, "next object") && o.items && o.object < d.MaxVarint():
		h.Object++
	case forward || h.Group != o.group:
		h.Object = drawInt(t, d, "object")
	case o.object < d.MaxVarint():
		h.Object += drawInt(t, d, "object") % (d.MaxVarint() - o.object)
	}
	if d >= Draft16 && rapid.IntRange(0, 4).Draw(t, "marker") == 0 {
		last := 2
		if d >= Draft20 {
			last = 3
		}
		h.Range = RangeKind(rapid.IntRange(1, last).Draw(t, "range"))
		h.Priority = 0
		return h
	}
	if rapid.Bool().Draw(t, "new priority") {
		h.Priority = rapid.Byte().Draw(t, "priority")
	}
	h.Datagram = d >= Draft16 && rapid.IntRange(0, 3).Draw(t, "datagram") == 0
	if !h.Datagram {
		switch rapid.IntRange(0, 3).Draw(t, "subgroup mode") {
		case 1:
			h.Subgroup = o.subgroup
		case 2:
			h.Subgroup = min(o.subgroup, d.MaxVarint()-1) + 1
		case 3:
			h.Subgroup = drawInt(t, d, "subgroup")
		}
	}
	h.Properties = drawBlock(t, d, "properties")
	h.HasProperties = d == Draft14 || len(h.Properties) > 0 || rapid.Bool().Draw(t, "empty properties")
	if h.PayloadLength = uint64(rapid.IntRange(0, 70).Draw(t, "payload")); h.PayloadLength == 0 && d <= Draft15 {
		h.Status = drawStatus(t, d, len(h.Properties))
	}
	return h
}

// drawFetch draws a whole stream, and gives its bytes and items.
func drawFetch(t *rapid.T, d Draft, descending bool) (id uint64, b []byte, items []FetchObject) {
	id = drawInt(t, d, "request")
	b, err := AppendFetchHeader(nil, d, id)
	if err != nil {
		t.Fatal(err)
	}
	w := FetchObjects{Draft: d, Options: Options{Descending: descending}}
	for range rapid.IntRange(0, 5).Draw(t, "items") {
		h := drawFetchObject(t, &w)
		if b, err = w.AppendHeader(b, &h); err != nil {
			t.Fatal(err)
		}
		b = append(b, bytes.Repeat([]byte{0xa5}, int(h.PayloadLength))...)
		items = append(items, h)
	}
	return id, b, items
}

func TestFetchProperties(t *testing.T) {
	everyDraft(t, func(t *rapid.T, d Draft) {
		descending := rapid.Bool().Draw(t, "descending")
		want, b, items := drawFetch(t, d, descending)
		id, pos, err := ParseFetchHeader(b, d)
		if err != nil || id != want {
			t.Fatalf("request %d, want %d: %v", id, want, err)
		}
		for i := range pos {
			if _, _, err := ParseFetchHeader(b[:i], d); err != ErrTruncated {
				t.Fatalf("prefix of %d: %v, want ErrTruncated itself", i, err)
			}
		}
		r := FetchObjects{Draft: d, Options: Options{Descending: descending}}
		w := r
		for i, want := range items {
			var h FetchObject
			before := r
			n, err := r.ParseHeader(b[pos:], &h)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, h, cmpopts.IgnoreFields(FetchObject{}, "Flags", "GroupDelta",
				"ObjectDelta")); diff != "" {
				t.Fatalf("item %d (-want +got)\n%s", i, diff)
			}
			for k := range n {
				short := before
				if _, err := short.ParseHeader(b[pos:pos+k], &h); err != ErrTruncated {
					t.Fatalf("item %d, prefix of %d: %v, want ErrTruncated itself", i, k, err)
				}
			}
			if h.KeepFlags = d >= Draft15 && h.Range == NoRange; h.KeepFlags {
				again, err := w.AppendHeader(nil, &h)
				if err != nil || !bytes.Equal(again, b[pos:pos+n]) {
					t.Fatalf("item %d with its flags: %x, want %x: %v", i, again, b[pos:pos+n], err)
				}
			}
			w = r
			pos += n + int(want.PayloadLength)
		}
		if pos != len(b) || r.EndOfStream(nil) != nil {
			t.Fatalf("%d of %d bytes read", pos, len(b))
		}
	})
}

// TestFetchFlags: whatever flags are read are written back, also where fewer bytes would do.
func TestFetchFlags(t *testing.T) {
	for d := Draft15; d <= Newest; d++ {
		limit := uint64(0x80)
		if d == Draft15 {
			limit = 0x40
		}
		for flags := range limit {
			r := FetchObjects{Draft: d}
			var h FetchObject
			if _, err := r.ParseHeader([]byte{0x1f, 5, 6, 7, 8, 1}, &h); err != nil {
				t.Fatal(err)
			}
			w := r
			b := AppendVarint(nil, d, flags)
			if d == Draft15 {
				b = []byte{byte(flags)}
			}
			for _, bit := range []uint64{fetchGroupID, 0, fetchObjectID, fetchPriority} {
				if bit != 0 && flags&bit != 0 || bit == 0 && flags&0x43 == 3 {
					b = append(b, 9)
				}
			}
			if flags&fetchProperties != 0 {
				b = append(b, 0)
			}
			b = append(b, 2)
			n, err := r.ParseHeader(b, &h)
			if err != nil || n != len(b) || h.Flags != flags {
				t.Fatalf("%s: %x: n = %d, flags %#x: %v", d, b, n, h.Flags, err)
			}
			h.KeepFlags = true
			again, err := w.AppendHeader(nil, &h)
			if h.Datagram && flags&3 != 0 { // to be ignored in reading; written as they came
				if err != nil || !bytes.Equal(again, b) {
					t.Errorf("%s: datagram flags %#x: %x, want %x: %v", d, flags, again, b, err)
				}
				continue
			}
			if err != nil || !bytes.Equal(again, b) {
				t.Errorf("%s: flags %#x: %x, want %x: %v", d, flags, again, b, err)
			}
		}
	}
}

// TestFetchArithmetic is the table of draft-18 §11.4.4.1, and what a marker leaves behind (draft-17 §10.4.4.2).
func TestFetchArithmetic(t *testing.T) {
	type want struct {
		group, object, subgroup uint64
		priority                uint8
	}
	for _, tt := range []struct {
		name        string
		first, last Draft
		descending  bool
		hex         []string
		want        want
	}{
		{"absolute ids up to 17", 15, 17, false, []string{"1f0a0b0c0d01", "1c02030401"}, want{2, 3, 0, 4}},
		{"both deltas", 18, Newest, false, []string{"1f0a0b0c0d01", "0d020301"}, want{13, 3, 11, 13}},
		{"both deltas, descending", 18, Newest, true, []string{"1f0a0b0c0d01", "0d020301"}, want{7, 3, 11, 13}},
		{"group only: the object goes on", 18, Newest, false, []string{"1f0a0b0c0d01", "080001"}, want{11, 13, 0, 13}},
		{"object only: no plus one", 18, Newest, false, []string{"1f0a0b0c0d01", "060501"}, want{10, 17, 12, 13}},
		{"neither", 15, Newest, false, []string{"1f0a0b0c0d01", "0101"}, want{10, 13, 11, 13}},
		{"after a marker: ids of the marker, the rest of the last object", 16, Newest, false,
			[]string{"1f0a0b0c0d01", "MARK1405", "0101"}, want{20, 6, 11, 13}},
		{"after a marker: deltas from the marker", 18, Newest, false, []string{"1f0a0b0c0d01", "MARK1405", "0d020301"},
			want{23, 3, 11, 13}},
		{"after a marker at the start", 18, Newest, false, []string{"MARK1405", "1c02030401"}, want{23, 3, 0, 4}},
		{"after a marker at the start", 16, 17, false, []string{"MARK1405", "100401"}, want{20, 6, 0, 4}},
		{"after a datagram object: subgroup 0", 16, Newest, false, []string{"1f0a0b0c0d01", "DGRAM", "0101"},
			want{10, 14, 0, 13}},
		{"after a datagram object: subgroup 0 plus one", 16, Newest, false, []string{"1f0a0b0c0d01", "DGRAM", "0201"},
			want{10, 14, 1, 13}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for d := tt.first; d <= tt.last; d++ {
				o := FetchObjects{Draft: d, Options: Options{Descending: tt.descending}}
				var h FetchObject
				for _, s := range tt.hex {
					b := fetchBytes(t, d, s)
					if n, err := o.ParseHeader(b, &h); err != nil || n != len(b) {
						t.Fatalf("%s: %x: n = %d: %v", d, b, n, err)
					}
				}
				if got := (want{h.Group, h.Object, h.Subgroup, h.Priority}); got != tt.want {
					t.Errorf("%s: %+v, want %+v", d, got, tt.want)
				}
			}
		})
	}
}

// fetchBytes replaces MARK by the flags of End of Non-Existent Range, and DGRAM by an object with nothing but the flag
// 0x40.
func fetchBytes(t *testing.T, d Draft, s string) []byte {
	switch {
	case s == "DGRAM":
		return append(AppendVarint(nil, d, fetchDatagram), 1)
	case len(s) > 4 && s[:4] == "MARK":
		return append(AppendVarint(nil, d, NonExistentRange.flags()), unhex(t, s[4:])...)
	}
	return unhex(t, s)
}

func TestFetchRules(t *testing.T) {
	for _, tt := range []struct {
		name        string
		first, last Draft
		descending  bool
		hex         []string // the last one is refused
		field       string
		offset      int
	}{
		{"extensions on an object that does not exist", 14, 14, false, []string{"01000280023c010001"},
			"object_status", 8},
		{"extensions on End of Group", 15, 15, false, []string{"3c000080023c010003"}, "object_status", 8},
		{"status 0x2", 15, 15, false, []string{"1c0000800002"}, "object_status", 5},
		{"status 0x2", 14, 14, false, []string{"00000080000002"}, "object_status", 6},
		{"flags 0x40", 15, 15, false, []string{"5c00008001"}, "serialization_flags", 0},
		{"flags 0x80", 15, 15, false, []string{"8c0000"}, "serialization_flags", 0},
		{"flags 0x80", 16, 16, false, []string{"40800000"}, "serialization_flags", 0},
		{"flags 0x80", 17, Newest, false, []string{"80800000"}, "serialization_flags", 0},
		{"End of Timed-Out Range before 20", 17, 19, false, []string{"820c0502"}, "serialization_flags", 0},
		{"End of Timed-Out Range before 20", 16, 16, false, []string{"420c0502"}, "serialization_flags", 0},
		{"no priority", 15, Newest, false, []string{"0c000001"}, "serialization_flags", 0},
		{"no group", 15, Newest, false, []string{"14008001"}, "serialization_flags", 0},
		{"no object", 15, Newest, false, []string{"18008001"}, "serialization_flags", 0},
		{"prior subgroup", 15, Newest, false, []string{"1d00008001"}, "serialization_flags", 0},
		{"prior subgroup plus one", 15, Newest, false, []string{"1e00008001"}, "serialization_flags", 0},
		{"priority after a marker alone", 16, Newest, false, []string{"MARK0506", "0001"}, "serialization_flags", 0},
		{"subgroup after a marker alone", 16, Newest, false, []string{"MARK0506", "118001"}, "serialization_flags",
			0},
		{"group below 0", 18, Newest, true, []string{"1c05008001", "0c050001"}, "group_id_delta", 1},
		{"group past 2^64-1", 18, Newest, false, []string{"1c05008001", "0cfffffffffffffffffa" + "0001"},
			"group_id_delta", 1},
		{"object past 2^64-1", 18, Newest, false, []string{"1c00058001", "04ffffffffffffffffff" + "01"},
			"object_id_delta", 1},
		{"next object past 2^64-1", 18, Newest, false, []string{"1c00ffffffffffffffffff8001", "0001"},
			"serialization_flags", 0},
		{"next object past 2^62-1", 16, 16, false, []string{"1c00ffffffffffffffff8001", "0001"}, "serialization_flags",
			0},
		{"next subgroup past 2^64-1", 17, Newest, false, []string{"1f00ffffffffffffffffff008001", "0201"},
			"serialization_flags", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for d := tt.first; d <= tt.last; d++ {
				o := FetchObjects{Draft: d, Options: Options{Descending: tt.descending}}
				var h FetchObject
				for _, s := range tt.hex[:len(tt.hex)-1] {
					if _, err := o.ParseHeader(fetchBytes(t, d, s), &h); err != nil {
						t.Fatal(err)
					}
				}
				b := fetchBytes(t, d, tt.hex[len(tt.hex)-1])
				_, err := o.ParseHeader(b, &h)
				wantError(t, err, ProtocolViolation, "OBJECT", tt.field, tt.offset)
			}
		})
	}
}

func TestFetchTolerances(t *testing.T) {
	var told []Tolerance
	opt := Options{Tolerate: EndOfRangeDeltas, Tolerated: func(x Tolerance, _ string) { told = append(told, x) }}
	o := FetchObjects{Draft: Draft18, Options: opt}
	var h FetchObject
	for _, s := range []string{"1c05008001", "MARK010700"} { // group 5 + 1 + 1
		if _, err := o.ParseHeader(fetchBytes(t, Draft18, s), &h); err != nil {
			t.Fatal(err)
		}
	}
	if h.Group != 7 || h.Object != 7 || h.Range != NonExistentRange || len(told) != 1 {
		t.Errorf("{%d, %d} %s, told %v", h.Group, h.Object, h.Range, told)
	}
	if _, err := o.ParseHeader(fetchBytes(t, Draft18, "MARK010701"), &h); err == nil {
		t.Error("a marker with a payload is let pass")
	}

	told = nil
	opt.Tolerate = FetchObjectStatus
	o = FetchObjects{Draft: Draft16, Options: opt}
	if n, err := o.ParseHeader(unhex(t, "1c0500800003"), &h); err != nil || n != 6 || h.Status != StatusEndOfGroup ||
		len(told) != 1 {
		t.Errorf("n = %d, status %s, told %v: %v", n, h.Status, told, err)
	}
	o = FetchObjects{Draft: Draft16}
	if n, err := o.ParseHeader(unhex(t, "1c0500800003"), &h); err != nil || n != 5 {
		t.Errorf("strictly, n = %d: %v", n, err)
	}
}

func TestFetchUnencodable(t *testing.T) {
	prior := FetchObject{Group: 5, Object: 5, PayloadLength: 1}
	for _, tt := range []struct {
		name   string
		d      Draft
		desc   bool
		before []FetchObject
		h      FetchObject
	}{
		{"lower group ascending", Draft18, false, []FetchObject{prior}, FetchObject{Group: 4, PayloadLength: 1}},
		{"higher group descending", Draft18, true, []FetchObject{prior}, FetchObject{Group: 6, PayloadLength: 1}},
		{"lower object in the group", Draft18, false, []FetchObject{prior},
			FetchObject{Group: 5, Object: 4, PayloadLength: 1}},
		{"status in 16", Draft16, false, nil, FetchObject{Status: StatusEndOfGroup}},
		{"status with payload", Draft14, false, nil, FetchObject{Status: StatusEndOfGroup, PayloadLength: 1}},
		{"marker in 15", Draft15, false, nil, FetchObject{Range: UnknownRange}},
		{"timed-out range in 19", Draft19, false, nil, FetchObject{Range: TimedOutRange}},
		{"no such range", Draft22, false, nil, FetchObject{Range: 9}},
		{"group of 63 bits", Draft16, false, nil, FetchObject{Group: 1 << 62}},
		{"flags in 14", Draft14, false, nil, FetchObject{KeepFlags: true, PayloadLength: 1}},
		{"flags 0x40 in 15", Draft15, false, nil, FetchObject{KeepFlags: true, Flags: 0x5c, PayloadLength: 1}},
		{"flags 0x80", Draft18, false, nil, FetchObject{KeepFlags: true, Flags: 0x9c, PayloadLength: 1}},
		{"flags without a priority first", Draft18, false, nil, FetchObject{KeepFlags: true, Flags: 0x0c,
			PayloadLength: 1}},
		{"flags for subgroup 0", Draft18, false, nil, FetchObject{KeepFlags: true, Flags: 0x1c, Subgroup: 1,
			PayloadLength: 1}},
		{"flags for another subgroup", Draft18, false, []FetchObject{prior},
			FetchObject{Group: 5, Object: 6, KeepFlags: true, Flags: 0x01, Subgroup: 1, PayloadLength: 1}},
		{"flags for the next subgroup", Draft18, false, []FetchObject{prior},
			FetchObject{Group: 5, Object: 6, KeepFlags: true, Flags: 0x02, Subgroup: 2, PayloadLength: 1}},
		{"flags for the prior priority", Draft18, false, []FetchObject{prior},
			FetchObject{Group: 5, Object: 6, KeepFlags: true, Priority: 1, PayloadLength: 1}},
		{"flags for the prior group", Draft18, false, []FetchObject{prior},
			FetchObject{Group: 6, Object: 6, KeepFlags: true, PayloadLength: 1}},
		{"flags for the next object", Draft18, false, []FetchObject{prior},
			FetchObject{Group: 5, Object: 7, KeepFlags: true, PayloadLength: 1}},
		{"flags without properties", Draft18, false, []FetchObject{prior},
			FetchObject{Group: 5, Object: 6, KeepFlags: true, Properties: []byte{2, 2}, PayloadLength: 1}},
		{"flags of a datagram object", Draft18, false, []FetchObject{prior},
			FetchObject{Group: 5, Object: 6, KeepFlags: true, Datagram: true, PayloadLength: 1}},
		{"group delta within the group", Draft18, false, []FetchObject{prior},
			FetchObject{Group: 5, Object: 6, KeepFlags: true, Flags: 0x08, PayloadLength: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := FetchObjects{Draft: tt.d, Options: Options{Descending: tt.desc}}
			for _, x := range tt.before {
				if _, err := o.AppendHeader(nil, &x); err != nil {
					t.Fatal(err)
				}
			}
			b, err := o.AppendHeader([]byte{7}, &tt.h)
			var e *Error
			if !errors.As(err, &e) || e.Code != InternalError || len(b) != 1 {
				t.Errorf("%v, %d bytes appended; want an *Error with INTERNAL_ERROR", err, len(b)-1)
			}
		})
	}
}

// TestFetchCompact holds the bytes of the shortest forms.
func TestFetchCompact(t *testing.T) {
	objects := []FetchObject{
		{Group: 3, Object: 0, Priority: 128, PayloadLength: 1},
		{Group: 3, Object: 1, Priority: 128, PayloadLength: 1},
		{Group: 3, Object: 4, Subgroup: 1, Priority: 128, PayloadLength: 1},
		{Group: 5, Object: 0, Subgroup: 1, Priority: 7, PayloadLength: 1},
		{Group: 5, Object: 9, Datagram: true, Priority: 7, PayloadLength: 1},
		{Group: 6, Object: 1, Range: UnknownRange},
		{Group: 6, Object: 2, Subgroup: 2, Priority: 7, PayloadLength: 1},
	}
	for _, tt := range []struct {
		first, last Draft
		n           int // how many of the objects
		hex         string
	}{
		{14, 14, 5, "030000800001" + "030001800001" + "030104800001" + "050100070001" + "050909070001"},
		{15, 15, 5, "1c03008001" + "0001" + "060401" + "1d05000701" + "070909" + "01"},
		{16, 16, 7, "1c03008001" + "0001" + "060401" + "1d05000701" + "40440901" + "410c0601" + "030201"},
		{17, 17, 7, "1c03008001" + "0001" + "060401" + "1d05000701" + "440901" + "810c0601" + "030201"},
		{18, Newest, 7, "1c03008001" + "0001" + "060301" + "1d01000701" + "440901" + "810c0601" + "030201"},
	} {
		for d := tt.first; d <= tt.last; d++ {
			o := FetchObjects{Draft: d}
			var b []byte
			var err error
			for i := range tt.n {
				if b, err = o.AppendHeader(b, &objects[i]); err != nil {
					t.Fatal(err)
				}
			}
			if got := hex.EncodeToString(b); got != tt.hex {
				t.Errorf("%s:\n got %s\nwant %s", d, got, tt.hex)
			}
		}
	}
}
