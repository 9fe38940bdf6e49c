package wire

import (
	"errors"
	"testing"
)

// fuzzDraft takes the draft from the first byte of the input.
func fuzzDraft(in []byte) (d Draft, b []byte, ok bool) {
	if len(in) == 0 || len(in) > 4096 { // longer inputs show nothing more, and take long
		return 0, nil, false
	}
	return Oldest + Draft(in[0])%(Newest-Oldest+1), in[1:], true
}

func seed(f *testing.F, d Draft, b []byte, err error) {
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append([]byte{byte(d - Oldest)}, b...))
}

func FuzzVarint(f *testing.F) {
	for _, d := range Drafts() {
		for _, v := range []uint64{0, 63, 64, 127, 128, 1 << 14, 1 << 30, 1 << 42, 1 << 49, 1<<62 - 1, d.MaxVarint()} {
			seed(f, d, AppendVarint(nil, d, v), nil)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d, b, ok := fuzzDraft(in)
		if !ok {
			return
		}
		v, n := Varint(b, d)
		if n <= 0 {
			if v != 0 {
				t.Fatalf("value %d without length", v)
			}
			return
		}
		if n > len(b) || v > d.MaxVarint() || VarintLen(d, v) > n {
			t.Fatalf("%d in %d of %d bytes, shortest %d", v, n, len(b), VarintLen(d, v))
		}
		if again, m := Varint(AppendVarint(nil, d, v), d); again != v || m != VarintLen(d, v) {
			t.Fatalf("%d comes back as %d in %d bytes", v, again, m)
		}
	})
}

func FuzzProperties(f *testing.F) {
	for _, d := range Drafts() {
		b, err := AppendProperties(nil, d, Properties{{Type: 2, Uint: 1},
			{Type: PropImmutable, Bytes: []byte{0x3c, 1, 2, 1}}, {Type: 0x22, Uint: 1},
			{Type: 0x4001, Bytes: []byte("x")}})
		seed(f, d, b, err)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d, b, ok := fuzzDraft(in)
		if !ok {
			return
		}
		props, err := ParseProperties(b, d, TrackScope, Options{})
		checkFuzzError(t, err, len(b))
		_ = props.Malformed(d, ObjectScope, Location{})
		LookupProperty(b, d, PropPriorObjectIDGap)
		again, aerr := AppendProperties(nil, d, props)
		if aerr != nil {
			t.Fatalf("%v cannot be written: %v", props, aerr)
		}
		if err != nil {
			return
		}
		back, err := ParseProperties(again, d, TrackScope, Options{})
		if err != nil || len(back) != len(props) {
			t.Fatalf("%v comes back as %v: %v", props, back, err)
		}
		for to := Oldest; to <= Newest; to++ {
			out, err := TranscodeProperties(nil, d, to, b)
			if err != nil {
				continue
			}
			if got, err := ParseProperties(out, to, 0, Options{}); err != nil || len(got) != len(props) {
				t.Fatalf("%x of %s is %x in %s: %v", b, d, out, to, err)
			}
		}
	})
}

// checkFuzzError: every error is an *Error with an offset in the input, and with a code unless the input only ends.
func checkFuzzError(t *testing.T, err error, length int) {
	t.Helper()
	if err == nil || err == ErrTruncated || err == ErrPadding {
		return
	}
	var e *Error
	if !errors.As(err, &e) || e.Offset < 0 || e.Offset > length || e.Message == "" || e.Error() == "" ||
		(e.Code == NoError) != errors.Is(err, ErrIncomplete) {
		t.Fatalf("error %#v", err)
	}
}

// checkFuzzLines: what decodes to lines encodes again, and reads the same. (The bytes may be shorter: integers need not
// come in their shortest form.)
func checkFuzzLines(t *testing.T, d Draft, stream StreamKind, b []byte, opt Options) {
	t.Helper()
	lines, err := Decode(d, stream, b, opt)
	checkFuzzError(t, err, len(b))
	if err != nil || len(lines) == 0 || lines[0].Type == "SETUP" {
		return
	}
	again, err := Encode(d, lines)
	if err != nil || len(again) > len(b) {
		t.Fatalf("%x is written as %x: %v", b, again, err)
	}
	back, err := Decode(d, stream, again, opt)
	if err != nil || len(back) != len(lines) {
		t.Fatalf("%x comes back as %x: %v", b, again, err)
	}
}

