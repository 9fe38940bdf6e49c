package capture

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// document is a qlog in one JSON document, as picoquic writes it (draft-ietf-quic-qlog-main-schema-00): events are
// arrays of time, category, name and data. MoQT has no events there, but frames of streams have their first bytes.
type document struct {
	Traces []struct {
		VantagePoint struct{ Type string } `json:"vantage_point"`
		Description  string                `json:"description"`
		Events       [][]json.RawMessage   `json:"events"`
	} `json:"traces"`
}

// documentData is what is read of an event's data.
type documentData struct {
	ALPN   string `json:"alpn"`
	Frames []struct {
		Type   string `json:"frame_type"`
		ID     uint64 `json:"id"`
		Offset uint64 `json:"offset"`
		Length uint64 `json:"length"`
		Fin    bool   `json:"fin"`
		Begins string `json:"begins_with"`
		Code   uint64 `json:"error_code"`
	} `json:"frames"`
}

// readDocument reads such a log as far as it goes: what a frame has whole is decoded, of the rest the log's own words
// are shown.
func readDocument(in io.Reader) (*Capture, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxCapture))
	if err != nil {
		return nil, err
	}
	var doc document
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("a qlog in one JSON document: %w", err)
	}
	c := &Capture{}
	short := 0
	for _, trace := range doc.Traces {
		next := make(map[streamKey]uint64) // how far the bytes of a stream are there
		for _, row := range trace.Events {
			var time float64
			var name string
			var data documentData
			if len(row) < 4 || json.Unmarshal(row[0], &time) != nil || json.Unmarshal(row[2], &name) != nil ||
				json.Unmarshal(row[3], &data) != nil {
				continue // of another form: not of streams
			}
			if draft, ok := wire.DraftOfALPN(data.ALPN); ok {
				c.connection(trace.Description).Draft = draft
			}
			sent := name == "packet_sent"
			if !sent && name != "packet_received" {
				continue
			}
			server := sent == (trace.VantagePoint.Type == "server")
			var frames struct{ Frames []json.RawMessage }
			_ = json.Unmarshal(row[3], &frames) // it was read before
			for i, f := range data.Frames {
				e := Event{TimeMS: time / 1000, Connection: trace.Description, Server: server, Stream: f.ID,
					Code: f.Code}
				switch strings.ToLower(f.Type) {
				case "stream":
				case "reset_stream":
					e.Kind = Reset
				case "stop_sending":
					e.Kind = Stop
				default:
					continue
				}
				if e.Kind != 0 {
					if err := c.add(e); err != nil {
						return c, err
					}
					continue
				}
				key := streamKey{f.ID, server}
				e.Data, _ = hex.DecodeString(f.Begins)
				switch {
				case f.Offset < next[key]: // sent again
					continue
				case f.Offset == next[key] && uint64(len(e.Data)) == f.Length && f.Length > 0:
					e.Kind, next[key] = Bytes, f.Offset+f.Length
				default:
					e.Kind, e.Name, e.Fields, e.Data = Logged, "stream", frames.Frames[i], nil
					short++
				}
				if err := c.add(e); err != nil {
					return c, err
				}
				if f.Fin && e.Kind == Bytes {
					e.Kind, e.Data = Fin, nil
					if err := c.add(e); err != nil {
						return c, err
					}
				}
			}
		}
	}
	if short > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("%d frames of streams have only their first bytes in the log, or follow "+
			"such a gap: shown as the log has them; a packet capture with keys has all", short))
	}
	return c, nil
}
