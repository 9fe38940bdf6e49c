package wire

import (
	"errors"
	"strings"
	"testing"
)

// TestTolerated: what must be let pass by the text, and what a tolerance lets pass, with its report.
func TestTolerated(t *testing.T) {
	for _, x := range []struct {
		name        string
		first, last Draft
		code        uint64
		stream      StreamKind
		body        func(d Draft) []byte
		tolerance   Tolerance
	}{
		{"unknown setup option, repeated", 14, 16, 0x20, ControlStream, func(d Draft) []byte {
			second := 0x5555
			if d == Draft16 {
				second = 0
			}
			return body(d, setupHead(d), 2, 0x5555, "a", second, "b")
		}, 0},
		{"unknown setup option, repeated", 17, 22, 0x2F00, ControlStream,
			func(d Draft) []byte { return body(d, 0x5555, "a", 0, "b") }, 0},
		{"unknown parameter, repeated", 14, 15, 0x6, ControlStream,
			func(d Draft) []byte { return body(d, 0, 1, "n", 2, 0x5555, "a", 0x5555, "b") }, 0},
		{"what later drafts call MOQT_IMPLEMENTATION, repeated", 14, 14, 0x20, ControlStream,
			func(d Draft) []byte { return body(d, setupHead(d), 2, 7, "a", 7, "b") }, 0},
		{"types up to 2^64-1", 16, 16, 0x20, ControlStream, func(d Draft) []byte {
			return body(d, 5, most62, "", most62, 0, most62, "", most62, 0, 3, "")
		}, 0},
		{"known parameter in the wrong message", 14, 16, 0x6, ControlStream,
			func(d Draft) []byte { return body(d, 0, 1, "n", 1, 2, 0) }, 0},
		{"misplaced parameter that does not fit its own form", 15, 16, 0x6, ControlStream,
			func(d Draft) []byte { return body(d, 0, 1, "n", 1, 9, "x") }, 0},
		{"invalid range filter", 19, 22, 0x3, RequestStream, func(d Draft) []byte {
			return body(d, 0, 1, "n", "t", 1, 0x27, string(body(d, []byte{0}, 300)))
		}, 0},
		{"GROUP_ORDER in SUBSCRIBE_OK", 17, 22, 0x4, RequestStream,
			func(d Draft) []byte { return body(d, 1, 1, 0x22, []byte{1}) }, GroupOrderInReplies},
		{"EXPIRES in SUBSCRIBE", 18, 22, 0x3, RequestStream,
			func(d Draft) []byte { return body(d, 0, 1, "n", "t", 1, 8, 1) }, MisplacedParameters},
		{"LARGEST_OBJECT with a length", 17, 22, 0x4, RequestStream,
			func(d Draft) []byte { return body(d, 1, 1, 9, 2, 1, 1) }, LargestObjectLength},
		{"FILL_PARAMETERS without a length", 20, 22, 0x3, RequestStream,
			func(d Draft) []byte { return body(d, 0, 1, "n", "t", 1, 0x23, 1, 0x0A, 0x40) }, FillWithoutLength},
		{"FORWARD 2 in a REQUEST_OK, where it is ignored", 16, 16, 0x7, ControlStream,
			func(d Draft) []byte { return body(d, 0, 1, 0x10, 2) }, 0},
		{"GROUP_ORDER 0 in a REQUEST_OK, ignored unless it answers TRACK_STATUS", 15, 15, 0x7, ControlStream,
			func(d Draft) []byte { return body(d, 0, 1, 0x22, 0) }, 0},
		{"TRACK_NAMESPACE_PREFIX with a length", 18, 22, 0x2, RequestStream,
			func(d Draft) []byte { return body(d, 6, 1, 0x34, 6, 2, "a", "bc") }, NamespacePrefixLength},
		{"SUBSCRIBE_NAMESPACE with an empty prefix", 14, 15, 0x11, ControlStream,
			func(d Draft) []byte { return body(d, 1, 0, 0) }, EmptyNamespacePrefix},
		{"truncated track properties", 16, 16, 0x4, ControlStream, func(d Draft) []byte { return body(d, 0, 1, 0, 4) },
			LenientExtensions},
		{"truncated track properties", 17, 22, 0x4, RequestStream, func(d Draft) []byte { return body(d, 1, 0, 4) },
			LenientExtensions},
	} {
		for d := x.first; d <= x.last; d++ {
			t.Run(d.String()+"/"+x.name, func(t *testing.T) {
				b, err := appendFrame(nil, d, x.code, x.body(d))
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := ParseMessage(b, d, x.stream, Options{}); (err == nil) != (x.tolerance == 0) {
					t.Errorf("strict: got error %v", err)
				} else if hint := "; would pass with --compat " + x.tolerance.String(); err != nil &&
					!strings.HasSuffix(err.Error(), hint) {
					t.Errorf("strict: got error %q, want it to end with %q", err, hint)
				}
				var reported Tolerance
				opt := Options{Tolerate: x.tolerance, Tolerated: func(tol Tolerance, where string) { reported |= tol }}
				if _, _, err := ParseMessage(b, d, x.stream, opt); err != nil {
					t.Errorf("tolerant: %v", err)
				}
				if reported != x.tolerance {
					t.Errorf("reported %q, want %q", reported, x.tolerance)
				}
			})
		}
	}
}

// TestDeviation: where the strict reading takes a deviation for something else and fails later, the error names both
// places.
func TestDeviation(t *testing.T) {
	for _, x := range []struct {
		name  string
		first Draft
		code  uint64
		body  func(d Draft) []byte
		want  string
	}{
		{"a LARGEST_OBJECT with a length", Draft17, 0x4, func(d Draft) []byte { return body(d, 1, 1, 9, 2, 1, 1) },
			"parameters[0].LARGEST_OBJECT"},
		{"the second of two parameters", Draft17, 0x4, func(d Draft) []byte {
			return body(d, 1, 2, 8, 1, 1, 2, 1, 1)
		}, "parameters[1].LARGEST_OBJECT"},
		{"before properties that are sound", Draft17, 0x4, func(d Draft) []byte {
			return body(d, 1, 1, 9, 2, 1, 1, 8, 5)
		}, "parameters[0].LARGEST_OBJECT"},
		{"a namespace prefix, which fails at its own place", Draft18, 0x2, func(d Draft) []byte {
			return body(d, 6, 1, 0x34, 6, 2, "a", "bc")
		}, ""},
		{"properties that are cut short, at their own place", Draft17, 0x4, func(d Draft) []byte {
			return body(d, 1, 0, 4)
		}, ""},
	} {
		for d := x.first; d <= Newest; d++ {
			t.Run(d.String()+"/"+x.name, func(t *testing.T) {
				b, err := appendFrame(nil, d, x.code, x.body(d))
				if err != nil {
					t.Fatal(err)
				}
				_, _, err = ParseMessage(b, d, RequestStream, Options{})
				var e *Error
				if !errors.As(err, &e) || e.WouldPass == 0 || e.Deviation != x.want {
					t.Fatalf("got %v, want a deviation in %q", err, x.want)
				}
				if x.want != "" && !strings.Contains(err.Error(), "; the deviation is in "+x.want+"; would pass with") {
					t.Errorf("got %q", err)
				}
			})
		}
	}
}
