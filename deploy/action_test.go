package deploy

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// action is action.yml.
type action struct {
	Inputs map[string]struct {
		Required bool   `yaml:"required"`
		Default  string `yaml:"default"`
	} `yaml:"inputs"`
	Outputs map[string]struct {
		Value string `yaml:"value"`
	} `yaml:"outputs"`
	Runs struct {
		Using string `yaml:"using"`
		Steps []step `yaml:"steps"`
	} `yaml:"runs"`
}

// step is one of action.yml or of a workflow.
type step struct {
	ID    string            `yaml:"id"`
	If    string            `yaml:"if"`
	Uses  string            `yaml:"uses"`
	Run   string            `yaml:"run"`
	Shell string            `yaml:"shell"`
	Env   map[string]string `yaml:"env"`
	With  map[string]any    `yaml:"with"`
}

// job is what the action finds on a machine, and what it leaves there.
type job struct {
	context map[string]string // "inputs.relay", "steps.run.outputs.result"
	env     map[string]string // instead of what steps say: where releases are
	system  []string          // what the machine sets
	dir     string            // the folder that steps run in
	temp    string
	exit    int
	used    []string // actions that it would have used

	uploaded []string // what it would have kept as artifacts
	log      string
	summary  string
	outputs  map[string]string
}

var expression = regexp.MustCompile(`\$\{\{\s*([^}]*?)\s*\}\}`)

// value evaluates the expressions in text.
func (j *job) value(t *testing.T, text string) string {
	return expression.ReplaceAllStringFunc(text, func(e string) string {
		name := expression.FindStringSubmatch(e)[1]
		if !regexp.MustCompile(`^[\w.-]+$`).MatchString(name) {
			t.Fatalf("%s is more than this test can evaluate", e)
		}
		return j.context[name]
	})
}

// runAction runs the steps of action.yml one after the other as a runner would, with bash, until one fails.
func runAction(t *testing.T, inputs, context, env map[string]string) *job {
	t.Helper()
	needs(t, "bash", "curl")
	var a action
	parse(t, &a, root, "action.yml")
	path, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	goos := map[string]string{"linux": "Linux", "darwin": "macOS"}[runtime.GOOS]
	arch := map[string]string{"amd64": "X64", "arm64": "ARM64"}[runtime.GOARCH]
	j := &job{
		context: map[string]string{"github.action_path": path},
		system:  []string{"RUNNER_OS=" + goos, "RUNNER_ARCH=" + arch},
		env:     env, dir: t.TempDir(), temp: t.TempDir(), outputs: make(map[string]string),
	}
	for name, value := range context {
		j.context[name] = value
	}
	for name, in := range a.Inputs {
		j.context["inputs."+name] = in.Default
	}
	for name, value := range inputs {
		if _, ok := a.Inputs[name]; !ok {
			t.Fatalf("no input %q", name)
		}
		j.context["inputs."+name] = value
	}
	for i, s := range a.Runs.Steps {
		if !j.condition(t, s.If) {
			continue
		}
		if strings.HasPrefix(s.Uses, "actions/upload-artifact@") {
			j.uploaded = append(j.uploaded, j.value(t, fmt.Sprint(s.With["path"])))
			continue
		}
		if s.Uses != "" {
			j.used = append(j.used, s.Uses)
			continue
		}
		if s.Shell != "bash" {
			t.Fatalf("step %d: shell %q", i, s.Shell)
		}
		j.step(t, i, s)
	}
	for name, o := range a.Outputs {
		j.outputs[name] = j.value(t, o.Value)
	}
	return j
}

// condition evaluates an if: parts with && between them, each always() or a comparison with text. Without always() a
// step is not run behind one that failed.
func (j *job) condition(t *testing.T, text string) bool {
	t.Helper()
	always := false
	for part := range strings.SplitSeq(text, " && ") {
		m := regexp.MustCompile(`^([\w.-]+) (==|!=) '(.*)'$`).FindStringSubmatch(part)
		switch {
		case part == "":
		case part == "always()":
			always = true
		case m == nil:
			t.Fatalf("if: %s is more than this test can evaluate", text)
		case (j.context[m[1]] == m[3]) != (m[2] == "=="):
			return false
		}
	}
	return always || j.exit == 0
}

