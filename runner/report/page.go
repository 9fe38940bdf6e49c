package report

import (
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// What the page lists at most, so that it stays small whatever the run holds; it says how much more there is.
const (
	mostFailures = 150
	mostChanges  = 100
	mostLeftOut  = 40
	mostRuns     = 40
	mostNotices  = 20
)

// page is what the template gets.
type page struct {
	Title, Run, Started, Took string
	Policy                    string
	Style                     template.CSS
	Script                    template.JS
	Pass, Of                  int
	Verdict                   string // a class: ok or no
	Warnings                  []string
	Counts                    []tally // of cells by status, then failed ones by layer
	Layers                    []tally
	Runs                      []bar
	Previous                  string
	Changes                   []changeGroup
	ChangeCounts              []kindCount
	MoreChanges               int
	Drafts, Transports        []choice
	Sections                  []section
	Legend                    []tally
	Cases                     []caseRow
	CaseColumns               []column
	MoreCases                 int
	BrokenRules               []ruleRow
	Packets                   []link
	Known                     int
	Failures                  []failureRow
	MoreFailures              int
	LeftOut                   []reason
	MoreLeftOut               int
	Versions                  []version
	Rules                     []RelayRules
	RuleDrafts                []string
	Bench                     *benchTable
	Index                     index
}

type tally struct {
	mark
	Means string
	N     int
	Layer string
	Group int
}

type kindCount struct {
	Kind Kind
	N    int
}

// bar is a run in the strip of runs: parts of a column that is 100 high.
type bar struct {
	ID, Date string
	Href     string // its page, if there is one
	Current  bool
	Pass, Of int
	Parts    []part
}

type part struct {
	Class     string
	Y, Height float64
	N         int
	Word      string
}

// choice is a button that switches the matrix; number 0 is the one for all.
type choice struct {
	N     int
	Label string
}

// section is the matrix of a draft and a transport; 0 is all of them.
type section struct {
	Draft, Transport int
	Caption          string
	Columns          []column
	Rows             []row
	Totals           []string
	Total            string
	Empty            bool // nothing was planned
}

type column struct{ Name, Endpoint, Repository string }

// link is a file beside the page.
type link struct{ Name, Href string }

type row struct {
	Name  string
	Slots []slot
	Total string
}

// slot is a place in the matrix. Class is empty when nothing was planned there.
type slot struct{ Class, Symbol, Layer, Count string }

type failureRow struct {
	*failures
	Mark  mark
	Group int
	Short string
	// At has the indexes of the clients, which are shorter than their names.
	At string
}

type version struct{ Name, Version string }

// index is what the script needs to find the details of a place; see page.js.
type index struct {
	Run     string                 `json:"run"`
	Data    string                 `json:"data"`
	Clients []string               `json:"clients"`
	Relays  []string               `json:"relays"`
	Drafts  []string               `json:"drafts"`
	Ways    []string               `json:"transports"`
	Columns [][]place              `json:"columns"`
	Runs    []string               `json:"runs"`
	Marks   map[matrix.Status]mark `json:"marks"`
	Layers  map[string]int         `json:"layers"`
	Live    *Live                  `json:"live,omitempty"`
	// Files is where the run's own files are, from the page; "" is beside it. HasFiles says that they are there.
	Files        string            `json:"files"`
	HasFiles     bool              `json:"has_files"`
	Repositories map[string]string `json:"repositories,omitempty"`
}

// place is a column of a transport's matrix: the index of its relay, and the endpoint.
type place struct {
	Relay    int    `json:"relay"`
	Endpoint string `json:"endpoint"`
}

func (v *view) page(o Options) *page {
	run := v.run
	p := &page{
		Title: line(o.Title), Run: line(run.ID), Started: stamp(run.Started), Pass: v.count(matrix.Pass),
		Of: v.judged(), Verdict: "ok",
		Index: index{Run: run.ID, Data: DataFolder, Clients: v.clients, Relays: v.relays, Drafts: v.drafts,
			Ways: v.transports, Marks: marks, Live: o.Live, Layers: make(map[string]int)},
	}
	if p.Title == "" {
		p.Title = "MoQ interop"
	}
	if took := run.Finished.Sub(run.Started); took > 0 {
		p.Took = took.Round(time.Second).String()
	}
	if p.Pass < p.Of || p.Of == 0 {
		p.Verdict = "no"
	}
	for _, l := range layers {
		p.Index.Layers[l.name] = l.group
	}
	if run.Ended != "" {
		p.Warnings = append(p.Warnings, "The run ended early: "+line(run.Ended))
	}
	if run.Plan.Shard != nil {
		p.Warnings = append(p.Warnings, fmt.Sprintf("This is part %d of %d of a plan of %d cells.",
			run.Plan.Shard.Index, run.Plan.Shard.Of, run.Plan.Total))
	}
	if run.Resumed > 0 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("The run was resumed %s.", times(run.Resumed)))
	}
	for i, notice := range o.Notices {
		if i == mostNotices {
			p.Warnings = append(p.Warnings, fmt.Sprintf("And %d more notices.", len(o.Notices)-i))
			break
		}
		p.Warnings = append(p.Warnings, cut(line(notice), 400))
	}
	v.counts(p)
	v.bars(p)
	v.since(p)
	for _, f := range v.failing() {
		if len(p.Failures) == mostFailures {
			p.MoreFailures++
			continue
		}
		f.Text, f.Expected, f.Received, f.Known = cut(f.Text, 300), cut(f.Expected, 200), cut(f.Received, 200),
			cut(f.Known, 200)
		p.Failures = append(p.Failures, failureRow{f, markOf(f.Status), layerOf(f.Layer).group, layerOf(f.Layer).short,
			indexes(f.Clients, v.clients)})
	}
	p.LeftOut = leftOut(run.LeftOut)
	if n := len(p.LeftOut); n > mostLeftOut {
		p.LeftOut, p.MoreLeftOut = p.LeftOut[:mostLeftOut], n-mostLeftOut
	}
	for _, name := range slices.Sorted(maps.Keys(run.Versions)) {
		p.Versions = append(p.Versions, version{line(name), line(run.Versions[name])})
	}
	p.Index.Repositories = v.repositories()
	p.Bench = v.bench(o.Bench)
	v.sections(p)
	p.Rules = v.rules()
	for _, d := range v.drafts {
		if slices.ContainsFunc(p.Rules, func(r RelayRules) bool { return r.On(d) != nil }) {
			p.RuleDrafts = append(p.RuleDrafts, d)
		}
	}
	v.caseViews(p)
	for i := range v.relays {
		p.CaseColumns = append(p.CaseColumns, v.column(place{Relay: i}))
	}
	return p
}

