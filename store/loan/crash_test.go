package loan_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/storetest"
)

// killed is where the process that is killed finds its database.
const killed = "FURROW_TEST_KILLED_DAY_END"

// killedOn is a day on which instalments fall due and arrears begin.
var killedOn = money.NewDate(2026, 2, 11)

// TestDayEndToBeKilled is the process that TestDayEndSurvivesAKill starts and kills: it does
// one day end after the other.
func TestDayEndToBeKilled(t *testing.T) {
	dsn := os.Getenv(killed)
	if dsn == "" {
		t.Skip("started by TestDayEndSurvivesAKill")
	}
	d := open(t, storetest.Open(t, dsn))
	for day := killedOn; ; day++ {
		d.set(day)
		if _, err := d.DayEnd(context.Background(), "t", day); err != nil {
			t.Fatal(err)
		}
	}
}

func (d *desk) set(day money.Date) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = day.Start().Add(12 * time.Hour)
}

// A process that is killed in the middle of a day end, again and again, leaves books that
// balance, and the next run goes on where it stood.
func TestDayEndSurvivesAKill(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"sqlite", "postgres"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "f.db")
			if name == "postgres" {
				dsn = storetest.Postgres(t)
			}
			d, ctx := open(t, storetest.Open(t, dsn)), context.Background()
			first := d.crowd(t, 40)
			inside := 0
			for try := 0; inside < 3; try++ {
				if try == 20 {
					t.Fatalf("only %d of %d kills came in the middle of a day end", inside, try)
				}
				d.kill(t, dsn)
				if d.days(t) > 1 {
					inside++
					d.sound(t)
				}
			}
			runs, err := d.Runs(ctx, "t", 1)
			must(t, err)
			last := runs[0].Date + 1
			d.set(last)
			if _, err := d.DayEnd(ctx, "t", last); err != nil {
				t.Fatal(err)
			}
			if runs, err = d.Runs(ctx, "t", 1); err != nil || runs[0].Phase != loan.Ended || runs[0].Date != last || d.days(t) != 1 {
				t.Errorf("%d dates: %+v %v", d.days(t), runs, err)
			}
			d.sound(t)
			// Nothing was done twice or left out: a loan of a house that nobody killed is the same.
			killed, err := d.Loan(ctx, "t", first)
			must(t, err)
			calm := open(t, storetest.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "calm.db")))
			id := calm.crowd(t, 1)
			calm.set(last)
			if _, err := calm.DayEnd(ctx, "t", last); err != nil {
				t.Fatal(err)
			}
			want, err := calm.Loan(ctx, "t", id)
			must(t, err)
			if killed.DayEnd != want.DayEnd || killed.Accrued != want.Accrued || killed.Penalty != want.Penalty || killed.OverdueDays != want.OverdueDays ||
				killed.Class != want.Class || killed.ExpectedLoss != want.ExpectedLoss {
				t.Errorf("killed %+v\ncalm   %+v", killed, want)
			}
		})
	}
}

// crowd lends n times.
func (d *desk) crowd(t *testing.T, n int) (first string) {
	t.Helper()
	for i := range n {
		app := fmt.Sprint("a", i)
		d.application(t, app, 10_000_000)
		l, err := d.Draw(context.Background(), request(app, "d"+app, 1_200_000))
		must(t, err)
		if i == 0 {
			first = l.ID
		}
	}
	return first
}

// days is on how many dates running loans stand.
func (d *desk) days(t *testing.T) (n int) {
	t.Helper()
	must(t, d.db.QueryRow(context.Background(), `select count(distinct day_end) from loan_days where live`).Scan(&n))
	return n
}

// kill starts a process that does day ends, and kills it as soon as some loans stand on
// another date than others.
func (d *desk) kill(t *testing.T, dsn string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	self, err := os.Executable()
	must(t, err)
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, self, "-test.run=^TestDayEndToBeKilled$")
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), killed+"="+dsn), &out, &out
	before, err := d.Runs(ctx, "t", 1)
	must(t, err)
	must(t, cmd.Start())
	for moved := false; !moved || d.days(t) == 1; {
		runs, err := d.Runs(ctx, "t", 1)
		must(t, err)
		moved = len(runs) > 0 && (len(before) == 0 || runs[0].Date > before[0].Date)
		if ctx.Err() != nil {
			t.Fatalf("it did nothing: %s", &out)
		}
	}
	must(t, cmd.Process.Kill())
	if err := cmd.Wait(); err == nil {
		t.Fatalf("it ended by itself: %s", &out)
	}
}

