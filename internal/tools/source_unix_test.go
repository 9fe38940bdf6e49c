//go:build unix

package tools

import (
	"context"
	"io"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestPipeWithoutWriter: a named pipe that nobody writes to does not keep a tool from ending.
func TestPipeWithoutWriter(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Files(name).Next(ctx); err != context.DeadlineExceeded {
		t.Error(err)
	}
}

// TestSourceEnds: behind its last payload a source has ended, however often it is asked.
func TestSourceEnds(t *testing.T) {
	s := Files()
	for range 3 {
		if b, err := s.Next(t.Context()); b != nil || err != io.EOF {
			t.Errorf("%q, %v", b, err)
		}
	}
}
