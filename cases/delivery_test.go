package cases_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// stage is a relay of one track, scripted: it accepts a PUBLISH and a SUBSCRIBE, takes in all objects, and then plays
// what its subscriber gets.
type stage struct {
	t *testing.T
	d wire.Draft
	// ok answers PUBLISH; raise sets Forward State 1 when the subscriber has come. cancel ends the PUBLISH in its
	// place.
	ok            *wire.RequestOK
	raise, cancel bool
	// play sends what the subscriber gets.
	play func(a *act)

	published chan *moqt.Subscription
}

// act is one delivery.
type act struct {
	*stage
	ctx     context.Context
	pub     *moqt.Publication
	objects []*moqt.Object
}

// peer plays the relay.
func (st *stage) peer() peer {
	st.published = make(chan *moqt.Subscription, 1)
	return session(func(s *moqt.Session, r *moqt.Request) {
		switch r.Message().(type) {
		case *wire.Publish:
			sub, err := r.AcceptPublish(s.Context(), st.ok)
			if err != nil {
				st.t.Errorf("PUBLISH: %v", err)
				return
			}
			st.published <- sub
		case *wire.Subscribe:
			ctx := s.Context()
			var up *moqt.Subscription
			select {
			case up = <-st.published:
			case <-ctx.Done():
				return
			}
			pub, err := r.AcceptSubscribe(ctx, nil)
			if err != nil {
				st.t.Errorf("SUBSCRIBE: %v", err)
				return
			}
			if st.cancel {
				up.Unsubscribe()
				return
			}
			if st.raise {
				time.Sleep(time.Second)
				if _, err := up.Update(ctx, wire.Parameters{{Type: wire.ParamForward, Uint: 1}}); err != nil {
					st.t.Errorf("Forward State 1: %v", err)
				}
			}
			a := &act{stage: st, ctx: ctx, pub: pub}
			for {
				o, err := up.Next(ctx)
				if err != nil {
					if !errors.Is(err, io.EOF) && ctx.Err() == nil {
						st.t.Errorf("objects of the publisher: %v", err)
					}
					break
				}
				a.objects = append(a.objects, o)
			}
			if st.play != nil {
				st.play(a)
			}
		}
	}, nil)
}

// header is that of the stream that an object came on.
func (a *act) header(o *moqt.Object) wire.SubgroupHeader {
	return wire.SubgroupHeader{
		TrackAlias: a.pub.TrackAlias(), GroupID: o.GroupID, SubgroupID: o.SubgroupID, IDMode: wire.SubgroupIDPresent,
		Priority: o.Priority, HasProperties: true,
		FirstObject: o.FirstObject,
	}
}

// stream opens a stream past the session, which would refuse one behind PUBLISH_DONE.
func (a *act) stream(h wire.SubgroupHeader) *moqt.SubgroupWriter {
	s, err := a.pub.Request().Session().Conn().OpenUniStream(a.ctx)
	if err != nil {
		a.t.Errorf("stream: %v", err)
		return nil
	}
	w, err := moqt.NewSubgroupWriter(s, a.d, h)
	if err != nil {
		a.t.Errorf("stream: %v", err)
	}
	return w
}

// forward sends all objects, each subgroup on its stream, and gives the streams, which are open still.
func (a *act) forward() []*moqt.SubgroupWriter {
	type key struct{ group, subgroup uint64 }
	var all []*moqt.SubgroupWriter
	open := map[key]*moqt.SubgroupWriter{}
	for _, o := range a.objects {
		k := key{o.GroupID, o.SubgroupID}
		if open[k] == nil {
			open[k] = a.stream(a.header(o))
			all = append(all, open[k])
		}
		if err := open[k].WriteObject(o); err != nil {
			a.t.Errorf("object: %v", err)
		}
	}
	return all
}

// whole sends everything as it came.
func (a *act) whole() {
	for _, w := range a.forward() {
		w.Close()
	}
}

// done sends PUBLISH_DONE.
func (a *act) done(code moqt.DoneCode, count uint64) {
	if err := a.pub.Done(a.ctx, code, "", moqt.WithStreamCount(count)); err != nil {
		a.t.Errorf("PUBLISH_DONE: %v", err)
	}
}

