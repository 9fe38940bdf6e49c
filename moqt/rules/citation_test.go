package rules

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Where the texts lie beside the project, each section that a file of the project cites, as draft-18 §9.4 or draft-18
// §9.4, §2.2, is one that the draft has.
func TestCitedSectionsExist(t *testing.T) {
	const root = "../.."
	texts := map[int]text{}
	for draft := oldest; draft <= 19; draft++ {
		source, err := read(filepath.Join(root, "..", "shared", "specs", fmt.Sprintf("draft-%d.md", draft)))
		if errors.Is(err, fs.ErrNotExist) {
			t.Skipf("the text of draft-%d does not lie beside the project", draft)
		} else if err != nil {
			t.Fatal(err)
		}
		texts[draft] = source
	}
	citation := regexp.MustCompile(`draft-(\d\d) (§[0-9][0-9.]*(?:(?:,| and|, and) §[0-9][0-9.]*)*)`)
	comment := regexp.MustCompile(`\n\s*// `)
	number := regexp.MustCompile(`[0-9]+(\.[0-9]+)*`)
	cited := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "results") {
				return filepath.SkipDir
			}
			return nil
		case filepath.Ext(path) != ".go" && filepath.Ext(path) != ".md":
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		joined := comment.ReplaceAllString(string(b), " ") // a citation may go on in the next line
		for _, m := range citation.FindAllStringSubmatch(joined, -1) {
			draft, _ := strconv.Atoi(m[1])
			source, known := texts[draft]
			for _, section := range number.FindAllString(m[2], -1) {
				cited++
				if _, there := source.sections[section]; known && !there {
					t.Errorf("%s cites draft-%d §%s, which the draft does not have", path, draft, section)
				}
			}
		}
		return nil
	})
	if err != nil || cited < 500 {
		t.Errorf("%d citations: %v", cited, err)
	}
	t.Logf("%d citations", cited)
}
