//go:build !unix

package matrix

import (
	"os"
	"os/exec"
)

// ownGroup does nothing here: children of a program are its own affair.
func ownGroup(*exec.Cmd) {}

// askGroup ends the program; it cannot be asked.
func askGroup(p *os.Process) error { return p.Kill() }

// endGroup does nothing here.
func endGroup(*os.Process) {}

// lock does nothing here.
func lock(*os.File) error { return nil }
