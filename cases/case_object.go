package cases

import (
	"context"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Objects of all sizes, many groups, and the properties of objects and tracks.

// sized is a case whose objects all have one size.
func sized(id, size string, bytes, groups, objects int, faults ...Fault) Case {
	return Case{
		ID: id, Title: "Objects of " + size + " arrive unchanged",
		Rules: []rules.ID{rules.Forwarding, rules.ObjectFields, rules.PayloadOpaque, rules.SubgroupEnd},
		Level: Must, Suite: SuiteAll, Tags: []string{"data", "sizes"}, Roles: []string{"publisher", "subscriber"},
		Timeout: CaseLimit,
		Faults:  faults,
		Run: func(ctx context.Context, e *Env) error {
			p := e.Announced(ctx)
			l := NewLayout(Span(0, uint64(groups)-1), Span(0, uint64(objects)-1),
				LayoutOptions{Payload: func(g, o uint64) []byte { return Filled(bytes, g, o) }})
			s := e.Dial(ctx, "subscriber")
			step, cancel := e.Step(ctx)
			defer cancel()
			d := s.Delivery(ctx, s.SubscribeTo(step, p), l, Checks{})
			p.WaitForward(ctx)
			p.DeliverOrRefuse(ctx, d, "objects of "+size)
			return nil
		},
	}
}

var (
	objectEmpty = sized("object-empty", "0 bytes", 0, 2, 5,
		dataFault("drop-object", "8 of 10 objects came, {0, 0}"),
		dataFault("wrong-object-id", "8 of 10 objects came, {0, 0}"))
	objectByte = sized("object-1-byte", "1 byte", 1, 2, 5,
		dataFault("drop-object", "8 of 10 objects came, {0, 0}"),
		dataFault("wrong-object-id", "8 of 10 objects came, {0, 0}, {1, 0}"),
		dataFault("corrupt-payload", "payload differs from byte 0"),

		dataFault("truncate-payload", "0 bytes of payload instead of 1"))
	object10KB = sized("object-10-kb", "10 KB", 10_000, 2, 5,
		dataFault("drop-object", "8 of 10 objects came, {0, 0}"),
		dataFault("corrupt-payload", "payload differs from byte 0"),
		dataFault("truncate-payload", "9999 bytes of payload instead of 10000"))
	object1MB = sized("object-1-mb", "1 MB", 1_000_000, 1, 2,
		dataFault("large-objects-missing", "0 of 2 objects came, {0, 0}, {0, 1} are missing; there was a stream of "+
			"group 0, subgroup 0 with no object and FIN; PUBLISH_DONE with 0x2 TRACK_ENDED"),
		dataFault("large-objects-refused", "objects of 1 MB were refused, as draft-").refused(),
		dataFault("stall-midway", "stopped at 500 kB of 1 MB of {0, 0}, "),
		dataFault("trickle", "the relay sent 12 kbit/s where the path took "),
		dataFault("corrupt-payload", "payload differs from byte 0"),
		dataFault("truncate-payload", "999999 bytes of payload instead of 1000000"))
	object10MB = sized("object-10-mb", "10 MB", 10_000_000, 1, 1,
		dataFault("large-objects-missing", "0 of 1 objects came, {0, 0} is missing; there was a stream of group 0, "+
			"subgroup 0 with no object and FIN; PUBLISH_DONE with 0x2 TRACK_ENDED"),
		dataFault("large-objects-refused", " allows: ").refused(),
		dataFault("truncate-payload", "9999999 bytes of payload instead of 10000000"))
)

var manyGroups = Case{
	ID: "many-short-groups", Title: "500 groups of one object arrive, each on its own stream",
	Rules: []rules.ID{rules.Forwarding, rules.ObjectFields, rules.PayloadOpaque, rules.SubgroupEnd},
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "limits"}, Roles: []string{"publisher", "subscriber"},
	Timeout: CaseLimit,
	Faults: []Fault{
		dataFault("drop-group", "250 of 500 objects came, {1, 0}"),
		dataFault("drop-object", "0 of 500 objects came, {0, 0}"),
		dataFault("duplicate-object", "more than once {0, 0}"),
	},
	Run: func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		l := NewLayout(Span(0, 499), Span(0, 0), LayoutOptions{Payload: e.NamedPayload})
		a := e.Follow(ctx, "subscriber", p, l, Checks{})
		p.WaitForward(ctx)
		p.Deliver(ctx, l, 0, a)
		return nil
	},
}

var objectInPieces = Case{
	ID: "object-in-pieces", Title: "The first half of an object arrives before the second half is published",
	Rules: []rules.ID{rules.IncompleteObjects, rules.PayloadOpaque},
	Level: Should, Suite: SuiteAll, Tags: []string{"data", "sizes"}, Roles: []string{"publisher", "subscriber"},
	Timeout: CaseLimit,
	Faults: []Fault{
		dataFault("objects-whole", "0 of 100000 bytes").should(),
		dataFault("corrupt-payload", "payload differs from byte 0").should(),
	},
	Run: runObjectInPieces,
}

// runObjectInPieces: a relay should begin to send an object before it has all of it (draft-18 §5.1: SHOULD).
func runObjectInPieces(ctx context.Context, e *Env) error {
	const half = 100_000
	p := e.Announced(ctx)
	l := NewLayout(Span(0, 0), Span(0, 0), LayoutOptions{Payload: func(g, o uint64) []byte {
		return Filled(2*half, g, o)
	}})
	a := e.Follow(ctx, "subscriber", p, l, Checks{})
	p.WaitForward(ctx)
	step, cancel := e.Step(ctx)
	defer cancel()
	p.mu.Lock()
	pub := p.subscriptions[0].pub
	p.mu.Unlock()
	check := func(err error) {
		p.Session.Check(step, err, transport.LayerData, "the relay to take an object in two halves")
	}
	w, err := pub.OpenSubgroup(step, l[0].header())
	check(err)
	check(w.BeginObject(&wire.ObjectHeader{PayloadLength: 2 * half}, pub.Draft()))
	put := func(b []byte) {
		_, err := w.Write(b)
		check(err)
		check(w.Flush())
	}
	put(l[0].Payload[:half])
	came := a.conn.bytesIn()
	for patient := time.Now().Add(e.settled(time.Second)); came < half/2 && time.Now().Before(patient); {
		e.Sleep(ctx, ObjectPace)
		came = a.conn.bytesIn()
	}
	e.Should(came >= half/2, transport.LayerData, "the first half of an object before the second half is sent",
		fmt.Sprintf("%d of %d bytes", came, half))
	put(l[0].Payload[half:])
	check(w.Close())
	a.WaitAll(ctx)
	check(pub.Done(step, moqt.DoneTrackEnded, ""))
	a.WantExactly(ctx)
	return nil
}