// Fifty repayments of one loan at once: with one key one is booked, with keys of their own
// each is.
func TestFiftyRepaymentsAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d, ctx := open(t, db), context.Background()
		const n = 50
		id := d.crowd(t, 1)
		for _, c := range []struct {
			name string
			key  func(i int) string
			want money.Fen
		}{
			{"the same key", func(int) string { return "same" }, 100},
			{"other keys", func(i int) string { return fmt.Sprint("k", i) }, 100 + n*100},
		} {
			var wg sync.WaitGroup
			errs := make([]error, n)
			for i := range n {
				wg.Go(func() {
					_, errs[i] = d.Repay(ctx, "t", id, 100, c.key(i))
					for errors.Is(errs[i], loan.ErrStale) { // what a customer is told: try again
						_, errs[i] = d.Repay(ctx, "t", id, 100, c.key(i))
					}
				})
			}
			wg.Wait()
			must(t, errors.Join(errs...))
			l, err := d.Loan(ctx, "t", id)
			if err != nil || l.Credit != c.want {
				t.Errorf("%s: %s is held, want %s %v", c.name, l.Credit, c.want, err)
			}
		}
		past, err := d.Happenings(ctx, "t", id)
		if err != nil || len(past) != 1+1+n {
			t.Errorf("%d events %v", len(past), err)
		}
		d.sound(t)
	})
}

// A statement of a month that is over keeps its figures; what is booked later with a date of
// the month is told by a version that names the one that it replaces.
func TestStatementsAreFrozen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d, ctx := open(t, db), context.Background()
		id := d.crowd(t, 1)
		running, err := d.Statement(ctx, "t", id, "2026-01")
		if err != nil || running.Version != 0 {
			t.Fatalf("of a month that runs: %+v %v", running, err)
		}
		end := money.NewDate(2026, 1, 31)
		d.set(end)
		if _, err := d.DayEnd(ctx, "t", end); err != nil {
			t.Fatal(err)
		}
		// It is there before anybody asks.
		made, err := d.StatementVersion(ctx, "t", id, "2026-01", 1)
		if err != nil || made.Version != 1 || made.To != end || made.Closing.Principal == 0 {
			t.Fatalf("made by the day end: %+v %v", made, err)
		}
		d.set(end + 5)
		// Booked before anybody asked, yet after the month was over.
		late := servicing.Event{Kind: servicing.Charged, Amount: 700, Date: end - 3, Charge: &servicing.Charge{Name: "letter", DueOn: end - 3}}
		if _, err := d.Apply(ctx, access.Actor{UserID: loan.System.UserID, Tenant: "t"}, id, late, "late"); err != nil {
			t.Fatal(err)
		}
		second, err := d.Statement(ctx, "t", id, "2026-01")
		if err != nil || second.Version != 2 || second.Replaces != 1 || second.Fee != 700 {
			t.Errorf("corrected: %+v %v", second, err)
		}
		first, err := d.StatementVersion(ctx, "t", id, "2026-01", 1)
		if err != nil || first.Version != 1 || first.Fee != 0 || first.Closing.Fee != 0 || first.Closing.Principal != second.Closing.Principal {
			t.Errorf("as it was: %+v %v", first, err)
		}
		d.set(end + 20)
		again, err := d.Statement(ctx, "t", id, "2026-01")
		before, _ := json.Marshal(second)
		after, _ := json.Marshal(again)
		if err != nil || !bytes.Equal(before, after) {
			t.Errorf("asked again: %s\nwas %s %v", after, before, err)
		}
		// A loan that ended within the month has one version.
		quote, err := d.Payoff(ctx, "t", id)
		must(t, err)
		if _, err := d.Repay(ctx, "t", id, quote.Total, "all"); err != nil {
			t.Fatal(err)
		}
		d.set(end + 60)
		if last, err := d.Statement(ctx, "t", id, "2026-02"); err != nil || last.Version != 1 || last.Closing != (loan.Owing{}) {
			t.Errorf("of the month in which it ended: %+v %v", last, err)
		}
		if _, err := d.StatementVersion(ctx, "t", id, "2026-01", 3); !errors.Is(err, loan.ErrNotFound) {
			t.Errorf("a version that there is not: %v", err)
		}
	})
}
