package wire

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// body builds message bodies in a draft's integers: ints are varints, strings are length and bytes, []byte stands as it
// is.
func body(d Draft, parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch x := p.(type) {
		case int:
			b = AppendVarint(b, d, uint64(x))
		case uint64:
			b = AppendVarint(b, d, x)
		case string:
			b = append(AppendVarint(b, d, uint64(len(x))), x...)
		case []byte:
			b = append(b, x...)
		}
	}
	return b
}

// opening are the first fields of a request: id, 17's dependency, then the rest.
func opening(d Draft, rest ...any) []any {
	if d == Draft17 {
		return append([]any{0, 0}, rest...)
	}
	return append([]any{0}, rest...)
}

// answering are the first fields of a response.
func answering(d Draft, rest ...any) []any {
	if d <= Draft16 {
		return append([]any{0}, rest...)
	}
	return rest
}

// subscribeFields are what stands between name and parameters in 14.
func subscribeFields(d Draft) []byte {
	if d == Draft14 {
		return []byte{128, 0, 1, 2}
	}
	return nil
}

// most62 is the largest integer of 14-16.
const most62 = uint64(1<<62 - 1)

// rulesFromBytes are the MUSTs that a message can break by itself, and the code that the draft closes the session with.
var rulesFromBytes = []struct {
	rule        string
	first, last Draft
	message     string
	body        func(d Draft) []byte
	code        SessionError
	field       string // part of the error's field
}{
	{"first byte 0xfc", 17, 17, "SUBSCRIBE", func(d Draft) []byte { return []byte{0xfc, 0, 0, 0, 0, 0, 0} },
		ProtocolViolation, "request_id"},
	{"value longer than 65535", 14, 16, "CLIENT_SETUP", func(d Draft) []byte {
		return body(d, setupHead(d), 1, 7, 65536)
	}, ProtocolViolation, "setup_parameters.length"},
	{"type past 2^64-1", 17, 22, "SETUP", func(d Draft) []byte { return body(d, 0x10, 1, uint64(1<<64-1), 1) },
		ProtocolViolation, "setup_options.type"},
	{"type past 2^64-1", 16, 16, "CLIENT_SETUP", func(d Draft) []byte {
		return body(d, 5, most62, "", most62, 0, most62, "", most62, 0, 4, 0) // 4 x (2^62-1) is 2^64-4
	}, ProtocolViolation, "setup_parameters.type"},
	{"type past 2^64-1", 16, 16, "FETCH_OK", func(d Draft) []byte {
		return body(d, 0, []byte{0}, 0, 0, 0, most62, "", most62, 0, most62, "", most62, 0, 4, 0)
	}, ProtocolViolation, "track_extensions.type"},
	{"parameter type past 2^64-1", 18, 22, "SUBSCRIBE", func(d Draft) []byte {
		return body(d, append(opening(d, 1, "n", "t"), 2, 0x10, []byte{1}, uint64(1<<64-1))...)
	}, ProtocolViolation, "parameters[1].type"},
	{"LARGEST_OBJECT that does not fit its length", 15, 16, "SUBSCRIBE_OK",
		func(d Draft) []byte { return body(d, 0, 1, 1, 9, 3, 1, 1, 1) }, KeyValueFormattingError, "parameters[0]"},
	{"reason of 1025", 14, 22, "PUBLISH_DONE", func(d Draft) []byte {
		return body(d, append(answering(d), 2, 0, strings.Repeat("x", 1025))...)
	}, ProtocolViolation, "error_reason"},
	{"33 namespace fields", 14, 22, "SUBSCRIBE", func(d Draft) []byte {
		return body(d, opening(d, 33, bytes.Repeat([]byte{1, 'a'}, 33), "t", subscribeFields(d), 0)...)
	}, ProtocolViolation, "track_namespace"},
	{"no namespace fields", 14, 16, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, opening(d, 0, "t", subscribeFields(d), 0)...) }, ProtocolViolation,
		"track_namespace"},
	{"empty prefix", 14, 15, "SUBSCRIBE_NAMESPACE", func(d Draft) []byte { return body(d, 0, 0, 0) },
		ProtocolViolation, "track_namespace_prefix"},
	{"prefix of 33 fields", 16, 22, "SUBSCRIBE_NAMESPACE", func(d Draft) []byte {
		return body(d, opening(d, 33, bytes.Repeat([]byte{1, 'a'}, 33), 0, 0)...)
	}, ProtocolViolation, "track_namespace_prefix"},
	{"empty namespace field", 16, 22, "PUBLISH_NAMESPACE",
		func(d Draft) []byte { return body(d, opening(d, 2, "a", "", 0)...) }, ProtocolViolation, "track_namespace"},
	{"empty field of TRACK_NAMESPACE_PREFIX", 18, 22, "REQUEST_UPDATE",
		func(d Draft) []byte { return body(d, 0, 1, 0x34, 1, "") }, ProtocolViolation,
		"parameters[0].track_namespace_prefix"},
	{"Full Track Name of 4097", 14, 22, "SUBSCRIBE", func(d Draft) []byte {
		return body(d, opening(d, 1, strings.Repeat("n", 4090), "nametoo", subscribeFields(d), 0)...)
	}, ProtocolViolation, "track_name"},
	{"suffix and name of 4097", 17, 22, "PUBLISH_BLOCKED",
		func(d Draft) []byte { return body(d, 1, strings.Repeat("n", 4000), strings.Repeat("t", 97)) },
		ProtocolViolation, "track_name"},
	{"Redirect to a name of 4097", 18, 22, "REQUEST_ERROR", func(d Draft) []byte {
		return body(d, 0x34, 0, "", "", 1, strings.Repeat("n", 4000), strings.Repeat("t", 97))
	}, ProtocolViolation, "track_name"},
	{"namespace of 4097", 16, 22, "PUBLISH_NAMESPACE",
		func(d Draft) []byte { return body(d, opening(d, 1, strings.Repeat("n", 4097), 0)...) }, ProtocolViolation,
		"track_namespace"},
	{"Message Length too short", 14, 22, "PUBLISH_DONE",
		func(d Draft) []byte { return body(d, append(answering(d), 2)...) }, ProtocolViolation, "stream_count"},
	{"Message Length too long", 14, 22, "PUBLISH_DONE",
		func(d Draft) []byte { return body(d, append(answering(d), 2, 0, "", 0)...) }, ProtocolViolation, ""},
	{"AUTHORITY from a server", 15, 16, "SERVER_SETUP", func(d Draft) []byte { return body(d, 1, 5, "h") },
		InvalidAuthority, "setup_parameters[0]"},
	{"AUTHORITY not of RFC 3986", 15, 22, "CLIENT_SETUP",
		func(d Draft) []byte { return body(d, setupHead(d), setupCount(d), 5, "a b") }, MalformedAuthority, "[0]"},
	{"PATH from a server", 14, 16, "SERVER_SETUP",
		func(d Draft) []byte { return body(d, setupHead(d)[:0], serverHead(d), 1, 1, "/x") }, InvalidPath,
		"setup_parameters[0]"},
	{"PATH not of RFC 3986", 14, 22, "CLIENT_SETUP",
		func(d Draft) []byte { return body(d, setupHead(d), setupCount(d), 1, "no slash") }, MalformedPath, "[0]"},
	{"USE_ALIAS in CLIENT_SETUP", 15, 16, "CLIENT_SETUP",
		func(d Draft) []byte { return body(d, 1, 3, string([]byte{2, 1})) }, ProtocolViolation, "setup_parameters[0]"},
	{"unknown parameter", 16, 22, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, opening(d, 1, "n", "t", 1, 0x3e, 0)...) }, ProtocolViolation,
		"parameters[0].type"},
	{"EXPIRES in SUBSCRIBE", 17, 22, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, opening(d, 1, "n", "t", 1, 8, 0)...) }, ProtocolViolation,
		"parameters[0].type"},
	{"parameter twice", 14, 14, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, 0, 1, "n", "t", []byte{128, 0, 1, 2}, 2, 2, 1, 2, 1) }, ProtocolViolation,
		"parameters[1].type"},
	{"parameter twice", 15, 15, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, opening(d, 1, "n", "t", 2, 0x10, 1, 0x10, 1)...) }, ProtocolViolation,
		"parameters[1].type"},
	{"parameter twice", 16, 16, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, opening(d, 1, "n", "t", 2, 0x10, 1, 0, 1)...) }, ProtocolViolation,
		"parameters[1].type"},
	{"parameter twice", 17, 22, "SUBSCRIBE", func(d Draft) []byte {
		return body(d, opening(d, 1, "n", "t", 2, 0x10, []byte{1}, 0, []byte{1})...)
	}, ProtocolViolation, "parameters[1].type"},
	{"setup parameter twice", 14, 16, "CLIENT_SETUP", func(d Draft) []byte {
		second := 0
		if d <= Draft15 {
			second = 4
		}
		return body(d, setupHead(d), 2, 4, 1, second, 1)
	}, ProtocolViolation, "setup_parameters[1]"},
	{"DELIVERY_TIMEOUT 0", 16, 16, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, opening(d, 1, "n", "t", 1, 2, 0)...) }, ProtocolViolation,
		"parameters[0].value"},
	{"track extension DELIVERY_TIMEOUT 0", 16, 16, "SUBSCRIBE_OK",
		func(d Draft) []byte { return body(d, 0, 1, 0, 2, 0) }, ProtocolViolation, "track_extensions"},
	{"SUBSCRIBER_PRIORITY 256", 15, 16, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, opening(d, 1, "n", "t", 1, 0x20, 256)...) }, ProtocolViolation,
		"parameters[0].value"},
	{"PUBLISHER_PRIORITY 256", 15, 15, "PUBLISH",
		func(d Draft) []byte { return body(d, 0, 1, "n", "t", 1, 1, 0x0E, 256) }, ProtocolViolation,
		"parameters[0].value"},
	{"DEFAULT_PUBLISHER_PRIORITY 256", 16, 16, "PUBLISH",
		func(d Draft) []byte { return body(d, 0, 1, "n", "t", 1, 0, 0x0E, 256) }, KeyValueFormattingError,
		"track_extensions"},
	{"GROUP_ORDER 3", 15, 22, "FETCH", fetchWith(0x22, 3), ProtocolViolation, "parameters[0].value"},
	{"GROUP_ORDER 0", 15, 22, "FETCH", fetchWith(0x22, 0), ProtocolViolation, "parameters[0].value"},
	{"FORWARD 2", 15, 22, "SUBSCRIBE", func(d Draft) []byte {
		return body(d,
			opening(d, 1, "n", "t", 1, 0x10, 2)...)
	}, ProtocolViolation, "parameters[0].value"},
	{"filter type 5", 15, 19, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, opening(d, 1, "n", "t", 1, 0x21, 1, 5)...) }, ProtocolViolation,
		"filter_type"},
	{"filter type 0", 14, 14, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, 0, 1, "n", "t", []byte{128, 0, 1, 0}, 0) }, ProtocolViolation,
		"filter_type"},
	{"filter longer than its fields", 15, 16, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, opening(d, 1, "n", "t", 1, 0x21, 2, 2, 2)...) }, ProtocolViolation,
		"parameters[0]"},
	{"filter shorter than its fields", 15, 16, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, opening(d, 1, "n", "t", 1, 0x21, 2, 3, 2)...) }, ProtocolViolation,
		"parameters[0]"},
	{"range past 2^64-1", 18, 19, "SUBSCRIBE", func(d Draft) []byte {
		return body(d, opening(d, 1, "n", "t", 1, 0x21, 12, 4, 1, 0, uint64(1<<64-1))...)
	}, ProtocolViolation, "end_group_delta"},
	{"DYNAMIC_GROUPS 2", 16, 22, "SUBSCRIBE_OK",
		func(d Draft) []byte { return body(d, append(answering(d), 1, 0, 0x30, 2)...) }, ProtocolViolation, "track_"},
	{"DYNAMIC_GROUPS 2", 15, 15, "SUBSCRIBE_OK", func(d Draft) []byte { return body(d, 0, 1, 1, 0x30, 2) },
		ProtocolViolation, "parameters[0].value"},
	{"DEFAULT_PUBLISHER_GROUP_ORDER 3", 16, 22, "SUBSCRIBE_OK",
		func(d Draft) []byte { return body(d, append(answering(d), 1, 0, 0x22, 3)...) }, ProtocolViolation, "track_"},
	{"token alias type 4", 14, 22, "PUBLISH_NAMESPACE",
		func(d Draft) []byte { return body(d, opening(d, 1, "n", 1, 3, string([]byte{4, 1}))...) },
		KeyValueFormattingError, "alias_type"},
	{"token cut", 14, 22, "PUBLISH_NAMESPACE",
		func(d Draft) []byte { return body(d, opening(d, 1, "n", 1, 3, string([]byte{1}))...) },
		KeyValueFormattingError, "token_alias"},
	{"token cut in setup", 14, 22, "CLIENT_SETUP",
		func(d Draft) []byte { return body(d, setupHead(d), setupCount(d), 3, string([]byte{1})) },
		KeyValueFormattingError, "[0]"},
	{"Group Order 3 in SUBSCRIBE", 14, 14, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, 0, 1, "n", "t", []byte{128, 3, 1, 2}, 0) }, ProtocolViolation,
		"group_order"},
	{"Group Order 0 in FETCH_OK", 14, 14, "FETCH_OK",
		func(d Draft) []byte { return body(d, 0, []byte{0, 0}, 1, 1, 0) }, ProtocolViolation, "group_order"},
	{"Group Order 0 in TRACK_STATUS_OK", 14, 14, "TRACK_STATUS_OK",
		func(d Draft) []byte { return body(d, 0, 0, 0, []byte{0, 0}, 0) }, ProtocolViolation, "group_order"},
	{"Group Order 3 in PUBLISH", 14, 14, "PUBLISH",
		func(d Draft) []byte { return body(d, 0, 1, "n", "t", 1, []byte{3, 0, 1}, 0) }, ProtocolViolation,
		"group_order"},
	{"Group Order 0 in PUBLISH_OK", 14, 14, "PUBLISH_OK",
		func(d Draft) []byte { return body(d, 0, []byte{1, 128, 0}, 2, 0) }, ProtocolViolation, "group_order"},
	{"Forward 2 in SUBSCRIBE_UPDATE", 14, 14, "SUBSCRIBE_UPDATE",
		func(d Draft) []byte { return body(d, 2, 0, 0, 0, 0, []byte{128, 2}, 0) }, ProtocolViolation, "forward"},
	{"Forward 2 in SUBSCRIBE", 14, 14, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, 0, 1, "n", "t", []byte{128, 0, 2, 2}, 0) }, ProtocolViolation, "forward"},
	{"Content Exists 2", 14, 14, "SUBSCRIBE_OK", func(d Draft) []byte { return body(d, 0, 1, 0, []byte{1, 2}, 0) },
		ProtocolViolation, "content_exists"},
	{"dependency above the id", 17, 17, "SUBSCRIBE", func(d Draft) []byte { return body(d, 2, 2, 1, "n", "t", 0) },
		InvalidRequiredRequest, "required_request_id_delta"},
	{"fetch type 4", 14, 19, "FETCH", func(d Draft) []byte {
		return body(d, opening(d, fetchHead(d), 4, 0, 0, 0)...)
	}, ProtocolViolation, "fetch_type"},
	{"GOAWAY URI of 8193", 14, 22, "GOAWAY", func(d Draft) []byte { return body(d, strings.Repeat("u", 8193), 0) },
		ProtocolViolation, "new_session_uri"},
	{"LOCATION_FILTER type 6", 22, 22, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, opening(d, 1, "n", "t", 1, 0x21, 6)...) }, ProtocolViolation,
		"location_filter_type"},
	{"filter past 2^64-1", 22, 22, "SUBSCRIBE", func(d Draft) []byte {
		return body(d, opening(d, 1, "n", "t", 1, 0x21, 3, 1, 0, uint64(1<<64-1))...)
	}, ProtocolViolation, "end_group_delta"},
	{"filter past 2^64-1", 20, 21, "SUBSCRIBE", func(d Draft) []byte {
		return body(d, opening(d, 1, "n", "t", 1, 0x21, 11, 1, 0, uint64(1<<64-1))...)
	}, ProtocolViolation, "end_group_delta"},
	{"filter of 5 fields", 20, 21, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, opening(d, 1, "n", "t", 1, 0x21, 5, 1, 1, 1, 1, 1)...) },
		ProtocolViolation, "parameters[0]"},
	{"FORWARD in FILL_PARAMETERS", 20, 22, "SUBSCRIBE", func(d Draft) []byte {
		return body(d, opening(d, 1, "n", "t", 1, 0x23, 3, 1, 0x10, []byte{1})...)
	}, ProtocolViolation, "parameters[0].parameters[0].type"},
	{"INCLUDE_PROPERTIES 2", 20, 22, "SUBSCRIBE",
		func(d Draft) []byte { return body(d, opening(d, 1, "n", "t", 1, 0x35, []byte{2})...) }, ProtocolViolation,
		"parameters[0].value"},
	{"SUBSCRIBER_PRIORITY in PUBLISH_STATE_NOTIFY", 20, 22, "PUBLISH_STATE_NOTIFY",
		func(d Draft) []byte { return body(d, 1, 0x20, []byte{1}) }, ProtocolViolation, "parameters[0].type"},
	{"EXPIRES in FETCH_OK", 20, 22, "FETCH_OK", func(d Draft) []byte { return body(d, []byte{0}, 1, 1, 1, 8, 1) },
		ProtocolViolation, "parameters[0].type"},
}

