package matrix

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/moqinterop/moq-interop-client/runner"
	"github.com/moqinterop/moq-interop-client/runner/tap"
)

// Limits of what is kept of a foreign client's output.
const (
	maxStdout = 16 << 20
	maxStderr = 64 << 10
)

// foreign runs a client that is a program or a container, and reads the TAP it prints.
type foreign struct {
	o    *Options
	spec Client
	x    *execution
}

// invocation is one call of a foreign client.
type invocation struct {
	argv  []string
	env   environment
	after [][]string // commands that end what is left of it
}

// prepare fetches the client's image.
func (f foreign) prepare(ctx context.Context) error {
	if f.spec.Kind != KindContainer {
		return nil
	}
	return f.x.pull(ctx, f.spec.Image)
}

// run runs the client once for its standard set, or once for each case: clients promise to understand only one name in
// TESTCASE.
func (f foreign) run(ctx context.Context, w *work, cases []string) outcome {
	switch {
	case len(cases) == 0:
		return f.standard(ctx, w)
	case f.spec.Lists:
		return f.once(ctx, w, cases...)
	}
	return f.named(ctx, w, cases)
}

// standard runs the client's standard set, and its own cases beside it.
func (f foreign) standard(ctx context.Context, w *work) outcome {
	out := f.once(ctx, w)
	if len(f.spec.Cases) == 0 || out.bailed || ctx.Err() != nil {
		return out
	}
	own := f.named(ctx, w, f.spec.Cases)
	out.cases = append(out.cases, own.cases...)
	out.notes = append(out.notes, own.notes...)
	maps.Copy(out.transcript, own.transcript)
	maps.Copy(out.transports, own.transports)
	out.stderr = append(out.stderr, own.stderr...)
	out.tap = append(out.tap, "\n# its own cases:\n"...)
	for line := range strings.Lines(string(own.tap)) {
		out.tap = append(out.tap, "# "+line...)
	}
	return out
}

// named runs the client once for each case.
func (f foreign) named(ctx context.Context, w *work, cases []string) outcome {
	all := make([]outcome, len(cases))
	w.slots.each(len(cases), func(i int) {
		if ctx.Err() == nil {
			all[i] = f.once(ctx, w, cases[i])
		}
	})
	return composed(w, cases, all)
}

// once runs the client for these cases, or its standard set, and reads what it prints.
func (f foreign) once(ctx context.Context, w *work, asked ...string) outcome {
	call, err := f.invocation(w, strings.Join(asked, ","), w.container(), here(f.o, nil), f.x.secrets.value)
	if err != nil {
		return outcome{problem: err.Error()}
	}
	stdout, stderr := &head{max: maxStdout}, &tail{max: maxStderr}
	cmd := program(ctx, call.argv, inherited(call.env.all()))
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		return outcome{problem: fmt.Sprintf("the client did not start: %v", err)}
	}
	exit, err := finish(cmd)
	for _, argv := range call.after {
		_ = run(context.WithoutCancel(ctx), argv) // usually there is nothing left, and the engine says so
	}
	stdout.b = f.x.secrets.bytes(stdout.b)
	input := io.Reader(bytes.NewReader(stdout.b))
	if stdout.lost > 0 {
		input = io.MultiReader(input, lost(stdout.lost))
	}
	doc, readErr := tap.Parse(input)
	out := parsed(doc, exit, asked)
	out.tap, out.stderr = stdout.b, stderr.text()
	if err := errors.Join(err, readErr); err != nil && out.problem == "" {
		out.problem = "the client's output: " + err.Error()
	}
	if f.spec.Kind == KindContainer && exit != nil && slices.Contains([]int{125, 126}, *exit) {
		out.problem = fmt.Sprintf("the container did not start (exit code %d): %s", *exit, stderr.telling())
	}
	if out.problem != "" && len(doc.Points) == 0 && out.stderr != nil {
		if line := stderr.telling(); line != "" && !strings.Contains(out.problem, line) {
			out.problem += "; it says: " + line
		}
	}
	return out
}

// lost stands for output that was too long to keep: reading it gives an error.
type lost int

