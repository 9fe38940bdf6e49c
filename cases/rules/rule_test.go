package rules

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Every rule has a name of its own, a sentence and sections, and later drafts do not lose what the draft before had.
func TestTable(t *testing.T) {
	name, number := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`), regexp.MustCompile(`^[1-9][0-9]*(\.[1-9][0-9]*)*$`)
	seen := map[ID]bool{}
	for _, r := range All() {
		if seen[r.ID] || !name.MatchString(string(r.ID)) {
			t.Errorf("name %q stands twice or is not one", r.ID)
		}
		seen[r.ID] = true
		if r.Says == "" || !strings.HasSuffix(r.Says, ".") {
			t.Errorf("%s says %q", r.ID, r.Says)
		}
		some := false
		for _, d := range wire.Drafts() {
			for _, s := range r.Sections(d) {
				some = true
				if !number.MatchString(s) {
					t.Errorf("%s: section %q in %s", r.ID, s, d)
				}
			}
		}
		if !some {
			t.Errorf("no draft has %s", r.ID)
		}
	}
}

func TestCite(t *testing.T) {
	for _, test := range []struct {
		draft wire.Draft
		ids   []ID
		want  string
	}{
		{14, []ID{Setup, Close}, "draft-14 §3.3, §9.3, §3.4"},
		{18, []ID{Fill}, ""},
		{18, []ID{Routing, Publish}, "draft-18 §9.5, §10.10"},
		{21, []ID{LargestObject}, "draft-21 §3.1.4, §9.20.18"},
		{22, []ID{LargestObject}, "draft-22 §3.1.4, §9.20.17"},
		{0, []ID{Setup}, ""},
	} {
		if got := Cite(test.draft, test.ids...); got != test.want {
			t.Errorf("%v in %s: %q, want %q", test.ids, test.draft, got, test.want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a name that is not there is cited")
		}
	}()
	Cite(wire.Draft18, "no-such-rule")
}

// Where the texts lie beside the project, each section that a rule cites is one that the draft has.
func TestSectionsAreInTheText(t *testing.T) {
	for d := wire.Draft14; d <= wire.Draft19; d++ {
		have, err := headings(filepath.Join("..", "..", "..", "shared", "specs", fmt.Sprintf("draft-%d.md", d)))
		if errors.Is(err, fs.ErrNotExist) {
			t.Skipf("no text of %s", d)
		} else if err != nil {
			t.Fatal(err)
		}
		for _, r := range All() {
			for _, s := range r.Sections(d) {
				if !have[s] {
					t.Errorf("%s: %s has no §%s", r.ID, d, s)
				}
			}
		}
	}
}

// headings are the numbers of the sections of a draft's source.
func headings(path string) (map[string]bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	have, counts, text, code := map[string]bool{}, [7]int{}, false, false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		l := lines.Text()
		switch {
		case strings.HasPrefix(l, "--- middle"):
			text = true
		case strings.HasPrefix(l, "--- back"):
			text = false
		case strings.HasPrefix(l, "~~~"), strings.HasPrefix(l, "```"):
			code = !code
		case text && !code && strings.HasPrefix(l, "#"):
			level := len(l) - len(strings.TrimLeft(l, "#"))
			counts[level]++
			number := ""
			for i := 1; i < len(counts); i++ {
				if i > level {
					counts[i] = 0
				} else {
					number += fmt.Sprintf(".%d", counts[i])
				}
			}
			have[number[1:]] = true
		}
	}
	return have, lines.Err()
}