// step runs one.
func (j *job) step(t *testing.T, i int, s step) {
	t.Helper()
	output, summary, script := filepath.Join(j.temp, fmt.Sprintf("output-%d", i)), filepath.Join(j.temp, "summary"),
		filepath.Join(j.temp, fmt.Sprintf("step-%d.sh", i))
	for name, text := range map[string]string{output: "", script: s.Run} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := append(os.Environ(), "GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+summary, "RUNNER_TEMP="+j.temp)
	env = append(env, j.system...)
	for name, value := range s.Env {
		if other, ok := j.env[name]; ok {
			value = other
		}
		env = append(env, name+"="+j.value(t, value))
	}
	var stdout, stderr string
	j.exit, stdout, stderr = execute(t, j.dir, env, "bash", "--noprofile", "--norc", "-eo", "pipefail", script)
	j.log += stdout + stderr
	for line := range strings.Lines(read(t, output)) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			j.context["steps."+s.ID+".outputs."+name] = value
		}
	}
	if b, err := os.ReadFile(summary); err == nil {
		j.summary = string(b)
	}
}

// readme gives the with: of the action in README.md.
func readme(t *testing.T) map[string]string {
	t.Helper()
	_, section, _ := strings.Cut(read(t, root, "README.md"), "## GitHub Action\n")
	_, section, _ = strings.Cut(section, "```yaml\n")
	block, _, ok := strings.Cut(section, "```")
	if !ok {
		t.Fatal("README.md has no example of the action")
	}
	if n := strings.Count(block, "\n"); n != 5 {
		t.Errorf("%d lines of YAML, want five", n)
	}
	var steps []step
	if err := yaml.Unmarshal([]byte(block), &steps); err != nil {
		t.Fatal(err)
	}
	if len(steps) != 1 || !strings.HasPrefix(steps[0].Uses, "moqinterop/moq-interop-client@v") {
		t.Fatalf("%+v", steps)
	}
	with := make(map[string]string)
	for name, value := range steps[0].With {
		with[name] = fmt.Sprint(value)
	}
	return with
}

// The five lines of README.md, against the embedded relay.
func TestActionAsInREADME(t *testing.T) {
	whole(t)
	inputs := readme(t)
	inputs["relay"] = "embedded"
	checkREADME(t, inputs, runReleased(t, inputs))
}

// The same from the action's own files, which it builds when nothing names a release.
func TestActionFromSource(t *testing.T) {
	whole(t)
	inputs := readme(t)
	inputs["relay"] = "embedded"
	j := runAction(t, inputs, nil, nil)
	checkREADME(t, inputs, j)
	if len(j.used) != 1 || j.used[0] != "actions/setup-go@v5" {
		t.Errorf("used %v", j.used)
	}
}

