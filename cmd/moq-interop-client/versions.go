package main

import "github.com/moqinterop/moq-interop-client/internal/versions"

// versionsCmd says what the program is made of.
type versionsCmd struct {
	JSON bool `name:"json" help:"As JSON."`
}

// Help teaches.
func (*versionsCmd) Help() string {
	return `The program's version and revision, Go, the QUIC libraries, and the drafts it speaks.
`
}

// Run prints.
func (c *versionsCmd) Run(sys *system) error {
	if c.JSON {
		return versions.Get().WriteJSON(sys.stdout)
	}
	return versions.Get().WriteText(sys.stdout)
}
