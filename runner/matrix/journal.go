package matrix

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// CaptureFile and KeysFile are the packets of a run and the TLS keys that open them, in its folder, where they were
// asked for.
const (
	CaptureFile = "packets.pcap"
	KeysFile    = "keys.log"
)

// Names in a run's folder.
const (
	runFile     = "run.json"
	planFile    = "plan.json"
	journalFile = "journal.jsonl"
	cellsDir    = "cells"
)

// journal keeps the results of a run until run.json is written: a line of JSON for the run, then one for each cell as
// it comes. A line that was cut by a kill is removed when the run is resumed.
type journal struct {
	f    *os.File
	sync Sync
	head journalHead
}

// journalHead is the first line.
type journalHead struct {
	Format  int       `json:"format"`
	Run     string    `json:"run"`
	Started time.Time `json:"started"`
	Plan    PlanRef   `json:"plan"`
}

// resumption is a line that says that the run was resumed.
type resumption struct {
	Resumed time.Time `json:"resumed"`
}

// openJournal creates the journal in dir, or opens the one that is there, and gives the results in it and how often the
// run was resumed before. An existing journal must be about the same plan. No other process can open it until it is
// closed.
func openJournal(dir string, head journalHead, resume bool, policy Sync) (*journal, []CellResult, int, error) {
	path := filepath.Join(dir, journalFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, nil, 0, err
	}
	j := &journal{f: f, sync: policy, head: head}
	results, resumed, err := j.begin(resume)
	if err != nil {
		return nil, nil, 0, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return j, results, resumed, nil
}

func (j *journal) begin(resume bool) ([]CellResult, int, error) {
	// When a program was killed while it started another, that one holds the lock for a moment.
	err := lock(j.f)
	for wait := time.Millisecond; err != nil && wait < 300*time.Millisecond; wait *= 2 {
		time.Sleep(wait)
		err = lock(j.f)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("another program is writing it: %w", err)
	}
	info, err := j.f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if info.Size() > 0 && !resume {
		return nil, 0, errors.New("there is a run that did not end: resume it, or take another folder")
	}
	read, err := readJournal(j.f)
	if err != nil {
		return nil, 0, err
	}
	if err := errors.Join(j.f.Truncate(read.end), seekTo(j.f, read.end)); err != nil {
		return nil, 0, err
	}
	if read.end == 0 { // new, or killed before its first line was whole
		return nil, 0, j.append(j.head)
	}
	if have, want := read.head.Plan, j.head.Plan; !samePlan(have, want) {
		return nil, 0, fmt.Errorf("it is of plan %s, not of %s", planName(have), planName(want))
	}
	j.head = read.head
	return read.results, read.resumed + 1, j.append(resumption{time.Now().UTC()})
}

func seekTo(f *os.File, at int64) error {
	_, err := f.Seek(at, io.SeekStart)
	return err
}

// samePlan reports whether two references are to the same part of the same plan.
func samePlan(a, b PlanRef) bool {
	shard := func(s *Shard) Shard {
		if s == nil {
			return Shard{1, 1}
		}
		return *s
	}
	return a.ID == b.ID && shard(a.Shard) == shard(b.Shard)
}

// planName names a plan for a message.
func planName(r PlanRef) string {
	name := r.ID[:min(12, len(r.ID))]
	if r.Shard != nil {
		name += fmt.Sprintf(" (shard %d/%d)", r.Shard.Index, r.Shard.Of)
	}
	return name
}

// recorded is the content of a journal.
type recorded struct {
	head    journalHead
	results []CellResult
	resumed int
	end     int64 // of the last whole line
}

// readJournal reads all whole lines. A last line without its end is no line; anything else that cannot be read is an
// error, and so is a cell that is there twice.
func readJournal(r io.Reader) (recorded, error) {
	var out recorded
	seen := make(map[string]int)
	b := bufio.NewReaderSize(r, 64<<10)
	for n := 1; ; n++ {
		line, err := b.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		switch {
		case n == 1:
			err = json.Unmarshal(line, &out.head)
			if err == nil && out.head.Format != Format {
				err = fmt.Errorf("format %d, want %d", out.head.Format, Format)
			}
		case bytes.HasPrefix(line, []byte(`{"resumed"`)):
			out.resumed++
		default:
			var c CellResult
			if err = json.Unmarshal(line, &c); err == nil && seen[c.ID] > 0 {
				err = fmt.Errorf("%s stands in line %d too", c.ID, seen[c.ID])
			}
			seen[c.ID] = n
			out.results = append(out.results, c)
		}
		if err != nil {
			return out, fmt.Errorf("line %d: %w", n, err)
		}
		out.end += int64(len(line))
	}
}

// append adds lines in one write, and syncs them as the policy says.
func (j *journal) append(values ...any) error {
	var lines []byte
	for _, v := range values {
		line, err := compact(v)
		if err != nil {
			return err
		}
		lines = append(append(lines, line...), '\n')
	}
	if _, err := j.f.Write(lines); err != nil {
		return err
	}
	if j.sync == SyncNone {
		return nil
	}
	return j.f.Sync()
}

// close closes the journal, and removes it when run.json has everything.
func (j *journal) close(remove bool) error {
	err := j.f.Close()
	if remove {
		err = errors.Join(err, os.Remove(j.f.Name()))
	}
	return err
}

// writeFile writes a file whole or not at all.
func writeFile(path string, write func(io.Writer) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	err = write(tmp)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// WriteJSON writes the run as run.json has it, a line for each cell.
func (r *Run) WriteJSON(w io.Writer) error { return writeRows(w, r) }

// ReadRun reads a run.json. The error says that it is no run, or of another format.
func ReadRun(r io.Reader) (*Run, error) {
	run := &Run{}
	if err := json.NewDecoder(bufio.NewReaderSize(r, 1<<20)).Decode(run); err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	if run.Format != Format {
		return nil, fmt.Errorf("run: format %d, want %d", run.Format, Format)
	}
	return run, nil
}

// Load reads a run from its folder, results/<run>, or from its run.json. The error names the path.
func Load(path string) (*Run, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if info.IsDir() {
		path = filepath.Join(path, runFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	run, err := ReadRun(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return run, nil
}

// exists reports whether there is such a file.
func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
