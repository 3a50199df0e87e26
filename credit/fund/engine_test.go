package fund_test

import (
	"fmt"
	"maps"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit/fund"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

func TestAllocateIsExactAndNeverTakesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1e17), 1, 7).Draw(t, "weights")
		amount := money.Fen(rapid.Int64Range(0, 1e15).Draw(t, "amount"))
		more := money.Fen(rapid.Int64Range(0, 1000).Draw(t, "more"))
		a, b, minus := fund.Allocate(weights, amount), fund.Allocate(weights, amount+more), fund.Allocate(weights, -amount)
		var sum, sumB, total money.Fen
		for _, w := range weights {
			total += money.Fen(w)
		}
		for i := range a {
			sum, sumB = sum+a[i], sumB+b[i]
			if b[i] < a[i] || a[i] < 0 || minus[i] != -a[i] {
				t.Fatalf("%v: %d gives %v, %d gives %v, the opposite %v", weights, amount, a, amount+more, b, minus)
			}
			exact := new(big.Rat).SetFrac64(weights[i], max(1, int64(total)))
			off := exact.Sub(exact.Mul(exact, new(big.Rat).SetInt64(int64(amount))), new(big.Rat).SetInt64(int64(a[i])))
			if off.Abs(off).Cmp(big.NewRat(int64(len(weights)), 2)) > 0 && total > 0 {
				t.Fatalf("%v: %d of %d goes to %d, which is off by %s", weights, a[i], amount, i, off.FloatString(2))
			}
		}
		if sum != amount || sumB != amount+more {
			t.Fatalf("%v: shares of %d sum to %d", weights, amount, sum)
		}
	})
}

func TestSplitAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int64Range(1, 10_000), 2, 5).Draw(t, "weights")
		parties := make([]money.Fen, len(weights))
		var at money.Fen
		for _, step := range rapid.SliceOf(rapid.Int64Range(-5000, 10_000)).Draw(t, "steps") {
			next := max(0, at+money.Fen(step))
			for i, x := range fund.Split(weights, at, next) {
				parties[i] += x
			}
			at = next
		}
		for i, want := range fund.Allocate(weights, at) {
			if parties[i] != want {
				t.Fatalf("after many steps %v, at once %v", parties, fund.Allocate(weights, at))
			}
		}
	})
}

func TestAbsorbAndRecoverLoseNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var layers []fund.Layer
		for range rapid.IntRange(0, 3).Draw(t, "layers") {
			layers = append(layers, fund.Layer{
				ShareBP: rapid.Int64Range(1, 10_000).Draw(t, "share"), Left: money.Fen(rapid.Int64Range(0, 1e6).Draw(t, "left")),
			})
		}
		loss := money.Fen(rapid.Int64Range(0, 2e6).Draw(t, "loss"))
		borne := fund.Absorb(layers, loss)
		var sum money.Fen
		for i, x := range borne {
			sum += x
			if x < 0 || i < len(layers) && x > layers[i].Left {
				t.Fatalf("layer %d of %v bears %d of %d", i, layers, x, loss)
			}
		}
		back, over := fund.Recover(borne, loss)
		if sum != loss || over != 0 {
			t.Fatalf("%v of %d, over %d", borne, loss, over)
		}
		for i := range borne {
			if borne[i] != back[i] {
				t.Fatalf("all that came back gives %v, borne %v", back, borne)
			}
		}
	})
}

// book plays the ledger: it keeps the lines of loans and what the pool has paid.
type book struct {
	lines map[string][]fund.ShareLine
	cap   money.Fen
	keys  map[string]bool
}

func newBook(limit money.Fen) *book {
	return &book{lines: map[string][]fund.ShareLine{}, cap: limit, keys: map[string]bool{}}
}

func (b *book) used() (sum money.Fen) {
	for _, lines := range b.lines {
		for _, l := range lines {
			if l.Account == fund.PoolMoney {
				sum += l.Amount
			}
		}
	}
	return sum
}

func (b *book) apply(tb fataler, t fund.SharingTerms, m fund.Movement) {
	for _, e := range fund.Share(t, b.lines[m.LoanID], m, b.cap-b.used()) {
		var sum money.Fen
		for _, p := range e.Postings {
			sum += p.Amount
		}
		if sum != 0 || b.keys[e.Key] || len(e.Postings) < 2 {
			tb.Fatalf("entry %+v differs by %d or comes twice", e, sum)
		}
		b.keys[e.Key] = true
		got := fund.Lines(e)
		if len(got) != len(e.Postings) || got[0].Event != m.Event || got[0].LoanID != m.LoanID {
			tb.Fatalf("%+v reads back as %+v", e, got)
		}
		b.lines[m.LoanID] = append(b.lines[m.LoanID], got...)
		for k, v := range b.balances(m.LoanID) {
			if strings.HasPrefix(k, fund.Principal) && v > 0 {
				tb.Fatalf("after %+v %s holds less than nothing: %d", e, k, v)
			}
		}
	}
}

