package cases

import (
	"context"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// WantNamespaceSubscription subscribes to the namespaces under a prefix and ends the case unless the relay accepts it.
// The case is skipped when the relay answers NOT_SUPPORTED.
func (s *Session) WantNamespaceSubscription(ctx context.Context,
	prefix wire.TrackNamespace) *moqt.NamespaceSubscription {
	n, err := s.SubscribeNamespace(ctx, prefix, s.e.Parameters())
	s.SkipUnsupported(err)
	s.Check(ctx, err, transport.LayerRequest, s.OKName(wire.KindSubscribeNamespace)+" for SUBSCRIBE_NAMESPACE")
	return n
}

// WantNamespace waits until a namespace subscription reports a namespace, or with gone its end. It notes reports that
// come twice. Any other namespace ends the case, since nobody else can have published one under the prefix.
func (s *Session) WantNamespace(ctx context.Context, n *moqt.NamespaceSubscription, ns wire.TrackNamespace, gone bool) {
	expected := NewsText(s.Draft(), ns, gone)
	for {
		news, err := n.Next(ctx)
		if err != nil {
			o := s.e.classify(ctx, err, s, transport.LayerRequest, expected)
			if o.expected == expected && ctx.Err() != nil {
				o = failed(transport.LayerRequest, expected, s.log.stall(time.Now()))
			}
			panic(o)
		}
		received := NewsText(s.Draft(), news.Namespace, news.Done)
		switch {
		case received == expected:
			return
		case gone && news.Namespace.Equal(ns):
			s.e.Note("%s: %s came more than once", s.Role, received)
		default:
			s.e.Fail(transport.LayerRequest, expected, received)
		}
	}
}

// NewsText names the message that reports a namespace or its end: `NAMESPACE of "a/b"`.
func NewsText(d wire.Draft, ns wire.TrackNamespace, gone bool) string {
	name := map[bool]string{false: "NAMESPACE", true: "NAMESPACE_DONE"}[gone]
	if d <= wire.Draft15 {
		name = "PUBLISH_" + name
	}
	return fmt.Sprintf("%s of %q", name, ns)
}
