package moqt

import (
	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// FetchWriter writes one fetch stream (draft-18 §11.4.4): the answer to a FETCH, or a fill (20 and later). It allocates
// nothing per object. See PayloadWriter for flushing, errors and concurrency.
type FetchWriter struct {
	PayloadWriter
	objects wire.FetchObjects
	current wire.FetchObject
	count   uint64
}

// NewFetchWriter gives a writer of the stream that answers a request. descending is the Group Order that the request
// has. The header goes out with the first object, or with Flush or Close: a fetch without objects is NewFetchWriter and
// Close. The error is a *wire.Error: a Request ID that has no form in the draft.
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

// Objects is the number of objects written or begun so far, markers not counted.
func (w *FetchWriter) Objects() uint64 {
	w.core.Mu.Lock()
	defer w.core.Mu.Unlock()
	return w.count
}

// WriteObject writes a whole object, or a marker when o.Range says so. Properties of another draft are translated, so
// that an object that came from a session of any draft, by stream, datagram or fetch, can be written as it is. From 18
// on groups must follow the Group Order, and objects must not go back within their group. From 16 on a fetch stream has
// no status: an object with another than Normal is an error, and leaving it out or naming the range is the caller's to
// decide.
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

// WriteRange writes a marker: from after the last object or marker up to and including end, nothing exists, or nothing
// is known (draft-18 §11.4.4.2). The error is a *wire.Error where the draft does not have the marker: 14 and 15 have
// none, TimedOutRange is there from 20 on.
func (w *FetchWriter) WriteRange(kind wire.RangeKind, end wire.Location) error {
	if kind == wire.NoRange {
		return unencodable(w.core.Draft, "no kind of range given")
	}
	return w.object(wire.FetchObject{Group: end.Group, Object: end.Object, Range: kind}, 0, nil, 0)
}

// BeginObject writes the header of an object whose payload follows with Write: exactly h.PayloadLength bytes.
// h.Properties are in the form of draft from, 0 meaning the stream's own; the fields of h that only reading sets are
// not used. It is otherwise as WriteObject. A header that FetchReader.Next returned can be given as it is, markers too.
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
