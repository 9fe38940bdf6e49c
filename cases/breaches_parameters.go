package cases

import (
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// breachesOfParameters are breaches of the rules of message parameters and track properties (draft-18 §10.2, §12,
// draft-22 §9.20, §10).
var breachesOfParameters = []breach{
	{
		rule: rules.ParameterOrder, what: "a parameter type past 2^64-1 in SUBSCRIBE",
		as: asClient, want: violation,
		good: asks(aSubscribe(number(wire.ParamForward, 1), number(wire.ParamGroupOrder, 1))),
		bad: asks(func(s *scene) wire.Message {
			m := s.unknown()
			m.Parameters = append(m.Parameters, number(wire.ParamGroupOrder, 1), number(wire.ParamForward, 1))
			return m
		}),
	},
	{
		rule: rules.ParameterUnknown, of: "subscribe", what: "an unknown parameter in SUBSCRIBE", as: asClient,
		want: violation,
		good: asks(aSubscribe()),
		bad:  asks(aSubscribe(foreign)),
	},
	{
		rule: rules.ParameterUnknown, of: "publish-namespace", what: "an unknown parameter in PUBLISH_NAMESPACE",
		as: asClient, want: violation,
		good: asks(aNamespace),
		bad: asks(func(s *scene) wire.Message {
			m := s.publishNamespace()
			m.Parameters.Add(foreign)
			return m
		}),
	},
	{
		rule: rules.ParameterUnknown, of: "update", what: "an unknown parameter in REQUEST_UPDATE", as: asSubscriber,
		want: violation,
		good: adds(anUpdate()),
		bad:  adds(anUpdate(foreign)),
	},
	scopeBreach("forward", "FORWARD in FETCH", aFetch(number(wire.ParamForward, 1)), aFetch()),
	scopeBreach("expires", "EXPIRES in SUBSCRIBE", aSubscribe(number(wire.ParamExpires, 1000)), aSubscribe()),
	scopeBreach("largest", "LARGEST_OBJECT in SUBSCRIBE", aSubscribe(wire.Parameter{Type: wire.ParamLargestObject}),
		aSubscribe()),
	scopeBreach("order-status", "GROUP_ORDER in TRACK_STATUS", aStatus(number(wire.ParamGroupOrder, 1)), aStatus()),
	scopeBreach("rendezvous", "RENDEZVOUS_TIMEOUT in FETCH", aFetch(number(wire.ParamRendezvousTimeout, 1)), aFetch()),
	scopeBreach("order-update", "GROUP_ORDER in REQUEST_UPDATE", nil, nil),
	scopeBreach("namespace", "SUBSCRIBER_PRIORITY in PUBLISH_NAMESPACE", func(s *scene) wire.Message {
		m := s.publishNamespace()
		m.Parameters.Add(number(wire.ParamSubscriberPriority, 1))
		return m
	}, aNamespace),
	{
		rule: "parameter-twice", also: []rules.ID{rules.ParameterRepeated}, of: "subscribe",
		what: "FORWARD twice in SUBSCRIBE", first: wire.Draft15,
		as: asClient, want: violation, seen: rules.ParameterRepeated,
		good: asks(aSubscribe(number(wire.ParamForward, 1))),
		bad:  asks(aSubscribe(number(wire.ParamForward, 1), number(wire.ParamForward, 1))),
	},
	{
		rule: "parameter-twice", also: []rules.ID{rules.ParameterRepeated}, of: "timeout",
		what: "DELIVERY_TIMEOUT twice in SUBSCRIBE", last: wire.Draft14, as: asClient, want: violation,
		seen: rules.ParameterRepeated,
		good: asks(aSubscribe(number(wire.ParamObjectDeliveryTimeout, 1000))),
		bad: asks(aSubscribe(number(wire.ParamObjectDeliveryTimeout, 1000),
			number(wire.ParamObjectDeliveryTimeout, 1000))),
	},
	{
		rule: "parameter-twice", of: "filter", what: "a location filter twice in SUBSCRIBE", first: wire.Draft15,
		as: asClient, want: violation, seen: rules.ParameterRepeated,
		good: asks(aSubscribe(nextObject)),
		bad:  asks(aSubscribe(nextObject, nextObject)),
	},
	{
		rule: rules.GroupOrderValue, of: "subscribe-3", what: "GROUP_ORDER 3 in SUBSCRIBE",
		as: asClient, want: violation,
		good: asks(aSubscribe(number(wire.ParamGroupOrder, 2))),
		bad:  asks(aSubscribe(number(wire.ParamGroupOrder, 3))),
	},
	{
		rule: rules.GroupOrderValue, of: "subscribe-0", what: "GROUP_ORDER 0 in SUBSCRIBE",
		as: asClient, want: violation,
		good: asks(aSubscribe(number(wire.ParamGroupOrder, 1))),
		bad:  asks(aSubscribe(number(wire.ParamGroupOrder, 0))),
	},
	{
		rule: rules.GroupOrderValue, of: "fetch", what: "GROUP_ORDER 3 in FETCH", as: asClient, want: violation,
		good: asks(aFetch(number(wire.ParamGroupOrder, 2))),
		bad:  asks(aFetch(number(wire.ParamGroupOrder, 3))),
	},
	{
		rule: rules.ForwardValue, of: "subscribe", what: "FORWARD 2 in SUBSCRIBE", as: asClient, want: violation,
		good: asks(aSubscribe(number(wire.ParamForward, 0))),
		bad:  asks(aSubscribe(number(wire.ParamForward, 2))),
	},
	{
		rule: rules.ForwardValue, of: "publish", what: "FORWARD 2 in PUBLISH", as: asClient, want: violation,
		good: asks(aPublish(number(wire.ParamForward, 0))),
		bad:  asks(aPublish(number(wire.ParamForward, 2))),
	},
	{
		rule: rules.ForwardValue, of: "update", what: "FORWARD 255 in an update", as: asSubscriber, want: violation,
		good: adds(anUpdate(number(wire.ParamForward, 1))),
		bad:  adds(anUpdate(number(wire.ParamForward, 255))),
	},
	{
		rule: rules.SubscriberPriorityValue, what: "SUBSCRIBER_PRIORITY 256 in SUBSCRIBE",
		as: asClient, want: violation,
		good: asks(aSubscribe(number(wire.ParamSubscriberPriority, 255))),
		bad:  asks(aSubscribe(number(wire.ParamSubscriberPriority, 256))),
	},
	{
		rule: rules.DeliveryTimeoutValue, what: "DELIVERY_TIMEOUT 0 in SUBSCRIBE", as: asClient, want: violation,
		good: asks(aSubscribe(number(wire.ParamObjectDeliveryTimeout, 1000))),
		bad:  asks(aSubscribe(number(wire.ParamObjectDeliveryTimeout, 0))),
	},
	{
		rule: rules.IncludePropertiesValue, what: "INCLUDE_PROPERTIES 2 in SUBSCRIBE", as: asClient, want: violation,
		good: asks(aSubscribe(number(wire.ParamIncludeProperties, 1))),
		bad:  asks(aSubscribe(number(wire.ParamIncludeProperties, 2))),
	},
	{
		rule: rules.FillParametersScope, what: "FORWARD in FILL_PARAMETERS", as: asClient, want: violation,
		seen: rules.ParameterScope,
		good: asks(aSubscribe(number(wire.ParamForward, 1))),
		bad: asks(aSubscribe(wire.Parameter{Type: wire.ParamFillParameters,
			Inner: wire.Parameters{number(wire.ParamForward, 1)}})),
	},
	propertyBreach(rules.DeliveryTimeoutProperty, "DELIVERY_TIMEOUT 0", wire.PropObjectDeliveryTimeout, 1, 0),
	propertyBreach(rules.DynamicGroupsValue, "DYNAMIC_GROUPS 2", wire.PropDynamicGroups, 1, 2),
	propertyBreach(rules.DefaultGroupOrderValue, "a default group order of 3", wire.PropDefaultGroupOrder, 2, 3),
	propertyBreach(rules.PublisherPriorityValue, "a default priority of 256", wire.PropDefaultPublisherPriority, 255,
		256),
	{
		rule: rules.DynamicGroupsValue, of: "parameter", what: "DYNAMIC_GROUPS 2 in PUBLISH", last: wire.Draft15,
		as: asClient, want: violation,
		good: asks(aPublish(number(wire.ParamDynamicGroups, 1))),
		bad:  asks(aPublish(number(wire.ParamDynamicGroups, 2))),
	},
	{
		rule: rules.PublisherPriorityValue, of: "parameter", what: "PUBLISHER_PRIORITY 256 in PUBLISH",
		last: wire.Draft15, as: asClient, want: violation,
		good: asks(aPublish(number(wire.ParamPublisherPriority, 255))),
		bad:  asks(aPublish(number(wire.ParamPublisherPriority, 256))),
	},
	{
		rule: rules.KeyValueForm, what: "a LARGEST_OBJECT of one integer in PUBLISH", first: wire.Draft15,
		last: wire.Draft16, as: asClient, want: closedWithCode(wire.KeyValueFormattingError),
		good: asks(aPublish()),
		bad:  asks(aPublish(wire.Parameter{Type: wire.ParamLargestObject, Raw: true, Bytes: []byte{1}})),
	},
	{
		rule: rules.FilterLength, also: []rules.ID{rules.FilterType}, of: "long",
		what: "a location filter with a byte left over", last: wire.Draft21,
		first: wire.Draft15, as: asClient, want: violation, seenFrom20: rules.FilterType,
		good: asks(aSubscribe(nextObject)),
		bad:  asks(aSubscribe(rawFilter(2, 0, 0, 0, 0, 0, 0))),
	},
	{
		rule: rules.FilterType, of: "unknown", what: "a location filter of type 9", first: wire.Draft15,
		last: wire.Draft19, as: asClient, want: violation,
		good: asks(aSubscribe(nextObject)),
		bad:  asks(aSubscribe(rawFilter(9))),
	},
	{
		rule: rules.FilterType, of: "unknown-14", what: "a filter of type 9 in SUBSCRIBE", last: wire.Draft14,
		as: asClient, want: violation,
		good: asks(aSubscribe()),
		bad: asks(aSubscribe(), func(_ wire.Draft, body []byte) []byte {
			body[len(body)-2] = 9 // Filter Type, in front of the number of parameters
			return body
		}),
	},
	{
		rule: rules.FilterType, of: "unknown-22", what: "a location filter of type 6", first: wire.Draft22,
		as: asClient, want: violation,
		good: asks(aSubscribe(nextObject)),
		bad:  asks(aSubscribe(wire.Parameter{Type: wire.ParamLocationFilter, Raw: true, Bytes: []byte{6}})),
	},
	{
		rule: rules.FilterBound, what: "a location filter whose end group passes 2^64-1", first: wire.Draft17,
		as: asClient, want: violation,
		good: asks(aSubscribe(wire.Parameter{Type: wire.ParamLocationFilter, Filter: wire.LocationFilter{
			Form: wire.FilterGroupEnd, StartGroup: 5, EndGroup: 1<<64 - 1}})),
		bad: asks(func(s *scene) wire.Message { return s.unknown(pastEnd(s.draft())) }),
	},
}

// foreign is a parameter that no draft defines.
var foreign = wire.Parameter{Type: 0x3FFF01, Raw: true, Bytes: []byte{0}}

// nextObject is the filter of everything from now on.
var nextObject = wire.Parameter{Type: wire.ParamLocationFilter,
	Filter: wire.LocationFilter{Form: wire.FilterNextObject}}

// rawFilter is a LOCATION_FILTER with these bytes inside its length, which 15 to 21 have.
func rawFilter(inner ...byte) wire.Parameter {
	return wire.Parameter{Type: wire.ParamLocationFilter, Raw: true, Bytes: inner, Wrapped: true}
}

// pastEnd is a filter from group 5 on, whose End Group Delta is 2^64-1.
func pastEnd(d wire.Draft) wire.Parameter {
	end := wire.AppendVarint([]byte{5, 0}, d, 1<<64-1)
	switch {
	case d <= wire.Draft19:
		return rawFilter(append([]byte{4}, end...)...)
	case d <= wire.Draft21:
		return rawFilter(end...)
	}
	return wire.Parameter{Type: wire.ParamLocationFilter, Raw: true, Bytes: append([]byte{3}, end...)}
}

// scopeBreach is a parameter in a message where it may not appear (draft-18 §10.2.1).
func scopeBreach(of, what string, bad, good func(*scene) wire.Message) breach {
	b := breach{rule: rules.ParameterScope, of: of, what: what, as: asClient, want: violation}
	if bad == nil {
		b.as = asSubscriber
		b.good, b.bad = adds(anUpdate()), adds(anUpdate(number(wire.ParamGroupOrder, 1)))
		return b
	}
	b.good, b.bad = asks(good), asks(bad)
	return b
}

// propertyBreach is a track property in PUBLISH with a value that it may not have.
func propertyBreach(rule rules.ID, what string, t, good, bad uint64) breach {
	with := func(v uint64) act {
		return asks(func(s *scene) wire.Message {
			m := s.publish()
			m.Properties = wire.Properties{{Type: t, Uint: v}}
			return m
		})
	}
	b := breach{rule: rule, of: "property", what: what + " among the properties of a PUBLISH", first: wire.Draft16,
		as: asClient, want: violation, good: with(good), bad: with(bad)}
	if rule == rules.PublisherPriorityValue { // draft-18 §12.4 names no code, §1.4.3 one for values of the wrong form
		b.want = closedWithCode(wire.KeyValueFormattingError, wire.ProtocolViolation)
	}
	return b
}
