package runner

import (
	"bytes"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// The tree has sections in the draft's order, the rules of each with its verdicts, the totals, and what failed.
func TestTree(t *testing.T) {
	of := func(id, title string, rule rules.ID) cases.Case {
		return cases.Case{ID: id, Title: title, Rules: []rules.ID{rule}, Roles: []string{"client"}}
	}
	good := passed("a", quicSession("client", "01"))
	good.Sections = "draft-16 §9.4"
	client := &fakeClient{results: map[string]Result{
		"a": good,
		"b": {Case: "b", Status: Fail, Sections: "draft-16 §2.4.1", Level: "MUST", Layer: transport.LayerRequest,
			Expected: "the session closed", Received: "a session that is open",
			Message: "expected the session closed, received a session that is open"},
		"c": {Case: "c", Status: Todo, Sections: "draft-16 §9.4", Message: "late"},
		"d": {Case: "d", Status: NotApplicable, Reason: "exists in drafts 20 to 22"},
	}}
	var out bytes.Buffer
	_, err := Run(t.Context(), Options{Client: client, Relay: "moqt://relay.example", Short: &Short{To: &out,
		Tree: true},
		Cases: []cases.Case{of("a", "GOAWAY twice", rules.GoawayOnce), of("b", "A long name", rules.NameLength),
			of("c", "GOAWAY thrice", rules.GoawayOnce), of("d", "A fill", rules.Fill)}})
	if err != nil {
		t.Fatal(err)
	}
	rest := out.String()
	for _, want := range []string{
		"draft-16 §2.4.1\n  name-length: A namespace with its track name has no more than",
		"\n    NOT OK  A long name\n",
		"draft-16 §9.4\n  goaway-once: ", "\n    ok      GOAWAY twice\n    SHOULD  GOAWAY thrice\n",
		"section ", "\n§2.4.1                0       1       0        0\n",
		"§9.4                  1       0       1        0\n",
		"1 cases are not of this draft.\n", "\nb  (MUST draft-16 §2.4.1)\n  expected  the session closed\n",
	} {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Fatalf("%q is missing, or not behind what comes before it:\n%s", want, out.String())
		}
		rest = after
	}
}
