package track

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// receiving makes a subscription of a draft that is read as a track, and the publication whose streams the test writes
// itself.
func receiving(t *testing.T, d wire.Draft, opts ReadOptions, limits moqt.Limits) (*sessions, *Subscribed,
	*moqt.Publication) {
	t.Helper()
	p := dialOver(t, d, narrow(d), moqt.Config{Limits: limits}, moqt.Config{})
	sub, pub := p.established(p.client, p.server, subscribeMessage(), nil)
	return p, Read(sub, opts), pub
}

// stream opens a subgroup stream and writes objects with these IDs.
func (p *sessions) stream(pub *moqt.Publication, h wire.SubgroupHeader, ids ...uint64) *moqt.SubgroupWriter {
	p.t.Helper()
	h.IDMode = wire.SubgroupIDPresent
	w, err := pub.OpenSubgroup(p.ctx, h)
	noError(p.t, err)
	p.objects(w, ids...)
	return w
}

func (p *sessions) objects(w *moqt.SubgroupWriter, ids ...uint64) {
	p.t.Helper()
	for _, id := range ids {
		noError(p.t, w.WriteObject(objectAt(wire.Location{Group: w.Header().GroupID, Object: id})))
	}
}

// TestReadInOrder: objects of several subgroups come in order, a group at once when the one before is known to be
// complete, and one that nothing is known of after the patience.
func TestReadInOrder(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		var gaps []string
		p, s, pub := receiving(t, d, ReadOptions{InOrder: true, Patience: time.Second,
			Gap: func(from, to wire.Location) { gaps = append(gaps, from.String()+" "+to.String()) }}, moqt.Limits{})
		start := time.Now()
		odd := p.stream(pub, wire.SubgroupHeader{SubgroupID: 1}, 1, 3)
		even := p.stream(pub, wire.SubgroupHeader{}, 0, 2, 4)
		same(t, take(t, p.ctx, s, 5), locations(0, 1, 5), true)
		next := p.stream(pub, wire.SubgroupHeader{GroupID: 1, EndOfGroup: true}, 0, 1)
		quiet(t, s)
		p.objects(odd, 5)
		noError(t, odd.Close())
		noError(t, even.Close())
		same(t, take(t, p.ctx, s, 3), []wire.Location{{Object: 5}, {Group: 1}, {Group: 1, Object: 1}}, true)
		if took := time.Since(start); took != 0 || len(gaps) != 0 {
			t.Errorf("it took %v, gaps %q", took, gaps)
		}
		third := p.stream(pub, wire.SubgroupHeader{GroupID: 2}, 2)
		quiet(t, s)
		noError(t, next.Close()) // the end of group 1
		quiet(t, s)
		same(t, take(t, p.ctx, s, 1), []wire.Location{{Group: 2, Object: 2}}, true)
		if took := time.Since(start); took < time.Second || took > 1100*time.Millisecond || len(gaps) != 1 ||
			gaps[0] != "{1,2} {2,2}" {
			t.Errorf("it took %v, gaps %q", took, gaps)
		}
		late := p.stream(pub, wire.SubgroupHeader{GroupID: 2, SubgroupID: 1}, 0, 3)
		same(t, take(t, p.ctx, s, 1), []wire.Location{{Group: 2, Object: 3}}, true)
		noError(t, late.Close())
		noError(t, third.Close())
		noError(t, pub.Done(p.ctx, moqt.DoneTrackEnded, ""))
		if got := drain(t, p.ctx, s); len(got) != 0 {
			t.Errorf("objects %v", got)
		}
		r := s.Report()
		if r.Late != 1 || r.Missing != 1 || len(r.Gaps) != 1 || r.Gaps[0].String() != "{2, 1}" || r.Objects != 11 {
			t.Errorf("report %+v", r)
		}
	})
}

