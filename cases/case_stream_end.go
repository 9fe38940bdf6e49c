package cases

import (
	"context"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Streams that end early: reset by the publisher, stopped by the subscriber, or overtaken by PUBLISH_DONE.

var subgroupReset = endsCase("subgroup-reset",
	"A subgroup that its publisher resets does not end with FIN, and the track goes on",
	[]Fault{
		dataFault("reset-as-fin", "a stream of group 0, subgroup 0 with 2 objects ({0, 0}, {0, 1}) and FIN"),
		dataFault("reset-ends-track", "a stream of group 0, subgroup 0 with 2 objects"),
		dataFault("never-fin", "RESET_STREAM of the peer"),
	}, runSubgroupReset, rules.SubgroupEarlyEnd, rules.SubgroupNextObject, rules.Forwarding)

// runSubgroupReset: the publisher resets the stream of group 0 behind two objects, and brings the others on a new one.
// A relay may pass the reset on at once, or hold its stream open and complete it (draft-18 §11.4.3). It must not end a
// stream with FIN that lacks objects.
func runSubgroupReset(ctx context.Context, e *Env) error {
	p, s, _, w := watched(ctx, e)
	l := e.Groups(0, 1)
	p.Publish(ctx, l[:2], ObjectPace)
	s.WantStreams(ctx, w, "objects {0, 0} and {0, 1}", func() bool { return w.has(0, 0, 1) })
	p.ResetSubgroup(0, 0, moqt.ResetCancelled)
	s.Healthy(ctx, transport.LayerData) // so that the reset does not meet what follows
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l[2:], ObjectPace) })
	s.WantStreams(ctx, w, "objects {0, 2} to {0, 4}, and group 1 on a stream that ends with FIN",
		func() bool { return w.has(0, 2, 4) && w.whole(1, 4) != nil })
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.of(0) {
		if n := len(a.Objects); a.Finished() && (n == 0 || a.Objects[n-1].ObjectID != 4) {
			e.Fail(transport.LayerData, "no FIN on a stream that ends before the subgroup's last object, {0, 4}",
				a.Text(s.Draft()))
		}
		e.Note("%s", a.Text(s.Draft()))
	}
	return nil
}

var streamStopped = endsCase("stream-stopped",
	"STOP_SENDING of one stream stops that one, and the subscription goes on",
	[]Fault{
		dataFault("stop-ends-subscription", "a stream of group 0, subgroup 0 with 2 objects"),
		dataFault("stop-reopens", "2 streams of group 0").from(wire.Draft16).should(),
	}, runStreamStopped, rules.Forwarding, rules.SubgroupStopped)

// runStreamStopped: a stream that is stopped has no impact on the other subgroups of the subscription (draft-18
// §11.4.3). That no other stream is opened for its subgroup is a SHOULD, from 16 on.
func runStreamStopped(ctx context.Context, e *Env) error {
	p, s, _, w := watched(ctx, e)
	l := e.Groups(0, 2)
	p.Publish(ctx, l[:2], ObjectPace)
	s.WantStreams(ctx, w, "objects {0, 0} and {0, 1}", func() bool { return w.has(0, 0, 1) })
	w.mu.Lock()
	stopped := w.of(0)
	w.mu.Unlock()
	for _, a := range stopped {
		a.stop()
	}
	s.Healthy(ctx, transport.LayerData) // the relay knows of it
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l[2:], ObjectPace) })
	s.WantStreams(ctx, w, "the groups 1 and 2, each on a stream that ends with FIN",
		func() bool { return w.whole(1, 4) != nil && w.whole(2, 4) != nil })
	e.Silence(ctx, LateTime)
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.of(0)); n > len(stopped) && s.Draft() >= wire.Draft16 {
		e.Should(false, transport.LayerData, "no new stream for a subgroup whose stream was stopped",
			fmt.Sprintf("%d streams of group 0, the last one %s", n, w.of(0)[n-1].Text(s.Draft())))
	}
	return nil
}

var dataBehindDone = endsCase("data-behind-done",
	"Streams that arrive behind PUBLISH_DONE are forwarded, and counted",
	[]Fault{
		dataFault("done-drops-data", "5 of 15 objects came, {1, 0}"),
		dataFault("stream-count-wrong", "3 streams"),
	}, runDataBehindDone, rules.Forwarding, rules.PublishDone, rules.StreamCount)

// runDataBehindDone: PUBLISH_DONE and the streams that it counts travel on streams of their own, so it may come before
// them (draft-18 §10.11).
func runDataBehindDone(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	s := e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	l := e.Groups(0, 2)
	d := s.Delivery(ctx, s.SubscribeTo(step, p), l, Checks{})
	p.WaitForward(step)
	p.Publish(ctx, l[:5], ObjectPace)
	s.WantStreams(ctx, d.w, "group 0", func() bool { return d.w.whole(0, 4) != nil })
	step, cancel = e.Step(ctx)
	defer cancel()
	p.DoneBefore(step, l[5:])
	step, cancel = e.Step(ctx)
	defer cancel()
	d.Complete(step)
	d.Drain(ctx)
	return nil
}

var subgroupOneStream = endsCase("subgroup-one-stream", "A subgroup that comes slowly is on one open stream at a time",
	[]Fault{
		dataFault("duplicate-object", "2 open streams of group 0").should(),
		dataFault("drop-everything", "no stream and no datagram"),
	},
	func(ctx context.Context, e *Env) error {
		p, s, _, w := watched(ctx, e)
		l := e.Groups(0, 0)
		p.Publish(ctx, l[:3], ObjectPace)
		s.WantStreams(ctx, w, "objects {0, 0} to {0, 2}", func() bool { return w.has(0, 0, 2) })
		s.Healthy(ctx, transport.LayerData) // a second stream has come
		w.mu.Lock()
		open := 0
		for _, a := range w.of(0) {
			if a.End == nil {
				open++
			}
		}
		w.mu.Unlock()
		e.Should(open <= 1, transport.LayerData, "one open stream of a subgroup",
			fmt.Sprintf("%d open streams of group 0", open))
		p.Publish(ctx, l[3:], ObjectPace)
		s.WantStreams(ctx, w, l.String(), func() bool { return w.has(0, 0, 4) })
		return nil
	}, rules.SubgroupOneStream, rules.Forwarding)