// indexes says where some of a sorted list stand.
func indexes(some, list []string) string {
	at := make([]string, len(some))
	for i, name := range some {
		n, _ := slices.BinarySearch(list, name)
		at[i] = strconv.Itoa(n)
	}
	return strings.Join(at, " ")
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func (v *view) counts(p *page) {
	failed := make(map[string]int)
	for i := range v.cells {
		if c := &v.cells[i]; c.Status == matrix.Fail && !c.known {
			failed[c.Layer]++
		}
	}
	for i := range v.cells {
		if c := &v.cells[i]; c.known && c.Status == matrix.Fail {
			p.Known++
		}
	}
	for _, s := range matrix.Statuses {
		m := markOf(s)
		p.Legend = append(p.Legend, tally{mark: m, Means: m.means})
		n := v.count(s)
		if s == matrix.Fail { // those that were expected have a count of their own: no cell counts twice
			n -= p.Known
		}
		if n > 0 {
			p.Counts = append(p.Counts, tally{mark: m, Means: m.means, N: n})
		}
	}
	for _, l := range append(slices.Clone(layers), layer{}) {
		if n := failed[l.name]; n > 0 {
			name := l.name
			if name == "" {
				name = "layer unknown"
			}
			p.Layers = append(p.Layers, tally{Layer: name, Group: l.group, N: n})
		}
	}
}

// bars makes the strip of runs, the current one last.
func (v *view) bars(p *page) {
	runs := v.history[max(0, len(v.history)-mostRuns):]
	for _, r := range v.history {
		p.Index.Runs = append(p.Index.Runs, r.ID)
	}
	p.Index.Runs = append(p.Index.Runs, v.run.ID)
	for _, r := range append(slices.Clone(runs), v.run) {
		b := bar{ID: line(r.ID), Date: r.Started.UTC().Format("01-02 15:04"), Current: r == v.run}
		for _, s := range matrix.Statuses {
			n := r.Count(s)
			if s == matrix.Pass {
				b.Pass = n
			}
			if s != matrix.NotApplicable {
				b.Of += n
			}
		}
		y := 100.0
		for _, s := range []matrix.Status{matrix.Pass, matrix.Todo, matrix.Skip, matrix.TooSlow, matrix.Flaky,
			matrix.Missing, matrix.Down, matrix.Error, matrix.Fail} {
			if n := r.Count(s); n > 0 && b.Of > 0 {
				h := 100 * float64(n) / float64(b.Of)
				y -= h
				b.Parts = append(b.Parts, part{Class: "b" + markOf(s).Class, Y: round(y), Height: round(h), N: n,
					Word: markOf(s).Word})
			}
		}
		p.Runs = append(p.Runs, b)
	}
}

func round(f float64) float64 { return max(0, float64(int(f*100+0.5))/100) }

// since says what has changed since the latest earlier run.
func (v *view) since(p *page) {
	if v.changes == nil {
		return
	}
	p.Previous = line(v.changes.A)
	for _, k := range Kinds {
		if n := v.changes.Count(k); n > 0 {
			p.ChangeCounts = append(p.ChangeCounts, kindCount{k, n})
		}
	}
	for _, g := range v.changes.groups() {
		if g.Kind != Broken && g.Kind != Fixed && g.Kind != Changed {
			continue
		}
		if len(p.Changes) == mostChanges {
			p.MoreChanges++
			continue
		}
		p.Changes = append(p.Changes, g)
	}
}
