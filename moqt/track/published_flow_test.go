package track

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// narrow is a connection whose streams hold little, so that a slow reader is felt at once.
func narrow(d wire.Draft) memconn.Options {
	return memconn.Options{Info: memInfo(d), StreamBuffer: 4 << 10}
}

// TestTrackBackPressure: a subscriber that takes nothing stops the writer after a bounded number of bytes, the context
// ends the wait, and the stream that has a hole then is reset. Who reads again lets the writer go on.
func TestTrackBackPressure(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		limits := moqt.Config{Limits: moqt.Limits{QueuedBytes: 64 << 10}}
		p := publishingOver(t, d, Options{}, narrow(d), limits)
		s := p.open(Request{})
		ctx, cancel := context.WithCancel(p.ctx)
		written := make(chan error, 1)
		n := uint64(0)
		go func() {
			payload := make([]byte, 1000)
			for {
				err := p.track.Write(ctx, &moqt.Object{ObjectID: n, Payload: payload})
				if err != nil {
					written <- err
					return
				}
				n++
			}
		}()
		settle()
		held := n * 1000
		if most := uint64(2*stream.OutletBuffer + 4<<10 + 3*stream.HugeBuffer); held < stream.OutletBuffer ||
			held > most {
			t.Fatalf("the writer stopped after %d bytes, want at most %d", held, most)
		}
		take(t, p.ctx, s, int(n))
		settle()
		if n*1000 <= held {
			t.Error("the writer did not go on")
		}
		cancel()
		if err := <-written; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		noError(t, p.track.Write(p.ctx, &moqt.Object{ObjectID: n + 1, Payload: []byte("after the hole")}))
		noError(t, p.track.Write(p.ctx, &moqt.Object{GroupID: 1, Payload: []byte("next group")}))
		go p.track.End(p.ctx)
		got := drain(t, p.ctx, s)
		if next := slices.ContainsFunc(got, func(o *moqt.Object) bool { return o.GroupID == 1 }); !next ||
			s.Report().Resets != 1 {
			t.Errorf("the next group came: %t, %d resets", next, s.Report().Resets)
		}
	})
}

// TestTrackAtOnce: nothing waits for more to come. An object alone, the first bytes of a long one, and the last one
// before a pause arrive without the clock moving, on any number of streams.
func TestTrackAtOnce(t *testing.T) {
	for _, streams := range []uint64{1, 2 * fewOutlets} {
		eachDraft(t, func(t *testing.T, d wire.Draft) {
			p := publishing(t, d, Options{Layout: Layout{Mode: LayoutSpread, Subgroups: streams}})
			s := p.open(Request{Read: ReadOptions{StreamAbove: 100 << 10}})
			start := time.Now()
			id := uint64(0)
			for _, n := range []int{1, 2, 100} {
				for range n {
					p.write(wire.Location{Object: id})
					id++
				}
				take(t, p.ctx, s, n)
			}
			long, more := io.Pipe()
			go func() { _ = p.track.WriteFrom(p.ctx, &moqt.Object{ObjectID: id}, 200<<10, long) }()
			go more.Write(make([]byte, 32<<10))
			take(t, p.ctx, s, 1)
			_, err := io.ReadFull(s.Body(), make([]byte, 32<<10))
			noError(t, err)
			if waited := time.Since(start); waited != 0 {
				t.Errorf("%d streams: objects came %v after they were written", streams, waited)
			}
			more.CloseWithError(errors.New("enough"))
			settle()
		})
	}
}

