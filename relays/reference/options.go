package reference

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Options configure a relay. The zero value serves all drafts to everybody, without faults and with the default limits.
type Options struct {
	// Drafts are served; nil is all.
	Drafts []wire.Draft
	// Faults names the faults asked for. The function Faults lists all there are.
	Faults []string
	// Quirks names legal behaviours asked for. The function Quirks lists all there are.
	Quirks []string
	// RequireToken, if not empty, is the value of the AUTHORIZATION_TOKEN (any token type) that every request must
	// carry, unless the client's SETUP did; others are refused with UNAUTHORIZED.
	RequireToken string
	// PathScopes makes the path of a session's URL a prefix of namespaces. A session of /a/b may only request, publish
	// and discover what begins with the fields a and b; other requests are refused with UNAUTHORIZED. A session of /
	// has no bound.
	PathScopes bool
	// Implementation is the relay's MOQT_IMPLEMENTATION; "" is DefaultImplementation.
	Implementation string
	// Logger gets sessions, requests and what was refused or dropped (Info), how requests ended and what could not be
	// sent (Debug), and what should not happen (Warn). nil logs nothing.
	Logger *slog.Logger
	// Trace, if set, gives a tracer for each connection, see moqt.Config.Trace.
	Trace func(transport.Conn) func(moqt.Event)
	// Decode names tolerances of the codec.
	Decode wire.Options
	// Parent, if set, is the relay that this one is behind.
	Parent *Parent
	// Limits bound what the relay holds.
	Limits Limits
}

// DefaultImplementation is what the relay calls itself in SETUP.
const DefaultImplementation = "moq-interop-client reference relay"

// Limits bound what a relay holds. A zero field means its default; DefaultLimits returns the defaults. The listener
// bounds the number of connections, set up or not (endpoint.ListenOptions).
type Limits struct {
	// Sessions is how many sessions are served at a time. Further ones are closed with INTERNAL_ERROR. If RequireToken
	// is set and the token comes with a request, that request is refused with EXCESSIVE_LOAD. Default 1024.
	Sessions int
	// Lobby is how many more connections there may be that have not sent SETUP, or with RequireToken no valid token.
	// When there are more, the one that has waited longest is closed with INTERNAL_ERROR. Default 256.
	Lobby int
	// PerAddress is how many sessions one IP address may have, those in the lobby included. 0, the default, is no
	// limit: all participants of an event may share one address.
	PerAddress int
	// Subscriptions is how many one session may have as a subscriber, fetches included; further requests are refused
	// with EXCESSIVE_LOAD (INTERNAL_ERROR up to 16), and tracks of a SUBSCRIBE_TRACKS are skipped. Default 4096.
	Subscriptions int
	// Namespaces is how many namespaces and tracks one session may publish; more are refused in the same way. Default
	// 4096.
	Namespaces int
	// MemoryBytes bounds all that clients make the relay hold: what the sessions count (moqt.Limits.HeldBytes is the
	// bound of one, and says what happens there), requests that are served, streams towards clients, objects in the
	// cache and those that wait. A fourth is kept for sessions that hold less than 1 MiB. The cache gives way to the
	// rest. The process takes up to three times as much of the machine's memory. Default 96 MiB.
	MemoryBytes int64
	// CacheBytes bounds the objects of all tracks that fetches can be answered from. At the bound the oldest groups are
	// evicted. Default 64 MiB.
	CacheBytes int64
	// WaitingBytes bounds the objects, or parts of them, that have left the cache and that some subscriber or fetch
	// has not got yet. At the bound the oldest are dropped: the subscriber's stream is reset with TOO_FAR_BEHIND
	// (DELIVERY_TIMEOUT up to 16), or never opened if nothing of it had been sent, and the subscriber goes on with
	// later streams. Default 32 MiB.
	WaitingBytes int64
	// ObjectBytes is how long an object's payload may be. A longer one is refused: the publisher's stream is stopped,
	// and those of the subscribers are reset, with EXCESSIVE_LOAD (INTERNAL_ERROR where the draft has no such code). So
	// is a fetch. 0, the default, is no limit.
	ObjectBytes int64
	// SubscriberBytes is how many bytes the fastest subscriber of a stream may be behind before the relay reads the
	// stream more slowly; default 4 MiB, and at most half of WaitingBytes. Patience is how long the relay then waits
	// for that subscriber to read anything before it goes on without it; default 500 ms.
	SubscriberBytes int64
	Patience        time.Duration
	// Streams is how many subgroup streams may be open at a time towards one session, AllStreams how many towards all;
	// a session may have 64 in any case. Writing is how many towards one session may be blocked in the middle of a
	// write because the client does not read them. Further ones wait. Defaults 1024, 12288 and 256.
	Streams    int
	AllStreams int
	Writing    int
	// Waiting is how many subgroup streams towards one session may wait to be opened. When there are more, the oldest
	// of the subscription are dropped and counted. Default 65536.
	Waiting int
	// Datagrams is how many datagrams of one subscription may wait to be sent; further ones are dropped and counted.
	// Default 1024.
	Datagrams int
	// Events is how many reports of namespaces may wait for one subscriber. When there are more, its request is
	// cancelled. Default 65536.
	Events int
	// FilterRanges is how many ranges the range filters of one request may have: MAX_FILTER_RANGES (19 and later). More
	// are refused with INVALID_FILTER. Default 64. Below 0 the relay takes no range filters, and leaves the option out
	// of its SETUP.
	FilterRanges int
	// Rendezvous is the longest RENDEZVOUS_TIMEOUT that is honoured. Default 30 s.
	Rendezvous time.Duration
	// Fetch is how long the relay waits for the answer of a publisher or subscriber that it has asked, if no
	// FILL_TIMEOUT says less. Default 5 s.
	Fetch time.Duration
	// Forget is how long what is left of a track outlives its last publisher. Default 10 s.
	Forget time.Duration
	// Keep is how long a subscription to a publisher outlives the last subscriber, so that one that comes back soon
	// still finds it. Default 250 ms.
	Keep time.Duration
	// Setup is how long a client may take for its SETUP. Default 10 s.
	Setup time.Duration
	// Session are the limits of each session.
	Session moqt.Limits
}

