package moqt

import (
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// withRequestID copies a request with its id.
func withRequestID(m wire.Message, id uint64) wire.Message {
	switch x := m.(type) {
	case *wire.Subscribe:
		c := *x
		c.RequestID = id
		return &c
	case *wire.TrackStatus:
		c := *x
		c.RequestID = id
		return &c
	case *wire.Publish:
		c := *x
		c.RequestID = id
		return &c
	case *wire.Fetch:
		c := *x
		c.RequestID = id
		return &c
	case *wire.PublishNamespace:
		c := *x
		c.RequestID = id
		return &c
	case *wire.SubscribeNamespace:
		c := *x
		c.RequestID = id
		return &c
	case *wire.SubscribeTracks:
		c := *x
		c.RequestID = id
		return &c
	}
	return m
}

// requestIDIn is the id of a request.
func requestIDIn(m wire.Message) uint64 {
	switch x := m.(type) {
	case *wire.Subscribe:
		return x.RequestID
	case *wire.TrackStatus:
		return x.RequestID
	case *wire.Publish:
		return x.RequestID
	case *wire.Fetch:
		return x.RequestID
	case *wire.PublishNamespace:
		return x.RequestID
	case *wire.SubscribeNamespace:
		return x.RequestID
	case *wire.SubscribeTracks:
		return x.RequestID
	}
	return 0
}

// requiredDelta is the Required Request ID Delta of a request (17).
func requiredDelta(m wire.Message) uint64 {
	switch x := m.(type) {
	case *wire.Subscribe:
		return x.RequiredRequestIDDelta
	case *wire.TrackStatus:
		return x.RequiredRequestIDDelta
	case *wire.Publish:
		return x.RequiredRequestIDDelta
	case *wire.Fetch:
		return x.RequiredRequestIDDelta
	case *wire.PublishNamespace:
		return x.RequiredRequestIDDelta
	case *wire.SubscribeNamespace:
		return x.RequiredRequestIDDelta
	}
	return 0
}

// trackOf is the namespace or prefix, and the track name, of a request; named is true when it names one track.
func trackOf(m wire.Message) (ns wire.TrackNamespace, name string, named bool) {
	switch x := m.(type) {
	case *wire.Subscribe:
		return x.TrackNamespace, x.TrackName, true
	case *wire.TrackStatus:
		return x.TrackNamespace, x.TrackName, true
	case *wire.Publish:
		return x.TrackNamespace, x.TrackName, true
	case *wire.Fetch:
		return x.TrackNamespace, x.TrackName, x.Type != wire.FetchRelativeJoining && x.Type != wire.FetchAbsoluteJoining
	case *wire.PublishNamespace:
		return x.TrackNamespace, "", false
	case *wire.SubscribeNamespace:
		return x.Prefix, "", false
	case *wire.SubscribeTracks:
		return x.Prefix, "", false
	}
	return nil, "", false
}

// trackKey is a string that two tracks share only when they are the same.
func trackKey(ns wire.TrackNamespace, name string) string { return ns.Join(name).Key() }

// addressOf is the id by which a message on the control stream of 14-16 names its request. ok is false for those that
// have none: by namespace, and those of the session itself.
func addressOf(m wire.Message) (id uint64, ok bool) {
	switch x := m.(type) {
	case *wire.RequestOK:
		return x.RequestID, true
	case *wire.RequestError:
		return x.RequestID, true
	case *wire.SubscribeOK:
		return x.RequestID, true
	case *wire.FetchOK:
		return x.RequestID, true
	case *wire.RequestUpdate:
		return x.ExistingRequestID, true
	case *wire.PublishDone:
		return x.RequestID, true
	case *wire.Unsubscribe:
		return x.RequestID, true
	case *wire.FetchCancel:
		return x.RequestID, true
	case *wire.PublishNamespaceDone:
		return x.RequestID, true
	case *wire.PublishNamespaceCancel:
		return x.RequestID, true
	case *wire.UnsubscribeNamespace:
		return x.RequestID, true
	}
	return 0, false
}

// typeRequestUpdate is the type code of REQUEST_UPDATE in every draft.
const typeRequestUpdate = 0x2
