package live

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// handler is what the server answers.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("POST /rerun", s.rerun)
	files := http.FileServerFS(os.DirFS(s.o.Dir))
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		secret := strings.HasSuffix(r.URL.Path, "/"+matrix.CaptureFile) ||
			strings.HasSuffix(r.URL.Path, "/"+matrix.KeysFile)
		if strings.Contains(r.URL.Path, "/.") || secret && !s.alone {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if strings.HasSuffix(r.URL.Path, ".tap") {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		}
		files.ServeHTTP(w, r)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.ours(r.Host) { // a page of somebody else's whose name leads here
			http.Error(w, "this server has another name", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// ours reports whether a Host is an address, or a name of this host: no page elsewhere can have those.
func (s *Server) ours(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	if strings.EqualFold(name, "localhost") || net.ParseIP(strings.Trim(name, "[]")) != nil {
		return true
	}
	own, err := os.Hostname()
	return err == nil && strings.EqualFold(strings.TrimSuffix(name, ".local"), own)
}

// events sends what comes in to a viewer, and first what the viewer's page does not have.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.Atoi(r.URL.Query().Get("after")) // no number is 0: everything
	flusher, ok := w.(http.Flusher)
	if !ok {
		http.Error(w, "no events here", http.StatusNotImplemented)
		return
	}
	v := make(chan []byte, backlog)
	s.mu.Lock()
	if len(s.viewers) >= maxViewers {
		s.mu.Unlock()
		http.Error(w, "too many look at this", http.StatusServiceUnavailable)
		return
	}
	s.viewers[v] = true
	var missed []byte
	for i := max(0, min(after, len(s.order))); i < len(s.order); i++ {
		missed = append(missed, event("cell", s.shown(&s.run.Cells[s.at[s.order[i]]], i+1))...)
	}
	if s.ended {
		missed = append(missed, event("end", map[string]string{"summary": s.run.Summary()})...)
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.viewers, v)
		s.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(append([]byte("retry: 2000\n\n"), missed...))
	flusher.Flush()
	alive := time.NewTicker(20 * time.Second)
	defer alive.Stop()
	for {
		var text []byte
		select {
		case text, ok = <-v:
			if !ok {
				return
			}
		case <-alive.C:
			text = []byte(": alive\n\n")
		case <-r.Context().Done():
			return
		case <-s.ctx.Done():
			return
		}
		if _, err := w.Write(text); err != nil {
			return
		}
		flusher.Flush()
	}
}

// rerun runs a cell again when a page of ours asks for it. The run's own result stays as it is.
func (s *Server) rerun(w http.ResponseWriter, r *http.Request) {
	origin, err := url.Parse(r.Header.Get("Origin"))
	switch {
	case s.o.Rerun == nil:
		http.Error(w, "cells are run again only with --allow-rerun", http.StatusForbidden)
		return
	case err != nil || origin.Host == "" || origin.Host != r.Host || origin.Scheme != "http":
		http.Error(w, "only a page of this server may ask for that", http.StatusForbidden)
		return
	}
	id, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<10))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	_, known := s.at[string(id)]
	free := known && !s.busy && s.ctx.Err() == nil
	if free {
		s.busy = true
		s.reruns++
		n := s.reruns
		s.work.Go(func() { s.again(string(id), n) })
	}
	s.mu.Unlock()
	switch {
	case !known:
		http.Error(w, "no such cell", http.StatusNotFound)
	case !free:
		http.Error(w, "another cell is being run again", http.StatusConflict)
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

// again runs a cell and tells everybody what came of it.
func (s *Server) again(id string, n int) {
	folder := filepath.Join("reruns", fmt.Sprintf("%s-%d", time.Now().UTC().Format("150405"), n))
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	c, err := s.o.Rerun(ctx, id, folder)
	told := map[string]any{"id": id, "folder": filepath.ToSlash(folder)}
	if err != nil {
		told["error"] = err.Error()
	} else {
		told["status"], told["layer"], told["reason"] = c.Status, c.Layer, c.Reason
		told["pass"], told["of"] = c.Count(matrix.Pass), len(c.Cases)-c.Count(matrix.NotApplicable)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	s.send("rerun", told)
}

// runID is the name of a run's folder.
func runID(dir string) string {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return filepath.Base(dir)
	}
	return filepath.Base(whole)
}
