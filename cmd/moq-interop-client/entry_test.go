package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// What a relay takes from the places where containers have things mounted.
func TestMounted(t *testing.T) {
	for _, c := range []struct {
		name            string
		files           []string
		env             map[string]string
		cert, key, mlog string
		said            bool
	}{
		{name: "nothing", said: true},
		{name: "all", files: []string{mountedCert, mountedKey, mountedMlog}, cert: mountedCert, key: mountedKey,
			mlog: mountedMlog},
		{name: "a key is missing, which the relay has to say", files: []string{mountedCert}, cert: mountedCert,
			key: mountedKey},
		{name: "a certificate is missing", files: []string{mountedKey}, cert: mountedCert, key: mountedKey},
		{name: "another certificate", env: map[string]string{"MOQT_CERT": "c"}, cert: "c", key: mountedKey},
		{name: "others", files: []string{mountedCert, mountedKey, mountedMlog}, env: map[string]string{"MOQT_CERT": "c",
			"MOQT_KEY": "k", "MOQT_MLOG_DIR": "m"}, cert: "c", key: "k", mlog: "m"},
	} {
		t.Run(c.name, func(t *testing.T) {
			said := ""
			getenv := mounted(func(name string) string { return c.env[name] },
				func(format string, a ...any) { said += fmt.Sprintf(format, a...) },
				func(path string) bool { return slices.Contains(c.files, path) })
			if cert, key, mlog := getenv("MOQT_CERT"), getenv("MOQT_KEY"), getenv("MOQT_MLOG_DIR"); cert != c.cert ||
				key != c.key || mlog != c.mlog {
				t.Errorf("%q %q %q, want %q %q %q", cert, key, mlog, c.cert, c.key, c.mlog)
			}
			if (said != "") != c.said {
				t.Errorf("said %q", said)
			}
			if getenv("MOQT_PORT") != "" {
				t.Error("a port out of nowhere")
			}
		})
	}
}

func TestFound(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !found(file) || !found(dir) || found(filepath.Join(dir, "nothing")) {
		t.Error(found(file), found(dir), found(filepath.Join(dir, "nothing")))
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v %v", entries, err)
	}
	t.Run("a folder that cannot be written to", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root may write everywhere")
		}
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		if found(dir) {
			t.Error("found")
		}
	})
}

func TestHasMount(t *testing.T) {
	const list = "22 1 0:20 / / rw,relatime - overlay overlay rw\n" +
		"36 22 8:1 /var/logs/of/relay /mlog rw - ext4 /dev/sda1 rw\n" +
		"37 22 0:5 / /proc rw shared:12 - proc proc rw\n"
	for path, want := range map[string]bool{"/mlog": true, "/": true, "/certs": false, "/var/logs/of/relay": false} {
		if got := hasMount(list, path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	if runtime.GOOS == "linux" && (!isMount("/proc") || isMount(t.TempDir())) {
		t.Error("this system's mounts are not told apart")
	}
}
