package matrix

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/moqinterop/moq-interop-client/internal/sequence"
)

// files writes what the cell left behind, and notes the paths in r.
func (x *execution) files(r *CellResult, f Files, base string, first outcome, second *outcome) error {
	dir := filepath.Join(x.o.Dir, filepath.FromSlash(path.Dir(base)))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	put := func(name string, content []byte) (string, error) {
		return name, os.WriteFile(filepath.Join(x.o.Dir, filepath.FromSlash(name)), content, 0o644)
	}
	var errs []error
	if len(first.tap) > 0 {
		var err error
		f.TAP, err = put(base+".tap", first.tap)
		errs = append(errs, err)
	}
	if second != nil && len(second.tap) > 0 {
		name, err := put(base+".retry.tap", second.tap)
		f.Retries = append(f.Retries, name)
		errs = append(errs, err)
	}
	if text := transcript(r, first, second); len(text) > 0 {
		var err error
		f.Transcript, err = put(base+".transcript.txt", text)
		errs = append(errs, err)
	}
	if r.Status != Pass && len(first.stderr) > 0 {
		var err error
		f.Stderr, err = put(base+".stderr.txt", first.stderr)
		errs = append(errs, err)
	}
	errs = append(errs, x.caseFiles(r, base, first, second, put))
	if e := x.endpoint(r.Cell); e.Kind == KindCommand || e.Kind == KindContainer {
		log := path.Join("relays", r.Relay, r.Endpoint)
		f.RelayLog = x.there(log + ".log")
		f.MLOG = x.there(log + ".mlog")
	}
	if f.QLOG != "" {
		if os.Remove(filepath.Join(x.o.Dir, filepath.FromSlash(f.QLOG))) == nil { // a folder that has files stays
			f.QLOG = ""
		}
	}
	r.Files = f
	return errors.Join(errs...)
}

// endpoint gives a cell's.
func (x *execution) endpoint(c Cell) Endpoint {
	_, e := x.plan.find(c)
	return e
}

// there gives a path in the run's folder, or nothing where there is none.
func (x *execution) there(name string) string {
	if _, err := os.Stat(filepath.Join(x.o.Dir, filepath.FromSlash(name))); err != nil {
		return ""
	}
	return name
}

// caseFiles writes a diagram for each case that did not pass, and notes the logs that belong to it.
func (x *execution) caseFiles(r *CellResult, base string, first outcome, second *outcome,
	put func(string, []byte) (string, error)) error {
	var errs []error
	for i := range r.Cases {
		c := &r.Cases[i]
		if !c.told() {
			continue
		}
		lines := linesOf(c.Name, first, second)
		if svg := sequence.Transcript(r.ID+" "+c.Name, lines, c.Message+c.Reason); svg != nil {
			name, err := put(base+"."+slug(c.Name)+".svg", svg)
			errs = append(errs, err)
			c.Files = append(c.Files, name)
		}
		for _, o := range []*outcome{&first, second} {
			if o == nil {
				continue
			}
			for _, file := range o.qlogs[c.Name] {
				if rel, err := filepath.Rel(x.o.Dir, file); err == nil && filepath.IsLocal(rel) &&
					x.there(filepath.ToSlash(rel)) != "" {
					c.Files = append(c.Files, filepath.ToSlash(rel))
				}
			}
			for _, id := range o.connections[c.Name] {
				if strings.Trim(id, "0123456789abcdef") != "" {
					continue
				}
				mlog := path.Join("relays", r.Relay, r.Endpoint+".mlog", id+"_server.mlog")
				if x.there(mlog) != "" {
					c.Files = append(c.Files, mlog)
				}
			}
		}
	}
	return errors.Join(errs...)
}

// told reports whether the case has something to tell: it did not pass, and it was run.
func (c *CaseResult) told() bool { return c.Status == Fail || c.Status == Flaky || c.Status == Todo }

// repeatCases gives each case that did not pass the line that repeats it alone.
func (x *execution) repeatCases(a *attempts, r *CellResult) {
	for i := range r.Cases {
		if c := &r.Cases[i]; (c.told() || c.Status == Missing) && !c.unnamed() {
			c.Command = x.repeat(a, []string{c.Name})
		}
	}
}

// linesOf gives the transcript of a case: the first attempt's, or that of the repetition.
func linesOf(name string, first outcome, second *outcome) []string {
	lines := first.transcript[name]
	if len(lines) == 0 && second != nil {
		lines = second.transcript[name]
	}
	return lines
}

// transcript gives the decoded messages of the cases that failed, case by case.
func transcript(r *CellResult, first outcome, second *outcome) []byte {
	var b bytes.Buffer
	for _, c := range r.Cases {
		if !c.told() {
			continue
		}
		lines := linesOf(c.Name, first, second)
		if len(lines) == 0 {
			continue
		}
		fmt.Fprintf(&b, "== %s: %s\n", c.Name, c.Status)
		for _, kv := range [][2]string{{"layer", c.Layer}, {"message", c.Message}, {"expected", c.Expected},
			{"received", c.Received}} {
			if kv[1] != "" {
				fmt.Fprintf(&b, "%s: %s\n", kv[0], kv[1])
			}
		}
		for _, line := range lines {
			fmt.Fprintln(&b, line)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}