// DefaultLimits are the limits of a relay when none are given.
func DefaultLimits() Limits { return Limits{}.withDefaults() }

func (l Limits) withDefaults() Limits {
	def(&l.Sessions, 1024)
	def(&l.Lobby, 256)
	def(&l.Subscriptions, 4096)
	def(&l.Namespaces, 4096)
	def(&l.MemoryBytes, 96<<20)
	def(&l.CacheBytes, 64<<20)
	def(&l.WaitingBytes, 32<<20)
	def(&l.SubscriberBytes, 4<<20)
	l.SubscriberBytes = min(l.SubscriberBytes, l.WaitingBytes/2)
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
	l.Session = l.Session.WithDefaults()
	return l
}

func def[T ~int | ~int64](p *T, v T) {
	if *p == 0 {
		*p = v
	}
}

// Counters count what the relay has done since it was made; gauges show what there is now. All are safe for concurrent
// use.
type Counters struct {
	// Sessions, Lobby (those not admitted yet), Subscriptions and Tracks are gauges, and so are CacheBytes and
	// WaitingBytes.
	Sessions, Lobby, Subscriptions, Tracks, CacheBytes, WaitingBytes atomic.Int64
	// Fetches, Namespaces and Publications (tracks that came by PUBLISH) are gauges too.
	Fetches, Namespaces, Publications atomic.Int64
	// SetupFailed counts connections whose session could not be set up.
	SetupFailed atomic.Uint64
	// Requests counts all requests that came, Refused those that were not accepted.
	Requests, Refused atomic.Uint64
	// ObjectsIn came from publishers, and Duplicates of them more than once. ObjectsOut went to subscribers, FetchedOut
	// to those who fetch.
	ObjectsIn, Duplicates, ObjectsOut, FetchedOut atomic.Uint64
	// BytesIn and BytesOut count the payloads of those objects.
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
