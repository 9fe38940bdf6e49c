package reference

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Options shape a relay. The zero value serves all drafts to everybody, without faults and with the default limits.
type Options struct {
	// Drafts are served; nil is all.
	Drafts []wire.Draft
	// Faults names the misbehaviour asked for; the function Faults lists what there is.
	Faults []string
	// RequireToken, if not empty, is the value of the AUTHORIZATION_TOKEN (any token type) that every request must
	// carry, unless the client's SETUP did; others are refused with UNAUTHORIZED.
	RequireToken string
	// PathScopes makes the path of a session's URL a prefix of namespaces: a session of /a/b may only ask for, publish
	// and discover what begins with the fields a and b; other requests are refused with UNAUTHORIZED. A session of /
	// has no bound.
	PathScopes bool
	// Implementation is the relay's MOQT_IMPLEMENTATION; "" is DefaultImplementation.
	Implementation string
	// Logger is told of sessions, requests and what was refused or dropped (Info), of how requests ended and what could
	// not be sent (Debug) and of what should not happen (Warn); nil logs nothing.
	Logger *slog.Logger
	// Trace, if set, gives a tracer for each connection, see moqt.Config.Trace.
	Trace func(transport.Conn) func(moqt.Event)
	// Decode names tolerances of the codec.
	Decode wire.Options
	// Limits bound what the relay holds.
	Limits Limits
}

// DefaultImplementation is what the relay calls itself in SETUP.
const DefaultImplementation = "moq-interop-client reference relay"

// Limits bound what a relay holds. A zero field stands for its default; DefaultLimits returns the defaults. The number
// of connections, set up or not, is bounded by the listener (endpoint.ListenOptions).
type Limits struct {
	// Sessions is how many are served at a time; further ones are closed with INTERNAL_ERROR, or where RequireToken is
	// set and their token comes with a request, that is refused with EXCESSIVE_LOAD. Default 1024.
	Sessions int
	// Lobby is how many connections there may be beside them that have not sent SETUP, or with RequireToken no valid
	// token. When there are more, the one that has waited longest is closed with INTERNAL_ERROR. Default 256.
	Lobby int
	// PerAddress is how many sessions one IP address may have, with those in the lobby; 0, the default, is no limit: an
	// event sits behind one address.
	PerAddress int
	// Subscriptions is how many one session may have as a subscriber, fetches included; further requests are refused
	// with EXCESSIVE_LOAD (INTERNAL_ERROR up to 16), and tracks of a SUBSCRIBE_TRACKS are skipped. Default 4096.
	Subscriptions int
	// Namespaces is how many namespaces and tracks one session may publish; further ones are refused likewise. Default
	// 4096.
	Namespaces int
	// CacheBytes bounds the objects of all tracks that fetches can be answered from. When it is met, the oldest groups
	// are evicted. Default 64 MiB.
	CacheBytes int64
	// WaitingBytes bounds the objects that have left the cache and that some subscriber has still to get; a single one
	// passes whatever its size. When it is met, the oldest go: their subscriber finds its stream reset with
	// TOO_FAR_BEHIND (DELIVERY_TIMEOUT up to 16), or does not get to see it where nothing of it had been sent, and goes
	// on with later ones. Default 32 MiB.
	WaitingBytes int64
	// SubscriberBytes is how far the fastest subscriber that follows a stream may be behind before that is read more
	// slowly, in bytes; default 4 MiB. Patience is how long the relay then waits for that subscriber to take anything
	// before it goes on without it; default 500 ms.
	SubscriberBytes int64
	Patience        time.Duration
	// Streams is how many subgroup streams towards one session may be open at a time, AllStreams how many towards all;
	// a session may have 64 in any case. Writing is how many towards one session may be blocked with bytes in hand
	// because the client does not read them. Further ones wait. Defaults 1024, 12288 and 256.
	Streams    int
	AllStreams int
	Writing    int
	// Waiting is how many subgroup streams towards one session may wait to be opened; when there are more, the oldest
	// of the subscription are dropped and counted. Default 65536.
	Waiting int
	// Datagrams is how many of one subscription wait to be sent; further ones are dropped and counted. Default 1024.
	Datagrams int
	// Events is how many namespaces may wait to be told to one subscriber; when there are more, its request is
	// cancelled. Default 65536.
	Events int
	// FilterRanges is how many ranges the range filters of one request may have: MAX_FILTER_RANGES (19 and later); more
	// are refused with INVALID_FILTER. Default 64; below 0 the relay takes no range filters, and says so by leaving the
	// option out.
	FilterRanges int
	// Rendezvous is the longest RENDEZVOUS_TIMEOUT that is honoured. Default 30 s.
	Rendezvous time.Duration
	// Fetch is how long the relay waits for the answer of a publisher or subscriber that it has asked, if no
	// FILL_TIMEOUT says less. Default 5
	// s.
	Fetch time.Duration
	// Forget is how long what is left of a track outlives its last publisher. Default 10 s.
	Forget time.Duration
	// Keep is how long a subscription to a publisher outlives the last subscriber, so that one who comes back soon
	// finds it. Default 250 ms.
	Keep time.Duration
	// Setup is how long a client may take for its SETUP. Default 10 s.
	Setup time.Duration
	// Session are the limits of each session.
	Session moqt.Limits
}

