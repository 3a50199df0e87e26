package fund_test

import (
	"fmt"

	"github.com/furrowcredit/furrow/credit/fund"
	"github.com/furrowcredit/furrow/money"
)

// Three lenders, and a borrower who pays fen by fen: each row sums to what was paid.
func ExampleSplit() {
	weights := []int64{5000, 3000, 2000}
	for paid := money.Fen(0); paid < 5; paid++ {
		fmt.Println(fund.Split(weights, paid, paid+1))
	}
	fmt.Println(fund.Split(weights, 0, 100_01))
	// Output:
	// [0.01 0.00 0.00]
	// [0.00 0.01 0.00]
	// [0.00 0.00 0.01]
	// [0.01 0.00 0.00]
	// [0.01 0.00 0.00]
	// [50.01 30.00 20.00]
}

// A first-loss pool of 5 % of 100: a loss of 3 is all the pool's, of a loss of 7 it bears
// 5 and the lender 2; what comes back goes to the lender first.
func ExampleAbsorb() {
	pool := []fund.Layer{{Party: "pool", ShareBP: 10_000, Left: 5}}
	fmt.Println(fund.Absorb(pool, 3))
	borne := fund.Absorb(pool, 7)
	fmt.Println(borne)
	fmt.Println(fund.Recover(borne, 1))
	fmt.Println(fund.Recover(borne, 4))
	// Output:
	// [0.03 0.00]
	// [0.05 0.02]
	// [0.00 0.01] 0.00
	// [0.02 0.02] 0.00
}
