package moqt

import (
	"errors"
	"fmt"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// recorded keeps what is written into a log.
type recorded []string

func (r *recorded) Record(name string, data wire.Fields) { *r = append(*r, fmt.Sprint(name, data)) }
func (r *recorded) Close()                               {}

// TestLogOfPadding: a padding datagram is told with the length of its padding, a padding stream with its type.
func TestLogOfPadding(t *testing.T) {
	size := wire.VarintLen(wire.Draft18, wire.TypePaddingDatagram) + 100
	name, data := logEvent(Event{Type: EventPadding, Draft: wire.Draft18, Stream: wire.DatagramStream, Bytes: size})
	if n, _ := data.Get("padding_length"); name != "moqt:padding_datagram_parsed" || n != uint64(100) {
		t.Errorf("%s %v", name, data)
	}
	var log recorded
	e := Event{Type: EventPadding, Draft: wire.Draft18, Stream: wire.UniStream, StreamID: 6}
	logType(&log, e)
	if name, _ := logEvent(e); name != "" || len(log) != 1 ||
		log[0] != "moqt:stream_type_set[{owner remote} {stream_id 6} {stream_type padding}]" {
		t.Errorf("%s, %q", name, log)
	}
}

// TestLogOfBadMessage: what cannot be decoded is there with its bytes.
func TestLogOfBadMessage(t *testing.T) {
	_, data := logEvent(Event{Type: EventMessage, Draft: wire.Draft18, MessageType: 0x3f, Raw: []byte{0x3f, 0, 1, 0xff},
		Err: errors.New("bad")})
	raw, _ := data.Get("raw")
	if text := fmt.Sprint(raw); text != "[{length 4} {data 3f0001ff}]" {
		t.Errorf("raw is %s", text)
	}
}

// TestObjectDeltas: the first Object ID stands as it is, the others count from the one behind the last.
func TestObjectDeltas(t *testing.T) {
	var d objectDeltas
	for _, step := range [][2]uint64{{3, 3}, {4, 0}, {9, 4}} {
		if got := d.next(step[0]); got != step[1] {
			t.Errorf("object %d has delta %d, want %d", step[0], got, step[1])
		}
	}
}
