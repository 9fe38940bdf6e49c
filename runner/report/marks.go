package report

import (
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// mark is how a status is shown: never by colour alone.
type mark struct {
	// Class is the style sheet's class, Symbol the sign, Word the word for people.
	Class  string `json:"class"`
	Symbol string `json:"symbol"`
	Word   string `json:"word"`
	// emoji is the sign in Markdown, where there are no colours.
	emoji string
	// means explains it in a legend.
	means string
}

// marks has every status. The signs are ones that fonts everywhere have, and differ in shape.
var marks = map[matrix.Status]mark{
	matrix.Pass:          {"p", "✓", "pass", "✅", "everything that applied passed"},
	matrix.Fail:          {"f", "✗", "fail", "❌", "a case failed, also when repeated"},
	matrix.Flaky:         {"k", "≈", "flaky", "〰️", "failed once, not when repeated"},
	matrix.Todo:          {"t", "△", "SHOULD broken", "🔶", "only a SHOULD was broken"},
	matrix.Skip:          {"s", "»", "refused", "⏭️", "the relay said properly that it does not do it"},
	matrix.TooSlow:       {"w", "…", "too slow", "🐢", "the path was too slow to tell; no word about the relay"},
	matrix.NotApplicable: {"n", "–", "not applicable", "➖", "does not exist for this client, draft or transport"},
	matrix.Missing:       {"m", "?", "missing", "❔", "planned, but there is no result"},
	matrix.Stale:         {"o", "◷", "stale", "🕓", "no result in this run: that of an earlier run is shown"},
	matrix.Error:         {"e", "!", "error", "❗", "could not be judged"},
	matrix.Down:          {"d", "↓", "down", "⛔", "the relay did not answer at all, and nothing was run"},
}

// markOf gives the mark of a status, also of one that this program does not know.
func markOf(s matrix.Status) mark {
	if m, ok := marks[s]; ok {
		return m
	}
	return mark{"e", "!", string(s), "❗", "not known to this version"}
}

// layer is how a layer is shown. Group, which decides the colour, grows from the layers nearest to the wire to the
// farthest.
type layer struct {
	name, short string
	group       int
}

// layers are in the order in which a session is built.
var layers = []layer{
	{string(transport.LayerDNS), "dns", 1},
	{string(transport.LayerUDP), "udp", 1},
	{string(transport.LayerTLS), "tls", 1},
	{string(transport.LayerALPN), "alpn", 1},
	{string(transport.LayerHTTP3), "h3", 2},
	{string(transport.LayerWebTransport), "wt", 2},
	{string(transport.LayerSetup), "setup", 2},
	{string(transport.LayerRequest), "req", 3},
	{string(transport.LayerData), "data", 4},
}

// layerOf gives a layer; one without a name, or an unknown one, has group 0.
func layerOf(name string) layer {
	for _, l := range layers {
		if l.name == name {
			return l
		}
	}
	return layer{name: name, short: cut(name, 5)}
}

// rank orders statuses by how much attention they need, most first.
var rank = map[matrix.Status]int{
	matrix.Fail: 0, matrix.Error: 1, matrix.Flaky: 2, matrix.Down: 3, matrix.Missing: 4, matrix.Stale: 5,
	matrix.Todo: 6, matrix.TooSlow: 7, matrix.Skip: 8, matrix.Pass: 9, matrix.NotApplicable: 10,
}

// worse reports whether a needs more attention than b. An unknown status needs most.
func worse(a, b matrix.Status) bool { return rank[a] < rank[b] }

// bad reports whether a status says that something is wrong or unknown.
func bad(s matrix.Status) bool {
	switch s {
	case matrix.Pass, matrix.Todo, matrix.Skip, matrix.TooSlow, matrix.NotApplicable, matrix.Stale:
		return false
	}
	return true
}
