// Package moqt is Media over QUIC Transport: sessions of drafts 14 to 22 over any transport of package transport,
// client and server, in the shape of the newest draft.
//
// A Session starts requests and accepts those of its peer. Every request is a Request: one virtual bidirectional stream
// of messages, whatever the draft has below it: a stream of its own from 17 on, one control stream for all up to 16. On
// top of requests stand Subscription, Publication, Fetch, Announcement, NamespaceSubscription and TracksSubscription,
// which bind data streams and datagrams to what asked for them. Everything can be waited for, or started now and waited
// for later; everything is pulled and takes a context.
//
// Whole tracks are package track's, which stands on this one and is the place to begin: it publishes to any number of
// subscribers, and hands out each object of a track once, from the past and live.
//
// Rules that only a session can judge are judged as the draft's text has them (package wire judges what the bytes alone
// show): a breach closes the session with the code that the text names. Where the text leaves a choice (MAY, SHOULD),
// the doc comment of what makes the choice says which was taken.
//
// # Session
//
// What a connection has one of. begin.go: Client and Server; session.go: its parts and its end; config.go, errors.go,
// codes.go: what it is told and what it tells. setup.go: SETUP both ways; token.go: the cache of authorization tokens;
// goaway.go. request_id.go: who may use which number. trace.go and qlog.go: what the session shows of itself.
//
// # Request
//
// One question and its answers. request.go and state.go: its life; start.go and incoming.go: where it comes from;
// own_stream.go, shared_stream.go and control_route.go: the stream that it has, or seems to have up to 16;
// message_io.go: messages on a stream. request_receive.go, request_answer.go and request_rules.go: what may come, what
// may be said, and when. parameters.go: which are in effect; update.go, update_rules.go and bounds.go: REQUEST_UPDATE.
// namespace.go, tracks.go: the requests without data; subscription.go, publication.go, fetch.go, fetch_serve.go and
// fill.go: those with data. address.go: which request asks for what; range_filters.go: what of a track passes.
//
// # Data
//
// Objects on streams and datagrams. object.go, datagram.go: an object; payload_reader.go, subgroup_reader.go,
// fetch_reader.go and the writers: the objects of one stream. uni_stream.go: whose a stream is; route.go,
// data_routes.go, alias.go and unrouted.go: how it gets there; subscription_data.go: what a subscription makes of it.
package moqt
