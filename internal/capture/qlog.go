package capture

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// qlogLine is a line of a qlog in JSON-SEQ: the header, or an event.
type qlogLine struct {
	Time  float64         `json:"time"`
	Name  string          `json:"name"`
	Data  json.RawMessage `json:"data"`
	Trace *struct {
		VantagePoint struct{ Type string } `json:"vantage_point"`
		CommonFields struct {
			GroupID string `json:"group_id"`
		} `json:"common_fields"`
	} `json:"trace"`
}

// qlogData is what is read of an event's data.
type qlogData struct {
	Stream *uint64 `json:"stream_id"`
	Raw    struct{ Data string }
	ALPN   json.RawMessage `json:"chosen_alpn"`
}

// qlogReader reads the events of draft-pardue-moq-qlog-moq-events. Only control messages have their bytes there; what
// has none is passed on as the log has it. QUIC's own events are not MoQT's, but the ALPN is of use.
type qlogReader struct {
	c          *Capture
	server     bool // whose log it is
	connection string
	without    map[string]int
}

func readQlog(in io.Reader) (*Capture, error) {
	r := &qlogReader{c: &Capture{}, without: make(map[string]int)}
	err := eachLine(in, func(_ int, text []byte) error {
		var l qlogLine
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		return r.line(&l)
	})
	for _, name := range sorted(r.without) {
		r.c.Notes = append(r.c.Notes, fmt.Sprintf("%d events %s have no bytes in the log: shown as the log has them",
			r.without[name], name))
	}
	if len(r.c.Events) == 0 && err == nil {
		r.c.Notes = append(r.c.Notes, "the log has no events of MoQT (moqt:…)")
	}
	return r.c, err
}

func (r *qlogReader) line(l *qlogLine) error {
	if l.Trace != nil {
		r.server = l.Trace.VantagePoint.Type == "server"
		r.connection = l.Trace.CommonFields.GroupID
		r.c.connection(r.connection)
		return nil
	}
	var d qlogData
	if err := json.Unmarshal(l.Data, &d); err != nil && len(l.Data) > 0 {
		return fmt.Errorf("%s: %w", l.Name, err)
	}
	if strings.HasSuffix(l.Name, ":alpn_information") {
		if draft, ok := wire.DraftOfALPN(alpnText(d.ALPN)); ok {
			r.c.connection(r.connection).Draft = draft
		}
		return nil
	}
	event, ours := strings.CutPrefix(l.Name, "moqt:")
	if !ours {
		event, ours = strings.CutPrefix(l.Name, "moq:") // older drafts of the events
	}
	if !ours || event == "stream_type_set" {
		return nil
	}
	e := Event{TimeMS: l.Time, Connection: r.connection, Name: event, Fields: l.Data, Kind: Logged}
	e.Server = strings.HasSuffix(event, "_created") == r.server
	if d.Stream != nil {
		e.Stream = *d.Stream
	}
	raw, err := hex.DecodeString(d.Raw.Data)
	if err != nil {
		return fmt.Errorf("%s: raw: %w", l.Name, err)
	}
	switch {
	case strings.HasPrefix(event, "control_message_") && len(raw) > 0 && d.Stream != nil:
		e.Kind, e.Data = Bytes, raw
	case event == "session_closed":
	default:
		r.without[l.Name]++
	}
	return r.c.add(e)
}

// alpnText is an ALPN as text, or as an object with its bytes and text.
func alpnText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var object struct {
		StringValue string `json:"string_value"`
		ByteValue   string `json:"byte_value"`
	}
	if json.Unmarshal(raw, &object) != nil {
		return ""
	}
	if b, err := hex.DecodeString(object.ByteValue); object.StringValue == "" && err == nil {
		return string(b)
	}
	return object.StringValue
}
