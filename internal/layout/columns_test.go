package layout

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tracked gives the Go files that git knows, tests included.
func tracked(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z", "*.go")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("git does not tell the files: %v", err)
	}
	names := strings.Split(strings.Trim(string(out), "\x00"), "\x00")
	if len(names) < 100 {
		t.Fatalf("%d files", len(names))
	}
	return names
}

// columns is the width of a line, a tab counted as 4.
func columns(line string) int { return len([]rune(line)) + 3*strings.Count(line, "\t") }

func TestLinesEndAt120Columns(t *testing.T) {
	const most = 120
	for _, name := range tracked(t) {
		b, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		number := 0
		for line := range strings.Lines(string(b)) {
			number++
			if n := columns(strings.TrimRight(line, "\n")); n > most {
				t.Errorf("%s:%d has %d columns, at most %d", name, number, n, most)
			}
		}
	}
}

// Comments cite what a reader can open: a draft's section, or a page in the repository.
func TestCommentsCiteWhatCanBeOpened(t *testing.T) {
	nowhere := regexp.MustCompile(`\b(rules? \d+|R\d{1,2}|WIRE(\.md)? (section|§)|CONTRACT(\.md)? §?\d?)\b|CONTRACT §`)
	for _, name := range tracked(t) {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			continue
		}
		for i, line := range bytes.Split(b, []byte("\n")) {
			_, comment, ok := strings.Cut(string(line), "//")
			if found := nowhere.FindString(comment); ok && found != "" {
				t.Errorf("%s:%d cites %q, which leads nowhere", name, i+1, found)
			}
		}
	}
}
