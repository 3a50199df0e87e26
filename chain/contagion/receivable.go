package contagion

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/furrowcredit/furrow/money"
)

// Receivable is a confirmed payable: the debtor owes the creditor.
type Receivable struct {
	DebtorID   string
	CreditorID string
	Amount     money.Fen
}

// Shortfall is what a firm lacks when others do not pay. All amounts are rounded to
// fen; Lost is Due less Received, Unpaid is Owed less Paid.
type Shortfall struct {
	FirmID   string    `json:"firm_id"`
	Due      money.Fen `json:"due"` // from its debtors
	Received money.Fen `json:"received"`
	Lost     money.Fen `json:"lost"`
	Owed     money.Fen `json:"owed"` // to its creditors
	Paid     money.Fen `json:"paid"`
	Unpaid   money.Fen `json:"unpaid"`
	Struck   bool      `json:"struck"` // it was made to stop paying
	Cause    Cause     `json:"cause"`  // the debtor of whom it loses most; Part and Share of what is due
}

// Unpaid is what happens when some firms stop paying.
type Unpaid struct {
	Firms  []Shortfall // who loses or leaves unpaid anything, the largest loss first
	Lost   money.Fen   // by all creditors together
	Failed int         // firms that cannot pay in full, the struck ones included
	Rounds int

	Converged bool // false: a large circle of debts did not come to rest, losses are too low
}

// StopPaying reckons who is short of how much when the struck firms leave a part of
// what they owe unpaid. cash is what a firm can pay from besides its receivables. A
// firm whose cash is not known is taken to have just what it needs when everybody
// pays: it passes on every loss that exceeds what it keeps of its receivables. costs
// are those of failing (NoCosts for none). It returns ErrFirm, ErrShock, ErrSelf,
// ErrAmount or ctx's error.
func StopPaying(ctx context.Context, list []Receivable, cash map[string]money.Fen, shocks []Shock, costs Costs) (*Unpaid, error) {
	p, err := newPayables(list, shocks)
	if err != nil {
		return nil, err
	}
	if err := p.fund(cash); err != nil {
		return nil, err
	}
	c, err := Clear(ctx, p.sys, costs)
	if err != nil {
		return nil, err
	}
	return p.tell(c), nil
}

// payables are receivables made ready for clearing. A struck firm owes only the part
// that it still pays; the rest is lost before the clearing.
type payables struct {
	reg    Register
	sys    System
	list   []Debt    // as confirmed
	struck []float64 // by firm, the part that it does not pay
	due    []float64 // by firm, as confirmed
	owed   []float64
}

func newPayables(list []Receivable, shocks []Shock) (*payables, error) {
	p := &payables{list: make([]Debt, 0, len(list))}
	for _, r := range list {
		if r.Amount < 0 {
			return nil, ErrAmount.With("value", r.Amount).With("what", "receivable of "+r.CreditorID).With("why", "give 0 or more")
		}
		if r.DebtorID == r.CreditorID {
			return nil, ErrSelf.With("id", r.DebtorID)
		}
		d, _ := p.reg.add(Firm{ID: r.DebtorID})
		c, _ := p.reg.add(Firm{ID: r.CreditorID})
		p.list = append(p.list, Debt{Debtor: d, Creditor: c, Amount: float64(r.Amount)})
	}
	n := len(p.reg.Firms)
	p.struck, p.due, p.owed = make([]float64, n), make([]float64, n), make([]float64, n)
	for _, s := range shocks {
		i, ok := p.reg.Find(s.FirmID)
		if !ok {
			return nil, ErrFirm.With("id", s.FirmID)
		}
		if !(s.Part > 0 && s.Part <= 1) {
			return nil, ErrShock.With("value", s.Part)
		}
		p.struck[i] = max(p.struck[i], s.Part)
	}
	for _, d := range p.list {
		p.due[d.Creditor] += d.Amount
		p.owed[d.Debtor] += d.Amount
		d.Amount *= 1 - p.struck[d.Debtor]
		p.sys.Debts = append(p.sys.Debts, d)
	}
	return p, nil
}