// TestTrackStall: with a limit, a subscriber that takes nothing is let go with TOO_FAR_BEHIND, and the other one gets
// everything.
func TestTrackStall(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		track := NewPublished(testNS, testName, Options{})
		serve := moqt.Config{Handler: func(r *moqt.Request) { _ = track.Serve(r.Session().Context(), r) }}
		open := func() (*sessions, *moqt.Subscription) {
			p := dialOver(t, d, narrow(d), moqt.Config{}, serve)
			sub, err := p.client.Subscribe(p.ctx, subscribeMessage())
			noError(t, err)
			return p, sub
		}
		p, slow := open()
		_, quick := open()
		s := Read(quick, ReadOptions{})
		go func() {
			for i := range uint64(600) {
				noError(t, track.Write(p.ctx, &moqt.Object{ObjectID: i, Payload: make([]byte, 1000)}))
			}
			noError(t, track.End(p.ctx))
		}()
		if n := len(drain(t, p.ctx, s)); n != 600 {
			t.Errorf("%d objects", n)
		}
		done, err := slow.Done(p.ctx)
		noError(t, err)
		if moqt.DoneName(d, done.StatusCode) != "TOO_FAR_BEHIND" || done.StreamCount != 1 {
			t.Errorf("%s, %d streams", moqt.DoneName(d, done.StatusCode), done.StreamCount)
		}
	})
}

// TestTrackHeldUp: a subscriber that always takes something, but far less than the others, does not set the track's
// pace for long. With -1 it does.
func TestTrackHeldUp(t *testing.T) {
	for _, stall := range []time.Duration{0, -1} {
		synctest.Test(t, func(t *testing.T) {
			d := wire.Newest
			track := NewPublished(testNS, testName, Options{Stall: stall})
			serve := moqt.Config{Handler: func(r *moqt.Request) { _ = track.Serve(r.Session().Context(), r) }}
			open := func() (*sessions, *moqt.Subscription) {
				p := dialOver(t, d, narrow(d), moqt.Config{}, serve)
				sub, err := p.client.Subscribe(p.ctx, subscribeMessage())
				noError(t, err)
				return p, sub
			}
			_, slow := open()
			_, quick := open()
			var reading sync.WaitGroup
			reading.Go(func() { // an object each second
				for {
					if _, err := slow.Next(context.Background()); err != nil {
						return
					}
					time.Sleep(time.Second)
				}
			})
			began := time.Now()
			reading.Go(func() {
				for i := range uint64(2000) {
					o := &moqt.Object{ObjectID: i, Payload: make([]byte, 1000)}
					noError(t, track.Write(context.Background(), o))
				}
				noError(t, track.End(context.Background()))
			})
			s := Read(quick, ReadOptions{})
			n := 0
			for {
				_, err := s.Next(context.Background())
				if err != nil {
					break
				}
				if n++; n == 1900 {
					break
				}
			}
			took := time.Since(began)
			if held := took > 10*time.Second; n != 1900 || held != (stall < 0) {
				t.Errorf("with %v: %d objects after %v", stall, n, took)
			}
			slow.Unsubscribe()
			s.Close()
			reading.Wait()
		})
	}
}

// TestTrackStallLarge: the limit holds for a payload that is written from the caller's memory too, and the memory is
// the caller's when Write returns.
func TestTrackStallLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := publishingOver(t, wire.Newest, Options{Stall: time.Second}, narrow(wire.Newest), moqt.Config{})
		sub, err := p.client.Subscribe(p.ctx, subscribeMessage())
		noError(t, err)
		payload := make([]byte, 1<<20)
		noError(t, p.track.Write(p.ctx, &moqt.Object{Payload: payload}))
		clear(payload)
		done, err := sub.Done(p.ctx)
		noError(t, err)
		if moqt.DoneName(wire.Newest, done.StatusCode) != "TOO_FAR_BEHIND" {
			t.Errorf("%s", moqt.DoneName(wire.Newest, done.StatusCode))
		}
	})
}

