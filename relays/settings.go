package relays

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Settings are what a client must be told to test an implementation fairly. Their names are those of the flags that say
// the same of a single run. What an endpoint, a command or a container says goes before what its implementation says.
type Settings struct {
	// AuthToken is the authorization token of every request that allows one: {env:NAME}, the variable that has it.
	AuthToken Secret `json:"auth-token,omitempty"`
	// NamespacePrefix are the leading fields of all our namespaces, with / between them.
	NamespacePrefix Prefix `json:"namespace-prefix,omitempty"`
	// Compat are tolerances, in addition to the implementation's and the endpoint's.
	Compat []Tolerance `json:"compat,omitempty"`
	// TimeoutFactor stretches every limit, for a relay that is slow or far away.
	TimeoutFactor Factor `json:"timeout-factor,omitempty"`
	// Strict lets a broken SHOULD fail a case.
	Strict bool `json:"strict,omitempty"`
	// TLS says which certificates are taken: "no-verify" for any, or a PEM file with the authorities to trust.
	TLS string `json:"tls,omitempty"`
}

// NoVerify is the value of Settings.TLS that takes any certificate.
const NoVerify = "no-verify"

// Over gives s, with what under says where s says nothing. Tolerances of both count.
func (s Settings) Over(under Settings) Settings {
	s.AuthToken = cmp.Or(s.AuthToken, under.AuthToken)
	s.NamespacePrefix = cmp.Or(s.NamespacePrefix, under.NamespacePrefix)
	s.TimeoutFactor = cmp.Or(s.TimeoutFactor, under.TimeoutFactor)
	s.Strict = s.Strict || under.Strict
	s.TLS = cmp.Or(s.TLS, under.TLS)
	all := slices.Concat(under.Compat, s.Compat)
	s.Compat = nil
	for _, t := range all {
		if !slices.Contains(s.Compat, t) {
			s.Compat = append(s.Compat, t)
		}
	}
	return s
}

// Secret is the place of a text that must not stand in a file: {env:NAME} is the variable of that name.
type Secret string

var secretForm = regexp.MustCompile(`^\{env:([A-Za-z_][A-Za-z0-9_]*)\}$`)

// Variable is the name of the environment's variable that has the secret; empty for no secret.
func (s Secret) Variable() string {
	if m := secretForm.FindStringSubmatch(string(s)); m != nil {
		return m[1]
	}
	return ""
}

// SecretOf is the secret that a variable has.
func SecretOf(variable string) Secret { return Secret("{env:" + variable + "}") }

// Prefix is a namespace prefix: fields with / between them.
type Prefix string

// maxPrefix leaves room for the fields that cases add.
const maxPrefix = wire.MaxNamespaceFields - 4

// Namespace gives the fields; the error says why the text is no prefix.
func (p Prefix) Namespace() (wire.TrackNamespace, error) {
	if p == "" {
		return nil, nil
	}
	fields := wire.TrackNamespace(strings.Split(string(p), "/"))
	switch {
	case slices.Contains(fields, ""):
		return nil, fmt.Errorf("%q has an empty field", string(p))
	case len(fields) > maxPrefix:
		return nil, fmt.Errorf("%d fields, at most %d leave room for ours", len(fields), maxPrefix)
	case len(p) > wire.MaxFullTrackName/2:
		return nil, fmt.Errorf("%d bytes, at most %d leave room for ours", len(p), wire.MaxFullTrackName/2)
	}
	return fields, nil
}

// Factor stretches limits: above 0, at most 1000.
type Factor float64

// Check gives an error for a factor that makes no sense.
func (f Factor) Check() error {
	if !(f > 0) || math.IsInf(float64(f), 0) || f > 1000 {
		return fmt.Errorf("%v is not above 0 and at most 1000", float64(f))
	}
	return nil
}

// PortMark stands in a command's URL for the port that it is given.
const PortMark = "{port}"

// ServedURL is where a command listens once it is up: a relay's URL, which may have PortMark for its port.
type ServedURL string

// AtPort gives the URL with a port in the place of PortMark.
func (u ServedURL) AtPort(port string) URL { return URL(strings.Replace(string(u), PortMark, port, 1)) }

// AnyPort reports whether the port is one that the command is given.
func (u ServedURL) AnyPort() bool { return strings.Contains(string(u), ":"+PortMark) }

// checkSetting is check for the types of this file.
func checkSetting(v any) error {
	switch v := v.(type) {
	case Secret:
		if v.Variable() == "" {
			return errors.New("want {env:NAME}, a variable of the environment: a secret does not stand in a file")
		}
	case Prefix:
		if _, err := v.Namespace(); err != nil {
			return fmt.Errorf("bad namespace prefix: %w", err)
		}
	case Factor:
		return v.Check()
	case ServedURL:
		return check(v.AtPort("1"))
	}
	return nil
}
