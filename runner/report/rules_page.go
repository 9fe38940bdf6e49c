package report

import (
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// RulesFolder is where the pages of the relays' rules are.
const RulesFolder = "rules"

// casePages is where the pages of the cases are read.
const casePages = "https://github.com/moqinterop/moq-interop-client/blob/main/docs/cases/"

var (
	//go:embed page/rules.gohtml
	rulesHTML string
	//go:embed page/compare.gohtml
	compareHTML string

	rulesTemplate   = rulesPage("rules", rulesHTML)
	compareTemplate = rulesPage("compare", compareHTML)
)

func rulesPage(name, text string) *template.Template {
	return template.Must(template.New(name).Funcs(template.FuncMap{
		"line": line,
		"mark": ruleMark,
		"page": func(name string) template.URL { return template.URL(casePages + slug(name) + ".md") },
	}).Parse(text))
}

// writeRules writes the page of each relay's rules and those that compare relays, and removes those of an earlier
// report.
func (v *view) writeRules(dir string, p *page) error {
	folder := filepath.Join(dir, RulesFolder)
	written := map[string]bool{}
	write := func(name string, t *template.Template, key string, value any) error {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return err
		}
		written[name] = true
		return replaceFile(filepath.Join(folder, name), func(w io.Writer) error {
			return t.Execute(w, map[string]any{key: value, "Page": p, "Style": template.CSS(pageCSS),
				"Policy": fmt.Sprintf("default-src 'none'; style-src '%s'; base-uri 'none'; form-action 'none'",
					digest(pageCSS))})
		})
	}
	for _, r := range p.Rules {
		if err := write(path.Base(r.Page), rulesTemplate, "Relay", r); err != nil {
			return err
		}
	}
	for _, c := range compareRules(p.Rules, v.drafts) {
		if err := write(c.Draft+".html", compareTemplate, "Compared", c); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, e := range entries {
		if oursRules.MatchString(e.Name()) && !written[e.Name()] {
			if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// oursRules matches the names of the pages that writeRules writes.
var oursRules = regexp.MustCompile(`^(\d+-[a-z0-9_-]+|draft-\d+)\.html$`)

// rulesMarkdown shows the rules of each relay in numbers, and those that were broken, at most as many as fit.
func rulesMarkdown(b *strings.Builder, relays []RelayRules) {
	if len(relays) == 0 {
		return
	}
	b.WriteString("## Rules of the drafts\n\nOf the rules that bind a relay and that a peer can see. " +
		"A failed case counts against each rule that it judges.\n\n" +
		"| relay | draft | kept | broken | not tried | broken are |\n" +
		"|---|---|---:|---:|---:|---|\n")
	for _, r := range relays {
		for _, d := range r.Drafts {
			var broken []string
			for _, f := range d.Rules {
				if f.State == RuleBroken {
					broken = append(broken, string(f.ID))
				}
			}
			fmt.Fprintf(b, "| %s | %s | %d | %d | %d | %s |\n", markdown(r.Relay), markdown(d.Draft), d.Kept, d.Broken,
				d.NotTried, markdown(few(broken, 8)))
		}
	}
	b.WriteString("\n")
}
