package cases

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var rendezvousTimeout = Case{
	ID: "rendezvous-timeout", Title: "SUBSCRIBE with RENDEZVOUS_TIMEOUT ends with TIMEOUT when no publisher comes",
	First: wire.Draft17,
	Rules: []rules.ID{rules.Rendezvous},
	Level: Must, Suite: SuiteStandard, Tags: []string{"subscribe"}, Roles: []string{"subscriber"}, Timeout: CaseLimit,
	Faults: []Fault{
		requestFault("subscribe-accepts-everything", "SUBSCRIBE_OK for a track that nobody publishes"),
		requestFault("subscribe-silent", "nothing for 5000 ms after SUBSCRIBE"),
		requestFault("rendezvous-ignored", "0x10 DOES_NOT_EXIST").should(),
	},
	Run: runRendezvousTimeout,
}

// The RENDEZVOUS_TIMEOUT of a subscriber whose publisher never comes, and how late TIMEOUT may come.
const (
	rendezvousWait  = 500 * time.Millisecond
	rendezvousLimit = 1500 * time.Millisecond
)

// runRendezvousTimeout: a relay should hold the SUBSCRIBE for the time in it, or for a shorter time of its own, and
// then refuse it with TIMEOUT (draft-17 §9.3.4, draft-18 §10.2.6). It must not accept it, since nobody publishes the
// track.
func runRendezvousTimeout(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	m := s.SubscribeMessage(e.Namespace(), e.TrackName())
	m.Parameters.SetUint(wire.ParamRendezvousTimeout, uint64(rendezvousWait.Milliseconds()))
	asked := time.Now()
	_, err := s.Subscribe(step, m)
	after := time.Since(asked)
	const expected = "a request error, TIMEOUT by the text"
	if err == nil {
		e.Fail(transport.LayerRequest, expected, "SUBSCRIBE_OK for a track that nobody publishes")
	}
	var refused *moqt.RequestError
	if !errors.As(err, &refused) {
		s.Check(step, err, transport.LayerRequest, expected)
	}
	said := fmt.Sprintf("%s %d ms after SUBSCRIBE", RefusalText(refused), after.Milliseconds())
	name, _ := wire.RequestErrorCode(refused.Code).Meaning(s.Draft(), refused.Kind)
	limit := time.Duration(float64(rendezvousLimit) * e.cfg.factor())
	e.Should(name == wire.NameTimeout && after <= limit, transport.LayerRequest,
		fmt.Sprintf("TIMEOUT within %d ms for a RENDEZVOUS_TIMEOUT of %d ms", limit.Milliseconds(),
			rendezvousWait.Milliseconds()), said)
	if name == wire.NameTimeout && after < rendezvousWait {
		e.Note("the relay has shortened the wait: %s", said)
	}
	e.Annotate("%s", said)
	return nil
}
