package wire

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDataSections finds the sections of the data plane in the texts of 14 to 19, where they lie beside the project, by
// their headings.
func TestDataSections(t *testing.T) {
	titles := map[Topic]string{
		TopicIntegers:         `Variable-Length Integers`,
		TopicKeyValuePairs:    `Key-Value-Pair Structure`,
		TopicUniStreams:       `Unidirectional Stream Types`,
		TopicObjectStatus:     `Object Status`,
		TopicObjectProperties: `Object Extension Headers?|Object Properties`,
		TopicObjectDatagram:   `Object Datagram`,
		TopicStreamEnd:        `Streams`,
		TopicSubgroupHeader:   `Subgroup Header`,
		TopicFetchHeader:      `Fetch Header`,
		TopicFetchFlags:       `Flags`,
		TopicEndOfRange:       `End of Range`,
		TopicMalformedTracks:  `Malformed Tracks`,
	}
	for d := Draft14; d <= Draft19; d++ {
		path := filepath.Join("..", "..", "..", "shared", "specs", fmt.Sprintf("draft-%d.md", d))
		text, err := os.ReadFile(path)
		if err != nil {
			t.Skipf("no text at %s: it lies beside the project, not in it", path)
		}
		headings := numberHeadings(string(text))
		for topic, title := range titles {
			want := Section(d, topic)
			found := regexp.MustCompile(`^(` + title + `)$`).MatchString(headings[strings.TrimPrefix(want, "§")])
			switch {
			case topic == TopicIntegers && d <= Draft16, topic == TopicUniStreams && d <= Draft16,
				topic == TopicFetchFlags && d <= Draft15:
				// no section of their own: they stand in the one around
			case want != "" && !found:
				t.Errorf("%s: topic %d at %s, where the text has %q, want %q", d, topic, want,
					headings[strings.TrimPrefix(want, "§")], title)
			}
		}
	}
}

// numberHeadings gives the title of each section by its number.
func numberHeadings(text string) map[string]string {
	out := map[string]string{}
	heading := regexp.MustCompile(`^(#+) +([^{]+?) *(\{.*)?$`)
	var n [7]int
	for _, line := range strings.Split(text, "\n") {
		m := heading.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		level := len(m[1])
		n[level-1]++
		clear(n[level:])
		number := fmt.Sprint(n[0])
		for _, k := range n[1:level] {
			number += fmt.Sprintf(".%d", k)
		}
		if _, taken := out[number]; !taken {
			out[number] = m[2]
		}
	}
	return out
}
