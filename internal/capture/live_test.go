package capture

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestCaptureEqualsTranscript: our client runs against serve, tcpdump takes the packets on loopback, and what is
// decoded of them with the key log is what the client's transcript says, message by message, header by header and
// datagram by datagram; and what the publisher puts on streams, object by object, is what the subscriber gets. Likewise
// its qlog, as far as that has bytes.
func TestCaptureEqualsTranscript(t *testing.T) {
	if os.Getenv("MOQ_CAPTURE") == "" {
		t.Skip("set MOQ_CAPTURE=1 to take packets with tcpdump, on loopback")
	}
	for _, name := range []string{"tcpdump", "tshark"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s here", name)
		}
	}
	program := filepath.Join(t.TempDir(), "moq-interop-client")
	build := exec.Command("go", "build", "-o", program, "../../cmd/moq-interop-client")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, x := range []struct{ draft, scheme string }{{"14", "moqt"}, {"16", "moqt"}, {"18", "moqt"}, {"22", "moqt"},
		{"14", "https"}, {"16", "https"}, {"22", "https"}} {
		t.Run(x.draft+x.scheme, func(t *testing.T) { captured(t, program, x.draft, x.scheme) })
	}
}

// background starts a program, and waits for a line on stderr.
func background(t *testing.T, ready string, name string, args ...string) (line string, stop func()) {
	t.Helper()
	cmd := exec.Command(name, args...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if line = lines.Text(); strings.Contains(line, ready) {
			break
		}
	}
	return line, func() {
		cmd.Process.Signal(os.Interrupt)
		for lines.Scan() {
		}
		cmd.Wait()
	}
}

// results is what is read of the client's results.
type results struct {
	Results []struct {
		Case, Status string
		Sessions     []struct {
			Role       string
			Connection string `json:"quic_initial_destination_connection_id"`
			QLOG       string
		}
		Transcript []string
	}
}

func captured(t *testing.T, program, draft, scheme string) {
	dir := t.TempDir()
	packets, keys, out := filepath.Join(dir, "a.pcap"), filepath.Join(dir, "keys"), filepath.Join(dir, "out.json")
	line, stopServe := background(t, "listening on ", program, "serve", "--addr", "127.0.0.1:0", "-q")
	defer stopServe()
	_, address, _ := strings.Cut(line, "listening on ")
	address = strings.Fields(address)[0]
	_, port, _ := strings.Cut(address, ":")
	_, stopDump := background(t, "listening on", "tcpdump", "-i", "lo", "--immediate-mode", "-Z", "root", "-U", "-B",
		"16384", "-w", packets, "udp", "port", port)
	run := exec.Command(program, "-r", scheme+"://"+address, "-d", draft, "--tls-disable-verify", "-t",
		"publish-namespace-done,subscribe-error,fetch,join,datagram,"+
			strings.Join(slices.Sorted(maps.Keys(published)), ","),
		"-o", out, "--qlog-dir", filepath.Join(dir, "qlog"), "--timeout-factor", "5")
	run.Dir, run.Env = dir, append(os.Environ(), "SSLKEYLOGFILE="+keys)
	said, err := run.CombinedOutput()
	settled(t, packets)
	stopDump()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var r results
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	c, err := Read(t.Context(), packets, keys)
	if err != nil || len(c.Notes) > 0 {
		t.Fatal(err, c.Notes)
	}
	lines, notes, err := c.Decode(Options{Rules: true}) // the capture tells the draft
	if err != nil || len(notes) > 0 {
		t.Fatal(err, notes)
	}
	for _, l := range lines {
		if l.Error != "" || len(l.Broken) > 0 || len(l.Remarks) > 0 || fmt.Sprint(l.Draft) != draft {
			t.Errorf("%+v", l)
		}
	}
	messages, objects := 0, make(map[string][]string)
	for _, x := range r.Results {
		for _, s := range x.Sessions {
			want, got := ofTranscript(x.Transcript, s.Role), ofLines(lines, s.Connection)
			if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
				t.Errorf("%s, %s, %s (-transcript +capture):\n%s", x.Case, s.Role, s.Connection, diff)
			}
			messages += len(got)
			if n, counted := published[x.Case]; counted {
				objects[x.Case+s.Role] = ofStreams(lines, s.Connection)
				if len(objects[x.Case+s.Role]) != n {
					t.Errorf("%s, %s: %d objects, want %d", x.Case, s.Role, len(objects[x.Case+s.Role]), n)
				}
			}
		}
		if diff := cmp.Diff(objects[x.Case+"publisher"], objects[x.Case+"subscriber"]); diff != "" {
			t.Errorf("%s, objects (-published +received):\n%s", x.Case, diff)
		}
	}
	t.Logf("%d messages, headers and datagrams of %d connections are those of the transcripts, and the objects of %d "+
		"those that were published", messages, len(c.Connections), len(objects))
	s := r.Results[0].Sessions[0] // of publish-namespace-done, which has messages alone
	log, err := Read(t.Context(), s.QLOG, "")
	if err != nil {
		t.Fatal(err)
	}
	logged, _, err := log.Decode(Options{Draft: wire.Draft(lines[0].Draft)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ofTranscript(r.Results[0].Transcript, s.Role), ofLines(logged, s.Connection)); diff != "" {
		t.Errorf("qlog (-transcript +qlog):\n%s", diff)
	}
}

