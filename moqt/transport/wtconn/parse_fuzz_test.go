package wtconn

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quic-go/quic-go/http3"
)

// FuzzControlStream: whatever stands on a control stream has one verdict, and the stream cut anywhere has the same
// verdict or one that it ended too early.
func FuzzControlStream(f *testing.F) {
	both := []byte{4, 4, 8, 1, 0x33, 1}
	for _, more := range [][]byte{nil, {7, 1, 0}, {0x21, 2, 'x', 'y'}, {4, 0}, {0, 1, 'x'}, {0x40, 0x21, 0},
		{0xc0, 0}} {
		f.Add(append(slices.Clone(both), more...))
	}
	f.Add([]byte{7, 1, 0})
	f.Add([]byte{4, 2, 4, 1})
	f.Add([]byte{4, 4, 8, 1, 8, 1})
	f.Add([]byte{4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		parse := func(b []byte) (verdict *breach, settled, drained int) {
			verdict = parseControl(bytes.NewReader(b), func(settings) { settled++ }, func() { drained++ })
			return verdict, settled, drained
		}
		verdict, settled, drained := parse(b)
		if verdict == nil || verdict.what == "" || http3Name(uint64(verdict.code)) == "" || settled > 1 ||
			settled == 0 && drained > 0 {
			t.Fatalf("%+v, settings %d times, drained %d times", verdict, settled, drained)
		}
		for i := range b {
			short, n, _ := parse(b[:i])
			if short.code != http3.ErrCodeClosedCriticalStream && short.code != verdict.code || n > settled {
				t.Fatalf("cut at %d: %s, whole: %s", i, short.code, verdict.code)
			}
		}
	})
}

// FuzzCapsules: what stands on the CONNECT stream ends the session once, with a reason that is not too long; and cut
// anywhere before that it does not end it.
func FuzzCapsules(f *testing.F) {
	f.Add(closeCapsule(7, "why"))
	f.Add(append([]byte{0x21, 1, 'x', 0x80, 0, 0x78, 0xae, 0}, closeCapsule(0, "")...))
	f.Add([]byte{0x68, 0x43, 3, 0, 0, 0})
	f.Add([]byte{0x21, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		cause, err := parseCapsules(r, func() {})
		if (cause == nil) == (err == nil) || cause != nil && (len(cause.Reason) > maxCloseReason || !cause.Remote ||
			cause.Code > 1<<32-1) {
			t.Fatalf("%+v, %v", cause, err)
		}
		used := len(b) - r.Len()
		for i := range min(used, 64) {
			short, err := parseCapsules(bytes.NewReader(b[:i]), func() {})
			if short != nil && cmp.Diff(cause, short) != "" || short == nil && err == nil {
				t.Fatalf("cut at %d: %+v, %v", i, short, err)
			}
		}
	})
}

// FuzzProtocols: whatever a peer writes into the header fields is read or refused, and what is read can be written.
func FuzzProtocols(f *testing.F) {
	for _, s := range []string{`"moqt-18", "moqt-16"`, `moqt-18`, `("a" "b");x`, `"open`, `1.5`, ``, `:AAA=:`, "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_ = parseProtocol([]string{s})
		list, ok := parseProtocols([]string{s})
		if ok != (len(list) > 0) {
			t.Fatalf("%q, %v", list, ok)
		}
		if !ok {
			return
		}
		text, err := formatProtocols(list)
		if again, ok := parseProtocols([]string{text}); err != nil || !ok || !slices.Equal(list, again) {
			t.Fatalf("%q became %q, %v", list, again, err)
		}
	})
}
