package track

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// ReadOptions say how a Subscribed hands out objects. With the zero value it hands out whole objects in the order in
// which they arrive.
type ReadOptions struct {
	// InOrder hands objects out by ascending location, whatever streams and datagrams they come on. An object waits for
	// missing ones before it until it is known that none will come: the publisher has told the end of their group, or
	// all streams that may have them have ended without leaving a hole. It waits at most for Patience; 0 is 3 s,
	// which suits those who want everything: who plays something live waits for less. An
	// object that comes after a later one was handed out counts as late and is dropped.
	//
	// A fetch or fill that is on its way is waited for as long as some of it comes, and otherwise for
	// Limits.PendingTime, or Patience if that is longer; then what it was to bring is a gap.
	InOrder  bool
	Patience time.Duration
	// Gap, if set, is called by Next with InOrder when objects are passed over: nothing has come after from and before
	// to, which Next hands out now.
	Gap func(from, to wire.Location)
	// StreamAbove, if not 0, is a length in bytes. Next does not wait for the whole of a longer payload: it gives the
	// object with an empty Payload, and Body reads the payload as it comes, whatever its length.
	StreamAbove uint64
	// Again, if set, is called for every object that comes again, with its location. It must return at once, and not
	// call the Subscribed.
	Again func(at wire.Location)
	// Groups is how many groups are remembered to recognize duplicates and gaps; 0 is 1024.
	Groups int
}

// Request asks for a track, or a part of it.
type Request struct {
	TrackNamespace wire.TrackNamespace
	TrackName      string
	// Filter is the subscription's location filter; the zero value passes everything from now on. Parameters are all
	// other parameters of the SUBSCRIBE, range filters included.
	Filter     wire.LocationFilter
	Parameters wire.Parameters
	// Past, if set, also asks for objects published before; Filter is not used then. Its namespace, name and Parameters
	// may be left out.
	Past *JoinRequest
	// Read says how the objects are handed out.
	Read ReadOptions
}

// Subscribed reads a track: each object of a subscription, of fetches, or of both together once, whatever streams and
// datagrams they come on. Only one goroutine at a time may call Next and read its Body; the other methods are safe for
// concurrent use.
//
// It holds objects that Next has not taken, up to Limits.QueuedBytes. Then it stops reading streams, and flow control
// stops the peer.
type Subscribed struct {
	s      *moqt.Session
	sub    *moqt.Subscription // nil for fetches alone
	opts   ReadOptions
	ctx    context.Context
	cancel context.CancelFunc
	news   chan struct{} // something came
	idle   chan *source  // where goroutines wait for the next stream to read

	mu        sync.Mutex
	account   account
	line      line
	arrivals  int
	held      int // bytes
	sources   map[*source]struct{}
	blocked   []*source
	datagrams *source // stands for the datagrams in blocked
	fetches   []*moqt.Fetch
	loops     int    // goroutines that bring streams
	past      int    // fetches that are not at their end
	pastBytes uint64 // in order: what has come of them
	pastAt    time.Time
	subgroups uint64  // streams of the subscription that are, or were, in sources, or somebody else had before
	problems  []error // for Next, and end nothing
	cause     error   // how the subscription ended other than by io.EOF
	err       error   // final: nothing is wanted any more
	closed    atomic.Bool

	current *batch
	due     wire.Location // in order: what comes next
	missed  wire.Location // in order: the due location that was found missing
	since   time.Time     // when that was
	timer   *time.Timer
}

// errTrackClosed says that Close ended the reading.
var errTrackClosed = errors.New("the track was closed here")

func newTrack(s *moqt.Session, sub *moqt.Subscription, opts ReadOptions) *Subscribed {
	if opts.Patience == 0 {
		opts.Patience = 3 * time.Second
	}
	if opts.Groups == 0 {
		opts.Groups = 1024
	}
	t := &Subscribed{s: s, sub: sub, opts: opts, news: make(chan struct{}, 1), idle: make(chan *source),
		sources: make(map[*source]struct{})}
	t.ctx, t.cancel = context.WithCancel(s.Context())
	t.datagrams = t.newSource()
	t.line.inOrder = opts.InOrder
	t.account = account{draft: s.Draft(), maxGroups: opts.Groups, again: opts.Again,
		groups: make(map[uint64]*groupAccount)}
	return t
}

// begin sets where the track starts.
func (t *Subscribed) begin(at wire.Location) { t.due, t.account.first = at, at }

