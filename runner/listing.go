package runner

import (
	"fmt"
	"io"
	"strings"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// List writes cases for people, one identifier a line; with long also title, drafts, level and tags, and where the
// drafts named have the rules: the first of those that the case applies to, or all of them when they were asked for.
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
	_, err := io.WriteString(w, b.String())
	return err
}

// describe writes the facts of one case, indented.
func describe(b *strings.Builder, c *cases.Case, drafts []wire.Draft) {
	fmt.Fprintf(b, "    %s\n", c.Title)
	if len(c.Aliases) > 0 {
		fmt.Fprintf(b, "    also: %s\n", strings.Join(c.Aliases, ", "))
	}
	fmt.Fprintf(b, "    %s; %s; suite %s\n", c.DraftRange(), c.Level, c.Suite)
	fmt.Fprintf(b, "    tags: %s\n", strings.Join(c.Tags, ", "))
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
}
