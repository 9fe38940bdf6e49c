package turns

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

// Parse reads what a bench has printed: a result of ours as JSON, or a summary of aiomoqt's. Where there are several,
// the last counts.
func Parse(output string) (*bench.Result, error) {
	if at := strings.LastIndex("\n"+output, "\n{"); at >= 0 {
		results, err := bench.Read(strings.NewReader(output[at:]))
		if err != nil {
			return nil, err
		}
		return results[len(results)-1], nil
	}
	return parseAiomoqt(output)
}

// aiomoqtHead begins a summary of aiomoqt's benches (moq-loopback-bench, moq-sub-bench).
const aiomoqtHead = "aiomoqt-bench results"

var (
	aiomoqtActive  = regexp.MustCompile(`\(([\d.]+)s active / [\d.]+s elapsed\)`)
	aiomoqtPercent = regexp.MustCompile(`p50=([\d.]+) +p95=[\d.]+ +p99=([\d.]+) ms`)
	aiomoqtLatency = regexp.MustCompile(`min=([\d.]+) +avg=([\d.]+) +max=([\d.]+) `)
)

// parseAiomoqt reads the summary. Its fields are lines: Objects, Bytes, ObjRate, Throughput, Latency, Jitter, Lost,
// Out-of-order; with --no-stats some are n/a. Its percentiles come in tenths of a millisecond.
func parseAiomoqt(output string) (*bench.Result, error) {
	at := strings.LastIndex(output, aiomoqtHead)
	if at < 0 {
		return nil, errors.New("there is no summary in its output: want a result of ours as JSON, or " + aiomoqtHead)
	}
	s := summary{text: output[at:]}
	r := &bench.Result{Version: bench.ResultVersion, Bench: "aiomoqt", Received: &bench.Received{Subscribers: 1}}
	v := r.Received
	v.Objects, v.Bytes = uint64(s.number("Objects")), uint64(s.number("Bytes"))
	v.ObjectsPerS, v.GoodputMbps = s.number("ObjRate"), s.number("Throughput")
	v.Lost, v.Reordered = uint64(s.optional("Lost")), uint64(s.optional("Out-of-order"))
	v.Expected = v.Objects + v.Lost
	if m := aiomoqtActive.FindStringSubmatch(s.text); m != nil {
		v.SecondsS = s.float(m[1])
		r.DurationS = v.SecondsS
	}
	if m := aiomoqtPercent.FindStringSubmatch(s.text); m != nil {
		l := &bench.Latency{Jitter: s.optional("Jitter"), From: "aiomoqt", Clock: "aiomoqt's"}
		l.P50, l.P99 = s.float(m[1]), s.float(m[2])
		if m := aiomoqtLatency.FindStringSubmatch(s.text); m != nil {
			l.Min, l.Mean, l.Max = s.float(m[1]), s.float(m[2]), s.float(m[3])
		}
		r.Latency = l
	}
	if s.err != nil {
		return nil, fmt.Errorf("the summary of aiomoqt: %w", s.err)
	}
	return r, nil
}

// summary reads lines of the form "Name: number unit".
type summary struct {
	text string
	err  error
}

// number is that of a line which must be there.
func (s *summary) number(name string) float64 {
	v, found := s.find(name)
	if !found && s.err == nil {
		s.err = fmt.Errorf("no line %q with a number", name)
	}
	return v
}

// optional is that of a line which may be missing, or n/a.
func (s *summary) optional(name string) float64 {
	v, _ := s.find(name)
	return v
}

func (s *summary) find(name string) (float64, bool) {
	for line := range strings.Lines(s.text) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			if f := strings.Fields(rest); len(f) > 0 && f[0] != "n/a" {
				return s.float(f[0]), true
			}
		}
	}
	return 0, false
}

func (s *summary) float(text string) float64 {
	v, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
	if err != nil && s.err == nil {
		s.err = err
	}
	return v
}
