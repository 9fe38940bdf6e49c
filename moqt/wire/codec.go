package wire

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// maxBody is the longest message body: Message Length is 16 bits.
const maxBody = 1<<16 - 1

// AppendMessage appends a message: its type, length and body. The stream decides the layout of GOAWAY in 18, and
// nothing else. The error is an *Error: the draft has no such message, or cannot express a value. Nothing is repaired.
func AppendMessage(b []byte, d Draft, m Message, stream StreamKind) ([]byte, error) {
	return appendMessage(b, d, m, stream, false)
}

// AppendUnchecked is AppendMessage for a message that breaks the draft on purpose: names and lists of any size, values
// out of bounds, parameters in any message and order. A Raw parameter of 17 or later is its Bytes as they are, with a
// length before them if it is Wrapped. What no bytes can express is an error all the same.
func AppendUnchecked(b []byte, d Draft, m Message, stream StreamKind) ([]byte, error) {
	return appendMessage(b, d, m, stream, true)
}

func appendMessage(b []byte, d Draft, m Message, stream StreamKind, unchecked bool) ([]byte, error) {
	if raw, ok := m.(*Raw); ok {
		return appendFrame(b, d, raw.Type, raw.Body)
	}
	r, err := rowOfMessage(d, m)
	if err != nil {
		return b, err
	}
	c := coder{op: opEncode, draft: d, stream: stream, row: r, opt: &Options{Answers: answers(m)}, unchecked: unchecked}
	m.fields(&c)
	if c.err != nil {
		return b, c.err
	}
	return appendFrame(b, d, r.code, c.out)
}

func appendFrame(b []byte, d Draft, code uint64, body []byte) ([]byte, error) {
	if len(body) > maxBody || code > d.MaxVarint() {
		return b, &Error{Draft: d, Message: "message", Code: InternalError,
			Reason: fmt.Sprintf("type 0x%x with a body of %d bytes does not fit the frame", code, len(body))}
	}
	b = AppendVarint(b, d, code)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	return append(b, body...), nil
}

// rowOfMessage finds the row of the message table to encode m with.
func rowOfMessage(d Draft, m Message) (*row, error) {
	from := NoSide
	if s, ok := m.(*Setup); ok {
		from = s.Sender
	}
	if r := rowOf(d, typeOf(m)); r != nil && r.kind == m.Kind() {
		return r, nil
	}
	r := rowFor(d, m.Kind(), answers(m), from)
	if r == nil {
		return nil, &Error{Draft: d, Message: m.Kind().String(), Code: InternalError,
			Reason: "the draft has no such message"}
	}
	return r, nil
}

// answers is the kind of request that a response says it answers.
func answers(m Message) Kind {
	switch x := m.(type) {
	case *RequestOK:
		return x.Answers
	case *RequestError:
		return x.Answers
	case *SubscribeOK:
		return KindSubscribe
	case *FetchOK:
		return KindFetch
	}
	return KindNone
}

// typeOf is the type code that a response came with or is to have, 0 where none is given.
func typeOf(m Message) uint64 {
	switch x := m.(type) {
	case *RequestOK:
		return x.Type
	case *RequestError:
		return x.Type
	}
	return 0
}

// NameOf is the draft's name of a message, "SUBSCRIBE_ERROR" or "REQUEST_ERROR".
func NameOf(d Draft, m Message) string {
	if raw, ok := m.(*Raw); ok {
		return fmt.Sprintf("raw message 0x%x", raw.Type)
	}
	if r, err := rowOfMessage(d, m); err == nil {
		return r.name
	}
	return m.Kind().String()
}

// unknownMessage is the error for a message type that the draft does not define.
func unknownMessage(d Draft, code uint64) *Error {
	return &Error{Draft: d, Message: "message", Field: "type", Code: ProtocolViolation,
		Rule:   rules.MessageType,
		Reason: fmt.Sprintf("unknown message type 0x%x", code), Err: ErrUnknownType}
}

