package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// TestIntegerExamples holds the drafts' worked examples and the edges of each length (RFC 9000 A.1, draft-17 §1.4.1,
// draft-18 §1.4.1).
func TestIntegerExamples(t *testing.T) {
	for _, tt := range []struct {
		first, last Draft
		hex         string
		value       uint64
		canonical   bool
	}{
		{14, Newest, "25", 37, true},
		{14, 16, "7bbd", 15293, true},
		{14, 16, "4025", 37, false},
		{14, 16, "9d7f3e7d", 494878333, true},
		{14, 16, "c2197c5eff14e88c", 151288809941952652, true},
		{14, 16, "4040", 64, true},
		{14, 16, "7fff", 16383, true},
		{14, 16, "80004000", 16384, true},
		{14, 16, "bfffffff", 1<<30 - 1, true},
		{14, 16, "c000000040000000", 1 << 30, true},
		{14, 16, "ffffffffffffffff", 1<<62 - 1, true},
		{14, 16, "408c", 0x8C, true},
		{14, 16, "410c", 0x10C, true},
		{17, Newest, "40", 64, true},
		{17, Newest, "7f", 127, true},
		{17, Newest, "8025", 37, false},
		{17, Newest, "8080", 128, true},
		{17, Newest, "bbbd", 15293, true},
		{17, Newest, "bfff", 16383, true},
		{17, Newest, "c04000", 16384, true},
		// draft-17's own row calls it a 4-byte integer: it is not (0xdd has two leading ones)
		{17, Newest, "dd7f3e", 1933118, true},
		{17, Newest, "ed7f3e7d", 226442877, true},
		{17, Newest, "efffffff", 1<<28 - 1, true},
		{17, Newest, "f010000000", 1 << 28, true},
		{17, Newest, "faa1a0e403d8", 2893212287960, true},
		{17, Newest, "fbffffffffff", 1<<42 - 1, true},
		{17, 17, "fe00040000000000", 1 << 42, true},
		{18, Newest, "fc040000000000", 1 << 42, true},
		{18, Newest, "fc8998abc66bc0", 151288809941952, true},
		{18, Newest, "fdffffffffffff", 1<<49 - 1, true},
		{18, Newest, "fe02000000000000", 1 << 49, true},
		{17, Newest, "fefa318fa8e3ca11", 70423237261249041, true},
		{17, Newest, "feffffffffffffff", 1<<56 - 1, true},
		{17, Newest, "ff0100000000000000", 1 << 56, true},
		{17, Newest, "ffffffffffffffffff", 1<<64 - 1, true},
		{17, Newest, "af00", 0x2F00, true},
		{17, Newest, "808c", 0x8C, true},
		{17, Newest, "820c", 0x20C, true},
		{18, Newest, "f0132b3e28", TypePaddingStream, true},
		{17, Newest, "ff3fffffffffffffff", 1<<62 - 1, true},
	} {
		for d := tt.first; d <= tt.last; d++ {
			b := unhex(t, tt.hex)
			if v, n := Varint(b, d); v != tt.value || n != len(b) {
				t.Errorf("%s: Varint(%s) = %d, %d; want %d, %d", d, tt.hex, v, n, tt.value, len(b))
			}
			out := AppendVarint(nil, d, tt.value)
			if tt.canonical != bytes.Equal(out, b) {
				t.Errorf("%s: AppendVarint(%d) = %x, the example is %s", d, tt.value, out, tt.hex)
			}
		}
	}
}

// TestVarintInvalidCodePoints: draft-17 §1.4.1 knows no 7-byte form; 18 does.
func TestVarintInvalidCodePoints(t *testing.T) {
	for _, first := range []byte{0xfc, 0xfd} {
		b := append([]byte{first}, make([]byte, 8)...)
		if _, n := Varint(b, Draft17); n != -1 {
			t.Errorf("draft-17: %#x: n = %d, want -1", first, n)
		}
		if _, n := Varint(b, Draft18); n != 7 {
			t.Errorf("draft-18: %#x: n = %d, want 7", first, n)
		}
	}
}

func TestVarintTooLarge(t *testing.T) {
	if n := VarintLen(Draft16, 1<<62); n != 0 {
		t.Errorf("VarintLen = %d, want 0", n)
	}
	defer func() {
		if recover() == nil {
			t.Error("AppendVarint of 2^62 in 16 does not panic")
		}
	}()
	AppendVarint(nil, Draft16, 1<<62)
}

// everyDraft checks a property for each draft.
func everyDraft(t *testing.T, check func(t *rapid.T, d Draft)) {
	for _, d := range Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { check(t, d) })
		})
	}
}

// drawInt draws an integer that the draft can encode; every length is likely.
func drawInt(t *rapid.T, d Draft, name string) uint64 {
	bits := rapid.IntRange(0, 64).Draw(t, name+" bits")
	v := rapid.Uint64().Draw(t, name) >> (64 - bits) & d.MaxVarint()
	return v
}

func TestVarintProperties(t *testing.T) {
	everyDraft(t, func(t *rapid.T, d Draft) {
		v := drawInt(t, d, "v")
		b := AppendVarint([]byte{1}, d, v)[1:]
		if len(b) != VarintLen(d, v) {
			t.Fatalf("%d bytes, VarintLen %d", len(b), VarintLen(d, v))
		}
		if got, n := Varint(append(b, 0xff), d); got != v || n != len(b) {
			t.Fatalf("Varint(%x) = %d, %d; want %d", b, got, n, v)
		}
		for i := range b {
			if _, n := Varint(b[:i], d); n != 0 {
				t.Fatalf("prefix %x: n = %d, want 0", b[:i], n)
			}
		}
	})
}

func TestVarintVectors(t *testing.T) {
	for _, d := range []Draft{Draft14, Draft16} {
		for _, v := range readVectors(t, d, "varint.json") {
			got, n := Varint(unhex(t, v.Hex), d)
			if v.Error != "" {
				if n > 0 {
					t.Errorf("%s %s: decodes, want an error", d, v.ID)
				}
				continue
			}
			var want struct{ Value string }
			if err := json.Unmarshal(v.Decoded, &want); err != nil {
				t.Fatal(err)
			}
			if uintValue(got) != want.Value || n != len(v.Hex)/2 {
				t.Errorf("%s %s: %d (%d bytes), want %s", d, v.ID, got, n, want.Value)
			}
			if v.Canonical == nil && hex.EncodeToString(AppendVarint(nil, d, got)) != v.Hex {
				t.Errorf("%s %s: does not encode back", d, v.ID)
			}
		}
	}
}

// readVectors reads a file of the public wire vectors beside the project, and skips the test where it is not there.
func readVectors(t *testing.T, d Draft, name string) []vector {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", "vectors", fmt.Sprintf("draft%d", d), "codec", name)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("no vectors at %s: they lie beside the project, not in it", path)
	}
	var set struct{ Vectors []vector }
	if err := json.Unmarshal(raw, &set); err != nil {
		t.Fatal(err)
	}
	if len(set.Vectors) == 0 {
		t.Fatalf("%s holds no vectors", path)
	}
	return set.Vectors
}
