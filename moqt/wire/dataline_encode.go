package wire

import (
	"encoding/hex"
	"fmt"
)

// maxPadding bounds the padding that a line can ask for.
const maxPadding = 1 << 24

// lineWriter writes the fields of a line that are on the wire. Its error is sticky.
type lineWriter struct {
	d   Draft
	f   Fields
	b   []byte
	err error
}

func (w *lineWriter) has(name string) bool {
	_, ok := w.f.Get(name)
	return ok
}

func (w *lineWriter) fail(name string, err error) {
	if w.err == nil {
		w.err = fmt.Errorf("%s: %w", name, err)
	}
}

func (w *lineWriter) uint(name string) uint64 {
	v, ok := w.f.Get(name)
	if !ok {
		w.fail(name, fmt.Errorf("missing"))
		return 0
	}
	n, err := parseUint(v)
	if err != nil {
		w.fail(name, err)
	}
	return n
}

func (w *lineWriter) varint(name string) uint64 {
	v := w.uint(name)
	if !fits(w.d, v) {
		w.fail(name, fmt.Errorf("%d is above 2^62-1", v))
	}
	if w.err == nil {
		w.b = AppendVarint(w.b, w.d, v)
	}
	return v
}

func (w *lineWriter) uint8(name string) uint64 {
	v := w.uint(name)
	if v > 255 {
		w.fail(name, fmt.Errorf("%d is above 255", v))
	}
	w.b = append(w.b, byte(v))
	return v
}

func (w *lineWriter) hex(name string) {
	v, _ := w.f.Get(name)
	s, ok := v.(string)
	if !ok {
		w.fail(name, fmt.Errorf("missing, or not a string"))
		return
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		w.fail(name, err)
	}
	w.b = append(w.b, b...)
}

// properties writes the length as it is said, then the block: from its bytes if they are there, else from the list.
func (w *lineWriter) properties() {
	length := w.varint(propertiesLengthField(w.d))
	name := propertiesField(w.d)
	switch {
	case w.has(name + "_hex"):
		w.hex(name + "_hex")
	case length > 0 || w.has(name):
		v, _ := w.f.Get(name)
		list, ok := v.([]any)
		if !ok {
			w.fail(name, fmt.Errorf("missing, or not a list"))
			return
		}
		props, err := parseDescribedProperties(w.d, list, ObjectScope)
		if err == nil {
			w.b, err = AppendProperties(w.b, w.d, props)
		}
		if err != nil {
			w.fail(name, err)
		}
	}
}

// payload writes the length, and the payload or what replaces it.
func (w *lineWriter) payload(status bool) {
	length := w.varint("payload_length")
	switch {
	case w.has("payload_start_hex"):
		w.fail("payload_start_hex", fmt.Errorf("the beginning of a payload of %d bytes, which has to be whole", length))
	case length > 0:
		w.hex("payload_hex")
	case status:
		w.varint("object_status")
	}
}

// data gives the bytes of a line that is not a control message, and reads them back.
func (e *LineEncoder) data(line Line) ([]byte, error) {
	typ, err := parseCode(line.TypeID)
	if err != nil {
		return nil, fmt.Errorf("type_id: %w", err)
	}
	if !fits(e.Draft, typ) {
		return nil, fmt.Errorf("type_id: %d is above 2^62-1", typ)
	}
	w := lineWriter{d: e.Draft, f: line.Fields}
	switch line.Type {
	case objectMessage, rangeMessage:
		return e.object(line, typ, &w)
	case datagramMessage:
		w.datagram(typ)
	case paddingMessage:
		w.b = AppendVarint(w.b, w.d, typ)
		w.padding()
	case subgroupMessage:
		w.b = AppendVarint(w.b, w.d, typ)
		w.varint("track_alias")
		w.varint("group_id")
		if SubgroupIDMode(typ&subgroupIDMode>>1) == SubgroupIDPresent {
			w.varint("subgroup_id")
		}
		if typ&subgroupDefaultPriority == 0 {
			w.uint8("publisher_priority")
		}
	case fetchMessage:
		w.b = AppendVarint(w.b, w.d, typ)
		w.varint("request_id")
	}
	if w.err != nil {
		return nil, w.err
	}
	var is Line
	if line.Type == datagramMessage || line.Type == paddingMessage && typ == TypePaddingDatagram {
		is, err = describeDatagram(e.Draft, w.b, tolerance(line), 0)
	} else {
		s := dataStream{d: e.Draft, opt: tolerance(line)}
		is, _, err = s.start(w.b)
		if s.kind == PaddingStream && err == nil {
			is.Fields, is.Length = describeAllPadding(w.b[is.Length:]), len(w.b)
		}
		e.stream = s
	}
	return w.b, agree(line, is, len(w.b), err)
}

// tolerance is what reading back must let pass because the line states it itself.
func tolerance(line Line) Options {
	var t Tolerance
	for _, x := range line.Fields {
		switch {
		case x.Name == "extension_headers_hex" || x.Name == "properties_hex":
			t |= LenientExtensions
		case line.Type == rangeMessage && x.Name == "payload_length":
			t |= EndOfRangeDeltas
		case line.Type == objectMessage && x.Name == "object_status":
			t |= FetchObjectStatus
		}
	}
	return Options{Tolerate: t}
}

