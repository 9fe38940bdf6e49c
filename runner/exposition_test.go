//go:build !js

package runner

import (
	"bytes"
	"math"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// What is exposed is what Prometheus reads.
func TestExposition(t *testing.T) {
	odd := "a \"b\\c\"\nd"
	of := func(draft string) []reference.Label { return []reference.Label{{Name: "draft", Value: draft}} }
	var page bytes.Buffer
	expose(&page, "x_", []reference.Metric{
		{Name: "b_seconds", Help: odd, Kind: reference.Distribution, Labels: of("18"), Value: 2.5, Count: 3,
			Buckets: []reference.Bucket{{Upper: 0.001, Count: 1}, {Upper: 1e7, Count: 2}}},
		{Name: "a", Help: "A gauge.", Value: 1e9, Labels: of(odd)},
		{Name: "c_total", Help: "A counter.", Kind: reference.Counter, Value: 7},
		{Name: "b_seconds", Help: odd, Kind: reference.Distribution, Labels: of("14"), Value: 0, Count: 0},
	})
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(page.Bytes()))
	if err != nil || len(families) != 3 {
		t.Fatalf("%d families, %v:\n%s", len(families), err, page.String())
	}
	a, b, c := families["x_a"], families["x_b_seconds"], families["x_c_total"]
	if m := a.GetMetric(); a.GetHelp() != "A gauge." || len(m) != 1 || m[0].GetGauge().GetValue() != 1e9 ||
		m[0].GetLabel()[0].GetValue() != odd {
		t.Errorf("%v", a)
	}
	if m := c.GetMetric(); len(m) != 1 || m[0].GetCounter().GetValue() != 7 {
		t.Errorf("%v", c)
	}
	if m := b.GetMetric(); b.GetHelp() != odd || len(m) != 2 || m[0].GetLabel()[0].GetValue() != "14" {
		t.Fatalf("%v", b)
	}
	h := b.GetMetric()[1].GetHistogram()
	if h.GetSampleCount() != 3 || h.GetSampleSum() != 2.5 || len(h.GetBucket()) != 3 ||
		h.GetBucket()[1].GetUpperBound() != 1e7 || h.GetBucket()[1].GetCumulativeCount() != 2 ||
		!math.IsInf(h.GetBucket()[2].GetUpperBound(), 1) {
		t.Errorf("%v", h)
	}
}