// TestReadInOrderGaps: what objects say of what does not exist is not waited for: Prior Object ID Gap, Prior Group ID
// Gap, statuses.
func TestReadInOrderGaps(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p, s, pub := receiving(t, d, ReadOptions{InOrder: true}, moqt.Limits{})
		start := time.Now()
		w := p.stream(pub, wire.SubgroupHeader{HasProperties: true}, 0)
		o := objectAt(wire.Location{Object: 4})
		noError(t, o.EncodeProperties(d, wire.Properties{{Type: wire.PropPriorObjectIDGap, Uint: 3}}))
		noError(t, w.WriteObject(o))
		noError(t, w.WriteObject(&moqt.Object{ObjectID: 5, Status: wire.StatusEndOfGroup}))
		noError(t, w.Close())
		w = p.stream(pub, wire.SubgroupHeader{GroupID: 3, HasProperties: true})
		o = objectAt(wire.Location{Group: 3})
		noError(t, o.EncodeProperties(d, wire.Properties{{Type: wire.PropPriorGroupIDGap, Uint: 2}}))
		noError(t, w.WriteObject(o))
		same(t, take(t, p.ctx, s, 4), []wire.Location{{}, {Object: 4}, {Group: 3}}, false)
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %v", took)
		}
		noError(t, w.Close())
		noError(t, pub.Done(p.ctx, moqt.DoneTrackEnded, ""))
		drain(t, p.ctx, s)
		if r := s.Report(); r.Missing+r.MissingGroups != 0 || r.Objects != 3 {
			t.Errorf("report %+v", r)
		}
	})
}

// TestReadShuffled: however the objects of a track are spread over streams and datagrams, and whatever comes first,
// again, or not at all: in order they come in order, each once, and the report says exactly what is missing.
func TestReadShuffled(t *testing.T) {
	for seed := range uint64(24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 7))
				d := wire.Drafts()[rng.IntN(len(wire.Drafts()))]
				inOrder := seed%4 != 0
				p, s, pub := receiving(t, d, ReadOptions{InOrder: inOrder, Patience: time.Minute},
					moqt.Limits{QueuedBytes: 8 << 10})
				type key struct{ group, subgroup uint64 }
				streams := map[key][]uint64{}
				var order []key
				var want []wire.Location
				lost := map[wire.Location]bool{}
				for _, l := range locations(0, 5, uint64(5+rng.IntN(40))) {
					k := key{l.Group, uint64(rng.IntN(3))}
					switch n := rng.IntN(20); {
					case n == 0:
						lost[l] = true
						continue
					case n == 1 && l.Object > 0: // on a second stream of its own as well
						streams[key{l.Group, 10 + l.Object}] = []uint64{l.Object}
						order = append(order, key{l.Group, 10 + l.Object})
					}
					if streams[k] == nil {
						order = append(order, k)
					}
					streams[k] = append(streams[k], l.Object)
					want = append(want, l)
				}
				rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				// these come last: a group without its beginning is not taken for complete
				first := func(k key) bool { return streams[k][0] == 0 }
				slices.SortStableFunc(order, func(a, b key) int {
					switch {
					case first(a) == first(b):
						return 0
					case first(a):
						return 1
					}
					return -1
				})
				duplicates := 0
				for _, ids := range streams {
					duplicates += len(ids)
				}
				duplicates -= len(want)
				go func() {
					done := make(chan bool)
					for _, k := range order {
						own := rand.New(rand.NewPCG(seed, rng.Uint64()))
						go func() {
							w := p.stream(pub, wire.SubgroupHeader{GroupID: k.group, SubgroupID: k.subgroup})
							for _, id := range streams[k] {
								time.Sleep(time.Duration(own.IntN(50)) * time.Millisecond)
								p.objects(w, id)
							}
							noError(t, w.Close())
							done <- true
						}()
						time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
					}
					for range order {
						<-done
					}
					noError(t, pub.Done(p.ctx, moqt.DoneTrackEnded, ""))
				}()
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				got := drain(t, ctx, s)
				same(t, got, want, inOrder)
				r := s.Report()
				missing := uint64(0)
				for l := range lost {
					if slices.ContainsFunc(want, func(w wire.Location) bool {
						return w.Group == l.Group &&
							w.Object > l.Object
					}) {
						missing++
					}
				}
				if r.Objects != uint64(len(want)) || r.Duplicates != uint64(duplicates) || r.Missing != missing ||
					r.Late != 0 {
					t.Errorf("report %+v; want %d objects, %d duplicates, %d missing", r, len(want), duplicates,
						missing)
				}
			})
		})
	}
}

