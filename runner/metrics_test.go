//go:build !js && !small

package runner

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// TestMetrics: /metrics says what there is while it is there, nothing else is served, and Close takes it away.
func TestMetrics(t *testing.T) {
	relay, err := StartRelay(reference.Options{}, endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	addr, err := relay.ServeMetrics("127.0.0.1:0", MetricsOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := relay.ServeMetrics("127.0.0.1:none", MetricsOptions{}); err == nil {
		t.Error("a port that does not exist is served")
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path string) (int, string) {
		t.Helper()
		answer, err := client.Get("http://" + addr.String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	conn, err := endpoint.Dial(t.Context(), relay.Connect(endpoint.DialOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	session, err := moqt.Client(t.Context(), conn, moqt.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.PublishNamespace(t.Context(), wire.TrackNamespace{"n"}, nil); err != nil {
		t.Fatal(err)
	}
	status, text := get("/metrics")
	for _, want := range []string{"moqt_relay_sessions 1", "moqt_relay_requests_total 1",
		"moqt_relay_requests_refused_total 0", "moqt_relay_connections 1", "moqt_relay_connections_refused_total 0",
		`moqt_relay_held_bytes{kind="cache"} 0`, "moqt_relay_namespaces 1",
		`moqt_relay_sessions_established_total{draft="draft-22",transport="quic"} 1`,
		`moqt_relay_handshake_seconds_count{draft="draft-22",outcome="complete",transport="quic"} 1`,
		`moqt_relay_handshake_seconds_count{draft="",outcome="no_application_protocol",transport=""} 0`,
		`moqt_relay_object_first_byte_seconds_count{draft="draft-22",transport="quic"} 0`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("no line %q in\n%s", want, text)
		}
	}
	if status != http.StatusOK || strings.Count(text, "# HELP ") != strings.Count(text, "# TYPE ") {
		t.Errorf("status %d, or HELP without TYPE:\n%s", status, text)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if families, err := parser.TextToMetricFamilies(strings.NewReader(text)); err != nil || len(families) < 60 {
		t.Errorf("%d families, %v", len(families), err)
	}
	if !strings.Contains(text, "\ngo_goroutines ") || runtime.GOOS == "linux" &&
		!strings.Contains(text, "\nprocess_resident_memory_bytes ") {
		t.Errorf("nothing of the process:\n%s", text)
	}
	if status, _ := get("/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("profiles are served unasked: %d", status)
	}
	if status, _ := get("/"); status != http.StatusNotFound {
		t.Errorf("/ gives %d", status)
	}
	session.Close(wire.NoError, "")
	relay.Close()
	if answer, err := client.Get("http://" + addr.String() + "/metrics"); err == nil {
		answer.Body.Close()
		t.Error("the metrics are still served after Close")
	}
}
