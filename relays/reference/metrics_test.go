package reference

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestMetrics: every counter is told, with its number, and its name says what it is.
func TestMetrics(t *testing.T) {
	var c Counters
	want := make(map[float64]string) // value -> field
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		n := 1000 + i
		want[float64(n)] = v.Type().Field(i).Name
		switch f := v.Field(i).Addr().Interface().(type) {
		case *atomic.Int64:
			f.Store(int64(n))
		case *atomic.Uint64:
			f.Store(uint64(n))
		default:
			t.Fatalf("field of type %T", f)
		}
	}
	told := make(map[float64]bool)
	families := make(map[string]bool)
	for _, m := range c.metrics() {
		if !regexp.MustCompile(`^[a-z_]+$`).MatchString(m.Name) ||
			strings.HasSuffix(m.Name, "_total") != (m.Kind == Counter) ||
			!regexp.MustCompile(`^[A-Z][^\n]*\.$`).MatchString(m.Help) {
			t.Errorf("%+v is not of one piece", m)
		}
		if want[m.Value] == "" {
			t.Errorf("%s %v: no field has that number", m.Name, m.Value)
		}
		told[m.Value] = true
		if id := fmt.Sprint(m.Name, m.Labels); families[id] {
			t.Errorf("%s comes twice", id)
		} else {
			families[id] = true
		}
	}
	for value, field := range want {
		if !told[value] {
			t.Errorf("%s is not told", field)
		}
	}
	c.Sessions.Store(-1)
	if m := c.metrics()[0]; m.Name != "sessions" || m.Value != 0 {
		t.Errorf("a gauge below 0 is %+v", m)
	}
}

func TestHistogram(t *testing.T) {
	h := newHistogram([]int64{10, 20})
	for _, v := range []int64{0, 10, 11, 20, 21, 1000} {
		h.observe(v)
	}
	m := h.metric(Metric{Name: "x_bytes"}, 10)
	if want := []Bucket{{1, 2}, {2, 4}}; m.Kind != Distribution || m.Count != 6 || m.Value != 106.2 ||
		!reflect.DeepEqual(m.Buckets, want) {
		t.Errorf("%+v", m)
	}
	if n := testing.AllocsPerRun(100, func() { h.observe(15) }); n != 0 {
		t.Errorf("observing allocates %v times", n)
	}
}

// TestMeasures: what goes through the relay is measured by the draft and transport of its publisher and subscriber.
func TestMeasures(t *testing.T) {
	w := newWorld(t, Options{})
	o := w.announce(wire.Draft16, "ns")
	sub := w.subscribe(w.dial(wire.Draft18), nil, "track", "ns")
	o.send(o.publication(), 0, 0, 1, 2)
	w.receive(sub, 3)
	found := make(map[string]Metric)
	for _, m := range w.relay.Metrics() {
		if len(m.Labels) == 2 {
			found[m.Name+" "+m.Labels[0].Value+" "+m.Labels[1].Value] = m
		}
	}
	for name, count := range map[string]uint64{
		"object_size_bytes draft-16 memory": 3, "object_size_bytes draft-18 memory": 0,
		"object_first_byte_seconds draft-18 memory": 3, "object_first_byte_seconds draft-16 memory": 0,
		"object_queued_seconds draft-18 memory": 3,
	} {
		m, ok := found[name]
		if !ok || m.Kind != Distribution || m.Count != count || m.Value < 0 || m.Value > 60_000 {
			t.Errorf("%s: %+v, want %d", name, m, count)
		}
	}
	for _, d := range []string{"draft-16", "draft-18"} {
		if m := found["sessions_established_total "+d+" memory"]; m.Value != 1 {
			t.Errorf("sessions of %s: %+v", d, m)
		}
	}
	whole, part := found["object_first_byte_seconds draft-18 memory"], found["object_queued_seconds draft-18 memory"]
	if whole.Value < part.Value {
		t.Errorf("queued for %v s of %v s", part.Value, whole.Value)
	}
}
