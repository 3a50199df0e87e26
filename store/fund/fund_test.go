package fund_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit/fund"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	fundstore "github.com/furrowcredit/furrow/store/fund"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	"github.com/furrowcredit/furrow/store/storetest"
)

const funders = `
capital: {tier1_net_fen: 400000000, loans_fen: 1000000000, as_of: "2025-12-31", source: report}
funders:
  - {code: own, kind: own, name: {zh-CN: 本行, en: Bank}}
  - {code: other, kind: partner, name: {zh-CN: 他行, en: Other bank}}
  - {code: g, kind: guarantor, name: {zh-CN: 担保, en: Guarantor}, net_assets_fen: 100000000, as_of: "2025-12-31", source: accounts}
  - {code: pool, kind: pool, name: {zh-CN: 池, en: Pool}}
  - {code: county, kind: government, name: {zh-CN: 县, en: County}}
agreements:
  - code: joint
    name: {zh-CN: 联合, en: Joint}
    products: [joint]
    from: "2026-01-01"
    internet: true
    on_breach: own
    parties: [{funder: own, share_bp: 6500}, {funder: other, share_bp: 3500, rate_bp: 380, servicer_bp: 40}]
  - code: strict
    name: {zh-CN: 联合, en: Joint}
    products: [strict]
    from: "2026-01-01"
    internet: true
    parties: [{funder: own, share_bp: 6500}, {funder: other, share_bp: 3500}]
  - code: pooled
    name: {zh-CN: 池, en: Pool}
    products: [pooled]
    from: "2026-01-01"
    parties: [{funder: own, share_bp: 7000}, {funder: other, share_bp: 3000}]
    pool: {funder: pool, share_bp: 10000, cap_bp: 500, base: disbursed, vintage: true}
  - code: backed
    name: {zh-CN: 担保, en: Backed}
    products: [backed]
    from: "2026-01-01"
    parties: [{funder: own, share_bp: 10000}]
    guarantor: {funder: g, share_bp: 8000}
    trigger_days: 90
`

type house struct {
	*fund.Service
	db    *store.DB
	store *fundstore.Store
	book  *ledger.Service
}

var chart = func() ledger.Chart {
	var out ledger.Chart
	for _, code := range []string{
		"cash", fund.Principal, fund.Payable, fund.OwnFunds, fund.Interest, fund.Fee, fund.Penalty, fund.Recovered, fund.OwnIncome,
		fund.Spread, fund.Servicing, fund.Placement, fund.LossBorne, fund.PoolMoney, fund.Claim, fund.SubsidyClaim, fund.SubsidyCredit,
	} {
		out = append(out, ledger.Account{Code: code, Class: ledger.Asset})
	}
	return out
}()

var today = time.Date(2026, 5, 20, 4, 0, 0, 0, time.UTC)

func open(tb testing.TB, db *store.DB) house {
	tb.Helper()
	var products []product.Product
	for _, code := range []string{"joint", "strict", "pooled", "backed", "plain", "relief"} {
		p := product.Product{Code: code}
		if code == "relief" {
			p.Subsidy = &product.Subsidy{Code: "county", ShareBP: 5000, MaxFen: 5_000_000, MaxMonths: 12}
		}
		products = append(products, p)
	}
	c, err := fund.Parse([]byte(funders), products)
	if err != nil {
		tb.Fatal(err)
	}
	book := ledger.New(ledgerstore.New(db), chart, func() time.Time { return today })
	st := fundstore.New(db)
	return house{fund.New(fund.Config{Store: st, Catalogue: c, Book: book, Now: func() time.Time { return today }}), db, st, book}
}

func borrow(code string, principal money.Fen) loan.Loan {
	id := ident.New()
	return loan.Loan{
		ID: id, Tenant: "bank", ApplicationID: "a" + id, Product: code, Principal: principal, Rate: money.BP(600), UserID: "u" + id,
		DrawnOn: money.DateOf(today), DayEnd: money.DateOf(today),
	}
}

