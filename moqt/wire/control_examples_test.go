package wire

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestWorkedExamples holds bytes that other implementations sent or accepted, and the drafts' own, against what they
// mean.
func TestWorkedExamples(t *testing.T) {
	for _, x := range []struct {
		name        string
		first, last Draft
		hex         string
		want        string // the description, as JSON
	}{
		{"CLIENT_SETUP", 14, 14, "20 000a 01 c0000000ff00000e 00",
			`{"supported_versions":["4278190094"],"setup_parameters":[]}`},
		{"SERVER_SETUP", 14, 14, "21 0009 c0000000ff00000e 00",
			`{"selected_version":"4278190094","setup_parameters":[]}`},
		{"CLIENT_SETUP", 15, 16, "20 0001 00", `{"setup_parameters":[]}`},
		{"SETUP", 17, 22, "af00 0000", `{"setup_options":[]}`},
		{"SUBSCRIBE, Next Object", 20, 21, "03 000f 02 01016e 0174 03 1001 10c8 01020000",
			`{"request_id":"2","track_namespace":["n"],"track_name":"t","parameters":[{"type":"0x10",` +
				`"name":"FORWARD","value":"1"},{"type":"0x20","name":"SUBSCRIBER_PRIORITY","value":"200"},` +
				`{"type":"0x21","name":"LOCATION_FILTER","start_group":"0","start_object":"0","form":"Next Object"}]}`},
		{"SUBSCRIBE, Next Object", 22, 22, "03 000d 02 01016e 0174 03 1001 10c8 0105",
			`{"request_id":"2","track_namespace":["n"],"track_name":"t","parameters":[{"type":"0x10",` +
				`"name":"FORWARD","value":"1"},{"type":"0x20","name":"SUBSCRIBER_PRIORITY","value":"200"},` +
				`{"type":"0x21","name":"LOCATION_FILTER","location_filter_type":"5","form":"Next Object"}]}`},
		{"SUBSCRIBE, join", 20, 21, "03 0011 00 01016e 0174 02 21020000 02 04 01210101",
			`{"request_id":"0","track_namespace":["n"],"track_name":"t","parameters":[{"type":"0x21",` +
				`"name":"LOCATION_FILTER","start_group":"0","start_object":"0","form":"Next Object"},{"type":"0x23",` +
				`"name":"FILL_PARAMETERS","parameters":[{"type":"0x21","name":"LOCATION_FILTER",` +
				`"start_group":"1","form":"Relative Start"}]}]}`},
		{"SUBSCRIBE, join", 22, 22, "03 000f 00 01016e 0174 02 2105 02 04 01210101",
			`{"request_id":"0","track_namespace":["n"],"track_name":"t","parameters":[{"type":"0x21",` +
				`"name":"LOCATION_FILTER","location_filter_type":"5","form":"Next Object"},` +
				`{"type":"0x23","name":"FILL_PARAMETERS",` +
				`"parameters":[{"type":"0x21","name":"LOCATION_FILTER","location_filter_type":"1",` +
				`"start_group":"1","form":"Relative Start"}]}]}`},
		{"FETCH, everything", 20, 21, "16 0009 04 01016e 0174 01 2100",
			`{"request_id":"4","track_namespace":["n"],"track_name":"t","parameters":[{"type":"0x21",` +
				`"name":"LOCATION_FILTER","form":"None"}]}`},
		{"FETCH, everything", 22, 22, "16 0009 04 01016e 0174 01 2100",
			`{"request_id":"4","track_namespace":["n"],"track_name":"t","parameters":[{"type":"0x21",` +
				`"name":"LOCATION_FILTER","location_filter_type":"0","form":"None"}]}`},
		{"FETCH, everything, no filter", 20, 22, "16 0007 04 01016e 0174 00",
			`{"request_id":"4","track_namespace":["n"],"track_name":"t","parameters":[]}`},
		{"FETCH, groups 1-3", 20, 22, "16 0010 04 01016e 0174 03 2080 01 03 010002 0101", ""},
		{"FETCH, {1,0} to {3,4}", 20, 22, "16 000d 04 01016e 0174 01 21 04 01000204", ""},
		{"FETCH_OK, End {3,4}", 20, 22, "18 0004 00 0304 00",
			`{"end_of_track":"0","end_location":{"group":"3","object":"4"},"parameters":[],"track_properties":[]}`},
		{"PUBLISH_STATE_NOTIFY", 20, 22, "22 0006 02 090304 0700",
			`{"parameters":[{"type":"0x9","name":"LARGEST_OBJECT","group":"3","object":"4"},{"type":"0x10",` +
				`"name":"FORWARD","value":"0"}]}`},
		{"PUBLISH", 20, 22, "1d 001b 01 01016e 0174 03 08 020a 0414 021e 010407 0700 1009 01020400 0102", ""},
		{"PUBLISH_OK", 20, 22, "07 0004 01 0883e8",
			`{"parameters":[{"type":"0x8","name":"EXPIRES","value":"1000"}],"track_properties":[]}`},
		{"REQUEST_UPDATE", 20, 21, "02 0008 06 02 1001 11020000", ""},
		{"REQUEST_UPDATE", 22, 22, "02 0006 06 02 1001 1105", ""},
		{"REQUEST_UPDATE, remove the filter", 20, 22, "02 0004 06 01 2100", ""},
		{"REQUEST_UPDATE, fill", 20, 22, "02 0008 06 01 23 04 01210103", ""},
		{"SUBSCRIBE_TRACKS", 20, 22, "51 000d 00 01016e 02 1000 19 04 00020100",
			`{"request_id":"0","track_namespace_prefix":["n"],"parameters":[{"type":"0x10","name":"FORWARD",` +
				`"value":"0"},{"type":"0x29","name":"TRACK_PROPERTY_FILTER","set_id":"0","property_type":"2",` +
				`"ranges":[{"start_delta":"1","end_delta":"0","start":"1","end":"1"}]}]}`},
		{"TRACK_STATUS", 20, 22, "0d 0009 02 01016e 0174 01 3500", ""},
		{"PUBLISH_DONE", 20, 22, "0b 000b 02 ffffffffffffffffff 00",
			`{"status_code":"2","stream_count":"18446744073709551615","error_reason":""}`},
		{"SUBSCRIBE_OK", 20, 22, "04 000e 00 01 090200 08cf4240 068080 1402", ""},
		{"ranges", 20, 22, "03 0018 00 01016e 0174 03 25 05 00 03020505 02 03 00 007f 00 03 01 80c8", ""},
		{"TRACK_NAMESPACE_PREFIX with a length", 18, 22, "02 0009 06 01 34 05 020161 0162",
			`{"request_id":"6","parameters":[{"type":"0x34","name":"TRACK_NAMESPACE_PREFIX","length":"5",` +
				`"track_namespace_prefix":["a","b"]}]}`},
		{"TRACK_NAMESPACE_PREFIX bare", 18, 22, "02 0008 06 01 34 020161 0162",
			`{"request_id":"6","parameters":[{"type":"0x34","name":"TRACK_NAMESPACE_PREFIX",` +
				`"track_namespace_prefix":["a","b"]}]}`},
		{"GOAWAY on a control stream", 18, 18, "10 0003 00 05 04",
			`{"new_session_uri":"","timeout":"5","request_id":"4"}`},
	} {
		for d := x.first; d <= x.last; d++ {
			t.Run(d.String()+"/"+x.name, func(t *testing.T) {
				in := unhex(t, x.hex)
				// Some examples state the body only: the length field is the example's own business.
				code, _, n, _, _ := Frame(in, d)
				if n != len(in) {
					t.Fatalf("frame of %d bytes in %d", n, len(in))
				}
				stream := streamOf(d, rowOf(d, code))
				opt := Options{}
				if strings.HasSuffix(x.name, "PREFIX with a length") {
					opt.Tolerate = NamespacePrefixLength
				}
				m, _, err := ParseMessage(in, d, stream, opt)
				if err != nil {
					t.Fatal(err)
				}
				_, _, fields, err := Describe(d, m, stream)
				if err != nil {
					t.Fatal(err)
				}
				if got, _ := json.Marshal(fields); x.want != "" && string(got) != x.want {
					t.Errorf("got  %s\nwant %s", got, x.want)
				}
				if back, err := AppendMessage(nil, d, m, stream); err != nil || string(back) != string(in) {
					t.Errorf("encodes back to %x, want %x: %v", back, in, err)
				}
			})
		}
	}
}

