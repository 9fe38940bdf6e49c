package wire

// Message is a control message. The structs of this package implement it, in the newest draft's shape. A field that a
// draft does not have is ignored when encoding for that draft, and zero after decoding.
type Message interface {
	// Kind says what it is.
	Kind() Kind
	// fields lists the body's fields in wire order, each with its condition on the draft. Encoding, decoding,
	// describing and reading a description all run this one function.
	fields(c *coder)
}

// Setup is SETUP, and CLIENT_SETUP and SERVER_SETUP up to 16 (draft-16 §9.3, draft-18 §10.3).
type Setup struct {
	// Sender chooses between CLIENT_SETUP and SERVER_SETUP up to 16. From 17 on the message does not say who sent it.
	Sender Side
	// Versions are offered by CLIENT_SETUP of 14, SelectedVersion is SERVER_SETUP's answer.
	Versions        []uint64
	SelectedVersion uint64
	// Options are the setup parameters or options.
	Options Properties
}

// Goaway is GOAWAY.
type Goaway struct {
	NewSessionURI string
	// Timeout is in milliseconds, 0 = unspecified (17 and later).
	Timeout uint64
	// RequestID is the first of the peer's requests not processed: 18, control stream only.
	RequestID uint64
}

// MaxRequestID is MAX_REQUEST_ID (14-16): request ids below it may be used.
type MaxRequestID struct{ MaxRequestID uint64 }

// RequestsBlocked is REQUESTS_BLOCKED (14-16).
type RequestsBlocked struct{ MaximumRequestID uint64 }

// RequestOK accepts a request that has no OK of its own kind: REQUEST_OK, and PUBLISH_OK, TRACK_STATUS_OK,
// PUBLISH_NAMESPACE_OK, SUBSCRIBE_NAMESPACE_OK where a draft has them.
type RequestOK struct {
	// Type is the type code on the wire. Decoding sets it; encoding uses it where the draft has such an OK, and chooses
	// by Answers otherwise. See MayAnswer.
	Type uint64
	// Answers is the kind of request answered. To encode for 14-17 it must be set, unless Type is. Decoding sets it
	// where the type code tells it, or where the type may answer Options.Answers.
	Answers Kind
	// RequestID is on the wire up to 16.
	RequestID uint64
	// TrackAlias is in TRACK_STATUS_OK of 14 only, and is 0 there.
	TrackAlias uint64
	Parameters Parameters
	// Properties are the track's, in answer to TRACK_STATUS (18 and later).
	Properties Properties
}

// RequestError refuses a request: REQUEST_ERROR, and 14's six *_ERROR messages.
type RequestError struct {
	// Type is the type code on the wire, as of RequestOK.
	Type uint64
	// Answers is the kind of request answered, as of RequestOK. To encode for 14 it must be set, unless Type is.
	Answers Kind
	// RequestID is on the wire up to 16.
	RequestID uint64
	// Code is the number on the wire; its name depends on the draft (and in 14 on Answers).
	Code uint64
	// RetryInterval is milliseconds plus one before a retry, 0 = do not retry (16 and later).
	RetryInterval uint64
	Reason        string
	// Redirect must be set exactly when Code is REDIRECT 0x34 (18 and later).
	Redirect *Redirect
}

// Redirect tells where to go instead (draft-18 §10.6.1).
type Redirect struct {
	ConnectURI     string
	TrackNamespace TrackNamespace
	TrackName      string
}

// Subscribe is SUBSCRIBE. 14's fixed fields (priority, group order, forward, filter) are in Parameters.
type Subscribe struct {
	RequestID uint64
	// RequiredRequestIDDelta exists in 17 only: the request depends on RequestID - 2 x delta; 0 = on none.
	RequiredRequestIDDelta uint64
	TrackNamespace         TrackNamespace
	TrackName              string
	Parameters             Parameters
}

// TrackStatus is TRACK_STATUS; it has the body of SUBSCRIBE.
type TrackStatus Subscribe

// SubscribeOK is SUBSCRIBE_OK. 14's fixed fields (expires, group order, largest location) are in Parameters.
type SubscribeOK struct {
	// RequestID is on the wire up to 16.
	RequestID  uint64
	TrackAlias uint64
	Parameters Parameters
	// Properties are the track's (16 and later).
	Properties Properties
}

