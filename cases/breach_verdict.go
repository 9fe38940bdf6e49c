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

// What comes of a breach, and what ought to.

// promptTime is how long a peer may take to close a session without a remark, lateTime with one.
const (
	promptTime = time.Second
	lateTime   = 5 * time.Second
)

// offend commits the breach, and judges what comes of it.
func (s *scene) offend(ctx context.Context) {
	s.offending = true
	q, err := s.b.bad(ctx, s)
	if err != nil && s.x.ended() == nil && !isStream(err) {
		s.fail(ctx, err, transport.LayerRequest, "the breach to be sent")
	}
	began := time.Now()
	kind := wire.KindNone
	if q != nil {
		kind = q.kind
	}
	want, d := &s.b.want, s.draft()
	expected := want.text(d, kind) + ", for " + s.b.what
	switch {
	case s.b.Case().Level == Probe:
		s.record(ctx, q)
	case want.closed:
		s.wantClosed(ctx, expected, began)
	case want.refused:
		s.wantRefused(ctx, q, expected)
	case want.malformed:
		s.wantMalformed(ctx, expected)
	default:
		s.wantAlive(ctx, expected)
	}
}

func isStream(err error) bool { return errors.As(err, new(*transport.StreamError)) }

func (s *scene) wantClosed(ctx context.Context, expected string, began time.Time) {
	limit := s.e.stretched(s.e.settled(lateTime))
	if !s.x.waitEnded(ctx, limit) {
		s.fail0(ctx, expected)
	}
	end := s.x.ended()
	session := &moqt.SessionError{Err: end, Code: wire.SessionError(end.Code)}
	if end.Remote {
		session.Side = wire.ServerSide
	}
	code, ok := closedWith(session)
	if end.Transport && !end.HTTP3 || end.Timeout {
		ok = false
	}
	if !ok && end.HTTP3 && end.Remote && len(s.b.want.codes) == 0 {
		ok = true
	}
	if !ok || len(s.b.want.codes) > 0 && !slices.Contains(s.b.want.codes, code) {
		panic(s.closing(end, transport.LayerRequest, expected))
	}
	s.e.Annotate("%s", s.closing(end, transport.LayerRequest, "").received)
	if took := time.Since(began); took > promptTime+s.e.settled(0) {
		s.e.Note("the session was closed only after %s", seconds(took))
	}
}

// fail0 ends the case because the session is still open.
func (s *scene) fail0(ctx context.Context, expected string) {
	if o := s.e.lossOf(); o != nil {
		panic(o.metBy(transport.LayerRequest, expected))
	}
	if ctx.Err() != nil {
		s.innocent.Check(ctx, context.Cause(ctx), transport.LayerRequest, expected)
	}
	s.e.Fail(transport.LayerRequest, expected, fmt.Sprintf("a session that is open %s later", lateTime))
}

func (s *scene) wantRefused(ctx context.Context, q *asked, expected string) {
	step, cancel := s.e.Within(ctx, closeTime)
	defer cancel()
	answer, err := s.x.answer(step, q)
	if errors.Is(err, io.EOF) && s.b.want.ended && s.x.ended() == nil {
		s.wantAlive(ctx, expected)
		return
	}
	if err != nil {
		s.fail(step, err, transport.LayerRequest, expected)
	}
	no, ok := answer.(*wire.RequestError)
	if !ok {
		s.e.Fail(transport.LayerRequest, expected, wire.NameOf(s.draft(), answer))
	}
	refused := s.refusal(q.kind, no)
	if s.b.want.name != "" && refused.Name != string(s.b.want.name) {
		s.innocent.SkipUnsupported(refused)
		s.e.Fail(transport.LayerRequest, expected, RefusalText(refused))
	}
	s.e.Annotate("%s", RefusalText(refused))
	if s.b.want.done != "" {
		s.wantDone(ctx)
	}
	s.wantAlive(ctx, expected)
}

// wantDone waits for the end of the offender's own subscription.
func (s *scene) wantDone(ctx context.Context) {
	expected := "PUBLISH_DONE with " + string(s.b.want.done) + " behind the error"
	step, cancel := s.e.Within(ctx, closeTime)
	defer cancel()
	a, err := s.x.await(step, s.mine.after, func(a *arrivedMessage) bool {
		done, ok := a.message.(*wire.PublishDone)
		return ok && a.on == s.mine.on && (a.on != nil || done.RequestID == s.mine.id)
	})
	if err != nil {
		s.fail(step, err, transport.LayerRequest, expected)
	}
	code := wire.PublishDoneCode(a.message.(*wire.PublishDone).StatusCode)
	if name, _ := code.Meaning(s.draft()); name != s.b.want.done {
		s.e.Fail(transport.LayerRequest, expected, "PUBLISH_DONE with "+code.In(s.draft()))
	}
}

// wantMalformed looks whether the innocent's subscription ends, and with which code. Who does not look into what is
// wrong with the track cannot know it.
func (s *scene) wantMalformed(ctx context.Context, expected string) {
	quiet, cancel := context.WithTimeout(ctx, s.e.settled(2*LateTime))
	defer cancel()
	if done, err := s.followed.Done(quiet); err != nil {
		s.e.Annotate("the relay has not seen it, or says nothing of it")
	} else {
		code := wire.PublishDoneCode(done.StatusCode)
		if name, _ := code.Meaning(s.draft()); name != wire.NameMalformedTrack {
			s.e.Fail(transport.LayerRequest, "PUBLISH_DONE with MALFORMED_TRACK",
				"PUBLISH_DONE with "+code.In(s.draft()))
		}
		s.e.Annotate("PUBLISH_DONE with %s", code.In(s.draft()))
	}
	s.wantAlive(ctx, expected)
}

func (s *scene) wantAlive(ctx context.Context, expected string) {
	if !s.b.want.refused { // how the peer reacts shows a moment later
		s.x.waitEnded(ctx, s.e.settled(SettleTime))
	}
	step, cancel := s.e.Step(ctx)
	defer cancel()
	if err := s.alive(step); err != nil {
		s.fail(step, err, transport.LayerRequest, expected)
	}
}

// record notes what came of something that the draft leaves open.
func (s *scene) record(ctx context.Context, q *asked) {
	step, cancel := s.e.Within(ctx, promptTime)
	defer cancel()
	if q != nil {
		if answer, err := s.x.answer(step, q); err == nil {
			s.e.Annotate("answered with %s", wire.NameOf(s.draft(), answer))
			return
		}
	} else {
		s.x.waitEnded(step, s.e.settled(SettleTime))
	}
	if end := s.x.ended(); end != nil {
		s.e.Annotate("%s", s.closing(end, transport.LayerRequest, "").received)
		return
	}
	s.e.Annotate("nothing came of it")
}
