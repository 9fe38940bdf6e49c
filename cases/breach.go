package cases

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// breach is one way to break a rule, as data: who breaks it, with which bytes, and what the peer must do about it. Case
// makes a test case of it. docs/conformance.md says how to add one.
type breach struct {
	// rule is what is broken; of distinguishes several breaches of one rule, "subscribe".
	rule rules.ID
	of   string
	// also are other rules that the same bytes break.
	also []rules.ID
	// what is the breach for people: "a namespace of 33 fields in SUBSCRIBE".
	what string
	// first and last bound the drafts, beside those that have the rule; zero means no bound.
	first, last wire.Draft
	// on is the only transport that it exists on; empty means all.
	on transport.Kind
	// level overrides the rule's.
	level Level
	// as is the role of the session that breaks the rule.
	as role
	// good is the twin of the breach that breaks nothing, and that the session must survive; nil where the role's
	// beginning is all that precedes the breach.
	good act
	// bad is the breach itself.
	bad act
	// want is what must come of it.
	want reaction
	// seen is the rule that the reference relay names for the breach, where it is another, or the request error with
	// which it refuses it where any will do; seenFrom20 the same in 20 and later.
	seen, seenFrom20 rules.ID
	// subscribes is what the SUBSCRIBE of a subscriber has beside what every request has.
	subscribes wire.Parameters
	// seenAny: the rule that it names depends on what of the breach it sees first.
	seenAny []rules.ID
	// faults are other faults than those that all breaches have.
	faults []Fault
	// needsTokens: the peer must store tokens.
	needsTokens bool
	// alone: the breach is of no use against a client.
	alone bool
}

// act is one thing that an offender does: it gives the request that the peer is to answer, nil if there is none.
type act func(ctx context.Context, s *scene) (*asked, error)

// role is what an offender's session is for when it breaks a rule.
type role string

const (
	// asNobody has a connection, and has not sent a setup message.
	asNobody role = "nobody"
	// asClient has a session, and has asked for nothing yet.
	asClient role = "client"
	// asSubscriber has subscribed to a track that an innocent subscriber follows too.
	asSubscriber role = "subscriber"
	// asPublisher has announced a track that an innocent subscriber follows.
	asPublisher role = "publisher"
	// asAsked has announced a track, and has not answered the peer's SUBSCRIBE for it.
	asAsked role = "asked"
	// asFetched is asPublisher, and has been asked by the peer to FETCH.
	asFetched role = "fetched"
	// asWatcher has subscribed to a namespace prefix.
	asWatcher role = "watcher"
	// asOffered has asked for the tracks of a namespace, and has not answered the peer's PUBLISH of one.
	asOffered role = "offered"
)

// reaction is what a peer does about a breach.
type reaction struct {
	// closed: it closes the session with one of codes; with any code when there are none.
	closed bool
	codes  []wire.SessionError
	// refused: it refuses the request with this error; any error will do when the name is empty. The session lives on.
	refused bool
	name    wire.ErrorName
	// done: behind the error the subscription ends with PUBLISH_DONE of this name.
	done wire.ErrorName
	// malformed: it may give up the track with MALFORMED_TRACK; the session lives on.
	malformed bool
	// none of these: nothing comes of it; the session lives on.
	// ended: the peer may do it by ending the request's stream instead.
	ended bool
}

// The reactions.
var (
	violation = closedWithCode(wire.ProtocolViolation)
	anyClose  = reaction{closed: true}
	tolerated = reaction{}
	malformed = reaction{malformed: true}
	anyError  = reaction{refused: true}
)

func closedWithCode(codes ...wire.SessionError) reaction { return reaction{closed: true, codes: codes} }

func refusedAs(name wire.ErrorName) reaction { return reaction{refused: true, name: name} }

// text says what is wanted, in a draft.
func (r *reaction) text(d wire.Draft, kind wire.Kind) string {
	switch {
	case r.closed && len(r.codes) == 0:
		return "the session closed"
	case r.closed:
		var names []string
		for _, c := range r.codes {
			names = append(names, c.In(d))
		}
		return "the session closed with " + strings.Join(names, " or ")
	case r.refused && r.name == "":
		return "a request error, in a session that goes on"
	case r.refused:
		code, _ := wire.RequestErrorFor(d, kind, r.name)
		return "a request error " + code.In(d, kind) + ", in a session that goes on"
	}
	if r.malformed {
		return "the track given up with MALFORMED_TRACK or not at all, in a session that goes on"
	}
	return "a session that goes on"
}

// SuiteConformance is what a peer must refuse, and what it must put up with; SuiteEverything is that and SuiteAll.
const (
	SuiteConformance = "conformance"
	SuiteEverything  = "everything"
)

// id is the case's.
func (b *breach) id() string {
	id := "breach-" + string(b.rule)
	if b.of != "" {
		id += "-" + b.of
	}
	return id
}

