package cases

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestTranscriptIsBounded(t *testing.T) {
	start := time.Now()
	tr := transcript{start: start}
	for i := range 1000 {
		tr.add(start.Add(time.Duration(i)*time.Millisecond), "client",
			fmt.Sprintf("<- message %d %s", i, strings.Repeat("x", 1000)))
	}
	lines := tr.lines()
	if len(lines) != firstLines+1+lastLines {
		t.Fatalf("%d lines", len(lines))
	}
	for i, want := range map[int]string{0: "+0ms client <- message 0 ", firstLines - 1: "+99ms client <- message 99 ",
		firstLines:     "… 800 lines left out …",
		firstLines + 1: "+900ms client <- message 900 ", len(lines) - 1: "+999ms client <- message 999 "} {
		if !strings.HasPrefix(lines[i], want) || len(lines[i]) > maxLine+10 {
			t.Errorf("line %d is %q, want %q", i, lines[i], want)
		}
	}
}

func TestTranscriptLines(t *testing.T) {
	e := newEnv(Case{ID: "x"}, Config{AuthToken: "secret"})
	log := &sessionLog{e: e, role: "client"}
	params := e.Parameters()
	events := []moqt.Event{
		{Type: moqt.EventMessage, Sent: true, Draft: wire.Draft18, Stream: wire.RequestStream,
			Message: &wire.Subscribe{RequestID: 2, TrackNamespace: wire.TrackNamespace{"a", "b"}, TrackName: "t",
				Parameters: params}},
		{Type: moqt.EventMessage, Draft: wire.Draft18, Stream: wire.RequestStream, MessageType: 0x44, Bytes: 9,
			Err: fmt.Errorf("unknown")},
		{Type: moqt.EventSubgroup, Draft: wire.Draft18, StreamID: 3, Subgroup: &wire.SubgroupHeader{TrackAlias: 1,
			GroupID: 2, SubgroupID: 3, Priority: 4}},
		{Type: moqt.EventFetch, Draft: wire.Draft18, StreamID: 3, RequestID: 6},
		{Type: moqt.EventReset, Draft: wire.Draft18, StreamID: 4, Code: 1},
		{Type: moqt.EventStop, Sent: true, Draft: wire.Draft18, StreamID: 4, Code: 1},
		{Type: moqt.EventFin, Draft: wire.Draft18, StreamID: 4},
		{Type: moqt.EventDatagram, Draft: wire.Draft18, TrackAlias: 1, Location: wire.Location{Group: 1, Object: 2},
			Bytes: 40},
		{Type: moqt.EventClosed, Draft: wire.Draft18, Err: fmt.Errorf("closed")},
	}
	for i := range events {
		events[i].Time = e.start
		log.event(events[i])
	}
	want := []string{
		`+0ms client -> SUBSCRIBE {"request_id":"2","track_namespace":["a","b"],"track_name":"t",` +
			`"parameters":[{"type":"0x3","name":"AUTHORIZATION_TOKEN","alias_type":"3","token_type":"0",` +
			`"token_value":"(token)"}]}`,
		"+0ms client <- message 0x44 (9 bytes): unknown",
		"+0ms client <- SUBGROUP_HEADER stream 3 track alias 1 group 2 subgroup 3 priority 4",
		"+0ms client <- FETCH_HEADER stream 3 request 6",
		"+0ms client <- RESET_STREAM stream 4 0x1 CANCELLED",
		"+0ms client -> STOP_SENDING stream 4 0x1 CANCELLED",
		"+0ms client <- FIN stream 4",
		"+0ms client <- OBJECT_DATAGRAM track alias 1 {1,2} (40 bytes)",
		"+0ms client <- closed: closed",
	}
	if diff := cmp.Diff(want, e.transcript.lines()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSilence(t *testing.T) {
	e := newEnv(Case{ID: "x"}, Config{})
	log := &sessionLog{e: e, role: "client"}
	at := func(ms int) time.Time { return e.start.Add(time.Duration(ms) * time.Millisecond) }
	event := func(ms int, sent bool, m wire.Message) {
		log.event(moqt.Event{Time: at(ms), Type: moqt.EventMessage, Sent: sent, Draft: wire.Draft16, Message: m,
			Stream: wire.ControlStream})
	}
	expect := func(want string) {
		t.Helper()
		if got := log.silence(at(2000)); got != want {
			t.Errorf("silence is %q, want %q", got, want)
		}
	}
	expect("nothing for 2000 ms after the start, and no message before")
	event(10, true, &wire.Setup{Sender: wire.ClientSide})
	expect("nothing for 1990 ms after CLIENT_SETUP, and no message before")
	event(20, false, &wire.Setup{Sender: wire.ServerSide,
		Options: wire.Properties{{Type: wire.OptionMaxRequestID, Uint: 1}}})
	event(30, true, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"a"}})
	expect("nothing for 1970 ms after SUBSCRIBE; the last message before it was SERVER_SETUP")
	event(40, false, &wire.MaxRequestID{MaxRequestID: 3})
	expect("none for 1970 ms after SUBSCRIBE; the last message from the peer was MAX_REQUEST_ID, 1960 ms ago")
	log.event(moqt.Event{Time: at(50), Type: moqt.EventReset, Draft: wire.Draft16, Stream: wire.UniStream, StreamID: 7,
		Code: 0})
	expect(
		"none for 1970 ms after SUBSCRIBE; the last message from the peer was MAX_REQUEST_ID, 1960 ms ago; " +
			"RESET_STREAM stream 7 0x0 INTERNAL_ERROR came")
	event(60, true, &wire.Unsubscribe{}) // what wants no answer is not waited for
	expect(
		"none for 1970 ms after SUBSCRIBE; the last message from the peer was MAX_REQUEST_ID, 1960 ms ago; " +
			"RESET_STREAM stream 7 0x0 INTERNAL_ERROR came")
}

func TestToleranceOfRequestLimitIsReported(t *testing.T) {
	e := newEnv(Case{ID: "x"}, Config{NoRequestLimit: true})
	log := &sessionLog{e: e, role: "client"}
	log.event(moqt.Event{Type: moqt.EventMessage, Sent: true, Draft: wire.Draft14, RequestID: 0,
		Message: &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"a"}}})
	log.event(moqt.Event{Type: moqt.EventMessage, Draft: wire.Draft14, Message: &wire.MaxRequestID{MaxRequestID: 4}})
	log.event(moqt.Event{Type: moqt.EventMessage, Sent: true, Draft: wire.Draft14, RequestID: 2,
		Message: &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"a"}}})
	want := []string{"no-request-limit: SUBSCRIBE with request id 0, MAX_REQUEST_ID is 0"}
	if diff := cmp.Diff(want, e.tolerated); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