// Read implements io.Reader.
func (n lost) Read([]byte) (int, error) {
	return 0, fmt.Errorf("%d bytes more than the %d that are read", int(n), maxStdout)
}

// invocation makes the call for a cell, and a case unless name is empty. A container gets the other name, unless that
// is empty. secret gives the values of {env:NAME}.
func (f foreign) invocation(w *work, name, container string, words scope,
	secret func(string) (string, error)) (invocation, error) {
	url, network := w.url, ""
	switch i := w.instance; {
	case f.spec.Kind != KindContainer:
	case i != nil && i.network != "":
		network, url = i.network, urlFor("moqt://"+i.inside+i.Path, w.cell.Transport)
	case i != nil || onLoopback(url): // a relay on this host's loopback
		network = "host"
	}
	env := environment{}
	env.add("RELAY_URL", url)
	number, insecure, qlog := strings.TrimPrefix(w.cell.Draft, "draft-"), "", w.qlog
	if w.endpoint.TLSDisableVerify {
		insecure = "--tls-disable-verify"
		env.add("TLS_DISABLE_VERIFY", "1")
	}
	if f.spec.Kind == KindContainer && qlog != "" {
		qlog = "/qlog"
	}
	settings, factor := w.endpoint.Settings, ""
	if settings.TimeoutFactor != 0 {
		factor = strconv.FormatFloat(float64(settings.TimeoutFactor), 'g', -1, 64)
	}
	env.add("TESTCASE", name)
	env.add("MOQT_DRAFT", w.cell.Draft)
	env.add("DRAFT", number)
	env.add("COMPAT", strings.Join(w.endpoint.Tolerances, ","))
	env.add("NAMESPACE_PREFIX", string(settings.NamespacePrefix))
	env.add("QLOGDIR", qlog)
	if f.spec.Kind != KindContainer {
		if f.o.Capture {
			env.add("SSLKEYLOGFILE", filepath.Join(f.o.Dir, KeysFile))
		}
		env.add("SSL_CERT_FILE", settings.TLS) // what OpenSSL, Go and rustls-native-certs read
	}
	if settings.AuthToken != "" {
		token, err := secret(settings.AuthToken.Variable())
		if err != nil {
			return invocation{}, err
		}
		env.secret = append(env.secret, "AUTH_TOKEN="+token)
	}
	words.values = map[string]string{
		"relay": url, "case": name, "draft": w.cell.Draft, "number": number, "transport": w.cell.Transport,
		"tls-disable-verify": insecure, "qlog": qlog, "namespace-prefix": string(settings.NamespacePrefix),
		"timeout-factor": factor, "ca": settings.TLS, "compat": strings.Join(w.endpoint.Tolerances, ","),
	}
	if err := env.own(words, f.spec.Env, secret); err != nil {
		return invocation{}, fmt.Errorf("client %s: %w", f.spec.Name, err)
	}
	if f.spec.Kind == KindContainer {
		args, err := words.expand(append([]string{"image"}, f.spec.Args...))
		if err != nil {
			return invocation{}, fmt.Errorf("client %s: %w", f.spec.Name, err)
		}
		return f.container(w, network, container, env, args[1:]), nil
	}
	argv, err := words.expand(f.spec.Command)
	if err != nil {
		return invocation{}, fmt.Errorf("client %s: %w", f.spec.Name, err)
	}
	return invocation{argv: argv, env: env}, nil
}

// container makes the call of the engine.
func (f foreign) container(w *work, network, name string, env environment, args []string) invocation {
	argv := []string{f.o.Engine, "run", "--rm"}
	if name != "" {
		argv = append(argv, "--name", name)
	}
	if network != "" {
		argv = append(argv, "--network", network)
	}
	if w.qlog != "" {
		argv = append(argv, "-v", w.qlog+":/qlog")
	}
	argv = append(append(argv, env.forEngine()...), f.spec.Image)
	env.plain = nil // the engine has it among its arguments
	return invocation{argv: append(argv, args...), env: env, after: [][]string{{f.o.Engine, "rm", "-f", name}}}
}

