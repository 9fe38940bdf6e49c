package badpath

import (
	"strings"
	"testing"
	"time"
)

func TestParsePath(t *testing.T) {
	got, err := ParsePath("loss=3%, rtt=100ms,up-rate=10mbit,down-jitter=5ms,seed=7")
	want := Path{Seed: 7, Up: Direction{Loss: 0.03, Delay: 50 * time.Millisecond, Rate: 10_000_000},
		Down: Direction{Loss: 0.03, Delay: 50 * time.Millisecond, Jitter: 5 * time.Millisecond}}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for text, want := range map[string]string{
		"": "want NAME=VALUE", "loss": "want NAME=VALUE", "loss=3": "is no share", "los=3%": `"los" is none of`,
		"rtt=-1s": "is no time", "rate=fast": "is no rate", "queue=-1": "the queue is negative", "seed=x": "invalid",
		"up-down-loss=1%,up-rtt=1s": `"rtt" is none of`,
	} {
		if _, err := ParsePath(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
