package cases

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Every case says all that a report and the rest of the program need.
func TestList(t *testing.T) {
	seen := map[string]bool{}
	id := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for _, c := range All() {
		for _, name := range append(c.Aliases, c.ID) {
			if seen[name] || !id.MatchString(name) {
				t.Errorf("name %q stands twice or is not one", name)
			}
			seen[name] = true
			if found, ok := Find(name); !ok || found.ID != c.ID {
				t.Errorf("Find(%q) gives %q", name, found.ID)
			}
		}
		switch {
		case c.Title == "", len(c.Rules) == 0, len(c.Tags) == 0, len(c.Roles) == 0, c.Run == nil,
			c.Timeout < time.Second:
			t.Errorf("%s lacks something", c.ID)
		case len(c.Faults) == 0:
			t.Errorf("%s: no fault can make it fail, so it proves nothing", c.ID)
		case !slices.Contains([]Level{Must, Should, Probe}, c.Level):
			t.Errorf("%s: level %q", c.ID, c.Level)
		case !slices.Contains(Suites(), c.Suite):
			t.Errorf("%s: suite %q", c.ID, c.Suite)
		case c.Stranger != "" && !slices.Contains(c.Roles, c.Stranger):
			t.Errorf("%s: %q is none of its roles", c.ID, c.Stranger)
		}
		for _, d := range wire.Drafts() {
			if c.Applies(d) && c.Sections(d) == "" {
				t.Errorf("%s: no sections in %s", c.ID, d)
			}
		}
	}
	for alias, id := range map[string]string{
		"publish-namespace-only":             "announce-only",
		"publish-namespace-subscribe":        "announce-subscribe",
		"subscribe-before-publish-namespace": "subscribe-before-announce",
		"publish-without-subscriber":         "publish-track-only",
		"publish-to-pending-subscription":    "publish-track-subscribe",
	} {
		if c, ok := Find(alias); !ok || c.ID != id {
			t.Errorf("%s is %q, want %s", alias, c.ID, id)
		}
	}
	if _, ok := Find("no-such-case"); ok {
		t.Error("found a case that is not there")
	}
}

func TestSuites(t *testing.T) {
	var standard []string
	for _, c := range Suite(SuiteStandard) {
		standard = append(standard, c.ID)
	}
	want := []string{"setup-only", "announce-only", "publish-namespace-done", "subscribe-error", "announce-subscribe",
		"subscribe-before-announce", "fetch", "join", "rendezvous-timeout", "publish-track-only",
		"publish-track-subscribe", "namespace-discovery", "data-subgroup-basic", "subscribe-namespace-lifecycle",
		"subscribe-one-subgroup-per-group", "subscribe-one-subgroup-per-object", "subscribe-two-subgroups-per-group",
		"subscribe-nonzero-start-group", "subscribe-nonzero-start-object", "subscribe-sparse-group-object-ids",
		"subscribe-object-properties"}
	if diff := cmp.Diff(want, standard); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(Suite(SuiteAll)) != len(All()) || Suite("no such suite") != nil {
		t.Error("suites are wrong")
	}
	All()[0].ID = "changed"
	if list[0].ID == "changed" {
		t.Error("All gives away the list itself")
	}
}

func TestSections(t *testing.T) {
	c := Case{Rules: []rules.ID{rules.Setup, rules.Fill, rules.Setup}}
	for d, want := range map[wire.Draft]string{14: "draft-14 §3.3, §9.3",
		20: "draft-20 §3.3, §10.3, §3.2, §5.1.3", 0: ""} {
		if got := c.Sections(d); got != want {
			t.Errorf("sections of %d: %q, want %q", d, got, want)
		}
	}
}

// A case cites the sections that have its rule, not those that lay out its messages. Those of draft 22 stand here as
// they were read in the text.
func TestSectionsAreTheRules(t *testing.T) {
	for ids, want := range map[string][2]string{
		"priorities":                       {"5.1.2", "7.2"},
		"delivery-timeout":                 {"5.2", "8"},
		"two-publishers":                   {"7.3 7.6", "9.3 9.5"},
		"namespace-routing":                {"2.4.2 7.6", "9.5"},
		"forward-state":                    {"3.1.1 7.2 7.6", "5.1 9.5"},
		"late-subscriber track-status":     {"3.1.4 9.20.17", "5.1.2 10.2.11"},
		"object-properties":                {"8.4", "2.5"},
		"immutable-properties":             {"8.4 10.7", "2.5"},
		"track-properties":                 {"7.7", "9.6"},
		"mandatory-property":               {"3.7", "2.5.1"},
		"subgroup-fin end-of-group":        {"11.3.2 2.2", "11.4.3"},
		"datagram datagram-properties":     {"2.1.1", "9.7"},
		"datagram-status":                  {"2.1.1", "9.7"},
		"unsubscribe":                      {"3.1.2 6.4.2.3", "5.1.1"},
		"fetch fetch-range":                {"3.2 3.2.1 3.2.2", "10.12.3"},
		"fetch-ascending fetch-descending": {"3.2.1", "10.12.3"},
		"fetch-upstream":                   {"3.2.3 7.6", "9.5"},
	} {
		for _, id := range strings.Fields(ids) {
			c, ok := Find(id)
			if !ok {
				t.Errorf("no case %s", id)
			}
			for i, d := range []wire.Draft{wire.Draft22, wire.Draft18} {
				has := rules.Sections(d, c.Rules...)
				for _, s := range strings.Fields(want[i]) {
					if !slices.Contains(has, s) {
						t.Errorf("%s: %s, without §%s", id, c.Sections(d), s)
					}
				}
			}
		}
	}
}

func TestSetTolerance(t *testing.T) {
	var cfg Config
	for _, name := range ToleranceNames() {
		if err := cfg.SetTolerance(name); err != nil {
			t.Error(err)
		}
	}
	if !cfg.NoRequestLimit || cfg.Tolerate != 1<<len(wire.ToleranceNames())-1 {
		t.Errorf("got %v %v", cfg.NoRequestLimit, cfg.Tolerate)
	}
	err := cfg.SetTolerance("lenient")
	if want := `unknown tolerance "lenient": want one of `; err == nil || err.Error()[:len(want)] != want {
		t.Errorf("error %v", err)
	}
}
