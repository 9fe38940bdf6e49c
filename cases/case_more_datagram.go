package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Datagrams may get lost on any path, so no case wants every one of them: what comes must be intact and travel as a
// datagram, and some of it must come.

// datagramLayout is groups 0 to 4 of 5 objects that travel as datagrams.
func datagramLayout(e *Env, properties func(group, object uint64) wire.Properties) layout {
	l := newLayout(span(0, 4), span(0, 4), layoutOptions{payload: e.namedPayload, properties: properties,
		priority: func(g uint64) uint8 { return uint8(100 + g) }})
	for i := range l {
		l[i].datagram = true
	}
	l.mark()
	return l
}

// datagramPace is the time between two datagrams: they must not wait in queues that may drop them.
const datagramPace = 4 * time.Millisecond

// datagramCase is a case of datagrams.
func datagramCase(id, title string, faults []string, plan func(e *Env) layout,
	judge func(e *Env, d wire.Draft, w *streams)) Case {
	return Case{
		ID: id, Title: title,
		Topics: []wire.Topic{wire.TopicObjectDatagram, wire.TopicObjectStatus, wire.TopicObjectProperties},
		Level:  Must, Suite: SuiteAll, Tags: []string{"data", "datagram"}, Roles: []string{"publisher", "subscriber"},
		Timeout: caseLimit,
		Faults:  append([]string{"drop-datagrams", "datagrams-as-streams"}, faults...),
		Run: func(ctx context.Context, e *Env) error {
			p := announced(ctx, e)
			s := e.Dial(ctx, "subscriber")
			step, cancel := e.Step(ctx)
			defer cancel()
			sub := s.subscribeWith(step, p)
			w := s.watch(ctx, sub)
			p.waitForward(step)
			l := plan(e)
			p.publish(ctx, l, datagramPace)
			w.gathered(step, len(l))
			p.end()
			s.settled(step, sub)
			s.intact(ctx, l, w)
			if judge != nil {
				judge(e, s.Draft(), w)
			}
			return nil
		},
	}
}

// patience is how long a datagram that is not lost may take: longer than a machine that is busy holds one up.
const patience = 2 * time.Second

// gathered waits until so many datagrams have come, or none has for a while: the others are lost then.
func (w *streams) gathered(ctx context.Context, want int) {
	for seen, all := -1, false; !all; {
		w.mu.Lock()
		now := len(w.datagrams)
		w.mu.Unlock()
		if now == seen {
			return
		}
		seen = now
		idle, cancel := context.WithTimeout(ctx, patience)
		all = w.wait(idle, func() bool { return len(w.datagrams) >= want })
		cancel()
	}
}

// settled waits until nothing more comes of a subscription whose track has ended; where the relay does not say so,
// until that would have come.
func (s *Session) settled(ctx context.Context, sub interface{ Context() context.Context }) {
	wait := time.NewTimer(settleTime + lateTime + 2*s.setup)
	defer wait.Stop()
	select {
	case <-sub.Context().Done():
		if cause := context.Cause(sub.Context()); !errors.Is(cause, io.EOF) {
			s.Check(ctx, cause, transport.LayerData, "PUBLISH_DONE behind the last object")
		}
	case <-wait.C:
	case <-ctx.Done():
	}
}

// intact ends the case when no datagram has come, when one is not as planned, or when an object came by another way.
// What got lost is noted.
func (s *Session) intact(ctx context.Context, l layout, w *streams) {
	e := s.e
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.all {
		if slices.ContainsFunc(a.objects, func(o *moqt.Object) bool { return o.Status == wire.StatusNormal }) {
			e.Fail(transport.LayerData, "objects as datagrams, as they were published", a.text(s.Draft()))
		}
	}
	k := newChecker(l, checks{priority: true, properties: true})
	for _, o := range w.datagrams {
		k.add(o)
	}
	want := l.String() + " as datagrams"
	if len(w.datagrams) == 0 {
		e.Fail(transport.LayerData, want, fmt.Sprintf("none of them; %s", s.log.stall(time.Now())))
	}
	if what := k.unexpected(); what != "" {
		e.Fail(transport.LayerData, want, fmt.Sprintf("%s; %s came", what, k.count()))
	}
	e.Note("%s came as datagrams", k.count())
}

var datagram = datagramCase("datagram", "objects sent as datagrams arrive as datagrams, unchanged",
	[]string{"corrupt-payload", "wrong-priority", "wrong-group-id"},
	func(e *Env) layout { return datagramLayout(e, nil) }, nil)

var datagramProperties = datagramCase("datagram-properties", "objects sent as datagrams keep their properties",
	[]string{"strip-properties"},
	func(e *Env) layout { return datagramLayout(e, unknownProperties) }, nil)

// statusLayout is groups 0 to 4 of 3 objects as datagrams, and a fourth one that says that there are no more.
func statusLayout(e *Env) layout {
	var l layout
	for _, x := range datagramLayout(e, nil) {
		if x.object > 3 {
			continue
		}
		if x.object == 3 {
			x.status, x.payload = wire.StatusEndOfGroup, nil
		}
		l = append(l, x)
	}
	return l
}

var datagramStatus = datagramCase("datagram-status", "a datagram with status End of Group arrives with its status",
	[]string{"status-missing", "end-of-group-missing"}, statusLayout,
	func(e *Env, _ wire.Draft, w *streams) {
		w.mu.Lock()
		defer w.mu.Unlock()
		status, said := 0, 0
		for _, o := range w.datagrams {
			switch {
			case o.Status == wire.StatusEndOfGroup && o.ObjectID == 3:
				status++
			case o.EndOfGroup && o.ObjectID == 2: // a relay may say the same in another way (draft-18 §9.1)
				said++
			}
		}
		if status+said == 0 {
			e.Fail(transport.LayerData, "datagrams with status End of Group at object 3 of the groups 0-4",
				fmt.Sprintf("%d datagrams, none of which says where a group ends", len(w.datagrams)))
		}
		e.Note("%d datagrams with status End of Group, %d with the END_OF_GROUP bit instead", status, said)
	})

// endLayout is datagramLayout whose last object of each group is said to be the last.
func endLayout(e *Env) layout {
	l := datagramLayout(e, nil)
	for i := range l {
		l[i].endOfGroup = l[i].object == 4
	}
	return l
}

// No draft says that a relay must keep the END_OF_GROUP bit, which is no field of the object; what becomes of it is
// recorded.
var datagramEnd = datagramCase("datagram-end-of-group", "datagrams that say that they are the last of their group "+
	"arrive; whether they still say so is recorded",
	[]string{"corrupt-payload"}, endLayout,
	func(e *Env, _ wire.Draft, w *streams) {
		w.mu.Lock()
		defer w.mu.Unlock()
		last, said := 0, 0
		for _, o := range w.datagrams {
			switch {
			case o.EndOfGroup && o.ObjectID != 4:
				e.Fail(transport.LayerData, "END_OF_GROUP at the last object of a group", "END_OF_GROUP at "+
					o.Location().String())
			case o.EndOfGroup:
				said++
			case o.ObjectID == 4:
				last++
			}
		}
		e.Note("%d of %d last datagrams of a group have END_OF_GROUP", said, said+last)
	})
