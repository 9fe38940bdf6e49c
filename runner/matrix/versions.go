package matrix

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/printable"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/runner"
	"github.com/moqinterop/moq-interop-client/runner/tap"
)

// selves are what client and relay say they are.
type selves struct{ client, relay string }

// versions keeps what the version commands of a run said: each is run once.
type versions struct {
	mu   sync.Mutex
	said map[string]string
}

// versionWait bounds a version command.
const versionWait = 5 * time.Second

// tell completes what an attempt knows of client and relay. What a peer said in the session goes before what a command
// says.
func (x *execution) tell(ctx context.Context, o *outcome, a *attempts) {
	spec, e := x.plan.find(a.w.cell)
	switch spec.Kind {
	case KindBuiltin:
		o.self.client = cmp.Or(o.self.client, runner.Version())
	case KindContainer:
		o.self.client = cmp.Or(o.self.client, x.digestOf(ctx, spec.Image))
	case KindPair:
		o.self.client = x.version(ctx, spec.Version)
	default:
		o.self.client = cmp.Or(x.version(ctx, spec.Version), o.self.client)
	}
	relay := x.version(ctx, e.Version)
	if e.Kind == KindContainer {
		relay = x.digestOf(ctx, e.Image)
	}
	switch {
	case o.self.relay == "":
		o.self.relay = relay
	case relay != "" && !strings.Contains(o.self.relay, relay):
		o.self.relay += " (" + relay + ")"
	}
	o.self.client, o.self.relay = short120(o.self.client), short120(o.self.relay)
	if len(o.tap) == 0 {
		return
	}
	if o.tap[len(o.tap)-1] != '\n' {
		o.tap = append(o.tap, '\n')
	}
	for _, said := range [][2]string{{"Client version", o.self.client}, {"Relay version", o.self.relay}} {
		if said[1] != "" {
			o.tap = fmt.Appendf(o.tap, "# %s: %s\n", said[0], said[1])
		}
	}
}

// short120 keeps hostile texts short and on one line.
func short120(s string) string {
	s = printable.OneLine(s)
	if len(s) > 120 {
		s = strings.ToValidUTF8(s[:117], "") + "…"
	}
	return s
}

// version gives the first line that a command prints; empty when there is none, or when it fails.
func (x *execution) version(ctx context.Context, command []string) string {
	if len(command) == 0 {
		return ""
	}
	argv, err := here(x.o, nil).expand(command)
	if err != nil {
		return ""
	}
	return x.once(ctx, argv)
}

// digestOf gives the digest of an image, or its ID where it was built here.
func (x *execution) digestOf(ctx context.Context, image string) string {
	if x.o.Engine == "" {
		return ""
	}
	const form = "{{if .RepoDigests}}{{index .RepoDigests 0}}{{else}}{{.Id}}{{end}}"
	return x.once(ctx, []string{x.o.Engine, "image", "inspect", "--format", form, image})
}

// once runs a command that prints one line, the first time.
func (x *execution) once(ctx context.Context, argv []string) string {
	x.versions.mu.Lock()
	defer x.versions.mu.Unlock()
	key := strings.Join(argv, "\x00")
	if said, ok := x.versions.said[key]; ok {
		return said
	}
	ctx, cancel := context.WithTimeout(ctx, versionWait)
	defer cancel()
	out := &head{max: 4 << 10}
	cmd := program(ctx, argv, inherited(nil))
	cmd.Stdout, cmd.Stderr = out, out
	said := ""
	if cmd.Start() == nil {
		if exit, err := finish(cmd); err == nil && exit != nil && *exit == 0 {
			first, _, _ := strings.Cut(strings.TrimSpace(string(out.b)), "\n")
			said = strings.TrimSpace(first)
		}
	}
	if ctx.Err() != nil {
		return ""
	}
	if x.versions.said == nil {
		x.versions.said = make(map[string]string)
	}
	x.versions.said[key] = said
	return said
}

// wholeReport is the key under which an outcome has the transports that a report claims for all its cases.
const wholeReport = ""

// alpnLine is how clients tell the ALPN in a comment: "# ALPN: moq-00", "# alpn=h3".
var alpnLine = regexp.MustCompile(`(?i)^(?:negotiated )?alpn\s*[:=]\s*"?([a-z0-9._/-]+)`)

// transportLine is the header of the public runner's interface.
var transportLine = regexp.MustCompile(`(?i)^transport\s*:\s*([a-z0-9-]+)`)

// said takes from the comments of a report what they claim for the whole: transport, ALPN, who the client is.
func (o *outcome) said(doc *tap.Document) {
	for _, c := range doc.Comments {
		if c.Depth > 0 {
			continue
		}
		text := strings.TrimSpace(c.Text)
		if m := alpnLine.FindStringSubmatch(text); m != nil {
			o.transports[wholeReport] = append(o.transports[wholeReport], carriedBy(m[1]))
		}
		if m := transportLine.FindStringSubmatch(text); m != nil {
			kind := strings.ToLower(m[1])
			if kind == string(transport.OnlyWebTransport) {
				kind = string(transport.WebTransport)
			}
			o.transports[wholeReport] = append(o.transports[wholeReport], kind)
		}
	}
	for _, p := range doc.Points {
		if v := text(p.YAML, "implementation_version"); v != "" {
			o.self.client = v
			return
		}
	}
}

// carriedBy gives the transport that an ALPN stands for; empty when that is none of MoQT's.
func carriedBy(alpn string) string {
	switch alpn = strings.ToLower(alpn); {
	case alpn == "h3":
		return string(transport.WebTransport)
	case strings.HasPrefix(alpn, "moq"):
		return string(transport.QUIC)
	}
	return ""
}
