package track

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// trackParameters are what 14 and 15 say of a track in parameters and later drafts in properties, and in which answers
// to FETCH (draft-15 §9.2.1).
var trackParameters = []struct {
	parameter wire.ParameterType
	property  uint64
	first     wire.Draft
	inFetchOK bool
}{
	{wire.ParamObjectDeliveryTimeout, wire.PropObjectDeliveryTimeout, wire.Draft14, false},
	// MAX_CACHE_DURATION has its code up to 15
	{wire.ParamRendezvousTimeout, wire.PropMaxCacheDuration, wire.Draft14, true},
	{wire.ParamPublisherPriority, wire.PropDefaultPublisherPriority, wire.Draft15, false},
	{wire.ParamGroupOrder, wire.PropDefaultGroupOrder, wire.Draft14, false},
	{wire.ParamDynamicGroups, wire.PropDynamicGroups, wire.Draft15, false},
}

// describe puts the track's properties into a message where its draft has them. in is the message's kind, asked the
// request's parameters.
func (t *Published) describe(d wire.Draft, in wire.Kind, asked wire.Parameters, ps *wire.Parameters,
	props *wire.Properties) {
	if d >= wire.Draft16 {
		if asked.UintOr(wire.ParamIncludeProperties, 1) == 0 || in == wire.KindRequestOK && d < wire.Draft18 {
			return
		}
		if out, err := t.opts.Properties.Transcode(wire.Newest, d); err == nil {
			*props = slices.DeleteFunc(slices.Clone(out), func(p wire.Property) bool {
				// 16 forbids it, later it means none
				return d == wire.Draft16 && p.Type == wire.PropObjectDeliveryTimeout && p.Uint == 0
			})
		}
		return
	}
	for _, p := range trackParameters {
		v, ok := t.opts.Properties.Lookup(wire.Newest, p.property)
		if ok && d >= p.first && (p.inFetchOK || in != wire.KindFetchOK) &&
			!(in == wire.KindRequestOK && p.parameter == wire.ParamPublisherPriority) {
			ps.SetUint(p.parameter, v.Uint)
		}
	}
}

// timeouts are the track's delivery timeouts in a draft.
func (t *Published) timeouts(d wire.Draft) (object, subgroup time.Duration) {
	if p, ok := t.opts.Properties.Lookup(wire.Newest, wire.PropObjectDeliveryTimeout); ok {
		object = milliseconds(p.Uint)
	}
	if p, ok := t.opts.Properties.Lookup(wire.Newest, wire.PropSubgroupDeliveryTimeout); ok && d >= wire.Draft18 {
		subgroup = milliseconds(p.Uint)
	}
	return object, subgroup
}

func (t *Published) serveStatus(ctx context.Context, r *moqt.Request) error {
	ok := &wire.RequestOK{}
	t.describe(r.Session().Draft(), wire.KindRequestOK, r.AskedParameters(), &ok.Parameters, &ok.Properties)
	if l, has := t.Largest(); has {
		ok.Parameters.SetLargest(l)
	}
	return r.Accept(ctx, ok)
}

// serveFetch answers FETCH from what is kept.
func (t *Published) serveFetch(ctx context.Context, r *moqt.Request) error {
	q, err := r.FetchRange()
	if err != nil {
		return err
	}
	d := r.Session().Draft()
	filter := q.Range
	if j := q.Joining; j != nil {
		var valid bool
		if filter, valid, err = t.joined(ctx, j); err != nil {
			return r.Reject(r.Session().Context(), moqt.RejectInvalidJoiningRequestID, err.Error())
		}
		if !valid {
			return r.Reject(ctx, moqt.RejectInvalidRange, "the subscription has no Largest Object to join at, or its "+
				"Forward State is 0")
		}
	}
	t.mu.Lock()
	start, end, valid := t.rangeOf(filter)
	pieces, whole := t.kept.cut(start, end, q.Descending)
	ended := uint8(0)
	if t.ended && end == t.largest {
		ended = 1
	}
	t.mu.Unlock()
	switch {
	case !valid:
		return r.Reject(ctx, moqt.RejectInvalidRange, "nothing has been published in the range")
	case t.opts.KeepGroups == 0:
		return r.Reject(ctx, moqt.RejectNotSupported, errNotKept.Error())
	case !whole && d <= wire.Draft15:
		return r.Reject(ctx, moqt.RejectUnknownStatusInRange, "a part of the range is not kept any more")
	case len(pieces) == 0 && d == wire.Draft14: // draft-14 §9.16.3; later an empty stream says it
		return r.Reject(ctx, moqt.RejectNoObjects, "no objects between "+start.String()+" and "+end.String())
	}
	ok := &wire.FetchOK{End: end, EndOfTrack: ended}
	t.describe(d, wire.KindFetchOK, r.AskedParameters(), &ok.Parameters, &ok.Properties)
	w, err := r.AcceptFetch(ctx, ok)
	if err != nil {
		return err
	}
	return t.send(w, pieces, moqt.RangeFiltersOf(r.AskedParameters()))
}

