package product

import (
	"fmt"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// most that a fee may take, and that a loan with fees may cost a year. Courts cut what a
// licensed lender asks for above 24 % a year (法发〔2017〕22号).
const (
	mostFeeBP  = 1000
	mostCostBP = 2400
)

func checkFees(p Product, bad wrong) {
	for i := range p.Fees {
		f := &p.Fees[i]
		if !codeForm.MatchString(f.Code) {
			bad("a code has small letters, digits and underscores", "fees", i, "code")
		} else if slices.IndexFunc(p.Fees, func(o cost.Fee) bool { return o.Code == f.Code }) != i {
			bad("the fee "+f.Code+" stands twice", "fees", i, "code")
		}
		checkName(f.Name, bad, "fees", i, "name")
		if !f.When.Known() {
			bad("when must be signing, drawdown, yearly or instalment", "fees", i, "when")
		}
		bases := 0
		for _, n := range []int64{int64(f.Fen), f.ShareBP, f.YearBP} {
			if n != 0 {
				bases++
			}
		}
		if bases != 1 || f.Fen < 0 || f.ShareBP < 0 || f.YearBP < 0 {
			bad("give one of fen, share_bp and year_bp, above zero", "fees", i)
		}
		if max(f.ShareBP, f.YearBP) > mostFeeBP {
			bad(fmt.Sprintf("a fee takes at most %d of 10000", mostFeeBP), "fees", i)
		}
		if f.Deducted {
			bad("interest and fees may not be deducted from the money that is lent (民法典第六百七十条); leave deducted away, and the fee falls due with an instalment",
				"fees", i, "deducted")
		}
		checkPayee(p, f, bad, i)
	}
}

func checkPayee(p Product, f *cost.Fee, bad wrong, i int) {
	switch {
	case !f.Payee.Known():
		bad("payee must be bank, guarantor, insurer or agency", "fees", i, "payee")
	case f.Payee == cost.Guarantor && (p.Surety == nil || p.Surety.Kind != "company"):
		bad("a fee for the guarantor needs a surety of kind company", "fees", i, "payee")
	case f.Payee == cost.Agency && p.Class != Pledge && p.Class != SupplyChain:
		bad("only a product of class pledge or supply_chain has something to value or register", "fees", i, "payee")
	}
}

// checkCost lays out the smallest loan at the highest price for every term and way, because
// there fees weigh most. The product is right otherwise.
func checkCost(p Product, bad wrong) {
	if len(p.Fees) == 0 {
		return
	}
	var c Catalogue // holidays move a payment by days
	for _, way := range append([]schedule.Method{p.Method}, p.Ways...) {
		for _, months := range p.Terms {
			t := c.ScheduleTerms(p, Drawing{
				Principal: p.MinFen, Rate: money.BP(p.MaxRateBP), Months: months, Start: money.NewDate(2026, time.January, 1), Method: way,
			})
			a, err := yearly(p.Fees, t)
			switch {
			case err != nil:
				bad(fmt.Sprintf("its cost cannot be reckoned at %d months: %v", months, err), "fees")
				return
			case a.Simple > money.BP(mostCostBP):
				bad(fmt.Sprintf("with its fees %s yuan for %d months cost %s a year; %s is the most (法发〔2017〕22号)",
					p.MinFen, months, a.Simple, money.BP(mostCostBP)), "fees")
				return
			}
		}
	}
}

// yearly is what terms with fees cost a year.
func yearly(fees []cost.Fee, t schedule.Terms) (cost.Annual, error) {
	rows, err := schedule.Make(t)
	if err != nil {
		return cost.Annual{}, err
	}
	charges, err := cost.Charges(fees, t, rows)
	if err != nil {
		return cost.Annual{}, err
	}
	return cost.Of(t, cost.Charged(rows, charges), nil)
}
