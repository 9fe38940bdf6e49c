package deploy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/runner/tap"
)

// TestEngine builds the images and runs them in a container engine: MOQ_ENGINE=1 .ci/engine go test ./deploy -run
// TestEngine -v. MOQ_BUILDER and MOQ_SHELL_BASE name the images that they stand on where no registry has the usual
// ones.
func TestEngine(t *testing.T) {
	if os.Getenv("MOQ_ENGINE") == "" {
		t.Skip("set MOQ_ENGINE=1 to run the image in a container engine, which .ci/engine has")
	}
	needs(t, "docker", "git", "openssl")
	before := left(t)
	clone := filepath.Join(t.TempDir(), "clone") // an image is built of what git has
	if code, _, stderr := execute(t, root, os.Environ(), "git", "clone", "--quiet", ".", clone); code != 0 {
		t.Fatal(stderr)
	}
	for _, builder := range []string{"0", "1"} { // the older builder, then BuildKit: the images are its
		build(t, clone, builder, image, "program")
		build(t, clone, builder, image+":latest-shell", "shell")
	}
	t.Run("Size", sizes)
	t.Run("Clean", clean)
	t.Run("Full", func(t *testing.T) { full(t, clone) })
	t.Run("Arm64", func(t *testing.T) { arm64(t, clone) })
	t.Run("PublicRunner", publicRunner)
	t.Run("ReadOnly", readOnly)
	t.Run("Certificate", unreadableKey)
	t.Run("MatrixInside", matrixInside)
	t.Run("MatrixOutside", matrixOutside)
	t.Run("README", readmeSection)
	after := left(t)
	for i := 0; i < 50 && after != before; i++ { // --rm takes a container away a moment after it has stopped
		time.Sleep(100 * time.Millisecond)
		after = left(t)
	}
	if after != before {
		t.Errorf("left behind:\n%s\nbefore:\n%s", after, before)
	}
}

