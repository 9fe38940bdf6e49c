package matrix

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/runner"
	"github.com/moqinterop/moq-interop-client/runner/tap"
)

// outcome is what one attempt of a client, at all cases of a cell or at some, left behind.
type outcome struct {
	cases []CaseResult
	// header are the drafts that the report claims for the whole, as "draft-16".
	header []string
	exit   *int
	// bail is why the client gave up, with the layer it names; bailed says that it did.
	bail, layer string
	bailed      bool
	// problem says why it cannot be judged: it did not start, contradicts itself, ended early.
	problem string
	// down says that the relay did not answer, died in which case it ended; version is what it says it is.
	down, died string
	self       selves
	notes      []string
	tap        []byte
	// transports are those that the sessions of a case had, as far as the report says, by case.
	transports map[string][]string
	// connections are the client's connection IDs of a case, qlogs the files of its connections.
	connections, qlogs map[string][]string
	// transcript has the decoded messages, by case.
	transcript map[string][]string
	stderr     []byte
}

// broken reports whether repeating could tell something: a failure, or no result where one should be.
func (o *outcome) broken() bool {
	return o.down == "" && o.failed()
}

func (o *outcome) failed() bool {
	return o.problem != "" || o.bailed || slices.ContainsFunc(o.cases,
		func(c CaseResult) bool { return c.Status == Fail || c.Status == Missing })
}

func (o *outcome) note(format string, args ...any) {
	o.notes = append(o.notes, fmt.Sprintf(format, args...))
}

// count gives the number of cases with one of the statuses.
func (o *outcome) count(of ...Status) (n int) {
	for _, c := range o.cases {
		if slices.Contains(of, c.Status) {
			n++
		}
	}
	return n
}

// missing adds a case that has no result.
func (o *outcome) missing(name, why string) {
	o.cases = append(o.cases, CaseResult{Name: name, Status: Missing, Message: why})
}

// reported makes the outcome of a client that ran in this process.
func reported(r *runner.Report, doc []byte) outcome {
	exit := r.Exit
	o := outcome{exit: &exit, tap: doc, bail: r.BailOut, bailed: r.BailOut != "", transcript: make(map[string][]string),
		transports: make(map[string][]string)}
	o.layer = layerOf(r.BailOut)
	if r.Draft != "" {
		if d := draftName(r.Draft); d != "" {
			o.header = append(o.header, d)
		}
	}
	for i, x := range r.Results {
		c := CaseResult{
			Name: x.Case, Status: Status(x.Status), Level: x.Level, Sections: x.Sections, Layer: string(x.Layer),
			Message:  x.Message,
			Expected: x.Expected, Received: x.Received, Reason: x.Reason, DurationMS: x.Duration.Milliseconds(),
			Notes: x.Notes, Tolerated: x.Tolerated,
		}
		if x.TooSlow {
			c.Status = TooSlow
		}
		if c.Status != Fail && c.Status != Todo {
			c.Level, c.Sections = "", "" // they say what was broken
		}
		for _, s := range x.Sessions {
			o.self.relay = cmp.Or(o.self.relay, s.PeerImplementation)
			o.connection(x.Case, s.ConnectionID, s.QLOG)
			if d := draftName(s.Version); d != "" {
				c.Drafts = append(c.Drafts, RoleDraft{Role: s.Role, Draft: d})
			}
			o.transports[x.Case] = append(o.transports[x.Case], s.Transport)
		}
		c.Drafts = distinct(c.Drafts)
		o.cases = append(o.cases, c)
		o.transcript[x.Case] = r.Results[i].Transcript
	}
	for _, name := range r.Planned[min(len(r.Results), len(r.Planned)):] {
		o.missing(name, "the client gave up before it: "+cmp.Or(r.BailOut, "its report could not be written"))
	}
	return o
}

// connection notes a connection of a case.
func (o *outcome) connection(name, id, qlog string) {
	if o.connections == nil {
		o.connections, o.qlogs = make(map[string][]string), make(map[string][]string)
	}
	if id != "" && !slices.Contains(o.connections[name], id) {
		o.connections[name] = append(o.connections[name], id)
	}
	if qlog != "" {
		o.qlogs[name] = append(o.qlogs[name], qlog)
	}
}

// draftName gives "draft-16" for "draft-16" and "moqt-16", and "" for what names no draft.
func draftName(text string) string {
	number, ok := strings.CutPrefix(text, "moqt-")
	if !ok {
		number, ok = strings.CutPrefix(text, "draft-")
	}
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 0 || n > 99 {
		return ""
	}
	return numbered(n)
}

func numbered(n int) string { return fmt.Sprintf("draft-%02d", n) }

// distinct sorts by role and draft, and keeps each once.
func distinct(list []RoleDraft) []RoleDraft {
	slices.SortFunc(list, func(a, b RoleDraft) int {
		return cmp.Or(strings.Compare(a.Role, b.Role), strings.Compare(a.Draft, b.Draft))
	})
	return slices.Compact(list)
}

