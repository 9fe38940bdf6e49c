package cases

import (
	"context"
	"errors"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var subscribeError = Case{
	ID: "subscribe-error", Title: "SUBSCRIBE to a track that does not exist is refused",
	Rules: []rules.ID{rules.UnknownTrack, rules.OneAnswer},
	Level: Must, Suite: SuiteStandard, Tags: []string{"subscribe"}, Roles: []string{"subscriber"},
	Timeout: 2 * time.Second,
	Faults: []Fault{
		requestFault("subscribe-accepts-everything", "SUBSCRIBE_OK for a track that does not exist"),
		requestFault("request-error-wrong-type", "does not answer SUBSCRIBE").until(wire.Draft14),
		requestFault("subscribe-error-zero", "0x0 INTERNAL_ERROR"),
		requestFault("subscribe-silent", "nothing for 2000 ms after SUBSCRIBE"),
	},
	Run: runSubscribeError,
}

// runSubscribeError: SUBSCRIBE to a track that does not exist. The code on the wire decides. INTERNAL_ERROR says
// nothing about the track; any other code refuses it. The message names the code where the draft has another one for
// this.
func runSubscribeError(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "subscriber")
	const expected = "a request error that is not 0x0 INTERNAL_ERROR"
	_, err := s.Subscribe(ctx, s.SubscribeMessage(e.Namespace(), e.TrackName()))
	if err == nil {
		e.Fail(transport.LayerRequest, expected, "SUBSCRIBE_OK for a track that does not exist")
	}
	var refused *moqt.RequestError
	if !errors.As(err, &refused) || refused.Code == 0 {
		s.Check(ctx, err, transport.LayerRequest, expected)
	}
	want, _ := wire.RequestErrorFor(s.Draft(), wire.KindSubscribe, wire.NameDoesNotExist)
	if refused.Code == uint64(want) {
		e.Annotate("%s", RefusalText(refused))
	} else {
		e.Annotate("%s; the draft's own code for a track that does not exist is %s", RefusalText(refused),
			want.In(s.Draft(), wire.KindSubscribe))
	}
	return nil
}

var announceSubscribe = Case{
	ID: "announce-subscribe", Title: "SUBSCRIBE reaches the publisher of its namespace",
	Aliases: []string{"publish-namespace-subscribe"},
	Rules:   []rules.ID{rules.Routing, rules.Upstream, rules.OneAnswer, rules.SubscribeOKFirst},
	Level:   Must, Suite: SuiteStandard, Tags: []string{"namespace", "subscribe"},
	Roles: []string{"publisher", "subscriber"}, Timeout: 3 * time.Second,
	Faults: []Fault{
		requestFault("refuse-not-supported", "0x3 NOT_SUPPORTED"),
		requestFault("refuse-unauthorized", "0x1 UNAUTHORIZED"),
		requestFault("subscribe-ok-wrong-type", "does not answer SUBSCRIBE"),
		requestFault("route-nowhere", "(the publisher has seen no request for the track)"),
		requestFault("subscribe-ok-without-publisher", "nothing for 3000 ms after"),
		requestFault("subscribe-silent", "nothing for 3000 ms after SUBSCRIBE"),
	},
	Run: runAnnounceSubscribe,
}

// runAnnounceSubscribe: a SUBSCRIBE reaches the publisher of the namespace, and the subscriber gets SUBSCRIBE_OK.
func runAnnounceSubscribe(ctx context.Context, e *Env) error {
	ns := e.Namespace()
	subscriber := e.DialBeside(ctx, "subscriber") // the limit is short for two connections one after the other
	source := e.Dial(ctx, "publisher")
	p := source.Publisher(ns, e.TrackName())
	source.Announce(ctx, ns)
	subscriber().SubscribeTo(ctx, p)
	source.Check(ctx, p.WaitSubscribed(ctx), transport.LayerRequest,
		"SUBSCRIBE at the publisher (the subscriber has SUBSCRIBE_OK)")
	return nil
}

// announceDelay is the time between the SUBSCRIBE and the PUBLISH_NAMESPACE.
const announceDelay = 500 * time.Millisecond

var subscribeBeforeAnnounce = Case{
	ID: "subscribe-before-announce", Title: "SUBSCRIBE is answered when its namespace is published later",
	Aliases: []string{"subscribe-before-publish-namespace"},
	Rules:   []rules.ID{rules.OneAnswer},
	Level:   Must, Suite: SuiteStandard, Tags: []string{"namespace", "subscribe"},
	Roles: []string{"subscriber", "publisher"}, Timeout: 3500 * time.Millisecond,
	Faults: []Fault{
		requestFault("subscribe-before-silent", "nothing for 3500 ms after SUBSCRIBE"),
		requestFault("subscribe-silent", "nothing for 3500 ms after SUBSCRIBE"),
	},
	Run: runSubscribeBeforeAnnounce,
}

// runSubscribeBeforeAnnounce: the subscriber comes first. A relay may hold its SUBSCRIBE or not, but must answer it.
func runSubscribeBeforeAnnounce(ctx context.Context, e *Env) error {
	ns := e.Namespace()
	s := e.Dial(ctx, "subscriber")
	sub, err := s.StartSubscribe(ctx, s.SubscribeMessage(ns, e.TrackName()))
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
	source.Publisher(ns, e.TrackName())
	e.Sleep(ctx, announceDelay-time.Since(asked))
	announced := make(chan string, 1)
	e.Go(ctx, func(ctx context.Context) {
		_, err := source.PublishNamespace(ctx, ns, e.Parameters())
		said := source.OKName(wire.KindPublishNamespace)
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
		e.Annotate("%s %d ms after SUBSCRIBE", RefusalText(refused), a.after.Milliseconds())
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