// do is an operation on a loan: its movements are shared, and what comes of them is posted
// in one transaction, again when a rival was faster.
func (h house) do(ctx context.Context, l loan.Loan, moves ...fund.Movement) error {
	for range 20 {
		entries, err := h.Share(ctx, l, moves)
		if err != nil {
			return err
		}
		err = h.db.Tx(ctx, func(tx *store.Tx) error {
			for _, e := range entries {
				e, err := h.book.Prepare(e)
				if err != nil {
					return err
				}
				if _, err := ledgerstore.Append(ctx, tx, []ledger.Entry{e}); err != nil {
					return err
				}
				if err := fundstore.Follow(ctx, tx, e); err != nil {
					return err
				}
			}
			return nil
		})
		if !errors.Is(err, loan.ErrStale) {
			return err
		}
	}
	return loan.ErrStale
}

func move(event string, kind servicing.Kind, date string, m fund.Movement) fund.Movement {
	d, err := money.ParseDate(date)
	if err != nil {
		panic(err)
	}
	m.Event, m.Kind, m.Date = event, kind, d
	return m
}

func (h house) sound(t *testing.T) {
	t.Helper()
	r, err := h.Check(context.Background(), "bank")
	if err != nil || !r.OK() {
		t.Errorf("check: %+v %v", r, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestJointLoanFromDrawToStatement(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db), context.Background()
		l := borrow("joint", 100_000)
		must(t, h.Admit(ctx, l))
		must(t, h.Admit(ctx, l)) // again changes nothing
		e, err := h.store.Exposure(ctx, "bank", today)
		if err != nil || e.All != 65_000 || e.Own["other"] != 65_000 {
			t.Fatalf("reserved: %+v %v", e, err)
		}
		must(t, h.do(ctx, l, move("d", servicing.Disburse, "2026-05-20", fund.Movement{Principal: 100_000})))
		must(t, h.do(ctx, l, move("r1", servicing.Repay, "2026-06-20", fund.Movement{Principal: 40_000, Interest: 500})))
		must(t, h.do(ctx, l, move("r2", servicing.Repay, "2026-07-01", fund.Movement{Principal: 10_001, Interest: 1, Penalty: 7})))
		must(t, h.do(ctx, l, move("r2", servicing.Repay, "2026-07-01", fund.Movement{Principal: -10_001, Interest: -1, Penalty: -7})))
		if e, err = h.store.Exposure(ctx, "bank", today); err != nil || e.All != 39_000 {
			t.Errorf("after a repayment: %+v %v", e, err)
		}
		st, err := h.Statement(ctx, "bank", "other", "2026-06")
		must(t, err)
		want := fund.FundFigures{
			Opening: 35_000, Repaid: 14_000, Closing: 21_000, Interest: 111, Servicing: 12, Spread: 64,
			DueBefore: -35_000, Due: -35_000 + 14_000 + 111 - 12,
		}
		if st.FundFigures != want || len(st.Loans) != 1 || st.Loans[0].FundFigures != want {
			t.Errorf("statement: %+v\nwant %+v", st, want)
		}
		must(t, settleAll(ctx, h, "other", "k1"))
		must(t, settleAll(ctx, h, "other", "k1")) // the key says that it is the same
		if _, err := h.Settle(ctx, "bank", fund.FundSettlement{Funder: "other", Amount: -1, Date: money.DateOf(today), Key: "k2"}); !errors.Is(err, fund.ErrAmount) {
			t.Errorf("settling what is not open: %v", err)
		}
		if _, err := h.Settle(ctx, "bank", fund.FundSettlement{Funder: "other", Amount: -5, Date: money.DateOf(today), Key: "k1"}); !errors.Is(err, ledger.ErrKeyReused) {
			t.Errorf("a known key with other content: %v", err)
		}
		if _, err := h.Settle(ctx, "bank", fund.FundSettlement{Funder: "own", Amount: 1, Key: "k3"}); !errors.Is(err, fund.ErrKind) {
			t.Errorf("settling with oneself: %v", err)
		}
		h.sound(t)
		if _, err := db.Exec(ctx, `update fund_position set held = held + 1 where party = 'other'`); err != nil {
			t.Fatal(err)
		}
		if r, err := h.Check(ctx, "bank"); err != nil || len(r.Faults) != 1 {
			t.Errorf("a position that was changed: %+v %v", r, err)
		}
	})
}

