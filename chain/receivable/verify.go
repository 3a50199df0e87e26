package receivable

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/furrowcredit/furrow/money"
)

// Fault is one thing that Verify found wrong; ReceivableID is "" for a total.
type Fault struct {
	ReceivableID string `json:"receivable_id,omitempty"`
	Problem      string `json:"problem"`
}

// Audit is what Verify found in the books of one tenant.
type Audit struct {
	Tenant      string    `json:"tenant"`
	Receivables int       `json:"receivables"`
	Events      int64     `json:"events"`
	Issued      money.Fen `json:"issued"` // confirmed at any time
	Paid        money.Fen `json:"paid"`
	SetOff      money.Fen `json:"set_off"`
	Outstanding money.Fen `json:"outstanding"`
	Faults      []Fault   `json:"faults"`
}

// OK says that the books are sound.
func (a Audit) OK() bool { return len(a.Faults) == 0 }

// Verify makes every receivable again from its events and compares it, byte for byte,
// with what is kept; then the totals of anchors and documents with their sums.
func (s *Service) Verify(ctx context.Context) ([]Audit, error) {
	tenants, err := s.store.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	audits := make([]Audit, 0, len(tenants))
	for _, tenant := range tenants {
		a, err := s.verify(ctx, tenant)
		if err != nil {
			return nil, err
		}
		audits = append(audits, a)
	}
	return audits, nil
}

func (s *Service) verify(ctx context.Context, tenant string) (Audit, error) {
	a := Audit{Tenant: tenant, Faults: []Fault{}}
	owed, financed := map[string]money.Fen{}, map[string]money.Fen{}
	used := map[string]money.Fen{}
	for after := ""; ; {
		ids, err := s.store.IDs(ctx, tenant, after, 500)
		if err != nil {
			return a, err
		}
		for _, id := range ids {
			r, err := s.verifyOne(ctx, &a, id)
			if err != nil {
				return a, err
			}
			owed[r.ObligorID] += r.Outstanding()
			financed[r.ObligorID] += r.Financed()
			for _, d := range r.Documents {
				if r.State == Cancelled {
					used[d.Key] += 0
					continue
				}
				used[d.Key] += d.Amount
			}
		}
		if len(ids) < 500 {
			break
		}
		after = ids[len(ids)-1]
	}
	return a, s.verifyTotals(ctx, &a, owed, financed, used)
}

func (s *Service) verifyOne(ctx context.Context, a *Audit, id string) (Receivable, error) {
	kept, err := s.store.Receivable(ctx, a.Tenant, id)
	if err != nil {
		return Receivable{}, err
	}
	events, err := s.store.Events(ctx, a.Tenant, id, 0)
	if err != nil {
		return Receivable{}, err
	}
	a.Receivables++
	a.Events += int64(len(events))
	made, err := Replay(a.Tenant, events)
	if err != nil {
		a.Faults = append(a.Faults, Fault{id, err.Error()})
		return kept, nil
	}
	x, err := json.Marshal(kept)
	if err != nil {
		return kept, fmt.Errorf("receivable: %w", err)
	}
	y, err := json.Marshal(made)
	if err != nil {
		return kept, fmt.Errorf("receivable: %w", err)
	}
	if !bytes.Equal(x, y) {
		a.Faults = append(a.Faults, Fault{id, "what is kept is not what its events make"})
	}
	if made.Issued != 0 {
		a.Issued += made.Amount
	}
	a.Paid += made.Paid
	a.SetOff += made.SetOff
	a.Outstanding += made.Outstanding()
	return made, nil
}

func (s *Service) verifyTotals(ctx context.Context, a *Audit, owed, financed, used map[string]money.Fen) error {
	list, err := s.store.Exposures(ctx, a.Tenant, money.DateOf(s.now()))
	if err != nil {
		return err
	}
	for _, x := range list {
		if owed[x.ObligorID] != x.Outstanding || financed[x.ObligorID] != x.Financed {
			a.Faults = append(a.Faults, Fault{Problem: fmt.Sprintf("the totals of firm %s are %s and %s, its receivables make %s and %s",
				x.ObligorID, x.Outstanding, x.Financed, owed[x.ObligorID], financed[x.ObligorID])})
		}
		delete(owed, x.ObligorID)
	}
	for firm, sum := range owed {
		if sum != 0 {
			a.Faults = append(a.Faults, Fault{Problem: fmt.Sprintf("firm %s has no total, its receivables make %s", firm, sum)})
		}
	}
	keys := make([]string, 0, len(used))
	for k := range used {
		keys = append(keys, k)
	}
	kept, err := s.store.Used(ctx, a.Tenant, keys)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if kept[k] != used[k] {
			a.Faults = append(a.Faults, Fault{Problem: fmt.Sprintf("receivables stand for %s of document %s, %s is kept", used[k], k, kept[k])})
		}
	}
	return nil
}
