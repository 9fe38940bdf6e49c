package reference

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestShares: each fault of a known share touches one object in ten, on streams and in datagrams, and the track still
// ends as it should.
func TestShares(t *testing.T) {
	const groups, size, all = 3, 20, 60
	for _, f := range Shares() {
		for _, datagrams := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/datagrams=%v", f.Name, datagrams), func(t *testing.T) {
				t.Parallel()
				onDrafts(t, someDrafts, func(t *testing.T, d wire.Draft) {
					o, pub, sub := published(t, d, d, Options{Faults: []string{f.Name}}, nil)
					sent := make(chan map[wire.Location]time.Time, 1)
					go func() { sent <- sendEvenly(o, pub, groups, size, datagrams) }()
					var late, reordered int
					arrived := arrivals(o, sub)
					if ids := <-sent; len(ids) != all {
						t.Fatalf("%d of %d objects were sent", len(ids), all)
					} else {
						late, reordered = disorder(ids, arrived)
					}
					seen := map[wire.Location]int{}
					for _, a := range arrived {
						seen[a.at]++
					}
					missing, twice := all-len(seen), 0
					for at, n := range seen {
						switch touched := at.Object%10 == 4; {
						case n > 1 && touched:
							twice++
						case n > 1:
							t.Errorf("%v came %d times", at, n)
						}
					}
					got := [4]int{missing, twice, late, reordered}
					want := map[string][4]int{"drop-tenth": {6, 0, 0, 0}, "duplicate-tenth": {0, 6, 0, 0},
						"delay-tenth": {0, 0, 6, 6}, "reorder-tenth": {0, 0, 0, 6}}[f.Name]
					if got != want {
						t.Errorf("missing, twice, late, reordered: %v of %d, want %v", got, all, want)
					}
				})
			})
		}
	}
}

// sendEvenly sends groups of objects, one a millisecond, then the end of the track. It gives the times.
func sendEvenly(o *origin, pub *moqt.Publication, groups, size uint64, datagrams bool) map[wire.Location]time.Time {
	sent := map[wire.Location]time.Time{}
	for g := range groups {
		var w *moqt.SubgroupWriter
		if !datagrams {
			w = o.open(pub, g)
		}
		for id := range size {
			time.Sleep(time.Millisecond)
			object := &moqt.Object{GroupID: g, ObjectID: id, Priority: 100, Payload: payload(g, id)}
			var err error
			if datagrams {
				err = pub.SendDatagram(object)
			} else {
				err = w.WriteObject(object)
			}
			if err != nil {
				o.Error(err)
				return sent
			}
			sent[loc(g, id)] = time.Now()
		}
		if w != nil {
			w.Close()
		}
	}
	if err := pub.Done(o.ctx, moqt.DoneTrackEnded, ""); err != nil {
		o.Error(err)
	}
	return sent
}

// arrival is an object that came.
type arrival struct {
	at   wire.Location
	when time.Time
}

// arrivals takes all of a track, in the order in which it comes.
func arrivals(o *origin, sub *moqt.Subscription) (all []arrival) {
	for {
		x, err := sub.Next(o.ctx)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			o.Fatalf("after %d objects: %v", len(all), err)
		}
		all = append(all, arrival{x.Location(), time.Now()})
	}
}

// disorder counts the objects that were under way for 100 ms, and those that came, for the first time, after one that
// was sent later.
func disorder(sent map[wire.Location]time.Time, came []arrival) (late, reordered int) {
	var largest wire.Location
	for i, a := range came {
		if slices.ContainsFunc(came[:i], func(b arrival) bool { return b.at == a.at }) {
			continue
		}
		if a.when.Sub(sent[a.at]) >= delayWait {
			late++
		}
		if a.at.Compare(largest) < 0 {
			reordered++
		} else {
			largest = a.at
		}
	}
	return late, reordered
}
