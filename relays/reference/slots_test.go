package reference

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/moqinterop/moq-interop-client/moqt"
)

// TestSlots: over random takings and givings no bound is passed, every session may have its few, and no slot is lost or
// waited for in vain.
func TestSlots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := &slots{few: 2, session: 5, all: 8}
		var subs []*subscriber
		for range 3 {
			p := &peer{account: moqt.NewAccount(0)}
			for range 2 {
				subs = append(subs, &subscriber{peer: p, signal: make(chan struct{}, 1)})
			}
		}
		open, wants := make(map[*subscriber]int), make(map[*subscriber]bool)
		try := func(s *subscriber) { // as run does when it is woken
			if q.take(s) {
				open[s]++
				wants[s] = false
			} else {
				wants[s] = true
			}
		}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			s := subs[rapid.IntRange(0, len(subs)-1).Draw(t, "subscriber")]
			switch {
			case rapid.Bool().Draw(t, "take"):
				try(s)
			case open[s] > 0:
				open[s]--
				q.give(s.peer, 1)
			}
			for _, s := range subs {
				select {
				case <-s.signal:
					if wants[s] {
						try(s)
					} else {
						q.spare(s, false)
					}
				default:
				}
			}
			sum, of := 0, make(map[*peer]int)
			for s, n := range open {
				sum += n
				of[s.peer] += n
			}
			if sum != q.open || sum > q.all+q.few*len(of) {
				t.Fatalf("%d are open, %d are counted, for %d", sum, q.open, q.all)
			}
			for _, s := range subs {
				if of[s.peer] > q.session {
					t.Fatalf("a session has %d, at most %d may be", of[s.peer], q.session)
				}
				if wants[s] && q.may(s.peer) {
					t.Fatalf("a subscriber waits, and its session may have another stream")
				}
			}
		}
	})
}
