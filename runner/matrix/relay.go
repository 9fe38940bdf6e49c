package matrix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/badpath"
	"github.com/moqinterop/moq-interop-client/internal/freeport"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/runner"
)

// host keeps the relay of one endpoint running for the cells that need it. One that has ended by itself is started
// again for the next attempt, so that a crash is the result of one cell and not of all that follow.
type host struct {
	o    *Options
	x    *execution
	e    Endpoint
	mu   sync.Mutex
	now  *Instance
	look *runner.Lookout // for now, or for the relay that answered at its URL last
	err  error           // why it could not be started, twice
	fail int

	paths map[string]*badpath.Proxy // in front of the relay, by its address

	asked bool  // of a relay that is reached by its URL: whether it answers
	down  error // it does not
}

// get gives the relay, started when need be; nil for one that is reached by its URL. Who loses it waits for it with the
// lookout.
func (h *host) get(ctx context.Context) (*Instance, *runner.Lookout, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.e.Kind == KindRemote {
		err := h.answers(ctx)
		return nil, h.look, err
	}
	if h.now != nil && !h.now.ended() {
		return h.now, h.look, nil
	}
	if h.err != nil {
		return nil, nil, h.err
	}
	if h.now != nil {
		h.x.note(fmt.Sprintf("%s: the relay ended by itself%s; starting it again", h.e.Relay, because(h.now)))
		h.now.Stop()
		h.now = nil
	}
	i, err := h.start(ctx)
	if err != nil {
		err = fmt.Errorf("the relay did not start: %w", err)
		if h.fail++; h.fail > 1 && ctx.Err() == nil {
			h.err = err
		}
		return nil, nil, err
	}
	h.now, h.look = i, runner.NewLookout()
	return i, h.look, nil
}

// because says why a relay has ended, if it is known.
func because(i *Instance) string {
	if i.Err != nil {
		if err := i.Err(); err != nil {
			return " (" + err.Error() + ")"
		}
	}
	return ""
}

// stop ends the relay.
func (h *host) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now != nil {
		h.now.Stop()
		h.now = nil
	}
	for _, p := range h.paths {
		p.Close()
	}
	h.paths = nil
}

func (h *host) start(ctx context.Context) (*Instance, error) {
	if h.e.Kind == KindContainer {
		if err := h.x.pull(ctx, h.e.Image); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, h.o.StartTimeout, fmt.Errorf("it was not ready within %v",
		h.o.StartTimeout))
	defer cancel()
	switch h.e.Kind {
	case KindEmbedded:
		if h.o.Embedded == nil {
			return nil, errors.New("there is no embedded relay here")
		}
		return h.o.Embedded(ctx, h.e)
	case KindCommand, KindContainer:
		return h.launch(ctx)
	}
	return nil, fmt.Errorf("no way to start a relay of kind %q", h.e.Kind)
}

// launch starts a relay that is a program or a container.
func (h *host) launch(ctx context.Context) (*Instance, error) {
	l, err := h.prepare()
	if err != nil {
		return nil, err
	}
	defer func() {
		if l != nil {
			l.clean()
		}
	}()
	if err := h.x.ports.take(ctx, l.port); err != nil {
		return nil, fmt.Errorf("UDP port %d: %w", l.port, err)
	}
	port := l.port
	l.cleanup = append(l.cleanup, func() { h.x.ports.give(port) })
	if err := free(l.port); err != nil {
		return nil, err
	}
	for _, argv := range l.before {
		if err := run(ctx, argv); err != nil {
			return nil, err
		}
	}
	logged, last, err := h.log()
	if err != nil {
		return nil, err
	}
	l.cleanup = append(l.cleanup, func() { logged.Close() })
	life, end := context.WithCancel(context.Background())
	cmd := program(life, l.argv, inherited(l.env.all()))
	out := io.MultiWriter(hiding{h.x.secrets, logged}, last)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		end()
		return nil, err
	}
	done := make(chan struct{})
	var ended error // valid when done is closed
	go func() {
		defer close(done)
		exit, err := finish(cmd)
		text := exitText(exit)
		if line := string(h.x.secrets.bytes([]byte(last.telling()))); line != "" {
			text += "; it says: " + line
		}
		ended = errors.Join(err, errors.New(text))
	}()
	clean := l
	i := &Instance{
		Address: l.address, Path: l.path, Done: done, network: l.network, inside: l.inside,
		Err:  func() error { return ended },
		Stop: sync.OnceFunc(func() { end(); <-done; clean.clean() }),
	}
	l = nil // the instance cleans up from here on
	if err := h.ready(ctx, i, port); err != nil {
		i.Stop()
		return nil, err
	}
	return i, nil
}

