package cases

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The limits of cases that have none of their own: CaseLimit for the whole case, StepLimit for a step. The time that
// the path takes is added.
const (
	CaseLimit = 15 * time.Second
	StepLimit = 5 * time.Second
)

// Env is what a case works with: sessions, names and verbs. A verb that cannot go on ends the case and does not return.
// Call verbs in the case's own goroutine and in those started with Go only. Env is safe for concurrent use.
type Env struct {
	c      Case
	cfg    Config
	run    string // the randomness in the names
	start  time.Time
	clock  clock
	open   context.Context // from which handshakes are bounded: it ends with the case, not with its limit
	cancel context.CancelCauseFunc

	transcript transcript
	arrivals   atomic.Int64 // objects that have come to Streams
	inTime     atomic.Bool  // the relay has done its part within the limit, whatever the time is now
	onSession  sync.Mutex   // Config.OnSession runs under it
	group      sync.WaitGroup
	connected  chan struct{} // closed once there is a connection
	first      sync.Once     // closes it

	mu        sync.Mutex
	over      bool // the verdict is known: what fails from now on does so because the sessions end
	beside    *outcome
	sessions  []*Session
	infos     []*SessionInfo
	notes     []string
	tolerated []string
	message   string
	should    *outcome
}

func newEnv(c Case, cfg Config) *Env {
	e := &Env{c: c, cfg: cfg, run: cfg.RunID, start: time.Now(), connected: make(chan struct{})}
	e.transcript.start = e.start
	if e.run == "" {
		var b [16]byte
		rand.Read(b[:]) // never fails
		e.run = hex.EncodeToString(b[:])
	}
	return e
}

// Namespace is a namespace that only this run uses: the user's prefix, then the cases' own fields, then more.
func (e *Env) Namespace(more ...string) wire.TrackNamespace {
	return e.cfg.NamespacePrefix.Join("moq-interop", e.c.ID, e.run).Join(more...)
}

// TrackName is a track name that only this run uses.
func (e *Env) TrackName() string { return "track-" + e.run }

// Parameters are what every request that allows it carries: the user's authorization token, by value, with Token Type
// 0.
func (e *Env) Parameters() wire.Parameters {
	if e.cfg.AuthToken == "" {
		return nil
	}
	return wire.Parameters{{Type: wire.ParamAuthorizationToken, Token: wire.Token{AliasType: wire.TokenUseValue,
		Value: []byte(e.cfg.AuthToken)}}}
}

// Fail ends the case as failed.
func (e *Env) Fail(layer transport.Layer, expected, received string) {
	panic(failed(layer, expected, received))
}

// Skip ends the case as skipped.
func (e *Env) Skip(format string, args ...any) {
	panic(&outcome{status: Skip, reason: fmt.Sprintf(format, args...)})
}

// NotApplicable ends the case as not applicable: by its own SETUP the relay offers nothing to test.
func (e *Env) NotApplicable(format string, args ...any) {
	panic(&outcome{status: NotApplicable, reason: fmt.Sprintf(format, args...)})
}

// Check ends the case as failed unless err is nil. Use Session.Check where the session is known; it says more.
func (e *Env) Check(ctx context.Context, err error, layer transport.Layer, expected string) {
	if err != nil {
		panic(e.classify(ctx, err, nil, layer, expected))
	}
}

// classify turns an error into a failure; nothing else does. s may be nil.
func (e *Env) classify(ctx context.Context, err error, s *Session, layer transport.Layer, expected string) *outcome {
	if o, ok := context.Cause(ctx).(*outcome); ok { // something else has ended the case; err follows from that
		return o.metBy(layer, expected)
	}
	if cause := context.Cause(ctx); errors.Is(err, context.Canceled) && errors.Is(cause, context.DeadlineExceeded) {
		var full *moqt.NoStreamError
		if errors.As(err, &full) {
			again := *full
			again.Err = context.DeadlineExceeded
			cause = &again
		}
		err = cause
	}
	if s == nil {
		return classify(err, 0, layer, expected, func() string { return "nothing in time" })
	}
	o := classify(err, s.Draft(), layer, expected, func() string { return s.log.silence(time.Now()) })
	if o.lost {
		o.whose = s.Role
	}
	return o
}

// minHidden is the shortest authorization token, in bytes, that is hidden in what a peer says. Shorter ones occur in
// ordinary words.
const minHidden = 6

// hide removes our authorization token from a text, since a peer may repeat it in a reason.
func (e *Env) hide(text string) string {
	if len(e.cfg.AuthToken) < minHidden {
		return text
	}
	return strings.ReplaceAll(text, e.cfg.AuthToken, hidden)
}

// Note records an observation.
func (e *Env) Note(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := fmt.Sprintf(format, args...); len(e.notes) < maxNotes && !slices.Contains(e.notes, n) {
		e.notes = append(e.notes, n)
	}
}

// maxNotes bounds the observations of one case.
const maxNotes = 64

// Annotate sets the message of a passing case.
func (e *Env) Annotate(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.message = fmt.Sprintf(format, args...)
}

// Should records a broken SHOULD unless ok is true: what the draft recommends, and what came. The case goes on.
func (e *Env) Should(ok bool, layer transport.Layer, what, received string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !ok && e.should == nil {
		e.should = failed(layer, what, received)
	}
}

// tolerate records that a named tolerance mattered, and where.
func (e *Env) tolerate(name, where string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := strings.TrimSuffix(name+": "+where, ": "); len(e.tolerated) < maxNotes && !slices.Contains(e.tolerated, t) {
		e.tolerated = append(e.tolerated, t)
	}
}

// Go runs f beside the case. The case's result waits for f, so f must return when its context ends. A verb that fails
// in f ends the case, and so does a panic.
func (e *Env) Go(ctx context.Context, f func(ctx context.Context)) {
	e.group.Add(1)
	go func() {
		defer e.group.Done()
		if o := guard(func() error { f(ctx); return nil }); o != nil {
			e.abort(o)
		}
	}()
}

// abort ends the case from another goroutine. The first outcome counts, except that a panic always does.
func (e *Env) abort(o *outcome) {
	e.mu.Lock()
	if (e.over || o.quiet) && o.stack == "" || e.beside != nil && (o.stack == "" || e.beside.stack != "") {
		e.mu.Unlock()
		return
	}
	e.beside = o
	e.mu.Unlock()
	e.cancel(o)
}

// guard runs f and recovers the panic with which verbs end it. Any other panic becomes a failure.
func guard(f func() error) (o *outcome) {
	defer func() {
		switch x := recover().(type) {
		case nil:
		case *outcome:
			o = x
		default:
			o = panicked(x, debug.Stack())
		}
	}()
	if err := f(); err != nil {
		return classify(err, 0, transport.LayerRequest, "the step to succeed",
			func() string { return "nothing in time" })
	}
	return nil
}

// panicked is a panic as a failure. The mistake is ours, not the relay's, so it has no layer.
func panicked(value any, stack []byte) *outcome {
	text := string(stack)
	if len(text) > maxStack {
		text = text[:maxStack]
	}
	return &outcome{status: Fail, message: fmt.Sprintf("panic in the test program: %v", value), expected: "no panic",
		received: fmt.Sprint(value), stack: text}
}

// maxStack bounds the stack of a panic in a result, in bytes.
const maxStack = 4096
