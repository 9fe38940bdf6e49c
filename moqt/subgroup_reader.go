package moqt

import (
	"io"

	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// SubgroupReader reads the objects of one subgroup stream (draft-18 §11.4.2). It allocates nothing per object.
// See PayloadReader for waiting, errors and concurrency.
type SubgroupReader struct {
	PayloadReader
	header   wire.SubgroupHeader
	objects  wire.SubgroupObjects
	current  wire.ObjectHeader
	count    uint64
	priority uint8 // the track's default
}

// NewSubgroupReader reads the header of a stream that must be a subgroup stream, and gives a reader of its objects.
// Where the kind of the stream is not known, use ReadUniHeader. It waits for the header.
func NewSubgroupReader(stream transport.ReceiveStream, d wire.Draft, opts ReaderOptions) (*SubgroupReader, error) {
	u, err := ReadUniHeader(stream, d, opts)
	if err != nil {
		return nil, err
	}
	return u.SubgroupReader()
}

// Header is the stream's header. In mode SubgroupIDFirstObject its SubgroupID is 0 until the first object's header was
// read.
func (r *SubgroupReader) Header() wire.SubgroupHeader { return r.header }

// SetDefaultPriority says which Publisher Priority objects have whose stream's header leaves it out: that of the track
// (PUBLISHER_PRIORITY in 15, DEFAULT_PUBLISHER_PRIORITY from 16 on). It is DefaultPublisherPriority at first.
func (r *SubgroupReader) SetDefaultPriority(p uint8) { r.priority = p }

// Priority is the Publisher Priority of the stream's objects.
func (r *SubgroupReader) Priority() uint8 {
	if r.header.DefaultPriority {
		return r.priority
	}
	return r.header.Priority
}

// Objects is the number of objects reached so far.
func (r *SubgroupReader) Objects() uint64 { return r.count }

// Next goes to the next object, past what is left of the current one's payload, and gives its header. The header is the
// reader's own, its Properties are a view: both are valid until the next call of any method that reads. io.EOF means
// that the stream ended with FIN after the last object; FIN inside an object is a *wire.Error with PROTOCOL_VIOLATION
// (draft-18 §11.4).
func (r *SubgroupReader) Next() (*wire.ObjectHeader, error) {
	if err := stream.NextHeader(&r.core, &r.objects, &r.current); err != nil {
		return nil, err
	}
	r.reached()
	return &r.current, nil
}

// reached makes the object whose header was read the current one.
func (r *SubgroupReader) reached() {
	if r.count == 0 && r.header.IDMode == wire.SubgroupIDFirstObject {
		r.header.SubgroupID = r.current.ObjectID
	}
	r.count++
	r.core.Begin(r.current.PayloadLength)
	if r.opts.log != nil {
		logSubgroupObject(r.opts.log, false, r.StreamID(), &r.header, &r.current)
	}
}

// ReadObject reads the next object whole into o, whose buffers are used again. Errors are those of Next, and
// *ObjectTooLargeError for a payload above the bound, which does not end the reading: the object's header is in o, and
// its payload can be read in pieces or skipped with Next. After a deadline call it again with the same o.
func (r *SubgroupReader) ReadObject(o *Object) error {
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

// View makes o the object that Next or NextBuffered has reached, without its payload. Its Properties are a view, valid
// until the next call of any method that reads.
func (r *SubgroupReader) View(o *Object) {
	*o = Object{
		GroupID:         r.header.GroupID,
		SubgroupID:      r.header.SubgroupID,
		ObjectID:        r.current.ObjectID,
		Priority:        r.Priority(),
		DefaultPriority: r.header.DefaultPriority,
		Status:          r.current.Status,
		Properties:      r.current.Properties,
		Draft:           r.core.Draft,
		FirstObject:     r.header.FirstObject && r.count == 1,
	}
}

// NextBuffered is Next for an object whose header has come already; the current object's payload must have been read.
// wire.ErrTruncated says that it has not: More waits for more bytes of it. Other errors are those of the header.
func (r *SubgroupReader) NextBuffered() error {
	n, err := r.objects.ParseHeader(r.core.In.Unread(), &r.current)
	if err != nil {
		return err
	}
	r.core.In.Advance(n)
	r.reached()
	return nil
}

// More waits until more bytes of the next object's header have come. Errors are those of Next.
func (r *SubgroupReader) More() error { return stream.MoreHeader(&r.core, &r.objects) }

// EndOfGroup reports whether the last object that was read is the last of its group: the stream has ended with FIN, and
// its header says so. It is known only once Next or ReadObject has returned io.EOF. An object with status End of Group
// says the same by itself.
func (r *SubgroupReader) EndOfGroup() bool { return r.core.Err == io.EOF && r.header.EndOfGroup }

// SubgroupReader goes on with the objects of a subgroup stream. The error says that it is none.
func (u *UniStream) SubgroupReader() (*SubgroupReader, error) {
	if u.Type != wire.SubgroupStream {
		return nil, u.not("a subgroup stream")
	}
	r := &SubgroupReader{PayloadReader: u.payload(), header: u.Subgroup, objects: u.Subgroup.Objects(u.draft),
		priority: DefaultPublisherPriority}
	r.objects.MaxProperties, r.objects.Options = u.opts.MaxProperties, u.opts.Decode
	return r, nil
}
