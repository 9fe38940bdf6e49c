package printable

import "testing"

func TestBoth(t *testing.T) {
	for _, test := range []struct{ text, line, printable string }{
		{"plain words", "plain words", "plain words"},
		{" one  two ", "one two", " one  two "},
		{" two\r\n lines\t", "two lines", " two\uFFFD\uFFFD lines\uFFFD"},
		{"\x1b[2J", "[2J", "\uFFFD[2J"},
		{"a\u202eb\u2028c", "a b c", "a\uFFFDb\uFFFDc"},
		{"no\xffutf8", "no\uFFFDutf8", "no\uFFFDutf8"},
		{"größe 10 kB", "größe 10 kB", "größe 10 kB"},
	} {
		if got := OneLine(test.text); got != test.line {
			t.Errorf("OneLine(%q) is %q, want %q", test.text, got, test.line)
		}
		if got := Text(test.text); got != test.printable {
			t.Errorf("Text(%q) is %q, want %q", test.text, got, test.printable)
		}
	}
}
