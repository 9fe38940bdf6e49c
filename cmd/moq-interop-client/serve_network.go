package main

import (
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
)

// serveNetwork says how clients reach the relay.
type serveNetwork struct {
	Transport string `enum:"quic,webtransport,both" default:"both" placeholder:"NAME" help:"${enum}. Default both."`
	Idle      delay  `name:"idle-timeout" placeholder:"TIME" help:"Silence that ends a connection. Default ${idle}."`
	KeepAlive delay  `placeholder:"TIME" help:"Silence after which the relay sends a PING. Default ${keep_alive}."`
}

// apply sets what was given. The error is a usage error.
func (n *serveNetwork) apply(listen *endpoint.ListenOptions) error {
	if n.Transport != "both" {
		listen.Transport = transport.Choice(n.Transport)
	}
	idle := endpoint.DefaultIdleTimeout
	if n.Idle > 0 {
		idle = time.Duration(n.Idle)
	}
	if time.Duration(n.KeepAlive) > idle/2 {
		return usage("--keep-alive: %v is more than half of the idle timeout, which is %v", time.Duration(n.KeepAlive),
			idle)
	}
	listen.QUIC.IdleTimeout, listen.QUIC.KeepAlive = time.Duration(n.Idle), time.Duration(n.KeepAlive)
	return nil
}

// serveFiles are the logs of connections.
type serveFiles struct {
	QLOGDir   *string `name:"qlog-dir" placeholder:"DIR" help:"Write a qlog file for each connection. [QLOGDIR]"`
	MLOGDir   *string `name:"mlog-dir" placeholder:"DIR" help:"The same, with names that end in .mlog. [MOQT_MLOG_DIR]"`
	MLOGFiles count   `name:"mlog-files" placeholder:"N" help:"How many .mlog files to keep. Default ${mlog_files}."`
	MLOGBytes size    `name:"mlog-bytes" placeholder:"SIZE" help:"And how many bytes of them. Default ${mlog_bytes}."`
}

// The bounds of the folder of .mlog files, unless flags say others.
const (
	defaultMLOGFiles = 1000
	defaultMLOGBytes = size(1 << 30)
)

// apply sets the folders and their bounds. The error is a usage error.
func (f *serveFiles) apply(sys *system, listen *endpoint.ListenOptions) error {
	mlog := sys.choose(f.MLOGDir, "--mlog-dir", "", "MOQT_MLOG_DIR")
	if mlog.text != "" {
		if err := endpoint.CheckLogDir(mlog.text); err != nil {
			return mlog.fail(err)
		}
	}
	listen.QLOGDir, listen.MLOGDir = sys.choose(f.QLOGDir, "--qlog-dir", "", "QLOGDIR").text, mlog.text
	listen.MLOGFiles, listen.MLOGBytes = defaultMLOGFiles, int64(defaultMLOGBytes)
	if f.MLOGFiles > 0 {
		listen.MLOGFiles = int(f.MLOGFiles)
	}
	if f.MLOGBytes > 0 {
		listen.MLOGBytes = int64(f.MLOGBytes)
	}
	return nil
}
