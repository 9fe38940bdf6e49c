package bench

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Merge makes one result of those of several machines that measured together: of all shards of a bench, or of parts
// that were started by hand, such as a publisher here and subscribers there. Counts, rates and processor times are
// sums, histograms are merged without loss, and of memory it is the most that a part had. It refuses shards that are
// missing or there twice, parts of other drafts, transports or loads, and parts whose windows do not overlap.
func Merge(parts []*Result) (*Result, error) {
	if len(parts) == 0 {
		return nil, errors.New("merge: no results")
	}
	m, err := merge(parts)
	if err == nil && len(parts) > 1 {
		m.Notes = append(m.Notes, fmt.Sprintf("of %d parts: memory is the most that one had", len(parts)))
	}
	return m, err
}

func merge(parts []*Result) (*Result, error) {
	if err := mergeable(parts); err != nil {
		return nil, fmt.Errorf("merge: %w", err)
	}
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b *Result) int { return a.index() - b.index() })
	first := parts[0]
	m := &Result{Version: ResultVersion, Started: first.Started, Machine: machines(parts), Load: first.Load,
		WarmupS: first.WarmupS, DurationS: first.DurationS}
	for _, p := range parts {
		if p.Started.Before(m.Started) {
			m.Started = p.Started
		}
		m.DurationS, m.DrainS = max(m.DurationS, p.DurationS), max(m.DrainS, p.DrainS)
		for _, note := range p.Notes {
			m.Notes = append(m.Notes, fmt.Sprintf("%s: %s", p.name(), note))
		}
		if p.NoLatency != "" {
			m.NoLatency = p.NoLatency
		}
		m.add(p)
	}
	together := func(of func(*Result) string) string { return joined(parts, of) }
	m.Bench = together(func(r *Result) string { return r.Bench })
	m.Label = together(func(r *Result) string { return r.Label })
	m.Relay = together(func(r *Result) string { return r.Relay })
	m.Peer = together(func(r *Result) string { return r.Peer })
	m.Draft = together(func(r *Result) string { return r.Draft })
	m.Transport = together(func(r *Result) string { return r.Transport })
	m.Load.Processes = 0
	for _, p := range parts {
		m.Load.Processes += p.Load.Processes
	}
	early, late := starts(parts)
	m.Window = &early
	if late.Sub(early) > aboutAtOnce {
		m.Notes = append(m.Notes, fmt.Sprintf("the windows began up to %.1f s apart: the sums of rates hold where "+
			"they overlap", late.Sub(early).Seconds()))
	}
	return m, errors.Join(m.mergeLatency(parts), m.mergeJoin(parts))
}

// aboutAtOnce is how far the starts of parts may be apart without a note.
const aboutAtOnce = 200 * time.Millisecond

// index is that of a shard; 0 for none.
func (r *Result) index() int {
	if r.Shard == nil {
		return 0
	}
	return r.Shard.Index
}

// name says which part it is.
func (r *Result) name() string {
	if r.Shard == nil {
		return strings.TrimSpace(r.Bench + " " + r.Label)
	}
	return fmt.Sprintf("shard %d/%d", r.Shard.Index, r.Shard.Of)
}

