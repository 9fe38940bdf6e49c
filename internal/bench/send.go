package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
)

// grace is how long the last write may still take when the window is over. Then it is cut, so that -t holds.
const grace = time.Second

// timedSize is the size, in bytes, from which on every object tells its time. Of smaller ones that are not paced each
// timedEvery-th does: reading the clock would be a good part of what they cost.
const (
	timedSize  = 1 << 10
	timedEvery = 16
)

// sender writes the objects of a track.
type sender struct {
	load   Load
	stamps Timestamps
	frames []int // sizes of the objects of a group, if they differ
	track  *moq.Track
	clock  clock
	of     int // how many senders the bench has

	object  moq.Object
	payload []byte
	count   uint64        // of measured objects
	size    uint64        // of them, in bytes
	sent    atomic.Uint64 // is count, for others; it may be timedEvery behind
	bytes   atomic.Uint64 // is size
	due     uint64
	ended   time.Time // when the last of them was written
	stuck   bool      // the last write was cut
}

// newSender makes a sender and its track.
func newSender(c clock, ns moq.Namespace, name string, load Load) (*sender, error) {
	s := &sender{load: load, stamps: Timestamps(load.Timestamps), clock: c, of: 1}
	largest := load.ObjectBytes
	if load.Video != "" {
		p, err := parseVideo(load.Video, load.GOP)
		if err != nil {
			return nil, err
		}
		s.frames = p.frames
		for _, n := range p.frames {
			largest = max(largest, n)
		}
	}
	s.payload = make([]byte, largest)
	opts := moq.TrackOptions{Stall: -1, Properties: s.stamps.track(), ObjectProperties: s.stamps != NoTimestamps}
	switch {
	case load.Datagrams:
		opts.Layout.Mode = moq.LayoutDatagram
	case load.Streams > 1:
		opts.Layout = moq.Layout{Mode: moq.LayoutSpread, Subgroups: load.Streams}
	}
	s.track = moq.NewTrack(ns, name, opts)
	return s, nil
}

// warm writes objects that do not count until until ends. ctx cuts a write.
func (s *sender) warm(ctx, until context.Context) error {
	pace := newPacer(s.load.RatePerS, s.of)
	defer pace.close()
	for n := uint64(0); until.Err() == nil; n++ {
		due, err := pace.wait(until)
		if err != nil {
			return nil
		}
		if err := s.write(ctx, header{phaseWarmup, s.clock.host, n, s.clock.of(due)}); err != nil {
			return err
		}
	}
	return nil
}

// measure writes objects for a time. It ends on time even if the relay takes nothing.
func (s *sender) measure(ctx context.Context, d time.Duration) error {
	start := time.Now()
	ctx, cancel := context.WithDeadlineCause(ctx, start.Add(d+grace), errCut)
	defer cancel()
	if s.load.RatePerS > 0 {
		s.due = uint64(math.Round(s.load.RatePerS * d.Seconds()))
	}
	defer s.tell()
	pace := newPacer(s.load.RatePerS, s.of)
	defer pace.close()
	every := uint64(1)
	if s.load.RatePerS == 0 && s.load.ObjectBytes < timedSize && s.stamps == NoTimestamps {
		every = timedEvery
	}
	for n := uint64(0); s.due == 0 || n < s.due; n++ {
		h := header{phase: phaseMeasured, host: s.clock.host, number: n}
		if n%every == 0 {
			s.tell()
			at, err := pace.wait(ctx)
			if err != nil {
				return s.cut(ctx, err)
			}
			if at.Sub(start) >= d || time.Since(start) >= d {
				break
			}
			h.time = s.clock.of(at)
		}
		if err := s.write(ctx, h); err != nil {
			return s.cut(ctx, err)
		}
	}
	s.ended = time.Now()
	return nil
}

// tell lets others see how many objects were written.
func (s *sender) tell() {
	s.sent.Store(s.count)
	s.bytes.Store(s.size)
}

// errCut is why a write ends that takes too long.
var errCut = errors.New("the window is over")

// cut tells an end by time from a failure.
func (s *sender) cut(ctx context.Context, err error) error {
	s.ended = time.Now()
	if errors.Is(context.Cause(ctx), errCut) {
		s.stuck = true
		s.object.ObjectID++ // some may have it
		return nil
	}
	return err
}

// end tells subscribers how many objects were measured. A datagram may be lost, so it is told three times.
func (s *sender) end(ctx context.Context) error {
	times := 1
	if s.load.Datagrams {
		times = 3
	}
	for range times {
		h := header{phaseEnd, s.clock.host, s.sent.Load(), s.clock.now()}
		if err := s.writeSized(ctx, h, MinObjectSize); err != nil {
			return err
		}
	}
	return nil
}

// write writes the next object.
func (s *sender) write(ctx context.Context, h header) error {
	size := s.load.ObjectBytes
	if s.frames != nil {
		size = s.frames[s.object.ObjectID%s.load.ObjectsPerGroup]
	}
	if err := s.writeSized(ctx, h, size); err != nil {
		return err
	}
	if h.phase == phaseMeasured {
		s.count++
		s.size += uint64(size)
	}
	return nil
}

func (s *sender) writeSized(ctx context.Context, h header, size int) error {
	o := &s.object
	if o.ObjectID == s.load.ObjectsPerGroup { // groups are whole: other makes count what is missing of them
		o.GroupID, o.ObjectID = o.GroupID+1, 0
	}
	o.Payload = s.payload[:size]
	h.put(o.Payload)
	if s.stamps != NoTimestamps {
		if err := s.stamps.stamp(o, s.clock.epoch(h.time)); err != nil {
			return err
		}
	}
	if err := s.track.Write(ctx, o); err != nil {
		return fmt.Errorf("write object %s: %w", o.Location(), err)
	}
	o.ObjectID++
	return nil
}
