package bench

import "testing"

func TestNumber(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", 1: "1.00", 12.345: "12.3", 999.9: "1,000", 1234567: "1,234,567",
		0.00123: "0.00123", -1234: "-1,234", -12.34: "-12.3"} {
		if got := Number(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}
