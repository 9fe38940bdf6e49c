package matrix

import (
	"cmp"
	"context"
	"os"
	"runtime"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/runner"
)

// Options say how a plan is executed.
type Options struct {
	// Dir is the run's folder, results/<run>; its last element is the run's ID. It is created when it is missing.
	Dir string
	// Resume continues the run in Dir. Without it, a folder that has a run is refused.
	Resume bool
	// Versions are those of the tools, for run.json.
	Versions map[string]string
	// Program is how this program is called, for the line that repeats a cell; Self is its path, for {self} in
	// commands. Empty stands for this process's own.
	Program []string
	Self    string

	// Variables stand for variables of the environment, and go before them: what a flag said of a secret.
	Variables map[string]string

	// Builtin gives the built-in client for a cell, and the cases to run: those of the request, or the standard set.
	Builtin func(r Request) (runner.Client, []cases.Case, error)
	// Embedded starts the relay of an endpoint of KindEmbedded. ctx bounds the start only.
	Embedded func(ctx context.Context, e Endpoint) (*Instance, error)
	// Probe tries a QUIC handshake with a relay, without verifying its certificate. One that was started is ready when
	// it succeeds; one that is reached by its URL is down when nobody answers. When Probe is nil, a relay counts as
	// ready as soon as its port is bound, and none is down.
	Probe func(ctx context.Context, url string) error
	// Certificate writes a self-signed certificate for localhost and relay into a folder, and gives the two files.
	Certificate func(dir string) (cert, key string, err error)
	// Engine is the container engine, "docker", "podman" or a path; it takes arguments as docker does. Empty is none.
	Engine string

	// Parallel bounds what runs at once, over all relays: cases of the built-in client and processes of others; 0 is 4
	// for each core.
	Parallel int
	// PerRelay bounds what runs at once against one relay, 0 is 4; Limits are bounds for relays by name.
	PerRelay int
	Limits   map[string]int
	// Foreign bounds how many programs and containers run at once as clients against one relay; 0 is 1. Many clients
	// use the same namespaces and tracks in every process, or in every process of one second: at the same relay they
	// would answer each other, and pass for that.
	Foreign int
	// NoRetry does not repeat what failed: nothing is flaky then.
	NoRetry bool
	// CellTimeout bounds a cell, repetition included; 0 is 5 minutes. StartTimeout bounds the start of a relay; 0 is 20
	// s. PullTimeout bounds the fetching of an image; 0 is 10 minutes. The run's own deadline is ctx's.
	CellTimeout, StartTimeout, PullTimeout time.Duration
	// QLOG asks for qlog files of each cell.
	QLOG bool
	// Capture records the packets of the run with tcpdump, and asks foreign clients for their TLS keys.
	Capture bool
	// Expected are the failures that do not fail the run; may be nil.
	Expected *Expectations
	// Progress hears of each result once it is stored; may be nil.
	Progress Progress
	// Sync says how results are stored before they are reported.
	Sync Sync
}

// Request says what a built-in client is asked for.
type Request struct {
	Cell     Cell
	Endpoint Endpoint
	// URL is the relay's, with the transport's scheme; TLSDisableVerify says not to verify its certificate.
	URL              string
	TLSDisableVerify bool
	// Instance is the relay that was started; nil for a relay that is reached by its URL.
	Instance *Instance
	// Cases are those of the plan; none for the standard set.
	Cases []string
	// QLOGDir is where qlog files go; empty for none.
	QLOGDir string
	// AuthToken is the value that Endpoint.Settings names; it must not be written anywhere.
	AuthToken string
}

// Instance is a relay that runs.
type Instance struct {
	// Address is the host and port at which clients on this host reach it; Path is that of its URL.
	Address, Path string
	// Value is the starter's own, for Options.Builtin.
	Value any
	// Done is closed when the relay has ended by itself; nil says that it does not. Err says why, once it has; may be
	// nil.
	Done <-chan struct{}
	Err  func() error
	// Stop ends it and waits until it has.
	Stop func()

	// network is that of a container, and inside is the address there.
	network, inside string
}

// ended reports whether the relay has ended by itself.
func (i *Instance) ended() bool {
	if i.Done == nil {
		return false
	}
	select {
	case <-i.Done:
		return true
	default:
		return false
	}
}

// Sync says how a result is stored before it is reported.
type Sync int

// The policies.
const (
	// SyncBatch: results that come in together are synced to the disk before they are reported; they survive a loss of
	// power.
	SyncBatch Sync = iota
	// SyncNone: the operating system has a result before it is reported; it survives a kill of the program.
	SyncNone
)

func (o *Options) fill() {
	o.Parallel = max(cmp.Or(o.Parallel, 4*runtime.GOMAXPROCS(0)), 1)
	o.PerRelay = max(cmp.Or(o.PerRelay, 4), 1)
	o.Foreign = max(cmp.Or(o.Foreign, 1), 1)
	o.CellTimeout = cmp.Or(o.CellTimeout, 5*time.Minute)
	o.StartTimeout = cmp.Or(o.StartTimeout, 20*time.Second)
	o.PullTimeout = cmp.Or(o.PullTimeout, 10*time.Minute)
	if o.Progress == nil {
		o.Progress = quiet{}
	}
	if len(o.Program) == 0 {
		o.Program = []string{"moq-interop-client"}
	}
	if o.Self == "" {
		o.Self, _ = os.Executable() // a command that has {self} fails to start then, and says so
	}
}

// variable looks a variable up.
func (o *Options) variable(name string) (string, bool) {
	if value, ok := o.Variables[name]; ok {
		return value, true
	}
	return os.LookupEnv(name)
}
