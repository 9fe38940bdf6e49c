package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// Of a text (TAP, transcript, stderr) that is longer than textHead+textTail bytes, the beginning and the end are shown.
const (
	textHead = 48 << 10
	textTail = 16 << 10
)

// details is what data/C-R.js hands to moqCells: the cells of one client and one relay.
type details struct {
	Run   string               `json:"run"`
	Cells []*matrix.CellResult `json:"cells"`
	// Drafts are the drafts under which the cells stand. Was has what stale cells amounted to. History has a letter for
	// each run: the class of the status.
	Drafts  []string                 `json:"drafts"`
	Was     map[string]matrix.Status `json:"was,omitempty"`
	History map[string]string        `json:"history,omitempty"`
}

// texts is what data/C-R.text.js hands to moqTexts: what the client wrote, by cell. It has a file of its own because it
// is long and seldom read.
type texts struct {
	TAP        string   `json:"tap,omitempty"`
	Retries    []string `json:"retries,omitempty"`
	Transcript string   `json:"transcript,omitempty"`
	Stderr     string   `json:"stderr,omitempty"`
	// Lost says which files could not be read.
	Lost []string `json:"lost,omitempty"`
}

// writeDetails writes the files of all pairs, several at a time, and removes those of an earlier report that have no
// pair now.
func (v *view) writeDetails(dir, files string) error {
	var root *os.Root // paths in a run may come from elsewhere; they cannot lead out of its folder
	if files != "" {
		var err error
		if root, err = os.OpenRoot(files); err != nil {
			return err
		}
		defer root.Close()
	}
	histories := v.histories()
	work := make(chan pair)
	var (
		mu      sync.Mutex
		errs    []error
		written = make(map[string]bool)
		group   sync.WaitGroup
	)
	for range min(runtime.GOMAXPROCS(0), max(1, len(v.pairs))) {
		group.Go(func() {
			for p := range work {
				names, err := v.writePair(dir, p, root, histories)
				mu.Lock()
				for _, name := range names {
					written[name] = true
				}
				if err != nil {
					errs = append(errs, err)
				}
				mu.Unlock()
			}
		})
	}
	for p := range v.pairs {
		work <- p
	}
	close(work)
	group.Wait()
	return errors.Join(append(errs, removeOthers(dir, written))...)
}

// ours matches the names of the files that writeDetails writes.
var ours = regexp.MustCompile(`^\d+-\d+(\.text)?\.js$`)

func removeOthers(dir string, written map[string]bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if ours.MatchString(e.Name()) && !written[e.Name()] {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

func (v *view) writePair(dir string, p pair, root *os.Root, histories []string) (names []string, err error) {
	key := fmt.Sprintf("%d-%d", p.client, p.relay)
	d := details{Run: v.run.ID}
	said := make(map[string]texts)
	for _, i := range v.pairs[p] {
		c := &v.cells[i]
		d.Cells = append(d.Cells, c.CellResult)
		d.Drafts = append(d.Drafts, c.draft)
		if c.Status == matrix.Stale {
			if d.Was == nil {
				d.Was = make(map[string]matrix.Status)
			}
			d.Was[c.ID] = c.was
		} else if root != nil {
			// The files of a stale cell are in another run's folder.
			if t, any := readTexts(root, c.Files); any {
				said[c.ID] = t
			}
		}
		if len(v.history) > 0 {
			if d.History == nil {
				d.History = make(map[string]string)
			}
			d.History[c.ID] = histories[i]
		}
	}
	if err := writeCall(filepath.Join(dir, key+".js"), "moqCells", key, d); err != nil {
		return nil, err
	}
	names = append(names, key+".js")
	if len(said) > 0 {
		if err := writeCall(filepath.Join(dir, key+".text.js"), "moqTexts", key, said); err != nil {
			return names, err
		}
		names = append(names, key+".text.js")
	}
	return names, nil
}

// writeCall writes a script that hands a value to a function: pages from a file system may load scripts, but not data.
func writeCall(path, function, key string, value any) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s(%q,", function, key)
	// escapes <, > and &, and the line separators of JavaScript
	if err := json.NewEncoder(&b).Encode(value); err != nil {
		return err
	}
	b.WriteString(");\n")
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// readTexts reads what a cell left; any is false when there is nothing.
func readTexts(root *os.Root, f matrix.Files) (t texts, any bool) {
	read := func(name string) string {
		if name == "" {
			return ""
		}
		any = true
		text, err := readSome(root, name)
		if err != nil {
			t.Lost = append(t.Lost, fmt.Sprintf("%s: %v", name, errors.Unwrap(err)))
		}
		return text
	}
	t.TAP, t.Transcript, t.Stderr = read(f.TAP), read(f.Transcript), read(f.Stderr)
	for _, name := range f.Retries {
		if text := read(name); text != "" {
			t.Retries = append(t.Retries, text)
		}
	}
	return t, any
}

// readSome reads a file, or its beginning and its end, and says what it left out.
func readSome(root *os.Root, name string) (string, error) {
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", &fs.PathError{Op: "read", Path: name, Err: errors.New("not a file")}
	}
	if info.Size() <= textHead+textTail {
		b, err := io.ReadAll(io.LimitReader(f, textHead+textTail))
		return strings.ToValidUTF8(string(b), "\uFFFD"), err
	}
	b := make([]byte, textHead+textTail)
	if _, err := io.ReadFull(f, b[:textHead]); err != nil {
		return "", err
	}
	if _, err := f.ReadAt(b[textHead:], info.Size()-textTail); err != nil {
		return "", err
	}
	left := fmt.Sprintf("\n… %d bytes left out …\n", info.Size()-textHead-textTail)
	return strings.ToValidUTF8(string(slices.Concat(b[:textHead], []byte(left), b[textHead:])), "\uFFFD"), nil
}

// histories gives for each cell a letter for each run, the oldest first and this one last: the class of the status, or
// "." where a run does not have the cell.
func (v *view) histories() []string {
	at := make(map[string]int, len(v.cells))
	lines := make([][]byte, len(v.cells))
	for i := range v.cells {
		at[v.cells[i].ID] = i
		lines[i] = bytes.Repeat([]byte{'.'}, len(v.history)+1)
		lines[i][len(v.history)] = markOf(v.run.Cells[i].Status).Class[0]
	}
	for n, r := range v.history {
		names := aliases(r, v.run)
		for i := range r.Cells {
			if j, ok := at[renamed(names, r.Cells[i].ID)]; ok {
				lines[j][n] = markOf(r.Cells[i].Status).Class[0]
			}
		}
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = string(l)
	}
	return out
}
