//go:build !js

package reference

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// record is one record of a qlog in JSON-SEQ.
type record struct {
	Time float64
	Name string
	Data map[string]any
	// Trace is that of the first record.
	Trace struct {
		EventSchemas []string `json:"event_schemas"`
		CommonFields struct {
			GroupID string `json:"group_id"`
		} `json:"common_fields"`
		VantagePoint struct{ Type string } `json:"vantage_point"`
	}
}

// readSeq reads a whole file; every record must be one JSON object on a line of its own.
func readSeq(t *testing.T, name string) (head record, events []record) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range bytes.Split(b, []byte{0x1e}) {
		if i == 0 {
			if len(text) > 0 {
				t.Fatalf("%s begins with %q", name, text)
			}
			continue
		}
		var r record
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatalf("%s, record %d: %v: %q", name, i, err, text)
		}
		if !bytes.HasSuffix(text, []byte("}\n")) {
			t.Errorf("%s, record %d does not end its line: %q", name, i, text)
		}
		if i == 1 {
			head = r
			continue
		}
		events = append(events, r)
	}
	return head, events
}

// named are the events of a name, in order.
func named(events []record, name string) (found []record) {
	for _, e := range events {
		if e.Name == name {
			found = append(found, e)
		}
	}
	return found
}

// message finds the control message of a type.
func message(t *testing.T, events []record, name, kind string) map[string]any {
	t.Helper()
	var seen []any
	for _, e := range named(events, name) {
		m, _ := e.Data["message"].(map[string]any)
		if m["type"] == kind {
			return m
		}
		seen = append(seen, m["type"])
	}
	t.Fatalf("no %s of a %s; there are %v", name, kind, seen)
	return nil
}

// TestLogOfConnection: the file of a connection is named after the client's connection id, holds QUIC's events and
// MoQT's, of both directions, and is whole when the relay is closed. The client's says the same from its side. Tokens
// are in none of them.
func TestLogOfConnection(t *testing.T) {
	for _, choice := range []transport.Choice{transport.OnlyQUIC, transport.OnlyWebTransport} {
		for _, d := range wire.Drafts() {
			t.Run(fmt.Sprintf("%s/%s", choice, d), func(t *testing.T) { testLogOfConnection(t, choice, d) })
		}
	}
}

