package wire

import "github.com/moqinterop/moq-interop-client/moqt/rules"

// place is a set of messages that a parameter may be in, as its definition says (draft-18 §10.2, draft-22 §9.20).
type place uint32

const (
	inS   place = 1 << iota // SUBSCRIBE
	inSO                    // SUBSCRIBE_OK
	inP                     // PUBLISH
	inPO                    // PUBLISH_OK
	inF                     // FETCH
	inFO                    // FETCH_OK
	inTS                    // TRACK_STATUS
	inTO                    // the OK of TRACK_STATUS
	inSN                    // SUBSCRIBE_NAMESPACE
	inSNO                   // its OK
	inST                    // SUBSCRIBE_TRACKS
	inSTO                   // its OK
	inPN                    // PUBLISH_NAMESPACE
	inPNO                   // its OK
	inUs                    // update of a subscription
	inUf                    // update of a FETCH
	inUsn                   // update of SUBSCRIBE_NAMESPACE
	inUst                   // update of SUBSCRIBE_TRACKS
	inUpn                   // update of PUBLISH_NAMESPACE
	inUts                   // update of TRACK_STATUS (16)
	inUO                    // the OK of an update
	inN                     // PUBLISH_STATE_NOTIFY
	inFP                    // inside FILL_PARAMETERS

	inU = inUs | inUf | inUsn | inUst | inUpn | inUts
)

// placeOf says which places a message is; more than one where the bytes do not tell and the caller did not either.
func placeOf(r *row, opt *Options) place {
	switch r.kind {
	case KindSubscribe:
		return inS
	case KindSubscribeOK:
		return inSO
	case KindPublish:
		return inP
	case KindFetch:
		return inF
	case KindFetchOK:
		return inFO
	case KindTrackStatus:
		return inTS
	case KindSubscribeNamespace:
		return inSN
	case KindSubscribeTracks:
		return inST
	case KindPublishNamespace:
		return inPN
	case KindPublishStateNotify:
		return inN
	case KindRequestUpdate:
		if opt != nil && opt.Answers != KindNone {
			return updatePlaces[opt.Answers]
		}
		return inU
	case KindRequestOK:
		about := KindNone
		if opt != nil {
			about = r.about(opt.Answers)
		}
		if about != KindNone {
			return okPlaces[about]
		}
		var all place
		for k, p := range okPlaces {
			if r.answers.has(k) {
				all |= p
			}
		}
		return all
	}
	return 0
}

// updatePlaces are the updates of each kind of request.
var updatePlaces = map[Kind]place{
	KindSubscribe:          inUs,
	KindPublish:            inUs,
	KindFetch:              inUf,
	KindSubscribeNamespace: inUsn,
	KindSubscribeTracks:    inUst,
	KindPublishNamespace:   inUpn,
	KindTrackStatus:        inUts,
}

// okPlaces are the RequestOKs that answer each kind of request.
var okPlaces = map[Kind]place{
	KindPublish:            inPO,
	KindTrackStatus:        inTO,
	KindSubscribeNamespace: inSNO,
	KindSubscribeTracks:    inSTO,
	KindPublishNamespace:   inPNO,
	KindRequestUpdate:      inUO,
}

// encoding is the form of a parameter's value. Up to 16 it stands inside a Key-Value-Pair, whose form follows the
// type's parity.
type encoding uint8

const (
	encVarint encoding = iota
	encUint8           // one byte from 17 on
	encLocation
	encToken
	encFilter
	encRanges
	encNamespace
	encInner
)

// parameterRow defines one parameter for a range of drafts. max bounds an integer (0: no bound), min likewise.
type parameterRow struct {
	t           ParameterType
	name        string
	first, last Draft
	enc         encoding
	where       place
	min, max    uint64
}

const anyReply = inTO | inSNO | inSTO | inPNO | inUO

// inSubscribes: from 19 on SUBSCRIBE_TRACKS takes every parameter of SUBSCRIBE (draft-19 §10.19.1, draft-22 §3.6.2).
const inSubscribes = inS | inST

