package cases

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// breachesTolerated are what looks wrong and breaks no rule: the session lives on.
var breachesTolerated = []breach{
	{
		rule: "setup-option-unknown", of: "even", what: "an unknown setup option with an integer", as: asNobody,
		want: tolerated, bad: setsUp(wire.Properties{{Type: 0x3FF0, Uint: 7}}...),
	},
	{
		rule: "setup-option-unknown", of: "odd", what: "an unknown setup option with bytes", as: asNobody,
		want: tolerated, bad: setsUp(wire.Properties{{Type: 0x3FF1, Bytes: []byte("any")}}...),
	},
	{
		rule: "setup-option-unknown", of: "twice", what: "an unknown setup option that comes twice", as: asNobody,
		want: tolerated, bad: setsUp(wire.Properties{{Type: 0x3FF0, Uint: 7}, {Type: 0x3FF0, Uint: 8}}...),
	},
	{
		rule: "setup-token", what: "a registration in SETUP that is over the peer's cache",
		as: asNobody, want: tolerated,
		bad: setsUp(wire.Property{Type: wire.OptionAuthorizationToken,
			Bytes: append([]byte{1, 5, 0}, long(8000)...)}),
		alone: true,
	},
	{
		rule: "parameter-foreign", what: "EXPIRES in SUBSCRIBE", first: wire.Draft15, last: wire.Draft16,
		as:   asClient,
		want: tolerated, bad: asks(aSubscribe(number(wire.ParamExpires, 1000))),
	},
	{
		rule: "parameter-foreign", of: "unknown", what: "an unknown parameter in SUBSCRIBE", last: wire.Draft15,
		as: asClient, want: tolerated, bad: asks(aSubscribe(foreign)),
	},
	{
		rule: rules.Integers, what: "a Request ID in a longer form than needed", as: asClient, want: tolerated,
		level: Must,
		bad: asks(aSubscribe(), func(d wire.Draft, body []byte) []byte {
			if d <= wire.Draft16 {
				return append([]byte{0x40}, body...)
			}
			return append([]byte{0x80}, body...)
		}),
	},
	{
		rule: rules.EarlyStreams, what: "a subgroup stream before the setup message", as: asNobody, want: tolerated,
		seen: rules.TrackAlias,
		bad: func(ctx context.Context, s *scene) (*asked, error) {
			early := streams(func(s *scene) []byte { return append(s.numbers(0x10, 4242, 0), 128, 0, 1, 'x') }, fin)
			if _, err := early(ctx, s); err != nil {
				return nil, err
			}
			return setsUp()(ctx, s)
		},
	},
	{
		rule: rules.Grease, of: "reset", what: "a data stream that is reset with an unknown code", as: asPublisher,
		want: tolerated, seen: rules.CancelRequest, good: goodStream,
		bad: func(ctx context.Context, s *scene) (*asked, error) {
			u, err := s.x.conn.OpenUniStream(ctx)
			if err == nil {
				err = s.put(u, wire.UniStream, s.object(0x10, 0, 9, 'x'))
			}
			if err == nil {
				u.Reset(0x3FF1)
			}
			return nil, err
		},
	},
	{
		rule: "padding-stream-zeros", also: []rules.ID{rules.PaddingStream}, what: "a padding stream with ones",
		as: asClient, want: tolerated, seen: rules.PaddingStream,
		bad: streams(func(s *scene) []byte {
			return append(s.numbers(wire.TypePaddingStream), 1, 1, 1, 1)
		}, fin),
	},
	{
		rule: "padding-datagram-zeros", also: []rules.ID{rules.PaddingDatagram}, what: "a padding datagram with ones",
		as: asClient, want: tolerated, seen: rules.PaddingDatagram,
		bad: datagrams(func(s *scene) []byte { return append(s.numbers(wire.TypePaddingDatagram), 1, 1, 1, 1) }),
	},
	{
		rule: "padding-stream", what: "a padding stream", as: asClient, want: tolerated,
		bad: streams(func(s *scene) []byte {
			return append(s.numbers(wire.TypePaddingStream), make([]byte, 500)...)
		}, fin),
	},
	{
		rule: "padding-datagram", what: "a padding datagram", as: asClient, want: tolerated,
		bad: datagrams(func(s *scene) []byte {
			return append(s.numbers(wire.TypePaddingDatagram), make([]byte, 50)...)
		}),
	},
	{
		rule: rules.TrackAlias, of: "unknown-stream", what: "a subgroup with an unknown Track Alias", as: asClient,
		want: tolerated, bad: streams(func(s *scene) []byte {
			return append(s.numbers(0x10, 4242, 0), 128, 0, 1, 'x')
		}, fin),
	},
	{
		rule: rules.TrackAlias, of: "unknown-datagram", what: "a datagram with an unknown Track Alias", as: asClient,
		want: tolerated, bad: datagrams(func(s *scene) []byte { return append(s.numbers(0, 4242, 0, 0), 128, 'x') }),
	},
	{
		rule: rules.GreaseProperties, of: "object", what: "unknown properties of an object", as: asPublisher,
		want: tolerated, good: goodStream,
		bad: streams(func(s *scene) []byte {
			return append(s.numbers(0x11, s.alias, s.group()), 128, 0, 2, 0x38, 1, 1, 'x')
		}, fin),
	},
	{
		rule: rules.GreaseProperties, of: "track", what: "an unknown property among those of a PUBLISH", as: asClient,
		want: tolerated, good: asks(aPublish()),
		bad: asks(func(s *scene) wire.Message {
			m := s.publish()
			m.Properties = wire.Properties{{Type: 0x7C, Uint: 1}}
			return m
		}),
	},
	{
		rule: "grease-errors", of: "done", what: "a PUBLISH_DONE with an unknown code", as: asPublisher,
		want: tolerated,
		bad: replies(func(s *scene) wire.Message {
			return &wire.PublishDone{RequestID: s.theirs.id, StatusCode: 0x3FF1}
		}),
	},
	{
		rule: rules.Goaway, of: "request", what: "GOAWAY on the stream of a SUBSCRIBE", first: wire.Draft19,
		as: asSubscriber, want: tolerated,
		bad: adds(func(*scene) wire.Message { return &wire.Goaway{} }),
	},
	{
		rule: "requests-blocked-sent", what: "REQUESTS_BLOCKED from a client", as: asClient, want: tolerated,
		bad: controls(func(*scene) wire.Message { return &wire.RequestsBlocked{MaximumRequestID: 1000} }),
	},
	{
		rule: "grease-errors", what: "a refusal with an unknown code", as: asAsked, want: tolerated,
		bad: replies(func(s *scene) wire.Message {
			return &wire.RequestError{RequestID: s.theirs.id, Answers: wire.KindSubscribe, Code: 0x3FF1}
		}),
	},
	{
		rule: "revoke-namespace", what: "PUBLISH_NAMESPACE_CANCEL for a namespace that the peer has announced",
		last: wire.Draft15, as: asWatcher, want: tolerated, level: Must,
		bad: func(ctx context.Context, s *scene) (*asked, error) {
			ns := s.namespace.Join("revoked")
			s.e.Go(ctx, func(ctx context.Context) {
				_, _ = s.innocent.Session.PublishNamespace(ctx, ns, s.parameters())
			})
			q, _, err := s.x.incoming(ctx, func(m wire.Message) bool {
				p, ok := m.(*wire.PublishNamespace)
				return ok && p.TrackNamespace.Equal(ns)
			})
			if err == nil {
				err = s.x.send(q, &wire.RequestOK{RequestID: q.id, Answers: wire.KindPublishNamespace})
			}
			if err != nil {
				return nil, err
			}
			return controls(func(*scene) wire.Message {
				return &wire.PublishNamespaceCancel{RequestID: q.id, TrackNamespace: ns}
			})(ctx, s)
		},
		alone: true,
	},
	{
		rule: rules.CancelRequest, of: "reset-stream", what: "a data stream that is reset before its header is whole",
		as: asPublisher, want: tolerated, level: Must, good: goodStream,
		bad: streams(func(s *scene) []byte { return []byte{0x10} }, reset),
	},
}

// setsUp is a setup message with more options, behind which the session works.
func setsUp(options ...wire.Property) act {
	return func(ctx context.Context, s *scene) (*asked, error) {
		all := append(s.address(), options...)
		if _, err := begins(func(s *scene) wire.Message { return s.x.setupMessage(all...) })(ctx, s); err != nil {
			return nil, err
		}
		s.begun = true
		return nil, s.x.waitSetup(ctx)
	}
}
