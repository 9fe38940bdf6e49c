package wire

import "slices"

// ParameterType is the type code of a message parameter (draft-18 §10.2).
type ParameterType uint64

// Parameter types, by the newest draft's names (draft-14 §9.2.1, draft-18 §10.2, draft-22 §9.20).
const (
	ParamObjectDeliveryTimeout   ParameterType = 0x02 // DELIVERY_TIMEOUT up to 17
	ParamAuthorizationToken      ParameterType = 0x03
	ParamRendezvousTimeout       ParameterType = 0x04 // 17 and later; MAX_CACHE_DURATION in 14-15
	ParamSubgroupDeliveryTimeout ParameterType = 0x06
	ParamExpires                 ParameterType = 0x08
	ParamLargestObject           ParameterType = 0x09
	ParamFillTimeout             ParameterType = 0x0A
	ParamPublisherPriority       ParameterType = 0x0E // 15
	ParamForward                 ParameterType = 0x10
	ParamSubscriberPriority      ParameterType = 0x20
	ParamLocationFilter          ParameterType = 0x21
	ParamGroupOrder              ParameterType = 0x22
	ParamFillParameters          ParameterType = 0x23
	ParamSubgroupFilter          ParameterType = 0x25
	ParamObjectIDFilter          ParameterType = 0x26
	ParamPriorityFilter          ParameterType = 0x27
	ParamObjectPropertyFilter    ParameterType = 0x28
	ParamTrackPropertyFilter     ParameterType = 0x29
	ParamDynamicGroups           ParameterType = 0x30 // 15
	ParamNewGroupRequest         ParameterType = 0x32
	ParamTrackNamespacePrefix    ParameterType = 0x34
	ParamIncludeProperties       ParameterType = 0x35
)

// Group orders.
const (
	Ascending  = 1
	Descending = 2
)

// Parameter is one message parameter. Its type decides which field holds the value: Uint an integer, Location that of
// LARGEST_OBJECT, Token, Filter, Ranges, Namespace and Inner the structured ones, Bytes one that is not interpreted
// (Raw).
type Parameter struct {
	Type      ParameterType
	Uint      uint64
	Location  Location
	Token     Token
	Filter    LocationFilter
	Ranges    RangeFilter
	Namespace TrackNamespace
	Inner     Parameters
	// Raw means that the draft does not define the type here (unknown, or misplaced where that is ignored): the value
	// is Uint for even types and Bytes for odd ones up to 16. Lookups pass over it.
	Raw bool
	// Wrapped marks a TRACK_NAMESPACE_PREFIX with a length around it, as some peers of 18-21 write it.
	Wrapped bool
	Bytes   []byte
}

// Parameters is a list in wire order. Types are written as deltas from 16 on, so encoding needs ascending order there:
// Set keeps it.
type Parameters []Parameter

// Get finds the first parameter of a type.
func (ps Parameters) Get(t ParameterType) (Parameter, bool) {
	for _, p := range ps {
		if p.Type == t && !p.Raw {
			return p, true
		}
	}
	return Parameter{}, false
}

// Uint finds an integer parameter.
func (ps Parameters) Uint(t ParameterType) (uint64, bool) {
	p, ok := ps.Get(t)
	return p.Uint, ok
}

// UintOr finds an integer parameter or gives the default.
func (ps Parameters) UintOr(t ParameterType, def uint64) uint64 {
	if v, ok := ps.Uint(t); ok {
		return v
	}
	return def
}

// Filter finds the LOCATION_FILTER.
func (ps Parameters) Filter() (LocationFilter, bool) {
	p, ok := ps.Get(ParamLocationFilter)
	return p.Filter, ok
}

// Largest finds LARGEST_OBJECT.
func (ps Parameters) Largest() (Location, bool) {
	p, ok := ps.Get(ParamLargestObject)
	return p.Location, ok
}

// Tokens gives every AUTHORIZATION_TOKEN.
func (ps Parameters) Tokens() []Token {
	var tokens []Token
	for _, p := range ps {
		if p.Type == ParamAuthorizationToken && !p.Raw {
			tokens = append(tokens, p.Token)
		}
	}
	return tokens
}

// Add inserts p behind the parameters of lower or equal type.
func (ps *Parameters) Add(p Parameter) {
	i := len(*ps)
	for i > 0 && (*ps)[i-1].Type > p.Type {
		i--
	}
	*ps = slices.Insert(*ps, i, p)
}

// Set replaces the first parameter of p's type, or adds p.
func (ps *Parameters) Set(p Parameter) {
	for i := range *ps {
		if (*ps)[i].Type == p.Type && !(*ps)[i].Raw {
			(*ps)[i] = p
			return
		}
	}
	ps.Add(p)
}

// SetUint sets an integer parameter.
func (ps *Parameters) SetUint(t ParameterType, v uint64) { ps.Set(Parameter{Type: t, Uint: v}) }

// SetFilter sets the LOCATION_FILTER.
func (ps *Parameters) SetFilter(f LocationFilter) {
	ps.Set(Parameter{Type: ParamLocationFilter, Filter: f})
}

// SetLargest sets LARGEST_OBJECT.
func (ps *Parameters) SetLargest(l Location) {
	ps.Set(Parameter{Type: ParamLargestObject, Location: l})
}

// Delete removes all parameters of a type.
func (ps *Parameters) Delete(t ParameterType) {
	*ps = slices.DeleteFunc(*ps, func(p Parameter) bool { return p.Type == t && !p.Raw })
}

// Clone copies the list; values inside are shared.
func (ps Parameters) Clone() Parameters { return slices.Clone(ps) }
