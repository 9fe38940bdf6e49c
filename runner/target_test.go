package runner

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestParseTarget(t *testing.T) {
	known := []string{"drop-objects", "wrong-code"}
	for _, test := range []struct {
		name     string
		embedded bool
		addr     string
		faults   []string
		quirks   []string
		err      string // a part of the error; empty for none
	}{
		{name: "https://relay.example/path?x=1", addr: "relay.example:443"},
		{name: "moqt://[::1]:4443", addr: "[::1]:4443"},
		{name: "embedded", embedded: true},
		{name: "embedded?fault=wrong-code", embedded: true, faults: []string{"wrong-code"}},
		{name: "embedded?fault=wrong-code&fault=drop-objects", embedded: true,
			faults: []string{"wrong-code", "drop-objects"}},
		{name: "embedded?fault=wrong-code&quirk=answers-late", embedded: true, faults: []string{"wrong-code"},
			quirks: []string{"answers-late"}},
		{name: "embedded?quirk=answer-late", err: `unknown quirk "answer-late": did you mean answers-late?`},
		{name: "embedded?fault=wrongcode", err: `unknown fault "wrongcode": did you mean wrong-code?`},
		{name: "embedded?fault=", err: `unknown fault ""`},
		{name: "embedded?faults=wrong-code", err: `unknown option "faults"`},
		{name: "embedded?fault=%zz", err: "invalid URL escape"},
		{name: "embeded", err: "want https://host:port/path, moqt://host:port/path or embedded"},
		{name: "relay.example:4443", err: "want https://"},
		{name: "", err: "want https://"},
		{name: "http://relay.example", err: "https:// (WebTransport) or moqt:// (QUIC)"},
		{name: "https://relay.example:99999", err: "99999"},
		{name: "https://:4443", err: "no host"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseTarget(test.name, known, []string{"answers-late"})
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("got %v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Name != test.name || got.Embedded != test.embedded || !slices.Equal(got.Faults, test.faults) ||
				!slices.Equal(got.Quirks, test.quirks) {
				t.Errorf("got %+v", got)
			}
			if !got.Embedded && got.URL.Addr() != test.addr {
				t.Errorf("address %q, want %q", got.URL.Addr(), test.addr)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	known := []string{"setup-only", "announce-only", "subscribe-error", "fetch", "join"}
	for name, want := range map[string][]string{
		"setup-onyl":      {"setup-only"},
		"SETUP-ONLY":      {"setup-only"},
		"setup":           {"setup-only"},
		"subscribe-eror":  {"subscribe-error"},
		"only":            {"setup-only", "announce-only"},
		"fetsh":           {"fetch"},
		"zzzzzzzz":        nil,
		"x":               nil,
		"":                nil,
		"no-such-case-77": nil,
	} {
		if got := Nearest(name, known); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

func TestSelection(t *testing.T) {
	for _, c := range cases.All() {
		for _, name := range append([]string{c.ID}, c.Aliases...) {
			got, err := Selection{}.Cases([]string{name})
			if err != nil || len(got) != 1 || got[0].ID != c.ID {
				t.Errorf("%q: got %v, %v", name, got, err)
			}
		}
	}
	got, err := Selection{}.Cases([]string{"subscribe-error", "publish-namespace-only", "announce-only",
		"subscribe-error"})
	if err != nil || len(got) != 2 || got[0].ID != "subscribe-error" || got[1].ID != "announce-only" {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = Selection{}.Cases([]string{"setup-only", "setup-onyl"})
	unknown, ok := err.(*UnknownCaseError)
	if !ok || unknown.Name != "setup-onyl" || !slices.Contains(unknown.Near, "setup-only") ||
		!strings.Contains(err.Error(), "did you mean setup-only") {
		t.Errorf("got %v", err)
	}
}

func ids(list []cases.Case) (all []string) {
	for _, c := range list {
		all = append(all, c.ID)
	}
	return all
}

func TestSelectionByPatternAndTag(t *testing.T) {
	got, err := Selection{}.Cases([]string{"join", "publish-namespace-o*", "fetch-layout-none", "fetch"})
	if err == nil {
		t.Errorf("a name among them that does not exist: %v", ids(got))
	}
	got, err = Selection{}.Cases([]string{"join", "publish-namespace-o*", "joi?"})
	if err != nil || !slices.Equal(ids(got), []string{"join", "announce-only"}) { // by its alias
		t.Errorf("%v, %v", ids(got), err)
	}
	got, err = Selection{}.Cases([]string{"tag:datagram", "datagram"})
	if err != nil || len(got) < 4 || slices.ContainsFunc(got,
		func(c cases.Case) bool { return !slices.Contains(c.Tags, "datagram") }) {
		t.Errorf("%v, %v", ids(got), err)
	}
	got, err = Selection{}.Cases([]string{"tag:standard"})
	if err != nil || !slices.Equal(ids(got), ids(cases.Suite(cases.SuiteStandard))) {
		t.Errorf("%v, %v", ids(got), err)
	}
	all, err := Selection{}.Cases([]string{"*"})
	if err != nil || len(all) != len(cases.Everything()) {
		t.Errorf("%d cases match *, want all %d: %v", len(all), len(cases.Everything()), err)
	}
	for name, want := range map[string]string{
		"tag:datagarm": `no case has the tag "datagarm": did you mean tag:datagram or tag:data?`,
		"no-such-*":    `no case matches "no-such-*"`,
		"fetch[":       `no case matches "fetch["`,
	} {
		_, err := Selection{}.Cases([]string{name})
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
}

func TestSelectionExcludes(t *testing.T) {
	for _, c := range []struct {
		names []string
		suite string
		want  func(c cases.Case) bool
	}{
		{[]string{"!fetch"}, "", func(c cases.Case) bool { return c.Suite == cases.SuiteStandard && c.ID != "fetch" }},
		{[]string{"!fetch*"}, cases.SuiteAll, func(c cases.Case) bool { return !strings.HasPrefix(c.ID, "fetch") }},
		{[]string{"!join*", "fetch*", "join*", "!fetch-*"}, "", func(c cases.Case) bool { return c.ID == "fetch" }},
		{[]string{"tag:datagram", "!tag:datagram", "setup-only"}, "",
			func(c cases.Case) bool { return c.ID == "setup-only" }},
	} {
		got, err := Selection{Suite: c.suite}.Cases(c.names)
		want := slices.DeleteFunc(cases.All(), func(x cases.Case) bool { return !c.want(x) })
		if err != nil || len(want) == 0 || !slices.Equal(ids(got), ids(want)) {
			t.Errorf("%v: %v, %v; want %v", c.names, ids(got), err, ids(want))
		}
	}
	if _, err := (Selection{}).Cases([]string{"!no-such-*"}); err == nil ||
		err.Error() != `no case matches "no-such-*"` {
		t.Error(err)
	}
	if _, err := (Selection{}).Cases([]string{"fetch", "!f*"}); !errors.Is(err, ErrNoCaseLeft) {
		t.Error(err)
	}
}

// Sections are those of one draft, and have what stands below them.
func TestSelectionBySection(t *testing.T) {
	for _, d := range wire.Drafts() {
		all := 0
		for _, section := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"} {
			got, err := Selection{Draft: d}.Cases([]string{"section:" + section})
			var unknown *UnknownCaseError
			if err != nil && !errors.As(err, &unknown) {
				t.Fatal(err)
			}
			for _, c := range got {
				if !c.Applies(d) || !strings.Contains(strings.ReplaceAll(c.Sections(d), ",", ".")+".",
					"§"+section+".") {
					t.Errorf("%s, %s: %s of %s", d, section, c.ID, c.Sections(d))
				}
			}
			all += len(got)
		}
		if all < len(cases.Suite(cases.SuiteStandard)) {
			t.Errorf("%s: sections have %d cases", d, all)
		}
	}
	_, err := Selection{Draft: 16}.Cases([]string{"section:99.9"})
	if want := `no case is about section "99.9" of draft-16`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestList: identifiers alone by default, with long a paragraph a case.
func TestList(t *testing.T) {
	some, err := Selection{}.Cases([]string{"setup-only", "announce-subscribe", "join-unknown-request"})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := List(&b, some, false, nil); err != nil ||
		b.String() != "setup-only\nannounce-subscribe\njoin-unknown-request\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
	b.Reset()
	if err := List(&b, some, true, nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"setup-only\n    SETUP goes both ways", "\n\nannounce-subscribe\n", "    also: publish-namespace-subscribe\n",
		"    drafts 14 to 19; MUST; suite all\n",
		"    tags: standard, namespace, subscribe\n", "    section: draft-22 §", "    section: draft-19 §",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := List(&b, some[2:], true, []wire.Draft{wire.Draft16, wire.Draft22}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"section: draft-16 §9.16.2", "section: draft-22 does not have the case"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if err := List(fullDisk{}, some, true, nil); err == nil {
		t.Error("a list that could not be written is no error")
	}
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }
