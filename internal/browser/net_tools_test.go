package browser

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// One end is a command of this program, the other is in the page.

// tool is a process of one of the everyday commands.
type tool struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader // what it prints
	told bytes.Buffer  // what it says of it; whole when the process has ended
}

// startTool runs a command on a relay with a namespace and a draft, at most until ctx or the test ends.
func startTool(ctx context.Context, t *testing.T, program, name, url string, d wire.Draft, ns wire.TrackNamespace,
	args ...string) *tool {
	t.Helper()
	p := &tool{name: name}
	p.cmd = exec.CommandContext(ctx, program, append([]string{name, url, "--tls-disable-verify",
		"--draft", strconv.Itoa(int(d)), "--namespace", strings.Join(ns, "/")}, args...)...)
	p.cmd.Stderr = &p.told
	var errs [3]error
	p.in, errs[0] = p.cmd.StdinPipe()
	out, err := p.cmd.StdoutPipe()
	p.out, errs[1] = bufio.NewReader(out), err
	errs[2] = p.cmd.Start()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		if t.Failed() {
			t.Logf("%s says:\n%s", name, p.told.String())
		}
	})
	return p
}

// line reads the next line that the command prints, as JSON.
func (p *tool) line(t *testing.T, v any) {
	t.Helper()
	line, err := p.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, v)
	}
	if err != nil {
		t.Fatalf("%s prints %q: %v", p.name, line, err)
	}
}

// ends waits for the end of the command, which is to be a success that prints nothing more and has said these words.
func (p *tool) ends(t *testing.T, said ...string) {
	t.Helper()
	if rest, err := io.ReadAll(p.out); err != nil || len(rest) > 0 {
		t.Errorf("%s prints %q at its end: %v", p.name, rest, err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%s: %v", p.name, err)
	}
	for _, want := range said {
		if !strings.Contains(p.told.String(), want) {
			t.Errorf("%s does not say %q", p.name, want)
		}
	}
}

// netBytes is the size of all objects of a track.
func netBytes() (sum int) {
	for _, o := range netWant() {
		sum += o.Size
	}
	return sum
}

// The command pub and a subscriber in the page.
func netSubscribes(t *testing.T, page *netPage, relay *serve, program string) {
	for _, d := range netDrafts {
		t.Run(d.String(), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			ns := wire.TrackNamespace{netPrefix, fmt.Sprintf("ours-%d", d)}
			pub := startTool(ctx, t, program, "pub", "https://"+relay.addr, d, ns, "--track", netTrack,
				"--group-objects", netGroupObjects, "--group-size", netGroupSize)
			subscriber := page.subscriber(relay, d, ns[1])
			page.wait(ctx, t, subscriber, "announced")
			for _, o := range netWant() {
				line := append(netPayload(wire.Location{Group: o.Group, Object: o.Object}, o.Size), '\n')
				if _, err := pub.in.Write(line); err != nil {
					t.Fatal(err)
				}
			}
			if !readsOn(d) {
				page.wait(ctx, t, subscriber, "complete")
			}
			if err := pub.in.Close(); err != nil {
				t.Fatal(err)
			}
			if readsOn(d) {
				page.wait(ctx, t, subscriber, "complete")
			}
			pub.ends(t, fmt.Sprintf(": %s over webtransport", d), fmt.Sprintf("%s: %d objects, %d bytes in %d groups\n",
				wire.NameText(ns, netTrack), len(netWant()), netBytes(), len(netGroups)))
			checkNet(t, page.objects(ctx, t, subscriber))
		})
	}
}

// A publisher in the page and the command sub; the command watch sees its namespace come and go. The track ends for sub
// though the publisher's PUBLISH_DONE counts no streams.
func netPublishes(t *testing.T, page *netPage, relay *serve, program string) {
	for _, d := range netDrafts {
		t.Run(d.String(), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			ns := wire.TrackNamespace{netPrefix, fmt.Sprintf("theirs-%d", d)}
			watch := startTool(ctx, t, program, "watch", "moqt://"+relay.addr, d, ns[:1], "--json")
			publisher := page.publisher(relay, d, ns[1], false)
			page.wait(ctx, t, publisher, "connected")
			watch.event(t, "+namespace", ns)
			sub := startTool(ctx, t, program, "sub", "moqt://"+relay.addr, d, ns, "--track", netTrack, "--json")
			page.wait(ctx, t, publisher, "written")
			checkNet(t, sub.objects(t))
			page.step(publisher)
			last := netWant()[len(netWant())-1]
			sub.ends(t, fmt.Sprintf(": %s over quic", d), fmt.Sprintf(
				"%s: the track has ended: %d objects, %d bytes, up to {%d,%d}\n", wire.NameText(ns, netTrack),
				len(netWant()), netBytes(), last.Group, last.Object))
			watch.event(t, "-namespace", ns)
			page.step(publisher)
			if err := watch.cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			watch.ends(t, fmt.Sprintf(": %s over quic", d))
		})
	}
}

// objects reads as many objects as sub is to print.
func (p *tool) objects(t *testing.T) (got []netObject) {
	t.Helper()
	for len(got) < len(netWant()) {
		var o struct {
			Group, Object uint64
			Status        string
			Size          int
			Payload       string
			PayloadHex    string `json:"payload_hex"`
		}
		p.line(t, &o)
		if o.Status != "" {
			continue
		}
		payload := []byte(o.Payload)
		if o.PayloadHex != "" {
			var err error
			if payload, err = hex.DecodeString(o.PayloadHex); err != nil {
				t.Fatal(err)
			}
		}
		want := netPayload(wire.Location{Group: o.Group, Object: o.Object}, o.Size)
		got = append(got, netObject{Group: o.Group, Object: o.Object, Size: o.Size,
			Intact: bytes.Equal(payload, want)})
	}
	return got
}

// event waits until watch prints an event, and passes others over.
func (p *tool) event(t *testing.T, event string, ns wire.TrackNamespace) {
	t.Helper()
	for {
		var e struct{ Event, Namespace string }
		p.line(t, &e)
		if e.Event == event && e.Namespace == wire.NamespaceText(ns) {
			return
		}
	}
}
