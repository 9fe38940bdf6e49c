package reference

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/moqt"
)

// TestScheduler: turns go by priorities, within a flow by group and subgroup, and between flows of the same priority by
// what they had.
func TestScheduler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &scheduler{limit: 8, account: moqt.NewAccount(0)}
		a, b := &flow{}, &flow{}
		busy := []*turn{q.take(t.Context(), a, rank{}), q.take(t.Context(), b, rank{})}
		wants := []struct {
			name string
			f    *flow
			r    rank
		}{
			{"a: group 2", a, rank{100, 100, 2, 0}},
			{"a: group 1, subgroup 1", a, rank{100, 100, 1, 1}},
			{"a: group 1, subgroup 0", a, rank{100, 100, 1, 0}},
			{"b: group 9", b, rank{100, 100, 9, 0}},
			{"b: group 10", b, rank{100, 100, 10, 0}},
			{"a: publisher's priority", a, rank{100, 50, 7, 0}},
			{"b: subscriber's priority", b, rank{50, 200, 7, 0}},
		}
		var got []string
		for _, w := range wants {
			go func() {
				turn := q.take(t.Context(), w.f, w.r)
				got = append(got, w.name) // turns do not overlap here
				time.Sleep(time.Millisecond)
				q.done(turn, 1000)
			}()
			synctest.Wait()
		}
		if len(got) > 0 {
			t.Fatalf("%v went while two others were at it", got)
		}
		q.done(busy[0], 0) // one place, so that they come one by one
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		want := []string{"b: subscriber's priority", "a: publisher's priority", "a: group 1, subgroup 0", "b: group 9",
			"a: group 1, subgroup 1", "b: group 10", "a: group 2"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		q.done(busy[1], 0)
		q.mu.Lock() // it may be looking for turns that take too long
		defer q.mu.Unlock()
		if len(q.active) > 0 || len(q.flows) > 0 || q.aside > 0 {
			t.Errorf("left: %d active, %d flows, %d aside", len(q.active), len(q.flows), q.aside)
		}
	})
}

// TestStuckTurns: who takes long does not hold up the others, up to the limit; and who gives up leaves nothing behind.
func TestStuckTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &scheduler{limit: 3, account: moqt.NewAccount(0)}
		f := &flow{}
		began := time.Now()
		var stuck []*turn
		for range activeTurns + 3 {
			stuck = append(stuck, q.take(t.Context(), f, rank{}))
		}
		if took := time.Since(began); took < turnPatience || took > 3*turnPatience {
			t.Errorf("the others waited %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*turnPatience)
		defer cancel()
		if q.take(ctx, f, rank{}) != nil {
			t.Error("more stand aside than may")
		}
		for _, turn := range stuck {
			q.done(turn, 0)
		}
		if turn := q.take(t.Context(), f, rank{}); turn == nil {
			t.Error("no turn though all are done")
		} else {
			q.done(turn, 0)
		}
		q.mu.Lock() // it may be looking for turns that take too long
		defer q.mu.Unlock()
		if len(q.active) > 0 || len(q.flows) > 0 || q.aside > 0 || len(f.waiting) > 0 {
			t.Errorf("left: %d active, %d flows, %d aside, %d waiting", len(q.active), len(q.flows), q.aside,
				len(f.waiting))
		}
	})
}
