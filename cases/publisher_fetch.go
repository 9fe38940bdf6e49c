package cases

import (
	"context"
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// status answers TRACK_STATUS.
func (p *Publisher) status(ctx context.Context, r *moqt.Request) {
	p.mu.Lock()
	p.count(r)
	sub := &subscription{}
	sub.largest, sub.has = p.largest()
	p.mu.Unlock()
	ok := &wire.RequestOK{Parameters: p.largestParameter(sub)}
	if p.Session.Draft() >= wire.Draft18 {
		ok.Properties = p.Properties
	}
	if err := r.Accept(ctx, ok); err != nil {
		p.Session.e.Note("%s: TRACK_STATUS of the relay not answered: %v", p.Session.Role, err)
	}
}

// fetched answers a FETCH with what was published. The stream of objects may outlive the request, which is over once
// FETCH_OK is sent.
func (p *Publisher) fetched(r *moqt.Request, asked moqt.FetchAsked) {
	ctx := r.Session().Context()
	// A joining FETCH that overtook its subscription waits for it (draft-17 §9.14.2).
	if j := asked.Joining; j != nil {
		p.wait(j.Target.Context(), func() bool { return p.begun[j.RequestID] != nil })
	}
	p.mu.Lock()
	p.count(r)
	filter := asked.Range
	if j := asked.Joining; j != nil {
		filter = p.joined(j)
	}
	start, end, l, ok := p.cut(filter)
	refusing, mine := p.refusing, &relayFetch{r: r}
	p.fetches = append(p.fetches, mine)
	p.mu.Unlock()
	if refusing {
		p.answered(r, r.Reject(ctx, moqt.RejectInternalError, "the test case refuses it"))
		return
	}
	if !ok {
		p.answered(r, r.Reject(ctx, moqt.RejectInvalidRange, "nothing published in this range"))
		return
	}
	if len(l) == 0 && p.Session.Draft() == wire.Draft14 { // draft-14 §9.16.3; later an empty stream says it
		p.answered(r, r.Reject(ctx, moqt.RejectNoObjects, "no objects between "+start.String()+" and "+end.String()))
		return
	}
	w, err := r.AcceptFetch(ctx, &wire.FetchOK{End: end, Parameters: p.oldParameters(), Properties: p.Properties})
	if err == nil {
		err = p.write(ctx, w, l, asked.Descending)
	}
	p.mu.Lock()
	mine.over, mine.err = true, err
	p.changed.fire()
	p.mu.Unlock()
	p.answered(r, err)
}

// relayFetch is a FETCH of the relay. over says that its stream is, and err how it ended where that was not our doing.
type relayFetch struct {
	r    *moqt.Request
	over bool
	err  error
}

// release lets fetch streams go on that were held.
func (p *Publisher) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holding = false
	p.changed.fire()
}

// answered notes a FETCH of the relay that was not answered in full.
func (p *Publisher) answered(r *moqt.Request, err error) {
	if err != nil && r.Session().Context().Err() == nil {
		p.Session.e.Note("%s: FETCH of the relay not answered to its end: %v", p.Session.Role, err)
	}
}

// joined is the range of a joining FETCH: from a group up to the Largest Object when the subscription that it joins
// began (draft-18 §10.12.2.1). The caller holds mu.
func (p *Publisher) joined(j *moqt.Joining) wire.LocationFilter {
	if sub := p.begun[j.RequestID]; sub != nil && sub.has {
		start := j.Start
		if j.Relative {
			start = sub.largest.Group - min(j.Start, sub.largest.Group)
		}
		return wire.LocationFilter{Form: wire.FilterRange, StartGroup: start, EndGroup: sub.largest.Group,
			EndObject: sub.largest.Object}
	}
	return wire.LocationFilter{Form: wire.FilterNextObject} // nothing was published: no range is valid
}

// cut finds the objects in a range, and the End Location of the answer; ok is false for an invalid range. The caller
// holds mu.
func (p *Publisher) cut(f wire.LocationFilter) (start, end wire.Location, l Layout, ok bool) {
	largest, has := p.largest()
	start, end, open := f.Bounds(largest, has)
	if open || end.Compare(largest) > 0 {
		end = largest
	}
	if !has || start.Compare(largest) > 0 || end.Compare(start) < 0 {
		return start, end, nil, false
	}
	l = p.log.Within(start, end)
	// draft-22 §9.12: End names the last object; it has no form for a whole group
	if p.Session.Draft() >= wire.Draft20 && end.Object == 1<<64-1 && len(l) > 0 {
		last := l[0].Location()
		for _, x := range l {
			if at := x.Location(); at.Compare(last) > 0 {
				last = at
			}
		}
		end = last
	}
	return start, end, l, true
}

// write sends objects on a fetch stream: groups in the order asked for, objects ascending in each (draft-18 §10.12.3).
func (p *Publisher) write(ctx context.Context, w *moqt.FetchWriter, l Layout, descending bool) error {
	stop := context.AfterFunc(ctx, func() { w.Reset(moqt.ResetCancelled.Number(w.Draft())) })
	defer stop()
	l = slices.Clone(l)
	slices.SortFunc(l, func(a, b Item) int {
		x, y := a.Location(), b.Location()
		if descending && x.Group != y.Group {
			x, y = y, x
		}
		return x.Compare(y)
	})
	for i := range l {
		if l[i].Status != wire.StatusNormal && w.Draft() >= wire.Draft16 {
			continue // a fetch stream has no status: a gap says the same
		}
		o, err := l[i].asObject(w.Draft())
		if err == nil {
			err = w.WriteObject(o)
		}
		if err != nil {
			return err
		}
		p.mu.Lock()
		failing, holding := p.failing, p.holding
		p.mu.Unlock()
		if holding {
			_ = p.wait(ctx, func() bool { return !p.holding })
		}
		if failing {
			p.Session.e.Sleep(ctx, overtaken) // the object is through
			w.Reset(moqt.ResetInternalError.Number(w.Draft()))
			return nil
		}
	}
	return w.Close()
}

// fill answers FILL_PARAMETERS of a subscription that is not paused: a stream with the objects of the range, or none
// when the range is empty or starts after the Largest Object (draft-20 §5.1.3, draft-22 §3.4).
func (p *Publisher) fill(ctx context.Context, sub *subscription, requestID uint64, inner wire.Parameters) {
	filter, ok := inner.Filter()
	p.mu.Lock()
	if !ok {
		filter = sub.filter
	}
	_, _, l, ok := p.cut(filter)
	refusing := p.refusing
	p.mu.Unlock()
	if !ok || len(l) == 0 {
		return
	}
	order := inner.UintOr(wire.ParamGroupOrder, sub.pub.Parameters().UintOr(wire.ParamGroupOrder, wire.Ascending))
	w, err := p.Session.OpenFill(ctx, requestID)
	if err == nil && refusing {
		w.Flush()
		w.Reset(moqt.ResetInternalError.Number(w.Draft()))
		return
	}
	if err == nil {
		err = p.write(ctx, w, l, order == wire.Descending)
	}
	if err != nil && ctx.Err() == nil {
		p.Session.e.Note("%s: fill of request %d not sent to its end: %v", p.Session.Role, requestID, err)
	}
}
