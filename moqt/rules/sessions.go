package rules

// Sessions, as the code names them.
const (
	Setup      ID = "setup"
	Close      ID = "close"
	RequestID  ID = "request-id"
	Goaway     ID = "goaway"
	GoawayOnce ID = "goaway-once"
	GoawayURI  ID = "goaway-uri"
	Token      ID = "token"
	TokenAlias ID = "token-alias"
	TokenCache ID = "token-cache"
)

// sessions are the rules of a session's beginning, life and end.
var sessions = []Rule{
	{
		ID: Setup, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "The session begins with a setup message from each side, and each side reads the other's.",
		In:   "14-16 3.3 9.3; 17 3.3 9.4; 18-20 3.3 10.3; 21-22 6.3 9.1",
	},
	{
		ID: Close, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A session is closed with a code that says why; NO_ERROR when there was no error.",
		In:   "14-16 3.4; 17-20 3.5; 21-22 6.6",
	},
	{
		ID: RequestID, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "The peer's limit of Request IDs is kept; an ID that is over it, or not the next one, closes the " +
			"session.",
		In: "14-16 9.5/2 9.1/1",
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
		ID: Token, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A token that was registered under an alias counts as if it had been sent again.",
		In:   "14-15 9.2.1.1; 16 9.2.2.1; 17 9.3.2; 18-20 10.2.2; 21-22 8.9",
	},
	{
		ID: TokenAlias, Binds: Endpoint, Level: Must, By: Cases,
		Says: "Registering a token alias that is in use closes the session with DUPLICATE_AUTH_TOKEN_ALIAS.",
		In:   "14 9.2.1.1/2; 15 9.2.1.1/4; 16 9.2.2.1/4; 17 9.3.2/4; 18-19 10.2.2/4; 20 10.2.2; 21-22 8.9",
	},
	{
		ID: TokenCache, Binds: Endpoint, Level: Must, By: Cases,
		Says: "Registering more than the peer stores closes the session with AUTH_TOKEN_CACHE_OVERFLOW.",
		In:   "14 9.2.1.1/6; 15 9.2.1.1/8; 16 9.2.2.1/8; 17 9.3.2/8; 18-19 10.2.2/8; 20 10.2.2; 21-22 8.9",
	},
}
