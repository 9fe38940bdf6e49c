package moqt

import (
	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// FetchWriter writes one fetch stream (draft-18 §11.4.4), the answer to a FETCH or a fill (20 and later). It allocates
// nothing per object. See PayloadWriter for flushing, errors and concurrency.
type FetchWriter struct {
	PayloadWriter
	objects wire.FetchObjects
	current wire.FetchObject
	count   uint64
}

// NewFetchWriter gives a writer of the stream that answers a request. descending is the request's Group Order. The
// header goes out with the first object, or with Flush or Close; Close alone makes a fetch without objects. The error
// is a *wire.Error for a Request ID that the draft cannot encode.
func NewFetchWriter(out transport.SendStream, d wire.Draft, requestID uint64, descending bool) (*FetchWriter,
	error) {
	w := &FetchWriter{PayloadWriter: PayloadWriter{core: stream.Writer{Stream: out, Draft: d}},
		objects: wire.FetchObjects{Draft: d}}
	w.objects.Options.Descending = descending
	var err error
	if w.core.Buf, err = wire.AppendFetchHeader(make([]byte, 0, wire.MaxObjectHeader), d, requestID); err != nil {
		return nil, err
	}
	return w, nil
}

// Objects is the number of objects written or begun so far, without markers.
func (w *FetchWriter) Objects() uint64 {
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	return w.count
}

// WriteObject writes a whole object, or a marker if o.Range is set. Properties of another draft are translated, so an
// object from a session of any draft, by stream, datagram or fetch, can be written as it is. From 18 on groups must
// follow the Group Order, and Object IDs must ascend within a group. From 16 on a fetch stream has no status, so an
// object with a status other than Normal is an error: leave it out, or write a marker.
func (w *FetchWriter) WriteObject(o *Object) error {
	h := wire.FetchObject{
		Group:         o.GroupID,
		Subgroup:      o.SubgroupID,
		Object:        o.ObjectID,
		Priority:      o.Priority,
		Datagram:      o.Datagram,
		Properties:    o.Properties,
		PayloadLength: uint64(len(o.Payload)),
		Status:        o.Status,
		Range:         o.Range,
	}
	return w.object(h, o.Draft, o.Payload, 0)
}

// WriteRange writes a marker. It says of the locations after the last object or marker, up to and including end, that
// no objects exist there, or that it is unknown (draft-18 §11.4.4.2). The error is a *wire.Error in a draft without the
// marker: 14 and 15 have none, and TimedOutRange exists from 20 on.
func (w *FetchWriter) WriteRange(kind wire.RangeKind, end wire.Location) error {
	if kind == wire.NoRange {
		return unencodable(w.core.Draft, "no kind of range given")
	}
	return w.object(wire.FetchObject{Group: end.Group, Object: end.Object, Range: kind}, 0, nil, 0)
}

// BeginObject writes the header of an object. Exactly h.PayloadLength bytes of payload must follow with Write.
// h.Properties are in the form of draft from, 0 meaning the stream's own. It takes headers and markers as
// FetchReader.Next returns them, and does not use the fields that only reading sets. See WriteObject for the rest.
func (w *FetchWriter) BeginObject(h *wire.FetchObject, from wire.Draft) error {
	v := *h
	v.KeepFlags = false
	return w.object(v, from, nil, h.PayloadLength)
}

func (w *FetchWriter) object(h wire.FetchObject, from wire.Draft, payload []byte, left uint64) error {
	if h.Range != wire.NoRange && (h.PayloadLength > 0 || len(h.Properties) > 0) {
		return unencodable(w.core.Draft, "the end of a range has no payload and no properties")
	}
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	w.current = h
	err := stream.PutObject(&w.core, &w.objects, &w.current, &w.current.Properties, from, payload, left)
	w.current.Properties = nil
	if err != nil {
		return err
	}
	if h.Range == wire.NoRange {
		w.count++
	}
	if w.log != nil {
		logFetchObject(w.log, true, w.StreamID(), &w.current)
	}
	return nil
}
