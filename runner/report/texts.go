package report

import (
	"regexp"
	"unicode/utf8"

	"github.com/moqinterop/moq-interop-client/internal/printable"
)

// cut gives at most n characters of s, with an ellipsis for what is gone.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := []rune(s)
	return string(runes[:n-1]) + "…"
}

// line makes one line of hostile text.
func line(s string) string { return printable.OneLine(s) }

var (
	// random is what differs from run to run without meaning anything: the fields of namespaces, connection ids.
	random = regexp.MustCompile(`\b[0-9a-fA-F]{16,}\b`)
	// span is a duration as Go and people write it: "1m2.5s", "2004 ms".
	span = regexp.MustCompile(`\b\d+(?:\.\d+)?(?:h|m|s|ms|µs|ns|us| m?s)(?:\d+(?:\.\d+)?(?:m|s|ms))*\b`)
	// port follows a host, or stands alone in what the matrix says of a relay that did not start; a relay that is
	// started here has another one each time.
	port = regexp.MustCompile(`(\blocalhost:|\b127\.0\.0\.1:|\[::1?\]:|\bits port )\d{2,5}\b`)
)

// same makes texts equal that differ only in what is random: names, durations, local ports. Codes and counts stay.
func same(s string) string {
	s = line(s)
	s = random.ReplaceAllString(s, "*")
	s = port.ReplaceAllString(s, "$1*")
	return span.ReplaceAllString(s, "*")
}
