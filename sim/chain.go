package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/sim/trade"
)

// trade registers the anchors, who upload their books, and has the chain scanned;
// then owners of small firms borrow.
func (s *settler) trade(ctx context.Context) error {
	t, err := trade.Make(Seed, time.Now())
	if err != nil {
		return err
	}
	operator, err := s.as(ctx, s.Operator)
	if err != nil {
		return err
	}
	for i, a := range t.Anchors {
		var firm chain.Party
		err := operator.post(ctx, "/operator/firms", map[string]any{
			"uscc": a.USCC, "name": a.Name, "anchor": true, "industry": a.Industry, "region": a.Region, "legal_rep": a.LegalRep,
		}, &firm)
		if err != nil {
			return err
		}
		err = operator.post(ctx, "/operator/users", map[string]string{
			"login": anchorLogin(i), "password": s.Password, "name": a.Name, "role": "anchor", "firm_id": firm.ID,
		}, nil)
		if err != nil {
			return err
		}
	}
	for i, f := range t.Files {
		if err := s.uploadFile(ctx, f, true); err != nil {
			return err
		}
		s.Progress("chain data", i+1, len(t.Files)+1)
	}
	if err := s.uploadFile(ctx, t.Draft, false); err != nil {
		return err
	}
	s.Progress("chain data", len(t.Files)+1, len(t.Files)+1)
	if err := operator.post(ctx, "/operator/scan", nil, nil); err != nil {
		return err
	}
	if err := s.idle(ctx, s.Operator, time.Minute); err != nil {
		return err
	}
	owned, err := s.firmLoans(ctx, t)
	if err != nil {
		return err
	}
	if err := s.receivables(ctx, t, owned); err != nil {
		return err
	}
	return writeJSON(filepath.Join(s.Dir, "truth-trade.json"), t.Truth)
}

func anchorLogin(i int) string { return fmt.Sprintf("anchor%02d", i+1) }

// uploadFile has an anchor check a file and, when it is to be taken, commit its good rows.
func (s *settler) uploadFile(ctx context.Context, f trade.File, take bool) error {
	anchor, err := s.as(ctx, anchorLogin(f.Anchor))
	if err != nil {
		return err
	}
	var u chain.Upload
	if err := anchor.upload(ctx, "/anchor/uploads", map[string]string{"kind": string(f.Kind)}, f.Name, f.Body, &u); err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	if !take {
		return nil
	}
	err = anchor.post(ctx, "/anchor/uploads/"+u.ID+"/commit", map[string]bool{"skip_bad": f.Bad > 0}, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	return nil
}

// owned is a firm of the trade that somebody of the county speaks for.
type owned struct {
	place     int // in Trade.Firms
	id, login string
}

// firmLoans gives firms of different fates to the owners, who borrow on them.
func (s *settler) firmLoans(ctx context.Context, t *trade.Trade) ([]owned, error) {
	operator, err := s.as(ctx, s.Operator)
	if err != nil {
		return nil, err
	}
	var out []owned
	wanted := []struct {
		profile trade.Profile
		until   apply.State
		shared  string
	}{
		{trade.Growing, apply.Active, ""}, {trade.Steady, apply.Active, "syndicate"}, {trade.Steady, apply.Offered, ""}, {trade.Young, apply.Offered, ""},
		{trade.Ring, apply.Active, ""}, {trade.Reuser, apply.Active, ""}, {trade.Stopped, apply.Offered, ""}, {trade.Listed, apply.Offered, ""},
	}
	used := map[int]bool{}
	for n, w := range wanted {
		for i, f := range t.Firms {
			if used[i] || f.Profile != w.profile || f.Tier != 1 && w.profile != trade.Ring && w.profile != trade.Listed {
				continue
			}
			used[i] = true
			owner := s.owners[n]
			var firm chain.Party
			err := operator.post(ctx, "/operator/firms", map[string]any{
				"uscc": f.USCC, "name": f.Name, "owner_id": s.ids[owner.Login], "industry": f.Industry,
				"region": f.Region, "phone": f.Phone, "legal_rep": f.LegalRep,
			}, &firm)
			if err != nil {
				return nil, err
			}
			_, err = s.borrow(ctx, ask{
				login: owner.Login, subject: credit.Subject{Kind: credit.FirmSubject, ID: firm.ID}, product: "order",
				yuan: 80_000, months: 6, purpose: "为订单采购" + f.Goods + "原料", until: w.until, shared: w.shared,
			})
			if err != nil {
				return nil, err
			}
			s.firms[owner.Login] = firm.ID
			out = append(out, owned{i, firm.ID, owner.Login})
			break
		}
		s.Progress("firms", n+1, len(wanted))
	}
	return out, nil
}

// receivables has the anchors confirm what they owe to firms of the county: one part is
// financed, one passed on to a supplier further up, and one waits to be accepted.
func (s *settler) receivables(ctx context.Context, t *trade.Trade, firms []owned) error {
	type line struct {
		Receivable struct {
			ID string `json:"id"`
		} `json:"receivable"`
	}
	done := 0
	for _, f := range firms {
		if done == 3 || t.Firms[f.place].Profile != trade.Growing && t.Firms[f.place].Profile != trade.Steady {
			continue
		}
		at := slices.IndexFunc(t.Payable, func(p trade.Payable) bool { return p.Seller == f.place })
		if at < 0 {
			continue
		}
		p := t.Payable[at]
		anchor, err := s.as(ctx, anchorLogin(p.Anchor))
		if err != nil {
			return err
		}
		var r line
		err = anchor.post(ctx, "/anchor/receivables", map[string]any{
			"creditor_id": f.id, "amount": p.Amount, "due": p.Due.Format(time.DateOnly), "documents": []map[string]string{{"number": p.Number}},
		}, &r)
		if err != nil {
			return fmt.Errorf("receivable on %s: %w", p.Number, err)
		}
		if err := anchor.post(ctx, "/anchor/receivables/"+r.Receivable.ID+"/confirm", map[string]any{}, nil); err != nil {
			return err
		}
		if done++; done == 3 {
			break // this one waits for its holder
		}
		if err := s.use(ctx, t, f.login, r.Receivable.ID, p, done == 1); err != nil {
			return err
		}
	}
	return nil
}

// use has the holder of a receivable take it, and ask for finance or pass a part on.
func (s *settler) use(ctx context.Context, t *trade.Trade, login, id string, p trade.Payable, finance bool) error {
	holder, err := s.as(ctx, login)
	if err != nil {
		return err
	}
	path := "/farmer/receivables/" + id
	if err := holder.post(ctx, path+"/accept", map[string]any{}, nil); err != nil {
		return err
	}
	if finance {
		return holder.post(ctx, path+"/ask", map[string]any{"amount": p.Amount / 10 * 6}, nil)
	}
	further := slices.IndexFunc(t.Firms, func(f trade.Firm) bool { return f.Tier == 2 && f.Profile == trade.Steady })
	return holder.post(ctx, path+"/transfer", map[string]any{"to": t.Firms[further].USCC, "amount": p.Amount / 10 * 4}, nil)
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}
