package tools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Publish says what to publish, and how.
type Publish struct {
	Connection
	// Track is the track's name. Second, if set, names another track of its namespace with the same objects.
	Track  Name
	Second string
	// From gives the objects.
	From Source
	// Options shape the track.
	Options moq.TrackOptions
	// Direct offers the track with PUBLISH; otherwise its namespace is announced. A relay may want the objects of such
	// a track before anybody subscribes, and then nobody is waited for.
	Direct bool
	// NoWait begins without waiting for a subscriber.
	NoWait bool
	Groups
	Provoke
}

// Groups say when a new group begins: when one of these is reached that is not 0.
type Groups struct {
	Objects uint64
	Bytes   uint64
	Time    time.Duration
}

// Provoke is what a relay's author may want to see at some moment: behind so many objects, 0 being never.
type Provoke struct {
	// EndAfter ends the track.
	EndAfter uint64
	// WithdrawAfter takes back what was announced, and goes on.
	WithdrawAfter uint64
	// GoawayAfter sends GOAWAY to the relay, and goes on.
	GoawayAfter uint64
	// ResetAfter resets the streams of the subgroup, and goes on with the next group.
	ResetAfter uint64
	// Gaps leaves out every so manieth Object ID.
	Gaps uint64
	// Padding is the length in bytes of a padding stream before the first object (18 and later).
	Padding int
	// Properties go with every object.
	Properties wire.Properties
}

// publishing is a Publish that runs.
type publishing struct {
	*Publish
	tracks  []*moq.Track
	session atomic.Pointer[moq.Session] // the one that is used now
	first   chan struct{}               // closed once there is one

	group, object uint64
	began         time.Time // the group
	inGroup       uint64    // objects of it
	bytesInGroup  uint64
	subgroups     []*moq.Subgroup // with ResetAfter
	written       uint64
	bytes         uint64
}

// Run publishes until the source ends. When ctx ends the track does, too.
func (p *Publish) Run(ctx context.Context) error {
	if len(p.Properties) > 0 {
		p.Options.ObjectProperties = true
	}
	r := &publishing{Publish: p, first: make(chan struct{})}
	r.tracks = []*moq.Track{moq.NewTrack(p.Track.Namespace, p.Track.Track, p.Options)}
	if p.Second != "" {
		r.tracks = append(r.tracks, moq.NewTrack(p.Track.Namespace, p.Second, p.Options))
	}
	// sessions outlive ctx, so that the end of the track can be told
	sessions, over := context.WithCancelCause(context.WithoutCancel(ctx))
	defer over(nil)
	writing, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var kept error
	var keeping sync.WaitGroup
	keeping.Go(func() {
		if kept = p.Keep(sessions, r.offer); kept != nil {
			stop(kept)
		}
	})
	err := r.write(writing)
	if kept == nil {
		end, cancel := context.WithTimeout(sessions, endTime)
		for _, t := range r.tracks {
			err = errors.Join(err, t.End(end))
		}
		if r.written > 0 {
			_ = pause(end, lingerTime)
		}
		cancel()
	}
	over(errDone)
	keeping.Wait()
	if kept != nil && !errors.Is(kept, errDone) {
		return kept
	}
	p.Say("%s: %s, %d bytes in %s", p.Track, plural(r.written, "object"), r.bytes, plural(r.groups(), "group"))
	return err
}

// settleTime is how long a relay that has subscribed may take to answer its own subscriber. What is written before that
// may be past for the subscriber.
const settleTime = 200 * time.Millisecond

// endTime is how long subscribers may take what is on its way when a track ends.
const endTime = 5 * time.Second

// lingerTime is how long a session stays when its track has ended: a busy relay drops what it has received and not
// passed on yet when its publisher leaves.
const lingerTime = 500 * time.Millisecond

// errDone ends the sessions of a track that was published to its end.
var errDone = errors.New("the track has ended")

func (r *publishing) groups() uint64 {
	if r.written == 0 {
		return 0
	}
	return r.group + 1
}

