package moqt

import (
	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// FetchReader reads the objects and range markers of one fetch stream (draft-18 §11.4.4), the answer to a FETCH or a
// fill (20 and later). It allocates nothing per object. See PayloadReader for waiting, errors and concurrency.
type FetchReader struct {
	PayloadReader
	requestID uint64
	objects   wire.FetchObjects
	current   wire.FetchObject
	count     uint64
}

// NewFetchReader waits for the header of a fetch stream, and gives a reader of its objects. It fails for another kind
// of stream; use ReadUniHeader if the kind is not known. opts.Decode.Descending must be the Group Order of the FETCH.
func NewFetchReader(stream transport.ReceiveStream, d wire.Draft, opts ReaderOptions) (*FetchReader, error) {
	u, err := ReadUniHeader(stream, d, opts)
	if err != nil {
		return nil, err
	}
	return u.FetchReader(opts.Decode.Descending)
}

// RequestID is that of the request that the stream answers.
func (r *FetchReader) RequestID() uint64 { return r.requestID }

// Objects is the number of objects reached so far, without markers.
func (r *FetchReader) Objects() uint64 { return r.count }

// Next skips the rest of the current payload and gives the header of the next object or marker. The header and its
// Properties belong to the reader and are valid until the next call of any method that reads. io.EOF means that the
// stream ended with FIN: the fetch is complete. FIN inside an object is a *wire.Error with PROTOCOL_VIOLATION (draft-18
// §11.4).
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

// ReadObject reads the next whole object, or the next marker, into o; o.Range tells them apart. It uses o's buffers
// again. Errors are those of Next, and *ObjectTooLargeError for a payload above MaxObjectSize. Then o has the object's
// header, and its payload can be read in pieces, or skipped with Next. After a deadline call ReadObject again with the
// same o.
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
	return r.ReadPayload(o)
}

// View sets o to the object or marker that Next or NextBuffered has reached, without its payload. Its Properties are
// valid until the next call of any method that reads.
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

// NextBuffered is Next without waiting and without skipping: the current payload must have been read. wire.ErrTruncated
// means that the whole header has not come; More waits for more of it. Other errors are breaches in the header.
func (r *FetchReader) NextBuffered() error {
	n, err := r.objects.ParseHeader(r.core.In.Unread(), &r.current)
	if err != nil {
		return err
	}
	r.core.In.Advance(n)
	r.reached()
	return nil
}

// More waits until more bytes of the next header have come. Errors are those of Next.
func (r *FetchReader) More() error { return stream.MoreHeader(&r.core, &r.objects) }

// FetchReader gives a reader of the objects of a fetch stream. descending is the Group Order of the request, which
// reading needs from 18 on. It is an error for another type of stream.
func (u *UniStream) FetchReader(descending bool) (*FetchReader, error) {
	if u.Type != wire.FetchStream {
		return nil, u.not("a fetch stream")
	}
	r := &FetchReader{PayloadReader: u.payload(), requestID: u.RequestID}
	r.objects = wire.FetchObjects{Draft: u.draft, MaxProperties: u.opts.MaxProperties, Options: u.opts.Decode}
	r.objects.Options.Descending = descending
	return r, nil
}
