package matrix

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// Of a pair's transfer.
const (
	pairObjects = 20
	// pairLead is how long the publisher has to make itself known before the subscriber asks. One that then ends, since
	// there is nothing yet, is started again, pairTries times in all. pairHead is how long it has before the first
	// object: some publishers send what nobody waits for.
	pairLead  = 500 * time.Millisecond
	pairTries = 6
	pairHead  = 1500 * time.Millisecond
	// pairPace is the time between two objects: a subscriber of live media may give up a group that a newer one has
	// overtaken.
	pairPace = 100 * time.Millisecond
	// pairWait bounds all of it. pairQuiet is how long nothing may come once everything was sent, and pairMore how long
	// one more object than was sent is waited for.
	pairWait  = 20 * time.Second
	pairQuiet = 4 * time.Second
	pairMore  = 300 * time.Millisecond
)

// pair runs a publisher and a subscriber through the relay.
type pair struct {
	o    *Options
	spec Client
	x    *execution
}

// prepare has nothing to do.
func (p pair) prepare(context.Context) error { return nil }

// repeat is for the whole cell: see execution.repeat.
func (p pair) repeat(*work, []string) string { return "" }

// run sends objects through publisher, relay and subscriber, and compares.
func (p pair) run(ctx context.Context, w *work, _ []string) outcome {
	factor := float64(w.endpoint.Settings.TimeoutFactor)
	if factor == 0 {
		factor = 1
	}
	start := time.Now()
	sent := pairPayloads()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(factor*float64(pairWait)))
	defer cancel()
	name := "pair-" + hex.EncodeToString(random16())
	namespace := strings.TrimPrefix(string(w.endpoint.Settings.NamespacePrefix)+"/moq-interop/"+name, "/")
	values := map[string]string{"namespace": namespace, "track": "track-" + name, "count": fmt.Sprint(pairObjects)}
	got := &lineCount{want: pairObjects, full: make(chan struct{})}
	in, feed := io.Pipe()
	publisher, err := p.start(ctx, w, p.spec.Publisher, values, in, io.Discard)
	if err != nil {
		return outcome{problem: "the publisher " + err.Error()}
	}
	subscriber, err := p.subscribed(ctx, w, values, publisher, got)
	if err != nil {
		cancel()
		in.Close()
		publisher.end()
		return outcome{problem: "the subscriber " + err.Error()}
	}
	var feeding sync.WaitGroup
	fed := make(chan struct{})
	feeding.Go(func() { pairFeed(ctx, feed, sent, fed) })
	late := !got.wait(ctx, fed, subscriber.done, time.Duration(factor*float64(pairQuiet)))
	cancel()
	in.Close()
	feeding.Wait()
	said := []string{publisher.end(), subscriber.end()}
	c := pairVerdict(sent, got.lines(), said, late)
	c.DurationMS = time.Since(start).Milliseconds()
	o := outcome{cases: []CaseResult{c}, transcript: map[string][]string{}, transports: map[string][]string{}}
	for i, half := range []*halfProcess{publisher, subscriber} {
		if text := half.stderr.text(); len(text) > 0 {
			o.stderr = append(append(o.stderr, "== "+[]string{"publisher", "subscriber"}[i]+"\n"...), text...)
		}
	}
	o.tap = document(w, o, []outcome{{tap: o.stderr}})
	return o
}

// subscribed starts the subscriber, and returns when it has had the time that it has before the first object.
func (p pair) subscribed(ctx context.Context, w *work, values map[string]string, publisher *halfProcess,
	got *lineCount) (h *halfProcess, err error) {
	for range pairTries {
		select {
		case <-time.After(pairLead):
		case <-publisher.done:
		case <-ctx.Done():
		}
		if h, err = p.start(ctx, w, p.spec.Subscriber, values, nil, got); err != nil {
			return nil, err
		}
		select {
		case <-h.done:
			if publisher.ended() || len(got.lines()) > 0 {
				return h, nil
			}
		case <-time.After(pairHead):
			return h, nil
		case <-ctx.Done():
			return h, nil
		}
	}
	return h, nil
}

// halfProcess is a program of a pair that runs.
type halfProcess struct {
	stderr *tail
	done   chan struct{}
	exit   *int // valid when done is closed
}

// ended reports whether the program has ended.
func (h *halfProcess) ended() bool {
	select {
	case <-h.done:
		return true
	default:
		return false
	}
}

// end waits until the program has ended, and says why it may have failed; empty when it says nothing.
func (h *halfProcess) end() string {
	<-h.done
	if text := h.stderr.telling(); saysError.MatchString(text) {
		return text
	}
	return ""
}

// start starts one of the two programs.
func (p pair) start(ctx context.Context, w *work, half *Half, values map[string]string, in io.Reader,
	out io.Writer) (*halfProcess, error) {
	f := foreign{o: p.o, x: p.x, spec: Client{Name: p.spec.Name, Kind: KindCommand, Command: half.Command,
		Env: half.Env}}
	words := here(p.o, nil)
	words.more = values
	call, err := f.invocation(w, "", "", words, p.x.secrets.value)
	if err != nil {
		return nil, err
	}
	h := &halfProcess{stderr: &tail{max: maxStderr}, done: make(chan struct{})}
	cmd := program(ctx, call.argv, inherited(call.env.all()))
	cmd.Stdout, cmd.Stderr = out, h.stderr
	var pipe io.WriteCloser
	if in != nil {
		if pipe, err = cmd.StdinPipe(); err != nil {
			return nil, err
		}
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("did not start: %w", err)
	}
	go h.wait(cmd, in, pipe)
	return h, nil
}

