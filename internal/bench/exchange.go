package bench

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
)

// Two hosts have two clocks. So a subscriber asks the publisher for its time, through the relay: it subscribes to a
// track of the publisher's namespace that nobody has asked for before, and the publisher answers with an object that
// tells when the SUBSCRIBE came and when the object was sent. The sum of both ways is known then, not how it is shared
// out, so the clocks differ by the middle, and that is wrong by at most the half of the sum.
//
// What the objects of the bench hold up makes that half larger, never wrong. The exchange with the smallest one counts.
const (
	askTrack     = ".clock." // between the track's name and a word that is new
	askFirst     = 8         // exchanges before a latency is told, unless one fails
	askEvery     = 500 * time.Millisecond
	askTime      = time.Second // for one
	askRecent    = 8           // the last of them show how far the clocks have moved apart
	answerLength = 4 + 3*8
	// Some relays drop what comes before they have seen SUBSCRIBE_OK, so there are several answers.
	answers     = 3
	answerEvery = 100 * time.Millisecond
)

// offset is what is known of the clock of another host.
type offset struct {
	ns    int64 // added to its time gives ours
	bound int64 // which is wrong by at most so much
}

// answerClock is the publisher's side.
func (r *running) answerClock(q *moq.Request) {
	came := r.clock.now()
	moq.Find(func(ns moq.Namespace, name string) *moq.Track {
		if !ns.Equal(r.Namespace) || !strings.HasPrefix(name, r.Track+askTrack) {
			return nil
		}
		t := moq.NewTrack(ns, name, moq.TrackOptions{})
		ctx := q.Context()
		r.tasks.Go(func() {
			if t.WaitForward(ctx, 1) != nil {
				return
			}
			for n := range uint64(answers) {
				b := binary.BigEndian.AppendUint32(nil, r.clock.host)
				b = binary.BigEndian.AppendUint64(b, uint64(r.clock.epoch(0)))
				b = binary.BigEndian.AppendUint64(b, uint64(came))
				b = binary.BigEndian.AppendUint64(b, uint64(r.clock.now()))
				if t.Write(ctx, &moq.Object{GroupID: n, Payload: b}) != nil || !sleep(ctx, answerEvery) {
					return // with the subscription or the session
				}
			}
		})
		return t
	})(q)
}

// exchange asks once. epoch is by how much the publisher's clock is behind its wall clock.
func (r *running) exchange(ctx context.Context, s *moq.Session) (o offset, epoch int64, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, askTime, fmt.Errorf("no answer within %s", askTime))
	defer cancel()
	asked := r.clock.now()
	sub, err := s.Subscribe(ctx, r.Namespace, r.Track+askTrack+rand.Text(), func(q *moq.SubscribeRequest) {
		q.Parameters = r.parameters()
	})
	if err != nil {
		return o, 0, err
	}
	defer sub.Close()
	object, err := sub.Next(ctx)
	if err != nil {
		return o, 0, err
	}
	answered := r.clock.now()
	b := object.Payload
	if len(b) != answerLength {
		return o, 0, fmt.Errorf("the answer has %d bytes instead of %d", len(b), answerLength)
	}
	b = b[4:]
	next := func() int64 {
		v := int64(binary.BigEndian.Uint64(b))
		b = b[8:]
		return v
	}
	epoch, came, sent := next(), next(), next()
	both := answered - asked - (sent - came)
	if both < 0 || sent < came {
		return o, 0, errors.New("the answer's times make no sense")
	}
	// Ours less theirs is at most what the way back says, and at least what the way there does.
	return offset{ns: ((asked - came) + (answered - sent)) / 2, bound: (both + 1) / 2}, epoch, nil
}

// compareClocks finds out how far the clock of a publisher on another host is from ours, and goes on until ctx ends.
// With --clock-error that is what the wall clocks say.
func (r *running) compareClocks(ctx context.Context, s *moq.Session, recv *receiver) {
	var best offset
	for {
		o, epoch, err := r.exchange(ctx, s)
		if err == nil {
			r.exchanges++
		}
		switch {
		case ctx.Err() != nil:
			return
		case r.exchanges == 0:
			r.noExchange = err
			return
		case r.ClockError > 0:
			recv.other.Store(&offset{ns: epoch - r.clock.epoch(0), bound: int64(r.ClockError)})
			return
		case recv.other.Load() == nil:
			if err == nil && (r.exchanges == 1 || o.bound < best.bound) {
				best = o
			}
			if err != nil || r.exchanges == askFirst {
				recv.other.Store(&best)
			}
			continue
		case err == nil:
			r.recent = append(r.recent, o)
			r.recent = r.recent[max(0, len(r.recent)-askRecent):]
		}
		if !sleep(ctx, askEvery) {
			return
		}
	}
}

// clockError is the bound of an offset over the whole window: clocks move apart, evenly.
func (r *running) clockError(o *offset) time.Duration {
	bound := o.bound
	if r.ClockError == 0 && len(r.recent) > 0 {
		last := r.recent[0]
		for _, x := range r.recent[1:] {
			if x.bound < last.bound {
				last = x
			}
		}
		moved := last.ns - o.ns
		bound = max(bound, max(moved, -moved)+last.bound)
	}
	return time.Duration(bound)
}
