package wire

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// wrongDataVectors are known to disagree with the text; each must go on failing, with the reason why the text is right.
var wrongDataVectors = map[string]string{
	"14/datagram/type-0x21": "extensions on Object Does Not Exist (draft-14 §10.2.1.2)",
	"16/subgroup/subgroup-extensions-two-objects-empty": "Object ID Delta 1 after object 0 is object 2 (draft-16 " +
		"§10.4.2), the vector says 1",
	"16/subgroup/subgroup-extensions-two-objects-nonempty": "Object ID Delta 1 after object 0 is object 2 (draft-16 " +
		"§10.4.2), the vector says 1",
	"16/subgroup/subgroup-extensions-status-object": "extensions on an object that is not Normal (draft-16 §10.2.1.2)",
	"16/fetch-header/fetch-end-of-non-existent-range": "a Payload Length after the marker, which nobody else writes " +
		"(draft-16 §10.4.4.2)",
	"16/fetch-header/fetch-end-of-unknown-range": "a Payload Length after the marker, which nobody else writes " +
		"(draft-16 §10.4.4.2)",
	"16/fetch-header/fetch-with-explicit-subgroup": "the first object takes its priority from a prior one (draft-16 " +
		"§10.4.4.1)",
	"16/fetch-header/fetch-datagram-forwarding": "the first object takes its priority from a prior one (draft-16 " +
		"§10.4.4.1)",
}

func TestDataVectors(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range []Draft{Draft14, Draft16} {
		for file, stream := range map[string]StreamKind{"subgroup": UniStream, "fetch-header": UniStream,
			"datagram": DatagramStream} {
			for _, v := range readVectors(t, d, "data-streams/"+file+".json") {
				id := fmt.Sprintf("%d/%s/%s", d, file, v.ID)
				seen[id] = true
				t.Run(id, func(t *testing.T) {
					err := checkDataVector(d, stream, v)
					reason, wrong := wrongDataVectors[id]
					switch {
					case wrong && err == nil:
						t.Errorf("passes, but the text is against it: %s", reason)
					case !wrong && err != nil:
						t.Error(err)
					}
				})
			}
		}
	}
	for id := range wrongDataVectors {
		if !seen[id] {
			t.Errorf("%s is listed as wrong but is no vector", id)
		}
	}
}

func checkDataVector(d Draft, stream StreamKind, v vector) error {
	b, err := hex.DecodeString(v.Hex)
	if err != nil {
		return err
	}
	lines, err := Decode(d, stream, b, Options{})
	if v.Error != "" {
		if err == nil {
			return fmt.Errorf("decodes, want an error (%s)", v.Error)
		}
		return nil
	}
	if err != nil {
		return err
	}
	var want map[string]any
	if err := json.Unmarshal(v.Decoded, &want); err != nil {
		return err
	}
	if err := matchStream(lines, want); err != nil {
		return err
	}
	back, err := Encode(d, lines)
	if err != nil {
		return err
	}
	if hex.EncodeToString(back) != v.Hex {
		return fmt.Errorf("encodes back to %x, want %s", back, v.Hex)
	}
	return nil
}

// matchStream compares what a vector says with the lines: the header's fields and then its objects.
func matchStream(lines []Line, want map[string]any) error {
	header := append(Fields{}, lines[0].Fields...)
	if len(lines) > 1 { // where the header leaves the Subgroup ID to the first object, the object's line has it
		if id, ok := lines[1].Fields.Get("subgroup_id"); ok {
			header = append(header, Field{"subgroup_id", id})
		}
	}
	objects, _ := want["objects"].([]any)
	if len(objects) != len(lines)-1 {
		return fmt.Errorf("%d objects, want %d", len(lines)-1, len(objects))
	}
	for name, w := range want {
		switch name {
		case "objects", "stream_type":
		case "stream_type_id", "header_type", "datagram_type":
			if !sameCode(lines[0].TypeID, fmt.Sprint(w)) {
				return fmt.Errorf("type_id %s, want %v", lines[0].TypeID, w)
			}
		default:
			if err := matchField(header, name, w); err != nil {
				return err
			}
		}
	}
	for i, o := range objects {
		for name, w := range o.(map[string]any) {
			if err := matchField(lines[i+1].Fields, name, w); err != nil {
				return fmt.Errorf("objects[%d]: %w", i, err)
			}
		}
	}
	return nil
}

