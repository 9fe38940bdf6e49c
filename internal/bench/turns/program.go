package turns

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

// Program is a bench as a command.
type Program struct {
	Name    string   `json:"name"`
	Command []string `json:"command"`
}

// Turn is what one run of a program found.
type Turn struct {
	Result *bench.Result `json:"result"`
	// The processor time and the peak memory of the program and of what it has started, over its whole run.
	CPUS      float64 `json:"cpu_s"`
	PeakMiB   float64 `json:"peak_mib,omitempty"`
	DurationS float64 `json:"duration_s"`
}

// mostOutput bounds what is kept of a program's output, in bytes: its end.
const mostOutput = 4 << 20

// run runs a program, on these processors, or on all if none are named.
func (p Program) run(ctx context.Context, processors []int) (*Turn, error) {
	if len(p.Command) == 0 {
		return nil, fmt.Errorf("%s: no command", p.Name)
	}
	cmd := exec.CommandContext(ctx, p.Command[0], p.Command[1:]...)
	var stdout, stderr tail
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	groups(cmd)
	cmd.WaitDelay = time.Second // for the output of what it has left behind
	began := time.Now()
	err := pinned(processors, cmd.Start)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	err = cmd.Wait()
	t := &Turn{DurationS: time.Since(began).Seconds()}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, context.Cause(ctx))
	}
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return nil, fmt.Errorf("%s: %w: %s", p.Name, err, lastWords(stderr.String()+"\n"+stdout.String()))
	}
	s := cmd.ProcessState
	t.CPUS, t.PeakMiB = (s.UserTime() + s.SystemTime()).Seconds(), peakOf(s)
	if t.Result, err = Parse(stdout.String()); err != nil {
		words := lastWords(stdout.String() + "\n" + stderr.String())
		return nil, fmt.Errorf("%s: %w; it ended with: %s", p.Name, err, words)
	}
	t.Result.Label = p.Name
	return t, nil
}

// tail keeps the end of what is written.
type tail struct{ b bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	t.b.Write(p)
	if over := t.b.Len() - mostOutput; over > 0 {
		t.b.Next(over)
	}
	return len(p), nil
}

func (t *tail) String() string { return t.b.String() }

// lastWords are the last lines that say something.
func lastWords(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' })
	const most = 3
	lines = lines[max(0, len(lines)-most):]
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	words := strings.Join(lines, "; ")
	const long = 400
	if len(words) > long {
		words = words[:long] + "…"
	}
	return words
}
