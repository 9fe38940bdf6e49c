package moqt

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Held is a kind of what peers make this end hold in memory, as an Account counts it.
type Held uint8

// What a session counts by itself. An application may count kinds of its own, from HeldOther to HeldLast.
const (
	HeldStreams  Held = iota // streams of the peer that are read, each with its buffer
	HeldMessages             // messages that have begun, and those that wait to be taken
	HeldRequests             // requests that have not ended, with their messages
	HeldObjects              // payloads that have begun and are not whole
	HeldTokens               // tokens that the peer has registered
	HeldOther
	HeldLast = HeldOther + 7
)

// Account counts the bytes that peers make this end hold, by kind, and bounds their sum. The account of a session
// stands within one for all, if Config.Account names one. An account for all keeps a part of its bytes for sessions
// that hold little, so nobody is locked out by a few that hold much. All methods are safe for concurrent use.
type Account struct {
	all   *Account // nil for an account that stands alone, or has others within
	limit int64    // 0 = none

	sum   atomic.Int64
	kinds [HeldLast + 1]atomic.Int64
	over  atomic.Bool // closed

	// The rest is that of the account for all, if there is one. claims counts those who wait, lines are their accounts.
	claims  atomic.Int64
	reclaim atomic.Pointer[func(int64)]
	mu      sync.Mutex
	lines   []*Account
	line    []*claim // what waits for this account; all.mu guards it
}

const (
	// littleHeld is how much of an account for all a session may hold that counts as little, in bytes.
	littleHeld = 1 << 20
	// keptShare is which part of an account for all is for such sessions: one fourth.
	keptShare = 4
)

// claim is one who waits for bytes.
type claim struct {
	kind  Held
	bytes int64
	given chan struct{}
}

// TooMuchError says that something does not fit into an Account, or did not find room in time.
type TooMuchError struct {
	// Bytes were asked for; Limit is that of the account.
	Bytes, Limit int64
}

// Error implements error.
func (e *TooMuchError) Error() string {
	return fmt.Sprintf("there is no room for %d bytes: the session may hold %d", e.Bytes, e.Limit)
}

// NewAccount makes an account for all sessions of a process. limit is how many bytes they may hold together; 0 is no
// limit.
func NewAccount(limit int64) *Account { return &Account{limit: limit} }

// Within makes an account for a part of what is held, as that of a session is. a may be nil.
func (a *Account) Within(limit int64) *Account { return &Account{all: a, limit: limit} }

// OnFull sets what Take and Wait call when the account for all has no room for so many bytes: f may free some.
func (a *Account) OnFull(f func(bytes int64)) { a.reclaim.Store(&f) }

// Limit is how many bytes may be held; 0 is no limit.
func (a *Account) Limit() int64 { return a.limit }

// Sum is how many bytes are held.
func (a *Account) Sum() int64 { return a.sum.Load() }

// Excess is by how many bytes an account for all is beyond what those may hold who hold much, if further ones are held;
// 0 when there is no limit.
func (a *Account) Excess(further int64) int64 {
	if a.limit == 0 {
		return 0
	}
	return a.sum.Load() + further - a.bound(littleHeld+1)
}

// Of is how many bytes of a kind are held.
func (a *Account) Of(k Held) int64 { return a.kinds[k].Load() }

// Take counts n bytes more. It does not wait: it reports false, and counts nothing, when there is no room.
func (a *Account) Take(k Held, n int64) bool {
	if a.Try(k, n) {
		return true
	}
	top := a.top()
	f := top.reclaim.Load()
	if f == nil || top != a && a.limit > 0 && a.sum.Load()+n > a.limit {
		return false
	}
	(*f)(n)
	return a.Try(k, n)
}

// Try is Take without OnFull.
func (a *Account) Try(k Held, n int64) bool {
	if a.try(k, n) {
		return true
	}
	if top := a.top(); top.claims.Load() > 0 {
		top.hand() // who waits may have found that taken which a failed try gives back
	}
	return false
}

// Force counts n bytes more, whatever the limit.
func (a *Account) Force(k Held, n int64) {
	if a.over.Load() {
		return
	}
	if a.all != nil {
		a.all.Force(k, n)
	}
	a.kinds[k].Add(n)
	a.sum.Add(n)
	if a.over.Load() {
		a.clear()
	}
}

