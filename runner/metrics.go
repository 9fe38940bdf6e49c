//go:build !js

package runner

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"time"
)

// metricsTimeout bounds how long a client of the metrics may take to send its request and to read the answer.
const metricsTimeout = 5 * time.Second

// ServeMetrics serves the counters of the relay and its listener over HTTP/1.1 on a TCP address, host:port. GET
// /metrics answers in the text format of Prometheus; anything else is not found. It returns the address it listens on.
// Close ends it. Call it at most once, before Close.
func (r *Relay) ServeMetrics(addr string) (net.Addr, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("metrics on %q: %w", addr, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		w.Write(r.metrics())
	})
	r.http = &http.Server{Handler: mux, ReadTimeout: metricsTimeout, WriteTimeout: metricsTimeout,
		MaxHeaderBytes: 16 << 10}
	r.httpDone = make(chan struct{})
	go func() {
		defer close(r.httpDone)
		r.http.Serve(ln) // until Close: it goes on after errors of single connections
	}()
	return ln.Addr(), nil
}

// metrics are all numbers as text.
func (r *Relay) metrics() []byte {
	b := bytes.NewBuffer(r.relay.Counters().AppendPrometheus(nil))
	open, refused := r.ln.Connections()
	fmt.Fprintf(b, "# HELP moqt_relay_connections QUIC connections that there are, those in their handshake among "+
		"them.\n"+
		"# TYPE moqt_relay_connections gauge\nmoqt_relay_connections %d\n", open)
	fmt.Fprintf(b,
		"# HELP moqt_relay_connections_refused_total QUIC connections refused because there were too many.\n"+
			"# TYPE moqt_relay_connections_refused_total counter\nmoqt_relay_connections_refused_total %d\n", refused)
	return b.Bytes()
}

// closeMetrics ends ServeMetrics, if there is one.
func (r *Relay) closeMetrics() {
	if r.http != nil {
		r.http.Close()
		<-r.httpDone
	}
}