// TestTrackDeliveryTimeout: an object that is not passed on in time resets its stream with DELIVERY_TIMEOUT, whoever
// asks for the timeout; no other stream is opened for its subgroup, later ones go their way (draft-19 §8).
func TestTrackDeliveryTimeout(t *testing.T) {
	for name, c := range map[string]struct {
		properties, object wire.Properties
		parameter          uint64
		first              wire.Draft
	}{
		"publisher":  {wire.Properties{{Type: wire.PropObjectDeliveryTimeout, Uint: 500}}, nil, 0, wire.Draft14},
		"subscriber": {nil, nil, 500, wire.Draft14},
		"the smaller one": {wire.Properties{{Type: wire.PropObjectDeliveryTimeout, Uint: 500}}, nil, 7000,
			wire.Draft14},
		"first object": {wire.Properties{{Type: wire.PropObjectDeliveryTimeout, Uint: 7000}},
			wire.Properties{{Type: wire.PropObjectDeliveryTimeout, Uint: 500}}, 0, wire.Draft19},
	} {
		t.Run(name, func(t *testing.T) {
			eachDraft(t, func(t *testing.T, d wire.Draft) {
				if d < c.first {
					return
				}
				p := publishingOver(t, d, Options{Properties: c.properties}, narrow(d), moqt.Config{})
				m := subscribeMessage()
				if c.parameter > 0 {
					m.Parameters.SetUint(wire.ParamObjectDeliveryTimeout, c.parameter)
				}
				sub, err := p.client.Subscribe(p.ctx, m)
				noError(t, err)
				start := time.Now()
				for i := range uint64(20) {
					o := &moqt.Object{ObjectID: i, Payload: make([]byte, 1000)}
					noError(t, o.EncodeProperties(d, c.object))
					noError(t, p.track.Write(p.ctx, o))
				}
				r, err := sub.AcceptSubgroup(p.ctx)
				noError(t, err)
				time.Sleep(499 * time.Millisecond)
				settle()
				p.track.mu.Lock()
				g := p.track.recent.Load()
				p.track.mu.Unlock()
				g.mu.Lock()
				if g.ways[0].out.dead.Load() {
					t.Error("reset too early")
				}
				g.mu.Unlock()
				time.Sleep(2 * time.Millisecond)
				var o moqt.Object
				for err == nil {
					err = r.ReadObject(&o)
				}
				wantReset(t, d, err, moqt.ResetDeliveryTimeout)
				if took := time.Since(start); took > time.Second {
					t.Errorf("it took %v", took)
				}
				noError(t, p.track.Write(p.ctx, &moqt.Object{ObjectID: 20, Payload: []byte("no stream for this")}))
				noError(t, p.track.Write(p.ctx, &moqt.Object{GroupID: 1, Payload: []byte("goes its way")}))
				r, err = sub.AcceptSubgroup(p.ctx)
				noError(t, err)
				noError(t, r.ReadObject(&o))
				if o.GroupID != 1 {
					t.Errorf("object %v", o.Location())
				}
				noError(t, p.track.End(p.ctx))
			})
		})
	}
}

// TestTrackSubgroupTimeout: a stream whose data are not all with the peer in time after the end of its subgroup is
// reset (18 and later, draft-19 §8).
func TestTrackSubgroupTimeout(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d < wire.Draft18 {
			return
		}
		p := publishingOver(t, d, Options{Properties: wire.Properties{{Type: wire.PropSubgroupDeliveryTimeout,
			Uint: 300}}}, narrow(d), moqt.Config{})
		sub, err := p.client.Subscribe(p.ctx, subscribeMessage())
		noError(t, err)
		for i := range uint64(20) {
			noError(t, p.track.Write(p.ctx, &moqt.Object{ObjectID: i, Payload: make([]byte, 1000)}))
		}
		time.Sleep(time.Second) // the timer runs from the end on
		noError(t, p.track.EndGroup(p.ctx, 0))
		r, err := sub.AcceptSubgroup(p.ctx)
		noError(t, err)
		time.Sleep(301 * time.Millisecond)
		var o moqt.Object
		for err == nil {
			err = r.ReadObject(&o)
		}
		wantReset(t, d, err, moqt.ResetDeliveryTimeout)
		noError(t, p.track.Write(p.ctx, &moqt.Object{GroupID: 1, Payload: []byte("read in time")}))
		noError(t, p.track.EndGroup(p.ctx, 1))
		r, err = sub.AcceptSubgroup(p.ctx)
		noError(t, err)
		noError(t, r.ReadObject(&o))
		if err := r.ReadObject(&o); err != io.EOF {
			t.Errorf("error %v", err)
		}
		time.Sleep(time.Second) // the timer has nothing to reset any more
		noError(t, p.track.End(p.ctx))
	})
}

