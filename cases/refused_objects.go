package cases

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// No draft demands that an object of some size is carried. A relay that leaves one out has to say so: it resets the
// stream that lacks it (draft-18 §11.4.3), or ends the subscription. A stream that lacks objects and ends with FIN, or
// a track that ends as if nothing were missing, is a breach at any size.

// DeliverOrRefuse publishes objects, ends the track and ends the case unless the subscriber gets exactly these. When
// all that is missing was refused aloud, the case is skipped. what names the objects for people: "objects of 1 MB".
func (p *Publisher) DeliverOrRefuse(ctx context.Context, d *Delivery, what string) {
	e := p.Session.e
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, d.want, 0) })
	whole, cancel := e.Within(ctx, DeliveryLimit)
	defer cancel()
	in := d.w.Wait(whole, func() bool { return d.k.Complete() || d.ended() || d.settled() })
	p.End()
	if in && !d.k.Complete() { // it may still come on another stream, until the track has ended
		step, cancel := e.Step(ctx)
		defer cancel()
		d.w.Wait(step, func() bool { return d.k.Complete() || d.ended() })
	}
	if !d.k.Complete() {
		d.leftOut(ctx, whole, p, what)
	}
	quiet, cancel := context.WithTimeout(ctx, e.settled(LateTime))
	defer cancel()
	d.w.Wait(quiet, d.ended)
	if problem := d.k.Problem(); problem != "" {
		e.Fail(transport.LayerData, d.want.String(), problem)
	}
}

// settled reports whether every object that is missing belongs to a subgroup whose streams have come and ended, or may
// have been reset before their headers came. The caller holds the streams' lock.
func (d *Delivery) settled() bool {
	for _, x := range d.k.absent() {
		streams := d.streamsOf(&x)
		if len(streams) == 0 && (d.s.log.headlessStreams() == 0 || d.open() != nil) ||
			slices.ContainsFunc(streams, func(a *Arrived) bool { return a.End == nil }) {
			return false
		}
	}
	return true
}

// streamsOf are the streams of an object's subgroup. The caller holds the streams' lock.
func (d *Delivery) streamsOf(x *Item) (all []*Arrived) {
	for _, a := range d.w.Subgroups {
		if a.Header.GroupID == x.Group && a.Header.SubgroupID == x.Subgroup {
			all = append(all, a)
		}
	}
	return all
}

// leftOut ends the case: objects are missing. whole is the time that they had.
func (d *Delivery) leftOut(ctx, whole context.Context, p *Publisher, what string) {
	text, ok := d.refused(p)
	if ok && d.s.gaveUp() == "" && d.k.Unexpected() == "" {
		d.s.skipRefused(what+" were refused", rules.SubgroupEnd, text)
	}
	problem := d.k.Problem()
	d.w.mu.Lock()
	over := d.ended() || d.settled()
	var streams []string
	for _, x := range d.k.absent() {
		for _, a := range d.streamsOf(&x) {
			if s := a.Text(d.s.Draft()); !slices.Contains(streams, s) {
				streams = append(streams, s)
			}
		}
	}
	d.w.mu.Unlock()
	switch {
	case !over && whole.Err() != nil:
		d.s.Late(whole, d.want.String(), problem, d.k)
	case len(streams) > 0:
		problem += "; there was " + few(streams)
	}
	if end := d.endText(); end != "" {
		problem += "; " + end
	}
	d.s.e.Fail(transport.LayerData, d.want.String(), problem)
}

// refused reports whether each object that is missing was refused aloud, and how: its stream was reset, or stopped at
// the publisher, or the subscription ended for another reason than that the track has.
func (d *Delivery) refused(p *Publisher) (text string, ok bool) {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	var how []string
	add := func(text string) {
		if !slices.Contains(how, text) {
			how = append(how, text)
		}
	}
	for _, x := range d.k.absent() {
		streams := d.streamsOf(&x)
		if slices.ContainsFunc(streams, (*Arrived).Finished) {
			return "", false
		}
		said := false
		for _, a := range streams {
			if a.Reset() {
				said = true
				add(a.Text(d.s.Draft()))
			}
		}
		if stopped := p.stopped(&x); stopped != "" {
			said = true
			add(stopped)
		}
		if !said && d.refusedEnd() != "" {
			said = true
			add(d.refusedEnd())
		}
		if !said && d.s.log.headlessStreams() > 0 {
			said = true
			add(strings.TrimPrefix(d.s.log.ends(), "; "))
		}
		if !said {
			return "", false
		}
	}
	return few(how), true
}

// endText says how the subscription has ended; "" while it has not.
func (d *Delivery) endText() string {
	if done, err := d.sub.Done(known()); err == nil {
		return wire.NameOf(d.s.Draft(), done) + " with " + wire.PublishDoneCode(done.StatusCode).In(d.s.Draft())
	} else if end := (*moqt.CancelError)(nil); errors.As(err, &end) {
		return end.Error()
	}
	return ""
}

// refusedEnd is endText where the relay has ended the subscription for another reason than that the track has ended.
func (d *Delivery) refusedEnd() string {
	if done, err := d.sub.Done(known()); err == nil {
		if name, _ := wire.PublishDoneCode(done.StatusCode).Meaning(d.s.Draft()); name == wire.NameTrackEnded ||
			name == wire.NameSubscriptionEnded {
			return ""
		}
	}
	return d.endText()
}

// known is a context that has ended: what waits with it gets what is known now.
func known() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// absent are the objects that have not come.
func (k *Checker) absent() (l Layout) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, n := range k.got {
		if n == 0 {
			l = append(l, k.Want[i])
		}
	}
	return l
}

// stopped says how the relay has stopped the stream of an object; "" when it has not.
func (p *Publisher) stopped(x *Item) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stops[x.Location()]
}

// notSent notes that an object could not be sent.
func (p *Publisher) notSent(at wire.Location, err error) {
	p.Session.e.Note("%s: object %s not sent: %v", p.Session.Role, at, err)
	var stop *transport.StreamError
	if errors.As(err, &stop) && stop.Remote && stop.Stop {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stops[at] = streamEnd(stop, p.Session.Draft()) + " at the publisher"
	}
}