// layers are those that a result may name.
var layers = []transport.Layer{
	transport.LayerDNS, transport.LayerUDP, transport.LayerTLS, transport.LayerALPN, transport.LayerHTTP3,
	transport.LayerWebTransport,
	transport.LayerSetup, transport.LayerRequest, transport.LayerData,
}

// layerOf gives the layer that a text like "udp: nobody there" begins with, or "".
func layerOf(text string) string {
	name, _, _ := strings.Cut(text, ":")
	name = strings.ToLower(strings.TrimSpace(name))
	if slices.Contains(layers, transport.Layer(name)) {
		return name
	}
	return ""
}

// parsed makes the outcome of another program from its TAP document. exit is its exit code, nil when a signal ended it.
// asked are the cases that it was asked for, none for all it has.
func parsed(doc *tap.Document, exit *int, asked []string) outcome {
	o := outcome{exit: exit, transcript: make(map[string][]string), transports: make(map[string][]string)}
	if doc.Bail != nil {
		o.bailed, o.bail, o.layer = true, cmp.Or(doc.Bail.Reason, "no reason given"), layerOf(doc.Bail.Reason)
	}
	o.points(doc, asked)
	o.drafts(doc)
	o.said(doc)
	code := -1
	if exit != nil {
		code = *exit
	}
	verdict := doc.Verdict(code)
	failed := o.bailed || o.count(Fail, Missing) > 0
	switch passed := o.count(Pass); {
	case len(o.cases) == 0 && !o.bailed:
		o.empty(doc, code, asked)
	case !failed && passed > 0 && !verdict.Pass, !failed && passed == 0 && code != runner.ExitPass &&
		code != runner.ExitUnsupported && o.count(TooSlow) == 0:
		o.problem = "the client's report is no pass: " + strings.Join(verdict.Reasons, "; ")
	case o.count(Fail) > 0 && code == runner.ExitPass:
		o.note("exit code 0 although cases failed")
	}
	o.oddities(doc)
	if i := slices.IndexFunc(doc.Problems, func(p tap.Problem) bool { return p.Breaks }); i >= 0 && !failed &&
		o.problem == "" {
		o.problem = "the client's report is broken: " + doc.Problems[i].String()
	}
	return o
}

// maxOddities bounds the notes about a document: many clients write their log between the points, and the TAP is kept
// whole.
const maxOddities = 20

// oddities notes where the document deviates from TAP, with what breaks it first.
func (o *outcome) oddities(doc *tap.Document) {
	list := slices.Clone(doc.Problems)
	slices.SortStableFunc(list, func(a, b tap.Problem) int {
		switch {
		case a.Breaks == b.Breaks:
			return 0
		case a.Breaks:
			return -1
		}
		return 1
	})
	for _, p := range list[:min(len(list), maxOddities)] {
		o.note("TAP: %s", p)
	}
	if more := len(list) - maxOddities + doc.MoreProblems; len(list) > maxOddities {
		o.note("TAP: and %d more", more)
	}
}

// empty judges a document without points.
func (o *outcome) empty(doc *tap.Document, code int, asked []string) {
	switch {
	case code == runner.ExitUnsupported && len(asked) > 0:
		for _, name := range asked {
			o.cases = append(o.cases, CaseResult{Name: name, Status: NotApplicable,
				Reason: "the client does not have the case (exit code 127)"})
		}
	case doc.Plan != nil && doc.Plan.Count == 0 && (code == runner.ExitPass || code == runner.ExitUnsupported):
		o.cases = append(o.cases, CaseResult{Name: "(all)", Status: Skip,
			Reason: cmp.Or(doc.Plan.Reason, "the client's plan is empty")})
	default:
		o.problem = fmt.Sprintf("the client reported nothing; %s", exitText(o.exit))
	}
}

// exitText says how a program ended.
func exitText(exit *int) string {
	if exit == nil {
		return "it was ended by a signal"
	}
	return fmt.Sprintf("exit code %d", *exit)
}

