package matrix

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/moqinterop/moq-interop-client/internal/printable"
	"github.com/moqinterop/moq-interop-client/runner"
	"github.com/moqinterop/moq-interop-client/runner/glob"
)

// Expectation is a known failure. Each of the first five fields is a glob that ignores upper and lower case; an empty
// one matches everything.
type Expectation struct {
	Client    string `yaml:"client" json:"client,omitempty"`
	Relay     string `yaml:"relay" json:"relay,omitempty"`
	Draft     string `yaml:"draft" json:"draft,omitempty"`
	Transport string `yaml:"transport" json:"transport,omitempty"`
	// Case is a case's identifier. Empty or "*" also stands for a cell that has no case to blame: its client or relay
	// did not start.
	Case string `yaml:"case" json:"case,omitempty"`
	// Flaky says that the case does not always fail: a pass is as good. Use it only where the reason says what decides.
	Flaky bool `yaml:"flaky" json:"flaky,omitempty"`
	// Reason says why the case fails; it must not be empty.
	Reason string `yaml:"reason" json:"reason"`
}

// String is the pattern, as client/relay/draft/transport/case.
func (e Expectation) String() string {
	parts := []string{e.Client, e.Relay, e.Draft, e.Transport, e.Case}
	for i := range parts {
		parts[i] = cmp.Or(parts[i], "*")
	}
	return strings.Join(parts, "/")
}

// covers reports whether the pattern is about a case of a cell; name is empty for the cell itself.
func (e Expectation) covers(c *CellResult, name string) bool {
	draft := cmp.Or(c.Draft, c.Label.Draft, c.Predicted)
	number := strings.TrimPrefix(draft, "draft-")
	for _, m := range [][2]string{{e.Client, c.Client}, {e.Relay, c.Relay}, {e.Transport, c.Transport}} {
		if m[0] != "" && !glob.Match(m[0], m[1]) {
			return false
		}
	}
	if e.Draft != "" && !glob.Match(e.Draft, draft) && !glob.Match(e.Draft, number) {
		return false
	}
	return e.Case == "" || glob.Match(e.Case, name)
}

// Expectations are the known failures of a file. The first one that covers a failure gives its reason.
type Expectations struct {
	// Name is the file's.
	Name string
	List []Expectation
}

// ReadExpectations reads a file: a YAML (or JSON) list of mappings with the keys client, relay, draft ("draft-18" or
// "18"), transport, case, flaky (true) and reason. Errors name the file and the entry.
func ReadExpectations(name string, r io.Reader) (*Expectations, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	x := &Expectations{Name: name}
	if err := yaml.UnmarshalWithOptions(b, &x.List, yaml.Strict()); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for i, e := range x.List {
		if strings.TrimSpace(e.Reason) == "" {
			return nil, fmt.Errorf("%s: entry %d (%s) has no reason", name, i+1, e)
		}
		for _, pattern := range []string{e.Client, e.Relay, e.Draft, e.Transport, e.Case} {
			if err := glob.Check(pattern); err != nil {
				return nil, fmt.Errorf("%s: entry %d (%s): %q: %w", name, i+1, e, pattern, err)
			}
		}
	}
	return x, nil
}

// LoadExpectations reads a file as ReadExpectations does.
func LoadExpectations(name string) (*Expectations, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadExpectations(name, f)
}

// Mark sets Known in a cell and its cases: to the reason where a failure is known, else to nothing. It changes no
// status: a known failure is still a failure. x may be nil.
func (x *Expectations) Mark(c *CellResult) {
	for i := range c.Cases {
		c.Cases[i].Known = ""
		if s := c.Cases[i].Status; s == Fail || s == Flaky || s == Missing {
			c.Cases[i].Known = x.reason(c, c.Cases[i].Name)
		}
	}
	if c.Known = ""; c.Blamed() {
		c.Known = x.reason(c, "")
	}
}

// Blamed reports whether the cell itself counts as a failure: something is wrong with it that none of its cases tells,
// or it has cases without a result that nobody expected. Call Mark before.
func (c *CellResult) Blamed() bool {
	unknown := 0
	for i := range c.Cases {
		if c.Cases[i].Status == Missing && c.Cases[i].Known == "" {
			unknown++
		}
	}
	return c.blamed(unknown)
}

// blamed is Blamed for a number of cases without a result that nobody expected.
func (c *CellResult) blamed(unknown int) bool {
	switch c.Status {
	case Down:
		return true
	case Error:
		return unknown > 0 || c.Count(Missing) == 0 || c.Label.Conflict != ""
	case Fail, Flaky:
		return unknown > 0 || c.Count(Fail)+c.Count(Flaky)+c.Count(Missing) == 0
	}
	return false
}

func (x *Expectations) reason(c *CellResult, name string) string {
	if x == nil {
		return ""
	}
	for _, e := range x.List {
		if e.covers(c, name) {
			return e.Reason
		}
	}
	return ""
}

