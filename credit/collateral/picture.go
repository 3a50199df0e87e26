package collateral

import (
	"context"
	"errors"
	"fmt"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/money"
)

// Picture is all there is to see of the collateral of an application.
type Picture struct {
	Pool  Pool  `json:"pool"`
	Cover Cover `json:"cover"`
	// Releasable may leave now, one by one, as many as can be.
	Releasable []string   `json:"releasable"`
	Days       []CoverDay `json:"days"` // the last 400, oldest first
	Proposals  []Proposal `json:"proposals"`
}

// Picture returns ErrNotFound; a borrower sees only own ones.
func (s *Service) Picture(ctx context.Context, who access.Actor, applicationID string) (Picture, error) {
	p, err := s.pool(ctx, who, applicationID)
	if err != nil {
		return Picture{}, err
	}
	a, err := s.answer(ctx, p)
	if err != nil {
		return Picture{}, err
	}
	out := Picture{Pool: p, Cover: a.Cover, Releasable: []string{}}
	for _, x := range Releasable(p, a.Cover.Owed) {
		out.Releasable = append(out.Releasable, x.ID)
	}
	today := s.Today()
	if out.Days, err = s.cfg.Store.Days(ctx, p.Tenant, applicationID, today-400, today); err != nil {
		return Picture{}, err
	}
	out.Proposals, err = s.cfg.Store.Proposals(ctx, p.Tenant, applicationID, false)
	return out, err
}

// ReleasePlan answers what repaying some money frees, and what must be repaid for some
// things to be free.
type ReleasePlan struct {
	Owed money.Fen `json:"owed"`
	Pay  money.Fen `json:"pay"`
	// Free are the assets that may leave once Pay is repaid, as many as can be.
	Free []Asset `json:"free"`
	// First must be repaid before the assets that were asked about may leave; absent when
	// none were. Why says what else is in the way: a code of an error.
	First *money.Fen `json:"first,omitempty"`
	Why   string     `json:"why,omitempty"`
}

// Plan answers at once and changes nothing. ErrNotFound, ErrAsset, ErrMoney.
func (s *Service) Plan(ctx context.Context, who access.Actor, applicationID string, pay money.Fen, ids []string) (ReleasePlan, error) {
	p, err := s.pool(ctx, who, applicationID)
	if err != nil {
		return ReleasePlan{}, err
	}
	if pay < 0 || pay > MaxValue {
		return ReleasePlan{}, ErrMoney.At("query.pay")
	}
	a, err := s.answer(ctx, p)
	if err != nil {
		return ReleasePlan{}, err
	}
	now := a.Cover.Owed
	out := ReleasePlan{Owed: now, Pay: pay, Free: []Asset{}}
	left := max(0, now-pay)
	if !p.blocked(left) {
		out.Free = Releasable(p, left)
	}
	if left == 0 { // all of it is free with the last fen
		out.Free = p.Holds()
	}
	if len(ids) == 0 {
		return out, nil
	}
	for i, id := range ids {
		if x, ok := p.Asset(id); !ok || x.Status != Held {
			return ReleasePlan{}, ErrAsset.At("query.assets[%d]", i).With("id", id)
		}
	}
	first := now
	switch {
	case p.Terms.ReleaseBP == 0 && now > 0:
		out.Why = ErrNoRelease.Code
	default:
		first = FirstRepay(p, now, ids)
		if p.Call != nil {
			first = max(first, p.Terms.repay(a.Cover))
			out.Why = ErrCalled.Code
		} else if err := p.proven(ids, s.Today()); err != nil {
			out.Why = ErrProof.Code
		}
	}
	out.First = &first
	return out, nil
}

// blocked says whether an open call keeps all things even when so much is owed.
func (p Pool) blocked(owed money.Fen) bool {
	return p.Call != nil && !p.Terms.cured(Measure(p, owed))
}

// Pools lists pools, newest first, with their cover.
func (s *Service) Pools(ctx context.Context, tenant string, f Filter) ([]Answer, error) {
	list, err := s.cfg.Store.Pools(ctx, tenant, f)
	out := make([]Answer, 0, len(list))
	for _, p := range list {
		a, err := s.answer(ctx, p)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, err
}

// Events is the history of a pool; a borrower sees only own ones.
func (s *Service) Events(ctx context.Context, who access.Actor, applicationID string) ([]PoolEvent, error) {
	if _, err := s.pool(ctx, who, applicationID); err != nil {
		return nil, err
	}
	return s.cfg.Store.Events(ctx, who.Tenant, applicationID, 0)
}

// Notices are the pledges of what a firm owes.
func (s *Service) Notices(ctx context.Context, tenant, firmID string) ([]Notice, error) {
	return s.cfg.Store.Notices(ctx, tenant, firmID, 500)
}

// Doubt is one thing that Verify found wrong.
type Doubt struct {
	ApplicationID string `json:"application_id"`
	Problem       string `json:"problem"`
}

// Verify makes every pool of a tenant again from its events and compares it with what is
// kept and with the memo accounts of the ledger.
func (s *Service) Verify(ctx context.Context, tenant string) (n int, doubts []Doubt, err error) {
	f := Filter{Limit: 200}
	for {
		list, err := s.cfg.Store.Pools(ctx, tenant, f)
		if err != nil {
			return n, doubts, err
		}
		for _, p := range list {
			n++
			problem, err := s.verify(ctx, p)
			if err != nil {
				return n, doubts, err
			}
			if problem != "" {
				doubts = append(doubts, Doubt{p.ApplicationID, problem})
			}
		}
		if len(list) < f.Limit {
			return n, doubts, nil
		}
		f.Before = list[len(list)-1].ApplicationID
	}
}

func (s *Service) verify(ctx context.Context, p Pool) (problem string, err error) {
	events, err := s.cfg.Store.Events(ctx, p.Tenant, p.ApplicationID, p.Version)
	if err != nil {
		return "", err
	}
	again, err := Replay(p.Tenant, events)
	if errors.Is(err, ErrBroken) {
		return err.Error(), nil
	}
	if err != nil {
		return "", err
	}
	if again.Head != p.Head || again.Version != p.Version || Measure(again, 0) != Measure(p, 0) {
		return "the kept pool is not what its events give", nil
	}
	for _, account := range []struct {
		code string
		sign money.Fen
	}{{HeldAccount, 1}, {ContraAccount, -1}} {
		got, err := s.cfg.Book.Balance(ctx, p.Tenant, account.code, p.ApplicationID)
		if err != nil {
			return "", err
		}
		if want := account.sign * Measure(p, 0).Value; got != want {
			return fmt.Sprintf("account %s holds %s, the pool is worth %s", account.code, got, want), nil
		}
	}
	return "", nil
}
