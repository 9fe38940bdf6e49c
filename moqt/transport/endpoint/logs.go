package endpoint

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlog"
	"github.com/quic-go/quic-go/qlogwriter"
	"github.com/quic-go/quic-go/qlogwriter/jsontext"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// keyLog is where TLS secrets go: w, or nowhere (nil). What cannot be written is reported once and ends no handshake.
func keyLog(w io.Writer, warn func(error)) io.Writer {
	if w == nil {
		return nil
	}
	return &tolerant{w: w, warn: warn, what: "TLS key log"}
}

// CheckLogDir makes a directory for logs, if it is not there, and finds out whether files can be made in it.
func CheckLogDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// maxLogBytes bounds the log of one connection; what would come behind that is left out, which is reported.
const maxLogBytes = 256 << 20

// moqtSchema is the event schema of what sessions write into the log (draft-pardue-moq-qlog-moq-events-08).
const moqtSchema = "urn:ietf:params:qlog:events:moqt-08"

// connLog is the log of one connection, a qlog in JSON-SEQ of which there may be two copies: <odcid>_client.sqlog or
// <odcid>_server.sqlog in one directory, and the same as .mlog, the name of the public interop runner, in another. nil
// is none.
type connLog struct {
	trace *qlogwriter.FileSeq
	name  string // of the file, or of the first of two
	files logFiles
	// held keeps the log open until the listener has decided whether it is worth keeping; nil at a client.
	held qlogwriter.Recorder
}

// logPlaces are where the log of a connection goes.
type logPlaces struct {
	qlog string     // a directory, "" for none
	mlog *logFolder // nil for none
}

// newLog begins the log of one connection. It gives nil without a place, and when no file can be made, which is
// reported.
func newLog(to logPlaces, client bool, id quic.ConnectionID, warn func(error),
	panicked func(value any, stack []byte)) *connLog {
	name := id.String() + "_server"
	if client {
		name = id.String() + "_client"
	}
	var files logFiles
	add := func(f *os.File, kept *keptFile, err error) {
		if err != nil {
			warn(fmt.Errorf("qlog: %w", err))
			return
		}
		files = append(files, &tolerant{w: bufio.NewWriter(f), file: f, room: maxLogBytes, warn: warn,
			what: "qlog " + f.Name(), folder: to.mlog, kept: kept})
	}
	if to.qlog != "" {
		f, err := logFile(to.qlog, name+".sqlog")
		add(f, nil, err)
	}
	if to.mlog != nil {
		add(to.mlog.create(name + mlogSuffix))
	}
	if len(files) == 0 {
		return nil
	}
	l := &connLog{qlogwriter.NewConnectionFileSeq(files, client, id, []string{qlog.EventSchema, moqtSchema}),
		files[0].file.Name(), files, nil}
	if !client {
		l.held = l.trace.AddProducer()
	}
	// It ends when the connection and all of open have, which wait for it.
	go guard(panicked, l.trace.Run)
	return l
}

// mlogSuffix is how the names of a listener's .mlog files end, after the client's connection id.
const mlogSuffix = ".mlog"

// letGo ends the hold of a listener on a log: it is complete when its other writers have ended. Where it is not worth
// keeping, its files are removed then.
func (l *connLog) letGo(keep bool) {
	if l == nil {
		return
	}
	for _, f := range l.files {
		f.unwanted.Store(!keep)
	}
	l.held.Close()
}

func logFile(dir, name string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return os.Create(filepath.Join(dir, name))
}

// quic is what quic-go writes to.
func (l *connLog) quic() qlogwriter.Trace {
	if l == nil {
		return nil // and not an interface that is not nil
	}
	return l.trace
}

// file is the log's name, "" where there is none.
func (l *connLog) file() string {
	if l == nil {
		return ""
	}
	return l.name
}

// open is transport.Info.OpenLog, nil where there is no log.
func (l *connLog) open() func() transport.EventLog {
	if l == nil {
		return nil
	}
	return func() transport.EventLog {
		if r := l.trace.AddProducer(); r != nil {
			return &eventLog{to: r}
		}
		return nil
	}
}

// eventLog is a part of a connection's log for the layers above.
type eventLog struct {
	mu sync.Mutex
	to qlogwriter.Recorder // nil once closed
}

// Record writes an event.
func (l *eventLog) Record(name string, data wire.Fields) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to != nil {
		l.to.RecordEvent(logEvent{name, data})
	}
}

// Close ends this part of the log.
func (l *eventLog) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to != nil {
		l.to.Close()
		l.to = nil
	}
}

// logEvent is a qlog event.
type logEvent struct {
	name string
	data wire.Fields
}

// Name is the event's.
func (e logEvent) Name() string { return e.name }

// Encode writes the data.
func (e logEvent) Encode(to *jsontext.Encoder, _ time.Time) error { return encodeValue(to, e.data) }

func encodeValue(to *jsontext.Encoder, v any) error {
	token := jsontext.Null
	switch v := v.(type) {
	case wire.Fields:
		if err := to.WriteToken(jsontext.BeginObject); err != nil {
			return err
		}
		for _, f := range v {
			if err := errors.Join(to.WriteToken(jsontext.String(f.Name)), encodeValue(to, f.Value)); err != nil {
				return err
			}
		}
		token = jsontext.EndObject
	case []any:
		if err := to.WriteToken(jsontext.BeginArray); err != nil {
			return err
		}
		for _, x := range v {
			if err := encodeValue(to, x); err != nil {
				return err
			}
		}
		token = jsontext.EndArray
	case string:
		token = jsontext.String(strings.ToValidUTF8(v, "\uFFFD"))
	case bool:
		token = jsontext.Bool(v)
	case uint64:
		token = jsontext.Uint(v)
	}
	return to.WriteToken(token)
}

// logFiles are copies of one log.
type logFiles []*tolerant

// Write writes to all.
func (f logFiles) Write(b []byte) (int, error) {
	for _, t := range f {
		t.Write(b)
	}
	return len(b), nil
}

// Close closes all.
func (f logFiles) Close() error {
	for _, t := range f {
		t.Close()
	}
	return nil
}

// tolerant is a writer that never fails: diagnostics must not end what they watch. The first error is reported.
type tolerant struct {
	w    io.Writer
	file *os.File // closed by Close, after a flush; may be nil
	warn func(error)
	what string
	once sync.Once
	// room is how many bytes may come, 0 being no bound; the record that exceeds it is the last.
	room int64
	n    int64
	// folder, which may be nil, has a bound for all its files, of which kept is this one.
	folder *logFolder
	kept   *keptFile
	// unwanted: the file is removed when it is closed.
	unwanted atomic.Bool
}

// Write writes what there is room for.
func (t *tolerant) Write(b []byte) (int, error) {
	if t.room > 0 && len(b) > 0 && b[0] == qlogwriter.RecordSeparator { // the record before is whole
		if t.n >= t.room || t.kept != nil && !t.folder.room() {
			t.room = -1
			t.failed(fmt.Errorf("%d bytes are written, and no more will be", t.n))
		}
	}
	if t.room < 0 {
		return len(b), nil
	}
	t.n += int64(len(b))
	if t.kept != nil {
		t.folder.grow(t.kept, len(b))
	}
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
		if t.unwanted.Load() {
			if err := os.Remove(t.file.Name()); err != nil {
				t.failed(err)
			}
		}
	}
	if t.kept != nil {
		t.folder.complete(t.kept, t.unwanted.Load())
	}
	return nil
}

func (t *tolerant) failed(err error) { t.once.Do(func() { t.warn(fmt.Errorf("%s: %w", t.what, err)) }) }