// checkREADME wants every cell to pass, and each output to name what is there.
func checkREADME(t *testing.T, inputs map[string]string, j *job) {
	t.Helper()
	if j.exit != 0 || j.outputs["result"] != "pass" {
		t.Fatalf("exit code %d, outputs %v\n%s", j.exit, j.outputs, j.log)
	}
	for _, name := range []string{"html", "markdown", "junit"} {
		if info, err := os.Stat(filepath.Join(j.dir, j.outputs[name])); err != nil || info.Size() == 0 {
			t.Errorf("output %s: %v", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(j.dir, j.outputs["results"], "run.json")); err != nil {
		t.Error(err)
	}
	n := len(strings.Split(inputs["drafts"], ","))
	if !strings.Contains(j.summary, fmt.Sprintf("%d of %d cells pass", n, n)) {
		t.Errorf("summary: %s", j.summary)
	}
}

// A relay that fails fails the step, and the reason is on the job's page.
func TestActionFails(t *testing.T) {
	inputs := map[string]string{
		"relay": "embedded?fault=subscribe-error-zero", "cases": "setup-only,subscribe-error", "drafts": "16,18",
		"transport":          "quic",
		"tls-disable-verify": "true",
	}
	j := runReleased(t, inputs)
	if j.exit != 1 || j.outputs["result"] != "fail" || j.outputs["html"] == "" {
		t.Fatalf("exit code %d, outputs %v\n%s", j.exit, j.outputs, j.log)
	}
	if len(j.uploaded) != 1 || j.uploaded[0] != j.outputs["results"] {
		t.Errorf("kept %v, want %s", j.uploaded, j.outputs["results"])
	}
	errors := regexp.MustCompile(`(?m)^::error title=[^:,\n]*draft-(16|18)[^:,\n]* subscribe-error::.*a request `+
		`error that is not 0x0`).FindAllString(j.log, -1)
	if len(errors) != 2 || strings.Count(j.log, "::error") != 2 {
		t.Errorf("annotations %q in\n%s", errors, j.log)
	}
	for _, want := range []string{"0 of 2 cells pass", "subscribe-error", "expected a request error that is not 0x0"} {
		if !strings.Contains(j.summary, want) {
			t.Errorf("no %q in the summary: %s", want, j.summary)
		}
	}
	// The same with known failures passes.
	known := filepath.Join(t.TempDir(), "known.yaml")
	if err := os.WriteFile(known, []byte("- {case: subscribe-error, reason: the fault}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	inputs["expect"] = known
	if j := runReleased(t, inputs); j.exit != 0 || j.outputs["result"] != "pass" {
		t.Errorf("exit code %d, outputs %v\n%s", j.exit, j.outputs, j.log)
	}
}

// What makes no sense is an error and no failure; what looks like shell is no shell.
func TestActionUsage(t *testing.T) {
	for name, inputs := range map[string]map[string]string{
		"draft":   {"relay": "embedded", "drafts": "99"},
		"case":    {"relay": "embedded", "cases": "no-such-case"},
		"boolean": {"relay": "embedded", "tls-disable-verify": "perhaps"},
		"shell":   {"relay": "embedded", "cases": "$(touch pwned)`touch pwned`; touch pwned"},
		"url":     {"relay": "http://$(touch pwned)"},
		"version": {"relay": "embedded", "version": "newest"},
	} {
		t.Run(name, func(t *testing.T) {
			j := runReleased(t, inputs)
			if j.exit == 0 || j.exit == 1 || j.outputs["result"] == "pass" || j.outputs["result"] == "fail" ||
				j.summary != "" {
				t.Errorf("exit code %d, outputs %v\n%s", j.exit, j.outputs, j.log)
			}
			if _, err := os.Stat(filepath.Join(j.dir, "pwned")); err == nil {
				t.Error("an input was run as shell")
			}
		})
	}
}

// asset is the name of the program for this machine, among the files of a release.
var asset = fmt.Sprintf("moq-interop-client_%s_%s", runtime.GOOS, runtime.GOARCH)

// releases serves the program and the text of SHA256SUMS under a path; "" for the right sums.
func releases(t *testing.T, path, sums string) (url string) {
	t.Helper()
	b, err := os.ReadFile(program(t))
	if err != nil {
		t.Fatal(err)
	}
	if sums == "" {
		sums = fmt.Sprintf("%x  %s\n", sha256.Sum256(b), asset)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case path + asset:
			w.Write(b)
		case path + "SHA256SUMS":
			fmt.Fprint(w, strings.Repeat("1", 64)+"  another\n"+sums)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// runReleased is runAction with the action named by a release.
func runReleased(t *testing.T, inputs map[string]string) *job {
	t.Helper()
	return runAction(t, inputs, map[string]string{"github.action_ref": "v1"},
		map[string]string{"RELEASES": releases(t, "/download/v1/", "")})
}

// A release is downloaded and held against its sums.
func TestActionDownloads(t *testing.T) {
	for _, c := range []struct {
		name, version, ref, path, sums, want string
	}{
		{"by the action's name", "", "v1", "/download/v1/", "", ""},
		{"by version", "v1.2.3", "main", "/download/v1.2.3/", "", ""},
		{"the latest", "latest", "", "/latest/download/", "", ""},
		{"another sum", "v1", "", "/download/v1/", strings.Repeat("0", 64) + "  " + asset + "\n",
			"is not what SHA256SUMS says"},
		{"no sum", "v1", "", "/download/v1/", strings.Repeat("0", 64) + "  x" + asset + "\n",
			"is not what SHA256SUMS says"},
		{"no such release", "v2", "", "/download/v1/", "", "cannot get "},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := runAction(t, map[string]string{"relay": "embedded", "cases": "setup-only", "transport": "quic",
				"version": c.version},
				map[string]string{"github.action_ref": c.ref},
				map[string]string{"RELEASES": releases(t, c.path, c.sums)})
			switch {
			case len(j.used) != 0:
				t.Errorf("used %v for a download", j.used)
			case c.want == "" && (j.exit != 0 || j.outputs["result"] != "pass"):
				t.Errorf("exit code %d, outputs %v\n%s", j.exit, j.outputs, j.log)
			case c.want != "" && (j.exit != 2 || !strings.Contains(j.log, c.want)):
				t.Errorf("exit code %d, want 2 with %q\n%s", j.exit, c.want, j.log)
			}
		})
	}
}
