package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// Options say what to run and where the results go.
type Options struct {
	// Client runs the cases.
	Client Client
	// Cases are the cases to run, in this order, each with connections of its own.
	Cases []cases.Case
	// Parallel is how many cases run at a time; below 2 it is one. Results are always printed in the order of Cases.
	Parallel int
	// Lookout is shared with other runs against the same relay at the same time; nil for one of the run's own.
	Lookout *Lookout
	// FirstAlone makes the other cases wait for the first one, after which the run may end.
	FirstAlone bool
	// Relay is the relay as the user named it, for the header.
	Relay string
	// About are further comment lines for the header.
	About []string
	// Transport and Drafts say what was asked for. They are for the report.
	Transport string
	Drafts    []string
	// Short, if set, replaces TAP by a short form for people: a line for each case, and the failures again at the end.
	Short *Short
	// Repeat, if set, gives the command that runs one case again. It is printed with each case that did not pass.
	Repeat func(id string) string
	// Strict makes a skipped case fail the run, whether it was refused or the path is too slow.
	Strict bool
	// TAP gets the TAP 14 document, each line or point in one Write as soon as it is known.
	TAP io.Writer
	// Trace, if set, is called before each case, with a nil Result, and again with the result when that is printed.
	// Calls do not overlap.
	Trace func(c cases.Case, r *Result)
}

// unreachable are the layers below the session. The run ends at once if the first case fails there and the run has had
// no session.
var unreachable = []transport.Layer{
	transport.LayerDNS, transport.LayerUDP, transport.LayerTLS, transport.LayerALPN, transport.LayerHTTP3,
	transport.LayerWebTransport,
}

// ErrInterrupted is the cause with which to cancel Run's context when the user asks it to stop.
var ErrInterrupted = errors.New("interrupted")

// Run runs the cases and prints the TAP document. When ctx ends, it bails out and reports what is known: cases that
// were running or had not begun have no result. An error means that the document could not be written; the report is
// returned anyway.
func Run(ctx context.Context, o Options) (*Report, error) {
	start := time.Now()
	var out document = newPrinter(o.TAP, &o, start)
	switch {
	case o.Short != nil && o.Short.Tree:
		out = newTree(&o)
	case o.Short != nil:
		out = newShort(&o)
	}
	report := &Report{
		Client: o.Client.Info(), Relay: o.Relay, Transport: o.Transport, Drafts: o.Drafts, Started: start,
		Planned: make([]string, 0, len(o.Cases)),
	}
	for _, c := range o.Cases {
		report.Planned = append(report.Planned, c.ID)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work := begin(ctx, &o, out.header)
	reached, first := false, true // reached: the run has had a session
	mute := 0                     // cases that failed before there was one
	for i, c := range o.Cases {
		r, known := work.result(ctx, i)
		if !known {
			report.BailOut = stopped(ctx, work)
			break
		}
		report.Results = append(report.Results, r)
		if err := out.result(c, r); err != nil {
			break
		}
		_, had := r.established()
		reached = reached || had || work.reached.Load()
		if lost, at := work.lost(); lost != "" && i >= at {
			report.BailOut = string(transport.LayerUDP) + ": the relay was lost in " + lost
			break
		}
		if !reached && r.Status == Fail {
			mute++
		}
		if mute == maxMute {
			report.BailOut = fmt.Sprintf("%s: %d cases, and no session: %s", firstOf(string(r.Layer), "setup"), mute,
				firstOf(r.Message, r.Received, "no SETUP"))
			break
		}
		if first && !reached && r.Status == Fail && slices.Contains(unreachable, r.Layer) {
			report.BailOut = fmt.Sprintf("%s: %s", r.Layer, firstOf(r.Message, r.Received, "no connection"))
			break
		}
		if r.Status != Skip && r.Status != NotApplicable {
			first = false
		}
	}
	cancel() // what runs when the run ends early is not waited for
	work.join()
	if report.BailOut != "" {
		out.bail(report.BailOut)
	}
	draft, err := out.state()
	report.finish(draft, time.Since(start), o.Strict)
	if report.BailOut == "" && err == nil {
		err = out.close(report)
	}
	return report, err
}

// maxMute is the number of cases without a session after which a run ends. More of them would tell nothing new, and
// each takes its whole limit with a relay that is silent at SETUP.
const maxMute = 3

// stopped says why a case has no result.
func stopped(ctx context.Context, work *schedule) string {
	if lost, _ := work.lost(); lost != "" {
		return string(transport.LayerUDP) + ": the relay was lost in " + lost
	}
	return context.Cause(ctx).Error()
}

// runCase gives the case's result, and whether there is one: an interrupted case has none, unless it passed.
func runCase(ctx context.Context, client Client, c cases.Case, watch func(Session)) (Result, bool) {
	if ctx.Err() != nil {
		return Result{}, false
	}
	start := time.Now()
	r := client.Run(ctx, c, watch)
	if ctx.Err() != nil && r.Status != Pass {
		return Result{}, false
	}
	r.Case = c.ID
	if r.Duration <= 0 {
		r.Duration = time.Since(start)
	}
	return r, true
}

// firstOf gives the first text that is not empty.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
