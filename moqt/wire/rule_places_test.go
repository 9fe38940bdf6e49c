package wire

import (
	"errors"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// TestErrorPlaces: an error points to the first byte of the field at fault, and to where the draft has the rule.
func TestErrorPlaces(t *testing.T) {
	name := []any{1, "a", "t"}
	for _, x := range []struct {
		what    string
		draft   Draft
		message uint64
		body    []any
		field   string
		offset  int // behind type and length
		section string
		code    SessionError
	}{
		{"forward", 14, 0x3, append(append([]any{0}, name...), []byte{1, 1, 2}, 2, 0), "forward", 8, "§9.7",
			ProtocolViolation},
		{"forward of PUBLISH", 14, 0x1D, append(append([]any{0}, name...), 7, []byte{1, 0, 2}, 0), "forward", 9,
			"§9.13", ProtocolViolation},
		{"content exists of PUBLISH", 14, 0x1D, append(append([]any{0}, name...), 7, []byte{1, 2, 1}, 0),
			"content_exists", 8, "§9.13", ProtocolViolation},
		{"group order of FETCH_OK", 14, 0x18, []any{0, []byte{0, 0}, 1, 1, 0}, "group_order", 1, "§9.17",
			ProtocolViolation},
		{"filter type", 14, 0x3, append(append([]any{0}, name...), []byte{1, 1, 1}, 5, 0), "filter_type", 9, "§9.7",
			ProtocolViolation},
		{"empty prefix", 15, 0x11, []any{0, 0, 0}, "track_namespace_prefix", 1, "§9.23", ProtocolViolation},
		{"prefix of SUBSCRIBE_TRACKS", 18, 0x51, []any{0, 33, 0}, "track_namespace_prefix", 1, "§10.19",
			ProtocolViolation},
		{"empty field", 17, 0x6, []any{0, 0, 2, "a", "", 0}, "track_namespace", 2, "§2.4.1", ProtocolViolation},
		{"reason", 18, 0xB, []any{2, 3, string(make([]byte, 1025))}, "error_reason", 2, "§1.4.4", ProtocolViolation},
		{"FORWARD", 15, 0x3, append(append([]any{0}, name...), 1, 0x10, 2), "parameters[0].value", 8, "§9.2.1.10",
			ProtocolViolation},
		{"GROUP_ORDER", 19, 0x3, append(append([]any{0}, name...), 1, 0x22, []byte{3}), "parameters[0].value", 8,
			"§10.2.8", ProtocolViolation},
		{"FORWARD", 22, 0x3, append(append([]any{0}, name...), 1, 0x10, []byte{2}), "parameters[0].value", 8,
			"§9.20.18", ProtocolViolation},
		{"INCLUDE_PROPERTIES", 20, 0x3, append(append([]any{0}, name...), 1, 0x35, []byte{2}), "parameters[0].value", 8,
			"§10.2.21", ProtocolViolation},
		{"path", 22, 0x2F00, []any{1, "x"}, "setup_options[0]", 0, "§9.1.2", MalformedPath},
		{"authority", 22, 0x2F00, []any{5, ""}, "setup_options[0]", 0, "§9.1.1", MalformedAuthority},
		{"filter longer than its fields", 16, 0x3, append(append([]any{0}, name...), 1, 0x21, 2, []byte{2, 0}),
			"parameters[0].value", 10, "§9.2.2.5", ProtocolViolation},
		{"token without a type", 18, 0x3, append(append([]any{0}, name...), 1, 3, "\x03"), "parameters[0].token_type",
			10, "§10.2.2", KeyValueFormattingError},
		{"not valid in an update", 16, 0x2, []any{2, 0, 1, 0x22, 1}, "parameters[0].type", 3, "§9.11",
			ProtocolViolation},
		{"malformed path", 16, 0x20, []any{2, 0, "", 1, "x y"}, "setup_parameters[1]", 3, "§9.3.1.2", MalformedPath},
		{"path from a server", 15, 0x21, []any{2, 2, 1, 1, "/"}, "setup_parameters[1]", 3, "§9.3.1.2", InvalidPath},
		{"token of a setup option", 17, 0x2F00, []any{1, "/", 2, "\x04"}, "setup_options[1].alias_type", 5, "§9.3.2",
			KeyValueFormattingError},
		{"bytes behind a token of a setup option", 19, 0x2F00, []any{3, "\x02\x01\x01"}, "setup_options[0]", 4,
			"§10.2.2", KeyValueFormattingError},
	} {
		t.Run(x.draft.String()+"/"+x.what, func(t *testing.T) {
			b, err := appendFrame(nil, x.draft, x.message, body(x.draft, x.body...))
			if err != nil {
				t.Fatal(err)
			}
			frame := len(b) - len(body(x.draft, x.body...))
			m, _, err := ParseMessage(b, x.draft, streamOf(x.draft, rowOf(x.draft, x.message)), Options{})
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%x decodes to %+v, want an error", b, m)
			}
			if e.Field != x.field || e.Offset != frame+x.offset || e.Section() != x.section || e.Code != x.code {
				t.Errorf("%q at %d, %s, code 0x%x; want %q at %d, %s, code 0x%x: %v", e.Field, e.Offset, e.Section(),
					uint64(e.Code), x.field, frame+x.offset, x.section, uint64(x.code), err)
			}
		})
	}
}

