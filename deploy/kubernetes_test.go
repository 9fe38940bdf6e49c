package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// kubernetesJob is a Job, as far as it matters here.
type kubernetesJob struct {
	Kind string
	Spec struct {
		CompletionMode string `yaml:"completionMode"`
		Completions    int
		Template       struct {
			Spec struct {
				RestartPolicy string `yaml:"restartPolicy"`
				Containers    []struct {
					Image         string
					Command, Args []string
					Env           []struct{ Name, Value string }
				}
			}
		}
	}
}

func readJob(t *testing.T, name string) (job kubernetesJob) {
	t.Helper()
	for doc := range strings.SplitSeq(read(t, "kubernetes", name), "\n---\n") {
		if err := yaml.Unmarshal([]byte(doc), &job); err != nil {
			t.Fatal(err)
		}
	}
	if c := job.Spec.Template.Spec.Containers; job.Kind != "Job" || len(c) != 1 || c[0].Image != image+
		":latest-shell" || fmt.Sprint(c[0].Command) != "[/bin/sh -c]" || len(c[0].Args) != 1 {
		t.Fatalf("%s: %+v", name, job)
	}
	return job
}

// The shards of the Job, with the embedded relay in place of the public ones, and what joins them. Each shard is run
// twice, as a Pod that was taken away is.
func TestKubernetesJob(t *testing.T) {
	whole(t)
	needs(t, "sh")
	job, merge := readJob(t, "job.yaml"), readJob(t, "merge.yaml")
	if job.Spec.CompletionMode != "Indexed" || job.Spec.Template.Spec.RestartPolicy != "Never" {
		t.Errorf("%+v", job.Spec)
	}
	line := job.Spec.Template.Spec.Containers[0].Args[0]
	if want := fmt.Sprintf("/%d\"", job.Spec.Completions); !strings.Contains(line,
		"--shard \"$((JOB_COMPLETION_INDEX + 1))"+want) {
		t.Fatalf("%d completions, and shards of another number: %s", job.Spec.Completions, line)
	}
	here := strings.Replace(line, "--mode remote", "--relay embedded -t setup-only --quiet", 1)
	if here == line {
		t.Fatalf("no --mode remote: %s", line)
	}
	dir := t.TempDir()
	env := append(os.Environ(), "RESULTS="+dir, "PATH="+filepath.Dir(program(t))+string(os.PathListSeparator)+
		os.Getenv("PATH"))
	for i := range job.Spec.Completions {
		for range 2 {
			code, stdout, stderr := execute(t, dir, append(env, fmt.Sprintf("JOB_COMPLETION_INDEX=%d", i)), "sh", "-c",
				here)
			if code != 0 {
				t.Fatalf("index %d: exit code %d: %s%s", i, code, stdout, stderr)
			}
		}
	}
	code, stdout, stderr := execute(t, dir, env, "sh", "-c", merge.Spec.Template.Spec.Containers[0].Args[0])
	if code != 0 || !strings.Contains(stdout, "whole: ") || !strings.Contains(stdout, " pass") {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "whole", "index.html")); err != nil {
		t.Error(err)
	}
	// As it is, it plans the public relays.
	flags, _, _ := strings.Cut(strings.Replace(line, "matrix run", "matrix plan", 1), "--resume")
	code, stdout, stderr = execute(t, dir, append(env, "JOB_COMPLETION_INDEX=7"), "sh", "-c", strings.TrimSpace(flags))
	if code != 0 || !strings.Contains(stdout, "webtransport") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}
