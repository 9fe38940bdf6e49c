package runner

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// List writes the identifiers of cases to w, one a line. With long it adds for each case the title, drafts, level and
// tags, its rules and their sections: in each of the given drafts, or else in the first of all drafts that the case
// applies to. A long list ends with the number of cases, and of the reference relay's faults that they find.
func List(w io.Writer, list []cases.Case, long bool, drafts []wire.Draft) error {
	var b strings.Builder
	for i, c := range list {
		if long && i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintln(&b, c.ID)
		if long {
			describe(&b, &c, drafts)
		}
	}
	if long {
		fmt.Fprintf(&b, "\n%s\n", totals(list))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// totals counts cases and the faults that they name: "3 cases, 7 faults, 9 pairs of the two".
func totals(list []cases.Case) string {
	faults, pairs := map[string]bool{}, map[[2]string]bool{}
	for _, c := range list {
		for _, f := range c.Faults {
			faults[f.Name], pairs[[2]string{c.ID, f.Name}] = true, true
		}
	}
	noun := "cases"
	if len(list) == 1 {
		noun = "case"
	}
	return fmt.Sprintf("%d %s, %d faults, %d pairs of the two", len(list), noun, len(faults), len(pairs))
}

// describe writes the facts of one case, indented.
func describe(b *strings.Builder, c *cases.Case, drafts []wire.Draft) {
	fmt.Fprintf(b, "    %s\n", c.Title)
	if len(c.Aliases) > 0 {
		fmt.Fprintf(b, "    also: %s\n", strings.Join(c.Aliases, ", "))
	}
	fmt.Fprintf(b, "    %s; %s; suite %s\n", c.DraftRange(), c.Level, c.Suite)
	fmt.Fprintf(b, "    tags: %s\n", strings.Join(c.Tags, ", "))
	faults := map[bool][]string{}
	for _, f := range c.Faults {
		if !slices.Contains(faults[f.Refused], f.Name) {
			faults[f.Refused] = append(faults[f.Refused], f.Name)
		}
	}
	fmt.Fprintf(b, "    fails under: %s\n", strings.Join(faults[false], ", "))
	if len(faults[true]) > 0 {
		fmt.Fprintf(b, "    is skipped under: %s\n", strings.Join(faults[true], ", "))
	}
	if len(drafts) == 0 {
		drafts = wire.Drafts()
		for i, d := range drafts {
			if c.Applies(d) {
				drafts = drafts[i : i+1]
				break
			}
		}
	}
	for _, d := range drafts {
		if !c.Applies(d) {
			fmt.Fprintf(b, "    section: %s does not have the case\n", d)
		} else if s := c.Sections(d); s != "" {
			fmt.Fprintf(b, "    section: %s\n", s)
		}
	}
	for _, id := range c.Rules {
		r, _ := rules.Find(id)
		if slices.ContainsFunc(drafts, func(d wire.Draft) bool { return len(r.Sections(int(d))) > 0 }) {
			fmt.Fprintf(b, "    rule %s: %s\n", id, r.Says)
		}
	}
}