// DefaultLimits are the limits of a relay that is told no others.
func DefaultLimits() Limits { return Limits{}.withDefaults() }

func (l Limits) withDefaults() Limits {
	def(&l.Sessions, 1024)
	def(&l.Lobby, 256)
	def(&l.Subscriptions, 4096)
	def(&l.Namespaces, 4096)
	def(&l.CacheBytes, 64<<20)
	def(&l.WaitingBytes, 32<<20)
	def(&l.SubscriberBytes, 4<<20)
	def(&l.Patience, 500*time.Millisecond)
	def(&l.Streams, 1024)
	def(&l.AllStreams, 12288)
	def(&l.Writing, 256)
	def(&l.Waiting, 65536)
	def(&l.Datagrams, 1024)
	def(&l.Events, 65536)
	def(&l.FilterRanges, 64)
	def(&l.Rendezvous, 30*time.Second)
	def(&l.Fetch, 5*time.Second)
	def(&l.Forget, 10*time.Second)
	def(&l.Keep, 250*time.Millisecond)
	def(&l.Setup, 10*time.Second)
	return l
}

func def[T ~int | ~int64](p *T, v T) {
	if *p == 0 {
		*p = v
	}
}

// Counters count what the relay has done since it was made; gauges are what there is now. All are safe for concurrent
// use.
type Counters struct {
	// Sessions, Lobby (those of them that are not admitted), Subscriptions and Tracks are gauges, as are CacheBytes and
	// WaitingBytes.
	Sessions, Lobby, Subscriptions, Tracks, CacheBytes, WaitingBytes atomic.Int64
	// Requests are all that came, Refused those that were not accepted.
	Requests, Refused atomic.Uint64
	// ObjectsIn came from publishers, Duplicates among them more than once; ObjectsOut went to subscribers, FetchedOut
	// to those who fetch.
	ObjectsIn, Duplicates, ObjectsOut, FetchedOut atomic.Uint64
	// BytesIn and BytesOut are those objects' payloads.
	BytesIn, BytesOut atomic.Uint64
	// Evicted objects left the cache for want of room. TooFarBehind are subgroup streams that were reset or never
	// opened because a subscriber was too slow, TimedOut those reset for a delivery timeout, DatagramsDropped datagrams
	// that could not be sent.
	Evicted, TooFarBehind, TimedOut, DatagramsDropped atomic.Uint64
	// Unencodable are objects that a subscriber's draft cannot express.
	Unencodable atomic.Uint64
	// UpstreamSubscribes and UpstreamFetches are requests made to publishers.
	UpstreamSubscribes, UpstreamFetches atomic.Uint64
}
