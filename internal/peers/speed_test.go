package peers

import (
	"fmt"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
)

// BenchmarkSixProcesses compares the sum of six whole processes, one per case of the standard six, with aiomoqt's six:
// five rounds in turns against the same relay. Run it with -benchtime 1x; it reports the medians.
func BenchmarkSixProcesses(b *testing.B) {
	theirs := program(b, "moq-interop-client")
	port := startAiomoqtRelay(b)
	url := fmt.Sprintf("moqt://127.0.0.1:%s", port)
	for b.Loop() {
		var sums [2][]float64
		for range 5 {
			for i, name := range []string{ourBinary, theirs} {
				var sum time.Duration
				for _, test := range cases.Suite(cases.SuiteStandard)[:6] {
					cmd := exec.Command(name, "-r", url, "--draft", "18", "--tls-disable-verify", "-t", test.ID)
					began := time.Now()
					if out, err := cmd.CombinedOutput(); err != nil {
						b.Fatalf("%s -t %s: %v\n%s", name, test.ID, err, out)
					}
					sum += time.Since(began)
				}
				sums[i] = append(sums[i], sum.Seconds())
			}
		}
		for i, unit := range []string{"ours-s", "aiomoqt-s"} {
			slices.Sort(sums[i])
			b.ReportMetric(sums[i][2], unit)
		}
	}
}
