package runner

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// TestShortForm: one line a case, cut to the terminal, and what failed whole at the end.
func TestShortForm(t *testing.T) {
	client := &fakeClient{results: map[string]Result{
		"setup-only": passed("setup-only", quicSession("client", "01")),
		"fetch": {Case: "fetch", Status: Fail, Level: "MUST", Sections: "draft-16 §9.16", Layer: transport.LayerData,
			Expected: "5 objects of group 1", Received: "4 of 5: {1, 3} is missing\x1b[2J",
			Message:  "expected 5 objects of group 1, received 4 of 5: {1, 3} is missing",
			Duration: 2345 * time.Millisecond, Notes: []string{"the relay resets \"one\" stream"}},
		"join":       {Case: "join", Status: Skip, Reason: "NOT_SUPPORTED", Duration: time.Millisecond},
		"goaway":     {Case: "goaway", Status: Skip, TooSlow: true, Reason: "the path is too slow: 1.2 Mbit/s"},
		"rendezvous": {Case: "rendezvous", Status: NotApplicable, Reason: "exists in drafts 17 to 22"},
	}}
	for name, short := range map[string]Short{"plain": {Width: 60}, "color": {Color: true}} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			short.To = &out
			report, err := Run(t.Context(), Options{Client: client, Relay: "moqt://relay.example",
				Cases: plan("setup-only", "fetch", "join", "goaway", "rendezvous"), Short: &short,
				Repeat: func(id string) string { return "moq-interop-client -r moqt://relay.example -t " + id }})
			if err != nil || report.Exit != ExitFail {
				t.Fatalf("exit %d, %v", report.Exit, err)
			}
			got := out.String()
			at := strings.LastIndex(got, " in ") // how long it took
			got = got[:at] + " in …\n"
			golden := filepath.Join("testdata", "short-"+name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