// docker runs the engine's client and wants it to succeed.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := execute(t, "", os.Environ(), "docker", args...)
	if code != 0 {
		t.Fatalf("docker %s: exit code %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
	return strings.TrimSpace(stdout)
}

// left lists the containers, networks and volumes of the engine.
func left(t *testing.T) string {
	t.Helper()
	return docker(t, "ps", "-aq") + "|" + docker(t, "network", "ls", "-q") + "|" + docker(t, "volume", "ls", "-q")
}

// build builds a stage as an image.
func build(t *testing.T, dir, buildkit, tag, stage string, more ...string) {
	t.Helper()
	args := []string{"build", "--target", stage, "-t", tag}
	for arg, variable := range map[string]string{"BUILDER": "MOQ_BUILDER", "SHELL_BASE": "MOQ_SHELL_BASE"} {
		if name := os.Getenv(variable); name != "" {
			args = append(args, "--build-arg", arg+"="+name)
		}
	}
	env, start := append(os.Environ(), "DOCKER_BUILDKIT="+buildkit), time.Now()
	code, stdout, stderr := execute(t, "", env, "docker", append(append(args, more...), dir)...)
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	t.Logf("%s, BuildKit %s: built in %.0f s", tag, buildkit, time.Since(start).Seconds())
}

// sizes: the image does not grow unseen.
func sizes(t *testing.T) {
	for tag, max := range map[string]float64{image: 20, image + ":latest-shell": 22} {
		n, err := strconv.Atoi(docker(t, "image", "inspect", "-f", "{{.Size}}", tag))
		size := float64(n) / 1e6
		if err != nil || size > max {
			t.Errorf("%s has %.1f MB, at most %.0f: %v", tag, size, max, err)
		}
		t.Logf("%s: %.1f MB", tag, size)
	}
}

// clean: what git has is all in the context, so that the program does not call itself changed.
func clean(t *testing.T) {
	if out := docker(t, "run", "--rm", image, "versions"); strings.Contains(out, "dirty") {
		t.Error(out)
	}
	if out := docker(t, "run", "--rm", image, "--version"); strings.Contains(out, "dirty") {
		t.Error(out)
	}
}

// full: the image of everything has the page of web inside, and what else the small one goes without.
func full(t *testing.T, clone string) {
	const tag = image + ":latest-full"
	build(t, clone, "0", tag, "program", "--build-arg", "TAGS=")
	out := filepath.Join(t.TempDir(), "page")
	for _, dir := range []string{out, filepath.Dir(out)} {
		if err := errors.Join(os.MkdirAll(dir, 0o777), os.Chmod(dir, 0o777)); err != nil {
			t.Fatal(err)
		}
	}
	docker(t, "run", "--rm", "-v", out+":/page", tag, "web", "--out", "/page")
	if files, err := os.ReadDir(out); err != nil || len(files) < 6 {
		t.Errorf("the page has %v, %v", files, err)
	}
	if out := docker(t, "run", "--rm", tag, "versions"); strings.Contains(out, "dirty") {
		t.Error(out)
	}
	code, _, stderr := execute(t, "", os.Environ(), "docker", "run", "--rm", tag, "decode", "--session", "/none")
	if code == 0 || strings.Contains(stderr, "goes without") {
		t.Errorf("decode --session: exit code %d, %s", code, stderr)
	}
	t.Logf("%s: %s bytes", tag, docker(t, "image", "inspect", "-f", "{{.Size}}", tag))
}

// arm64 builds the image for the other processor, and runs its program where that can be emulated.
func arm64(t *testing.T, clone string) {
	const tag = "moq-local/arm64"
	build(t, clone, "1", tag, "program", "--platform", "linux/arm64")
	defer docker(t, "image", "rm", "-f", tag)
	if arch := docker(t, "image", "inspect", "-f", "{{.Architecture}}", tag); arch != "arm64" {
		t.Errorf("architecture %q", arch)
	}
	needs(t, "qemu-aarch64-static")
	id, to := docker(t, "create", "--platform", "linux/arm64", tag), filepath.Join(t.TempDir(), "program")
	docker(t, "cp", id+":/moq-interop-client", to)
	docker(t, "rm", id)
	code, stdout, stderr := execute(t, "", os.Environ(), "qemu-aarch64-static", to, "-r", "embedded", "-t",
		"setup-only", "--timeout-factor", "10")
	if code != 0 || !strings.Contains(stdout, "ok 1 - setup-only") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	t.Log("the arm64 program runs setup-only")
}

// runRelay starts a relay in the background, and gives a function that stops it.
func runRelay(t *testing.T, name string, args ...string) (stop func()) {
	t.Helper()
	docker(t, append([]string{"run", "-d", "--rm", "--name", name, "-e", "MOQT_ROLE=relay"}, args...)...)
	return func() {
		start := time.Now()
		docker(t, "stop", name)
		took := time.Since(start).Seconds()
		t.Logf("%s: stopped in %.1f s", name, took)
		if took > 5 {
			t.Errorf("%s: stopped in %.1f s", name, took)
		}
	}
}

// healthy waits until the engine calls a container healthy.
func healthy(t *testing.T, name string, limit time.Duration) {
	t.Helper()
	start := time.Now()
	for docker(t, "inspect", "-f", "{{.State.Health.Status}}", name) != "healthy" {
		if time.Since(start) > limit {
			t.Fatalf("%s is not healthy after %v:\n%s", name, limit, docker(t, "logs", name))
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("%s: healthy after %.1f s", name, time.Since(start).Seconds())
}

// certificate makes what is mounted at /certs.
func certificate(t *testing.T, mode os.FileMode) (dir string) {
	t.Helper()
	dir = t.TempDir()
	key := filepath.Join(dir, "priv.key")
	code, _, stderr := execute(t, "", os.Environ(), "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:P-256", "-nodes", "-days", "10", "-subj", "/CN=relay", "-addext", "subjectAltName=DNS:relay",
		"-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", filepath.Join(dir, "cert.pem"))
	if code != 0 {
		t.Fatal(stderr)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o755, key: mode, filepath.Join(dir, "cert.pem"): 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// publicRunner: relay and client with the settings of the public runner: a network with the relay at "relay", its
// health check, mounts, memory and processor limits, a user of the runner's own. The standard set ends in its time
// there.
func publicRunner(t *testing.T) {
	const network, relay = "moq-test-net", "moq-test-relay"
	docker(t, "network", "create", network)
	defer docker(t, "network", "rm", network)
	mlog := t.TempDir()
	if err := os.Chmod(mlog, 0o777); err != nil {
		t.Fatal(err)
	}
	limits := []string{"--network", network, "--memory", "512m", "--cpus", "1", "--user", "1000:1000"}
	stop := runRelay(t, relay, append(limits, "--network-alias", "relay", "-v", certificate(t, 0o644)+":/certs:ro",
		"-v", mlog+":/mlog", "--health-cmd", "ss -uln | grep -q :4443", "--health-interval", "1s",
		image+":latest-shell")...)
	defer stop()
	healthy(t, relay, 5*time.Second)
	for _, url := range []string{"moqt://relay:4443", "https://relay:4443"} {
		start := time.Now()
		out := docker(t, append(append([]string{"run", "--rm", "-e", "RELAY_URL=" + url, "-e", "TLS_DISABLE_VERIFY=1",
			"-e", "MOQT_DRAFT=draft-18"}, limits...), image)...)
		took := time.Since(start).Seconds()
		doc, err := tap.Parse(strings.NewReader(out))
		if err != nil || doc.Plan == nil || len(doc.Points) != doc.Plan.Count || !strings.Contains(out, ", 0 not ok") {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Logf("%s: %d cases in %.1f s with 512 MB and one processor", url, len(doc.Points), took)
		if took > 120 {
			t.Errorf("%s: %.1f s", url, took)
		}
	}
	code, out, _ := execute(t, "", os.Environ(), "docker", "run", "--rm", "-e", "TESTCASE=no-such-case", image)
	if code != 127 || out != "" {
		t.Errorf("an unknown case: exit code %d, %q", code, out)
	}
	if logs, err := filepath.Glob(filepath.Join(mlog, "*_server.mlog")); err != nil || len(logs) < 2 {
		t.Errorf("mlog files: %v, %v", logs, err)
	}
}

// readOnly: neither a writable file system nor a capability is needed; the image checks its own health.
func readOnly(t *testing.T) {
	const network, relay = "moq-test-ro", "moq-test-ro-relay"
	docker(t, "network", "create", network)
	defer docker(t, "network", "rm", network)
	bare := []string{"--network", network, "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"}
	stop := runRelay(t, relay, append(bare, "--network-alias", "relay", image)...)
	defer stop()
	healthy(t, relay, 10*time.Second)
	docker(t, append(append([]string{"run", "--rm", "-e", "RELAY_URL=moqt://relay:4443", "-e", "TLS_DISABLE_VERIFY=1",
		"-e", "TESTCASE=setup-only,announce-subscribe,fetch"}, bare...), image)...)
}

// unreadableKey: a key that the container's user may not read is named, with what to do.
func unreadableKey(t *testing.T) {
	code, _, stderr := execute(t, "", os.Environ(), "docker", "run", "--rm", "-e", "MOQT_ROLE=relay", "-v",
		certificate(t, 0o600)+":/certs:ro", image)
	for _, want := range []string{"MOQT_KEY", "/certs/priv.key", "mode 0600", "user 65532", "chmod 0644"} {
		if code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("exit code %d, want 2 with %q: %s", code, want, stderr)
		}
	}
}

// matrixInside: a matrix in the plain image, without a folder for its results.
func matrixInside(t *testing.T) {
	out := docker(t, "run", "--rm", image, "matrix", "run", "--client", "builtin", "--relay", "embedded", "--draft",
		"18", "-t", "setup-only", "--transport", "quic", "-q")
	if !strings.Contains(out, "1 pass") {
		t.Error(out)
	}
}

// matrixOutside: clients and relays in containers, with each other and with what listens on the host's loopback.
func matrixOutside(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "list.json")
	text := fmt.Sprintf(`{"format": 1, "implementations": [
		{"name": "boxed", "drafts": ["draft-18"], "roles": ["client", "relay"],
		 "containers": [{"role": "client", "image": %[1]q}, {"role": "relay", "image": %[1]q}]},
		{"name": "here", "drafts": ["draft-18"], "roles": ["relay"],
		 "commands": [{"role": "relay", "command": ["{self}", "serve", "--addr", "127.0.0.1:{port}"]}]}]}`, image)
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := execute(t, dir, os.Environ(), program(t), "matrix", "run", "--relays", list, "--draft",
		"18", "-t", "setup-only,announce-subscribe", "--transport", "quic", "--engine", "docker", "--dir",
		filepath.Join(dir, "run"), "-q")
	if code != 0 || !strings.Contains(stdout, " 4 pass") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	t.Log(strings.TrimSpace(stdout))
}

// readmeSection runs the commands of README.md's section, word by word and in their order, in an empty folder.
func readmeSection(t *testing.T) {
	_, section, _ := strings.Cut(read(t, root, "README.md"), "## Container\n")
	section, _, ok := strings.Cut(section, "\n## ")
	lines := regexp.MustCompile(`(?m)^    (.*)$`).FindAllStringSubmatch(section, -1)
	if !ok || len(lines) < 10 {
		t.Fatalf("%d lines of commands in README.md's section", len(lines))
	}
	dir, script := t.TempDir(), ""
	for _, line := range lines {
		script += line[1] + "\n"
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := execute(t, dir, os.Environ(), "sh", "-exc", script)
	if code != 0 || strings.Count(stdout, " ok, 0 not ok") != 2 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if logs, err := filepath.Glob(filepath.Join(dir, "mlog", "*_server.mlog")); err != nil || len(logs) == 0 {
		t.Errorf("mlog files: %v, %v", logs, err)
	}
	t.Log(stderr)
}
