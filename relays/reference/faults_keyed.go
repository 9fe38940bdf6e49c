package reference

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The faults that are about one rule each, or about one request error: what the relay does when a client breaks the
// rule, or is to be refused with the error. The conformance suite shows with them that it would notice.

// keyedFault is a kind of such a fault.
type keyedFault int

const (
	swallowBreach keyedFault = iota
	miscodeBreach
	spreadBreach
	refuseLegal

	numKeyed
)

var keyedTable = [numKeyed]Fault{
	swallowBreach: {"swallow", "does not close the session of a client that breaks the rule, or does not answer the " +
		"request that it ought to refuse with the error"},
	miscodeBreach: {"miscode", "closes it, or refuses the request, with INTERNAL_ERROR"},
	spreadBreach:  {"spread", "closes the sessions of all other clients too"},
	refuseLegal:   {"strict", "closes the session of a client that does what the rule allows"},
}

// KeyedFaults lists the faults that are named with a rule or with a request error: "swallow:NAME".
func KeyedFaults() []Fault {
	all := slices.Clone(keyedTable[:])
	for i := range all {
		all[i].Name += ":NAME"
	}
	return all
}

// FaultNames are all names of faults that Options.Faults takes.
func FaultNames() []string {
	names := faultNames()
	for _, f := range keyedTable {
		for _, r := range rules.All() {
			names = append(names, f.Name+":"+string(r.ID))
		}
		for _, e := range wire.RequestErrorNames() {
			names = append(names, f.Name+":"+string(e))
		}
	}
	return names
}

// keyedFaults are those that were asked for: by kind, the rules and errors.
type keyedFaults [numKeyed]map[string]bool

// add takes a fault by name, and reports whether it is a keyed one.
func (k *keyedFaults) add(name string) bool {
	kind, key, ok := strings.Cut(name, ":")
	if !ok || !slices.Contains(FaultNames(), name) {
		return false
	}
	for i := range keyedTable {
		if keyedTable[i].Name == kind {
			if k[i] == nil {
				k[i] = map[string]bool{}
			}
			k[i][key] = true
		}
	}
	return true
}

func (k *keyedFaults) any() bool {
	return slices.ContainsFunc(k[:], func(m map[string]bool) bool { return len(m) > 0 })
}

// keyed makes a connection and its session misbehave as the keyed faults say.
func (r *Relay) spoilBreaches(conn transport.Conn, cfg *moqt.Config) transport.Conn {
	if !r.keyed.any() {
		return conn
	}
	c := &breachConn{relay: r, aliases: map[uint64]bool{}}
	c.Conn = retyper{conn, c.refusal, nil}
	trace := cfg.Trace
	cfg.Trace = func(ev moqt.Event) {
		c.event(ev)
		if trace != nil {
			trace(ev)
		}
	}
	return c
}

// breachConn is a connection that closes otherwise than the session wants, for the rules of the faults.
type breachConn struct {
	transport.Conn
	relay  *Relay
	broken atomic.Pointer[rules.ID] // the rule for whose breach the session closes

	mu      sync.Mutex
	aliases map[uint64]bool // of the client's tracks
}

// event notes why the session closes. With a fault of the kind strict it closes the connection.
func (c *breachConn) event(ev moqt.Event) {
	if rule := c.unusual(ev); rule != "" && c.relay.keyed[refuseLegal][string(rule)] {
		c.Conn.CloseWithError(uint64(wire.ProtocolViolation), "fault")
	}
	var broken *wire.Error
	if ev.Type == moqt.EventClosed && errors.As(ev.Err, &broken) && broken.Rule != "" {
		c.broken.Store(&broken.Rule)
	}
}

// unusual is the rule that allows what the client has done, where that looks like a breach; "" for anything else.
func (c *breachConn) unusual(ev moqt.Event) rules.ID {
	switch {
	case ev.Sent:
	case ev.Type == moqt.EventPadding && ev.Stream == wire.UniStream:
		return "padding-stream"
	case ev.Type == moqt.EventPadding:
		return "padding-datagram"
	case ev.Type == moqt.EventFin && ev.Stream == wire.RequestStream && ev.StreamID%4 == 1: // opened by the relay
		return "graceful-fin"
	case ev.Type == moqt.EventReset && ev.Stream == wire.UniStream:
		return rules.CancelRequest
	case ev.Type == moqt.EventSubgroup && ev.Subgroup != nil && ev.Subgroup.HasProperties:
		return rules.GreaseProperties
	case ev.Type == moqt.EventSubgroup || ev.Type == moqt.EventDatagram && ev.Err == nil:
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.aliases[ev.TrackAlias] {
			return rules.TrackAlias
		}
	case ev.Type == moqt.EventMessage && ev.Message != nil:
		return c.unusualMessage(ev)
	}
	return ""
}

