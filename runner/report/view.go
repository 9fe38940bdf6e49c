package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// view is a run as every form of a report sees it: its axes, and each cell with what earlier runs add.
type view struct {
	run        *matrix.Run
	history    []*matrix.Run // earlier ones, in order of time
	clients    []string
	relays     []string
	drafts     []string // newest first
	transports []string
	cells      []shown
	pairs      map[pair][]int // indexes of cells, by client and relay
	changes    *Comparison    // since the latest of history; nil without one
	ruled      []RelayRules   // nil until somebody asks; see rules
}

// pair is a client and a relay, as indexes.
type pair struct{ client, relay int }

// shown is a cell as it is shown.
type shown struct {
	*matrix.CellResult
	draft string        // the one it stands under
	was   matrix.Status // of a stale cell: what it amounted to then
	// pass counts the cases that passed, of those that apply.
	pass, of int
	// known: every failure in it was expected.
	known bool
	// guessed: the draft it stands under is only predicted, although the client got far enough to have negotiated one.
	guessed bool
	// change is what happened to it since the latest run: Broken, Fixed or "".
	change Kind
}

// earlier gives the runs that began before current, each once, in order of time.
func earlier(runs []*matrix.Run, current *matrix.Run) []*matrix.Run {
	var kept []*matrix.Run
	ids := map[string]bool{current.ID: true}
	for _, r := range runs {
		if !ids[r.ID] && r.Started.Before(current.Started) {
			ids[r.ID] = true
			kept = append(kept, r)
		}
	}
	slices.SortStableFunc(kept, func(a, b *matrix.Run) int {
		return cmp.Or(a.Started.Compare(b.Started),
			cmp.Compare(a.ID, b.ID))
	})
	return kept
}

func newView(run *matrix.Run, history []*matrix.Run) *view {
	v := &view{run: run, history: earlier(history, run), pairs: make(map[pair][]int),
		cells: make([]shown, len(run.Cells))}
	changed := make(map[string]Kind)
	if n := len(v.history); n > 0 {
		v.changes = Compare(v.history[n-1], run, CompareOptions{})
		for _, c := range v.changes.Changes {
			if c.Kind == Broken || c.Kind == Fixed && changed[c.Cell] == "" {
				changed[c.Cell] = c.Kind
			}
		}
	}
	old := v.lastKnown()
	for i := range run.Cells {
		s := &v.cells[i]
		s.CellResult = &run.Cells[i]
		if from, ok := old[s.ID]; ok && s.Status == matrix.Missing {
			stale := *from.cell
			s.was, stale.Cell = stale.Status, s.Cell
			stale.Status, stale.StaleFrom = matrix.Stale, from.run
			s.CellResult = &stale
		} else if s.Status == matrix.Stale {
			s.was = amounted(s.Cases)
		}
		s.draft, s.change = draftOf(s.CellResult), changed[s.ID]
		s.known = true
		for j := range s.Cases {
			k := &s.Cases[j]
			if k.Status != matrix.NotApplicable {
				s.of++
			}
			if k.Status == matrix.Pass {
				s.pass++
			}
			s.known = s.known && (k.Known != "" || !bad(k.Status))
		}
		s.known = s.known && s.Status == matrix.Fail && s.of > 0
		s.guessed = s.Label.Source == matrix.Predicted && s.Attempts > 0 && s.of > 0 && layerOf(s.Layer).group != 1 &&
			layerOf(s.Layer).group != 2
	}
	v.axes()
	return v
}

// amounted gives a cell's status as its cases have it: of a cell that was already stale when it was read, nothing else
// tells.
func amounted(cases []matrix.CaseResult) matrix.Status {
	status := matrix.NotApplicable
	good := []matrix.Status{matrix.NotApplicable, matrix.Skip, matrix.TooSlow, matrix.Todo, matrix.Pass}
	for i := range cases {
		s := cases[i].Status
		switch {
		case bad(s) && (!bad(status) || worse(s, status)):
			status = s
		case !bad(status) && slices.Index(good, s) > slices.Index(good, status):
			status = s
		}
	}
	return status
}

type dated struct {
	cell *matrix.CellResult
	run  string
}

// lastKnown gives the latest earlier result of every cell that this run lacks one of.
func (v *view) lastKnown() map[string]dated {
	lacking := make(map[string]bool)
	for i := range v.run.Cells {
		if c := &v.run.Cells[i]; c.Status == matrix.Missing {
			lacking[c.ID] = true
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	last := make(map[string]dated)
	for _, r := range v.history {
		names := aliases(r, v.run)
		for i := range r.Cells {
			c := &r.Cells[i]
			id := renamed(names, c.ID)
			if lacking[id] && c.Status != matrix.Missing && c.Status != matrix.Stale {
				last[id] = dated{c, r.ID}
			}
		}
	}
	return last
}

func (v *view) axes() {
	clients, relays, drafts, transports := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for i := range v.cells {
		c := &v.cells[i]
		clients[c.Client], relays[c.Relay], drafts[c.draft], transports[c.Transport] = 0, 0, 0, 0
	}
	v.clients, v.relays, v.transports = number(clients), number(relays), number(transports)
	v.drafts = number(drafts)
	slices.SortFunc(v.drafts, func(a, b string) int {
		return cmp.Or(cmp.Compare(draftRank(b), draftRank(a)), cmp.Compare(b, a))
	})
	for i := range v.cells {
		p := pair{clients[v.cells[i].Client], relays[v.cells[i].Relay]}
		v.pairs[p] = append(v.pairs[p], i)
	}
}

// draftRank puts what is no draft behind the drafts.
func draftRank(d string) int {
	if strings.HasPrefix(d, "draft-") {
		return 1
	}
	return 0
}

// number gives the names in order and sets their indexes.
func number(names map[string]int) []string {
	list := make([]string, 0, len(names))
	for name := range names {
		list = append(list, name)
	}
	slices.Sort(list)
	for i, name := range list {
		names[name] = i
	}
	return list
}

// count gives the number of cells as they are shown with a status.
func (v *view) count(s matrix.Status) (n int) {
	for i := range v.cells {
		if v.cells[i].Status == s {
			n++
		}
	}
	return n
}

// judged counts the cells that could have passed: all but those that do not apply.
func (v *view) judged() int { return len(v.cells) - v.count(matrix.NotApplicable) }

// sum is what several cells amount to together.
type sum struct {
	// status is that of the cell that needs most attention, layer the one most of the failed cells have.
	status matrix.Status
	layer  string
	// pass counts the cells that passed, of those that apply; n counts all.
	pass, of, n int
	known       bool
	change      Kind
	worst       int // index of a cell with the status
}

func (v *view) sum(indexes []int) sum {
	s := sum{worst: -1, known: true}
	var layers map[string]int
	for _, i := range indexes {
		c := &v.cells[i]
		s.n++
		if c.Status != matrix.NotApplicable {
			s.of++
		}
		if c.Status == matrix.Pass {
			s.pass++
		}
		if c.Status == matrix.Fail {
			s.known = s.known && c.known
			if layers == nil {
				layers = make(map[string]int)
			}
			layers[c.Layer]++
		}
		if c.change == Broken || c.change == Fixed && s.change == "" {
			s.change = c.change
		}
		if s.worst < 0 || worse(c.Status, s.status) {
			s.status, s.worst = c.Status, i
		}
	}
	if s.status != matrix.Fail {
		s.known = false
		return s
	}
	most := 0
	for name, n := range layers {
		if n > most || n == most && name < s.layer {
			s.layer, most = name, n
		}
	}
	return s
}
