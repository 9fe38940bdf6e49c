package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/moqinterop/moq-interop-client/cases"
)

func model(t *testing.T) *kong.Application {
	t.Helper()
	parser, err := kong.New(&cli{}, options(&system{})...)
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model
}

// What may stand at the end of a command line follows from the flags and commands themselves.
func TestComplete(t *testing.T) {
	app := model(t)
	for _, c := range []struct {
		line string // the last word is to be completed
		want string
	}{
		{"ser", "serve"},
		{"--tr", "--transport"},
		{"--suite ", "standard all conformance everything"},
		{"-d 2", "22 21 20"},
		{"-d 22,2", "22,22 22,21 22,20"},
		{"-r e", "embedded"},
		{"-r embedded -t announce-o", "announce-only"},
		{"-t setup-only,!x", ""},
		{"-t tag:dat", "tag:data tag:datagram"},
		{"--transport = w", "webtransport"},
		{"--transport=w", "--transport=webtransport"},
		{"--strict ser", "serve"}, // a flag without a value
		{"-o ", ":file"},
		{"--qlog-dir ", ":dir"},
		{"serve --cert ", ":file"},
		{"serve --fault announce-re", "announce-reject"},
		{"serve --relay", ""},
		{"serve -d 14", "14"},
		{"matrix ", "plan run merge judge"},
		{"matrix run --transport q", "quic"},
		{"matrix run --expect ", ":file"},
		{"matrix run ", ":file"},
		{"matrix run -t subscribe-er", "subscribe-error"},
		{"relays s", "show schema"},
		{"report ", ":file"},
		{"compare one ", ":file"},
		{"completion ", "bash zsh"},
		{"decode --stream r", "request"},
		{"probe ", "embedded https:// moqt://"},
		{"complet", "completion"}, // not what is hidden
		{"no-such-command ", ""},
		{"--no-such-flag=", ""},
	} {
		got := strings.Join(complete(app, strings.Split(c.line, " ")), " ")
		if got != c.want {
			t.Errorf("%q: %s, want %s", c.line, got, c.want)
		}
	}
	if got := complete(app, nil); !slices.Contains(got, "serve") || !slices.Contains(got, "--relay") {
		t.Errorf("nothing typed: %s", got)
	}
	if got := complete(app, []string{"-t", ""}); len(got) < len(cases.All()) {
		t.Errorf("%d names of cases", len(got))
	}
}

// Every tag names a list that there is, and every flag with a list of names has one.
func TestCompletionsAreThere(t *testing.T) {
	used := make(map[string]bool)
	err := kong.Visit(model(t), func(v kong.Visitable, next kong.Next) error {
		if n, ok := v.(*kong.Node); ok {
			for _, value := range n.Values() {
				name := value.Tag.Get("complete")
				if used[name] = true; name != "" && completions[name] == nil {
					t.Errorf("%s: no completions %q", value.Summary(), name)
				}
			}
		}
		return next(nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range completions {
		if !used[name] {
			t.Errorf("nothing takes %q", name)
		}
	}
}
