package store

// Waiting is how many wait for a step to begin.
func (g *Gather[T, R]) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}

// Busy says whether a step is under way.
func (g *Gather[T, R]) Busy() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.busy
}
