package live

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/internal/leak"
	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

func TestMain(m *testing.M) { leak.VerifyTestMain(m) }

// serve shows a run of n relays that has not begun.
func serve(t *testing.T, n int, rerun func(context.Context, string, string) (*matrix.CellResult, error)) (*Server,
	*matrix.Plan) {
	t.Helper()
	c := &relays.Catalogue{}
	for i := range n {
		c.Implementations = append(c.Implementations, relays.Implementation{
			Name: relays.Name(fmt.Sprintf("relay%02d", i)), Drafts: []relays.Draft{"draft-18"},
			Roles: []relays.Role{relays.RoleRelay}, Endpoints: []relays.Endpoint{{Name: "main",
				URL: relays.URL(fmt.Sprintf("moqt://127.0.0.1:%d", 10000+i)), Role: relays.RoleRelay, Transport: "quic",
				Status: relays.Active}}})
	}
	p, err := matrix.MakePlan(matrix.PlanOptions{Catalogue: c, Clients: []matrix.Client{matrix.Builtin()}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Listen("0", Options{Plan: p, Dir: filepath.Join(t.TempDir(), "run"), Rerun: rerun})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return s, p
}

// result is a cell's that passed.
func result(c matrix.Cell) *matrix.CellResult {
	return &matrix.CellResult{Cell: c, Status: matrix.Pass, Cases: []matrix.CaseResult{{Name: "fetch",
		Status: matrix.Pass}}}
}

// look reads events until one has a text, and gives all that came.
func look(ctx context.Context, url, until string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var seen strings.Builder
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		seen.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), until) {
			return seen.String(), nil
		}
	}
	return seen.String(), fmt.Errorf("ended without %s: %w", until, lines.Err())
}

// Two hundred viewers see every cell, whether they came before it or after.
func TestViewers(t *testing.T) {
	s, p := serve(t, 15, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s.Cell(result(p.Cells[0]))
	var viewers sync.WaitGroup
	for i := range 200 {
		viewers.Go(func() {
			got, err := look(ctx, fmt.Sprintf("%sevents?after=%d", s.URL(), i%2), "event: end")
			if err != nil || strings.Count(got, "event: cell") != 15-i%2 {
				t.Errorf("viewer %d: %v, %d cells", i, err, strings.Count(got, "event: cell"))
			}
		})
	}
	for s.watched() < 200 && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	run := &matrix.Run{Format: matrix.Format, ID: "run", Cells: []matrix.CellResult{*result(p.Cells[0])}}
	for _, c := range p.Cells[1:] {
		s.Cell(result(c))
		run.Cells = append(run.Cells, *result(c))
	}
	s.End(run)
	viewers.Wait()
	resp, err := http.Get(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	if !strings.Contains(string(b), "<b>15</b> of <b>15</b> cells pass") {
		t.Errorf("%.500s", b)
	}
}

func (s *Server) watched() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.viewers)
}

// A cell is run again only if that is allowed, and only for a page of this server.
func TestRerun(t *testing.T) {
	post := func(s *Server, origin, host, cell string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"rerun", strings.NewReader(cell))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		if host != "" {
			r.Host = host
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	closed, p := serve(t, 1, nil)
	own := func(s *Server) string { return strings.TrimSuffix(s.URL(), "/") }
	if got := post(closed, own(closed), "", p.Cells[0].ID); got != http.StatusForbidden {
		t.Errorf("not allowed: %d", got)
	}
	hold := make(chan struct{})
	s, _ := serve(t, 1, func(ctx context.Context, cell, folder string) (*matrix.CellResult, error) {
		<-hold
		return result(p.Cells[0]), nil
	})
	for _, test := range []struct {
		origin, host, cell string
		want               int
	}{
		{"", "", p.Cells[0].ID, http.StatusForbidden},
		{"https://evil.example", "", p.Cells[0].ID, http.StatusForbidden},
		{"http://evil.example", "evil.example", p.Cells[0].ID, http.StatusMisdirectedRequest},
		{own(s), "", "no/such/cell", http.StatusNotFound},
		{own(s), "", p.Cells[0].ID, http.StatusAccepted},
		{own(s), "", p.Cells[0].ID, http.StatusConflict},
	} {
		if got := post(s, test.origin, test.host, test.cell); got != test.want {
			t.Errorf("%+v: %d", test, got)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	time.AfterFunc(50*time.Millisecond, func() {
		for s.watched() == 0 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		close(hold)
	})
	got, err := look(ctx, s.URL()+"events", `"status":"pass"`)
	if err != nil || !strings.Contains(got, "event: rerun") {
		t.Errorf("%v\n%s", err, got)
	}
}
