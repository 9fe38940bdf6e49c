package moq

import (
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// What a track is made of.
type (
	// Namespace names a family of tracks: a list of fields.
	Namespace = wire.TrackNamespace
	// Object is what a track carries.
	Object = moqt.Object
	// Location is the place of an object in its track.
	Location = wire.Location
	// Draft is a version of the protocol.
	Draft = wire.Draft
)

// Tracks that are published.
type (
	// Track is a track that this program publishes, to any number of subscribers and on any number of sessions.
	Track = track.Published
	// TrackOptions shape a Track.
	TrackOptions = track.Options
	// Layout says how the objects of a Track travel.
	Layout = track.Layout
)

// NewTrack makes a track that has no objects and no subscribers yet.
func NewTrack(ns Namespace, name string, opts TrackOptions) *Track {
	return track.NewPublished(ns, name, opts)
}

// The layouts of a track; see track.LayoutMode.
const (
	LayoutGroup    = track.LayoutGroup
	LayoutObject   = track.LayoutObject
	LayoutSpread   = track.LayoutSpread
	LayoutGiven    = track.LayoutGiven
	LayoutDatagram = track.LayoutDatagram
)

// Tracks that are read.
type (
	// Subscribed is a track that this program reads.
	Subscribed = track.Subscribed
	// SubscribeRequest says what to ask for, and how to hand it out; see SubscribeOption.
	SubscribeRequest = track.Request
	// Report says which objects have come, and which are missing.
	Report = track.Report
)

// What the peer asks for.
type (
	// Request is a request of the peer.
	Request = moqt.Request
	// RejectCode says why a request is refused; the codes are in package moqt.
	RejectCode = moqt.RejectCode
)

// Errors.
type (
	// DialError says in which layer a connection failed.
	DialError = transport.DialError
	// RequestError says that the peer has refused a request.
	RequestError = moqt.RequestError
	// SessionError says how a session ended.
	SessionError = moqt.SessionError
)

// QUIC are settings of a QUIC connection.
type QUIC = endpoint.QUIC

// Transport constrains the transport of a connection.
type Transport = transport.Choice

// The transports. Auto, the default, is WebTransport for https://, and for moqt:// what the server chooses.
const (
	Auto         = transport.Auto
	OnlyQUIC     = transport.OnlyQUIC
	WebTransport = transport.OnlyWebTransport
)

// Subgroup is one subgroup of a Track that is written by hand; see Track.OpenSubgroup.
type Subgroup = track.Subgroup