// Frame splits the first message of b into its type code and its body; n is the number of bytes of the whole message. n
// is 0 while b does not hold all of it: need then says how many bytes are known to be needed. The error is an *Error:
// the first byte starts no integer, or the draft does not define the type and the body is not all there (no more bytes
// could make it a message).
func Frame(b []byte, d Draft) (code uint64, body []byte, n, need int, err error) {
	code, size := Varint(b, d)
	if size < 0 {
		return 0, nil, 0, 0, &Error{Draft: d, Message: "message", Field: "type", Code: ProtocolViolation,
			Rule:   d.integerRule(),
			Reason: fmt.Sprintf("0x%02x is not a valid first byte of an integer", b[0])}
	}
	if size == 0 {
		return 0, nil, 0, len(b) + 1, nil
	}
	n = size + 2
	if len(b) >= n {
		n += int(binary.BigEndian.Uint16(b[size:]))
	}
	if len(b) < n {
		if rowOf(d, code) == nil {
			return code, nil, 0, n, unknownMessage(d, code)
		}
		return code, nil, 0, n, nil
	}
	return code, b[size+2 : n], n, n, nil
}

// ParseMessage reads the first message of b and returns the number of bytes it took. The error is an *Error: its cause
// is ErrTruncated when b ends inside the message, and ErrUnknownType for a type that the draft does not define. Offsets
// count from the start of b. The message shares no memory with b.
func ParseMessage(b []byte, d Draft, stream StreamKind, opt Options) (Message, int, error) {
	code, body, n, _, err := Frame(b, d)
	if err != nil {
		return nil, 0, err
	}
	r := rowOf(d, code)
	if n == 0 {
		return nil, 0, truncatedMessage(b, d, r, stream, opt)
	}
	if r == nil {
		return nil, 0, unknownMessage(d, code)
	}
	if !r.mayStand(d, stream) {
		return nil, 0, &Error{Draft: d, Message: r.name, Field: "type", Code: ProtocolViolation,
			Rule:   rules.MessageStream,
			Reason: fmt.Sprintf("not allowed on a %s stream", stream)}
	}
	m, failed := r.parse(d, body, n-len(body), stream, opt)
	if failed != nil {
		if opt.Answers != KindNone && !r.mayAnswer(opt.Answers) { // no tolerance makes up for that
			return nil, 0, r.wrongAnswer(d, opt.Answers)
		}
		passes := func(opt Options) bool {
			_, err := r.parse(d, body, n-len(body), stream, opt)
			return err == nil
		}
		if failed.WouldPass = wouldPass(opt, passes); failed.WouldPass != 0 {
			failed.Deviation = deviation(failed, r.name, opt, passes)
		}
		return nil, 0, failed
	}
	return m, n, nil
}

// parse reads the body of a message, which stands at offset base.
func (r *row) parse(d Draft, body []byte, base int, stream StreamKind, opt Options) (Message, *Error) {
	m := r.message(opt.Answers)
	c := coder{op: opDecode, draft: d, stream: stream, row: r, opt: &opt, in: body, base: base}
	m.fields(&c)
	if c.err == nil && c.pos < len(body) {
		c.at = c.base + c.pos
		c.failf("", ProtocolViolation, rules.MessageType,
			"%d bytes left over: Message Length is larger than the fields", len(body)-c.pos)
	}
	return m, c.err
}

// message makes an empty message; answered is the request that a response is to answer, where known.
func (r *row) message(answered Kind) Message {
	m := r.new()
	switch x := m.(type) {
	case *RequestOK:
		x.Type, x.Answers = r.code, r.about(answered)
	case *RequestError:
		x.Type, x.Answers = r.code, r.about(answered)
	}
	return m
}

// about is the request that a response is about: the one that its type answers, or the one given if that is among those
// that the type answers.
func (r *row) about(answered Kind) Kind {
	if k := r.answers.only(); k != KindNone {
		return k
	}
	if r.answers.has(answered) {
		return answered
	}
	return KindNone
}

// MayAnswer judges whether the type of a response is one that answers the kind of request: in draft 17 PUBLISH_OK
// answers PUBLISH and REQUEST_OK does not. The error is an *Error that the session must be closed with, and nil for
// messages that are no responses.
func MayAnswer(d Draft, m Message, request Kind) error {
	r, err := rowOfMessage(d, m)
	if err != nil || r.mayAnswer(request) {
		return nil
	}
	return r.wrongAnswer(d, request)
}

