package moqt

import (
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// blocks are buffers for the properties of a datagram while they are translated.
var blocks = sync.Pool{New: func() any { return new([]byte) }}

// AppendDatagram appends an OBJECT_DATAGRAM with the object (draft-18 §11.3.1). Properties of another draft are
// translated. If b has room it allocates only to translate Immutable Properties. The error is a *wire.Error about what
// the draft cannot encode, such as an EndOfGroup with a status; nothing is appended then.
func AppendDatagram(b []byte, d wire.Draft, trackAlias uint64, o *Object) ([]byte, error) {
	if o.Range != wire.NoRange {
		return b, unencodable(d, "the end of a range has its place in a fetch stream")
	}
	props := o.Properties
	if len(props) > 0 && o.Draft != 0 && o.Draft != d {
		scratch := blocks.Get().(*[]byte)
		defer blocks.Put(scratch)
		var err error
		if props, err = wire.TranscodeProperties((*scratch)[:0], o.Draft, d, props); err != nil {
			return b, err
		}
		*scratch = props
	}
	g := wire.Datagram{
		TrackAlias:      trackAlias,
		GroupID:         o.GroupID,
		ObjectID:        o.ObjectID,
		Priority:        o.Priority,
		DefaultPriority: o.DefaultPriority && d >= wire.Draft15, // 14 has no form without
		EndOfGroup:      o.EndOfGroup,
		Properties:      props,
		HasStatus:       o.Status != wire.StatusNormal,
		Status:          o.Status,
		Payload:         o.Payload,
	}
	return wire.AppendDatagram(b, d, &g)
}

// ParseDatagram reads an OBJECT_DATAGRAM into o and gives its Track Alias. Properties and Payload are views into b.
// Where the datagram leaves out the priority, it is DefaultPublisherPriority and o.DefaultPriority is set. The error is
// wire.ErrPadding for a padding datagram, else a *wire.Error; o is unchanged then. It allocates only the error.
func ParseDatagram(b []byte, d wire.Draft, opt wire.Options, o *Object) (trackAlias uint64, err error) {
	var g wire.Datagram
	if err := wire.ParseDatagram(b, d, opt, &g); err != nil {
		return 0, err
	}
	*o = Object{
		GroupID:         g.GroupID,
		ObjectID:        g.ObjectID,
		Priority:        g.Priority,
		DefaultPriority: g.DefaultPriority,
		Status:          g.Status,
		Payload:         g.Payload,
		Properties:      g.Properties,
		Draft:           d,
		Datagram:        true,
		EndOfGroup:      g.EndOfGroup,
	}
	if g.DefaultPriority {
		o.Priority = DefaultPublisherPriority
	}
	return g.TrackAlias, nil
}

// unencodable is the error for what a draft cannot encode.
func unencodable(d wire.Draft, reason string) error {
	return &wire.Error{Draft: d, Message: "OBJECT", Code: wire.InternalError, Reason: reason}
}
