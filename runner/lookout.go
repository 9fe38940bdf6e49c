package runner

import (
	"context"
	"errors"
	"time"
)

// A Lookout looks for one relay on behalf of several runs, so that a relay that is gone is waited for once: the first
// run that finds it gone for good tells the others. Safe for concurrent use.
type Lookout struct {
	turn   chan struct{} // has a place for the one that looks
	silent time.Time     // when the relay was first found silent since it answered last
	last   error         // what the last look said that found it so
	gone   error
}

// NewLookout makes a Lookout for a relay that answers.
func NewLookout() *Lookout { return &Lookout{turn: make(chan struct{}, 1)} }

// GoneForGood makes an error of a Pulse that says: the relay will not come back, and is not worth waiting for.
func GoneForGood(why error) error { return goneError{why} }

type goneError struct{ err error }

// Error implements error.
func (e goneError) Error() string { return e.err.Error() }

// Unwrap gives what the last look said.
func (e goneError) Unwrap() error { return e.err }

// giveUp tells that a wait for the relay has ended in vain.
func (l *Lookout) giveUp() {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if l.gone == nil && l.last != nil {
		l.gone = goneError{l.last}
	}
}

// Gone says why the relay is gone for good; nil if nobody has found that it is.
func (l *Lookout) Gone() error {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	return l.gone
}

// alive looks as p does, but one at a time, and no more for a relay that is gone.
func (l *Lookout) alive(ctx context.Context, p Pulse) error {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if l.gone != nil {
		return l.gone
	}
	start := time.Now()
	err := p.Alive(ctx)
	if err == nil || refuses(err) {
		l.silent, l.last = time.Time{}, nil
		return err
	}
	if isGone(err) {
		l.gone = err
		return err
	}
	if l.silent.IsZero() {
		l.silent = start
	}
	l.last = err
	// The wait of one whose packets get lost ends within a look, and the next in turn is not to begin another.
	if ctx.Err() == context.DeadlineExceeded && time.Since(l.silent) >= outageWait-outagePause {
		l.gone = goneError{err}
	}
	return err
}

// isGone reports whether it makes no sense to look again.
func isGone(err error) bool { return errors.As(err, new(goneError)) }
