package report

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// The names of the files that Write writes.
const (
	HTMLFile     = "index.html"
	DataFolder   = "data" // the details of the page's cells
	MarkdownFile = "summary.md"
	JUnitFile    = "junit.xml"
	RulesFile    = "rules.json"
	BadgesFolder = "badges"
)

// Form is one of the forms of a report.
type Form string

// The forms.
const (
	HTML     Form = "html"
	Markdown Form = "markdown"
	JUnit    Form = "junit"
	Badges   Form = "badges"
	// RulesKept is which rules of the drafts each relay has kept, broken and not been tried for, as JSON.
	RulesKept Form = "rules"
)

// Forms lists all of them.
func Forms() []Form { return []Form{HTML, Markdown, JUnit, Badges, RulesKept} }

// File gives the name that Write uses: that of a folder for badges, that of a file for the others.
func (f Form) File() string {
	return map[Form]string{HTML: HTMLFile, Markdown: MarkdownFile, JUnit: JUnitFile, Badges: BadgesFolder,
		RulesKept: RulesFile}[f]
}

// Options say what a report shows beside the run itself.
type Options struct {
	// Title is the page's title; empty means "MoQ interop".
	Title string
	// Notices stand at the top, at most 20 of them: for example which expected failures passed.
	Notices []string
	// History has earlier runs: for the strip of runs, for what changed since the latest of them, and for results that
	// this run lacks. See LoadHistory.
	History []*matrix.Run
	// Files is the run's folder, from which TAP, transcripts and stderr are taken; empty leaves them out.
	Files string
	// Bench has figures of a bench, which stand beside how many cells of a relay pass; nil shows none.
	Bench *Bench
	// Live is set for a page that a server shows while the run goes on.
	Live *Live
	// Forms are the forms that Write writes; none means all.
	Forms []Form
}

// Bench is a table of figures.
type Bench struct {
	// Load is what the relays had to carry, in words.
	Load string
	// Columns head the figures; each row begins with the relay's name.
	Columns []string
	Rows    [][]string
}

// Live says what the server of a page tells and takes.
type Live struct {
	// Seq is how many results the page has; the server sends those that follow.
	Seq int `json:"seq"`
	// Rerun says that a cell may be run again; Ended that the run is over.
	Rerun bool `json:"rerun"`
	Ended bool `json:"ended"`
}

var (
	//go:embed page/page.gohtml
	pageHTML string
	//go:embed page/page.css
	pageCSS string
	//go:embed page/page.js
	pageJS string
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"cut":  cut,
	"line": line,
	"list": func(all []string) string { return line(strings.Join(all, " ")) },
	"join": func(list []string) string { return line(few(list, 8)) },
}).Parse(pageHTML))

// few joins the first n texts and says how many more there are.
func few(list []string, n int) string {
	if len(list) <= n {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:n], ", "), len(list)-n)
}

// WriteHTML writes the page of a run into dir, which it creates: index.html, which can be read without scripts, and the
// details of each client with each relay below data/, and the rules of each relay below rules/. The page works from a
// file system as well as from a server. Files of an earlier report are replaced, and those that no longer belong to it
// are removed.
func WriteHTML(dir string, run *matrix.Run, o Options) error {
	v := newView(run, o.History)
	return v.writeHTML(dir, v.page(o), o.Files)
}

// WritePage writes only the page of a run to w, and touches no file. The details of cells, which WriteHTML puts beside
// the page, are missing then: a cell shows its verdict, layer and count, and cannot be opened.
func WritePage(w io.Writer, run *matrix.Run, o Options) error {
	v := newView(run, o.History)
	if err := v.writePage(w, v.page(o)); err != nil {
		return fmt.Errorf("report: page: %w", err)
	}
	return nil
}

