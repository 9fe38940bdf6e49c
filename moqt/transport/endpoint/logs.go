package endpoint

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlog"
	"github.com/quic-go/quic-go/qlogwriter"
)

// keyLog is where TLS secrets go: w, or else the file that SSLKEYLOGFILE names, or nowhere (nil). What cannot be written is
// reported once and ends no handshake. closeLog is never nil.
func keyLog(w io.Writer, warn func(error)) (log io.Writer, closeLog func()) {
	closeLog = func() {}
	if name := os.Getenv("SSLKEYLOGFILE"); w == nil && name != "" {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			warn(fmt.Errorf("SSLKEYLOGFILE: %w", err))
			return nil, closeLog
		}
		w, closeLog = f, func() { f.Close() }
	}
	if w == nil {
		return nil, closeLog
	}
	return &tolerant{w: w, warn: warn, what: "TLS key log"}, closeLog
}

// qlogDir is the directory for qlog files: dir, or else what QLOGDIR names; empty is none.
func qlogDir(dir string) string {
	if dir == "" {
		return os.Getenv("QLOGDIR")
	}
	return dir
}

// newQLOG begins the qlog of one connection, <odcid>_client.sqlog or <odcid>_server.sqlog. It gives nil without a directory, and
// when the file cannot be made, which is reported.
func newQLOG(dir string, client bool, id quic.ConnectionID, warn func(error)) qlogwriter.Trace {
	if dir == "" {
		return nil
	}
	side := "server"
	if client {
		side = "client"
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		warn(fmt.Errorf("qlog: %w", err))
		return nil
	}
	f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s_%s.sqlog", id, side)))
	if err != nil {
		warn(fmt.Errorf("qlog: %w", err))
		return nil
	}
	trace := qlogwriter.NewConnectionFileSeq(
		&tolerant{w: bufio.NewWriter(f), file: f, warn: warn, what: "qlog " + f.Name()}, client, id, []string{qlog.EventSchema})
	go trace.Run() // ends when the connection does, which waits for it
	return trace
}

// tolerant is a writer that never fails: diagnostics must not end what they watch. The first error is reported.
type tolerant struct {
	w    io.Writer
	file *os.File // closed by Close, after a flush; may be nil
	warn func(error)
	what string
	once sync.Once
}

func (t *tolerant) Write(b []byte) (int, error) {
	if _, err := t.w.Write(b); err != nil {
		t.failed(err)
	}
	return len(b), nil
}

// Close flushes and closes the file.
func (t *tolerant) Close() error {
	if buffered, ok := t.w.(*bufio.Writer); ok {
		if err := buffered.Flush(); err != nil {
			t.failed(err)
		}
	}
	if t.file != nil {
		if err := t.file.Close(); err != nil {
			t.failed(err)
		}
	}
	return nil
}

func (t *tolerant) failed(err error) { t.once.Do(func() { t.warn(fmt.Errorf("%s: %w", t.what, err)) }) }
