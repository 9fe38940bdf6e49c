package reference

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// fetch serves a FETCH from the cache, and from a publisher what the cache lacks.
func (p *peer) fetch(req *moqt.Request) error {
	r, ctx := p.relay, req.Context()
	if err := p.subscribes(); err != nil {
		return err
	}
	defer p.unsubscribed()
	r.counters.Fetches.Add(1)
	defer r.counters.Fetches.Add(-1)
	asked, err := req.FetchRange()
	if err != nil {
		return refuse(moqt.RejectInvalidRange, "%v", err)
	}
	f := &retrieval{peer: p, descending: asked.Descending, filters: moqt.RangeFiltersOf(req.Parameters()), ctx: ctx,
		budget: r.limits.Fetch, flow: &flow{}}
	f.priority.Store(uint32(req.Parameters().UintOr(wire.ParamSubscriberPriority, defaultPriority)))
	if v, ok := req.Parameters().Uint(wire.ParamFillTimeout); ok && !r.faults[fillTimeoutIgnored] {
		f.budget = oneOf(r.limits.Fetch, v)
	}
	if asked.Joining != nil {
		if r.faults[joinSilent] {
			<-ctx.Done()
			return nil
		}
		s := p.joinable(ctx, req)
		if err := f.join(s, asked.Joining); err != nil {
			return err
		}
		f.track = s.track
	} else {
		f.track = r.acquire(asked.TrackNamespace, asked.TrackName)
		defer r.release(f.track)
		if err := f.bound(asked.Range); err != nil {
			return err
		}
	}
	if r.faults[fetchEverything] {
		f.start, f.end = wire.Location{}, f.track.newest()
	}
	defer f.begin()()
	return f.answer(req)
}

// retrieval is the answer to one FETCH or fill while it is made.
type retrieval struct {
	peer       *peer
	track      *track
	ctx        context.Context
	start, end wire.Location // inclusive
	descending bool
	filters    moqt.RangeFilters
	joining    bool
	flow       *flow
	priority   atomic.Uint32 // the subscriber's
	// budget is how long publishers may take in all for what is missing.
	budget time.Duration
	// alone: there is no publisher left to ask; timedOut says that the time was the reason.
	alone, timedOut bool
	// asked is an upstream fetch that was begun to learn about the range.
	asked *missing
	w     *moqt.FetchWriter
	count int // objects written
	last  *entry
}

// missing is an upstream fetch for a part of the track.
type missing struct {
	fetch       *moqt.Fetch
	publisher   *peer
	reader      *moqt.FetchReader                // of its stream, once that has come
	accepted    atomic.Pointer[moqt.FetchReader] // the same, for who cancels the fetch
	first, last wire.Location
}

// newest is the largest location of the track.
func (t *track) newest() wire.Location {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.largest
}

// join works out the range of a joining FETCH (draft-18 §10.12.2).
func (f *retrieval) join(s *subscriber, j *moqt.Joining) error {
	if s == nil {
		return refuse(moqt.RejectInvalidJoiningRequestID, "there is no subscription with request id %d", j.RequestID)
	}
	t := s.track
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !s.forward && !t.relay.faults[joinPausedAccepted]:
		return refuse(moqt.RejectInvalidRange, "the subscription has Forward State 0")
	case !s.hasJoining:
		return refuse(moqt.RejectInvalidRange, "nothing had been published when the subscription began")
	}
	f.joining = true
	f.end = s.joining
	f.start = wire.Location{Group: j.Start}
	if j.Relative {
		f.start.Group = s.joining.Group - min(j.Start, s.joining.Group)
	}
	if f.start.Compare(f.end) > 0 {
		return refuse(moqt.RejectInvalidRange, "the range starts at %s, behind %s", f.start, f.end)
	}
	return nil
}

// bound works out the range of a standalone FETCH. If a subscription follows the track, the range ends with the track's
// largest object.
func (f *retrieval) bound(filter wire.LocationFilter) error {
	t := f.track
	t.mu.Lock()
	defer t.mu.Unlock()
	var open bool
	f.start, f.end, open = filter.Bounds(t.largest, t.hasLargest)
	if open {
		f.end = lastOf(math.MaxUint64)
	}
	if f.peer.session.Draft() <= wire.Draft19 && f.end.Compare(f.start) < 0 { // draft-18 §10.12.3
		return refuse(moqt.RejectInvalidRange, "the range starts at %s, behind its end %s", f.start, f.end)
	}
	if !t.live && !t.ended {
		return nil // a publisher knows
	}
	if !t.hasLargest {
		return refuse(moqt.RejectInvalidRange, "nothing has been published")
	}
	if f.start.Compare(t.largest) > 0 {
		return refuse(moqt.RejectInvalidRange, "the range starts at %s, behind the largest object %s", f.start,
			t.largest)
	}
	f.end = least(f.end, t.largest)
	return nil
}