// mark sends a stream of the relay's own with an End of Track object.
func (a *act) mark() {
	w := a.stream(wire.SubgroupHeader{TrackAlias: a.pub.TrackAlias(), GroupID: 9, IDMode: wire.SubgroupIDPresent,
		FirstObject: true})
	if err := w.WriteObject(&moqt.Object{GroupID: 9, Status: wire.StatusEndOfTrack}); err != nil {
		a.t.Errorf("mark: %v", err)
	}
	w.Close()
}

// layoutResult plays a layout case against a relay.
func layoutResult(t *testing.T, d wire.Draft, st *stage) (r cases.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		st.t, st.d = t, d
		r = cases.Run(t.Context(), find(t, "subscribe-object-properties"), against(t, d, st.peer()))
	})
	return r
}

// unknownCount is the Stream Count of a publisher that does not know it.
func unknownCount(d wire.Draft) uint64 {
	if d >= wire.Draft20 {
		return 1<<64 - 1
	}
	return 1<<62 - 1
}

// What a subscriber of a track may get, and what it may not.
func TestDelivery(t *testing.T) {
	const objects = "2 objects: group 0, objects 0-1"
	const done = "PUBLISH_DONE with TRACK_ENDED for the subscriber, behind the publisher's"
	for _, test := range []struct {
		name  string
		first wire.Draft
		play  func(a *act)
		want  cases.Result
	}{
		{"as it came", 0, func(a *act) { a.whole(); a.done(moqt.DoneTrackEnded, 1) }, cases.Result{Status: cases.Pass}},
		{"PUBLISH_DONE before the data", 0, func(a *act) {
			a.done(moqt.DoneTrackEnded, 1)
			time.Sleep(2 * time.Second)
			a.whole()
		}, cases.Result{Status: cases.Pass}},
		{"a property and a stream more, in any order", 0, func(a *act) {
			for _, o := range a.objects {
				ps, err := o.DecodeProperties()
				if err != nil {
					a.t.Error(err)
				}
				if err := o.EncodeProperties(a.d, append(wire.Properties{{Type: 0x40, Uint: 7}}, ps...)); err != nil {
					a.t.Error(err)
				}
			}
			a.mark()
			a.whole()
			a.done(moqt.DoneTrackEnded, 2)
		}, cases.Result{Status: cases.Pass}},
		{"unknown Stream Count", 0, func(a *act) { a.whole(); a.done(moqt.DoneTrackEnded, unknownCount(a.d)) },
			cases.Result{Status: cases.Pass}},
		{"Stream Count too low", 0, func(a *act) {
			a.mark()
			a.whole()
			time.Sleep(time.Millisecond)
			a.done(
				moqt.DoneTrackEnded, 1)
		},
			cases.Result{Status: cases.Fail, Layer: "data", Expected: "as many streams as PUBLISH_DONE counts: 1",
				Received: "2 streams"}},
		{"Stream Count too high", 0, func(a *act) { a.whole(); a.done(moqt.DoneTrackEnded, 2) },
			cases.Result{Status: cases.Fail, Layer: "data", Expected: "as many streams as PUBLISH_DONE counts: 2",
				Received: "1 streams"}},
		{"a counted stream was reset before its header", 0, func(a *act) {
			s, err := a.pub.Request().Session().Conn().OpenUniStream(a.ctx)
			if err != nil {
				a.t.Error(err)
			}
			s.Reset(1)
			a.whole()
			a.done(moqt.DoneTrackEnded, 2)
		}, cases.Result{Status: cases.Pass}},
		{"a stream that never ends", 0, func(a *act) { a.forward(); a.done(moqt.DoneTrackEnded, 1) },
			cases.Result{Status: cases.Fail, Layer: "data", Expected: "the end of every stream, since PUBLISH_DONE " +
				"says that all are closed",
				Received: "a stream of group 0, subgroup 0 with 2 objects ({0, 0}, {0, 1}), still open; …"}},
		{"reset behind the last object", 0, func(a *act) {
			w := a.forward()[0]
			time.Sleep(time.Second)
			w.Reset(1)
			a.done(moqt.DoneTrackEnded, 1)
		}, cases.Result{Status: cases.Fail, Layer: "data", Expected: "FIN behind the last object of every subgroup",
			Received: "a stream of group 0, subgroup 0 with 2 objects ({0, 0}, {0, 1}) and RESET_STREAM of the peer " +
				"on stream…"}},
		{"a stream reset in the middle, and another for the rest", 0, func(a *act) {
			w := a.stream(a.header(a.objects[0]))
			if err := w.WriteObject(a.objects[0]); err != nil {
				a.t.Error(err)
			}
			time.Sleep(time.Second)
			w.Reset(1)
			a.objects = a.objects[1:]
			a.whole()
			a.done(moqt.DoneTrackEnded, 2)
		}, cases.Result{Status: cases.Pass}},
		{"two streams of a subgroup", 0, func(a *act) {
			all := a.objects
			for _, o := range all {
				a.objects = []*moqt.Object{o}
				a.whole()
			}
			a.done(moqt.DoneTrackEnded, 2)
		}, cases.Result{Status: cases.Fail, Layer: "data", Expected: "the objects of a subgroup on one stream, since " +
			"none was reset",
			Received: "more than one stream of group 0, subgroup 0, the last one a stream of group 0, subgroup 0 " +
				"with 1 objects (…"}},
		{"an object missing", 0, func(a *act) { a.objects = a.objects[:1]; a.whole(); a.done(moqt.DoneTrackEnded, 1) },
			cases.Result{Status: cases.Fail, Layer: "data", Expected: objects,
				Received: "1 of 2 objects came, {0, 1} is missing"}},
		{"an object too many", 0, func(a *act) {
			o := a.objects[1].Clone()
			o.ObjectID = 2
			a.objects = append(a.objects, o)
			a.whole()
			a.done(moqt.DoneTrackEnded, 1)
		}, cases.Result{Status: cases.Fail, Layer: "data", Expected: objects,
			Received: "2 of 2 objects came; unexpected {0, 2}"}},
		{"an object as a datagram", 0, func(a *act) {
			if err := a.pub.SendDatagram(a.objects[1]); err != nil {
				a.t.Error(err)
			}
			time.Sleep(time.Millisecond) // a datagram that comes behind the end of all streams is dropped
			a.objects = a.objects[:1]
			a.whole()
			a.done(moqt.DoneTrackEnded, 1)
		}, cases.Result{Status: cases.Fail, Layer: "data", Expected: objects,
			Received: "2 of 2 objects came; corrupted {0, 1}: sent as a datagram though published in a subgroup, or " +
				"the other way round"}},
		{"another status", 0, func(a *act) { a.whole(); a.done(moqt.DoneInternalError, 1) },
			cases.Result{Status: cases.Fail, Layer: "request", Expected: done,
				Received: "PUBLISH_DONE with 0x0 INTERNAL_ERROR", Todo: "SHOULD: " + done}},
		{"no PUBLISH_DONE", 0, func(a *act) { a.whole() }, cases.Result{Status: cases.Fail, Layer: "request",
			Expected: done, Received: "nothing new for…", Todo: "SHOULD: " + done}},
		{"a reset request in place of PUBLISH_DONE", 17, func(a *act) {
			a.whole()
			time.Sleep(time.Second)
			a.pub.Request().Cancel(moqt.ResetInternalError)
		}, cases.Result{Status: cases.Fail, Layer: "request", Expected: done, Received: "…", Todo: "SHOULD: " + done}},
		{"a breach", 0, func(a *act) { a.pub.Request().Session().Abort(wire.InternalError, "broken") },
			cases.Result{Status: cases.Fail, Lost: true, Layer: "data", Expected: objects,
				Received: "the end of the subscriber's session: " +
					`connection closed by the peer with 0x1 INTERNAL_ERROR "broken"`}},
		{"nothing", 0, nil, cases.Result{Status: cases.Fail, Layer: "data", Expected: objects,
			Received: "0 of 2 objects came, {0, 0}, {0, 1} are missing; nothing new for…"}},
	} {
		for _, d := range []wire.Draft{14, 16, 17, 18, 22} {
			if d < test.first {
				continue
			}
			t.Run(test.name+"/"+d.String(), func(t *testing.T) {
				want(t, layoutResult(t, d, &stage{play: test.play}), test.want)
			})
		}
	}
}

