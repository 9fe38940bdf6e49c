package matrix

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/moqinterop/moq-interop-client/relays"
)

// secrets are the values of {env:NAME} that a run has used. Whatever a run writes has their names instead.
type secrets struct {
	o  *Options
	mu sync.Mutex
	// pairs are values and what stands for them, the longest value first.
	pairs []string
}

// leastSecret is the length from which a value is looked for in what programs print: shorter ones would hide words.
const leastSecret = 4

// value gives the value of a variable, which is hidden from now on.
func (s *secrets) value(name string) (string, error) {
	value, ok := s.o.variable(name)
	if !ok || value == "" {
		return "", fmt.Errorf("the variable %s, which has a secret, is not set", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(value) >= leastSecret && !slices.Contains(s.pairs, value) {
		at := 0
		for at < len(s.pairs) && len(s.pairs[at]) > len(value) {
			at += 2
		}
		s.pairs = slices.Insert(s.pairs, at, value, string(relays.SecretOf(name)))
	}
	return value, nil
}

// token gives the authorization token of an endpoint; empty when it has none.
func (s *secrets) token(e Endpoint) (string, error) {
	if e.Settings.AuthToken == "" {
		return "", nil
	}
	return s.value(e.Settings.AuthToken.Variable())
}

// replacer hides the secrets in a text; nil when there are none.
func (s *secrets) replacer() *strings.Replacer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pairs) == 0 {
		return nil
	}
	return strings.NewReplacer(s.pairs...)
}

// bytes hides the secrets in what a program printed.
func (s *secrets) bytes(b []byte) []byte {
	if r := s.replacer(); r != nil && len(b) > 0 {
		return []byte(r.Replace(string(b)))
	}
	return b
}

// outcome hides the secrets in all that is kept of an outcome.
func (s *secrets) outcome(o *outcome) {
	r := s.replacer()
	if r == nil {
		return
	}
	o.tap, o.stderr = s.bytes(o.tap), s.bytes(o.stderr)
	o.bail, o.problem, o.died = r.Replace(o.bail), r.Replace(o.problem), r.Replace(o.died)
	hide(reflect.ValueOf(&o.cases).Elem(), r)
	hide(reflect.ValueOf(&o.notes).Elem(), r)
	for name, lines := range o.transcript {
		out := make([]string, len(lines))
		for i, line := range lines {
			out[i] = r.Replace(line)
		}
		o.transcript[name] = out
	}
}

// hide replaces in every text of lists and structs.
func hide(v reflect.Value, r *strings.Replacer) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(r.Replace(v.String()))
	case reflect.Slice:
		for i := range v.Len() {
			hide(v.Index(i), r)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			hide(v.Field(i), r)
		}
	}
}

// environment is what a program gets in addition to ours: what may be seen, and what may not.
type environment struct {
	plain, secret []string // NAME=value
}

// add gives it a pair, unless the value is empty.
func (e *environment) add(name, value string) {
	if value != "" {
		e.plain = append(e.plain, name+"="+value)
	}
}

// own adds the values of a command's own environment, which may have placeholders and secrets.
func (e *environment) own(words scope, env map[string]string, secret func(string) (string, error)) error {
	for _, pair := range sortedEnv(env) {
		name, value, _ := strings.Cut(pair, "=")
		words, to := words, &e.plain
		if strings.Contains(value, "{env:") {
			words.secret, to = secret, &e.secret
		}
		out, err := words.expand([]string{"env", value})
		if err != nil {
			return fmt.Errorf("env %s: %w", name, err)
		}
		if len(out) == 1 {
			out = append(out, "")
		}
		*to = append(*to, name+"="+out[1])
	}
	return nil
}

// all is both.
func (e *environment) all() []string { return slices.Concat(e.plain, e.secret) }

// forEngine gives a container's environment as arguments for the engine, which takes the secrets from its own.
func (e *environment) forEngine() (args []string) {
	for _, pair := range e.plain {
		args = append(args, "-e", pair)
	}
	for _, pair := range e.secret {
		name, _, _ := strings.Cut(pair, "=")
		args = append(args, "-e", name)
	}
	return args
}

// before is the secrets as assignments in front of a shell's command: no argument of any program.
func (e *environment) before(program []string) string {
	out := ""
	for _, pair := range e.secret {
		name, value, _ := strings.Cut(pair, "=")
		out += name + "=" + cmp.Or(line([]string{value}, program), "''") + " "
	}
	return out
}
