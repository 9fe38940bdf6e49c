package cases

import (
	"context"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// objectPace is the time between two objects of the cases that fetch.
const objectPace = 2 * time.Millisecond

// pastGroups is a layout of the groups from first to last with 5 objects each, whose payloads name the run, group and
// object.
func pastGroups(e *Env, first, last uint64) layout {
	return newLayout(span(first, last), span(0, 4), layoutOptions{payload: func(g, o uint64) []byte {
		return fmt.Appendf(nil, "%s object %d of group %d", e.run, o, g)
	}})
}

// history publishes groups 0 to 2 of 5 objects and sees to it that a subscriber has received them all, so that they are
// the past of a live track. The subscriber goes on reading.
func history(ctx context.Context, e *Env) *publisher {
	ns := e.Namespace()
	source := e.Dial(ctx, "publisher")
	p := source.publisher(ns, e.TrackName())
	step, cancel := e.Step(ctx)
	defer cancel()
	source.Announce(step, ns)

	s := e.Dial(step, "subscriber")
	sub := s.SubscribeTo(step, p)
	p.waitForward(step)
	l := pastGroups(e, 0, 2)
	k := newChecker(l, checks{})
	r := s.read(ctx, "SUBSCRIBE", k, sub.Next)
	e.Go(ctx, func(ctx context.Context) { p.publish(ctx, l, objectPace) })
	step, cancel = e.Step(ctx)
	defer cancel()
	s.gather(step, k, r)
	if what := k.corrupted(); what != "" {
		e.Fail(transport.LayerData, l.String()+" at the subscriber", what)
	}
	if what := k.problem(); what != "" {
		e.Note("subscriber: %s", what) // more than was published; the cases of the data plane judge that
	}
	return p
}

var fetchGroup = Case{
	ID: "fetch", Title: "FETCH of a group returns exactly its objects",
	Topics: []wire.Topic{wire.TopicFetch, wire.TopicFetchOK},
	Level:  Must, Suite: SuiteStandard, Tags: []string{"data", "fetch"}, Roles: []string{"publisher", "subscriber",
		"fetcher"}, Timeout: caseLimit,
	Faults: []string{"fetch-silent", "fetch-error", "fetch-missing-object", "fetch-extra-object",
		"fetch-corrupt-payload", "fetch-reset", "fetch-no-stream", "fetch-everything", "fetch-wrong-end", "drop-object",
		"corrupt-payload"},
	Run: runFetchGroup,
}

// runFetchGroup: a standalone FETCH of group 1 returns exactly its objects. What FETCH_OK says of its end is defined,
// but not by a MUST (draft-18 §10.13): of the two ways to name the end of a whole group either will do, and another
// range counts as a SHOULD.
func runFetchGroup(ctx context.Context, e *Env) error {
	p := history(ctx, e)
	s := e.Dial(ctx, "fetcher")
	step, cancel := e.Step(ctx)
	defer cancel()
	f, err := s.StartFetch(step, moqt.FetchRequest{
		TrackNamespace: p.ns, TrackName: p.name, Parameters: e.Parameters(),
		Range: wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 1, EndGroup: 1},
	})
	s.Check(step, err, transport.LayerRequest, "FETCH to be sent")
	k := newChecker(pastGroups(e, 1, 1), checks{})
	r := s.read(ctx, "FETCH", k, f.Next)
	if err := f.Ready(step); err != nil {
		s.refused(step, err, "FETCH_OK", p)
	}
	if end, ok := f.End(); ok {
		const expected = "FETCH_OK with End {1,4}, or that of group 1"
		e.Should(end.Group == 1 && (end.Object == 4 || end.Object == groupEnd), transport.LayerRequest, expected,
			"FETCH_OK with End "+endText(end))
	}
	s.gather(step, k, r)
	s.finished(step, k, r)
	s.exact(step, k, 0, r)
	return nil
}

// groupEnd is the Object ID of an End that stands for the end of its group.
const groupEnd = 1<<64 - 1

// endText is an End Location for people.
func endText(end wire.Location) string {
	if end.Object == groupEnd {
		return fmt.Sprintf("of group %d", end.Group)
	}
	return end.String()
}
