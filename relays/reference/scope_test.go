package reference

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestScopeOf(t *testing.T) {
	for path, want := range map[string]wire.TrackNamespace{
		"": nil, "/": nil, "/?a=/b": nil, "/a": {"a"}, "/a//b/": {"a", "b"}, "/a/b?c/d": {"a", "b"}, "/a%2Fb": {"a/b"},
		"/%zz": {"%zz"},
	} {
		if got := scopeOf(path); !cmp.Equal(got, want) {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

func TestPathScopes(t *testing.T) {
	for _, d := range wire.Drafts() {
		t.Run(d.String(), func(t *testing.T) {
			w := newWorld(t, Options{PathScopes: true})
			dial := func(path string) *moqt.Session {
				s, err := moqt.Client(w.ctx, w.connect(d),
					moqt.Config{Drafts: []wire.Draft{d}, Path: path, Authority: "localhost",
						Limits: moqt.Limits{Linger: linger}})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { s.Close(wire.NoError, "") })
				return s
			}
			inside, other := dial("/a/b"), dial("/a/c")
			if _, err := inside.PublishNamespace(w.ctx, wire.TrackNamespace{"a", "b", "live"}, nil); err != nil {
				t.Error(err)
			}
			if _, err := inside.SubscribeNamespace(w.ctx, wire.TrackNamespace{"a", "b"}, nil); err != nil {
				t.Error(err)
			}
			refused := func(what string, err error) {
				t.Helper()
				var no *moqt.RequestError
				if !errors.As(err, &no) {
					t.Errorf("%s: %v, want a refusal", what, err)
					return
				}
				if name, _ := wire.RequestErrorCode(no.Code).Meaning(d, no.Kind); name != wire.NameUnauthorized {
					t.Errorf("%s: %v, want UNAUTHORIZED", what, err)
				}
			}
			for _, ns := range []wire.TrackNamespace{{"a", "b", "live"}, {"a"}, {"b", "c"}} {
				_, err := other.PublishNamespace(w.ctx, ns, nil)
				refused("PUBLISH_NAMESPACE", err)
				_, err = other.Subscribe(w.ctx, &wire.Subscribe{TrackNamespace: ns, TrackName: "t"})
				refused("SUBSCRIBE", err)
				_, err = other.SubscribeNamespace(w.ctx, ns, nil)
				refused("SUBSCRIBE_NAMESPACE", err)
			}
		})
	}
}