var parameterRows = []parameterRow{
	{0x02, "DELIVERY_TIMEOUT", 14, 14, encVarint, inTS | inTO | inP | inPO | inS | inSO | inUs, 0, 0},
	{0x02, "DELIVERY_TIMEOUT", 15, 15, encVarint, inTS | inTO | inP | inPO | inS | inSO | inUs, 0, 0},
	// From 16 on in any update: its definition does not limit it to subscriptions (draft-16 §9.2.2.2, draft-22
	// §9.20.4).
	{0x02, "DELIVERY_TIMEOUT", 16, 16, encVarint, inPO | inS | inU, 1, 0},
	{0x02, "DELIVERY_TIMEOUT", 17, 17, encVarint, inPO | inS | inU, 0, 0},
	{0x02, "OBJECT_DELIVERY_TIMEOUT", 18, 18, encVarint, inPO | inS | inU, 0, 0},
	{0x02, "OBJECT_DELIVERY_TIMEOUT", 19, 19, encVarint, inPO | inU | inSubscribes, 0, 0},
	{0x02, "OBJECT_DELIVERY_TIMEOUT", 20, Newest, encVarint, inSubscribes | inP | inU, 0, 0},

	{0x03, "AUTHORIZATION_TOKEN", 14, 15, encToken, inP | inS | inUs | inSN | inPN | inTS | inF, 0, 0},
	{0x03, "AUTHORIZATION_TOKEN", 16, 17, encToken, inP | inS | inU | inSN | inPN | inTS | inF, 0, 0},
	{0x03, "AUTHORIZATION_TOKEN", 18, Newest, encToken, inP | inS | inU | inSN | inST | inPN | inTS | inF, 0, 0},

	{0x04, "MAX_CACHE_DURATION", 14, 15, encVarint, inP | inSO | inFO | inTO, 0, 0},
	{0x04, "RENDEZVOUS_TIMEOUT", 17, 18, encVarint, inS, 0, 0},
	{0x04, "RENDEZVOUS_TIMEOUT", 19, Newest, encVarint, inSubscribes, 0, 0},

	{0x06, "SUBGROUP_DELIVERY_TIMEOUT", 18, 18, encVarint, inPO | inS | inU, 0, 0},
	{0x06, "SUBGROUP_DELIVERY_TIMEOUT", 19, 19, encVarint, inPO | inU | inSubscribes, 0, 0},
	{0x06, "SUBGROUP_DELIVERY_TIMEOUT", 20, Newest, encVarint, inSubscribes | inP | inU, 0, 0},

	{0x08, "EXPIRES", 15, 16, encVarint, inSO | inP | inPO | anyReply, 0, 0},
	{0x08, "EXPIRES", 17, 17, encVarint, inSO | inP | inPO | anyReply, 0, 0},
	// In TRACK_STATUS_OK because that has "the same parameters" as SUBSCRIBE_OK (draft-18 §10.14, draft-22 §9.13); the
	// definition leaves it out.
	{0x08, "EXPIRES", 18, 18, encVarint, inSO | inP | inPO | inUO | inTO, 0, 0},
	{0x08, "EXPIRES", 19, Newest, encVarint, inSO | inP | inPO | anyReply, 0, 0},

	{0x09, "LARGEST_OBJECT", 15, 19, encLocation, inSO | inP | inUO | inTO, 0, 0},
	{0x09, "LARGEST_OBJECT", 20, Newest, encLocation, inSO | inP | inUO | inTO | inN, 0, 0},

	{0x0A, "FILL_TIMEOUT", 18, 19, encVarint, inF, 0, 0},
	{0x0A, "FILL_TIMEOUT", 20, Newest, encVarint, inF | inFP, 0, 0},

	{0x0E, "PUBLISHER_PRIORITY", 15, 15, encVarint, inSO | inP, 0, 255},

	{0x10, "FORWARD", 15, 15, encUint8, inS | inUs | inP | inPO | inTS | inTO | inSN, 0, 1},
	{0x10, "FORWARD", 16, 17, encUint8, inS | inUs | inP | inPO | inSN, 0, 1},
	{0x10, "FORWARD", 18, 19, encUint8, inS | inUs | inP | inPO | inST, 0, 1},
	{0x10, "FORWARD", 20, Newest, encUint8, inS | inUs | inUst | inP | inST | inN, 0, 1},

	{0x20, "SUBSCRIBER_PRIORITY", 15, 15, encUint8, inS | inUs | inTS | inPO | inF, 0, 255},
	{0x20, "SUBSCRIBER_PRIORITY", 16, 18, encUint8, inS | inUs | inUf | inPO | inF, 0, 255},
	{0x20, "SUBSCRIBER_PRIORITY", 19, 19, encUint8, inS | inUs | inUf | inPO | inF | inST, 0, 255},
	{0x20, "SUBSCRIBER_PRIORITY", 20, Newest, encUint8, inSubscribes | inP | inUs | inUf | inF | inFP, 0, 255},

	{0x21, "SUBSCRIPTION_FILTER", 15, 15, encFilter, inS | inTS | inPO | inUs, 0, 0},
	{0x21, "SUBSCRIPTION_FILTER", 16, 18, encFilter, inS | inPO | inUs, 0, 0},
	{0x21, "LOCATION_FILTER", 19, 19, encFilter, inS | inPO | inUs | inST, 0, 0},
	{0x21, "LOCATION_FILTER", 20, Newest, encFilter, inSubscribes | inP | inUs | inF | inN | inFP, 0, 0},

	{0x22, "GROUP_ORDER", 15, 15, encUint8, inS | inSO | inTS | inTO | inP | inPO | inF, 1, 2},
	{0x22, "GROUP_ORDER", 16, 18, encUint8, inS | inPO | inF, 1, 2},
	{0x22, "GROUP_ORDER", 19, 19, encUint8, inS | inST | inF | inP, 1, 2}, // in PUBLISH by §10.19.1
	{0x22, "GROUP_ORDER", 20, Newest, encUint8, inSubscribes | inP | inF | inFP, 1, 2},

	{0x23, "FILL_PARAMETERS", 20, Newest, encInner, inSubscribes | inUs, 0, 0},

	{0x25, "SUBGROUP_FILTER", 19, 19, encRanges, inS | inF | inST | inPO | inUs, 0, 0},
	{0x25, "SUBGROUP_FILTER", 20, Newest, encRanges, inS | inF | inST | inUs | inFP, 0, 0},
	{0x26, "OBJECTID_FILTER", 19, 19, encRanges, inS | inF | inST | inPO | inUs, 0, 0},
	{0x26, "OBJECTID_FILTER", 20, Newest, encRanges, inS | inF | inST | inUs | inFP, 0, 0},
	{0x27, "PRIORITY_FILTER", 19, 19, encRanges, inS | inF | inST | inPO | inUs, 0, 0},
	{0x27, "PRIORITY_FILTER", 20, Newest, encRanges, inS | inF | inST | inUs | inFP, 0, 0},
	{0x28, "OBJECT_PROPERTY_FILTER", 19, 19, encRanges, inS | inF | inST | inPO | inUs, 0, 0},
	{0x28, "OBJECT_PROPERTY_FILTER", 20, Newest, encRanges, inS | inF | inST | inUs | inFP, 0, 0},
	{0x29, "TRACK_PROPERTY_FILTER", 19, Newest, encRanges, inST | inUst, 0, 0},

	{0x30, "DYNAMIC_GROUPS", 15, 15, encVarint, inP | inSO, 0, 1},

	{0x32, "NEW_GROUP_REQUEST", 15, 18, encVarint, inPO | inS | inUs, 0, 0},
	{0x32, "NEW_GROUP_REQUEST", 19, 19, encVarint, inPO | inS | inUs | inST, 0, 0},
	{0x32, "NEW_GROUP_REQUEST", 20, Newest, encVarint, inSubscribes | inUs, 0, 0},

	{0x34, "TRACK_NAMESPACE_PREFIX", 18, Newest, encNamespace, inUsn | inUst, 0, 0},
	{0x35, "INCLUDE_PROPERTIES", 20, Newest, encUint8, inS | inTS | inF | inST, 0, 1},
}