func settleAll(ctx context.Context, h house, funder, key string) error {
	_, err := h.Settle(ctx, "bank", fund.FundSettlement{Funder: funder, Amount: -20_901, Date: money.DateOf(today), Ref: "wire", Key: key})
	return err
}

func TestLoansThatNobodySharesCostNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db), context.Background()
		l := borrow("plain", 100_000)
		must(t, h.Admit(ctx, l))
		entries, err := h.Share(ctx, l, []fund.Movement{move("d", servicing.Disburse, "2026-05-20", fund.Movement{Principal: 100_000})})
		if err != nil || entries != nil {
			t.Errorf("%v %v", entries, err)
		}
		if _, _, err := h.Loan(ctx, "bank", l.ID); !errors.Is(err, fund.ErrNotFound) {
			t.Errorf("%v", err)
		}
	})
}

// The bank's part with one partner is at most a quarter of its capital: 1 million yuan.
// Rivals do not pass it together; what one agreement refuses another has the bank fund alone.
func TestBoundsAtDrawdown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db), context.Background()
		var group sync.WaitGroup
		var mu sync.Mutex
		refused := 0
		for range 6 { // 325,000 yuan of the bank's own each
			group.Go(func() {
				err := h.Admit(ctx, borrow("strict", 50_000_000))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case errors.Is(err, fund.ErrBound):
					refused++
				case err != nil:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if refused != 3 {
			t.Errorf("%d of 6 were refused, want 3", refused)
		}
		l := borrow("joint", 50_000_000)
		must(t, h.Admit(ctx, l))
		must(t, h.do(ctx, l, move("d", servicing.Disburse, "2026-05-20", fund.Movement{Principal: 50_000_000})))
		if _, _, err := h.Loan(ctx, "bank", l.ID); !errors.Is(err, fund.ErrNotFound) {
			t.Errorf("the bank should fund it alone: %v", err)
		}
		bounds, err := h.Bounds(ctx, "bank")
		must(t, err)
		if b := bounds[0]; b.Code != "partner" || b.Used != 97_500_000 || b.Max != 100_000_000 || b.UsedBP != 9750 {
			t.Errorf("%+v", b)
		}
		// A guarantor of one million yuan answers for a debtor with at most 100,000.
		big := borrow("backed", 15_000_000)
		if err := h.Admit(ctx, big); !errors.Is(err, fund.ErrBound) {
			t.Errorf("a debtor above a tenth: %v", err)
		}
		must(t, h.Admit(ctx, borrow("backed", 12_500_000)))
	})
}

func TestReservationEndsWithTheDrawdown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db), context.Background()
		forgotten := borrow("joint", 100_000)
		must(t, h.Admit(ctx, forgotten))
		if e, err := h.store.Exposure(ctx, "bank", today.Add(2*time.Hour)); err != nil || e.All != 0 {
			t.Errorf("a reservation whose loan never was kept counts after two hours: %+v %v", e, err)
		}
		must(t, h.store.Release(ctx, "bank", forgotten.ID))
		l := borrow("joint", 100_000)
		must(t, h.Admit(ctx, l))
		l.State = loan.Failed
		must(t, h.Changed(ctx, l, l))
		if e, err := h.store.Exposure(ctx, "bank", today); err != nil || e.All != 0 {
			t.Errorf("%+v %v", e, err)
		}
	})
}

