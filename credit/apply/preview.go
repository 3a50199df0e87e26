package apply

import (
	"context"
	"errors"
	"slices"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// LoanCost is what a loan costs when it is drawn at once and repaid on time.
type LoanCost struct {
	Interest money.Fen `json:"interest"`
	Fees     money.Fen `json:"fees"`
	Total    money.Fen `json:"total"` // principal, interest and fees
	// SimpleRate a year, without compounding, and IRR, with it, both of all costs on the
	// principal that is in use (PBOC Announcement 2021 No. 3).
	SimpleRate money.Rate `json:"simple_rate"`
	IRR        money.Rate `json:"irr"`
	// Charges tells the fees apart.
	Charges []FeeSum `json:"charges,omitempty"`
}

// OfferRow is one instalment of a preview.
type OfferRow schedule.Row

// Preview is what a loan under an offer would be.
type Preview struct {
	Amount      money.Fen         `json:"amount"`
	TermMonths  int               `json:"term_months"`
	Method      schedule.Method   `json:"method"`
	Methods     []schedule.Method `json:"methods"` // that may be chosen, the usual one first
	Rate        money.Rate        `json:"rate"`
	PenaltyRate money.Rate        `json:"penalty_rate"`
	Start       money.Date        `json:"start"` // as if drawn on this day
	Rows        []OfferRow        `json:"rows"`
	Cost        LoanCost          `json:"cost"`
	// CoolingDays is how long after the payout the money may be given back, ThinkHours how
	// long an accepted offer waits before it can be signed.
	CoolingDays int `json:"cooling_days"`
	ThinkHours  int `json:"think_hours"`
	// Tranches are the plan by which the money goes out; empty: at once. Rows and cost are
	// those of the plan.
	Tranches []loan.Tranche `json:"tranches,omitempty"`
}

// PreviewAsk is what a preview is of; zero fields are those of the offer.
type PreviewAsk struct {
	Amount     money.Fen
	TermMonths int
	Method     schedule.Method
}

// Preview shows what it costs to draw an amount today, by one of the ways that the product
// allows, before anything is signed; under a limit that is drawn again and again also for
// fewer months. ErrAboveLimit, ErrTerm, ErrWay; ErrNoContract without an offer.
func (s *Service) Preview(ctx context.Context, actor access.Actor, id string, ask PreviewAsk) (Preview, error) {
	a, err := s.get(ctx, actor, id)
	if err != nil {
		return Preview{}, err
	}
	o, err := s.previewed(ctx, a)
	if err != nil {
		return Preview{}, err
	}
	if ask.Amount == 0 {
		ask.Amount = a.Limit
	}
	if ask.TermMonths == 0 {
		ask.TermMonths = a.TermMonths
	}
	if ask.Method == "" {
		ask.Method = o.product.Method
	}
	switch {
	case ask.Amount < 0 || ask.Amount > a.Limit:
		return Preview{}, ErrAboveLimit.At("query.amount").With("limit", a.Limit)
	case ask.TermMonths != a.TermMonths && (!o.product.Revolving || ask.TermMonths < 1 || ask.TermMonths > a.TermMonths):
		return Preview{}, ErrTerm.At("query.term_months").With("months", a.TermMonths)
	}
	today := money.DateOf(s.now())
	terms, err := o.terms(ask.Amount, ask.TermMonths, ask.Method, today)
	if err != nil {
		return Preview{}, err
	}
	fees, err := s.feesOf(ctx, a, o.product.Fees)
	if err != nil {
		return Preview{}, err
	}
	rows, cost, err := costOf(terms, fees)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{
		Amount: ask.Amount, TermMonths: ask.TermMonths, Method: ask.Method, Methods: ways(o.product), Rate: a.Rate,
		PenaltyRate: o.product.PenaltyRate(a.Rate), Start: today, Rows: make([]OfferRow, len(rows)), Cost: cost,
		CoolingDays: o.product.CoolingDays, ThinkHours: o.product.ThinkHours,
	}
	for i, r := range rows {
		p.Rows[i] = OfferRow(r)
	}
	p.Tranches = o.tranches(ask.Amount, ask.TermMonths, ask.Method, today)
	return p, nil
}

// previewed is the offer of an application that has one, or a contract that may be drawn.
func (s *Service) previewed(ctx context.Context, a Application) (offer, error) {
	if !slices.Contains([]State{Offered, Accepted, Signed, Active}, a.State) {
		return offer{}, ErrNoContract.With("state", a.State)
	}
	p, err := s.cfg.Products.Product(a.Product)
	if err == nil && (a.State == Signed || a.State == Active) {
		var c Contract // what was agreed holds, not what the product says by now
		if c, err = s.signed(ctx, a); errors.Is(err, ErrNotFound) {
			err = nil
		}
		p.Fees, p.CoolingDays, p.Tranches = c.Fees, c.CoolingDays, c.Tranches
	}
	return offer{Service: s, a: a, product: p}, err
}
