package matrix

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// repeated joins a first attempt and its repetition, which tells flaky from failed and nothing else: no failure becomes
// a pass. The second return value says why the cell is flaky although no case may be: the first attempt broke as a
// whole, and the second did not.
func repeated(first, second outcome) (outcome, string) {
	out := first
	out.notes = slices.Clone(first.notes)
	out.died = cmp.Or(first.died, second.died)
	if second.down != "" {
		out.note("it could not be repeated: %s", second.down)
		return out, ""
	}
	for _, note := range second.notes { // those of a single case have its name before them
		if !slices.ContainsFunc(first.notes, func(n string) bool {
			return note == n ||
				strings.HasSuffix(note, ": "+n)
		}) {
			out.note("repeated: %s", note)
		}
	}
	out.header = slices.Clone(first.header)
	for _, d := range second.header {
		if !slices.Contains(out.header, d) {
			out.header = append(out.header, d)
		}
	}
	out.cases = nil
	for _, c := range first.cases {
		if i := slices.IndexFunc(second.cases, func(s CaseResult) bool { return s.Name == c.Name }); i >= 0 {
			c = again(c, second.cases[i], first.bailed)
		}
		out.cases = append(out.cases, c)
	}
	why := first.broke()
	if why == "" {
		return out, ""
	}
	if now := second.broke(); now != "" {
		if now != why {
			out.note("repeated: %s", now)
		}
		return out, ""
	}
	out.cases = slices.DeleteFunc(out.cases, CaseResult.unnamed)
	for _, c := range second.cases { // the first attempt did not get as far as naming it
		if !slices.ContainsFunc(out.cases, func(o CaseResult) bool { return o.Name == c.Name }) {
			out.cases = append(out.cases, c)
		}
	}
	out.problem, out.bail, out.bailed, out.exit = "", "", false, second.exit
	return out, "the first attempt: " + why
}

// broke says why an attempt did not report on each of its cases; empty when it did.
func (o *outcome) broke() string {
	switch {
	case o.problem != "":
		return o.problem
	case o.bailed:
		return "Bail out! " + o.bail
	case slices.ContainsFunc(o.cases, CaseResult.unnamed):
		return "the client ended before its last case; " + exitText(o.exit)
	}
	return ""
}

// unnamed reports whether nobody knows which case it was: a number of the plan that has no point.
func (c CaseResult) unnamed() bool {
	return strings.HasPrefix(c.Name, "(point ") && c.Status == Missing
}

// again joins two attempts at a case. bailed says that the first attempt gave up, so that a missing case was never
// tried.
func again(first, second CaseResult, bailed bool) CaseResult {
	bad := func(s Status) bool { return s == Fail || s == Missing }
	out, other := first, second
	switch {
	case first.Status == Missing && bailed && second.Status != Missing:
		return second
	case first.Status == Missing && second.Status == Fail:
		out, other = second, first
	case bad(first.Status) && bad(second.Status):
		if first.Status == Fail && second.Status == Fail && second.Message != first.Message && second.Message != "" {
			out.Notes = append(slices.Clone(out.Notes), "repeated: "+second.Message)
		}
	case bad(first.Status):
		out.Status = Flaky
		out.Notes = append(slices.Clone(out.Notes), "repeated: "+string(second.Status))
	case second.Status == Fail: // the repetition of a whole
		out, other = second, first
		out.Status = Flaky
		out.Notes = append(slices.Clone(out.Notes), "the first time: "+string(first.Status))
	default:
		return first
	}
	out.Attempts = 2
	out.Drafts = distinct(slices.Concat(out.Drafts, other.Drafts))
	return out
}

func prefixed(prefix string, list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = prefix + s
	}
	return out
}

