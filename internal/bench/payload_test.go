package bench

import (
	"bytes"
	"math"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestHeader(t *testing.T) {
	want := header{phaseMeasured, 0xdeadbeef, 1 << 40, math.MaxInt64 / 3}
	for _, size := range []int{MinObjectSize, MinObjectSize + 1, 4096} {
		payload := make([]byte, size)
		want.put(payload)
		if got, whole := parseHeader(payload); got != want || !whole {
			t.Errorf("%d bytes: %+v, whole %v", size, got, whole)
		}
		if _, whole := parseHeader(payload[:size-1]); whole {
			t.Errorf("%d bytes: whole though the last is missing", size)
		}
		for i := range headerSize {
			bad := bytes.Clone(payload)
			bad[i] ^= 0x55
			if _, whole := parseHeader(bad); whole {
				t.Errorf("%d bytes: byte %d has changed unseen", size, i)
			}
		}
	}
}

// What is written is read, to the microsecond, in every form and draft.
func TestTimestamps(t *testing.T) {
	const at = 1_790_000_000_123_456_000
	for _, kind := range []Timestamps{LOCTimestamps, FrindellTimestamps, BothTimestamps} {
		for _, d := range wire.Drafts() {
			r, err := newStampReader(d, kind.track())
			if err != nil {
				t.Fatal(err)
			}
			var o moqt.Object
			if err := kind.stamp(&o, at); err != nil {
				t.Fatal(err)
			}
			want := kind
			if kind == BothTimestamps {
				want = FrindellTimestamps
			}
			if got, from := r.read(&o); got != at || from != want {
				t.Errorf("%s: %d from %q", kind, got, from)
			}
		}
	}
}

// draft-frindell-moq-timestamp-00 §4.4, §5: a mapping gives the time of every object, and a correction moves it.
func TestTimestampMapping(t *testing.T) {
	const d = wire.Draft18
	var mapping []byte
	for _, v := range []uint64{10, 5_000, 2_000, 100} { // group 10 began at tick 5,000; a group is 2,000 ticks
		mapping = wire.AppendVarint(mapping, d, v)
	}
	track := wire.Properties{{Type: propTimestampMapping, Bytes: mapping}, {Type: propTimescale, Uint: 1000}}
	r, err := newStampReader(d, track)
	if err != nil {
		t.Fatal(err)
	}
	o := moqt.Object{GroupID: 12, ObjectID: 3}
	if at, from := r.read(&o); at != 9_300e6 || from != FrindellTimestamps {
		t.Errorf("%d from %q", at, from)
	}
	if err := o.EncodeProperties(d, wire.Properties{{Type: propObjectTimestamp, Uint: 3}}); err != nil { // -2
		t.Fatal(err)
	}
	if at, _ := r.read(&o); at != 9_298e6 {
		t.Errorf("%d with a correction of -2", at)
	}
	for name, bad := range map[string]wire.Properties{
		"no timescale": {{Type: propTimestampMapping, Bytes: mapping}},
		"scale 0":      {{Type: propTimescale}},
		"cut":          {{Type: propTimestampMapping, Bytes: mapping[:len(mapping)-1]}, {Type: propTimescale, Uint: 1}},
	} {
		if _, err := newStampReader(d, bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	// A media clock tells no latency.
	r, err = newStampReader(d, wire.Properties{{Type: propTimescale, Uint: 1000}, {Type: propClockID, Uint: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, from := r.read(&o); from != NoTimestamps {
		t.Errorf("the time of a media clock is taken from %q", from)
	}
}

func TestVideo(t *testing.T) {
	for _, profile := range VideoProfiles() {
		for _, gop := range GOPs() {
			v, err := parseVideo(profile+"60", gop)
			if err != nil {
				t.Fatal(err)
			}
			sum := 0
			for _, n := range v.frames {
				sum += n
			}
			mbps := float64(sum) * 8 / 1e6 / gopSeconds
			want := bitrates[profile] * 1.5
			if math.Abs(mbps-want)/want > 0.01 || v.rate != 60 || len(v.frames) != 120 {
				t.Errorf("%s %s: %.3f Mbit/s, want %.3f; %v frames", profile, gop, mbps, want, len(v.frames))
			}
			if gop != "i" && v.frames[0] <= v.frames[1] {
				t.Errorf("%s %s: the first picture is not the largest", profile, gop)
			}
		}
	}
	for _, bad := range []string{"", "p", "1080", "1080p0", "1080p999", "8k", "1080p-1", "4kx"} {
		if _, err := parseVideo(bad, "ip"); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
	if _, err := parseVideo("4k", "bip"); err == nil {
		t.Error("no error for an unknown pattern")
	}
}
