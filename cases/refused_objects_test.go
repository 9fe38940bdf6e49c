package cases_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// bridge is a relay of one announced track, scripted: it subscribes at the publisher when its subscriber does, and
// then plays what that gets.
func bridge(t *testing.T, play func(b *act, up *moqt.Subscription)) peer {
	var mu sync.Mutex
	var publisher *moqt.Session
	return session(func(s *moqt.Session, r *moqt.Request) {
		ctx := s.Context()
		switch m := r.Message().(type) {
		case *wire.PublishNamespace:
			mu.Lock()
			publisher = s
			mu.Unlock()
			r.Accept(ctx, &wire.RequestOK{})
		case *wire.Subscribe:
			mu.Lock()
			up, err := publisher.Subscribe(ctx, &wire.Subscribe{TrackNamespace: m.TrackNamespace,
				TrackName: m.TrackName})
			mu.Unlock()
			if err != nil {
				t.Errorf("SUBSCRIBE at the publisher: %v", err)
				return
			}
			down, err := r.AcceptSubscribe(ctx, nil)
			if err != nil {
				t.Errorf("SUBSCRIBE: %v", err)
				return
			}
			play(&act{stage: &stage{t: t, d: s.Draft()}, ctx: ctx, pub: down}, up)
		}
	}, nil)
}

// take takes in the 10 objects of object-10-kb.
func (a *act) take(up *moqt.Subscription) {
	for len(a.objects) < 10 {
		o, err := up.Next(a.ctx)
		if err != nil {
			return
		}
		a.objects = append(a.objects, o)
	}
}

// group sends the objects of a group but for its last ones, and gives the stream, which is open still.
func (a *act) group(n uint64, without int) *moqt.SubgroupWriter {
	var all []*moqt.Object
	for _, o := range a.objects {
		if o.GroupID == n {
			all = append(all, o)
		}
	}
	w := a.stream(a.header(all[0]))
	for _, o := range all[:len(all)-without] {
		if err := w.WriteObject(o); err != nil {
			a.t.Errorf("object: %v", err)
		}
	}
	w.Flush()
	return w
}

// reset resets a stream whose objects have come.
func (a *act) reset(w *moqt.SubgroupWriter, code moqt.ResetCode) {
	time.Sleep(50 * time.Millisecond)
	w.Reset(code.Number(a.d))
}

// What a relay may leave out if it says so, and what it may not.
func TestObjectsLeftOut(t *testing.T) {
	for _, test := range []struct {
		name string
		play func(a *act, up *moqt.Subscription)
		want cases.Status
		says string // in the reason or in what was received
	}{
		{"streams are reset", func(a *act, up *moqt.Subscription) {
			a.take(up)
			for g := range uint64(2) {
				a.reset(a.group(g, 5), moqt.ResetInternalError)
			}
		}, cases.Skip, "a stream of group 1, subgroup 0 with no object and RESET_STREAM of the peer on stream "},
		{"a stream is reset, and the track ends", func(a *act, up *moqt.Subscription) {
			a.take(up)
			a.group(0, 0).Close()
			a.reset(a.group(1, 2), moqt.ResetInternalError)
			a.done(moqt.DoneTrackEnded, 2)
		}, cases.Skip, "a stream of group 1, subgroup 0 with 3 objects ({1, 0} to {1, 2}) and RESET_STREAM"},
		{"the subscription ends with an error", func(a *act, up *moqt.Subscription) {
			a.take(up)
			a.group(0, 0).Close()
			a.done(moqt.DoneInternalError, 1)
		}, cases.Skip, "allows: PUBLISH_DONE with 0x0 INTERNAL_ERROR"},
		{"the publisher's streams are stopped", func(a *act, up *moqt.Subscription) {
			for {
				r, err := up.AcceptSubgroup(a.ctx)
				if err != nil {
					return
				}
				r.Stop(moqt.ResetInternalError.Number(a.d))
			}
		}, cases.Skip, "STOP_SENDING of the peer on stream "},
		{"what was reset comes again", func(a *act, up *moqt.Subscription) {
			a.take(up)
			a.group(0, 0).Close()
			a.reset(a.group(1, 5), moqt.ResetInternalError)
			time.Sleep(time.Second)
			a.group(1, 0).Close()
			a.done(moqt.DoneTrackEnded, 3)
		}, cases.Pass, ""},
		{"objects vanish from a stream", func(a *act, up *moqt.Subscription) {
			a.take(up)
			a.group(0, 0).Close()
			a.group(1, 1).Close()
			a.done(moqt.DoneTrackEnded, 2)
		}, cases.Fail, "9 of 10 objects came, {1, 4} is missing; there was a stream of group 1, subgroup 0 with 4 " +
			"objects ({1, 0} to {1, 3}) and FIN; PUBLISH_DONE with 0x2 TRACK_ENDED"},
		{"a group vanishes from the track", func(a *act, up *moqt.Subscription) {
			a.take(up)
			a.group(0, 0).Close()
			a.done(moqt.DoneTrackEnded, 1)
		}, cases.Fail, "5 of 10 objects came, {1, 0} to {1, 4} are missing; PUBLISH_DONE with 0x2 TRACK_ENDED"},
		{"objects vanish, and the subscription ends with an error", func(a *act, up *moqt.Subscription) {
			a.take(up)
			a.group(0, 0).Close()
			a.group(1, 1).Close()
			a.done(moqt.DoneInternalError, 2)
		}, cases.Fail, "with 4 objects ({1, 0} to {1, 3}) and FIN; PUBLISH_DONE with 0x0 INTERNAL_ERROR"},
		{"one is refused, and one vanishes", func(a *act, up *moqt.Subscription) {
			a.take(up)
			a.group(0, 1).Close()
			a.reset(a.group(1, 1), moqt.ResetInternalError)
			a.done(moqt.DoneTrackEnded, 2)
		}, cases.Fail, "with 4 objects ({0, 0} to {0, 3}) and FIN"},
		{"one is refused, and one changed", func(a *act, up *moqt.Subscription) {
			a.take(up)
			for _, o := range a.objects {
				o.Payload[0] ^= 1
			}
			a.group(0, 0).Close()
			a.reset(a.group(1, 1), moqt.ResetInternalError)
			a.done(moqt.DoneTrackEnded, 2)
		}, cases.Fail, "payload differs from byte 0 of 10000 on"},
		{"the subscriber is given up", func(a *act, up *moqt.Subscription) {
			a.take(up)
			a.group(0, 0).Close()
			a.done(moqt.DoneTooFarBehind, 1)
		}, cases.Fail, "TOO_FAR_BEHIND"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, d := range []wire.Draft{wire.Draft14, wire.Draft16, wire.Draft18, wire.Draft20, wire.Draft22} {
				synctest.Test(t, func(t *testing.T) {
					id, size := "object-10-kb", "10 KB"
					if strings.Contains(test.name, "stopped") { // which a publisher sees while it has more to send
						id, size = "object-1-mb", "1 MB"
					}
					r := cases.Run(t.Context(), find(t, id), against(t, d, bridge(t, test.play)))
					allowed := "objects of " + size + " were refused, as " +
						rules.Cite(d, rules.SubgroupEnd) + " allows: "
					if r.Status != test.want || !strings.Contains(r.Received+r.Reason, test.says) ||
						r.Status == cases.Skip && !strings.HasPrefix(r.Reason, allowed) {
						t.Errorf("%s: %s %s%s, want %s: %q\nnotes %q\n%s", d, r.Status, r.Message,
							r.Reason, test.want, test.says, r.Notes, strings.Join(r.Transcript, "\n"))
					}
				})
			}
		})
	}
}

