package graph

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
	low := make([]uint32, n) // 0 unseen; else the lowest index reached, and n-c once in component c
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

// Weak gives every node the smallest node of its weakly connected component.
//
// It is Afforest (Sutton, Ben-Nun and Barak 2018): two links of every node join most
// of a large component at once, and the nodes that are in it need no further look. The
// links of the others are followed in both directions.
func (g *Graph) Weak() []uint32 {
	n := uint32(g.Len())
	up := make([]uint32, n) // a forest: never higher than the node itself
	for v := range up {
		up[v] = uint32(v)
	}
	for round := range 2 {
		for v := range n {
			if row := g.out.of(v); round < len(row) {
				join(up, v, row[round])
			} else if row := g.in.of(v); round < len(row) {
				join(up, v, row[round])
			}
		}
		flatten(up)
	}
	big := frequent(up)
	for v := range n {
		if up[v] == big {
			continue
		}
		for _, w := range g.out.of(v) {
			join(up, v, w)
		}
		for _, w := range g.in.of(v) {
			join(up, v, w)
		}
	}
	flatten(up)
	return up
}

// join makes one tree of the trees of two nodes; the lower root stays.
func join(up []uint32, a, b uint32) {
	a, b = up[a], up[b]
	for a != b {
		if a < b {
			a, b = b, a
		}
		over := up[a]
		if over == a {
			up[a] = b
			return
		}
		a = up[over]
		b = up[b]
	}
}

func flatten(up []uint32) {
	for v, p := range up {
		for p != up[p] {
			p = up[p]
		}
		up[v] = p
	}
}

// frequent is the root that most of a sample of nodes have.
func frequent(up []uint32) uint32 {
	count, best := map[uint32]int{}, uint32(0)
	step := max(len(up)/1024, 1)
	for v := 0; v < len(up); v += step {
		p := up[v]
		count[p]++
		if count[p] > count[best] || count[p] == count[best] && p < best {
			best = p
		}
	}
	return best
}
