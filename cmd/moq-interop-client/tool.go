package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/internal/tools"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/runner"
)

// toolFlags are those of every everyday command. They take nothing from RELAY_URL and the like.
type toolFlags struct {
	Namespace string `short:"n" default:"demo" placeholder:"A/B" help:"Namespace, its fields with /. Default demo."`
	Encoded   bool   `help:"Names are in the form of draft-22 §8.8: .2e for a byte, - between fields."`

	sessionFlags
}

// sessionFlags shape the sessions of a command.
type sessionFlags struct {
	Draft     *string `short:"d" placeholder:"NN,…" help:"Drafts to offer, in this order. Default: all."`
	Transport *string `placeholder:"NAME" complete:"transports" help:"${transports}. Default scheme."`

	TLSDisableVerify bool    `help:"Accept any certificate."`
	CA               *string `name:"ca" placeholder:"FILE" help:"Certificate authorities to trust, PEM."`
	KeyLog           *string `name:"keylog" placeholder:"FILE" help:"Write TLS secrets there. [SSLKEYLOGFILE]"`
	QLOGDir          *string `name:"qlog-dir" placeholder:"DIR" help:"Write qlog files there. [QLOGDIR]"`

	Verbose bool `short:"v" help:"Show the messages on stderr."`
	Quiet   bool `short:"q" help:"Nothing on stderr but errors."`
}

// urlArg is the relay of a command.
type urlArg struct {
	URL string `arg:"" name:"url" complete:"relays" help:"The relay: https:// (WebTransport) or moqt:// (raw QUIC)."`
	tokenFlag
}

// tokenFlag is the token that a relay may ask for.
type tokenFlag struct {
	Token string `placeholder:"T" help:"Authorization token for every request. [AUTH_TOKEN]"`
}

// token is that of the flag, or of the environment: arguments are in every list of processes.
func (f *tokenFlag) token(sys *system) string { return cmp.Or(f.Token, sys.getenv(tokenVariable)) }

// options reads the flags that shape a session.
func (f *sessionFlags) options(sys *system) (o moq.Options, err error) {
	o = moq.Options{Implementation: program + " " + runner.Version(), UserAgent: program,
		QLOGDir: sys.choose(f.QLOGDir, "--qlog-dir", "", "QLOGDIR").text,
		Warn:    func(err error) { sys.say("warning: %v", err) }}
	if o.Drafts, err = parseDrafts(sys.choose(f.Draft, "--draft", "")); err != nil {
		return o, err
	}
	if o.Transport, err = parseTransport(sys.choose(f.Transport, "--transport", string(transport.Scheme))); err != nil {
		return o, err
	}
	if o.KeyLog, err = sys.keyLog(f.KeyLog); err != nil {
		return o, err
	}
	o.QUIC.KeepAlive = time.Second // a relay that is gone is told of soon
	o.TLS = &tls.Config{InsecureSkipVerify: f.TLSDisableVerify}
	if o.TLS.RootCAs, err = authorities(sys.choose(f.CA, "--ca", "")); err != nil {
		return o, err
	}
	// what a relay asks unasked is not judged here
	o.Session.Decode.Tolerate = wire.EmptyNamespacePrefix
	if f.Verbose {
		start := time.Now()
		o.Session.Trace = func(ev moqt.Event) {
			sys.say("+%dms %s", ev.Time.Sub(start).Milliseconds(), cases.EventText(ev))
		}
	}
	return o, nil
}

// connection reads the flags that say whom to reach.
func (f *toolFlags) connection(sys *system, to urlArg) (c tools.Connection, err error) {
	if _, err := transport.ParseURL(to.URL); err != nil {
		return c, usage("%w", err)
	}
	c = tools.Connection{URL: to.URL, Token: to.token(sys), Say: f.say(sys)}
	c.Options, err = f.options(sys)
	return c, err
}

func (f *sessionFlags) say(sys *system) func(string, ...any) {
	if f.Quiet {
		return func(string, ...any) {}
	}
	return sys.say
}

// namespace reads the namespace. empty says whether there may be no field.
func (f *toolFlags) namespace(empty bool) (ns moq.Namespace, err error) {
	switch {
	case f.Encoded:
		if ns, err = wire.ParseNamespaceText(f.Namespace); err != nil {
			return nil, usage("--namespace: %w", err)
		}
	case f.Namespace != "":
		ns = strings.Split(f.Namespace, "/")
	}
	bytes := 0
	for _, field := range ns {
		if field == "" {
			return nil, usage("--namespace: %q has an empty field", f.Namespace)
		}
		bytes += len(field)
	}
	switch {
	case len(ns) == 0 && !empty:
		return nil, usage("--namespace: there is no field")
	case len(ns) > wire.MaxNamespaceFields:
		return nil, usage("--namespace: %d fields, at most %d are allowed", len(ns), wire.MaxNamespaceFields)
	case bytes > wire.MaxFullTrackName:
		return nil, usage("--namespace: %d bytes, at most %d are allowed", bytes, wire.MaxFullTrackName)
	}
	return ns, nil
}

// track reads a track name, given by a flag.
func (f *toolFlags) track(text string) (string, error) {
	if !f.Encoded {
		return text, nil
	}
	_, name, err := wire.ParseNameText("--" + text)
	if err != nil {
		return "", usage("--track: %w", err)
	}
	return name, nil
}

// names reads the names of several tracks.
func (f *toolFlags) names(texts []string) (names []tools.Name, err error) {
	ns, err := f.namespace(false)
	if err != nil {
		return nil, err
	}
	for _, text := range texts {
		name, err := f.track(text)
		if err != nil {
			return nil, err
		}
		names = append(names, tools.Name{Namespace: ns, Track: name})
	}
	return names, nil
}

// authorities reads the file with certificate authorities that a setting names; nil are the system's.
func authorities(v setting) (*x509.CertPool, error) {
	if !v.set {
		return nil, nil
	}
	b, err := os.ReadFile(v.text)
	if err != nil {
		return nil, v.fail(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, v.fail(fmt.Errorf("%s holds no certificate in PEM", v.text))
	}
	return pool, nil
}

// runTool runs an everyday command. Its end by the user, or because nobody reads what it prints, is no failure.
func (s *system) runTool(run func() error) error {
	signal.Ignore(syscall.SIGPIPE) // a write to a closed pipe gives an error instead
	err := run()
	if s.ctx.Err() != nil || errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// location is GROUP, or GROUP,OBJECT.
type location struct {
	moq.Location
	object bool // it has one
}

// UnmarshalText reads a location.
func (l *location) UnmarshalText(text []byte) (err error) {
	group, object, found := strings.Cut(string(text), ",")
	if l.Group, err = strconv.ParseUint(group, 10, 64); err == nil && found {
		l.Object, err = strconv.ParseUint(object, 10, 64)
	}
	if err != nil {
		return fmt.Errorf("%q is neither GROUP nor GROUP,OBJECT", text)
	}
	l.object = found
	return nil
}