// TestReadDatagrams: datagrams are objects as others, in order too.
func TestReadDatagrams(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		var again []wire.Location
		p, s, pub := receiving(t, d, ReadOptions{InOrder: true,
			Again: func(at wire.Location) { again = append(again, at) }}, moqt.Limits{})
		for _, id := range []uint64{2, 0, 1, 0} {
			o := objectAt(wire.Location{Object: id})
			o.EndOfGroup = id == 2
			noError(t, pub.SendDatagram(o))
		}
		noError(t, pub.SendDatagram(&moqt.Object{GroupID: 1, ObjectID: 0, Payload: []byte("1/0")}))
		noError(t, pub.SendDatagram(&moqt.Object{GroupID: 1, ObjectID: 1, Status: wire.StatusEndOfTrack}))
		got := take(t, p.ctx, s, 5)
		same(t, got, []wire.Location{{}, {Object: 1}, {Object: 2}, {Group: 1}}, true)
		if !got[0].Datagram || got[4].Status != wire.StatusEndOfTrack {
			t.Errorf("objects %+v", got)
		}
		noError(t, pub.Done(p.ctx, moqt.DoneTrackEnded, ""))
		drain(t, p.ctx, s)
		if r := s.Report(); r.Duplicates != 1 || r.Objects != 4 || r.Missing != 0 {
			t.Errorf("report %+v", r)
		}
		if len(again) != 1 || again[0] != (wire.Location{}) {
			t.Errorf("%v came again", again)
		}
	})
}

