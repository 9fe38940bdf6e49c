package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// text is a result as JSON.
func text(t testing.TB, r *Result) string {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRead(t *testing.T) {
	t.Parallel()
	one := text(t, &Result{Version: ResultVersion, Label: "one"})
	two := text(t, &Result{Version: ResultVersion, Label: "two", Latency: &Latency{Spread: Spread{P50: 1}}})
	const log = `{"version":1,"latency_ms":{"hdr_histogram_ns":"aGVsbG8sIHdvcmxk"}}`
	for in, want := range map[string]string{
		one:                                   "one",
		one + "\n" + two + "\n":               "one two",
		"[" + one + "," + two + "]":           "one two",
		one + "[" + two + "]" + one:           "one two one",
		"":                                    "there is no result in it",
		"[]":                                  "there is no result in it",
		"hello":                               "it is no result of a bench: invalid character",
		one[:10]:                              "it is no result of a bench: unexpected EOF",
		"{}":                                  "result 1: it is none of a bench: no version",
		"null":                                "result 1: it is none of a bench: no version",
		one + "3":                             "result 2: it is none of a bench: json: cannot unmarshal number",
		`{"version":2}`:                       "result 1: its version is 2, this program reads 1",
		`{"version":1,"sent":{"mbps":1e300}}`: "result 1: the figure 1e+300 in it makes no sense",
		`{"version":1,"intervals":[{"at_s":-1e16}]}`: "result 1: the figure -1e+16 in it makes no sense",
		log: "result 1: hdr_histogram_ns: encoding not supported",
	} {
		results, err := Read(strings.NewReader(in))
		var got []string
		for _, r := range results {
			got = append(got, r.Label)
		}
		if err != nil {
			got = []string{err.Error()}
		}
		if all := strings.Join(got, " "); !strings.HasPrefix(all, want) || err == nil && all != want {
			t.Errorf("%.60s: %s, want %s", in, all, want)
		}
	}
	if _, err := Read(iotest.ErrReader(os.ErrClosed)); err == nil {
		t.Error("a file that cannot be read is no error")
	}
	if _, err := Read(strings.NewReader(strings.Repeat(" ", mostRead+1))); err == nil ||
		err.Error() != "it has more than 64 MiB" {
		t.Errorf("%v for a file that is too large", err)
	}
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "result.json")
	if err := os.WriteFile(name, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{name: name + ": result 1: it is none of a bench: no version",
		name + "x": "no such file", "-": "stdin: there is no result in it"} {
		if _, err := ReadFile(file, strings.NewReader("")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", file, err, want)
		}
	}
}

// FuzzRead: whatever a file holds, it is read or refused; what is read can be written and read again.
func FuzzRead(f *testing.F) {
	var full Result
	fill(reflect.ValueOf(&full).Elem())
	full.Version = ResultVersion
	full.Latency.Log, full.Join.Log = "", ""
	f.Add(text(f, &full))
	f.Add(fmt.Sprintf("[%s]", text(f, &Result{Version: ResultVersion})))
	f.Fuzz(func(t *testing.T, in string) {
		results, err := Read(strings.NewReader(in))
		if err != nil {
			return
		}
		for _, r := range results {
			if _, err := Read(strings.NewReader(text(t, r))); err != nil {
				t.Error(err)
			}
		}
	})
}
