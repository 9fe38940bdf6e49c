package relays

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// That nothing is lost is shown by the way back: a catalogue is turned into the public format again, and every value of
// the input must be there, or be named in the report, and nothing else may be there.

type doc = map[string]any

// set leaves out what is empty: the formats have the same meaning for nothing and for an absent field.
func set[T any](d doc, key string, v T, empty bool) {
	if !empty {
		d[key] = v
	}
}

func toRegistry(c *Catalogue) doc {
	all := doc{}
	for _, im := range c.Implementations {
		roles := doc{}
		for _, r := range im.Roles {
			roles[string(r)] = doc{}
		}
		for _, e := range im.Endpoints {
			r := doc{"url": e.URL}
			set(r, "transport", e.Transport, e.Transport == transport.Auto)
			set(r, "status", e.Status, false)
			set(r, "notes", e.Notes, e.Notes == "")
			set(r, "tls_disable_verify", e.TLSDisableVerify, false)
			for _, d := range e.Drafts {
				r["draft_version"] = d
			}
			role := roles[string(e.Role)].(doc)
			list, _ := role["remote"].([]any)
			role["remote"] = append(list, r)
		}
		for _, x := range im.Containers {
			d := doc{"image": x.Image}
			set(d, "url", x.URL, x.URL == "")
			set(d, "upstream_image", x.UpstreamImage, x.UpstreamImage == "")
			set(d, "env", x.Env, len(x.Env) == 0)
			set(d, "notes", x.Notes, x.Notes == "")
			set(d, "build", x.Build, x.Build == nil)
			roles[string(x.Role)].(doc)["docker"] = d
		}
		entry := doc{"roles": roles}
		set(entry, "name", im.Title, im.Title == "")
		set(entry, "organization", im.Organisation, im.Organisation == "")
		set(entry, "repository", im.Repository, im.Repository == "")
		set(entry, "draft_versions", im.Drafts, len(im.Drafts) == 0)
		set(entry, "notes", im.Notes, im.Notes == "")
		all[string(im.Name)] = entry
	}
	out := doc{"implementations": all}
	set(out, "description", c.Description, c.Description == "")
	set(out, "current_target", c.Target, c.Target == "")
	return out
}

func toAiomoqt(c *Catalogue) doc {
	rows := []any{}
	for _, im := range c.Implementations {
		urls := doc{}
		row := doc{"name": im.Name, "urls": urls}
		for _, e := range im.Endpoints {
			urls[map[transport.Choice]string{transport.OnlyQUIC: "raw-quic",
				transport.OnlyWebTransport: "h3-wt"}[e.Transport]] = e.URL
			row["insecure"] = e.TLSDisableVerify
			row["disabled"] = e.Status == Inactive
		}
		numbers := func(drafts []Draft) (out []int) {
			for _, d := range drafts {
				n, _ := strconv.Atoi(d.Number())
				out = append(out, n)
			}
			return out
		}
		set(row, "drafts", numbers(im.Drafts), len(im.Drafts) == 0)
		set(row, "gating", numbers(im.Gating), len(im.Gating) == 0)
		set(row, "compat", im.Tolerances, len(im.Tolerances) == 0)
		set(row, "disabled_suites", im.DisabledSuites, len(im.DisabledSuites) == 0)
		set(row, "xfail_suites", im.XfailSuites, len(im.XfailSuites) == 0)
		set(row, "notes", im.Notes, im.Notes == "")
		switch {
		case len(im.AnnounceBy) == 2:
			row["pub_mode"] = "publish-both"
		case slices.Contains(im.AnnounceBy, ByPublish):
			row["pub_mode"] = "publish"
		case slices.Contains(im.AnnounceBy, ByPublishNamespace):
			row["pub_mode"] = "publish-ns"
		}
		rows = append(rows, row)
	}
	return doc{"relays": rows}
}

// meaningless are values that say what their absence says.
var meaningless = regexp.MustCompile(`((tls_disable_verify|insecure|disabled)=false|status="active"|=\[\]|=\{\}|` +
	`(repository|notes|name|organization|description|dockerfile|context)="")$`)

