package matrix

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/runner"
)

// work is what a client must know to run a cell.
type work struct {
	cell     Cell
	endpoint Endpoint
	url      string // with the transport's scheme
	instance *Instance
	lookout  *runner.Lookout // of all cells that have this instance
	slots    slots
	qlog     string // a folder, absolute; empty for none
	token    string // the endpoint's, a secret
}

// request gives the work to whoever makes the built-in client.
func (w *work) request(cases []string) Request {
	return Request{
		Cell: w.cell, Endpoint: w.endpoint, URL: w.url, TLSDisableVerify: w.endpoint.TLSDisableVerify,
		Instance: w.instance, Cases: cases, QLOGDir: w.qlog,
		AuthToken: w.token,
	}
}

// container makes a name for a container of the cell's client.
func (w *work) container() string { return containerName("client") }

// client is one way to run cases against a relay.
type client interface {
	// prepare does what is done once for all cells, such as fetching an image.
	prepare(ctx context.Context) error
	// run runs the cases, or the client's standard set when there are none. When ctx ends it returns soon, with what is
	// known.
	run(ctx context.Context, w *work, cases []string) outcome
	// repeat gives the shell line that runs the cases again.
	repeat(w *work, cases []string) string
}

// errCell is the cause of the end of a cell that took too long.
var errCell = errors.New("the cell's deadline")

// attempts is the state of a cell while it runs.
type attempts struct {
	x      *execution
	w      *work
	h      *host
	client client
	made   int // that got as far as the client
	// limited ends with the cell's deadline, which begins when the client is first run: a relay's start is not counted.
	limited context.Context
	cancel  context.CancelCauseFunc
	clock   *time.Timer
}

// cell runs one cell and hands over its result, with status Missing when the run ended before the cell did.
func (x *execution) cell(ctx context.Context, c Cell, h *host, s slots) {
	start := time.Now()
	spec, e := x.plan.find(c)
	a := &attempts{x: x, w: &work{cell: c, endpoint: e, slots: s}, h: h, client: builtin{o: x.o}}
	switch spec.Kind {
	case KindBuiltin:
	case KindPair:
		a.client = pair{o: x.o, spec: spec, x: x}
	default:
		a.client = foreign{o: x.o, spec: spec, x: x}
	}
	base := path.Join(cellsDir, path.Dir(c.ID)+"-"+c.Transport)
	var files Files
	if x.o.QLOG {
		files.QLOG = base + ".qlog"
		a.w.qlog = filepath.Join(x.o.Dir, filepath.FromSlash(files.QLOG))
	}
	a.limited, a.cancel = context.WithCancelCause(ctx)
	defer a.cancel(nil)

	asked := casesOf(x.plan.Cases, x.plan.Clients, spec)
	o := a.attempt(ctx, asked)
	first, whole := o, ""
	var second *outcome
	if o.broken() && !x.o.NoRetry && a.limited.Err() == nil {
		again := asked // everything, when the attempt broke as a whole
		if o.broke() == "" {
			again = nil
			for _, r := range o.cases {
				if r.Status == Fail || r.Status == Missing {
					again = append(again, r.Name)
				}
			}
		}
		out := a.attempt(ctx, again)
		if a.limited.Err() == nil { // one that was cut short tells nothing
			second = &out
			o, whole = repeated(first, out)
		}
	}
	if a.clock != nil {
		a.clock.Stop()
	}
	if context.Cause(a.limited) == errCell {
		late := fmt.Sprintf("ended by the cell's deadline of %v", x.o.CellTimeout)
		o.notes = append(slices.Clone(o.notes), late)
		if n := o.count(Missing); n > 0 || o.broke() != "" {
			o.bailed, o.bail = false, "" // it did not give up, it was made to
			if len(o.cases) == 0 && o.problem != "" {
				o.problem = late + ": " + o.problem
			} else {
				o.problem = fmt.Sprintf("%s: no result for %d of %d cases", late, n, len(o.cases))
			}
		}
	}
	r := judge(c, o, whole)
	r.Started, r.DurationMS, r.Attempts = start.UTC(), time.Since(start).Milliseconds(), a.made
	if a.made > 0 {
		r.Command = x.repeat(a, asked)
		x.repeatCases(a, &r)
	}
	if ctx.Err() != nil && r.Status != Pass { // an interruption makes failures of its own
		r.Status, r.Layer = Missing, ""
	}
	if err := x.files(&r, files, base, first, second); err != nil {
		if full(err) {
			x.giveUp(err)
			r.Status, r.Layer, r.Reason = Missing, "", err.Error() // it runs again when the run is resumed
		}
		r.Notes = append(r.Notes, "its files: "+err.Error())
	}
	x.done <- r
}

