package wire

// Property is one Key-Value-Pair of a track or an object (called extension header in drafts 14-16, draft-18 §2.5), or one
// setup parameter or option. Even types carry Uint, odd types carry Bytes (draft-18 §1.4.3).
type Property struct {
	Type  uint64
	Uint  uint64
	Bytes []byte
}

// Properties is a list in wire order. From draft 16 on types are written as deltas, so encoding needs ascending order.
type Properties []Property

// Get finds the first property of a type, also inside Immutable Properties when not found outside (draft-18 §12.7 wants both searched).
// It is the caller's to know whether to read Uint or Bytes.
func (p Properties) Get(t uint64) (Property, bool) {
	for _, x := range p {
		if x.Type == t {
			return x, true
		}
	}
	return Property{}, false
}

// Property types of tracks and objects (draft-22 §10; WIRE section 6.9). The names are the newest draft's.
const (
	PropObjectDeliveryTimeout    = 0x02
	PropMaxCacheDuration         = 0x04
	PropSubgroupDeliveryTimeout  = 0x06
	PropImmutable                = 0x0B
	PropDefaultPublisherPriority = 0x0E
	PropDefaultGroupOrder        = 0x22
	PropDynamicGroups            = 0x30
	PropPriorGroupIDGap          = 0x3C
	PropPriorObjectIDGap         = 0x3E
)
