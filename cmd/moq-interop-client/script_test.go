package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts run the program as a process of its own: this binary, under the program's name.
func TestMain(m *testing.M) {
	flag.Set("test.parallel", "6") // scripts mostly wait; -parallel changes it
	testscript.Main(m, map[string]func(){program: main})
}

// TestScripts pins what the program does, one script a subject.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			// What the user of this machine has set must not change what the scripts see.
			for _, name := range variables {
				env.Setenv(name, "")
			}
			// Under the race detector every process would sleep for a second at its end.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"points":    points,
			"validates": validates,
			"listen":    listen,
			"interrupt": interrupt,
			"await":     await,
			"shows":     shows,
			"says":      says,
			"holds":     holds,
			"visit":     visit,
			"appears":   appears,
			"urls":      urls,

			"certificate": certificateFiles,
			"env-port":    envPort,
			"download":    download,
			"records":     records,
			"session":     session,
			"goaway":      goaway,
			"logged":      logged,
		},
	})
}

// variables are all that the program reads.
var variables = []string{
	"RELAY_URL", "TESTCASE", "MOQT_DRAFT", "DRAFT", "VERBOSE", "TLS_DISABLE_VERIFY", "NAMESPACE_PREFIX", "AUTH_TOKEN",
	"COMPAT",
	"QLOGDIR", "SSLKEYLOGFILE", "MOQT_ROLE", "MOQT_PORT", "MOQT_CERT", "MOQT_KEY", "MOQT_MLOG_DIR",
	"RELAYS_FILE", "OUTPUT_FILE", "PROBE_TIMEOUT", "PROBE_INTERVAL", "PROBE_ONCE",
}

// exits runs the program and wants an exit code: exits CODE ARGS…
// Codes 2 and, for unknown cases, 127 leave stdout empty; that is for the script to say.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exits CODE ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(program, args[1:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// interrupt sends SIGINT, SIGTERM or SIGHUP to the program that runs in the background: interrupt INT|TERM|HUP
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP}
	if neg || len(args) != 1 || signals[args[0]] == nil {
		ts.Fatalf("usage: interrupt INT|TERM|HUP")
	}
	background := ts.BackgroundCmds()
	if len(background) == 0 {
		ts.Fatalf("nothing runs in the background")
	}
	ts.Check(background[len(background)-1].Process.Signal(signals[args[0]]))
}

// lines splits text, without the line's ends.
func lines(text string) []string { return strings.Split(strings.TrimRight(text, "\n"), "\n") }
