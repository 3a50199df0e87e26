package model

import (
	"context"
	"sync"
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

// published holds the models in use by tenant.
type published struct {
	mu sync.RWMutex
	by map[string]shelf
}

type shelf struct {
	at     time.Time
	models []InUse // by name
}

func (p *published) forget(tenant string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.by, tenant)
}

// All returns the models in use, by name.
func (s *Service) All(ctx context.Context, tenant string) ([]InUse, error) {
	now := s.Now()
	s.published.mu.RLock()
	have, ok := s.published.by[tenant]
	s.published.mu.RUnlock()
	if ok && now.Sub(have.at) < keep && !now.Before(have.at) {
		return have.models, nil
	}
	list, err := s.List(ctx, tenant, Filter{Status: Published})
	if err != nil {
		return nil, err
	}
	models := make([]InUse, 0, len(list))
	for _, e := range list {
		m := s.known(have.models, e.ID)
		if m == nil {
			if m, err = s.File(ctx, tenant, e.Name, e.Version); err != nil {
				return nil, err
			}
		}
		models = append(models, InUse{e, m})
	}
	s.published.mu.Lock()
	defer s.published.mu.Unlock()
	if s.published.by == nil {
		s.published.by = map[string]shelf{}
	}
	s.published.by[tenant] = shelf{now, models}
	return models, nil
}

func (s *Service) known(models []InUse, id string) *score.Model {
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
