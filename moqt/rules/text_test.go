package rules

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// text is what a draft's source has of sections and demands.
type text struct {
	sections map[string]string // titles by number
	// musts are the paragraphs that have a MUST, by section and ordinal: "9.5/2".
	musts map[string]string
}

// Where the texts lie beside the project, each paragraph or list item that has a MUST is claimed by a rule, by section
// and ordinal; each section that a rule cites is there; and no rule claims more than three paragraphs of a draft.
func TestTextsAreClaimed(t *testing.T) {
	for draft := oldest; draft <= 19; draft++ {
		t.Run(fmt.Sprint(draft), func(t *testing.T) {
			source := textOf(t, draft)
			if left := claims(t, draft, source); len(left) > 0 {
				t.Errorf("draft-%d: %d of %d paragraphs with a MUST have no rule: %s", draft, len(left),
					len(source.musts), strings.Join(left, " "))
			}
		})
	}
}

// claims checks what the rules say of a draft, and gives the paragraphs that none of them claims.
func claims(t *testing.T, draft int, source text) (left []string) {
	claimed := map[string]bool{}
	for _, r := range All() {
		n := 0
		for _, p := range r.Places(draft) {
			if _, ok := source.sections[p.Section]; !ok {
				t.Errorf("%s: draft-%d has no §%s", r.ID, draft, p.Section)
			}
			for _, ordinal := range p.Paragraphs {
				n++
				at := fmt.Sprintf("%s/%d", p.Section, ordinal)
				if source.musts[at] == "" {
					t.Errorf("%s: draft-%d has no paragraph %s with a MUST", r.ID, draft, at)
				}
				claimed[at] = true
			}
		}
		if n > 3 {
			t.Errorf("%s claims %d paragraphs of draft-%d", r.ID, n, draft)
		}
	}
	for at := range source.musts {
		if !claimed[at] {
			left = append(left, at)
		}
	}
	slices.Sort(left)
	return left
}

// What the codec's errors cite has the title of what they are about, in each draft whose text is there. Where a draft
// has no section of its own for it, the title is that of the one around.
func TestTitles(t *testing.T) {
	titles := map[ID]string{
		Integers:         `Variable-Length Integers|Notational Conventions`,
		KeyValueForm:     `Key-Value-Pair Structure`,
		ReasonLength:     `Reason Phrase Structure`,
		NameLength:       `Track Naming`,
		StreamType:       `Unidirectional Stream Types|Data Streams and Datagrams`,
		StatusUnknown:    `Object Status`,
		StatusProperties: `Object Extension Headers?|Object Properties`,
		DatagramTypeBits: `Object Datagram`,
		StreamCut:        `Streams`,
		SubgroupTypeBits: `Subgroup Header`,
		FetchFlags:       `Fetch Header`,
		FetchGroupBound:  `Fetch Header|Flags`,
		EndOfRange:       `End of Range`,
		MalformedTrack:   `Malformed Tracks`,
		TokenForm:        `AUTHORIZATION.TOKEN( Parameter)?`,
		RangeFilterBound: `Range Filters`,
		GoawayOnce:       `GOAWAY`,
		AnswerType:       `Control Messages|REQUEST_OK`,
	}
	for draft := oldest; draft <= 19; draft++ {
		t.Run(fmt.Sprint(draft), func(t *testing.T) {
			source := textOf(t, draft)
			for id, title := range titles {
				section := strings.TrimPrefix(Section(draft, id), "§")
				if section != "" && !regexp.MustCompile("^("+title+")$").MatchString(source.sections[section]) {
					t.Errorf("%s is in §%s, %q; want %s", id, section, source.sections[section], title)
				}
			}
		})
	}
}

// textOf reads a draft, and skips the test where its text does not lie beside the project.
func textOf(t *testing.T, draft int) text {
	t.Helper()
	source, err := read(filepath.Join("..", "..", "..", "shared", "specs", fmt.Sprintf("draft-%d.md", draft)))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the text of draft-%d does not lie beside the project", draft)
	} else if err != nil {
		t.Fatal(err)
	}
	return source
}

// read finds sections and paragraphs with a MUST in a draft's source.
func read(path string) (text, error) {
	f, err := os.Open(path)
	if err != nil {
		return text{}, err
	}
	defer f.Close()
	var (
		item, must         = regexp.MustCompile(`^\s*([*+:-]|[0-9]+\.)\s`), regexp.MustCompile(`\bMUST\b`)
		found              = text{map[string]string{}, map[string]string{}}
		counts             [7]int
		ordinals           = map[string]int{}
		section, paragraph string
		middle, code       bool
		lines              = bufio.NewScanner(f)
		heading            = regexp.MustCompile(`^#+`)
	)
	end := func() {
		if must.MatchString(paragraph) {
			ordinals[section]++
			found.musts[fmt.Sprintf("%s/%d", section, ordinals[section])] = paragraph
		}
		paragraph = ""
	}
	for lines.Scan() {
		switch l := lines.Text(); {
		case strings.HasPrefix(l, "--- "):
			end()
			middle = l == "--- middle"
		case !middle:
		case strings.HasPrefix(strings.TrimSpace(l), "~~~"), strings.HasPrefix(strings.TrimSpace(l), "```"):
			end()
			code = !code
		case code:
		case heading.MatchString(l):
			end()
			level := len(heading.FindString(l))
			counts[level]++
			clear(counts[level+1:])
			numbers := counts[1 : level+1]
			if skipped := slices.Index(numbers, 0); skipped >= 0 {
				numbers = numbers[:skipped] // a heading that skips a level has no number of its own
			}
			section = strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", "."), "[]")
			if found.sections[section] == "" {
				title, _, _ := strings.Cut(l[level:], "{")
				found.sections[section] = strings.TrimSpace(title)
			}
		case strings.TrimSpace(l) == "":
			end()
		default:
			if item.MatchString(l) {
				end()
			}
			paragraph += l + "\n"
		}
	}
	end()
	return found, lines.Err()
}