// RequestUpdate is REQUEST_UPDATE, and SUBSCRIBE_UPDATE of 14-15. 14's fixed fields are in Parameters.
type RequestUpdate struct {
	RequestID              uint64
	RequiredRequestIDDelta uint64
	// ExistingRequestID names the request to change, up to 16; after that the stream does.
	ExistingRequestID uint64
	Parameters        Parameters
}

// Unsubscribe is UNSUBSCRIBE (14-16).
type Unsubscribe struct{ RequestID uint64 }

// Publish is PUBLISH. 14's fixed fields (group order, largest location, forward) are in Parameters.
type Publish struct {
	RequestID              uint64
	RequiredRequestIDDelta uint64
	TrackNamespace         TrackNamespace
	TrackName              string
	TrackAlias             uint64
	Parameters             Parameters
	// Properties are the track's (16 and later).
	Properties Properties
}

// PublishDone is PUBLISH_DONE.
type PublishDone struct {
	// RequestID is on the wire up to 16.
	RequestID uint64
	// StatusCode is the number on the wire; its name depends on the draft.
	StatusCode uint64
	// StreamCount is the number of data streams opened; see StreamCountUnknown.
	StreamCount uint64
	Reason      string
}

// PublishStateNotify is PUBLISH_STATE_NOTIFY (20 and later): the publisher reports a change of its own.
type PublishStateNotify struct{ Parameters Parameters }

// FetchType is the form of a FETCH up to 19.
type FetchType uint64

// The fetch types; from 20 on there is none, the range is a LOCATION_FILTER.
const (
	FetchStandalone      FetchType = 1
	FetchRelativeJoining FetchType = 2
	FetchAbsoluteJoining FetchType = 3
)

// Fetch is FETCH. From 20 on its range is the LOCATION_FILTER in Parameters; up to 19 it is Start and End, or a
// subscription to join.
type Fetch struct {
	RequestID              uint64
	RequiredRequestIDDelta uint64
	// Type exists up to 19.
	Type FetchType
	// TrackNamespace and TrackName are on the wire for standalone fetches and from 20 on.
	TrackNamespace TrackNamespace
	TrackName      string
	// Start and End are in standalone fetches up to 19. End is the last object plus one; Object 0 means the whole
	// group.
	Start, End Location
	// JoiningRequestID and JoiningStart are in joining fetches up to 19.
	JoiningRequestID, JoiningStart uint64
	Parameters                     Parameters
}

// FetchOK is FETCH_OK. End has the wire's meaning: up to 19 the last object plus one (0: the whole group), from 20 on
// inclusive.
type FetchOK struct {
	// RequestID is on the wire up to 16.
	RequestID  uint64
	EndOfTrack uint8
	End        Location
	Parameters Parameters
	// Properties are the track's (16 and later).
	Properties Properties
}

// FetchCancel is FETCH_CANCEL (14-16).
type FetchCancel struct{ RequestID uint64 }

// PublishNamespace is PUBLISH_NAMESPACE.
type PublishNamespace struct {
	RequestID              uint64
	RequiredRequestIDDelta uint64
	TrackNamespace         TrackNamespace
	Parameters             Parameters
}

// PublishNamespaceDone is PUBLISH_NAMESPACE_DONE (14-16): by namespace up to 15, by request id in 16.
type PublishNamespaceDone struct {
	RequestID      uint64
	TrackNamespace TrackNamespace
}

// PublishNamespaceCancel is PUBLISH_NAMESPACE_CANCEL (14-16): by namespace up to 15, by request id in 16.
type PublishNamespaceCancel struct {
	RequestID      uint64
	TrackNamespace TrackNamespace
	Code           uint64
	Reason         string
}

// SubscribeNamespace is SUBSCRIBE_NAMESPACE.
type SubscribeNamespace struct {
	RequestID              uint64
	RequiredRequestIDDelta uint64
	Prefix                 TrackNamespace
	// Options says what is asked for in 16-17.
	Options    uint64
	Parameters Parameters
}

// Subscribe Options of 16-17 (draft-16 §9.25).
const (
	SubscribePublishes  = 0
	SubscribeNamespaces = 1
	SubscribeBoth       = 2
)

// UnsubscribeNamespace is UNSUBSCRIBE_NAMESPACE: by prefix in 14, by request id in 15.
type UnsubscribeNamespace struct {
	RequestID uint64
	Prefix    TrackNamespace
}

