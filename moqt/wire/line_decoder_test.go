package wire

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// inPieces decodes b in pieces of drawn sizes.
func inPieces(t *rapid.T, l *LineDecoder, b []byte) ([]Line, error) {
	var lines []Line
	for {
		n := rapid.IntRange(0, len(b)).Draw(t, "piece")
		more, err := l.Decode(b[:n], n == len(b))
		if lines = append(lines, more...); err != nil || n == len(b) {
			return lines, err
		}
		b = b[n:]
	}
}

// TestLineDecoderNeedsNoWholeStream: however a stream is cut into pieces, whole or damaged, the lines and the error are
// those of the whole.
func TestLineDecoderNeedsNoWholeStream(t *testing.T) {
	everyDraft(t, func(t *rapid.T, d Draft) {
		stream, opt := UniStream, Options{}
		var b []byte
		switch rapid.IntRange(0, 3).Draw(t, "stream") {
		case 0:
			_, b, _ = drawSubgroup(t, d)
		case 1:
			opt.Descending = rapid.Bool().Draw(t, "descending")
			_, b, _ = drawFetch(t, d, opt.Descending)
		case 2:
			g := drawDatagram(t, d)
			var err error
			if b, err = AppendDatagram(nil, d, &g); err != nil {
				t.Fatal(err)
			}
			stream = DatagramStream
		case 3:
			stream = ControlStream
			for range rapid.IntRange(0, 4).Draw(t, "messages") {
				var err error
				if b, err = AppendMessage(b, d, &Goaway{NewSessionURI: rapid.StringN(0, 40, -1).Draw(t, "uri")},
					stream); err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(b) > 0 && rapid.Bool().Draw(t, "damaged") {
			b = append([]byte(nil), b[:rapid.IntRange(0, len(b)).Draw(t, "cut")]...)
			if len(b) > 0 {
				b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			}
		}
		want, wantErr := Decode(d, stream, b, opt)
		got, err := inPieces(t, NewLineDecoder(d, stream, opt), b)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("lines (-whole +pieces)\n%s", diff)
		}
		for _, e := range []error{err, wantErr} {
			if e, ok := e.(*Error); ok {
				e.WouldPass = 0 // more may have come before the error of the whole
			}
		}
		if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
			t.Errorf("error %v, want %v", err, wantErr)
		}
	})
}

// TestLineDecoderTellsOfTolerancesOnce: what is read again because it was incomplete is reported once.
func TestLineDecoderTellsOfTolerancesOnce(t *testing.T) {
	// A subgroup whose first object has a block of properties that ends in the middle of one.
	b := unhex(t, "39054064"+"00023c40026162")
	var whole, told []string
	opt := Options{Tolerate: LenientExtensions,
		Tolerated: func(_ Tolerance, where string) { whole = append(whole, where) }}
	want, err := Decode(Draft16, UniStream, b, opt)
	if err != nil || len(whole) == 0 {
		t.Fatalf("%v, tolerated %v", err, whole)
	}
	opt.Tolerated = func(_ Tolerance, where string) { told = append(told, where) }
	l := NewLineDecoder(Draft16, UniStream, opt)
	var got []Line
	for i := range b {
		lines, err := l.Decode(b[i:i+1], false)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, lines...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-whole +pieces)\n%s", diff)
	}
	if diff := cmp.Diff(whole, told); diff != "" {
		t.Errorf("tolerated (-whole +pieces)\n%s", diff)
	}
	if lines, err := l.Decode([]byte{0}, true); !errors.Is(err, ErrTruncated) || len(lines) > 0 {
		t.Errorf("the end inside an object: %v, %v", lines, err)
	}
}
