package sim

import "context"

func (s *settler) ranches(context.Context) error { return nil }

// Live lets the animals live on until ctx ends.
func Live(ctx context.Context, opt Options) error { <-ctx.Done(); return nil }
