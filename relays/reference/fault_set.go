package reference

import (
	"fmt"
	"strings"
)

// Faults lists the faults that the relay knows, in the order of what they touch.
func Faults() []Fault { return append([]Fault(nil), faultTable[:]...) }

// faultSet is the faults that were asked for.
type faultSet [numFaults]bool

func parseFaults(names []string) (set faultSet, keyed keyedFaults, err error) {
next:
	for _, name := range names {
		for f := range faultTable {
			if faultTable[f].Name == name {
				set[f] = true
				continue next
			}
		}
		if !keyed.add(name) {
			return set, keyed, fmt.Errorf("unknown fault %q: want one of %s", name, strings.Join(faultNames(), ", "))
		}
	}
	return set, keyed, nil
}

func faultNames() []string {
	names := make([]string, 0, numFaults)
	for _, f := range faultTable {
		names = append(names, f.Name)
	}
	return names
}
