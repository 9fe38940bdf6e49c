package turns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/bench"
	"github.com/moqinterop/moq-interop-client/internal/freeport"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// Relay is one that is measured: by its URL, or started for every turn by a command. The words of a command may have
// {port}, {cert}, {key}, and {NAME} for a variable of the environment.
type Relay struct {
	Name    string   `json:"name"`
	URL     string   `json:"url,omitempty"`
	Command []string `json:"command,omitempty"`
}

// Surveyed is what was found of a relay: a result or an error of every turn.
type Surveyed struct {
	Relay
	Results []*bench.Result `json:"results"`
	Errors  []string        `json:"errors,omitempty"`
}

// Survey is a list of relays that were measured with one load.
type Survey struct {
	Version    int         `json:"version"`
	Processors []int       `json:"processors,omitempty"` // of the bench; relays have all
	Load       []string    `json:"load"`                 // flags of the bench
	Relays     []*Surveyed `json:"relays"`
}

// Measure measures relays in turns. command gives the bench's command for a relay's URL, without the flags of its load,
// and with whatever a relay that was started here needs; say is told of every turn. A relay that fails does not hold up
// the others.
func Measure(ctx context.Context, relays []Relay, rounds int, processors []int, load []string,
	command func(url string, started bool) []string, say func(format string, args ...any)) (*Survey, error) {
	s := &Survey{Version: 1, Processors: processors, Load: load}
	for _, r := range relays {
		s.Relays = append(s.Relays, &Surveyed{Relay: r})
	}
	for i := range rounds {
		for _, r := range s.Relays {
			result, err := r.turn(ctx, processors, load, command)
			switch {
			case ctx.Err() != nil:
				return nil, context.Cause(ctx)
			case err != nil:
				r.Errors = append(r.Errors, err.Error())
				say("round %d of %d: %v", i+1, rounds, err)
			default:
				r.Results = append(r.Results, result)
				say("round %d of %d: %s: %s", i+1, rounds, r.Name, inShort(result))
			}
		}
	}
	return s, nil
}

func inShort(r *bench.Result) string {
	if r.Received == nil {
		return "nothing was received"
	}
	return fmt.Sprintf("%s objects/s, %s Mbit/s", bench.Number(r.Received.ObjectsPerS),
		bench.Number(r.Received.GoodputMbps))
}

// turn measures a relay once.
func (r *Surveyed) turn(ctx context.Context, processors []int, load []string,
	command func(url string, started bool) []string) (*bench.Result, error) {
	url, words := r.URL, []string{}
	if len(r.Command) > 0 {
		one, err := Start(ctx, r.Relay)
		if err != nil {
			return nil, fmt.Errorf("%s: it did not start: %w", r.Name, err)
		}
		defer one.Stop()
		url, words = one.URL, []string{"--pid", strconv.Itoa(one.PID())}
	}
	words = append(append(command(url, len(r.Command) > 0), words...), load...)
	t, err := Program{r.Name, words}.run(ctx, processors)
	if err != nil {
		return nil, err
	}
	return t.Result, nil
}

// startTime is how long a relay may take to be ready, stopTime how long to end.
const (
	startTime = 20 * time.Second
	stopTime  = 3 * time.Second
)

// Started is a relay that was started.
type Started struct {
	URL   string
	cmd   *exec.Cmd
	ended chan error
	kill  context.CancelFunc
	dir   string
	out   tail
}

// Start starts a relay by its command on a free port, and waits until it answers.
func Start(ctx context.Context, r Relay) (_ *Started, err error) {
	dir, err := os.MkdirTemp("", "moq-bench-")
	if err != nil {
		return nil, err
	}
	one := &Started{dir: dir, ended: make(chan error, 1)}
	defer func() {
		if err != nil {
			one.Stop()
		}
	}()
	cert, key, err := matrix.Certificate(dir)
	if err != nil {
		return nil, err
	}
	port, err := freeport.String()
	if err != nil {
		return nil, err
	}
	words, err := expand(r.Command, map[string]string{"port": port, "cert": cert, "key": key})
	if err != nil {
		return nil, err
	}
	life, kill := context.WithCancel(context.Background())
	one.kill = kill
	cmd := exec.CommandContext(life, words[0], words[1:]...)
	cmd.Stdout, cmd.Stderr = &one.out, &one.out
	cmd.WaitDelay = time.Second
	groups(cmd)
	if err := cmd.Start(); err != nil {
		kill()
		return nil, err
	}
	one.cmd, one.URL = cmd, "moqt://127.0.0.1:"+port
	go func() { one.ended <- cmd.Wait() }()
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("it did not answer within %s", startTime))
	defer cancel()
	ready := make(chan error, 1)
	go func() {
		err := matrix.Healthy(ctx, "127.0.0.1:"+port)
		for err != nil && ctx.Err() == nil {
			time.Sleep(50 * time.Millisecond)
			err = matrix.Healthy(ctx, "127.0.0.1:"+port)
		}
		ready <- err
	}()
	select {
	case err := <-ready:
		if err != nil {
			return nil, fmt.Errorf("%w: %s", errors.Join(context.Cause(ctx), err), lastWords(one.out.String()))
		}
		return one, nil
	case err := <-one.ended:
		one.ended <- err
		cancel()
		<-ready
		return nil, fmt.Errorf("it has ended: %v: %s", err, lastWords(one.out.String()))
	}
}

// PID is that of its process.
func (r *Started) PID() int { return r.cmd.Process.Pid }

// Stop ends the relay. It may be called again.
func (r *Started) Stop() {
	defer os.RemoveAll(r.dir)
	if r.cmd == nil {
		return
	}
	defer r.kill()
	_ = r.cmd.Process.Signal(os.Interrupt) // it may have ended
	var err error
	select {
	case err = <-r.ended:
	case <-time.After(stopTime):
		r.kill()
		err = <-r.ended
	}
	r.ended <- err // for who stops it again
}

// expand puts values for the names in braces.
func expand(words []string, values map[string]string) (out []string, err error) {
	for _, word := range words {
		all := ""
		for {
			before, rest, found := strings.Cut(word, "{")
			name, after, closed := strings.Cut(rest, "}")
			if !found || !closed {
				break
			}
			value, ok := values[name]
			if !ok {
				if value, ok = os.LookupEnv(name); !ok {
					return nil, fmt.Errorf("{%s} is none of {port}, {cert}, {key} and the variables of the environment",
						name)
				}
			}
			all, word = all+before+value, after
		}
		out = append(out, all+word)
	}
	return out, nil
}

// Results are those of all turns, for pictures.
func (s *Survey) Results() (all []*bench.Result) {
	for _, r := range s.Relays {
		all = append(all, r.Results...)
	}
	return all
}

// Failed says which relays had a turn without a result.
func (s *Survey) Failed() (names []string) {
	for _, r := range s.Relays {
		if len(r.Errors) > 0 {
			names = append(names, r.Name)
		}
	}
	return names
}

// JSON writes the survey.
func (s *Survey) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(s)
}
