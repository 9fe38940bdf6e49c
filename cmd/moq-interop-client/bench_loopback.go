package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/bench"
	"github.com/moqinterop/moq-interop-client/moqt/moq"
)

// benchLoopbackCmd needs no relay.
type benchLoopbackCmd struct {
	loadFlags
	windowFlags
	sessionFlags
	Processes int `default:"1" enum:"1,2" placeholder:"N" help:"2: each end in a process of its own. Default 1."`
}

// Help teaches.
func (*benchLoopbackCmd) Help() string {
	return `With --processes 2 the summary tells processor time and memory of each side.

  moq-interop-client bench loopback -s 64 -t 5
  moq-interop-client bench loopback --processes 2 -s 4KiB -r 1000 --hdr-log latencies.hlog
`
}

// Run measures.
func (b *benchLoopbackCmd) Run(sys *system) error {
	log := b.HDRLog
	if b.Processes == 2 {
		b.HDRLog = "" // the subscriber's
	}
	c, err := b.config(sys, &b.sessionFlags)
	if err != nil {
		return err
	}
	if c.Load, err = b.load(1); err != nil {
		return err
	}
	c.Bench, c.Namespace, c.Track = "loopback", moq.Namespace{"bench"}, "track"
	if b.Processes == 2 {
		c.Load.Processes, c.Live = 2, nil // the subscriber tells the intervals
		c.Subscriber = func(ctx context.Context, url string) (*bench.Result, error) {
			return b.subscriber(ctx, sys, &c, url, log)
		}
	}
	return b.measureAndPrint(sys, c)
}

// subscriber runs the subscriber's end as a process.
func (b *benchLoopbackCmd) subscriber(ctx context.Context, sys *system, c *bench.Config,
	url, log string) (*bench.Result, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var drafts []string
	for _, d := range c.Options.Drafts {
		drafts = append(drafts, strings.TrimPrefix(d.String(), "draft-"))
	}
	// Once somebody has subscribed, the end of the track is waited for.
	args := []string{"bench", "sub", url, "--tls-disable-verify", "--json", "--until-end", "--warmup", "0",
		"--transport", string(c.Options.Transport), "--draft", strings.Join(drafts, ","), "--namespace", c.Namespace[0],
		"--track", c.Track, "-i", fmt.Sprint(b.Interval), "--wait", fmt.Sprint(b.Wait)}
	q := c.Options.QUIC
	for flag, n := range map[string]int{"--stream-window": int(q.StreamWindow),
		"--connection-window": int(q.ConnectionWindow), "--max-window": int(q.MaxStreamWindow),
		"--packet-size": q.PacketSize, "--queued-bytes": c.Options.Session.Limits.QueuedBytes} {
		if n != 0 {
			args = append(args, flag, strconv.Itoa(n))
		}
	}
	if log != "" {
		args = append(args, "--hdr-log", log)
	}
	if b.Quiet {
		args = append(args, "--quiet")
	}
	var stdout bytes.Buffer
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &stdout, sys.stderr, time.Second
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("its process: %w", err)
	}
	results, err := bench.Read(&stdout)
	if err != nil {
		return nil, err
	}
	if len(results) != 1 {
		return nil, errors.New("its process has told no result")
	}
	return results[0], nil
}
