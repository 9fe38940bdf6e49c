package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Output is a file for a document that appears whole or not at all. Anything but a regular file (a pipe, /dev/stderr)
// is written directly.
type Output struct {
	path   string
	direct bool
}

// OpenOutput checks that a document can be written to path later, and leaves nothing behind. It follows symbolic links.
func OpenOutput(path string) (*Output, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	o := &Output{path: path}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory", path)
	case !info.Mode().IsRegular():
		o.direct = true
		return o, nil
	}
	tmp, err := o.temp()
	if err != nil {
		return nil, err
	}
	tmp.Close()
	return o, os.Remove(tmp.Name())
}

// temp makes a file beside the target, so that renaming it replaces the target in one step.
func (o *Output) temp() (*os.File, error) {
	return os.CreateTemp(filepath.Dir(o.path), "."+filepath.Base(o.path)+".*")
}

// WriteJSON writes the report's JSON form, indented for people.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r.form()); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// Write replaces the file's content by the report's JSON form, indented for people.
func (o *Output) Write(r *Report) error {
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		return err
	}
	return o.Replace(b.Bytes())
}

// Replace replaces the file's content by text, in one step.
func (o *Output) Replace(text []byte) error {
	if o.direct {
		return os.WriteFile(o.path, text, 0)
	}
	tmp, err := o.temp()
	if err != nil {
		return err
	}
	_, err = tmp.Write(text)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), o.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