// ready waits until the port is bound and then until a handshake succeeds.
func (h *host) ready(ctx context.Context, i *Instance, port int) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	url := urlFor("moqt://"+i.Address+i.Path, string(transport.OnlyQUIC))
	if strings.HasPrefix(h.e.URL, "https:") {
		url = urlFor(url, string(transport.OnlyWebTransport))
	}
	state := errors.New("no UDP socket is bound to its port " + strconv.Itoa(port))
	for {
		bound, err := udpBound(port)
		if err != nil {
			return err
		}
		if bound {
			if h.o.Probe == nil {
				return nil
			}
			if err = h.o.Probe(ctx, url); err == nil {
				return nil
			}
			state = fmt.Errorf("no QUIC handshake with %s: %w", url, err)
		}
		select {
		case <-i.Done:
			return fmt.Errorf("it ended: %w", i.Err())
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), state)
		case <-tick.C:
		}
	}
}

// log opens the file for what the relay prints, up to a limit.
func (h *host) log() (*capped, *tail, error) {
	path := filepath.Join(h.o.Dir, "relays", h.e.Relay, h.e.Name+".log")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	return &capped{File: f, left: 8 << 20}, &tail{max: 4 << 10}, err
}

// hiding writes what a relay prints without the secrets that it was given. One that is cut by two writes is not seen.
type hiding struct {
	s *secrets
	w io.Writer
}

// Write implements io.Writer.
func (h hiding) Write(p []byte) (int, error) {
	_, err := h.w.Write(h.s.bytes(p))
	return len(p), err
}

// capped is a file that takes a limited number of bytes. The rest is dropped, and the last line says so.
type capped struct {
	*os.File
	left int
}

// Write implements io.Writer.
func (c *capped) Write(p []byte) (int, error) {
	if c.left < 0 {
		return len(p), nil
	}
	n := min(len(p), c.left)
	_, err := c.File.Write(p[:n])
	if c.left -= n; n < len(p) && err == nil {
		c.left = -1
		_, err = c.File.WriteString("\n[the rest was dropped]\n")
	}
	return len(p), err
}

// free says whether the port can be bound; if not, somebody else's relay would be tested.
func free(port int) error {
	if err := freeport.Check(port); err != nil {
		return fmt.Errorf("its UDP port %d is taken: %w", port, err)
	}
	return nil
}

// ports keeps two relays of a run from wanting one port at the same time.
type ports struct {
	mu    sync.Mutex
	taken map[int]chan struct{}
}

func (p *ports) take(ctx context.Context, port int) error {
	for {
		p.mu.Lock()
		wait, taken := p.taken[port]
		if !taken {
			if p.taken == nil {
				p.taken = make(map[int]chan struct{})
			}
			p.taken[port] = make(chan struct{})
			p.mu.Unlock()
			return nil
		}
		p.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return fmt.Errorf("another relay of the run has it: %w", context.Cause(ctx))
		}
	}
}

func (p *ports) give(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.taken[port])
	delete(p.taken, port)
}

// run runs a command to its end; the error has its last line.
func run(ctx context.Context, argv []string) error {
	out := &tail{max: 4 << 10}
	cmd := program(ctx, argv, nil)
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Start()
	if err == nil {
		var exit *int
		if exit, err = finish(cmd); err == nil && (exit == nil || *exit != 0) {
			err = errors.New(exitText(exit))
		}
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s: %w", argv[0], err)
	}
	return fmt.Errorf("%s: %w: %s", quote(argv), err, out.telling())
}

// serial numbers containers and networks of this process.
var serial atomic.Int64

// containerName makes a name that no other run has.
func containerName(kind string) string {
	return fmt.Sprintf("moqt-%s-%d-%d", kind, os.Getpid(), serial.Add(1))
}
