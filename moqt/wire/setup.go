package wire

import (
	"errors"
	"strconv"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// Setup options, called setup parameters up to 16 (draft-16 §9.3.1, draft-18 §10.3.1, draft-22 §9.1).
const (
	OptionPath                  = 0x01 // client, raw QUIC only
	OptionMaxRequestID          = 0x02 // 14-16
	OptionAuthorizationToken    = 0x03
	OptionMaxAuthTokenCacheSize = 0x04
	OptionAuthority             = 0x05 // client, raw QUIC only; draft 14 gives MOQT_IMPLEMENTATION the same code
	OptionMaxFilterRanges       = 0x06 // 19 and later
	OptionImplementation        = 0x07
	OptionMaxRequestUpdates     = 0x08 // 19 and later
)

// optionRows names the options; text says that an odd one is shown as text.
var optionRows = []struct {
	t           uint64
	name        string
	first, last Draft
	text        bool
}{
	{OptionPath, "PATH", 14, Newest, true},
	{OptionMaxRequestID, "MAX_REQUEST_ID", 14, 16, false},
	{OptionAuthorizationToken, "AUTHORIZATION_TOKEN", 14, Newest, false},
	{OptionMaxAuthTokenCacheSize, "MAX_AUTH_TOKEN_CACHE_SIZE", 14, Newest, false},
	{OptionAuthority, "AUTHORITY", 14, Newest, true},
	{OptionMaxFilterRanges, "MAX_FILTER_RANGES", 19, Newest, false},
	{OptionImplementation, "MOQT_IMPLEMENTATION", 14, Newest, true},
	{OptionMaxRequestUpdates, "MAX_REQUEST_UPDATES", 19, Newest, false},
}

// OptionName is the draft's name of a setup option, "" for an unknown one.
func OptionName(d Draft, t uint64) string {
	name, _ := optionName(d, t, NoSide)
	return name
}

func optionName(d Draft, t uint64, sender Side) (name string, text bool) {
	if d == Draft14 && t == OptionAuthority && sender == ServerSide {
		// draft-14 §9.3.2.6 gives it AUTHORITY's code, and a server sends no AUTHORITY
		return "MOQT_IMPLEMENTATION", true
	}
	for _, r := range optionRows {
		if r.t == t && r.first <= d && d <= r.last {
			return r.name, r.text
		}
	}
	return "", false
}

// setupOptions are Key-Value-Pairs: with a count up to 16, to the end of the body after.
func (c *coder) setupOptions(sender Side, p *Properties) {
	const name = "setup_options"
	if c.err != nil {
		return
	}
	field := name
	if c.draft <= Draft16 {
		field = "setup_parameters"
	}
	start := c.pos
	switch c.op {
	case opDecode:
		var count uint64
		if c.draft <= Draft16 {
			count = c.readVarint(field)
			start = c.pos
		}
		c.keyValues(field, p, 0)
		if c.err == nil && c.draft <= Draft16 && count != uint64(len(*p)) {
			c.failf(field, ProtocolViolation, rules.MessageType, "the count is %d, but the message has %d",
				count, len(*p))
		}
	case opEncode:
		if c.draft <= Draft16 {
			c.writeVarint(field, uint64(len(*p)))
		}
		c.keyValues(field, p, 0)
	case opDescribe:
		c.state(field, c.describeOptions(sender, *p))
	case opParse:
		c.parseOptions(field, p)
	}
	if c.err == nil && c.op == opDecode {
		c.checkOptions(field, sender, start)
	}
}

// keyValues are Key-Value-Pairs up to the end of what is being read.
func (c *coder) keyValues(name string, p *Properties, scope Scope) {
	if c.err != nil {
		return
	}
	var err error
	c.at = c.base + c.pos
	switch {
	case c.unchecked:
		var prev uint64
		for _, x := range *p {
			c.out = appendKeyValue(c.out, c.draft, prev, x)
			prev = x.Type
		}
	case c.op == opEncode:
		c.out, err = AppendProperties(c.out, c.draft, *p)
	default:
		var opt Options
		if c.opt != nil {
			opt = *c.opt
		}
		*p, err = ParseProperties(c.in[c.pos:], c.draft, scope, opt)
		if err == nil {
			c.pos = len(c.in)
		}
	}
	var e *Error
	if errors.As(err, &e) {
		c.at += e.Offset
		field := strings.TrimPrefix(e.Field, "properties")
		if field == e.Field && field != "" {
			field = "." + field
		}
		c.fail(name+field, e.Code, e.Rule, e.Reason)
	}
}

// properties are a track's, up to the end of the body.
func (c *coder) properties(name string, p *Properties) {
	if c.err != nil {
		return
	}
	switch c.op {
	case opDescribe:
		c.state(name, describeProperties(c.draft, *p, TrackScope))
	case opParse:
		list, ok := c.take(name).([]any)
		if !ok {
			c.fail(name, InternalError, "", "want a list")
			return
		}
		var err error
		if *p, err = parseDescribedProperties(c.draft, list, TrackScope); err != nil {
			c.fail(name, InternalError, "", err.Error())
		}
	default:
		c.keyValues(name, p, TrackScope)
	}
}

// checkOptions judges the options by themselves: who may send them, once or repeatedly, and their form (draft-16
// §9.3.1, draft-18 §10.3.1). They were read before, from start on.
func (c *coder) checkOptions(field string, sender Side, start int) {
	seen := map[uint64]bool{}
	r := kvReader{b: c.in[start:], d: c.draft}
	for i := 0; c.err == nil && r.more() && r.next() == nil; i++ {
		o, at := r.pair, field+"["+strconv.Itoa(i)+"]"
		c.at = c.base + start + r.start
		name := OptionName(c.draft, o.Type)
		if c.draft <= Draft16 && name != "" && !c.repeatableOption(o.Type) && seen[o.Type] {
			c.failf(at, ProtocolViolation, rules.ParameterRepeated, "%s stands twice", name)
			return
		}
		seen[o.Type] = true
		switch {
		case o.Type == OptionAuthorizationToken:
			c.checkTokenOption(at, sender, o.Bytes, c.base+start+r.n-len(o.Bytes))
		case o.Type == OptionPath && sender == ServerSide:
			c.fail(at, InvalidPath, rules.Path, "PATH from a server")
		case o.Type == OptionAuthority && sender == ServerSide && c.draft > Draft14:
			c.fail(at, InvalidAuthority, rules.Authority, "AUTHORITY from a server")
		case o.Type == OptionPath && !validPath(string(o.Bytes)):
			c.failf(at, MalformedPath, rules.PathForm, "%q is not a path of RFC 3986", o.Bytes)
		case o.Type == OptionAuthority && c.draft > Draft14 && !validAuthority(string(o.Bytes)):
			c.failf(at, MalformedAuthority, rules.AuthorityForm, "%q is not an authority of RFC 3986",
				o.Bytes)
		}
	}
}

// repeatableOption: tokens may be repeated in every draft; draft 14 gives AUTHORITY and MOQT_IMPLEMENTATION one code
// (§9.3.2.1, §9.3.2.6), so a client that sends both sends it twice. Later drafts' code of MOQT_IMPLEMENTATION has a
// name in 14 too, because setup codes are one namespace for all drafts, but is unknown to its text, which wants unknown
// ones allowed twice (§9.2).
func (c *coder) repeatableOption(t uint64) bool {
	return t == OptionAuthorizationToken || c.draft == Draft14 && (t == OptionAuthority || t == OptionImplementation)
}

// checkTokenOption judges a token whose bytes start at offset at.
func (c *coder) checkTokenOption(field string, sender Side, b []byte, at int) {
	t, err := ParseToken(c.draft, b)
	var e *Error
	switch {
	case errors.As(err, &e):
		c.at = at + e.Offset
		c.fail(strings.TrimSuffix(field+"."+e.Field, "."), e.Code, e.Rule, e.Reason)
	case c.draft >= Draft15 && sender == ClientSide && (t.AliasType == TokenDelete || t.AliasType == TokenUseAlias):
		c.fail(field, ProtocolViolation, rules.SetupTokenAlias, "DELETE or USE_ALIAS in a client's setup message")
	}
}

func (c *coder) describeOptions(sender Side, p Properties) []any {
	list := []any{}
	outer := c.desc
	for _, o := range p {
		name, text := optionName(c.draft, o.Type, sender)
		c.desc = Fields{{"type", typeValue(o.Type)}}
		if name != "" {
			c.state("name", name)
		}
		token, err := ParseToken(c.draft, o.Bytes)
		switch {
		case o.Type == OptionAuthorizationToken && err == nil:
			c.token(&token)
		case name == "":
			c.describeRaw(o.Type, &o.Uint, &o.Bytes)
		case o.Type%2 == 0:
			c.state("value", uintValue(o.Uint))
		case text:
			c.state("value", textValue(string(o.Bytes)))
		default:
			c.describeRaw(o.Type, &o.Uint, &o.Bytes)
		}
		list = append(list, c.desc)
	}
	c.desc = outer
	return list
}

func (c *coder) parseOptions(field string, p *Properties) {
	list, ok := c.take(field).([]any)
	if !ok {
		c.fail(field, InternalError, "", "want a list")
	}
	path, desc, used := c.path, c.desc, c.used
	for i, x := range list {
		c.path = path + field + "[" + strconv.Itoa(i) + "]."
		one, _ := x.(Fields)
		t, err := parseType(one)
		if err != nil {
			c.fail("type", InternalError, "", err.Error())
			return
		}
		o := Property{Type: t}
		c.desc, c.used = withoutName(one), nil
		if _, ok := one.Get("hex"); ok {
			c.describeRaw(t, &o.Uint, &o.Bytes)
		} else if _, ok := one.Get("alias_type"); ok {
			var token Token
			c.token(&token)
			if o.Bytes, err = AppendToken(nil, c.draft, token); err != nil {
				c.fail("alias_type", InternalError, "", err.Error())
			}
		} else if t%2 == 0 {
			o.Uint = c.takeUint("value")
		} else {
			s, err := parseText(c.take("value"))
			if err != nil {
				c.fail("value", InternalError, "", err.Error())
			}
			o.Bytes = []byte(s)
		}
		c.allTaken()
		*p = append(*p, o)
	}
	c.path, c.desc, c.used = path, desc, used
}
