//go:build !small

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/web"
)

// Run serves, writes or drives.
func (c *webCmd) Run(sys *system) error {
	if c.Browser != "" {
		return c.drive(sys)
	}
	files, err := web.Load(sys.say)
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := files.Write(c.Out); err != nil {
			return err
		}
		sys.say("the page is in %s: serve it over https:// or on localhost", c.Out)
		return nil
	}
	ln, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return usage("--addr: %w", err)
	}
	sys.say("the page is at http://%s/ until Ctrl-C", ln.Addr())
	server := &http.Server{Handler: files, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(sys.ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the page's server: %w", err)
	}
	return nil
}
