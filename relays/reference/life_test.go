package reference

import (
	"testing"

	"pgregory.net/rapid"
)

// TestLife: the steps of a subscription to a publisher.
func TestLife(t *testing.T) {
	all := []lifeEvent{accepted, superseded, refused, unanswered, dropped, ended, left}
	want := map[life]map[lifeEvent]life{
		asking:  {accepted: live, superseded: leaving, refused: gone, unanswered: leaving, ended: gone},
		live:    {dropped: leaving, ended: gone},
		leaving: {left: gone},
		gone:    {},
	}
	for from, steps := range want {
		for _, e := range all {
			to, ok := steps[e]
			if !ok {
				to = from
			}
			if got, changed := from.next(e); got != to || changed != ok {
				t.Errorf("%s, %s: %s (%v), want %s (%v)", from, e, got, changed, to, ok)
			}
		}
	}
}

// TestLifeIsOrderly: whatever happens in whatever order, a subscription is live at most once, what we have cancelled is
// left before it is gone, and gone is the end.
func TestLifeIsOrderly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state, lives, cancelled := asking, 0, false
		for _, e := range rapid.SliceOfN(rapid.SampledFrom([]lifeEvent{accepted, superseded, refused, unanswered,
			dropped,
			ended, left}), 0, 30).Draw(t, "events") {
			to, ok := state.next(e)
			if !ok {
				continue
			}
			switch {
			case state == gone:
				t.Fatalf("%s is left by %s", state, e)
			case to == gone && cancelled && e != left:
				t.Fatalf("cancelled, and gone by %s", e)
			case to == live:
				lives++
			case to == leaving:
				cancelled = true
			}
			state = to
		}
		if lives > 1 {
			t.Fatalf("live %d times", lives)
		}
	})
}
