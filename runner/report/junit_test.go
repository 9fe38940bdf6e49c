package report

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// What was refused, what the path was too slow for and what does not apply stand apart.
func TestKindsOfSkips(t *testing.T) {
	run := &matrix.Run{ID: "r", Cells: []matrix.CellResult{
		{Cell: matrix.Cell{ID: "c/r/e/draft-18/quic", Client: "c", Relay: "r", Endpoint: "e", Transport: "quic"},
			Status: matrix.TooSlow, Reason: "object-10-mb: the path is too slow: 1 Mbit/s", Attempts: 1,
			Label: matrix.Label{Source: matrix.Negotiated, Draft: "draft-18"},
			Cases: []matrix.CaseResult{
				{Name: "fetch", Status: matrix.Skip, Reason: "FETCH: NOT_SUPPORTED"},
				{Name: "object-10-mb", Status: matrix.TooSlow, Reason: "the path is too slow: 1 Mbit/s"},
				{Name: "fill", Status: matrix.NotApplicable, Reason: "from draft-20 on"},
			}},
	}}
	var xml, md bytes.Buffer
	if err := WriteJUnit(&xml, run); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`failures="0" errors="0" skipped="3"`, `message="refused: FETCH: NOT_SUPPORTED"`,
		`message="the path is too slow: 1 Mbit/s"`, `message="not applicable: from draft-20 on"`} {
		if !strings.Contains(xml.String(), want) {
			t.Errorf("no %s in %s", want, xml.String())
		}
	}
	if err := WriteMarkdown(&md, run, Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(md.String(), "🐢 1 too slow") || strings.Contains(md.String(), "Failures") {
		t.Error(md.String())
	}
	dir := t.TempDir()
	if err := WriteHTML(dir, run, Options{}); err != nil {
		t.Fatal(err)
	}
	page := content(t, filepath.Join(dir, HTMLFile))
	if rows := grid(t, page, "draft-18 · QUIC"); rows[1][1] != "…" {
		t.Errorf("the page: %q", rows)
	}
	if b := badgeOf("x", sum{of: 1, status: matrix.TooSlow}); b.Message != "too slow" || b.Color != "lightgrey" {
		t.Errorf("badge %+v", b)
	}
}

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
