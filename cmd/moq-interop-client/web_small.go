//go:build small

package main

import "errors"

// Run says that it cannot: the image has neither the page's program nor a browser.
func (*webCmd) Run(*system) error {
	return errors.New("web: the small image goes without the page; :latest-full and the released programs have it")
}
