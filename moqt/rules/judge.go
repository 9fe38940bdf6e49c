package rules

import "strings"

// Party is who has to keep a rule, one or more of them.
type Party uint8

// The parties. A relay is a publisher to its subscribers, a subscriber to its publishers, and a server.
const (
	// Endpoint is anybody who speaks MoQT.
	Endpoint Party = 1 << iota
	Relay
	Publisher
	Subscriber
	Client
	Server
	// OriginalPublisher is who makes a track, which a relay does not.
	OriginalPublisher
	// Nobody on the wire: applications, authors of extensions, programs that print names.
	Outsider
)

var partyNames = [...]string{"endpoint", "relay", "publisher", "subscriber", "client", "server", "original publisher",
	"outsider"}

// String is "publisher, subscriber".
func (p Party) String() string { return words(uint8(p), partyNames[:]) }

// Relay reports whether a relay has to keep a rule that binds p.
func (p Party) Relay() bool { return p&(Endpoint|Relay|Publisher|Subscriber|Server) != 0 }

// Judge is what sees a breach of a rule by a peer, one or more.
type Judge uint8

// The judges.
const (
	// Codec: decoding what the peer sends fails, in every case.
	Codec Judge = 1 << iota
	// Session: the session or request fails when the peer breaks the rule, in every case.
	Session
	// Cases: only a case that asks for it can see a breach. The cases name their rules.
	Cases
)

// String is "codec, cases"; "" for none.
func (j Judge) String() string { return words(uint8(j), []string{"codec", "session", "cases"}) }

// words names the bits of a set.
func words(set uint8, names []string) string {
	var all []string
	for i, name := range names {
		if set>>i&1 != 0 {
			all = append(all, name)
		}
	}
	return strings.Join(all, ", ")
}