// TestReadMalformed: an object behind the end of its group, or of the track, makes the track malformed: the
// subscription is cancelled, the session lives (draft-19 §2.4.2).
func TestReadMalformed(t *testing.T) {
	for name, write := range map[string]func(p *sessions, pub *moqt.Publication){
		"header and FIN": func(p *sessions, pub *moqt.Publication) {
			noError(p.t, p.stream(pub, wire.SubgroupHeader{EndOfGroup: true}, 0, 1).Close())
			settle()
			p.stream(pub, wire.SubgroupHeader{SubgroupID: 1}, 2)
		},
		"FIN behind the object": func(p *sessions, pub *moqt.Publication) {
			p.stream(pub, wire.SubgroupHeader{SubgroupID: 1}, 2)
			settle()
			noError(p.t, p.stream(pub, wire.SubgroupHeader{EndOfGroup: true}, 0, 1).Close())
		},
		"End of Group": func(p *sessions, pub *moqt.Publication) {
			w := p.stream(pub, wire.SubgroupHeader{}, 0)
			noError(p.t, w.WriteObject(&moqt.Object{ObjectID: 1, Status: wire.StatusEndOfGroup}))
			p.objects(w, 2)
		},
		"End of Track": func(p *sessions, pub *moqt.Publication) {
			w := p.stream(pub, wire.SubgroupHeader{GroupID: 3}, 0)
			noError(p.t, w.WriteObject(&moqt.Object{ObjectID: 1, Status: wire.StatusEndOfTrack}))
			settle()
			p.stream(pub, wire.SubgroupHeader{GroupID: 4}, 0)
		},
		"datagram": func(p *sessions, pub *moqt.Publication) {
			noError(p.t, pub.SendDatagram(&moqt.Object{ObjectID: 1, EndOfGroup: true}))
			noError(p.t, pub.SendDatagram(&moqt.Object{ObjectID: 2}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachDraft(t, func(t *testing.T, d wire.Draft) {
				p, s, pub := receiving(t, d, ReadOptions{}, moqt.Limits{})
				write(p, pub)
				var err error
				for err == nil {
					_, err = s.Next(p.ctx)
				}
				var malformed *MalformedError
				if !errors.As(err, &malformed) {
					t.Fatalf("error %v", err)
				}
				<-pub.Context().Done()
				noError(t, p.client.Err())
				noError(t, p.server.Err())
			})
		})
	}
}

// TestReadForgets: a track of very many groups, or of IDs far apart, takes bounded memory, and gaps of what is
// forgotten are counted.
func TestReadForgets(t *testing.T) {
	a := account{maxGroups: 10, groups: map[uint64]*groupAccount{}}
	for g := range uint64(1000) {
		for _, id := range []uint64{0, 1, 3} {
			b := &batch{objects: []moqt.Object{{GroupID: g, ObjectID: id, Payload: []byte("x")}}}
			if err := a.take(b); err != nil || len(b.objects) != 1 {
				t.Fatal(err, len(b.objects))
			}
		}
	}
	if r := a.total(); len(a.groups) != 10 || r.Missing != 1000 || r.Objects != 3000 || len(r.Gaps) != maxGaps ||
		r.MissingGroups != 0 {
		t.Errorf("%d groups, report %+v", len(a.groups), r)
	}
	b := &batch{objects: []moqt.Object{{GroupID: 5, ObjectID: 0}}}
	if err := a.take(b); err != nil || len(b.objects) != 1 {
		t.Error("an object of a group that is forgotten was not handed on")
	}
	for i := range uint64(100_000) {
		b := &batch{objects: []moqt.Object{{GroupID: 2000, ObjectID: i * 5000}}}
		if err := a.take(b); err != nil {
			t.Fatal(err)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	weight := 0
	for _, g := range a.groups {
		weight += g.seen.weight()
	}
	if weight > maxPages {
		t.Errorf("%d pages are held", weight)
	}
}

// TestReadEnds: how the subscription ends is how the track does.
func TestReadEnds(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p, s, pub := receiving(t, d, ReadOptions{}, moqt.Limits{})
		p.stream(pub, wire.SubgroupHeader{}, 0)
		same(t, take(t, p.ctx, s, 1), []wire.Location{{}}, true)
		ctx, cancel := context.WithTimeout(p.ctx, time.Second)
		defer cancel()
		if _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		noError(t, p.server.Close(wire.InternalError, "enough"))
		var closed *moqt.SessionError
		if _, err := s.Next(p.ctx); !errors.As(err, &closed) || closed.Code != wire.InternalError {
			t.Errorf("error %v", err)
		}
		s.Close()
	})
}

// TestReadFetchFails: a fetch beside a subscription that is reset is an error that ends nothing; one alone ends with
// it.
func TestReadFetchFails(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p, s, pub := receiving(t, d, ReadOptions{InOrder: true}, moqt.Limits{})
		fetch := func() (*moqt.Fetch, *moqt.FetchWriter) {
			f, err := p.client.StartFetch(p.ctx, moqt.FetchRequest{TrackNamespace: testNS, TrackName: testName})
			noError(t, err)
			w, err := p.accept(p.server, wire.KindFetch).AcceptFetch(p.ctx, &wire.FetchOK{End: wire.Location{Group: 9}})
			noError(t, err)
			noError(t, w.WriteObject(objectAt(wire.Location{})))
			settle()
			return f, w
		}
		f, w := fetch()
		s.AddFetch(f)
		same(t, take(t, p.ctx, s, 1), []wire.Location{{}}, true)
		w.Reset(moqt.ResetInternalError.Number(d))
		_, err := s.Next(p.ctx)
		wantReset(t, d, err, moqt.ResetInternalError)
		p.stream(pub, wire.SubgroupHeader{}, 1)
		same(t, take(t, p.ctx, s, 1), []wire.Location{{Object: 1}}, true)
		go func() {
			r := p.accept(p.server, wire.KindFetch)
			noError(t, r.Reject(p.ctx, moqt.RejectInvalidRange, "no"))
		}()
		f, err = p.client.StartFetch(p.ctx, moqt.FetchRequest{TrackNamespace: testNS, TrackName: testName})
		noError(t, err)
		s.AddFetch(f)
		var refused *moqt.RequestError
		if _, err := s.Next(p.ctx); !errors.As(err, &refused) {
			t.Errorf("error %v", err)
		}
		s.Close()
	})
}