// present are objects that say something by being there, even when they are empty.
var present = regexp.MustCompile(`(^implementations\.[^.]+|\.roles\.[a-z]+|\.docker|\.build|\])$`)

// leaves counts every value of a document that is no container, by path and value, and the containers that are present.
// What a report names is left out.
func leaves(n *node, report Report, without *regexp.Regexp) map[string]int {
	named := map[string]bool{}
	for _, f := range report.Left {
		named[f.Path] = true
	}
	out := map[string]int{}
	var walk func(n *node)
	walk = func(n *node) {
		if named[n.path()] && n.parent != nil {
			return
		}
		if n.kind == object && present.MatchString(n.path()) {
			out[without.ReplaceAllString(n.path(), "[]")]++
		}
		if len(n.items) > 0 {
			for _, item := range n.items {
				walk(item)
			}
			return
		}
		var b bytes.Buffer
		b.WriteString(n.path() + "=")
		switch n.kind {
		case text:
			b.WriteString(strconv.Quote(n.value)) // in full, unlike String
		default:
			b.WriteString(n.String())
		}
		if key := b.String(); !meaningless.MatchString(key) {
			out[without.ReplaceAllString(key, "[]")]++
		}
	}
	walk(n)
	return out
}

var (
	noIndex = regexp.MustCompile(`\[[0-9]+\]`)
	nothing = regexp.MustCompile(`$.`)
)

// lost is the difference between an input and what a catalogue gives back; "" when there is none.
func lost(file string, in []byte, c *Catalogue, report Report, without *regexp.Regexp) (diff string, count int) {
	back := toAiomoqt(c)
	if report.Format == FormatRegistry {
		back = toRegistry(c)
	}
	b, err := json.Marshal(back)
	if err != nil {
		return err.Error(), 0
	}
	want, err := parseJSON(file, in)
	if err != nil {
		return err.Error(), 0
	}
	got, err := parseJSON("back", b)
	if err != nil {
		return err.Error(), 0
	}
	all := leaves(want, report, without)
	return cmp.Diff(all, leaves(got, Report{}, without)), len(all)
}