// setupHead is what stands before the parameters of CLIENT_SETUP in 14; serverHead of SERVER_SETUP.
func setupHead(d Draft) []byte {
	if d == Draft14 {
		return body(d, 1, d.Version())
	}
	return nil
}

func serverHead(d Draft) []byte {
	if d == Draft14 {
		return body(d, d.Version())
	}
	return nil
}

// setupCount is the count of one parameter, which SETUP of 17 and later does not have.
func setupCount(d Draft) []byte {
	if d <= Draft16 {
		return []byte{1}
	}
	return nil
}

func fetchHead(d Draft) []byte {
	if d == Draft14 {
		return []byte{128, 0}
	}
	return nil
}

// fetchWith is a FETCH with one parameter.
func fetchWith(t, v int) func(d Draft) []byte {
	return func(d Draft) []byte {
		if d >= Draft20 {
			return body(d, 0, 1, "n", "t", 1, t, v)
		}
		return body(d, opening(d, 1, 1, "n", "t", 0, 0, 1, 0, 1, t, v)...)
	}
}

func TestRulesFromBytes(t *testing.T) {
	for _, x := range rulesFromBytes {
		for d := x.first; d <= x.last; d++ {
			t.Run(d.String()+"/"+x.rule, func(t *testing.T) {
				name := x.message
				switch {
				case name == "CLIENT_SETUP" && d >= Draft17:
					name = "SETUP"
				case name == "PUBLISH_BLOCKED" && d >= Draft19:
					name = "PUBLISH_SKIPPED"
				}
				i := slices.IndexFunc(rows, func(r row) bool { return r.name == name && r.first <= d && d <= r.last })
				if i < 0 {
					t.Fatalf("no %s in %s", name, d)
				}
				b, err := appendFrame(nil, d, rows[i].code, x.body(d))
				if err != nil {
					t.Fatal(err)
				}
				m, _, err := ParseMessage(b, d, streamOf(d, &rows[i]), Options{})
				var e *Error
				if !errors.As(err, &e) {
					t.Fatalf("%x decodes to %+v, want an error", b, m)
				}
				if e.Code != x.code || !strings.Contains(e.Field, x.field) || e.Message != name || e.Draft != d ||
					e.Offset > len(b) {
					t.Errorf("got %v (code 0x%x, field %q), want code 0x%x at %q", err, e.Code, e.Field, x.code,
						x.field)
				}
			})
		}
	}
}