// TestDraft14SharedOption: AUTHORITY and MOQT_IMPLEMENTATION have one code in draft 14 (§9.3.2.1, §9.3.2.6), so a
// client that sends both sends it twice.
func TestDraft14SharedOption(t *testing.T) {
	b, err := appendFrame(nil, Draft14, 0x20, body(Draft14, 1, uint64(0xff00000e), 2, 5, "relay:1", 5, "client/1 x"))
	if err != nil {
		t.Fatal(err)
	}
	m, n, err := ParseMessage(b, Draft14, ControlStream, Options{})
	if err != nil || n != len(b) {
		t.Fatalf("%d of %d bytes, %v", n, len(b), err)
	}
	if o := m.(*Setup).Options; len(o) != 2 || string(o[0].Bytes) != "relay:1" || string(o[1].Bytes) != "client/1 x" {
		t.Errorf("options %+v", o)
	}
}

// TestUnknownMessageEarly: what no draft's message can begin with is refused before its body is there, so that a peer
// of another protocol is known at once.
func TestUnknownMessageEarly(t *testing.T) {
	for d := Oldest; d <= Newest; d++ {
		whole, err := appendFrame(nil, d, 0x41, make([]byte, 300))
		if err != nil {
			t.Fatal(err)
		}
		_, size := Varint(whole, d)
		for n := size; n < len(whole); n += 100 {
			if _, _, err := ParseMessage(whole[:n], d, ControlStream, Options{}); !errors.Is(err, ErrUnknownType) {
				t.Errorf("%s: %d bytes: %v, want an unknown type", d, n, err)
			}
		}
		if _, _, err := ParseMessage(whole[:size-1], d, ControlStream, Options{}); !errors.Is(err, ErrTruncated) {
			t.Errorf("%s: a part of the type: %v, want truncated", d, err)
		}
	}
}

