//go:build !js

package reference

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// eventSchema is that of MoQT's events.
func eventSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("testdata/moqt-events-08.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("events.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("events.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// validateLog holds every event of MoQT's in a log against the schema, and decodes the bytes of each control message
// that has them. It gives how many events there are of each name.
func validateLog(t *testing.T, schema *jsonschema.Schema, file string, d wire.Draft) map[string]int {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]int)
	for i, record := range bytes.Split(text, []byte{0x1e}) {
		if !bytes.Contains(record, []byte(`"name":"moqt:`)) {
			continue
		}
		event, err := jsonschema.UnmarshalJSON(bytes.NewReader(record))
		if err != nil {
			t.Fatalf("%s, record %d: %v", file, i, err)
		}
		if err := schema.Validate(event); err != nil {
			t.Errorf("%s: %s\n%v", file, record, err)
		}
		fields := event.(map[string]any)
		name := fields["name"].(string)
		counts[name]++
		if !strings.HasPrefix(name, "moqt:control_message_") {
			continue
		}
		data := fields["data"].(map[string]any)
		raw := data["raw"].(map[string]any)
		text, there := raw["data"].(string)
		if secret := bytes.Contains(record, []byte("token_value")); there == secret {
			t.Errorf("%s: bytes %v, with a token %v: %s", file, there, secret, record)
		}
		if !there {
			continue
		}
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, n, _, err := wire.Frame(b, d); err != nil || n != len(b) {
			t.Errorf("%s: %d bytes are a message of %d, %v: %s", file, len(b), n, err, record)
		}
	}
	return counts
}

// The schema refuses what the draft has otherwise: so it was before its version 08.
func TestEventSchemaRefuses(t *testing.T) {
	schema := eventSchema(t)
	for _, text := range []string{
		`{"time":1,"name":"moqt:object_datagram_parsed","data":{"track_alias":1,"group_id":2,"object_id":3}}`,
		`{"time":1,"name":"moqt:subgroup_header_created","data":{"stream_id":1,"track_alias":1,"group_id":2,` +
			`"subgroup_id_mode":0,"contains_end_of_group":false,"extensions_present":false}}`,
		`{"time":1,"name":"moqt:subgroup_object_created","data":{"stream_id":1,"object_id":3,` +
			`"object_payload_length":2}}`,
		`{"time":1,"name":"moqt:control_message_created","data":{"stream_id":0,"message":{"type":"client_setup"},` +
			`"raw":{"length":1,"data":"20"}}}`,
		`{"time":1,"name":"moqt:control_message_created","data":{"stream_id":0,"message":{"type":"setup"}}}`,
		`{"time":1,"name":"moqt:stream_type_set","data":{"stream_id":1,"stream_type":"request"}}`,
		`{"time":1,"name":"moqt:unheard_of","data":{}}`,
	} {
		event, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(event) == nil {
			t.Errorf("taken: %s", text)
		}
	}
}
