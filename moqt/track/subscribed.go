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

// ReadOptions shape the reading of a Subscribed. The zero value hands out whole objects in the order in which they
// arrive.
type ReadOptions struct {
	// InOrder hands objects out by ascending location, whatever streams and datagrams they come on. An object waits for
	// those before it that may still come: until their group is known to have nothing more (its end was told, or its
	// streams, and all that were opened before, have ended and left no hole), and at most for Patience (0: 250 ms).
	// What comes after its place has been passed is counted as late, and not handed out.
	InOrder  bool
	Patience time.Duration
	// Gap, if set, is told by Next, in order only, that nothing has come between one location and the other, which is
	// handed out now.
	Gap func(from, to wire.Location)
	// StreamAbove, if not 0, is the length in bytes above which a payload that has not come as a whole is not waited
	// for: Next gives the object with an empty Payload, and Body reads it as it comes. Such an object may be of any
	// length.
	StreamAbove uint64
	// Groups is how many groups are remembered, to tell objects that come again, and gaps; 0 is 1024.
	Groups int
}

// Request says which track is wanted, and which part of it.
type Request struct {
	TrackNamespace wire.TrackNamespace
	TrackName      string
	// Filter is the location filter of the subscription; none passes everything from now on. Parameters are further
	// ones, range filters among them.
	Filter     wire.LocationFilter
	Parameters wire.Parameters
	// Past, if set, asks for what was published before too; Filter does not count then. Its names and Parameters may be
	// left out.
	Past *JoinRequest
	// Read says how the objects are handed out.
	Read ReadOptions
}

// Subscribed is a track as one who receives it sees it: the objects of a subscription, of fetches, or of both
// together, each once, on whatever streams and datagrams they come. Next is called by one goroutine at a time; the
// other methods are safe for concurrent use.
//
// What is not taken is held up to Limits.QueuedBytes; then streams are not read further, and the peer's flow control
// stops it.
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
	loops     int     // goroutines that bring streams
	past      int     // fetches that are not at their end
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
		opts.Patience = 250 * time.Millisecond
	}
	if opts.Groups == 0 {
		opts.Groups = 1024
	}
	t := &Subscribed{s: s, sub: sub, opts: opts, news: make(chan struct{}, 1), idle: make(chan *source),
		sources: make(map[*source]struct{})}
	t.ctx, t.cancel = context.WithCancel(s.Context())
	t.datagrams = t.newSource()
	t.line.inOrder = opts.InOrder
	t.account = account{draft: s.Draft(), maxGroups: opts.Groups, groups: make(map[uint64]*groupAccount)}
	return t
}

// begin sets where the track starts.
func (t *Subscribed) begin(at wire.Location) { t.due, t.account.first = at, at }

// Open subscribes to a track, and with Request.Past joins it, and waits for the answer. The error is that of
// Session.Subscribe or Join.
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

// Read reads the objects of a subscription, made by SUBSCRIBE or by a PUBLISH of the peer's, that is established
// and that nobody else reads. A fill that it has asked for is read too.
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

// ReadJoined reads what a JoinRequest has brought: the past and what is live as one track, each object once.
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

// AddFetch reads the objects of one more fetch, or fill, of the same track, that nobody else reads: to fill gaps, for
// instance. What came already is not handed out again.
func (t *Subscribed) AddFetch(f *moqt.Fetch) { t.add(t.newSource(), f) }

// add expects the stream of a fetch, which s is for.
func (t *Subscribed) add(s *source, f *moqt.Fetch) {
	s.fetch = f
	s.filtered = !moqt.RangeFiltersOf(f.AskedParameters()).Empty()
	t.mu.Lock()
	t.loops++
	t.past++
	t.fetches = append(t.fetches, f)
	t.mu.Unlock()
	if !t.s.Go(func() { t.acceptFetch(s) }) {
		t.Close()
	}
}

// Subscription is the subscription, nil where the track consists of fetches.
func (t *Subscribed) Subscription() *moqt.Subscription { return t.sub }

// Next waits for the next object. It is valid until the next call of Next; Clone keeps it. End of Group and End of
// Track come as objects with that status.
//
// io.EOF says that everything has come: PUBLISH_DONE and all that it promises, and the end of every fetch. Errors that
// end nothing, after which Next goes on: *ObjectTooLargeError for one object; a *RequestError or *transport.StreamError
// of a fetch beside a subscription, a part of whose objects will not come; the context's cause. Final ones: those of
// Subscription.Next, *MalformedError, and what says that Close was called.
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

// Body reads the payload of the object that Next returned last. It is valid until the next call of Next, which passes
// over what is left.
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

// Body is a payload as a stream. Reads wait for what has not come; Subscribed.Close ends the wait.
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

// WriteTo implements io.WriterTo, without a buffer of its own.
func (b *Body) WriteTo(w io.Writer) (int64, error) {
	if b.stream != nil {
		return b.stream.WriteTo(w)
	}
	n, err := w.Write(b.whole)
	b.whole = b.whole[n:]
	return int64(n), err
}

// Report says what has come so far and what is missing.
func (t *Subscribed) Report() Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.account.total()
	if t.sub != nil {
		r.Dropped = t.sub.Dropped()
	}
	return r
}

// Close ends the reading: the subscription is cancelled, and fetches that are not at their end. Next returns an error
// from then on. It does nothing the second time.
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
