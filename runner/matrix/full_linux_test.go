package matrix

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/runner"
)

// A disk that fills in the middle of a run ends it at once, with the reason; what was stored stays, and the run goes on
// when there is room again.
func TestFullDisk(t *testing.T) {
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("no small disk here: %v", err)
	}
	defer syscall.Unmount(small, syscall.MNT_DETACH)
	long := strings.Repeat("it took a while ", 512)
	p := planOf(t, 60, one, nil, Builtin())
	o := Options{Dir: filepath.Join(small, "run"), Parallel: 1, NoRetry: true, Builtin: fake(func(_ context.Context,
		r Request, _ cases.Case) runner.Result {
		out := passed(r)
		out.Notes = []string{long}
		return out
	})}
	_, err := Execute(t.Context(), p, o)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "results cannot be written") {
		t.Fatalf("%v", err)
	}
	b, err := os.ReadFile(filepath.Join(o.Dir, journalFile))
	if err != nil {
		t.Fatal(err)
	}
	stored := strings.Count(string(b), "\n") - 1
	if stored < 1 || stored > 50 {
		t.Fatalf("%d results were stored", stored)
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", syscall.MS_REMOUNT, "size=16m"); err != nil {
		t.Fatal(err)
	}
	ran := 0
	o.Resume = true
	o.Builtin = fake(func(_ context.Context, r Request, c cases.Case) runner.Result {
		if c.ID == "setup-only" {
			ran++
		}
		return passed(r)
	})
	run, err := Execute(t.Context(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	if run.Count(Pass) != 60 || run.Resumed != 1 || ran > 60-stored+1 || ran < 60-stored-1 {
		t.Errorf("%s, %d ran again of %d", run.Summary(), ran, 60-stored)
	}
}
