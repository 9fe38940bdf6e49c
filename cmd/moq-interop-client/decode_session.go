//go:build !small

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/moqinterop/moq-interop-client/internal/capture"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// session decodes a file with whole sessions.
func (c *decodeCmd) session(sys *system) error {
	if len(c.Hex) > 0 || c.Raw {
		return usage("--session: the bytes are in its file; %q is one too many", append(c.Hex, "--raw")[0])
	}
	opt := capture.Options{MaxPayload: int(c.MaxPayload), Connection: c.Connection, Rules: c.Rules}
	var err error
	if c.Draft != "" {
		if opt.Draft, err = wire.ParseDraft(c.Draft); err != nil {
			return usage("--draft: %v", err)
		}
	}
	if opt.Decode.Tolerate, err = codecTolerances(sys.chooseList(c.Compat, "--compat", "COMPAT")); err != nil {
		return err
	}
	opt.Decode.Tolerated = func(t wire.Tolerance, where string) { sys.say("tolerated %s: %s", t, where) }
	ctx, stop := interruptible()
	defer stop()
	record, err := capture.Read(ctx, c.Session, cmp.Or(c.Keylog, sys.getenv("SSLKEYLOGFILE")))
	if errors.As(err, new(*fs.PathError)) {
		return usage("--session: %v", err)
	}
	if err != nil {
		return fmt.Errorf("--session %s: %w", c.Session, err)
	}
	lines, notes, err := record.Decode(opt)
	if err != nil {
		return fmt.Errorf("--session %s: %w", c.Session, err)
	}
	for _, n := range append(record.Notes, notes...) {
		sys.say("%s", n)
	}
	if err := printSession(sys, lines); err != nil {
		return err
	}
	if c.HTML != "" {
		var page bytes.Buffer
		if err := capture.HTML(&page, c.Session, lines); err != nil {
			return err
		}
		if err := os.WriteFile(c.HTML, page.Bytes(), 0o644); err != nil {
			return fmt.Errorf("--html: %w", err)
		}
	}
	return judgeSession(lines)
}

// printSession prints one JSON object a line, with text as it is.
func printSession(sys *system, lines []capture.Line) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for i := range lines {
		if err := enc.Encode(&lines[i]); err != nil {
			return err
		}
	}
	_, err := sys.stdout.Write(b.Bytes())
	return err
}

// judgeSession is an error when something could not be decoded, or breaks a rule.
func judgeSession(lines []capture.Line) error {
	bad, broken := 0, 0
	for i := range lines {
		if lines[i].Error != "" {
			bad++
		}
		broken += len(lines[i].Broken)
	}
	switch {
	case broken > 0:
		return fmt.Errorf("%d rules are broken, and %d streams or datagrams cannot be read to their end", broken, bad)
	case bad > 0:
		return fmt.Errorf("%d streams or datagrams cannot be read to their end", bad)
	}
	return nil
}
