// Package relays is the catalogue of MoQT implementations: who there is, in which roles, where they are reached, and
// what they claim to speak. One catalogue is built in; others are read from files, in the catalogue's own format (see
// Schema), in one of two public formats, or as a plain list of URLs.
//
// What stands here is a claim and a starting point. Which draft a relay really speaks, only a handshake tells.
package relays

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// FormatVersion is the version of the catalogue's own format; it grows when a reader of the last one would misread it.
const FormatVersion = 1

// Schema is the JSON schema (draft 2020-12) of a catalogue.
//
//go:embed catalogue.schema.json
var Schema []byte

//go:embed catalogue.json
var builtin []byte

// Catalogue is a list of implementations. Values read by this package are complete: defaults stand where the file had
// nothing.
type Catalogue struct {
	// Schema is what the file says under "$schema", for editors.
	Schema string `json:"$schema,omitempty"`
	// Format is FormatVersion.
	Format      int    `json:"format"`
	Description string `json:"description,omitempty"`
	// Target is the draft that the field aims at, if the file says so: against it a pair is at, ahead or behind.
	Target          Draft            `json:"target,omitempty"`
	Implementations []Implementation `json:"implementations"`
}

// Implementation is one implementation, or one deployment of it.
type Implementation struct {
	// Name is unique in a catalogue, whatever the case of its letters, and fit to be part of a file's name.
	Name Name `json:"name"`
	// Title is the name for people, where it differs.
	Title        string `json:"title,omitempty"`
	Organisation string `json:"organisation,omitempty"`
	// Repository is the URL of the source.
	Repository string `json:"repository,omitempty"`
	// Drafts are those it claims, in the file's order; none means that nobody said.
	Drafts []Draft `json:"drafts,omitempty"`
	Roles  []Role  `json:"roles"`
	// Endpoints are where it runs; Containers and Commands are how to run it.
	Endpoints  []Endpoint  `json:"endpoints,omitempty"`
	Containers []Container `json:"containers,omitempty"`
	Commands   []Command   `json:"commands,omitempty"`
	// Browser is the browser in which this program's cases are run, if the client is one.
	Browser Browser `json:"browser,omitempty"`
	// AnnounceBy names the messages that a publisher must send before the relay routes to it; none means that nobody
	// said.
	AnnounceBy []Announcement `json:"announce_by,omitempty"`
	// Tolerances are names for --compat that judging this relay needs. They are not checked here: codec and cases know
	// them.
	Tolerances []Tolerance `json:"tolerances,omitempty"`
	// Settings are what a client must be told to test it.
	Settings Settings `json:"settings,omitzero"`
	// Gating are the drafts whose failures count as failures of the whole run, in the opinion of who wrote the file.
	Gating []Draft `json:"gating,omitempty"`
	// DisabledSuites and XfailSuites are suites, by the names of the tool that the file was written for, that this
	// relay is spared, or expected to fail.
	DisabledSuites []string `json:"disabled_suites,omitempty"`
	XfailSuites    []string `json:"xfail_suites,omitempty"`
	Notes          string   `json:"notes,omitempty"`
}

// Endpoint is an address at which an implementation runs.
type Endpoint struct {
	// Name is what results are held on to by, whatever the address is today; unique among the implementation's
	// endpoints, containers and commands that play the same role.
	Name Name `json:"name,omitempty"`
	URL  URL  `json:"url"`
	// Role is what answers there; RoleRelay unless the file says otherwise.
	Role Role `json:"role,omitempty"`
	// Transport is the one that the endpoint is for; transport.Auto leaves it to the URL's scheme.
	Transport transport.Choice `json:"transport,omitempty"`
	// Drafts are those of this endpoint, where they are not all that the implementation claims.
	Drafts []Draft `json:"drafts,omitempty"`
	// TLSDisableVerify says that the certificate does not verify.
	TLSDisableVerify bool `json:"tls_disable_verify,omitempty"`
	// Status is Active unless the file says otherwise.
	Status Status `json:"status,omitempty"`
	// Tolerances are wanted in addition to the implementation's.
	Tolerances []Tolerance `json:"tolerances,omitempty"`
	Settings   Settings    `json:"settings,omitzero"`
	Notes      string      `json:"notes,omitempty"`
}

// Container is an image that plays a role, by the conventions of the public runner: a client takes RELAY_URL from its
// environment, a relay listens on MOQT_PORT.
type Container struct {
	// Name is as an Endpoint's.
	Name Name `json:"name,omitempty"`
	// Role is RoleRelay unless the file says otherwise.
	Role  Role  `json:"role,omitempty"`
	Image Image `json:"image"`
	// Args go after the image's name.
	Args []string `json:"args,omitempty"`
	// URL is what clients are given to reach the container, where it is not the usual one.
	URL URL `json:"url,omitempty"`
	// Build says how the image is made where it cannot be pulled.
	Build *Build `json:"build,omitempty"`
	// UpstreamImage is the one that Image adapts.
	UpstreamImage Image             `json:"upstream_image,omitempty"`
	Env           map[string]string `json:"env,omitempty"`
	// Transports are those that a client has; none means both.
	Transports []transport.Choice `json:"transports,omitempty"`
	// Cases are those of a client's own that it runs beside the standard ones, by its own names.
	Cases    []string `json:"cases,omitempty"`
	Settings Settings `json:"settings,omitzero"`
	Notes    string   `json:"notes,omitempty"`
}

