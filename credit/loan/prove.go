package loan

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// Proof says whether the books of a tenant's loans follow from their events.
type Proof struct {
	Tenant   string               `json:"tenant"`
	Loans    int                  `json:"loans"`
	Interest map[string]money.Fen `json:"interest"` // receivable by product, as replayed
	Wrong    int                  `json:"wrong"`    // how many faults there are; the first of them follow
	Faults   []string             `json:"faults"`
}

// OK says that everything agrees.
func (p Proof) OK() bool { return p.Wrong == 0 }

const mostFaults = 1000

func (p *Proof) fault(format string, args ...any) {
	p.Wrong++
	if len(p.Faults) < mostFaults {
		p.Faults = append(p.Faults, fmt.Sprintf(format, args...))
	}
}

// Prove replays every loan of a tenant and compares what it says with the ledger: account
// by account for what is kept by loan, and product by product for the interest of all loans
// together. Operations that run meanwhile show as differences.
func (s *Service) Prove(ctx context.Context, tenant string) (Proof, error) {
	p := Proof{Tenant: tenant, Interest: map[string]money.Fen{}, Faults: []string{}}
	apart := map[string]money.Fen{} // interest of a product that older entries keep by loan
	f := Filter{Limit: 500}
	for {
		page, err := s.cfg.Store.Loans(ctx, tenant, f)
		if err != nil {
			return p, err
		}
		if len(page) == 0 {
			break
		}
		ids := make([]string, len(page))
		for i := range page {
			ids[i] = page[i].ID
		}
		past, err := s.cfg.Store.Happenings(ctx, tenant, ids...)
		if err != nil {
			return p, err
		}
		booked, err := s.cfg.Store.Booked(ctx, tenant, ids...)
		if err != nil {
			return p, err
		}
		for i := range page {
			l := &page[i]
			goal := p.replayed(s.open(*l, past[l.ID]))
			p.Interest[l.Product] += goal[atInterest]
			apart[l.Product] += booked[l.ID][InterestReceivable]
			for at, account := range posted {
				if got := booked[l.ID][account]; !byProduct(at) && got != goal[at] {
					p.fault("loan %s: %s is %s in the ledger, its events say %s", l.ID, account, got, goal[at])
				}
			}
		}
		p.Loans += len(page)
		f.Before = ids[len(ids)-1]
	}
	products := slices.Sorted(maps.Keys(p.Interest))
	booked, err := s.cfg.Store.Booked(ctx, tenant, products...)
	if err != nil {
		return p, err
	}
	for _, product := range products {
		if got := booked[product][InterestReceivable] + apart[product]; got != p.Interest[product] {
			p.fault("product %s: %s is %s in the ledger, its loans say %s", product, InterestReceivable, got, p.Interest[product])
		}
	}
	return p, nil
}

// replayed is what the ledger should hold of a loan.
func (p *Proof) replayed(b *book) Posted {
	if len(b.events) == 0 {
		return Posted{}
	}
	st, err := servicing.Replay(b.terms(), b.events, b.DayEnd)
	var goal Posted
	if err == nil {
		goal, _, err = target(st, b.ExpectedLoss)
	}
	if err != nil {
		p.fault("loan %s: %v", b.ID, err)
	}
	return goal
}
