// Package probe finds out which drafts relays answer to, over which transports. For each endpoint, draft and transport
// it makes one connection that offers this draft alone, exchanges SETUP and closes. A failure names its layer. The
// command `probe` uses it.
package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/runner"
)

// The environment variables of the flags. A flag wins over its variable, and an empty variable counts as unset.
const (
	// EnvRelays names files for FromFiles, joined by commas (--relays).
	EnvRelays = "RELAYS_FILE"
	// EnvOutput names the status file, Options.Output (--output).
	EnvOutput = "OUTPUT_FILE"
	// EnvTimeout is Options.Timeout (--timeout), EnvInterval is Options.Interval (--interval): seconds, with or without
	// a fraction, or a duration as Go writes it; see ParseDuration.
	EnvTimeout  = "PROBE_TIMEOUT"
	EnvInterval = "PROBE_INTERVAL"
	// EnvOnce is Options.Once (--once): 1 or true.
	EnvOnce = "PROBE_ONCE"
)

const (
	// DefaultTimeout is Options.Timeout when it is zero.
	DefaultTimeout = 8 * time.Second
	// DefaultInterval is used for a status file that is kept up to date when no interval is given; see Interval.
	DefaultInterval = 300 * time.Second
	// DefaultParallel is Options.Parallel when it is zero.
	DefaultParallel = 100
)

// perAddress is how many connections one host and port gets at a time: all drafts of a transport, and few enough for a
// relay that limits connections for each client.
const perAddress = 9

// Options say what to probe and where the results go.
type Options struct {
	// Targets are the endpoints. (RELAYS_FILE)
	Targets []Target
	// Drafts are tried, each in connections of its own; empty is all, newest first.
	Drafts []wire.Draft
	// Transport constrains the transports. Empty is transport.Scheme: WebTransport for https://, raw QUIC for moqt://
	// and the embedded relay. transport.Auto adds the other transports that a URL may stand for, see Target.Transports.
	// QUIC and WebTransport override a URL's scheme, but not the transport of a catalogue's endpoint that has only one.
	Transport transport.Choice
	// Offer makes one connection to each endpoint that offers all drafts, in this order, and shows which one the relay
	// chooses; with transport.Auto for a moqt:// URL also which transport. Otherwise each draft is offered alone.
	Offer bool
	// Timeout bounds each attempt, from looking up the name to the peer's SETUP; 0 is DefaultTimeout. (PROBE_TIMEOUT, 8
	// s)
	Timeout time.Duration
	// Interval is the time from the start of one round to the start of the next; 0 makes one round. If a round takes
	// longer, the next follows at once. (PROBE_INTERVAL)
	Interval time.Duration
	// Once makes one round whatever Interval says. (PROBE_ONCE)
	Once bool
	// Output is the status file; may be nil. Each complete round replaces it as a whole, so that a reader never sees
	// half of one. (OUTPUT_FILE)
	Output *runner.Output
	// Parallel is how many connections are made at a time; 0 is DefaultParallel.
	Parallel int
	// TLSDisableVerify accepts any certificate, of every target. (TLS_DISABLE_VERIFY)
	TLSDisableVerify bool
	// TLS is the base of the TLS configuration (RootCAs). May be nil.
	TLS *tls.Config
	// QLOGDir is a directory for a qlog file of each connection; empty writes none.
	QLOGDir string
	// KeyLog gets the TLS secrets of every connection; nil writes them nowhere.
	KeyLog io.Writer
	// Program and Version identify this program in SETUP and in the status file.
	Program, Version string
	// Logger is the embedded relay's; nil logs nothing.
	Logger *slog.Logger
	// OnReport, if set, is called with the report of each round as soon as it exists, before the file is written.
	OnReport func(*Report)
	// Warn, if set, is called for problems beside the probing: a status file that cannot be written in a run of several
	// rounds, or a qlog. It may be called from any goroutine.
	Warn func(error)
}

// Repeats reports whether there is more than one round.
func (o Options) Repeats() bool { return o.Interval > 0 && !o.Once }

func (o Options) withDefaults() Options {
	if len(o.Drafts) == 0 {
		o.Drafts = wire.Drafts()
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Parallel <= 0 {
		o.Parallel = DefaultParallel
	}
	if o.Program == "" {
		o.Program = "moq-interop-client"
	}
	if o.Warn == nil {
		o.Warn = func(error) {}
	}
	return o
}

// ErrNothing says that there is nothing to probe: no target, or none with a transport that was asked for.
var ErrNothing = errors.New("nothing to probe: no relay is given, or none for the transports asked for")

// Run probes the targets, once or again and again, and returns the report of the last complete round. If ctx ends
// before there is one, it returns a report of what is known, in which the rest is Cancelled, and the context's cause.
// Other errors mean that nothing was probed, or that the only round's status file could not be written; in the second
// case there is a report too.
func Run(ctx context.Context, o Options) (*Report, error) {
	o = o.withDefaults()
	p, err := newProber(o)
	if err != nil {
		return nil, err
	}
	defer p.close()
	return p.run(ctx)
}

// run makes rounds.
func (p *prober) run(ctx context.Context) (*Report, error) {
	repeat := p.Repeats()
	next := time.NewTimer(p.Interval)
	defer next.Stop()
	var last *Report
	for {
		next.Reset(p.Interval)
		r := p.round(ctx)
		if !r.Complete && last != nil {
			return last, nil // half a round replaces no whole one
		}
		last = r
		if p.OnReport != nil {
			p.OnReport(r)
		}
		if p.Output != nil {
			if err := p.write(r); err != nil {
				err = fmt.Errorf("the status file: %w", err)
				if !repeat {
					return r, err
				}
				p.Warn(err)
			}
		}
		if !r.Complete {
			return r, context.Cause(ctx)
		}
		if !repeat {
			return r, nil
		}
		select {
		case <-ctx.Done():
			return r, nil
		case <-next.C:
		}
	}
}

// write replaces the status file.
func (p *prober) write(r *Report) error {
	var b bytes.Buffer
	if err := WriteJSON(&b, r); err != nil {
		return err
	}
	return p.Output.Replace(b.Bytes())
}

// Interval is the interval to run with: set, if it was given; else DefaultInterval if relays come from a file
// (fromFile) and a status file is kept, as for a service; else 0, which is one round.
func Interval(given time.Duration, set, fromFile, kept bool) time.Duration {
	switch {
	case set:
		return given
	case fromFile && kept:
		return DefaultInterval
	}
	return 0
}

// ParseDuration reads seconds ("8", "0.5") or a duration as Go writes it ("1m30s"). It must be positive and at most a
// year.
func ParseDuration(text string) (time.Duration, error) {
	const most = 365 * 24 * time.Hour
	d, err := time.ParseDuration(text)
	if seconds, e := strconv.ParseFloat(text, 64); e == nil {
		d, err = time.Duration(min(seconds, 2*most.Seconds())*float64(time.Second)), nil
		if seconds != seconds {
			d = 0
		}
	}
	if err != nil || d <= 0 || d > most {
		return 0, fmt.Errorf("%q is not a time: want seconds above 0, or a duration such as 1m30s", text)
	}
	return d, nil
}
