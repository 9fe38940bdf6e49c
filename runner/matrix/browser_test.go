package matrix

import (
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/relays"
)

// A browser is a client over WebTransport, and runs all cases at once.
func TestBrowserIsAClient(t *testing.T) {
	const text = `{"format": 1, "implementations": [
		{"name": "page", "roles": ["client"], "drafts": ["draft-18"], "browser": "chromium"},
		{"name": "relay", "roles": ["relay"], "drafts": ["draft-16", "draft-18"],
			"endpoints": [{"url": "embedded"}, {"url": "moqt://h"}, {"url": "https://h"}]}]}`
	c, _, err := relays.Load("f", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	p := mustPlan(t, PlanOptions{Catalogue: c, Filter: Filter{Transports: transports()}})
	var ids []string
	for _, cell := range p.Cells {
		ids = append(ids, cell.ID)
		if cell.Transport != "webtransport" || cell.Draft != "draft-18" {
			t.Errorf("%+v", cell)
		}
	}
	if len(ids) != 3 { // moqt:// is WebTransport, too, from 18 on
		t.Errorf("cells %q", ids)
	}
	client := p.Clients[0]
	if got := strings.Join(client.Command, " "); !strings.HasPrefix(got, "{self} web --browser chromium") ||
		!client.Lists || client.Name != "page" {
		t.Errorf("%+v", client)
	}
	f := foreign{o: &Options{Program: []string{"me"}}, spec: client}
	w := &work{cell: p.Cells[1], endpoint: p.Endpoints[1], url: "https://h"}
	for _, part := range []string{"TESTCASE=fetch,join", "RELAY_URL=https://h", "MOQT_DRAFT=draft-18"} {
		got := f.repeat(w, []string{"fetch", "join"})
		if !strings.Contains(got, part) || strings.Contains(got, "for c") {
			t.Errorf("%q has no %s", got, part)
		}
	}
}

// A client that takes a list is run once for all cases.
func TestListsOfCases(t *testing.T) {
	c := asClient("c", "pass", t.TempDir())
	c.Lists = true
	r := execute(t, planOf(t, 1, one, []string{"fetch", "join"}, c), Options{}).Cells[0]
	if r.Status != Pass || len(r.Cases) != 2 || r.Cases[0].Name != "fetch" || r.Cases[1].Name != "join" {
		t.Errorf("%s %s %+v", r.Status, r.Reason, r.Cases)
	}
}
