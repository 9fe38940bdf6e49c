//go:build small

package main

import "errors"

// Run says that it cannot: the image has neither the page's program nor a browser.
func (*webCmd) Run(*system) error {
	return errors.New("web: the image's program goes without the page; a released one has it")
}
