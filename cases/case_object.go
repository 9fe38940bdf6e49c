package cases

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
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
