package rules

// Sessions, as the code names them.
const (
	AllMessages        ID = "all-messages"
	Setup              ID = "setup"
	VersionChoice      ID = "version-choice"
	DatagramsSupported ID = "datagrams-supported"
	Authority          ID = "authority"
	AuthorityForm      ID = "authority-form"
	Path               ID = "path"
	PathForm           ID = "path-form"
	SetupTokenAlias    ID = "setup-token-alias"
	ControlStream      ID = "control-stream"
	RequestStream      ID = "request-stream"
	StreamType         ID = "stream-type"
	Close              ID = "close"
	RequestID          ID = "request-id"
	RequestIDParity    ID = "request-id-parity"
	RequiredRequestID  ID = "required-request-id-bound"
	MaxRequestIDGrows  ID = "max-request-id-grows"
	Goaway             ID = "goaway"
	GoawayOnce         ID = "goaway-once"
	GoawayURI          ID = "goaway-uri"
	GoawayURILength    ID = "goaway-uri-length"
	GoawayRequestID    ID = "goaway-request-id"
	SecondAnswer       ID = "second-answer"
	PaddingStream      ID = "padding-stream"
	PaddingDatagram    ID = "padding-datagram"
	ErrorNotPassedOn   ID = "error-not-passed-on"
	EarlyStreams       ID = "early-streams"
	GoawayRequests     ID = "goaway-requests"
	RequiredRequest    ID = "required-request-id"
	ImplementationName ID = "implementation-name"
)

