//go:build !js && small

package runner

import (
	"errors"
	"net"
)

// ServeMetrics says that it cannot: the library of the metrics is a tenth of the program.
func (*Relay) ServeMetrics(string, MetricsOptions) (net.Addr, error) {
	return nil, errors.New("metrics: the small image goes without; :latest-full and the released programs have them")
}