// A relay may accept a track and pause it until somebody subscribes.
func TestPausedUntilSubscribed(t *testing.T) {
	paused := &wire.RequestOK{Parameters: wire.Parameters{{Type: wire.ParamForward, Uint: 0}}}
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			play := func(a *act) { a.whole(); a.done(moqt.DoneTrackEnded, 1) }
			r := layoutResult(t, d, &stage{ok: paused, raise: true, play: play})
			want(t, r, cases.Result{Status: cases.Pass})
			if r.Duration < time.Second {
				t.Errorf("objects came before Forward State 1, after %s", r.Duration)
			}
			synctest.Test(t, func(t *testing.T) {
				st := &stage{t: t, d: d, ok: paused}
				r := cases.Run(t.Context(), find(t, "publish-track-only"), against(t, d, st.peer()))
				want(t, r, cases.Result{Status: cases.Pass})
				if n := strings.Join(r.Notes, "\n"); n != "Forward State 0; PUBLISH_DONE with Stream Count 0" {
					t.Errorf("notes %q", n)
				}
			})
		})
	}
}

// A relay that cancels what it has accepted is told so at once.
func TestPublishCancelled(t *testing.T) {
	for _, d := range wire.Drafts() {
		r :=
			layoutResult(t, d,
				&stage{ok: &wire.RequestOK{Parameters: wire.Parameters{{Type: wire.ParamForward, Uint: 0}}},
					cancel: true})
		if r.Status != cases.Fail || r.Layer != "request" || r.Expected != "a subscription with Forward State 1 at "+
			"the publisher" || !strings.Contains(r.Received, "PUBLISH cancelled") || r.Duration > time.Second {
			t.Errorf("%s: %s %s after %s: %s", d, r.Status, r.Layer, r.Duration, r.Message)
		}
	}
}

