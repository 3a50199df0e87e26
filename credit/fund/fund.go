// Package fund shares loans between those who fund them and those who answer for them:
// the own bank, partner banks, trusts, guarantors, risk pools and governments.
//
// The arithmetic is pure (Allocate, Split, Absorb, Recover, Engine). What it gives are
// lines of ledger entries, and the lines are the only state: positions, statements and
// the next split are sums of them.
package fund

import (
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong.
var (
	ErrFile      = fault.New(fault.Invalid, "fund.file", "{item} is wrong: {why}")
	ErrNotFound  = fault.New(fault.NotFound, "fund.not_found", "this loan is not shared")
	ErrFunder    = fault.New(fault.NotFound, "fund.funder", "there is no funder {code}")
	ErrAgreement = fault.New(fault.Invalid, "fund.agreement", "there is no agreement {code} in force on {date}")
	ErrRate      = fault.New(fault.Conflict, "fund.rate", "{party} lends at {rate} a year, above the {price} of the loan; choose another agreement")
	ErrBound     = fault.New(fault.Conflict, "fund.bound", "{party} would have {used} yuan of at most {max} yuan: {article}")
	ErrShare     = fault.New(fault.Conflict, "fund.share", "{party} would give {bp} of 10000 of a joint loan, at least 3000 are needed: {article}")
	ErrAmount    = fault.New(fault.Invalid, "fund.amount", "settle an amount that is not zero, at most {open} yuan")
	ErrMonth     = fault.New(fault.Invalid, "fund.month", "write the month like 2026-05 and the quarter like 2026Q2")
	ErrKind      = fault.New(fault.Invalid, "fund.kind", "{code} is a {kind}; this cannot be settled with it")
)

const whole int64 = 10_000

// Kind of a funder.
type Kind string

// Kinds.
const (
	Own        Kind = "own"        // the bank that keeps these books and leads every loan
	Partner    Kind = "partner"    // another bank
	Trust      Kind = "trust"      // a trust, fund or company that lends along
	Guarantor  Kind = "guarantor"  // answers for a share of each loss
	Pool       Kind = "pool"       // bears losses up to a cap
	Government Kind = "government" // pays part of the interest
)

// Lends says whether a funder of the kind gives principal.
func (k Kind) Lends() bool { return k == Own || k == Partner || k == Trust }

// Participant is one party, by catalog/funders.yaml.
type Participant struct {
	Code string            `json:"code" yaml:"code"`
	Kind Kind              `json:"kind" yaml:"kind" enum:"own,partner,trust,guarantor,pool,government"`
	Name map[string]string `json:"name" yaml:"name"` // by language
	// Group joins parties that are related: they are one for the bound on concentration.
	Group string `json:"group,omitempty" yaml:"group"`
	// NetAssetsFen of a guarantor bound what it may answer for, Multiple times over; what it
	// answers for elsewhere counts in OtherFen. AsOf and Source say where they are from.
	NetAssetsFen money.Fen `json:"net_assets_fen,omitempty" yaml:"net_assets_fen"`
	OtherFen     money.Fen `json:"other_fen,omitempty" yaml:"other_fen"`
	Multiple     int64     `json:"multiple,omitempty" yaml:"multiple"` // 10; up to 15 for one that mainly serves farms and small firms
	AsOf         string    `json:"as_of,omitempty" yaml:"as_of"`
	Source       string    `json:"source,omitempty" yaml:"source"`
}

// BankCapital is what the bank has reported; it bounds joint internet loans.
type BankCapital struct {
	Tier1NetFen money.Fen `json:"tier1_net_fen" yaml:"tier1_net_fen"`
	LoansFen    money.Fen `json:"loans_fen" yaml:"loans_fen"` // all loans of the bank
	AsOf        string    `json:"as_of" yaml:"as_of"`
	Source      string    `json:"source" yaml:"source"`
}

// LenderShares are basis points of each part of what moves. A party that names none of its own
// has its share of the principal in all.
type LenderShares struct {
	Principal int64 `json:"principal" yaml:"principal"`
	Interest  int64 `json:"interest" yaml:"interest"`
	Fee       int64 `json:"fee" yaml:"fee"`
	Penalty   int64 `json:"penalty" yaml:"penalty"`
}

// Lender lends a share.
type Lender struct {
	Code   string       `json:"code"`
	Kind   Kind         `json:"kind"`
	Shares LenderShares `json:"shares"`
	// Rate a year that the party gets on its part; 0 is the rate of the loan. The lead keeps
	// the difference, of which the party gets SpreadBP: profit sharing.
	Rate     money.Rate `json:"rate"`
	SpreadBP int64      `json:"spread_bp"`
	// Servicer is what the party pays the lead a year of its part, out of its interest;
	// DrawFeeBP what it pays once of its part of each drawdown.
	Servicer  money.Rate `json:"servicer"`
	DrawFeeBP int64      `json:"draw_fee_bp"`
}

// LossBearer is the pool or the guarantor of a loan.
type LossBearer struct {
	Code    string `json:"code"`
	ShareBP int64  `json:"share_bp"` // of each loss
	// A pool has a cap: CapFen, and CapBP of what was disbursed or is outstanding under it,
	// whichever is less when both are set. Base is "disbursed" or "outstanding".
	CapFen money.Fen `json:"cap_fen,omitempty"`
	CapBP  int64     `json:"cap_bp,omitempty"`
	Base   string    `json:"base,omitempty"`
	// Bucket is what the cap is counted in: the code, or code/2026 for a vintage of its own.
	Bucket string `json:"bucket,omitempty"`
}

// SubsidyGrant is an interest subsidy.
type SubsidyGrant struct {
	Code      string     `json:"code"`
	ShareBP   int64      `json:"share_bp"` // of the interest
	MaxFen    money.Fen  `json:"max_fen"`  // principal that it is paid for
	Until     money.Date `json:"until"`    // last day of interest that it is paid for
	MaxMonths int        `json:"max_months"`
}

// SharingTerms are how one loan is shared, frozen when it is drawn. The first party is the lead.
type SharingTerms struct {
	Agreement string      `json:"agreement"` // "" for the fields of the product alone
	From      money.Date  `json:"from"`      // of the version of the agreement
	Internet  bool        `json:"internet"`  // a joint internet loan: bounds of 银保监办发〔2021〕24号
	Rate      money.Rate  `json:"rate"`      // that the borrower pays
	Principal money.Fen   `json:"principal"`
	Parties   []Lender    `json:"parties"`
	Pool      *LossBearer `json:"pool,omitempty"`
	Guarantor *LossBearer `json:"guarantor,omitempty"`
	// TriggerDays overdue at which guarantor and pool pay out; 0 waits for the write-off.
	TriggerDays int           `json:"trigger_days,omitempty"`
	Subsidy     *SubsidyGrant `json:"subsidy,omitempty"`
	Debtor      string        `json:"debtor"`
	// Fallback says why the bank funds alone what an agreement should have shared.
	Fallback string `json:"fallback,omitempty"`
}

// Shared says whether anybody but the bank is concerned.
func (t SharingTerms) Shared() bool {
	return len(t.Parties) > 1 || t.Pool != nil || t.Guarantor != nil || t.Subsidy != nil
}

// Joint says whether somebody lends along.
func (t SharingTerms) Joint() bool { return len(t.Parties) > 1 }

// OwnPart is the bank's part of the principal.
func (t SharingTerms) OwnPart() money.Fen { return Allocate(t.weights(byPrincipal), t.Principal)[0] }

func (t SharingTerms) weights(of func(LenderShares) int64) []int64 {
	out := make([]int64, len(t.Parties))
	for i, p := range t.Parties {
		out[i] = of(p.Shares)
	}
	return out
}

// bearers in the order in which they bear losses.
func (t SharingTerms) bearers() []LossBearer {
	var out []LossBearer
	if t.Pool != nil {
		out = append(out, *t.Pool)
	}
	if t.Guarantor != nil {
		out = append(out, *t.Guarantor)
	}
	return out
}
