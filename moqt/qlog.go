package moqt

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// What happens in a session goes into the log of its connection, where it has one (transport.Info), as qlog events of
// draft-pardue-moq-qlog-moq-events-08. The names of the events and of their own fields are that draft's; the fields of
// a message are those that package wire describes it with, because that draft knows one draft of MoQT and this library
// nine, and objects have their ids beside the deltas. moqt:datagram_dropped, moqt:stream_dropped and
// moqt:session_closed are ours. The bytes of a control message stand in "raw". Values of authorization tokens are left
// out, and so are the bytes of a message that has any, if it can be decoded. FIN and resets are in QUIC's events.

// openLog opens the connection's log; nil where it has none. EventClosed closes it.
func openLog(conn transport.Conn) transport.EventLog {
	open := conn.Info().OpenLog
	if open == nil {
		return nil
	}
	return open()
}

// logType tells the type of a stream when it becomes known.
func logType(log transport.EventLog, e Event) {
	kind := ""
	switch {
	case e.Type == EventSubgroup:
		kind = "subgroup_header"
	case e.Type == EventFetch:
		kind = "fetch_header"
	case e.Type == EventPadding && e.Stream == wire.UniStream:
		kind = "padding"
	case e.Type == EventMessage && e.Message != nil && opensControl(e):
		kind = "control"
	default:
		return
	}
	owner := "remote"
	if e.Sent {
		owner = "local"
	}
	log.Record("moqt:stream_type_set", wire.Fields{{Name: "owner", Value: owner},
		{Name: "stream_id", Value: e.StreamID}, {Name: "stream_type", Value: kind}})
}

// opensControl reports whether a message is the first of its control stream: up to 16 there is one stream, which the
// client opens.
func opensControl(e Event) bool {
	m, ok := e.Message.(*wire.Setup)
	return ok && (e.Draft >= wire.Draft17 || m.Sender == wire.ClientSide)
}

// logEvent gives name and data of the qlog event for an event of a session; "" where there is none.
func logEvent(e Event) (name string, data wire.Fields) {
	switch e.Type {
	case EventMessage:
		return logName("control_message", e.Sent), logMessage(e)
	case EventSubgroup:
		return logName("subgroup_header", e.Sent), logSubgroup(e)
	case EventFetch:
		return logName("fetch_header", e.Sent), wire.Fields{{Name: "stream_id", Value: e.StreamID},
			{Name: "request_id", Value: e.RequestID}}
	case EventDatagram:
		data = wire.Fields{
			{Name: "track_alias", Value: e.TrackAlias}, {Name: "group_id", Value: e.Location.Group},
			{Name: "object_id", Value: e.Location.Object},
			{Name: "object_status", Value: uint64(e.Status)},
			{Name: "object_payload", Value: wire.Fields{{Name: "length", Value: uint64(e.Payload)}}},
			{Name: "end_of_group", Value: e.EndOfGroup}, {Name: "length", Value: uint64(e.Bytes)},
		}
		return logName("object_datagram", e.Sent), withError(data, e.Err)
	case EventPadding:
		if e.Stream == wire.DatagramStream {
			size := e.Bytes - wire.VarintLen(e.Draft, wire.TypePaddingDatagram)
			return logName("padding_datagram", e.Sent), wire.Fields{{Name: "padding_length", Value: uint64(size)}}
		}
	case EventDropped:
		if e.Stream == wire.DatagramStream {
			return "moqt:datagram_dropped", withError(wire.Fields{{Name: "track_alias", Value: e.TrackAlias}}, e.Err)
		}
		return "moqt:stream_dropped", withError(wire.Fields{{Name: "stream_id", Value: e.StreamID}}, e.Err)
	case EventClosed:
		owner := "remote"
		if e.Sent {
			owner = "local"
		}
		return "moqt:session_closed", withError(wire.Fields{{Name: "owner", Value: owner},
			{Name: "code", Value: e.Code}}, e.Err)
	}
	return "", nil
}

