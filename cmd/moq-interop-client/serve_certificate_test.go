package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that may not be read is named, with the reason and what to do.
func TestUnreadable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "priv.key")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := unreadable(&fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}, path)
	for _, want := range []string{path, "mode 0600", fmt.Sprint("runs as user ", os.Getuid(), ","),
		"chmod 0644", fmt.Sprintf("(chown %d)", os.Getuid()), "docker run --user"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
	if other := errors.New("x"); !errors.Is(unreadable(other, path), other) {
		t.Error("another error is changed")
	}
}
