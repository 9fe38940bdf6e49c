package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// The most that a summary lists.
const (
	mostMarkdownFailures = 60
	mostMarkdownChanges  = 60
	mostMarkdownLeftOut  = 20
)

// WriteMarkdown writes a summary of a run for a job's page: the verdict, what changed since the latest earlier run, the
// matrix, and the failures by cause. It uses GitHub's dialect, and stays below GitHub's limit of 1 MiB even for the
// largest plans.
func WriteMarkdown(w io.Writer, run *matrix.Run, o Options) error {
	v := newView(run, o.History)
	return v.writeMarkdown(w, v.page(o))
}

func (v *view) writeMarkdown(w io.Writer, p *page) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %d of %d cells pass\n\n", markdown(p.Title), p.Pass, p.Of)
	fmt.Fprintf(&b, "Run **%s**, %s", markdown(p.Run), p.Started)
	if p.Took != "" {
		fmt.Fprintf(&b, ", took %s", p.Took)
	}
	b.WriteString(".\n\n")
	for _, warning := range p.Warnings {
		fmt.Fprintf(&b, "> **%s**\n\n", markdown(warning))
	}
	var counts []string
	for _, c := range p.Counts {
		counts = append(counts, fmt.Sprintf("%s %d %s", c.emoji, c.N, markdown(c.Word)))
	}
	b.WriteString(strings.Join(counts, " · "))
	if len(p.Layers) > 0 {
		var in []string
		for _, l := range p.Layers {
			in = append(in, fmt.Sprintf("%s %d", markdown(l.Layer), l.N))
		}
		fmt.Fprintf(&b, "\n\nFailed in: %s", strings.Join(in, ", "))
	}
	b.WriteString("\n\n")
	if v.changes != nil {
		v.changes.markdown(&b, "## Since "+markdown(p.Previous), mostMarkdownChanges)
	}
	b.WriteString("## Clients × relays\n\n")
	for i := range p.Sections {
		s := &p.Sections[i]
		if i == 0 {
			s.markdown(&b)
			b.WriteString(legend())
			continue
		}
		if s.Draft == 0 || s.Empty {
			continue // the page has these by transport too; here they would repeat what follows
		}
		fmt.Fprintf(&b, "<details><summary>%s: %s cells pass</summary>\n\n", markdown(s.Caption), cmp.Or(s.Total, "no"))
		s.markdown(&b)
		b.WriteString("</details>\n\n")
	}
	rulesMarkdown(&b, p.Rules)
	failuresMarkdown(&b, p)
	leftOutMarkdown(&b, p)
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *section) markdown(b *strings.Builder) {
	b.WriteString("| |")
	for _, c := range s.Columns {
		b.WriteString(" " + markdown(strings.TrimSpace(c.Name+" "+c.Endpoint)) + " |")
	}
	b.WriteString(" cells that pass |\n|---|" + strings.Repeat("---|", len(s.Columns)) + "---:|\n")
	for _, r := range s.Rows {
		b.WriteString("| **" + markdown(r.Name) + "** |")
		for _, c := range r.Slots {
			if text := c.markdown(); text != "" {
				b.WriteString(" " + text)
			}
			b.WriteString(" |")
		}
		b.WriteString(" " + r.Total + " |\n")
	}
	b.WriteString("| cells that pass |")
	for _, t := range s.Totals {
		b.WriteString(" " + t + " |")
	}
	b.WriteString(" " + s.Total + " |\n\n")
}

// markdown shows a slot by emoji, the only signs that GitHub shows in colour.
func (c slot) markdown() string {
	if c.Class == "" {
		return ""
	}
	parts := []string{emojiOf(c.Class)}
	for _, s := range []string{c.Layer, c.Count} {
		if s != "" {
			parts = append(parts, markdown(s))
		}
	}
	if strings.HasSuffix(c.Symbol, "°") {
		parts[0] += "°"
	}
	for class, sign := range map[string]string{" b": "🔻", " u": "🔺"} {
		if strings.Contains(c.Class+" ", class+" ") {
			parts = append(parts, sign)
		}
	}
	return strings.Join(parts, " ")
}

// emojiOf gives the sign for a class of the style sheet, whose first letter is that of the status.
func emojiOf(class string) string {
	for _, m := range marks {
		if m.Class == class[:1] {
			return m.emoji
		}
	}
	return markOf("").emoji
}

func legend() string {
	var parts []string
	for _, s := range matrix.Statuses {
		parts = append(parts, markOf(s).emoji+" "+markOf(s).Word)
	}
	return "<sub>" + strings.Join(parts, " · ") + " · 🔻 broken, 🔺 fixed since the run before · " +
		"° the draft is only predicted · 7/9 passed, of those that apply · " +
		"where it failed: dns, udp, tls, alpn, h3 (HTTP/3), wt (WebTransport), setup, req (request), data</sub>\n\n"
}

func failuresMarkdown(b *strings.Builder, p *page) {
	if len(p.Failures) == 0 {
		return
	}
	b.WriteString(
		"## Failures by cause\n\n| | Relay | What happened | Cases | With | Times |\n|---|---|---|---|---|---:|\n")
	list := p.Failures[:min(len(p.Failures), mostMarkdownFailures)]
	for _, f := range list {
		text := markdown(f.Text)
		for _, more := range []struct{ name, text string }{{"expected", f.Expected}, {"received", f.Received},
			{"expected to fail:", f.Known}} {
			if more.text != "" {
				text += "<br><sub>" + more.name + "</sub> " + markdown(more.text)
			}
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s, %s, %s | %d |\n",
			strings.TrimSpace(f.Mark.emoji+" "+markdown(f.Short)), markdown(f.Relay), text, markdown(few(f.Cases, 6)),
			markdown(few(f.Clients, 6)), markdown(few(f.Drafts, 9)), markdown(few(f.Transports, 2)), f.Count)
	}
	if n := len(p.Failures) - len(list) + p.MoreFailures; n > 0 {
		fmt.Fprintf(b, "\nAnd %d more causes.\n", n)
	}
	b.WriteString("\n")
}

func leftOutMarkdown(b *strings.Builder, p *page) {
	if len(p.LeftOut) == 0 {
		return
	}
	b.WriteString("<details><summary>Left out of the plan</summary>\n\n| Why | For example | Times |\n|---|---|---:|\n")
	list := p.LeftOut[:min(len(p.LeftOut), mostMarkdownLeftOut)]
	for _, l := range list {
		example :=
			strings.Join(strings.Fields(strings.Join([]string{l.Example.Client, l.Example.Relay, l.Example.Endpoint,
				l.Example.Transport, few(l.Example.Drafts, 9)}, " ")), " ")
		fmt.Fprintf(b, "| %s | %s | %d |\n", markdown(cut(l.Text, 200)), markdown(example), l.Count)
	}
	if n := len(p.LeftOut) - len(list) + p.MoreLeftOut; n > 0 {
		fmt.Fprintf(b, "\nAnd %d more reasons.\n", n)
	}
	b.WriteString("\n</details>\n\n")
}

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "#", `\#`, "$", `\$`,
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "&#64;", "://", "&#58;//",
)

// markdown escapes hostile text: it gives one line without markup, mentions and links.
func markdown(s string) string { return markdownEscapes.Replace(line(s)) }
