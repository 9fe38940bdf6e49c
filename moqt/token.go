package moqt

import (
	"bytes"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// tokenCost is what a registered token counts.
func tokenCost(t wire.Token) uint64 { return 16 + uint64(len(t.Value)) }

// messageRefused says that a message must be refused without the application; the session stays open (draft-19
// §10.2.2).
type messageRefused struct {
	code   RejectCode
	reason string
}

func (e *messageRefused) Error() string { return e.reason }

// resolve applies the tokens of one message in order, and gives what they amount to as USE_VALUE. A *wire.Error closes
// the session (draft-19 §10.2.2, and §10.2 for a token given twice from 15 on); a *messageRefused refuses the message.
// Registrations take effect in both cases of the latter (draft-18 §10.2.2).
//
// The drafts assign no request code for an alias that is not registered (draft-19 §10.2.2); it is refused with
// MALFORMED_AUTH_TOKEN.
func (s *Session) resolve(message string, tokens []wire.Token, inSetup bool) ([]wire.Token, error) {
	if len(tokens) == 0 {
		return nil, nil
	}
	c := &s.tokens
	c.mu.Lock()
	defer c.mu.Unlock()
	var values []wire.Token
	var refused error
	refuse := func(code RejectCode, format string, args ...any) {
		if refused == nil {
			refused = &messageRefused{code, fmt.Sprintf(format, args...)}
		}
	}
	for _, t := range tokens {
		entry, known := c.entries[t.Alias]
		value := wire.Token{AliasType: wire.TokenUseValue, Type: t.Type, Value: t.Value}
		switch t.AliasType {
		case wire.TokenRegister:
			switch {
			case known:
				return nil, s.breach(message, wire.DuplicateAuthTokenAlias, rules.TokenAlias,
					"alias %d is registered already", t.Alias)
			case c.limit < c.size+tokenCost(t) && !inSetup:
				return nil, s.breach(message, wire.AuthTokenCacheOverflow, rules.TokenCache,
					"alias %d needs %d bytes, %d of %d are taken", t.Alias, tokenCost(t), c.size, c.limit)
			case c.limit < c.size+tokenCost(t): // counts as USE_VALUE there
			default:
				if c.entries == nil {
					c.entries = make(map[uint64]registered)
				}
				c.entries[t.Alias] = registered{token: value}
				c.size += tokenCost(t)
				s.account.Force(HeldTokens, int64(tokenCost(t)))
			}
		case wire.TokenUseAlias:
			if !known {
				refuse(RejectMalformedAuthToken, "UNKNOWN_AUTH_TOKEN_ALIAS: alias %d is not registered", t.Alias)
				continue
			}
			if entry.expired {
				refuse(RejectExpiredAuthToken, "the token with alias %d has expired", t.Alias)
				continue
			}
			value = entry.token
		case wire.TokenDelete:
			if !known {
				refuse(RejectMalformedAuthToken, "UNKNOWN_AUTH_TOKEN_ALIAS: alias %d is not registered", t.Alias)
				continue
			}
			delete(c.entries, t.Alias)
			c.size -= tokenCost(entry.token)
			s.account.Give(HeldTokens, int64(tokenCost(entry.token)))
			continue
		}
		if s.draft >= wire.Draft15 {
			for _, v := range values {
				if v.Type == value.Type && bytes.Equal(v.Value, value.Value) {
					return nil, s.breach(message, wire.ProtocolViolation, rules.TokenTwice,
						"it has the same token twice")
				}
			}
		}
		values = append(values, value)
	}
	return values, refused
}

// setupTokens takes over the tokens of the peer's setup message. DELETE and USE_ALIAS have no place in a client's from
// 15 on (draft-16 §9.2.2.1); up to 16 package wire sees to that. What refers to an alias elsewhere is passed over:
// nothing can be registered yet.
func (s *Session) setupTokens(m *wire.Setup) ([]wire.Token, error) {
	var tokens []wire.Token
	for _, o := range m.Options {
		if o.Type != wire.OptionAuthorizationToken {
			continue
		}
		t, err := wire.ParseToken(s.draft, o.Bytes)
		if err != nil {
			return nil, err
		}
		byAlias := t.AliasType == wire.TokenDelete || t.AliasType == wire.TokenUseAlias
		if byAlias && m.Sender == wire.ClientSide && s.draft >= wire.Draft15 {
			return nil, s.breach("SETUP", wire.ProtocolViolation, rules.SetupTokenAlias,
				"DELETE or USE_ALIAS in a client's setup message")
		}
		if !byAlias {
			tokens = append(tokens, t)
		}
	}
	return s.resolve("SETUP", tokens, true)
}

// ExpireAuthToken marks a token that the peer has registered as expired. Messages that use its alias from now on are
// refused with EXPIRED_AUTH_TOKEN (draft-18 §10.2.2). It does nothing for an unknown alias.
func (s *Session) ExpireAuthToken(alias uint64) {
	c := &s.tokens
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[alias]; ok {
		e.expired = true
		c.entries[alias] = e
	}
}
