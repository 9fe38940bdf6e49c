// Package moqt implements sessions of Media over QUIC Transport, drafts 14 to 22, for clients and servers, over any
// transport of package transport. Messages have the newest draft's shape in every draft.
//
// A Session starts requests and accepts those of its peer. A Request behaves like a bidirectional stream of messages in
// every draft: from 17 on it is one, up to 16 all requests share the control stream. Subscription, Publication, Fetch,
// Announcement, NamespaceSubscription and TracksSubscription are requests with what belongs to them, such as the data
// streams and datagrams of a subscription. Every request can be sent and waited for in one call, or started now and
// waited for later. The caller asks for everything that arrives, and every wait takes a context.
//
// Package moq is the place to begin: it dials and listens. Package track, above this one, publishes whole tracks to any
// number of subscribers, and hands out each object of a track once, whether published before or live.
//
// A session closes when the peer breaks a rule of the draft, with the code that the draft names. Package wire checks
// the rules that the bytes alone can break, this package the others. Where the draft leaves a choice (MAY, SHOULD), the
// doc comment of the function that makes it says which was taken.
//
// # Session
//
// There is one per connection. begin.go: Client and Server. session.go: its parts, how it ends. config.go: its
// settings. errors.go, codes.go: errors and their codes. setup.go: SETUP in both directions. token.go: the cache of
// authorization tokens. goaway.go: GOAWAY. request_id.go: Request IDs and their limits. trace.go, qlog.go: events for
// Config.Trace and for the connection's log.
//
// # Request
//
// A request and the messages that follow it. request.go, state.go: its states. start.go: requests that this end sends.
// incoming.go: those that the peer sends. own_stream.go: a request with a stream of its own. shared_stream.go,
// control_route.go: requests on the one control stream of 14 to 16. message_io.go: messages on a stream.
// request_receive.go, request_answer.go, request_rules.go: messages received, answers given, and the rules for both.
// parameters.go: the parameters in effect. update.go, update_rules.go, bounds.go: REQUEST_UPDATE. namespace.go,
// tracks.go: requests without objects. subscription.go, publication.go, fetch.go, fetch_serve.go, fill.go: requests
// with objects. address.go: the track or namespace that a request names. range_filters.go: range filters.
//
// # Data
//
// Objects on streams and datagrams. object.go, datagram.go: an object. payload_reader.go, subgroup_reader.go,
// fetch_reader.go and the files of the writers: the objects of one stream. uni_stream.go: the header of an incoming
// stream. route.go, data_routes.go, alias.go, unrouted.go: the way from a stream to its request. subscription_data.go:
// the objects of a subscription.
package moqt
