package wire

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

// TestHandWrittenLines: a control message's line needs its fields only; what it says besides must agree with the bytes,
// and an error names the field.
func TestHandWrittenLines(t *testing.T) {
	const subscribe = `{"type":"SUBSCRIBE","fields":{"request_id":"1","track_namespace":["a"],"track_name":"t",` +
		`"parameters":[%]}}`
	const setup = `{"type":"CLIENT_SETUP","fields":{"setup_parameters":[%]}}`
	for _, x := range []struct{ line, inner, want string }{
		{`{"type":"UNSUBSCRIBE","fields":{"request_id":"1"}}`, "", "0a000101"},
		{`{"type":"UNSUBSCRIBE","type_id":"0xa","fields":{"request_id":1}}`, "", "0a000101"},
		{`{"type":"UNSUBSCRIBE","type_id":"11","fields":{"request_id":"1"}}`, "",
			"type_id says 11, but the type is 10"},
		{`{"type":"UNSUBSCRIBE","fields":{}}`, "", "request_id at byte 0: missing"},
		{`{"type":"UNSUBSCRIBE","fields":{"request_id":"1","reason":"x"}}`, "", "reason at byte 0: no such field here"},
		{`{"type":"UNSUBSCRIBE","fields":{"request_id":"1","request_id":"1"}}`, "",
			"request_id at byte 0: given twice"},
		{`{"type":"GOAWAY","fields":{"new_session_uri":{"hex":"6162"}}}`, "", "100003026162"},
		{subscribe, `{"type":"0x10","value":"1"}`, "030009010101610174011001"},
		{subscribe, `{"type":"16","name":"forward","value":"01"}`, "030009010101610174011001"},
		{subscribe, `{"type":"0x10","name":"GROUP_ORDER","value":"1"}`,
			"parameters[0].name says GROUP_ORDER, but the bytes say FORWARD"},
		{subscribe, `{"type":"0x10","value":"1","default":"1"}`, "parameters[0].default at byte 0: no such field here"},
		{subscribe, `{"type":"0x21","filter_type":"1","end_group":"3"}`,
			"parameters[0].end_group at byte 0: no such field here"},
		{subscribe, `{"type":"0x41","length":"1","hex":"00"}`, "03000b0101016101740140410100"},
		{subscribe, `{"type":"0x41","length":"9","hex":"00"}`, "parameters[0].length says 9, but the bytes say 1"},
		{subscribe, `{"type":"0x40","hex":"05","value":"9"}`, "parameters[0].value says 9, but the bytes say 5"},
		{subscribe, `{"type":"0x41","hex":"00","text":"x"}`, "parameters[0].text at byte 0: no such field here"},
		{setup, `{"type":"0x7","value":"x"}`, "20000401070178"},
		{setup, `{"type":"0x1","name":"AUTHORITY","value":"/"}`,
			"setup_parameters[0].name says AUTHORITY, but the bytes say PATH"},
		{setup, `{"type":"0x1"}`, "setup_parameters[0].value at byte 0: missing"},
		{setup, `{"type":"0x1","value":"/","query":"x"}`, "setup_parameters[0].query at byte 0: no such field here"},
		{setup, `{"type":"0x3","alias_type":"1"}`, "setup_parameters[0].token_alias at byte 0: missing"},
		{setup, `{"type":"0x9","length":"7","hex":"00"}`, "setup_parameters[0].length says 7, but the bytes say 1"},
	} {
		text := strings.Replace(x.line, "%", x.inner, 1)
		var line Line
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		b, err := Encode(Draft15, []Line{line})
		switch {
		case err != nil && !strings.Contains(err.Error(), x.want):
			t.Errorf("%s: %v, want %s", text, err, x.want)
		case err == nil && hex.EncodeToString(b) != x.want:
			t.Errorf("%s gives %x, want %s", text, b, x.want)
		case err != nil && len(b) > 0:
			t.Errorf("%s: %x is given besides an error", text, b)
		}
	}
}

// TestIgnoredValueComesBack: a parameter that is ignored in answer to PUBLISH_NAMESPACE (draft-15 §9.2.1) is encoded as
// it was, though the line does not say what it answers.
func TestIgnoredValueComesBack(t *testing.T) {
	want := unhex(t, "07000400012200")
	if lines, err := Decode(Draft15, ControlStream, want, Options{Answers: KindTrackStatus}); err == nil {
		t.Errorf("GROUP_ORDER 0 in answer to TRACK_STATUS gives %v", lines)
	}
	lines, err := Decode(Draft15, ControlStream, want, Options{Answers: KindPublishNamespace})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := Encode(Draft15, lines); err != nil || hex.EncodeToString(b) != hex.EncodeToString(want) {
		t.Errorf("%x, %v, want %x", b, err, want)
	}
}
