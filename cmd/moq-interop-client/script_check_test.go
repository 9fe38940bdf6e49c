package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/moqinterop/moq-interop-client/internal/probe"
	"github.com/moqinterop/moq-interop-client/runner"
	"github.com/moqinterop/moq-interop-client/runner/tap"
)

// points reads the last stdout as TAP 14 without a single oddity, and wants its points: points [bail] [draft=draft-16]
// NAME=OUTCOME… with outcomes passed, failed, skipped, todo. The numbers, the plan and the keys that every point has
// are checked too.
func points(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("points cannot be negated")
	}
	doc, err := tap.Parse(strings.NewReader(ts.ReadFile("stdout")))
	ts.Check(err)
	var got, want []string
	for _, p := range doc.Points {
		got = append(got, fmt.Sprintf("%s=%s", p.Name, p.Status()))
		for _, key := range []string{"duration_ms", "implementation_version", "test_spec_revision"} {
			if _, ok := tap.Lookup(p.YAML, key); !ok {
				ts.Fatalf("point %d has no %s", p.Number, key)
			}
		}
	}
	bail, header := false, true
	for _, a := range args {
		if a == "bail" {
			bail = true
		} else if draft, ok := strings.CutPrefix(a, "draft="); ok {
			header = strings.Contains(ts.ReadFile("stdout"), "\n# Draft: "+draft+"\n")
		} else {
			want = append(want, a)
		}
	}
	if a, b := strings.Join(got, " "), strings.Join(want, " "); a != b {
		ts.Fatalf("points\n\t%s\nwant\n\t%s", a, b)
	}
	switch {
	case !header:
		ts.Fatalf("another draft in the header: %q", lines(ts.ReadFile("stdout"))[:5])
	case doc.Version != 14 || doc.Plan == nil:
		ts.Fatalf("version %d, plan %v", doc.Version, doc.Plan)
	case bail != (doc.Bail != nil):
		ts.Fatalf("bail out: %v", doc.Bail)
	case !bail && (len(doc.Problems) > 0 || doc.Plan.Count != len(doc.Points)):
		ts.Fatalf("plan %d, problems %v", doc.Plan.Count, doc.Problems)
	}
}

// validates holds JSON files against the schema of results, or that of probe's status file: validates [probe] FILE…
func validates(ts *testscript.TestScript, neg bool, args []string) {
	text := runner.Schema
	if len(args) > 0 && args[0] == "probe" {
		text, args = probe.Schema, args[1:]
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	ts.Check(err)
	ts.Check(c.AddResource("schema.json", doc))
	schema, err := c.Compile("schema.json")
	ts.Check(err)
	for _, name := range args {
		report, err := jsonschema.UnmarshalJSON(strings.NewReader(ts.ReadFile(name)))
		ts.Check(err)
		if err := schema.Validate(report); (err == nil) == neg {
			ts.Fatalf("%s: %v", name, err)
		}
	}
}

// logged wants, for the connection id of a run's first point, the relay's log in one directory, with a SUBSCRIBE that
// was parsed, and the client's in another, with one that was created; LOGGED is then the name of the first: logged TAP
// MLOG-DIR QLOG-DIR
func logged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: logged TAP MLOG-DIR QLOG-DIR")
	}
	doc, err := tap.Parse(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	id, _ := tap.Lookup(doc.Points[0].YAML, "connection_id")
	for i, file := range []struct{ suffix, event string }{{"_server.mlog", "moqt:control_message_parsed"},
		{"_client.sqlog", "moqt:control_message_created"}} {
		name := fmt.Sprint(id, file.suffix)
		path := args[1+i] + "/" + name
		text := ts.ReadFile(path)
		if !regexp.MustCompile(`"name":"` + file.event + `","data":\{[^\n]*"type":"subscribe"`).MatchString(text) {
			ts.Fatalf("%s has no %s of a SUBSCRIBE", name, file.event)
		}
		if i == 0 {
			ts.Setenv("LOGGED", name)
		}
		decodes(ts, path, text)
	}
}

// decodes wants each control message of a log of draft 18 from decode --session, which knows their streams: GOAWAY,
// which is there if the relay was stopped before it saw the client leave, is another message on each (draft-18 §10.4).
func decodes(ts *testscript.TestScript, name, log string) {
	found := regexp.MustCompile(`"message":\{"type":"([a-z_]+)".*"raw":\{"length":\d+,"data":"([0-9a-f]+)"`).
		FindAllStringSubmatch(log, -1)
	if len(found) < 3 {
		ts.Fatalf("bytes of %d messages", len(found))
	}
	ts.Check(ts.Exec(program, "decode", "--session", name, "--rules"))
	shown := ts.ReadFile("stdout")
	for _, message := range found {
		want := fmt.Sprintf(`"type":"%s",`, strings.ToUpper(message[1]))
		at := strings.Index(shown, want)
		if at < 0 {
			ts.Fatalf("%s is not in what follows, in its turn:\n%s", message[0], shown)
		}
		shown = shown[at+len(want):]
	}
}

// appears waits until a file is there: appears FILE
func appears(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: appears FILE")
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s does not appear", args[0])
		}
	}
}

// urls writes a list of relays, a URL a line: urls FILE URL…
func urls(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: urls FILE URL...")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(args[1:], "\n")+"\n"), 0o600))
}

// holds wants so many files in a folder that match a pattern: holds N DIR/PATTERN
func holds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: holds N DIR/PATTERN")
	}
	found, err := filepath.Glob(ts.MkAbs(args[1]))
	ts.Check(err)
	if fmt.Sprint(len(found)) != args[0] {
		ts.Fatalf("%v, want %s", found, args[0])
	}
}

// says waits until a file has a line that matches: says FILE PATTERN
func says(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: says FILE PATTERN")
	}
	pattern := regexp.MustCompile("(?m)" + args[1])
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && pattern.Match(text) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s does not say %s: %v\n%s", args[0], args[1], err, text)
		}
	}
}
