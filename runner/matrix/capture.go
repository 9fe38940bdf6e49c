package matrix

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// captureWait is how long tcpdump may take to begin.
const captureWait = 5 * time.Second

// capture records all UDP packets of this host into the run's folder until stop is called. The packets of other
// programs are among them: tcpdump is not told ports, since relays that are started get theirs later.
func capture(dir string) (stop func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, CaptureFile), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	said := &tail{max: 4 << 10}
	cmd := program(ctx, []string{"tcpdump", "-i", "any", "-n", "-U", "-w", "-", "udp"}, os.Environ())
	cmd.Stdout, cmd.Stderr = f, said
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("packets: %w", err), f.Close())
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = finish(cmd) // it is ended by us, or says why it ended
	}()
	stop = func() error {
		cancel()
		<-done
		return f.Close()
	}
	for wait := time.Now().Add(captureWait); time.Now().Before(wait); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(string(said.text()), "listening on") {
			return stop, nil
		}
		select {
		case <-done:
			return nil, errors.Join(fmt.Errorf("packets: tcpdump ended: %s", said.telling()), stop())
		default:
		}
	}
	return nil, errors.Join(fmt.Errorf("packets: tcpdump did not begin within %v", captureWait), stop())
}
