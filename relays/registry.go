package relays

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// The public registry, as its schema describes it. Nothing is required but what makes an entry useful.
type (
	registry struct {
		Description     string                 `json:"description,omitempty"`
		CurrentTarget   Draft                  `json:"current_target,omitempty"`
		Implementations map[Name]registryEntry `json:"implementations"`
	}
	registryEntry struct {
		Name          string        `json:"name,omitempty"`
		Organization  string        `json:"organization,omitempty"`
		Repository    string        `json:"repository,omitempty"`
		DraftVersions []Draft       `json:"draft_versions,omitempty"`
		Roles         registryRoles `json:"roles,omitempty"`
		Notes         string        `json:"notes,omitempty"`
	}
	registryRoles struct {
		Relay      *registryRole `json:"relay,omitempty"`
		Client     *registryRole `json:"client,omitempty"`
		Publisher  *registryRole `json:"publisher,omitempty"`
		Subscriber *registryRole `json:"subscriber,omitempty"`
	}
	registryRole struct {
		Docker *registryImage     `json:"docker,omitempty"`
		Remote []registryEndpoint `json:"remote,omitempty"`
	}
	registryImage struct {
		Image         Image             `json:"image"`
		URL           URL               `json:"url,omitempty"`
		Build         *Build            `json:"build,omitempty"`
		UpstreamImage Image             `json:"upstream_image,omitempty"`
		Env           map[string]string `json:"env,omitempty"`
		Notes         string            `json:"notes,omitempty"`
	}
	registryEndpoint struct {
		Node             *node
		URL              URL              `json:"url"`
		Transport        transport.Choice `json:"transport,omitempty"`
		Status           Status           `json:"status,omitempty"`
		DraftVersion     Draft            `json:"draft_version,omitempty"`
		TLSDisableVerify bool             `json:"tls_disable_verify,omitempty"`
		Notes            string           `json:"notes,omitempty"`
	}
)

func (f *filler) readRegistry(root *node) *Catalogue {
	var in registry
	if !f.fill(reflect.ValueOf(&in).Elem(), root) {
		return nil
	}
	if v := root.get("version"); v != nil && !strings.HasPrefix(v.value, "1.") {
		f.add(v, "unknown version of the registry, read as if it were 1")
	}
	c := &Catalogue{Description: in.Description, Target: in.CurrentTarget, Implementations: []Implementation{}}
	var nodes []*node
	for _, item := range root.get("implementations").items { // for the file's order
		entry, ok := in.Implementations[Name(item.key)]
		if !ok {
			continue
		}
		im := Implementation{
			Name: Name(item.key), Title: entry.Name, Organisation: entry.Organization, Repository: entry.Repository,
			Drafts: entry.DraftVersions, Roles: []Role{}, Notes: entry.Notes,
		}
		f.role(&im, RoleRelay, entry.Roles.Relay)
		f.role(&im, RoleClient, entry.Roles.Client)
		f.role(&im, RolePublisher, entry.Roles.Publisher)
		f.role(&im, RoleSubscriber, entry.Roles.Subscriber)
		c.Implementations = append(c.Implementations, im)
		nodes = append(nodes, item)
	}
	if f.names(c, nodes) {
		return nil
	}
	return c
}

// role adds a role with its image and its endpoints.
func (f *filler) role(im *Implementation, role Role, in *registryRole) {
	if in == nil {
		return
	}
	im.Roles = append(im.Roles, role)
	if d := in.Docker; d != nil {
		im.Containers = append(im.Containers, Container{
			Role: role, Image: d.Image, URL: d.URL, Build: d.Build, UpstreamImage: d.UpstreamImage, Env: d.Env,
			Notes: d.Notes,
		})
	}
	for _, r := range in.Remote {
		e := Endpoint{URL: r.URL, Role: role, Transport: r.Transport, TLSDisableVerify: r.TLSDisableVerify,
			Status: r.Status, Notes: r.Notes}
		if r.DraftVersion != "" {
			e.Drafts = []Draft{r.DraftVersion}
		}
		orDefault(&e.Transport, transport.Auto)
		if slices.ContainsFunc(im.Endpoints, e.same) {
			f.add(r.Node, fmt.Sprintf("left out: %s is listed before with the same role, transport and drafts", r.URL))
			continue
		}
		im.Endpoints = append(im.Endpoints, e)
	}
}