// TestAnswers are rules of a response that depend on what it answers.
func TestAnswers(t *testing.T) {
	for _, x := range []struct {
		name        string
		first, last Draft
		message     uint64
		body        func(d Draft) []byte
		answers     Kind
		ok          bool
	}{
		{"properties answering PUBLISH", 18, 22, 7, func(d Draft) []byte { return body(d, 0, 4, 1) },
			KindPublish, false},
		{"properties answering TRACK_STATUS", 18, 22, 7, func(d Draft) []byte { return body(d, 0, 4, 1) },
			KindTrackStatus, true},
		{"Redirect of a namespace request with a name", 18, 22, 5,
			func(d Draft) []byte { return body(d, 0x34, 0, "", "u", 0, "t") }, KindPublishNamespace, false},
		{"Redirect of a subscription with a name", 18, 22, 5,
			func(d Draft) []byte { return body(d, 0x34, 0, "", "u", 0, "t") }, KindSubscribe, true},
		{"FORWARD in PUBLISH_OK", 20, 22, 7, func(d Draft) []byte { return body(d, 1, 0x10, []byte{1}) },
			KindPublish, false},
		{"FORWARD in PUBLISH_OK", 18, 19, 7, func(d Draft) []byte { return body(d, 1, 0x10, []byte{1}) }, KindPublish,
			true},
		{"PUBLISH_OK 0x1E", 18, 22, 0x1E, func(d Draft) []byte { return body(d, 0) }, KindPublish, false},
		{"EXPIRES answering TRACK_STATUS, as in SUBSCRIBE_OK", 17, 22, 7,
			func(d Draft) []byte { return body(d, 1, 8, 1) }, KindTrackStatus, true},
		{"EXPIRES answering PUBLISH_NAMESPACE", 18, 18, 7, func(d Draft) []byte { return body(d, 1, 8, 1) },
			KindPublishNamespace, false},
		{"delivery timeout updating a FETCH", 16, 16, 2, func(d Draft) []byte { return body(d, 2, 0, 1, 2, 1) },
			KindFetch, true},
		{"FORWARD updating a FETCH", 16, 16, 2, func(d Draft) []byte { return body(d, 2, 0, 1, 0x10, 1) },
			KindFetch, false},
		{"delivery timeout updating a FETCH", 17, 22, 2,
			func(d Draft) []byte { return body(d, opening(d, 1, 2, 1)...) }, KindFetch, true},
		{"FORWARD in a REQUEST_OK, which answers PUBLISH from 18 on only", 17, 17, 7,
			func(d Draft) []byte { return body(d, 1, 0x10, []byte{1}) }, KindNone, false},
		{"FORWARD in a REQUEST_OK that comes instead of PUBLISH_OK", 17, 17, 7,
			func(d Draft) []byte { return body(d, 1, 0x10, []byte{1}) }, KindPublish, false},
		{"FORWARD in PUBLISH_OK", 17, 17, 0x1E, func(d Draft) []byte { return body(d, 1, 0x10, []byte{1}) },
			KindPublish, true},
		{"range filter updating a SUBSCRIBE", 19, 22, 2, func(d Draft) []byte { return body(d, 0, 1, 0x25, 0) },
			KindSubscribe, true},
		{"range filter updating a FETCH", 19, 22, 2, func(d Draft) []byte { return body(d, 0, 1, 0x25, 0) }, KindFetch,
			false},
	} {
		for d := x.first; d <= x.last; d++ {
			b, err := appendFrame(nil, d, x.message, x.body(d))
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = ParseMessage(b, d, RequestStream, Options{Answers: x.answers})
			if (err == nil) != x.ok {
				t.Errorf("%s %s: got error %v, want ok %v", d, x.name, err, x.ok)
			}
		}
	}
}

