package flow

import (
	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/money"
)

// Rules are the tolerances of matching. Days are calendar days.
type Rules struct {
	TolerancePermille int64     // amounts this close are the same amount
	SumTolerance      money.Fen // a sum of several documents is this close to the one it makes
	GoodsOverlap      float64   // goods that overlap less are other goods, when both are named
	OrderDays         int       // an order comes at most so long before its invoice
	DeliveryDays      int       // a delivery lies within so many days of its invoice
	PaymentDays       int       // a payment without a due date comes at most so long after its invoice
	DueGraceDays      int       // a payment is not missed until so long after its due date

	// An unmatched part is a finding when it is more than a paper or two gone astray:
	// at least so many documents, so much money, and this part of the pair's trade.
	GapDocuments int
	GapAmount    money.Fen
	GapPermille  int64

	Fraud fraud.Rules
}

// DefaultRules are the tolerances that the house starts with; docs/formats/flow.md
// has the reasons.
func DefaultRules() Rules {
	return Rules{
		TolerancePermille: 20, SumTolerance: 100, GoodsOverlap: 0.5,
		OrderDays: 180, DeliveryDays: 60, PaymentDays: 120, DueGraceDays: 15,
		GapDocuments: 5, GapAmount: 5_000_000, GapPermille: 300,
		Fraud: fraud.DefaultRules(),
	}
}
