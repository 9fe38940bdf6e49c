package track

import (
	"context"
	"errors"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/spans"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// writeDatagram sends an object as a datagram to every subscriber that wants it. One that is too large for a path is an
// error, and the others have got it.
func (t *Published) writeDatagram(ctx context.Context, o *moqt.Object) error {
	came := time.Now()
	if err := t.beginGroup(ctx, o.GroupID); err != nil {
		return err
	}
	t.datagrams.Lock()
	defer t.datagrams.Unlock()
	d := &t.datagram
	props, payload := d.Properties, d.Payload
	*d = *o
	d.Datagram, d.SubgroupID = true, 0
	d.DefaultPriority, d.Priority = true, t.priority
	if f := t.opts.Priority; f != nil {
		d.DefaultPriority, d.Priority = false, f(o)
	}
	defer func() { *d = moqt.Object{Properties: props, Payload: payload} }() // the caller's memory is not held
	number, subs, err := t.note(o.Location(), d, nil, 0, d.Priority)
	if err != nil {
		return err
	}
	var errs error
	for _, s := range subs {
		v := s.delivery.Load()
		if !v.forward || number <= v.since || !v.covers(o.Location()) || !v.ranges.Pass(s.draft, d, 0, d.Priority) {
			continue
		}
		if err := s.await(ctx); err != nil {
			return err
		}
		if s.pub == nil {
			continue
		}
		object, subgroup := t.timeouts(s.draft) // for datagrams they are the same (draft-19 §8)
		if timeout := sooner(sooner(object, subgroup), sooner(v.timeout, v.lifetime)); timeout > 0 &&
			time.Since(came) > timeout {
			s.pub.Skip(o.Location(), errors.New("the datagram's delivery timeout has passed"))
			continue
		}
		err := s.pub.SendDatagram(d)
		var large *transport.DatagramTooLargeError
		if unencodableError(err) || errors.As(err, &large) {
			errs = errors.Join(errs, err)
		}
	}
	return errs
}

// writeGroupEnd writes End of Group behind the largest object of a group: as a datagram in that layout, else into the
// subgroup that its ID belongs to, or one of those that are open.
func (t *Published) writeGroupEnd(ctx context.Context, group uint64, g *publishedGroup) error {
	if !g.written || g.largest == 1<<64-1 {
		return nil
	}
	end := &moqt.Object{GroupID: group, ObjectID: g.largest + 1, Status: wire.StatusEndOfGroup}
	if t.opts.Layout.Mode == LayoutDatagram {
		return t.writeDatagram(ctx, end)
	}
	sub, err := t.subgroupForEnd(ctx, g, end)
	if err != nil {
		return err
	}
	err = sub.WriteObject(ctx, end)
	if t.opts.Layout.Mode == LayoutObject {
		sub.Close()
	}
	return err
}

// subgroupForEnd gives the subgroup for the end of a group: the one that the layout has for it, else any that is open,
// else a new one.
func (t *Published) subgroupForEnd(ctx context.Context, g *publishedGroup, end *moqt.Object) (*Subgroup,
	error) {
	if mode := t.opts.Layout.Mode; mode == LayoutObject || mode == LayoutSpread {
		if sub, err := t.subgroupOf(ctx, end); err == nil {
			return sub, nil
		}
	}
	if len(g.open) > 0 {
		return g.open[0], nil
	}
	var unused uint64
	g.closed.Missing(0, 1<<64-1, func(r spans.Run) bool { unused = r.First; return false })
	return t.OpenSubgroup(end.GroupID, unused)
}