func matchField(got Fields, name string, want any) error {
	if name == "status" {
		name = "object_status"
	}
	if name == "extension_headers_hex" {
		list, _ := got.Get("extension_headers")
		return matchExtensionBytes(list, want)
	}
	v, ok := got.Get(name)
	switch w := want.(type) {
	case []any:
		return matchExtensionList(v, w)
	case map[string]any:
		return matchExtensionNames(v, w)
	}
	if !ok {
		return fmt.Errorf("%s: missing, want %v", name, want)
	}
	if a, b := fmt.Sprint(v), fmt.Sprint(want); a != b && !sameCode(a, b) {
		return fmt.Errorf("%s: %v, want %v", name, v, want)
	}
	return nil
}

func matchExtensionBytes(list, want any) error {
	l, _ := list.([]any)
	props, err := parseDescribedProperties(Draft14, l, ObjectScope)
	if err != nil {
		return err
	}
	b, err := AppendProperties(nil, Draft14, props)
	if err != nil {
		return err
	}
	if hex.EncodeToString(b) != want {
		return fmt.Errorf("extension_headers_hex: %x, want %v", b, want)
	}
	return nil
}

func matchExtensionList(got any, want []any) error {
	list, _ := got.([]any)
	if len(list) != len(want) {
		return fmt.Errorf("%d extension headers, want %d", len(list), len(want))
	}
	for i, w := range want {
		for name, value := range w.(map[string]any) {
			if err := matchField(list[i].(Fields), name, value); err != nil {
				return fmt.Errorf("extension_headers[%d]: %w", i, err)
			}
		}
	}
	return nil
}

func matchExtensionNames(got any, want map[string]any) error {
	list, _ := got.([]any)
	if len(list) != len(want) {
		return fmt.Errorf("%d extension headers, want %d", len(list), len(want))
	}
	for _, x := range list {
		name, _ := x.(Fields).Get("name")
		value, _ := x.(Fields).Get("value")
		if w := want[strings.ToLower(fmt.Sprint(name))]; w != value {
			return fmt.Errorf("extension header %v is %v, want %v", name, value, w)
		}
	}
	return nil
}

