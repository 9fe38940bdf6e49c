package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/moqinterop/moq-interop-client/relays"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// relaysCmd shows and makes catalogues.
type relaysCmd struct {
	List     relaysListCmd     `cmd:"" help:"List the implementations of a catalogue, one a line."`
	Show     relaysShowCmd     `cmd:"" help:"Show all that a catalogue knows about some of them."`
	Validate relaysValidateCmd `cmd:"" help:"Say what is wrong with files, or has no place in a catalogue."`
	Import   relaysImportCmd   `cmd:"" help:"Turn a file of another format into a catalogue."`
	Schema   relaysSchemaCmd   `cmd:"" help:"Print the JSON schema of a catalogue."`
}

// Help teaches.
func (*relaysCmd) Help() string {
	return `A catalogue says who there is, in which roles, how to reach or run them, and which drafts they claim. One
is built in. A file is in our own format (JSON), in one of two public formats, or a list of URLs, one a line.

Examples:

  moq-interop-client relays list
  moq-interop-client relays show libquicr moxygen
  moq-interop-client relays list --relays default --relays mine.json
  moq-interop-client relays import implementations.json -o catalogue.json
`
}

// formats lists the formats, for help texts.
func formats() string {
	var names []string
	for _, f := range relays.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// relaysFlag chooses the catalogue.
type relaysFlag struct {
	Relays []string `sep:"none" placeholder:"FILE" help:"Catalogue instead of the built-in one. May be given again."`
}

// relaysListCmd lists a catalogue.
type relaysListCmd struct {
	relaysFlag
	JSON bool `name:"json" help:"The whole catalogue, as JSON."`
}

// Run lists.
func (c *relaysListCmd) Run(sys *system) error {
	catalogue, err := openCatalogue(sys, c.Relays)
	if err != nil {
		return err
	}
	if c.JSON {
		return catalogue.WriteJSON(sys.stdout)
	}
	return relays.WriteTable(sys.stdout, catalogue)
}

// relaysShowCmd shows implementations.
type relaysShowCmd struct {
	Name []string `arg:"" help:"Names of implementations."`
	relaysFlag
	JSON bool `name:"json" help:"As a catalogue that has only these, in JSON."`
}

// Run shows them.
func (c *relaysShowCmd) Run(sys *system) error {
	catalogue, err := openCatalogue(sys, c.Relays)
	if err != nil {
		return err
	}
	some, err := catalogue.Only(c.Name...)
	if err != nil {
		return usage("%w", err)
	}
	if c.JSON {
		return some.WriteJSON(sys.stdout)
	}
	for i, im := range some.Implementations {
		if i > 0 {
			fmt.Fprintln(sys.stdout)
		}
		if err := relays.WriteShow(sys.stdout, im); err != nil {
			return err
		}
	}
	return nil
}

// relaysValidateCmd checks files.
type relaysValidateCmd struct {
	File   []string      `arg:"" help:"Files; - is stdin."`
	Format relays.Format `default:"auto" placeholder:"NAME" help:"${formats}. Default: auto, which finds out."`
}

// Run checks them. What a public format has beyond a catalogue is named; it fails nothing unless it is about an
// implementation.
func (c *relaysValidateCmd) Run(sys *system) error {
	failed := false
	for _, name := range c.File {
		catalogue, report, err := sys.importFile(c.Format, name)
		var findings relays.Findings
		switch {
		case errors.As(err, &findings):
			failed = true
			sys.say("%v", findings)
			continue
		case err != nil:
			return err
		}
		report.WriteText(sys.stderr)
		wrong := matrix.CheckCatalogue(catalogue)
		for _, err := range wrong {
			sys.say("%s: %v", name, err)
		}
		lost := len(report.Lost())
		failed = failed || lost > 0 || len(wrong) > 0
		if _, err := fmt.Fprintf(sys.stdout, "%s: %s, %d implementations, %d values without a place in a catalogue\n",
			name, report.Format, len(catalogue.Implementations), lost); err != nil {
			return err
		}
	}
	if failed {
		return &exit{code: 1}
	}
	return nil
}

// relaysImportCmd converts a file.
type relaysImportCmd struct {
	File   string        `arg:"" help:"The file; - is stdin."`
	Format relays.Format `default:"auto" placeholder:"NAME" help:"${formats}. Default: auto, which finds out."`
	Output string        `short:"o" type:"string" placeholder:"FILE" help:"Write it there instead of to stdout."`
	JSON   bool          `name:"json" help:"Say as JSON what could not be taken."`
}

// Run converts it. What could not be taken is named on stderr.
func (c *relaysImportCmd) Run(sys *system) error {
	catalogue, report, err := sys.importFile(c.Format, c.File)
	if err != nil {
		return err
	}
	if c.JSON {
		err = report.WriteJSON(sys.stderr)
	} else {
		err = report.WriteText(sys.stderr)
	}
	return errors.Join(err, sys.write(c.Output, catalogue.WriteJSON))
}

// relaysSchemaCmd prints the schema.
type relaysSchemaCmd struct{}

// Run prints it.
func (*relaysSchemaCmd) Run(sys *system) error {
	_, err := sys.stdout.Write(relays.Schema)
	return err
}

// importFile reads a file of any format; a file that cannot be opened, and a format that there is not, are usage
// errors.
func (s *system) importFile(format relays.Format, name string) (*relays.Catalogue, relays.Report, error) {
	in := s.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, relays.Report{}, usage("%w", err)
		}
		defer f.Close()
		in = f
	}
	c, report, err := relays.Import(format, name, in)
	var findings relays.Findings
	if err != nil && !errors.As(err, &findings) {
		err = usage("%w", err)
	}
	return c, report, err
}

// write writes to a file, or to stdout when none is named.
func (s *system) write(name string, write func(io.Writer) error) error {
	if name == "" {
		return write(s.stdout)
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	err := os.WriteFile(name, b.Bytes(), 0o644)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return usage("--output: %w", err)
	}
	return err
}
