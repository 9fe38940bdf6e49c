package main

import (
	"context"
	"path/filepath"

	"github.com/moqinterop/moq-interop-client/runner/live"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
	"github.com/moqinterop/moq-interop-client/runner/report"
)

// shown is the server of --serve; its zero value is none.
type shown struct {
	server *live.Server
	dir    string
	stays  bool
}

// serve starts the server that --serve asks for, and has it hear of the run.
func (c *matrixRunCmd) serve(sys *system, p *matrix.Plan, o *matrix.Options) (shown, error) {
	switch {
	case c.Serve == nil && c.AllowRerun:
		return shown{}, usage("--allow-rerun: it goes with --serve")
	case c.Serve == nil:
		return shown{}, nil
	}
	lo := live.Options{Plan: p, Dir: c.Dir}
	if c.AllowRerun {
		again := *o
		again.Progress, again.Resume, again.Expected = nil, false, nil
		lo.Rerun = func(ctx context.Context, cell, folder string) (*matrix.CellResult, error) {
			one, err := p.Only(cell)
			if err != nil {
				return nil, err
			}
			o := again
			o.Dir = filepath.Join(c.Dir, folder)
			run, err := matrix.Execute(ctx, one, o)
			if err != nil {
				return nil, err
			}
			return &run.Cells[0], nil
		}
	}
	server, err := live.Listen(*c.Serve, lo)
	if err != nil {
		return shown{}, usage("--serve: %w", err)
	}
	sys.say("the run is shown at %s", server.URL())
	if o.Progress == nil {
		o.Progress = server
	} else {
		o.Progress = matrix.Both(o.Progress, server)
	}
	return shown{server, c.Dir, c.AllowRerun}, nil
}

// finish goes on with a server whose pages may run cells again, until the user asks it to stop. Then it leaves a page
// that needs no server.
func (s shown) finish(sys *system, run *matrix.Run, known *matrix.Expectations) error {
	if s.server == nil {
		return nil
	}
	if s.stays {
		if err := s.server.Write(); err != nil {
			return err
		}
		sys.say("the page stays at %s until Ctrl-C", s.server.URL())
		<-sys.ctx.Done()
	}
	s.close()
	return report.WriteHTML(s.dir, run, report.Options{Files: s.dir, Notices: notices(matrix.Judge(run, known))})
}

// close ends the server; more than once does nothing.
func (s shown) close() {
	if s.server != nil {
		_ = s.server.Close() // its page is written; nobody hears what else may be wrong
	}
}
