// Package layout holds the shape of the project as tests: the direction of imports, the size of files, the top level.
package layout

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/moqinterop/moq-interop-client"

// root is the project's root, from this package.
const root = "../.."

// mayImport says which packages of the project each room may import; a room is the longest matching prefix of a
// package's path. "only" rooms may import nothing else but the standard library.
var mayImport = []struct {
	room string
	own  []string
	only bool
}{
	{"moqt/rules", nil, true},
	{"moqt/wire", []string{"moqt/rules"}, true},
	{"moqt/transport", []string{"moqt/wire"}, true},
	{"moqt/transport/memconn", []string{"moqt/wire", "moqt/transport"}, true},
	{"moqt/transport/webconn", []string{"moqt/wire", "moqt/transport"}, true},
	{"moqt/transport/internal", []string{"moqt/wire", "moqt/transport"}, false},
	{"moqt/transport/quicconn", []string{"moqt/wire", "moqt/transport", "moqt/transport/internal"}, false},
	{"moqt/transport/wtconn", []string{"moqt/wire", "moqt/transport", "moqt/transport/internal",
		"moqt/transport/quicconn"}, false},
	{"moqt/transport/endpoint", []string{"moqt/wire", "moqt/transport", "moqt/transport/internal",
		"moqt/transport/quicconn", "moqt/transport/wtconn"}, false},
	{"moqt/internal", []string{"moqt/wire", "moqt/transport"}, true},
	{"moqt/internal/sessiontest", []string{"moqt/wire", "moqt/transport", "moqt/transport/memconn"}, true},
	{"moqt", []string{"moqt/rules", "moqt/wire", "moqt/transport", "moqt/internal/stream", "internal/spans"}, true},
	{"moqt/track", []string{"moqt", "moqt/wire", "moqt/transport", "moqt/internal/stream", "internal/spans"}, true},
	{"moqt/moq", []string{"moqt", "moqt/track", "moqt/wire", "moqt/transport", "moqt/transport/endpoint"}, true},
	{"cases", []string{"moqt", "moqt/track", "moqt/wire", "moqt/transport", "moqt/rules"}, true},
	{"internal/spans", nil, true},
	{"internal/printable", nil, true},
	{"internal/sequence", nil, true},
	{"internal/capture", []string{"moqt/rules", "moqt/wire", "internal/sequence"}, false},
	{"relays/reference", []string{"moqt", "moqt/rules", "moqt/track", "internal/spans", "moqt/wire", "moqt/transport",
		"moqt/transport/endpoint"}, false},
	{"relays", []string{"internal/printable", "moqt", "moqt/wire", "moqt/transport", "relays"}, false},
	{"runner/tap", nil, false},
	{"runner", []string{"moqt", "moqt/rules", "moqt/wire", "moqt/transport", "moqt/transport/endpoint", "cases",
		"relays", "relays/reference", "runner/tap", "runner", "internal/printable", "internal/badpath",
		"internal/freeport", "internal/sequence"}, false},
	{"internal/badpath", nil, true},
	{"internal/freeport", nil, true},
	{"internal/casepages", []string{"cases", "moqt/rules", "moqt/wire", "relays/reference"}, false},
	{"internal/web", []string{"moqt/wire", "moqt/transport", "moqt/transport/endpoint", "moqt/transport/memconn",
		"moqt/transport/webconn", "cases", "relays/reference", "runner", "internal/sequence"}, false},
	{"internal", []string{"moqt", "moqt/moq", "moqt/track", "moqt/wire", "moqt/transport", "moqt/transport/endpoint",
		"cases", "relays", "relays/reference", "runner", "runner/tap", "internal"}, false},
	{"cmd", []string{"moqt", "moqt/moq", "moqt/track", "moqt/wire", "moqt/transport", "moqt/transport/endpoint",
		"cases", "relays", "relays/reference", "runner", "runner/tap", "internal"}, false},
}

// goFiles walks the project's Go files, tests aside.
func goFiles(t *testing.T, f func(path string)) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" ||
			d.Name() == "examples") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			n++
			f(path)
		}
		return nil
	})
	if err != nil || n < 20 {
		t.Fatalf("%d files: %v", n, err)
	}
}

func TestImportsPointOneWay(t *testing.T) {
	goFiles(t, func(path string) {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(root, filepath.Dir(path))
		rel = filepath.ToSlash(rel)
		i := -1
		for j, r := range mayImport {
			if (rel == r.room || strings.HasPrefix(rel, r.room+"/")) &&
				(i < 0 || len(r.room) > len(mayImport[i].room)) {
				i = j
			}
		}
		if i < 0 {
			t.Errorf("%s: the package %s has no room", path, rel)
			return
		}
		room := mayImport[i]
		for _, spec := range file.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			own, ours := strings.CutPrefix(name, module+"/")
			switch {
			case ours && own != rel && !slices.ContainsFunc(room.own, func(o string) bool {
				return own == o || strings.HasPrefix(own, o+"/") &&
					slices.Contains([]string{"internal", "runner", "relays", "moqt/transport/internal"}, o)
			}):
				t.Errorf("%s imports %s: %s may not", path, own, room.room)
			case !ours && room.only && strings.Contains(strings.SplitN(name, "/", 2)[0], "."):
				t.Errorf("%s imports %s: %s has the standard library only", path, name, room.room)
			}
		}
	})
}

func TestFilesStaySmall(t *testing.T) {
	const most = 500
	goFiles(t, func(path string) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), "\n"); n > most {
			t.Errorf("%s has %d lines: split it by what a reader would look for (at most %d)", path, n, most)
		}
	})
}

func TestTopLevel(t *testing.T) {
	known := []string{"go.mod", "go.sum", "moqt", "cases", "runner", "cmd", "relays", "results", "internal",
		"README.md", "LICENSE", "CONTRIBUTING.md",
		"examples", "deploy", "Dockerfile", "action.yml", "PERFORMANCE.md", "SECURITY.md", "CHANGELOG.md",
		"docs"}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(known, e.Name()) && e.Name() != "moq-interop-client" {
			t.Errorf("%s does not belong at the top level", e.Name())
		}
	}
}
