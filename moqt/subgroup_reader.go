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
	logged   objectDeltas
}

// NewSubgroupReader waits for the header of a subgroup stream, and gives a reader of its objects. It fails for another
// kind of stream; use ReadUniHeader if the kind is not known.
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

// SetDefaultPriority sets the Publisher Priority to use if the stream's header leaves it out: that of the track
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

// Next skips the rest of the current payload and gives the header of the next object. The header and its Properties
// belong to the reader and are valid until the next call of any method that reads. io.EOF means that the stream ended
// with FIN after the last object. FIN inside an object is a *wire.Error with PROTOCOL_VIOLATION (draft-18 §11.4).
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
		logSubgroupObject(r.opts.log, false, r.StreamID(), &r.header, &r.current, &r.logged)
	}
}

// ReadObject reads the next whole object into o and uses o's buffers again. Errors are those of Next, and
// *ObjectTooLargeError for a payload above MaxObjectSize. Then o has the object's header, and its payload can be read
// in pieces, or skipped with Next. After a deadline call ReadObject again with the same o.
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
	return r.ReadPayload(o)
}

// View sets o to the object that Next or NextBuffered has reached, without its payload. Its Properties are valid until
// the next call of any method that reads.
func (r *SubgroupReader) View(o *Object) {
	o.GroupID, o.SubgroupID, o.ObjectID = r.header.GroupID, r.header.SubgroupID, r.current.ObjectID
	o.Priority, o.DefaultPriority = r.Priority(), r.header.DefaultPriority
	o.Status, o.Payload, o.Properties = r.current.Status, nil, r.current.Properties
	o.Draft, o.FirstObject = r.core.Draft, r.header.FirstObject && r.count == 1
	o.Datagram, o.EndOfGroup, o.Range = false, false, wire.NoRange // every field is set: without a copy of the whole
}

// NextBuffered is Next without waiting and without skipping: the current payload must have been read. wire.ErrTruncated
// means that the whole header has not come; More waits for more of it. Other errors are breaches in the header.
func (r *SubgroupReader) NextBuffered() error {
	n, err := r.objects.ParseHeader(r.core.In.Unread(), &r.current)
	if err != nil {
		return err
	}
	r.core.In.Advance(n)
	r.reached()
	return nil
}

// More waits until more bytes of the next header have come. Errors are those of Next.
func (r *SubgroupReader) More() error { return stream.MoreHeader(&r.core, &r.objects) }

// EndOfGroup reports whether the last object that was read is the last of its group, because the stream's header says
// so and the stream has ended with FIN. It is false until Next or ReadObject has returned io.EOF. An object with status
// End of Group says the same by itself.
func (r *SubgroupReader) EndOfGroup() bool { return r.core.Err == io.EOF && r.header.EndOfGroup }

// SubgroupReader gives a reader of the objects of a subgroup stream. It is an error for another type of stream.
func (u *UniStream) SubgroupReader() (*SubgroupReader, error) {
	if u.Type != wire.SubgroupStream {
		return nil, u.not("a subgroup stream")
	}
	r := &SubgroupReader{PayloadReader: u.payload(), header: u.Subgroup, objects: u.Subgroup.Objects(u.draft),
		priority: DefaultPublisherPriority}
	r.objects.MaxProperties, r.objects.Options = u.opts.MaxProperties, u.opts.Decode
	return r, nil
}