// sessions are the rules of a session's beginning, life and end.
var sessions = []Rule{
	{
		ID: Setup, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "The session begins with a setup message from each side, and each side reads the other's.",
		In: "14-15 3.3 9.3; 16 3.3 9.3 3.2/1; 17 3.3 9.4 3.2/1; 18-19 3.3 10.3 3.2/1; 20 3.3 10.3 3.2; 21-22 6.3 " +
			"9.1 6.3.2",
	},
	{
		ID: VersionChoice, Binds: Server, Level: Must, By: Session,
		Says: "The server chooses one of the versions that the client offers, or the session is closed with " +
			"VERSION_NEGOTIATION_FAILED.",
		In: "14 9.3.1/1 3.2",
	},
	{
		ID: DatagramsSupported, Binds: Endpoint, Level: Must, By: Cases,
		Says: "QUIC's datagrams are negotiated on each connection.",
		In:   "14-19 3.1/1; 20 3.1; 21-22 6.2",
	},
	{
		ID: "uri-host", Binds: Outsider, Level: Must,
		Says: "The authority of a moqt URI has a host.",
		Why:  "It binds who writes URIs; none of them is sent with an empty host.",
		In:   "14-17 3.1.2/1; 18-19 3.1.1/1; 20 3.1.1; 21-22 6.1",
	},
	{
		ID: "uri-fragment", Binds: Outsider, Level: Must,
		Says: "The fragment of a moqt URI begins with a registered type and a colon.",
		Why:  "A fragment is not sent to a server.",
		In:   "18-19 3.1.2/1; 20 3.1.2; 21-22 6.1.1",
	},
	{
		ID: "uri-fragment-type", Binds: Outsider, Level: Must,
		Says: "A fragment's type is lower-case letters, digits and hyphens.",
		Why:  "A fragment is not sent to a server.",
		In:   "18-19 3.1.2/2; 20 3.1.2; 21-22 6.1.1",
	},
	{
		ID: "extension-versions", Binds: Outsider, Level: Must,
		Says: "Versions and extensions say which of each other they can be used with.",
		Why:  "It binds authors of specifications.",
		In:   "14-15 3.2/1; 16-19 3.2/2; 20 3.2; 21-22 6.3.2",
	},
	{
		ID: Authority, Binds: Endpoint, Level: Must, By: Codec | Session | Cases,
		Says: "AUTHORITY comes from clients alone, on raw QUIC alone, and names an authority that the server has; " +
			"otherwise INVALID_AUTHORITY.",
		Unwatched: "On 14 MOQT_IMPLEMENTATION has AUTHORITY's number (draft-14 §9.3.2.6), and either end may " +
			"send it on either transport.",
		In: "14 9.3.2.1/1; 15-16 9.3.1.1/1; 17 9.4.1.1/1; 18-19 10.3.1.1/1; 20 10.3.1.1; 21-22 9.1.1",
	},
	{
		ID: AuthorityForm, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A client sends the authority of the URI; one that is not of RFC 3986's form closes the session " +
			"with MALFORMED_AUTHORITY.",
		Unwatched: "On 14 MOQT_IMPLEMENTATION has AUTHORITY's number (draft-14 §9.3.2.6), and may be any text.",
		In:        "14 9.3.2.1/2; 15-16 9.3.1.1/2; 17 9.4.1.1/2; 18-19 10.3.1.1/2; 20 10.3.1.1; 21-22 9.1.1",
	},
	{
		ID: Path, Binds: Endpoint, Level: Must, By: Codec | Session | Cases,
		Says: "PATH comes from clients alone, on raw QUIC alone, and names a path that the server has; otherwise " +
			"INVALID_PATH.",
		In: "14 9.3.2.2/1; 15-16 9.3.1.2/1; 17 9.4.1.2/1; 18-19 10.3.1.2/1; 20 10.3.1.2; 21-22 9.1.2",
	},
	{
		ID: PathForm, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A client sends path and query of the URI; what is not of RFC 3986's form closes the session with " +
			"MALFORMED_PATH.",
		In: "14 9.3.2.2/2; 15-16 9.3.1.2/2; 17 9.4.1.2/2; 18-19 10.3.1.2/2; 20 10.3.1.2; 21-22 9.1.2",
	},
	{
		ID: "setup-token", Binds: Endpoint, Level: Must, By: Cases,
		Says: "A token in SETUP that is over the receiver's cache counts as if it were not registered, and closes " +
			"nothing.",
		In: "14 9.3.2.5/1; 15-16 9.3.1.5/1; 17 9.4.1.4/1; 18-19 10.3.1.4/1; 20 10.3.1.4; 21-22 9.1.4",
	},
	{
		ID: SetupTokenAlias, Binds: Server, Level: Must, By: Cases,
		Says: "A token in a client's SETUP that deletes or uses an alias closes the session with " +
			"PROTOCOL_VIOLATION.",
		In: "15 9.2.1.1/3; 16 9.2.2.1/3; 17 9.3.2/3; 18-19 10.2.2/3; 20 10.2.2; 21-22 9.1.4",
	},
	{
		ID: ControlStream, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "The control stream is open as long as the session; its end closes the session with " +
			"PROTOCOL_VIOLATION.",
		In: "14-15 3.3/1; 16-19 3.3/2; 20 3.3; 21-22 6.3",
	},
	{
		ID: RequestStream, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "A bidirectional stream begins with a message that opens a request; another one closes the session.",
		In:   "16-19 3.3/1; 20 3.3; 21-22 6.3",
	},
	{
		ID: StreamType, Binds: Endpoint, Level: Must, By: Codec | Session | Cases,
		Says: "A unidirectional stream of an unknown type closes the session.",
		In:   "14-16 10/1; 17-19 3.4/1; 20 3.4; 21-22 6.4.1",
	},
	{
		ID: "datagram-type", Binds: Endpoint, Level: Must, By: Codec | Session | Cases,
		Says: "A datagram of an unknown type closes the session.",
		In:   "14-17 10/1; 18-19 11/1; 20-22 11",
	},
	{
		ID: AllMessages, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay speaks every message of the draft.",
		In:   "14-19 4/1; 20 4; 21 1.5; 22 1.6",
	},
	{
		ID: Close, Binds: Endpoint, Level: Should, By: Cases,
		Says: "A session is closed with a code that says why; NO_ERROR when there was no error.",
		In:   "14-16 3.4; 17-20 3.5; 21 6.6; 22 6.6 12.2",
	},
	{
		ID: RequestID, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "The peer's limit of Request IDs is kept; an ID that is over it, or not the next one, closes the " +
			"session.",
		In: "14-16 9.5/2 9.1/1",
	},
	{
		ID: RequestIDParity, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "A Request ID of the wrong parity, or one that was used before, closes the session with " +
			"INVALID_REQUEST_ID.",
		In: "14-17 9.1/1; 18-19 10.1/1; 20 10.1; 21-22 6.4.2.1",
	},
	{
		ID: RequiredRequest, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A request that depends on another one is handled after it.",
		In:   "17 9.2/1",
	},
	{
		ID: RequiredRequestID, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "A dependency on a request before the first one closes the session with " +
			"INVALID_REQUIRED_REQUEST_ID.",
		In: "17 9.2/2",
	},
	{
		ID: "max-request-id-default", Binds: Endpoint, Level: Must, By: Session,
		Says: "Without MAX_REQUEST_ID in the peer's setup no request is sent.",
		In:   "14 9.3.2.3/1; 15-16 9.3.1.3/1",
	},
	{
		ID: MaxRequestIDGrows, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "MAX_REQUEST_ID grows with each message; one that does not closes the session.",
		In:   "14-16 9.5/1",
	},
	{
		ID: "requests-blocked", Binds: Endpoint, Level: Must,
		Says: "Nobody waits for REQUESTS_BLOCKED before granting more requests.",
		Why:  "Why an endpoint grants requests is its own affair; what is seen is only that it does.",
		In:   "14-16 9.6/1",
	},
	{
		ID: Goaway, Binds: Endpoint, Level: Must, By: Cases,
		Says: "GOAWAY announces the end of a session and ends no subscription by itself.",
		In:   "14-16 3.5 9.4; 17 3.6 9.5; 18-20 3.6 10.4; 21-22 6.6.1 9.2",
	},
	{
		ID: GoawayOnce, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "A second GOAWAY on a stream closes the session with PROTOCOL_VIOLATION.",
		In:   "14-16 9.4/1; 17 9.5/2; 18-19 10.4/2; 20 10.4; 21-22 9.2",
	},
	{
		ID: GoawayURI, Binds: Server, Level: Must, By: Cases,
		Says: "A server that gets a GOAWAY with a URI closes the session with PROTOCOL_VIOLATION.",
		In:   "14-16 9.4/3; 17 9.5/4; 18-19 10.4/4; 20 10.4; 21-22 9.2",
	},
	{
		ID: "goaway-client-uri", Binds: Client, Level: Must, By: Session,
		Says: "A client's GOAWAY has no URI.",
		In:   "17 9.5/1; 18-19 10.4/1; 20 10.4; 21-22 9.2",
	},
	{
		ID: GoawayURILength, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "The URI of a GOAWAY has no more than 8,192 bytes, and a client goes where it says.",
		In:   "14-16 9.4/2; 17 9.5/3; 18-19 10.4/3; 20 10.4; 21-22 9.2",
	},
	{
		ID: GoawayRequestID, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "GOAWAY names a request of the receiver; requests from it on, and those that come later, are " +
			"refused with GOING_AWAY.",
		In: "18 10.4/5",
	},
	{
		ID: ErrorNotPassedOn, Binds: Relay, Level: Must, By: Cases,
		Says: "What closes one session as unknown or invalid is not passed on to another one.",
		In:   "14 8.4/6; 15-17 8.5/6; 18-19 9.5/6; 20 9.5; 21 7.5; 22 7.6",
	},
	{
		ID: "resource-limit", Binds: Endpoint, Level: Must,
		Says: "An endpoint that reaches a limit of resources cancels a stream, that of the lowest priority if it can.",
		Why:  "The limits of a peer are not known, and reaching them is an attack.",
		In:   "14-17 12.1/1; 18-19 13.5/1; 20 13.5; 21-22 15.5",
	},
	{
		ID: "padding-stream-zeros", Binds: Endpoint, Level: Must, By: Cases,
		Says: "A padding stream has zeros alone.",
		In:   "18-19 11.5.1/1; 20-22 11.5.1",
	},
	{
		ID: PaddingStream, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A padding stream is read and thrown away.",
		In:   "18-19 11.5.1/2; 20-22 11.5.1",
	},
	{
		ID: "padding-datagram-zeros", Binds: Endpoint, Level: Must, By: Cases,
		Says: "A padding datagram has zeros alone.",
		In:   "18-19 11.5.2/1; 20-22 11.5.2",
	},
	{
		ID: PaddingDatagram, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A padding datagram is thrown away.",
		In:   "18-19 11.5.2/2; 20-22 11.5.2",
	},
	{
		ID: "authentication", Binds: Relay, Level: Must, By: Session,
		Says: "A relay proves who it is.",
		In:   "18-19 13.2/1; 20 13.2; 21-22 15.2",
	},
	{
		ID: "flow-control", Binds: Endpoint, Level: Must,
		Says: "The connection's flow control is granted to control streams before data streams.",
		Why:  "Which stream gets the connection's credit is decided inside the receiver's QUIC library.",
		In:   "14-17 10.4.2/1; 18-19 11.4.2/1; 20 11.4.2; 21 11.3.1; 22 3.1.3.1",
	},
	{
		ID: SecondAnswer, Binds: Endpoint, Level: Should, By: Session | Cases,
		Says: "A second answer to a request closes the session.",
		In:   "14-17 5.1 6.1 6.2; 18-20 5.1 6.2; 21 3.1 4.2; 22 3.1 4.1",
	},
	{
		ID: "parameter-twice", Binds: Endpoint, Level: Should, By: Codec | Cases,
		Says: "A parameter that comes twice where it may not closes the session.",
		In:   "14-16 9.2; 17 9.3; 18-20 10.2; 21-22 9.20",
	},
	{
		ID: "goaway-timeout", Binds: Endpoint, Level: Should,
		Says: "After its own GOAWAY's time, the sender closes the session with GOAWAY_TIMEOUT.",
		Why:  "Nothing that a client does has a relay send GOAWAY.",
		In:   "16 3.5; 17-20 3.6; 21-22 6.6.1",
	},
	{
		ID: "goaway-first", Binds: Relay, Level: Should,
		Says: "A relay tells its subscribers with GOAWAY before it leaves its publishers.",
		Why:  "Nothing that a client does has a relay send GOAWAY.",
		In:   "14-16 3.5; 17-20 3.6; 21-22 6.6.1",
	},
	{
		ID: GoawayRequests, Binds: Endpoint, Level: Should, By: Cases,
		Says: "An endpoint that got a GOAWAY makes no new requests to its sender.",
		In:   "14-16 9.4; 17 9.5; 18-20 10.4; 21-22 9.2",
	},
	{
		ID: "requests-blocked-sent", Binds: Endpoint, Level: Should, By: Cases,
		Says: "An endpoint that is out of Request IDs says so with REQUESTS_BLOCKED, once for each limit.",
		In:   "14-16 9.6",
	},
	{
		ID: ImplementationName, Binds: Endpoint, Level: Should, By: Cases,
		Says: "An endpoint names its implementation in SETUP.",
		In:   "17 9.4.1.5; 18-20 10.3.1.5; 21-22 9.1.5",
	},
}
