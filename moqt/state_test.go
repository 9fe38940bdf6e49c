package moqt

import (
	"errors"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestRequestMachines pins what each machine allows, event by event; what is not listed is a PROTOCOL_VIOLATION.
func TestRequestMachines(t *testing.T) {
	type row = map[requestEvent]requestState
	pending := row{onOK: stateEstablished, onError: stateRefused, onUpdate: statePending, onGoaway: statePending,
		onCancel: stateCancelled}
	established := row{onUpdate: stateEstablished, onAnswer: stateEstablished, onGoaway: stateEstablished,
		onCancel: stateCancelled}
	with := func(base, more row) row {
		out := row{}
		for _, r := range []row{base, more} {
			for e, s := range r {
				out[e] = s
			}
		}
		return out
	}
	want := map[wire.Kind]map[requestState]row{
		wire.KindSubscribe: {statePending: pending,
			stateEstablished: with(established, row{onDone: stateDone, onNotify: stateEstablished})},
		wire.KindPublish: {statePending: with(pending, row{onDone: stateDone, onNotify: statePending,
			onAnswer: statePending}),
			stateEstablished: with(established, row{onDone: stateDone, onNotify: stateEstablished})},
		wire.KindFetch:            {statePending: pending, stateEstablished: established},
		wire.KindTrackStatus:      {statePending: with(pending, row{onOK: stateDone})},
		wire.KindPublishNamespace: {statePending: pending, stateEstablished: established},
		wire.KindSubscribeNamespace: {statePending: pending,
			stateEstablished: with(established, row{onNames: stateEstablished})},
		wire.KindSubscribeTracks: {statePending: pending,
			stateEstablished: with(established, row{onNames: stateEstablished})},
	}
	for kind, states := range want {
		m := requestMachines[kind]
		for state, row := range states {
			for e := onOK; e <= onCancel; e++ {
				next, err := m.next(state, e)
				expected, ok := row[e]
				if ok != (err == nil) || ok && next != expected || !ok && next != state {
					t.Errorf("%s: %s in state %s gives %s, %v", kind, e, state, next, err)
				}
				var breach *wire.Error
				if !ok && (!errors.As(err, &breach) || breach.Code != wire.ProtocolViolation || breach.Reason == "") {
					t.Errorf("%s: %s in state %s: %v", kind, e, state, err)
				}
			}
		}
		for e := onOK; e <= onCancel; e++ {
			if next, err := m.next(stateCancelled, e); next != stateCancelled || err != nil {
				t.Errorf("%s: %s after a cancellation: %v", kind, e, err)
			}
			for _, over := range []requestState{stateRefused, stateDone} {
				if next, _ := m.next(over, e); next != over {
					t.Errorf("%s: %s moves what is %s to %s", kind, e, over, next)
				}
			}
		}
		for _, e := range []requestEvent{onOK, onError} {
			if _, err := m.next(stateRefused, e); err == nil {
				t.Errorf("%s: a second response is let pass", kind)
			}
		}
	}
	if len(want) != len(requestMachines) {
		t.Errorf("%d machines, %d tested", len(requestMachines), len(want))
	}
}

func TestNamespaceMachine(t *testing.T) {
	state := namespaceUnknown
	for i, step := range []struct {
		e  namespaceEvent
		ok bool
	}{{onNamespaceDone, false}, {onNamespace, true}, {onNamespace, true}, {onNamespaceDone, true},
		{onNamespaceDone, false}, {onNamespace, true}} {
		next, err := namespaceMachine.next(state, step.e)
		if (err == nil) != step.ok {
			t.Errorf("step %d: %v", i, err)
		}
		state = next
	}
}

func TestGoawayMachine(t *testing.T) {
	state, err := goawayMachine.next(goawayNone, goawayEvent{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := goawayMachine.next(state, goawayEvent{}); err == nil {
		t.Error("a second GOAWAY is let pass")
	}
}

// TestUpdatable pins who may update what, draft by draft.
func TestUpdatable(t *testing.T) {
	all := []wire.Kind{wire.KindSubscribe, wire.KindPublish, wire.KindFetch, wire.KindTrackStatus,
		wire.KindPublishNamespace, wire.KindSubscribeNamespace}
	bySender := func(d wire.Draft) []bool { // in the order of all
		switch {
		case d < wire.Draft16:
			return []bool{true, false, false, false, false, false}
		case d == wire.Draft16:
			return []bool{true, true, true, true, true, true}
		}
		return []bool{true, true, true, false, true, true}
	}
	for _, d := range wire.Drafts() {
		for i, kind := range all {
			if got := updatable(d, kind, true); got != bySender(d)[i] {
				t.Errorf("%s: %s by its sender: %v", d, kind, got)
			}
			if got := updatable(d, kind, false); got != (kind == wire.KindPublish) {
				t.Errorf("%s: %s by its receiver: %v", d, kind, got)
			}
		}
	}
}

// TestCodes: symbolic codes have the draft's number, or that of what is nearest; plain numbers stay; names come from
// the draft.
func TestCodes(t *testing.T) {
	for _, test := range []struct {
		d    wire.Draft
		kind wire.Kind
		code RejectCode
		want uint64
		name string
	}{
		{14, wire.KindSubscribe, RejectDoesNotExist, 0x4, "TRACK_DOES_NOT_EXIST"},
		{14, wire.KindSubscribeNamespace, RejectDoesNotExist, 0x4, "NAMESPACE_PREFIX_UNKNOWN"},
		{14, wire.KindPublish, RejectDoesNotExist, 0x4, "UNINTERESTED"},
		{16, wire.KindPublish, RejectDoesNotExist, 0x10, "DOES_NOT_EXIST"},
		{14, wire.KindSubscribeNamespace, RejectPrefixOverlap, 0x5, "NAMESPACE_PREFIX_OVERLAP"},
		{15, wire.KindSubscribeNamespace, RejectPrefixOverlap, 0x30, "PREFIX_OVERLAP"},
		{14, wire.KindFetch, RejectExcessiveLoad, 0x0, "INTERNAL_ERROR"},
		{16, wire.KindFetch, RejectGoingAway, 0x0, "INTERNAL_ERROR"},
		{17, wire.KindFetch, RejectGoingAway, 0x6, "GOING_AWAY"},
		{17, wire.KindPublish, RejectUnsupportedExtension, 0x3, "NOT_SUPPORTED"},
		{18, wire.KindPublish, RejectUnsupportedExtension, 0x33, "UNSUPPORTED_EXTENSION"},
		{20, wire.KindFetch, RejectInvalidJoiningRequestID, 0x10, "DOES_NOT_EXIST"},
		{14, wire.KindPublish, RejectExpiredAuthToken, 0x1, "UNAUTHORIZED"},
		{22, wire.KindFetch, 404, 404, ""},
	} {
		got := test.code.Number(test.d, test.kind)
		if name := RejectName(test.d, test.kind, got); got != test.want || name != test.name {
			t.Errorf("%s %s: 0x%x %s, want 0x%x %s", test.d, test.kind, got, name, test.want, test.name)
		}
	}
	if a, b := DoneExpired.Number(17), DoneExpired.Number(18); a != 0x5 || b != 0x6 ||
		DoneName(18, 0x5) != "TOO_FAR_BEHIND" {
		t.Errorf("EXPIRED is 0x%x and 0x%x", a, b)
	}
	if n := DoneSubscriptionEnded.Number(20); n != 0x2 {
		t.Errorf("SUBSCRIPTION_ENDED in 20 is 0x%x", n)
	}
	if a, b, c := ResetMalformedTrack.Number(14), ResetMalformedTrack.Number(16), ResetGoingAway.Number(17); a != 1 ||
		b != 0x12 || c != 1 {
		t.Errorf("resets 0x%x, 0x%x, 0x%x", a, b, c)
	}
	if n := ResetCode(77).Number(14); n != 77 {
		t.Errorf("77 became %d", n)
	}
	for i, name := range rejectMeanings {
		if n, ok := wire.RequestErrorFor(wire.Draft19, wire.KindFetch, name); ok &&
			RejectCode(symbolic+uint64(i)).Number(wire.Draft19, wire.KindFetch) != uint64(n) {
			t.Errorf("%s is out of order", name)
		}
	}
}
