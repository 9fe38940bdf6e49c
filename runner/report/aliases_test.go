package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// dayOf is a run at an event: endpoint and client of the day, each case with a status.
func dayOf(id, client, endpoint string, fetch matrix.Status) *matrix.Run {
	r := &matrix.Run{Format: matrix.Format, ID: id, Started: time.Date(2026, 11, 1, len(id), 0, 0, 0, time.UTC)}
	for _, draft := range []string{"draft-16", "draft-18"} {
		c := matrix.CellResult{Status: fetch, Reason: "fetch: why", Attempts: 1, Cases: []matrix.CaseResult{
			{Name: "setup-only", Status: matrix.Pass}, {Name: "fetch", Status: fetch, Message: "why"}}}
		c.Cell = matrix.Cell{ID: client + "/r/" + endpoint + "/" + draft + "/quic", Client: client, Relay: "r",
			Endpoint: endpoint, Draft: draft, Transport: "quic"}
		r.Cells = append(r.Cells, c)
	}
	return r
}

// Another port, another flag and another version are the same relay and the same client.
func TestCellsKeepTheirPast(t *testing.T) {
	a := dayOf("a", "c+prog-0123ab", "moqt-10.0.0.1-4443", matrix.Pass)
	b := dayOf("bb", "c+prog-4567cd", "relay-89abef", matrix.Fail)
	got := Compare(a, b, CompareOptions{})
	if got.Count(Broken) != 2 || got.Same != 2 || len(got.Changes) != 2 || got.ExitCode() != 1 {
		t.Errorf("%s: %+v", got.Summary(), got.Changes)
	}
	if id := got.Changes[0].Cell; id != b.Cells[0].ID {
		t.Errorf("it stands under %s", id)
	}
	v := newView(b, []*matrix.Run{a})
	if h := v.histories(); h[0] != "pf" {
		t.Errorf("%q", h)
	}
	for i := range b.Cells {
		b.Cells[i].Status, b.Cells[i].Cases = matrix.Missing, nil
	}
	if v := newView(b, []*matrix.Run{a}); v.cells[0].Status != matrix.Stale || v.cells[0].ID != b.Cells[0].ID {
		t.Errorf("%s %s", v.cells[0].Status, v.cells[0].ID)
	}
}

// Two endpoints of one relay tell nothing apart: then nothing is guessed.
func TestCellsThatSeveralCouldBe(t *testing.T) {
	a := dayOf("a", "c", "one", matrix.Pass)
	a.Cells = append(a.Cells, dayOf("a", "c", "two", matrix.Pass).Cells...)
	got := Compare(a, dayOf("bb", "c", "three", matrix.Fail), CompareOptions{})
	if got.Count(Broken) != 0 || got.Count(New) != 4 || got.Count(Gone) != 8 {
		t.Error(got.Summary())
	}
}

// Results that there were none of, and that are passes now, fill no page: their number says it.
func TestFromMissingToPass(t *testing.T) {
	a := dayOf("a", "c", "one", matrix.Missing)
	got := Compare(a, dayOf("bb", "c", "one", matrix.Pass), CompareOptions{})
	var b bytes.Buffer
	if err := got.WriteText(&b); err != nil || got.Count(New) != 2 || strings.Count(b.String(), "\n") != 1 {
		t.Errorf("%v\n%s", err, b.String())
	}
}