// settled waits until tcpdump has written what was in the kernel's buffer: on a busy machine it comes late.
func settled(t *testing.T, path string) {
	t.Helper()
	size, since := int64(-1), time.Now()
	for time.Since(since) < 1500*time.Millisecond {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() != size {
			size, since = info.Size(), time.Now()
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// most is how much of a line is compared: transcripts cut long ones.
const most = 300

// ofTranscript gives the messages and headers of a role, "client SUBSCRIBE {…}", in an order of their own: those of
// two streams may be seen in another one by the client than by tcpdump.
func ofTranscript(transcript []string, role string) (all []string) {
	for _, text := range transcript {
		words := strings.SplitN(text, " ", 4)
		if len(words) < 4 || words[1] != role {
			continue
		}
		from := map[string]string{"->": "client", "<-": "server"}[words[2]]
		what := words[3]
		switch kind, _, _ := strings.Cut(what, " "); {
		case kind == "SUBGROUP_HEADER" || kind == "FETCH_HEADER":
		case kind == "OBJECT_DATAGRAM":
			what, _, _ = strings.Cut(what, " (") // the transcript counts its bytes
		case !strings.Contains(what, " {"), kind == "closed:":
			continue
		}
		all = append(all, shortened(from+" "+what))
	}
	slices.Sort(all)
	return all
}

// ofLines gives the same of lines.
func ofLines(lines []Line, connection string) (all []string) {
	for i := range lines {
		l := &lines[i]
		if l.Connection != connection || l.Logged || l.On == "http3" {
			continue
		}
		what := ""
		switch l.Type {
		case "OBJECT", "END_OF_RANGE", "FIN", "RESET_STREAM", "STOP_SENDING", "WEBTRANSPORT_STREAM", "CONNECTION_CLOSE",
			"WEBTRANSPORT_DATAGRAM":
			continue
		case "OBJECT_DATAGRAM":
			what = fmt.Sprintf("OBJECT_DATAGRAM track alias %s {%s,%s}", field(l, "track_alias"), field(l, "group_id"),
				field(l, "object_id"))
		case "SUBGROUP_HEADER":
			what = fmt.Sprintf("SUBGROUP_HEADER stream %d track alias %s group %s subgroup %s priority %s", *l.Stream,
				field(l, "track_alias"), field(l, "group_id"), field(l, "subgroup_id"), field(l, "publisher_priority"))
		case "FETCH_HEADER":
			what = fmt.Sprintf("FETCH_HEADER stream %d request %s", *l.Stream, field(l, "request_id"))
		default:
			text, err := l.Fields.MarshalJSON()
			if err != nil {
				continue
			}
			what = l.Type + " " + string(text)
		}
		all = append(all, shortened(l.From+" "+what))
	}
	slices.Sort(all)
	return all
}

// published is how many objects the publisher of a case sends on streams, to a subscriber that is there from the first
// on.
var published = map[string]int{"data-subgroup-basic": 15, "subscribe-two-subgroups-per-group": 6}

// ofStreams gives the objects that a connection carried on streams, whoever sent them, in an order of their own.
func ofStreams(lines []Line, connection string) (all []string) {
	groups := make(map[streamKey]string)
	for i := range lines {
		l := &lines[i]
		if l.Connection != connection || l.Stream == nil || l.On == "http3" {
			continue
		}
		key := streamKey{*l.Stream, l.From == "server"}
		switch l.Type {
		case "SUBGROUP_HEADER":
			groups[key] = field(l, "group_id")
		case "OBJECT":
			all = append(all, fmt.Sprintf("{%s,%s} %s bytes", groups[key], field(l, "object_id"),
				field(l, "payload_length")))
		}
	}
	slices.Sort(all)
	return all
}

func shortened(text string) string { return text[:min(len(text), most)] }
