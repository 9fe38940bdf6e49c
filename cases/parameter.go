package cases

import "github.com/moqinterop/moq-interop-client/moqt/wire"

// UintParameter is a parameter with an integer value.
func UintParameter(t wire.ParameterType, v uint64) wire.Parameter {
	return wire.Parameter{Type: t, Uint: v}
}

// FilterParameter is LOCATION_FILTER.
func FilterParameter(f wire.LocationFilter) wire.Parameter {
	return wire.Parameter{Type: wire.ParamLocationFilter, Filter: f}
}

// WithParameters is a copy of parameters with more added. Each one added replaces one of the same type.
func WithParameters(ps wire.Parameters, more ...wire.Parameter) wire.Parameters {
	ps = ps.Clone()
	for _, p := range more {
		ps.Set(p)
	}
	return ps
}

// Between is the range from one object to another, inclusive.
func Between(start, end wire.Location) wire.LocationFilter {
	return wire.LocationFilter{Form: wire.FilterRange, StartGroup: start.Group, StartObject: start.Object,
		EndGroup: end.Group, EndObject: end.Object}
}

// WholeGroups is the range of the groups from first to last, inclusive.
func WholeGroups(first, last uint64) wire.LocationFilter {
	return wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: first, EndGroup: last}
}

// TokenParameter is AUTHORIZATION_TOKEN.
func TokenParameter(t wire.Token) wire.Parameter {
	return wire.Parameter{Type: wire.ParamAuthorizationToken, Token: t}
}