// A pool of 5 % of 100 yuan that was disbursed, of this year: a loss of 3 is the pool's, of
// 4 more it bears 2; a recovery goes to the lenders first.
func TestPoolByVintage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db), context.Background()
		a, b := borrow("pooled", 60_00), borrow("pooled", 40_00)
		for _, l := range []loan.Loan{a, b} {
			must(t, h.Admit(ctx, l))
			must(t, h.do(ctx, l, move("d", servicing.Disburse, "2026-05-20", fund.Movement{Principal: l.Principal})))
		}
		used := func() money.Fen {
			p, err := h.Pools(ctx, "bank")
			must(t, err)
			if len(p) != 1 || p[0].Bucket != "pool/2026" || p[0].Cap != 5_00 {
				t.Fatalf("%+v", p)
			}
			return p[0].Used
		}
		must(t, h.do(ctx, a, move("w", servicing.WriteOff, "2026-06-01", fund.Movement{Principal: 3_00})))
		if got := used(); got != 3_00 {
			t.Errorf("of a loss of 3 the pool bears %s", got)
		}
		must(t, h.do(ctx, b, move("w", servicing.WriteOff, "2026-06-02", fund.Movement{Principal: 4_00})))
		if got := used(); got != 5_00 {
			t.Errorf("of a loss of 7 the pool bears %s", got)
		}
		must(t, h.do(ctx, b, move("v", servicing.Recovery, "2026-06-03", fund.Movement{Amount: 3_00})))
		if got := used(); got != 4_00 {
			t.Errorf("of 3 that came back the pool keeps %s used, want 4: the lenders' 2 come first", got)
		}
		st, err := h.Statement(ctx, "bank", "pool", "2026-06")
		must(t, err)
		if st.TakenOver != 5_00 || st.Lost != 5_00 || st.Recovered != 1_00 || st.Due != -4_00 {
			t.Errorf("%+v", st)
		}
		if _, err := h.Settle(ctx, "bank", fund.FundSettlement{Funder: "pool", Bucket: "pool/2026", Amount: -10_00, Date: money.DateOf(today), Key: "fill"}); err != nil {
			t.Error(err)
		}
		if got := used(); got != 4_00 {
			t.Errorf("paying in changes what is used: %s", got)
		}
		h.sound(t)
	})
}

// Write-offs of many loans at once never bring a pool above its cap.
func TestRivalsAtThePool(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db), context.Background()
		var loans []loan.Loan
		for range 6 {
			l := borrow("pooled", 100_00)
			must(t, h.Admit(ctx, l))
			must(t, h.do(ctx, l, move("d", servicing.Disburse, "2026-05-20", fund.Movement{Principal: l.Principal})))
			loans = append(loans, l)
		}
		var group sync.WaitGroup
		for _, l := range loans {
			group.Go(func() {
				if err := h.do(ctx, l, move("w", servicing.WriteOff, "2026-06-01", fund.Movement{Principal: 9_00})); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		p, err := h.Pools(ctx, "bank")
		must(t, err)
		if len(p) != 1 || p[0].Used != 30_00 {
			t.Errorf("6 losses of 9 against a cap of 30: %+v", p)
		}
		h.sound(t)
	})
}

func TestGuarantorPaysAtTheTrigger(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db), context.Background()
		l := borrow("backed", 10_000)
		must(t, h.Admit(ctx, l))
		must(t, h.do(ctx, l, move("d", servicing.Disburse, "2026-05-20", fund.Movement{Principal: l.Principal})))
		l.OverdueDays, l.Outstanding = 89, l.Principal
		must(t, h.Changed(ctx, l, l))
		if got, err := h.store.Balance(ctx, "bank", fund.Claim, "g"); err != nil || got != 0 {
			t.Errorf("after 89 days: %s %v", got, err)
		}
		l.OverdueDays = 90
		must(t, h.Changed(ctx, l, l))
		must(t, h.Changed(ctx, l, l))
		if got, err := h.store.Balance(ctx, "bank", fund.Claim, "g"); err != nil || got != 8_000 {
			t.Errorf("after 90 days the guarantor owes %s %v", got, err)
		}
		if _, err := h.Settle(ctx, "bank", fund.FundSettlement{Funder: "g", Amount: -8_000, Date: money.DateOf(today), Ref: "wire", Key: "paid"}); err != nil {
			t.Error(err)
		}
		h.sound(t)
	})
}