// Open subscribes to a track, or joins it if Request.Past is set, and waits for the answer. The error is that of
// Session.Subscribe or of Join.
func Open(ctx context.Context, s *moqt.Session, q Request) (*Subscribed, error) {
	if q.Past != nil {
		join := *q.Past
		join.TrackNamespace, join.TrackName = q.TrackNamespace, q.TrackName
		for _, p := range q.Parameters {
			join.Parameters.Add(p)
		}
		j, err := Join(ctx, s, join)
		if err != nil {
			return nil, err
		}
		return ReadJoined(j, q.Read), nil
	}
	m := &wire.Subscribe{TrackNamespace: q.TrackNamespace, TrackName: q.TrackName, Parameters: q.Parameters.Clone()}
	if q.Filter.Form != wire.FilterNone {
		m.Parameters.SetFilter(q.Filter)
	}
	sub, err := s.Subscribe(ctx, m)
	if err != nil {
		return nil, err
	}
	return Read(sub, q.Read), nil
}

// Fetch fetches a part of a track and waits for the answer. The error is that of Session.Fetch.
func Fetch(ctx context.Context, s *moqt.Session, q moqt.FetchRequest, opts ReadOptions) (*Subscribed, error) {
	f, err := s.Fetch(ctx, q)
	if err != nil {
		return nil, err
	}
	t := newTrack(s, nil, opts)
	start, _, _ := q.Range.Bounds(wire.Location{}, false)
	t.begin(start)
	src := t.newSource()
	src.next, src.told = start, q.Range.Form != wire.FilterRelative && q.Range.Form != wire.FilterNextObject
	if end, ok := f.End(); ok && end.Object < 1<<64-1 {
		src.until = following(end)
	}
	t.add(src, f)
	return t, nil
}

// Read reads an established subscription, made by SUBSCRIBE or by a PUBLISH of the peer's, and the fill that its
// SUBSCRIBE asked for. Nobody else may read them.
func Read(sub *moqt.Subscription, opts ReadOptions) *Subscribed {
	t := newTrack(sub.Session(), sub, opts)
	filter, filtered := sub.Parameters().Filter()
	largest, published := sub.OK().Parameters.Largest()
	if !filtered && published || sub.Session().Draft() == wire.Draft14 && !filtered {
		filter.Form = wire.FilterNextObject
	}
	start, _, _ := filter.Bounds(largest, published)
	if published && start.Compare(largest) <= 0 { // only what comes from now on (draft-19 §5.1.2)
		start = following(largest)
	}
	t.begin(start)
	if f := sub.Fill(); f != nil {
		t.AddFetch(f)
	}
	t.follow()
	return t
}

// ReadJoined reads the past and the live part of a joined track as one, each object once.
func ReadJoined(j *Joined, opts ReadOptions) *Subscribed {
	t := newTrack(j.s, j.Live, opts)
	largest, published := j.Live.OK().Parameters.Largest()
	var start wire.Location
	switch {
	case j.q.Start != nil:
		start = *j.q.Start
		if j.s.Draft() <= wire.Draft19 {
			start.Object = 0
		}
		if live := following(largest); published && start.Compare(live) > 0 {
			start = live
		}
	case published:
		start.Group = largest.Group - min(j.q.GroupsBack, largest.Group)
	}
	t.begin(start)
	s := t.newSource()
	s.next, s.told = start, true
	if published {
		s.until = following(largest)
	}
	t.add(s, j.Past)
	t.follow()
	return t
}

// follow begins to take the streams and datagrams of the subscription.
func (t *Subscribed) follow() {
	all, waiting := t.sub.Given()
	t.mu.Lock()
	t.loops += 2
	t.subgroups = all - waiting
	t.mu.Unlock()
	if !t.s.Go(t.acceptStreams) || !t.s.Go(t.acceptDatagrams) {
		t.Close()
	}
}

// AddFetch also reads a fetch, or fill, of the same track, for instance to fill gaps. Nobody else may read it. Objects
// that have come before are not handed out again.
func (t *Subscribed) AddFetch(f *moqt.Fetch) { t.add(t.newSource(), f) }

// add expects the stream of a fetch, which s is for.
func (t *Subscribed) add(s *source, f *moqt.Fetch) {
	s.fetch = f
	s.filtered = !moqt.RangeFiltersOf(f.AskedParameters()).Empty()
	t.mu.Lock()
	t.loops++
	t.past++
	t.pastAt = time.Now()
	t.fetches = append(t.fetches, f)
	t.mu.Unlock()
	if !t.s.Go(func() { t.acceptFetch(s) }) {
		t.Close()
	}
}

// Subscription is the subscription, nil for a track that is only fetched.
func (t *Subscribed) Subscription() *moqt.Subscription { return t.sub }