func FuzzSubgroup(f *testing.F) {
	for _, d := range Drafts() {
		h, objects := hotObjects(d)
		for _, mode := range []SubgroupIDMode{SubgroupIDZero, SubgroupIDFirstObject, SubgroupIDPresent} {
			h.IDMode, h.FirstObject = mode, true
			b, err := AppendSubgroupHeader(nil, d, &h)
			seed(f, d, b, err)
			w := h.Objects(d)
			for _, o := range objects[:2] {
				o.PayloadLength = 3
				if b, err = w.AppendHeader(b, &o); err == nil {
					b = append(b, "abc"...)
				}
				seed(f, d, b, err)
			}
			b, err = w.AppendHeader(b, &ObjectHeader{ObjectID: 1 << 30, Status: StatusEndOfTrack})
			seed(f, d, b, err)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d, b, ok := fuzzDraft(in)
		if !ok {
			return
		}
		checkFuzzLines(t, d, UniStream, b, Options{})
		var h SubgroupHeader
		pos, err := ParseSubgroupHeader(b, d, &h)
		checkFuzzError(t, err, len(b))
		if err != nil {
			return
		}
		r, w := h.Objects(d), h.Objects(d)
		for {
			var o ObjectHeader
			n, err := r.ParseHeader(b[pos:], &o)
			checkFuzzError(t, err, len(b)-pos)
			if err != nil {
				checkFuzzError(t, r.EndOfStream(b[pos:]), len(b)-pos)
				return
			}
			if n <= 0 || n > MaxObjectHeader+len(o.Properties) {
				t.Fatalf("a header of %d bytes with %d of properties", n, len(o.Properties))
			}
			if _, err := w.AppendHeader(nil, &o); err != nil {
				t.Fatalf("%+v was read but cannot be written: %v", o, err)
			}
			pos += n
			if o.PayloadLength > uint64(len(b)-pos) {
				return
			}
			pos += int(o.PayloadLength)
		}
	})
}

func FuzzDatagram(f *testing.F) {
	for _, d := range Drafts() {
		for _, typ := range datagramTypes(d) {
			g := Datagram{TrackAlias: 3, GroupID: 300, EndOfGroup: typ&2 != 0, ZeroObjectID: typ&4 != 0,
				DefaultPriority: typ&8 != 0, HasStatus: typ&0x20 != 0}
			if typ&1 != 0 {
				g.Properties = []byte{0x3c, 1}
			}
			if !g.HasStatus {
				g.Payload = []byte("payload")
			}
			b, err := AppendDatagram(nil, d, &g)
			seed(f, d, b, err)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d, b, ok := fuzzDraft(in)
		if !ok {
			return
		}
		checkFuzzLines(t, d, DatagramStream, b, Options{})
		var g Datagram
		err := ParseDatagram(b, d, Options{}, &g)
		checkFuzzError(t, err, len(b))
		if err != nil {
			return
		}
		if again, err := AppendDatagram(nil, d, &g); err != nil || len(again) > len(b) {
			t.Fatalf("%+v was read but is written as %x: %v", g, again, err)
		}
	})
}

func FuzzFetch(f *testing.F) {
	for _, d := range Drafts() {
		b, err := AppendFetchHeader(nil, d, 4)
		seed(f, d, b, err)
		w := FetchObjects{Draft: d}
		for _, o := range hotFetch(d) {
			o.PayloadLength = 2
			if b, err = w.AppendHeader(b, &o); err == nil {
				b = append(b, "ab"...)
			}
			seed(f, d, b, err)
		}
		if d >= Draft16 {
			b, err = w.AppendHeader(b, &FetchObject{Group: 1 << 41, Object: 5, Range: UnknownRange})
			seed(f, d, b, err)
			b, err = w.AppendHeader(b, &FetchObject{Group: 1 << 42, Object: 5, Datagram: true})
			seed(f, d, b, err)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d, b, ok := fuzzDraft(in)
		if !ok {
			return
		}
		opt := Options{Descending: in[0] >= 0x80}
		checkFuzzLines(t, d, UniStream, b, opt)
		_, pos, err := ParseFetchHeader(b, d)
		checkFuzzError(t, err, len(b))
		if err != nil {
			return
		}
		r := FetchObjects{Draft: d, Options: opt}
		w := r
		for {
			var o FetchObject
			n, err := r.ParseHeader(b[pos:], &o)
			checkFuzzError(t, err, len(b)-pos)
			if err != nil {
				checkFuzzError(t, r.EndOfStream(b[pos:]), len(b)-pos)
				return
			}
			if n <= 0 || n > MaxObjectHeader+len(o.Properties) {
				t.Fatalf("a header of %d bytes with %d of properties", n, len(o.Properties))
			}
			o.KeepFlags = d >= Draft15 && o.Range == NoRange
			again, err := w.AppendHeader(nil, &o)
			if err != nil || len(again) > n {
				t.Fatalf("%+v was read from %x but is written as %x: %v", o, b[pos:pos+n], again, err)
			}
			pos += n
			if o.PayloadLength > uint64(len(b)-pos) {
				return
			}
			pos += int(o.PayloadLength)
		}
	})
}
