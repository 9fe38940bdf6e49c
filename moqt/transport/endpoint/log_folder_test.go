package endpoint

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// names are the files in a folder.
func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

// A folder of logs has its bounds: the oldest that are complete go, those of earlier runs first, and what is not a log
// stays.
func TestLogFolder(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"b_server.mlog", "a_server.mlog", "other.txt", "x_client.mlog"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, make([]byte, 10), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(i-10) * time.Hour)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	f := openLogFolder(dir, "_server.mlog", 2, 40)
	add := func(name string, bytes int) (*os.File, *keptFile) {
		t.Helper()
		file, k, err := f.create(name)
		if err != nil {
			t.Fatal(err)
		}
		f.grow(k, bytes)
		return file, k
	}
	has := func(want ...string) {
		t.Helper()
		want = append(want, "other.txt", "x_client.mlog")
		slices.Sort(want)
		if got := names(t, dir); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	has("a_server.mlog", "b_server.mlog")
	c, kc := add("c_server.mlog", 25)
	has("a_server.mlog", "c_server.mlog") // b is the oldest
	d, kd := add("d_server.mlog", 10)
	has("c_server.mlog", "d_server.mlog")
	if !f.room() {
		t.Error("no room for 35 bytes of 40")
	}
	f.grow(kd, 10)
	if f.room() {
		t.Error("room for 45 bytes of 40, all being written")
	}
	if _, _, err := f.create("e_server.mlog"); err == nil {
		t.Error("a third file, while two are being written")
	}
	c.Close()
	f.complete(kc, false)
	if !f.room() {
		t.Error("no room, though a file is complete")
	}
	has("d_server.mlog")
	d.Close()
	f.complete(kd, true) // whoever wrote it has removed it
	if f.total != 0 || len(f.files) != 0 {
		t.Errorf("%d bytes, %d files are counted", f.total, len(f.files))
	}
	if f := openLogFolder(dir, "_server.mlog", 0, 0); len(f.files) != 0 || !f.room() {
		t.Error("a folder without bounds counts")
	}
}

// The logs of many connections stay within the bounds of their folder.
func TestLogsOfManyConnectionsAreBounded(t *testing.T) {
	dir := t.TempDir()
	l := listen(t, ListenOptions{MLOGDir: dir, MLOGFiles: 3})
	ctx := testContext(t)
	for range 8 {
		q, err := quic.DialAddr(ctx, l.Addr().String(), &tls.Config{InsecureSkipVerify: true,
			NextProtos: []string{"moqt-18"}}, quicDefaults())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Accept(ctx); err != nil {
			t.Fatal(err)
		}
		q.CloseWithError(0, "")
	}
	l.Close()
	if n := len(names(t, dir)); n != 3 {
		t.Errorf("%d files, want 3", n)
	}
}
