//go:build !js && !small

package runner

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// metricsTimeout bounds what a client of the metrics may take for its request, and to read the answer.
const metricsTimeout = 5 * time.Second

// metricsPrefix is what the names of all metrics of the relay begin with.
const metricsPrefix = "moqt_relay_"

// ServeMetrics serves over HTTP/1.1, on a TCP address host:port. GET /metrics answers with what the relay and its
// listener count and measure, and with what the Go runtime and the system say of the process, in the formats that
// Prometheus reads; anything else is not found. It returns the address it listens on. Close ends it. Call it at most
// once, before Close.
func (r *Relay) ServeMetrics(addr string, opts MetricsOptions) (net.Addr, error) {
	registry := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{relayMetrics{r}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("metrics on %q: %w", addr, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", within(metricsTimeout, promhttp.HandlerFor(registry, promhttp.HandlerOpts{})))
	if opts.Profiles {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
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

// within bounds the time that a client may take to read an answer.
func within(limit time.Duration, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A connection that has no deadlines has none to be bounded.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(limit))
		h.ServeHTTP(w, r)
	})
}

// relayMetrics collects what the relay and its listener tell.
type relayMetrics struct{ *Relay }

// Describe says nothing beforehand: which drafts and transports there are shows with the sessions.
func (relayMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect gives the current values.
func (m relayMetrics) Collect(to chan<- prometheus.Metric) {
	open, refused := m.ln.Connections()
	for _, x := range append(m.relay.Metrics(),
		reference.Metric{Name: "connections", Kind: reference.Gauge, Value: float64(open),
			Help: "QUIC connections that there are, those in their handshake among them."},
		reference.Metric{Name: "connections_refused_total", Kind: reference.Counter, Value: float64(refused),
			Help: "QUIC connections refused because there were too many."}) {
		to <- inPrometheus(x)
	}
}

// inPrometheus is a metric of the relay in the library's form.
func inPrometheus(m reference.Metric) prometheus.Metric {
	var names, values []string
	for _, l := range m.Labels {
		names, values = append(names, l.Name), append(values, l.Value)
	}
	desc := prometheus.NewDesc(metricsPrefix+m.Name, m.Help, names, nil)
	switch m.Kind {
	case reference.Distribution:
		buckets := make(map[float64]uint64, len(m.Buckets))
		for _, b := range m.Buckets {
			buckets[b.Upper] = b.Count
		}
		return prometheus.MustNewConstHistogram(desc, m.Count, m.Value, buckets, values...)
	case reference.Counter:
		return prometheus.MustNewConstMetric(desc, prometheus.CounterValue, m.Value, values...)
	}
	return prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, m.Value, values...)
}
