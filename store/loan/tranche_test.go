package loan_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/storetest"
)

// season lends 6,000 of 10,000 yuan under a limit of that, the rest from 30 January to 9
// March.
func (d *desk) season(t *testing.T, app string) loan.Loan {
	t.Helper()
	d.application(t, app, 1_000_000)
	req := request(app, "d"+app, 600_000)
	req.Revolving = false
	l := &req.Loan
	l.Method = loan.Bullet
	on := money.NewDate(2026, 1, 30)
	l.Tranches = []loan.Tranche{
		{Nr: 1, Amount: 600_000, On: on - 20, Until: on - 20, State: loan.TranchePlanned},
		{Nr: 2, Amount: 400_000, On: on, Until: on + 38, State: loan.TranchePlanned, Condition: loan.CropGrows},
	}
	terms := loan.Contract(l)
	terms.Schedule.Tranches = []schedule.Tranche{{On: on, Amount: 400_000}}
	l.Position.Terms = &terms
	out, err := d.Draw(context.Background(), req)
	must(t, err)
	_, err = d.db.Exec(context.Background(), `update applications set state = 'active', loan_id = $2 where id = $1`, app, out.ID)
	must(t, err)
	return out
}

// exposed is what counts against the borrower's caps.
func (d *desk) exposed(t *testing.T, app string) (sum money.Fen) {
	t.Helper()
	must(t, d.db.QueryRow(context.Background(), `select amount from exposure_item where application_id = $1`, app).Scan((*int64)(&sum)))
	return sum
}

// Ten requests for a tranche at once, with one key and with others: it goes out once.
func TestTrancheGoesOutOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d, ctx := open(t, db), context.Background()
		id := d.season(t, "a").ID
		d.set(money.NewDate(2026, 2, 3))
		var wg sync.WaitGroup
		errs := make([]error, 10)
		for i := range errs {
			wg.Go(func() {
				req := loan.TrancheRequest{Tenant: "t", LoanID: id, Nr: 2, Key: fmt.Sprint("k", i%5), Most: 1e9}
				_, errs[i] = d.DrawTranche(ctx, req)
				for errors.Is(errs[i], loan.ErrStale) {
					_, errs[i] = d.DrawTranche(ctx, req)
				}
			})
		}
		wg.Wait()
		paid := 0
		for _, err := range errs {
			if err == nil {
				paid++
			} else if !errors.Is(err, loan.ErrTrancheState) {
				t.Error(err)
			}
		}
		l, err := d.Loan(ctx, "t", id)
		if err != nil || paid != 2 || l.Outstanding != 1_000_000 || l.Principal != 1_000_000 || l.Undrawn != 0 {
			t.Errorf("%d were paid: %+v %v", paid, l, err)
		}
		payments, err := d.Payments(ctx, "t", id)
		if err != nil || len(payments) != 2 || payments[1].Tranche != 2 {
			t.Errorf("%+v %v", payments, err)
		}
		d.sound(t)
	})
}

// What may still go out counts against the caps until it is given up or lapses, and no more
// goes out than the limit has left by then.
func TestTranchesKeepTheLimit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d, ctx := open(t, db), context.Background()
		id := d.season(t, "a").ID
		d.set(money.NewDate(2026, 2, 3))
		if _, err := d.DayEnd(ctx, "t", money.NewDate(2026, 2, 2)); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Inspect(ctx, li, id, 2, true, "it stands"); err != nil {
			t.Fatal(err)
		}
		if got := d.exposed(t, "a"); got != 1_000_000 {
			t.Errorf("%s count, with 4,000 that may still be drawn", got)
		}
		draw := func(most money.Fen) (loan.Loan, error) {
			return d.DrawTranche(ctx, loan.TrancheRequest{Tenant: "t", LoanID: id, Nr: 2, Key: fmt.Sprint("m", most), Most: most})
		}
		if _, err := draw(999_999); !errors.Is(err, loan.ErrLimit) {
			t.Errorf("above what was decided: %v", err)
		}
		_, err := db.Exec(ctx, `update applications set credit_limit = 900000`)
		must(t, err)
		if _, err := draw(1_000_000); !errors.Is(err, loan.ErrLimit) {
			t.Errorf("above the limit: %v", err)
		}
		// The plan is kept as it stands, and lapses when its time is over.
		l, err := d.Loan(ctx, "t", id)
		if err != nil || l.Tranches[1].State != loan.TranchePlanned || len(l.Tranches[1].Inspections) != 1 {
			t.Errorf("%+v %v", l.Tranches, err)
		}
		for _, c := range []struct {
			day  money.Date
			want loan.TrancheState
		}{{money.NewDate(2026, 3, 8), loan.TranchePlanned}, {money.NewDate(2026, 3, 9), loan.TrancheLapsed}} {
			d.set(c.day)
			if _, err := d.DayEnd(ctx, "t", c.day); err != nil {
				t.Fatal(err)
			}
			if l, err = d.Loan(ctx, "t", id); err != nil || l.Tranches[1].State != c.want {
				t.Errorf("on %s: %+v %v", c.day, l.Tranches[1], err)
			}
		}
		if got := d.exposed(t, "a"); got != 600_000 || l.Undrawn != 0 {
			t.Errorf("%s count after it lapsed", got)
		}
		d.sound(t)
	})
}
