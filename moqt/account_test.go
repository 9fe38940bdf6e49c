package moqt

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestAccountBounds: a session has its bound, all have theirs, and who holds little finds room when others hold much.
func TestAccountBounds(t *testing.T) {
	all := NewAccount(8 << 20)
	a, b := all.Within(7<<20), all.Within(0)
	if a.Take(HeldObjects, 7<<20) {
		t.Error("more than all but the part that is kept for others")
	}
	if !a.Take(HeldObjects, 6<<20) {
		t.Error("three fourths were not there for one")
	}
	if b.Take(HeldMessages, littleHeld+1) {
		t.Error("much was there, where only the part for those who hold little is left")
	}
	if !b.Take(HeldMessages, littleHeld) {
		t.Error("no room for who holds little")
	}
	if got := all.Of(HeldObjects); got != 6<<20 {
		t.Errorf("%d bytes of objects, want %d", got, 6<<20)
	}
	a.Close()
	a.Give(HeldObjects, 6<<20) // late
	if got := all.Sum(); got != littleHeld {
		t.Errorf("%d bytes when one has closed, want those of the other", got)
	}
	b.Give(HeldMessages, littleHeld)
	if got := all.Sum(); got != 0 {
		t.Errorf("%d bytes at the end", got)
	}
}

// TestAccountWait: who waits gets room in turn, gives up with the context, and is told what can never be.
func TestAccountWait(t *testing.T) { synctest.Test(t, testAccountWait) }

func testAccountWait(t *testing.T) {
	a := NewAccount(100).Within(50)
	var much *TooMuchError
	if err := a.Wait(t.Context(), HeldObjects, 51); !errors.As(err, &much) || much.Limit != 50 {
		t.Errorf("%v, want that there are 50", err)
	}
	a.Take(HeldObjects, 40)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var order []int
	var done sync.WaitGroup
	for i, n := range []int64{30, 20, 5} {
		done.Go(func() {
			if err := a.Wait(ctx, HeldMessages, n); err == nil {
				order = append(order, i)
			}
		})
		synctest.Wait()
	}
	a.Give(HeldObjects, 15)
	synctest.Wait()
	if len(order) != 0 {
		t.Errorf("%v came before the one that waits longest", order)
	}
	time.Sleep(2 * time.Second) // the first gives up, and the next find room
	done.Wait()
	if a.all.claims.Load() != 0 || a.Sum() > 50 {
		t.Errorf("%v got room when all had given up, %d are held, %d wait", order, a.Sum(), a.all.claims.Load())
	}
	a.Give(HeldMessages, a.Of(HeldMessages))
	a.Take(HeldMessages, 10)
	go a.Wait(t.Context(), HeldMessages, 30)
	synctest.Wait()
	a.Give(HeldObjects, 20)
	synctest.Wait()
	if a.Sum() != 45 {
		t.Errorf("%d held, want 15 and what was waited for", a.Sum())
	}
}

// TestAccountFull: what can be freed is, before anything waits or is refused.
func TestAccountFull(t *testing.T) {
	all := NewAccount(100)
	a := all.Within(0)
	all.Force(HeldOther, 90)
	all.OnFull(func(n int64) { all.Give(HeldOther, n) })
	if !a.Take(HeldObjects, 50) || all.Sum() != 90 {
		t.Errorf("%d held", all.Sum())
	}
}

// TestAccountChurn: whatever many do at once, nothing is left over and nobody waits for ever.
func TestAccountChurn(t *testing.T) {
	all := NewAccount(1000)
	var done sync.WaitGroup
	for i := range 8 {
		a := all.Within(300)
		for range 8 {
			done.Go(func() {
				for range 2000 {
					n := int64(rand.IntN(200))
					k := Held(rand.IntN(5))
					switch rand.IntN(3) {
					case 0:
						if !a.Take(k, n) {
							continue
						}
					case 1:
						ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
						err := a.Wait(ctx, k, n)
						cancel()
						if err != nil {
							continue
						}
					default:
						if err := a.Wait(t.Context(), k, n); err != nil {
							t.Error(i, err)
						}
					}
					if a.Sum() > 300 || all.Sum() > 1000 {
						t.Errorf("%d of 300, %d of 1000", a.Sum(), all.Sum())
					}
					a.Give(k, n)
				}
			})
		}
	}
	done.Wait()
	if all.Sum() != 0 {
		t.Errorf("%d are left", all.Sum())
	}
	for k := range Held(HeldLast + 1) {
		if all.Of(k) != 0 {
			t.Errorf("%d of kind %d are left", all.Of(k), k)
		}
	}
}
