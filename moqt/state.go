package moqt

import (
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// This file holds the state machines of the session as tables: (state, event) -> (state, error). They know no streams
// and no draft's bytes.

// machine is a table of the steps that are allowed; what is not in it is a breach.
type machine[S, E comparable] struct {
	steps map[S]map[E]S
	// breach says what is wrong about an event that the table does not have in a state, and which rule it breaks.
	breach func(S, E) (string, rules.ID)
}

// next gives the state after an event, or what is wrong about it.
func (m machine[S, E]) next(s S, e E) (S, error) {
	if to, ok := m.steps[s][e]; ok {
		return to, nil
	}
	why, rule := m.breach(s, e)
	return s, &wire.Error{Message: "state", Code: wire.ProtocolViolation, Rule: rule, Reason: why}
}

// requestState is where a request is, as seen by either end.
type requestState uint8

const (
	// statePending: sent, not answered. Pending (Subscriber) and Pending (Publisher) of draft-18 §5.1.
	statePending requestState = iota
	// stateEstablished: answered with an OK.
	stateEstablished
	// stateRefused: answered with an error.
	stateRefused
	// stateDone: over by the publisher's PUBLISH_DONE, or by the answer where that is all.
	stateDone
	// stateCancelled: cancelled by either end; what was on its way is passed over.
	stateCancelled
)

func (s requestState) String() string {
	return [...]string{"pending", "established", "refused", "done", "cancelled"}[s]
}

// requestEvent is what happens to a request.
type requestEvent uint8

const (
	onOK     requestEvent = iota // the OK that answers the request
	onError                      // the error that does
	onUpdate                     // an update of the request
	onAnswer                     // an answer to an update
	onDone                       // PUBLISH_DONE
	onNotify                     // PUBLISH_STATE_NOTIFY
	onNames                      // NAMESPACE, NAMESPACE_DONE, PUBLISH_SKIPPED
	onGoaway                     // GOAWAY on the request's stream
	onCancel                     // the cancellation of 14-16's messages, RESET_STREAM or STOP_SENDING
)

func (e requestEvent) String() string {
	return [...]string{"an OK", "an error", "an update", "an answer to an update", "PUBLISH_DONE",
		"PUBLISH_STATE_NOTIFY",
		"a message about names", "GOAWAY", "a cancellation"}[e]
}

type steps = map[requestEvent]requestState

// cancelled: whatever the other end sent before it knew is not its fault.
var cancelledSteps = steps{onOK: stateCancelled, onError: stateCancelled, onUpdate: stateCancelled,
	onAnswer: stateCancelled, onDone: stateCancelled,
	onNotify: stateCancelled, onNames: stateCancelled, onGoaway: stateCancelled, onCancel: stateCancelled}

// refusedSteps: an update or a cancellation may have crossed the error.
var refusedSteps = steps{onUpdate: stateRefused, onCancel: stateRefused, onGoaway: stateRefused}

// doneSteps: updates, their answers and cancellations may have crossed PUBLISH_DONE.
var doneSteps = steps{onUpdate: stateDone, onAnswer: stateDone, onCancel: stateDone, onGoaway: stateDone}

// requestMachines has the machine of each kind of request (draft-18 §5.1, §6.1, §6.2).
var requestMachines = func() map[wire.Kind]machine[requestState, requestEvent] {
	plain := func(answered requestState, more steps) machine[requestState, requestEvent] {
		established := steps{onUpdate: stateEstablished, onAnswer: stateEstablished, onGoaway: stateEstablished,
			onCancel: stateCancelled}
		for e, s := range more {
			established[e] = s
		}
		return machine[requestState, requestEvent]{
			steps: map[requestState]steps{
				statePending: {onOK: answered, onError: stateRefused, onUpdate: statePending,
					onGoaway: statePending, onCancel: stateCancelled},
				stateEstablished: established,
				stateRefused:     refusedSteps,
				stateDone:        doneSteps,
				stateCancelled:   cancelledSteps,
			},
			breach: requestBreach,
		}
	}
	subscribe := plain(stateEstablished, steps{onDone: stateDone, onNotify: stateEstablished})
	publish := plain(stateEstablished, steps{onDone: stateDone, onNotify: stateEstablished})
	// The publisher may go before it is answered (draft-18 §5.1), and the objects that it may send until then need
	// updates and notices too.
	publish.steps[statePending][onDone] = stateDone
	publish.steps[statePending][onNotify] = statePending
	publish.steps[statePending][onAnswer] = statePending
	publish.steps[stateDone] = steps{onOK: stateDone, onError: stateDone, onUpdate: stateDone, onAnswer: stateDone,
		onCancel: stateDone, onGoaway: stateDone}
	names := plain(stateEstablished, steps{onNames: stateEstablished})
	return map[wire.Kind]machine[requestState, requestEvent]{
		wire.KindSubscribe:          subscribe,
		wire.KindPublish:            publish,
		wire.KindFetch:              plain(stateEstablished, nil),
		wire.KindTrackStatus:        plain(stateDone, nil),
		wire.KindPublishNamespace:   plain(stateEstablished, nil),
		wire.KindSubscribeNamespace: names,
		wire.KindSubscribeTracks:    names,
	}
}()

func requestBreach(s requestState, e requestEvent) (string, rules.ID) {
	if (e == onOK || e == onError) && s != statePending {
		return "a second response to one request", rules.SecondAnswer
	}
	if s == statePending {
		return e.String() + " before the response", rules.MessageStream
	}
	return e.String() + " for a request that is " + s.String(), rules.MessageStream
}

// namespaceState is what a subscriber of a prefix knows of one namespace.
type namespaceState uint8

const (
	namespaceUnknown namespaceState = iota
	namespaceKnown
)

// namespaceEvent is NAMESPACE or NAMESPACE_DONE.
type namespaceEvent uint8

const (
	onNamespace namespaceEvent = iota
	onNamespaceDone
)

// namespaceMachine: NAMESPACE_DONE needs an earlier NAMESPACE (draft-16 §9.25, draft-18 §10.18). NAMESPACE again is not
// forbidden.
var namespaceMachine = machine[namespaceState, namespaceEvent]{
	steps: map[namespaceState]map[namespaceEvent]namespaceState{
		namespaceUnknown: {onNamespace: namespaceKnown},
		namespaceKnown:   {onNamespace: namespaceKnown, onNamespaceDone: namespaceUnknown},
	},
	breach: func(namespaceState, namespaceEvent) (string, rules.ID) {
		return "NAMESPACE_DONE without an earlier NAMESPACE", rules.NamespaceDoneOrder
	},
}

// goawayState is whether GOAWAY has come on one stream.
type goawayState uint8

const (
	goawayNone goawayState = iota
	goawayReceived
)

type goawayEvent struct{}

// goawayMachine: once per stream (draft-18 §10.4).
var goawayMachine = machine[goawayState, goawayEvent]{
	steps: map[goawayState]map[goawayEvent]goawayState{goawayNone: {goawayEvent{}: goawayReceived}},
	breach: func(goawayState, goawayEvent) (string, rules.ID) {
		return "a second GOAWAY on one stream", rules.GoawayOnce
	},
}

// updatable says whether a request of that kind may be updated by its sender, or by its receiver (draft-14 §9.10,
// draft-16 §9.11, draft-17 §9.10, draft-19 §10.9).
func updatable(d wire.Draft, kind wire.Kind, bySender bool) bool {
	if kind == wire.KindPublish && (!bySender || d >= wire.Draft16) {
		return true // the subscriber may update what PUBLISH made
	}
	if !bySender {
		return false
	}
	switch kind {
	case wire.KindSubscribe:
		return true
	case wire.KindTrackStatus:
		return d == wire.Draft16
	case wire.KindFetch, wire.KindPublishNamespace, wire.KindSubscribeNamespace, wire.KindSubscribeTracks:
		return d >= wire.Draft16
	}
	return false
}

// finCancels says whether FIN by the sender of the request cancels it (draft-16 §6.1, draft-17 §6.1, draft-18 §6.1;
// from 19 on it never does).
func finCancels(d wire.Draft, kind wire.Kind) bool {
	return (kind == wire.KindSubscribeNamespace || kind == wire.KindSubscribeTracks) && d <= wire.Draft18
}

// answerKind is the kind of OK that answers a kind of request.
func answerKind(kind wire.Kind) wire.Kind {
	switch kind {
	case wire.KindSubscribe:
		return wire.KindSubscribeOK
	case wire.KindFetch:
		return wire.KindFetchOK
	}
	return wire.KindRequestOK
}