func TestStreamsOfMessages(t *testing.T) {
	for _, x := range []struct {
		d      Draft
		stream StreamKind
		hex    string
		ok     bool
	}{
		{16, ControlStream, "11 0003 00 00 00", false}, {16, RequestStream, "11 0004 00 00 00 00", true},
		{15, RequestStream, "11 0004 00 0161 00", false}, {17, ControlStream, "03 0000", false},
		{17, RequestStream, "10 0002 00 00", false}, {18, RequestStream, "10 0002 00 00", true},
		{17, RequestStream, "af00 0000", false}, {17, UniStream, "10 0002 00 00", false},
	} {
		_, _, err := ParseMessage(unhex(t, x.hex), x.d, x.stream, Options{})
		if (err == nil) != x.ok {
			t.Errorf("%s on %s of %s: got error %v, want ok %v", x.hex, x.stream, x.d, err, x.ok)
		}
	}
	for _, code := range []uint64{0x01, 0x40, 0x41} {
		for d := Oldest; d <= Newest; d++ {
			b, _ := appendFrame(nil, d, code, nil)
			if _, _, err := ParseMessage(b, d, ControlStream, Options{}); !errors.Is(err, ErrUnknownType) {
				t.Errorf("%s: type 0x%x: got %v, want an unknown type", d, code, err)
			}
		}
	}
}
