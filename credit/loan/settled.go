package loan

import (
	"context"
	"errors"
)

// Settled books what the rail has told of a payment meanwhile. A payment of somebody else,
// and one that is booked already, is left alone.
func (s *Service) Settled(ctx context.Context, tenant, paymentID string) error {
	open, err := s.cfg.Store.Unsettled(ctx, tenant)
	if err != nil {
		return err
	}
	for _, p := range open {
		if p.ID != paymentID {
			continue
		}
		if _, err := s.finish(ctx, p); !errors.Is(err, ErrPayment) {
			return err
		}
	}
	return nil
}
