package cases

import (
	"context"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var joinEmptyFill = Case{
	ID: "fill-nothing-published", Title: "A fill of an empty track brings no objects, and the subscription goes on",
	Rules: []rules.ID{rules.Fill}, First: wire.Draft20,
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "fetch", "join"}, Roles: []string{"publisher", "joiner"},
	Timeout: CaseLimit,
	Faults: []Fault{
		dataFault("drop-object", "8 of 10 objects came, {0, 0}"),
		requestFault("route-nowhere", `REQUEST_ERROR 0x10 DOES_NOT_EXIST "fault"`),
	},
	Run: func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		j := e.Dial(ctx, "joiner").JoinTrack(ctx, p, track.JoinRequest{GroupsBack: 1})
		if j.HasLargest {
			e.Fail(transport.LayerRequest, "SUBSCRIBE_OK without a Largest Object",
				fmt.Sprintf("Largest Object %s", j.Largest))
		}
		p.WaitForward(ctx)
		live := e.Groups(0, 1)
		e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, live, ObjectPace) })
		k := NewChecker(live, Checks{})
		now := j.Read(ctx, "SUBSCRIBE", k, j.Joined.Live.Next)
		step, cancel := e.Step(ctx)
		defer cancel()
		j.Check(step, <-j.past, transport.LayerRequest, "SUBSCRIBE_OK at the joiner")
		none := NewChecker(nil, Checks{})
		before := j.Read(ctx, j.what, none, j.Joined.Past.Next)
		j.Gather(step, k, now)
		j.Finished(step, none, before)
		if what := none.Problem(); what != "" {
			e.Fail(transport.LayerData, "no object in the fill of a track without objects", what)
		}
		p.End()
		j.Exactly(step, k, LateTime, now)
		return nil
	},
}

var fillUpdate = Case{
	ID: "fill-update", Title: "A fill asked for in REQUEST_UPDATE brings the groups it names",
	Rules: []rules.ID{rules.Fill, rules.Update}, First: wire.Draft20,
	Level: Must, Suite: SuiteAll, Tags: []string{"data", "fetch", "join", "update"}, Roles: joinRoles,
	Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("update-silent", "nothing for 5000 ms after REQUEST_UPDATE"),
		dataFault("join-silent", "0 of 10 objects came, {0, 0}"),
		dataFault("fetch-corrupt-payload", "payload differs from byte 0"),
	},
	Run: runFillUpdate,
}

// runFillUpdate: the stream of the fill carries the Request ID of the update, and ends before the live edge (draft-22
// §3.4).
func runFillUpdate(ctx context.Context, e *Env) error {
	p := e.History(ctx)
	s := e.Dial(ctx, "joiner")
	step, cancel := e.Step(ctx)
	defer cancel()
	sub := s.SubscribeTo(step, p, FilterParameter(wire.LocationFilter{Form: wire.FilterNextObject}))
	inner := wire.Parameters{FilterParameter(WholeGroups(0, 1))}
	_, fill, err := sub.UpdateFill(step, wire.Parameters{{Type: wire.ParamFillParameters, Inner: inner}})
	s.MayRefuse(err, "a fill in REQUEST_UPDATE", rules.NotSupported, wire.NameNotSupported)
	s.Check(step, err, transport.LayerRequest, "REQUEST_OK for REQUEST_UPDATE")
	k := NewChecker(e.Groups(0, 1), Checks{})
	r := s.Read(ctx, "fill", k, fill.Next)
	s.Gather(step, k, r)
	s.Finished(step, k, r)
	s.Exactly(step, k, 0, r)
	return nil
}
