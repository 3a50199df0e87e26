package product

import (
	"strings"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/money"
)

// Class is what stands behind a loan.
type Class string

// Classes.
const (
	Credit      Class = "credit"       // the borrower's word alone
	Pledge      Class = "pledge"       // things: crops, animals, stock
	SupplyChain Class = "supply_chain" // trade with an anchor
	Guarantee   Class = "guarantee"    // somebody else answers for it
)

// Channel is the way on which a product is asked for.
type Channel string

// Channels.
const (
	Phone   Channel = "phone"   // the borrower's own face
	Counter Channel = "counter" // an officer or operator asks for the borrower
	Portal  Channel = "portal"  // an anchor enterprise brings its supplier or dealer
	API     Channel = "api"     // a partner's system
)

// Who may borrow. Empty lists do not restrict; codes are matched by their beginning.
type Who struct {
	Kinds        []string `json:"kinds,omitempty" yaml:"kinds"`           // of credit.Applicant: "person", "firm"
	Regions      []string `json:"regions,omitempty" yaml:"regions"`       // GB/T 2260, two to six digits
	Industries   []string `json:"industries,omitempty" yaml:"industries"` // GB/T 4754: "A", "A01"
	MinAge       int      `json:"min_age,omitempty" yaml:"min_age"`       // years; 0 is none, likewise the next
	MaxAge       int      `json:"max_age,omitempty" yaml:"max_age"`
	AnchorTier   int      `json:"anchor_tier,omitempty" yaml:"anchor_tier"`     // farthest from the nearest anchor; 0 needs none
	AnchorMonths int      `json:"anchor_months,omitempty" yaml:"anchor_months"` // shortest tenure
}

// Fit is how an applicant meets a condition.
type Fit int

// Fits.
const (
	Fits Fit = iota
	FitUnknown
	FitsNot
)

// Fit says whether a may borrow, and which condition decides it: "kind", "region",
// "industry" or "age". What is not known of a does not refuse, a person asks.
func (w Who) Fit(a credit.Applicant) (fit Fit, condition string) {
	one := func(name string, known, fits bool) {
		got := Fits
		switch {
		case !known:
			got = FitUnknown
		case !fits:
			got = FitsNot
		}
		if got > fit {
			fit, condition = got, name
		}
	}
	if len(w.Kinds) > 0 {
		one("kind", a.Kind != "", begins(a.Kind, w.Kinds))
	}
	if len(w.Regions) > 0 {
		one("region", a.Region != "", begins(a.Region, w.Regions))
	}
	if len(w.Industries) > 0 {
		one("industry", a.Industry != "", begins(a.Industry, w.Industries))
	}
	if (w.MinAge > 0 || w.MaxAge > 0) && a.Kind != "firm" {
		one("age", a.Age > 0, a.Age >= w.MinAge && (w.MaxAge == 0 || a.Age <= w.MaxAge))
	}
	return fit, condition
}

func begins(code string, with []string) bool {
	for _, w := range with {
		if strings.HasPrefix(code, w) {
			return true
		}
	}
	return false
}

// Need is one part of the evidence that a product reads. No other part is read for it.
type Need struct {
	Part          string  `json:"part" yaml:"part" enum:"crop,herd,standing,bureau,bank,turnover"`
	MaxAgeDays    int     `json:"max_age_days,omitempty" yaml:"max_age_days"`     // 0 does not restrict
	MinConfidence float64 `json:"min_confidence,omitempty" yaml:"min_confidence"` // 1 - uncertainty of its source
	Optional      bool    `json:"optional,omitempty" yaml:"optional"`             // read when it is there
}

// Pricing is a grid of yearly prices by the score of the decision, the term and the
// county. Without rows the price is Product.BaseRateBP.
type Pricing struct {
	Bands []Band     `json:"bands,omitempty" yaml:"bands"`
	Rows  []PriceRow `json:"rows,omitempty" yaml:"rows"`
}

// Band is a range of scores, from a score up to the next band. The best comes first and
// the last starts at 0.
type Band struct {
	Name string `json:"name" yaml:"name"`
	From int    `json:"from" yaml:"from"` // 0..1000
}

// PriceRow is the price of a band in a range of terms. A row with regions comes before
// one without, which holds everywhere else.
type PriceRow struct {
	Band       string   `json:"band" yaml:"band"`
	FromMonths int      `json:"from_months" yaml:"from_months"`
	ToMonths   int      `json:"to_months" yaml:"to_months"` // the last that it holds for
	Regions    []string `json:"regions,omitempty" yaml:"regions"`
	BP         int64    `json:"bp" yaml:"bp"`
}

