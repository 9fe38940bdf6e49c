package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// RunFile is the name of a run in its folder.
const RunFile = "run.json"

// Load reads a run from a file, or from run.json in a folder. For the sake of large runs it reads cell by cell and
// keeps each text once, which matrix.Load does not. The error names the path and what is wrong.
func Load(path string) (*matrix.Run, error) {
	return load(path, nil)
}

// LoadHistory reads earlier runs for Options.History. It keeps only what a report of current needs, so that many large
// runs fit in memory: the result of each cell, the cases of the latest run, and the details of cells that current has
// no result of. A path may be a folder of runs; see Runs. Current itself, and runs that began after it, are left out.
// The result is in order of time.
func LoadHistory(paths []string, current *matrix.Run) ([]*matrix.Run, error) {
	lacking := make(map[string]bool)
	for i := range current.Cells {
		if c := &current.Cells[i]; c.Status == matrix.Missing {
			lacking[loosely(c)] = true
		}
	}
	var all []string
	for _, path := range paths {
		all = append(all, Runs(path)...)
	}
	var runs []*matrix.Run
	for _, path := range all {
		run, err := load(path, func(c *matrix.CellResult) {
			if lacking[loosely(c)] {
				return
			}
			for i := range c.Cases {
				slim(&c.Cases[i])
			}
			c.Notes, c.Files, c.Command, c.Label.Roles = nil, matrix.Files{}, "", nil
			c.ClientVersion, c.RelayVersion = "", ""
		})
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
		runs = earlier(runs, current)
		for i, r := range runs {
			if i == len(runs)-1 {
				break
			}
			for j := range r.Cells {
				if c := &r.Cells[j]; !lacking[loosely(c)] {
					c.Cases = nil
				}
			}
		}
	}
	return runs, nil
}

// Runs gives the paths of the runs that a path stands for: the path itself, or, when it is a folder like results/,
// without a run.json but with folders that have one, those folders. It does not check that there is a run at a path;
// Load does.
func Runs(path string) []string {
	has := func(path string) bool {
		_, err := os.Stat(filepath.Join(path, RunFile))
		return err == nil
	}
	if has(path) {
		return []string{path}
	}
	var runs []string
	inside, _ := os.ReadDir(path) // a file has none
	for _, e := range inside {
		if p := filepath.Join(path, e.Name()); has(p) {
			runs = append(runs, p)
		}
	}
	if len(runs) == 0 {
		return []string{path}
	}
	return runs
}

// slim keeps of a case only what a comparison needs.
func slim(c *matrix.CaseResult) {
	c.Expected, c.Received, c.Sections, c.Level, c.Known = "", "", "", "", ""
	c.Drafts, c.Notes, c.Tolerated, c.Command, c.Files = nil, nil, nil, "", nil
	if c.Status == matrix.Pass {
		c.Message, c.Reason = "", ""
	}
}

func load(path string, each func(*matrix.CellResult)) (*matrix.Run, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, RunFile)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("report: no run at %s", path)
	} else if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	defer f.Close()
	run, err := read(f, each)
	if err != nil {
		return nil, fmt.Errorf("report: %s: %w", path, err)
	}
	return run, nil
}

// read decodes a run cell by cell, so that the whole file is never in memory, and keeps each text once.
func read(r io.Reader, each func(*matrix.CellResult)) (*matrix.Run, error) {
	run := new(matrix.Run)
	dec := json.NewDecoder(r)
	if t, err := dec.Token(); err != nil {
		return nil, err
	} else if t != json.Delim('{') {
		return nil, fmt.Errorf("not a run: begins with %v", t)
	}
	once := interned{make(map[string]string), make(map[[2]matrix.RoleDraft][]matrix.RoleDraft)}
	rest := make(map[string]json.RawMessage)
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		if key != "cells" {
			var v json.RawMessage
			if err := dec.Decode(&v); err != nil {
				return nil, fmt.Errorf("%v: %w", key, err)
			}
			rest[key.(string)] = v
			continue
		}
		if t, err := dec.Token(); err != nil {
			return nil, err
		} else if t == nil {
			continue // null
		} else if t != json.Delim('[') {
			return nil, fmt.Errorf("cells: not a list")
		}
		for dec.More() {
			var c matrix.CellResult
			if err := dec.Decode(&c); err != nil {
				return nil, fmt.Errorf("cell %d: %w", len(run.Cells), err)
			}
			if each != nil {
				each(&c)
			}
			once.cell(&c)
			run.Cells = append(run.Cells, c)
		}
		if _, err := dec.Token(); err != nil {
			return nil, fmt.Errorf("after cell %d: %w", len(run.Cells), err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	cells := run.Cells
	head, err := json.Marshal(rest)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(head, run); err != nil {
		return nil, err
	}
	run.Cells = cells
	if run.Format != matrix.Format {
		return nil, fmt.Errorf("format %d; this program reads %d", run.Format, matrix.Format)
	}
	if run.ID == "" {
		return nil, errors.New("not a run: it has no id")
	}
	return run, nil
}

// interned keeps each text once, except long ones and those beyond a number of texts, and each list of drafts by role.
type interned struct {
	texts map[string]string
	lists map[[2]matrix.RoleDraft][]matrix.RoleDraft
}

func (in interned) text(s *string) {
	if *s == "" || len(*s) > 200 {
		return
	}
	if kept, ok := in.texts[*s]; ok {
		*s = kept
	} else if len(in.texts) < 1<<16 {
		*s = strings.Clone(*s)
		in.texts[*s] = *s
	}
}

func (in interned) cell(c *matrix.CellResult) {
	for _, s := range []*string{&c.Client, &c.Relay, &c.Endpoint, &c.URL, &c.Draft, &c.Transport, &c.Predicted,
		(*string)(&c.Status), &c.Layer, &c.Reason,
		&c.Known, &c.ClientVersion, &c.RelayVersion,
		(*string)(&c.Mode), (*string)(&c.Classification), (*string)(&c.Label.Source), &c.Label.Draft} {
		in.text(s)
	}
	c.Label.Roles = in.roles(c.Label.Roles)
	c.Cases = slices.Clone(c.Cases) // decoding leaves room behind them
	for i := range c.Cases {
		k := &c.Cases[i]
		for _, s := range []*string{&k.Name, (*string)(&k.Status), &k.Level, &k.Sections, &k.Layer, &k.Message,
			&k.Expected, &k.Received, &k.Reason, &k.Known} {
			in.text(s)
		}
		k.Drafts = in.roles(k.Drafts)
	}
}

func (in interned) roles(roles []matrix.RoleDraft) []matrix.RoleDraft {
	var key [2]matrix.RoleDraft
	if len(roles) > 0 && len(roles) <= len(key) { // most cases have a publisher and a subscriber
		copy(key[:], roles)
		if kept, ok := in.lists[key]; ok && len(kept) == len(roles) {
			return kept
		}
	}
	for i := range roles {
		in.text(&roles[i].Role)
		in.text(&roles[i].Draft)
	}
	if key != ([2]matrix.RoleDraft{}) && len(in.lists) < 1<<10 {
		copy(key[:], roles)
		in.lists[key] = slices.Clip(roles)
	}
	return roles
}
