package wire

import "github.com/moqinterop/moq-interop-client/moqt/rules"

// This file lists the fields of every message body once, in wire order, each with the drafts that have it (draft-14 §9,
// draft-18 §10, draft-22 §9).

func (m *Setup) fields(c *coder) {
	if c.draft == Draft14 { // draft-14 §9.3: the version is chosen in band
		if m.Sender == ServerSide {
			c.varint("selected_version", &m.SelectedVersion)
		} else {
			c.versions(&m.Versions)
		}
	}
	c.setupOptions(m.Sender, &m.Options)
}

func (m *Goaway) fields(c *coder) {
	c.text("new_session_uri", &m.NewSessionURI, maxGoawayURI)
	if c.draft >= Draft17 {
		c.varint("timeout", &m.Timeout)
	}
	if c.draft == Draft18 && c.stream == ControlStream { // draft-18 §10.4: the same message has two layouts, by stream
		c.varint("request_id", &m.RequestID)
	}
}

func (m *MaxRequestID) fields(c *coder) {
	name := "max_request_id"
	if c.draft == Draft14 {
		name = "request_id"
	}
	c.varint(name, &m.MaxRequestID)
}

func (m *RequestsBlocked) fields(c *coder) { c.varint("maximum_request_id", &m.MaximumRequestID) }

func (m *RequestOK) fields(c *coder) {
	c.responseID(&m.RequestID)
	if c.draft == Draft14 {
		switch c.row.answers.only() {
		case KindPublishNamespace, KindSubscribeNamespace:
			return // draft-14 §9.24, §9.29: the Request ID is all
		case KindPublish:
			c.fixed8("forward", ParamForward, &m.Parameters, 1, any8)
			c.fixed8("subscriber_priority", ParamSubscriberPriority, &m.Parameters, 128, any8)
			c.fixed8("group_order", ParamGroupOrder, &m.Parameters, 1, order8)
			c.fixedFilter(&m.Parameters)
		case KindTrackStatus: // draft-14 §9.21: the body of SUBSCRIBE_OK
			c.varint("track_alias", &m.TrackAlias)
			c.fixedOK(&m.Parameters)
		}
	}
	c.parameters(&m.Parameters)
	if c.draft >= Draft18 {
		c.properties("track_properties", &m.Properties)
		if m.Answers != KindNone && m.Answers != KindTrackStatus && len(m.Properties) > 0 {
			c.fail("track_properties", ProtocolViolation, rules.RequestOKProperties,
				"must be empty except in answer to TRACK_STATUS")
		}
	}
}

// codeRedirect is REQUEST_ERROR's REDIRECT (draft-18 §10.6).
const codeRedirect = 0x34

func (m *RequestError) fields(c *coder) {
	c.responseID(&m.RequestID)
	c.varint("error_code", &m.Code)
	if c.draft >= Draft16 {
		c.varint("retry_interval", &m.RetryInterval)
	}
	c.reason(&m.Reason)
	if c.draft >= Draft18 && m.Code == codeRedirect {
		c.redirect(m)
	}
}

func (c *coder) redirect(m *RequestError) {
	if m.Redirect == nil {
		if c.op == opEncode || c.op == opDescribe {
			c.fail("redirect", InternalError, "", "error code REDIRECT needs a Redirect")
			return
		}
		m.Redirect = &Redirect{}
	}
	r := m.Redirect
	c.text("connect_uri", &r.ConnectURI, 0)
	c.namedTrack("track_namespace", &r.TrackNamespace, &r.TrackName, 0)
	switch m.Answers { // draft-18 §10.6.1; 19 adds SUBSCRIBE_TRACKS
	case KindSubscribeTracks:
		if c.draft < Draft19 {
			return
		}
		fallthrough
	case KindPublishNamespace, KindSubscribeNamespace:
		if r.TrackName != "" {
			c.fail("track_name", ProtocolViolation, rules.RedirectName,
				"a Redirect of a namespace request has no Track Name")
		}
	}
}

