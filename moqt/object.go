package moqt

import (
	"fmt"
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// DefaultPublisherPriority is the Publisher Priority of an object whose header leaves it out, in a track that names no
// default (draft-18 §12.4).
const DefaultPublisherPriority = 128

// Object is one object of a subgroup stream, datagram or fetch stream, or a marker of a fetch stream. It can be read
// from a session of one draft and written to sessions of others as it is. The zero value is ready to read into.
type Object struct {
	GroupID uint64
	// SubgroupID is 0 for a Datagram object from 16 on. In a fetch stream up to 15 it is the Object ID of such an
	// object.
	SubgroupID uint64
	ObjectID   uint64
	// Priority is the Publisher Priority. If DefaultPriority is set, the header left it out and the reader filled in
	// the track's default.
	Priority        uint8
	DefaultPriority bool
	// Status is Normal for an object with a payload. Any other status needs an empty Payload.
	Status  wire.ObjectStatus
	Payload []byte
	// Properties is the encoded block, without its length, in the form of Draft. Use EncodeProperties and
	// DecodeProperties to set and read it. A Draft of 0 means that of the stream that the object is written to.
	Properties []byte
	Draft      wire.Draft
	// Datagram is set if the object came as a datagram, or has the Forwarding Preference Datagram (fetch streams from
	// 16 on).
	Datagram bool
	// EndOfGroup is set if the header of the object's datagram says that it is the last of its group. On a subgroup
	// stream that is known only at the stream's end; see SubgroupReader.EndOfGroup. Stream writers ignore it.
	EndOfGroup bool
	// FirstObject is set if the stream's header says that the object is the first ever published in its subgroup (18
	// and later). Writers ignore it.
	FirstObject bool
	// Range is set for a marker, which ends a range in a fetch stream and has GroupID and ObjectID only. It is NoRange
	// for an object.
	Range wire.RangeKind
}

// Location is the object's place in its track.
func (o *Object) Location() wire.Location { return wire.Location{Group: o.GroupID, Object: o.ObjectID} }

// DecodeProperties gives the properties as a list that shares no memory with the object. The error is a *wire.Error,
// also for properties without a Draft.
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

// EncodeProperties sets Properties in the form of draft d. It uses the object's buffer again. The error is a
// *wire.Error if types do not ascend (16 and later) or the draft cannot encode a value; nothing is changed then.
func (o *Object) EncodeProperties(d wire.Draft, props wire.Properties) error {
	block, err := wire.AppendProperties(o.Properties[:0:0], d, props)
	if err != nil {
		return err
	}
	o.Properties, o.Draft = append(o.Properties[:0], block...), d
	return nil
}

// Property finds the property of type t, also inside Immutable Properties (draft-18 §12.7). It allocates nothing; the
// result's Bytes share memory with the object.
func (o *Object) Property(t uint64) (wire.Property, bool) {
	if len(o.Properties) == 0 || !o.Draft.Valid() {
		return wire.Property{}, false
	}
	return wire.LookupProperty(o.Properties, o.Draft, t)
}

// Malformed says why the object's properties make its track malformed (draft-14 §11, draft-18 §12.7-12.9); nil if they
// do not. The subscription or fetch must be cancelled then. It looks at this object alone.
func (o *Object) Malformed() error {
	props, err := o.DecodeProperties()
	if err != nil {
		return err
	}
	return props.Malformed(o.Draft, wire.ObjectScope, o.Location())
}

// Clone makes a copy that shares no memory with o.
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
// (ReaderOptions.MaxObjectSize). That is a limit of this end, no breach of the draft. A reader can still read the
// payload in pieces, or discard it.
type ObjectTooLargeError struct {
	// Location is the object's place in its track.
	Location wire.Location
	// Size is the payload's length, Max the limit, in bytes.
	Size, Max uint64
}

// Error names location, size and limit.
func (e *ObjectTooLargeError) Error() string {
	return fmt.Sprintf("object {%d, %d} has %d bytes, this endpoint takes at most %d as a whole", e.Location.Group,
		e.Location.Object, e.Size, e.Max)
}
