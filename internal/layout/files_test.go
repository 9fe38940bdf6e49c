package layout

import (
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/internal/casepages"
)

// bothWays are the pairs of files of package moqt that need each other, with the reason. A reader of one has to know
// the other, so there are few, and none comes without a word here.
var bothWays = map[[2]string]string{
	{"alias.go", "subscription.go"}: "a Track Alias stands for a subscription, which binds it when it is " +
		"established",
	{"alias.go", "subscription_data.go"}: "what waits for an alias goes to the subscription, whose end frees " +
		"the alias",
	{"data_routes.go", "fetch.go"}:      "a stream finds its fetch, and a fetch waits for its stream",
	{"data_routes.go", "session.go"}:    "a part of the session, which begins and ends it",
	{"fetch.go", "fill.go"}:             "a fill is a fetch without a request of its own",
	{"fetch.go", "subscription.go"}:     "a fill has its subscription's filters, and ends with it",
	{"fetch_serve.go", "update.go"}:     "an update of a FETCH goes to who serves it",
	{"fill.go", "publication.go"}:       "a publication answers the fills that it is asked for",
	{"fill.go", "subscription.go"}:      "a subscription knows the fills that it has asked for",
	{"fill.go", "subscription_data.go"}: "the stream of a fill counts for the end of its subscription",
	{"message_io.go", "session.go"}: "the control stream's writer is a part of the session, which its " +
		"errors end",
	{"namespace.go", "session.go"}: "the namespace subscriptions are a part of the session",
	{"publication.go",
		"update.go"}: "an update of a subscription goes to its publication, which answers it",
	{"request.go", "request_answer.go"}: "an answer is a step in the life of its request",
	{"request.go", "request_id.go"}:     "a request has a number, and gives it back when it is over",
	{"request.go", "session.go"}: "a session's requests end with it, and a breach of a request ends " +
		"the session",
	{"request.go", "update.go"}:                 "an update is a step in the life of its request",
	{"request_receive.go", "update.go"}:         "an update is one of the messages that a request receives",
	{"subscription.go", "subscription_data.go"}: "one subscription: its requests here, its objects there",
}

// TestFilesOfMoqtAreNotKnotted: no two files of package moqt need each other without a reason, and the reasons are
// fewer than twenty.
func TestFilesOfMoqtAreNotKnotted(t *testing.T) {
	found := mutualPairs(t, filepath.Join(root, "moqt"))
	for _, p := range found {
		if bothWays[p] == "" {
			t.Errorf("%s and %s need each other: move what one needs of the other, or say why not", p[0], p[1])
		}
	}
	for p := range bothWays {
		if !slices.Contains(found, p) {
			t.Errorf("%s and %s do not need each other any more: take the reason out", p[0], p[1])
		}
	}
	if len(bothWays) >= 20 {
		t.Errorf("%d pairs of files need each other, want fewer than 20", len(bothWays))
	}
}

// mutualPairs lists the pairs of files of a package each of which uses a name, method or field that the other declares.
func mutualPairs(t *testing.T, dir string) (pairs [][2]string) {
	t.Helper()
	fset := token.NewFileSet()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	if build.Default.GOROOT == "" { // with -trimpath a program does not know where Go is
		out, err := exec.Command("go", "env", "GOROOT").Output()
		if err != nil {
			t.Fatal(err)
		}
		build.Default.GOROOT = strings.TrimSpace(string(out))
	}
	config := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := config.Check(dir, fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	uses := make(map[[2]string]bool)
	for ident, object := range info.Uses {
		if object.Pkg() != pkg || !object.Pos().IsValid() {
			continue
		}
		field, isVar := object.(*types.Var)
		_, isFunc := object.(*types.Func)
		if object.Parent() != pkg.Scope() && !(isVar && field.IsField()) && !isFunc {
			continue // local to a function
		}
		user := filepath.Base(fset.Position(ident.Pos()).Filename)
		owner := filepath.Base(fset.Position(object.Pos()).Filename)
		if user != owner {
			uses[[2]string{user, owner}] = true
		}
	}
	for p := range uses {
		if back := [2]string{p[1], p[0]}; p[0] < p[1] && uses[back] {
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// TestCasesHavePages: who adds a case also writes its page.
func TestCasesHavePages(t *testing.T) {
	for _, c := range cases.Everything() {
		if _, err := os.Stat(filepath.Join(root, "docs", "cases", casepages.File(&c))); err != nil {
			t.Errorf("%s has no page: go generate ./internal/casepages, and commit docs/cases", c.ID)
		}
	}
}