// TestTruncatedPlaces: an input that ends inside a message is an error that names the field it ends in, from the
// field's first byte.
func TestTruncatedPlaces(t *testing.T) {
	for _, x := range []struct {
		draft  Draft
		hex    string
		field  string
		offset int
	}{
		{15, "40", "type", 0},
		{15, "03", "length", 1},
		{15, "0300", "length", 1},
		{15, "03000e", "request_id", 3},
		{15, "03000e0101046c6976", "track_namespace", 6},
		{15, "03000e0101046c697665", "track_name", 10},
		{15, "03000e0101046c69766505766964656f", "parameters", 16},
		{15, "0300130101046c69766505766964656f0121030a", "parameters[0].value", 19},
		{15, "03000f0101046c69766505766964656f00", "", 17}, // the fields are all there, the length says more
		{14, "0300120101046c69766505766964656f80", "group_order", 17},
		{14, "200010" + "01" + "c0000000ff00", "supported_versions", 4},
		{16, "20000701010a2f", "setup_parameters.value", 4},
		{18, "03000d00010161017401210403", "parameters[0].value", 12},
	} {
		b := unhex(t, x.hex)
		stream := ControlStream
		if x.draft >= Draft17 {
			stream = RequestStream
		}
		_, _, err := ParseMessage(b, x.draft, stream, Options{})
		var e *Error
		if !errors.As(err, &e) || !errors.Is(err, ErrTruncated) {
			t.Errorf("%s %s: %v, want truncated", x.draft, x.hex, err)
			continue
		}
		if e.Field != x.field || e.Offset != x.offset || e.Code != ProtocolViolation {
			t.Errorf("%s %s: %q at %d, want %q at %d: %v", x.draft, x.hex, e.Field, e.Offset, x.field, x.offset, err)
		}
	}
}

// A prefix of 33 fields breaks the rule of namespaces from 21 on, where prefixes have no rule of their own.
func TestPrefixOfTooManyFields(t *testing.T) {
	for d, want := range map[Draft]string{20: "§10.19", 21: "§8.7", 22: "§8.7"} {
		b, _ := appendFrame(nil, d, 0x50, append([]byte{0, 33}, make([]byte, 66)...))
		_, _, err := ParseMessage(b, d, RequestStream, Options{})
		if err == nil || err.(*Error).Section() != want {
			t.Errorf("%s: %v, want %s", d, err, want)
		}
	}
}

// Each value that a row bounds has a rule, in each draft of the row.
func TestBoundsHaveRules(t *testing.T) {
	for _, r := range parameterRows {
		for d := r.first; d <= r.last && r.min+r.max > 0; d++ {
			fitsType := r.enc == encUint8 && d >= Draft17 && r.min == 0 && r.max == 255
			if !fitsType && rules.Section(d, valueRules[r.t]) == "" {
				t.Errorf("%s: %s has no rule of its values", d, r.name)
			}
		}
	}
	for _, r := range propertyRows {
		for d := r.first; d <= r.last && r.rule != nil; d++ {
			if rules.Section(d, r.rule.rule) == "" {
				t.Errorf("%s: %s has no rule of its values", d, r.name)
			}
		}
	}
}

// TestWhatEnds: a value that goes past the end of its parameter says so, and not that the message ends.
func TestWhatEnds(t *testing.T) {
	for _, x := range []struct {
		d    Draft
		code uint64
		body []any
		want string
	}{
		{18, 0x3, []any{0, 1, "a", "t", 1, 0x21, "\x03"},
			"start_location.group at byte 13: truncated: the parameter ends"},
		{18, 0x3, []any{0, 1, "a", "t", 1, 0x03, "\x03"}, "token_type at byte 13: truncated: the parameter ends"},
		{18, 0x3, []any{0, 1, "a", "t", 1, 0x21, 9},
			"value at byte 12: truncated: length 9, but 0 bytes are left in the message"},
		{18, 0x3, []any{0, 1, "a", "t", 1}, "parameters[0].type at byte 10: truncated: the message ends"},
		{20, 0x3, []any{0, 1, "a", "t", 1, 0x23, "\x02\x0a\x01"}, "parameters[0].parameters[1].type at byte 15: " +
			"truncated: the parameter ends"},
		{16, 0x4, []any{0, 1, 1, 9, "\x01"}, "object at byte 9: truncated: the parameter ends"},
		{18, 0x2F00, []any{3, "\x01"}, "token_alias at byte 7: truncated: the token ends"},
	} {
		b, err := appendFrame(nil, x.d, x.code, body(x.d, x.body...))
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = ParseMessage(b, x.d, streamOf(x.d, rowOf(x.d, x.code)), Options{})
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%v, want %s", err, x.want)
		}
	}
}
