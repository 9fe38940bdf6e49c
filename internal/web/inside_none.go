//go:build !page

package web

// inside are the files that are not committed, in a binary that was built with the tag page.
var inside Files
