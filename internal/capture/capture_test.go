package capture

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// sent is what one side sends on a stream: messages, or hex.
type sent struct {
	stream string // its id, or datagram, h3-datagram
	server bool
	what   any
	fin    bool
}

// record writes JSON lines to a file, one byte in each line if small is set, and reads them.
func record(t *testing.T, d wire.Draft, list []sent, small bool) *Capture {
	t.Helper()
	text := ""
	for _, s := range list {
		var b []byte
		var err error
		switch x := s.what.(type) {
		case string:
			b, err = hex.DecodeString(x)
		case wire.Message:
			b, err = wire.AppendMessage(nil, d, x, wire.RequestStream)
		}
		if err != nil {
			t.Fatal(err)
		}
		direction := map[bool]string{false: "client", true: "server"}[s.server]
		id := s.stream
		if strings.Contains(id, "datagram") {
			id = strconv.Quote(id)
		}
		step := len(b)
		if small && !strings.Contains(s.stream, "datagram") {
			step = 1
		}
		for i := 0; i < len(b); i += step {
			text += fmt.Sprintf(`{"stream":%s,"direction":%q,"hex":"%x"}`+"\n", id, direction, b[i:i+step])
		}
		if s.fin {
			text += fmt.Sprintf(`{"stream":%s,"direction":%q,"fin":true}`+"\n", id, direction)
		}
	}
	name := filepath.Join(t.TempDir(), "session.jsonl")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Read(t.Context(), name, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// decode decodes a record that is whole.
func decode(t *testing.T, c *Capture, d wire.Draft) []Line {
	t.Helper()
	lines, notes, err := c.Decode(Options{Draft: d, Rules: true})
	if err != nil || len(notes) > 0 {
		t.Fatal(err, notes)
	}
	return lines
}

// find gives the line of a type, the nth.
func find(t *testing.T, lines []Line, typ string, n int) Line {
	t.Helper()
	for _, l := range lines {
		if l.Type == typ {
			if n == 0 {
				return l
			}
			n--
		}
	}
	t.Fatalf("no such %s in %+v", typ, lines)
	return Line{}
}

var (
	hall  = wire.TrackNamespace{"hall"}
	order = wire.Parameters{{Type: wire.ParamGroupOrder, Uint: wire.Descending}}
)

const (
	setup18    = "af00" + "0000"                               // SETUP without options
	fetched    = "0504" + "1f05000780" + "0161" + "0c00000162" // request 4: groups 5 and 4, downward
	subgroup18 = "10" + "07" + "03" + "80" + "0003616263"
)

// session18 is a session on raw QUIC: a subscription with its objects, and a fetch whose groups go down.
var session18 = []sent{
	{"2", false, setup18, false}, {"3", true, setup18, false},
	{"11", true, subgroup18, true}, // which overtakes the answer that says what 7 is
	{"0", false, &wire.Subscribe{RequestID: 0, TrackNamespace: hall, TrackName: "clock"}, false},
	{"0", true, &wire.SubscribeOK{TrackAlias: 7}, false},
	{"4", false, &wire.Fetch{RequestID: 4, Type: wire.FetchStandalone, TrackNamespace: hall, TrackName: "clock",
		End: wire.Location{Group: 6}, Parameters: order}, true},
	{"15", true, fetched, true},
	{"datagram", true, "0007090180ee", false},
	{"8", false, &wire.PublishNamespace{RequestID: 8, TrackNamespace: hall}, false},
	{"8", true, &wire.RequestOK{Answers: wire.KindPublishNamespace}, false},
}

// TestSession: streams are told apart, and what one tells is carried to the others, however the bytes are cut.
func TestSession(t *testing.T) {
	for _, small := range []bool{false, true} {
		lines := decode(t, record(t, wire.Draft18, session18, small), wire.Draft18)
		for _, l := range lines {
			if l.Error != "" || len(l.Broken) > 0 || len(l.Remarks) > 0 {
				t.Errorf("%+v", l)
			}
		}
		if l := find(t, lines, "SETUP", 0); l.On != "control" || l.From != "client" || *l.Stream != 2 {
			t.Errorf("%+v", l)
		}
		for _, x := range []struct{ typ, on, from string }{{"SUBGROUP_HEADER", "uni", "server"},
			{"OBJECT", "uni", "server"}, {"FETCH_HEADER", "uni", "server"}, {"SUBSCRIBE_OK", "request", "server"},
			{"FETCH", "request", "client"}, {"OBJECT_DATAGRAM", "datagram", "server"}} {
			if l := find(t, lines, x.typ, 0); l.Track != "hall--clock" || l.On != x.on || l.From != x.from {
				t.Errorf("%s: %+v", x.typ, l)
			}
		}
		// The second object of the fetch is of the group below.
		if l := find(t, lines, "OBJECT", 2); field(&l, "group_id") != "4" {
			t.Errorf("%+v", l)
		}
	}
}

// TestControlStream: up to 16 requests share a stream, and answers are told apart by their Request IDs.
func TestControlStream(t *testing.T) {
	list := []sent{
		{"0", false, &wire.Setup{Sender: wire.ClientSide}, false},
		{"0", true, &wire.Setup{Sender: wire.ServerSide}, false},
		{"0", false, &wire.Publish{RequestID: 0, TrackNamespace: hall, TrackName: "a", TrackAlias: 7}, false},
		{"0", false, &wire.PublishNamespace{RequestID: 2, TrackNamespace: hall}, false},
		{"0", true, &wire.RequestOK{Answers: wire.KindPublishNamespace, RequestID: 2}, false},
		{"4", false, &wire.SubscribeNamespace{RequestID: 4, Prefix: hall}, false},
		{"4", true, &wire.RequestOK{Answers: wire.KindSubscribeNamespace, RequestID: 4}, false},
	}
	lines := decode(t, record(t, wire.Draft16, list, true), wire.Draft16)
	for _, l := range lines {
		if l.Error != "" || len(l.Broken) > 0 || len(l.Remarks) > 0 {
			t.Errorf("%+v", l)
		}
	}
	a, b := find(t, lines, "REQUEST_OK", 0), find(t, lines, "REQUEST_OK", 1)
	if a.On != "control" || b.On != "request" {
		t.Errorf("%+v %+v", a, b)
	}
	// PUBLISH has an answer of its own.
	wrong := append(list[:4:4], sent{"0", true, &wire.RequestOK{Answers: wire.KindPublishNamespace}, false})
	lines = decode(t, record(t, wire.Draft16, wrong, false), wire.Draft16)
	if l := find(t, lines, "REQUEST_OK", 0); len(l.Remarks) == 0 {
		t.Errorf("%+v", l)
	}
}

// TestWebTransport: the framing of WebTransport is peeled off, and HTTP/3's own streams are told apart.
func TestWebTransport(t *testing.T) {
	c := record(t, wire.Draft18, []sent{
		{"2", false, "00" + "0400", false}, // HTTP/3's control stream
		{"6", false, "405400" + setup18, false}, {"7", true, "405400" + setup18, false},
		{"4", false, "404100" + "03000a" + "00" + "0104" + "68616c6c" + "0161" + "00", false},
		{"4", true, "04" + "0002" + "07" + "00", false},
		{"h3-datagram", true, "00" + "0007090180ee", false},
	}, true)
	c.connection("").HTTP3 = true
	lines := decode(t, c, wire.Draft18)
	if l := find(t, lines, "HTTP3_STREAM", 0); field(&l, "stream_type") != "0x0 control" {
		t.Errorf("%+v", l)
	}
	if l := find(t, lines, "WEBTRANSPORT_STREAM", 0); field(&l, "session_id") != "0" {
		t.Errorf("%+v", l)
	}
	for i, from := range []string{"client", "server"} {
		if l := find(t, lines, "SETUP", i); l.From != from || l.On != "control" {
			t.Errorf("%+v", l)
		}
	}
	if l := find(t, lines, "OBJECT_DATAGRAM", 0); l.Track != "hall--a" || field(&l, "group_id") != "9" {
		t.Errorf("%+v", l)
	}
}

// TestBreaches: each of these breaks a rule, which is named; session18 breaks none.
func TestBreaches(t *testing.T) {
	subscribe := func(id uint64, name string) *wire.Subscribe {
		return &wire.Subscribe{RequestID: id, TrackNamespace: hall, TrackName: name}
	}
	for _, x := range []struct {
		name string
		list []sent
		want rules.ID
	}{
		{"no SETUP first", []sent{{"0", false, &wire.MaxRequestID{MaxRequestID: 9}, false}}, rules.Setup},
		{"a second SETUP", []sent{{"0", false, &wire.Setup{Sender: wire.ClientSide}, false},
			{"0", false, &wire.Setup{Sender: wire.ClientSide}, false}}, rules.Setup},
		{"parity", []sent{{"0", false, &wire.Setup{Sender: wire.ClientSide}, false},
			{"0", false, subscribe(1, "a"), false}}, rules.RequestIDParity},
		{"an id again", []sent{{"0", false, &wire.Setup{Sender: wire.ClientSide}, false},
			{"0", false, subscribe(2, "a"), false}, {"0", false, subscribe(2, "b"), false}}, rules.RequestIDParity},
		{"two answers", []sent{{"0", false, &wire.Setup{Sender: wire.ClientSide}, false},
			{"0", true, &wire.Setup{Sender: wire.ServerSide}, false}, {"0", false, subscribe(0, "a"), false},
			{"0", true, &wire.SubscribeOK{RequestID: 0, TrackAlias: 1}, false},
			{"0", true, &wire.RequestError{RequestID: 0, Code: 1}, false}}, rules.SecondAnswer},
		{"an alias for two tracks", []sent{{"0", false, &wire.Setup{Sender: wire.ClientSide}, false},
			{"0", true, &wire.Setup{Sender: wire.ServerSide}, false},
			{"0", false, subscribe(0, "a"), false}, {"0", false, subscribe(2, "b"), false},
			{"0", true, &wire.SubscribeOK{RequestID: 0, TrackAlias: 1}, false},
			{"0", true, &wire.SubscribeOK{RequestID: 2, TrackAlias: 1}, false}}, rules.TrackAliasDuplicate},
		{"an unknown message", []sent{{"0", false, "7f000100", false}}, rules.MessageType},
	} {
		t.Run(x.name, func(t *testing.T) {
			lines, _, err := record(t, wire.Draft16, x.list, false).Decode(Options{Draft: wire.Draft16, Rules: true})
			if err != nil {
				t.Fatal(err)
			}
			var found []rules.ID
			for _, l := range lines {
				for _, b := range l.Broken {
					if b.Section == "" || b.Says == "" || b.Found == "" {
						t.Errorf("%+v", b)
					}
					found = append(found, b.Rule)
				}
			}
			if !slices.Equal(found, []rules.ID{x.want}) {
				t.Errorf("found %v, want %s", found, x.want)
			}
			quiet, _, _ := record(t, wire.Draft16, x.list, false).Decode(Options{Draft: wire.Draft16})
			for _, l := range quiet {
				if len(l.Broken) > 0 {
					t.Errorf("unasked: %+v", l)
				}
			}
		})
	}
}

// TestAliasAgain: an alias may be used again when its subscription is over.
func TestAliasAgain(t *testing.T) {
	list := []sent{{"0", false, &wire.Setup{Sender: wire.ClientSide}, false},
		{"0", true, &wire.Setup{Sender: wire.ServerSide}, false},
		{"0", false, &wire.Subscribe{RequestID: 0, TrackNamespace: hall, TrackName: "a"}, false},
		{"0", true, &wire.SubscribeOK{RequestID: 0, TrackAlias: 1}, false},
		{"0", true, &wire.PublishDone{RequestID: 0, StatusCode: 2}, false},
		{"0", false, &wire.Subscribe{RequestID: 2, TrackNamespace: hall, TrackName: "b"}, false},
		{"0", true, &wire.SubscribeOK{RequestID: 2, TrackAlias: 1}, false}}
	for _, l := range decode(t, record(t, wire.Draft16, list, false), wire.Draft16) {
		if len(l.Broken) > 0 {
			t.Errorf("%+v", l)
		}
	}
}

// TestReassembly: frames come in any order, twice and overlapping, and the bytes come out once and in order.
func TestReassembly(t *testing.T) {
	whole := make([]byte, 1000)
	for i := range whole {
		whole[i] = byte(i * 7)
	}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		type cut struct{ from, to int }
		var cuts []cut
		for at := 0; at < len(whole); {
			to := min(at+1+random.IntN(90), len(whole))
			cuts = append(cuts, cut{at, to}, cut{max(at-random.IntN(30), 0), to})
			at = to
		}
		random.Shuffle(len(cuts), func(i, j int) { cuts[i], cuts[j] = cuts[j], cuts[i] })
		var r reassembly
		var got []byte
		fins := 0
		for _, c := range cuts {
			err := r.add(uint64(c.from), whole[c.from:c.to], c.to == len(whole), func(data []byte, fin bool) error {
				got = append(got, data...)
				if fin {
					fins++
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, whole) || fins != 1 || len(r.later) > 0 {
			t.Fatalf("seed %d: %d bytes, %d ends, %d left", seed, len(got), fins, len(r.later))
		}
	}
}

// TestBadRecords: what is no record, and what is in it that cannot be, is said with its line.
func TestBadRecords(t *testing.T) {
	for text, want := range map[string]string{
		"hello":    "neither packets",
		`{"a": 1}`: `line 1: json: unknown field "a"`,
		`{"stream": 0, "direction": "up", "hex": ""}`:                                   `line 1: direction "up"`,
		`{"stream": "x", "direction": "client", "hex": ""}`:                             `line 1: stream "x"`,
		`{"stream": 0, "direction": "client", "hex": "0g"}`:                             "line 1: hex",
		`{"stream": 0, "direction": "client", "on": "tcp", "hex": "00"}`:                `line 1: on "tcp"`,
		"{\"stream\": 0, \"direction\": \"client\", \"hex\": \"00\"}\n{":                "line 2: ",
		`{"qlog_version":"1"}` + "\n" + `{"name":"moqt:x","data":{"raw":{"data":"0"}}}`: "line 2: moqt:x: raw",
	} {
		name := filepath.Join(t.TempDir(), "record")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(t.Context(), name, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	c := record(t, wire.Draft18, session18, false)
	if _, _, err := c.Decode(Options{}); err == nil || !strings.Contains(err.Error(), "--draft") {
		t.Errorf("without a draft: %v", err)
	}
	if _, _, err := c.Decode(Options{Draft: wire.Draft18, Connection: "x"}); err == nil {
		t.Error("no such connection")
	}
}

// TestLineIsJSON: a line is one JSON object, that of package wire with the session's facts beside.
func TestLineIsJSON(t *testing.T) {
	l := find(t, decode(t, record(t, wire.Draft18, session18, false), wire.Draft18), "SUBSCRIBE_OK", 0)
	b, err := json.Marshal(&l)
	want := `{"time_ms":0,"from":"server","stream":0,"on":"request","track":"hall--clock","type":"SUBSCRIBE_OK",` +
		`"type_id":"4","draft":18,"offset":0,"length":5,"fields":{"track_alias":"7","parameters":[],` +
		`"track_properties":[]}}`
	if err != nil || string(b) != want {
		t.Errorf("%s, %v; want %s", b, err, want)
	}
}

// TestPage: the page has the session's picture, no token and no script.
func TestPage(t *testing.T) {
	list := append(session18[:3:3], sent{"0", false, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"<script>"},
		TrackName: "x", Parameters: wire.Parameters{{Type: wire.ParamAuthorizationToken,
			Token: wire.Token{AliasType: wire.TokenUseValue, Value: []byte("secret")}}}}, false})
	var page strings.Builder
	if err := HTML(&page, "a & b", decode(t, record(t, wire.Draft18, list, false), wire.Draft18)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<h1>a &amp; b</h1>", "<svg", "SUBSCRIBE · stream 0",
		"group 3 · stream 11: 1 objects, 3 B"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("no %q in %s", want, page.String())
		}
	}
	for _, bad := range []string{"<script>", "secret", "736563726574"} {
		if strings.Contains(page.String(), bad) {
			t.Errorf("%q in %s", bad, page.String())
		}
	}
}

// FuzzDecode: whatever a record says, decoding it ends without a panic, and says the same again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x00\x00\x06af00"), uint8(18), true)
	f.Add([]byte(subgroup18), uint8(22), false)
	f.Fuzz(func(t *testing.T, in []byte, draft uint8, http3 bool) {
		c := &Capture{}
		c.connection("").HTTP3 = http3
		for len(in) > 2 {
			n := min(int(in[1]), len(in)-2)
			e := Event{Kind: Kind(in[0]%6) + 1, Stream: uint64(in[0] >> 4), Server: in[0]&8 != 0, Data: in[2 : 2+n]}
			in = in[2+n:]
			if err := c.add(e); err != nil {
				t.Fatal(err)
			}
		}
		d := wire.Oldest + wire.Draft(draft)%(wire.Newest-wire.Oldest+1)
		lines, _, err := c.Decode(Options{Draft: d, Rules: true, MaxPayload: 10})
		if err != nil && len(c.Events) > 0 {
			t.Fatal(err)
		}
		if again, _, _ := c.Decode(Options{Draft: d, Rules: true, MaxPayload: 10}); len(again) != len(lines) {
			t.Fatalf("%d lines, then %d", len(lines), len(again))
		}
		var page strings.Builder
		if err := HTML(&page, "", lines); err != nil {
			t.Fatal(err)
		}
	})
}
