// Command moq-interop-client tells whether a MoQT relay works: it runs test cases against it and prints TAP 14.
// Run it with --help for everything else.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/moqinterop/moq-interop-client/runner"
)

const program = "moq-interop-client"

// system is what the program has of the world around it.
type system struct {
	ctx    context.Context // ends, with a runner.ErrInterrupted as its cause, when the user asks the program to stop
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	getenv func(string) string
}

// say writes a line for people to stderr.
func (s *system) say(format string, args ...any) { fmt.Fprintf(s.stderr, format+"\n", args...) }

// exit is an error that says with which code the program ends. Without a cause there is nothing to say.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// usage is a usage error: wrong flag, value or variable.
func usage(format string, args ...any) error {
	return &exit{runner.ExitUsage, fmt.Errorf(format, args...)}
}

func main() {
	quietBuffers()
	ctx, stop := interruptible()
	code := run(os.Args[1:], &system{ctx: ctx, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.Getenv})
	stop()
	os.Exit(code)
}

// quietBuffers keeps the QUIC library from writing to stderr that UDP buffers are smaller than it wishes. It raises
// them as far as the system lets it, and the rest is for a user's sysctl.
func quietBuffers() {
	const name = "QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING"
	if os.Getenv(name) == "" {
		os.Setenv(name, "true")
	}
}

// interruptible gives a context that ends with the first SIGINT or SIGTERM. The second one ends the program as if
// nobody listened.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if s, ok := <-signals; ok {
			signal.Stop(signals)
			cancel(fmt.Errorf("%w by signal: %v", runner.ErrInterrupted, s))
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

// run is the program without the process around it; it gives the exit code.
func run(args []string, sys *system) int {
	args, err := enter(args, sys)
	if err == nil {
		err = execute(args, sys)
	}
	if err == nil {
		return runner.ExitPass
	}
	code := runner.ExitFail
	var e *exit
	if errors.As(err, &e) {
		code = e.code
		if e.err == nil {
			return code
		}
	}
	sys.say("%s: %v", program, err)
	if code == runner.ExitUsage && !strings.Contains(err.Error(), "must be one of") { // which says all
		sys.say("Run %q for help.", program+" --help")
	}
	return code
}