// TestTrackWriteFrom: a payload goes from a reader through streams to a reader, larger than anything that is held.
func TestTrackWriteFrom(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		limits := moqt.Config{Limits: moqt.Limits{MaxObjectSize: 64 << 10}}
		p := publishingOver(t, d, Options{KeepGroups: 1}, narrow(d), limits)
		var readers []*Subscribed
		readers = append(readers, p.open(Request{Read: ReadOptions{StreamAbove: 1000}}))
		p.sessions = dialOver(t, d, narrow(d), limits,
			moqt.Config{Handler: func(r *moqt.Request) { _ = p.track.Serve(r.Session().Context(), r) }})
		readers = append(readers, p.open(Request{Read: ReadOptions{StreamAbove: 1000}}))
		const size = 700_001
		go func() {
			p.write(wire.Location{})
			noError(t, p.track.WriteFrom(p.ctx, &moqt.Object{ObjectID: 1}, size, io.LimitReader(pattern{}, 2*size)))
			noError(t, p.track.WriteFrom(p.ctx, &moqt.Object{ObjectID: 2}, 3, strings.NewReader("abc")))
			noError(t, p.track.WriteFrom(p.ctx, &moqt.Object{ObjectID: 3}, 0, nil))
			noError(t, p.track.End(p.ctx))
		}()
		done := make(chan bool)
		for _, s := range readers {
			go func() {
				defer func() { done <- true }()
				take(t, p.ctx, s, 1)
				o, err := s.Next(p.ctx)
				noError(t, err)
				body := s.Body()
				if o.ObjectID != 1 || body.Size() != size || len(o.Payload) != 0 {
					t.Errorf("object %v, size %d", o, body.Size())
				}
				if n, err := io.Copy(io.Discard, io.TeeReader(body, &pattern{})); n != size || err != nil {
					t.Errorf("%d bytes: %v", n, err)
				}
				for _, want := range []string{"abc", ""} {
					o, err := s.Next(p.ctx)
					noError(t, err)
					all, err := io.ReadAll(s.Body())
					if string(o.Payload) != want || string(all) != want || err != nil {
						t.Errorf("object %v has %q, as a stream %q: %v", o, o.Payload, all, err)
					}
				}
				if _, err := s.Next(p.ctx); err != io.EOF {
					t.Error(err)
				}
			}()
		}
		for range readers {
			<-done
		}
	})
}

// pattern gives and checks bytes that are all the same.
type pattern struct{}

func (pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 0x74
	}
	return len(b), nil
}

func (pattern) Write(b []byte) (int, error) {
	if bytes.ContainsFunc(b, func(r rune) bool { return r != 0x74 }) {
		return 0, errors.New("other bytes")
	}
	return len(b), nil
}

// TestTrackWriteFromFails: a payload that does not come resets the stream with INTERNAL_ERROR; the next subgroup is not
// touched.
func TestTrackWriteFromFails(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := publishing(t, d, Options{})
		sub, err := p.client.Subscribe(p.ctx, subscribeMessage())
		noError(t, err)
		p.write(wire.Location{})
		settle()
		broken := errors.New("broken")
		err = p.track.WriteFrom(p.ctx, &moqt.Object{ObjectID: 1}, 100, io.MultiReader(strings.NewReader("abc"),
			iotest.ErrReader(broken)))
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "3 of 100 bytes") {
			t.Errorf("error %v", err)
		}
		if err := p.track.Write(p.ctx, objectAt(wire.Location{Object: 2})); err == nil ||
			!strings.Contains(err.Error(), "closed") {
			t.Errorf("writing behind it: %v", err)
		}
		p.write(wire.Location{Group: 1})
		noError(t, p.track.End(p.ctx))
		for g := range uint64(2) {
			r, err := sub.AcceptSubgroup(p.ctx)
			noError(t, err)
			var o moqt.Object
			for err == nil {
				err = r.ReadObject(&o)
			}
			switch {
			case r.Header().GroupID != g:
				t.Errorf("group %d, want %d", r.Header().GroupID, g)
			case g == 0:
				wantReset(t, d, err, moqt.ResetInternalError)
			case err != io.EOF:
				t.Error(err)
			}
		}
	})
}

