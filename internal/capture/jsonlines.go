package capture

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// line is one line of {"stream": 0, "direction": "client", "hex": "…"}.
type line struct {
	Stream     json.RawMessage `json:"stream"`
	Direction  string          `json:"direction"`
	Hex        string          `json:"hex"`
	On         string          `json:"on"`
	TimeMS     float64         `json:"time_ms"`
	Connection string          `json:"connection"`
	Fin        bool            `json:"fin"`
	Reset      *uint64         `json:"reset"`
	Stop       *uint64         `json:"stop"`
}

// readLines reads JSON lines: the next bytes of a stream, or a datagram, in each.
func readLines(in io.Reader) (*Capture, error) {
	c := &Capture{}
	err := eachLine(in, func(_ int, text []byte) error {
		var l line
		strict := json.NewDecoder(bytes.NewReader(text))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&l); err != nil {
			return err
		}
		events, err := l.events()
		for _, e := range events {
			if err := c.add(e); err != nil {
				return err
			}
		}
		return err
	})
	return c, err
}

// events is what a line tells.
func (l *line) events() ([]Event, error) {
	e := Event{TimeMS: l.TimeMS, Connection: l.Connection, Kind: Bytes, On: l.On}
	switch l.Direction {
	case "client", "c2s", "->":
	case "server", "s2c", "<-":
		e.Server = true
	default:
		return nil, fmt.Errorf("direction %q: want client or server, which is who sent it", l.Direction)
	}
	var err error
	if e.Data, err = hex.DecodeString(strings.Join(strings.Fields(l.Hex), "")); err != nil {
		return nil, fmt.Errorf("hex: %w", err)
	}
	switch l.On {
	case "", "control", "request", "uni":
	default:
		return nil, fmt.Errorf("on %q: want control, request or uni", l.On)
	}
	switch text := strings.Trim(string(l.Stream), `"`); text {
	case "datagram", "h3-datagram":
		e.Kind, e.HTTP3 = Datagram, text == "h3-datagram"
		return []Event{e}, nil
	default:
		if json.Unmarshal(l.Stream, &e.Stream) != nil {
			return nil, fmt.Errorf("stream %s: want its QUIC stream id, datagram or h3-datagram", l.Stream)
		}
	}
	var all []Event
	if len(e.Data) > 0 {
		all = append(all, e)
	}
	end := e
	end.Data = nil
	for _, x := range []struct {
		kind Kind
		code *uint64
		is   bool
	}{{Fin, nil, l.Fin}, {Reset, l.Reset, l.Reset != nil}, {Stop, l.Stop, l.Stop != nil}} {
		if x.is {
			end.Kind = x.kind
			if x.code != nil {
				end.Code = *x.code
			}
			all = append(all, end)
		}
	}
	return all, nil
}
