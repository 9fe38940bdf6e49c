package relays

import (
	"fmt"
	"reflect"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// aiomoqt's list of relays, both ages of it.
type (
	aiomoqtList struct {
		Relays []aiomoqtRelay `json:"relays"`
	}
	aiomoqtRelay struct {
		Node           *node
		Name           Name          `json:"name"`
		URLs           aiomoqtURLs   `json:"urls,omitempty"`
		Drafts         []draftNumber `json:"drafts,omitempty"`
		PubMode        publishMode   `json:"pub_mode,omitempty"`
		Insecure       bool          `json:"insecure,omitempty"`
		Disabled       bool          `json:"disabled,omitempty"`
		DisabledSuites []string      `json:"disabled_suites,omitempty"`
		XfailSuites    []string      `json:"xfail_suites,omitempty"`
		Compat         []Tolerance   `json:"compat,omitempty"`
		Gating         []draftNumber `json:"gating,omitempty"`
		Notes          string        `json:"notes,omitempty"`
	}
	aiomoqtURLs struct {
		RawQUIC URL `json:"raw-quic,omitempty"`
		H3WT    URL `json:"h3-wt,omitempty"`
	}
	// draftNumber is a draft as a bare number.
	draftNumber int
	// publishMode is what a publisher sends.
	publishMode string
)

const (
	modePublish          publishMode = "publish"
	modePublishNamespace publishMode = "publish-ns"
	modeBoth             publishMode = "publish-both"
)

var announcements = map[publishMode][]Announcement{
	modePublish:          {ByPublish},
	modePublishNamespace: {ByPublishNamespace},
	modeBoth:             {ByPublishNamespace, ByPublish},
}

func (f *filler) readAiomoqt(root *node) *Catalogue {
	var in aiomoqtList
	if !f.fill(reflect.ValueOf(&in).Elem(), root) {
		return nil
	}
	c := &Catalogue{Implementations: []Implementation{}}
	var nodes []*node
	for _, r := range in.Relays {
		im := Implementation{
			Name: r.Name, Drafts: draftsOf(r.Drafts), Roles: []Role{RoleRelay}, AnnounceBy: announcements[r.PubMode],
			Tolerances: r.Compat,
			Gating:     draftsOf(r.Gating), DisabledSuites: r.DisabledSuites, XfailSuites: r.XfailSuites,
			Notes: r.Notes,
		}
		// What the row says about TLS and about being switched off holds for both of its URLs.
		add := func(url URL, t transport.Choice) {
			if url == "" {
				return
			}
			e := Endpoint{URL: url, Role: RoleRelay, Transport: t, TLSDisableVerify: r.Insecure}
			if r.Disabled {
				e.Status = Inactive
			}
			im.Endpoints = append(im.Endpoints, e)
		}
		add(r.URLs.RawQUIC, transport.OnlyQUIC)
		add(r.URLs.H3WT, transport.OnlyWebTransport)
		if len(im.Endpoints) == 0 {
			for _, key := range []string{"insecure", "disabled"} {
				if item := r.Node.get(key); item != nil && item.value == "true" {
					f.add(item, "holds for URLs, and there is none")
				}
			}
		}
		c.Implementations = append(c.Implementations, im)
		nodes = append(nodes, r.Node.get("name"))
	}
	if f.names(c, nodes) {
		return nil
	}
	return c
}

func draftsOf(numbers []draftNumber) []Draft {
	var out []Draft
	for _, n := range numbers {
		out = append(out, Draft(fmt.Sprintf("draft-%02d", n)))
	}
	return out
}