// repeat gives the shell line that runs the cell again.
func (f foreign) repeat(w *work, cases []string) string {
	name, each := strings.Join(cases, ","), len(cases) > 1 && !f.spec.Lists
	if each {
		name = mark("$c")
	}
	call, err := f.invocation(w, name, "", onLine(nil), func(name string) (string, error) {
		return mark("$" + name), nil
	})
	if err != nil {
		return ""
	}
	words := call.argv
	if len(call.env.plain) > 0 {
		words = append(append([]string{"env"}, call.env.plain...), call.argv...)
	}
	text := call.env.before(f.o.Program) + line(words, f.o.Program)
	if each {
		text = "for c in " + quote(cases) + "; do " + text + "; done"
	}
	return text
}

// composed joins the runs of single cases into one outcome, with one TAP document.
func composed(w *work, names []string, all []outcome) outcome {
	out := outcome{transcript: make(map[string][]string), transports: make(map[string][]string)}
	for i, o := range all {
		name := names[i]
		out.notes = append(out.notes, prefixed(name+": ", o.notes)...)
		for _, d := range o.header {
			if !slices.Contains(out.header, d) {
				out.header = append(out.header, d)
			}
		}
		c := CaseResult{Name: name, Status: Missing, Message: cmp.Or(o.problem, "it was not run")}
		if len(o.cases) > 0 {
			c = o.cases[0]
		}
		switch {
		case o.problem != "" && c.Status != Fail: // what cannot be judged is no result
			c = CaseResult{Name: name, Status: Missing, Message: o.problem, DurationMS: c.DurationMS}
		case o.bailed && c.Status != Fail:
			c.Status, c.Layer, c.Message = Fail, o.layer, "Bail out! "+o.bail
		}
		if o.exit != nil && (out.exit == nil || worse(*o.exit, *out.exit)) {
			out.exit = o.exit
		}
		out.cases = append(out.cases, c)
		out.transcript[name] = o.transcript[name]
		out.transports[name] = slices.Concat(o.transports[name], o.transports[wholeReport])
		out.self.client = cmp.Or(out.self.client, o.self.client)
		if len(o.stderr) > 0 {
			out.stderr = append(append(out.stderr, "== "+name+"\n"...), o.stderr...)
		}
	}
	out.tap = document(w, out, all)
	return out
}

// worse gives the exit code of two cases together: a failure goes before unsupported, and unsupported before a pass.
func worse(a, b int) bool {
	weight := func(code int) int {
		switch code {
		case runner.ExitUnsupported:
			return 0
		case runner.ExitPass:
			return 1
		}
		return 2
	}
	return weight(a) > weight(b)
}

// document prints the runs of single cases as one TAP document, each followed by what the client itself printed.
func document(w *work, o outcome, all []outcome) []byte {
	var b bytes.Buffer
	t := tap.NewWriter(&b)
	write := func(err error) {
		if err != nil {
			fmt.Fprintf(&b, "# %v\n", err)
		}
	}
	write(t.Version())
	write(t.Comment(fmt.Sprintf("%s, run once for each case; what it printed follows its point\nRelay: %s",
		w.cell.Client, w.url)))
	write(t.Plan(len(o.cases)))
	for i, c := range o.cases {
		p := tap.Point{Number: i + 1, Name: c.Name, OK: c.Status == Pass}
		switch c.Status {
		case Skip, TooSlow, NotApplicable:
			p.OK, p.Directive, p.Reason = true, tap.Skip, c.Reason
		case Todo:
			p.Directive, p.Reason = tap.Todo, c.Reason
		}
		p.YAML = yaml.MapSlice{{Key: "duration_ms", Value: c.DurationMS}}
		for _, kv := range [][2]string{{"message", c.Message}, {"expected", c.Expected}, {"received", c.Received},
			{"layer", c.Layer}} {
			if kv[1] != "" {
				p.YAML = append(p.YAML, yaml.MapItem{Key: kv[0], Value: kv[1]})
			}
		}
		write(t.Point(p))
		for line := range strings.Lines(string(all[i].tap)) {
			write(t.Comment("  " + strings.TrimRight(line, "\r\n")))
		}
	}
	return b.Bytes()
}
