package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// workflow is a file of .github/workflows.
type workflow struct {
	Permissions map[string]string `yaml:"permissions"`
	Jobs        map[string]struct {
		Permissions map[string]string `yaml:"permissions"`
		Timeout     int               `yaml:"timeout-minutes"`
		Env         map[string]string `yaml:"env"`
		Steps       []step            `yaml:"steps"`
	} `yaml:"jobs"`
}

func workflows(t *testing.T) map[string]workflow {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil || len(paths) < 3 {
		t.Fatal(paths, err)
	}
	all := make(map[string]workflow)
	for _, path := range paths {
		var w workflow
		parse(t, &w, path)
		all[filepath.Base(path)] = w
	}
	return all
}

// Jobs may read, unless they say what else they need; nothing that others write gets into a script; actions are pinned
// to a major version.
func TestWorkflowsAreCareful(t *testing.T) {
	may := map[string]string{
		"release.yml/programs": "map[attestations:write contents:write id-token:write]",
		"release.yml/image":    "map[attestations:write contents:read id-token:write packages:write]",
		"nightly.yml/pages":    "map[id-token:write pages:write]",
	}
	steps := make(map[string][]step)
	for name, w := range workflows(t) {
		if got := fmt.Sprint(w.Permissions); got != "map[contents:read]" {
			t.Errorf("%s: permissions %s", name, got)
		}
		for id, j := range w.Jobs {
			where := name + "/" + id
			if j.Permissions != nil && fmt.Sprint(j.Permissions) != may[where] {
				t.Errorf("%s: permissions %v, want %s", where, j.Permissions, may[where])
			}
			if j.Timeout == 0 {
				t.Errorf("%s: no timeout-minutes", where)
			}
			steps[where] = j.Steps
		}
	}
	var a action
	parse(t, &a, root, "action.yml")
	steps["action.yml"] = a.Runs.Steps
	pinned := regexp.MustCompile(`^[\w-]+/[\w/-]+@v\d+$`)
	for where, list := range steps {
		for _, s := range list {
			if strings.Contains(s.Run, "${{") {
				t.Errorf("%s: an expression in a script: %s", where, s.Run)
			}
			if s.Uses != "" && !pinned.MatchString(s.Uses) {
				t.Errorf("%s: uses %s", where, s.Uses)
			}
		}
	}
}

