package report

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// BenchmarkReport measures the figure that a report must keep: all forms for 405,000 case results, from run.json and a
// TAP file per cell, beside one earlier run of the same size, in under 15 s and 1 GB, with a page under 1 MB. The 15 s
// are those of a processor, so that a busy machine measures the same. go test -run '^$' -bench Report -benchtime 1x
// ./runner/report
func BenchmarkReport(b *testing.B) {
	dir := b.TempDir()
	s := shape{clients: 30, relays: 30, drafts: 9, cases: 25, full: true, lost: 1, day: 1}
	before := filepath.Join(dir, "before", RunFile)
	saveLarge(b, s, "", before)
	s.day = 2
	run := filepath.Join(dir, "run", RunFile)
	results := saveLarge(b, s, filepath.Dir(run), run)
	debug.FreeOSMemory()
	resetPeak()
	began, idle := peakMB(), processor()
	b.ResetTimer()
	for b.Loop() {
		current, err := Load(run)
		if err != nil {
			b.Fatal(err)
		}
		history, err := LoadHistory([]string{before}, current)
		if err != nil {
			b.Fatal(err)
		}
		if err := Write(filepath.Join(dir, "report"), current,
			Options{History: history, Files: filepath.Dir(run)}); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	took := (processor() - idle).Seconds() / float64(b.N)
	page, err := os.Stat(filepath.Join(dir, "report", HTMLFile))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(results), "results")
	b.ReportMetric(took, "CPU-s/op")
	b.ReportMetric(float64(page.Size())/1e6, "MB-page")
	b.ReportMetric(peakMB(), "MB-peak")
	b.ReportMetric(began, "MB-before")
	if took > 15 || peakMB() > 1000 || page.Size() > 1e6 {
		b.Errorf("%.1f s, %.0f MB, a page of %d bytes", took, peakMB(), page.Size())
	}
}

// saveLarge generates a run and writes it, and gives its number of case results.
func saveLarge(b *testing.B, s shape, files, path string) (results int) {
	run := generate(b, s, files)
	for i := range run.Cells {
		results += len(run.Cells[i].Cases)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		b.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ") // as long as it comes
	if err := enc.Encode(run); err != nil {
		b.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return results
}

// resetPeak makes Linux forget how much memory this process needed so far; elsewhere nothing is measured.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// processor is how much time of a processor this process has used.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func peakMB() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		return 0
	}
	kb, err := strconv.Atoi(string(m[1]))
	if err != nil {
		return 0
	}
	return float64(kb) / 1000
}
