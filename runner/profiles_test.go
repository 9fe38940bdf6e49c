//go:build !js && !small

package runner

import (
	"io"
	"net/http"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// TestProfiles: where they are asked for, the profiles are served beside the metrics, one that takes its time too.
func TestProfiles(t *testing.T) {
	relay, err := StartRelay(reference.Options{}, endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	addr, err := relay.ServeMetrics("127.0.0.1:0", MetricsOptions{Profiles: true})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/goroutine?debug=1",
		"/debug/pprof/trace?seconds=0.1"} {
		answer, err := client.Get("http://" + addr.String() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK || len(body) == 0 {
			t.Errorf("%s: %s, %d bytes, %v", path, answer.Status, len(body), err)
		}
	}
}
