package cases

import (
	"context"
	"errors"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var subscribeError = Case{
	ID: "subscribe-error", Title: "SUBSCRIBE to a track that does not exist is refused",
	Topics: []wire.Topic{wire.TopicSubscribe, wire.TopicRequestError},
	Level:  Must, Suite: SuiteStandard, Tags: []string{"subscribe"}, Roles: []string{"subscriber"},
	Timeout: 2 * time.Second,
	Faults:  []string{"subscribe-accepts-everything", "subscribe-error-zero", "subscribe-silent"},
	Run:     runSubscribeError,
}

// runSubscribeError: SUBSCRIBE to a track that does not exist. The number on the wire decides: INTERNAL_ERROR says
// nothing about the track; any other code refuses it, and the message names it where it is not the draft's own for
// this.
func runSubscribeError(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "subscriber")
	const expected = "a request error that is not 0x0 INTERNAL_ERROR"
	_, err := s.Subscribe(ctx, s.subscribeMessage(e.Namespace(), e.TrackName()))
	if err == nil {
		e.Fail(transport.LayerRequest, expected, "SUBSCRIBE_OK for a track that does not exist")
	}
	var refused *moqt.RequestError
	if !errors.As(err, &refused) || refused.Code == 0 {
		s.Check(ctx, err, transport.LayerRequest, expected)
	}
	want, _ := wire.RequestErrorFor(s.Draft(), wire.KindSubscribe, wire.NameDoesNotExist)
	if refused.Code == uint64(want) {
		e.Annotate("%s", refusal(refused))
	} else {
		e.Annotate("%s; the draft's own code for a track that does not exist is %s", refusal(refused),
			want.In(s.Draft(), wire.KindSubscribe))
	}
	return nil
}

var announceSubscribe = Case{
	ID: "announce-subscribe", Title: "a SUBSCRIBE reaches the publisher of its namespace",
	Aliases: []string{"publish-namespace-subscribe"},
	Topics:  []wire.Topic{wire.TopicPublishNamespace, wire.TopicSubscribe, wire.TopicSubscribeOK},
	Level:   Must, Suite: SuiteStandard, Tags: []string{"namespace", "subscribe"},
	Roles: []string{"publisher", "subscriber"}, Timeout: 3 * time.Second,
	Faults: []string{"route-nowhere", "subscribe-ok-without-publisher", "subscribe-silent"},
	Run:    runAnnounceSubscribe,
}

// runAnnounceSubscribe: a SUBSCRIBE reaches the publisher of the namespace, and its SUBSCRIBE_OK the subscriber.
func runAnnounceSubscribe(ctx context.Context, e *Env) error {
	ns := e.Namespace()
	subscriber := e.dialBeside(ctx, "subscriber") // the limit is short for two connections one after the other
	source := e.Dial(ctx, "publisher")
	p := source.publisher(ns, e.TrackName())
	source.Announce(ctx, ns)
	subscriber().SubscribeTo(ctx, p)
	source.Check(ctx, p.waitSubscribed(ctx), transport.LayerRequest,
		"SUBSCRIBE at the publisher (the subscriber has SUBSCRIBE_OK)")
	return nil
}

// announceDelay is how much later than the SUBSCRIBE the namespace is published.
const announceDelay = 500 * time.Millisecond

var subscribeBeforeAnnounce = Case{
	ID: "subscribe-before-announce", Title: "a SUBSCRIBE before the namespace is published is answered",
	Aliases: []string{"subscribe-before-publish-namespace"},
	Topics:  []wire.Topic{wire.TopicSubscribe, wire.TopicSubscribeOK, wire.TopicRequestError},
	Level:   Must, Suite: SuiteStandard, Tags: []string{"namespace", "subscribe"},
	Roles: []string{"subscriber", "publisher"}, Timeout: 3500 * time.Millisecond,
	Faults: []string{"subscribe-before-silent", "subscribe-silent"},
	Run:    runSubscribeBeforeAnnounce,
}

// runSubscribeBeforeAnnounce: the subscriber comes first. Whether a relay holds its SUBSCRIBE is the relay's affair,
// but it must answer it.
func runSubscribeBeforeAnnounce(ctx context.Context, e *Env) error {
	ns := e.Namespace()
	s := e.Dial(ctx, "subscriber")
	sub, err := s.StartSubscribe(ctx, s.subscribeMessage(ns, e.TrackName()))
	s.Check(ctx, err, transport.LayerRequest, "SUBSCRIBE to be sent")
	asked := time.Now()
	type answer struct {
		err   error
		after time.Duration
	}
	answers := make(chan answer, 1)
	e.Go(ctx, func(ctx context.Context) {
		err := sub.Ready(ctx)
		answers <- answer{err, time.Since(asked)}
	})

	source := e.Dial(ctx, "publisher")
	source.publisher(ns, e.TrackName())
	e.Sleep(ctx, announceDelay-time.Since(asked))
	announced := make(chan string, 1)
	e.Go(ctx, func(ctx context.Context) {
		_, err := source.PublishNamespace(ctx, ns, e.Parameters())
		said := source.okName(wire.KindPublishNamespace)
		if err != nil {
			said = e.classify(ctx, err, source, transport.LayerRequest, said).received
		}
		announced <- said
	})

	a := <-answers
	var refused *moqt.RequestError
	switch {
	case a.err == nil:
		e.Annotate("SUBSCRIBE_OK %d ms after SUBSCRIBE", a.after.Milliseconds())
	case errors.As(a.err, &refused):
		e.Annotate("%s %d ms after SUBSCRIBE", refusal(refused), a.after.Milliseconds())
	default:
		s.Check(ctx, a.err, transport.LayerRequest, "SUBSCRIBE_OK or a request error")
	}
	wait := time.NewTimer(announceDelay)
	defer wait.Stop()
	select {
	case said := <-announced:
		e.Note("PUBLISH_NAMESPACE answered: %s", said)
	case <-wait.C:
		e.Note("PUBLISH_NAMESPACE not answered within %s", announceDelay)
	}
	return nil
}
