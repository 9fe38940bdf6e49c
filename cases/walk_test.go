package cases_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/runner"
)

var update = flag.Bool("update", false, "write what the walk has found")

// caughtFile is where the command has it from which rules were seen broken.
const caughtFile = "../runner/caught.txt"

// The walk of rules, faults and drafts: a rule is caught on a draft when a case that judges it was seen to fail there
// under one of its faults, in the layer and with the words that the case promises. What the table says that is caught
// must be; with -update the table is written anew. MOQ_WALK=all walks, which takes minutes.
func TestWalk(t *testing.T) {
	if os.Getenv("MOQ_WALK") != "all" {
		t.Skip("MOQ_WALK=all walks all rules, faults and drafts")
	}
	var mu sync.Mutex
	caught := map[rules.ID]map[wire.Draft]bool{}
	trials := 0
	t.Run("trials", func(t *testing.T) {
		for _, c := range cases.Everything() {
			for _, f := range c.Faults {
				for _, d := range wire.Drafts() {
					if f.Refused || !f.Applies(d) || !c.Applies(d) {
						continue
					}
					trials++
					t.Run(c.ID+"/"+f.Name+"/"+d.String(), func(t *testing.T) {
						t.Parallel()
						r := onReference(t, c, d, f.Name)
						if !f.Shows(&r) {
							t.Logf("not caught: %s %s: %s", r.Status, r.Layer, r.Message)
							return
						}
						mu.Lock()
						defer mu.Unlock()
						for _, id := range c.Rules {
							if rule, ok := rules.Find(id); ok && len(rule.Sections(int(d))) > 0 {
								if caught[id] == nil {
									caught[id] = map[wire.Draft]bool{}
								}
								caught[id][d] = true
							}
						}
					})
				}
			}
		}
	})
	var b strings.Builder
	pairs := 0
	for _, id := range slices.Sorted(maps.Keys(caught)) {
		b.WriteString(string(id))
		for _, d := range slices.Sorted(maps.Keys(caught[id])) {
			fmt.Fprintf(&b, " %d", d)
			pairs++
		}
		b.WriteByte('\n')
	}
	t.Logf("%d trials; %d rules caught, %d pairs of rule and draft", trials, len(caught), pairs)
	if *update {
		if err := os.WriteFile(caughtFile, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, r := range rules.All() {
		for _, d := range wire.Drafts() {
			switch was := runner.Caught(r.ID, d); {
			case was && !caught[r.ID][d]:
				t.Errorf("%s is not caught on %s any more", r.ID, d)
			case !was && caught[r.ID][d]:
				t.Logf("%s is caught on %s too: -update says so", r.ID, d)
			}
		}
	}
}
