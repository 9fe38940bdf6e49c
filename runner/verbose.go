package runner

import (
	"fmt"
	"io"
	"strings"

	"github.com/moqinterop/moq-interop-client/cases"
)

// Verbose gives a function for Options.Trace that writes to w, for each case, its sessions, notes and the messages
// exchanged.
func Verbose(w io.Writer) func(cases.Case, *Result) {
	return func(c cases.Case, r *Result) {
		if r == nil {
			fmt.Fprintf(w, "%s: begins\n", c.ID)
			return
		}
		var b strings.Builder
		roles := r.roles()
		for i, s := range r.Sessions {
			fmt.Fprintf(&b, "%s: session %s: %s over %s", c.ID, roles[i], firstOf(s.Version, "no draft"),
				firstOf(s.Transport, "no transport"))
			for _, fact := range [][2]string{
				{"alpn", s.ALPN}, {"protocol", s.WebTransportProtocol}, {"connection", s.ConnectionID},
				{"peer", s.PeerImplementation},
			} {
				if fact[1] != "" {
					fmt.Fprintf(&b, ", %s %q", fact[0], fact[1])
				}
			}
			b.WriteByte('\n')
		}
		for _, n := range r.Notes {
			fmt.Fprintf(&b, "%s: note: %s\n", c.ID, n)
		}
		for _, m := range r.Transcript {
			fmt.Fprintf(&b, "%s: %s\n", c.ID, m)
		}
		fmt.Fprintf(&b, "%s: %s in %d ms", c.ID, r.Status, r.Duration.Milliseconds())
		if text := firstOf(r.Message, r.Reason); text != "" {
			fmt.Fprintf(&b, ": %s", text)
		}
		b.WriteByte('\n')
		io.WriteString(w, b.String())
	}
}