// requestID is the first field of every request; 17 adds what it depends on (draft-17 §9.2).
func (c *coder) requestID(id, requiredDelta *uint64) {
	c.varint("request_id", id)
	if c.draft == Draft17 {
		c.varint("required_request_id_delta", requiredDelta)
		if *requiredDelta > *id/2 {
			c.fail("required_request_id_delta", InvalidRequiredRequest, rules.RequiredRequestID,
				"2 x the delta is above the Request ID")
		}
	}
}

// responseID is in responses up to 16; from 17 on the stream tells the request.
func (c *coder) responseID(id *uint64) {
	if c.draft <= Draft16 {
		c.varint("request_id", id)
	}
}

func (m *Subscribe) fields(c *coder) {
	c.requestID(&m.RequestID, &m.RequiredRequestIDDelta)
	c.fullTrackName(&m.TrackNamespace, &m.TrackName)
	if c.draft == Draft14 {
		c.fixed8("subscriber_priority", ParamSubscriberPriority, &m.Parameters, 128, any8)
		c.fixed8("group_order", ParamGroupOrder, &m.Parameters, 0, orderOr0)
		c.fixed8("forward", ParamForward, &m.Parameters, 1, bool8)
		c.fixedFilter(&m.Parameters)
	}
	c.parameters(&m.Parameters)
}

func (m *TrackStatus) fields(c *coder) { (*Subscribe)(m).fields(c) }

func (m *SubscribeOK) fields(c *coder) {
	c.responseID(&m.RequestID)
	c.varint("track_alias", &m.TrackAlias)
	if c.draft == Draft14 {
		c.fixedOK(&m.Parameters)
	}
	c.parameters(&m.Parameters)
	c.trackProperties(&m.Properties)
}

// fixedOK is what SUBSCRIBE_OK and TRACK_STATUS_OK of 14 have as fields (draft-14 §9.8).
func (c *coder) fixedOK(ps *Parameters) {
	c.fixedVarint("expires", ParamExpires, ps, 0)
	c.fixed8("group_order", ParamGroupOrder, ps, 1, order8)
	c.fixedLargest(ps)
}

// trackProperties ends the messages that carry a track's properties, from 16 on: to the end of the body.
func (c *coder) trackProperties(p *Properties) {
	switch {
	case c.draft >= Draft17:
		c.properties("track_properties", p)
	case c.draft == Draft16:
		c.properties("track_extensions", p)
	}
}

func (m *RequestUpdate) fields(c *coder) {
	c.requestID(&m.RequestID, &m.RequiredRequestIDDelta)
	switch {
	case c.draft <= Draft15:
		c.varint("subscription_request_id", &m.ExistingRequestID)
	case c.draft == Draft16:
		c.varint("existing_request_id", &m.ExistingRequestID)
	}
	if c.draft == Draft14 { // draft-14 §9.10: End Group is the group plus one, 0 = open
		c.fixedUpdateRange(&m.Parameters)
		c.fixed8("subscriber_priority", ParamSubscriberPriority, &m.Parameters, 128, any8)
		c.fixed8("forward", ParamForward, &m.Parameters, 1, bool8)
	}
	c.parameters(&m.Parameters)
}

func (m *Unsubscribe) fields(c *coder) { c.varint("request_id", &m.RequestID) }

func (m *Publish) fields(c *coder) {
	c.requestID(&m.RequestID, &m.RequiredRequestIDDelta)
	c.fullTrackName(&m.TrackNamespace, &m.TrackName)
	c.varint("track_alias", &m.TrackAlias)
	if c.draft == Draft14 {
		c.fixed8("group_order", ParamGroupOrder, &m.Parameters, 1, order8)
		c.fixedLargest(&m.Parameters)
		c.fixed8("forward", ParamForward, &m.Parameters, 1, bool8)
	}
	c.parameters(&m.Parameters)
	c.trackProperties(&m.Properties)
}

func (m *PublishDone) fields(c *coder) {
	c.responseID(&m.RequestID)
	c.varint("status_code", &m.StatusCode)
	c.varint("stream_count", &m.StreamCount)
	c.reason(&m.Reason)
}

