package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// prober makes rounds with the same targets.
type prober struct {
	Options
	endpoints []planned
	embedded  []*runner.Relay
	// one makes an attempt.
	one func(ctx context.Context, j job) (Attempt, shown)
}

// planned is a target and what to try there.
type planned struct {
	target Target
	ways   []way
	left   []NotAsked
	relay  *runner.Relay // of an embedded target
}

// job is one attempt to make.
type job struct {
	planned
	transport transport.Choice
	offer     []wire.Draft // in this order
}

// attempted is what is known about an attempt before it is made.
func (j job) attempted() Attempt {
	a := Attempt{Transport: j.transport}
	if len(j.offer) == 1 {
		a.Draft = relays.Draft(j.offer[0].String())
		return a
	}
	for _, d := range j.offer {
		a.Offered = append(a.Offered, relays.Draft(d.String()))
	}
	return a
}

func newProber(o Options) (*prober, error) {
	p := &prober{Options: o}
	p.one = p.attempt
	for _, t := range o.Targets {
		e := planned{target: t}
		e.ways, e.left = o.ways(t, o.Targets)
		if len(e.ways) == 0 {
			o.Warn(fmt.Errorf("%s is not probed: it is for none of the transports and drafts asked for", t.Name))
			continue
		}
		if t.Embedded {
			var err error
			if e.relay, err = runner.StartEmbedded(t.Target, reference.Options{Logger: o.Logger}); err != nil {
				p.close()
				return nil, fmt.Errorf("%s: %w", t.Name, err)
			}
			p.embedded = append(p.embedded, e.relay)
		}
		p.endpoints = append(p.endpoints, e)
	}
	if len(p.endpoints) == 0 {
		return nil, ErrNothing
	}
	return p, nil
}

// close ends the embedded relays.
func (p *prober) close() {
	for _, r := range p.embedded {
		r.Close()
	}
}

// slot is the place for the result of a job.
type slot struct {
	job
	endpoint int
	attempt  Attempt
	shown    shown
}

// round makes every attempt once. It tries all relays at the same time, draft by draft, as far as the bounds allow.
func (p *prober) round(ctx context.Context) *Report {
	r := &Report{Format: Format, Program: p.Program, Version: p.Version, Started: time.Now().UTC(),
		Timeout: Milliseconds(p.Timeout)}
	slots := p.slots()
	all := make(chan struct{}, p.Parallel)
	addresses := map[string]chan struct{}{}
	for _, e := range p.endpoints {
		addresses[e.target.address()] = make(chan struct{}, perAddress)
	}
	var wg sync.WaitGroup
	for _, s := range inTurn(slots) {
		wg.Go(func() {
			for _, c := range []chan struct{}{addresses[s.target.address()], all} {
				select {
				case c <- struct{}{}:
					defer func() { <-c }()
				case <-ctx.Done():
				}
			}
			s.attempt = s.attempted()
			s.attempt.Status, s.attempt.Message = Cancelled, "the run ended before it was tried"
			if ctx.Err() == nil {
				s.attempt, s.shown = p.one(ctx, s.job)
			}
		})
	}
	wg.Wait()
	r.Duration = Milliseconds(time.Since(r.Started))
	p.gather(r, slots)
	return r
}

// slots are all jobs, by endpoint, transport and draft.
func (p *prober) slots() (slots []*slot) {
	for i, e := range p.endpoints {
		for _, w := range e.ways {
			if p.Offer {
				slots = append(slots, &slot{job: job{e, w.transport, w.drafts}, endpoint: i})
				continue
			}
			drafts := slices.Clone(w.drafts)
			slices.Sort(drafts)
			for _, d := range slices.Compact(drafts) {
				slots = append(slots, &slot{job: job{e, w.transport, []wire.Draft{d}}, endpoint: i})
			}
		}
	}
	return slots
}

// inTurn orders jobs so that endpoints take turns: first the newest draft of each, then the next.
func inTurn(slots []*slot) []*slot {
	out := slices.Clone(slots)
	slices.SortStableFunc(out, func(a, b *slot) int { return int(b.offer[0]) - int(a.offer[0]) })
	return out
}

// gather puts the results into the report.
func (p *prober) gather(r *Report, slots []*slot) {
	r.Summary = map[Status]int{}
	for _, e := range p.endpoints {
		r.Endpoints = append(r.Endpoints, Endpoint{
			Relay: e.target.Relay, URL: e.target.Name, Label: e.target.label(), Claimed: e.target.Claimed,
			Answered: []relays.Draft{}, NotAsked: e.left,
		})
	}
	for _, s := range slots {
		e := &r.Endpoints[s.endpoint]
		if s.shown.certificate != nil {
			c := certificate(s.shown, r.Started)
			s.attempt.Certificate = c.SHA256
			if !slices.ContainsFunc(e.Certificates, func(k Certificate) bool { return k.SHA256 == c.SHA256 }) {
				e.Certificates = append(e.Certificates, c)
			}
		}
		e.Attempts = append(e.Attempts, s.attempt)
	}
	r.Complete = true
	for i := range r.Endpoints {
		e := &r.Endpoints[i]
		slices.SortStableFunc(e.Certificates, func(a, b Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
		for j := range e.Attempts {
			a := &e.Attempts[j]
			r.Summary[a.Status]++
			switch a.Status {
			case OK:
				r.Answered = true
				if !slices.Contains(e.Answered, a.Draft) {
					e.Answered = append(e.Answered, a.Draft)
				}
			case Cancelled:
				r.Complete = false
			case statusOf(transport.LayerUDP, true), statusOf(transport.LayerTLS, true):
				a.hint(e.Attempts)
			}
		}
		slices.SortFunc(e.Answered, func(a, b relays.Draft) int { return strings.Compare(string(a), string(b)) })
	}
}

// hint explains silence in the handshake if the same port answered other attempts: some servers fall silent when they
// know none of the ALPNs offered. That is a conclusion, so the status stays what was seen.
func (a *Attempt) hint(others []Attempt) {
	i := slices.IndexFunc(others, func(o Attempt) bool {
		return o.Status == OK || slices.Contains([]transport.Layer{transport.LayerHTTP3, transport.LayerWebTransport,
			transport.LayerSetup}, o.Status.Layer())
	})
	if i >= 0 {
		a.Hint = fmt.Sprintf("the same port answered %s over %s, so the server probably knows no such ALPN",
			others[i].Draft, others[i].Transport)
	}
}

// cancelled reports whether an attempt failed only because the run was ended.
func cancelled(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx)))
}
