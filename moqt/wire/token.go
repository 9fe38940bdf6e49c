package wire

import (
	"encoding/hex"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// AliasType says what an AUTHORIZATION_TOKEN does (draft-18 §10.2.2).
type AliasType uint64

// The alias types.
const (
	TokenDelete   AliasType = 0x0 // retire the alias
	TokenRegister AliasType = 0x1 // bind the alias to the token for the session
	TokenUseAlias AliasType = 0x2 // use the registered token
	TokenUseValue AliasType = 0x3 // use the token once
)

// Token is the value of an AUTHORIZATION_TOKEN parameter or setup option.
type Token struct {
	AliasType AliasType
	// Alias counts for DELETE, REGISTER and USE_ALIAS.
	Alias uint64
	// Type and Value count for REGISTER and USE_VALUE. Type 0 is agreed out of band.
	Type  uint64
	Value []byte
}

// ParseToken reads the bytes of a token, as a setup option has them.
func ParseToken(d Draft, b []byte) (Token, error) {
	c := coder{op: opDecode, draft: d, in: b, part: "token", row: &row{name: "AUTHORIZATION_TOKEN"}}
	var t Token
	c.token(&t)
	if c.err == nil && c.pos < len(b) {
		c.at = c.pos
		c.failf("", KeyValueFormattingError, rules.TokenForm, "%d bytes left over behind the token",
			len(b)-c.pos)
	}
	if c.err != nil {
		c.err.Code, c.err.Rule = KeyValueFormattingError, rules.TokenForm
		return Token{}, c.err
	}
	return t, nil
}

// AppendToken writes a token as a setup option has it.
func AppendToken(b []byte, d Draft, t Token) ([]byte, error) {
	c := coder{op: opEncode, draft: d, out: b, row: &row{name: "AUTHORIZATION_TOKEN"}}
	c.token(&t)
	if c.err != nil {
		return b, c.err
	}
	return c.out, nil
}

// token is the structure of draft-18 §10.2.2; the Token Value goes to the end of what holds the token.
func (c *coder) token(t *Token) {
	c.varint("alias_type", (*uint64)(&t.AliasType))
	if c.err != nil {
		return
	}
	if t.AliasType > TokenUseValue {
		c.failf("alias_type", KeyValueFormattingError, rules.TokenForm, "want 0 to 3, got %d", t.AliasType)
		return
	}
	if t.AliasType != TokenUseValue {
		c.varint("token_alias", &t.Alias)
	}
	if t.AliasType == TokenRegister || t.AliasType == TokenUseValue {
		c.varint("token_type", &t.Type)
		c.restBytes("token_value", &t.Value)
	}
}

// restBytes are all bytes up to the end of what is being read, shown as hex.
func (c *coder) restBytes(name string, b *[]byte) {
	if c.err != nil {
		return
	}
	switch c.op {
	case opDecode:
		*b = append([]byte{}, c.in[c.pos:]...)
		c.pos = len(c.in)
	case opEncode:
		c.out = append(c.out, *b...)
	case opDescribe:
		c.state(name, hex.EncodeToString(*b))
	case opParse:
		v, err := parseHex(c.take(name))
		if err != nil {
			c.fail(name, InternalError, "", err.Error())
		}
		*b = v
	}
}
