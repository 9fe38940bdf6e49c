package cases_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// said gives the fields of the first message of a name that a role sent.
func said(t *testing.T, r cases.Result, role, name string) (fields struct {
	Namespace  []string `json:"track_namespace"`
	Prefix     []string `json:"track_namespace_prefix"`
	Track      string   `json:"track_name"`
	GroupOrder string   `json:"group_order"`
	Parameters []struct{ Name, Value string }
}) {
	t.Helper()
	for _, line := range r.Transcript {
		if _, text, ok := strings.Cut(line, role+" -> "+name+" "); ok {
			if err := json.Unmarshal([]byte(text), &fields); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			return fields
		}
	}
	t.Fatalf("no %s of the %s in\n%s", name, role, strings.Join(r.Transcript, "\n"))
	return fields
}

// The stimuli of two cases are those of the public catalogue, whose revision the results claim: data-subgroup-basic
// subscribes to "track" in ascending order, and subscribe-namespace-lifecycle publishes the very namespace that it
// subscribes to.
func TestStimuliOfTheCatalogue(t *testing.T) {
	for _, d := range wire.Drafts() {
		r := onReference(t, find(t, "data-subgroup-basic"), d)
		m := said(t, r, "subscriber", "SUBSCRIBE")
		order := m.GroupOrder
		for _, p := range m.Parameters {
			if p.Name == "GROUP_ORDER" {
				order = p.Value
			}
		}
		if m.Track != "track" || order != "1" {
			t.Errorf("%s: track %q, group order %q", d, m.Track, order)
		}
		r = onReference(t, find(t, "subscribe-namespace-lifecycle"), d)
		prefix := said(t, r, "subscriber", "SUBSCRIBE_NAMESPACE").Prefix
		m = said(t, r, "publisher", "PUBLISH_NAMESPACE") // 22 calls its namespace a prefix
		if ns := append(m.Namespace, m.Prefix...); len(ns) == 0 || !slices.Equal(ns, prefix) {
			t.Errorf("%s: the prefix is %q, the namespace %q", d, prefix, ns)
		}
	}
}
