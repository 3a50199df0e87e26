// Package product reads what the bank offers from catalog/products.yaml: what each kind
// of loan is for, who may have it, the evidence that it reads, its price and its bounds.
// The policy evaluates them.
package product

import (
	"fmt"
	"slices"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with products and with asking for one.
var (
	ErrFile    = fault.New(fault.Invalid, "product.file", "the product {code} is wrong: {why}")
	ErrUnknown = fault.New(fault.Invalid, "product.unknown", "there is no product {code}")
	ErrAmount  = fault.New(fault.Invalid, "product.amount", "ask for an amount between {min} and {max} yuan")
	ErrTerm    = fault.New(fault.Invalid, "product.term", "choose a term of {terms} months")
	ErrSubject = fault.New(fault.Invalid, "product.subject", "this product lends on a {want}, not on a {got}")
	ErrChannel = fault.New(fault.Invalid, "product.channel", "{code} cannot be asked for this way; ask for it by {channels}")
)

// Product is one kind of loan.
type Product struct {
	Code          string             `json:"code" yaml:"code"`
	Name          map[string]string  `json:"name" yaml:"name"`       // by language: "zh-CN", "en"
	Purpose       map[string]string  `json:"purpose" yaml:"purpose"` // what the money may be used for
	SubjectKind   credit.SubjectKind `json:"subject_kind" yaml:"subject_kind"`
	MinFen        money.Fen          `json:"min_fen" yaml:"min_fen"`
	MaxFen        money.Fen          `json:"max_fen" yaml:"max_fen"`
	Terms         []int              `json:"terms" yaml:"terms"` // months
	BaseRateBP    int64              `json:"base_rate_bp" yaml:"base_rate_bp"`
	MaxRateBP     int64              `json:"max_rate_bp" yaml:"max_rate_bp"`       // the price never goes above it
	PenaltyFactor int64              `json:"penalty_factor" yaml:"penalty_factor"` // penalty rate in per cent of the contract rate
	Method        loan.Method        `json:"method" yaml:"method"`
	DayCount      money.DayCount     `json:"day_count" yaml:"day_count"`
	Policy        string             `json:"policy" yaml:"policy"` // name of the policy that decides

	// BasedOn is the product whose fields hold where this one states none.
	BasedOn    string        `json:"based_on,omitempty" yaml:"based_on"`
	Class      Class         `json:"class,omitempty" yaml:"class"`
	Regulation Regulation    `json:"regulation,omitempty" yaml:"regulation"`
	Who        Who           `json:"who,omitzero" yaml:"who"`
	Evidence   []Need        `json:"evidence,omitempty" yaml:"evidence"`
	Formula    *Formula      `json:"formula,omitempty" yaml:"formula"`
	Pricing    Pricing       `json:"pricing,omitzero" yaml:"pricing"`
	Caps       []Cap         `json:"caps,omitempty" yaml:"caps"`
	Ways       []loan.Method `json:"ways,omitempty" yaml:"ways"` // of repayment; Method is the usual one
	// Repayment lays out the instalments; nil is one a month.
	Repayment *Repayment `json:"repayment,omitempty" yaml:"repayment"`
	// Revolving limits are approved once, drawn and repaid freely; the balance counts.
	Revolving bool      `json:"revolving,omitempty" yaml:"revolving"`
	Purposes  []Purpose `json:"purposes,omitempty" yaml:"purposes"`
	// Directed money goes to the seller of goods, never to the borrower.
	Directed bool `json:"directed,omitempty" yaml:"directed"`
	// Delivery says when a seller is paid; see [Delivery].
	Delivery Delivery  `json:"delivery,omitempty" yaml:"delivery"`
	Channels []Channel `json:"channels,omitempty" yaml:"channels"` // empty: all
	Funders  []Funder  `json:"funders,omitempty" yaml:"funders"`   // empty: the bank alone
	Subsidy  *Subsidy  `json:"subsidy,omitempty" yaml:"subsidy"`
	RiskPool *RiskPool `json:"risk_pool,omitempty" yaml:"risk_pool"`
	Release  *Release  `json:"release,omitempty" yaml:"release"`
	Surety   *Surety   `json:"surety,omitempty" yaml:"surety"`
	// OfferDays is how long an offer, or a contract that nobody has drawn on, waits; 0 is
	// the house's usual time.
	OfferDays int `json:"offer_days,omitempty" yaml:"offer_days"`
	// ThinkHours is how long a borrower who accepts the offer has to think before signing;
	// 0 asks for the signature at once.
	ThinkHours int `json:"think_hours,omitempty" yaml:"think_hours"`
	// Fees are what the borrower pays beside the interest; empty: nothing.
	Fees []cost.Fee `json:"fees,omitempty" yaml:"fees"`
	// Tranches are the parts in which the money goes out; empty: at once.
	Tranches []Tranche `json:"tranches,omitempty" yaml:"tranches"`
	// CoolingDays is how long after the payout the borrower may give the money back, with
	// interest for the days of its use and nothing else.
	CoolingDays int `json:"cooling_days,omitempty" yaml:"cooling_days"`
}

// Delivery says when directed money is paid: "" when the seller confirmed the order.
type Delivery string

// Rules of delivery.
const (
	BuyerDelivery   Delivery = "buyer"   // after the buyer said that the goods are there
	ReceiptDelivery Delivery = "receipt" // likewise, or after the seller gave a signed receipt
)

// Bounds are the caps of p and that of the law on what is lent around a borrower.
func (p Product) Bounds() []Cap {
	out := slices.Clone(p.Caps)
	if b := p.Regulation.Bound(); b.HouseholdFen > 0 {
		out = append(out, Cap{On: "household", MaxFen: b.HouseholdFen, Counts: b.Counts})
	}
	return out
}

// PenaltyRate is what overdue money costs a year.
func (p Product) PenaltyRate(rate money.Rate) money.Rate {
	return rate * money.Rate(p.PenaltyFactor) / 100
}

// All returns the products in the order of the file.
func (c *Catalogue) All() []Product { return slices.Clone(c.list) }

// Product returns ErrUnknown.
func (c *Catalogue) Product(code string) (Product, error) {
	for _, p := range c.list {
		if p.Code == code {
			return p, nil
		}
	}
	return Product{}, ErrUnknown.With("code", code)
}

// Needs are the parts of evidence that p reads. A product that names none reads what its
// subject tells.
func (p Product) Needs() []Need {
	if len(p.Evidence) > 0 {
		return p.Evidence
	}
	switch p.SubjectKind {
	case credit.PlotSubject:
		return []Need{{Part: "crop"}}
	case credit.HerdSubject:
		return []Need{{Part: "herd"}}
	case credit.FirmSubject:
		return []Need{{Part: "standing"}}
	}
	return nil
}

// Reads says whether p reads a part of the evidence.
func (p Product) Reads(part string) bool {
	return slices.ContainsFunc(p.Needs(), func(n Need) bool { return n.Part == part })
}

// Offered says whether p is offered on a channel.
func (p Product) Offered(c Channel) bool {
	return len(p.Channels) == 0 || slices.Contains(p.Channels, c)
}

// CheckChannel returns ErrChannel when p is not offered there.
func (p Product) CheckChannel(c Channel) error {
	if p.Offered(c) {
		return nil
	}
	return ErrChannel.At("body.product").With("code", p.Code).With("channels", fmt.Sprint(p.Channels))
}

// PriceBP is the yearly price in basis points for a score of the decision, a term and a
// county ("" when it is not known), before what the policy adds.
func (p Product) PriceBP(score, months int, region string) int64 {
	if len(p.Pricing.Rows) == 0 {
		return p.BaseRateBP
	}
	band := ""
	for _, b := range p.Pricing.Bands {
		if score >= b.From {
			band = b.Name
			break
		}
	}
	elsewhere := p.BaseRateBP
	for i := range p.Pricing.Rows {
		r := &p.Pricing.Rows[i]
		if r.Band != band || months < r.FromMonths || months > r.ToMonths {
			continue
		}
		switch {
		case len(r.Regions) == 0:
			elsewhere = r.BP
		case begins(region, r.Regions):
			return r.BP
		}
	}
	return elsewhere
}

// Check says whether the product lends on kind, that amount and term; it returns
// ErrSubject, ErrAmount or ErrTerm.
func (p Product) Check(kind credit.SubjectKind, asked money.Fen, termMonths int) error {
	switch {
	case kind != p.SubjectKind:
		return ErrSubject.At("body.subject.kind").With("want", p.SubjectKind).With("got", kind)
	case asked < p.MinFen || asked > p.MaxFen:
		return ErrAmount.At("body.asked").With("min", p.MinFen).With("max", p.MaxFen)
	case !slices.Contains(p.Terms, termMonths):
		return ErrTerm.At("body.term_months").With("terms", fmt.Sprint(p.Terms))
	}
	return nil
}