// Build is a way to build an image; both paths are relative to the public runner's repository.
type Build struct {
	Dockerfile string `json:"dockerfile,omitempty"`
	Context    string `json:"context,omitempty"`
}

// Command is a program that plays a role.
type Command struct {
	// Name is as an Endpoint's.
	Name Name `json:"name,omitempty"`
	// Role is RoleRelay unless the file says otherwise.
	Role Role `json:"role,omitempty"`
	// Command is the program and its arguments.
	Command []string          `json:"command"`
	Env     map[string]string `json:"env,omitempty"`
	// URL is where a relay listens once it is up.
	URL ServedURL `json:"url,omitempty"`
	// Version is a command that prints the version, its first line.
	Version []string `json:"version,omitempty"`
	// Transports are those that a client has; none means both.
	Transports []transport.Choice `json:"transports,omitempty"`
	// Cases are those of a client's own that it runs beside the standard ones, by its own names.
	Cases    []string `json:"cases,omitempty"`
	Settings Settings `json:"settings,omitzero"`
	Notes    string   `json:"notes,omitempty"`
}

// Default is the built-in catalogue. The caller owns it.
func Default() (*Catalogue, error) {
	c, _, err := Import(FormatCatalogue, "catalogue.json", bytes.NewReader(builtin))
	return c, err
}

// Validate says what is wrong with a catalogue that did not come from a file: the same as for one that did.
func (c *Catalogue) Validate() error {
	var b bytes.Buffer
	if err := c.WriteJSON(&b); err != nil {
		return err
	}
	_, _, err := Import(FormatCatalogue, "catalogue", &b)
	return err
}

// WriteJSON writes the catalogue in its own format, which Import reads back to an equal one.
func (c *Catalogue) WriteJSON(w io.Writer) error {
	out := *c
	out.Format = FormatVersion
	if out.Implementations == nil {
		out.Implementations = []Implementation{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(&out)
}

// Find gives the implementation of that name, whatever the case of its letters.
func (c *Catalogue) Find(name string) (Implementation, bool) {
	i := c.index(Name(name))
	if i < 0 {
		return Implementation{}, false
	}
	return c.Implementations[i], true
}

// Only gives a catalogue that has only the implementations of these names, in their order. The error names what there
// is not.
func (c *Catalogue) Only(names ...string) (*Catalogue, error) {
	out := *c
	out.Implementations = nil
	for _, name := range names {
		im, ok := c.Find(name)
		if !ok {
			return nil, fmt.Errorf("relays: no implementation is called %q; there are: %s", name,
				strings.Join(c.Names(), ", "))
		}
		out.Implementations = append(out.Implementations, im)
	}
	return &out, nil
}

// OwnCases are the cases that clients of the catalogue have beside the standard ones, each once.
func (c *Catalogue) OwnCases() []string {
	var names []string
	for _, im := range c.Implementations {
		for _, k := range im.Commands {
			names = append(names, k.Cases...)
		}
		for _, k := range im.Containers {
			names = append(names, k.Cases...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (c *Catalogue) index(name Name) int {
	return slices.IndexFunc(c.Implementations,
		func(i Implementation) bool { return strings.EqualFold(string(i.Name), string(name)) })
}

// Names are the names of all implementations, in the catalogue's order.
func (c *Catalogue) Names() []string {
	names := make([]string, len(c.Implementations))
	for i, im := range c.Implementations {
		names[i] = string(im.Name)
	}
	return names
}

// Merge extends base by over: what over has replaces the implementation of the same name, as a whole, or stands behind
// the rest. Description and target are over's where it has them. Neither argument is changed; the result shares their
// slices.
func Merge(base, over *Catalogue) *Catalogue {
	out := *base
	out.Implementations = slices.Clone(base.Implementations)
	if over.Description != "" {
		out.Description = over.Description
	}
	if over.Target != "" {
		out.Target = over.Target
	}
	for _, im := range over.Implementations {
		if i := out.index(im.Name); i >= 0 {
			out.Implementations[i] = im
		} else {
			out.Implementations = append(out.Implementations, im)
		}
	}
	return &out
}

// DraftsAt are the drafts that are claimed for an endpoint: its own, or else the implementation's. None means that
// nobody said.
func (i Implementation) DraftsAt(e Endpoint) []Draft {
	if len(e.Drafts) > 0 {
		return e.Drafts
	}
	return i.Drafts
}

// TolerancesAt are the implementation's and the endpoint's tolerances, each once.
func (i Implementation) TolerancesAt(e Endpoint) []Tolerance {
	var all []Tolerance
	for _, t := range slices.Concat(i.Tolerances, e.Tolerances) {
		if !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	return all
}

// complete fills in the defaults.
func (c *Catalogue) complete() {
	c.Format = FormatVersion
	for i := range c.Implementations {
		im := &c.Implementations[i]
		for j := range im.Endpoints {
			e := &im.Endpoints[j]
			orDefault(&e.Role, RoleRelay)
			orDefault(&e.Transport, transport.Auto)
			orDefault(&e.Status, Active)
		}
		for j := range im.Containers {
			orDefault(&im.Containers[j].Role, RoleRelay)
		}
		for j := range im.Commands {
			orDefault(&im.Commands[j].Role, RoleRelay)
		}
	}
}

func orDefault[T ~string](v *T, d T) {
	if *v == "" {
		*v = d
	}
}