// logName is the name of the event that tells of something sent or received.
func logName(what string, sent bool) string {
	if sent {
		return "moqt:" + what + "_created"
	}
	return "moqt:" + what + "_parsed"
}

// objectDeltas counts Object IDs on a subgroup stream as they are written: the first as it is, each further one from
// the one behind the last (draft-18 §11.4.2).
type objectDeltas struct {
	behind uint64
}

func (d *objectDeltas) next(id uint64) uint64 {
	delta := id - d.behind
	d.behind = id + 1
	return delta
}

// logSubgroupObject tells of an object on a subgroup stream.
func logSubgroupObject(log transport.EventLog, sent bool, stream uint64, h *wire.SubgroupHeader, o *wire.ObjectHeader,
	deltas *objectDeltas) {
	log.Record(logName("subgroup_object", sent), wire.Fields{
		{Name: "stream_id", Value: stream}, {Name: "group_id", Value: h.GroupID},
		{Name: "subgroup_id", Value: h.SubgroupID}, {Name: "object_id", Value: o.ObjectID},
		{Name: "object_id_delta", Value: deltas.next(o.ObjectID)},
		{Name: "object_payload_length", Value: o.PayloadLength}, {Name: "object_status", Value: uint64(o.Status)},
	})
}

// logFetchObject tells of an object, or the end of a range, on a fetch stream.
func logFetchObject(log transport.EventLog, sent bool, stream uint64, o *wire.FetchObject) {
	log.Record(logName("fetch_object", sent), wire.Fields{
		{Name: "stream_id", Value: stream}, {Name: "datagram", Value: o.Datagram},
		{Name: "end_of_nonexistent_range", Value: o.Range == wire.NonExistentRange},
		{Name: "end_of_unknown_range", Value: o.Range == wire.UnknownRange || o.Range == wire.TimedOutRange},
		{Name: "group_id", Value: o.Group}, {Name: "subgroup_id", Value: o.Subgroup},
		{Name: "object_id", Value: o.Object},
		{Name: "object_payload_length", Value: o.PayloadLength}, {Name: "object_status", Value: uint64(o.Status)},
	})
}

func withError(data wire.Fields, err error) wire.Fields {
	if err != nil {
		data = append(data, wire.Field{Name: "error", Value: err.Error()})
	}
	return data
}

// logMessage is a control message. One that could not be decoded has its type code only.
func logMessage(e Event) wire.Fields {
	data := wire.Fields{{Name: "stream_id", Value: e.StreamID}, {Name: "length", Value: uint64(e.Bytes)}}
	content := wire.Fields{{Name: "type", Value: "unknown"}, {Name: "type_bytes", Value: e.MessageType}}
	raw := wire.Fields{{Name: "length", Value: uint64(len(e.Raw))}}
	secret := false
	if e.Message != nil {
		if name, _, fields, err := wire.Describe(e.Draft, e.Message, e.Stream); err == nil {
			content = append(wire.Fields{{Name: "type", Value: messageName(name)}}, counted(inQLOG(fields))...)
			secret = hasToken(fields)
		}
	}
	if !secret {
		raw = append(raw, wire.Field{Name: "data", Value: hex.EncodeToString(e.Raw)})
	}
	data = append(data, wire.Field{Name: "message", Value: content}, wire.Field{Name: "raw", Value: raw})
	return withError(data, e.Err)
}

// messageName is the name of a message in qlog, which has one for every SETUP.
func messageName(name string) string {
	switch name = strings.ToLower(name); name {
	case "client_setup", "server_setup":
		return "setup"
	}
	return name
}

// counted puts the number of the parameters before them.
func counted(fields wire.Fields) wire.Fields {
	for i, f := range fields {
		if list, ok := f.Value.([]any); ok && f.Name == "parameters" {
			return slices.Insert(fields, i, wire.Field{Name: "number_of_parameters", Value: uint64(len(list))})
		}
	}
	return fields
}