// A relay without PUBLISH, or without the namespace requests, says NOT_SUPPORTED, and the cases that need them are
// skipped.
func TestUnsupportedIsSkipped(t *testing.T) {
	for _, d := range wire.Drafts() {
		for _, id := range []string{"publish-track-only", "publish-track-subscribe", "namespace-discovery",
			"subscribe-namespace-lifecycle", "subscribe-sparse-group-object-ids"} {
			t.Run(id+"/"+d.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cfg := against(t, d, session(func(s *moqt.Session, r *moqt.Request) {
						switch r.Kind() {
						case wire.KindPublishNamespace:
							acceptAll(s, r)
						case wire.KindSubscribe:
						default:
							r.Reject(s.Context(), moqt.RejectNotSupported, "never")
						}
					}, nil))
					r := cases.Run(t.Context(), find(t, id), cfg)
					if r.Status != cases.Skip || !strings.Contains(r.Reason, `0x3 NOT_SUPPORTED "never"`) {
						t.Errorf("%s %s\n%s", r.Status, r.Message, strings.Join(r.Transcript, "\n"))
					}
				})
			})
		}
	}
}

// A SUBSCRIBE with RENDEZVOUS_TIMEOUT that is refused.
func TestRendezvous(t *testing.T) {
	const what = "TIMEOUT within 1500 ms for a RENDEZVOUS_TIMEOUT of 500 ms"
	for _, test := range []struct {
		name  string
		code  moqt.RejectCode
		after time.Duration
		want  cases.Result
	}{
		{"in time", moqt.RejectTimeout, 500 * time.Millisecond,
			cases.Result{Status: cases.Pass, Message: `REQUEST_ERROR 0x2 TIMEOUT "over" 500 ms after SUBSCRIBE`}},
		{"early", moqt.RejectTimeout, 0, cases.Result{Status: cases.Pass,
			Message: `REQUEST_ERROR 0x2 TIMEOUT "over" 0 ms after SUBSCRIBE`}},
		{"late", moqt.RejectTimeout, 2 * time.Second, cases.Result{Status: cases.Fail, Layer: "request", Expected: what,
			Received: `REQUEST_ERROR 0x2 TIMEOUT "over" 2000 ms after SUBSCRIBE`, Todo: "SHOULD: " + what}},
		{"another code", moqt.RejectDoesNotExist, time.Second, cases.Result{Status: cases.Fail, Layer: "request",
			Expected: what,
			Received: `REQUEST_ERROR 0x10 DOES_NOT_EXIST "over" 1000 ms after SUBSCRIBE`, Todo: "SHOULD: " + what}},
	} {
		for _, d := range []wire.Draft{17, 18, 22} {
			t.Run(test.name+"/"+d.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cfg := against(t, d, session(func(s *moqt.Session, r *moqt.Request) {
						time.Sleep(test.after)
						r.Reject(s.Context(), test.code, "over")
					}, nil))
					r := cases.Run(t.Context(), find(t, "rendezvous-timeout"), cfg)
					want(t, r, test.want)
					if noted := strings.Join(r.Notes, ""); strings.HasPrefix(noted,
						"the relay has shortened the wait") != (test.after < 500*time.Millisecond) {
						t.Errorf("notes %q", noted)
					}
				})
			})
		}
	}
}
