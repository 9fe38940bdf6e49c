package reference

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

// TestMetrics: every counter is there once, with its number, and with HELP and TYPE before it.
func TestMetrics(t *testing.T) {
	var c Counters
	want := make(map[string]string) // value -> field
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		n := 1000 + i
		want[fmt.Sprint(n)] = v.Type().Field(i).Name
		switch f := v.Field(i).Addr().Interface().(type) {
		case *atomic.Int64:
			f.Store(int64(n))
		case *atomic.Uint64:
			f.Store(uint64(n))
		default:
			t.Fatalf("field of type %T", f)
		}
	}
	line := regexp.MustCompile(`^# HELP (moqt_relay_[a-z_]+) [A-Z][^\n]*\.\n` +
		`# TYPE (moqt_relay_[a-z_]+) (gauge|counter)\n(moqt_relay_[a-z_]+) (\d+)\n`)
	text := string(c.AppendPrometheus(nil))
	for text != "" {
		m := line.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("no metric: %q", text)
		}
		text = text[len(m[0]):]
		if m[1] != m[2] || m[1] != m[4] || strings.HasSuffix(m[1], "_total") != (m[3] == "counter") {
			t.Errorf("%q is not of one piece", m[0])
		}
		if want[m[5]] == "" {
			t.Errorf("%s %s: no field has that number, or another metric has it too", m[4], m[5])
		}
		delete(want, m[5])
	}
	if len(want) > 0 {
		t.Errorf("not told: %v", want)
	}
	c.Sessions.Store(-1)
	if got := string(c.AppendPrometheus([]byte("x"))); !strings.HasPrefix(got, "x# HELP") ||
		!strings.Contains(got, "\nmoqt_relay_sessions 0\n") {
		t.Errorf("a gauge below 0, appended: %q", got[:200])
	}
}
