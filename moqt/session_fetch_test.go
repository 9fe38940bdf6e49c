package moqt

import (
	"context"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func loc(group, object uint64) wire.Location { return wire.Location{Group: group, Object: object} }

// serveFetch writes objects 0 to last of a group and closes.
func serveFetch(t *testing.T, w *FetchWriter, group, last uint64) {
	t.Helper()
	for o := range last + 1 {
		noError(t, w.WriteObject(&Object{GroupID: group, ObjectID: o, Priority: 1, Payload: []byte{byte(o)}}))
	}
	noError(t, w.Close())
}

// TestFetchRanges: every form of range reaches the publisher as it was meant, and the end of FETCH_OK comes back, in
// every draft's encoding.
func TestFetchRanges(t *testing.T) {
	tests := []struct {
		ask, got wire.LocationFilter // got up to 19, where it differs
		end      wire.Location
	}{
		{ask: wire.LocationFilter{Form: wire.FilterRange, StartGroup: 1, StartObject: 2, EndGroup: 3, EndObject: 4},
			end: loc(3, 4)},
		{ask: wire.LocationFilter{Form: wire.FilterRange, StartGroup: 1, EndGroup: 1}, end: loc(1, 0)},
		{ask: wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 1, EndGroup: 3}, end: loc(3, math.MaxUint64)},
		{ask: wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: 5, StartObject: 6}, end: loc(7, 8),
			got: wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 5, StartObject: 6, EndGroup: 1<<62 - 1}},
		{ask: wire.LocationFilter{}, end: loc(7, 8), got: wire.LocationFilter{Form: wire.FilterGroupEnd,
			EndGroup: 1<<62 - 1}},
	}
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{}, Config{})
		for _, test := range tests {
			if test.end.Object == math.MaxUint64 && d >= wire.Draft20 {
				test.end.Object = 9 // there is no "whole group" in FETCH_OK any more
			}
			f, err := p.client.StartFetch(p.ctx, FetchRequest{TrackNamespace: testNS, TrackName: testName,
				Range: test.ask})
			noError(t, err)
			r := p.accept(p.server, wire.KindFetch)
			asked, err := r.FetchRange()
			noError(t, err)
			want := test.ask
			if d <= wire.Draft19 && test.got.Form != wire.FilterNone {
				want = test.got
			}
			if asked.Range != want || asked.Joining != nil || !asked.TrackNamespace.Equal(testNS) ||
				asked.TrackName != testName {
				t.Errorf("asked %s, got %+v, want %s", test.ask, asked, want)
			}
			w, err := r.AcceptFetch(p.ctx, &wire.FetchOK{End: test.end})
			noError(t, err)
			serveFetch(t, w, 1, 2)
			noError(t, f.Ready(p.ctx))
			if end, ok := f.End(); !ok || end != test.end {
				t.Errorf("End %s, want %s", end, test.end)
			}
			got, err := rest(t, p.ctx, f.Next)
			if err != io.EOF || len(got) != 3 {
				t.Errorf("%v, %v", got, err)
			}
			<-f.Request().Context().Done()
			<-r.Context().Done()
			if cause := context.Cause(r.Context()); cause != io.EOF {
				t.Errorf("the publisher's request ended with %v", cause)
			}
		}
		for _, relative := range []wire.FilterForm{wire.FilterRelative, wire.FilterNextObject} {
			_, err := p.client.StartFetch(p.ctx, FetchRequest{TrackNamespace: testNS, TrackName: testName,
				Range: wire.LocationFilter{Form: relative}})
			if d <= wire.Draft19 && !errors.Is(err, ErrNotInDraft) || d >= wire.Draft20 && err != nil {
				t.Errorf("form %d: %v", relative, err)
			}
		}
	})
}

