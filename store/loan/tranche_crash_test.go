package loan_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	loanstore "github.com/furrowcredit/furrow/store/loan"
	"github.com/furrowcredit/furrow/store/storetest"
)

// killedDrawing is where the process that is killed finds its database, and after a bar the
// journal of the bank.
const killedDrawing = "FURROW_TEST_KILLED_TRANCHE"

// journal is a bank that keeps its orders in a file, one a line, before it answers.
type journal struct{ path string }

func (j journal) Send(ctx context.Context, o pay.Order) (pay.Receipt, error) {
	if r, err := j.Query(ctx, o.ID); err == nil {
		return r, nil
	}
	f, err := os.OpenFile(j.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return pay.Receipt{}, err
	}
	_, err = fmt.Fprintf(f, "%s %s %d\n", o.ID, o.Purpose, o.Amount)
	return pay.Receipt{OrderID: o.ID, Outcome: pay.Settled}, errors.Join(err, f.Close())
}

func (j journal) Query(_ context.Context, id string) (pay.Receipt, error) {
	lines, err := j.lines()
	for _, l := range lines {
		if strings.HasPrefix(l, id+" ") {
			return pay.Receipt{OrderID: id, Outcome: pay.Settled}, err
		}
	}
	return pay.Receipt{}, errors.Join(err, pay.ErrUnseen)
}

func (j journal) lines() (out []string, _ error) {
	b, err := os.ReadFile(j.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		out = append(out, s.Text())
	}
	return out, err
}

// at opens a desk whose bank is a journal.
func at(t *testing.T, db *store.DB, path string) *desk {
	t.Helper()
	files, err := catalog.Open("")
	must(t, err)
	chart, err := ledger.LoadChart(files)
	must(t, err)
	d := &desk{db: db, now: time.Date(2026, 1, 10, 4, 0, 0, 0, time.UTC)}
	d.book = ledger.New(ledgerstore.New(db), chart, d.clock)
	d.Service = loan.New(loan.Config{Store: loanstore.New(db), Book: d.book, Rail: journal{path}, Alerts: alerts{}, Now: d.clock})
	return d
}

// drawAll asks for every second tranche, each with a key of its own, until all are out.
func (d *desk) drawAll(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	list, err := d.Loans(ctx, "t", loan.Filter{Limit: 500})
	must(t, err)
	for _, l := range list {
		if _, err := d.DrawTranche(ctx, loan.TrancheRequest{Tenant: "t", LoanID: l.ID, Nr: 2, Key: "second of " + l.ID, Most: 1e9}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTranchesToBeKilled is the process that TestTranchesSurviveAKill starts and kills.
func TestTranchesToBeKilled(t *testing.T) {
	where := os.Getenv(killedDrawing)
	if where == "" {
		t.Skip("started by TestTranchesSurviveAKill")
	}
	dsn, path, _ := strings.Cut(where, "|")
	d := at(t, storetest.Open(t, dsn), path)
	d.set(money.NewDate(2026, 2, 3))
	d.drawAll(t)
}

// A process that is killed while it pays tranches out, again and again, leaves each of them
// once at the bank and once in the books.
func TestTranchesSurviveAKill(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"sqlite", "postgres"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			dsn, bank := "sqlite:"+filepath.Join(dir, "f.db"), journal{filepath.Join(dir, "bank")}
			if name == "postgres" {
				dsn = storetest.Postgres(t)
			}
			d := at(t, storetest.Open(t, dsn), bank.path)
			const n = 40
			for i := range n {
				d.season(t, fmt.Sprint("a", i))
			}
			self, err := os.Executable()
			must(t, err)
			kills := 0
			for k := 1; k <= 3; k++ {
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				cmd := exec.CommandContext(ctx, self, "-test.run=^TestTranchesToBeKilled$")
				cmd.Env = append(os.Environ(), killedDrawing+"="+dsn+"|"+bank.path)
				must(t, cmd.Start())
				for { // killed with its next order at the bank
					lines, err := bank.lines()
					must(t, err)
					if len(lines) >= n+5*k {
						break
					}
					if ctx.Err() != nil {
						t.Fatal("it did nothing")
					}
				}
				must(t, cmd.Process.Kill())
				if err := cmd.Wait(); err != nil {
					kills++
				}
				cancel()
			}
			if kills == 0 {
				t.Error("it ended by itself each time")
			}
			d.set(money.NewDate(2026, 2, 3))
			d.drawAll(t)
			lines, err := bank.lines()
			must(t, err)
			seen := map[string]int{}
			for _, l := range lines {
				_, what, _ := strings.Cut(l, " ")
				seen[what]++
			}
			list, err := d.Loans(context.Background(), "t", loan.Filter{Limit: 500})
			must(t, err)
			for _, l := range list {
				if l.Outstanding != 1_000_000 || l.Undrawn != 0 || seen[l.ID+" 600000"] != 1 || seen[l.ID+" 400000"] != 1 {
					t.Errorf("at the bank %v, in the books %+v", seen, l)
				}
			}
			if len(lines) != 2*n || len(list) != n {
				t.Errorf("%d orders of %d loans", len(lines), len(list))
			}
			d.sound(t)
		})
	}
}
