package wire

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// LineDecoder is Decode for a stream that arrives in pieces: it describes each message, header and object as soon as
// all of it is there. Not safe for concurrent use.
//
// With MaxPayload the memory it needs is bounded, whatever the input says.
type LineDecoder struct {
	// MaxPayload is how many bytes of a payload are shown; 0 shows all. The line of a longer one has payload_start_hex
	// instead of payload_hex, and cannot be encoded. It may be set before the first piece.
	MaxPayload int
	// Session, if set, knows what went over the session's other streams.
	Session LineSession

	d      Draft
	kind   StreamKind
	opt    Options
	rest   []byte // not described yet
	offset int    // of rest in the whole input
	data   dataStream
	began  bool      // data has read its header
	item   *openItem // what has begun and is not whole
	// answered: a response has come on a request stream, so later ones answer updates.
	answered bool
	end      bool // nothing follows
	hints    []*hint
	second   bool // it is the decoder of a hint
	// alsoHTTP3: the datagram could as well be one of HTTP/3, of this quarter.
	alsoHTTP3 bool
	quarter   uint64
}

// LineSession is what one stream is read with that others of its session have told.
type LineSession interface {
	// Answers is the kind of request that a response answers, by its Request ID up to 16, where the response has one; 0
	// after. KindNone if it is not known.
	Answers(requestID uint64) Kind
	// Descending reports whether the groups of a fetch stream go down, by the Request ID in its header.
	Descending(requestID uint64) bool
	// Told is told of each message as soon as it is decoded.
	Told(m Message)
}

// openItem is an object, or padding, whose header has been read and whose bytes have not all come. They are counted,
// and the first of them kept.
type openItem struct {
	line    Line
	header  int      // length of the header
	size    uint64   // of the payload; padding has none, it goes on to the end
	got     uint64   // of the payload
	kept    []byte   // the beginning of it
	padding bool     // zero bytes are not kept until another one comes
	fields  describe // of the payload's beginning
}

// describe gives the fields of an item by the beginning of its payload.
type describe func(payload []byte) Fields

// maxDatagram is the longest datagram: that of UDP.
const maxDatagram = 1<<16 - 1

// NewLineDecoder makes a decoder for a stream from its first byte, or for one datagram.
func NewLineDecoder(d Draft, stream StreamKind, opt Options) *LineDecoder {
	return &LineDecoder{d: d, kind: stream, opt: opt}
}

