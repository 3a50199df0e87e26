// Package provision foretells what a loan will lose, in the three stages of the standard
// on financial instruments (IFRS 9; CAS 22): twelve months of default risk for a loan that
// is as good as it was, its whole life once the risk has risen, and a default that has come.
// The tables are the bank's: catalog/provision.yaml.
package provision

import (
	"math/big"

	"github.com/furrowcredit/furrow/money"
)

// Stage of a loan.
type Stage int

// Stages.
const (
	Performing Stage = 1 // twelve months of expected loss
	Increased  Stage = 2 // the risk has risen: loss over its whole life
	Impaired   Stage = 3 // in default: loss over its whole life
)

// Share is an amount of principal that is out until a date.
type Share struct {
	DueOn     money.Date
	Principal money.Fen
}

// Exposure is what a loan stands for on a date.
type Exposure struct {
	Product     string
	Date        money.Date
	OverdueDays int
	Increased   bool       // the risk has risen for a reason beside days: the loan was restructured, its debtor is bad elsewhere
	Impaired    bool       // its debtor is in default, whatever the days
	Rate        money.Rate // a year; the loan's own rate discounts the loss
	Principal   money.Fen  // outstanding
	Interest    money.Fen  // earned and not paid, with fees and penalty
	Shares      []Share    // of Principal, by due date; what is due already counts at once
}

// Loss is the expected loss of a loan.
type Loss struct {
	Stage  Stage     `json:"stage"`
	Amount money.Fen `json:"amount"`
}

// Stage of an exposure: more than Stage3Days overdue is impaired, more than Stage2Days or
// another sign of risen risk is stage 2.
func (t *Table) Stage(x Exposure) Stage {
	switch {
	case x.Impaired || x.OverdueDays > t.Stage3Days:
		return Impaired
	case x.Increased || x.OverdueDays > t.Stage2Days:
		return Increased
	}
	return Performing
}

// Loss gives the expected loss, HALF_EVEN and never above what is owed:
//
//	stage 3:    LGD(days) × EAD
//	stage 2, 1: Σ over months k of PD(k) × LGD × EAD(k) / (1 + rate × k/12)
//
// where EAD(k) is what is out at the start of month k. The yearly probability of default
// falls evenly on the months of a year and on those that have survived until then. Stage 1
// looks at twelve months, stage 2 at all.
func (t *Table) Loss(x Exposure) Loss {
	stage := t.Stage(x)
	owed := x.Principal + x.Interest
	if owed <= 0 {
		return Loss{Stage: stage}
	}
	s := t.segment(x.Product)
	if stage == Impaired {
		return Loss{stage, min(owed, portion(owed, s.lossGiven(x.OverdueDays)))}
	}
	months := 12
	if stage == Increased {
		months = t.Most
	}
	return Loss{stage, min(owed, s.expected(x, months))}
}

// scale carries the sums of products of rates: 1e-16 of a fen.
const scale = int64(money.RateOne) * int64(money.RateOne)

func (s *Segment) expected(x Exposure, months int) money.Fen {
	pd, lgd := int64(s.defaults(x.OverdueDays)), int64(s.LGD)
	one := int64(money.RateOne)
	balance, next := x.Principal+x.Interest, 0
	alive := one // share that has not defaulted at the start of the year
	sum, term, num := new(big.Int), new(big.Int), new(big.Int)
	for k := range months {
		start := x.Date.AddMonths(k)
		for ; next < len(x.Shares) && k > 0 && x.Shares[next].DueOn <= start; next++ {
			balance -= x.Shares[next].Principal
		}
		if balance <= 0 || k > 0 && next == len(x.Shares) {
			break
		}
		if k > 0 && k%12 == 0 {
			alive = alive * (one - pd) / one
		}
		// balance × lgd × alive × pd / 12, discounted by the middle of nothing: its start.
		num.SetInt64(int64(balance))
		num.Mul(num, term.SetInt64(lgd))
		num.Mul(num, term.SetInt64(alive*pd/one))
		num.Mul(num, term.SetInt64(one))
		num.Quo(num, term.SetInt64(12*one+int64(x.Rate)*int64(k)))
		sum.Add(sum, num)
	}
	half := big.NewInt(scale / 2)
	sum.Add(sum, half).Quo(sum, big.NewInt(scale))
	return money.Fen(sum.Int64())
}

func portion(amount money.Fen, rate money.Rate) money.Fen {
	part, err := money.Portion(amount, rate, 1, 1)
	if err != nil {
		return amount // beyond 64 bits: all of it
	}
	return part
}