// SubscribeTracks is SUBSCRIBE_TRACKS (18 and later).
type SubscribeTracks struct {
	RequestID  uint64
	Prefix     TrackNamespace
	Parameters Parameters
}

// Namespace is NAMESPACE (16 and later): a namespace under the subscribed prefix exists.
type Namespace struct{ Suffix TrackNamespace }

// NamespaceDone is NAMESPACE_DONE (16 and later).
type NamespaceDone struct{ Suffix TrackNamespace }

// PublishSkipped is PUBLISH_SKIPPED (19 and later) and PUBLISH_BLOCKED (17-18).
type PublishSkipped struct {
	Suffix    TrackNamespace
	TrackName string
}

// Raw is any type code with any body: it sends illegal messages on purpose. Decoding never yields it.
type Raw struct {
	Type uint64
	Body []byte
}

// StreamCountUnknown is the Stream Count that means "unknown": 2^62-1 up to 19, 2^64-1 after (draft-20 §10.12).
func StreamCountUnknown(d Draft) uint64 {
	if d <= Draft19 {
		return 1<<62 - 1
	}
	return 1<<64 - 1
}

// Kind is KindSetup.
func (*Setup) Kind() Kind { return KindSetup }

// Kind is KindGoaway.
func (*Goaway) Kind() Kind { return KindGoaway }

// Kind is KindMaxRequestID.
func (*MaxRequestID) Kind() Kind { return KindMaxRequestID }

// Kind is KindRequestsBlocked.
func (*RequestsBlocked) Kind() Kind { return KindRequestsBlocked }

// Kind is KindRequestOK.
func (*RequestOK) Kind() Kind { return KindRequestOK }

// Kind is KindRequestError.
func (*RequestError) Kind() Kind { return KindRequestError }

// Kind is KindSubscribe.
func (*Subscribe) Kind() Kind { return KindSubscribe }

// Kind is KindTrackStatus.
func (*TrackStatus) Kind() Kind { return KindTrackStatus }

// Kind is KindSubscribeOK.
func (*SubscribeOK) Kind() Kind { return KindSubscribeOK }

// Kind is KindRequestUpdate.
func (*RequestUpdate) Kind() Kind { return KindRequestUpdate }

// Kind is KindUnsubscribe.
func (*Unsubscribe) Kind() Kind { return KindUnsubscribe }

// Kind is KindPublish.
func (*Publish) Kind() Kind { return KindPublish }

// Kind is KindPublishDone.
func (*PublishDone) Kind() Kind { return KindPublishDone }

// Kind is KindPublishStateNotify.
func (*PublishStateNotify) Kind() Kind { return KindPublishStateNotify }

// Kind is KindFetch.
func (*Fetch) Kind() Kind { return KindFetch }

// Kind is KindFetchOK.
func (*FetchOK) Kind() Kind { return KindFetchOK }

// Kind is KindFetchCancel.
func (*FetchCancel) Kind() Kind { return KindFetchCancel }

// Kind is KindPublishNamespace.
func (*PublishNamespace) Kind() Kind { return KindPublishNamespace }

// Kind is KindPublishNamespaceDone.
func (*PublishNamespaceDone) Kind() Kind { return KindPublishNamespaceDone }

// Kind is KindPublishNamespaceCancel.
func (*PublishNamespaceCancel) Kind() Kind { return KindPublishNamespaceCancel }

// Kind is KindSubscribeNamespace.
func (*SubscribeNamespace) Kind() Kind { return KindSubscribeNamespace }

// Kind is KindUnsubscribeNamespace.
func (*UnsubscribeNamespace) Kind() Kind { return KindUnsubscribeNamespace }

// Kind is KindSubscribeTracks.
func (*SubscribeTracks) Kind() Kind { return KindSubscribeTracks }

// Kind is KindNamespace.
func (*Namespace) Kind() Kind { return KindNamespace }

// Kind is KindNamespaceDone.
func (*NamespaceDone) Kind() Kind { return KindNamespaceDone }

// Kind is KindPublishSkipped.
func (*PublishSkipped) Kind() Kind { return KindPublishSkipped }

// Kind is KindRaw.
func (*Raw) Kind() Kind { return KindRaw }