// judge says what an outcome amounts to. flaky is what repeated said about the cell as a whole.
func judge(cell Cell, o outcome, flaky string) CellResult {
	r := CellResult{Cell: cell, ExitCode: o.exit, Cases: o.cases, Notes: o.notes,
		ClientVersion: o.self.client, RelayVersion: o.self.relay}
	var foreign string
	if r.Label, foreign = label(cell, o); foreign != "" {
		r.Cases = untested(cell, o)
	}
	count := func(s Status) int { return r.Count(s) }
	switch {
	case o.down != "":
		r.Status, r.Layer, r.Reason = Down, string(transport.LayerUDP), o.down
	case o.died != "":
		r.Status, r.Layer, r.Reason = Error, string(transport.LayerUDP), o.died
	case foreign != "":
		r.Status, r.Reason = Error, foreign
	case count(Fail) > 0:
		c := r.Cases[slices.IndexFunc(r.Cases, func(c CaseResult) bool { return c.Status == Fail })]
		r.Status, r.Layer, r.Reason = Fail, c.Layer,
			fmt.Sprintf("%s: %s", c.Name, cmp.Or(c.Message, c.Received, "failed"))
		if o.bailed {
			r.Layer = cmp.Or(o.layer, r.Layer)
		}
		if o.problem != "" {
			r.Notes = append(r.Notes, o.problem)
		}
	case o.bailed && len(r.Cases) > 0:
		r.Status, r.Layer, r.Reason = Fail, o.layer, "Bail out! "+o.bail
	case o.problem != "" || o.bailed:
		r.Status, r.Layer, r.Reason = Error, o.layer, cmp.Or(o.problem, "Bail out! "+o.bail)
	case count(Missing) > 0:
		i := slices.IndexFunc(r.Cases, func(c CaseResult) bool { return c.Status == Missing })
		r.Status, r.Reason = Error, fmt.Sprintf("no result for %d of %d cases, first %s: %s; %s", count(Missing),
			len(r.Cases), r.Cases[i].Name, r.Cases[i].Message, exitText(o.exit))
	case count(Flaky) > 0:
		c := r.Cases[slices.IndexFunc(r.Cases, func(c CaseResult) bool { return c.Status == Flaky })]
		r.Status, r.Layer, r.Reason = Flaky, c.Layer, fmt.Sprintf("%s did not fail again: %s", c.Name,
			cmp.Or(c.Message, "failed"))
	case flaky != "" && len(r.Cases) > 0:
		r.Status, r.Reason = Flaky, flaky
	case count(Pass) > 0:
		r.Status = Pass
	case count(Todo) > 0:
		r.Status = Todo
	case count(TooSlow) > 0:
		r.Status = TooSlow
	case count(Skip) > 0:
		r.Status = Skip
	case count(NotApplicable) > 0:
		r.Status = NotApplicable
	default:
		r.Status, r.Reason = Error, "the client ran no case"
	}
	if r.Reason == "" && r.Status != Pass {
		for _, c := range r.Cases {
			if c.Status == r.Status && c.Reason != "" {
				r.Reason = c.Name + ": " + c.Reason
				break
			}
		}
	}
	return r
}

// label says which draft was negotiated, as the client's report has it, role by role where it names roles. foreign says
// that it was not the one that the cell is about: then it is no result of the cell.
func label(cell Cell, o outcome) (l Label, foreign string) {
	for _, c := range o.cases {
		l.Roles = append(l.Roles, c.offered()...)
	}
	l.Roles = distinct(l.Roles)
	var seen []string
	for _, r := range l.Roles {
		if !slices.Contains(seen, r.Draft) {
			seen = append(seen, r.Draft)
		}
	}
	slices.Sort(seen)
	switch {
	case len(seen) > 0:
		l.Source = Negotiated
		for _, h := range o.header {
			if !slices.Contains(seen, h) {
				l.Conflict = fmt.Sprintf("the report's header says %s, its sessions %s", h, strings.Join(seen, ", "))
			}
		}
	case len(o.header) == 1:
		l.Source, seen = Negotiated, o.header
	default:
		l.Source, l.Draft = Predicted, cell.Predicted
		if len(o.header) > 1 {
			l.Conflict = "the report's header claims " + strings.Join(o.header, " and ")
		}
		foreign = other(cell, o, l, nil)
		l.Conflict = cmp.Or(foreign, l.Conflict)
		return l, foreign
	}
	if len(seen) == 1 {
		l.Draft = seen[0]
	}
	foreign = other(cell, o, l, seen)
	l.Conflict = cmp.Or(foreign, l.Conflict)
	return l, foreign
}

