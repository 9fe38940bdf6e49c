package reference

import (
	"net/url"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// scopeOf is the namespace that a path stands for: its segments, unescaped, without empty ones and without the query. A
// segment that cannot be unescaped is taken as it is.
func scopeOf(path string) (scope wire.TrackNamespace) {
	path, _, _ = strings.Cut(path, "?")
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" {
			continue
		}
		if plain, err := url.PathUnescape(segment); err == nil {
			segment = plain
		}
		scope = append(scope, segment)
	}
	return scope
}

// within refuses a namespace or prefix outside the session's scope, if paths are scopes.
func (p *peer) within(ns wire.TrackNamespace) error {
	if len(p.scope) == 0 || ns.HasPrefix(p.scope) {
		return nil
	}
	return refuse(moqt.RejectUnauthorized, "the session's path lets it use what begins with %s", p.scope)
}

// joins reports whether a request names its track by a subscription, whose scope was checked before.
func joins(req *moqt.Request) bool {
	return req.Kind() == wire.KindFetch && len(req.TrackNamespace()) == 0
}