// Judgement says whether a run passes, given the failures that were expected.
type Judgement struct {
	// Pass is true when every cell has a result, something was tested, nothing failed unexpectedly, nothing passed that
	// was expected to fail, and every entry of the file matched something.
	Pass bool
	// One line for each: Failures are the cases that failed unexpectedly, Flaky those that failed only at first, Errors
	// the cells that could not be judged, Down those whose relay does not answer, Missing those without a result. A
	// cell is in one of them: what failed in one that could not be judged stands in its line.
	Failures, Flaky, Errors, Down, Missing []string
	// Fixed are the cases that passed though they were expected to fail. Unused are the entries of the file that match
	// nothing in the run.
	Fixed, Unused []string
	// Known is the number of failures that were expected.
	Known int
	// Untested is true when nothing was judged: every cell was skipped, its path was too slow, or it does not
	// apply. It is never true for a shard.
	Untested bool
}

// Exit gives the exit code: runner.ExitPass or runner.ExitFail.
func (j Judgement) Exit() int {
	if j.Pass {
		return runner.ExitPass
	}
	return runner.ExitFail
}

// WriteText writes why the run does not pass: for each kind of problem a heading, and a line for each cell or case. For
// a pass it writes only how many known failures there are.
func (j Judgement) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, part := range []struct {
		heading string
		lines   []string
	}{
		{"failed", j.Failures}, {"flaky", j.Flaky}, {"error", j.Errors}, {"down", j.Down}, {"no result", j.Missing},
		{"passed, though expected to fail", j.Fixed}, {"expected failures that match nothing in the run", j.Unused},
	} {
		if len(part.lines) > 0 {
			fmt.Fprintf(&b, "%s (%d):\n", part.heading, len(part.lines))
		}
		for _, line := range part.lines {
			fmt.Fprintf(&b, "  %s\n", printable.OneLine(line))
		}
	}
	if j.Untested {
		b.WriteString("nothing was tested: every cell was skipped, its path was too slow, or it does not apply\n")
	}
	if j.Known > 0 {
		fmt.Fprintf(&b, "%d known failures\n", j.Known)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Judge judges a run. x may be nil. Entries of x that match nothing do not count against a shard: only the whole run
// can tell.
func Judge(r *Run, x *Expectations) Judgement {
	var j Judgement
	used := make([]bool, 0)
	if x != nil {
		used = make([]bool, len(x.List))
	}
	for i := range r.Cells {
		j.cell(&r.Cells[i], x, used)
	}
	if r.Plan.Shard == nil && x != nil {
		for i, e := range x.List {
			if !used[i] {
				j.Unused = append(j.Unused, fmt.Sprintf("%s: %s (%s)", x.Name, e, e.Reason))
			}
		}
	}
	j.Untested = r.Plan.Shard == nil && r.Count(Skip)+r.Count(TooSlow)+r.Count(NotApplicable) ==
		len(r.Cells)
	wrong := len(j.Failures) + len(j.Flaky) + len(j.Errors) + len(j.Down) + len(j.Missing)
	j.Pass = !j.Untested && wrong+len(j.Fixed)+len(j.Unused) == 0
	return j
}

// cell judges one cell and notes which entries match it.
func (j *Judgement) cell(c *CellResult, x *Expectations, used []bool) {
	covered := func(name string) *Expectation {
		var first *Expectation
		if x != nil {
			for i := range x.List {
				if x.List[i].covers(c, name) {
					used[i] = true
					if first == nil {
						first = &x.List[i]
					}
				}
			}
		}
		return first
	}
	unknown := 0          // cases without a result that nobody expected
	var also, none string // of a cell that could not be judged: what failed in it; of another: a case without a result
	for _, one := range c.Cases {
		e := covered(one.Name)
		line := c.ID + " " + one.Name
		if why := cmp.Or(one.Message, one.Reason); why != "" {
			line += ": " + why
		}
		switch s := one.Status; {
		case s == Pass && e != nil && !e.Flaky:
			j.Fixed = append(j.Fixed, fmt.Sprintf("%s %s passed, and %s expects it to fail: %s (%s)", c.ID, one.Name,
				x.Name, e, e.Reason))
		case s != Fail && s != Flaky && s != Missing:
		case e != nil:
			j.Known++
		case c.Status == Error && s != Missing:
			also += ", " + one.Name
		case s == Fail:
			j.Failures = append(j.Failures, line)
		case s == Flaky:
			j.Flaky = append(j.Flaky, line)
		default:
			if unknown++; unknown == 1 {
				none = one.Name + ": " + cmp.Or(one.Message, "no result")
			}
		}
	}
	line := c.ID + ": " + cmp.Or(c.Reason, string(c.Status))
	if also != "" {
		line += "; failed too: " + strings.TrimPrefix(also, ", ")
	}
	switch {
	case c.Status == Error && also != "":
		j.Errors = append(j.Errors, line)
	case c.Status == Missing, c.Status == Stale:
		j.Missing = append(j.Missing, line)
	case !c.blamed(unknown):
	case covered("") != nil:
		j.Known++
	case c.Status == Down:
		j.Down = append(j.Down, line)
	case c.Status == Error:
		j.Errors = append(j.Errors, line)
	case unknown > 0: // it failed or was flaky, and ended early
		line = fmt.Sprintf("%s: no result for %d cases, first %s", c.ID, unknown, none)
		fallthrough
	default:
		if c.Status == Flaky {
			j.Flaky = append(j.Flaky, line)
		} else {
			j.Failures = append(j.Failures, line)
		}
	}
}