// joined is the range of a joining FETCH: up to the Largest Object when its subscription began, or was resumed
// (draft-19 §10.12.2.1). It waits for a subscription that is not served yet. The error says that there is none.
func (t *Published) joined(ctx context.Context, j *moqt.Joining) (f wire.LocationFilter, valid bool, err error) {
	for {
		t.mu.Lock()
		changed := t.changed
		for _, s := range t.subs {
			if s.request != j.Target {
				continue
			}
			v := s.delivery.Load()
			t.mu.Unlock()
			start := j.Start
			if j.Relative {
				start = v.joining.Group - min(j.Start, v.joining.Group)
			}
			f = wire.LocationFilter{Form: wire.FilterRange, StartGroup: start, EndGroup: v.joining.Group,
				EndObject: v.joining.Object}
			return f, v.hasJoining && v.forward && start <= f.EndGroup, nil
		}
		t.mu.Unlock()
		select {
		case <-changed:
		case <-j.Target.Context().Done():
			return f, false, errors.New("the subscription has ended")
		case <-ctx.Done():
			return f, false, context.Cause(ctx)
		}
	}
}

// rangeOf resolves a range against what has been published; its end is at most the Largest Object, and one that means a
// whole group is the group's last object that is known. The caller holds mu.
func (t *Published) rangeOf(f wire.LocationFilter) (start, end wire.Location, valid bool) {
	start, end, open := f.Bounds(t.largest, t.hasLargest)
	if open || end.Compare(t.largest) > 0 {
		end = t.largest
	}
	if !t.hasLargest || start.Compare(t.largest) > 0 || end.Compare(start) < 0 {
		return start, end, false
	}
	// draft-22 §9.12: there is no "whole group"
	if g := t.kept.groups[end.Group]; g != nil && end.Object == 1<<64-1 && len(g.objects) > 0 {
		end.Object = g.objects[len(g.objects)-1].ObjectID
	}
	return start, end, true
}

// send writes pieces to a fetch stream. From 16 on it has no status: objects that have one are left out.
func (t *Published) send(w *moqt.FetchWriter, pieces []piece, ranges moqt.RangeFilters) error {
	w.SetAutoFlush(false)
	for _, p := range pieces {
		var err error
		switch o := p.object; {
		case o == nil:
			err = w.WriteRange(wire.UnknownRange,
				wire.Location{Group: p.unknown.Group, Object: min(p.unknown.Object, w.Draft().MaxVarint())})
		case o.Status != wire.StatusNormal && w.Draft() >= wire.Draft16:
		case ranges.Pass(w.Draft(), o, o.SubgroupID, o.Priority):
			err = w.WriteObject(o)
		}
		if err != nil {
			w.Reset(moqt.ResetInternalError.Number(w.Draft()))
			return err
		}
	}
	return w.Close()
}

// fill answers FILL_PARAMETERS in the background: with no stream where there is nothing to fill, or while the
// subscription is paused (draft-20 §5.1.3, draft-22 §3.4).
func (s *subscriber) fill(requestID uint64, inner wire.Parameters, largest wire.Location, has bool) {
	t, v := s.t, s.delivery.Load()
	filter, own := inner.Filter()
	if !own {
		filter = v.filter
	}
	start, end, open := filter.Bounds(largest, has)
	if open || end.Compare(largest) > 0 {
		end = largest
	}
	if !has || !v.forward || start.Compare(largest) > 0 || end.Compare(start) < 0 {
		return
	}
	order := inner.UintOr(wire.ParamGroupOrder, s.pub.Parameters().UintOr(wire.ParamGroupOrder, wire.Ascending))
	t.mu.Lock()
	pieces, _ := t.kept.cut(start, end, order == wire.Descending)
	t.mu.Unlock()
	if t.opts.KeepGroups == 0 {
		pieces = []piece{{unknown: end}}
	}
	ranges := moqt.RangeFiltersOf(inner)
	if ranges.Empty() {
		ranges = v.ranges
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return
	}
	written := make(chan struct{})
	if s.pub.Session().Go(func() {
		defer close(written)
		if w, err := s.pub.Session().OpenFill(s.pub.Context(), requestID); err == nil {
			_ = t.send(w, pieces, ranges)
		}
	}) {
		s.fills = append(slices.DeleteFunc(s.fills, over), written)
	}
}

// over reports whether a channel is closed.
func over(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