// offer makes the tracks known on a session, and stays until it is to be left.
func (r *publishing) offer(ctx context.Context, s *moq.Session) error {
	answered, cancel := asking(ctx)
	defer cancel()
	for _, t := range r.tracks {
		opts := []moq.PublishOption{moq.WithParameters(r.parameters()...)}
		if r.Direct {
			opts = append(opts, moq.Direct())
		}
		if err := s.Publish(answered, t, opts...); err != nil {
			return err
		}
	}
	if r.session.Swap(s) == nil {
		close(r.first)
	}
	select {
	case <-s.Context().Done():
		return context.Cause(s.Context())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// write writes every object.
func (r *publishing) write(ctx context.Context) error {
	select {
	case <-r.first:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if !r.NoWait {
		r.Say("%s: waiting for a subscriber", r.Track)
		if err := r.tracks[0].WaitForward(ctx, 1); err != nil {
			return err
		}
		if !r.Direct {
			if err := pause(ctx, settleTime); err != nil {
				return err
			}
		}
	}
	if err := r.pad(ctx); err != nil {
		return err
	}
	for {
		payload, err := r.From.Next(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := r.one(ctx, payload); err != nil {
			return err
		}
		if done, err := r.provoke(ctx); done || err != nil {
			return err
		}
	}
}

// one writes the next object.
func (r *publishing) one(ctx context.Context, payload []byte) error {
	if r.inGroup > 0 && (r.Groups.Objects > 0 && r.inGroup >= r.Groups.Objects ||
		r.Groups.Bytes > 0 && r.bytesInGroup+uint64(len(payload)) > r.Groups.Bytes ||
		r.Groups.Time > 0 && time.Since(r.began) >= r.Groups.Time) {
		r.nextGroup()
	}
	if r.inGroup == 0 {
		r.began = time.Now()
	}
	o := &moq.Object{GroupID: r.group, ObjectID: r.object, Payload: payload}
	if len(r.Properties) > 0 {
		if err := o.EncodeProperties(wire.Newest, r.Properties); err != nil {
			return err
		}
	}
	for i, t := range r.tracks {
		if err := r.put(ctx, i, t, o); err != nil {
			return err
		}
	}
	r.object++
	r.inGroup++
	r.written++
	r.bytes += uint64(len(payload))
	r.bytesInGroup += uint64(len(payload))
	if r.Gaps > 0 && r.written%r.Gaps == 0 {
		r.object++
	}
	return nil
}

func (r *publishing) nextGroup() {
	r.group++
	r.object, r.inGroup, r.bytesInGroup, r.subgroups = 0, 0, 0, nil
}

// put writes an object to one of the tracks; to a subgroup of its own hand where that may be reset.
func (r *publishing) put(ctx context.Context, i int, t *moq.Track, o *moq.Object) error {
	if r.ResetAfter == 0 || r.Options.Layout.Mode == moq.LayoutDatagram {
		return t.Write(ctx, o)
	}
	if len(r.subgroups) <= i {
		if r.group > 0 {
			if err := t.EndGroup(ctx, r.group-1); err != nil {
				return err
			}
		}
		g, err := t.OpenSubgroup(r.group, 0)
		if err != nil {
			return err
		}
		r.subgroups = append(r.subgroups, g)
	}
	if err := t.Pace(ctx); err != nil {
		return err
	}
	return r.subgroups[i].WriteObject(ctx, o)
}

// provoke does what is due behind the object that was written last, and reports whether the track is to end.
func (r *publishing) provoke(ctx context.Context) (done bool, err error) {
	due := func(n uint64) bool { return n > 0 && r.written == n }
	s := r.session.Load()
	if due(r.ResetAfter) {
		for _, g := range r.subgroups {
			g.Reset(moqt.ResetInternalError)
		}
		r.Say("%s: reset the streams of group %d", r.Track, r.group)
		r.nextGroup()
	}
	if due(r.WithdrawAfter) {
		for _, t := range r.tracks {
			s.Withdraw(t)
		}
		r.Say("%s: withdrawn", r.Track)
	}
	if due(r.GoawayAfter) {
		if err := s.Goaway(ctx, &wire.Goaway{}); err != nil {
			return false, err
		}
		r.Say("%s: sent GOAWAY", r.Track)
	}
	return due(r.EndAfter), nil
}

// pad sends a padding stream (draft-18 §11.5.1).
func (r *publishing) pad(ctx context.Context) error {
	if r.Padding == 0 {
		return nil
	}
	s := r.session.Load()
	if s.Draft() < wire.Draft18 {
		return fmt.Errorf("%s has no padding streams: they exist from draft-18 on", s.Draft())
	}
	out, err := s.Conn().OpenUniStream(ctx)
	if err != nil {
		return err
	}
	if _, err := out.Write(wire.AppendVarint(nil, s.Draft(), wire.TypePaddingStream)); err != nil {
		return err
	}
	zeros := make([]byte, 32<<10)
	for left := r.Padding; left > 0; {
		n, err := out.Write(zeros[:min(left, len(zeros))])
		if err != nil {
			return err
		}
		left -= n
	}
	return out.Close()
}
