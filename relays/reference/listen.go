//go:build !js

package reference

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
)

// The windows of a connection before they have grown, in bytes: what a client may send that is not read yet.
const (
	firstStreamWindow     = 512 << 10
	firstConnectionWindow = 1 << 20
	// windowShare is which part of the relay's memory the windows may grow by together.
	windowShare = 4
)

// ListenOptions gives the options with QUIC windows that the relay's account bounds: small at first where the options
// do not say otherwise, and growing while there is room. The relay's Metrics then tell of handshakes, too. A program
// that listens for a relay by other means than ListenAndServe passes its options through this.
func (r *Relay) ListenOptions(o endpoint.ListenOptions) endpoint.ListenOptions {
	if o.QUIC.StreamWindow == 0 {
		o.QUIC.StreamWindow = firstStreamWindow
	}
	if o.QUIC.ConnectionWindow == 0 {
		o.QUIC.ConnectionWindow = firstConnectionWindow
	}
	if o.Windows == nil {
		o.Windows = windows{r.account.Within(r.limits.MemoryBytes / windowShare)}
	}
	for _, outcome := range endpoint.HandshakeOutcomes() { // each is there from the start
		if outcome != endpoint.HandshakeComplete {
			r.handshakes.get(handshake{outcome: string(outcome)})
		}
	}
	told := o.Handshake
	o.Handshake = func(report endpoint.HandshakeReport) {
		r.handshook(report)
		if told != nil {
			told(report)
		}
	}
	return o
}

// handshook counts a handshake.
func (r *Relay) handshook(report endpoint.HandshakeReport) {
	k := handshake{outcome: string(report.Outcome), transport: string(report.Info.Kind)}
	if d, ok := transport.NegotiatedDraft(report.Info); ok {
		k.draft = d.String()
	}
	r.handshakes.get(k).observe(int64(report.Took))
}

// windows counts by how much the windows of connections have grown.
type windows struct{ account *moqt.Account }

// Take is called within the QUIC library, and so takes no lock of a track.
func (w windows) Take(n int64) bool { return w.account.Try(heldWindows, n) }

// Give gives back.
func (w windows) Give(n int64) { w.account.Give(heldWindows, n) }

// ListenAndServe listens and serves until ctx ends or the relay is closed. Its error is that of listening; nil if it
// was told to stop. Use endpoint.Listen and ServeListener instead if the address must be known first.
func (r *Relay) ListenAndServe(ctx context.Context, opts endpoint.ListenOptions) error {
	if opts.Drafts == nil {
		opts.Drafts = r.opts.Drafts
	}
	if opts.Warn == nil {
		opts.Warn = func(err error) { r.log.Info("no session came of a connection", "error", err) }
	}
	l, err := endpoint.Listen(r.ListenOptions(opts))
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
