package cases

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TracksFollower is a session that has asked for the tracks under a prefix, with SUBSCRIBE_TRACKS or up to 17
// SUBSCRIBE_NAMESPACE. Safe for concurrent use.
type TracksFollower struct {
	*Session
	tracks    *moqt.TracksSubscription
	publishes <-chan *moqt.Request
	// skipped receives the first track for which the relay says that it sends no PUBLISH, or how the request ended.
	skipped chan error
}

// skippedError is a track for which no PUBLISH will come.
type skippedError struct{ message, track string }

func (e *skippedError) Error() string { return e.message + " of " + e.track }

// FollowTracks asks for the tracks under a prefix, with the given parameters, and ends the case unless the relay
// accepts that. The case is skipped when the relay answers NOT_SUPPORTED. From then on the relay's PUBLISHes of this
// run's namespaces go to the case. All others are refused, since a relay may offer tracks unasked.
func (s *Session) FollowTracks(ctx context.Context, prefix wire.TrackNamespace,
	more ...wire.Parameter) *TracksFollower {
	t := &TracksFollower{Session: s, publishes: s.peer.expectPublishes(), skipped: make(chan error, 1)}
	ts, err := s.StartSubscribeTracks(ctx, prefix, WithParameters(s.e.Parameters(), more...))
	t.tracks = ts
	request := wire.NameOf(s.Draft(), &wire.SubscribeTracks{})
	if s.Draft() <= wire.Draft17 {
		request = wire.NameOf(s.Draft(), &wire.SubscribeNamespace{})
	}
	s.Check(ctx, err, transport.LayerRequest, request+" to be sent")
	if err := ts.Ready(ctx); err != nil {
		s.SkipUnsupported(err)
		s.Check(ctx, err, transport.LayerRequest, s.OKName(ts.Request().Kind())+" for "+request)
	}
	if s.Draft() >= wire.Draft17 { // which can say that a PUBLISH will not come
		s.e.Go(ctx, func(ctx context.Context) {
			switch skipped, err := ts.NextSkipped(ctx); {
			case err == nil:
				t.skipped <- &skippedError{wire.NameOf(s.Draft(), skipped),
					fullName(prefix.Join(skipped.Suffix...), skipped.TrackName)}
			case !errors.Is(err, io.EOF): // FIN says that no PUBLISH will be skipped (draft-19 §3.3.2)
				t.skipped <- err
			}
		})
	}
	return t
}

// WantPublish waits for the relay's PUBLISH of p's track, and ends the case when another one comes, or none. what
// begins the expectation: "PUBLISH with Forward State 0". From 19 on the relay may skip a track for any reason
// (draft-19 §6.1, draft-22 §3.6.3); then the case is skipped.
func (t *TracksFollower) WantPublish(ctx context.Context, p *Publisher, what string) *moqt.Request {
	expected := what + " of " + fullName(p.Namespace, p.Name)
	r := t.NextPublish(ctx, p, expected)
	if !r.TrackNamespace().Equal(p.Namespace) || r.TrackName() != p.Name {
		t.e.Fail(transport.LayerRequest, expected, "PUBLISH of "+fullName(r.TrackNamespace(), r.TrackName()))
	}
	return r
}

// NextPublish waits for the relay's next PUBLISH, and ends the case when none comes. The case is skipped when the relay
// skips p's track, from 19 on.
func (t *TracksFollower) NextPublish(ctx context.Context, p *Publisher, expected string) *moqt.Request {
	select {
	case r := <-t.publishes:
		return r
	case err := <-t.skipped:
		var skipped *skippedError
		if errors.As(err, &skipped) && skipped.track == fullName(p.Namespace, p.Name) && t.Draft() >= wire.Draft19 {
			t.skipRefused("the track was skipped", rules.SkippedTracks, skipped.Error())
		}
		t.Check(ctx, err, transport.LayerRequest, expected)
	case <-t.Context().Done():
		t.Check(ctx, context.Cause(t.Context()), transport.LayerRequest, expected)
	case <-ctx.Done():
		t.Check(ctx, context.Cause(ctx), transport.LayerRequest, expected)
	}
	return nil
}

// Take accepts the relay's PUBLISH of a track that the case does not read, with Forward State 0 where the answer has
// one.
func (t *TracksFollower) Take(ctx context.Context, r *moqt.Request) {
	ok := &wire.RequestOK{}
	if t.Draft() <= wire.Draft19 {
		ok.Parameters.SetUint(wire.ParamForward, 0)
	}
	_, err := r.AcceptPublish(ctx, ok)
	t.Check(ctx, err, transport.LayerRequest, "a PUBLISH that can be accepted")
}

// Cancel ends the request for tracks. Subscriptions that it has led to go on.
func (t *TracksFollower) Cancel() { t.tracks.Close() }

// WantNone waits for what should not come, and ends the case when a PUBLISH of this run's namespaces comes.
func (t *TracksFollower) WantNone(ctx context.Context, expected string) {
	wait := time.NewTimer(t.e.settled(LateTime))
	defer wait.Stop()
	select {
	case r := <-t.publishes:
		t.e.Fail(transport.LayerRequest, expected, "PUBLISH of "+fullName(r.TrackNamespace(), r.TrackName()))
	case <-t.Context().Done():
		t.Check(ctx, context.Cause(t.Context()), transport.LayerRequest, expected)
	case <-ctx.Done():
		t.Check(ctx, context.Cause(ctx), transport.LayerRequest, expected)
	case <-wait.C:
	}
}

// mayCancel ends the case as skipped when the relay has cancelled its PUBLISH after we accepted it: either end may
// cancel a request with RESET_STREAM (draft-17 §3.3.1, draft-22 §6.4.2.3). FIN is different. From 19 on it must not
// come before PUBLISH_DONE (draft-19 §3.3.2), so it fails the case; 17 and 18 do not say what it means, so there it
// does not.
func (s *Session) mayCancel(err error) {
	var cancel *moqt.CancelError
	if !errors.As(err, &cancel) || cancel.How == "FIN" && s.Draft() >= wire.Draft19 {
		return
	}
	s.skipRefused("the relay has ended the PUBLISH that was accepted", rules.CancelRequest, cancel.Error())
}
