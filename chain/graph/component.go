package graph

// Components returns the strongly connected components (Tarjan 1972, without
// recursion), a component before those that lead to it.
func (g *Graph) Components() [][]uint32 {
	const unseen = 0
	n := g.Len()
	index := make([]uint32, n) // 1 + order of discovery; unseen when 0
	low := make([]uint32, n)
	done := make([]bool, n)
	at := make([]uint32, n) // how many of v's out-edges are walked
	var stack, path []uint32
	var out [][]uint32
	next := uint32(1)
	enter := func(v uint32) {
		index[v], low[v] = next, next
		next++
		stack, path = append(stack, v), append(path, v)
	}
	for root := range uint32(n) {
		if index[root] != unseen {
			continue
		}
		enter(root)
		for len(path) > 0 {
			v := path[len(path)-1]
			if to := g.Out(v); int(at[v]) < len(to) {
				w := to[at[v]]
				at[v]++
				switch {
				case index[w] == unseen:
					enter(w)
				case !done[w]:
					low[v] = min(low[v], index[w])
				}
				continue
			}
			path = path[:len(path)-1]
			if len(path) > 0 {
				up := path[len(path)-1]
				low[up] = min(low[up], low[v])
			}
			if low[v] != index[v] {
				continue
			}
			var c []uint32
			for {
				w := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				done[w] = true
				c = append(c, w)
				if w == v {
					break
				}
			}
			out = append(out, c)
		}
	}
	return out
}
