package matrix

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/runner"
)

// builtin runs cases in this process.
type builtin struct {
	o *Options
}

// prepare has nothing to do.
func (b builtin) prepare(context.Context) error { return nil }

// run runs the cases, or the standard set, against the relay.
func (b builtin) run(ctx context.Context, w *work, cases []string) outcome {
	if b.o.Builtin == nil {
		return outcome{problem: "there is no built-in client here"}
	}
	r := w.request(cases)
	client, list, err := b.o.Builtin(r)
	if err != nil {
		return outcome{problem: "the built-in client: " + err.Error()}
	}
	if len(list) == 0 {
		return outcome{problem: "the built-in client has none of the cases"}
	}
	p := &parallel{Client: client, cases: list, slots: w.slots, results: make([]runner.Result, len(list)),
		done: make([]chan struct{}, len(list))}
	for i := range p.done {
		p.done[i] = make(chan struct{})
	}
	var doc bytes.Buffer
	o := runner.Options{Client: p, Cases: list, Relay: r.URL, About: []string{"Cell: " + w.cell.ID},
		Transport: w.cell.Transport, TAP: &doc}
	if w.cell.Draft != "" {
		o.Drafts = []string{w.cell.Draft}
	}
	ctx, cancel := context.WithCancel(ctx)
	report, err := runner.Run(ctx, o)
	cancel()
	p.running.Wait()
	out := reported(report, doc.Bytes())
	if err != nil {
		out.problem = "the report: " + err.Error()
	}
	return out
}

// repeat gives the line that runs the cell again.
func (b builtin) repeat(w *work, cases []string) string {
	r := w.request(cases)
	words := append([]string{}, b.o.Program...)
	if w.endpoint.Kind == KindEmbedded {
		words = append(words, "-r", w.endpoint.URL)
	} else {
		words = append(words, "-r", r.URL)
		if r.TLSDisableVerify {
			words = append(words, "--tls-disable-verify")
		}
	}
	words = append(words, "--transport", w.cell.Transport)
	if w.cell.Draft != "" {
		words = append(words, "--draft", strings.TrimPrefix(w.cell.Draft, "draft-"))
	}
	if len(w.endpoint.Tolerances) > 0 {
		words = append(words, "--compat", strings.Join(w.endpoint.Tolerances, ","))
	}
	if len(cases) > 0 {
		words = append(words, "-t", strings.Join(cases, ","))
	}
	return quote(words)
}

// parallel runs the first case alone, since the run ends when that does not reach the relay, and then as many of the
// others at once as there are slots. runner.Run asks it for one result after the other.
type parallel struct {
	runner.Client
	cases   []cases.Case
	slots   slots
	results []runner.Result
	done    []chan struct{}
	once    sync.Once
	running sync.WaitGroup
}

// Run implements runner.Client.
func (p *parallel) Run(ctx context.Context, c cases.Case, watch func(runner.Session)) runner.Result {
	i := 0
	for i < len(p.cases) && p.cases[i].ID != c.ID {
		i++
	}
	if i == 0 || i == len(p.cases) {
		return p.one(ctx, c, watch)
	}
	p.once.Do(func() {
		p.running.Go(func() {
			p.slots.each(len(p.cases)-1, func(j int) {
				defer close(p.done[j+1])
				if ctx.Err() == nil {
					p.results[j+1] = p.one(ctx, p.cases[j+1], func(runner.Session) {})
				}
			})
		})
	})
	<-p.done[i] // each case ends when ctx does
	return p.results[i]
}

// one runs a case; a panic of the client is the case's failure, not the end of all cells.
func (p *parallel) one(ctx context.Context, c cases.Case, watch func(runner.Session)) (r runner.Result) {
	defer func() {
		if v := recover(); v != nil {
			r = runner.Result{Status: runner.Fail, Message: fmt.Sprintf("panic in the client: %v", v),
				Transcript: strings.Split(string(debug.Stack()), "\n")}
		}
	}()
	return p.Client.Run(ctx, c, watch)
}