// hasToken reports whether there is the value of a token anywhere.
func hasToken(fields wire.Fields) bool {
	for _, f := range fields {
		switch v := f.Value.(type) {
		case wire.Fields:
			if hasToken(v) {
				return true
			}
		case []any:
			for _, x := range v {
				if inner, ok := x.(wire.Fields); ok && hasToken(inner) {
					return true
				}
			}
		case string:
			if f.Name == "token_value" {
				return true
			}
		}
	}
	return false
}

// aliasTypes are qlog's names for what a token does with its alias.
var aliasTypes = map[any]string{"0": "delete", "1": "register", "2": "use_alias", "3": "use_value"}

// unknownOption is an option or parameter without a name, as qlog has it.
func unknownOption(fields wire.Fields) wire.Fields {
	_, named := fields.Get("name")
	text, _ := fields.Get("type")
	bytes, raw := fields.Get("hex")
	data, _ := bytes.(string)
	code, err := strconv.ParseUint(fmt.Sprint(text), 0, 64)
	if named || !raw || err != nil {
		return fields
	}
	return append(wire.Fields{{Name: "name", Value: "unknown"}, {Name: "name_bytes", Value: code},
		{Name: "value_bytes", Value: wire.Fields{{Name: "length", Value: uint64(hex.DecodedLen(len(data)))},
			{Name: "data", Value: data}}}}, fields...)
}

// inQLOG gives fields of a message the form that names and lists of parameters have in qlog, and takes out the values
// of tokens.
func inQLOG(fields wire.Fields) wire.Fields {
	out := make(wire.Fields, len(fields))
	for i, f := range fields {
		out[i].Name = f.Name
		switch v := f.Value.(type) {
		case wire.Fields:
			out[i].Value = inQLOG(v)
		case []any:
			list := make([]any, len(v))
			for j, x := range v {
				list[j] = x
				if inner, ok := x.(wire.Fields); ok {
					list[j] = unknownOption(inQLOG(inner))
				}
				if strings.HasPrefix(f.Name, "track_namespace") {
					list[j] = byteString(x)
				}
			}
			out[i].Value = list
		default:
			out[i].Value = v
		}
		text, _ := f.Value.(string)
		switch f.Name {
		case "track_name":
			out[i].Value = byteString(f.Value)
		case "name":
			out[i].Value = strings.TrimPrefix(strings.ToLower(text), "moqt_") // MOQT_IMPLEMENTATION
		case "alias_type":
			if name, ok := aliasTypes[f.Value]; ok {
				out[i].Value = name
			}
		case "token_value":
			out[i].Value = wire.Fields{{Name: "length", Value: uint64(hex.DecodedLen(len(text)))}}
		}
	}
	return out
}

// byteString is a name as qlog has it: as text, or in hex if it is no text.
func byteString(v any) any {
	if f, ok := v.(wire.Fields); ok {
		bytes, _ := f.Get("hex")
		return wire.Fields{{Name: "value_bytes", Value: bytes}}
	}
	return wire.Fields{{Name: "value", Value: v}}
}

// logSubgroup is a subgroup header.
func logSubgroup(e Event) wire.Fields {
	data := wire.Fields{{Name: "stream_id", Value: e.StreamID}, {Name: "track_alias", Value: e.TrackAlias}}
	h := e.Subgroup
	if h == nil {
		return data
	}
	data = append(data, wire.Field{Name: "group_id", Value: h.GroupID},
		wire.Field{Name: "subgroup_id_mode", Value: uint64(h.IDMode)})
	if h.IDMode != wire.SubgroupIDFirstObject {
		data = append(data, wire.Field{Name: "subgroup_id", Value: h.SubgroupID})
	}
	if !h.DefaultPriority {
		data = append(data, wire.Field{Name: "publisher_priority", Value: uint64(h.Priority)})
	}
	return append(data, wire.Field{Name: "contains_end_of_group", Value: h.EndOfGroup},
		wire.Field{Name: "properties_present", Value: h.HasProperties})
}
