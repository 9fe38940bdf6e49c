package throughput

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/bench"
	"github.com/moqinterop/moq-interop-client/internal/bench/turns"
	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/runner"
)

// The relays of the table. Peers are there with MOQ_PEERS, the folder of their virtual environment.
const (
	plain   = "forwarder"
	ours    = "ours"
	aiomoqt = "aiomoqt"
	moqrs   = "moq-rs"
)

// rows are those of the table: a load, who is measured with it, and which figures count.
var rows = []struct {
	name    string
	load    string
	relays  []string
	figures []string
}{
	{"1 to 1 unpaced, 64 KiB", "relay -s 64KiB -g 100", []string{plain, ours}, unpaced},
	{"1 to 1 unpaced, 4 KiB", "relay -s 4KiB -g 1000", []string{plain, ours, aiomoqt, moqrs}, unpaced},
	{"1 to 8 unpaced, 64 KiB", "fanout --subscribers 8 -s 64KiB -g 100", []string{plain, ours}, unpaced},
	{"16 tracks x 1,000/s x 1 KiB", "load -f testdata/16x1000.yaml", []string{plain, ours, aiomoqt, moqrs}, paced},
	{"64 tracks x 200/s x 1 KiB", "load -f testdata/64x200.yaml", []string{plain, ours, aiomoqt, moqrs}, paced},
	{"1 track x 1,000/s x 4 KiB", "relay -s 4KiB -g 1000 -r 1000", []string{plain, ours, aiomoqt, moqrs}, paced},
}

var (
	unpaced = []string{"goodput_mbps", "latency_ms.p50", "relay_cpu_us_per_object", "relay_peak_mib"}
	paced   = []string{"relay_cpu_us_per_object", "latency_ms.p50", "latency_ms.p99", "objects_per_s"}
)

// measured is what the table has, as JSON.
type measured struct {
	Machine bench.Machine `json:"machine"`
	Rounds  int           `json:"rounds"`
	Seconds string        `json:"seconds"`
	Started time.Time     `json:"started"`
	Rows    []measuredRow `json:"rows"`
}

type measuredRow struct {
	Name   string                             `json:"name"`
	Load   string                             `json:"load"`
	Relays map[string]map[string]*bench.Range `json:"relays"`
	// Ratios are to the forwarder's figure of the same round.
	Ratios map[string]map[string]*bench.Range `json:"ratios_to_forwarder"`
	Lost   map[string]uint64                  `json:"lost_objects"`
	Errors map[string][]string                `json:"errors,omitempty"`
}

