package wire

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUsualObjectHeaders: what the short way reads and writes of object headers is what the long way does, for every
// beginning of two bytes and all lengths of what has come; the long way takes the rest.
func TestUsualObjectHeaders(t *testing.T) {
	for _, d := range Drafts() {
		usual := 0
		for first := range 1 << 16 {
			all := []byte{byte(first >> 8), byte(first), 0x05, 0xff}
			for n := range len(all) + 1 {
				b := all[:n]
				short := SubgroupObjects{Draft: d, started: true, last: 40}
				long := short
				var got, want ObjectHeader
				c := cursor{b: b, d: d}
				wantN, wantErr := c.result(objectMessage, long.parse(&c, &want))
				gotN, gotErr := short.ParseHeader(b, &got)
				if gotN != wantN || (gotErr == nil) != (wantErr == nil) || short.last != long.last {
					t.Fatalf("%s: %x: %d bytes, %v; want %d, %v", d, b, gotN, gotErr, wantN, wantErr)
				}
				if gotErr != nil {
					continue
				}
				if got.ObjectID != want.ObjectID || got.Delta != want.Delta || got.Status != want.Status ||
					got.PayloadLength != want.PayloadLength || got.Properties != nil {
					t.Fatalf("%s: %x: %s", d, b, cmp.Diff(want, got))
				}
				if short = (SubgroupObjects{Draft: d, started: true, last: 40}); short.parseUsual(b, &got) > 0 {
					usual++
				}
			}
		}
		if usual < 1<<14 {
			t.Errorf("%s: only %d headers are read the short way", d, usual)
		}
	}
	h := ObjectHeader{PayloadLength: 64}
	for _, o := range []SubgroupObjects{{Draft: Draft22}, {Draft: Draft22, started: true, HasProperties: true},
		{Draft: Draft22, started: true, last: usualID}} {
		if n := o.parseUsual([]byte{0, 5, 1, 1}, &h); n != 0 {
			t.Errorf("%+v: it reads %d bytes", o, n)
		}
	}
}

// TestUsualObjectHeadersWritten: an object's header has its shortest form, and reads as what was written.
func TestUsualObjectHeadersWritten(t *testing.T) {
	for _, d := range Drafts() {
		for _, delta := range []uint64{0, 1, 62, 63, 64, 127, 128, 16383, 1 << 20} {
			for _, size := range []uint64{1, 62, 63, 64, 65, 127, 128, 129, 4096, 16382, 16383, 16384, 16385, 1 << 20} {
				for _, last := range []uint64{0, 1000, usualID - 64, usualID} {
					o := SubgroupObjects{Draft: d, started: true, last: last}
					h := ObjectHeader{ObjectID: last + 1 + delta, PayloadLength: size}
					want := AppendVarint(AppendVarint([]byte{9}, d, delta), d, size)
					got, err := o.AppendHeader([]byte{9}, &h)
					if err != nil || !bytes.Equal(got, want) || o.last != h.ObjectID {
						t.Fatalf("%s: delta %d, %d bytes, after %d: %x, %v; want %x", d, delta, size, last, got, err,
							want)
					}
				}
			}
		}
		o := SubgroupObjects{Draft: d, started: true, last: 7}
		for _, bad := range []ObjectHeader{{ObjectID: 7, PayloadLength: 1}, {ObjectID: 3, PayloadLength: 1},
			{ObjectID: 8, PayloadLength: 1, Status: StatusEndOfGroup}, {ObjectID: 8, PayloadLength: 1,
				Properties: []byte{1}}} {
			if b, err := o.AppendHeader(nil, &bad); err == nil || len(b) > 0 || o.last != 7 {
				t.Errorf("%s: %+v: %x, no error", d, bad, b)
			}
		}
	}
}
