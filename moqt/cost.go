package moqt

import (
	"unsafe"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// What things count as in a session's account, in bytes: about what they take in memory.
const (
	// streamCost is that of a stream of the peer's that is read: QUIC's part, a goroutine, its buffer.
	streamCost = 8 << 10
	// requestCost is that of a request beside its message.
	requestCost = 8 << 10
	// messageOverhead is that of a message beside what it says, or of a name.
	messageOverhead = 512
	// objectOverhead is that of an object that waits.
	objectOverhead = 256
	parameterCost  = int(unsafe.Sizeof(wire.Parameter{}))
	propertyCost   = int(unsafe.Sizeof(wire.Property{}))
	rangeCost      = int(unsafe.Sizeof(wire.Range{}))
	fieldCost      = int(unsafe.Sizeof(""))
)

// messageCost is what a message takes in memory, in bytes: many small parts take much more there than on the wire.
func messageCost(m wire.Message) int {
	n := messageOverhead
	ns, name, _ := trackOf(m)
	ps := parametersOf(m)
	var properties wire.Properties
	switch x := m.(type) {
	case *wire.Publish:
		properties = x.Properties
	case *wire.SubscribeOK:
		ps, properties = x.Parameters, x.Properties
	case *wire.FetchOK:
		ps, properties = x.Parameters, x.Properties
	case *wire.RequestOK:
		ps, properties = x.Parameters, x.Properties
	case *wire.RequestUpdate:
		ps = x.Parameters
	case *wire.PublishStateNotify:
		ps = x.Parameters
	case *wire.RequestError:
		n += len(x.Reason)
	case *wire.PublishDone:
		n += len(x.Reason)
	case *wire.Namespace:
		ns = x.Suffix
	case *wire.NamespaceDone:
		ns = x.Suffix
	case *wire.PublishSkipped:
		ns, name = x.Suffix, x.TrackName
	}
	n += namespaceCost(ns) + len(name)
	n += cap(ps) * parameterCost
	for _, p := range ps {
		n += len(p.Bytes) + len(p.Token.Value) + namespaceCost(p.Namespace) +
			len(p.Inner)*parameterCost + len(p.Ranges.Ranges)*rangeCost
	}
	n += cap(properties) * propertyCost
	for _, p := range properties {
		n += len(p.Bytes)
	}
	return n
}

// bare is a request without what it says.
func bare(m wire.Message) wire.Message {
	switch m.(type) {
	case *wire.Subscribe:
		return &wire.Subscribe{}
	case *wire.TrackStatus:
		return &wire.TrackStatus{}
	case *wire.Publish:
		return &wire.Publish{}
	case *wire.Fetch:
		return &wire.Fetch{}
	case *wire.PublishNamespace:
		return &wire.PublishNamespace{}
	case *wire.SubscribeNamespace:
		return &wire.SubscribeNamespace{}
	case *wire.SubscribeTracks:
		return &wire.SubscribeTracks{}
	}
	return m
}

// namespaceCost is what a namespace takes, in bytes.
func namespaceCost(ns wire.TrackNamespace) (n int) {
	for _, field := range ns {
		n += fieldCost + len(field)
	}
	return n
}