// Decode takes the next piece, keeps no reference to it, and describes what is complete now. end says that nothing
// follows; only then are missing bytes an error, with ErrIncomplete as its cause. Errors are those of the function
// Decode; after one, nothing more can be decoded.
func (l *LineDecoder) Decode(piece []byte, end bool) ([]Line, error) {
	l.end = end
	l.hint(piece)
	l.rest = append(l.rest, piece...)
	if end && l.offset == 0 && len(l.rest) == 0 && (l.kind == UniStream || l.kind == DatagramStream) {
		_, _, err := l.next(true) // an empty datagram, or a stream without its type
		return nil, l.failed(err)
	}
	var lines []Line
	for len(l.rest) > 0 || l.item != nil && end {
		line, n, err := l.next(end)
		if err != nil {
			if !end && errors.Is(err, ErrTruncated) {
				break
			}
			return lines, l.failed(err)
		}
		if line.Type == "" {
			break
		}
		l.rest, l.offset = l.rest[n:], l.offset+n
		if l.item == nil {
			line.Offset = l.offset - line.Length
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// failed gives an error its offset in the whole input, and tells an input that ends too early from a breach.
func (l *LineDecoder) failed(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	e.Offset += l.offset
	if l.kind != DatagramStream && errors.Is(e.Err, ErrTruncated) {
		e.Err, e.Code, e.Rule = ErrIncomplete, NoError, ""
		e.Reason = strings.Replace(e.Reason, "the stream ended", "the input ends", 1)
		if e.Reason == "truncated" {
			e.Reason = "the input ends here"
		}
		e.Reason = "incomplete: " + strings.TrimPrefix(e.Reason, "truncated: ")
	}
	for _, h := range l.hints {
		if h.passes() {
			e.WouldPass = h.tolerance
		}
	}
	return e
}

// next describes what the rest begins with. n is how many bytes of it are done with. The line is empty when it cannot
// be told before the end, and whole when no item is open behind it.
func (l *LineDecoder) next(end bool) (line Line, n int, err error) {
	opt := l.opt
	var passed []func()
	if tell := l.opt.Tolerated; tell != nil { // what is incomplete is read again later, and told of once
		opt.Tolerated = func(t Tolerance, where string) { passed = append(passed, func() { tell(t, where) }) }
		defer func() {
			if err != nil || line.Type == "" {
				return
			}
			for _, told := range passed {
				told()
			}
		}()
	}
	switch {
	case l.item != nil:
		return l.goOn(end)
	case l.kind == DatagramStream:
		return l.datagram(opt, end)
	case l.offset == 0 && l.mayBeWebTransport(end):
		return l.webTransport()
	case l.kind != UniStream:
		return l.message(opt)
	case !l.began:
		return l.start(opt)
	}
	return l.object(opt)
}

// start describes the header of a unidirectional stream.
func (l *LineDecoder) start(opt Options) (line Line, n int, err error) {
	s := dataStream{d: l.d, opt: opt}
	if line, n, err = s.start(l.rest); err != nil {
		return line, n, err
	}
	switch s.kind {
	case ControlUniStream: // the type is that of the SETUP message
		l.kind = ControlStream
		return l.message(opt)
	case PaddingStream: // it goes on to the end
		l.item = &openItem{line: line, header: n, padding: true}
	case FetchStream:
		if l.Session != nil {
			l.opt.Descending = l.Session.Descending(s.request)
			s.opt.Descending, s.order.descending = l.opt.Descending, l.opt.Descending
		}
		l.addHints()
	}
	l.data, l.began = s, true
	return line, n, nil
}

// object describes the next object. One whose payload has not all come is taken piece by piece.
func (l *LineDecoder) object(opt Options) (Line, int, error) {
	s := l.data // a copy: what is incomplete must leave no trace
	s.opt, s.sub.Options, s.fetch.Options = opt, opt, opt
	line, n, payload, fields, err := s.object(l.rest)
	if err != nil {
		return line, 0, err
	}
	l.data = s
	if left := uint64(len(l.rest) - n); payload > left {
		l.item = &openItem{line: line, header: n, size: payload, fields: fields}
		return line, n, nil
	}
	end := n + int(payload)
	line.Fields, line.Length = fields(l.shown(l.rest[n:end])), end
	return line, end, nil
}

// shown is what a line shows of a payload.
func (l *LineDecoder) shown(payload []byte) []byte {
	if l.MaxPayload > 0 && len(payload) > l.MaxPayload {
		return payload[:l.MaxPayload]
	}
	return payload
}

// goOn takes what has come of the open item.
func (l *LineDecoder) goOn(end bool) (Line, int, error) {
	it := l.item
	b := l.rest
	if !it.padding {
		b = b[:min(uint64(len(b)), it.size-it.got)]
	}
	it.take(b, l.MaxPayload)
	line := it.line
	line.Length = it.header + int(it.got)
	switch {
	case it.padding && end:
		line.Fields = describePadding(it.got, it.kept)
	case !it.padding && it.got == it.size:
		line.Fields = it.fields(it.kept)
	case end:
		return line, 0, TruncatedPayload(l.d, len(b)-int(it.got), it.size, it.got)
	default:
		return line, len(b), nil
	}
	l.item = nil
	return line, len(b), nil
}

// take counts bytes, and keeps the first of them, up to max (0 = all).
func (it *openItem) take(b []byte, max int) {
	if it.padding && it.kept == nil {
		if allZero(b) {
			it.got += uint64(len(b))
			return
		}
		zeros := it.got
		if max > 0 && zeros > uint64(max) {
			zeros = uint64(max)
		}
		it.kept = make([]byte, zeros)
	}
	it.got += uint64(len(b))
	if max > 0 {
		b = b[:min(len(b), max-len(it.kept))]
	}
	it.kept = append(it.kept, b...)
}

// datagram describes one datagram, at its end.
func (l *LineDecoder) datagram(opt Options, end bool) (line Line, n int, err error) {
	if len(l.rest) > maxDatagram {
		return line, 0, &Error{Draft: l.d, Message: datagramMessage, Code: InternalError,
			Reason: fmt.Sprintf("more than %d bytes: longer than any datagram", maxDatagram)}
	}
	if !end {
		return line, 0, nil
	}
	if l.opt.HTTP3 && l.offset == 0 {
		return l.quarterStreamID()
	}
	line, err = describeDatagram(l.d, l.rest, opt, l.MaxPayload)
	l.lookForHTTP3()
	return line, len(l.rest), err
}

// message describes one control message.
func (l *LineDecoder) message(opt Options) (Line, int, error) {
	code, _ := Varint(l.rest, l.d)
	r := rowOf(l.d, code)
	response := r != nil && r.answers != 0
	if response && l.Session != nil {
		opt.Answers = l.Session.Answers(l.requestID())
	}
	if response && l.answered && opt.Answers != KindNone {
		opt.Answers = KindRequestUpdate
	}
	m, n, err := ParseMessage(l.rest, l.d, l.kind, opt)
	if err != nil {
		return Line{}, 0, err
	}
	if l.Session != nil {
		l.Session.Told(m)
	}
	name, code, fields, err := Describe(l.d, m, l.kind)
	line := Line{Type: name, TypeID: strconv.FormatUint(code, 10), Draft: int(l.d), Length: n, Fields: fields}
	if opt.Answers != KindNone {
		line.remark(MayAnswer(l.d, m, opt.Answers))
	}
	line.malformed(l.d, propertiesOf(m).Malformed(l.d, TrackScope, Location{}))
	if response && l.kind == RequestStream {
		l.answered = true
	}
	return line, n, err
}

// requestID is the Request ID of the response that the rest begins with: up to 16 it is its first field.
func (l *LineDecoder) requestID() uint64 {
	if l.d > Draft16 {
		return 0
	}
	c := cursor{b: l.rest, d: l.d}
	c.varint("type")
	c.bytes("length", 2)
	return c.varint("request_id")
}

// propertiesOf are the track's properties in a message.
func propertiesOf(m Message) Properties {
	switch x := m.(type) {
	case *SubscribeOK:
		return x.Properties
	case *Publish:
		return x.Properties
	case *FetchOK:
		return x.Properties
	case *RequestOK:
		return x.Properties
	}
	return nil
}

// remark adds a breach, if there is one.
func (l *Line) remark(err error) {
	var e *Error
	if errors.As(err, &e) {
		l.remarkAt(e.Draft, e.Rule, e.Reason)
	}
}

// malformed adds why a track is malformed, if it is.
func (l *Line) malformed(d Draft, err error) {
	if err != nil {
		l.remarkAt(d, rules.MalformedTrack, err.Error())
	}
}

func (l *Line) remarkAt(d Draft, rule rules.ID, text string) {
	if section := rules.Section(d, rule); section != "" {
		text += fmt.Sprintf(" (%s %s)", d, section)
	}
	l.Remarks = append(l.Remarks, text)
}

// hint is a second reading of a fetch stream with one tolerance more, to know whether it would have let an input pass.
type hint struct {
	tolerance Tolerance
	used      bool
	decoder   *LineDecoder
	err       error
}

// addHints begins the second readings of a fetch stream. A deviation there can show long after where it was.
func (l *LineDecoder) addHints() {
	if l.second {
		return
	}
	for _, t := range []Tolerance{FetchObjectStatus, EndOfRangeDeltas} {
		if l.d < Draft16 || l.opt.Tolerate.Has(t) {
			continue
		}
		h := &hint{tolerance: t}
		opt := l.opt
		opt.Tolerate |= t
		opt.Tolerated = func(u Tolerance, _ string) { h.used = h.used || u == t }
		h.decoder = NewLineDecoder(l.d, UniStream, opt)
		h.decoder.MaxPayload, h.decoder.second = 1, true
		_, h.err = h.decoder.Decode(l.rest, l.end)
		l.hints = append(l.hints, h)
	}
}

// hint gives the second readings what comes.
func (l *LineDecoder) hint(piece []byte) {
	for _, h := range l.hints {
		if h.err == nil {
			_, h.err = h.decoder.Decode(piece, l.end)
		}
	}
}

func (h *hint) passes() bool { return h.err == nil && h.used }
