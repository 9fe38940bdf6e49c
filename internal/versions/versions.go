// Package versions says what this program is made of, for bug reports. Behind the command `versions`.
package versions

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/runner"
)

// Info is what there is to say.
type Info struct {
	// Program is this program's version, Revision what it was built from ("" when the build does not know), Time when
	// that was committed (RFC 3339), Modified true for changed files.
	Program  string `json:"program"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"revision_time,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	// Go is the toolchain's version, Platform "linux/amd64".
	Go       string `json:"go"`
	Platform string `json:"platform"`
	// QUIC and WebTransport are the versions of quic-go and webtransport-go; NotLinked when the program does without,
	// "unknown" when the build does not tell.
	QUIC         string `json:"quic_go"`
	WebTransport string `json:"webtransport_go"`
	// Drafts are those it speaks, oldest first.
	Drafts []string `json:"drafts"`
}

// NotLinked stands for the version of a module that is not part of this program.
const NotLinked = "not linked"

// unknown stands for what the build does not tell.
const unknown = "unknown"

// Get reads the build's information.
func Get() Info {
	build, _ := debug.ReadBuildInfo()
	return of(build)
}

// of reads it from build, which may be nil.
func of(build *debug.BuildInfo) Info {
	info := Info{
		Program: runner.Version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		QUIC: NotLinked, WebTransport: NotLinked,
	}
	drafts := wire.Drafts()
	slices.Sort(drafts)
	for _, d := range drafts {
		info.Drafts = append(info.Drafts, d.String())
	}
	if build == nil {
		build = &debug.BuildInfo{}
	}
	if len(build.Deps) == 0 { // a test's binary; the program itself always has some
		info.QUIC, info.WebTransport = unknown, unknown
	}
	for _, m := range build.Deps {
		switch m.Path {
		case "github.com/quic-go/quic-go":
			info.QUIC = version(m)
		case "github.com/quic-go/webtransport-go":
			info.WebTransport = version(m)
		}
	}
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			info.Revision = s.Value
		case "vcs.time":
			info.Time = s.Value
		case "vcs.modified":
			info.Modified = s.Value == "true"
		}
	}
	return info
}

// version is the module's, and what it was replaced by.
func version(m *debug.Module) string {
	if m.Replace == nil {
		return m.Version
	}
	return strings.TrimSpace(fmt.Sprintf("%s => %s %s", m.Version, m.Replace.Path, m.Replace.Version))
}

// Map gives the versions of the tools by name, for the record of a run: this program with its revision, Go, libraries.
func (i Info) Map() map[string]string {
	m := map[string]string{"moq-interop-client": i.Program, "go": i.Go, "platform": i.Platform, "quic-go": i.QUIC}
	if i.Revision != "" {
		m["revision"] = i.revision()
	}
	if i.WebTransport != NotLinked {
		m["webtransport-go"] = i.WebTransport
	}
	return m
}

// revision is what it was built from, and whether files were changed.
func (i Info) revision() string {
	switch {
	case i.Revision == "":
		return unknown
	case i.Modified:
		return i.Revision + " (modified)"
	}
	return i.Revision
}

// WriteText writes a line for each.
func (i Info) WriteText(w io.Writer) error {
	revision := i.revision()
	if i.Time != "" {
		revision += " " + i.Time
	}
	web := i.WebTransport
	if web == NotLinked {
		web += " (WebTransport is this program's own, on quic-go's HTTP/3)"
	}
	for _, l := range [][2]string{
		{"moq-interop-client", i.Program}, {"revision", revision}, {"go", i.Go + " " + i.Platform}, {"quic-go", i.QUIC},
		{"webtransport-go", web},
		{"drafts", strings.Join(i.Drafts, " ")},
	} {
		if _, err := fmt.Fprintf(w, "%-18s  %s\n", l[0], l[1]); err != nil {
			return err
		}
	}
	return nil
}

// WriteJSON writes one object, indented for people.
func (i Info) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(i)
}