// agree reports what the bytes written from a line say otherwise than the line.
func agree(line, is Line, length int, err error) error {
	switch {
	case err != nil:
		return err
	case is.Length != length:
		return fmt.Errorf("%d bytes, of which the draft reads %d", length, is.Length)
	case is.Type != line.Type:
		return fmt.Errorf("type_id %s is %s", line.TypeID, is.Type)
	}
	return differ("", line.Fields, is.Fields)
}

func (w *lineWriter) padding() {
	if w.has("padding_start_hex") {
		w.fail("padding_start_hex", fmt.Errorf("the beginning of the padding, which has to be whole"))
		return
	}
	if w.has("padding_hex") {
		w.hex("padding_hex")
		return
	}
	n := w.uint("padding_length")
	if n > maxPadding {
		w.fail("padding_length", fmt.Errorf("at most %d", maxPadding))
		return
	}
	w.b = append(w.b, make([]byte, n)...)
}

func (w *lineWriter) datagram(typ uint64) {
	w.b = AppendVarint(w.b, w.d, typ)
	w.varint("track_alias")
	w.varint("group_id")
	if typ&datagramZeroObjectID == 0 {
		w.varint("object_id")
	}
	if typ&datagramDefaultPriority == 0 {
		w.uint8("publisher_priority")
	}
	if typ&datagramProperties != 0 {
		w.properties()
	}
	if typ&datagramStatus != 0 {
		w.varint("object_status")
	} else {
		w.datagramPayload()
	}
}

func (w *lineWriter) datagramPayload() {
	if w.has("payload_start_hex") {
		w.fail("payload_start_hex", fmt.Errorf("the beginning of a payload, which has to be whole"))
		return
	}
	w.hex("payload_hex")
}

// object writes an object or marker of the stream whose header came last.
func (e *LineEncoder) object(line Line, typ uint64, w *lineWriter) ([]byte, error) {
	switch e.stream.kind {
	case SubgroupStream:
		w.varint("object_id_delta")
		if e.stream.sub.HasProperties {
			w.properties()
		}
		w.payload(true)
	case FetchStream:
		w.fetchObject(line.Type == rangeMessage)
	default:
		return nil, fmt.Errorf("no SUBGROUP_HEADER or FETCH_HEADER before it")
	}
	if typ != e.stream.typ {
		return nil, fmt.Errorf("type_id %d, but the stream's is %d", typ, e.stream.typ)
	}
	if w.err != nil {
		return nil, w.err
	}
	err := e.readBack(line, w.b)
	if err != nil && e.stream.kind == FetchStream && e.Draft >= Draft18 {
		// The sign of group deltas is not on the wire: the lines of a descending fetch show it by their ids.
		e.stream.fetch.Options.Descending = !e.stream.fetch.Options.Descending
		if e.readBack(line, w.b) == nil {
			return w.b, nil
		}
		e.stream.fetch.Options.Descending = !e.stream.fetch.Options.Descending
	}
	return w.b, err
}

// readBack moves the stream's state on, if the bytes say what the line says.
func (e *LineEncoder) readBack(line Line, b []byte) error {
	next := e.stream
	next.opt.Tolerate = tolerance(line).Tolerate
	next.sub.Options.Tolerate, next.fetch.Options.Tolerate = next.opt.Tolerate, next.opt.Tolerate
	is, n, payload, fields, err := next.object(b)
	switch left := uint64(len(b) - n); {
	case err != nil:
	case payload > left:
		err = TruncatedPayload(e.Draft, n, payload, left)
	default:
		is.Length = n + int(payload)
		is.Fields = fields(b[n:is.Length])
	}
	if err = agree(line, is, len(b), err); err == nil {
		e.stream = next
	}
	return err
}

func (w *lineWriter) fetchObject(marker bool) {
	flags := uint64(fetchGroupID | fetchSubgroupPresent | fetchObjectID | fetchPriority | fetchProperties)
	switch {
	case w.d == Draft15:
		flags = w.uint8("serialization_flags")
	case w.d >= Draft16:
		flags = w.varint("serialization_flags")
	}
	id := func(name string) {
		if w.d >= Draft18 && (!marker || w.has("payload_length")) {
			name += "_delta"
		}
		w.varint(name)
	}
	if marker {
		id("group_id")
		id("object_id")
		if w.has("payload_length") {
			w.varint("payload_length")
		}
		return
	}
	if flags&fetchGroupID != 0 {
		id("group_id")
	}
	if flags&fetchDatagram == 0 && flags&fetchSubgroupMode == fetchSubgroupPresent {
		w.varint("subgroup_id")
	}
	if flags&fetchObjectID != 0 {
		id("object_id")
	}
	if flags&fetchPriority != 0 {
		w.uint8("publisher_priority")
	}
	if flags&fetchProperties != 0 {
		w.properties()
	}
	w.payload(w.d <= Draft15 || w.has("object_status"))
}