// public reads one of the public files that may stand beside the project.
func public(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "shared", "data", name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the public file is not beside the project: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPublicFilesLoseNothing(t *testing.T) {
	for _, test := range []struct {
		file   string
		format Format
		count  int // implementations
		least  int // values
		left   []string
	}{
		{"implementations.json", FormatRegistry, 22, 250, []string{"$schema", "version", "_comment_how_to_add"}},
		{"aiomoqt-relays.json", FormatAiomoqt, 15, 90, []string{"_schema"}},
		{"aiomoqt-relays-2026-07.json", FormatAiomoqt, 12, 70, []string{"_schema"}},
	} {
		t.Run(test.file, func(t *testing.T) {
			in := public(t, test.file)
			c, report, err := Load(test.file, bytes.NewReader(in))
			if err != nil {
				t.Fatal(err)
			}
			var left []string
			for _, f := range report.Left {
				left = append(left, f.Path)
			}
			if diff := cmp.Diff(test.left, left); diff != "" || len(report.Lost()) > 0 ||
				report.Format != test.format || len(c.Implementations) != test.count {
				t.Errorf("%d implementations, %s\n%+v", len(c.Implementations), diff, report)
			}
			diff, count := lost(test.file, in, c, report, nothing)
			if diff != "" || count < test.least {
				t.Errorf("%d values: %s", count, diff)
			}
			roundTrip(t, c)
			explicit, _, err := Import(test.format, test.file, bytes.NewReader(in))
			if diff := cmp.Diff(c, explicit); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

// The built-in catalogue has everything that the public files have: each URL, each image, each draft of an
// implementation in the newest file.
func TestBuiltinKnowsThePublicFiles(t *testing.T) {
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	urls, images := map[string]bool{}, map[Image]bool{}
	for _, im := range c.Implementations {
		for _, e := range im.Endpoints {
			urls[address(t, e.URL)] = true
		}
		for _, x := range im.Containers {
			images[x.Image] = true
		}
	}
	// Said of the same host and port in another way.
	elsewhere := map[URL]string{"moqt://quichemoq.dev:443": "WebTransport only"}
	for _, file := range []string{"implementations.json", "aiomoqt-relays.json", "aiomoqt-relays-2026-07.json"} {
		other, _, err := Load(file, bytes.NewReader(public(t, file)))
		if err != nil {
			t.Fatal(err)
		}
		for _, im := range other.Implementations {
			if file == "implementations.json" {
				if own, ok := c.Find(string(im.Name)); !ok || own.Organisation != im.Organisation ||
					own.Repository != im.Repository {
					t.Errorf("%s: %+v", im.Name, own)
				}
			}
			for _, e := range im.Endpoints {
				if !urls[address(t, e.URL)] && elsewhere[e.URL] == "" {
					t.Errorf("%s: %s: %s is missing", file, im.Name, e.URL)
				}
			}
			for _, x := range im.Containers {
				if !images[x.Image] {
					t.Errorf("%s: %s: %s is missing", file, im.Name, x.Image)
				}
			}
		}
	}
}

// address is a URL with its default port written out.
func address(t *testing.T, u URL) string {
	t.Helper()
	p, err := u.Parse()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(p.Scheme, "://", p.Addr(), p.Path)
}

// Documents in the public formats, partly out of order, lose nothing unsaid either.
func TestRandomImportsLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := random{t: t}
		in, err := json.Marshal(rapid.SampledFrom([]func() doc{r.registry, r.aiomoqt}).Draw(t, "format")())
		if err != nil {
			t.Fatal(err)
		}
		c, report, err := Load("random", bytes.NewReader(in))
		if err != nil {
			t.Fatalf("%v\n%s", err, in)
		}
		if diff, _ := lost("random", in, c, report, noIndex); diff != "" {
			t.Fatalf("%s\n%s\n%+v", diff, in, report)
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("%v\n%s", err, in)
		}
	})
}

// random makes documents. Its strings are all different, so that a value cannot stand for another.
type random struct {
	t *rapid.T
	n int
}

func (r *random) chance(percent int) bool {
	return rapid.IntRange(1, 100).Draw(r.t, "chance") <= percent
}

func (r *random) fresh(form string) string { r.n++; return fmt.Sprintf(form, r.n) }

// some takes some of the fields, and makes a few values useless.
func (r *random) some(fields map[string]func() any) doc {
	out := doc{}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		switch {
		case r.chance(70):
			out[key] = fields[key]()
		case r.chance(10):
			out[key] = rapid.SampledFrom([]any{nil, true, 7, -1.5, "nonsense", []any{}, []any{"x y", nil}, doc{},
				doc{"x": []any{1}}}).Draw(r.t, "odd")
		}
	}
	if r.chance(10) {
		out[r.fresh("unknown %d")] = doc{"x": r.fresh("%d")}
	}
	return out
}

func (r *random) list(of func() any) any {
	out := []any{}
	for range rapid.IntRange(0, 3).Draw(r.t, "length") {
		out = append(out, of())
	}
	return out
}

func (r *random) text() any { return r.fresh("text %d \"é\n") }
func (r *random) draft() any {
	return fmt.Sprintf("draft-%d", rapid.IntRange(10, 24).Draw(r.t, "draft"))
}
func (r *random) url() any {
	return r.fresh(rapid.SampledFrom([]string{"moqt://h%d.example", "https://h%d.example:4433/p", "h%d.example"}).Draw(
		r.t, "url"))
}
func (r *random) texts() any  { return r.list(r.text) }
func (r *random) drafts() any { return r.list(r.draft) }
func (r *random) yes() any    { return rapid.Bool().Draw(r.t, "bool") }

func (r *random) of(values ...any) func() any {
	return func() any { return rapid.SampledFrom(values).Draw(r.t, "value") }
}

func (r *random) registry() doc {
	env := func() any { return doc{r.fresh("K%d"): r.text()} }
	build := func() any { return r.some(map[string]func() any{"dockerfile": r.text, "context": r.text}) }
	docker := func() any {
		image := func() any { return r.fresh("image-%d:latest") }
		return r.some(map[string]func() any{"image": image, "url": r.url, "build": build, "upstream_image": image,
			"env": env, "notes": r.text})
	}
	remote := func() any {
		return r.some(map[string]func() any{
			"url": r.url, "transport": r.of("quic", "webtransport", "udp"),
			"status":        r.of("active", "inactive", "untested", "gone"),
			"draft_version": r.draft, "tls_disable_verify": r.yes, "notes": r.text,
		})
	}
	role := func() any {
		return r.some(map[string]func() any{"docker": docker, "remote": func() any { return r.list(remote) }})
	}
	roles := func() any {
		return r.some(map[string]func() any{"relay": role, "client": role, "publisher": role, "subscriber": role,
			"origin": role})
	}
	all := doc{}
	for range rapid.IntRange(0, 3).Draw(r.t, "implementations") {
		all[r.fresh("im-%d")] = r.some(map[string]func() any{
			"name": r.text, "organization": r.text, "repository": r.text, "draft_versions": r.drafts, "notes": r.text,
			"roles": roles,
		})
	}
	top := r.some(map[string]func() any{"$schema": r.text, "version": r.of("1.1", "2.0"), "description": r.text,
		"current_target": r.draft, "_comment": r.texts})
	top["implementations"] = all
	return top
}

func (r *random) aiomoqt() doc {
	numbers := func() any { return r.list(r.of(14, 16, 22, 7, 99, "16")) }
	urls := func() any { return r.some(map[string]func() any{"raw-quic": r.url, "h3-wt": r.url, "h2": r.url}) }
	tolerances := func() any { return r.list(func() any { return r.fresh("tolerance-%d") }) }
	row := func() any {
		out := r.some(map[string]func() any{
			"urls": urls, "drafts": numbers, "gating": numbers, "pub_mode": r.of("publish", "publish-ns",
				"publish-both", "other"), "insecure": r.yes, "disabled": r.yes,
			"disabled_suites": r.texts, "xfail_suites": r.texts, "compat": tolerances, "notes": r.text,
		})
		if r.chance(95) {
			out["name"] = r.fresh("relay-%d")
		}
		return out
	}
	return doc{"_schema": doc{"name": "x"}, "relays": r.list(row)}
}

// Whatever comes, Load does not panic; what it takes is a valid catalogue that can be written, shown, and read back.
func FuzzImport(f *testing.F) {
	// Small seeds: the fuzzer shortens what it finds interesting, one byte at a time.
	for _, seed := range []string{
		"# list\nmoqt://a:1\nhttps://[::1]/x # y\nembedded?fault=z\n", `["moqt://a", "https://a:443"]`,
		`{"format": 1, "target": "draft-18", "implementations": [{"name": "a", "drafts": ["draft-16"], "roles": ` +
			`["relay"], "endpoints": [{"url": "moqt://a", "status": "active"}]}]}`,
		`{"format": 1, "implementations": [{"name": "a", "roles": ["relay"], "containers": [{"image": "x", "build": ` +
			`{}, "env": {"A": "b"}}], "commands": [{"command": ["x"]}]}]}`,
		`{"relays": [{"name": "a", "urls": {"raw-quic": "moqt://a", "h3-wt": "https://a"}, "drafts": [18], ` +
			`"pub_mode": "publish-both", "insecure": true, "disabled": true, "compat": ["x"], "gating": [18]}]}`,
		`{"version": "1.1", "implementations": {"a": {"name": "A", "roles": {"relay": {"docker": {"image": "x", ` +
			`"env": {"A": "b"}, "build": {}}, "remote": [{"url": "moqt://a", "transport": "quic", "draft_version": ` +
			`"draft-18"}]}}}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, report, err := Load("f", bytes.NewReader(b))
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatal("an error without words")
			}
			return
		}
		roundTrip(t, c)
		var out bytes.Buffer
		if err := errors.Join(report.WriteText(&out), WriteTable(&out, c)); err != nil {
			t.Fatal(err)
		}
		for _, im := range c.Implementations {
			if err := WriteShow(&out, im); err != nil {
				t.Fatal(err)
			}
		}
		if report.Format == FormatRegistry || report.Format == FormatAiomoqt {
			if _, err := json.Marshal(report); err != nil {
				t.Fatal(err)
			}
		}
	})
}
