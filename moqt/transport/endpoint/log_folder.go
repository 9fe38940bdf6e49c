package endpoint

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// logFolder is a folder of log files that has a bound. Where one file more would be too many, or one byte more, the
// oldest that is complete is removed. Files of earlier runs count.
type logFolder struct {
	dir      string
	maxFiles int   // 0 is no bound
	maxBytes int64 // the same

	mu    sync.Mutex
	files []*keptFile // oldest first
	total int64
}

// keptFile is a file in a logFolder, whose lock guards it.
type keptFile struct {
	path string
	size int64
	open bool
}

// openLogFolder looks at what files with this ending are there already, and removes those that are too many.
func openLogFolder(dir, suffix string, maxFiles int, maxBytes int64) *logFolder {
	f := &logFolder{dir: dir, maxFiles: maxFiles, maxBytes: maxBytes}
	if maxFiles <= 0 && maxBytes <= 0 {
		return f
	}
	type found struct {
		*keptFile
		at int64
	}
	var earlier []found
	names, _ := filepath.Glob(filepath.Join(dir, "*"+suffix)) // fails for a bad pattern alone: then none is found
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			earlier = append(earlier, found{&keptFile{path: name, size: info.Size()}, info.ModTime().UnixNano()})
		}
	}
	slices.SortFunc(earlier, func(a, b found) int { return cmp.Compare(a.at, b.at) })
	for _, e := range earlier {
		f.files = append(f.files, e.keptFile)
		f.total += e.size
	}
	f.fits(0)
	return f
}

// fits reports whether there is room for so many files more and for bytes beside those that there are. It removes what
// is complete as far as that helps. The caller holds the lock.
func (f *logFolder) fits(more int) bool {
	over := func() bool {
		return f.maxFiles > 0 && len(f.files)+more > f.maxFiles || f.maxBytes > 0 && f.total+int64(more) > f.maxBytes
	}
	for over() {
		i := slices.IndexFunc(f.files, func(k *keptFile) bool { return !k.open })
		if i < 0 {
			return false
		}
		os.Remove(f.files[i].path) // who has taken it away already has done the same
		f.total -= f.files[i].size
		f.files = slices.Delete(f.files, i, i+1)
	}
	return true
}

// create makes a file. The error says so when there is no room for it.
func (f *logFolder) create(name string) (*os.File, *keptFile, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.fits(1) {
		return nil, nil, fmt.Errorf("%s: no room: %d logs of %d bytes are being written", filepath.Join(f.dir, name),
			len(f.files), f.total)
	}
	file, err := logFile(f.dir, name)
	if err != nil {
		return nil, nil, err
	}
	k := &keptFile{path: file.Name(), open: true}
	f.files = append(f.files, k)
	return file, k, nil
}

// room reports whether anything more may be written.
func (f *logFolder) room() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fits(0)
}

// grow counts what is written to a file.
func (f *logFolder) grow(k *keptFile, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k.size += int64(n)
	f.total += int64(n)
}

// complete notes that nothing more is written to a file; unwanted, that it has to go.
func (f *logFolder) complete(k *keptFile, unwanted bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k.open = false
	if !unwanted {
		return
	}
	if i := slices.Index(f.files, k); i >= 0 {
		f.files = slices.Delete(f.files, i, i+1)
		f.total -= k.size
	}
}
