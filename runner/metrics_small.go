//go:build !js && small

package runner

import (
	"errors"
	"net"

	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
)

// handshakes counts none.
type handshakes struct{}

func newHandshakes() handshakes { return handshakes{} }

func (handshakes) observe(endpoint.HandshakeReport) {}

// ServeMetrics says that it cannot: the library of the metrics is a tenth of the program.
func (*Relay) ServeMetrics(string, MetricsOptions) (net.Addr, error) {
	return nil, errors.New("metrics: the image's program goes without; a released one has them, " +
		"and an image that is built with --build-arg TAGS=")
}
