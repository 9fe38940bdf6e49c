package reference

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func newTestLog(limit int64) *trackLog {
	l := &trackLog{}
	l.init(newCache(Limits{CacheBytes: limit}.withDefaults(), &Counters{}, moqt.NewAccount(0)))
	return l
}

func object(group, id uint64, payload string) *entry {
	return wholeEntry(moqt.Object{GroupID: group, ObjectID: id, Payload: []byte(payload)}, time.Now())
}

// put adds objects as a subscription brings them.
func put(t *testing.T, l *trackLog, group uint64, ids ...uint64) {
	t.Helper()
	for _, id := range ids {
		if fresh, err := l.add(object(group, id, "x"), true); !fresh || err != nil {
			t.Fatalf("add {%d, %d}: fresh %v, %v", group, id, fresh, err)
		}
	}
}

func loc(group, id uint64) wire.Location { return wire.Location{Group: group, Object: id} }

// gaps lists what is not known of a range.
func gaps(l *trackLog, pos, to wire.Location) (out []string) {
	for pos.Compare(to) <= 0 {
		last, known := l.knownFrom(pos, to)
		if !known {
			last = l.nextKnown(pos, to)
			out = append(out, fmt.Sprintf("%s-%s", pos, last))
		}
		next, over := behind(last)
		if over {
			break
		}
		pos = next
	}
	return out
}

func TestWhatIsKnown(t *testing.T) {
	max := "18446744073709551615"
	tests := []struct {
		name string
		do   func(t *testing.T, l *trackLog)
		to   wire.Location
		want []string
	}{
		{"nothing", func(t *testing.T, l *trackLog) {}, loc(1, 3), []string{"{0,0}-{1,3}"}},
		{"objects", func(t *testing.T, l *trackLog) { put(t, l, 0, 0, 1, 2, 5) }, loc(0, 6),
			[]string{"{0,3}-{0,4}", "{0,6}-{0,6}"}},
		{"end of group by status", func(t *testing.T, l *trackLog) {
			put(t, l, 0, 0, 1)
			end := object(0, 2, "")
			end.Status = wire.StatusEndOfGroup
			l.add(end, true)
			put(t, l, 1, 0)
		}, loc(1, 0), nil},
		{"gap properties", func(t *testing.T, l *trackLog) {
			put(t, l, 0, 0)
			e := object(3, 4, "x")
			e.EncodeProperties(wire.Draft22, wire.Properties{{Type: wire.PropPriorGroupIDGap, Uint: 2},
				{Type: wire.PropPriorObjectIDGap, Uint: 2}})
			l.add(e, true)
		}, loc(3, 4), []string{"{0,1}-{0," + max + "}", "{3,0}-{3,1}"}},
		{"a group that was followed from its start to the FIN of its streams", func(t *testing.T, l *trackLog) {
			l.follow(wire.Location{}, false)
			feed(t, l, wire.SubgroupHeader{GroupID: 0}, 0, 2, 4).fin()
			put(t, l, 1, 0)
		}, loc(1, 0), nil},
		{"a stream of it is open", func(t *testing.T, l *trackLog) {
			l.follow(wire.Location{}, false)
			feed(t, l, wire.SubgroupHeader{GroupID: 0}, 0, 2).fin()
			feed(t, l, wire.SubgroupHeader{GroupID: 0, SubgroupID: 1, IDMode: wire.SubgroupIDPresent}, 3)
			put(t, l, 1, 0)
		}, loc(0, 4), []string{"{0,1}-{0,1}", "{0,4}-{0,4}"}},
		{"a stream of it was reset", func(t *testing.T, l *trackLog) {
			l.follow(wire.Location{}, false)
			feed(t, l, wire.SubgroupHeader{GroupID: 0}, 0, 2).leave(moqt.ResetCancelled)
			put(t, l, 1, 0)
		}, loc(0, 3), []string{"{0,1}-{0,1}", "{0,3}-{0,3}"}},
		{"followed from its middle", func(t *testing.T, l *trackLog) {
			l.follow(loc(0, 0), true)
			feed(t, l, wire.SubgroupHeader{GroupID: 0}, 2).fin()
			put(t, l, 1, 0)
		}, loc(0, 3), []string{"{0,0}-{0,1}", "{0,3}-{0,3}"}},
		{"the end of the track settles the last group", func(t *testing.T, l *trackLog) {
			l.follow(wire.Location{}, false)
			feed(t, l, wire.SubgroupHeader{GroupID: 0}, 1).fin()
			l.unfollow(true)
		}, loc(0, math.MaxUint64), nil},
		{"confirmed by a fetch", func(t *testing.T, l *trackLog) {
			put(t, l, 2, 1)
			l.confirm(loc(0, 0), loc(4, 0))
		}, loc(4, 0), []string{"{4,0}-{4,0}"}}, // of a group without objects nothing but the whole is remembered
		{"confirmed up to the end of a group", func(t *testing.T, l *trackLog) {
			put(t, l, 2, 1)
			l.confirm(loc(1, 3), loc(4, math.MaxUint64))
		}, loc(5, 0), []string{"{0,0}-{1," + max + "}", "{5,0}-{5,0}"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newTestLog(1 << 20)
			tt.do(t, l)
			if diff := cmp.Diff(tt.want, gaps(l, loc(0, 0), tt.to)); diff != "" {
				t.Errorf("gaps up to %s (-want +got):\n%s", tt.to, diff)
			}
		})
	}
}

