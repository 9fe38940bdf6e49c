package matrix

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Merge joins the runs of all shards of a plan into one run of the whole plan, with the ID id. It refuses parts of
// different plans, a shard that is there twice or not at all, a cell in two shards, and parts that do not make up the
// plan. Cells without a result, because their shard ended early, stay missing.
func Merge(id string, parts ...*Run) (*Run, error) {
	if len(parts) == 0 {
		return nil, errors.New("merge: no runs")
	}
	first := parts[0]
	out := &Run{Format: Format, ID: id, Started: first.Started, Finished: first.Finished,
		Versions: make(map[string]string), Plan: first.Plan, LeftOut: []LeftOut{},
		Repositories: make(map[string]string)}
	out.Plan.Shard = nil
	byIndex := make(map[int]*Run)
	for _, p := range parts {
		s := p.Plan.Shard
		switch {
		case p.Plan.ID != first.Plan.ID:
			return nil, fmt.Errorf("merge: %s is of plan %s, %s of plan %s", first.ID, planName(first.Plan), p.ID,
				planName(p.Plan))
		case s == nil:
			return nil, fmt.Errorf("merge: %s is no shard: it is a run of the whole plan", p.ID)
		case s.Of != first.Plan.Shard.Of:
			return nil, fmt.Errorf("merge: %s is shard %d/%d, %s is shard %d/%d", first.ID, first.Plan.Shard.Index,
				first.Plan.Shard.Of, p.ID, s.Index, s.Of)
		case byIndex[s.Index] != nil:
			return nil, fmt.Errorf("merge: %s and %s are both shard %d/%d", byIndex[s.Index].ID, p.ID, s.Index, s.Of)
		}
		byIndex[s.Index] = p
	}
	var gaps []string
	for i := 1; i <= first.Plan.Shard.Of; i++ {
		if byIndex[i] == nil {
			gaps = append(gaps, fmt.Sprintf("%d/%d", i, first.Plan.Shard.Of))
		}
	}
	if len(gaps) > 0 {
		return nil, fmt.Errorf("merge: no run of shard %s", strings.Join(gaps, ", "))
	}
	seen := make(map[string]string)
	for _, i := range slices.Sorted(maps.Keys(byIndex)) {
		if err := out.add(byIndex[i], seen); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out.Cells, func(a, b CellResult) int { return strings.Compare(a.ID, b.ID) })
	cells := make([]Cell, len(out.Cells))
	for i, c := range out.Cells {
		cells[i] = c.Cell
	}
	if out.Plan.digest(cells) != out.Plan.ID {
		return nil, fmt.Errorf("merge: the cells of all %d shards, %d of %d, are not those of plan %s: a part was "+
			"changed or cut", len(parts), len(cells), out.Plan.Total, planName(out.Plan))
	}
	return out, nil
}

// add takes the cells of a part.
func (r *Run) add(p *Run, seen map[string]string) error {
	for _, c := range p.Cells {
		if other, ok := seen[c.ID]; ok {
			return fmt.Errorf("merge: cell %s is in %s and in %s", c.ID, other, p.ID)
		}
		seen[c.ID] = p.ID
	}
	r.Cells = append(r.Cells, p.Cells...)
	r.LeftOut = append(r.LeftOut, p.LeftOut...)
	maps.Copy(r.Repositories, p.Repositories)
	r.Merged = append(r.Merged, p.ID)
	r.Resumed += p.Resumed
	if p.Started.Before(r.Started) {
		r.Started = p.Started
	}
	if p.Finished.After(r.Finished) {
		r.Finished = p.Finished
	}
	if p.Ended != "" {
		r.Ended = strings.TrimPrefix(r.Ended+"; "+p.ID+": "+p.Ended, "; ")
	}
	for k, v := range p.Versions {
		if have, ok := r.Versions[k]; ok && have != v && !slices.Contains(strings.Split(have, ", "), v) {
			v = have + ", " + v
		}
		r.Versions[k] = v
	}
	return nil
}

// MergeDirs joins the runs in the folders of all shards, with their files, into the new folder dir, whose last element
// is the new run's ID. Unless x is nil, known failures are marked anew with it.
func MergeDirs(dir string, x *Expectations, parts ...string) (*Run, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	switch has, err := exists(filepath.Join(abs, runFile)); {
	case err != nil:
		return nil, fmt.Errorf("merge: %w", err)
	case has:
		return nil, fmt.Errorf("merge: %s: there is a run already: take another folder", dir)
	}
	runs := make([]*Run, len(parts))
	for i, part := range parts {
		if runs[i], err = Load(part); err != nil {
			return nil, fmt.Errorf("merge: %w", err)
		}
	}
	out, err := Merge(filepath.Base(abs), runs...)
	if err != nil {
		return nil, err
	}
	if x != nil {
		for i := range out.Cells {
			x.Mark(&out.Cells[i])
		}
	}
	for _, part := range parts {
		for _, sub := range []string{cellsDir, "relays"} {
			if err := copyTree(filepath.Join(abs, sub), filepath.Join(part, sub)); err != nil {
				return nil, fmt.Errorf("merge: %w", err)
			}
		}
	}
	return out, errors.Join(os.MkdirAll(abs, 0o755), writeFile(filepath.Join(abs, runFile), out.WriteJSON))
}

// copyTree copies a folder into another; a file that is there already (the log of a relay that several shards started)
// gets the rest behind it. A folder that is not there has nothing.
func copyTree(to, from string) error {
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		case d.Type().IsRegular():
			return appendFile(target, path)
		}
		return nil // nothing else is a run's
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func appendFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// FillStale fills the cells that r has no result for from an earlier run: with the cases of that run, and with status
// Stale, which counts as no result. Cells that the earlier run has no result for either stay missing.
func FillStale(r, earlier *Run) {
	at := make(map[string]*CellResult, len(earlier.Cells))
	for i := range earlier.Cells {
		at[earlier.Cells[i].ID] = &earlier.Cells[i]
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		old, ok := at[c.ID]
		if c.Status != Missing || !ok || old.Status == Missing {
			continue
		}
		from := earlier.ID
		if old.Status == Stale {
			from = old.StaleFrom
		}
		*c = *old
		c.Status, c.StaleFrom, c.Files = Stale, from, Files{}
	}
}
