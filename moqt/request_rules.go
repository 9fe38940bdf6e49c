package moqt

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// checkRequest judges a new request of the peer's against the session's state. The error closes the session.
func (s *Session) checkRequest(r *Request) error {
	switch m := r.message.(type) {
	case *wire.Publish:
		return s.data.reserve(m.TrackAlias, trackKey(m.TrackNamespace, m.TrackName), r)
	case *wire.Subscribe:
		return s.checkSecond(r, m)
	case *wire.Fetch:
		return s.checkJoining(m)
	}
	return nil
}

// checkSecond: in 14 and 15 a second concurrent subscription to a track closes the session, as the text recommends
// (draft-15 §9.9, SHOULD). From 16 on it is a request error or allowed, and the application's to judge.
func (s *Session) checkSecond(r *Request, m *wire.Subscribe) error {
	if s.draft > wire.Draft15 {
		return nil
	}
	other := s.find(func(o *Request) bool {
		x, ok := o.message.(*wire.Subscribe)
		return ok && o != r && o.incoming && x.TrackName == m.TrackName && x.TrackNamespace.Equal(m.TrackNamespace)
	})
	if other != nil {
		return s.breach("SUBSCRIBE", wire.ProtocolViolation, rules.DuplicateSubscriptionCloses,
			"a second subscription to %s/%s beside request %d", m.TrackNamespace, m.TrackName, other.id)
	}
	return nil
}

// joinTarget is the subscription that a joining FETCH of the peer's names: its own SUBSCRIBE, or our PUBLISH; nil when
// there is none.
func (s *Session) joinTarget(m *wire.Fetch) *Request {
	if s.draft >= wire.Draft20 || m.Type != wire.FetchRelativeJoining && m.Type != wire.FetchAbsoluteJoining {
		return nil
	}
	r := s.request(m.JoiningRequestID)
	if r != nil && (r.kind == wire.KindSubscribe && r.incoming || r.kind == wire.KindPublish && !r.incoming) {
		return r
	}
	return nil
}

// checkJoining judges what a joining FETCH joins: up to 16 the filter must be Largest Object (draft-16 §9.16.2), in 17
// the Forward State must be 1 (draft-17 §9.14.2). An unknown target and, from 18 on, Forward State 0 are request
// errors, and the application's to judge.
func (s *Session) checkJoining(m *wire.Fetch) error {
	target := s.joinTarget(m)
	if target == nil {
		return nil
	}
	switch {
	case s.draft <= wire.Draft16:
		asked, _ := parametersOf(target.message).Filter()
		now, _ := target.Parameters().Filter()
		if asked.Form != wire.FilterNextObject && now.Form != wire.FilterNextObject {
			return s.breach("FETCH", wire.ProtocolViolation, rules.JoiningFilter,
				"it joins request %d, whose filter is %s and not Largest Object", target.id, now)
		}
	case s.draft == wire.Draft17:
		// The update or PUBLISH_OK that sets the state has a stream of its own and may come later than the FETCH.
		ctx, cancel := context.WithTimeout(s.ctx, s.limits.PendingTime)
		defer cancel()
		if !target.waitForward(ctx) && s.ctx.Err() == nil && target.ctx.Err() == nil {
			return s.breach("FETCH", wire.ProtocolViolation, rules.JoiningForward,
				"it joins request %d, whose Forward State is 0", target.id)
		}
	}
	return nil
}

// waitForward waits until the Forward State is 1.
func (r *Request) waitForward(ctx context.Context) bool {
	for {
		r.mu.Lock()
		forward, changed := r.params.UintOr(wire.ParamForward, 1), r.paramsChanged
		r.mu.Unlock()
		if forward == 1 {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		case <-r.ctx.Done():
			return false
		}
	}
}

// checkOK judges the OK of a request of ours. The error closes the session.
func (s *Session) checkOK(r *Request, m wire.Message) error {
	switch x := m.(type) {
	case *wire.SubscribeOK:
		r.mu.Lock()
		sub, _ := r.hook.(*Subscription)
		r.mu.Unlock()
		if sub != nil {
			sub.establish(x)
		}
		err := s.data.bind(x.TrackAlias, trackKey(r.TrackNamespace(), r.TrackName()), r, sub)
		if r.ctx.Err() != nil { // cancelled in the meantime
			s.data.unbind(x.TrackAlias, r, sub)
		}
		return err
	case *wire.FetchOK:
		return s.checkFetchEnd(r, x)
	}
	return nil
}

// checkFetchEnd: the End Location of FETCH_OK may not be below the start of the FETCH (draft-19 §10.13; from 20 on for
// absolute ranges). A start that is relative to what the publisher knows is not judged.
func (s *Session) checkFetchEnd(r *Request, ok *wire.FetchOK) error {
	m := r.message.(*wire.Fetch)
	var start wire.Location
	switch {
	case s.draft >= wire.Draft20:
		f, _ := m.Parameters.Filter()
		if f.Form == wire.FilterRelative || f.Form == wire.FilterNextObject {
			return nil
		}
		start, _, _ = f.Bounds(wire.Location{}, false)
	case m.Type == wire.FetchStandalone:
		start = m.Start
	case m.Type == wire.FetchAbsoluteJoining:
		start = wire.Location{Group: m.JoiningStart}
	default:
		return nil
	}
	if inclusiveEnd(s.draft, ok.End).Compare(start) < 0 {
		return s.breach("FETCH_OK", wire.ProtocolViolation, rules.FetchEndBound,
			"End Location %s is before the start %s of the FETCH", ok.End, start)
	}
	return nil
}
