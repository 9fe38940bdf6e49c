package cases

import (
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// breachesOfRequests are breaches of the rules of requests, their updates and answers, by which the session is closed
// (draft-18 §5, §6, §10.5-10.14, draft-22 §3, §4, §9.3-9.13).
var breachesOfRequests = []breach{
	field14(rules.FieldsSubscribe, "order", "Group Order 3 in SUBSCRIBE", asClient,
		asks(aSubscribe(number(wire.ParamGroupOrder, 2))), asks(aSubscribe(number(wire.ParamGroupOrder, 3)))),
	field14(rules.FieldsSubscribe, "forward", "Forward 2 in SUBSCRIBE", asClient,
		asks(aSubscribe(number(wire.ParamForward, 0))), asks(aSubscribe(number(wire.ParamForward, 2)))),
	field14(rules.FieldsFetch, "order", "Group Order 3 in FETCH", asClient,
		asks(aFetch(number(wire.ParamGroupOrder, 2))), asks(aFetch(number(wire.ParamGroupOrder, 3)))),
	field14(rules.FieldsPublish, "order", "Group Order 0 in PUBLISH", asClient,
		asks(aPublish(number(wire.ParamGroupOrder, 1))), asks(aPublish(number(wire.ParamGroupOrder, 0)))),
	field14(rules.FieldsPublish, "forward", "Forward 2 in PUBLISH", asClient,
		asks(aPublish(number(wire.ParamForward, 1))), asks(aPublish(number(wire.ParamForward, 2)))),
	field14(rules.FieldsPublish, "exists", "Content Exists 2 in PUBLISH", asClient, asks(aPublish()),
		asks(aPublish(), func(_ wire.Draft, body []byte) []byte {
			body[len(body)-3] = 2 // Content Exists, in front of Forward and the number of parameters
			return body
		})),
	field14(rules.FieldsSubscribeUpdate, "forward", "Forward 2 in SUBSCRIBE_UPDATE", asSubscriber,
		adds(anUpdate(number(wire.ParamForward, 1))), adds(anUpdate(number(wire.ParamForward, 2)))),
	field14(rules.FieldsSubscribeOK, "order", "Group Order 0 in SUBSCRIBE_OK", asAsked, nil,
		replies(func(s *scene) wire.Message {
			return &wire.SubscribeOK{RequestID: s.theirs.id, TrackAlias: 1,
				Parameters: wire.Parameters{number(wire.ParamGroupOrder, 0)}}
		})),
	field14(rules.FieldsSubscribeOK, "exists", "Content Exists 2 in SUBSCRIBE_OK", asAsked, nil,
		replies(func(s *scene) wire.Message {
			return &wire.SubscribeOK{RequestID: s.theirs.id, TrackAlias: 1}
		}, func(_ wire.Draft, body []byte) []byte {
			body[len(body)-2] = 2 // in front of the number of parameters
			return body
		})),
	{
		rule: rules.FetchType, what: "a FETCH of type 9", as: asClient, want: violation,
		good: asks(aFetch()),
		bad: asks(func(s *scene) wire.Message {
			m := s.fetchOf(s.another(), "t")
			m.Type = 9
			return m
		}),
	},
	{
		rule: rules.RedirectURI, what: "a redirect with a URI to a server", as: asAsked, want: violation,
		bad: replies(func(s *scene) wire.Message {
			return redirect(s, &wire.Redirect{ConnectURI: "moqt://relay.example", TrackNamespace: s.namespace,
				TrackName: s.track})
		}),
	},
	{
		rule: rules.AnswerType, of: "fetch-ok", what: "FETCH_OK in answer to SUBSCRIBE", as: asAsked, want: anyClose,
		level: Probe,
		bad: replies(func(s *scene) wire.Message {
			return &wire.FetchOK{RequestID: s.theirs.id}
		}),
	},
	{
		rule: rules.AnswerType, of: "request-ok", what: "REQUEST_OK in answer to SUBSCRIBE", as: asAsked,
		first: wire.Draft15, want: anyClose, level: Probe,
		bad: replies(func(s *scene) wire.Message {
			return &wire.RequestOK{RequestID: s.theirs.id, Answers: wire.KindTrackStatus}
		}),
	},
	{
		rule: rules.SecondAnswer, also: []rules.ID{rules.OneAnswer}, of: "ok",
		what: "a second SUBSCRIBE_OK to one SUBSCRIBE",
		as:   asPublisher, want: violation,
		bad: replies(func(s *scene) wire.Message {
			return &wire.SubscribeOK{RequestID: s.theirs.id, TrackAlias: 1}
		}),
	},
	{
		rule: rules.SecondAnswer, of: "error", what: "an error behind the SUBSCRIBE_OK to one SUBSCRIBE",
		as:   asPublisher,
		want: violation,
		bad: replies(func(s *scene) wire.Message {
			return &wire.RequestError{RequestID: s.theirs.id, Answers: wire.KindSubscribe}
		}),
	},
	{
		rule: rules.OneAnswer, of: "unused", what: "a SUBSCRIBE_OK to a request that the peer has not made",
		last: wire.Draft16, as: asClient, want: anyClose, level: Should, seen: rules.RequestIDParity,
		good: asks(aNamespace),
		bad:  controls(func(*scene) wire.Message { return &wire.SubscribeOK{RequestID: 1001, TrackAlias: 9} }),
	},
	{
		rule: rules.PublishAliasDuplicate, what: "a PUBLISH with the Track Alias of another track", as: asClient,
		want: closedWithCode(wire.DuplicateTrackAlias), faults: []Fault{},
		good: asks(func(s *scene) wire.Message {
			m := s.publish()
			m.TrackAlias = 77
			return m
		}),
		bad: asks(func(s *scene) wire.Message {
			m := s.publish()
			m.TrackAlias = 77
			return m
		}),
	},
	{
		rule: rules.PublishAliasDuplicate, of: "subscribed", what: "a PUBLISH with the Track Alias of a subscription",
		as: asPublisher, want: closedWithCode(wire.DuplicateTrackAlias),
		good: asks(aPublish()),
		bad: asks(func(s *scene) wire.Message {
			m := s.publish()
			m.TrackAlias = s.alias
			return m
		}),
	},
	{
		rule: rules.DuplicateSubscriptionCloses, also: []rules.ID{rules.DuplicateSubscription},
		what: "a second SUBSCRIBE to a track",
		as:   asSubscriber, want: violation,
		good: asks(aSubscribe()),
		bad:  asks(func(s *scene) wire.Message { return s.subscribeMessage(s.namespace, s.track) }),
	},
	{
		rule: rules.UpdateRequest, of: "never", what: "an update of a request that never existed", as: asSubscriber,
		want: violation,
		good: adds(anUpdate()),
		bad: adds(func(s *scene) wire.Message {
			m := s.update()
			m.ExistingRequestID = 500
			return m
		}),
	},
	{
		rule: rules.UpdateRequest, of: "scope", what: "GROUP_ORDER in a REQUEST_UPDATE", first: wire.Draft16,
		as: asSubscriber, want: violation,
		good: adds(anUpdate()),
		bad:  adds(anUpdate(number(wire.ParamGroupOrder, 1))),
	},
	{
		rule: rules.UpdateNarrows, what: "an update that moves the start back", as: asSubscriber, want: violation,
		good: adds(anUpdate(startAt(8))),
		bad:  adds(anUpdate(startAt(5))),
	},
	{
		rule: rules.UpdateWho, of: "publisher", what: "an update of a SUBSCRIBE by its publisher",
		as: asPublisher, want: violation, level: Probe,
		bad: replies(func(s *scene) wire.Message {
			m := &wire.RequestUpdate{RequestID: s.x.id(), ExistingRequestID: s.theirs.id}
			if s.draft() == wire.Draft14 {
				m.Parameters.Add(startAt(0))
			}
			return m
		}),
	},
	{
		rule: "state-notify-who", of: "subscriber", what: "PUBLISH_STATE_NOTIFY from a subscriber", as: asSubscriber,
		want: violation, seen: rules.MessageStream,
		good: asks(aNamespace),
		bad:  adds(func(*scene) wire.Message { return &wire.PublishStateNotify{} }),
	},
	{
		rule: "state-notify-who", of: "watcher", what: "PUBLISH_STATE_NOTIFY on a SUBSCRIBE_NAMESPACE", as: asWatcher,
		want: violation, seen: rules.MessageStream,
		good: asks(aNamespace),
		bad:  adds(func(*scene) wire.Message { return &wire.PublishStateNotify{} }),
	},
	{
		rule: rules.FetchEndBound, what: "FETCH_OK that ends before the FETCH starts", as: asFetched, want: violation,
		bad: replies(func(s *scene) wire.Message {
			return &wire.FetchOK{RequestID: s.theirs.id, End: wire.Location{Group: 0, Object: 1}}
		}),
	},
	tokenBreach("type", "a token of an unknown alias type", []byte{9}),
	tokenBreach("short", "a token that ends before its alias", []byte{1}),
	tokenBreach("long", "a DELETE of a token with bytes left over", []byte{0, 1, 7, 7}),
	{
		rule: rules.TokenAlias, of: "twice", what: "two registrations of one token alias", as: asClient,
		want: closedWithCode(wire.DuplicateAuthTokenAlias), needsTokens: true,
		good: asks(withToken(wire.Token{AliasType: wire.TokenRegister, Alias: 1, Value: []byte{1}})),
		bad:  asks(withToken(wire.Token{AliasType: wire.TokenRegister, Alias: 1, Value: []byte{2}})),
	},
	{
		rule: rules.TokenTwice, what: "the same token twice in one message", as: asClient, want: violation,
		good: asks(withToken(wire.Token{AliasType: wire.TokenUseValue, Value: []byte{1}})),
		bad: asks(withToken(wire.Token{AliasType: wire.TokenUseValue, Value: []byte{1}},
			wire.Token{AliasType: wire.TokenUseValue, Value: []byte{1}})),
	},
}

// field14 is a value that a field of draft 14 may not have.
func field14(rule rules.ID, of, what string, as role, good, bad act) breach {
	return breach{rule: rule, of: of, what: what, as: as, want: violation, good: good, bad: bad}
}

// startAt is a filter without an end.
func startAt(group uint64) wire.Parameter {
	return wire.Parameter{Type: wire.ParamLocationFilter, Filter: wire.LocationFilter{Form: wire.FilterAbsoluteStart,
		StartGroup: group}}
}

// redirect is a refusal of the peer's request that says where to go.
func redirect(s *scene, to *wire.Redirect) *wire.RequestError {
	return &wire.RequestError{RequestID: s.theirs.id, Answers: s.theirs.kind, Code: 0x34, Redirect: to}
}

// withToken is a PUBLISH_NAMESPACE with tokens.
func withToken(tokens ...wire.Token) func(*scene) wire.Message {
	return func(s *scene) wire.Message {
		m := s.publishNamespace()
		m.Parameters = nil
		for _, t := range tokens {
			m.Parameters.Add(TokenParameter(t))
		}
		return m
	}
}

// tokenBreach is an authorization token that cannot be read (draft-18 §10.2.2).
func tokenBreach(of, what string, inner []byte) breach {
	return breach{rule: rules.TokenForm, of: of, what: what + " in PUBLISH_NAMESPACE", as: asClient,
		want: closedWithCode(wire.KeyValueFormattingError), good: asks(aNamespace),
		bad: asks(func(s *scene) wire.Message {
			m := s.publishNamespace()
			m.Parameters = wire.Parameters{{Type: wire.ParamAuthorizationToken, Raw: true, Wrapped: true, Bytes: inner}}
			return m
		})}
}