// Wait takes n bytes, and waits for room. The one that has waited longest comes first. The error is the
// context's cause, or a *TooMuchError when so much can never be taken.
func (a *Account) Wait(ctx context.Context, k Held, n int64) error {
	top := a.top()
	if (top.claims.Load() == 0 || !a.awaited()) && a.Take(k, n) {
		return nil
	}
	if most := a.most(n); most > 0 && n > most {
		return &TooMuchError{n, most}
	}
	c := &claim{k, n, make(chan struct{})}
	top.mu.Lock()
	if len(a.line) == 0 {
		top.lines = append(top.lines, a)
	}
	a.line = append(a.line, c)
	top.claims.Add(1)
	top.mu.Unlock()
	top.hand()
	select {
	case <-c.given:
		return nil
	case <-ctx.Done():
	}
	top.mu.Lock()
	i := slices.Index(a.line, c)
	if i >= 0 {
		a.line = slices.Delete(a.line, i, i+1)
		top.claims.Add(-1)
		if len(a.line) == 0 {
			top.lines = slices.DeleteFunc(top.lines, func(x *Account) bool { return x == a })
		}
	}
	top.mu.Unlock()
	if i < 0 {
		a.Give(k, n)
	} else {
		top.hand() // the next may need less
	}
	return context.Cause(ctx)
}

// awaited reports whether somebody waits for the account.
func (a *Account) awaited() bool {
	top := a.top()
	top.mu.Lock()
	defer top.mu.Unlock()
	return len(a.line) > 0
}

// Give counts n bytes less.
func (a *Account) Give(k Held, n int64) {
	if n == 0 || a.over.Load() {
		return
	}
	a.less(k, n)
	if top := a.top(); top.claims.Load() > 0 {
		top.hand()
	}
}

// Close gives back all that is still counted. Nothing is counted from then on.
func (a *Account) Close() {
	a.over.Store(true)
	a.clear()
	if top := a.top(); top.claims.Load() > 0 {
		top.hand()
	}
}

func (a *Account) clear() {
	for k := range a.kinds {
		a.less(Held(k), a.kinds[k].Load())
	}
}

// less takes off what is there of n bytes, which nobody else takes off then.
func (a *Account) less(k Held, n int64) {
	for {
		have := a.kinds[k].Load()
		n = min(n, have)
		if n <= 0 {
			return
		}
		if a.kinds[k].CompareAndSwap(have, have-n) {
			break
		}
	}
	a.sum.Add(-n)
	if a.all != nil {
		a.all.less(k, n)
	}
}

// top is the account for all.
func (a *Account) top() *Account {
	if a.all != nil {
		return a.all
	}
	return a
}

// most is the largest number of bytes that could be taken together with what made n too many; 0 = any.
func (a *Account) most(n int64) int64 {
	most := a.limit
	if a.all != nil && a.all.limit > 0 {
		if all := a.all.bound(n); most == 0 || all < most {
			most = all
		}
	}
	return most
}

// bound is how much all may hold for one of them to hold so much.
func (a *Account) bound(held int64) int64 {
	if held <= littleHeld {
		return a.limit
	}
	return a.limit - a.limit/keptShare
}

// try takes n bytes if there is room for them.
func (a *Account) try(k Held, n int64) bool {
	if a.over.Load() {
		return true
	}
	held, ok := reserve(&a.sum, n, a.limit)
	if !ok {
		return false
	}
	if p := a.all; p != nil {
		bound := int64(0)
		if p.limit > 0 {
			bound = p.bound(held)
		}
		if _, ok := reserve(&p.sum, n, bound); !ok {
			a.sum.Add(-n)
			return false
		}
		p.kinds[k].Add(n)
	}
	a.kinds[k].Add(n)
	if a.over.Load() {
		a.clear()
	}
	return true
}

// reserve adds n if the sum stays within a limit; 0 is none.
func reserve(sum *atomic.Int64, n, limit int64) (now int64, ok bool) {
	for {
		have := sum.Load()
		if limit > 0 && have+n > limit {
			return have, false
		}
		if sum.CompareAndSwap(have, have+n) {
			return have + n, true
		}
	}
}

// hand gives bytes to those who wait, the accounts in turns.
func (a *Account) hand() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for given := true; given; {
		given = false
		for _, x := range slices.Clone(a.lines) {
			c := x.line[0]
			if !x.try(c.kind, c.bytes) {
				continue
			}
			close(c.given)
			given = true
			a.claims.Add(-1)
			x.line[0] = nil
			if x.line = x.line[1:]; len(x.line) == 0 {
				x.line = nil
				a.lines = slices.DeleteFunc(a.lines, func(y *Account) bool { return y == x })
			}
		}
	}
}