// fund gives each firm its cash, or what it needs when everybody pays.
func (p *payables) fund(cash map[string]money.Fen) error {
	p.sys.Assets = make([]float64, len(p.owed))
	for i, f := range p.reg.Firms {
		p.sys.Assets[i] = max(0, p.owed[i]-p.due[i])
		if has, ok := cash[f.ID]; ok {
			if has < 0 {
				return ErrAmount.With("value", has).With("what", "cash of "+f.ID).With("why", "give 0 or more")
			}
			p.sys.Assets[i] = float64(has)
		}
	}
	return nil
}

// tell rounds to fen and explains.
func (p *payables) tell(c *Clearing) *Unpaid {
	n := len(p.owed)
	u := &Unpaid{Firms: []Shortfall{}, Rounds: c.Rounds, Converged: c.Converged}
	paid := make([]float64, n) // part of what was confirmed
	for i := range n {
		paid[i] = 1 - p.struck[i]
		if c.Failed[i] {
			paid[i] *= part(c.Paid[i], c.Owed[i])
		}
		if paid[i] < 1 {
			u.Failed++
		}
	}
	got := make([]float64, n)
	for _, d := range p.list {
		got[d.Creditor] += d.Amount * paid[d.Debtor]
	}
	worst := p.worst(paid)
	for i, f := range p.reg.Firms {
		s := Shortfall{
			FirmID: f.ID, Due: fen(p.due[i]), Received: fen(got[i]), Owed: fen(p.owed[i]), Paid: fen(p.owed[i] * paid[i]), Struck: p.struck[i] > 0,
		}
		s.Lost, s.Unpaid = s.Due-s.Received, s.Owed-s.Paid
		if s.Lost == 0 && s.Unpaid == 0 {
			continue
		}
		s.Cause = p.cause(uint32(i), worst, paid)
		u.Lost += s.Lost
		u.Firms = append(u.Firms, s)
	}
	slices.SortFunc(u.Firms, func(a, b Shortfall) int {
		return cmp.Or(cmp.Compare(b.Lost, a.Lost), cmp.Compare(b.Unpaid, a.Unpaid), cmp.Compare(a.FirmID, b.FirmID))
	})
	return u
}

func fen(v float64) money.Fen { return money.Fen(math.RoundToEven(v)) }

// worst finds the debt of which each firm loses most, as a place in the list plus 1.
func (p *payables) worst(paid []float64) []int {
	out := make([]int, len(paid))
	most := make([]float64, len(paid))
	for k, d := range p.list {
		if lost := d.Amount * (1 - paid[d.Debtor]); lost > most[d.Creditor] {
			most[d.Creditor], out[d.Creditor] = lost, k+1
		}
	}
	return out
}

// cause follows the worst debts back to a struck firm, or until they go in a circle.
func (p *payables) cause(i uint32, worst []int, paid []float64) Cause {
	c := Cause{Kind: Payment, Path: []string{p.reg.Firms[i].ID}}
	if p.struck[i] > 0 {
		c.Kind = Struck
		return c
	}
	seen := map[uint32]bool{i: true}
	for at := i; worst[at] > 0 && p.struck[at] == 0; {
		d := p.list[worst[at]-1]
		if at == i {
			c.From = p.reg.Firms[d.Debtor].ID
			c.Share = part(d.Amount, p.due[i])
			c.Part = c.Share * (1 - paid[d.Debtor])
		}
		if at = d.Debtor; seen[at] {
			break
		}
		seen[at] = true
		c.Path = append(c.Path, p.reg.Firms[at].ID)
	}
	slices.Reverse(c.Path)
	return c
}

// Endangered lists the loans of firms that lose at least a part of what is due to them.
func (u *Unpaid) Endangered(loans []Exposure, least float64) Endangered {
	of := make(map[string]Shortfall, len(u.Firms))
	for _, s := range u.Firms {
		of[s.FirmID] = s
	}
	return endangered(loans, func(firmID string) (float64, Cause, bool) {
		s := of[firmID]
		loss := part(float64(s.Lost), float64(s.Due))
		if s.Struck {
			loss = max(loss, part(float64(s.Unpaid), float64(s.Owed)))
		}
		if loss < least {
			loss = 0
		}
		return loss, s.Cause, true
	})
}
