package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// What was expected to fail is no error in JUnit either, also where no case is to blame: the run passes with it.
func TestJUnitOfKnownErrors(t *testing.T) {
	run := &matrix.Run{ID: "r", Cells: []matrix.CellResult{
		{Cell: matrix.Cell{ID: "a"}, Status: matrix.Error, Reason: "the relay did not start", Known: "no image"},
		{Cell: matrix.Cell{ID: "b"}, Status: matrix.Error, Reason: "no result",
			Cases: []matrix.CaseResult{{Name: "fetch", Status: matrix.Missing, Known: "it crashes"}}},
	}}
	write := func() string {
		var b bytes.Buffer
		if err := WriteJUnit(&b, run); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	got := write()
	for _, want := range []string{`errors="0" skipped="2"`,
		`message="expected to fail (no image): the relay did not start"`, `expected to fail (it crashes)`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	run.Cells[0].Known, run.Cells[1].Cases[0].Known = "", ""
	if got := write(); !strings.Contains(got, `errors="3" skipped="0"`) {
		t.Errorf("unexpected errors: %s", got)
	}
}