// TestDataExamples: streams and datagrams as bytes, among them the drafts' own examples (draft-14 §10.5, draft-18
// §11.6).
func TestDataExamples(t *testing.T) {
	for _, tt := range []struct {
		first, last Draft
		stream      StreamKind
		hex         string
		want        []string // the ids and what matters, as "type k=v k=v"
	}{
		{14, Newest, DatagramStream, "0001020080616263", []string{"OBJECT_DATAGRAM track_alias=1 group_id=2 " +
			"object_id=0 publisher_priority=128 payload_hex=616263"}},
		{15, Newest, DatagramStream, "08010200616263", []string{"OBJECT_DATAGRAM track_alias=1 group_id=2 " +
			"object_id=0 payload_hex=616263"}},
		{14, Newest, DatagramStream, "200102008003", []string{"OBJECT_DATAGRAM object_id=0 object_status=3"}},
		// draft-14 §10.5, draft-15 §10.5, draft-18 §11.6: a subgroup of two objects.
		{14, Newest, UniStream, "1402000000" + "0004" + "61626364" + "0004" + "65666768", []string{
			"SUBGROUP_HEADER track_alias=2 group_id=0 subgroup_id=0 publisher_priority=0",
			"OBJECT object_id_delta=0 payload_length=4 payload_hex=61626364 object_id=0",
			"OBJECT object_id_delta=0 payload_length=4 payload_hex=65666768 object_id=1"}},
		// A fill or fetch stream.
		{20, Newest, UniStream, "0500" + "1c030080026162" + "000163" + "820c0502", []string{
			"FETCH_HEADER request_id=0",
			"OBJECT serialization_flags=28 group_id_delta=3 object_id_delta=0 publisher_priority=128 " +
				"payload_length=2 payload_hex=6162 group_id=3 subgroup_id=0 object_id=0",
			"OBJECT serialization_flags=0 payload_length=1 payload_hex=63 group_id=3 subgroup_id=0 object_id=1 " +
				"publisher_priority=128",
			"END_OF_RANGE serialization_flags=524 group_id=5 object_id=2"}},
		{18, Newest, UniStream, "f0132b3e28" + "0000", []string{"PADDING padding_length=2"}},
		{18, Newest, DatagramStream, "f0132b3e29", []string{"PADDING padding_length=0"}},
		{18, Newest, UniStream, "50010080", []string{"SUBGROUP_HEADER track_alias=1 group_id=0 subgroup_id=0 " +
			"publisher_priority=128 first_object=true"}},
		// Markers have absolute ids and no length, and what follows starts from them.
		{16, 16, UniStream, "0504" + "1c05008000" + "408c0703" + "0000", []string{
			"FETCH_HEADER request_id=4", "OBJECT group_id=5 object_id=0 payload_length=0",
			"END_OF_RANGE group_id=7 object_id=3", "OBJECT group_id=7 object_id=4 publisher_priority=128"}},
		{18, Newest, UniStream, "0504" + "1c05008000" + "808c0703" + "0c010900", []string{
			"FETCH_HEADER request_id=4", "OBJECT group_id=5 object_id=0", "END_OF_RANGE group_id=7 object_id=3",
			"OBJECT group_id_delta=1 group_id=9 object_id=9 publisher_priority=128"}},
	} {
		for d := tt.first; d <= tt.last; d++ {
			lines, err := Decode(d, tt.stream, unhex(t, tt.hex), Options{})
			if err != nil || len(lines) != len(tt.want) {
				t.Errorf("%s: %s: %d lines, want %d: %v", d, tt.hex, len(lines), len(tt.want), err)
				continue
			}
			for i, want := range tt.want {
				words := strings.Fields(want)
				if lines[i].Type != words[0] {
					t.Errorf("%s: %s: line %d is %s, want %s", d, tt.hex, i, lines[i].Type, words[0])
				}
				for _, word := range words[1:] {
					name, value, _ := strings.Cut(word, "=")
					if v, _ := lines[i].Fields.Get(name); fmt.Sprint(v) != value {
						t.Errorf("%s: %s: line %d: %s is %v, want %s", d, tt.hex, i, name, v, value)
					}
				}
			}
			back, err := Encode(d, lines)
			if err != nil || hex.EncodeToString(back) != tt.hex {
				t.Errorf("%s: encodes back to %x, want %s: %v", d, back, tt.hex, err)
			}
		}
	}
}

// TestMoqNetFillObject: a first fill object as a deployed relay sends it.
func TestMoqNetFillObject(t *testing.T) {
	block := "10" + "fe00000000000001"
	b := unhex(t, "3c02000009"+block+"40")
	o := FetchObjects{Draft: Draft22}
	var h FetchObject
	n, err := o.ParseHeader(b, &h)
	if err != nil || n != len(b) {
		t.Fatalf("n = %d: %v", n, err)
	}
	if h.Group != 2 || h.Object != 0 || h.Priority != 0 || h.PayloadLength != 64 {
		t.Errorf("group %d, object %d, priority %d, payload %d", h.Group, h.Object, h.Priority, h.PayloadLength)
	}
	p, ok := LookupProperty(h.Properties, Draft22, 0x10)
	if !ok || p.Uint != 1 || PropertyName(Draft22, ObjectScope, 0x10) != "TIMESTAMP" {
		t.Errorf("TIMESTAMP: %v, %v", p, ok)
	}
	props, err := ParseProperties(unhex(t, "08cf4240"+"068080"+"1402"), Draft22, TrackScope, Options{})
	if err != nil || len(props) != 3 {
		t.Fatalf("track properties: %v, %v", props, err)
	}
	for i, want := range []Property{{Type: 8, Uint: 1000000}, {Type: 0x0E, Uint: 128}, {Type: 0x22, Uint: 2}} {
		if props[i].Type != want.Type || props[i].Uint != want.Uint {
			t.Errorf("property %d: type %#x value %s, want %#x %s", i, props[i].Type,
				strconv.FormatUint(props[i].Uint, 10), want.Type, uintValue(want.Uint))
		}
	}
}
