package matrix

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func play(p Progress) {
	p.Begin(6, 1)
	for i, s := range []Status{Pass, Fail, Pass, Skip} {
		time.Sleep(10 * time.Second)
		p.Cell(&CellResult{Cell: Cell{ID: "c/" + string(rune('a'+i))}, Status: s,
			Layer: map[Status]string{Fail: "udp"}[s], Reason: map[Status]string{Fail: "nobody\nthere"}[s]})
	}
	p.Note("the relay ended")
	p.End(&Run{})
}

// A cell in which all that is wrong was expected is counted, and has no line.
func TestKnownFailuresInProgress(t *testing.T) {
	var b bytes.Buffer
	p := NewLines(&b).(*lines)
	p.Begin(5, 0)
	p.Cell(&CellResult{Status: Fail, Cases: []CaseResult{{Status: Fail, Known: "why"}, {Status: Pass}}})
	p.Cell(&CellResult{Cell: Cell{ID: "a"}, Status: Fail, Cases: []CaseResult{{Status: Fail, Known: "why"},
		{Status: Missing}}})
	p.Cell(&CellResult{Status: Error, Cases: []CaseResult{{Status: Missing, Known: "why"}}})
	p.Cell(&CellResult{Status: Error, Known: "why"})
	p.Cell(&CellResult{Cell: Cell{ID: "b"}, Status: Error})
	if got, want := b.String()+p.state(),
		"5 cells\nfail a\nerror b\n5/5 cells, 2 not passed, 3 failed as known"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSummary(t *testing.T) {
	r := &Run{ID: "r1", Ended: "enough", Cells: []CellResult{{Status: Pass}, {Status: Fail}, {Status: Pass},
		{Status: Missing}}}
	if got, want := r.Summary(), "r1: 2 pass, 1 fail, 1 missing; ended early: enough"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := (&Run{ID: "r2"}).Summary(), "r2: no cells"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		play(NewLines(&b))
		want := []string{
			"6 cells, 1 of them done before",
			"fail c/b [udp] nobody there",
			"4/6 cells, 1 not passed, about 20s left",
			"the relay ended",
			"",
		}
		if d := cmp.Diff(want, strings.Split(b.String(), "\n")); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// What a client or relay says moves no cursor and rings no bell.
func TestResultIsPrintable(t *testing.T) {
	c := CellResult{Cell: Cell{ID: "c/r"}, Status: Fail, Reason: "a:\x1b[2J\a\u202e no\r\nanswer\xff"}
	if got, want := result(&c), "fail c/r a: [2J no answer\uFFFD"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTheTimeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var y tally
		y.begin(100, 40)
		if d, ok := y.left(); ok {
			t.Errorf("known before anything is: %v", d)
		}
		for range 10 {
			time.Sleep(3 * time.Second)
			y.cell(&CellResult{Status: Pass})
		}
		if d, ok := y.left(); !ok || d != 150*time.Second {
			t.Errorf("%v %v, want 2m30s: 10 of 60 took 30 s", d, ok)
		}
		y.done = 100
		if _, ok := y.left(); ok {
			t.Error("time left after the end")
		}
	})
}
