package matrix

import "github.com/moqinterop/moq-interop-client/relays"

// browserClient is the client that is a browser: this program has it run the cases, and prints what came of them. A
// browser and the page's program take their time on a busy machine, so its limits are stretched.
func browserClient(b relays.Browser) Client {
	return Client{Kind: KindCommand, Lists: true,
		Command: []string{"{self}", "web", "--browser", string(b), "--timeout-factor", "3", "-j", "4"}}
}
