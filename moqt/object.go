package moqt

import (
	"fmt"
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// DefaultPublisherPriority is the Publisher Priority of an object whose header leaves it out, in a track that names no
// default (draft-18 §12.4).
const DefaultPublisherPriority = 128

// Object is one object, or the end of a range in a fetch stream, whichever way it travels: subgroup stream, datagram or
// fetch stream. It can be read from a session of one draft and written to sessions of others as it is. The zero value
// is ready for reading into.
type Object struct {
	GroupID uint64
	// SubgroupID is 0 for a Datagram object of 16 and later; in a fetch stream up to 15 such an object has its Object
	// ID here.
	SubgroupID uint64
	ObjectID   uint64
	// Priority is the Publisher Priority. With DefaultPriority the header left it out, and it is what the reader holds
	// for the track's default.
	Priority        uint8
	DefaultPriority bool
	// Status of other than Normal goes with an empty Payload.
	Status  wire.ObjectStatus
	Payload []byte
	// Properties is the encoded block, without its length, in the form of Draft; EncodeProperties and DecodeProperties
	// are the way in and out. Draft may be 0 where there are none, and otherwise stands for the draft of the stream
	// that the object is written to.
	Properties []byte
	Draft      wire.Draft
	// Datagram: the object came as a datagram, or its Forwarding Preference is Datagram (fetch streams from 16 on).
	Datagram bool
	// EndOfGroup: the object is the last of its group, said by the header of its datagram. For a subgroup stream that
	// is known only at the stream's end: SubgroupReader.EndOfGroup. Ignored when writing to a stream.
	EndOfGroup bool
	// FirstObject: the object is the first ever published in its subgroup, said by the stream's header (18 and later).
	// Ignored when writing.
	FirstObject bool
	// Range is not NoRange for an end of a range in a fetch stream, which has GroupID and ObjectID only.
	Range wire.RangeKind
}

// Location is where the object stands in its track.
func (o *Object) Location() wire.Location { return wire.Location{Group: o.GroupID, Object: o.ObjectID} }

// DecodeProperties gives the properties as a list that shares no memory with the object. The error is a *wire.Error, as
// is that of an object that has properties and no Draft.
func (o *Object) DecodeProperties() (wire.Properties, error) {
	if len(o.Properties) == 0 {
		return nil, nil
	}
	if !o.Draft.Valid() {
		return nil, &wire.Error{Draft: o.Draft, Message: "OBJECT", Field: "properties", Code: wire.InternalError,
			Reason: "the object does not say which draft's form they have"}
	}
	return wire.ParseProperties(o.Properties, o.Draft, wire.ObjectScope, wire.Options{})
}

// EncodeProperties sets the properties, in the form of draft d; the object's own buffer is used again. The error is a
// *wire.Error, and nothing is changed then: types that do not ascend (16 and later), or a value that the draft cannot
// encode.
func (o *Object) EncodeProperties(d wire.Draft, props wire.Properties) error {
	block, err := wire.AppendProperties(o.Properties[:0:0], d, props)
	if err != nil {
		return err
	}
	o.Properties, o.Draft = append(o.Properties[:0], block...), d
	return nil
}

// Property finds one property, also inside Immutable Properties (draft-18 §12.7). It allocates nothing; Bytes of the
// result is a view into the object.
func (o *Object) Property(t uint64) (wire.Property, bool) {
	if len(o.Properties) == 0 || !o.Draft.Valid() {
		return wire.Property{}, false
	}
	return wire.LookupProperty(o.Properties, o.Draft, t)
}

// Malformed says why the object's properties make its track malformed, nil if they do not (draft-14 §11, draft-18
// §12.7-12.9): the subscription or fetch is to be cancelled then. What takes more than this object to see is not
// judged.
func (o *Object) Malformed() error {
	props, err := o.DecodeProperties()
	if err != nil {
		return err
	}
	return props.Malformed(o.Draft, wire.ObjectScope, o.Location())
}

// Clone is a copy that shares no memory with o.
func (o *Object) Clone() *Object {
	c := *o
	c.Payload, c.Properties = slices.Clone(o.Payload), slices.Clone(o.Properties)
	return &c
}

// String is for people: "{3, 1} 12 bytes", "{3, 2} End of Group".
func (o *Object) String() string {
	switch {
	case o.Range != wire.NoRange:
		return fmt.Sprintf("{%d, %d} %s", o.GroupID, o.ObjectID, o.Range)
	case o.Status != wire.StatusNormal:
		return fmt.Sprintf("{%d, %d} %s", o.GroupID, o.ObjectID, o.Status)
	}
	return fmt.Sprintf("{%d, %d} %d bytes", o.GroupID, o.ObjectID, len(o.Payload))
}

// ObjectTooLargeError says that an object's payload is longer than the limit for whole objects
// (ReaderOptions.MaxObjectSize). It is a limit of this endpoint, no breach of the draft: the payload can still be read
// in pieces, or discarded.
type ObjectTooLargeError struct {
	// Location is the object's.
	Location wire.Location
	// Size is the payload's length, Max the limit, in bytes.
	Size, Max uint64
}

// Error implements error.
func (e *ObjectTooLargeError) Error() string {
	return fmt.Sprintf("object {%d, %d} has %d bytes, this endpoint takes at most %d as a whole", e.Location.Group,
		e.Location.Object, e.Size, e.Max)
}