// mayAnswer reports whether a message of the row may answer a request. What is no response may stand behind any.
func (r *row) mayAnswer(request Kind) bool { return r.answers == 0 || r.answers.has(request) }

// wrongAnswer is the error for a response whose type does not answer the request.
func (r *row) wrongAnswer(d Draft, request Kind) *Error {
	var accept, refuse string
	for i := range rows {
		x := &rows[i]
		switch text := fmt.Sprintf("%s (0x%x)", x.name, x.code); {
		case d < x.first || x.last < d || !x.answers.has(request):
		case x.kind == KindRequestError:
			refuse = text
		default:
			accept = text
		}
	}
	reason := fmt.Sprintf("type 0x%x does not answer %s", r.code, request.Name(d))
	if accept != "" {
		reason += ": want " + accept + " or " + refuse
	}
	return &Error{Draft: d, Message: r.name, Field: "type", Code: ProtocolViolation, Rule: rules.AnswerType,
		Reason: reason}
}

// truncatedMessage is the error for an input that ends inside its first message, of table row r: it names the field in
// which it ends, if it ends in one.
func truncatedMessage(b []byte, d Draft, r *row, stream StreamKind, opt Options) *Error {
	e := &Error{Draft: d, Message: "message", Field: "type", Code: ProtocolViolation,
		Reason: "truncated: the input ends inside the message", Err: ErrTruncated}
	_, size := Varint(b, d)
	if size == 0 {
		return e
	}
	e.Message, e.Field, e.Offset = r.name, "length", size
	start := size + 2
	if len(b) < start {
		return e
	}
	e.Field, e.Offset = "", len(b)
	e.Reason = fmt.Sprintf("truncated: the input ends after %d of the %d bytes that the message has behind its length",
		len(b)-start, binary.BigEndian.Uint16(b[size:]))
	opt.Tolerated = nil
	c := coder{op: opDecode, draft: d, stream: stream, row: r, opt: &opt, in: b[start:], base: start}
	r.message(opt.Answers).fields(&c)
	if c.err != nil && strings.HasPrefix(c.err.Reason, "truncated") {
		e.Field, e.Offset = c.err.Field, c.err.Offset
	}
	return e
}

// Describe returns the draft's name of a message, its type code, and its fields by name, in wire order.
func Describe(d Draft, m Message, stream StreamKind) (name string, code uint64, fields Fields, err error) {
	r, err := rowOfMessage(d, m)
	if err != nil {
		return "", 0, nil, err
	}
	c := coder{op: opDescribe, draft: d, stream: stream, row: r, opt: &Options{Answers: answers(m)}, desc: Fields{}}
	m.fields(&c)
	if c.err != nil {
		return r.name, r.code, c.desc, c.err
	}
	return r.name, r.code, c.desc, nil
}

// MessageFromFields undoes Describe: name is the draft's name of the message.
func MessageFromFields(d Draft, name string, fields Fields, stream StreamKind) (Message, error) {
	var r *row
	for i := range rows {
		if x := &rows[i]; x.name == name && x.first <= d && d <= x.last {
			r = x
		}
	}
	if r == nil {
		return nil, &Error{Draft: d, Message: name, Code: InternalError,
			Reason: "the draft has no message of this name"}
	}
	m := r.message(KindNone)
	c := coder{op: opParse, draft: d, stream: stream, row: r, opt: &Options{Answers: answers(m)}, desc: fields}
	m.fields(&c)
	c.allTaken()
	if c.err != nil {
		return nil, c.err
	}
	return m, nil
}

// String is the name of the stream as `decode --stream` takes it.
func (s StreamKind) String() string {
	return [...]string{"control", "request", "uni", "datagram"}[s]
}

// ParseStreamKind reads a name as `decode --stream` takes it.
func ParseStreamKind(name string) (StreamKind, error) {
	for s := ControlStream; s <= DatagramStream; s++ {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("stream %q: want control, request, uni or datagram", name)
}