// balances by account and party; those of zero are left out.
func (b *book) balances(loan string) map[string]money.Fen {
	out := map[string]money.Fen{}
	for _, l := range b.lines[loan] {
		k := l.Account + " " + l.Party
		if out[k] += l.Amount; out[k] == 0 {
			delete(out, k)
		}
	}
	return out
}

func (b *book) sum(loan, account string) (sum money.Fen) {
	for _, l := range b.lines[loan] {
		if l.Account == account {
			sum += l.Amount
		}
	}
	return sum
}

type fataler interface{ Fatalf(string, ...any) }

func shares(bp int64) fund.LenderShares {
	return fund.LenderShares{Principal: bp, Interest: bp, Fee: bp, Penalty: bp}
}

func drawTerms(t *rapid.T) fund.SharingTerms {
	a := rapid.Int64Range(1, 9_998).Draw(t, "own")
	b := rapid.Int64Range(1, 9_999-a).Draw(t, "second")
	terms := fund.SharingTerms{
		Rate: money.BP(rapid.Int64Range(0, 2000).Draw(t, "rate")), Principal: money.Fen(rapid.Int64Range(1, 1e9).Draw(t, "principal")),
		Parties: []fund.Lender{
			{Code: "own", Kind: fund.Own, Shares: shares(a)}, {Code: "p", Kind: fund.Partner, Shares: shares(b)},
			{Code: "q", Kind: fund.Trust, Shares: shares(10_000 - a - b)},
		},
		Subsidy: &fund.SubsidyGrant{Code: "county", ShareBP: 5000, MaxFen: 1e7, Until: 40_000},
	}
	terms.Parties[1].Rate = terms.Rate / 2
	terms.Parties[1].SpreadBP = rapid.Int64Range(0, 10_000).Draw(t, "spread")
	terms.Parties[2].Servicer = terms.Rate / 7
	terms.Parties[2].DrawFeeBP = rapid.Int64Range(0, 300).Draw(t, "draw fee")
	if rapid.Bool().Draw(t, "pool") {
		terms.Pool = &fund.LossBearer{Code: "pool", Bucket: "pool/2026", ShareBP: rapid.Int64Range(1, 10_000).Draw(t, "pool share")}
	}
	if rapid.Bool().Draw(t, "guarantor") {
		terms.Guarantor = &fund.LossBearer{Code: "g", ShareBP: rapid.Int64Range(1, 10_000).Draw(t, "guarantor share")}
	}
	return terms
}

// Loans that are drawn, repaid, claimed, written off and recovered in any order, with
// movements that are undone in whole or in part.
func TestMovementsInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := newBook(money.Fen(rapid.Int64Range(0, 1e8).Draw(t, "cap")))
		terms := map[string]fund.SharingTerms{"l1": drawTerms(t), "l2": drawTerms(t)}
		open := map[string]money.Fen{} // principal that is out
		var done []fund.Movement
		for n := range rapid.IntRange(1, 40).Draw(t, "steps") {
			loan := rapid.SampledFrom([]string{"l1", "l2"}).Draw(t, "loan")
			m := fund.Movement{LoanID: loan, Event: fmt.Sprint("e", n), Date: money.Date(20_000 + n)}
			some := func(most money.Fen) money.Fen {
				return money.Fen(rapid.Int64Range(0, int64(max(0, most))).Draw(t, "fen"))
			}
			switch rapid.IntRange(0, 6).Draw(t, "kind") {
			case 0:
				m.Kind, m.Principal = "disburse", some(1e9)
				open[loan] += m.Principal
			case 1, 2:
				m.Kind, m.Principal, m.Interest, m.Fee, m.Penalty = "repay", some(open[loan]), some(1e6), some(1e4), some(1e4)
				open[loan] -= m.Principal
			case 3:
				m.Kind, m.Principal = "claim", open[loan]
			case 4:
				m.Kind, m.Principal, m.Interest = "write_off", some(open[loan]), some(1e4)
				open[loan] -= m.Principal
			case 5:
				m.Kind, m.Amount = "recovery", some(1e7)
			case 6:
				if len(done) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(done)-1).Draw(t, "undone")
				x := done[i]
				if x.Kind == "claim" || x.Kind == "disburse" {
					continue
				}
				back := x // all of it, or half
				if rapid.Bool().Draw(t, "half") {
					back.Amount, back.Principal, back.Interest, back.Fee, back.Penalty = x.Amount/2, x.Principal/2, x.Interest/2, x.Fee/2, x.Penalty/2
				}
				done[i].Amount -= back.Amount
				done[i].Principal -= back.Principal
				done[i].Interest -= back.Interest
				done[i].Fee -= back.Fee
				done[i].Penalty -= back.Penalty
				open[x.LoanID] += back.Principal
				back.Amount, back.Principal, back.Interest, back.Fee, back.Penalty = -back.Amount, -back.Principal, -back.Interest, -back.Fee, -back.Penalty
				b.apply(t, terms[x.LoanID], back)
				check(t, b, open)
				continue
			}
			b.apply(t, terms[loan], m)
			done = append(done, m)
			check(t, b, open)
		}
	})
}

