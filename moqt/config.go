package moqt

import (
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Config shapes one end of a session. The zero value is a client or server of every draft with the default limits. It
// is not changed, and may serve several sessions at once if its functions may be called concurrently.
type Config struct {
	// Drafts are those offered (client) or served (server); nil is all. The connection below has already negotiated one
	// of them; a session on a draft that is not in the list fails with VERSION_NEGOTIATION_FAILED. Draft 14 selects in
	// band.
	Drafts []wire.Draft
	// Implementation is MOQT_IMPLEMENTATION; "" sends none. Draft 14 gives the option AUTHORITY's code; there it goes
	// out with the code of the later drafts, which 14 ignores as unknown.
	Implementation string
	// Path and Authority are PATH and AUTHORITY of a client's SETUP; they are sent only where the transport does not
	// carry them itself (draft-18 §10.3.1.1).
	Path, Authority string
	// MaxRequestID is the initial MAX_REQUEST_ID granted to the peer in 14-16, where request ids step by 2; 0 is
	// DefaultMaxRequestID. The session raises it as requests are taken by the application, unless FixedRequestLimit is
	// set.
	MaxRequestID      uint64
	FixedRequestLimit bool
	// MaxAuthTokenCacheSize is how many bytes of registered tokens this end stores (draft-18 §10.3.1.3); 0 allows no
	// aliases.
	MaxAuthTokenCacheSize uint64
	// SetupOptions are further options of our SETUP. One of a type that the session would send itself replaces that
	// one, and counts: MAX_REQUEST_ID, MAX_AUTH_TOKEN_CACHE_SIZE, MAX_REQUEST_UPDATES.
	SetupOptions wire.Properties
	// Decode names tolerances of the codec. Answers and Descending are the session's to set.
	Decode wire.Options
	// IgnoreRequestLimit sends requests although the peer's MAX_REQUEST_ID forbids it (14-16; tolerance
	// no-request-limit).
	IgnoreRequestLimit bool
	// CheckSetup, if set, judges a client's SETUP at a server before it is answered: its path and authority, from the
	// transport or from SETUP, and its options. A *SessionError closes with its code (INVALID_PATH, INVALID_AUTHORITY,
	// UNAUTHORIZED), any other error with INTERNAL_ERROR.
	CheckSetup func(path, authority string, setup *wire.Setup) error
	// Trace, if set, is told of every message and data-stream header sent and received, of resets, stops and drops, and
	// of the close. It is called synchronously, concurrently from several goroutines, and must be fast.
	Trace func(Event)
	// Handler, if set, gets each incoming request in a goroutine of its own, which Close joins: it must return when the
	// session's context ends, and may not call Close (Abort does not wait). Without a handler requests queue for
	// AcceptRequest.
	Handler func(*Request)
	// Panicked, if set, is told of a panic in a goroutine of the session or in Handler, and the session then closes
	// with INTERNAL_ERROR; otherwise the panic takes its course.
	Panicked func(value any, stack []byte)
	// Limits bound what the peer can make this end hold.
	Limits Limits
}

// Limits bound what the peer can make a session hold. A zero field is its default.
type Limits struct {
	// QueuedRequests is how many incoming requests wait for AcceptRequest (or run in handlers); further ones are
	// rejected with EXCESSIVE_LOAD (INTERNAL_ERROR up to 16, which has no such code). Default 1024.
	QueuedRequests int
	// QueuedMessages is how many messages of one request wait to be read; then the stream is not read further. Default
	// 64. On the one control stream of 14-16 it is the peer's request ids that bound them.
	QueuedMessages int
	// PendingStreams is how many data streams are held unread because their Track Alias is not known yet, or SETUP has
	// not come; further ones are stopped. PendingTime is how long each is held. Defaults 256 and 3 s.
	PendingStreams int
	PendingTime    time.Duration
	// PendingDatagrams is how many datagrams wait for their Track Alias, and QueuedDatagrams how many wait in one
	// subscription; further ones are dropped, counted and traced. Defaults 256 and 4096.
	PendingDatagrams int
	QueuedDatagrams  int
	// QueuedObjects and QueuedBytes bound what one subscription or fetch reads ahead for Next; then its streams are not
	// read further. Defaults 256 and 4 MiB; one object above QueuedBytes passes alone.
	QueuedObjects int
	QueuedBytes   int
	// MaxObjectSize is the longest payload that Next takes, in bytes (default DefaultMaxObjectSize); MaxProperties the
	// longest block of properties of one object (default DefaultMaxProperties).
	MaxObjectSize uint64
	MaxProperties uint64
	// Drain is how long after PUBLISH_DONE, or the last object since, a subscription waits for streams that its Stream
	// Count promises and that have not come. Default 1 s. Linger is how long it waits for late datagrams where it has
	// seen any. Default 100 ms.
	Drain  time.Duration
	Linger time.Duration
}

// DefaultMaxRequestID is the initial MAX_REQUEST_ID of 14-16. Request ids step by 2, so it grants 64 requests.
const DefaultMaxRequestID = 128

func (l Limits) withDefaults() Limits {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
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
	}{{&l.PendingTime, 3 * time.Second}, {&l.Drain, time.Second}, {&l.Linger, 100 * time.Millisecond}} {
		if *t.p == 0 {
			*t.p = t.v
		}
	}
	return l
}
