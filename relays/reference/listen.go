//go:build !js

package reference

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
)

// ListenAndServe listens and serves until ctx ends or the relay is closed. Its error is that of listening; nil if it
// was told to stop. Use endpoint.Listen and ServeListener instead if the address must be known first.
func (r *Relay) ListenAndServe(ctx context.Context, opts endpoint.ListenOptions) error {
	if opts.Drafts == nil {
		opts.Drafts = r.opts.Drafts
	}
	if opts.Warn == nil {
		opts.Warn = func(err error) { r.log.Info("no session came of a connection", "error", err) }
	}
	l, err := endpoint.Listen(opts)
	if err != nil {
		return err
	}
	defer l.Close()
	r.log.Info("listening", "address", l.Addr().String())
	return r.ServeListener(ctx, l)
}

// ServeListener serves the connections of a listener until ctx ends, or the listener or the relay is closed. Close the
// listener after it has returned.
func (r *Relay) ServeListener(ctx context.Context, l *endpoint.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer onDone(r.ctx, cancel)()
	var served sync.WaitGroup
	defer served.Wait()
	for {
		conn, err := l.Accept(ctx)
		switch {
		case errors.Is(err, net.ErrClosed), ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("accept on %s: %w", l.Addr(), err)
		}
		served.Go(func() { r.ServeConn(ctx, conn) })
	}
}