func testLogOfConnection(t *testing.T, choice transport.Choice, d wire.Draft) {
	const secret = "open sesame"
	dir := t.TempDir()
	served, dialled := filepath.Join(dir, "served"), filepath.Join(dir, "dialled")
	w := newWorld(t, Options{})
	l, err := endpoint.Listen(endpoint.ListenOptions{Addr: "127.0.0.1:0", MLOGDir: served})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- w.relay.ServeListener(w.ctx, l) }()
	u, err := transport.ParseURL("moqt://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	dial := func() *moqt.Session {
		conn, err := endpoint.Dial(w.ctx, endpoint.DialOptions{URL: u, Transport: choice, Drafts: []wire.Draft{d},
			TLS: &tls.Config{InsecureSkipVerify: true}, QLOGDir: dialled})
		if err != nil {
			t.Fatal(err)
		}
		s, err := moqt.Client(w.ctx, conn, moqt.Config{Drafts: []wire.Draft{d}, Path: u.Path, Authority: u.Authority})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	publisher, subscriber := dial(), dial()
	pub, err := publisher.Publish(w.ctx, &wire.Publish{TrackNamespace: wire.TrackNamespace{"n", "\xff"},
		TrackName: "t \"1\""})
	if err != nil {
		t.Fatal(err)
	}
	var ps wire.Parameters
	ps.Add(wire.Parameter{Type: wire.ParamAuthorizationToken,
		Token: wire.Token{AliasType: wire.TokenUseValue, Value: []byte(secret)}})
	sub := w.subscribe(subscriber, ps, "t \"1\"", "n", "\xff")
	o := &origin{world: w, objects: make(map[wire.Location]*moqt.Object)}
	o.send(pub, 7, 0, 1, 2, 3, 4)
	if err := pub.SendDatagram(&moqt.Object{GroupID: 8, Priority: 100, EndOfGroup: true,
		Payload: []byte("datagram")}); err != nil {
		t.Fatal(err)
	}
	w.receive(sub, 6)
	w.fetched(w.fetch(subscriber, groupEnd(loc(7, 0), 7), false, "t \"1\"", "n", "\xff"))
	id := fmt.Sprintf("%x", subscriber.Conn().Info().OriginalDestinationConnectionID)
	subscriber.Close(wire.NoError, "")
	publisher.Close(wire.NoError, "")
	w.relay.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	l.Close()

	for _, side := range []struct{ file, vantage, subscribe, ok, data string }{
		{filepath.Join(served, id+"_server.mlog"), "server", "parsed", "created", "created"},
		{filepath.Join(dialled, id+"_client.sqlog"), "client", "created", "parsed", "parsed"},
	} {
		head, events := readSeq(t, side.file)
		if head.Trace.CommonFields.GroupID != id || head.Trace.VantagePoint.Type != side.vantage ||
			!slices.Contains(head.Trace.EventSchemas, "urn:ietf:params:qlog:events:moqt-08") {
			t.Errorf("%s: head %+v, want connection %s", side.file, head.Trace, id)
		}
		if len(named(events, "transport:packet_received")) == 0 {
			t.Errorf("%s: no events of QUIC among %d", side.file, len(events))
		}
		m := message(t, events, "moqt:control_message_"+side.subscribe, "subscribe")
		want := map[string]any{"track_namespace": []any{map[string]any{"value": "n"},
			map[string]any{"value_bytes": "ff"}}, "track_name": map[string]any{"value": "t \"1\""}}
		for name, v := range want {
			if fmt.Sprint(m[name]) != fmt.Sprint(v) {
				t.Errorf("%s: %s is %v, want %v", side.file, name, m[name], v)
			}
		}
		if text := fmt.Sprint(m["parameters"]); !strings.Contains(text, "length:11") ||
			!strings.Contains(text, "authorization_token") {
			t.Errorf("%s: parameters %s", side.file, text)
		}
		message(t, events, "moqt:control_message_"+side.ok, "subscribe_ok")
		message(t, events, "moqt:control_message_created", "setup")
		message(t, events, "moqt:control_message_parsed", "setup")
		if h := named(events, "moqt:subgroup_header_"+side.data); len(h) != 1 || h[0].Data["group_id"] != 7.0 {
			t.Errorf("%s: subgroup headers %v, want one of group 7", side.file, h)
		}
		for _, kind := range []string{"subgroup", "fetch"} {
			objects := named(events, "moqt:"+kind+"_object_"+side.data)
			if len(objects) != 5 || objects[4].Data["object_id"] != 4.0 ||
				objects[4].Data["object_payload_length"] != float64(len(payload(7, 4))) {
				t.Errorf("%s: %s objects %v, want 5", side.file, kind, objects)
			}
		}
		if h := named(events, "moqt:fetch_header_"+side.data); len(h) != 1 {
			t.Errorf("%s: fetch headers %v, want one", side.file, h)
		}
		if g := named(events, "moqt:object_datagram_"+side.data); len(g) != 1 || g[0].Data["group_id"] != 8.0 ||
			g[0].Data["end_of_group"] != true || fmt.Sprint(g[0].Data["object_payload"]) != "map[length:8]" {
			t.Errorf("%s: datagrams %v, want one of group 8", side.file, g)
		}
		if c := named(events, "moqt:session_closed"); len(c) != 1 {
			t.Errorf("%s: %d times closed", side.file, len(c))
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if len(files) != 4 || err != nil {
		t.Errorf("files %v, want one of each end of two connections (%v)", files, err)
	}
	schema := eventSchema(t)
	for _, file := range files {
		counts := validateLog(t, schema, file, d)
		types := named(func() []record { _, events := readSeq(t, file); return events }(), "moqt:stream_type_set")
		if counts["moqt:stream_type_set"] < 2 || types[0].Data["stream_type"] != "control" {
			t.Errorf("%s: stream types %v", file, types)
		}
		if b, err := os.ReadFile(file); err != nil || bytes.Contains(b, []byte(secret)) ||
			bytes.Contains(b, []byte(fmt.Sprintf("%x", secret))) {
			t.Errorf("%s holds the token (%v)", file, err)
		}
	}
}
