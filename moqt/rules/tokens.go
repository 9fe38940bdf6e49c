package rules

// Tokens, as the code names them.
const (
	TokenNotCopied      ID = "token-not-copied"
	Token               ID = "token"
	TokenAlias          ID = "token-alias"
	TokenCache          ID = "token-cache"
	TokenTwice          ID = "token-twice"
	TokenRegister       ID = "token-register"
	TokenForm           ID = "token-form"
	AuthorizedPublish   ID = "authorized-publish"
	TokenRegisterAlways ID = "token-register-always"
)

// tokens are the rules of authorization.
var tokens = []Rule{
	{
		ID: Token, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A token that was registered under an alias counts as if it had been sent again.",
		In:   "14-15 9.2.1.1; 16 9.2.2.1; 17 9.3.2; 18-20 10.2.2; 21-22 8.9",
	},
	{
		ID: TokenAlias, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "Registering a token alias that is in use closes the session with DUPLICATE_AUTH_TOKEN_ALIAS.",
		In:   "14 9.2.1.1/2; 15 9.2.1.1/4; 16 9.2.2.1/4; 17 9.3.2/4; 18-19 10.2.2/4; 20 10.2.2; 21-22 8.9",
	},
	{
		ID: TokenCache, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "Registering more than the peer stores closes the session with AUTH_TOKEN_CACHE_OVERFLOW.",
		In:   "14 9.2.1.1/6; 15 9.2.1.1/8; 16 9.2.2.1/8; 17 9.3.2/8; 18-19 10.2.2/8; 20 10.2.2; 21-22 8.9",
	},
	{
		ID: TokenTwice, Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "A message does not bring the same token twice.",
		In:   "15 9.2.1.1; 16 9.2.2.1; 17 9.3.2; 18-20 10.2.2; 21-22 8.9",
	},
	{
		ID: "token-delete", Binds: Endpoint, Level: Must, By: Cases,
		Says: "A token's alias that is deleted can be used no more.",
		In:   "14-15 9.2.1.1/1; 16 9.2.2.1/1; 17 9.3.2/1; 18-19 10.2.2/1; 20 10.2.2; 21-22 8.9",
	},
	{
		ID: TokenRegister, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A registered alias stands for its token until it is deleted or the session ends.",
		In:   "14 9.2.1.1/1; 15 9.2.1.1/2; 16 9.2.2.1/2; 17 9.3.2/2; 18-19 10.2.2/2; 20 10.2.2; 21-22 8.9",
	},
	{
		ID: TokenForm, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A token that cannot be read closes the session with KEY_VALUE_FORMATTING_ERROR.",
		In:   "14 9.2.1.1/2; 15 9.2.1.1/4; 16 9.2.2.1/4; 17 9.3.2/4; 18-19 10.2.2/4; 20 10.2.2; 21-22 8.9",
	},
	{
		ID: "token-unknown-alias", Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "A message with an alias that is not registered is refused with UNKNOWN_AUTH_TOKEN_ALIAS.",
		In:   "14 9.2.1.1/2; 15 9.2.1.1/4; 16 9.2.2.1/4; 17 9.3.2/4; 18-19 10.2.2/4; 20 10.2.2; 21-22 8.9",
	},
	{
		ID: "token-malformed", Binds: Endpoint, Level: Must,
		Says: "A token that can be read and is still no good has its message refused with MALFORMED_AUTH_TOKEN.",
		Why:  "Which tokens are good is between a relay and its users; one that wants none takes any.",
		In:   "14 9.2.1.1/3; 15 9.2.1.1/5; 16 9.2.2.1/5; 17 9.3.2/5; 18-19 10.2.2/5; 20 10.2.2; 21-22 8.9",
	},
	{
		ID: TokenRegisterAlways, Binds: Endpoint, Level: Must, By: Cases,
		Says: "A token is registered even when the message that brings it is refused.",
		In:   "14 9.2.1.1/4; 15 9.2.1.1/6; 16 9.2.2.1/6; 17 9.3.2/6; 18-19 10.2.2/6; 20 10.2.2; 21-22 8.9",
	},
	{
		ID: "token-expired", Binds: Endpoint, Level: Must,
		Says: "The alias of a token that has expired stays until its sender deletes it.",
		Why:  "When a token expires is between a relay and its users; a client does not know it.",
		In:   "14 9.2.1.1/5; 15 9.2.1.1/7; 16 9.2.2.1/7; 17 9.3.2/7; 18-19 10.2.2/7; 20 10.2.2; 21-22 8.9",
	},
	{
		ID: "token-use-wait", Binds: Endpoint, Level: Must,
		Says: "An alias is used on another stream only after the message that registered it was answered.",
		Why:  "In what order a sender wrote to different streams is not seen by the receiver.",
		In:   "17 9.3.2/9; 18-19 10.2.2/9; 20 10.2.2; 21-22 8.9",
	},
	{
		ID: "token-delete-wait", Binds: Endpoint, Level: Must,
		Says: "An alias is not deleted while a message that uses it waits for its answer.",
		Why:  "In what order a sender wrote to different streams is not seen by the receiver.",
		In:   "17 9.3.2/10; 18-19 10.2.2/10; 20 10.2.2; 21-22 8.9",
	},
	{
		ID: "authorized-subscriber", Binds: Relay, Level: Must,
		Says: "A relay lets only those subscribe who may.",
		Why: "What each user may do is between a relay and its users; a client does not know what it ought to be " +
			"refused.",
		In: "14 8.3/1; 15-17 8.4/1; 18-19 9.4/1 13/1; 20 9.4 13; 21-22 7.4 15",
	},
	{
		ID: "authorized-publisher", Binds: Relay, Level: Must,
		Says: "A relay lets only those publish a track or namespace who may, each track and namespace by itself.",
		Why: "What each user may do is between a relay and its users; a client does not know what it ought to be " +
			"refused.",
		In: "14 8.4/1; 15-17 8.5/1; 18-19 9.5/1; 20 9.5 13.3.3; 21 7.5 15.3.3; 22 7.6 15.3.3",
	},
	{
		ID: "authorized-namespaces", Binds: Publisher, Level: Must,
		Says: "A publisher lets only those subscribe to namespaces or their tracks who may.",
		Why: "What each user may do is between a relay and its users; a client does not know what it ought to be " +
			"refused.",
		In: "14 9.28/3; 15 9.23/3; 16 9.25/3; 17 9.20/4; 18-19 10.18/4 10.19/4; 20 10.19 10.20; 21 9.15 9.18; 22 " +
			"4.2.1 3.6",
	},
	{
		ID: AuthorizedPublish, Binds: Relay, Level: Must, By: Cases,
		Says: "A relay sends PUBLISH only to those who asked for it and may have it, and stops when they no " +
			"longer ask.",
		In: "14 5.1/1 6.1/2; 15-16 5.1/3 6.1/2; 17-19 5.1/3 6.1/3; 20 5.1 6.1; 21 3.1 4.1; 22 3.1 3.6",
	},
	{
		ID: TokenNotCopied, Binds: Relay, Level: Must, By: Cases,
		Says: "The token of SUBSCRIBE_TRACKS is not copied into the PUBLISHes that it leads to.",
		In:   "20 10.2.2; 21 9.20.3; 22 9.20.2",
	},
}
