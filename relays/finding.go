package relays

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/moqinterop/moq-interop-client/internal/printable"
)

// Finding is something in a file that is wrong, or that has no place in a catalogue. It is an error that names all it
// knows.
type Finding struct {
	// File and Line (from 1) say where it stands; Path says where in the JSON, empty in a text file.
	File string `json:"file"`
	Line int    `json:"line"`
	Path string `json:"path,omitempty"`
	// Why says what was expected, or why there is no place for it; Value is what came, as JSON, cut when it is long.
	Why   string `json:"why"`
	Value string `json:"value,omitempty"`
	// About is true for what is about the file and not about an implementation: its schema, its version, its
	// instructions.
	About bool `json:"about_the_file,omitempty"`
}

// Error gives `file:line: path: why; came value`.
func (f Finding) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: ", f.File, f.Line)
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Why)
	if f.Value != "" {
		b.WriteString("; came " + f.Value)
	}
	return b.String()
}

// Findings are the errors of one file, in the file's order.
type Findings []Finding

// mostShown bounds an error's text: a file of the wrong kind is wrong everywhere.
const mostShown = 20

// Error gives a line for each of the first findings, and how many more there are.
func (fs Findings) Error() string {
	var lines []string
	for i, f := range fs {
		if i == mostShown {
			lines = append(lines, fmt.Sprintf("and %d more", len(fs)-i))
			break
		}
		lines = append(lines, f.Error())
	}
	return strings.Join(lines, "\n")
}

// Report says what an import took, and names everything that it could not take.
type Report struct {
	// File is the input's name, Format what it was found to be.
	File   string `json:"file"`
	Format Format `json:"format"`
	// Left are the values that the catalogue has no place for, in the file's order.
	Left Findings `json:"left"`
}

// Lost are those of Left that are about an implementation: after them the catalogue says less than the file did.
func (r Report) Lost() Findings {
	var lost Findings
	for _, f := range r.Left {
		if !f.About {
			lost = append(lost, f)
		}
	}
	return lost
}

// WriteJSON writes the report, indented for people.
func (r Report) WriteJSON(w io.Writer) error {
	if r.Left == nil {
		r.Left = Findings{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// WriteText writes a line for each value that was left out, and nothing when there is none.
func (r Report) WriteText(w io.Writer) error {
	for _, f := range r.Left {
		if _, err := fmt.Fprintln(w, printable.Text(f.Error())); err != nil {
			return err
		}
	}
	return nil
}
