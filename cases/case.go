package cases

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Level says what a case's verdict rests on.
type Level string

// The levels.
const (
	// Must: the draft demands it; a breach is a failure.
	Must Level = "MUST"
	// Should: the draft recommends it; a breach is an expected failure (TODO) unless the run is strict.
	Should Level = "SHOULD"
	// Probe: the draft leaves it open; what the relay does is recorded.
	Probe Level = "probe"
)

// The suites. Every standard case is in suite all too.
const (
	SuiteStandard = "standard"
	SuiteAll      = "all"
)

// Case is one test case. Values are immutable and safe for concurrent use.
type Case struct {
	// ID is the stable identifier, Title one line for people.
	ID, Title string
	// Aliases are the names other clients use for it.
	Aliases []string
	// Rules are what the verdict rests on; Sections says where a draft has them.
	Rules []rules.ID
	// First and Last bound the drafts it applies to; zero means no bound.
	First, Last wire.Draft
	// Transports it applies to; empty means all.
	Transports []transport.Kind
	// Level is what its main verdict rests on.
	Level Level
	// Suite is the smallest suite it belongs to.
	Suite string
	// Tags group cases by topic.
	Tags []string
	// Roles names the connections, in the order in which they are made. Only a case with a single role has one
	// connection id for its whole result.
	Roles []string
	// Timeout limits the procedure. The handshakes have limits of their own, and the time that the path takes does not
	// count. Config.TimeoutFactor stretches it.
	Timeout time.Duration
	// Ending is true for a case about how a session ends: it judges the end itself. Any other case fails when a session
	// ends before the case has closed it.
	Ending bool
	// Requests is how many requests a session grants the relay to begin with in 14 to 16; 0 is moqt's default.
	Requests uint64
	// Setup is further options of the sessions' SETUP.
	Setup wire.Properties
	// Lags is true for a case whose subscriber takes less than there is. The relay may give such a subscriber up. It
	// does not apply to a transport that reads ahead.
	Lags bool
	// Stranger is the role whose session offers drafts other than the run's; empty when every session offers the run's.
	Stranger string
	// Faults are the reference relay's faults that must make the case fail. A case that no fault can fail proves
	// nothing.
	Faults []Fault
	// Run is the procedure. It returns nil for a pass; the verbs of Env end it early.
	Run func(ctx context.Context, e *Env) error
}

// topicCase is a case of what the texts demand, outside of the standard suite, of a publisher and a subscriber.
func topicCase(id, title string, faults []Fault, run func(ctx context.Context, e *Env) error, what []rules.ID,
	tags ...string) Case {
	return Case{
		ID: id, Title: title, Rules: what, Level: Must, Suite: SuiteAll, Tags: tags,
		Roles: []string{"publisher", "subscriber"}, Timeout: CaseLimit, Faults: faults, Run: run,
	}
}

// from and until bound the drafts of a case.
func (c Case) from(d wire.Draft) Case {
	c.First = d
	return c
}

func (c Case) until(d wire.Draft) Case {
	c.Last = d
	return c
}

// among sets the roles of a case.
func (c Case) among(roles ...string) Case {
	c.Roles = roles
	return c
}

// Sections is where a draft has the rules that the verdict rests on, "draft-16 §9.3, §3.3"; "" for draft 0.
func (c *Case) Sections(d wire.Draft) string { return rules.Cite(d, c.Rules...) }

// Applies reports whether the case applies to a draft.
func (c *Case) Applies(d wire.Draft) bool {
	return (c.First == 0 || c.First <= d) && (c.Last == 0 || d <= c.Last)
}

// appliesTo reports whether the case applies to a transport. In memory every case does.
func (c *Case) appliesTo(k transport.Kind) bool {
	return len(c.Transports) == 0 || k == transport.Memory || slices.Contains(c.Transports, k)
}

// DraftRange is the drafts a case applies to, for people: "draft-18", "drafts 14 to 22".
func (c *Case) DraftRange() string {
	first, last := max(c.First, wire.Oldest), c.Last
	if last == 0 {
		last = wire.Newest
	}
	if first == last {
		return first.String()
	}
	return fmt.Sprintf("drafts %d to %d", first, last)
}

// All gives every case of what is legal, the standard suite first. The caller owns the slice.
func All() []Case { return slices.Clone(list) }

// Everything gives every case there is: All, then those of the conformance suite.
func Everything() []Case { return slices.Concat(list, conformance()) }

// Suite gives the cases of a suite, in order; nil for an unknown name.
func Suite(name string) []Case {
	switch name {
	case SuiteAll:
		return All()
	case SuiteConformance:
		return slices.Clone(conformance())
	case SuiteEverything:
		return Everything()
	case SuiteStandard:
		return slices.DeleteFunc(All(), func(c Case) bool { return c.Suite != SuiteStandard })
	}
	return nil
}

// Suites lists the names that Suite knows.
func Suites() []string { return []string{SuiteStandard, SuiteAll, SuiteConformance, SuiteEverything} }

// Find gives the case with an identifier or alias.
func Find(name string) (Case, bool) {
	for _, suite := range []func() []Case{func() []Case { return list }, conformance} {
		all := suite()
		if i := slices.IndexFunc(all, func(c Case) bool {
			return c.ID == name || slices.Contains(c.Aliases, name)
		}); i >= 0 {
			return all[i], true
		}
	}
	return Case{}, false
}