// TestRelayTable measures relays with the loads of the table in PERFORMANCE.md, each relay and the load in a process of
// its own, in turns. MOQ_RELAYS is where it goes as JSON; MOQ_ROUNDS (5) and MOQ_SECONDS (3) say how long it takes,
// MOQ_ROWS which rows, by a part of their name.
func TestRelayTable(t *testing.T) {
	file := rooted(os.Getenv("MOQ_RELAYS"))
	if file == "" {
		t.Skip("takes ten minutes; MOQ_RELAYS=FILE measures")
	}
	rounds, err := strconv.Atoi(or(os.Getenv("MOQ_ROUNDS"), "5"))
	if err != nil {
		t.Fatal(err)
	}
	seconds := or(os.Getenv("MOQ_SECONDS"), "3")
	program, commands := relays(t)
	m := measured{Machine: bench.ThisMachine("moq-interop-client " + runner.Version()), Rounds: rounds,
		Seconds: seconds, Started: time.Now().UTC()}
	for _, row := range rows {
		if !strings.Contains(row.name, os.Getenv("MOQ_ROWS")) {
			continue
		}
		var list []turns.Relay
		for _, name := range row.relays {
			if c := commands[name]; c != nil {
				list = append(list, turns.Relay{Name: name, Command: c})
			}
		}
		words := strings.Fields(row.load)
		load := append(words[1:], "-d", "18", "-t", seconds)
		survey, err := turns.Measure(t.Context(), list, rounds, nil, load, func(url string, _ bool) []string {
			return []string{program, "bench", words[0], url, "--json", "--quiet", "--tls-disable-verify"}
		}, t.Logf)
		if err != nil {
			t.Fatal(err)
		}
		r := rowOf(survey, row.figures)
		r.Name, r.Load = row.name, row.load
		m.Rows = append(m.Rows, r)
		t.Logf("\n%s", r.text(row.relays, row.figures))
		for name, errs := range r.Errors {
			if name == plain || name == ours {
				t.Errorf("%s: %s: %v", row.name, name, errs)
			}
		}
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err == nil {
		err = os.WriteFile(file, append(b, '\n'), 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}

// rooted is a path that is given from the root of the project.
func rooted(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join("..", "..", path)
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// relays builds our program, and gives it and the commands of all relays.
func relays(t *testing.T) (program string, commands map[string][]string) {
	program = filepath.Join(t.TempDir(), "moq-interop-client")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../cmd/moq-interop-client")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	commands = map[string][]string{
		plain: {self, "forward", "127.0.0.1:{port}"},
		ours:  {program, "serve", "--addr", "127.0.0.1:{port}", "--quiet"},
	}
	if peers := rooted(os.Getenv("MOQ_PEERS")); peers != "" {
		commands[aiomoqt] = []string{peers + "/bin/moq-interop-relay", "--bind", "127.0.0.1", "--port", "{port}",
			"--dual", "--cert", "{cert}", "--key", "{key}", "--draft", "18"}
		commands[moqrs] = []string{peers + "/bin/python", "../peers/testdata/rs_relay.py", "127.0.0.1:{port}"}
	}
	return program, commands
}

// rowOf takes the figures of a row.
func rowOf(s *turns.Survey, figures []string) measuredRow {
	r := measuredRow{Relays: map[string]map[string]*bench.Range{}, Ratios: map[string]map[string]*bench.Range{},
		Lost: map[string]uint64{}, Errors: map[string][]string{}}
	var forwarder []*bench.Result
	for _, x := range s.Relays {
		if len(x.Errors) > 0 {
			r.Errors[x.Name] = x.Errors
		}
		if x.Name == plain && len(x.Errors) == 0 {
			forwarder = x.Results
		}
		r.Relays[x.Name], r.Ratios[x.Name] = map[string]*bench.Range{}, map[string]*bench.Range{}
		for _, result := range x.Results {
			if result.Received != nil {
				r.Lost[x.Name] += result.Received.Lost
			}
		}
		for _, f := range bench.Compared() {
			if !slices.Contains(figures, f.Name) {
				continue
			}
			r.Relays[x.Name][f.Name] = f.Over(x.Results)
			if len(x.Results) != len(forwarder) {
				continue
			}
			var ratios []float64
			for i := range forwarder {
				a, okA := f.Of(x.Results[i])
				b, okB := f.Of(forwarder[i])
				if okA && okB && b > 0 {
					ratios = append(ratios, a/b)
				}
			}
			r.Ratios[x.Name][f.Name] = bench.RangeOf(ratios)
		}
	}
	return r
}

// text is the row as a table in Markdown.
func (r *measuredRow) text(relays, figures []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | %s | lost |\n|%s\n", r.Name, strings.Join(figures, " | "),
		strings.Repeat("---|", len(figures)+2))
	for _, name := range relays {
		if r.Relays[name] == nil {
			continue
		}
		fmt.Fprintf(&b, "| %s |", name)
		for _, f := range figures {
			fmt.Fprintf(&b, " %s", turns.Text(r.Relays[name][f]))
			if ratio := r.Ratios[name][f]; ratio != nil && name != plain {
				fmt.Fprintf(&b, "; x %s", turns.Text(ratio))
			}
			b.WriteString(" |")
		}
		fmt.Fprintf(&b, " %d |\n", r.Lost[name])
	}
	return b.String()
}

// TestForwarder: the forwarder that relays are held against gives each of two subscribers everything.
func TestForwarder(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := turns.Start(t.Context(), turns.Relay{Name: plain, Command: []string{self, "forward", "127.0.0.1:{port}"}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := bench.Run(ctx, benchOf(f.URL))
	for try := 0; try < 5 && err == nil && r.Sent.Objects < 50; try++ { // the machine had no time for us
		r, err = bench.Run(ctx, benchOf(f.URL))
	}
	if err != nil {
		t.Fatal(err)
	}
	if v := r.Received; v.Subscribers != 2 || v.Lost != 0 || v.Objects != 2*r.Sent.Objects || v.Objects < 100 {
		t.Errorf("%+v, %+v", r.Sent, v)
	}
}

// benchOf is a short bench of two subscribers.
func benchOf(url string) bench.Config {
	return bench.Config{Bench: "fanout", URL: url, Namespace: moq.Namespace{"bench"}, Track: "track",
		Load: bench.Load{ObjectBytes: 1024, ObjectsPerGroup: 20, Streams: 1, RatePerS: 500, Tracks: 1, Subscribers: 2},
		Options: moq.Options{Drafts: []moq.Draft{wire.Draft18}, Transport: transport.OnlyQUIC,
			TLS: &tls.Config{InsecureSkipVerify: true}},
		Duration: 300 * time.Millisecond, Wait: 10 * time.Second}
}
