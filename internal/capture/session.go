package capture

import (
	"errors"
	"fmt"
	"math"

	"github.com/quic-go/quic-go/quicvarint"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Line is one thing of a session, decoded: a message, a header, an object, the end of a stream.
type Line struct {
	TimeMS     float64 `json:"time_ms"`
	Connection string  `json:"connection,omitempty"`
	// From is who sent it, client or server. On is the kind of stream: control, request, uni, datagram, http3.
	From   string  `json:"from"`
	Stream *uint64 `json:"stream,omitempty"`
	On     string  `json:"on,omitempty"`
	// Track is the full name of the track that an alias or a request stands for.
	Track string `json:"track,omitempty"`
	// Logged says that a log told of it without its bytes.
	Logged bool `json:"logged,omitempty"`
	wire.Line
	// Error says why the bytes cannot be read on.
	Error string `json:"error,omitempty"`
	// Broken are the rules that it breaks.
	Broken []Breach `json:"broken,omitempty"`

	alias *aliasKey // whose track is looked up when all is read
}

// Breach is a rule that something breaks.
type Breach struct {
	Rule    rules.ID `json:"rule"`
	Section string   `json:"section,omitempty"`
	Says    string   `json:"says,omitempty"`
	Found   string   `json:"found"`
}

// Options change what is decoded and how.
type Options struct {
	// Draft is that of all connections; 0 takes it from the record.
	Draft wire.Draft
	// Decode is what the codec tolerates.
	Decode wire.Options
	// MaxPayload is how much of a payload is shown.
	MaxPayload int
	// Connection chooses one; "" is all.
	Connection string
	// Rules looks for rules that what was exchanged breaks.
	Rules bool
}

// ErrNoDraft is the error for a record that does not tell the draft.
var ErrNoDraft = errors.New("the record does not tell the draft: name it (--draft)")

// Decode decodes a record. Lines are in the order of time. Notes say what could not be decoded, and why.
func (c *Capture) Decode(opt Options) (lines []Line, notes []string, err error) {
	c.findDrafts()
	all := make(map[string]*decoder)
	unknown := make(map[string]int)
	for i := range c.Events {
		e := &c.Events[i]
		if opt.Connection != "" && e.Connection != opt.Connection {
			continue
		}
		d := all[e.Connection]
		if d == nil {
			k := c.connection(e.Connection)
			draft := k.Draft
			if opt.Draft != 0 {
				draft = opt.Draft
			}
			if draft == 0 {
				unknown[e.Connection]++
				continue
			}
			d = newDecoder(draft, k.HTTP3, opt)
			all[e.Connection] = d
		}
		lines = append(lines, d.event(e)...)
	}
	for _, name := range sorted(unknown) {
		notes = append(notes, fmt.Sprintf(
			"connection %s: its draft is not known, so %d events are not decoded (--draft)", name, unknown[name]))
	}
	if len(unknown) > 0 && len(all) == 0 {
		return nil, notes, ErrNoDraft
	}
	if opt.Connection != "" && len(all) == 0 {
		return nil, nil, fmt.Errorf("no connection %q; there are %v", opt.Connection, sorted(c.Connections))
	}
	for i := range lines {
		l := &lines[i]
		if l.alias != nil && l.Track == "" {
			l.Track = all[l.Connection].aliases[*l.alias]
		}
	}
	for _, name := range sorted(all) {
		for _, n := range all[name].finish() {
			if name != "" {
				n = "connection " + name + ": " + n
			}
			notes = append(notes, n)
		}
	}
	return lines, notes, nil
}

// findDrafts reads the draft of WebTransport sessions from the answer to CONNECT. One without a protocol is of draft 14
// (draft-15 §3.1).
func (c *Capture) findDrafts() {
	type answer struct {
		h *httpStream
	}
	answers := make(map[string]*answer)
	for i := range c.Events {
		e := &c.Events[i]
		k := c.connection(e.Connection)
		if k.Draft != 0 || !k.HTTP3 || e.Kind != Bytes || !e.Server || e.Stream%4 != 0 {
			continue
		}
		a := answers[e.Connection]
		if a == nil { // the CONNECT stream is the client's first
			a = &answer{h: &httpStream{}}
			answers[e.Connection] = a
		}
		lines, protocol := a.h.take(e.Data)
		if draft, ok := wire.DraftOfALPN(protocol); ok {
			k.Draft = draft
		} else if len(lines) > 0 && protocol == "" {
			k.Draft = wire.Draft14
		}
	}
}

type aliasKey struct {
	server bool // whose publisher it is
	alias  uint64
}

// request is what is known of a request.
type request struct {
	kind       wire.Kind
	server     bool // who sent it
	track      string
	descending bool
	answered   bool
	over       bool // it was ended: its alias may be used again
}

// decoder decodes one connection.
type decoder struct {
	draft    wire.Draft
	http3    bool
	opt      Options
	streams  map[streamKey]*stream
	requests map[uint64]*request
	aliases  map[aliasKey]string
	control  *uint64 // the control stream up to 16
	watch    *watcher
	notes    []string
}

// stream is one direction of a stream.
type stream struct {
	d       *decoder
	key     streamKey
	on      string
	lines   *wire.LineDecoder
	http    *httpStream
	held    []byte // of HTTP/3: until the type is there
	request *request
	updates bool // a REQUEST_UPDATE went this way
	track   string
	alias   *aliasKey
	failed  bool
	lost    int // bytes behind the failure
	ended   bool
	broken  []Breach // by the message that was told of last
}

func newDecoder(draft wire.Draft, http3 bool, opt Options) *decoder {
	d := &decoder{draft: draft, http3: http3, opt: opt, streams: make(map[streamKey]*stream),
		requests: make(map[uint64]*request), aliases: make(map[aliasKey]string)}
	if opt.Rules {
		d.watch = &watcher{d: d}
	}
	return d
}

// base is a line without what it tells.
func (e *Event) base() Line {
	l := Line{TimeMS: math.Round(e.TimeMS*1000) / 1000, Connection: e.Connection, From: "client"}
	if e.Server {
		l.From = "server"
	}
	if e.Kind != Datagram && e.Kind != Close {
		id := e.Stream
		l.Stream = &id
	}
	return l
}

// event decodes one.
func (d *decoder) event(e *Event) []Line {
	l := e.base()
	l.Draft = int(d.draft)
	switch e.Kind {
	case Bytes:
		return d.bytes(e)
	case Datagram:
		return d.datagram(e)
	case Fin, Reset, Stop:
		return d.end(e)
	case Close:
		l.Type = "CONNECTION_CLOSE"
		l.Fields = wire.Fields{{Name: "code", Value: wire.SessionError(e.Code).In(d.draft)}, {Name: "reason",
			Value: e.Reason}}
		if d.http3 {
			l.Fields[0].Value = fmt.Sprintf("0x%x (HTTP/3)", e.Code)
		}
	case Logged:
		l.Logged, l.Type = true, loggedName(e.Name)
		l.Fields = wire.Fields{{Name: "log", Value: e.Fields}}
	}
	return []Line{l}
}

// bytes decodes the next bytes of a stream.
func (d *decoder) bytes(e *Event) []Line {
	s := d.stream(e)
	if s.failed {
		s.lost += len(e.Data)
		return nil
	}
	data := e.Data
	if s.lines == nil && s.http == nil { // of HTTP/3, and what it is, is not known yet
		if s.held = append(s.held, data...); !s.sort() {
			return nil
		}
		data, s.held = s.held, nil
	}
	if s.http != nil {
		var out []Line
		lines, _ := s.http.take(data)
		for _, x := range lines {
			l := e.base()
			l.On, l.Line, l.Draft = "http3", x, int(d.draft)
			out = append(out, l)
		}
		return out
	}
	return s.decode(e, data, false)
}

// stream finds or makes the direction of a stream.
func (d *decoder) stream(e *Event) *stream {
	key := streamKey{e.Stream, e.Server}
	s := d.streams[key]
	if s != nil {
		return s
	}
	s = &stream{d: d, key: key}
	d.streams[key] = s
	opener := e.Stream%2 == 1
	other := d.streams[streamKey{e.Stream, !e.Server}]
	switch {
	case e.On != "":
		kind, _ := wire.ParseStreamKind(e.On)
		s.begin(kind)
	case !d.http3:
		s.begin(d.kind(e.Stream))
	case e.Server != opener && other != nil && other.http != nil:
		s.http = &httpStream{}
	case e.Server != opener && other != nil && other.lines != nil: // the answers have no prefix
		s.begin(d.kind(e.Stream))
	}
	return s
}

// sort tells MoQT's streams from those of HTTP/3, once the type is there.
func (s *stream) sort() bool {
	uni := s.key.id%4 >= 2
	kind, _, err := quicvarint.Parse(s.held)
	if err != nil {
		return false
	}
	if uni && kind == webTransportUni || !uni && kind == webTransportBidi {
		s.begin(s.d.kind(s.key.id))
	} else {
		s.http = &httpStream{uni: uni}
	}
	return true
}

// kind is the kind of a stream by its id. Up to 16 the client's first bidirectional stream is the control stream
// (draft-16 §3.3); from 17 on control streams are unidirectional, and each request has a stream (draft-18 §3.3).
func (d *decoder) kind(id uint64) wire.StreamKind {
	if id%4 >= 2 {
		return wire.UniStream
	}
	if d.draft <= wire.Draft16 {
		if d.control == nil && id%4 == 0 {
			d.control = &id
		}
		if d.control != nil && *d.control == id {
			return wire.ControlStream
		}
	}
	return wire.RequestStream
}

// begin makes the decoder of a stream.
func (s *stream) begin(kind wire.StreamKind) {
	s.on = kind.String()
	s.lines = wire.NewLineDecoder(s.d.draft, kind, s.d.opt.Decode)
	s.lines.MaxPayload = s.d.opt.MaxPayload
	s.lines.Session = s
}

// decode takes bytes of MoQT. One line comes for each message, header and object.
func (s *stream) decode(e *Event, data []byte, end bool) (out []Line) {
	for _, x := range s.lineByLine(data, end) {
		l := e.base()
		l.On, l.Line, l.Error = s.on, x.Line, x.err
		if l.On == "uni" && x.Type == "SETUP" { // from 17 on each side has such a control stream (draft-18 §3.3)
			s.on, l.On = "control", "control"
		}
		s.name(&l)
		l.Broken = x.broken
		out = append(out, l)
	}
	return out
}

// described is a line with the rules that its message breaks.
type described struct {
	wire.Line
	err    string
	broken []Breach
}

// lineByLine decodes; an error becomes the last line.
func (s *stream) lineByLine(data []byte, end bool) (out []described) {
	lines, err := s.lines.Decode(data, end)
	broken := s.broken
	s.broken = nil
	for i, x := range lines {
		y := described{Line: x}
		if i == len(lines)-1 { // what the watcher found while these bytes were read
			y.broken = broken
		}
		out = append(out, y)
	}
	var e *wire.Error
	if !errors.As(err, &e) {
		return out
	}
	s.failed = true
	x := described{Line: wire.Line{Type: "ERROR", Draft: int(s.d.draft), Offset: e.Offset}, err: e.Error(),
		broken: s.d.watch.codec(e)}
	if e.Code != wire.NoError {
		x.Fields = wire.Fields{{Name: "close_code", Value: e.Code.In(s.d.draft)}}
	}
	return append(out, x)
}

// name finds the track that a line is about.
func (s *stream) name(l *Line) {
	switch l.Type {
	case "SUBGROUP_HEADER":
		if alias, ok := number(l.Fields, "track_alias"); ok {
			s.alias = &aliasKey{s.key.server, alias}
		}
	case "FETCH_HEADER":
		if id, ok := number(l.Fields, "request_id"); ok {
			if r := s.d.requests[id]; r != nil {
				s.track = r.track
			}
		}
	}
	if s.on == "uni" {
		l.alias = s.alias
		l.Track = s.track
	} else if r := s.about(); r != nil && s.d.draft > wire.Draft16 {
		l.Track = r.track
	}
}

// about is the request that a request stream is for.
func (s *stream) about() *request {
	if s.request != nil {
		return s.request
	}
	if other := s.d.streams[streamKey{s.key.id, !s.key.server}]; other != nil {
		return other.request
	}
	return nil
}

func number(f wire.Fields, name string) (n uint64, ok bool) {
	v, _ := f.Get(name)
	text, _ := v.(string)
	_, err := fmt.Sscan(text, &n)
	return n, err == nil
}

// datagram decodes one.
func (d *decoder) datagram(e *Event) []Line {
	opt := d.opt.Decode
	opt.HTTP3 = e.HTTP3
	dec := wire.NewLineDecoder(d.draft, wire.DatagramStream, opt)
	dec.MaxPayload = d.opt.MaxPayload
	lines, err := dec.Decode(e.Data, true)
	var out []Line
	for _, x := range lines {
		l := e.base()
		l.On, l.Line = "datagram", x
		if alias, ok := number(x.Fields, "track_alias"); ok {
			l.alias = &aliasKey{e.Server, alias}
		}
		out = append(out, l)
	}
	var bad *wire.Error
	if errors.As(err, &bad) {
		l := e.base()
		l.On, l.Type, l.Error, l.Draft = "datagram", "ERROR", bad.Error(), int(d.draft)
		l.Broken = d.watch.codec(bad)
		out = append(out, l)
	}
	return out
}

// end shows the end of a direction.
func (d *decoder) end(e *Event) (out []Line) {
	key := streamKey{e.Stream, e.Server}
	s := d.streams[key]
	l := e.base()
	l.Draft = int(d.draft)
	if s == nil && e.Kind != Stop {
		s = d.stream(e)
	}
	if s != nil {
		l.On = s.on
		if s.http != nil {
			l.On = "http3"
		}
		l.alias, l.Track = s.alias, s.track
	}
	if s != nil && s.on == "request" {
		if r := s.about(); r != nil {
			r.over = true
		}
	}
	switch e.Kind {
	case Fin:
		l.Type = "FIN"
		if s.ended = true; s.lines != nil && !s.failed {
			out = s.decode(e, nil, true)
		}
		return append(out, l)
	case Reset:
		l.Type, s.ended = "RESET_STREAM", true
	case Stop:
		l.Type = "STOP_SENDING"
	}
	code, mapped := e.Code, false
	if d.http3 && l.On != "http3" {
		code, mapped = fromHTTP(code)
	}
	l.Fields = wire.Fields{{Name: "code", Value: wire.ResetCode(code).In(d.draft)}}
	if mapped {
		l.Fields = append(l.Fields, wire.Field{Name: "http3_code", Value: fmt.Sprintf("0x%x", e.Code)})
	}
	return append(out, l)
}

// finish tells what is left over.
func (d *decoder) finish() []string {
	for key, s := range d.streams {
		if s.lost > 0 {
			d.notes = append(d.notes, fmt.Sprintf("stream %d: %d bytes behind the error are not decoded", key.id,
				s.lost))
		}
		if s.ended || s.failed || s.lines == nil {
			continue
		}
		if _, err := s.lines.Decode(nil, true); errors.Is(err, wire.ErrIncomplete) && s.on != "uni" {
			d.notes = append(d.notes, fmt.Sprintf("stream %d: the record ends inside a message: %v", key.id, err))
		}
	}
	return d.notes
}
