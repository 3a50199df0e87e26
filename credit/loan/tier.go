package loan

import (
	"github.com/furrowcredit/furrow/credit/loan/provision"
	"github.com/furrowcredit/furrow/money"
)

// Class is one of the five tiers of the Measures 2023 No. 1.
type Class string

// Tiers by days overdue: 0, 1-90, 91-270, 271-360, over 360.
const (
	Normal         Class = "normal"
	SpecialMention Class = "special_mention"
	Substandard    Class = "substandard"
	Doubtful       Class = "doubtful"
	Loss           Class = "loss"
)

// Classify gives the tier of a loan that is days overdue.
func Classify(days int) Class {
	switch {
	case days <= 0:
		return Normal
	case days <= 90:
		return SpecialMention
	case days <= 270:
		return Substandard
	case days <= 360:
		return Doubtful
	}
	return Loss
}

func (c Class) rank() int {
	switch c {
	case SpecialMention:
		return 1
	case Substandard:
		return 2
	case Doubtful:
		return 3
	case Loss:
		return 4
	default:
		return 0
	}
}

// NonPerforming says whether c is one of the last three tiers.
func (c Class) NonPerforming() bool { return c.rank() >= 2 }

func worse(a, b Class) Class {
	if a.rank() < b.rank() {
		return b
	}
	return a
}

// Standing is what the tier of a loan follows from.
type Standing struct {
	OverdueDays int
	Balance     money.Fen // on the books
	// ExpectedLoss of at least half of Balance makes a loan in default doubtful, of nine
	// tenths a loss.
	ExpectedLoss money.Fen
	Stage        provision.Stage
	// Observed says that the terms were changed for a borrower in trouble and the time of
	// observation runs: at least special mention.
	Observed bool
	Floor    Class // of the debtor's other debts
}

// Tier gives the tier of a loan (Measures 2023 No. 1, Art. 6 to 18).
func Tier(s Standing) Class {
	c := worse(Classify(s.OverdueDays), s.Floor)
	if s.Observed {
		c = worse(c, SpecialMention)
	}
	if s.Stage == provision.Impaired && s.Balance > 0 {
		switch {
		case s.ExpectedLoss*10 >= s.Balance*9:
			c = worse(c, Loss)
		case s.ExpectedLoss*2 >= s.Balance:
			c = worse(c, Doubtful)
		default:
			c = worse(c, Substandard)
		}
	}
	if c == "" {
		return Normal
	}
	return c
}

// Debt is a running loan in the sight of its debtor's other debts.
type Debt struct {
	LoanID  string
	Own     Class // by its own standing
	Balance money.Fen
	Floor   Class // as it is now
}

// Debtor is who owes several loans.
type Debtor struct {
	UserID string
	Debts  []Debt
}

// Floor is the tier that no loan of the debtor may be better than: substandard when more
// than a tenth of what it owes is non-performing by itself (Measures 2023 No. 1, for debtors
// that are no persons).
func (d Debtor) Floor() Class {
	var bad, all money.Fen
	for _, x := range d.Debts {
		all += x.Balance
		if x.Own.NonPerforming() {
			bad += x.Balance
		}
	}
	if bad*10 > all {
		return Substandard
	}
	return ""
}
