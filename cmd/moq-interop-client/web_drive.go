//go:build !small

package main

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/moqinterop/moq-interop-client/internal/web"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/runner"
)

// drive has a browser run the cases.
func (c *webCmd) drive(sys *system) error {
	if c.Out != "" {
		return usage("--out: it does not go with --browser")
	}
	// What a test's flags and variables mean is said once.
	t := &testCmd{Relay: c.Relay, Test: c.Test, Suite: c.Suite, Draft: c.Draft, NamespacePrefix: c.Prefix,
		AuthToken: c.Token, Compat: c.Compat, Strict: c.Strict, TimeoutFactor: c.Factor, Jobs: c.Jobs, Output: c.Output,
		TLSDisableVerify: c.Verify}
	s, err := t.settings(sys)
	if err != nil {
		return err
	}
	selected, err := t.selected(s.names, s.cases.Drafts)
	if err != nil {
		return err
	}
	if !s.target.Embedded && s.target.URL.Scheme != "https" {
		return usage("--relay: %q: a browser speaks WebTransport alone, so it must begin with https://", s.target.Name)
	}
	o := web.Order{Relay: s.target.Name, Suite: c.Suite, Offers: [][]int{{}},
		NamespacePrefix: strings.Join(s.cases.NamespacePrefix, "/"), Token: s.cases.AuthToken, Compat: s.compat,
		Factor: s.cases.TimeoutFactor, Strict: s.cases.Strict, Jobs: c.Jobs}
	for _, d := range s.cases.Drafts {
		o.Offers[0] = append(o.Offers[0], int(d))
	}
	for _, x := range selected {
		o.Cases = append(o.Cases, x.ID)
	}
	b := web.Browser{Name: c.Browser}
	if b.Path, err = web.Find(c.Browser); err != nil {
		return err
	}
	if s.connect.TLS.InsecureSkipVerify && !s.target.Embedded {
		s.connect.Transport = transport.OnlyWebTransport
		if b.Trusted, err = web.Certificate(sys.ctx, s.connect); err != nil {
			sys.say("the relay's certificate cannot be had: %v", err)
		}
	}
	if b.Files, err = web.Load(sys.say); err != nil {
		return err
	}
	out, err := b.Run(sys.ctx, o)
	if err != nil {
		return err
	}
	return c.tell(sys, s, out)
}

// tell prints what came of it.
func (c *webCmd) tell(sys *system, s *settings, out *web.Outcome) error {
	if c.Figures {
		sys.say("%s: ready after %.0f ms, the first verdict %.0f ms after the start, the longest frame %.0f ms, the "+
			"longest task %.0f ms, %d MB", out.Agent, out.Ready, out.First, out.Frame, out.Task, out.Memory>>20)
	}
	code := runner.ExitPass
	for _, column := range out.Columns {
		if _, err := sys.stdout.Write([]byte(column.TAP)); err != nil {
			return err
		}
		if s.output != nil {
			if err := s.output.Replace([]byte(column.Report)); err != nil {
				return err
			}
		}
		var report struct {
			Exit int `json:"exit_code"`
		}
		if err := json.Unmarshal([]byte(column.Report), &report); err != nil {
			return err
		}
		code = cmp.Or(code, report.Exit)
	}
	if code != runner.ExitPass {
		return &exit{code: code}
	}
	return nil
}