// shellcheck reads the action's steps; those of workflows it reads behind actionlint.
func TestActionIsGoodShell(t *testing.T) {
	needs(t, "shellcheck")
	var a action
	parse(t, &a, root, "action.yml")
	for i, s := range a.Runs.Steps {
		if s.Run == "" {
			continue
		}
		script := filepath.Join(t.TempDir(), fmt.Sprintf("step-%d.sh", i))
		if err := os.WriteFile(script, []byte("#!/usr/bin/env bash\nset -eo pipefail\n"+s.Run), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out, _ := execute(t, "", os.Environ(), "shellcheck", script); code != 0 {
			t.Error(out)
		}
	}
}

// The night's own commands, on this machine: plan, shards, merge, report, and twice, so that there is something to
// compare with.
func TestNightlyRuns(t *testing.T) {
	whole(t)
	needs(t, "bash", "git")
	w := workflows(t)["nightly.yml"]
	script := func(id, has string) string {
		for _, s := range w.Jobs[id].Steps {
			if strings.Contains(s.Run, has) {
				return s.Run
			}
		}
		t.Fatalf("%s has no step with %q", id, has)
		return ""
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "night"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"moq-interop-client", "night/moq-interop-client"} {
		if err := os.Link(program(t), filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	step := func(script string, env ...string) string {
		t.Helper()
		env = append(append(os.Environ(), "GITHUB_OUTPUT="+filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY="+
			filepath.Join(dir, "summary")), env...)
		code, stdout, stderr := execute(t, dir, env, "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
		if code != 0 {
			t.Fatalf("exit code %d: %s\n%s%s", code, script, stdout, stderr)
		}
		return stdout
	}
	step(script("plan", "matrix plan"), "CLIENTS=builtin", "RELAYS=embedded", "DRAFTS=16,18", "TRANSPORTS=auto")
	if err := os.Rename(filepath.Join(dir, "night", "plan.json"), filepath.Join(dir, "plan.json")); err != nil {
		t.Fatal(err)
	}
	for night := range 2 {
		for _, shard := range []string{"1", "2"} {
			step(script("run", "--shard"), "SHARD="+shard+"/2", "DIR=parts/part-"+shard)
		}
		step(script("merge", "matrix merge"))
		step(script("merge", "compare"))
		if summary := read(t, dir, "summary"); strings.Count(summary, "4 of 4 cells pass") != night+1 ||
			strings.Count(summary, "No earlier run") != 1 {
			t.Fatalf("summary: %s", summary)
		}
		if out := read(t, dir, "output"); strings.Count(out, "code=0\n") != night+1 {
			t.Errorf("output: %s", out)
		}
		for _, done := range []string{"parts", "results"} {
			if err := os.RemoveAll(filepath.Join(dir, done)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if nights, err := os.ReadDir(filepath.Join(dir, "earlier")); err != nil || len(nights) == 0 {
		t.Errorf("%v %v", nights, err)
	}
}

// The night in which something broke is kept: actions/cache alone saves only when the job succeeds.
func TestNightIsKept(t *testing.T) {
	restored, saved, judged := -1, -1, -1
	for i, s := range workflows(t)["nightly.yml"].Jobs["merge"].Steps {
		switch {
		case s.Uses == "actions/cache/restore@v4":
			restored = i
		case s.Uses == "actions/cache/save@v4" && strings.Contains(s.If, "always()"):
			saved = i
		case strings.Contains(s.Run, `exit "$CODE"`):
			judged = i
		case strings.HasPrefix(s.Uses, "actions/cache@"):
			t.Error("actions/cache saves nothing of a night in which something broke")
		}
	}
	if restored < 0 || saved < restored || judged < saved {
		t.Errorf("restored in step %d, saved in %d, judged in %d", restored, saved, judged)
	}
}

// The image is run before it is pushed, and what is published is attested.
func TestReleaseIsTriedAndAttested(t *testing.T) {
	release := workflows(t)["release.yml"]
	tried, pushed, pushes, attested := -1, -1, 0, 0
	for i, s := range release.Jobs["image"].Steps {
		switch {
		case strings.Contains(s.Run, "docker run --rm --network try -e RELAY_URL=moqt://relay:4443"):
			tried = i
		case fmt.Sprint(s.With["push"]) == "true":
			if pushes++; pushed < 0 {
				pushed = i
			}
		case strings.HasPrefix(s.Uses, "actions/attest-build-provenance@"):
			attested++
		}
	}
	if tried < 0 || pushed < tried || attested != pushes {
		t.Errorf("tried in step %d, pushed in %d; pushed %d times, attested %d", tried, pushed, pushes, attested)
	}
}

// What a release uploads is what the action downloads, and the images are those of the public runner's entry and of the
// Jobs.
func TestReleaseNames(t *testing.T) {
	var a action
	parse(t, &a, root, "action.yml")
	script := read(t, root, "deploy", "release.sh")
	if !strings.Contains(script, "name=moq-interop-client_${os}_$arch\n") ||
		!strings.Contains(a.Runs.Steps[2].Run, "file=moq-interop-client_${os}_$arch\n") {
		t.Error("the names of programs differ")
	}
	release := workflows(t)["release.yml"].Jobs["image"]
	if release.Env["IMAGE"] != image {
		t.Errorf("IMAGE: %s", release.Env["IMAGE"])
	}
	tags := ""
	for _, s := range release.Steps {
		tags += fmt.Sprint(s.With["tags"])
	}
	for _, tag := range []string{":latest\n", ":latest-shell\n", ":latest-full\n"} {
		if !strings.Contains(tags, "${{ env.IMAGE }}"+tag) {
			t.Errorf("no tag %q in %s", tag, tags)
		}
	}
}