// begin is when its window began, as far as it says.
func (r *Result) begin() time.Time {
	if r.Window == nil {
		return r.Started
	}
	return *r.Window
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// starts are when the first and the last window began.
func starts(parts []*Result) (early, late time.Time) {
	early, late = parts[0].begin(), parts[0].begin()
	for _, p := range parts {
		if at := p.begin(); at.Before(early) {
			early = at
		} else if at.After(late) {
			late = at
		}
	}
	return early, late
}

// mergeable says why parts cannot be merged.
func mergeable(parts []*Result) error {
	first := parts[0]
	seen := map[int]bool{}
	for _, p := range parts {
		switch {
		case len(p.Steps) > 0:
			return fmt.Errorf("%s is a ramp: its steps depend on each other", p.name())
		case (p.Shard == nil) != (first.Shard == nil):
			return fmt.Errorf("%s and %s: some are shards, and some are not", first.name(), p.name())
		case p.Draft != first.Draft || p.Transport != first.Transport:
			return fmt.Errorf("%s is of %s over %s, %s of %s over %s", first.name(), first.Draft, first.Transport,
				p.name(), p.Draft, p.Transport)
		}
		if p.Shard == nil {
			continue
		}
		switch s := p.Shard; {
		case s.Of != first.Shard.Of || s.Index < 1 || s.Index > s.Of:
			return fmt.Errorf("%s and %s are not of one bench", first.name(), p.name())
		case seen[s.Index]:
			return fmt.Errorf("%s is there twice", p.name())
		case p.Bench != first.Bench || p.Load != first.Load || p.DurationS != first.DurationS:
			return fmt.Errorf("%s and %s have different loads", first.name(), p.name())
		}
		seen[p.Shard.Index] = true
	}
	if first.Shard != nil {
		for i := 1; i <= first.Shard.Of; i++ {
			if !seen[i] {
				return fmt.Errorf("shard %d/%d is missing", i, first.Shard.Of)
			}
		}
	}
	if early, late := starts(parts); first.DurationS > 0 && late.Sub(early) >= seconds(first.DurationS) {
		return fmt.Errorf("the windows began %.1f s apart, so they do not overlap: give all the same --start-at",
			late.Sub(early).Seconds())
	}
	return nil
}

// joined is what the parts say, each once.
func joined(parts []*Result, of func(*Result) string) string {
	var all []string
	for _, p := range parts {
		if s := of(p); s != "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return strings.Join(all, ", ")
}

// machines describes those of the parts, each once.
func machines(parts []*Result) Machine {
	m := parts[0].Machine
	hosts := map[string]bool{m.Host: true}
	for _, p := range parts[1:] {
		if !hosts[p.Machine.Host] {
			hosts[p.Machine.Host] = true
			m.CPUs += p.Machine.CPUs
		}
	}
	for _, field := range []struct {
		to *string
		of func(*Machine) string
	}{
		{&m.Host, func(m *Machine) string { return m.Host }}, {&m.Model, func(m *Machine) string { return m.Model }},
		{&m.OS, func(m *Machine) string { return m.OS }}, {&m.Arch, func(m *Machine) string { return m.Arch }},
		{&m.Kernel, func(m *Machine) string { return m.Kernel }}, {&m.Go, func(m *Machine) string { return m.Go }},
		{&m.QUIC, func(m *Machine) string { return m.QUIC }},
		{&m.Program, func(m *Machine) string { return m.Program }},
	} {
		*field.to = joined(parts, func(r *Result) string { return field.of(&r.Machine) })
	}
	return m
}

// add adds the counts of a part.
func (r *Result) add(p *Result) {
	if s := p.Sent; s != nil {
		if r.Sent == nil {
			r.Sent = &Sent{}
		}
		t := r.Sent
		t.Objects, t.Bytes = t.Objects+s.Objects, t.Bytes+s.Bytes
		t.ObjectsPerS, t.Mbps = t.ObjectsPerS+s.ObjectsPerS, t.Mbps+s.Mbps
		t.Due, t.Shortfall = t.Due+s.Due, t.Shortfall+s.Shortfall
	}
	if v := p.Received; v != nil {
		if r.Received == nil {
			r.Received = &Received{}
		}
		r.Received.add(v)
	}
	if c := p.CPU; c != nil {
		if r.CPU == nil {
			r.CPU = &CPU{}
		}
		r.CPU.ProcessS += c.ProcessS
		sum(&r.CPU.PublisherS, c.PublisherS)
		sum(&r.CPU.SubscriberS, c.SubscriberS)
		most(&r.CPU.RelayS, c.RelayS) // there is one relay
	}
	if v := p.Memory; v != nil {
		if r.Memory == nil {
			r.Memory = &Memory{}
		}
		r.Memory.ProcessMiB = max(r.Memory.ProcessMiB, v.ProcessMiB)
		most(&r.Memory.PublisherMiB, v.PublisherMiB)
		most(&r.Memory.SubscriberMiB, v.SubscriberMiB)
		most(&r.Memory.RelayMiB, v.RelayMiB)
	}
	for i, x := range p.Intervals {
		if i == len(r.Intervals) {
			r.Intervals = append(r.Intervals, Interval{AtS: x.AtS, Seconds: x.Seconds})
		}
		r.Intervals[i].add(x)
	}
}

func sum(to **float64, v *float64) {
	if v == nil {
		return
	}
	total := *v
	if *to != nil {
		total += **to
	}
	*to = &total
}

func most(to **float64, v *float64) {
	if v == nil {
		return
	}
	m := *v
	if *to != nil {
		m = math.Max(m, **to)
	}
	*to = &m
}

func (r *Received) add(v *Received) {
	for _, x := range []struct {
		to *uint64
		v  uint64
	}{
		{&r.Expected, v.Expected}, {&r.Objects, v.Objects}, {&r.Bytes, v.Bytes}, {&r.Lost, v.Lost}, {&r.Gaps, v.Gaps},
		{&r.Duplicates, v.Duplicates}, {&r.Reordered, v.Reordered}, {&r.Corrupt, v.Corrupt}, {&r.Resets, v.Resets},
		{&r.Dropped, v.Dropped},
	} {
		*x.to += x.v
	}
	r.Subscribers += v.Subscribers
	r.LongestGap = max(r.LongestGap, v.LongestGap)
	r.ObjectsPerS, r.GoodputMbps = r.ObjectsPerS+v.ObjectsPerS, r.GoodputMbps+v.GoodputMbps
	r.SecondsS = max(r.SecondsS, v.SecondsS)
}

// add adds the same interval of another part. Percentiles of parts do not make those of the whole, so there are none
// where several parts have them.
func (i *Interval) add(x Interval) {
	i.Sent, i.Objects, i.Subscribers = i.Sent+x.Sent, i.Objects+x.Objects, i.Subscribers+x.Subscribers
	i.ObjectsPerS, i.GoodputMbps = i.ObjectsPerS+x.ObjectsPerS, i.GoodputMbps+x.GoodputMbps
	i.CPUS, i.MemoryMiB = i.CPUS+x.CPUS, max(i.MemoryMiB, x.MemoryMiB)
}

// mergeLatency merges the histograms of the parts that have one.
func (r *Result) mergeLatency(parts []*Result) error {
	var with, all []*Result
	for _, p := range parts {
		if p.Latency != nil {
			with = append(with, p)
		}
		if p.Received != nil {
			all = append(all, p)
		}
	}
	if len(with) == 0 {
		return nil
	}
	if len(with) == 1 {
		for i, x := range with[0].Intervals {
			r.Intervals[i].Latency = x.Latency
		}
	}
	if len(with) < len(all) {
		r.Notes = append(r.Notes, fmt.Sprintf("the latency is that of %d of %d parts: %s", len(with), len(all),
			r.NoLatency))
	}
	r.NoLatency = ""
	s, err := mergeSpreads(with, (*Result).latency)
	if err != nil {
		return err
	}
	l := &Latency{Spread: *s}
	for _, p := range with {
		l.Jitter += p.Latency.Jitter * float64(p.Latency.Samples) / float64(max(l.Samples, 1))
		l.ClockError = max(l.ClockError, p.Latency.ClockError)
	}
	l.From = joined(with, func(r *Result) string { return r.Latency.From })
	l.Clock = joined(with, func(r *Result) string { return r.Latency.Clock })
	if len(with) == 1 {
		l.Offset, l.Exchanges = with[0].Latency.Offset, with[0].Latency.Exchanges
	}
	r.Latency = l
	return nil
}

func (r *Result) mergeJoin(parts []*Result) (err error) {
	parts = slices.DeleteFunc(slices.Clone(parts), func(p *Result) bool { return p.Join == nil })
	if len(parts) > 0 {
		r.Join, err = mergeSpreads(parts, func(r *Result) *Spread { return r.Join })
	}
	return err
}

// mergeSpreads merges the histograms of one spread of each part.
func mergeSpreads(parts []*Result, of func(*Result) *Spread) (*Spread, error) {
	if len(parts) == 1 {
		s := *of(parts[0])
		return &s, nil
	}
	whole := newHistogram()
	for _, p := range parts {
		s := of(p)
		if s.Log == "" {
			return nil, fmt.Errorf("merge: %s has percentiles without their histogram", p.name())
		}
		h, err := s.Histogram()
		if err != nil {
			return nil, fmt.Errorf("merge: %s: %w", p.name(), err)
		}
		if whole.Merge(h) > 0 {
			return nil, fmt.Errorf("merge: %s has times of more than %s", p.name(), time.Duration(longestLatency))
		}
	}
	s, err := logged(whole)
	if s == nil && err == nil {
		err = errors.New("the histograms are empty")
	}
	if err != nil {
		return nil, fmt.Errorf("merge: %w", err)
	}
	return s, nil
}
