package model

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/credit/score"
)

// keep is how long the models in use are taken from memory: another process sees a
// new one at the latest then.
const keep = 10 * time.Second

// InUse is a published model with its entry.
type InUse struct {
	Entry ScoreModel
	Model *score.Model
}

// All returns the models in use, by name.
func (s *Service) All(ctx context.Context, tenant string) ([]InUse, error) {
	return s.inUse.Get(ctx, tenant)
}

// published reads the models in use, of which have were in use before.
func (s *Service) published(ctx context.Context, tenant string, have []InUse) ([]InUse, error) {
	list, err := s.List(ctx, tenant, Filter{Status: Published})
	if err != nil {
		return nil, err
	}
	models := make([]InUse, 0, len(list))
	for _, e := range list {
		m := known(have, e.ID)
		if m == nil {
			if m, err = s.File(ctx, tenant, e.Name, e.Version); err != nil {
				return nil, err
			}
		}
		models = append(models, InUse{e, m})
	}
	return models, nil
}

func known(models []InUse, id string) *score.Model {
	for _, m := range models {
		if m.Entry.ID == id {
			return m.Model
		}
	}
	return nil
}

// Model returns the version in use of a name; ErrNotFound.
func (s *Service) Model(ctx context.Context, tenant, name string) (*score.Model, error) {
	all, err := s.All(ctx, tenant)
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		if m.Entry.Name == name {
			return m.Model, nil
		}
	}
	return nil, ErrNotFound.With("name", name)
}