func check(t fataler, b *book, open map[string]money.Fen) {
	if used := b.used(); used > b.cap {
		t.Fatalf("the pool pays %d, its cap is %d", used, b.cap)
	}
	for loan, out := range open {
		held := -b.sum(loan, fund.Principal)
		if held != out {
			t.Fatalf("%s: funders hold %d, the borrower owes %d: %v", loan, held, out, b.balances(loan))
		}
	}
}

// The last movement is undone: everybody stands where he stood.
func TestReversalRestoresEveryParty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		terms := drawTerms(t)
		b := newBook(money.Fen(rapid.Int64Range(0, 1e8).Draw(t, "cap")))
		p := terms.Principal
		b.apply(t, terms, fund.Movement{LoanID: "l", Event: "d", Kind: "disburse", Date: 20_000, Principal: p})
		for n := range rapid.IntRange(1, 12).Draw(t, "steps") {
			m := fund.Movement{LoanID: "l", Event: fmt.Sprint("e", n), Date: money.Date(20_001 + n), Kind: rapid.SampledFrom([]servicing.Kind{"repay", "repay", "write_off", "recovery", "claim"}).Draw(t, "kind")}
			owed := -b.sum("l", fund.Principal)
			m.Principal = money.Fen(rapid.Int64Range(0, int64(owed)).Draw(t, "principal"))
			m.Interest = money.Fen(rapid.Int64Range(0, 1e6).Draw(t, "interest"))
			m.Penalty = money.Fen(rapid.Int64Range(0, 1e3).Draw(t, "penalty"))
			if m.Kind == servicing.Recovery {
				m.Amount, m.Principal = m.Principal, 0
			}
			if m.Kind == fund.Claimed {
				m.Principal = owed
			}
			before := b.balances("l")
			b.apply(t, terms, m)
			if m.Kind == "claim" || rapid.Bool().Draw(t, "keep") {
				continue
			}
			m.Amount, m.Principal, m.Interest, m.Penalty = -m.Amount, -m.Principal, -m.Interest, -m.Penalty
			b.apply(t, terms, m)
			if after := b.balances("l"); !maps.Equal(before, after) {
				t.Fatalf("before %v, after %s and its reversal %v", before, m.Kind, after)
			}
		}
	})
}

