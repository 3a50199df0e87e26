package loan

import (
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// Movement is by how much an operation changed what an event did to a loan. It is what
// those react to who share in the loan. A replay may take something back: amounts can be
// negative. Principal, Interest, Fee, Penalty, Passed and Excess are parts of Amount.
type Movement struct {
	LoanID    string         `json:"loan_id"`
	Event     string         `json:"event"`
	Kind      servicing.Kind `json:"kind"`
	Date      money.Date     `json:"date"`
	Amount    money.Fen      `json:"amount"`
	Principal money.Fen      `json:"principal"`
	Interest  money.Fen      `json:"interest"`
	Fee       money.Fen      `json:"fee"`
	Penalty   money.Fen      `json:"penalty"`
	Passed    money.Fen      `json:"passed,omitempty"` // fees for a guarantor, an insurer or an agency
	Excess    money.Fen      `json:"excess"`
}
