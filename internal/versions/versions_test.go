package versions

import (
	"bytes"
	"encoding/json"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOf(t *testing.T) {
	info := of(&debug.BuildInfo{
		Deps: []*debug.Module{
			{Path: "github.com/quic-go/quic-go", Version: "v0.62.0"},
			{Path: "github.com/quic-go/webtransport-go", Version: "v0.13.0", Replace: &debug.Module{Path: "../wt"}},
		},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123abcd"},
			{Key: "vcs.time", Value: "2026-11-22T10:00:00Z"}, {Key: "vcs.modified", Value: "true"}},
	})
	info.Program, info.Go, info.Platform = "v1.0.0", "go1.26.0", "linux/amd64"
	var text bytes.Buffer
	if err := info.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	want := `moq-interop-client  v1.0.0
revision            0123abcd (modified) 2026-11-22T10:00:00Z
go                  go1.26.0 linux/amd64
quic-go             v0.62.0
webtransport-go     v0.13.0 => ../wt
drafts              draft-14 draft-15 draft-16 draft-17 draft-18 draft-19 draft-20 draft-21 draft-22
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Error(diff)
	}
	var b bytes.Buffer
	if err := info.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var back Info
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || !cmp.Equal(info, back) {
		t.Errorf("%v %s", err, b.String())
	}
}

func TestGet(t *testing.T) {
	info := Get()
	if info.Program == "" || !strings.HasPrefix(info.Go, "go") || len(info.Drafts) != 9 || info.QUIC == "" {
		t.Errorf("%+v", info)
	}
	if other :=
		of(&debug.BuildInfo{Deps: []*debug.Module{{Path: "example.com/x",
			Version: "v1.0.0"}}}); other.QUIC != NotLinked || other.WebTransport != NotLinked {
		t.Errorf("%+v", other)
	}
	var text bytes.Buffer
	if err := of(nil).WriteText(&text); err != nil || !strings.Contains(text.String(), "quic-go             unknown") ||
		!strings.Contains(text.String(), "revision            unknown") {
		t.Errorf("%v %s", err, text.String())
	}
}
