package tap

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Summary counts the outcomes of a document, one for each expected number, so that
// Passed + Failed + Skipped + Todo + Missing == Expected.
type Summary struct {
	Expected  int // the plan's count; without a plan the highest number
	Passed    int
	Failed    int
	Skipped   int
	Todo      int
	Missing   int
	Unplanned int // points with a number outside 1..Expected; they are in no other count
	Bailed    bool
}

// String returns "4 passed, 1 failed, 1 missing"; what is zero is left out.
func (s Summary) String() string {
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{
		{s.Passed, "passed"}, {s.Failed, "failed"}, {s.Skipped, "skipped"}, {s.Todo, "todo"},
		{s.Missing, "missing"}, {s.Unplanned, "outside the plan"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	if s.Bailed {
		parts = append(parts, "bailed out")
	}
	if len(parts) == 0 {
		return "no points"
	}
	return strings.Join(parts, ", ")
}

// Summary counts the top-level points as the package's documentation says.
func (d *Document) Summary() Summary {
	s := summarize(d.Plan, d.Points)
	s.Bailed = d.Bail != nil
	return s
}

func summarize(plan *Plan, points []*Point) Summary {
	var s Summary
	if plan != nil {
		s.Expected = plan.Count
	} else {
		for _, p := range points {
			s.Expected = max(s.Expected, p.Number)
		}
	}
	worst := make(map[int]Status, len(points))
	for _, p := range points {
		if p.Number < 1 || p.Number > s.Expected {
			s.Unplanned++
			continue
		}
		worst[p.Number] = max(worst[p.Number], p.Status())
	}
	for _, status := range worst {
		switch status {
		case StatusPassed:
			s.Passed++
		case StatusSkipped:
			s.Skipped++
		case StatusTodo:
			s.Todo++
		case StatusFailed:
			s.Failed++
		}
	}
	s.Missing = s.Expected - len(worst)
	return s
}

// NoExitCode tells Verdict that the exit code is not known, as for a recorded file.
const NoExitCode = math.MinInt

// Verdict is what a document and an exit code say together.
type Verdict struct {
	Pass bool
	// Unsupported: exit code 127 and nothing but skipped points. The program does not have the case, or nothing
	// applied. (A shell also says 127 when there is no such program.)
	Unsupported bool
	Reasons     []string // why it is no pass; empty when it is one
}

// Verdict judges the document. exitCode is the program's, negative when a signal ended it, or NoExitCode. It is a pass
// only when everything agrees; see the package's documentation.
func (d *Document) Verdict(exitCode int) Verdict {
	s := d.Summary()
	if exitCode == 127 && d.Bail == nil && s.Passed+s.Failed+s.Todo+s.Missing+s.Unplanned == 0 {
		return Verdict{Unsupported: true, Reasons: []string{"exit code 127: not supported"}}
	}
	var why []string
	add := func(format string, args ...any) { why = append(why, fmt.Sprintf(format, args...)) }
	if d.Bail != nil {
		add("%s", strings.TrimRight("bail out: "+d.Bail.Reason, ": "))
	}
	if s.Failed > 0 {
		add("%d of %d points failed: %s", s.Failed, s.Expected, d.failed())
	}
	if s.Missing > 0 {
		add("%d of %d points missing", s.Missing, s.Expected)
	}
	if s.Unplanned > 0 {
		add("%d points outside the plan 1..%d", s.Unplanned, s.Expected)
	}
	if d.Plan == nil {
		add("no plan")
	}
	breaks := slices.DeleteFunc(slices.Clone(d.Problems), func(p Problem) bool { return !p.Breaks })
	for i, p := range breaks {
		// the last may say that the document is not read any further
		if last := i == len(breaks)-1; i < maxNamed || last {
			add("%s", p)
		}
		if more := len(breaks) - 1 - maxNamed; i == maxNamed && more > 0 {
			add("and %d more of these", more)
		}
	}
	if s.Passed == 0 {
		add("no point passed")
	}
	switch {
	case exitCode == NoExitCode:
	case exitCode < 0:
		add("ended by a signal")
	case exitCode > 0:
		add("exit code %d", exitCode)
	case len(why) > 0:
		add("exit code 0 all the same")
	}
	return Verdict{Pass: len(why) == 0, Reasons: why}
}

// maxNamed bounds how many failed points and broken places a reason names.
const maxNamed = 10

// failed names the failed points, at most maxNamed of them.
func (d *Document) failed() string {
	var names []string
	for _, p := range d.Points {
		if p.Status() != StatusFailed {
			continue
		}
		if len(names) == maxNamed {
			names = append(names, "…")
			break
		}
		names = append(names, strings.TrimSpace(fmt.Sprintf("%d %s", p.Number, p.Name)))
	}
	return strings.Join(names, ", ")
}