// answer answers a FETCH.
func (f *retrieval) answer(req *moqt.Request) error {
	ctx, t, r, d := f.ctx, f.track, f.peer.relay, f.peer.session.Draft()
	if err := f.prepare(); err != nil {
		return err
	}
	defer f.giveUp()
	ok := &wire.FetchOK{End: f.end}
	t.mu.Lock()
	if last, known := t.lastIn(f.end.Group); known && f.end.Object > last && d >= wire.Draft20 {
		ok.End.Object = last // draft-20 §10.14
	}
	if t.ended && t.hasLargest && f.end.Compare(t.largest) >= 0 {
		ok.EndOfTrack = 1
	}
	var ps wire.Parameters
	t.say(d, &ps, &ok.Properties)
	ps.Delete(wire.ParamLargestObject)
	if d <= wire.Draft15 {
		ok.Parameters = fetchParameters(ps)
	}
	t.mu.Unlock()
	if req.Parameters().UintOr(wire.ParamIncludeProperties, 1) == 0 && !r.faults[propertiesAlways] {
		ok.Properties = nil
	}
	if r.faults[fetchWrongEnd] {
		ok.End.Group++
	}
	if r.faults[fetchNoStream] {
		if d <= wire.Draft19 { // on the wire it is the last object plus one, 0 for the whole group (draft-18 §10.13)
			ok.End.Object++
		}
		if err := req.AcceptFetchOnly(ctx, ok); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
	w, err := f.accept(req, ok)
	if err != nil {
		return err
	}
	var updates sync.WaitGroup
	defer updates.Wait() // they end with the request
	updates.Go(func() {
		f.peer.heedUpdates(req, func(ps wire.Parameters) (func(), error) {
			f.priority.Store(uint32(ps.UintOr(wire.ParamSubscriberPriority, uint64(f.priority.Load()))))
			return nil, nil
		})
	})
	f.quirkyFetch()
	f.write(w)
	return nil
}

// fetchParameters are those parameters of a track that 14 and 15 allow in FETCH_OK.
func fetchParameters(ps wire.Parameters) (out wire.Parameters) {
	if v, ok := ps.Uint(wire.ParamRendezvousTimeout); ok {
		out.SetUint(wire.ParamRendezvousTimeout, v)
	}
	return out
}

// fill answers a FILL_PARAMETERS of s (20 and later) on a stream of its own, while the subscription goes on. The fill
// ends at the largest object that the answer to the request named, if it named one.
func (s *subscriber) fill(id uint64, ps wire.Parameters, largest wire.Location, has bool) {
	t, r := s.track, s.track.relay
	f := &retrieval{peer: s.peer, track: t, ctx: s.ctx, joining: true, budget: r.limits.Fetch, flow: &s.flow}
	f.priority.Store(uint32(ps.UintOr(wire.ParamSubscriberPriority, uint64(s.priority.Load()))))
	if v, ok := ps.Uint(wire.ParamFillTimeout); ok {
		f.budget = oneOf(r.limits.Fetch, v)
	}
	t.mu.Lock()
	f.descending = ps.UintOr(wire.ParamGroupOrder, s.order) == wire.Descending // the session reads it alike
	filter, given := ps.Filter()
	if !given {
		filter = s.filter
	}
	if f.filters = moqt.RangeFiltersOf(ps); f.filters.Empty() {
		f.filters = s.ranges
	}
	var open bool
	f.start, f.end, open = filter.Bounds(largest, has)
	if open {
		f.end = largest
	}
	f.end = least(f.end, largest)
	paused := !s.forward && !r.faults[fillWhilePaused]
	empty := paused || !has || filter.Form == wire.FilterNextObject || f.start.Compare(f.end) > 0 ||
		r.faults[joinSilent]
	if !empty {
		s.open++
	}
	t.mu.Unlock()
	if empty {
		return
	}
	s.done.Go(func() {
		defer s.closed()
		defer f.begin()()
		err := f.prepare()
		defer f.giveUp()
		w, openErr := f.openFill(id)
		switch {
		case openErr != nil:
			r.log.Debug("fill stream not opened", "track", t.name, "session", s.peer.id, "error", openErr)
		case err != nil && r.faults[fillFailureHidden]:
			_ = w.Close()
		case err != nil || r.faults[fetchError]: // draft-20 §5.1.3: the stream says that the fill failed
			w.Flush()
			w.Reset(moqt.ResetInternalError.Number(s.draft))
		default:
			f.write(w)
		}
	})
}

// prepare finds out whether the range can be answered, and where it ends. The error is a *refusal.
func (f *retrieval) prepare() error {
	t := f.track
	t.mu.Lock()
	var lost []*place
	if t.maxAge > 0 && !t.relay.faults[cacheDurationIgnored] {
		lost = t.expire(time.Now(), t.maxAge)
	}
	from, to, gap := t.lastGap(f.start, f.end)
	followed := t.live || t.ended
	t.mu.Unlock()
	for _, f := range lost {
		f.to.abort(moqt.ResetDeliveryTimeout)
	}
	if !gap || followed && t.relay.faults[fetchGapSkipped] {
		return nil
	}
	if !followed {
		from, to = f.start, f.end // also to learn where the track ends
	} else if f.descending {
		if from.Group != to.Group {
			from = wire.Location{Group: to.Group}
		}
	}
	m, err := f.ask(from, to)
	if err == nil {
		f.asked = m
		if end, ok := m.fetch.End(); ok && !followed {
			f.end = least(f.end, end)
		}
		return nil
	}
	if no := asRefusal(err); no.code == moqt.RejectUnsupportedExtension {
		return no
	}
	f.alone = !errors.Is(err, errNoObjects)
	f.timedOut = errors.Is(err, context.DeadlineExceeded)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.hasLargest {
		return asRefusal(err)
	}
	f.end = least(f.end, t.largest)
	if d := f.peer.session.Draft(); f.alone && d <= wire.Draft15 && !t.covers(from) {
		return asRefusal(err) // has no way to name what is unknown
	}
	if f.start.Compare(f.end) > 0 || f.alone && !t.holds(f.start, f.end) && !t.covers(f.start) {
		return asRefusal(err)
	}
	return nil // what is there is better than nothing
}

// holds reports whether the log has an object of a range.
func (l *trackLog) holds(start, end wire.Location) bool {
	for pos := start; pos.Compare(end) <= 0; {
		objects, last, known := l.read(pos, end, 1)
		switch {
		case len(objects) > 0:
			return true
		case !known:
			last = l.nextKnown(pos, end)
		}
		next := after(last)
		if next == last {
			break
		}
		pos = next
	}
	return false
}

// errNoObjects is 14's NO_OBJECTS: the range is valid and empty.
var errNoObjects = errors.New("no objects in the range")

// ask asks publishers one after the other for a part of the track.
func (f *retrieval) ask(first, last wire.Location) (*missing, error) {
	t, r := f.track, f.peer.relay
	if f.budget <= 0 {
		return nil, context.DeadlineExceeded
	}
	began := time.Now()
	defer func() { f.budget -= time.Since(began) }()
	ctx, cancel := context.WithTimeout(f.ctx, f.budget)
	defer cancel()
	failed := error(r.nobody())
	sources := t.sources()
	if r.faults[fetchCacheOnly] {
		sources = nil
	}
	for i, p := range sources {
		request := moqt.FetchRequest{TrackNamespace: t.namespace, TrackName: t.name,
			Range: rangeOf(p.session.Draft(), first, last)}
		if f.descending {
			request.Parameters.SetUint(wire.ParamGroupOrder, wire.Descending)
		}
		r.counters.UpstreamFetches.Add(1)
		fetch, err := p.session.Fetch(ctx, request)
		if err == nil {
			if name, bad := r.unknownMandatory(p.session.Draft(), fetch.OK().Properties); bad { // draft-18 §2.5.1
				fetch.Cancel()
				return nil, refuse(moqt.RejectUnsupportedExtension, "the track has the mandatory property 0x%x", name)
			}
			publishers := r.publishers(t.namespace)
			t.mu.Lock()
			if len(t.upstreams) == 0 {
				t.reigns(p, publishers, trackInfo{})
			}
			t.mu.Unlock()
			return &missing{fetch: fetch, publisher: p, first: first, last: last}, nil
		}
		r.log.Debug("publisher did not accept FETCH", "track", t.name, "session", p.id, "error", err)
		if refused := asRefusal(err); refused.code == moqt.RejectNoObjects {
			return nil, errNoObjects
		}
		if ctx.Err() != nil {
			err = context.DeadlineExceeded
		}
		if i == 0 || ctx.Err() != nil {
			failed = err
		}
	}
	return nil, failed
}

// rangeOf is a range as a filter. Integers end at 2^62-1 up to 16.
func rangeOf(d wire.Draft, first, last wire.Location) wire.LocationFilter {
	limit := d.MaxVarint()
	f := wire.LocationFilter{Form: wire.FilterRange, StartGroup: first.Group, StartObject: first.Object,
		EndGroup: min(last.Group, limit-1), EndObject: last.Object}
	if last.Object >= limit-1 {
		f.Form, f.EndObject = wire.FilterGroupEnd, 0
	}
	return f
}

// sources gives the sessions to ask for what the cache lacks: first those with established subscriptions, then those
// that publish the namespace.
func (t *track) sources() []*peer {
	var peers []*peer
	seen := make(map[*peer]bool)
	add := func(p *peer) {
		if !seen[p] {
			seen[p] = true
			peers = append(peers, p)
		}
	}
	t.mu.Lock()
	for _, u := range t.upstreams {
		add(u.peer)
	}
	t.mu.Unlock()
	for _, p := range t.relay.publishers(t.namespace) {
		add(p)
	}
	return peers
}

// giveUp ends an upstream fetch that was not read to its end.
func (f *retrieval) giveUp() {
	if f.asked != nil {
		f.cancel(f.asked)
		f.asked = nil
	}
}
