package matrix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/relays"
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
	var doc bytes.Buffer
	o := runner.Options{Lookout: w.lookout, Client: withSlots(client, w), Cases: list, Parallel: w.slots.size(),
		FirstAlone: true, Relay: r.URL, About: []string{"Cell: " + w.cell.ID}, Transport: w.cell.Transport, TAP: &doc}
	if w.cell.Draft != "" {
		o.Drafts = []string{w.cell.Draft}
	}
	report, err := runner.Run(ctx, o)
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
	settings := w.endpoint.Settings
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
	words = append(words, told(settings)...)
	if f := float64(settings.TimeoutFactor); f != 0 {
		words = append(words, "--timeout-factor", strconv.FormatFloat(f, 'g', -1, 64))
	}
	if settings.Strict {
		words = append(words, "--strict")
	}
	if len(cases) > 0 {
		words = append(words, "-t", strings.Join(cases, ","))
	}
	if name := settings.AuthToken.Variable(); name != "" {
		return `AUTH_TOKEN="$` + name + `" ` + quote(words)
	}
	return quote(words)
}

// told are the settings as flags that matrix run has too.
func told(s relays.Settings) (words []string) {
	for _, flag := range [][2]string{{"--namespace-prefix", string(s.NamespacePrefix)}, {"--ca", s.TLS}} {
		if flag[1] != "" {
			words = append(words, flag[0], flag[1])
		}
	}
	return words
}

// withSlots gives a client whose cases wait for slots: the cell's own, and others while they are free. It looks for a
// relay that is gone if client does, together with the other cells of the endpoint.
func withSlots(client runner.Client, w *work) runner.Client {
	s := &slotted{Client: client, own: make(chan struct{}, 1), free: w.slots, turn: make(chan struct{}, 1),
		ended: make(chan struct{})}
	s.own <- struct{}{}
	if p, ok := client.(runner.Pulse); ok {
		return struct {
			*slotted
			runner.Pulse
		}{s, pulseOf{w, p}}
	}
	return s
}

// pulseOf looks for a relay. One that was started here and has ended does not come back.
type pulseOf struct {
	w *work
	runner.Pulse
}

// Alive implements runner.Pulse.
func (p pulseOf) Alive(ctx context.Context) error {
	if i := p.w.instance; i != nil && i.ended() {
		return runner.GoneForGood(errors.New("it has ended" + because(i)))
	}
	return p.Pulse.Alive(ctx)
}

// slotted is the client that withSlots gives.
type slotted struct {
	runner.Client
	own  chan struct{} // has the cell's slot while no case uses it
	free slots
	turn chan struct{} // is full while a case looks for a slot; the others queue for it

	mu    sync.Mutex
	ended chan struct{} // closed, and made anew, when a case ends
}

// Run implements runner.Client.
func (s *slotted) Run(ctx context.Context, c cases.Case, watch func(runner.Session)) runner.Result {
	give := s.take(ctx)
	if give == nil {
		return runner.Result{}
	}
	defer give()
	return s.one(ctx, c, watch)
}

// take waits for the cell's slot or one that is free, and gives the function that gives it back; nil when ctx ends. Who
// comes first has the first slot: results stay in order, so all others wait for a case that is passed over.
func (s *slotted) take(ctx context.Context) (give func()) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil
	}
	for {
		s.mu.Lock()
		ended := s.ended
		s.mu.Unlock()
		select {
		case <-s.own:
			return func() { s.own <- struct{}{}; s.wake() }
		default:
		}
		if s.free.try() {
			return func() { s.free.give(); s.wake() }
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return nil
		}
	}
}

// wake lets those look again who wait for a slot.
func (s *slotted) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ended)
	s.ended = make(chan struct{})
}

// one runs a case; a panic of the client is the case's failure, not the end of all cells.
func (s *slotted) one(ctx context.Context, c cases.Case, watch func(runner.Session)) (r runner.Result) {
	defer func() {
		if v := recover(); v != nil {
			r = runner.Result{Status: runner.Fail, Message: fmt.Sprintf("panic in the client: %v", v),
				Transcript: strings.Split(string(debug.Stack()), "\n")}
		}
	}()
	return s.Client.Run(ctx, c, watch)
}
