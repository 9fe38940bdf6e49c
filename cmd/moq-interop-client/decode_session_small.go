//go:build small

package main

import "errors"

// session says that it cannot: captures want tools that the image does not have.
func (*decodeCmd) session(*system) error {
	return errors.New("--session: the small image goes without captures; :latest-full and a released program read them")
}
