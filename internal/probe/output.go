package probe

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// output is the status file: it is replaced whole or not at all. What is no regular file (a pipe, /dev/stdout) is written directly.
type output struct {
	path   string
	direct bool
}

// openOutput finds out whether a report can be written to path later, and leaves nothing behind. A symbolic link is followed.
func openOutput(path string) (*output, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	o := &output{path: path}
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

// temp makes a file beside the target, so that renaming it replaces the target at once.
func (o *output) temp() (*os.File, error) {
	return os.CreateTemp(filepath.Dir(o.path), "."+filepath.Base(o.path)+".*")
}

// write puts the report there.
func (o *output) write(r *Report) error {
	var b bytes.Buffer
	if err := WriteJSON(&b, r); err != nil {
		return err
	}
	if o.direct {
		return os.WriteFile(o.path, b.Bytes(), 0)
	}
	tmp, err := o.temp()
	if err != nil {
		return err
	}
	_, err = tmp.Write(b.Bytes())
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), o.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
