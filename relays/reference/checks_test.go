package reference

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	tracks "github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// check is something a relay must do right.
type check struct {
	first wire.Draft
	opts  Options
	run   func(v *visit)
}

// checks are what the relay must do right, by name. That a fault makes it do otherwise is shown in package cases, where
// each fault has a case that fails.
var checks = map[string]check{
	"setup": {run: func(v *visit) { v.dial() }},
	"session": {run: func(v *visit) {
		s := v.dial()
		select {
		case <-s.Context().Done():
			v.fail("%v", context.Cause(s.Context()))
		case <-time.After(500 * time.Millisecond):
		}
	}},
	"announce": {run: func(v *visit) { v.announce(v.dial()) }},
	"withdraw": {run: func(v *visit) {
		s := v.dial()
		v.announce(s).Withdraw()
		select {
		case <-s.Context().Done():
			v.fail("%v", context.Cause(s.Context()))
		case <-time.After(30 * time.Millisecond):
		}
		v.announce(s)
	}},
	"namespaces": {run: func(v *visit) {
		sub, err := v.dial().SubscribeNamespace(v.ctx, someNamespace, nil)
		v.must(err)
		v.announce(v.dial()).Withdraw()
		for _, done := range []bool{false, true} {
			e, err := sub.Next(v.ctx)
			v.must(err)
			v.same("event", moqt.NamespaceEvent{Namespace: someNamespace, Done: done}, e)
		}
	}},
	"overlap": {run: func(v *visit) {
		s := v.dial()
		_, err := s.SubscribeNamespace(v.ctx, someNamespace, nil)
		v.must(err)
		_, err = s.SubscribeNamespace(v.ctx, someNamespace.Join("m"), nil)
		v.refused(err, moqt.RejectPrefixOverlap)
	}},
	"tracks": {run: func(v *visit) {
		s := v.dial()
		_, err := s.SubscribeTracks(v.ctx, someNamespace, nil)
		v.must(err)
		v.publish(v.dial(), "t")
		req, err := s.AcceptRequest(v.ctx)
		v.must(err)
		v.same("track", "t", req.TrackName())
	}},
	"publish": {run: func(v *visit) {
		pub := v.publish(v.dial(), "t")
		v.subscribe(v.dial(), "t", nil)
		time.Sleep(30 * time.Millisecond)
		v.same("Forward State", true, pub.Forward())
	}},
	"track end": {run: func(v *visit) {
		s := v.dial()
		v.must(v.publish(s, "t").Done(v.ctx, moqt.DoneTrackEnded, ""))
		select {
		case <-s.Context().Done():
			v.fail("%v", context.Cause(s.Context()))
		case <-time.After(30 * time.Millisecond):
		}
	}},
	"unknown track": {run: func(v *visit) {
		_, err := v.dial().Subscribe(v.ctx, &wire.Subscribe{TrackNamespace: someNamespace, TrackName: "t"})
		v.refused(err, moqt.RejectDoesNotExist)
	}},
	"route": {run: func(v *visit) {
		p := v.dial()
		v.announce(p)
		sub, err := v.dial().StartSubscribe(v.ctx, &wire.Subscribe{TrackNamespace: someNamespace, TrackName: "t"})
		v.must(err)
		ctx, cancel := context.WithTimeout(v.ctx, 300*time.Millisecond)
		defer cancel()
		req, err := p.AcceptRequest(ctx)
		v.must(err)
		_, err = req.AcceptSubscribe(v.ctx, nil)
		v.must(err)
		v.must(sub.Ready(v.ctx))
	}},
	"rendezvous": {first: wire.Draft17, run: func(v *visit) {
		began := time.Now()
		_, err := v.dial().Subscribe(v.ctx, &wire.Subscribe{TrackNamespace: someNamespace, TrackName: "t",
			Parameters: parameter(wire.ParamRendezvousTimeout, 50)})
		v.refused(err, moqt.RejectTimeout)
		if took := time.Since(began); took < 50*time.Millisecond {
			v.fail("TIMEOUT after %v", took)
		}
	}},
	"largest": {run: func(v *visit) {
		_, sub, _ := v.track()
		v.objects(sub, 9)
		late := v.subscribe(v.dial(), "t", nil)
		if l, ok := late.Largest(); !ok || l != loc(2, 2) {
			v.fail("largest object %s, %v", l, ok)
		}
	}},
	"aliases": {run: func(v *visit) {
		p, s := v.dial(), v.dial()
		v.publish(p, "a")
		v.publish(p, "b")
		v.subscribe(s, "a", nil)
		v.subscribe(s, "b", nil)
	}},
	"data": {run: func(v *visit) {
		pub, sub, sent := v.track()
		v.must(pub.Done(v.ctx, moqt.DoneTrackEnded, ""))
		got := v.streams(sub)
		for _, want := range sent {
			found := false
			for _, s := range got {
				found = found || s.Header.GroupID == want.Header.GroupID
				if s.Header.GroupID == want.Header.GroupID {
					v.same("stream", want, s)
				}
			}
			if !found {
				v.fail("group %d is missing", want.Header.GroupID)
			}
		}
		v.same("streams", len(sent), len(got))
		done, err := sub.Done(v.ctx)
		v.must(err)
		v.same("PUBLISH_DONE", wire.PublishDone{RequestID: done.RequestID, StatusCode: moqt.DoneTrackEnded.Number(v.d),
			StreamCount: 3}, *done)
	}},
	"statuses": {run: func(v *visit) {
		pub := v.publish(v.dial(), "t")
		sub := v.subscribe(v.dial(), "t", nil)
		w, err := pub.OpenSubgroup(v.ctx, wire.SubgroupHeader{FirstObject: true})
		v.must(err)
		v.must(w.WriteObject(&moqt.Object{Payload: []byte("x")}))
		v.must(w.WriteObject(&moqt.Object{ObjectID: 1, Status: wire.StatusEndOfGroup}))
		v.must(w.Close())
		v.must(pub.Done(v.ctx, moqt.DoneTrackEnded, ""))
		v.same("objects", 2, len(objectsOf(v.streams(sub), nil)))
	}},
	"datagrams": {run: func(v *visit) {
		pub := v.publish(v.dial(), "t")
		sub := v.subscribe(v.dial(), "t", nil)
		v.must(pub.SendDatagram(&moqt.Object{GroupID: 1, ObjectID: 2, Payload: []byte("x")}))
		v.same("object", []item{{Group: 1, Object: 2, Payload: "x", Datagram: true}}, v.objects(sub, 1))
	}},
	"large object": {run: func(v *visit) {
		pub := v.publish(v.dial(), "t")
		sub := v.subscribe(v.dial(), "t", nil)
		w, err := pub.OpenSubgroup(v.ctx, wire.SubgroupHeader{FirstObject: true})
		v.must(err)
		go func() {
			w.WriteObject(&moqt.Object{Payload: bytes.Repeat([]byte{1}, 1<<20)})
			w.Close()
		}()
		o, err := sub.Next(v.ctx)
		v.must(err)
		v.same("size", 1<<20, len(o.Payload))
	}},
	"subscribers": {run: func(v *visit) {
		pub := v.publish(v.dial(), "t")
		a, b := v.subscribe(v.dial(), "t", nil), v.subscribe(v.dial(), "t", nil)
		sent := v.send(pub, wire.SubgroupHeader{}, 0)
		v.same("first", sent.Objects, v.objects(a, 1))
		v.same("second", sent.Objects, v.objects(b, 1))
	}},
	"publishers": {run: func(v *visit) {
		a, b := v.publish(v.dial(), "t"), v.publish(v.dial(), "t")
		sub := v.subscribe(v.dial(), "t", nil)
		sent := v.send(a, wire.SubgroupHeader{}, 0).Objects
		v.same("first", sent, v.objects(sub, 1))
		v.send(b, wire.SubgroupHeader{}, 0)
		sent = v.send(b, wire.SubgroupHeader{GroupID: 1}, 0).Objects
		v.same("second", sent, v.objects(sub, 1))
	}},
	"filter": {run: func(v *visit) {
		pub := v.publish(v.dial(), "t")
		sub := v.subscribe(v.dial(), "t", filter(wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: 1}))
		v.send(pub, wire.SubgroupHeader{}, 0)
		v.same("objects", v.send(pub, wire.SubgroupHeader{GroupID: 1}, 0).Objects, v.objects(sub, 1))
		v.quiet(sub)
	}},
	"forward": {run: func(v *visit) {
		pub := v.publish(v.dial(), "t")
		on, off := v.subscribe(v.dial(), "t", nil), v.subscribe(v.dial(), "t", parameter(wire.ParamForward, 0))
		v.send(pub, wire.SubgroupHeader{}, 0)
		v.objects(on, 1)
		v.quiet(off)
	}},
	"update": {first: wire.Draft15, run: func(v *visit) {
		pub := v.publish(v.dial(), "t")
		sub := v.subscribe(v.dial(), "t", parameter(wire.ParamForward, 0))
		_, err := sub.Update(v.ctx, parameter(wire.ParamForward, 1))
		v.must(err)
		v.same("objects", v.send(pub, wire.SubgroupHeader{}, 0).Objects, v.objects(sub, 1))
	}},
	"unsubscribe": {run: func(v *visit) {
		pub := v.publish(v.dial(), "t")
		s, other := v.dial(), v.subscribe(v.dial(), "t", nil)
		sub := v.subscribe(s, "t", nil)
		v.send(pub, wire.SubgroupHeader{}, 0)
		v.objects(sub, 1)
		v.objects(other, 1)
		before := v.relay.Counters().ObjectsOut.Load()
		sub.Unsubscribe()
		time.Sleep(30 * time.Millisecond)
		v.send(pub, wire.SubgroupHeader{GroupID: 1}, 0)
		v.objects(other, 1)
		time.Sleep(30 * time.Millisecond)
		v.same("objects sent", uint64(1), v.relay.Counters().ObjectsOut.Load()-before)
	}},
	"priority": {run: func(v *visit) {
		pub := v.publish(v.dial(), "t")
		sub := v.subscribe(v.dial(), "t", nil)
		send := func(group uint64, priority uint8, size int) {
			w, err := pub.OpenSubgroup(v.ctx, wire.SubgroupHeader{GroupID: group, Priority: priority,
				FirstObject: true})
			v.must(err)
			v.must(w.WriteObject(&moqt.Object{Payload: large(size)}))
			v.must(w.Close())
			synctest.Wait()
		}
		send(0, 200, 400_000) // more than a stream takes unread: these two keep all others waiting
		send(1, 200, 400_000)
		for g, priority := range []uint8{200, 200, 100, 100} {
			send(uint64(2+g), priority, 10)
		}
		var opened []*moqt.SubgroupReader
		for range 6 {
			r, err := sub.AcceptSubgroup(v.ctx)
			v.must(err)
			opened = append(opened, r)
		}
		slices.SortFunc(opened, func(a, b *moqt.SubgroupReader) int { return int(a.StreamID()) - int(b.StreamID()) })
		v.same("priority of the first stream behind those", uint8(100), opened[2].Priority())
	}},
	"delivery timeout": {run: func(v *visit) {
		pub := v.publish(v.dial(), "t")
		sub := v.subscribe(v.dial(), "t", parameter(wire.ParamObjectDeliveryTimeout, 20))
		w, err := pub.OpenSubgroup(v.ctx, wire.SubgroupHeader{FirstObject: true})
		v.must(err)
		for id := range uint64(30) {
			v.must(w.WriteObject(&moqt.Object{ObjectID: id, Payload: large(10_000)}))
		}
		v.must(w.Close())
		r, err := sub.AcceptSubgroup(v.ctx)
		v.must(err)
		time.Sleep(60 * time.Millisecond)
		if v.read(r).Fin {
			v.fail("everything came")
		}
	}},
	"status": {run: func(v *visit) {
		_, sub, _ := v.track()
		v.objects(sub, 9)
		ok, err := v.dial().TrackStatus(v.ctx, &wire.TrackStatus{TrackNamespace: someNamespace, TrackName: "t"})
		v.must(err)
		if l, _ := ok.Parameters.Largest(); l != loc(2, 2) {
			v.fail("largest object %s", l)
		}
	}},
	"token": {opts: Options{RequireToken: "secret"}, run: func(v *visit) {
		_, err := v.dial().PublishNamespace(v.ctx, someNamespace, nil)
		v.refused(err, moqt.RejectUnauthorized)
	}},
	"goaway": {run: func(v *visit) {
		s := v.dial()
		v.must(s.Goaway(v.ctx, &wire.Goaway{}))
		synctest.Wait()
		v.announce(s)
	}},
	"fetch": {run: func(v *visit) {
		_, sub, sent := v.track()
		v.objects(sub, 9)
		f, err := v.dial().Fetch(v.ctx, moqt.FetchRequest{TrackNamespace: someNamespace, TrackName: "t",
			Range: groupEnd(loc(1, 0), 1)})
		v.must(err)
		v.same("objects", sent[1].Objects, v.fetched(f))
		if end, _ := f.End(); end.Group != 1 {
			v.fail("End %s", end)
		}
	}},
	"fetch upstream": {run: func(v *visit) {
		s := v.dial()
		v.announce(s)
		go func() {
			if r, err := s.AcceptRequest(v.ctx); err == nil {
				if w, err := r.AcceptFetch(v.ctx, &wire.FetchOK{End: loc(1, 4)}); err == nil {
					w.Close()
				}
			}
		}()
		_, err := v.dial().Fetch(v.ctx, moqt.FetchRequest{TrackNamespace: someNamespace, TrackName: "t",
			Range: groupEnd(loc(1, 0), 1)})
		v.must(err)
	}},
	"fetch descending": {run: func(v *visit) {
		_, sub, sent := v.track()
		v.objects(sub, 9)
		f, err := v.dial().Fetch(v.ctx, moqt.FetchRequest{TrackNamespace: someNamespace, TrackName: "t",
			Range:      groupEnd(loc(1, 0), 2),
			Parameters: parameter(wire.ParamGroupOrder, wire.Descending)})
		v.must(err)
		v.same("objects", append(append([]item(nil), sent[2].Objects...), sent[1].Objects...), v.fetched(f))
	}},
	"fetch beyond": {run: func(v *visit) {
		_, sub, _ := v.track()
		v.objects(sub, 9)
		_, err := v.dial().Fetch(v.ctx, moqt.FetchRequest{TrackNamespace: someNamespace, TrackName: "t",
			Range: groupEnd(loc(7, 0), 7)})
		v.refused(err, moqt.RejectInvalidRange)
	}},
	"join unknown": {run: func(v *visit) {
		if v.d >= wire.Draft20 {
			return
		}
		_, sub, _ := v.track()
		v.objects(sub, 9)
		r, err := v.dial().Start(v.ctx, &wire.Fetch{Type: wire.FetchRelativeJoining, JoiningRequestID: 500})
		v.must(err)
		_, err = r.Response(v.ctx)
		v.refused(err, moqt.RejectInvalidJoiningRequestID)
	}},
	"second goaway": {run: func(v *visit) {
		s := v.dial()
		for range 2 {
			v.must(s.Goaway(v.ctx, &wire.Goaway{}))
		}
		<-s.Context().Done()
		var end *moqt.SessionError
		if !errors.As(s.Err(), &end) || end.Local || end.Code != wire.ProtocolViolation {
			v.fail("%v", s.Err())
		}
	}},
	"token alias": {run: func(v *visit) {
		s := v.dial()
		for i, how := range []wire.AliasType{wire.TokenRegister, wire.TokenUseAlias} {
			ps := wire.Parameters{{Type: wire.ParamAuthorizationToken,
				Token: wire.Token{AliasType: how, Alias: 1, Value: []byte("x")[:1-i]}}}
			_, err := s.PublishNamespace(v.ctx, someNamespace.Join([]string{"a", "b"}[i]), ps)
			v.must(err)
		}
	}},
	"range filter": {first: wire.Draft19, run: func(v *visit) {
		pub := v.publish(v.dial(), "t")
		sub := v.subscribe(v.dial(), "t", wire.Parameters{ranged(wire.ParamObjectIDFilter, 0, 0, 1, 1)})
		v.same("objects", v.send(pub, wire.SubgroupHeader{}, 0, 1, 2).Objects[1:2], v.objects(sub, 1))
		v.quiet(sub)
	}},
	"range filter updated": {first: wire.Draft19, run: func(v *visit) {
		pub := v.publish(v.dial(), "t")
		sub := v.subscribe(v.dial(), "t", wire.Parameters{ranged(wire.ParamObjectIDFilter, 0, 0, 1, 1)})
		_, err := sub.Update(v.ctx, wire.Parameters{ranged(wire.ParamObjectIDFilter, 0, 0, 2, 2)})
		v.must(err)
		v.same("objects", v.send(pub, wire.SubgroupHeader{}, 0, 1, 2).Objects[2:], v.objects(sub, 1))
	}},
	"overlap of kinds": {first: wire.Draft18, run: func(v *visit) {
		s := v.dial()
		_, err := s.SubscribeTracks(v.ctx, someNamespace, nil)
		v.must(err)
		_, err = s.SubscribeNamespace(v.ctx, someNamespace, nil)
		v.must(err)
	}},
	"route by fields": {run: func(v *visit) {
		v.announce(v.dial())
		_, err := v.dial().Subscribe(v.ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"nn"}, TrackName: "t"})
		v.refused(err, moqt.RejectDoesNotExist)
	}},
	"fetch cancelled": {run: func(v *visit) {
		pub := v.publish(v.dial(), "t")
		w, err := pub.OpenSubgroup(v.ctx, wire.SubgroupHeader{FirstObject: true})
		v.must(err)
		for id := range uint64(30) {
			v.must(w.WriteObject(&moqt.Object{ObjectID: id, Payload: large(10_000)}))
		}
		v.must(w.Close())
		synctest.Wait()
		s := v.dial()
		f, err := s.Fetch(v.ctx, moqt.FetchRequest{TrackNamespace: someNamespace, TrackName: "t",
			Range: groupEnd(loc(0, 0), 0)})
		v.must(err)
		_, err = f.Next(v.ctx)
		v.must(err)
		f.Cancel()
		time.Sleep(30 * time.Millisecond)
		v.must(s.Err())
	}},
	"track properties": {first: wire.Draft16, run: func(v *visit) {
		_, err := v.dial().Publish(v.ctx, &wire.Publish{TrackNamespace: someNamespace, TrackName: "t",
			Properties: visitProps})
		v.must(err)
		v.same("properties", visitProps, v.subscribe(v.dial(), "t", nil).Properties())
	}},
	"mandatory property": {first: wire.Draft18, run: func(v *visit) {
		_, err := v.dial().Publish(v.ctx, &wire.Publish{TrackNamespace: someNamespace, TrackName: "t",
			Properties: wire.Properties{{Type: 0x6A5C, Uint: 1}}})
		v.refused(err, moqt.RejectUnsupportedExtension)
	}},
	"past range": {run: func(v *visit) {
		_, sub, _ := v.track()
		v.objects(sub, 9)
		_, err := v.dial().Subscribe(v.ctx, &wire.Subscribe{TrackNamespace: someNamespace, TrackName: "t",
			Parameters: filter(wire.LocationFilter{Form: wire.FilterGroupEnd, EndGroup: 1})})
		if v.d >= wire.Draft20 {
			v.must(err)
			return
		}
		v.refused(err, moqt.RejectInvalidRange)
	}},
	"join": {run: func(v *visit) {
		pub, sub, sent := v.track()
		v.objects(sub, 9)
		j, err := tracks.Join(v.ctx, v.dial(), tracks.JoinRequest{TrackNamespace: someNamespace, TrackName: "t"})
		v.must(err)
		v.same("past", sent[2].Objects, v.fetched(j.Past))
		live := v.send(pub, wire.SubgroupHeader{GroupID: 3}, 0, 1).Objects
		v.must(pub.Done(v.ctx, moqt.DoneTrackEnded, ""))
		got := objectsOf(v.streams(j.Live), nil)
		sortItems(got)
		v.same("live", live, got)
	}},
}
