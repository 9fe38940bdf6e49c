package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

// The shards of the bench's Job, at the same time and each with an embedded relay and a small load in place of a relay
// and a large one, and what joins them: all that was sent is received or lost, and the histogram has every sample.
func TestKubernetesBench(t *testing.T) {
	whole(t)
	needs(t, "sh")
	job, merge := readJob(t, "bench.yaml"), readJob(t, "bench-merge.yaml")
	n := job.Spec.Completions
	if job.Spec.CompletionMode != "Indexed" || job.Spec.Template.Spec.RestartPolicy != "Never" {
		t.Errorf("%+v", job.Spec)
	}
	line := job.Spec.Template.Spec.Containers[0].Args[0]
	if want := fmt.Sprintf(`--shard "$((JOB_COMPLETION_INDEX + 1))/%d"`, n); !strings.Contains(line, want) {
		t.Fatalf("%d completions, and shards of another number: %s", n, line)
	}
	for from, to := range map[string]string{"--subscribers 25": "--subscribers 2", "-r 300": "-r 100", "-t 30": "-t 2",
		"'*/1m'": "'*/10s'"} {
		if !strings.Contains(line, from) {
			t.Fatalf("no %s in %s", from, line)
		}
		line = strings.Replace(line, from, to, 1)
	}
	dir := t.TempDir()
	env := append(os.Environ(), "RESULTS="+dir, "RELAY=embedded", "PATH="+filepath.Dir(program(t))+
		string(os.PathListSeparator)+os.Getenv("PATH"))
	var shards sync.WaitGroup
	for i := range n {
		mine := append(slices.Clone(env), fmt.Sprintf("JOB_COMPLETION_INDEX=%d", i))
		shards.Go(func() {
			code, stdout, stderr := execute(t, dir, mine, "sh", "-c", line)
			if code != 0 {
				t.Errorf("index %d: exit code %d: %s%s", i, code, stdout, stderr)
			}
		})
	}
	shards.Wait()
	code, stdout, stderr := execute(t, dir, env, "sh", "-c", merge.Spec.Template.Spec.Containers[0].Args[0])
	if code != 0 || !strings.Contains(stdout, "received") {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	results, err := bench.ReadFile(filepath.Join(dir, "whole.json"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := results[0]
	if v := r.Received; r.Sent == nil || v == nil || v.Subscribers != 2*n || v.Objects+v.Lost != 2*r.Sent.Objects ||
		r.Latency == nil || r.Latency.Samples != v.Objects {
		t.Errorf("%s", read(t, dir, "whole.json"))
	}
}