// A loan of 1,000 yuan at 6 %, of which a partner has 35 % at 3.8 %, pays 0.4 % for
// servicing and gets 20 % of the margin: of 60 yuan of interest.
func TestOwnRateServicingAndProfit(t *testing.T) {
	t.Parallel()
	terms := fund.SharingTerms{Rate: money.BP(600), Principal: 100_000, Parties: []fund.Lender{
		{Code: "own", Kind: fund.Own, Shares: fund.LenderShares{Principal: 6500, Interest: 6500, Fee: 10_000, Penalty: 6500}},
		{Code: "p", Kind: fund.Partner, Shares: fund.LenderShares{Principal: 3500, Interest: 3500, Penalty: 3500},
			Rate: money.BP(380), Servicer: money.BP(40), SpreadBP: 2000},
	}}
	b := newBook(0)
	b.apply(t, terms, fund.Movement{LoanID: "l", Event: "d", Kind: "disburse", Principal: 100_000})
	b.apply(t, terms, fund.Movement{LoanID: "l", Event: "r", Kind: "repay", Interest: 6_000, Fee: 500, Penalty: 100})
	want := map[string]money.Fen{
		"funder_principal own": -65_000, "own_funds own": 65_000, "funder_principal p": -35_000,
		// 350 yuan at 3.8 % is 13.30; of the margin of 7.70 the partner gets 1.54.
		"funder_interest p": 1484, "servicer_income p": -140, "funder_spread p": -616,
		"funder_interest own": 3900 + 616, "funder_fee own": 500, "funder_penalty own": 65, "funder_penalty p": 35,
		"own_income own": -(3900 + 500 + 65), "funder_payable p": 35_000 - 1484 + 140 - 35,
	}
	if got := b.balances("l"); !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// Guarantor and pool pay at the trigger; the lenders are made whole first by what the
// borrower pays afterwards, the pool is refilled last.
func TestClaimAndWhatComesAfter(t *testing.T) {
	t.Parallel()
	terms := fund.SharingTerms{
		Principal: 10_000, Parties: []fund.Lender{{Code: "own", Kind: fund.Own, Shares: shares(10_000)}},
		Pool: &fund.LossBearer{Code: "pool", Bucket: "pool", ShareBP: 2000}, Guarantor: &fund.LossBearer{Code: "g", ShareBP: 7000},
	}
	b := newBook(1_500)
	for _, step := range []struct {
		m    fund.Movement
		want map[string]money.Fen // who holds what, and who has paid
	}{
		{fund.Movement{Event: "d", Kind: "disburse", Principal: 10_000}, map[string]money.Fen{"own": 10_000}},
		{fund.Movement{Event: "c", Kind: "claim", Principal: 10_000}, map[string]money.Fen{"own": 1_500, "pool": 1_500, "g": 7_000}},
		{fund.Movement{Event: "c2", Kind: "claim", Principal: 10_000}, map[string]money.Fen{"own": 1_500, "pool": 1_500, "g": 7_000}},
		{fund.Movement{Event: "r", Kind: "repay", Principal: 2_000}, map[string]money.Fen{"pool": 1_500, "g": 6_500}},
		{fund.Movement{Event: "r2", Kind: "repay", Principal: 7_000}, map[string]money.Fen{"pool": 1_000}},
		{fund.Movement{Event: "r2", Kind: "repay", Principal: -7_000}, map[string]money.Fen{"pool": 1_500, "g": 6_500}},
		{fund.Movement{Event: "w", Kind: "write_off", Principal: 8_000}, map[string]money.Fen{}},
		{fund.Movement{Event: "v", Kind: "recovery", Amount: 7_000}, map[string]money.Fen{}},
	} {
		step.m.LoanID = "l"
		b.apply(t, terms, step.m)
		held := map[string]money.Fen{}
		for _, c := range []string{"own", "pool", "g"} {
			if v := b.balances("l")["funder_principal "+c]; v != 0 {
				held[c] = -v
			}
		}
		if !maps.Equal(held, step.want) {
			t.Errorf("after %s %v are held, want %v", step.m.Event, held, step.want)
		}
	}
	if got := b.used(); got != 1_000 {
		t.Errorf("the pool has paid %d after it was refilled by 500", got)
	}
	if got := b.balances("l")["guarantor_claim g"]; got != 0 {
		t.Errorf("the guarantor has paid %d after all came back", got)
	}
}

func TestSubsidyIsOfTheFirstPrincipalAndMonths(t *testing.T) {
	t.Parallel()
	terms := fund.SharingTerms{
		Rate: money.BP(400), Principal: 20_000_00, Parties: []fund.Lender{{Code: "own", Kind: fund.Own, Shares: shares(10_000)}},
		Subsidy: &fund.SubsidyGrant{Code: "county", ShareBP: 5000, MaxFen: 5_000_00, Until: 20_100},
	}
	b := newBook(0)
	for _, m := range []fund.Movement{
		{Event: "a", Kind: "repay", Date: 20_050, Interest: 800_00},
		{Event: "b", Kind: "repay", Date: 20_100, Interest: 1},
		{Event: "c", Kind: "repay", Date: 20_101, Interest: 800_00}, // after the last day
	} {
		m.LoanID = "l"
		b.apply(t, terms, m)
	}
	if got := b.balances("l")["subsidy_receivable county"]; got != 100_00 {
		t.Errorf("the subsidy is %s, want a half of a quarter of 800 yuan", got)
	}
}

func TestOtherEntriesAreNotRead(t *testing.T) {
	t.Parallel()
	for _, e := range []ledger.Entry{
		{Key: "draw:1", Kind: "draw", Item: "l", Postings: []ledger.Posting{{Account: "cash", Amount: 1}, {Account: "loan_principal", Amount: -1}}},
		{Key: "fund/l/e/fund_draw/1", Kind: "reversal", Item: "l"},
	} {
		if got := fund.Lines(e); got != nil {
			t.Errorf("%s reads as %v", e.Key, got)
		}
	}
}
