package telemetry

import "context"

// OpenSmall opens a store whose heads hold n readings only, so that a test sees many
// of them compacted.
func OpenSmall(ctx context.Context, path string, n int) (*Store, error) {
	return open(ctx, path, func(h *head) bool { return len(h.entries) >= n })
}

// Compact moves everything into chunks.
func (s *Store) Compact(ctx context.Context) error {
	s.compacting.Lock()
	defer s.compacting.Unlock()
	return s.flush(ctx, nil)
}
