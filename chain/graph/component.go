package graph

import "runtime"

// Components returns the strongly connected components, a component before those
// that lead to it. The slices share one array.
func (g *Graph) Components() [][]uint32 {
	label, n := g.Strong()
	size := make([]uint32, n+1)
	for _, c := range label {
		size[c+1]++
	}
	out := make([][]uint32, n)
	all := make([]uint32, len(label))
	for c := range out {
		size[c+1] += size[c]
		out[c] = all[size[c]:size[c]:size[c+1]]
	}
	for v, c := range label {
		out[c] = append(out[c], uint32(v))
	}
	return out
}

// Strong gives every node the number of its strongly connected component, and says
// how many there are. A component's number is lower than those of all that lead to it.
//
// It is the algorithm of Pearce (2016, "A space-efficient algorithm for finding
// strongly connected components"), without recursion: 4 bytes a node, and 12 bytes for
// each node on the way at a time.
func (g *Graph) Strong() (label []uint32, components int) {
	n := uint32(g.Len())
	low := large[uint32](int(n)) // 0 unseen; else the lowest index reached, and n-c once in component c
	type frame struct {
		v, at uint32
		root  bool
	}
	var path []frame
	var waiting []uint32 // done, but in a component that is not closed yet
	index, number := uint32(1), n
	enter := func(v uint32) {
		low[v] = index
		index++
		path = append(path, frame{v, 0, true})
	}
	for s := range n {
		if low[s] != 0 {
			continue
		}
		enter(s)
		for len(path) > 0 {
			f := &path[len(path)-1]
			if row := g.out.of(f.v); int(f.at) < len(row) {
				w := row[f.at]
				if low[w] == 0 {
					enter(w) // and look at it again afterwards
					continue
				}
				f.at++
				if low[w] < low[f.v] {
					low[f.v], f.root = low[w], false
				}
				continue
			}
			v, root := f.v, f.root
			path = path[:len(path)-1]
			if !root {
				waiting = append(waiting, v)
				continue
			}
			index--
			for len(waiting) > 0 && low[waiting[len(waiting)-1]] >= low[v] {
				low[waiting[len(waiting)-1]] = number
				waiting = waiting[:len(waiting)-1]
				index--
			}
			low[v] = number
			number--
		}
	}
	for v := range low {
		low[v] = n - low[v]
	}
	return low, int(n - number)
}

// Weak gives every node the smallest node of its weakly connected component. It joins
// the ends of every link in a forest whose paths are halved on the way (Tarjan and van
// Leeuwen 1984). Firms have three links each or so; methods that look at a few links of
// every node first, to skip the rest, pay where nodes have many.
func (g *Graph) Weak() []uint32 {
	n := uint32(g.Len())
	up := large[uint32](int(n)) // never higher than the node itself
	for v := range up {
		up[v] = uint32(v)
	}
	early := uint32(0) // what is read ahead of its use: its reads wait for memory together
	for lo := uint32(0); lo < n; lo += ahead {
		hi := min(lo+ahead, n)
		for v := lo; v < hi; v++ {
			for _, w := range g.out.of(v) {
				early ^= up[up[w]]
			}
		}
		for v := lo; v < hi; v++ {
			a := root(up, v)
			for _, w := range g.out.of(v) {
				if b := root(up, w); a < b {
					up[b] = a
				} else {
					up[a] = b
					a = b
				}
			}
		}
	}
	runtime.KeepAlive(early)
	for v := range n { // those above are flat already
		up[v] = up[up[v]]
	}
	return up
}

func root(up []uint32, v uint32) uint32 {
	for p := up[v]; p != v; p = up[v] {
		up[v] = up[p]
		v = up[v]
	}
	return v
}
