//go:build !small

package pictures

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

// series is what is drawn in one colour: the runs that have the same name.
type series struct {
	name string
	runs []*bench.Result
}

// seriesOf puts the results together that differ in nothing that a name tells. common is what a name need not tell,
// since it is the same in all.
func seriesOf(results []*bench.Result) (all []series, common string) {
	names, common := names(results)
	for i, name := range names {
		at := slices.IndexFunc(all, func(s series) bool { return s.name == name })
		if at < 0 {
			at, all = len(all), append(all, series{name: name})
		}
		all[at].runs = append(all[at].runs, results[i])
	}
	return all, common
}

// names tell the results apart: by their labels, and what of the bench, the relay and the load is not the same in all.
func names(results []*bench.Result) (names []string, common string) {
	parts := make([][]string, len(results))
	for i, r := range results {
		parts[i] = traits(r)
	}
	var same []string
	names = make([]string, len(results))
	for j, first := range parts[0] {
		label := j == 0
		differs := slices.ContainsFunc(parts, func(p []string) bool { return p[j] != first })
		if !differs && !label {
			same = append(same, first)
			continue
		}
		for i := range names {
			if part := parts[i][j]; part != "" {
				names[i] = strings.TrimPrefix(names[i]+", "+part, ", ")
			}
		}
	}
	for i, name := range names {
		if name == "" {
			names[i] = results[i].Bench
		}
	}
	same = slices.DeleteFunc(same, func(s string) bool { return s == "" })
	return names, strings.Join(same, ", ")
}

// traits are what may tell results apart; the first, the label, is always in a name.
func traits(r *bench.Result) []string {
	l := r.Load
	rate := "as fast as it goes"
	if l.RatePerS > 0 {
		rate = bench.Number(l.RatePerS) + "/s"
	}
	how := ""
	if l.Datagrams {
		how = "datagrams"
	}
	relay := r.Relay
	if r.Label != "" {
		relay = ""
	}
	return []string{r.Label, "bench " + r.Bench, relay, r.Draft, r.Transport,
		fmt.Sprintf("objects of %d B", l.ObjectBytes), rate, how, l.Video,
		count(l.Streams, "stream"), count(uint64(l.Subscribers), "subscriber"), l.Scenario}
}

// count writes how many there are; nothing for none.
func count(n uint64, what string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
