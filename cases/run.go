package cases

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Run runs one case to its end, within its limit. When it returns, every session is closed and every goroutine has
// ended. It never panics: a panic in the case, or in a goroutine started through its Env or its sessions, fails the
// case. If ctx ends before the case does, the result is no verdict.
func Run(ctx context.Context, c Case, cfg Config) Result {
	e := newEnv(c, cfg)
	if reason := e.excluded(); reason != "" {
		return e.result(&outcome{status: NotApplicable, reason: reason})
	}
	ctx, e.cancel = context.WithCancelCause(ctx)
	defer e.cancel(nil)
	e.open = ctx
	limited, stop := e.bounded(ctx, c.Timeout)
	defer stop()
	o := guard(func() error { return c.Run(limited, e) })
	if o == nil && limited.Err() != nil && !e.inTime.Load() {
		o = e.late(limited)
	}
	if o == nil {
		time.Sleep(lastWords)
		o = e.unheard()
	}
	o = e.promptly(e.because(o))
	e.finish()
	return e.result(o)
}

// late is the failure of a case that got everything it wanted, but after its limit.
func (e *Env) late(ctx context.Context) *outcome {
	if o, ok := context.Cause(ctx).(*outcome); ok {
		return o
	}
	received := fmt.Sprintf("everything, but only after %d ms", time.Since(e.start).Milliseconds())
	e.mu.Lock()
	for _, s := range e.sessions {
		received += fmt.Sprintf("; the SETUP of %s was complete at %d ms", s.Role,
			s.readyAt.Sub(e.start).Milliseconds())
	}
	e.mu.Unlock()
	return failed(transport.LayerRequest, fmt.Sprintf("everything within %s", e.stretched(e.c.Timeout)),
		received+"; "+moreTime)
}

// lastWords is how long sessions stay open after a pass, so that what the relay sent right after its last answer is
// read and judged too.
const lastWords = 10 * time.Millisecond

// excluded says why the case applies to nothing that is offered; "" if it may apply.
func (e *Env) excluded() string {
	drafts := e.cfg.drafts()
	if slices.ContainsFunc(drafts, e.c.Applies) {
		return ""
	}
	var offered []string
	for _, d := range drafts {
		offered = append(offered, fmt.Sprint(uint8(d)))
	}
	return fmt.Sprintf("exists in %s; offered: %s", e.c.DraftRange(), strings.Join(offered, ", "))
}

// finish closes every session, the last one first, and waits for every goroutine.
func (e *Env) finish() {
	e.mu.Lock()
	e.over = true
	sessions := slices.Clone(e.sessions)
	e.mu.Unlock()
	slices.Reverse(sessions)
	for _, s := range sessions {
		s.finish()
	}
	e.cancel(nil)
	e.group.Wait()
}

// result builds the result from what is known. o is nil for a pass.
func (e *Env) result(o *outcome) Result {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.beside != nil && (o == nil || !o.lost || !e.beside.lost) {
		o = e.beside
	}
	r := Result{
		Case: e.c.ID, Status: Pass, Level: e.c.Level, Message: e.message,
		Notes: e.notes, Tolerated: e.tolerated, Transcript: e.transcript.lines(),
	}
	var draft wire.Draft
	ready := false
	slices.SortStableFunc(e.infos, func(a, b *SessionInfo) int { // roles may be dialled beside each other
		return slices.Index(e.c.Roles, a.Role) - slices.Index(e.c.Roles, b.Role)
	})
	for _, s := range e.infos {
		r.Sessions = append(r.Sessions, *s)
		ready = ready || s.Ready
		if draft == 0 {
			draft = s.Draft
		}
	}
	r.Sections = e.c.Sections(draft)
	for _, id := range e.c.Rules {
		if rules.Section(draft, id) != "" {
			r.Rules = append(r.Rules, id)
		}
	}
	if o == nil && e.should != nil {
		o = e.should
		r.Level = Should
		if !e.cfg.Strict {
			r.Todo = "SHOULD: " + o.expected
		}
	}
	if o != nil {
		r.Status, r.Layer, r.Message, r.Expected, r.Received, r.Reason = o.status, o.layer, o.message, o.expected,
			o.received, o.reason
		r.DialFailed, r.TooSlow, r.Lost = o.dial && !ready, o.slow, o.lost
		if r.Status == Fail && e.c.Level == Should && !o.lost && !o.dial && o.stack == "" && !e.cfg.Strict {
			r.Todo = "SHOULD: " + o.expected // nothing else is what the case is about
		}
		if o.stack != "" {
			r.Notes = append(r.Notes, o.stack)
		}
	}
	for _, text := range []*string{&r.Message, &r.Expected, &r.Received, &r.Reason, &r.Todo} {
		*text = e.hide(*text)
	}
	for i, n := range r.Notes {
		r.Notes[i] = e.hide(n)
	}
	r.Duration = time.Since(e.start)
	return r
}
