//go:build small

package main

import "errors"

// session says that it cannot: captures want tools that the image does not have.
func (*decodeCmd) session(*system) error {
	return errors.New("--session: the image's program goes without captures; a released one reads them")
}
