package moqt

import (
	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// FetchReader reads the objects and range markers of one fetch stream (draft-18 §11.4.4), also of a fill (20 and
// later). It allocates nothing per object. See PayloadReader for waiting, errors and concurrency.
type FetchReader struct {
	PayloadReader
	requestID uint64
	objects   wire.FetchObjects
	current   wire.FetchObject
	count     uint64
}

// NewFetchReader reads the header of a stream that must be a fetch stream, and gives a reader of its objects. Where the
// kind of the stream or the request is not known before, use ReadUniHeader. It waits for the header.
// opts.Decode.Descending is the Group Order of the fetch.
func NewFetchReader(stream transport.ReceiveStream, d wire.Draft, opts ReaderOptions) (*FetchReader, error) {
	u, err := ReadUniHeader(stream, d, opts)
	if err != nil {
		return nil, err
	}
	return u.FetchReader(opts.Decode.Descending)
}

// RequestID is that of the request which the stream answers.
func (r *FetchReader) RequestID() uint64 { return r.requestID }

// Objects is the number of objects reached so far, markers not counted.
func (r *FetchReader) Objects() uint64 { return r.count }

// Next goes to the next object or marker, past what is left of the current one's payload, and gives its header. The
// header is the reader's own, its Properties are a view: both are valid until the next call of any method that reads.
// io.EOF means that the stream ended with FIN: the fetch is complete. FIN inside an object is a *wire.Error with
// PROTOCOL_VIOLATION (draft-18 §11.4).
func (r *FetchReader) Next() (*wire.FetchObject, error) {
	if err := stream.NextHeader(&r.core, &r.objects, &r.current); err != nil {
		return nil, err
	}
	r.reached()
	return &r.current, nil
}

// reached makes the object or marker whose header was read the current one.
func (r *FetchReader) reached() {
	if r.current.Range == wire.NoRange {
		r.count++
	}
	r.core.Begin(r.current.PayloadLength)
	if r.opts.log != nil {
		logFetchObject(r.opts.log, false, r.StreamID(), &r.current)
	}
}

// ReadObject reads the next object whole into o, whose buffers are used again, or the next marker: o.Range tells them
// apart. Errors are those of Next, and *ObjectTooLargeError for a payload above the bound, which does not end the
// reading: the object's header is in o, and its payload can be read in pieces or skipped with Next. After a deadline
// call it again with the same o.
func (r *FetchReader) ReadObject(o *Object) error {
	if !r.core.Started {
		h, err := r.Next()
		if err != nil {
			return err
		}
		payload, properties := o.Payload[:0], o.Properties[:0]
		r.View(o)
		o.Payload, o.Properties = payload, append(properties, h.Properties...)
		if h.PayloadLength > r.opts.MaxObjectSize {
			return &ObjectTooLargeError{Location: o.Location(), Size: h.PayloadLength, Max: r.opts.MaxObjectSize}
		}
	}
	return r.readPayload(o)
}

// View makes o the object or marker that Next or NextBuffered has reached, without its payload. Its Properties are a
// view, valid until the next call of any method that reads.
func (r *FetchReader) View(o *Object) {
	h := &r.current
	*o = Object{
		GroupID:    h.Group,
		SubgroupID: h.Subgroup,
		ObjectID:   h.Object,
		Priority:   h.Priority,
		Status:     h.Status,
		Properties: h.Properties,
		Draft:      r.core.Draft,
		Datagram:   h.Datagram,
		Range:      h.Range,
	}
}

// NextBuffered is Next for an object whose header has come already; the current object's payload must have been read.
// wire.ErrTruncated says that it has not: More waits for more bytes of it. Other errors are those of the header.
func (r *FetchReader) NextBuffered() error {
	n, err := r.objects.ParseHeader(r.core.In.Unread(), &r.current)
	if err != nil {
		return err
	}
	r.core.In.Advance(n)
	r.reached()
	return nil
}

// More waits until more bytes of the next object's header have come. Errors are those of Next.
func (r *FetchReader) More() error { return stream.MoreHeader(&r.core, &r.objects) }

// FetchReader goes on with the objects of a fetch stream. descending is the Group Order that the request has; 18 and
// later cannot be read without it. The error says that it is none.
func (u *UniStream) FetchReader(descending bool) (*FetchReader, error) {
	if u.Type != wire.FetchStream {
		return nil, u.not("a fetch stream")
	}
	r := &FetchReader{PayloadReader: u.payload(), requestID: u.RequestID}
	r.objects = wire.FetchObjects{Draft: u.draft, MaxProperties: u.opts.MaxProperties, Options: u.opts.Decode}
	r.objects.Options.Descending = descending
	return r, nil
}