// Cap bounds what is lent around the applicant: the exposure with the new loan in it may
// not be more than MaxFen.
type Cap struct {
	On     string    `json:"on" yaml:"on" enum:"household,group,anchor,product,region,total"`
	MaxFen money.Fen `json:"max_fen" yaml:"max_fen"`
	// Counts says what is summed; "" is what [Cap.Counted] says.
	Counts Counts `json:"counts,omitempty" yaml:"counts" enum:"granted,drawn"`
}

// Counts is what a bound sums: the two differ by what nobody has drawn of revolving limits.
type Counts string

// Ways of counting.
const (
	CreditGranted    Counts = "granted" // 授信: a limit counts whole from the day it is offered
	LoansOutstanding Counts = "drawn"   // 贷款余额: a revolving limit counts with what is drawn of it
)

// Counted is what c sums. Who borrows is bound by what was granted to them, as a household
// can draw all of its limits on one day; a portfolio by what is out, as not all draw at
// once.
func (c Cap) Counted() Counts {
	switch {
	case c.Counts != "":
		return c.Counts
	case c.On == "household" || c.On == "group":
		return CreditGranted
	}
	return LoansOutstanding
}

// Formula is the limit that the evidence gives, before the policy's factors and caps.
type Formula struct {
	Name   string           `json:"name" yaml:"name"`
	Params map[string]int64 `json:"params,omitempty" yaml:"params"`
}

// Purpose is one thing that the money may be used for.
type Purpose struct {
	Code string            `json:"code" yaml:"code"`
	Name map[string]string `json:"name" yaml:"name"` // by language
	// Goods are the categories that may be bought when the money goes to the seller.
	Goods []string `json:"goods,omitempty" yaml:"goods"`
}

// Funder gives a share of each loan.
type Funder struct {
	Code    string `json:"code" yaml:"code"`
	Kind    string `json:"kind" yaml:"kind" enum:"own,partner"`
	ShareBP int64  `json:"share_bp" yaml:"share_bp"` // of 10,000
}

// Subsidy pays part of the interest.
type Subsidy struct {
	Code      string            `json:"code" yaml:"code"`
	Name      map[string]string `json:"name" yaml:"name"`
	ShareBP   int64             `json:"share_bp" yaml:"share_bp"`     // of the interest
	MaxFen    money.Fen         `json:"max_fen" yaml:"max_fen"`       // principal that it is paid for
	MaxMonths int               `json:"max_months" yaml:"max_months"` // and how long
}

// RiskPool bears part of the losses until it is empty.
type RiskPool struct {
	Code    string            `json:"code" yaml:"code"`
	Name    map[string]string `json:"name" yaml:"name"`
	ShareBP int64             `json:"share_bp" yaml:"share_bp"` // of each loss
	CapFen  money.Fen         `json:"cap_fen" yaml:"cap_fen"`   // of all losses
}

// Release says when things that are pledged become free, as in a warehouse: one by one
// while the rest still covers what is owed.
type Release struct {
	CoverBP int64 `json:"cover_bp" yaml:"cover_bp"` // least value of what stays, of what is owed
	// Replace lets other things of the kind come in for those that leave.
	Replace bool `json:"replace,omitempty" yaml:"replace"`
	// ProofDays is how old the count of what stays may be.
	ProofDays int    `json:"proof_days" yaml:"proof_days"`
	By        string `json:"by" yaml:"by" enum:"officer,system"` // who confirms it
}

// Surety is who answers for the loan.
type Surety struct {
	Kind    string            `json:"kind" yaml:"kind" enum:"company,joint,person"`
	Name    map[string]string `json:"name,omitempty" yaml:"name"`
	ShareBP int64             `json:"share_bp" yaml:"share_bp"` // of what is owed
	// Code of a guarantee company among the funders, where losses are shared with it.
	Code string `json:"code,omitempty" yaml:"code"`
	// TriggerDays overdue after which it pays; 0 waits for the write-off.
	TriggerDays int `json:"trigger_days,omitempty" yaml:"trigger_days"`
	// NetAssetsFen of a guarantee company bound what it may answer for.
	NetAssetsFen money.Fen `json:"net_assets_fen,omitempty" yaml:"net_assets_fen"`
	// MinParties and MaxParties of households that stand for each other.
	MinParties int `json:"min_parties,omitempty" yaml:"min_parties"`
	MaxParties int `json:"max_parties,omitempty" yaml:"max_parties"`
}
