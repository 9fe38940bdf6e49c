package main

import "github.com/moqinterop/moq-interop-client/runner"

// rulesCmd lists the drafts' rules.
type rulesCmd struct {
	Draft     *string `short:"d" placeholder:"NN,…" help:"Drafts whose rules are wanted. Default: the newest."`
	Relay     bool    `help:"Only rules that bind a relay."`
	Unwatched bool    `help:"Only rules of which this program would see no breach."`
	JSON      bool    `name:"json" help:"As JSON."`
}

// Help teaches.
func (*rulesCmd) Help() string {
	return `A rule is what a draft demands, in our own words, with the sections that have it and who sees a breach:
a case that judges it, or the codec or the session, which judge all that a relay sends. A rule is unwatched when a
relay could break it and every case would pass; it says why. Rules of which no peer can see from outside whether they
are kept are untestable, and say why.

The totals at the end count the rules of each draft, whichever are listed: how many paragraphs of the text have a
MUST, how many rules there are and how many of them are a MUST; of these how many bind a relay, and of these again how
many are untestable, watched (of those that are not untestable), watched by a case that names a fault of the reference
relay, and caught: such a case was seen to fail under its fault on that draft, when all rules, faults and drafts were
walked (.ci/run does). The paragraphs of drafts 20 to 22 are not counted.

Examples:

  moq-interop-client rules --draft 18 --relay --unwatched
  moq-interop-client rules --draft 14,16,18 --json
  moq-interop-client -l --suite all -t rule:prefix-overlap    the cases that judge a rule
`
}

// Run prints.
func (c *rulesCmd) Run(sys *system) error {
	q := runner.RuleQuery{Relay: c.Relay, Unwatched: c.Unwatched}
	if c.Draft != nil {
		var err error
		if q.Drafts, err = parseDrafts(sys.choose(c.Draft, "--draft", "")); err != nil {
			return err
		}
	}
	list := runner.ListRules(q)
	if c.JSON {
		return list.WriteJSON(sys.stdout)
	}
	return list.WriteText(sys.stdout)
}
