package deploy

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The entry for the public runner is one that it takes, and says what is so.
func TestRegistryEntry(t *testing.T) {
	text := read(t, "interop-runner", "implementation.json")
	type docker struct {
		Image string            `json:"image"`
		Env   map[string]string `json:"env"`
		Build map[string]string `json:"build"`
	}
	var entry map[string]struct {
		Drafts []string                     `json:"draft_versions"`
		Roles  map[string]map[string]docker `json:"roles"`
	}
	if err := json.Unmarshal([]byte(text), &entry); err != nil {
		t.Fatal(err)
	}
	ours := entry["moq-interop-client"]
	var drafts []string
	for _, d := range wire.Drafts() {
		drafts = append(drafts, d.String())
	}
	slices.Sort(drafts)
	if !slices.Equal(ours.Drafts, drafts) {
		t.Errorf("drafts %v, want %v", ours.Drafts, drafts)
	}
	relay, client := ours.Roles["relay"]["docker"], ours.Roles["client"]["docker"]
	if relay.Image != image+":latest-shell" || client.Image != image+":latest" || relay.Env["MOQT_ROLE"] != "relay" ||
		client.Env["MOQT_ROLE"] != "" {
		t.Errorf("%+v %+v", relay, client)
	}
	var config struct {
		Targets map[string]map[string]string `json:"targets"`
	}
	if err := json.Unmarshal([]byte(read(t, "interop-runner", "builds", "moq-interop-client", "config.json")),
		&config); err != nil {
		t.Fatal(err)
	}
	for role, d := range map[string]docker{"relay": relay, "client": client} {
		if target := config.Targets[role]; target["dockerfile"] != d.Build["dockerfile"] ||
			"builds/moq-interop-client/"+target["context"] != d.Build["context"] {
			t.Errorf("%s: the entry builds %v, the build folder %v", role, d.Build, target)
		}
	}

	schema := filepath.Join(root, "..", "shared", "data", "implementations.schema.json")
	if _, err := os.Stat(schema); errors.Is(err, fs.ErrNotExist) {
		t.Skip("the public runner's schema is not here; the rest was checked")
	}
	compiled, err := jsonschema.NewCompiler().Compile(schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		ok   bool
	}{{text, true}, {strings.Replace(text, "draft-14", "14", 1), false}, {strings.Replace(text, `"roles"`, `"role"`, 1),
		false}} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(`{"version": "1.1", "implementations": ` + c.text + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(doc); (err == nil) != c.ok {
			t.Errorf("valid: %v, want %v: %v", err == nil, c.ok, err)
		}
	}
}

// The build folder asks for the stage that each role needs.
func TestRegistryBuilds(t *testing.T) {
	needs(t, "bash", "git", "jq")
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		t.Skip("no .git to build from")
	}
	dir := t.TempDir()
	source, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"build.sh": read(t, "interop-runner", "builds", "moq-interop-client",
		"build.sh"), "docker": "#!/bin/sh\necho \"docker $*\"\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	env := append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	code, stdout, stderr := execute(t, dir, env, filepath.Join(dir, "build.sh"), "--local", source)
	for _, want := range []string{
		"docker build --target shell -t moq-interop-client-relay:latest -f " + source + "/Dockerfile " + source + "\n",
		"docker build --target program -t moq-interop-client-client:latest -f " + source + "/Dockerfile " + source +
			"\n",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in %s", want, stderr)
		}
	}
	var said struct {
		Implementation string `json:"implementation"`
		Source         struct{ Type, Commit string }
		Images         []struct{ Target, Image string }
	}
	if err := json.Unmarshal([]byte(stdout), &said); err != nil || code != 0 || said.Source.Type != "local" ||
		len(said.Source.Commit) != 40 || len(said.Images) != 2 {
		t.Errorf("exit code %d, %v: %s", code, err, stdout)
	}
	for _, args := range [][]string{{"--target", "publisher"}, {"--ref"}, {"--ref", "main", "--local", source},
		{"--local", filepath.Join(dir, "nothing")}, {"else"}} {
		if code, stdout, stderr := execute(t, dir, env, filepath.Join(dir, "build.sh"), args...); code != 2 ||
			stdout != "" || stderr == "" {
			t.Errorf("%v: exit code %d: %s%s", args, code, stdout, stderr)
		}
	}
}
