package badpath

import "testing"

func TestRates(t *testing.T) {
	for text, want := range map[string]Rate{
		"10mbit": 10_000_000, "1.5Mbit/s": 1_500_000, "500kbit": 500_000, "1gbit": 1_000_000_000, "64000bit": 64_000,
		"": 0, "10": 0, "mbit": 0, "0mbit": 0, "-1mbit": 0, "10mb": 0, "infmbit": 0, "nanbit": 0,
		"1e30gbit": 0, "0.5bit": 0,
	} {
		var r Rate
		if err := r.UnmarshalText([]byte(text)); (err == nil) != (want > 0) || r != want {
			t.Errorf("%q: %d, %v, want %d", text, r, err, want)
		}
	}
}

func TestShares(t *testing.T) {
	for text, want := range map[string]Share{
		"3%": 0.03, "0": 0, "0%": 0, "100%": 1, "0.5%": 0.005,
		"": -1, "3": -1, "101%": -1, "-1%": -1, "nan%": -1, "%": -1, "3 %": -1,
	} {
		s := Share(-1)
		if err := s.UnmarshalText([]byte(text)); (err == nil) != (want >= 0) || s != want {
			t.Errorf("%q: %v, %v, want %v", text, s, err, want)
		}
	}
}