func TestSubsidyOfAQuarter(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db), context.Background()
		l := borrow("relief", 10_000_000)
		must(t, h.Admit(ctx, l))
		must(t, h.do(ctx, l, move("d", servicing.Disburse, "2026-05-20", fund.Movement{Principal: l.Principal})))
		must(t, h.do(ctx, l, move("r", servicing.Repay, "2026-06-20", fund.Movement{Interest: 40_000})))
		must(t, h.do(ctx, l, move("s", servicing.Repay, "2026-07-20", fund.Movement{Interest: 40_000})))
		must(t, h.do(ctx, l, move("late", servicing.Repay, "2027-07-20", fund.Movement{Interest: 40_000})))
		list, err := h.SubsidyClaims(ctx, "bank", "county", "2026Q2")
		if err != nil || list.Amount != 10_000 || len(list.Loans) != 1 || list.Loans[0].Interest != 40_000 {
			t.Errorf("%+v %v", list, err)
		}
		if list, err = h.SubsidyClaims(ctx, "bank", "county", "2027Q3"); err != nil || list.Amount != 0 {
			t.Errorf("after the last month: %+v %v", list, err)
		}
		if _, err := h.SubsidyClaims(ctx, "bank", "county", "2026Q5"); !errors.Is(err, fund.ErrMonth) {
			t.Errorf("%v", err)
		}
		if _, err := h.SubsidyClaims(ctx, "bank", "other", "2026Q2"); !errors.Is(err, fund.ErrKind) {
			t.Errorf("%v", err)
		}
		h.sound(t)
	})
}

func TestAnOfficerChoosesTheAgreement(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db), context.Background()
		l := borrow("plain", 10_000)
		if err := h.Choose(ctx, "bank", l.ApplicationID, "nothing", "o"); !errors.Is(err, fund.ErrAgreement) {
			t.Errorf("%v", err)
		}
		must(t, h.Choose(ctx, "bank", l.ApplicationID, "pooled", "o"))
		must(t, h.Admit(ctx, l))
		f, _, err := h.Loan(ctx, "bank", l.ID)
		if err != nil || f.Terms.Agreement != "pooled" || len(f.Terms.Parties) != 2 {
			t.Errorf("%+v %v", f, err)
		}
		other := borrow("plain", 10_000)
		must(t, h.Choose(ctx, "bank", other.ApplicationID, "pooled", "o"))
		must(t, h.Choose(ctx, "bank", other.ApplicationID, "", "o"))
		must(t, h.Admit(ctx, other))
		if _, _, err := h.Loan(ctx, "bank", other.ID); !errors.Is(err, fund.ErrNotFound) {
			t.Errorf("%v", err)
		}
	})
}

// Any sequence of operations leaves books that the check proves.
func TestAnySequenceIsProvable(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db), context.Background()
		for seed := range uint64(15) {
			r := rand.New(rand.NewPCG(seed, 1))
			upTo := func(n money.Fen) money.Fen { return money.Fen(r.Int64N(int64(n) + 1)) }
			l := borrow([]string{"joint", "pooled", "backed", "relief"}[r.IntN(4)], 1+upTo(100_000))
			must(t, h.Admit(ctx, l))
			owed := l.Principal
			must(t, h.do(ctx, l, move("d", servicing.Disburse, "2026-05-20", fund.Movement{Principal: owed})))
			for n := range 4 {
				kind := []servicing.Kind{servicing.Repay, servicing.WriteOff, servicing.Recovery}[r.IntN(3)]
				m := move(fmt.Sprint("e", n), kind, "2026-06-01", fund.Movement{})
				x := upTo(owed)
				if kind == servicing.Recovery {
					m.Amount = x
				} else {
					m.Principal, m.Interest = x, upTo(999)
				}
				must(t, h.do(ctx, l, m))
				if r.IntN(2) == 0 {
					m.Amount, m.Principal, m.Interest = -m.Amount, -m.Principal, -m.Interest
					must(t, h.do(ctx, l, m))
				} else if kind != servicing.Recovery {
					owed -= x
				}
			}
		}
		h.sound(t)
		pools, err := h.Pools(ctx, "bank")
		must(t, err)
		for _, p := range pools {
			if p.Used > p.Cap {
				t.Errorf("%+v", p)
			}
		}
	})
}