func TestVarintExamples(t *testing.T) {
	for _, x := range []struct {
		hex         string
		first, last Draft
		want        uint64
	}{
		{"25", 14, 22, 37}, {"8025", 17, 22, 37}, {"bbbd", 17, 22, 15293}, {"7bbd", 14, 16, 15293},
		{"ed7f3e7d", 17, 22, 226442877}, {"faa1a0e403d8", 17, 22, 2893212287960},
		{"fc8998abc66bc0", 18, 22, 151288809941952},
		{"fefa318fa8e3ca11", 17, 22, 70423237261249041}, {"ffffffffffffffffff", 17, 22, 1<<64 - 1},
		{"ffffffffffffffff", 14, 16, 1<<62 - 1},
	} {
		for d := x.first; d <= x.last; d++ {
			if v, n := Varint(unhex(t, x.hex), d); v != x.want || n != len(x.hex)/2 {
				t.Errorf("%s: %s is %d in %d bytes, want %d", d, x.hex, v, n, x.want)
			}
		}
	}
	for _, first := range []byte{0xfc, 0xfd} {
		if _, n := Varint([]byte{first, 0, 0, 0, 0, 0, 0, 0, 0}, Draft17); n != -1 {
			t.Errorf("draft-17: 0x%x starts an integer of %d bytes, want an invalid code point", first, n)
		}
	}
}
