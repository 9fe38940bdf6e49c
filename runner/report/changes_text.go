package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Summary counts the changes in one line: "3 broken, 1 fixed, 400 the same".
func (c *Comparison) Summary() string {
	var parts []string
	for _, k := range Kinds {
		if n := c.Count(k); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, k))
		}
	}
	return strings.Join(append(parts, fmt.Sprintf("%d the same", c.Same)), ", ")
}

// WriteText writes the comparison for a terminal: a summary, then a paragraph for each kind of change. What changed
// alike stands together.
func (c *Comparison) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s -> %s: %s\n", line(c.A), line(c.B), c.Summary())
	var kind Kind
	for _, g := range c.groups() {
		if g.Kind != kind {
			kind = g.Kind
			fmt.Fprintf(&b, "\n%s\n", kind)
		}
		fmt.Fprintf(&b, "  %s", g.Where())
		if cases := g.names(); cases != "" {
			fmt.Fprintf(&b, "  %s", cases)
		}
		if ways := g.ways(); ways != "" {
			fmt.Fprintf(&b, "\n      in %d cells: %s", len(g.Cells), ways)
		}
		fmt.Fprintf(&b, "\n      %s\n", g.text())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// names gives the names of the group's cases.
func (g *changeGroup) names() string {
	text := line(few(g.Cases, 8))
	if len(g.Cases) > 3 {
		text = fmt.Sprintf("%d cases: %s", len(g.Cases), text)
	}
	return text
}

// text says what the cases were before and are now.
func (g *changeGroup) text() string {
	switch {
	case g.Kind == Slower:
		return fmt.Sprintf("%d ms -> %d ms", g.Before.DurationMS, g.After.DurationMS)
	case g.Before == nil:
		return g.After.Text()
	case g.After == nil:
		return "was " + g.Before.Text()
	}
	return g.Before.Text() + " -> " + g.After.Text()
}

// WriteMarkdown writes the comparison in GitHub's dialect.
func (c *Comparison) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	c.markdown(&b, fmt.Sprintf("## %s → %s", markdown(c.A), markdown(c.B)), 500)
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *Comparison) markdown(b *strings.Builder, title string, most int) {
	fmt.Fprintf(b, "%s\n\n%s.\n\n", title, c.Summary())
	groups := c.groups()
	if len(groups) == 0 {
		return
	}
	signs := map[Kind]string{Broken: "🔻", Fixed: "🔺", Changed: "🔸", New: "🆕", Gone: "🚫", Slower: "🐢"}
	b.WriteString("| | Cell | Cases | Before | After |\n|---|---|---|---|---|\n")
	for i, g := range groups {
		if i == most {
			fmt.Fprintf(b, "\nAnd %d more.\n", len(groups)-most)
			break
		}
		before, after := g.Before.Text(), g.After.Text()
		if g.Kind == Slower {
			before, after = fmt.Sprintf("%d ms", g.Before.DurationMS), fmt.Sprintf("%d ms", g.After.DurationMS)
		}
		where := markdown(g.Where())
		if ways := g.ways(); ways != "" {
			where += "<br><sub>" + markdown(ways) + "</sub>"
		}
		fmt.Fprintf(b, "| %s %s | %s | %s | %s | %s |\n", signs[g.Kind], g.Kind, where, markdown(g.names()),
			markdown(cut(before, 160)), markdown(cut(after, 300)))
	}
	b.WriteString("\n")
}

// WriteJSON writes the comparison with all its changes, and the number of each kind.
func (c *Comparison) WriteJSON(w io.Writer) error {
	counts := make(map[Kind]int, len(Kinds))
	for _, k := range Kinds {
		counts[k] = c.Count(k)
	}
	return writeJSON(w, struct {
		*Comparison
		Counts map[Kind]int `json:"counts"`
		Exit   int          `json:"exit_code"`
	}{c, counts, c.ExitCode()})
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
