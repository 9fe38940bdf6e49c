package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The drafts that the table has.
const oldest, newest = 14, 22

// Every rule has a name of its own, a sentence, somebody it binds, and sections that can be read; what no peer can see
// has a reason.
func TestTable(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	drafts := regexp.MustCompile(`\b(1[4-9]|2[0-2])(-(1[5-9]|2[0-2]))?( |$)`)
	place := regexp.MustCompile(` [1-9][0-9]*(\.[0-9]+)*(/[1-9][0-9]*(,[1-9][0-9]*)*)?`)
	seen := map[ID]bool{}
	for _, r := range All() {
		if seen[r.ID] || !name.MatchString(string(r.ID)) {
			t.Errorf("name %q stands twice or is not one", r.ID)
		}
		seen[r.ID] = true
		if r.Says == "" || !strings.HasSuffix(r.Says, ".") {
			t.Errorf("%s says %q", r.ID, r.Says)
		}
		if r.Binds == 0 || (r.Why == "") != (r.By != 0) || !slices.Contains([]Level{Must, Should, May}, r.Level) {
			t.Errorf("%s binds %q, level %q, is judged by %q, why not %q", r.ID, r.Binds, r.Level, r.By, r.Why)
		}
		before := oldest - 1
		for part := range strings.SplitSeq(r.In, "; ") {
			head, rest, _ := strings.Cut(part, " ")
			first, last := span(head)
			if !drafts.MatchString(head) || first <= before || last < first || last > newest ||
				place.ReplaceAllString(" "+rest, "") != "" {
				t.Errorf("%s: %q in %q", r.ID, part, r.In)
			}
			before = last
		}
	}
}

// A table in a row's text is read once: ranges, lists and ordinals.
func TestPlaces(t *testing.T) {
	r := Rule{In: "14-16 9.3/1,12 3.3; 18 10"}
	for draft, want := range map[int]string{13: "", 14: "9.3[1 12] 3.3[]", 16: "9.3[1 12] 3.3[]", 17: "", 18: "10[]"} {
		var got []string
		for _, p := range r.Places(draft) {
			got = append(got, p.Section+fmt.Sprint(p.Paragraphs))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%d: %q, want %q", draft, got, want)
		}
	}
	if got := r.Sections(14); !slices.Equal(got, []string{"9.3", "3.3"}) {
		t.Errorf("sections %q", got)
	}
}

// 21 is not numbered like 22: it has one section less before Track Alias, FETCH's rules with the message, and one more
// before most parameters and object fields.
func TestSectionsOf21(t *testing.T) {
	for id, want := range map[ID][2]string{
		Unsubscribe:            {"§3.1.1", "§3.1.2"},
		TrackAlias:             {"§3.1.2", "§3.1.3"},
		LargestObject:          {"§3.1.3", "§3.1.4"},
		FetchCancel:            {"§3.2.1", "§3.2.4"},
		FetchInvalidRange:      {"§9.11", "§3.2"},
		MandatoryProperties:    {"§3.6", "§3.7"},
		"reserved-dot":         {"§2.4.2", "§2.4.3"},
		PublishNamespace:       {"§4.2", "§4.1"},
		PrefixOverlap:          {"§9.15", "§4.2"},
		Routing:                {"§7.5", "§7.6"},
		FilterType:             {"§9.20.10", "§9.20.9"},
		FillParametersScope:    {"§9.20.16", "§9.20.15"},
		ForwardValue:           {"§9.20.19", "§9.20.18"},
		GroupOrderValue:        {"§9.20.9", "§9.20.8"},
		IncludePropertiesValue: {"§9.20.22", "§9.20.21"},
		ParameterScope:         {"§9.20.1", "§9.20.1"},
		StatusUnknown:          {"§11.1.2", "§11.1.1"},
		StatusProperties:       {"§11.1.3", "§11.1.2"},
		NameLength:             {"§8.7", "§8.7"},
		RequestStream:          {"§6.3", "§6.3"},
		SetupTokenAlias:        {"§9.1.4", "§9.1.4"},
		FetchEndBound:          {"§9.12", "§9.12"},
	} {
		if a, b := Section(21, id), Section(22, id); a != want[0] || b != want[1] {
			t.Errorf("%s: 21 %s, 22 %s; want %v", id, a, b, want)
		}
	}
	if got := Section(22, ID("no-such-rule")); got != "" {
		t.Errorf("a rule that is not there is in %s", got)
	}
}

func TestSets(t *testing.T) {
	for got, want := range map[string]string{
		(Relay | Server).String():    "relay, server",
		(Codec | Cases).String():     "codec, cases",
		Judge(0).String():            "",
		OriginalPublisher.String():   "original publisher",
		(Client | Outsider).String(): "client, outsider",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if !Endpoint.Relay() || !Server.Relay() || (Client | Outsider | OriginalPublisher).Relay() {
		t.Error("what binds a relay is wrong")
	}
}

func TestCite(t *testing.T) {
	for _, test := range []struct {
		draft int
		ids   []ID
		want  string
	}{
		{14, []ID{Setup, Close}, "draft-14 §3.3, §9.3, §3.4"},
		{18, []ID{Fill}, ""},
		{18, []ID{Routing, Publish}, "draft-18 §9.5, §10.10"},
		{21, []ID{LargestObject}, "draft-21 §3.1.3, §9.20.18"},
		{22, []ID{LargestObject}, "draft-22 §3.1.4, §9.20.17"},
		{0, []ID{Setup}, ""},
	} {
		if got := Cite(test.draft, test.ids...); got != test.want {
			t.Errorf("%v in %d: %q, want %q", test.ids, test.draft, got, test.want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a name that is not there is cited")
		}
	}()
	Cite(18, "no-such-rule")
}