// Write writes the forms of a report into dir, which it creates: the page as WriteHTML does, summary.md, junit.xml,
// badges/ and rules.json.
func Write(dir string, run *matrix.Run, o Options) error {
	v := newView(run, o.History)
	p := v.page(o)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	forms := o.Forms
	if len(forms) == 0 {
		forms = Forms()
	}
	file := func(f Form, write func(io.Writer) error) error {
		if err := replaceFile(filepath.Join(dir, f.File()), write); err != nil {
			return fmt.Errorf("report: %s: %w", f.File(), err)
		}
		return nil
	}
	for _, f := range forms {
		var err error
		switch f {
		case HTML:
			err = v.writeHTML(dir, p, o.Files)
		case Markdown:
			err = file(f, func(w io.Writer) error { return v.writeMarkdown(w, p) })
		case JUnit:
			err = file(f, func(w io.Writer) error { return WriteJUnit(w, run) })
		case RulesKept:
			err = file(f, v.writeRulesJSON)
		case Badges:
			err = WriteBadges(filepath.Join(dir, f.File()), run)
		default:
			err = fmt.Errorf("report: no form %q", f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *view) writeHTML(dir string, p *page, files string) error {
	v.links(dir, p, files)
	if err := os.MkdirAll(filepath.Join(dir, DataFolder), 0o777); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := v.writeDetails(filepath.Join(dir, DataFolder), files); err != nil {
		return fmt.Errorf("report: details: %w", err)
	}
	if err := v.writeRules(dir, p); err != nil {
		return fmt.Errorf("report: rules: %w", err)
	}
	err := replaceFile(filepath.Join(dir, HTMLFile), func(w io.Writer) error { return v.writePage(w, p) })
	if err != nil {
		return fmt.Errorf("report: page: %w", err)
	}
	return nil
}

// links fills in what the page's place decides: where the run's files and earlier pages are.
func (v *view) links(dir string, p *page, files string) {
	here, err := filepath.Abs(dir)
	if err != nil {
		return
	}
	if there, err := filepath.Abs(files); err == nil && files != "" {
		if rel, err := filepath.Rel(here, there); err == nil {
			p.Index.Files, p.Index.HasFiles = filepath.ToSlash(rel)+"/", true
			for _, f := range []link{{"packets", matrix.CaptureFile}, {"TLS keys", matrix.KeysFile}} {
				if _, err := os.Stat(filepath.Join(files, f.Href)); err == nil {
					p.Packets = append(p.Packets, link{f.Name, p.Index.Files + f.Href})
				}
			}
		}
	}
	for i := range p.Runs {
		b := &p.Runs[i]
		if b.Current || b.ID == "" || strings.ContainsAny(b.ID, `/\`) || strings.Trim(b.ID, ".") == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(here, "..", b.ID, HTMLFile)); err == nil {
			b.Href = "../" + b.ID + "/" + HTMLFile
		}
	}
}

// LatestName is the link beside a run's folder that always leads to the latest run that was reported.
const LatestName = "latest"

// Latest makes the link for a run's folder: results/latest. It takes nobody's place who is no such link.
func Latest(dir string) error {
	dir = filepath.Clean(dir)
	name := filepath.Join(filepath.Dir(dir), LatestName)
	if info, err := os.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return nil
	}
	temporary := fmt.Sprintf("%s-%d", name, os.Getpid())
	if err := os.Symlink(filepath.Base(dir), temporary); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := os.Rename(temporary, name); err != nil {
		return errors.Join(fmt.Errorf("report: %w", err), os.Remove(temporary))
	}
	return nil
}

// writePage writes index.html.
func (v *view) writePage(w io.Writer, p *page) error {
	style := pageCSS + p.switches()
	p.Style, p.Script = template.CSS(style), template.JS(pageJS)
	p.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s' 'self' file:; base-uri 'none'; "+
		"form-action 'none'", digest(style), digest(pageJS))
	if p.Index.Live != nil {
		p.Policy += "; connect-src 'self'"
	}
	return pageTemplate.Execute(w, p)
}

// digest is how a content security policy names a script or a style by its text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// replaceFile writes a file whole or not at all.
func replaceFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".writing-*")
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(f, 1<<16)
	err = errors.Join(write(b), b.Flush(), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
