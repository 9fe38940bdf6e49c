package turns

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestMain is also a relay that takes connections and does nothing with them: this binary with the arguments relay
// ADDRESS.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "relay" {
		if err := relay(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func relay(addr string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l, err := endpoint.Listen(endpoint.ListenOptions{Addr: addr, Drafts: wire.Drafts()})
	if err != nil {
		return err
	}
	defer l.Close()
	for {
		c, err := l.Accept(ctx)
		if err != nil {
			return nil
		}
		context.AfterFunc(ctx, func() { c.CloseWithError(0, "") })
	}
}

// TestMeasure: relays are started for each turn and measured one after the other; one that ends at once does not hold
// up the rest.
func TestMeasure(t *testing.T) {
	t.Parallel()
	needsShell(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	relays := []Relay{
		{Name: "works", Command: []string{self, "relay", "127.0.0.1:{port}"}},
		{Name: "breaks", Command: []string{"sh", "-c", "echo out of luck; exit 4"}},
		{Name: "there", URL: "moqt://there.example"},
	}
	var asked []string
	command := func(url string, started bool) []string {
		asked = append(asked, fmt.Sprint(strings.Split(url, ":")[1], " ", started))
		return []string{"sh", "-c", `echo "{\"version\":1,\"draft\":\"draft-22\",\"notes\":[\"$*\"],
\"received\":{\"objects\":1000,\"goodput_mbps\":1,\"objects_per_s\":50,\"lost_objects\":2},
\"cpu\":{\"process_s\":1,\"relay_s\":0.05},\"memory\":{\"process_peak_mib\":1,\"relay_peak_mib\":30}}"`, "sh"}
	}
	var said []string
	s, err := Measure(t.Context(), relays, 2, nil, []string{"-s", "64"}, command, func(format string, args ...any) {
		said = append(said, fmt.Sprintf(format, args...))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"//127.0.0.1 true", "//there.example false", "//127.0.0.1 true", "//there.example false"}
	if !slices.Equal(asked, want) || len(said) != 6 {
		t.Errorf("asked %q, said %q", asked, said)
	}
	if f := s.Failed(); !slices.Equal(f, []string{"breaks"}) || len(s.Results()) != 4 {
		t.Errorf("failed %q, %d results", f, len(s.Results()))
	}
	if e := s.Relays[1].Errors; len(e) != 2 ||
		e[0] != "breaks: it did not start: it has ended: exit status 4: out of luck" {
		t.Errorf("%q", e)
	}
	if n := s.Results()[0].Notes[0]; !strings.HasPrefix(n, "--pid ") || !strings.HasSuffix(n, " -s 64") {
		t.Errorf("the bench got %q", n)
	}
	if n := s.Relays[2].Results[0].Notes[0]; n != "-s 64" {
		t.Errorf("the bench of a relay that is there got %q", n)
	}
	var text, json strings.Builder
	if err := s.Text(&text); err != nil {
		t.Fatal(err)
	}
	if err := s.JSON(&json); err != nil || !strings.Contains(json.String(), "out of luck") {
		t.Error(err, json.String())
	}
	rows := lines(text.String())
	for i, want := range []string{"relay draft Mbit/s objects/s",
		"works draft-22 1.00 (1.00-1.00) 50.0 (50.0-50.0) - - 50.0 (50.0-50.0) 30.0 (30.0-30.0) 4 2 of 2",
		"breaks - - - - - - - 0 0 of 2", "there draft-22 1.00"} {
		if got := strings.Join(strings.Fields(rows[i]), " "); !strings.HasPrefix(got, want) {
			t.Errorf("row %d is %q, want %q", i, got, want)
		}
	}
}

func TestExpand(t *testing.T) {
	t.Setenv("SOME_PLACE", "/opt")
	got, err := expand([]string{"{SOME_PLACE}/relay", "--port={port}", "{", "}{port}{port}"},
		map[string]string{"port": "7"})
	if want := []string{"/opt/relay", "--port=7", "{", "}77"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if _, err := expand([]string{"{NO_SUCH_PLACE}"}, nil); err == nil {
		t.Error("a variable that is not set")
	}
}

func lines(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }
