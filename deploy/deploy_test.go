// Package deploy holds what others take from here (the action, the image, the entry of the public runner, the
// Kubernetes Jobs) to what the program has: their shell steps and command lines are run.
package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// root is the project's root, from this package.
const root = ".."

const image = "ghcr.io/moqinterop/moq-interop-client"

// folder is where the program is built, once; TestMain makes it and takes it away.
var folder string

// built builds the program.
var built = sync.OnceValue(func() error {
	cmd := exec.Command("go", "build", "-o", folder+"/", "./cmd/moq-interop-client")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
})

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "deploy"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// program gives the path of the program.
func program(t *testing.T) string {
	t.Helper()
	if err := built(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, "moq-interop-client")
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// parse reads a YAML file.
func parse(t *testing.T, into any, path ...string) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, path...)), into); err != nil {
		t.Fatalf("%v: %v", path, err)
	}
}

// execute runs a command, ten minutes at most (one that builds takes long on a busy machine), and gives its exit code
// and what it said on both outputs.
func execute(t *testing.T, dir string, env []string, name string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && ctx.Err() == nil {
		return exit.ExitCode(), out.String(), errs.String()
	}
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, errs.String())
	}
	return 0, out.String(), errs.String()
}

// whole skips a test that builds the program anew or runs a whole matrix: it takes minutes on a busy machine.
func whole(t *testing.T) {
	t.Helper()
	if os.Getenv("MOQ_DEPLOY") == "" {
		t.Skip("set MOQ_DEPLOY=1 to build and run it as it is built and run elsewhere")
	}
}

// needs skips a test for which a program is missing.
func needs(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s here", name)
		}
	}
}

// The instructions that name a command of the program name one that it has; both stages are what release and runner ask
// for.
func TestDockerfile(t *testing.T) {
	text := read(t, root, "Dockerfile")
	for _, want := range []string{
		`FROM scratch AS program`, `FROM program AS shell`, `ENTRYPOINT ["/moq-interop-client"]`, `EXPOSE 4443/udp`,
		`USER 65532:65532`,
		`HEALTHCHECK --interval=5s --timeout=3s CMD ["/moq-interop-client", "healthcheck"]`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no line %q", want)
		}
	}
	if lines := strings.Split(strings.TrimSpace(text), "\n"); lines[len(lines)-1] != "FROM program" {
		t.Errorf("the image without a target is %q", lines[len(lines)-1])
	}
	if code, _, stderr := execute(t, "", os.Environ(), program(t), "healthcheck", "--help"); code != 0 {
		t.Errorf("healthcheck: exit code %d: %s", code, stderr)
	}
}

// The build of the image, by hand: a static program that knows its revision.
func TestDockerfileBuilds(t *testing.T) {
	whole(t)
	needs(t, "bash", "git")
	source := root
	if info, err := os.Stat(filepath.Join(root, ".git")); err != nil || !info.IsDir() {
		// A worktree: go tells no revision there, and nor would it in the image.
		source = filepath.Join(t.TempDir(), "clone")
		if code, _, stderr := execute(t, root, os.Environ(), "git", "clone", "--quiet", ".", source); code != 0 {
			t.Skipf("no repository to clone: %s", stderr)
		}
	}
	found := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 (?:.*\\\n)*.*)$`).FindStringSubmatch(read(t, root,
		"Dockerfile"))
	if found == nil {
		t.Fatal("no step builds the program")
	}
	out := t.TempDir()
	step := strings.ReplaceAll(found[1], "/out/", out+"/")
	code, stdout, stderr := execute(t, source, append(os.Environ(), "TARGETOS=linux", "TARGETARCH=amd64"), "bash",
		"-ec",
		step)
	if code != 0 || !strings.Contains(stdout, "vcs.revision=") {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	b, err := os.ReadFile(filepath.Join(out, "moq-interop-client"))
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 20e6 || !bytes.HasPrefix(b, []byte("\x7fELF")) || bytes.Contains(b, []byte("/ld-linux")) {
		t.Errorf("%d bytes, %q…: want a static program below 20 MB", len(b), b[:4])
	}
}