// TestFetchDescending: the order of the request decides how the stream is read (18 and later).
func TestFetchDescending(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		p := dialSessions(t, d, Config{}, Config{})
		f, err := p.end(near).StartFetch(p.ctx, FetchRequest{TrackNamespace: testNS, TrackName: testName,
			Parameters: uint1(wire.ParamGroupOrder, wire.Descending)})
		noError(t, err)
		w, err := p.accept(p.end(far), wire.KindFetch).AcceptFetch(p.ctx, &wire.FetchOK{End: loc(9, 9)})
		noError(t, err)
		for _, g := range []uint64{9, 5, 0} {
			noError(t, w.WriteObject(&Object{GroupID: g, ObjectID: 1, Payload: []byte("x")}))
		}
		noError(t, w.Close())
		got, err := rest(t, p.ctx, f.Next)
		if err != io.EOF || len(got) != 3 || got[0].Group != 9 || got[1].Group != 5 || got[2].Group != 0 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// TestFetchEnds: refused, cancelled, reset, and objects before FETCH_OK.
func TestFetchEnds(t *testing.T) {
	eachSide(t, func(t *testing.T, d wire.Draft, near, far wire.Side) {
		p := dialSessions(t, d, Config{}, Config{})
		start := func() (*Fetch, *Request) {
			f, err := p.end(near).StartFetch(p.ctx, FetchRequest{TrackNamespace: testNS, TrackName: testName})
			noError(t, err)
			return f, p.accept(p.end(far), wire.KindFetch)
		}
		f, r := start()
		noError(t, r.Reject(p.ctx, RejectInvalidRange, ""))
		var refused *RequestError
		if _, err := f.Next(p.ctx); !errors.As(err, &refused) || refused.Name != "INVALID_RANGE" {
			t.Errorf("refused: %v", err)
		}

		f, r = start()
		w, err := r.AcceptFetch(p.ctx, &wire.FetchOK{End: loc(1, 1)})
		noError(t, err)
		noError(t, w.WriteObject(&Object{Payload: []byte("x")}))
		_, err = f.Next(p.ctx)
		noError(t, err)
		f.Cancel()
		<-r.Context().Done()
		settle()
		var stream *transport.StreamError
		if err := w.WriteObject(&Object{ObjectID: 1}); !errors.As(err, &stream) || stream.Code != 1 {
			t.Errorf("the publisher writes on: %v", err)
		}
		var cancelled *CancelError
		if _, err := f.Next(p.ctx); !errors.As(err, &cancelled) {
			t.Errorf("cancelled: %v", err)
		}

		f, r = start()
		w, err = r.AcceptFetch(p.ctx, &wire.FetchOK{End: loc(1, 1)})
		noError(t, err)
		noError(t, w.Flush())
		settle() // what a reset overtakes is lost, the header too
		w.Reset(ResetUnknownObjectStatus.Number(d))
		if _, err := f.Next(p.ctx); !errors.As(err, &stream) || stream.Code != ResetUnknownObjectStatus.Number(d) ||
			!stream.Remote {
			t.Errorf("reset: %v", err)
		}
		<-f.Request().Context().Done()

		f, r = start()
		w, err = r.OpenFetch(p.ctx)
		noError(t, err)
		serveFetch(t, w, 0, 1)
		got, err := rest(t, p.ctx, f.Next)
		if err != io.EOF || len(got) != 2 || f.OK() != nil {
			t.Errorf("before FETCH_OK: %v, %v", got, err)
		}
		noError(t, r.AcceptFetchOnly(p.ctx, &wire.FetchOK{End: loc(0, 1)}))
		noError(t, f.Ready(p.ctx))
		<-r.Context().Done()
		<-f.Request().Context().Done()

		// A context that ends leaves the fetch as it was.
		f, r = start()
		w, err = r.AcceptFetch(p.ctx, &wire.FetchOK{End: loc(0, 1)})
		noError(t, err)
		noError(t, w.Flush())
		settle()
		short, cancel := context.WithCancelCause(p.ctx)
		enough := errors.New("enough")
		cancel(enough)
		if _, err := f.Next(short); err != enough {
			t.Errorf("context: %v", err)
		}
		serveFetch(t, w, 0, 1)
		if got, err := rest(t, p.ctx, f.Next); err != io.EOF || len(got) != 2 {
			t.Errorf("afterwards: %v, %v", got, err)
		}
	})
}

// TestUnknownFetchStream: nobody asked for it: it is stopped with CANCELLED, the session lives on (20 and later).
func TestUnknownFetchStream(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := newRawPeer(t, d, wire.ServerSide, Config{})
		s := must[transport.SendStream](t)(p.conn.OpenUniStream(p.ctx))
		b, err := wire.AppendFetchHeader(nil, d, 8)
		noError(t, err)
		p.write(s, b)
		<-s.Context().Done()
		var e *transport.StreamError
		if cause := context.Cause(s.Context()); !errors.As(cause, &e) || !e.Stop || e.Code != 1 {
			t.Errorf("cause %v", cause)
		}
		p.open()
	})
}

// TestFillUnseen: without ManualUpdates a fill in an update is answered with an unknown range.
func TestFillUnseen(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		if d < wire.Draft20 {
			return
		}
		p := dialSessions(t, d, Config{}, Config{})
		sub, _ := p.established(p.client, p.server, subscribeMessage(), largest(4, 4))
		for _, test := range []struct {
			f    wire.LocationFilter
			ends wire.Location
			none bool
		}{
			{f: wire.LocationFilter{Form: wire.FilterRelative, StartGroup: 2}, ends: loc(4, 4)},
			{f: wire.LocationFilter{Form: wire.FilterRange, EndGroup: 2, EndObject: 3}, ends: loc(2, 3)},
			{f: wire.LocationFilter{Form: wire.FilterNextObject}, none: true},
		} {
			var ps wire.Parameters
			ps.Set(wire.Parameter{Type: wire.ParamFillParameters, Inner: filtered(test.f)})
			_, fill, err := sub.UpdateFill(p.ctx, ps)
			noError(t, err)
			if !test.none {
				o, err := fill.Next(p.ctx)
				noError(t, err)
				if o.Range != wire.UnknownRange || o.Location() != test.ends {
					t.Errorf("%s: %s", test.f, o)
				}
			}
			if _, err := fill.Next(p.ctx); err != io.EOF {
				t.Errorf("%s: the end: %v", test.f, err)
			}
		}
	})
}

// readEarly is a fetch whose stream is read to its end just when FETCH_OK is taken.
type readEarly struct{ *Fetch }

func (f readEarly) received(m wire.Message) bool {
	took := f.Fetch.received(m)
	f.settle()
	return took
}

// TestFetchReadBeforeItsAnswer: the stream of a fetch may be read to its end before FETCH_OK has been taken, and Ready
// tells of the answer all the same.
func TestFetchReadBeforeItsAnswer(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p := dialSessions(t, d, Config{}, Config{})
		f, err := p.client.StartFetch(p.ctx, FetchRequest{TrackNamespace: testNS, TrackName: testName})
		noError(t, err)
		f.r.mu.Lock()
		f.r.hook = readEarly{f}
		f.r.mu.Unlock()
		f.mu.Lock()
		f.complete = true
		f.mu.Unlock()
		r := p.accept(p.server, wire.KindFetch)
		noError(t, r.Accept(p.ctx, &wire.FetchOK{End: loc(1, 1)}))
		noError(t, f.Ready(p.ctx))
		if f.OK() == nil {
			t.Error("Ready without FETCH_OK")
		}
	})
}
