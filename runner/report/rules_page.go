package report

import (
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// RulesFolder is where the pages of the relays' rules are.
const RulesFolder = "rules"

// casePages is where the pages of the cases are read.
const casePages = "https://github.com/moqinterop/moq-interop-client/blob/main/docs/cases/"

//go:embed page/rules.gohtml
var rulesHTML string

var rulesTemplate = template.Must(template.New("rules").Funcs(template.FuncMap{
	"line": line,
	"page": func(name string) template.URL { return template.URL(casePages + slug(name) + ".md") },
}).Parse(rulesHTML))

// writeRules writes the page of each relay's rules, and removes those of an earlier report.
func (v *view) writeRules(dir string, p *page) error {
	folder := filepath.Join(dir, RulesFolder)
	written := map[string]bool{}
	for _, r := range p.Rules {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return err
		}
		name := filepath.Join(dir, filepath.FromSlash(r.Page))
		style := pageCSS
		err := replaceFile(name, func(w io.Writer) error {
			return rulesTemplate.Execute(w, map[string]any{"Relay": r, "Page": p, "Style": template.CSS(style),
				"Policy": fmt.Sprintf("default-src 'none'; style-src '%s'; base-uri 'none'; form-action 'none'",
					digest(style))})
		})
		if err != nil {
			return err
		}
		written[filepath.Base(name)] = true
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
var oursRules = regexp.MustCompile(`^\d+-[a-z0-9_-]+\.html$`)

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
