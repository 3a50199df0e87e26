package policy

import (
	"maps"
	"slices"
)

// Names are those of all policies, in order.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.byName)) }
