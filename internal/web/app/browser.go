//go:build js

package main

import "strings"

// products are how browsers name themselves among the names of those that they wish to be taken for, the telling ones
// first.
var products = []string{"Edg/", "OPR/", "HeadlessChrome/", "Chrome/", "Firefox/", "Version/"}

// browserOf is the part of a user agent that names the browser: "HeadlessChrome/156.0.0.0".
func browserOf(agent string) string {
	for _, p := range products {
		if _, after, ok := strings.Cut(agent, p); ok {
			version, _, _ := strings.Cut(after, " ")
			return p + version
		}
	}
	return "a browser"
}
