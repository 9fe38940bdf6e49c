package wire

import "math/bits"

// Kind is a kind of control message, as the newest draft divides them. Messages that an older draft splits
// (SUBSCRIBE_ERROR, FETCH_ERROR) or names otherwise (SUBSCRIBE_UPDATE) are of the same kind.
type Kind uint8

// The kinds of control messages.
const (
	KindNone Kind = iota
	KindSetup
	KindGoaway
	KindMaxRequestID
	KindRequestsBlocked
	KindRequestOK
	KindRequestError
	KindSubscribe
	KindSubscribeOK
	KindRequestUpdate
	KindUnsubscribe
	KindPublish
	KindPublishDone
	KindPublishStateNotify
	KindFetch
	KindFetchOK
	KindFetchCancel
	KindTrackStatus
	KindPublishNamespace
	KindPublishNamespaceDone
	KindPublishNamespaceCancel
	KindSubscribeNamespace
	KindUnsubscribeNamespace
	KindSubscribeTracks
	KindNamespace
	KindNamespaceDone
	KindPublishSkipped
	KindRaw
)

// StreamKind is the kind of stream that bytes are read from.
type StreamKind uint8

// The kinds of streams, as `decode --stream` names them.
const (
	ControlStream StreamKind = iota
	RequestStream
	UniStream
	DatagramStream
)

// row is one line of the message table: a type code with its name, for a range of drafts.
type row struct {
	name        string
	code        uint64
	first, last Draft
	kind        Kind
	// answers are the kinds of request that a response of this type answers.
	answers kindSet
	// from is the sender of a setup message up to 16.
	from Side
	new  func() Message
}

// kindSet is a set of kinds.
type kindSet uint64

