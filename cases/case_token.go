package cases

import (
	"context"
	"errors"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// tokenBytes is how many bytes of tokens the relay stores for a session.
func (s *Session) tokenBytes() uint64 {
	p, _ := s.PeerSetup().Options.Get(wire.OptionMaxAuthTokenCacheSize)
	return p.Uint
}

// tokenOverhead is what a registered token counts in addition to its value, in bytes (draft-18 §10.3.1.3).
const tokenOverhead = 16

// tokenValue is the user's token, or a made-up one.
func (e *Env) tokenValue() []byte {
	if e.cfg.AuthToken != "" {
		return []byte(e.cfg.AuthToken)
	}
	return []byte("moq-interop " + e.run)
}

var tokenAlias = limitsCase("token-alias", "A token alias works like the token that it stands for", 0,
	[]Fault{
		requestFault("token-alias-lost", "EXPIRED_AUTH_TOKEN by alias"),
		requestFault("announce-silent", "nothing for 5000 ms after PUBLISH_NAMESPACE"),
	}, runTokenAlias, rules.Token, rules.TokenRegister)

// runTokenAlias: PUBLISH_NAMESPACE with the token by value, registered, and by its alias (draft-18 §10.2.2). A relay
// may accept the token or refuse it.
func runTokenAlias(ctx context.Context, e *Env) error {
	s := e.Dial(ctx, "client")
	value := e.tokenValue()
	if s.tokenBytes() < tokenOverhead+uint64(len(value)) {
		e.NotApplicable("the relay stores %d bytes of tokens (MAX_AUTH_TOKEN_CACHE_SIZE), %d are needed",
			s.tokenBytes(), tokenOverhead+len(value))
	}
	var answers []string
	for i, t := range []wire.Token{
		{AliasType: wire.TokenUseValue, Value: value},
		{AliasType: wire.TokenRegister, Alias: 7, Value: value},
		{AliasType: wire.TokenUseAlias, Alias: 7},
	} {
		step, cancel := e.Step(ctx)
		defer cancel()
		ns := e.Namespace(fmt.Sprint(i))
		_, err := s.PublishNamespace(step, ns, wire.Parameters{TokenParameter(t)})
		var refused *moqt.RequestError
		answer := s.OKName(wire.KindPublishNamespace)
		switch {
		case errors.As(err, &refused):
			answer = wire.RequestErrorCode(refused.Code).In(s.Draft(), wire.KindPublishNamespace)
		case err != nil:
			s.Check(step, err, transport.LayerRequest, "an answer to PUBLISH_NAMESPACE with a token")
		}
		answers = append(answers, answer)
	}
	e.Annotate("by value: %s; registered: %s; by alias: %s", answers[0], answers[1], answers[2])
	if answers[1] != answers[0] || answers[2] != answers[0] {
		e.Fail(transport.LayerRequest, "the same answer by value, when registered, and by alias",
			fmt.Sprintf("%s by value, %s when registered, %s by alias", answers[0], answers[1], answers[2]))
	}
	return nil
}

// registers registers a token of one byte and ends the case unless the relay answers. Such a token is none of its
// making, so it may refuse the request.
func (s *Session) registers(ctx context.Context, alias uint64) {
	step, cancel := s.e.Step(ctx)
	defer cancel()
	t := wire.Token{AliasType: wire.TokenRegister, Alias: alias, Value: []byte{0}}
	_, err := s.PublishNamespace(step, s.e.Namespace(fmt.Sprint(alias)), wire.Parameters{TokenParameter(t)})
	s.answered(step, err, "an answer to PUBLISH_NAMESPACE that registers a token alias")
}

var tokenTwice = endingCase("token-alias-twice",
	"Registering a token alias twice closes the session with DUPLICATE_AUTH_TOKEN_ALIAS", 0,
	[]Fault{
		requestFault("close-code-wrong", "connection closed by the peer with 0x1 INTERNAL_ERROR"),
	},
	func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "client")
		if s.tokenBytes() < tokenOverhead+1 {
			e.NotApplicable("the relay stores no tokens (MAX_AUTH_TOKEN_CACHE_SIZE %d)", s.tokenBytes())
		}
		s.registers(ctx, 1)
		if s.tokenBytes() >= 3*(tokenOverhead+1) { // a second alias is no breach
			s.registers(ctx, 2)
		}
		t := wire.Token{AliasType: wire.TokenRegister, Alias: 1, Value: []byte{1}}
		_, err := s.StartPublishNamespace(ctx, e.Namespace("again"), wire.Parameters{TokenParameter(t)})
		s.Check(ctx, err, transport.LayerRequest, "PUBLISH_NAMESPACE to be sent")
		s.WantClosed(ctx, "a token alias that is registered twice", wire.DuplicateAuthTokenAlias)
		return nil
	}, rules.TokenAlias)

var tokenOverflow = endingCase("token-cache-overflow",
	"A token larger than the relay's cache closes the session with AUTH_TOKEN_CACHE_OVERFLOW", 0,
	[]Fault{
		requestFault("close-code-wrong", "connection closed by the peer with 0x1 INTERNAL_ERROR"),
	},
	func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "client")
		size := s.tokenBytes()
		if size > 1<<15 { // a control message has at most 2^16-1 bytes
			e.NotApplicable("the relay stores %d bytes of tokens, more than one message can hold", size)
		}
		// The same token by value is allowed: it is not stored. So is registering one that there is room for.
		step, cancel := e.Step(ctx)
		defer cancel()
		t := wire.Token{AliasType: wire.TokenUseValue, Value: Filled(int(size)+1, 1, 1)}
		_, err := s.PublishNamespace(step, e.Namespace("by-value"), wire.Parameters{TokenParameter(t)})
		s.answered(step, err, "an answer to PUBLISH_NAMESPACE with the same token by value")
		if size > tokenOverhead {
			s.registers(ctx, 2)
		}
		t.AliasType, t.Alias = wire.TokenRegister, 1
		ps := wire.Parameters{TokenParameter(t)}
		_, err = s.StartPublishNamespace(ctx, e.Namespace(), ps)
		s.Check(ctx, err, transport.LayerRequest, "PUBLISH_NAMESPACE to be sent")
		s.WantClosed(ctx, fmt.Sprintf("a token larger than MAX_AUTH_TOKEN_CACHE_SIZE, %d bytes", size),
			wire.AuthTokenCacheOverflow)
		return nil
	}, rules.TokenCache)
