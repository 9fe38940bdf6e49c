package wire

import (
	"errors"
	"fmt"
	"strconv"
)

// LineDecoder is Decode for a stream that arrives in pieces: it describes each message, header and object as soon as
// all of it is there. Not safe for concurrent use.
type LineDecoder struct {
	d      Draft
	kind   StreamKind
	opt    Options
	rest   []byte // not described yet
	offset int    // of rest in the whole input
	data   dataStream
	began  bool // data has read its header
	// answered: a response has come on a request stream, so later ones answer updates.
	answered bool
}

// NewLineDecoder makes a decoder for a stream from its first byte, or for one datagram.
func NewLineDecoder(d Draft, stream StreamKind, opt Options) *LineDecoder {
	return &LineDecoder{d: d, kind: stream, opt: opt}
}

// Decode takes the next piece, keeps no reference to it, and describes what is complete now. end says that nothing
// follows; only then are missing bytes an error. Errors are those of the function Decode; after one, nothing more can
// be decoded.
func (l *LineDecoder) Decode(piece []byte, end bool) ([]Line, error) {
	if l.rest = append(l.rest, piece...); end && l.offset == 0 && len(l.rest) == 0 && l.kind != ControlStream &&
		l.kind != RequestStream {
		_, _, err := l.next(true) // an empty datagram, or a stream without its type
		return nil, err
	}
	var lines []Line
	for len(l.rest) > 0 {
		line, n, err := l.next(end)
		if err != nil {
			if !end && errors.Is(err, ErrTruncated) {
				break
			}
			var e *Error
			if errors.As(err, &e) {
				e.Offset += l.offset
			}
			return lines, err
		}
		if n == 0 {
			break
		}
		line.Offset = l.offset
		lines = append(lines, line)
		l.rest, l.offset = l.rest[n:], l.offset+n
	}
	return lines, nil
}

// next describes what the rest begins with, and returns its length: 0 when that cannot be told before the end.
func (l *LineDecoder) next(end bool) (line Line, n int, err error) {
	opt := l.opt
	var passed []func()
	if tell := l.opt.Tolerated; tell != nil { // what is incomplete is read again later, and told of once
		opt.Tolerated = func(t Tolerance, where string) { passed = append(passed, func() { tell(t, where) }) }
		defer func() {
			if err != nil || n == 0 {
				return
			}
			for _, told := range passed {
				told()
			}
		}()
	}
	switch {
	case l.kind == DatagramStream && !end:
		return line, 0, nil
	case l.kind == DatagramStream:
		line, err = describeDatagram(l.d, l.rest, opt)
		return line, len(l.rest), err
	case l.kind != UniStream:
		return l.message(opt)
	case !l.began:
		s := dataStream{d: l.d, opt: opt}
		if line, n, err = s.start(l.rest); err != nil {
			return line, n, err
		}
		switch {
		case s.kind == ControlUniStream: // the type is that of the SETUP message
			l.kind = ControlStream
			return l.message(opt)
		case s.kind == PaddingStream && !end: // it goes on to the end
			return line, 0, nil
		}
		l.data, l.began = s, true
		return line, n, nil
	}
	s := l.data // a copy: what is incomplete must leave no trace
	s.opt, s.sub.Options, s.fetch.Options = opt, opt, opt
	if line, n, err = s.object(l.rest); err == nil {
		l.data = s
	}
	return line, n, err
}

// message describes one control message.
func (l *LineDecoder) message(opt Options) (Line, int, error) {
	code, _ := Varint(l.rest, l.d)
	r := rowOf(l.d, code)
	response := r != nil && r.answers != 0
	if response && l.answered && opt.Answers != KindNone {
		opt.Answers = KindRequestUpdate
	}
	m, n, err := ParseMessage(l.rest, l.d, l.kind, opt)
	if err != nil {
		return Line{}, 0, err
	}
	name, code, fields, err := Describe(l.d, m, l.kind)
	line := Line{Type: name, TypeID: strconv.FormatUint(code, 10), Draft: int(l.d), Length: n, Fields: fields}
	if opt.Answers != KindNone {
		line.remark(MayAnswer(l.d, m, opt.Answers))
	}
	if response && l.kind == RequestStream {
		l.answered = true
	}
	return line, n, err
}

// remark adds a breach, if there is one.
func (l *Line) remark(err error) {
	if err == nil {
		return
	}
	text := err.Error()
	var e *Error
	if errors.As(err, &e) {
		text = e.Reason
		if e.Section != "" {
			text += fmt.Sprintf(" (%s %s)", e.Draft, e.Section)
		}
	}
	l.Remarks = append(l.Remarks, text)
}
