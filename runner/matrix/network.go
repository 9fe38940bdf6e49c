package matrix

import (
	"fmt"
	"strings"

	"github.com/moqinterop/moq-interop-client/internal/badpath"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// noNetwork stands in PlanOptions.Networks for the way as it is.
const noNetwork = "none"

// overNetworks gives the endpoint once for each path that leads to it.
func overNetworks(e Endpoint, networks []string) []Endpoint {
	if len(networks) == 0 {
		return []Endpoint{e}
	}
	var all []Endpoint
	for _, network := range networks {
		way := e
		if network != noNetwork {
			way.Network = strings.ReplaceAll(network, " ", "")
			way.Name += "+" + pathName(way.Network)
			way.TLSDisableVerify = true // the address is that of the path
		}
		all = append(all, way)
	}
	return all
}

// pathName makes a name of a path: "loss3pct-rtt100ms".
func pathName(network string) string {
	name := strings.NewReplacer("=", "", "%", "pct", ",", "-").Replace(network)
	return slug(name)
}

// through gives the URL that leads through the endpoint's bad path, if it has one.
func (h *host) through(url string) (string, error) {
	if h.e.Network == "" {
		return url, nil
	}
	u, err := transport.ParseURL(url)
	if err != nil {
		return "", err
	}
	path, err := badpath.ParsePath(h.e.Network)
	if err != nil {
		return "", err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	proxy := h.paths[u.Addr()]
	if proxy == nil {
		if proxy, err = badpath.Listen("127.0.0.1:0", u.Addr(), path); err != nil {
			return "", fmt.Errorf("the bad path: %w", err)
		}
		if h.paths == nil {
			h.paths = make(map[string]*badpath.Proxy)
		}
		h.paths[u.Addr()] = proxy
	}
	return u.Scheme + "://" + proxy.Addr().String() + u.Path, nil
}
