// Package live shows a run of the matrix while it goes on: the report's page, with the cells that come in sent to
// everybody who looks (server-sent events), and a way to run a cell again.
package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
	"github.com/moqinterop/moq-interop-client/runner/report"
)

// Limits of what viewers make the server hold.
const (
	maxViewers = 1000
	// backlog is how many events a viewer may be behind; one that is further behind is sent away, and comes back.
	backlog = 256
	// pause is the least time between two writings of the page.
	pause = time.Second
)

// Options say what is shown and what viewers may do.
type Options struct {
	// Plan is what is run, Dir the run's folder.
	Plan *matrix.Plan
	Dir  string
	// Report are the options of the page.
	Report report.Options
	// Rerun runs a cell again, in a folder of its own inside Dir whose name it is given; nil forbids it.
	Rerun func(ctx context.Context, cell, folder string) (*matrix.CellResult, error)
}

// Server shows a run. It is a matrix.Progress: what it hears is what it shows.
type Server struct {
	o        Options
	listener net.Listener
	alone    bool // it listens on loopback: packets and keys do not leave this host
	http     http.Server
	stop     context.CancelFunc
	ctx      context.Context
	work     sync.WaitGroup

	mu      sync.Mutex
	run     *matrix.Run
	at      map[string]int // of a cell in run.Cells
	order   []string       // cells in the order in which they came
	viewers map[chan []byte]bool
	ended   bool
	reruns  int
	busy    bool
	dirty   chan struct{}
}

// Listen starts the server. No host in addr is loopback. The caller closes it.
func Listen(addr string, o Options) (*Server, error) {
	if !strings.Contains(addr, ":") {
		addr = ":" + addr
	}
	if host, port, err := net.SplitHostPort(addr); err == nil && host == "" {
		addr = net.JoinHostPort("127.0.0.1", port)
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &Server{o: o, listener: l, viewers: make(map[chan []byte]bool), dirty: make(chan struct{}, 1)}
	if at, ok := l.Addr().(*net.TCPAddr); ok {
		s.alone = at.IP.IsLoopback()
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.begin()
	if err := s.Write(); err != nil {
		s.stop()
		return nil, errors.Join(err, l.Close())
	}
	s.http = http.Server{Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return s.ctx }}
	s.work.Go(func() { _ = s.http.Serve(l) }) // it ends with Close
	s.work.Go(s.writing)
	return s, nil
}

// URL is where the page is.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() + "/" }

// Close ends the server and waits until all of it has ended.
func (s *Server) Close() error {
	s.stop()
	err := s.http.Close()
	s.work.Wait()
	return err
}

// begin makes a run in which nothing has come in.
func (s *Server) begin() {
	s.run = &matrix.Run{Format: matrix.Format, ID: runID(s.o.Dir), Started: time.Now().UTC(), Plan: s.o.Plan.Ref(),
		LeftOut: s.o.Plan.LeftOut, Repositories: s.o.Plan.Repositories}
	s.at = make(map[string]int, len(s.o.Plan.Cells))
	for i, c := range s.o.Plan.Cells {
		s.at[c.ID] = i
		s.run.Cells = append(s.run.Cells, matrix.CellResult{Cell: c, Status: matrix.Missing, Reason: "not run yet",
			Label: matrix.Label{Source: matrix.Predicted, Draft: c.Predicted}})
	}
}

// Begin implements matrix.Progress.
func (s *Server) Begin(int, int) {}

// Cell implements matrix.Progress: it shows the result to all viewers at once, and writes the page soon.
func (s *Server) Cell(c *matrix.CellResult) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.at[c.ID]
	if !ok {
		return
	}
	s.run.Cells[i] = *c
	s.order = append(s.order, c.ID)
	s.send("cell", s.shown(c, len(s.order)))
	s.touch()
}

// Note implements matrix.Progress.
func (s *Server) Note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send("note", map[string]string{"text": text})
}

// End implements matrix.Progress: the page has the whole run from now on.
func (s *Server) End(r *matrix.Run) {
	s.mu.Lock()
	whole := *r
	s.run, s.ended = &whole, true
	for i := range s.run.Cells {
		s.at[s.run.Cells[i].ID] = i
	}
	s.mu.Unlock()
	_ = s.Write() // the run has its results; what is wrong with the page, the report says again
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send("end", map[string]string{"summary": r.Summary()})
}

// cellEvent is a result as the page gets it.
type cellEvent struct {
	ID     string        `json:"id"`
	Status matrix.Status `json:"status"`
	Layer  string        `json:"layer,omitempty"`
	Reason string        `json:"reason,omitempty"`
	Known  bool          `json:"known,omitempty"`
	Pass   int           `json:"pass"`
	Of     int           `json:"of"`
	Seq    int           `json:"seq"`
	Total  int           `json:"total"`
}

func (s *Server) shown(c *matrix.CellResult, seq int) cellEvent {
	return cellEvent{c.ID, c.Status, c.Layer, c.Reason, c.Known != "", c.Count(matrix.Pass),
		len(c.Cases) - c.Count(matrix.NotApplicable), seq, len(s.run.Cells)}
}

// send hands an event to all viewers; the caller holds mu. One that is too far behind is let go.
func (s *Server) send(name string, value any) {
	text := event(name, value)
	for v := range s.viewers {
		select {
		case v <- text:
		default:
			close(v)
			delete(s.viewers, v)
		}
	}
}

// event is the text of a server-sent event.
func event(name string, value any) []byte {
	b, _ := json.Marshal(value) // plain data always marshals
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, b)
}

// touch has the page written soon.
func (s *Server) touch() {
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// writing writes the page while results come in, the less often the longer it takes.
func (s *Server) writing() {
	wait := pause
	for {
		select {
		case <-s.dirty:
		case <-s.ctx.Done():
			return
		}
		select {
		case <-time.After(wait):
		case <-s.ctx.Done():
			return
		}
		start := time.Now()
		if err := s.Write(); err != nil {
			s.Note("the page cannot be written: " + err.Error())
		}
		wait = max(pause, 5*time.Since(start))
	}
}

// Write writes the page as things are.
func (s *Server) Write() error {
	s.mu.Lock()
	run := *s.run
	run.Cells = append([]matrix.CellResult(nil), s.run.Cells...)
	if !s.ended {
		run.Finished = time.Now().UTC()
	}
	o := s.o.Report
	o.Files, o.Live = s.o.Dir, &report.Live{Seq: len(s.order), Rerun: s.o.Rerun != nil, Ended: s.ended}
	s.mu.Unlock()
	return report.WriteHTML(s.o.Dir, &run, o)
}