// Case is the breach as a test case.
func (b *breach) Case() Case {
	r, ok := rules.Find(b.rule)
	if !ok {
		panic(fmt.Sprintf("cases: there is no rule %q", b.rule))
	}
	level := b.levelOf(r)
	c := Case{ID: b.id(), Title: b.title(), Rules: append([]rules.ID{b.rule}, b.also...), Level: level,
		Suite: SuiteConformance,
		Tags:  []string{SuiteConformance, string(b.as)}, Roles: b.roles(), Timeout: breachLimit}
	for _, d := range wire.Drafts() {
		if len(r.Sections(int(d))) > 0 && (b.first == 0 || d >= b.first) && (b.last == 0 || d <= b.last) {
			if c.First == 0 || d < c.First {
				c.First = d
			}
			c.Last = max(c.Last, d)
		}
	}
	if c.First == 0 {
		panic(fmt.Sprintf("cases: %s exists in no draft", c.ID))
	}
	if c.Last == wire.Newest {
		c.Last = 0
	}
	if b.on != "" {
		c.Transports = []transport.Kind{b.on}
	}
	c.Faults, c.Run = b.allFaults(level), b.run
	return c
}

// breachLimit bounds the procedure of a breach.
const breachLimit = 20 * time.Second

// title is the breach and what must come of it.
func (b *breach) title() string {
	text := strings.ToUpper(b.what[:1]) + b.what[1:]
	switch {
	case b.want.closed && len(b.want.codes) == 0:
		return text + " closes the session"
	case b.want.closed:
		return text + " closes the session with " + b.want.codes[0].Name(wire.Draft18)
	case b.want.refused && b.want.name == "":
		return text + " is refused"
	case b.want.refused:
		return text + " is refused with " + string(b.want.name)
	case b.want.malformed:
		return text + " makes the track malformed, and closes nothing"
	}
	return text + " is tolerated"
}

func (b *breach) levelOf(r rules.Rule) Level {
	switch {
	case b.level != "":
		return b.level
	case r.Level == rules.Must:
		return Must
	case r.Level == rules.Should:
		return Should
	}
	return Probe
}

// roles are the sessions of the case, in the order in which they are made.
func (b *breach) roles() []string {
	if b.as == asSubscriber {
		return []string{"publisher", "innocent", "offender"}
	}
	return []string{"innocent", "offender"}
}

// allFaults are the faults that must make the case fail: the breach let through, answered with the wrong code, and
// taken out on the innocent session.
func (b *breach) allFaults(level Level) []Fault {
	key := string(cmp.Or(b.seen, b.rule))
	if b.want.refused && b.want.name != "" {
		key = string(b.want.name)
	}
	fault := func(kind, says string) Fault { return requestFault(kind+":"+key, says) }
	spread := fault("spread", innocentLost).or(transport.LayerData) // it may be lost while its track is followed
	all := slices.Clone(b.faults)
	switch {
	case level == Probe:
		all = append(all, spread)
	case b.want.closed:
		all = append(all, fault("swallow", "a session that is open"), spread)
		if len(b.want.codes) > 0 {
			all = append(all, fault("miscode", "with 0x1 INTERNAL_ERROR"))
		}
	case b.want.refused:
		all = append(all, spread)
		if b.want.done == "" {
			all = append(all, fault("swallow", "nothing"))
		}
		if b.want.name != "" {
			all = append(all, fault("miscode", "0x0 INTERNAL_ERROR"))
		}
		if b.want.done != "" {
			all = append(all, requestFault("swallow:"+string(b.rule), "nothing in time"))
		}
	case b.want.malformed:
		all = append(all, requestFault("malformed-code-wrong", "PUBLISH_DONE with 0x0 INTERNAL_ERROR"),
			requestFault("malformed-closes", `connection closed by the peer with 0x3 PROTOCOL_VIOLATION`))
	default:
		all = append(all, fault("strict", "connection closed by the peer with 0x3 PROTOCOL_VIOLATION"))
	}
	if len(b.seenAny) > 0 {
		all = slices.DeleteFunc(all, func(f Fault) bool { return strings.Contains(f.Name, ":") })
		all = append(all, requestFault("close-code-wrong", "with 0x1 INTERNAL_ERROR"))
	}
	if b.seenFrom20 != "" {
		for _, f := range slices.Clone(all) {
			f.Name, _, _ = strings.Cut(f.Name, ":")
			f.Name += ":" + string(b.seenFrom20)
			all = append(all, f.from(wire.Draft20))
		}
		for i := range all[:len(all)/2] {
			all[i].Last = wire.Draft19
		}
	}
	if level == Should {
		for i := range all {
			all[i].Should = !strings.HasPrefix(all[i].Name, "spread:")
		}
	}
	return all
}

// innocentLost is what a failure says when an innocent session has ended.
const innocentLost = `connection closed by the peer with 0x1 INTERNAL_ERROR "fault"`

// run is the procedure: the role's beginning, the good twin, the breach, and what came of it for both sessions.
func (b *breach) run(ctx context.Context, e *Env) error {
	s := &scene{e: e, b: b}
	defer func() {
		if s.x != nil {
			s.x.close()
		}
	}()
	s.enter(ctx)
	if b.good != nil {
		s.survive(ctx)
	}
	s.offend(ctx)
	s.innocence(ctx)
	return nil
}
