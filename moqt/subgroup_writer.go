package moqt

import (
	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// SubgroupWriter writes one subgroup stream (draft-18 §11.4.2). It allocates nothing per object. See PayloadWriter for
// flushing, errors and concurrency.
type SubgroupWriter struct {
	PayloadWriter
	header  wire.SubgroupHeader
	objects wire.SubgroupObjects
	current wire.ObjectHeader
	count   uint64
	logged  objectDeltas
}

// NewSubgroupWriter gives a writer of a stream with this header. The header goes out with the first object, or with
// Flush or Close. The error is a *wire.Error if the draft cannot encode the header. A relay that does not begin with
// the first object of the stream that it forwards must change the mode SubgroupIDFirstObject to SubgroupIDPresent.
func NewSubgroupWriter(out transport.SendStream, d wire.Draft, h wire.SubgroupHeader) (*SubgroupWriter, error) {
	w := &SubgroupWriter{PayloadWriter: PayloadWriter{core: stream.Writer{Stream: out, Draft: d}}, header: h,
		objects: h.Objects(d)}
	var err error
	if w.core.Buf, err = wire.AppendSubgroupHeader(make([]byte, 0, wire.MaxObjectHeader), d, &h); err != nil {
		return nil, err
	}
	return w, nil
}

// Header is the stream's header. In mode SubgroupIDFirstObject its SubgroupID is 0 until the first object was written.
func (w *SubgroupWriter) Header() wire.SubgroupHeader {
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	return w.header
}

// Objects is the number of objects written or begun so far.
func (w *SubgroupWriter) Objects() uint64 {
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	return w.count
}

// WriteObject writes a whole object. Of o it uses ObjectID, Status, Properties and Payload; the stream's header says
// the rest. Properties of another draft are translated, so an object from a session of any draft can be written as it
// is. Object IDs must ascend. An object with properties needs a header with HasProperties, and a status that allows
// them: from 15 on End of Group does not. A status that the draft lacks (Object Does Not Exist from 16 on) is an error
// too.
func (w *SubgroupWriter) WriteObject(o *Object) error {
	if o.Range != wire.NoRange {
		return unencodable(w.core.Draft, "the end of a range has its place in a fetch stream")
	}
	h := wire.ObjectHeader{ObjectID: o.ObjectID, Status: o.Status, Properties: o.Properties,
		PayloadLength: uint64(len(o.Payload))}
	return w.object(h, o.Draft, o.Payload, 0)
}

// BeginObject writes the header of an object. Exactly h.PayloadLength bytes of payload must follow with Write.
// h.Properties are in the form of draft from, 0 meaning the stream's own. It takes headers as SubgroupReader.Next
// returns them, and does not use h.Delta. See WriteObject for the rest.
func (w *SubgroupWriter) BeginObject(h *wire.ObjectHeader, from wire.Draft) error {
	return w.object(*h, from, nil, h.PayloadLength)
}

func (w *SubgroupWriter) object(h wire.ObjectHeader, from wire.Draft, payload []byte, left uint64) error {
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	w.current = h
	err := stream.PutObject(&w.core, &w.objects, &w.current, &w.current.Properties, from, payload, left)
	w.current.Properties = nil
	if err != nil {
		return err
	}
	if w.count == 0 && w.header.IDMode == wire.SubgroupIDFirstObject {
		w.header.SubgroupID = h.ObjectID
	}
	w.count++
	if w.log != nil {
		logSubgroupObject(w.log, true, w.StreamID(), &w.header, &w.current, &w.logged)
	}
	return nil
}

// Detach hands the stream over to a caller that writes it itself. It gives the stream, the bytes of its header, which
// must go out first, and the encoder of the objects' headers. Call it before anything is written, and do not use the
// writer afterwards.
func (w *SubgroupWriter) Detach() (out transport.SendStream, header []byte, objects wire.SubgroupObjects) {
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	header, w.core.Buf = w.core.Buf, nil
	return w.core.Stream, header, w.objects
}