// TestTrackStopped: a subscriber that stops a stream does not get another one for the subgroup, and the next group as
// before.
func TestTrackStopped(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := publishing(t, d, Options{})
		sub, err := p.client.Subscribe(p.ctx, subscribeMessage())
		noError(t, err)
		p.write(wire.Location{})
		r, err := sub.AcceptSubgroup(p.ctx)
		noError(t, err)
		r.Stop(moqt.ResetCancelled.Number(d))
		settle()
		p.write(wire.Location{Object: 1})
		settle()
		p.write(wire.Location{Object: 2}, wire.Location{Group: 1})
		noError(t, p.track.End(p.ctx))
		r, err = sub.AcceptSubgroup(p.ctx)
		noError(t, err)
		if r.Header().GroupID != 1 {
			t.Errorf("header %+v", r.Header())
		}
		r.Stop(0)
		if done, _ := sub.Done(p.ctx); done.StreamCount != 2 {
			t.Errorf("%d streams", done.StreamCount)
		}
	})
}

// TestTrackStreamLimit: a peer that allows no more streams makes the writer wait, or is let go when it stalls.
func TestTrackStreamLimit(t *testing.T) {
	for _, stall := range []time.Duration{-1, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			over := memconn.Options{Info: memInfo(wire.Newest), MaxUniStreams: 3}
			p := publishingOver(t, wire.Newest, Options{Stall: stall, Layout: Layout{Mode: LayoutObject}}, over,
				moqt.Config{})
			sub, err := p.client.Subscribe(p.ctx, subscribeMessage())
			noError(t, err)
			ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
			defer cancel()
			var failed error
			for i := uint64(0); i < 8 && failed == nil; i++ {
				failed = p.track.Write(ctx, objectAt(wire.Location{Object: i}))
			}
			if stall < 0 {
				if !errors.Is(failed, context.DeadlineExceeded) {
					t.Errorf("error %v", failed)
				}
				return
			}
			noError(t, failed)
			done, err := sub.Done(p.ctx)
			noError(t, err)
			if moqt.DoneName(wire.Newest, done.StatusCode) != "TOO_FAR_BEHIND" {
				t.Errorf("%s", moqt.DoneName(wire.Newest, done.StatusCode))
			}
		})
	}
}

// TestTrackEndTimeout: End gives up on a subscriber that takes nothing when its context ends; the session lives on.
func TestTrackEndTimeout(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := publishingOver(t, d, Options{}, narrow(d), moqt.Config{})
		sub, err := p.client.Subscribe(p.ctx, subscribeMessage())
		noError(t, err)
		for i := range uint64(30) {
			noError(t, p.track.Write(p.ctx, &moqt.Object{ObjectID: i, Payload: make([]byte, 1000)}))
		}
		ctx, cancel := context.WithTimeout(p.ctx, time.Second)
		defer cancel()
		noError(t, p.track.End(ctx))
		done, err := sub.Done(p.ctx)
		noError(t, err)
		if done.StreamCount != 1 || moqt.DoneName(d, done.StatusCode) != "TRACK_ENDED" {
			t.Errorf("PUBLISH_DONE %+v", done)
		}
		noError(t, p.client.Err())
	})
}

// TestTrackDatagramTooLarge: a datagram that is too large for the path is an error, and the track goes on.
func TestTrackDatagramTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := publishing(t, wire.Newest, Options{Layout: Layout{Mode: LayoutDatagram}})
		s := p.open(Request{})
		if err := p.track.Write(p.ctx, &moqt.Object{Payload: make([]byte, 5000)}); err == nil ||
			!strings.Contains(err.Error(), "does not fit") {
			t.Errorf("error %v", err)
		}
		if err := p.track.WriteFrom(p.ctx, &moqt.Object{}, 3, strings.NewReader("abc")); err == nil {
			t.Error("a datagram was written from a reader")
		}
		p.write(wire.Location{Object: 1})
		same(t, take(t, p.ctx, s, 1), []wire.Location{{Object: 1}}, true)
		noError(t, p.track.End(p.ctx))
	})
}
