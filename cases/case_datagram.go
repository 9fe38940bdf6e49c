package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Any path may lose datagrams, so no case demands all of them. Those that come must be intact and must be datagrams,
// and some must come.

// datagramLayout is groups 0 to 4 of 5 objects each, all sent as datagrams.
func datagramLayout(e *Env, properties func(group, object uint64) wire.Properties) Layout {
	l := NewLayout(Span(0, 4), Span(0, 4), LayoutOptions{Payload: e.NamedPayload, Properties: properties,
		Priority: func(g uint64) uint8 { return uint8(100 + g) }})
	for i := range l {
		l[i].Datagram = true
	}
	l.Mark()
	return l
}

// datagramPace is the time between two datagrams, long enough that they do not wait in queues that may drop them.
const datagramPace = 4 * time.Millisecond

// datagramCase is a case of datagrams.
func datagramCase(id, title string, faults []Fault, plan func(e *Env) Layout,
	judge func(e *Env, d wire.Draft, w *Streams), more ...rules.ID) Case {
	return Case{
		ID: id, Title: title,
		Rules: append([]rules.ID{rules.DeliveryMode, rules.ObjectFields, rules.DatagramsSupported}, more...),
		Level: Must, Suite: SuiteAll, Tags: []string{"data", "datagram"}, Roles: []string{"publisher", "subscriber"},
		Timeout: CaseLimit,
		Faults: append([]Fault{
			requestFault("die-midway",
				"the end of the subscriber's session: connection closed by the peer with 0x1 INTERNAL_ERROR"),
			dataFault("drop-datagrams", "none of them"),
			dataFault("datagrams-as-streams", "a stream of group 0, subgroup 0 with 1 objects ({0, 0}) and FIN"),
		}, faults...),
		Run: func(ctx context.Context, e *Env) error {
			p := e.Announced(ctx)
			s := e.Dial(ctx, "subscriber")
			step, cancel := e.Step(ctx)
			defer cancel()
			sub := s.SubscribeTo(step, p)
			w := s.Watch(ctx, sub)
			p.WaitForward(step)
			l := plan(e)
			p.Publish(ctx, l, datagramPace)
			w.gathered(step, e, len(l))
			p.End()
			s.settled(step, sub)
			s.intact(ctx, l, w)
			if judge != nil {
				judge(e, s.Draft(), w)
			}
			return nil
		},
	}
}

// patience is how long to wait for a datagram that is not lost. It is longer than a busy machine delays one.
const patience = 2 * time.Second

// gathered waits until that many datagrams have come, or until none has come for a while: then the others are lost.
func (w *Streams) gathered(ctx context.Context, e *Env, want int) {
	for seen, all := -1, false; !all; {
		w.mu.Lock()
		now := len(w.Datagrams)
		w.mu.Unlock()
		if now == seen {
			return
		}
		seen = now
		idle, cancel := context.WithTimeout(ctx, e.settled(patience))
		all = w.Wait(idle, func() bool { return len(w.Datagrams) >= want })
		cancel()
	}
}

// settled waits until the relay has ended the subscription of a track that is over. If the relay does not, it waits as
// long as the end may take.
func (s *Session) settled(ctx context.Context, sub interface{ Context() context.Context }) {
	wait := time.NewTimer(s.e.settled(SettleTime + LateTime))
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

// intact ends the case when no datagram has come, when one differs from what was sent, or when an object came on a
// stream. It notes what was lost.
func (s *Session) intact(ctx context.Context, l Layout, w *Streams) {
	e := s.e
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.Subgroups {
		if slices.ContainsFunc(a.Objects, func(o *moqt.Object) bool { return o.Status == wire.StatusNormal }) {
			e.Fail(transport.LayerData, "objects as datagrams, as they were published", a.Text(s.Draft()))
		}
	}
	k := NewChecker(l, Checks{Priority: true, Properties: true})
	for _, o := range w.Datagrams {
		k.Add(o)
	}
	want := l.String() + " as datagrams"
	if len(w.Datagrams) == 0 {
		e.Fail(transport.LayerData, want, fmt.Sprintf("none of them; %s", s.log.stall(time.Now())))
	}
	if what := k.Unexpected(); what != "" {
		e.Fail(transport.LayerData, want, fmt.Sprintf("%s; %s came", what, k.Count()))
	}
	e.Note("%s came as datagrams", k.Count())
}

var datagram = datagramCase("datagram", "Objects sent as datagrams arrive as datagrams, unchanged",
	[]Fault{
		dataFault("corrupt-payload", "payload differs from byte 0"),
		dataFault("wrong-priority", "priority 101 instead of 100"),
		dataFault("wrong-group-id", "unexpected {5, 0}"),
	},
	func(e *Env) Layout { return datagramLayout(e, nil) }, nil)

var datagramProperties = datagramCase("datagram-properties", "Objects sent as datagrams keep their properties",
	[]Fault{
		dataFault("strip-properties", "property 0x38 is missing"),
	},
	func(e *Env) Layout { return datagramLayout(e, unknownProperties) }, nil, rules.ObjectProperties)

// statusLayout is groups 0 to 4 of 3 objects as datagrams, each followed by a datagram with status End of Group.
func statusLayout(e *Env) Layout {
	var l Layout
	for _, x := range datagramLayout(e, nil) {
		if x.Object > 3 {
			continue
		}
		if x.Object == 3 {
			x.Status, x.Payload = wire.StatusEndOfGroup, nil
		}
		l = append(l, x)
	}
	return l
}

var datagramStatus = datagramCase("datagram-status", "A datagram with status End of Group keeps its status",
	[]Fault{
		dataFault("status-missing", "15 datagrams, none of which says where a group ends"),
		dataFault("end-of-group-missing", "15 datagrams, none of which says where a group ends"),
	}, statusLayout,
	func(e *Env, _ wire.Draft, w *Streams) {
		w.mu.Lock()
		defer w.mu.Unlock()
		status, said := 0, 0
		for _, o := range w.Datagrams {
			switch {
			case o.Status == wire.StatusEndOfGroup && o.ObjectID == 3:
				status++
			case o.EndOfGroup && o.ObjectID == 2: // a relay may say the same in another way (draft-18 §9.1)
				said++
			}
		}
		if status+said == 0 {
			e.Fail(transport.LayerData, "datagrams with status End of Group at object 3 of the groups 0-4",
				fmt.Sprintf("%d datagrams, none of which says where a group ends", len(w.Datagrams)))
		}
		e.Note("%d datagrams with status End of Group, %d with the END_OF_GROUP bit instead", status, said)
	}, rules.ObjectStatus)

// endLayout is datagramLayout with the END_OF_GROUP bit at the last object of each group.
func endLayout(e *Env) Layout {
	l := datagramLayout(e, nil)
	for i := range l {
		l[i].EndOfGroup = l[i].Object == 4
	}
	return l
}

// No draft says that a relay must keep the END_OF_GROUP bit, which is no field of the object. The case records whether
// it does.
var datagramEnd = datagramCase("datagram-end-of-group",
	"Datagrams with END_OF_GROUP arrive; whether they keep the bit is recorded",
	[]Fault{
		dataFault("corrupt-payload", "payload differs from byte 0"),
	}, endLayout,
	func(e *Env, _ wire.Draft, w *Streams) {
		w.mu.Lock()
		defer w.mu.Unlock()
		last, said := 0, 0
		for _, o := range w.Datagrams {
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
