package fund

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
)

// SharedLoan is a shared loan with its terms.
type SharedLoan struct {
	Tenant        string       `json:"-"`
	LoanID        string       `json:"loan_id"`
	ApplicationID string       `json:"application_id"`
	Product       string       `json:"product"`
	Terms         SharingTerms `json:"terms"`
	FrozenAt      time.Time    `json:"frozen_at"`
}

// Position is what a party holds of a loan.
type Position struct {
	LoanID string    `json:"loan_id"`
	Party  string    `json:"party"`
	Held   money.Fen `json:"held"`
}

// PoolState is how far a pool, or one vintage of it, is used.
type PoolState struct {
	Bucket      string    `json:"bucket"`
	Used        money.Fen `json:"used"`
	Disbursed   money.Fen `json:"disbursed"`   // of all loans under it
	Outstanding money.Fen `json:"outstanding"` // with their lenders
}

// LineFilter selects lines in order of date; zero fields do not restrict.
type LineFilter struct {
	LoanID   string
	Party    string
	Kind     string
	From, To money.Date // both included
}

// Store keeps shared loans. Implemented in store/fund.
type Store interface {
	// Freeze keeps the terms that decide gives for a loan, once, and reserves the principal.
	// decide sees what all others stand at, and may be called again. A loan that is frozen
	// already is left as it is; terms that nobody shares are not kept.
	Freeze(ctx context.Context, f SharedLoan, decide func(Exposure) (SharingTerms, error)) (SharedLoan, error)
	// Release forgets the reservation of a loan that was not drawn.
	Release(ctx context.Context, tenant, loanID string) error
	// Frozen returns ErrNotFound.
	Frozen(ctx context.Context, tenant, loanID string) (SharedLoan, error)
	// FrozenAfter lists shared loans in order of their ids.
	FrozenAfter(ctx context.Context, tenant, after string, limit int) ([]SharedLoan, error)
	// Exposure counts what is held, and what is reserved for drawdowns under way.
	Exposure(ctx context.Context, tenant string, now time.Time) (Exposure, error)
	Positions(ctx context.Context, tenant, party string) ([]Position, error)
	Lines(ctx context.Context, tenant string, f LineFilter) ([]ShareLine, error)
	// Balance is the sum of an account and party over all lines.
	Balance(ctx context.Context, tenant, account, party string) (money.Fen, error)
	Pool(ctx context.Context, tenant, bucket string) (PoolState, error)
	Buckets(ctx context.Context, tenant string) ([]string, error)
	// SetCap says what a pool may have used at the most. Entries that would bring it above
	// are refused with loan.ErrStale, so that who made them counts again.
	SetCap(ctx context.Context, tenant, bucket string, limit money.Fen) error
	// Post appends entries that belong to no operation of a loan, with their lines. seen is
	// how many lines of the loan, or of the party, they were made from: when there are more
	// now it returns loan.ErrStale. An entry with a known key is left out.
	Post(ctx context.Context, seen int, f LineFilter, entries []ledger.Entry) error
	// Choose keeps the agreement for an application; "" forgets it. Chosen gives "" without one.
	Choose(ctx context.Context, tenant, applicationID, agreement, userID string, at time.Time) error
	Chosen(ctx context.Context, tenant, applicationID string) (string, error)
}