// Next waits for the next object. The object is valid until the next call of Next; use Clone to keep it. End of Group
// and End of Track come as objects with that status.
//
// io.EOF means that everything has come: PUBLISH_DONE with all streams that it counts, and the end of every fetch.
// After some errors Next may be called again: a *moqt.ObjectTooLargeError is about one object; a *moqt.RequestError or
// *transport.StreamError is about a fetch beside a subscription, whose other objects will not come; and the context's
// cause. The other errors are final: those of Subscription.Next, *MalformedError, and one after Close.
func (t *Subscribed) Next(ctx context.Context) (*moqt.Object, error) {
	if b := t.current; b != nil && b.next < len(b.objects) && !t.closed.Load() {
		o := &b.objects[b.next]
		if !t.opts.InOrder || o.ObjectID == t.due.Object && o.GroupID == t.due.Group {
			b.next++
			t.due.Object++
			return o, nil
		}
	}
	return t.next(ctx)
}

// next is Next where the current batch does not simply go on.
func (t *Subscribed) next(ctx context.Context) (*moqt.Object, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b := t.current; b != nil {
		t.current = nil
		if b.next < len(b.objects) {
			t.line.push(b)
		} else {
			t.release(b)
		}
	}
	for {
		if len(t.problems) > 0 {
			err := t.problems[0]
			t.problems = t.problems[1:]
			return nil, err
		}
		if t.err != nil {
			return nil, t.err
		}
		b, wait := t.pick()
		if b != nil {
			t.current = b
			o := &b.objects[b.next]
			b.next++
			t.due = following(o.Location())
			return o, nil
		}
		if t.loops == 0 && len(t.sources) == 0 && t.line.empty() {
			if t.cause != nil {
				return nil, t.cause
			}
			return nil, io.EOF
		}
		t.unblock() // what is waited for may be held up itself
		t.mu.Unlock()
		err := t.wait(ctx, wait)
		t.mu.Lock()
		if err != nil {
			return nil, err
		}
	}
}

// wait waits for news, at most for a time that is not 0.
func (t *Subscribed) wait(ctx context.Context, atMost time.Duration) error {
	var late <-chan time.Time
	if atMost > 0 {
		if t.timer == nil {
			t.timer = time.NewTimer(atMost)
		} else {
			t.timer.Reset(atMost)
		}
		defer t.timer.Stop()
		late = t.timer.C
	}
	select {
	case <-t.news:
	case <-late:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// Body reads the payload of the object that Next returned last. It is valid until the next call of Next, which skips
// the rest.
func (t *Subscribed) Body() *Body {
	b := t.current
	if b == nil || b.next == 0 {
		return &Body{}
	}
	o := &b.objects[b.next-1]
	if b.body {
		return &Body{size: b.src.core.Size, stream: b.src.payload}
	}
	return &Body{size: uint64(len(o.Payload)), whole: o.Payload}
}

// Body reads a payload while it comes. Reads wait for more of it; Subscribed.Close ends the wait. Not safe for
// concurrent use.
type Body struct {
	size   uint64
	whole  []byte
	stream *moqt.PayloadReader
}

// Size is the length of the payload in bytes.
func (b *Body) Size() uint64 { return b.size }

// Read implements io.Reader. The error is io.EOF at the payload's end, and a *transport.StreamError when the stream is
// reset before.
func (b *Body) Read(p []byte) (int, error) {
	if b.stream != nil {
		return b.stream.Read(p)
	}
	if len(b.whole) == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	n := copy(p, b.whole)
	b.whole = b.whole[n:]
	return n, nil
}

// WriteTo implements io.WriterTo. It needs no buffer of its own. Errors are those of Read and of w.
func (b *Body) WriteTo(w io.Writer) (int64, error) {
	if b.stream != nil {
		return b.stream.WriteTo(w)
	}
	n, err := w.Write(b.whole)
	b.whole = b.whole[n:]
	return int64(n), err
}

// Report says which objects have come so far and which are missing.
func (t *Subscribed) Report() Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.account.total()
	if t.sub != nil {
		r.Dropped = t.sub.Dropped()
	}
	return r
}

// Close ends the reading: it cancels the subscription and unfinished fetches. Next then returns an error. A second call
// does nothing.
func (t *Subscribed) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end(errTrackClosed)
}

// end ends the reading for a cause; the first one wins. The caller holds mu.
func (t *Subscribed) end(cause error) {
	if t.err != nil {
		return
	}
	t.err = cause
	t.closed.Store(true)
	t.cancel()
	for !t.line.empty() {
		t.release(t.line.pop())
	}
	t.stopSources()
	stream.Signal(t.news)
	fetches := t.fetches
	t.s.Go(func() { // a message may have to wait
		if t.sub != nil {
			t.sub.Unsubscribe()
		}
		for _, f := range fetches {
			f.Cancel()
		}
	})
}

// stopSources stops every stream. The caller holds mu.
func (t *Subscribed) stopSources() {
	for s := range t.sources {
		s.stop(moqt.ResetCancelled)
	}
}
