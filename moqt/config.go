package moqt

import (
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Config configures one end of a session. The zero value is for a client or server of every draft with the default
// limits. Sessions do not change it. Several sessions may share it if its functions may be called concurrently.
type Config struct {
	// Drafts are those that a client offers or a server serves; nil is all. The connection has already negotiated a
	// draft. If it is not in the list, the session fails with VERSION_NEGOTIATION_FAILED. Draft 14 negotiates in SETUP.
	Drafts []wire.Draft
	// Implementation is MOQT_IMPLEMENTATION; "" sends none. Draft 14 gives this option the same code as AUTHORITY, so
	// there it goes out with the code of the later drafts, which 14 ignores as unknown.
	Implementation string
	// Path and Authority are PATH and AUTHORITY in a client's SETUP. They are sent only where the transport does not
	// carry them itself (draft-18 §10.3.1.1).
	Path, Authority string
	// MaxRequestID is the initial MAX_REQUEST_ID granted to the peer in 14 to 16, where Request IDs step by 2; 0 is
	// DefaultMaxRequestID. The session raises it as the application takes requests, unless FixedRequestLimit is set.
	MaxRequestID      uint64
	FixedRequestLimit bool
	// MaxAuthTokenCacheSize is how many bytes of registered tokens this end stores (draft-18 §10.3.1.3). 0 allows no
	// aliases.
	MaxAuthTokenCacheSize uint64
	// SetupOptions are further options of our SETUP. An option replaces one of the same type that the session would
	// send itself, and MAX_REQUEST_ID, MAX_AUTH_TOKEN_CACHE_SIZE and MAX_REQUEST_UPDATES then limit the peer.
	SetupOptions wire.Properties
	// Decode sets tolerances of package wire. The session sets Answers and Descending itself.
	Decode wire.Options
	// IgnoreRequestLimit sends requests although the peer's MAX_REQUEST_ID forbids it (14 to 16; tolerance
	// no-request-limit).
	IgnoreRequestLimit bool
	// CheckSetup, if set, decides at a server whether to accept a client's SETUP. path and authority are those of the
	// transport or of SETUP. A *SessionError closes the session with its code (INVALID_PATH, INVALID_AUTHORITY,
	// UNAUTHORIZED), any other error with INTERNAL_ERROR.
	CheckSetup func(path, authority string, setup *wire.Setup) error
	// Trace, if set, is called for every message and data-stream header sent or received, for resets, stops and drops,
	// and for the close. Several goroutines call it at once, and wait for it, so it must be fast.
	Trace func(Event)
	// Handler, if set, is called for each incoming request in a goroutine of its own. Close waits for it, so it must
	// return when the session's context ends, and must not call Close; Abort does not wait. A request that it leaves
	// unanswered when it returns is refused with INTERNAL_ERROR. Without a handler requests wait for AcceptRequest.
	Handler func(*Request)
	// Panicked, if set, is called after a panic in a goroutine of the session or in Handler. The session then closes
	// with INTERNAL_ERROR. Without it the panic ends the process.
	Panicked func(value any, stack []byte)
	// Account, if set, counts and bounds what all the sessions hold that share it; see Session.Account.
	Account *Account
	// Limits bound the memory and streams that the peer can make this end hold.
	Limits Limits
}

// Limits bound the memory and streams that the peer can make a session hold. A field of 0 has its default.
type Limits struct {
	// HeldBytes bounds all that the session's Account counts. At the bound new data streams are not read. Messages and
	// objects that have begun find their streams stopped with EXCESSIVE_LOAD after a second, and new requests are
	// refused with it (INTERNAL_ERROR up to 16). Default 48 MiB.
	HeldBytes int64
	// Stall is how long a message, header or object that has begun may not go on. Then its stream is stopped with
	// CANCELLED; on the control stream the session is closed with CONTROL_MESSAGE_TIMEOUT. A stream may stand still
	// between two objects or messages. Default 30 s; below 0 it may take any time.
	Stall time.Duration
	// QueuedRequests is how many incoming requests may wait for AcceptRequest or run in handlers. Further ones are
	// rejected with EXCESSIVE_LOAD, or with INTERNAL_ERROR up to 16. Default 1024.
	QueuedRequests int
	// QueuedMessages is how many messages of one request may wait to be read. Then the session stops reading the
	// stream. Default 64. On the one control stream of 14 to 16, MAX_REQUEST_ID bounds them instead.
	QueuedMessages int
	// PendingStreams is how many data streams are held unread while their Track Alias is unknown or SETUP has not come.
	// Further ones are stopped. PendingTime is how long each is held; while a SUBSCRIBE is not answered, or a PUBLISH
	// with that alias, that does not end. Defaults 256 and 3 s.
	PendingStreams int
	PendingTime    time.Duration
	// PendingDatagrams is how many datagrams may wait for their Track Alias to become known, QueuedDatagrams how many
	// may wait in one subscription. Further ones are dropped, counted and traced. Defaults 256 and 4096.
	PendingDatagrams int
	QueuedDatagrams  int
	// QueuedObjects and QueuedBytes bound how far one subscription or fetch reads ahead of Next. Then it stops reading
	// its streams. An object larger than QueuedBytes may be held alone. Defaults 256 and 4 MiB.
	QueuedObjects int
	QueuedBytes   int
	// MaxObjectSize is the longest payload that Next takes, MaxProperties the longest block of properties of one
	// object, both in bytes. Defaults DefaultMaxObjectSize and DefaultMaxProperties.
	MaxObjectSize uint64
	MaxProperties uint64
	// Drain is how long a subscription waits for further streams where the Stream Count of PUBLISH_DONE is not the
	// number of those that came, from PUBLISH_DONE or the last object on. Default 1 s. Linger is how long it waits for
	// late datagrams, if it has seen any or the Stream Count is 0. Default 100 ms.
	Drain  time.Duration
	Linger time.Duration
}

// DefaultMaxRequestID is the initial MAX_REQUEST_ID in 14 to 16. Request IDs step by 2, so it grants 64 requests.
const DefaultMaxRequestID = 128

// WithDefaults gives the limits with each field of 0 set to its default.
func (l Limits) WithDefaults() Limits {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	if l.HeldBytes == 0 {
		l.HeldBytes = 48 << 20
	}
	def(&l.QueuedRequests, 1024)
	def(&l.QueuedMessages, 64)
	def(&l.PendingStreams, 256)
	def(&l.PendingDatagrams, 256)
	def(&l.QueuedDatagrams, 4096)
	def(&l.QueuedObjects, 256)
	def(&l.QueuedBytes, 4<<20)
	for _, t := range []struct {
		p *time.Duration
		v time.Duration
	}{{&l.Stall, 30 * time.Second}, {&l.PendingTime, 3 * time.Second}, {&l.Drain, time.Second},
		{&l.Linger, 100 * time.Millisecond}} {
		if *t.p == 0 {
			*t.p = t.v
		}
	}
	return l
}
