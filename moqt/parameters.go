package moqt

import (
	"slices"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// lasting gives the parameters that stay in effect: tokens, fills and requests for new groups act once, and facts are
// no settings.
func lasting(ps wire.Parameters) wire.Parameters {
	return slices.DeleteFunc(ps.Clone(), func(p wire.Parameter) bool {
		switch p.Type {
		case wire.ParamAuthorizationToken, wire.ParamFillParameters, wire.ParamNewGroupRequest:
			return !p.Raw
		}
		return p.Raw
	})
}

// MergeParameters gives the parameters in effect after an update. Parameters that the update leaves out stay, and an
// empty filter removes that filter (draft-20 §10.9, draft-22 §9.6).
func MergeParameters(old, update wire.Parameters) wire.Parameters {
	update = lasting(update)
	out := mergedRanges(old.Clone(), update)
	for _, p := range update {
		switch {
		case isRangeFilter(p):
		case p.Type == wire.ParamLocationFilter && p.Filter.Form == wire.FilterNone:
			out.Delete(p.Type)
		default:
			out.Set(p)
		}
	}
	return out
}

// parametersOf is the parameter list of a request.
func parametersOf(m wire.Message) wire.Parameters {
	switch x := m.(type) {
	case *wire.Subscribe:
		return x.Parameters
	case *wire.TrackStatus:
		return x.Parameters
	case *wire.Publish:
		return x.Parameters
	case *wire.Fetch:
		return x.Parameters
	case *wire.PublishNamespace:
		return x.Parameters
	case *wire.SubscribeNamespace:
		return x.Parameters
	case *wire.SubscribeTracks:
		return x.Parameters
	}
	return nil
}
