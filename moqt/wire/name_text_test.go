package wire

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The example of the drafts (draft-16 §1.5).
func TestNameText(t *testing.T) {
	ns := TrackNamespace{"example.net", "team2", "project_x"}
	const text = "example.2enet-team2-project_x--report"
	if got := NameText(ns, "report"); got != text {
		t.Errorf("%q", got)
	}
	back, track, err := ParseNameText(text)
	if err != nil || !back.Equal(ns) || track != "report" {
		t.Errorf("%q %q %v", back, track, err)
	}
}

// Every name has one text, and each text one name.
func TestNameTextIsBijective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		field := rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, 6), func(b []byte) string { return string(b) })
		ns := TrackNamespace(rapid.SliceOfN(field, 0, 4).Draw(t, "ns"))
		track := string(rapid.SliceOfN(rapid.Byte(), 0, 6).Draw(t, "track"))
		back, name, err := ParseNameText(NameText(ns, track))
		if err != nil || !back.Equal(ns) || name != track {
			t.Fatalf("%q %q -> %q -> %q %q %v", ns, track, NameText(ns, track), back, name, err)
		}
		text := rapid.StringOf(rapid.RuneFrom([]rune("a_.-24efF"))).Draw(t, "text")
		if ns, track, err := ParseNameText(text); err == nil && NameText(ns, track) != text {
			t.Fatalf("%q -> %q %q -> %q", text, ns, track, NameText(ns, track))
		}
	})
}

func TestNameTextRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"a":        "want --",
		"a--b.":    "two hex digits",
		"a--b.2":   "two hex digits",
		"a--b.2E":  "lower case",
		"a--b.zz":  "lower case",
		"a--.61":   "must be written as a",
		"a/b--c":   "must be written as .2f",
		"a-":       "want --",
		"-a--b":    "empty field",
		"a--b--c":  "must be written as .2d",
		"a----b":   "must be written as .2d",
		"a--b c":   "must be written as .20",
		"a.2--b":   "two hex digits",
		"\xff--xx": "must be written as .ff",
	} {
		if ns, track, err := ParseNameText(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %q %q %v", text, ns, track, err)
		}
	}
}