// wait carries stdin to the program and waits for its end.
func (h *halfProcess) wait(cmd *exec.Cmd, in io.Reader, pipe io.WriteCloser) {
	defer close(h.done)
	var carrying sync.WaitGroup
	if in != nil {
		carrying.Go(func() {
			_, _ = io.Copy(pipe, in) // a program that reads no more says why itself
			pipe.Close()
		})
	}
	h.exit, _ = finish(cmd)
	if closer, ok := in.(io.Closer); ok {
		closer.Close()
	}
	carrying.Wait()
}

// pairFeed writes the objects, a line each, and holds stdin open until all is over: a publisher ends its track with it.
// fed is closed when the last object has been written.
func pairFeed(ctx context.Context, to *io.PipeWriter, lines []string, fed chan<- struct{}) {
	defer to.Close()
	wait := time.NewTimer(0)
	defer wait.Stop()
	for _, line := range lines {
		select {
		case <-wait.C:
		case <-ctx.Done():
			return
		}
		if _, err := io.WriteString(to, line+"\n"); err != nil {
			return
		}
		wait.Reset(pairPace)
	}
	close(fed)
	<-ctx.Done()
}

// pairPayloads are lines that no other run has, of different lengths.
func pairPayloads() []string {
	lines := make([]string, pairObjects)
	for i := range lines {
		lines[i] = fmt.Sprintf("object %d %s", i, strings.Repeat(hex.EncodeToString(random16()), 1+i%5))
	}
	return lines
}

func random16() []byte {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return b
}

// pairVerdict compares what was sent with what came, in any order: streams may overtake each other.
func pairVerdict(sent, got, said []string, late bool) CaseResult {
	c := CaseResult{Name: PairCase, Status: Pass,
		Expected: fmt.Sprintf("%d objects, sha256 %s", len(sent), pairHash(sent)),
		Received: fmt.Sprintf("%d objects, sha256 %s", len(got), pairHash(got))}
	left := make(map[string]int)
	for _, s := range sent {
		left[s]++
	}
	var twice, foreign int
	for _, g := range got {
		switch n, ours := left[g]; {
		case !ours:
			foreign++
		case n == 0:
			twice++
		default:
			left[g] = n - 1
		}
	}
	var missing []string
	for i, s := range sent {
		if left[s] > 0 {
			missing = append(missing, fmt.Sprint(i))
		}
	}
	if len(missing)+twice+foreign == 0 {
		c.Notes = []string{c.Received + ", as sent"}
		c.Expected, c.Received = "", ""
		return c
	}
	c.Status, c.Layer = Fail, string(transport.LayerData)
	if len(got) == 0 {
		c.Layer = string(transport.LayerRequest)
	}
	what := []string{fmt.Sprintf("%d of %d objects came", len(got)-twice-foreign, len(sent))}
	if len(missing) > 0 {
		what = append(what, "missing: "+strings.Join(missing[:min(8, len(missing))], ", "))
	}
	if twice > 0 {
		what = append(what, fmt.Sprintf("%d came twice", twice))
	}
	if foreign > 0 {
		what = append(what, fmt.Sprintf("%d that nobody sent", foreign))
	}
	if late {
		what = append(what, "the time was up")
	}
	for i, who := range []string{"publisher", "subscriber"} {
		if said[i] != "" {
			what = append(what, "the "+who+" says: "+said[i])
		}
	}
	c.Message = strings.Join(what, "; ")
	return c
}

// pairHash is the digest of lines, whatever their order.
func pairHash(lines []string) string {
	sorted := slices.Sorted(slices.Values(lines))
	sum := sha256.Sum256([]byte(strings.Join(sorted, "\n")))
	return hex.EncodeToString(sum[:8])
}

// lineCount keeps lines, up to a limit, and tells when there are as many as wanted.
type lineCount struct {
	want int
	full chan struct{}
	mu   sync.Mutex
	b    []byte
	told bool
}

// Write implements io.Writer.
func (l *lineCount) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, p[:min(len(p), max(0, maxStdout-len(l.b)))]...)
	if !l.told && bytes.Count(l.b, []byte("\n")) >= l.want {
		l.told = true
		close(l.full)
	}
	return len(p), nil
}

// wait waits until all lines have come, the subscriber has ended, or nothing came for a while since everything was fed.
// It reports false when the time was up.
func (l *lineCount) wait(ctx context.Context, fed, ended <-chan struct{}, quiet time.Duration) bool {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	last, came := time.Now(), 0
	for {
		select {
		case <-l.full:
			select {
			case <-time.After(pairMore):
			case <-ended:
			}
			return true
		case <-ended:
			return true
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
		l.mu.Lock()
		n := len(l.b)
		l.mu.Unlock()
		select {
		case <-fed:
			if n == came && time.Since(last) > quiet {
				return false
			}
		default:
			last = time.Now()
		}
		if n != came {
			last, came = time.Now(), n
		}
	}
}

// lines gives what came, a text for each line.
func (l *lineCount) lines() (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(string(l.b)) {
		out = append(out, strings.TrimRight(line, "\r\n"))
	}
	return out
}
