package matrix

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/relays"
)

// The committed baseline is a run of the catalogue beside it, whole, with the drafts that were planned, and what failed
// in it is known.
func TestBaseline(t *testing.T) {
	results := filepath.Join("..", "..", "results")
	c, reports, err := relays.Open(filepath.Join(results, "peers.json"))
	if err != nil || len(reports) != 1 || len(reports[0].Left) > 0 {
		t.Fatalf("%v %v", err, reports)
	}
	dir := filepath.Join(results, "baseline")
	run := valid(t, dir)
	drafts := distinctOf(run, func(c *CellResult) string { return c.Draft })
	p := mustPlan(t, PlanOptions{Catalogue: c, Clients: []Client{Builtin()}, Filter: Filter{Drafts: drafts}})
	var cells []string
	for i := range run.Cells {
		c := &run.Cells[i]
		cells = append(cells, c.ID)
		if c.Label.Source != Negotiated || c.Label.Draft != c.Draft || c.Label.Conflict != "" {
			t.Errorf("%s: label %+v", c.ID, c.Label)
		}
	}
	if d := cmp.Diff(cellsOf(p), cells); d != "" {
		t.Errorf("cells (-of the catalogue +of the run):\n%s", d)
	}
	for what, n := range map[string][2]int{
		"clients":    {len(distinctOf(run, func(c *CellResult) string { return c.Client })), 3},
		"relays":     {len(distinctOf(run, func(c *CellResult) string { return c.Relay })), 4},
		"drafts":     {len(drafts), 3},
		"transports": {len(distinctOf(run, func(c *CellResult) string { return c.Transport })), 2},
	} {
		if n[0] < n[1] {
			t.Errorf("%d %s, want %d at least", n[0], what, n[1])
		}
	}
	known, err := LoadExpectations(filepath.Join(results, "known-failures.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if j := Judge(run, known); !j.Pass || j.Known == 0 {
		t.Errorf("%+v", j)
	}
	b, err := os.ReadFile(filepath.Join(dir, runFile))
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`"[^"]*[ "'=](/tmp|/home|/root|/Users|[A-Z]:\\)[^"]*"`).FindAll(b, 3); found != nil {
		t.Errorf("paths of a machine: %q", found)
	}
}

// distinctOf gives what f gives for the cells, each once.
func distinctOf(r *Run, f func(*CellResult) string) (out []string) {
	for i := range r.Cells {
		if v := f(&r.Cells[i]); !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
