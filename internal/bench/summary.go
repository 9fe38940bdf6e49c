package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Text writes a result for people.
func (r *Result) Text(w io.Writer) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	what := r.Bench
	if r.Relay != "" {
		what += " " + r.Relay
	}
	if r.Draft != "" {
		what += fmt.Sprintf(", %s over %s", r.Draft, r.Transport)
	}
	row("bench", "%s", what)
	row("load", "%s", r.Load.text())
	row("window", "%.3g s, after %.3g s of warm-up; %.3g s to drain", r.DurationS, r.WarmupS, r.DrainS)
	if s := r.Sent; s != nil {
		text := fmt.Sprintf("%d objects, %.0f/s, %.1f Mbit/s", s.Objects, s.ObjectsPerS, s.Mbps)
		if s.Due > 0 {
			text += fmt.Sprintf("; %d due, %d short", s.Due, s.Shortfall)
		}
		row("sent", "%s", text)
	}
	if v := r.Received; v != nil {
		row("received", "%d objects, %.0f/s, %.1f Mbit/s goodput", v.Objects, v.ObjectsPerS, v.GoodputMbps)
		row("lost", "%d of %d (%s) in %d gaps, the longest %d", v.Lost, v.Expected, share(v.Lost, v.Expected),
			v.Gaps, v.LongestGap)
		row("also", "%d duplicates, %d reordered, %d corrupt, %d streams reset, %d datagrams dropped here",
			v.Duplicates, v.Reordered, v.Corrupt, v.Resets, v.Dropped)
	}
	if l := r.Latency; l != nil {
		row("latency", "%s; jitter %s", l.text(), ms(l.Jitter))
		row("", "of %d objects, by %s (error %s), from %s", l.Samples, l.Clock, ms(l.ClockError), l.From)
		if l.Offset != nil && l.Exchanges > 1 {
			apart := time.Duration(*l.Offset * float64(time.Millisecond)).Round(time.Microsecond)
			row("", "the clocks are %s ± %s apart, by %d exchanges", apart, ms(l.ClockError), l.Exchanges)
		}
	} else if r.NoLatency != "" {
		row("latency", "unknown: %s", r.NoLatency)
	}
	if j := r.Join; j != nil {
		row("join", "p50 %s, max %s", ms(j.P50), ms(j.Max))
	}
	if c := r.CPU; c != nil {
		row("processor", "%s", sides(c.ProcessS, c.PublisherS, c.SubscriberS, c.RelayS, "%.2f s"))
	}
	if m := r.Memory; m != nil {
		row("memory", "%s", sides(m.ProcessMiB, m.PublisherMiB, m.SubscriberMiB, m.RelayMiB, "%.0f MiB"))
	}
	if r.Bench == "adaptive" {
		for _, s := range r.Steps {
			row("step", "%s", s.text())
		}
		if r.Sustained != nil {
			row("sustained", "%s; beyond it: %s", r.Sustained.what(), r.Limit)
		} else {
			row("sustained", "nothing: %s", r.Limit)
		}
	}
	for _, n := range r.Notes {
		row("note", "%s", n)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// text says what the load is.
func (l *Load) text() string {
	var parts []string
	if l.Scenario != "" {
		parts = append(parts, fmt.Sprintf("scenario %s, seed %d", l.Scenario, l.Seed))
	}
	if l.Video != "" {
		parts = append(parts, fmt.Sprintf("video %s %s", l.Video, l.GOP))
	}
	if l.ObjectBytes > 0 {
		parts = append(parts, fmt.Sprintf("objects of %d bytes, %d a group", l.ObjectBytes, l.ObjectsPerGroup))
		switch {
		case l.Datagrams:
			parts = append(parts, "datagrams")
		case l.Streams > 1:
			parts = append(parts, fmt.Sprintf("%d streams", l.Streams))
		}
		if l.RatePerS > 0 {
			parts = append(parts, fmt.Sprintf("%.6g a second", l.RatePerS))
		} else {
			parts = append(parts, "unpaced")
		}
	}
	if l.Subscribers > 1 {
		parts = append(parts, fmt.Sprintf("%d subscribers", l.Subscribers))
	}
	return strings.Join(parts, ", ")
}

func (s *Spread) text() string {
	return fmt.Sprintf("p50 %s, p90 %s, p99 %s, p99.9 %s, max %s", ms(s.P50), ms(s.P90), ms(s.P99), ms(s.P999),
		ms(s.Max))
}

// ms writes milliseconds with three digits.
func ms(v float64) string { return fmt.Sprintf("%.3g ms", v) }

// share is a part of a whole in percent.
func share(n, of uint64) string {
	if of == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%.3g %%", float64(n)/float64(of)*100)
}

// sides lists a figure of this process, and of others where it is known.
func sides(process float64, publisher, subscriber, relay *float64, format string) string {
	var parts []string
	add := func(name string, v *float64) {
		if v != nil {
			parts = append(parts, name+" "+fmt.Sprintf(format, *v))
		}
	}
	if publisher == nil || subscriber == nil {
		add("this process", &process)
	}
	add("publisher", publisher)
	add("subscriber", subscriber)
	add("relay", relay)
	return strings.Join(parts, ", ")
}

// Text writes an interval as a line for people.
func (i *Interval) Text() string {
	text := fmt.Sprintf("%6.1f s  %10.0f objects/s  %9.1f Mbit/s", i.AtS, i.ObjectsPerS, i.GoodputMbps)
	if l := i.Latency; l != nil {
		text += fmt.Sprintf("  p50 %s  p99 %s", ms(l.P50), ms(l.P99))
	}
	return text
}
