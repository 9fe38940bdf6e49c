package tap_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/moqinterop/moq-interop-client/runner/tap"
)

func ExampleWriter() {
	w := tap.NewWriter(os.Stdout)
	w.Version()
	w.Comment("Relay: moqt://localhost:4443\nDraft: draft-18")
	w.Plan(2)
	w.Point(tap.Point{Number: 1, OK: true, Name: "setup-only", YAML: yaml.MapSlice{{Key: "duration_ms", Value: 5}}})
	w.Point(tap.Point{Number: 2, Name: "subscribe-error", YAML: yaml.MapSlice{
		{Key: "duration_ms", Value: 2000},
		{Key: "message", Value: "request: no answer to SUBSCRIBE"},
	}})
	if err := w.Close(); err != nil { // the first error of all these calls, or what is missing
		fmt.Println(err)
	}
	// Output:
	// TAP version 14
	// # Relay: moqt://localhost:4443
	// # Draft: draft-18
	// 1..2
	// ok 1 - setup-only
	//   ---
	//   duration_ms: 5
	//   ...
	// not ok 2 - subscribe-error
	//   ---
	//   duration_ms: 2000
	//   message: "request: no answer to SUBSCRIBE"
	//   ...
}

func ExampleParse() {
	doc, err := tap.Parse(strings.NewReader(`client-1  | TAP version 14
client-1  | # Draft: 16 (ALPN: moqt-16)
client-1  | 1..3
client-1  | ok 1 - setup-only
client-1  | not ok 2 - announce-only
client-1  |   ---
client-1  |   error: PUBLISH_NAMESPACE: request IDs blocked
client-1  |   ---
`))
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println("draft", doc.Drafts[0].Number)
	fmt.Println(doc.Summary())
	message, _ := tap.Lookup(doc.Points[1].YAML, "error")
	fmt.Println(message)
	for _, reason := range doc.Verdict(0).Reasons {
		fmt.Println("-", reason)
	}
	// Output:
	// draft 16
	// 1 passed, 1 failed, 1 missing
	// PUBLISH_NAMESPACE: request IDs blocked
	// - 1 of 3 points failed: 2 announce-only
	// - 1 of 3 points missing
	// - exit code 0 all the same
}
