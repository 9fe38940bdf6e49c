package reference

import "github.com/moqinterop/moq-interop-client/moqt/wire"

// tree holds values by namespace, and finds those at the prefixes of a namespace and those below a prefix. Matching is
// field by field (draft-18 §9.5). The zero value is empty. Not safe for concurrent use.
type tree[T comparable] struct {
	root node[T]
}

type node[T comparable] struct {
	children map[string]*node[T]
	values   []T
}

// add puts a value at a namespace.
func (t *tree[T]) add(ns wire.TrackNamespace, v T) {
	n := &t.root
	for _, field := range ns {
		next := n.children[field]
		if next == nil {
			next = &node[T]{}
			if n.children == nil {
				n.children = make(map[string]*node[T])
			}
			n.children[field] = next
		}
		n = next
	}
	n.values = append(n.values, v)
}

// remove removes a value from a namespace, and reports whether it was there.
func (t *tree[T]) remove(ns wire.TrackNamespace, v T) bool {
	return t.root.remove(ns, v)
}

func (n *node[T]) remove(ns wire.TrackNamespace, v T) bool {
	if len(ns) == 0 {
		for i := range n.values {
			if n.values[i] == v {
				n.values = append(n.values[:i:i], n.values[i+1:]...)
				return true
			}
		}
		return false
	}
	child := n.children[ns[0]]
	if child == nil || !child.remove(ns[1:], v) {
		return false
	}
	if len(child.values) == 0 && len(child.children) == 0 {
		delete(n.children, ns[0])
	}
	return true
}

// at gives the values of a namespace itself.
func (t *tree[T]) at(ns wire.TrackNamespace) []T {
	n := &t.root
	for _, field := range ns {
		if n = n.children[field]; n == nil {
			return nil
		}
	}
	return n.values
}

// prefixes gives the values at the prefixes of a namespace and at itself, the longest first.
func (t *tree[T]) prefixes(ns wire.TrackNamespace) []T {
	path := []*node[T]{&t.root}
	n := &t.root
	for _, field := range ns {
		if n = n.children[field]; n == nil {
			break
		}
		path = append(path, n)
	}
	var found []T
	for i := len(path) - 1; i >= 0; i-- {
		found = append(found, path[i].values...)
	}
	return found
}

// below calls f for each namespace with values that has the prefix.
func (t *tree[T]) below(prefix wire.TrackNamespace, f func(ns wire.TrackNamespace, values []T)) {
	n := &t.root
	for _, field := range prefix {
		if n = n.children[field]; n == nil {
			return
		}
	}
	n.walk(prefix, f)
}

func (n *node[T]) walk(ns wire.TrackNamespace, f func(wire.TrackNamespace, []T)) {
	if len(n.values) > 0 {
		f(ns, n.values)
	}
	for field, child := range n.children {
		child.walk(ns.Join(field), f)
	}
}