func kindsOf(kinds ...Kind) (s kindSet) {
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

func (s kindSet) has(k Kind) bool { return s&(1<<k) != 0 }

// only is the one kind of the set, KindNone when there are more or none.
func (s kindSet) only() Kind {
	if bits.OnesCount64(uint64(s)) != 1 {
		return KindNone
	}
	return Kind(bits.TrailingZeros64(uint64(s)))
}

// What the common responses answer (draft-15 §9.7, draft-17 §9.6 and §9.7, draft-18 §10.5 and §10.6).
var (
	okdByRequestOK17 = kindsOf(KindRequestUpdate, KindTrackStatus, KindSubscribeNamespace, KindPublishNamespace)
	okdByRequestOK   = okdByRequestOK17 | kindsOf(KindPublish, KindSubscribeTracks)
	allRequests      = okdByRequestOK | kindsOf(KindSubscribe, KindFetch)
)

// Side is an end of a session.
type Side uint8

// The two sides; NoSide where it does not matter or is not known.
const (
	NoSide Side = iota
	ClientSide
	ServerSide
)

// String is "client" or "server".
func (s Side) String() string {
	switch s {
	case ClientSide:
		return "client"
	case ServerSide:
		return "server"
	}
	return "unknown side"
}

// rows is the message table (draft-14 §9, draft-18 §10, draft-22 §9). A new draft means new rows, or a new last draft
// of rows that end.
var rows = []row{
	{"CLIENT_SETUP", 0x20, 14, 16, KindSetup, 0, ClientSide, func() Message { return &Setup{Sender: ClientSide} }},
	{"SERVER_SETUP", 0x21, 14, 16, KindSetup, 0, ServerSide, func() Message { return &Setup{Sender: ServerSide} }},
	{"SETUP", 0x2F00, 17, Newest, KindSetup, 0, 0, func() Message { return &Setup{} }},
	{"GOAWAY", 0x10, 14, Newest, KindGoaway, 0, 0, func() Message { return &Goaway{} }},
	{"MAX_REQUEST_ID", 0x15, 14, 16, KindMaxRequestID, 0, 0, func() Message { return &MaxRequestID{} }},
	{"REQUESTS_BLOCKED", 0x1A, 14, 16, KindRequestsBlocked, 0, 0, func() Message { return &RequestsBlocked{} }},

	{"TRACK_STATUS_OK", 0xE, 14, 14, KindRequestOK, 1 << KindTrackStatus, 0, newOK},
	{"PUBLISH_NAMESPACE_OK", 0x7, 14, 14, KindRequestOK, 1 << KindPublishNamespace, 0, newOK},
	{"SUBSCRIBE_NAMESPACE_OK", 0x12, 14, 14, KindRequestOK, 1 << KindSubscribeNamespace, 0, newOK},
	{"PUBLISH_OK", 0x1E, 14, 17, KindRequestOK, 1 << KindPublish, 0, newOK},
	{"REQUEST_OK", 0x7, 15, 17, KindRequestOK, okdByRequestOK17, 0, newOK},
	{"REQUEST_OK", 0x7, 18, Newest, KindRequestOK, okdByRequestOK, 0, newOK},

	{"SUBSCRIBE_ERROR", 0x5, 14, 14, KindRequestError, 1 << KindSubscribe, 0, newError},
	{"PUBLISH_ERROR", 0x1F, 14, 14, KindRequestError, 1 << KindPublish, 0, newError},
	{"FETCH_ERROR", 0x19, 14, 14, KindRequestError, 1 << KindFetch, 0, newError},
	{"TRACK_STATUS_ERROR", 0xF, 14, 14, KindRequestError, 1 << KindTrackStatus, 0, newError},
	{"PUBLISH_NAMESPACE_ERROR", 0x8, 14, 14, KindRequestError, 1 << KindPublishNamespace, 0, newError},
	{"SUBSCRIBE_NAMESPACE_ERROR", 0x13, 14, 14, KindRequestError, 1 << KindSubscribeNamespace, 0, newError},
	{"REQUEST_ERROR", 0x5, 15, Newest, KindRequestError, allRequests, 0, newError},

	{"SUBSCRIBE", 0x3, 14, Newest, KindSubscribe, 0, 0, func() Message { return &Subscribe{} }},
	{"SUBSCRIBE_OK", 0x4, 14, Newest, KindSubscribeOK, 1 << KindSubscribe, 0, func() Message { return &SubscribeOK{} }},
	{"SUBSCRIBE_UPDATE", 0x2, 14, 15, KindRequestUpdate, 0, 0, func() Message { return &RequestUpdate{} }},
	{"REQUEST_UPDATE", 0x2, 16, Newest, KindRequestUpdate, 0, 0, func() Message { return &RequestUpdate{} }},
	{"UNSUBSCRIBE", 0xA, 14, 16, KindUnsubscribe, 0, 0, func() Message { return &Unsubscribe{} }},
	{"PUBLISH", 0x1D, 14, Newest, KindPublish, 0, 0, func() Message { return &Publish{} }},
	{"PUBLISH_DONE", 0xB, 14, Newest, KindPublishDone, 0, 0, func() Message { return &PublishDone{} }},
	{"PUBLISH_STATE_NOTIFY", 0x22, 20, Newest, KindPublishStateNotify, 0, 0,
		func() Message { return &PublishStateNotify{} }},
	{"FETCH", 0x16, 14, Newest, KindFetch, 0, 0, func() Message { return &Fetch{} }},
	{"FETCH_OK", 0x18, 14, Newest, KindFetchOK, 1 << KindFetch, 0, func() Message { return &FetchOK{} }},
	{"FETCH_CANCEL", 0x17, 14, 16, KindFetchCancel, 0, 0, func() Message { return &FetchCancel{} }},
	{"TRACK_STATUS", 0xD, 14, Newest, KindTrackStatus, 0, 0, func() Message { return &TrackStatus{} }},

	{"PUBLISH_NAMESPACE", 0x6, 14, Newest, KindPublishNamespace, 0, 0, func() Message { return &PublishNamespace{} }},
	{"PUBLISH_NAMESPACE_DONE", 0x9, 14, 16, KindPublishNamespaceDone, 0, 0,
		func() Message { return &PublishNamespaceDone{} }},
	{"PUBLISH_NAMESPACE_CANCEL", 0xC, 14, 16, KindPublishNamespaceCancel, 0, 0,
		func() Message { return &PublishNamespaceCancel{} }},
	{"SUBSCRIBE_NAMESPACE", 0x11, 14, 17, KindSubscribeNamespace, 0, 0,
		func() Message { return &SubscribeNamespace{} }},
	{"SUBSCRIBE_NAMESPACE", 0x50, 18, Newest, KindSubscribeNamespace, 0, 0,
		func() Message { return &SubscribeNamespace{} }},
	{"UNSUBSCRIBE_NAMESPACE", 0x14, 14, 15, KindUnsubscribeNamespace, 0, 0,
		func() Message { return &UnsubscribeNamespace{} }},
	{"SUBSCRIBE_TRACKS", 0x51, 18, Newest, KindSubscribeTracks, 0, 0, func() Message { return &SubscribeTracks{} }},
	{"NAMESPACE", 0x8, 16, Newest, KindNamespace, 0, 0, func() Message { return &Namespace{} }},
	{"NAMESPACE_DONE", 0xE, 16, Newest, KindNamespaceDone, 0, 0, func() Message { return &NamespaceDone{} }},
	{"PUBLISH_BLOCKED", 0xF, 17, 18, KindPublishSkipped, 0, 0, func() Message { return &PublishSkipped{} }},
	{"PUBLISH_SKIPPED", 0xF, 19, Newest, KindPublishSkipped, 0, 0, func() Message { return &PublishSkipped{} }},
}

func newOK() Message    { return &RequestOK{} }
func newError() Message { return &RequestError{} }

// rowOf finds the table row for a type code on the wire.
func rowOf(d Draft, code uint64) *row {
	for i := range rows {
		if r := &rows[i]; r.code == code && r.first <= d && d <= r.last {
			return r
		}
	}
	return nil
}

// rowFor finds the table row to encode a message with: answers is the request that a response answers, from the sender
// of a setup message. A response to a request that no type of the draft answers gets the type that answers most.
func rowFor(d Draft, kind, answers Kind, from Side) *row {
	var common *row
	for i := range rows {
		r := &rows[i]
		switch {
		case r.kind != kind || d < r.first || r.last < d || r.from != NoSide && r.from != from:
		case r.answers == 0 || r.answers.has(answers):
			return r
		case r.answers.only() == KindNone:
			common = r
		}
	}
	return common
}

// mayStand says whether a message may appear on a stream. Up to 15 all stand on the one control stream (draft-14 §3.3).
// In 16 SUBSCRIBE_NAMESPACE and what answers it have a stream of their own (draft-16 §9.25). From 17 on only SETUP and
// GOAWAY stand on the control streams (draft-17 §3.3, draft-22 §6.4).
func (r *row) mayStand(d Draft, stream StreamKind) bool {
	kind := r.kind
	switch {
	case stream != ControlStream && stream != RequestStream:
		return false
	case d <= Draft15:
		return stream == ControlStream
	case d == Draft16 && stream == RequestStream:
		switch kind {
		case KindSubscribeNamespace, KindNamespace, KindNamespaceDone, KindRequestUpdate:
			return true
		}
		return r.answers.has(KindSubscribeNamespace)
	case d == Draft16:
		return kind != KindSubscribeNamespace && kind != KindNamespace && kind != KindNamespaceDone
	case stream == ControlStream:
		return kind == KindSetup || kind == KindGoaway
	}
	return kind != KindSetup && (kind != KindGoaway || d >= Draft18) // GOAWAY on request streams: draft-18 §10.4
}

// Opens reports whether a message of this kind is a request that may open a request stream (from 17 on). Such a message
// takes a Request ID.
func (k Kind) Opens() bool {
	switch k {
	case KindSubscribe, KindPublish, KindFetch, KindTrackStatus, KindPublishNamespace, KindSubscribeNamespace,
		KindSubscribeTracks:
		return true
	}
	return false
}

// String is the newest draft's name of the kind, e.g. "SUBSCRIBE"; Name is that of one draft.
func (k Kind) String() string {
	name := "message"
	for i := range rows {
		if rows[i].kind == k && (rows[i].last == Newest || name == "message") {
			name = rows[i].name
		}
	}
	return name
}

// Name is the draft's name of the kind, that of the newest draft where this one has several or none.
func (k Kind) Name(d Draft) string {
	name := ""
	for i := range rows {
		if r := &rows[i]; r.kind == k && r.first <= d && d <= r.last {
			if name != "" {
				return k.String()
			}
			name = r.name
		}
	}
	if name == "" {
		return k.String()
	}
	return name
}

// Defined reports whether the draft has a message of this kind.
func (k Kind) Defined(d Draft) bool {
	for i := range rows {
		if rows[i].kind == k && rows[i].first <= d && d <= rows[i].last {
			return true
		}
	}
	return false
}

// ParseKind reads the name of a message in any draft, as in `decode --answers SUBSCRIBE`.
func ParseKind(name string) (Kind, bool) {
	for i := range rows {
		if rows[i].name == name {
			return rows[i].kind, true
		}
	}
	return KindNone, false
}
