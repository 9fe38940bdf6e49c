package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
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

var fillFailure = joinCase("fill-failure",
	"A fill that fails is reset, or names what is unknown, and the subscription goes on", 0,
	[]string{"publisher", "joiner"}, []Fault{
		dataFault("fill-failure-hidden", "FIN"),
		dataFault("join-silent", "no stream"),
		dataFault("drop-object", "4 of 5 objects came, {3, 0}"),
	}, runFillFailure, rules.FillFailure).from(wire.Draft20)

// runFillFailure: the publisher refuses every FETCH, and resets fills. So a relay that does not hold what came before
// its own subscription has nothing for the fill. It says so with a reset, or names the range as unknown (draft-20
// §5.1.3, draft-22 §3.4.1).
func runFillFailure(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	p.Publish(ctx, e.Groups(0, 2), 0)
	p.refusing = true
	s := e.Dial(ctx, "joiner")
	j := s.JoinTrack(ctx, p, track.JoinRequest{})
	j.wantFill()
	p.WaitForward(ctx)
	step, cancel := e.Step(ctx)
	defer cancel()
	s.wantFailed(step, j.Joined.Past)
	live := e.Groups(3, 3)
	k := NewChecker(live, Checks{})
	r := s.Read(ctx, "SUBSCRIBE", k, j.Joined.Live.Next)
	e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, live, ObjectPace) })
	step, cancel = e.Step(ctx)
	defer cancel()
	s.Gather(step, k, r)
	p.End()
	s.Exactly(ctx, k, LateTime, r)
	return nil
}

// wantFailed reads a fill for which there is nothing, and ends the case unless it says so.
func (s *Session) wantFailed(ctx context.Context, f *moqt.Fetch) {
	e := s.e
	const expected = "a reset of the fill's stream, or its range named as unknown"
	look, stop := context.WithCancel(ctx)
	defer stop()
	e.Go(look, func(ctx context.Context) {
		for s.log.headlessStreams() == 0 && ctx.Err() == nil {
			time.Sleep(ObjectPace)
		}
		stop()
	})
	unknown := false
	for {
		o, err := f.Next(look)
		switch {
		case err == nil && o.Range == wire.NoRange:
			e.Fail(transport.LayerData, expected, fmt.Sprintf("object %s, which no publisher has given", o.Location()))
		case err == nil:
			unknown = unknown || o.Range != wire.NonExistentRange
			continue
		case errors.Is(err, io.EOF) && !unknown:
			e.Fail(transport.LayerData, expected, "FIN, as if there were nothing")
		case errors.Is(err, io.EOF):
			e.Annotate("the range was named as unknown")
		case s.log.headlessStreams() > 0:
			e.Annotate("a stream was reset before its header came")
		case ctx.Err() != nil && s.Conn().Info().ReadsAhead:
			e.Annotate("no stream of the fill; a browser tells of none that is reset before its header has come")
		case ctx.Err() != nil:
			e.Fail(transport.LayerData, expected, "no stream of the fill")
		default:
			e.Annotate("%v", err)
		}
		return
	}
}

// fillTime is a FILL_TIMEOUT, fillPatience what a relay may take altogether before that is judged.
const (
	fillTime     = 200 * time.Millisecond
	fillPatience = 3 * time.Second
)

var fillTimeout = fetchCase("fetch-fill-timeout",
	"A FETCH whose publisher does not go on ends soon after its FILL_TIMEOUT", []Fault{
		dataFault("fill-timeout-ignored", "nothing more for 3000 ms").should(),
		requestFault("fetch-silent", "nothing for "),
	}, runFillTimeout, rules.FillTimeout).from(wire.Draft18).among("publisher", "fetcher")

// runFillTimeout: the publisher sends the first of five objects, and no more. A relay gives up after FILL_TIMEOUT, and
// says which objects did not come (draft-18 §10.2.5: SHOULD).
func runFillTimeout(ctx context.Context, e *Env) error {
	p := e.Announced(ctx)
	p.Publish(ctx, e.Groups(0, 2), 0)
	p.holding = true
	defer p.release()
	s := e.Dial(ctx, "fetcher")
	step, cancel := e.Step(ctx)
	defer cancel()
	q := p.FetchOf(WholeGroups(1, 1), UintParameter(wire.ParamFillTimeout, uint64(fillTime.Milliseconds())))
	f, err := s.StartFetch(step, q)
	s.Check(step, err, transport.LayerRequest, "FETCH to be sent")
	patient, cancel := e.Within(ctx, fillPatience)
	defer cancel()
	if err := f.Ready(patient); err != nil {
		if patient.Err() != nil && s.Context().Err() == nil {
			e.Should(false, transport.LayerRequest, fmt.Sprintf("an answer soon after FILL_TIMEOUT, %d ms",
				fillTime.Milliseconds()), fmt.Sprintf("no answer for %d ms", fillPatience.Milliseconds()))
			p.release()
			err = f.Ready(step)
		}
		if err != nil {
			s.SkipUnsupported(err)
			s.answered(step, err, "FETCH_OK or a request error")
			e.Annotate("FETCH was refused: %v", err)
		}
		return nil
	}
	came, marks := 0, 0
	for {
		o, err := f.Next(patient)
		switch {
		case err == nil && o.Range == wire.NoRange:
			came++
			continue
		case err == nil:
			marks++
			continue
		case patient.Err() != nil && s.Context().Err() == nil:
			e.Should(false, transport.LayerData, fmt.Sprintf("an end of the FETCH soon after FILL_TIMEOUT, %d ms",
				fillTime.Milliseconds()), fmt.Sprintf("%d of 5 objects, and nothing more for %d ms", came,
				fillPatience.Milliseconds()))
		case errors.Is(err, io.EOF) && came < 5 && marks == 0:
			e.Fail(transport.LayerData, "a reset, or the objects that did not come named", fmt.Sprintf(
				"%d of 5 objects and FIN", came))
		case errors.Is(err, io.EOF):
			e.Annotate("%d of 5 objects, and %d ranges named as unknown or timed out", came, marks)
		default:
			e.Annotate("%d of 5 objects; then %v", came, err)
		}
		return nil
	}
}
