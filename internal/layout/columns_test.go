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

// tracked gives the files with an extension that git knows, tests included.
func tracked(t *testing.T, extension string) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z", "*"+extension)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("git does not tell the files: %v", err)
	}
	names := strings.Split(strings.Trim(string(out), "\x00"), "\x00")
	if len(names) < 3 {
		t.Fatalf("%d files", len(names))
	}
	return names
}

// columns is the width of a line, a tab counted as 4.
func columns(line string) int { return len([]rune(line)) + 3*strings.Count(line, "\t") }

// mostColumns is how wide a line may be.
const mostColumns = 120

func TestLinesEndAt120Columns(t *testing.T) {
	for _, name := range tracked(t, ".go") {
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
			if n := columns(strings.TrimRight(line, "\n")); n > mostColumns {
				t.Errorf("%s:%d has %d columns, at most %d", name, number, n, mostColumns)
			}
		}
	}
}

// The prose of pages ends there too. What is printed by programs, tables and headings stay as they are.
func TestPagesEndAt120Columns(t *testing.T) {
	for _, name := range tracked(t, ".md") {
		if strings.HasPrefix(name, "results/") || strings.Contains(name, "testdata/") ||
			strings.HasPrefix(name, "docs/cases/") {
			continue // written by the program
		}
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		fenced := false
		for i, line := range strings.Split(string(b), "\n") {
			if strings.HasPrefix(line, "```") {
				fenced = !fenced
			}
			verbatim := fenced || strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "|") ||
				strings.HasPrefix(line, "#")
			if n := columns(line); n > mostColumns && !verbatim {
				t.Errorf("%s:%d has %d columns, at most %d", name, i+1, n, mostColumns)
			}
		}
	}
}

// Comments cite what a reader can open: a draft's section, or a page in the repository.
func TestCommentsCiteWhatCanBeOpened(t *testing.T) {
	nowhere := regexp.MustCompile(`\b(rules? \d+|R\d{1,2}|WIRE(\.md)? (section|§)|CONTRACT(\.md)? §?\d?)\b|CONTRACT §`)
	for _, name := range tracked(t, ".go") {
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
