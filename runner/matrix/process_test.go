package matrix

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{"a": "a", "": "''", "a b": "'a b'", "it's": `'it'\''s'`,
		"x=$HOME": "'x=$HOME'", "https://h:1/p?x=1": "'https://h:1/p?x=1'", "a@b:1/c": "a@b:1/c"} {
		if got := quote([]string{in}); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// What is kept of an output is its beginning, or its end, however it is cut into writes.
// Marks become what a shell fills in itself, and everything else is read back as it is.
func TestLine(t *testing.T) {
	words, err := onLine(map[string]string{"relay": "moqt://x:1"}).expand([]string{"{self}", "{PEERS}/my bin/x",
		"-r={relay}", mark("$c"), "it's", "{PEERS}"})
	if err != nil {
		t.Fatal(err)
	}
	want := `go run ./x "$PEERS"'/my bin/x' -r=moqt://x:1 "$c" 'it'\''s' "$PEERS"`
	if got := line(words, []string{"go", "run", "./x"}); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestHeadAndTail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 20).Draw(t, "max")
		h, e := &head{max: limit}, &tail{max: limit}
		var all []byte
		for _, piece := range rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 30), 0, 8).Draw(t, "pieces") {
			for _, w := range []interface{ Write([]byte) (int, error) }{h, e} {
				if n, err := w.Write(piece); n != len(piece) || err != nil {
					t.Fatalf("%d %v", n, err)
				}
			}
			all = append(all, piece...)
		}
		n := min(limit, len(all))
		if !bytes.Equal(h.b, all[:n]) || h.lost != len(all)-n {
			t.Errorf("beginning %q, %d lost", h.b, h.lost)
		}
		if !bytes.Equal(e.text(), all[len(all)-n:]) {
			t.Errorf("end %q of %q", e.text(), all)
		}
	})
}

func TestCapped(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	c := &capped{File: f, left: 10}
	for _, s := range []string{"12345", "67890", "more", "and more"} {
		if n, err := c.Write([]byte(s)); n != len(s) || err != nil {
			t.Fatalf("%d %v", n, err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(f.Name()); err != nil || string(b) != "1234567890\n[the rest was dropped]\n" {
		t.Errorf("%v %q", err, b)
	}
}

// Two relays that want one port get it one after the other.
func TestPorts(t *testing.T) {
	var p ports
	if err := p.take(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	if err := p.take(t.Context(), 8); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Millisecond, fmt.Errorf("too long"))
	defer cancel()
	if err := p.take(ctx, 7); err == nil ||
		!strings.Contains(err.Error(), "another relay of the run has it: too long") {
		t.Errorf("%v", err)
	}
	got := make(chan error)
	go func() { got <- p.take(t.Context(), 7) }()
	p.give(7)
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func TestOutputThatIsTooMuch(t *testing.T) {
	if _, err := lost(5).Read(nil); err == nil || !strings.Contains(err.Error(), "5 bytes more") {
		t.Errorf("%v", err)
	}
}
