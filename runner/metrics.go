//go:build !js

package runner

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	process "github.com/VictoriaMetrics/metrics"

	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// MetricsOptions say what ServeMetrics serves beside the metrics.
type MetricsOptions struct {
	// Profiles serves the profiles of the process too, under /debug/pprof/.
	Profiles bool
}

// metricsTimeout bounds what a client of the metrics may take for its request, and to read the answer.
const metricsTimeout = 5 * time.Second

// metricsPrefix is what the names of all metrics of the relay begin with.
const metricsPrefix = "moqt_relay_"

// ServeMetrics serves over HTTP/1.1, on a TCP address host:port. GET /metrics answers with what the relay and its
// listener count and measure, and with what the Go runtime and the system say of the process, in the text format that
// Prometheus reads; anything else is not found. It returns the address it listens on. Close ends it. Call it at most
// once, before Close.
func (r *Relay) ServeMetrics(addr string, opts MetricsOptions) (net.Addr, error) {
	process.ExposeMetadata(true)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", within(metricsTimeout, http.HandlerFunc(r.metrics)))
	if opts.Profiles {
		if err := profiles(mux); err != nil {
			return nil, err
		}
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("metrics on %q: %w", addr, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.http = &http.Server{Handler: mux, ReadTimeout: metricsTimeout, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }}
	r.httpDone = make(chan struct{})
	go func() {
		defer close(r.httpDone)
		defer cancel()
		r.http.Serve(ln) // until Close: it goes on after errors of single connections
	}()
	return ln.Addr(), nil
}

// closeMetrics ends ServeMetrics, if there is one.
func (r *Relay) closeMetrics() {
	if r.http != nil {
		r.http.Close()
		<-r.httpDone
	}
}

// within bounds the time that a client may take to read an answer.
func within(limit time.Duration, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A connection that has no deadlines has none to be bounded.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(limit))
		h.ServeHTTP(w, r)
	})
}

// metrics answers with the current values.
func (r *Relay) metrics(w http.ResponseWriter, _ *http.Request) {
	open, refused := r.ln.Connections()
	var page bytes.Buffer
	expose(&page, metricsPrefix, append(r.relay.Metrics(),
		reference.Metric{Name: "connections", Kind: reference.Gauge, Value: float64(open),
			Help: "QUIC connections that there are, those in their handshake among them."},
		reference.Metric{Name: "connections_refused_total", Kind: reference.Counter, Value: float64(refused),
			Help: "QUIC connections refused because there were too many."}))
	process.WriteProcessMetrics(&page)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(page.Bytes())
}