func (m *PublishStateNotify) fields(c *coder) { c.parameters(&m.Parameters) }

func (m *Fetch) fields(c *coder) {
	c.requestID(&m.RequestID, &m.RequiredRequestIDDelta)
	if c.draft == Draft14 {
		c.fixed8("subscriber_priority", ParamSubscriberPriority, &m.Parameters, 128, any8)
		c.fixed8("group_order", ParamGroupOrder, &m.Parameters, 0, orderOr0)
	}
	switch {
	case c.draft >= Draft20: // draft-20 §10.13: the range is LOCATION_FILTER
		c.fullTrackName(&m.TrackNamespace, &m.TrackName)
	default:
		c.varint("fetch_type", (*uint64)(&m.Type))
		switch m.Type {
		case FetchStandalone:
			c.fullTrackName(&m.TrackNamespace, &m.TrackName)
			c.location("start_location", &m.Start)
			c.location("end_location", &m.End)
		case FetchRelativeJoining, FetchAbsoluteJoining:
			c.varint("joining_request_id", &m.JoiningRequestID)
			c.varint("joining_start", &m.JoiningStart)
		default:
			c.failf("fetch_type", ProtocolViolation, rules.FetchType, "want 1, 2 or 3, got %d", m.Type)
		}
	}
	c.parameters(&m.Parameters)
}

func (m *FetchOK) fields(c *coder) {
	c.responseID(&m.RequestID)
	if c.draft == Draft14 {
		c.fixed8("group_order", ParamGroupOrder, &m.Parameters, 1, order8)
	}
	c.uint8("end_of_track", &m.EndOfTrack)
	c.location("end_location", &m.End)
	c.parameters(&m.Parameters)
	c.trackProperties(&m.Properties)
}

func (m *FetchCancel) fields(c *coder) { c.varint("request_id", &m.RequestID) }

func (m *PublishNamespace) fields(c *coder) {
	c.requestID(&m.RequestID, &m.RequiredRequestIDDelta)
	name := "track_namespace"
	if c.draft >= Draft22 { // draft-22 §9.14 renames the field
		name = "track_namespace_prefix"
	}
	c.namespace(name, &m.TrackNamespace, c.minFields())
	c.parameters(&m.Parameters)
}

func (m *PublishNamespaceDone) fields(c *coder) {
	if c.draft >= Draft16 {
		c.varint("request_id", &m.RequestID)
	} else {
		c.namespace("track_namespace", &m.TrackNamespace, c.minFields())
	}
}

func (m *PublishNamespaceCancel) fields(c *coder) {
	if c.draft >= Draft16 {
		c.varint("request_id", &m.RequestID)
	} else {
		c.namespace("track_namespace", &m.TrackNamespace, c.minFields())
	}
	c.varint("error_code", &m.Code)
	c.reason(&m.Reason)
}

func (m *SubscribeNamespace) fields(c *coder) {
	c.requestID(&m.RequestID, &m.RequiredRequestIDDelta)
	c.prefix(&m.Prefix)
	if c.draft == Draft16 || c.draft == Draft17 {
		c.varint("subscribe_options", &m.Options)
	}
	c.parameters(&m.Parameters)
}

func (m *UnsubscribeNamespace) fields(c *coder) {
	if c.draft == Draft14 {
		c.prefix(&m.Prefix)
	} else {
		c.varint("request_id", &m.RequestID)
	}
}

func (m *SubscribeTracks) fields(c *coder) {
	c.varint("request_id", &m.RequestID)
	c.prefix(&m.Prefix)
	c.parameters(&m.Parameters)
}

func (m *Namespace) fields(c *coder)     { c.namespace("track_namespace_suffix", &m.Suffix, 0) }
func (m *NamespaceDone) fields(c *coder) { c.namespace("track_namespace_suffix", &m.Suffix, 0) }

func (m *PublishSkipped) fields(c *coder) {
	c.namedTrack("track_namespace_suffix", &m.Suffix, &m.TrackName, 0)
}

func (m *Raw) fields(c *coder) { c.fail("", InternalError, "", "a raw message has no fields") }
