package contagion

import (
	"container/heap"
	"slices"
)

// ranking keeps the first few of many firms in a heap whose root is the last of them.
type ranking struct {
	limit  int // 0 keeps all
	before func(a, b uint32) bool
	heap   []uint32
}

// add offers a firm.
func (r *ranking) add(i uint32) {
	switch {
	case r.limit <= 0:
		r.heap = append(r.heap, i)
	case len(r.heap) < r.limit:
		heap.Push(r, i)
	case r.before(i, r.heap[0]):
		r.heap[0] = i
		heap.Fix(r, 0)
	}
}

// sorted returns what was kept, first to last.
func (r *ranking) sorted() []uint32 {
	slices.SortFunc(r.heap, func(a, b uint32) int {
		if r.before(a, b) {
			return -1
		}
		return 1
	})
	return r.heap
}

// Len implements heap.Interface.
func (r *ranking) Len() int { return len(r.heap) }

// Less implements heap.Interface: the last is the root.
func (r *ranking) Less(i, j int) bool { return r.before(r.heap[j], r.heap[i]) }

// Swap implements heap.Interface.
func (r *ranking) Swap(i, j int) { r.heap[i], r.heap[j] = r.heap[j], r.heap[i] }

// Push implements heap.Interface.
func (r *ranking) Push(x any) { r.heap = append(r.heap, x.(uint32)) }

// Pop implements heap.Interface.
func (r *ranking) Pop() any {
	last := r.heap[len(r.heap)-1]
	r.heap = r.heap[:len(r.heap)-1]
	return last
}
