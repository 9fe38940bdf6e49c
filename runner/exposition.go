//go:build !js

package runner

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// expose writes metrics in Prometheus' text format, version 0.0.4: families in the order of their names, each with its
// help and kind before its metrics.
func expose(w *bytes.Buffer, prefix string, all []reference.Metric) {
	slices.SortStableFunc(all, func(a, b reference.Metric) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), slices.CompareFunc(a.Labels, b.Labels,
			func(x, y reference.Label) int { return cmp.Compare(x.Value, y.Value) }))
	})
	family := ""
	for _, m := range all {
		name := prefix + m.Name
		if name != family {
			family = name
			w.WriteString("# HELP " + name + " " + escaped(m.Help) + "\n")
			w.WriteString("# TYPE " + name + " " + kindNames[m.Kind] + "\n")
		}
		if m.Kind != reference.Distribution {
			line(w, name, m.Labels, m.Value)
			continue
		}
		for _, b := range append(m.Buckets, reference.Bucket{Upper: math.Inf(1), Count: m.Count}) {
			upper := reference.Label{Name: "le", Value: number(b.Upper)}
			line(w, name+"_bucket", append(slices.Clone(m.Labels), upper), float64(b.Count))
		}
		line(w, name+"_sum", m.Labels, m.Value)
		line(w, name+"_count", m.Labels, float64(m.Count))
	}
}

// kindNames are Prometheus' names of the kinds.
var kindNames = map[reference.MetricKind]string{reference.Gauge: "gauge", reference.Counter: "counter",
	reference.Distribution: "histogram"}

// line writes one value.
func line(w *bytes.Buffer, name string, labels []reference.Label, value float64) {
	w.WriteString(name)
	for i, l := range labels {
		w.WriteString([]string{"{", ","}[min(i, 1)] + l.Name + `="` + quoted(l.Value) + `"`)
	}
	if len(labels) > 0 {
		w.WriteByte('}')
	}
	w.WriteString(" " + number(value) + "\n")
}

// number is a value in the format: infinity is "+Inf".
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// escaped is a text in a line of help, quoted one in a label's value.
func escaped(s string) string { return strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(s) }
func quoted(s string) string  { return strings.ReplaceAll(escaped(s), `"`, `\"`) }
