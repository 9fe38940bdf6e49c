package cases

import (
	"context"
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// breachesOfSessions are breaches of the rules of a session's beginning, life and end (draft-18 §3, §10.1-10.4,
// draft-22 §6, §9.1-9.2).
var breachesOfSessions = []breach{
	{
		rule: rules.Setup, of: "not-first", what: "a request on the control stream before any setup message",
		last: wire.Draft15, as: asNobody, want: violation, level: Probe,
		bad: begins(aNamespace),
	},
	{
		rule: rules.Setup, of: "goaway-first", what: "GOAWAY on the control stream before any setup message",
		last: wire.Draft15, as: asNobody, want: violation, level: Probe,
		bad: begins(func(*scene) wire.Message { return &wire.Goaway{RequestID: 1} }),
	},
	{
		rule: rules.Setup, of: "second", what: "a second setup message", as: asClient, want: violation, level: Probe,
		good: asks(aNamespace),
		bad:  controls(func(s *scene) wire.Message { return s.x.setupMessage() }),
	},
	{
		rule: rules.Setup, of: "server", what: "SERVER_SETUP from a client", last: wire.Draft15, as: asNobody,
		want: violation, level: Probe,
		bad: begins(func(s *scene) wire.Message {
			m := s.x.setupMessage()
			m.Sender = wire.ServerSide
			return m
		}),
	},
	{
		rule: rules.VersionChoice, what: "CLIENT_SETUP that offers an unknown version alone", as: asNobody,
		want: closedWithCode(wire.VersionNegotiation),
		bad: begins(func(s *scene) wire.Message {
			m := s.x.setupMessage()
			m.Versions = []uint64{0xff0000fe}
			return m
		}),
	},
	{
		rule: rules.KeyValueType, what: "a setup option type past 2^64-1", as: asNobody, want: violation,
		bad: begins(func(s *scene) wire.Message {
			const step = 1<<62 - 1 // the largest integer of 16
			m := s.x.setupMessage()
			m.Options = nil
			for i := range uint64(5) {
				m.Options = append(m.Options, wire.Property{Type: (i + 1) % 8 * step})
			}
			return m
		}),
	},
	{
		rule: rules.KeyValueLength, what: "a setup option of 65536 bytes", as: asNobody, want: violation,
		bad: begins(func(s *scene) wire.Message {
			m := s.x.setupMessage()
			m.Options = wire.Properties{{Type: 0x3FF1}}
			return m
		}, func(d wire.Draft, body []byte) []byte { // the option's length is the last byte
			return wire.AppendVarint(body[:len(body)-1], d, 1<<16)
		}),
	},
	{
		rule: rules.ParameterRepeated, of: "setup", what: "MAX_REQUEST_ID twice in CLIENT_SETUP", last: wire.Draft16,
		as: asNobody, want: violation, level: Should,
		bad: begins(func(s *scene) wire.Message {
			m := s.x.setupMessage()
			m.Options = slices.Insert(m.Options, 0, m.Options[0])
			return m
		}),
	},
	optionBreach(rules.PathForm, "a PATH that RFC 3986 does not know", wire.OptionPath, "not a path",
		wire.MalformedPath, transport.QUIC, wire.Draft14),
	optionBreach(rules.AuthorityForm, "an AUTHORITY that RFC 3986 does not know", wire.OptionAuthority, "no authority",
		wire.MalformedAuthority, transport.QUIC, wire.Draft15),
	optionBreach(rules.Path, "PATH over WebTransport", wire.OptionPath, "/", wire.InvalidPath, transport.WebTransport,
		wire.Draft14),
	optionBreach(rules.Authority, "AUTHORITY over WebTransport", wire.OptionAuthority, "relay.example",
		wire.InvalidAuthority, transport.WebTransport, wire.Draft15),
	setupToken(rules.SetupTokenAlias, "delete", "DELETE of a token in a client's setup message",
		wire.Token{AliasType: wire.TokenDelete, Alias: 1}, wire.ProtocolViolation),
	setupToken(rules.SetupTokenAlias, "use", "USE_ALIAS in a client's setup message",
		wire.Token{AliasType: wire.TokenUseAlias, Alias: 1}, wire.ProtocolViolation),
	setupToken(rules.TokenForm, "setup", "a token of an unknown alias type in SETUP", wire.Token{AliasType: 4},
		wire.KeyValueFormattingError),
	{
		rule: rules.ControlStream, of: "fin", what: "FIN on the control stream", as: asClient, want: violation,
		good: asks(aNamespace),
		bad: func(_ context.Context, s *scene) (*asked, error) {
			s.x.note("-> (breaks rule control-stream: FIN on the control stream)")
			return nil, s.x.control.Close()
		},
	},
	{
		rule: rules.ControlStream, of: "reset", what: "RESET_STREAM of the control stream",
		as: asClient, want: violation,
		good: asks(aNamespace),
		bad: func(_ context.Context, s *scene) (*asked, error) {
			s.x.note("-> (breaks rule control-stream: RESET_STREAM of the control stream)")
			s.x.control.Reset(0)
			return nil, nil
		},
	},
	{
		rule: rules.ControlStream, of: "cut", what: "FIN on the control stream inside a message", as: asClient,
		want: violation, seenAny: []rules.ID{rules.MessageType, rules.ControlStream},
		good: asks(aNamespace),
		bad: func(_ context.Context, s *scene) (*asked, error) {
			b, err := s.frame(&wire.Goaway{}, wire.ControlStream, nil)
			if err == nil {
				err = s.put(s.x.control, wire.ControlStream, b[:len(b)-1])
			}
			if err != nil {
				return nil, err
			}
			return nil, s.x.control.Close()
		},
	},
	{
		rule: rules.MessageStream, of: "second-bidi", what: "a second bidirectional stream", last: wire.Draft15,
		as: asClient, want: violation, level: Probe,
		good: asks(aNamespace),
		bad:  onOwnStream(aNamespace),
	},
	{
		rule: rules.MessageStream, of: "second-control", what: "a second control stream", first: wire.Draft17,
		as: asClient, want: violation, level: Probe,
		good: asks(aNamespace),
		bad: streams(func(s *scene) []byte {
			b, _ := s.frame(s.x.setupMessage(), wire.ControlStream, nil)
			return b
		}, open),
	},
	{
		rule: rules.RequestIDParity, of: "parity", what: "a Request ID of the other side's parity", as: asClient,
		want: closedWithCode(wire.InvalidRequestID),
		good: asks(aNamespace),
		bad: asks(func(s *scene) wire.Message {
			m := s.publishNamespace()
			m.RequestID++
			return m
		}),
	},
	{
		rule: rules.RequestIDParity, of: "again", what: "a Request ID that was used before", as: asClient,
		want: closedWithCode(wire.InvalidRequestID),
		good: asks(aNamespace),
		bad: asks(func(s *scene) wire.Message {
			m := s.publishNamespace()
			m.RequestID = 0
			return m
		}),
	},
	{
		rule: rules.RequestID, of: "skipped", what: "a Request ID that is not the next one", last: wire.Draft15,
		as: asClient, want: closedWithCode(wire.InvalidRequestID), seen: rules.RequestIDParity,
		good: asks(aNamespace),
		bad: asks(func(s *scene) wire.Message {
			m := s.publishNamespace()
			m.RequestID += 4
			return m
		}),
	},
	{
		rule: rules.RequestIDParity, of: "update", what: "an update with a Request ID that was used before",
		as: asSubscriber, want: closedWithCode(wire.InvalidRequestID),
		good: adds(anUpdate()),
		bad: adds(func(s *scene) wire.Message {
			m := s.update()
			m.RequestID = s.mine.id
			return m
		}),
	},
	{
		rule: rules.RequiredRequestID, what: "a Required Request ID before the first one", as: asClient,
		want: closedWithCode(wire.InvalidRequiredRequest),
		good: asks(aNamespace),
		bad: asks(func(s *scene) wire.Message {
			m := s.publishNamespace()
			m.RequiredRequestIDDelta = m.RequestID/2 + 1
			return m
		}),
	},
	{
		rule: rules.MaxRequestIDGrows, of: "equal", what: "MAX_REQUEST_ID that equals the one before", as: asClient,
		want: violation,
		good: controls(func(*scene) wire.Message { return &wire.MaxRequestID{MaxRequestID: 2000} }),
		bad:  controls(func(*scene) wire.Message { return &wire.MaxRequestID{MaxRequestID: 2000} }),
	},
	{
		rule: rules.MaxRequestIDGrows, of: "less", what: "MAX_REQUEST_ID below the one before", as: asClient,
		want: violation,
		good: controls(func(*scene) wire.Message { return &wire.MaxRequestID{MaxRequestID: 2000} }),
		bad:  controls(func(*scene) wire.Message { return &wire.MaxRequestID{MaxRequestID: 1500} }),
	},
	{
		rule: rules.Goaway, of: "subscriber", what: "GOAWAY from a subscriber", as: asSubscriber, want: tolerated,
		good: asks(aNamespace),
		bad:  controls(func(s *scene) wire.Message { return &wire.Goaway{RequestID: s.theirID()} }),
	},
	{
		rule: rules.GoawayURILength, what: "GOAWAY with a URI of 8193 bytes", as: asClient, want: violation,
		good: asks(aNamespace),
		bad:  controls(func(*scene) wire.Message { return &wire.Goaway{NewSessionURI: long(8193)} }),
	},
	{
		rule: rules.GoawayURI, also: []rules.ID{"goaway-client-uri"}, of: "subscriber",
		what: "GOAWAY with a URI from a subscriber", as: asSubscriber,
		want: violation,
		good: asks(aNamespace),
		bad: controls(func(*scene) wire.Message {
			return &wire.Goaway{NewSessionURI: "https://relay.example/", RequestID: 1}
		}),
	},
	{
		rule: rules.GoawayOnce, of: "subscriber", what: "GOAWAY twice from a subscriber",
		as: asSubscriber, want: violation,
		good: controls(func(s *scene) wire.Message { return &wire.Goaway{RequestID: s.theirID()} }),
		bad:  controls(func(s *scene) wire.Message { return &wire.Goaway{RequestID: s.theirID()} }),
	},
	{
		rule: rules.GoawayRequestID, of: "parity", what: "GOAWAY with a Request ID of the sender's own",
		as:   asSubscriber,
		want: closedWithCode(wire.InvalidRequestID),
		good: asks(aNamespace),
		bad:  controls(func(s *scene) wire.Message { return &wire.Goaway{RequestID: s.theirID() + 1} }),
	},
}

// theirID is a Request ID of the peer's parity.
func (s *scene) theirID() uint64 {
	if s.x.side == wire.ServerSide {
		return 0
	}
	return 1
}

// begins opens the control stream and sends a message on it, before any other.
func begins(build func(s *scene) wire.Message, edit ...bodyEdit) act {
	return func(ctx context.Context, s *scene) (*asked, error) {
		if err := s.x.begin(ctx); err != nil {
			return nil, err
		}
		return controls(build, edit...)(ctx, s)
	}
}

// optionBreach is an option in a client's setup message with a value or on a transport that it may not have.
func optionBreach(rule rules.ID, what string, t uint64, value string, code wire.SessionError, on transport.Kind,
	first wire.Draft) breach {
	return breach{rule: rule, what: what, first: first, on: on, as: asNobody, want: closedWithCode(code), alone: true,
		bad: begins(func(s *scene) wire.Message {
			m := s.x.setupMessage()
			m.Options = append(m.Options, wire.Property{Type: t, Bytes: []byte(value)})
			sortProperties(m.Options)
			return m
		})}
}

// setupToken is a token in a client's setup message that may not be there (draft-18 §10.2.2).
func setupToken(rule rules.ID, of, what string, t wire.Token, code wire.SessionError) breach {
	return breach{rule: rule, of: of, what: what, as: asNobody, want: closedWithCode(code), alone: true,
		bad: begins(func(s *scene) wire.Message {
			m := s.x.setupMessage()
			b := wire.AppendVarint(nil, s.draft(), uint64(t.AliasType))
			if t.AliasType != 4 {
				b = wire.AppendVarint(b, s.draft(), t.Alias)
			}
			m.Options = append(m.Options, wire.Property{Type: wire.OptionAuthorizationToken, Bytes: b})
			sortProperties(m.Options)
			return m
		})}
}
