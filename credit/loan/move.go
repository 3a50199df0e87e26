package loan

import (
	"cmp"
	"context"
	"time"

	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// Cause of a movement between tiers.
type Cause string

// Causes.
const (
	ByDays       Cause = "days"         // days overdue
	ByDebtor     Cause = "debtor"       // other debts of the same debtor
	ByRelief     Cause = "restructured" // terms changed for a borrower in trouble, under observation
	ByImpairment Cause = "impairment"   // the loss that is expected
	Recovered    Cause = "recovered"    // it was paid, or what held it down is over
	WrittenDown  Cause = "written_off"
	Over         Cause = "ended" // repaid whole
)

// TierMove is a movement of a loan from one tier to another.
type TierMove struct {
	ID       string     `json:"id"`
	Tenant   string     `json:"-"`
	LoanID   string     `json:"loan_id"`
	Borrower string     `json:"borrower"`
	Date     money.Date `json:"date"`
	From     Class      `json:"from"`
	To       Class      `json:"to"`
	Why      Cause      `json:"why" enum:"days,debtor,restructured,impairment,recovered,written_off,ended"`
	Days     int        `json:"days"`   // overdue
	Amount   money.Fen  `json:"amount"` // principal that moved
	At       time.Time  `json:"at"`
}

// MoveFilter selects movements, newest first; zero fields do not restrict.
type MoveFilter struct {
	LoanID   string
	From, To money.Date // bank dates, both included
	Before   string
	Limit    int // 0 means 50; at most 500
}

// Migration counts the loans that moved within a time, from the tier in which its first
// movement found them to the one where its last left them.
type Migration struct {
	From   Class     `json:"from"`
	To     Class     `json:"to"`
	Loans  int       `json:"loans"`
	Amount money.Fen `json:"amount"` // principal at the last movement
}

// tierMove is the movement that an operation made, nil without one.
func (b *book) tierMove(at time.Time) *TierMove {
	from := b.stood.Class
	if from == "" {
		from = Normal
	}
	if from == b.Class || b.known == 0 {
		return nil
	}
	return &TierMove{
		ID: ident.New(), Tenant: b.Tenant, LoanID: b.ID, Date: b.DayEnd, From: from, To: b.Class, Why: b.cause(from),
		Days: b.OverdueDays, Amount: cmp.Or(b.Outstanding, b.stood.Outstanding), At: at,
	}
}

func (b *book) cause(from Class) Cause {
	switch own := Classify(b.OverdueDays); {
	case b.State == WrittenOff:
		return WrittenDown
	case b.State == Closed:
		return Over
	case b.Class.rank() < from.rank():
		return Recovered
	case own == b.Class:
		return ByDays
	case b.Position.Floor == b.Class:
		return ByDebtor
	case b.observed && b.Class == SpecialMention:
		return ByRelief
	}
	return ByImpairment
}

// TierMoves are movements between tiers, newest first.
func (s *Service) TierMoves(ctx context.Context, tenant string, f MoveFilter) ([]TierMove, error) {
	return s.cfg.Store.TierMoves(ctx, tenant, f)
}

// Migrations sums the movements of a time by the tiers before and after.
func (s *Service) Migrations(ctx context.Context, tenant string, from, to money.Date) ([]Migration, error) {
	return s.cfg.Store.Migrations(ctx, tenant, from, to)
}