// repeat gives the line that repeats the cell: the client's alone, or, where the relay has to be started for it, one
// that runs the cell.
func (x *execution) repeat(a *attempts, cases []string) string {
	_, inProcess := a.client.(builtin)
	_, three := a.client.(pair)
	e := a.w.endpoint
	if e.Network == "" && !three && (a.w.instance == nil || e.Kind == KindEmbedded && inProcess) {
		return a.client.repeat(a.w, cases)
	}
	words := append(slices.Clone(x.o.Program), "matrix", "run")
	for _, name := range x.plan.Catalogues {
		words = append(words, "--relays", name)
	}
	words = append(words, "--cell", a.w.cell.ID)
	if three {
		words = append(words, "--pairs")
	}
	if e.Network != "" {
		words = append(words, "--network", e.Network)
	}
	words = append(words, told(e.Settings)...)
	if a.w.cell.Draft == "" {
		words = append(words, "--pin", string(PinNone))
	}
	if len(cases) > 0 {
		words = append(words, "-t", strings.Join(cases, ","))
	}
	return quote(words)
}

// attempt runs the client once against a running relay.
func (a *attempts) attempt(ctx context.Context, cases []string) outcome {
	w := a.w
	if err := a.client.prepare(ctx); err != nil {
		return outcome{problem: err.Error()}
	}
	i, lookout, err := a.h.get(ctx)
	var down errDown
	if errors.As(err, &down) {
		return outcome{down: down.Error()}
	}
	if err == nil {
		w.token, err = a.x.secrets.token(w.endpoint)
	}
	if err != nil {
		return outcome{problem: err.Error()}
	}
	w.instance, w.lookout, w.url = i, lookout, w.cell.URL
	if i != nil {
		w.url = urlFor("moqt://"+i.Address+i.Path, w.cell.Transport)
	}
	if w.url, err = a.h.through(w.url); err != nil {
		return outcome{problem: err.Error()}
	}
	if w.qlog != "" {
		if err := errors.Join(os.RemoveAll(w.qlog), open(w.qlog)); err != nil {
			return outcome{problem: err.Error()}
		}
	}
	a.made++
	if a.clock == nil {
		a.clock = time.AfterFunc(a.x.o.CellTimeout, func() { a.cancel(errCell) })
	}
	o := a.client.run(a.limited, w, cases)
	o.deceased(i)
	if i == nil && o.lost() {
		a.h.suspect(lookout)
	}
	a.x.tell(ctx, &o, a)
	a.x.secrets.outcome(&o)
	return o
}

// image is a container image, fetched once for all cells that need it.
type image struct {
	ready chan struct{}
	err   error
}

// pull makes sure that the engine has an image. It fetches no image that is there, and tries none twice.
func (x *execution) pull(ctx context.Context, name string) error {
	if x.o.Engine == "" {
		return errors.New("there is no container engine")
	}
	x.mu.Lock()
	i, known := x.images[name]
	if !known {
		i = &image{ready: make(chan struct{})}
		x.images[name] = i
	}
	x.mu.Unlock()
	if !known {
		limited, cancel := context.WithTimeout(ctx, x.o.PullTimeout)
		if run(limited, []string{x.o.Engine, "image", "inspect", name}) != nil {
			if err := run(limited, []string{x.o.Engine, "pull", name}); err != nil {
				i.err = fmt.Errorf("the image: %w", err)
			}
		}
		cancel()
		close(i.ready)
	}
	select {
	case <-i.ready:
		return i.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// engine runs a short command of the container engine.
func (x *execution) engine(args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return run(ctx, slices.Concat([]string{x.o.Engine}, args))
}