// other says that cases were run with a draft or over a transport that the client was not to use.
func other(cell Cell, o outcome, l Label, seen []string) string {
	wrong := ""
	for _, c := range o.cases {
		if !c.ran() {
			continue
		}
		for _, r := range c.offered() {
			if cell.Draft != "" && r.Draft != cell.Draft {
				wrong = fmt.Sprintf("the client was to offer %s alone, and reports %s", cell.Draft, r.Draft)
			}
		}
		for _, kind := range slices.Concat(o.transports[c.Name], o.transports[wholeReport]) {
			name, known := transportNames[transport.Kind(kind)]
			if known && cell.Transport != "" && name != cell.Transport {
				wrong = fmt.Sprintf("the client was to use %s, and reports %s", cell.Transport, kind)
			}
		}
	}
	if len(l.Roles) == 0 && len(seen) > 0 && cell.Draft != "" && seen[0] != cell.Draft &&
		slices.ContainsFunc(o.cases, CaseResult.ran) {
		wrong = fmt.Sprintf("the client was to offer %s alone, and reports %s", cell.Draft, seen[0])
	}
	if wrong == "" {
		return ""
	}
	return wrong + ": this cell was not tested"
}

// ran reports whether the case got as far as using the draft that was negotiated. A relay that selects a draft or token
// which was not offered ends it before that, and this failure is a result of the cell.
func (c CaseResult) ran() bool {
	switch c.Status {
	case Pass, Flaky, Todo:
		return true
	case Fail:
		return !slices.Contains(layers, transport.Layer(c.Layer)) || c.Layer == string(transport.LayerRequest) ||
			c.Layer == string(transport.LayerData)
	}
	return false
}

// offered gives the drafts of the sessions that were to offer the cell's: all but that of the case's Stranger.
func (c CaseResult) offered() []RoleDraft {
	known, _ := cases.Find(c.Name)
	if known.Stranger == "" {
		return c.Drafts
	}
	return slices.DeleteFunc(slices.Clone(c.Drafts), func(r RoleDraft) bool { return r.Role == known.Stranger })
}

// untested replaces the results of cases that ran with another draft or transport than the cell's: they are no results
// of this cell, neither passes nor failures. Cases that report the cell's own draft and transport keep their results.
func untested(cell Cell, o outcome) []CaseResult {
	list := slices.Clone(o.cases)
	for i, c := range list {
		drafts := c.offered()
		own := cell.Draft == "" || len(drafts) > 0 &&
			!slices.ContainsFunc(drafts, func(r RoleDraft) bool { return r.Draft != cell.Draft })
		for _, kind := range slices.Concat(o.transports[c.Name], o.transports[wholeReport]) {
			name, known := transportNames[transport.Kind(kind)]
			own = own && (!known || cell.Transport == "" || name == cell.Transport)
		}
		if own || c.Status == Missing {
			continue
		}
		said := string(c.Status)
		if why := cmp.Or(c.Message, c.Reason); why != "" {
			said += ", " + why
		}
		list[i] = CaseResult{Name: c.Name, Status: Missing, Drafts: c.Drafts, DurationMS: c.DurationMS,
			Attempts: c.Attempts,
			Message:  "not tested with the cell's draft and transport; with others the client says: " + said}
	}
	return list
}

// transportNames maps the transports that sessions report to the names that cells use.
var transportNames = map[transport.Kind]string{
	transport.QUIC: string(transport.OnlyQUIC), transport.WebTransport: string(transport.OnlyWebTransport),
}
