// Package web is the page that runs the cases in a browser, over the browser's own WebTransport: what it is made of, a
// server for it, and a driver that has a browser run them and gives back what came of it.
package web

import (
	"compress/gzip"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed page
var page embed.FS

// The names of what is not committed: the program, and the toolchain's own script that starts it.
const (
	programFile = "app.wasm.gz"
	scriptFile  = "wasm_exec.js"
)

// module is this project's path.
const module = "github.com/moqinterop/moq-interop-client"

// Files are all files of the page, by name.
type Files map[string][]byte

// Load gives the page. Its program is the one that this binary has inside (a release's does); else it is built with the
// Go toolchain, from the checkout that the working directory is in. say is told of what takes time.
func Load(say func(format string, args ...any)) (Files, error) {
	files := Files{}
	names, err := fs.ReadDir(page, "page")
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		if files[n.Name()], err = page.ReadFile("page/" + n.Name()); err != nil {
			return nil, err
		}
	}
	for name, text := range inside {
		files[name] = text
	}
	if files[programFile] == nil {
		err = files.build(say)
	}
	return files, err
}

// build builds the program. It is kept in the user's cache, where the toolchain sees whether it is still what the
// sources say.
func (f Files) build(say func(format string, args ...any)) error {
	root, goroot, err := toolchain()
	if err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	cache = filepath.Join(cache, "moq-interop-client", "web")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(cache, "app.wasm")); err != nil {
		say("building the page's program with the Go toolchain; this takes a minute, once")
	}
	if err := Build(root, filepath.Join(cache, "app.wasm")); err != nil {
		return err
	}
	if f[programFile], err = zipped(filepath.Join(cache, "app.wasm")); err != nil {
		return err
	}
	f[scriptFile], err = os.ReadFile(filepath.Join(goroot, "lib", "wasm", "wasm_exec.js"))
	return err
}

// toolchain finds the project's sources and the toolchain's folder.
func toolchain() (root, goroot string, err error) {
	const advice = "the page's program is not in this binary: take a release's, or run this in a checkout of the " +
		"project, with Go"
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Path}} {{.Dir}}").Output()
	if err != nil {
		return "", "", fmt.Errorf("%s (go list: %w)", advice, err)
	}
	path, root, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if path != module {
		return "", "", fmt.Errorf("%s (this is %s)", advice, path)
	}
	out, err = exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", "", fmt.Errorf("go env: %w", err)
	}
	return root, strings.TrimSpace(string(out)), nil
}

// Build builds the page's program from the project's sources in root. Without inlining it is a tenth
// smaller, and as quick as verdicts need.
func Build(root, file string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-gcflags="+module+"/...=-l", "-o", file,
		"./internal/web/app")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the page's program: %w\n%s", err, out)
	}
	return nil
}

// zipped gives the program as the page wants it. The zipped form is kept beside it.
func zipped(file string) ([]byte, error) {
	of, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if z, err := os.Stat(file + ".gz"); err == nil && z.ModTime().After(of.ModTime()) {
		return os.ReadFile(file + ".gz")
	}
	if err := Zip(file, file+".gz"); err != nil {
		return nil, err
	}
	return os.ReadFile(file + ".gz")
}

// Zip writes a file's zipped form, as small as can be.
func Zip(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(to), ".zip-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(out.Name())
		}
	}()
	z, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	_, err = io.Copy(z, in)
	if err = errors.Join(err, z.Close(), out.Chmod(0o644), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), to)
}

// Write writes the page into a folder, for any web server.
func (f Files) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range f {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
