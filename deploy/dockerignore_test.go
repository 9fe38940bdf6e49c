package deploy

import (
	"os"
	"strings"
	"testing"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// What git has is in the image's context, all of it: a file that is missing there marks the program as built from
// changed sources. What a build leaves in the folder is not.
func TestDockerignore(t *testing.T) {
	needs(t, "git")
	patterns, err := ignorefile.ReadAll(strings.NewReader(read(t, root, ".dockerignore")))
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := execute(t, root, os.Environ(), "git", "ls-files")
	if code != 0 {
		t.Skipf("no repository: %s", stderr)
	}
	check := func(path string, want bool) {
		t.Helper()
		if got, err := ignored.MatchesOrParentMatches(path); err != nil || got != want {
			t.Errorf("%s: left out %v, want %v: %v", path, got, want, err)
		}
	}
	tracked := strings.Fields(stdout)
	if len(tracked) < 100 {
		t.Fatalf("git has %d files", len(tracked))
	}
	for _, path := range append(tracked, ".git/HEAD") {
		check(path, false)
	}
	for _, path := range []string{"results/ci/run.json", "results/2026-11-26T190103Z/index.html", "moq-interop-client",
		".venv-peers/bin/python", "cases/cases.test", "cpu.prof", "moqt/wire/testdata/rapid/x/y.fail"} {
		check(path, true)
	}
}
