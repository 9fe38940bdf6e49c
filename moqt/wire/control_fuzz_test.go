package wire

import (
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// seedMessages are real messages of every kind and draft, made from structs.
func seedMessages(f *testing.F, add func(d Draft, stream StreamKind, b []byte)) {
	for d := Oldest; d <= Newest; d++ {
		for i := range rows {
			r := &rows[i]
			if d < r.first || r.last < d {
				continue
			}
			stream := streamOf(d, r)
			b := rapid.Custom(func(t *rapid.T) []byte {
				b, err := AppendMessage(nil, d, generator{t, d}.message(r), stream)
				if err != nil {
					t.Fatal(err)
				}
				return b
			}).Example(i)
			add(d, stream, b)
		}
	}
}

// draftOf maps a fuzzer's first byte to a draft.
func draftOf(b byte) Draft { return Oldest + Draft(b)%(Newest-Oldest+1) }

// FuzzControl: the first byte chooses draft and stream. What decodes encodes again, and that is a fixed point.
func FuzzControl(f *testing.F) {
	seedMessages(f, func(d Draft, stream StreamKind, b []byte) {
		first := byte(d - Oldest)
		if stream == RequestStream {
			first += byte(Newest-Oldest+1) * 2
		}
		f.Add(append([]byte{first}, b...))
	})
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 {
			return
		}
		d := draftOf(in[0])
		stream := StreamKind(in[0] / byte(Newest-Oldest+1) / 2 % 2)
		for _, opt := range []Options{{}, {Tolerate: ^Tolerance(0)}} {
			m, n, err := ParseMessage(in[1:], d, stream, opt)
			if err != nil {
				e := (*Error)(nil)
				if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(in)-1 || e.Reason == "" {
					t.Fatalf("bad error %#v for %x", err, in)
				}
				continue
			}
			if n <= 0 || n > len(in)-1 {
				t.Fatalf("took %d of %d bytes", n, len(in)-1)
			}
			if opt.Tolerate != 0 {
				continue // what is tolerated need not be encodable: encoding never repairs
			}
			again, err := AppendMessage(nil, d, m, stream)
			if err != nil {
				t.Fatalf("%x decodes to %+v, which does not encode: %v", in, m, err)
			}
			m2, _, err := ParseMessage(again, d, stream, Options{})
			if err != nil {
				t.Fatalf("%x encodes as %x, which does not decode: %v", in, again, err)
			}
			if third, err := AppendMessage(nil, d, m2, stream); err != nil || string(third) != string(again) {
				t.Fatalf("%x is no fixed point: %x: %v", again, third, err)
			}
			name, _, fields, err := Describe(d, m, stream)
			if err != nil {
				t.Fatalf("describe: %v", err)
			}
			m3, err := MessageFromFields(d, name, fields, stream)
			if err != nil {
				t.Fatalf("%v does not read back: %v", fields, err)
			}
			// A token inside a setup option may hold integers that are not the shortest; the description does not keep
			// those.
			short, err := AppendMessage(nil, d, m3, stream)
			if err != nil {
				t.Fatalf("described %v does not encode: %v", fields, err)
			}
			m4, _, err := ParseMessage(short, d, stream, Options{})
			if err != nil {
				t.Fatalf("described %v encodes as %x, which does not decode: %v", fields, short, err)
			}
			if _, _, same, err := Describe(d, m4, stream); err != nil || !reflect.DeepEqual(same, fields) {
				t.Fatalf("described %v comes back as %v: %v", fields, same, err)
			}
		}
	})
}

// FuzzParameters feeds a parameter block alone: it reaches the values sooner than whole messages do.
func FuzzParameters(f *testing.F) {
	for d := Oldest; d <= Newest; d++ {
		for seed := range 8 {
			b := rapid.Custom(func(t *rapid.T) []byte {
				c := coder{op: opEncode, draft: d, row: &row{name: "SUBSCRIBE", kind: KindSubscribe}, opt: &Options{}}
				ps := generator{t, d}.parameters(inS)
				c.parameters(&ps)
				return c.out
			}).Example(seed)
			f.Add(append([]byte{byte(d - Oldest)}, b...))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 {
			return
		}
		d := draftOf(in[0])
		for _, kind := range []Kind{KindSubscribe, KindRequestUpdate, KindSubscribeTracks, KindRequestOK, KindPublish} {
			c := coder{op: opDecode, draft: d, row: &row{name: kind.String(), kind: kind}, opt: &Options{}, in: in[1:]}
			var ps Parameters
			c.parameters(&ps)
			if c.err != nil {
				continue
			}
			out := coder{op: opEncode, draft: d, row: c.row, opt: &Options{}}
			out.parameters(&ps)
			if out.err != nil {
				t.Fatalf("%s: %x decodes to %+v, which does not encode: %v", d, in, ps, out.err)
			}
			if len(out.out) > c.pos+16*len(ps) { // shortest integers: never much longer than what came
				t.Fatalf("%x grows to %x", in, out.out)
			}
		}
	})
}