func (c *breachConn) unusualMessage(ev moqt.Event) rules.ID {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m := ev.Message.(type) {
	case *wire.Setup:
		for _, o := range m.Options {
			switch {
			case wire.OptionName(ev.Draft, o.Type) == "":
				return "setup-option-unknown"
			case o.Type == wire.OptionAuthorizationToken:
				return "setup-token"
			}
		}
	case *wire.SubscribeOK:
		c.aliases[m.TrackAlias] = true
		if mandatory(ev.Draft, m.Properties) {
			return rules.MandatoryProperties
		}
	case *wire.FetchOK:
		if mandatory(ev.Draft, m.Properties) {
			return rules.MandatoryFetchOK
		}
	case *wire.Publish:
		c.aliases[m.TrackAlias] = true
		for _, x := range m.Properties {
			if wire.PropertyName(ev.Draft, wire.TrackScope, x.Type) == "" {
				return rules.GreaseProperties
			}
		}
	case *wire.RequestError:
		if _, ok := wire.RequestErrorCode(m.Code).Meaning(ev.Draft, m.Answers); !ok {
			return "grease-errors"
		}
	case *wire.Goaway:
		return rules.Goaway
	case *wire.PublishNamespaceCancel:
		return "revoke-namespace"
	case *wire.RequestsBlocked:
		return "requests-blocked-sent"
	case *wire.PublishDone:
		if _, ok := wire.PublishDoneCode(m.StatusCode).Meaning(ev.Draft); !ok {
			return "grease-errors"
		}
	case *wire.Subscribe:
		if len(m.TrackNamespace) > 0 && strings.HasPrefix(m.TrackNamespace[0], ".moq") {
			return "reserved-namespace"
		}
		if slices.ContainsFunc(m.Parameters, func(p wire.Parameter) bool { return p.Raw }) ||
			ev.Draft >= wire.Draft15 && ev.Draft <= wire.Draft16 && hasExpires(m.Parameters) {
			return "parameter-foreign"
		}
		if b, err := wire.AppendMessage(nil, ev.Draft, m, ev.Stream); err == nil && len(b) < len(ev.Raw) {
			return rules.Integers
		}
	}
	return ""
}

// mandatory reports whether a track has a Mandatory Track Property; the relay knows none.
func mandatory(d wire.Draft, ps wire.Properties) bool {
	return slices.ContainsFunc(ps, func(p wire.Property) bool { return wire.MandatoryProperty(d, p.Type) })
}

func hasExpires(ps wire.Parameters) bool {
	_, ok := ps.Get(wire.ParamExpires)
	return ok
}

// CloseWithError implements transport.Conn.
func (c *breachConn) CloseWithError(code uint64, reason string) error {
	if broken := c.broken.Load(); broken != nil {
		rule, k := string(*broken), &c.relay.keyed
		switch {
		case k[swallowBreach][rule]:
			return nil
		case k[miscodeBreach][rule]:
			code = uint64(wire.InternalError)
		case k[spreadBreach][rule]:
			c.relay.abortAll()
		}
	}
	return c.Conn.CloseWithError(code, reason)
}

// refusal changes a request error on its way out.
func (c *breachConn) refusal(d wire.Draft, code uint64, body []byte) (uint64, []byte) {
	if code == 0xB && c.relay.keyed[swallowBreach]["update-failed"] { // PUBLISH_DONE
		return code, nil
	}
	kind, ok := wire.RefusedKind(d, code)
	if !ok {
		return code, body
	}
	at := 0
	if d <= wire.Draft16 {
		_, at = wire.Varint(body, d)
	}
	number, n := wire.Varint(body[at:], d)
	if n <= 0 {
		return code, body
	}
	meaning, _ := wire.RequestErrorCode(number).Meaning(d, kind)
	name, k := string(meaning), &c.relay.keyed
	switch {
	case k[swallowBreach][name]:
		return code, nil
	case k[miscodeBreach][name]:
		other, _ := wire.RequestErrorFor(d, kind, wire.NameInternalError)
		return code, slices.Concat(body[:at], wire.AppendVarint(nil, d, uint64(other)), body[at+n:])
	case k[spreadBreach][name]:
		c.relay.abortAll()
	}
	return code, body
}

// abortAll closes every session.
func (r *Relay) abortAll() {
	r.tasks.Go(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for p := range r.peers {
			p.session.Abort(wire.InternalError, "fault")
		}
	})
}

// appendFrame is a message's type, length and body.
func appendFrame(d wire.Draft, code uint64, body []byte) []byte {
	b := wire.AppendVarint(nil, d, code)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	return append(b, body...)
}