// parameterRowOf finds the definition of a type in a draft.
func parameterRowOf(d Draft, t ParameterType) *parameterRow {
	for i := range parameterRows {
		if r := &parameterRows[i]; r.t == t && r.first <= d && d <= r.last {
			return r
		}
	}
	return nil
}

// Name is the draft's name of the type, "" if it has none.
func (t ParameterType) Name(d Draft) string {
	if r := parameterRowOf(d, t); r != nil {
		return r.name
	}
	return ""
}

// repeatable types may stand more than once in a message (draft-14 §9.2.1.1, draft-19 §5.1.3).
func (t ParameterType) repeatable() bool {
	return t == ParamAuthorizationToken || ParamSubgroupFilter <= t && t <= ParamTrackPropertyFilter
}

// valueRules are the rules of the values that an integer parameter may have.
var valueRules = map[ParameterType]rules.ID{
	ParamObjectDeliveryTimeout: rules.DeliveryTimeoutValue,
	ParamPublisherPriority:     rules.PublisherPriorityValue,
	ParamForward:               rules.ForwardValue,
	ParamSubscriberPriority:    rules.SubscriberPriorityValue,
	ParamGroupOrder:            rules.GroupOrderValue,
	ParamDynamicGroups:         rules.DynamicGroupsValue,
	ParamIncludeProperties:     rules.IncludePropertiesValue,
}
