package main

import (
	"context"
	"fmt"
	"net"

	"github.com/moqinterop/moq-interop-client/internal/probe"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// healthcheckCmd tells whether a relay of this host is up.
type healthcheckCmd struct {
	Addr    *string `placeholder:"HOST:PORT" help:"The relay's address, as serve has it. Default :4443. [MOQT_PORT]"`
	Timeout string  `default:"2" placeholder:"S" help:"Seconds for the handshake, or a time such as 500ms. Default 2."`
}

// Help teaches.
func (*healthcheckCmd) Help() string {
	return `For containers without a shell. A relay is up when a UDP socket of this host is bound to its port
and a QUIC handshake succeeds that offers every draft.

Exit codes: 0 up, 1 not up (stderr says why), 2 usage error.

Example, in a Dockerfile:

  HEALTHCHECK --interval=5s CMD ["/moq-interop-client", "healthcheck"]
`
}

// Run checks.
func (c *healthcheckCmd) Run(sys *system) error {
	addr, err := (&serveCmd{Addr: c.Addr}).address(sys)
	if err != nil {
		return err
	}
	if _, port, _ := net.SplitHostPort(addr); port == "0" {
		return usage("--addr: %q: a relay has a port of its own", addr)
	}
	limit, err := probe.ParseDuration(c.Timeout)
	if err != nil {
		return usage("--timeout: %w", err)
	}
	ctx, cancel := context.WithTimeout(sys.ctx, limit)
	defer cancel()
	if err := matrix.Healthy(ctx, addr); err != nil {
		return fmt.Errorf("not healthy: %w", err)
	}
	return nil
}
