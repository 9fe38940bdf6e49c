package matrix

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// grace is how long a program that is asked to end may take before it is ended.
var grace = 2 * time.Second // tests have less

// program makes a command that leads a process group of its own. When ctx ends, the whole group is asked to end, and
// ended after the grace.
func program(ctx context.Context, argv, env []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	cmd.WaitDelay = grace
	ownGroup(cmd)
	cmd.Cancel = func() error { return askGroup(cmd.Process) }
	return cmd
}

// finish waits for a started program, ends what is left of its group, and gives its exit code, nil when a signal ended
// it. The error says that it could not be waited for; an exit code is none.
func finish(cmd *exec.Cmd) (*int, error) {
	err := cmd.Wait()
	endGroup(cmd.Process)
	var exit *exec.ExitError
	if errors.As(err, &exit) || errors.Is(err, exec.ErrWaitDelay) || errors.Is(err, context.Canceled) ||
		errors.Is(err, context.DeadlineExceeded) {
		// the exit code, or the end of the context, says it; a grandchild that holds the pipe open is none of the
		// client's results
		err = nil
	}
	if cmd.ProcessState == nil || !cmd.ProcessState.Exited() {
		return nil, err
	}
	code := cmd.ProcessState.ExitCode()
	return &code, err
}

// contractNames are the variables that the public interop runner's interface defines: a client gets those of its cell
// and none of ours.
var contractNames = []string{
	"RELAY_URL", "TESTCASE", "VERBOSE", "TLS_DISABLE_VERIFY", "MOQT_DRAFT", "DRAFT", "NAMESPACE_PREFIX", "AUTH_TOKEN",
	"COMPAT", "QLOGDIR", "SSLKEYLOGFILE",
	"MOQT_ROLE", "MOQT_PORT", "MOQT_CERT", "MOQT_KEY", "MOQT_MLOG_DIR",
}

// inherited is the environment of a program that is started: ours without contractNames, and then add.
func inherited(add []string) []string {
	env := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(contractNames, name)
	})
	return append(env, add...)
}

// saysError matches a line that says error, as a word of its own or at the end of a name as in IOError, and counts
// none, as "0 errors" does.
var saysError = regexp.MustCompile(`(?i)(^|[^0-9 ] |[^ ])error\b`)

// head keeps the first bytes written to it, and counts the rest. It never blocks a writer.
type head struct {
	mu   sync.Mutex
	max  int
	b    []byte
	lost int
}

// Write implements io.Writer.
func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := min(len(p), h.max-len(h.b))
	h.b = append(h.b, p[:n]...)
	h.lost += len(p) - n
	return len(p), nil
}

// tail keeps the last bytes written to it.
type tail struct {
	mu  sync.Mutex
	max int
	b   []byte
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p[max(0, len(p)-t.max):]...)
	if len(t.b) > 2*t.max {
		t.b = append(t.b[:0], t.b[len(t.b)-t.max:]...)
	}
	return len(p), nil
}

// text gives the last bytes.
func (t *tail) text() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.b[max(0, len(t.b)-t.max):])
}

// telling gives the line that is most likely to say why a program ended: the first one that says error, or else the
// last one, cut to a length for a sentence. What follows an error are its consequences.
func (t *tail) telling() string {
	lines := strings.Split(strings.TrimSpace(string(t.text())), "\n")
	line := strings.TrimSpace(lines[len(lines)-1])
	if i := slices.IndexFunc(lines, saysError.MatchString); i >= 0 {
		line = strings.TrimSpace(lines[i])
	}
	const most = 300
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "…"
	}
	return line
}