// feed brings objects on a subgroup stream of 18 that starts its subgroup.
func feed(t *testing.T, l *trackLog, h wire.SubgroupHeader, ids ...uint64) *source {
	t.Helper()
	h.FirstObject = true
	src := &source{header: h, draft: wire.Draft18}
	for _, id := range ids {
		e := object(h.GroupID, id, "x")
		e.SubgroupID = h.SubgroupID
		if _, err := l.bring(src, e, nil); err != nil {
			t.Fatal(err)
		}
	}
	return src
}

func ids(in *inflow) (out []uint64) {
	for _, e := range in.entries {
		out = append(out, e.ObjectID)
	}
	return out
}

// TestSeveralSources: what two publishers send of one subgroup becomes one stream where it can, and a second one where
// something may be missing between.
func TestSeveralSources(t *testing.T) {
	type move struct {
		who int
		id  uint64 // or:
		fin bool
		rst bool
	}
	bring := func(who int, ids ...uint64) (out []move) {
		for _, id := range ids {
			out = append(out, move{who: who, id: id})
		}
		return out
	}
	end := func(who int) []move { return []move{{who: who, fin: true}} }
	reset := func(who int) []move { return []move{{who: who, rst: true}} }
	tests := []struct {
		name  string
		moves [][]move
		want  [][]uint64
		state []flowState
	}{
		{"in step", [][]move{bring(0, 0, 1), bring(1, 0, 1, 2), bring(0, 2, 3), end(0), bring(1, 3), end(1)},
			[][]uint64{{0, 1, 2, 3}}, []flowState{finished}},
		{"gaps that both have", [][]move{bring(0, 0, 5), bring(1, 0, 5, 9), bring(0, 9), end(1)}, [][]uint64{{0, 5, 9}},
			[]flowState{finished}},
		{"one is reset", [][]move{bring(0, 0, 1), bring(1, 0), reset(0), bring(1, 1, 2), end(1)}, [][]uint64{{0, 1, 2}},
			[]flowState{finished}},
		{"both are reset", [][]move{bring(0, 0, 1), bring(1, 0), reset(0), reset(1)}, [][]uint64{{0, 1}},
			[]flowState{aborted}},
		{"the second starts later", [][]move{bring(0, 0, 1), bring(1, 5), bring(0, 2), end(1)},
			[][]uint64{{0, 1, 2}, {5}}, []flowState{flowing, finished}},
		{"all of it twice", [][]move{bring(0, 0, 1), end(0), bring(1, 0, 1), end(1)}, [][]uint64{{0, 1}},
			[]flowState{finished}},
		{"goes on where the first broke off", [][]move{bring(0, 0, 1), reset(0), bring(1, 0, 1, 2), end(1)},
			[][]uint64{{0, 1}, {2}}, []flowState{aborted, finished}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newTestLog(1 << 20)
			l.follow(wire.Location{}, false)
			sources := []*source{{draft: wire.Draft18}, {draft: wire.Draft18}}
			for _, group := range tt.moves {
				for _, m := range group {
					src := sources[m.who]
					switch {
					case m.fin:
						src.fin()
					case m.rst:
						src.leave(moqt.ResetCancelled)
					default:
						if _, err := l.bring(src, object(0, m.id, "x"), nil); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			var got [][]uint64
			var state []flowState
			for _, in := range l.groups[0].inflows {
				got, state = append(got, ids(in)), append(state, in.state)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("streams (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.state, state); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDuplicates(t *testing.T) {
	l := newTestLog(1 << 20)
	if fresh, _ := l.add(object(0, 0, "x"), false); !fresh {
		t.Error("an object from a fetch is not fresh")
	}
	if fresh, _ := l.add(object(0, 0, "x"), true); !fresh {
		t.Error("an object that only a fetch had brought is not new to subscribers")
	}
	if fresh, _ := l.add(object(0, 0, "x"), true); fresh {
		t.Error("the same object is fresh twice")
	}
	if _, err := l.add(object(0, 0, "y"), true); err != errMalformed {
		t.Errorf("another payload: %v, want %v", err, errMalformed)
	}
	for what, change := range map[string]func(e *entry){
		"another Publisher Priority":    func(e *entry) { e.Priority++ },
		"another Forwarding Preference": func(e *entry) { e.Datagram = true },
	} {
		e := object(0, 0, "x")
		change(e)
		if _, err := l.add(e, true); err != errMalformed {
			t.Errorf("%s: %v, want %v", what, err, errMalformed)
		}
		if _, err := l.add(e, false); err != nil { // a fetch stream before draft 18 does not tell
			t.Errorf("%s, from a fetch: %v", what, err)
		}
	}
	end := object(0, 3, "")
	end.Status = wire.StatusEndOfGroup
	l.add(end, true)
	if fresh, err := l.add(object(0, 4, "x"), true); fresh || err != errBehindEnd {
		t.Errorf("an object behind the end of its group: %v, %v, want %v", fresh, err, errBehindEnd)
	}
	end = object(2, 0, "")
	end.Status = wire.StatusEndOfTrack
	l.add(end, true)
	if fresh, err := l.add(object(1, 0, "x"), true); !fresh || err != nil {
		t.Errorf("an object before the end of its track: %v, %v", fresh, err)
	}
	if fresh, err := l.add(object(3, 0, "x"), true); fresh || err != errBehindEnd {
		t.Errorf("an object behind the end of its track: %v, %v, want %v", fresh, err, errBehindEnd)
	}
}

// TestCache: the oldest groups go first, nothing grows past the bound, and what is gone is not known any more.
func TestCache(t *testing.T) {
	const size = 1000
	c := newCache(Limits{CacheBytes: 10*(size+entryOverhead) + 4*groupOverhead}, &Counters{}, moqt.NewAccount(0))
	a, b := &trackLog{}, &trackLog{}
	a.init(c)
	b.init(c)
	add := func(l *trackLog, group, id uint64) {
		l.mu.Lock()
		e := object(group, id, "")
		e.Payload = bytes.Repeat([]byte{1}, size)
		l.add(e, true)
		l.mu.Unlock()
		c.trim()
	}
	for id := range uint64(4) {
		add(a, 0, id)
	}
	for id := range uint64(4) {
		add(b, 0, id)
	}
	for id := range uint64(6) {
		add(a, 1, id)
	}
	if c.used > c.limit {
		t.Errorf("%d bytes are held, at most %d may be", c.used, c.limit)
	}
	if a.groups[0] != nil {
		t.Errorf("the oldest group is still there: %v", gaps(a, loc(0, 0), loc(0, 3)))
	}
	if diff := cmp.Diff([]string(nil), gaps(b, loc(0, 0), loc(0, 3))); diff != "" {
		t.Errorf("a younger group went before the oldest: %s", diff)
	}
	add(a, 1, 6)
	if got := gaps(b, loc(0, 0), loc(0, 3)); len(got) != 1 || got[0] != "{0,0}-{0,0}" {
		t.Errorf("the next to go is not the lowest object of the oldest group: %v", got)
	}
	b.mu.Lock()
	b.reset()
	b.mu.Unlock()
	a.mu.Lock()
	a.reset()
	a.mu.Unlock()
	if c.used != 0 || c.order.Len() != 0 {
		t.Errorf("%d bytes in %d groups are left in an empty cache", c.used, c.order.Len())
	}
}

// TestReading holds reading with gaps against a plain map, over random arrivals and evictions.
func TestReading(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newTestLog(math.MaxInt64)
		model := make(map[wire.Location]bool)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			g, id := rapid.Uint64Range(0, 3).Draw(t, "group"), rapid.Uint64Range(0, 5).Draw(t, "id")
			if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
				if x := l.groups[g]; x != nil {
					n := rapid.IntRange(1, len(x.objects)).Draw(t, "evict")
					var bytes int64
					for _, e := range x.objects[:n] {
						bytes += e.size()
						delete(model, e.Location())
					}
					x.evict(bytes)
				}
				continue
			}
			l.add(object(g, id, "x"), rapid.Bool().Draw(t, "live"))
			model[loc(g, id)] = true
		}
		from, to := loc(0, 0), loc(3, 5)
		var seen []wire.Location
		for pos := from; pos.Compare(to) <= 0; {
			objects, last, known := l.read(pos, to, rapid.Int64Range(1, 2000).Draw(t, "bytes"))
			if !known {
				last = l.nextKnown(pos, to)
			}
			if last.Compare(pos) < 0 {
				t.Fatalf("reading at %s went back to %s", pos, last)
			}
			for _, e := range objects {
				seen = append(seen, e.Location())
			}
			pos = after(last)
		}
		var want []wire.Location
		for g := range uint64(4) {
			for id := range uint64(6) {
				if model[loc(g, id)] {
					want = append(want, loc(g, id))
				}
			}
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Fatalf("objects read (-want +got):\n%s", diff)
		}
		first, last, gap := l.lastGap(from, to)
		for g := range uint64(4) {
			for id := range uint64(6) {
				at := loc(g, id)
				if !model[at] && (!gap || at.Compare(first) < 0 || at.Compare(last) > 0) {
					t.Fatalf("%s is missing, but the gaps are from %s to %s (%v)", at, first, last, gap)
				}
			}
		}
	})
}
