//go:build !small

package matrix

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// screen is a writer for several goroutines.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// Each relay has a bar, all have one, and what did not pass is written above them; at the end nothing of it runs on.
func TestBars(t *testing.T) {
	plan := &Plan{Total: 4}
	for i := range 4 {
		plan.Cells = append(plan.Cells, Cell{ID: fmt.Sprint("c/", i), Relay: []string{"left", "right"}[i%2]})
	}
	s := &screen{}
	p := NewBars(s, plan)
	p.Begin(4, 0)
	for i := range plan.Cells {
		status := Pass
		if i == 2 {
			status = Fail
		}
		p.Cell(&CellResult{Cell: plan.Cells[i], Status: status, Reason: "nobody\nthere"})
		if i == 2 {
			time.Sleep(400 * time.Millisecond) // two drawings
		}
	}
	p.Note("the relay ended")
	p.End(&Run{})
	text := s.text()
	for _, want := range []string{"left ", "right ", "all relays", "2/2", "3/4 cells, 1 not passed",
		"fail c/2 nobody there", "the relay ended"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
	time.Sleep(300 * time.Millisecond)
	if s.text() != text {
		t.Error("it goes on drawing")
	}
}