// points makes a case of each number of the plan, and of each case that was asked for.
func (o *outcome) points(doc *tap.Document, asked []string) {
	at := make(map[int]int) // number -> index of the case
	highest := 0
	for _, p := range doc.Points {
		c := caseOf(p)
		highest = max(highest, p.Number)
		if i, ok := at[p.Number]; ok { // the worst outcome of a number counts, as in tap
			if rank(c.Status) > rank(o.cases[i].Status) {
				o.cases[i] = c
			}
			continue
		}
		at[p.Number] = len(o.cases)
		o.cases = append(o.cases, c)
		if v, ok := tap.Lookup(p.YAML, "sessions"); ok {
			if roles, ok := v.(yaml.MapSlice); ok {
				for _, role := range roles {
					session, _ := role.Value.(yaml.MapSlice)
					o.connection(c.Name, text(session, "quic_initial_destination_connection_id"), "")
					o.transports[c.Name] = append(o.transports[c.Name], text(session, "transport"),
						carriedBy(text(session, "alpn")))
				}
			}
		}
		if lines := texts(p.YAML, "transcript"); len(lines) > 0 {
			o.transcript[c.Name] = lines
		}
	}
	why := "the client ended without a result for it"
	if o.bailed {
		why = "the client gave up before it: " + o.bail
	}
	if len(asked) > 0 {
		var only []CaseResult // a client that runs more than it was asked for says nothing about the plan
		for _, name := range asked {
			i := slices.IndexFunc(o.cases, func(c CaseResult) bool { return c.Name == canonical(name) })
			switch {
			case i >= 0:
				o.cases[i].Name = name
				only = append(only, o.cases[i])
			case len(doc.Points) > 0 || o.bailed:
				only = append(only, CaseResult{Name: name, Status: Missing, Message: why})
			}
		}
		o.cases = only
		return
	}
	if doc.Plan == nil {
		return
	}
	for n := 1; n <= min(doc.Plan.Count, highest+1000); n++ {
		if _, ok := at[n]; !ok {
			o.missing(fmt.Sprintf("(point %d)", n), why)
		}
	}
}

// rank orders statuses as tap does when a number occurs twice.
func rank(s Status) int { return slices.Index([]Status{Pass, Skip, TooSlow, Todo, Fail}, s) }

// canonical gives our identifier for a case that other clients may call by another name.
func canonical(name string) string {
	if c, ok := cases.Find(name); ok {
		return c.ID
	}
	return name
}

// caseOf translates a point.
func caseOf(p *tap.Point) CaseResult {
	c := CaseResult{Name: canonical(cmp.Or(strings.TrimSpace(p.Name), fmt.Sprintf("(point %d)", p.Number)))}
	switch p.Status() {
	case tap.StatusPassed:
		c.Status = Pass
	case tap.StatusSkipped:
		c.Status, c.Reason = Skip, cmp.Or(p.Reason, "no reason given")
		if strings.HasPrefix(c.Reason, cases.PathTooSlow) {
			c.Status = TooSlow
		}
	case tap.StatusTodo:
		c.Status, c.Reason = Todo, cmp.Or(p.Reason, "no reason given")
	default:
		c.Status = Fail
	}
	c.Message = cmp.Or(text(p.YAML, "message"), text(p.YAML, "error"), text(p.YAML, "reason"))
	c.Expected, c.Received = text(p.YAML, "expected"), text(p.YAML, "received")
	if ms, err := strconv.ParseFloat(text(p.YAML, "duration_ms"), 64); err == nil && ms >= 0 && ms < 1e12 {
		c.DurationMS = int64(ms)
	}
	if c.Status == Fail || c.Status == Todo {
		if level := text(p.YAML, "level"); slices.Contains([]string{"MUST", "SHOULD", "probe"}, level) {
			c.Level = level
		}
		c.Sections = text(p.YAML, "sections")
	}
	if layer := layerOf(text(p.YAML, "layer")); layer != "" && c.Status != Pass {
		c.Layer = layer
	}
	c.Notes, c.Tolerated = texts(p.YAML, "notes"), texts(p.YAML, "tolerated")
	if c.Status == Fail && c.Message == "" {
		c.Message = "not ok, and the client does not say why"
	}
	return c
}

// drafts takes the claims which drafts were negotiated: of the header for the whole, of sessions for their cases.
func (o *outcome) drafts(doc *tap.Document) {
	names := make(map[int]string)
	for _, p := range doc.Points {
		names[p.Number] = caseOf(p).Name
	}
	for _, d := range doc.Drafts {
		switch {
		case d.Number < 1 || d.Number > 99:
		case d.Point == 0:
			if name := numbered(d.Number); !slices.Contains(o.header, name) {
				o.header = append(o.header, name)
			}
		default:
			for i := range o.cases {
				if canonical(o.cases[i].Name) == names[d.Point] {
					o.cases[i].Drafts = distinct(append(o.cases[i].Drafts, RoleDraft{Role: cmp.Or(d.Role, "client"),
						Draft: numbered(d.Number)}))
				}
			}
		}
	}
}

// text gives a scalar of a YAML block, "" when there is none.
func text(y yaml.MapSlice, key string) string {
	v, ok := tap.Lookup(y, key)
	if !ok || v == nil {
		return ""
	}
	switch v.(type) {
	case yaml.MapSlice, []any, map[string]any:
		return ""
	}
	return strings.TrimSpace(fmt.Sprint(v))
}

// texts gives a list of scalars; a scalar is a list of one.
func texts(y yaml.MapSlice, key string) (out []string) {
	v, _ := tap.Lookup(y, key)
	list, ok := v.([]any)
	if !ok {
		if one := text(y, key); one != "" {
			out = append(out, one)
		}
		return out
	}
	for _, item := range list {
		out = append(out, fmt.Sprint(item))
	}
	return out
}