// A relay may give up the subscriber of priorities, which takes nothing for a while, as a whole or stream by stream.
func TestPrioritiesGivenUp(t *testing.T) {
	whole := func(a *act, up *moqt.Subscription) {
		a.done(moqt.DoneTooFarBehind, 0)
		for {
			if _, err := up.Next(a.ctx); err != nil {
				return
			}
		}
	}
	streams := func(a *act, up *moqt.Subscription) {
		for {
			o, err := up.Next(a.ctx)
			if err != nil {
				return
			}
			if o.ObjectID == 0 {
				go a.reset(a.stream(a.header(o)), moqt.ResetTooFarBehind)
			}
		}
	}
	for _, test := range []struct {
		play  func(a *act, up *moqt.Subscription)
		draft wire.Draft
		says  string
	}{
		{whole, wire.Draft14, "PUBLISH_DONE with 0x6 TOO_FAR_BEHIND"},
		{whole, wire.Draft18, "PUBLISH_DONE with 0x5 TOO_FAR_BEHIND"},
		{whole, wire.Draft22, "PUBLISH_DONE with 0x5 TOO_FAR_BEHIND"},
		{streams, wire.Draft18, "RESET_STREAM stream "},
		{streams, wire.Draft22, "RESET_STREAM stream "},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := cases.Run(t.Context(), find(t, "priorities"), against(t, test.draft, bridge(t, test.play)))
			want := "the relay has given up a subscriber that takes nothing, as " +
				rules.Cite(test.draft, rules.TooFarBehind) + " allows: " + test.says
			if r.Status != cases.Skip || r.TooSlow || !strings.HasPrefix(r.Reason, want) {
				t.Errorf("%s: %s %s%s, want a skip: %q", test.draft, r.Status, r.Message, r.Reason, want)
			}
		})
	}
}

// A relay may give up a subscriber that lags because the case lets it, and no other, whatever the case is about.
func TestTooFarBehind(t *testing.T) {
	heard := 0
	for _, c := range cases.All() {
		for _, d := range []wire.Draft{wire.Draft14, wire.Draft16, wire.Draft18, wire.Draft22} {
			if !c.Applies(d) {
				continue
			}
			r := onReference(t, c, d, "too-far-behind")
			var given bool
			for _, line := range r.Transcript {
				given = given || strings.Contains(line, " <- ") && strings.Contains(line, "TOO_FAR_BEHIND")
			}
			allowed := "the relay has given up a subscriber that takes nothing, as " +
				rules.Cite(d, rules.TooFarBehind) + " allows: "
			lags := c.Lags && r.Status == cases.Skip && strings.HasPrefix(r.Reason, allowed)
			prompt := !c.Lags && r.Status == cases.Fail && strings.Contains(r.Received, "TOO_FAR_BEHIND")
			switch {
			case given && !lags && !prompt:
				t.Errorf("%s, %s: %s %s%s of a relay that gives up a subscriber", c.ID, d, r.Status, r.Message,
					r.Reason)
			case given:
				heard++
			}
		}
	}
	if heard < 50 {
		t.Errorf("only %d cases were given up", heard)
	}
}
