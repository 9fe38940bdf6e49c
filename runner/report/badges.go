package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// badge is the JSON that shields.io reads from an endpoint.
type badge struct {
	SchemaVersion int    `json:"schemaVersion"`
	Label         string `json:"label"`
	Message       string `json:"message"`
	Color         string `json:"color"`
	IsError       bool   `json:"isError,omitempty"`
}

// WriteBadges writes JSON for the endpoint badges of shields.io into dir, which it creates: all.json, and one file for
// each relay (relay-NAME.json), client (client-NAME.json) and draft (draft-NN.json). A badge says how many cells pass.
// Names are changed to be fit for a path; where two become the same, later ones get a number.
func WriteBadges(dir string, run *matrix.Run) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	v := newView(run, nil)
	taken := make(map[string]bool)
	put := func(file, label string, in func(*shown) bool) error {
		var pick []int
		for i := range v.cells {
			if in(&v.cells[i]) {
				pick = append(pick, i)
			}
		}
		name := file
		for n := 2; taken[name]; n++ {
			name = file + "-" + strconv.Itoa(n)
		}
		taken[name] = true
		return replaceFile(filepath.Join(dir, name+".json"), func(w io.Writer) error {
			return json.NewEncoder(w).Encode(badgeOf(label, v.sum(pick)))
		})
	}
	if err := put("all", "MoQ interop", func(*shown) bool { return true }); err != nil {
		return fmt.Errorf("report: badges: %w", err)
	}
	for _, axis := range []struct {
		prefix string
		names  []string
		of     func(*shown) string
	}{
		{"relay-", v.relays, func(c *shown) string { return c.Relay }},
		{"client-", v.clients, func(c *shown) string { return c.Client }},
		{"", v.drafts, func(c *shown) string { return c.draft }},
	} {
		for _, name := range axis.names {
			err := put(axis.prefix+slug(name), "MoQ interop "+cut(line(name), 40),
				func(c *shown) bool { return axis.of(c) == name })
			if err != nil {
				return fmt.Errorf("report: badges: %w", err)
			}
		}
	}
	return nil
}

// badgeOf colours a badge by the share that passes. It is green only when everything does.
func badgeOf(label string, s sum) badge {
	b := badge{SchemaVersion: 1, Label: label, Message: fmt.Sprintf("%d of %d pass", s.pass, s.of)}
	switch {
	case s.of == 0:
		b.Message, b.Color = "no result", "lightgrey"
	case s.pass == s.of:
		b.Color = "brightgreen"
	case s.pass == 0 && s.status == matrix.Skip: // nothing worse, and nothing that failed
		b.Message, b.Color = "skipped", "lightgrey"
	case s.pass == 0 && s.status == matrix.TooSlow:
		b.Message, b.Color = "too slow", "lightgrey"
	case s.pass*4 >= s.of*3:
		b.Color = "yellow"
	case s.pass > 0:
		b.Color = "orange"
	default:
		b.Color, b.IsError = "red", true
	}
	return b
}

// slug makes a name fit for a file on any system.
func slug(name string) string {
	s := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	if s = strings.Trim(s, "-"); s == "" {
		return "unnamed"
	}
	return s[:min(len(s), 80)]
}
