package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/storetest"
)

// Whatever somebody changes behind the book's back is found, at its place.
func TestVerifyFindsTampering(t *testing.T) {
	t.Parallel()
	kinds := map[string]struct {
		change string
		place  func(ledger.Fault) bool
	}{
		"amount":              {`update ledger_entries set postings = replace(postings, '-300', '-301') where seq = 3`, seq(3)},
		"both sides":          {`update ledger_entries set postings = replace(postings, '300', '400') where seq = 3`, seq(3)},
		"postings not JSON":   {`update ledger_entries set postings = '[' where seq = 3`, seq(3)},
		"no date":             {`update ledger_entries set date = 'soon' where seq = 3`, seq(3)},
		"memo":                {`update ledger_entries set memo = 'x' where seq = 2`, seq(2)},
		"key":                 {`update ledger_entries set idem_key = 'x' where seq = 2`, seq(2)},
		"right":               {`update ledger_entries set override = true where seq = 2`, seq(2)},
		"until":               {`update ledger_entries set until = until + 1 where seq = 6`, seq(6)},
		"op":                  {`update ledger_entries set op = '' where seq = 6`, seq(6)},
		"hold":                {`update ledger_entries set hold = 'h0' where seq = 8`, seq(8)},
		"time":                {`update ledger_entries set at = at + 1 where seq = 2`, seq(2)},
		"dropped":             {`delete from ledger_entries where seq = 3`, seq(3)},
		"last dropped":        {`delete from ledger_entries where seq = 9`, seq(8)},
		"order":               {`update ledger_entries set seq = 99 where seq = 2`, seq(2)},
		"tenant":              {`update ledger_entries set tenant = 'b' where seq = 2`, seq(2)},
		"hash replaced":       {`update ledger_entries set hash = prev where seq = 4`, seq(4)},
		"input hash replaced": {`update ledger_entries set input_hash = hash where seq = 4`, seq(4)},
		"head":                {`update ledger_heads set hash = 'x'`, seq(9)},
		"closed period":       {`update ledger_heads set closed = '{}'`, seq(0)},
		"balance":             {`update ledger_balances set amount = amount + 1 where account = 'cash' and item = 'loan'`, account("cash")},
		"balance gone":        {`delete from ledger_balances where account = 'cash' and item = 'loan'`, account("cash")},
		"balance moved":       {`update ledger_balances set item = 'other' where account = 'cash' and item = 'loan'`, account("cash")},
		"invented sum":        {`insert into ledger_balances (tenant, account, item, amount) values ('a', 'cash', 'ghost', 5)`, account("cash")},
		"held":                {`update ledger_balances set held_debits = held_debits + 1 where account = 'borrower_credit'`, account("borrower_credit")},
		"posting":             {`update ledger_postings set amount = amount + 1 where seq = 3 and nr = 0`, seq(3)},
		"posting's date":      {`update ledger_postings set date = '2026-01-01' where seq = 3 and nr = 1`, seq(3)},
		"posting moved":       {`update ledger_postings set item = 'other' where seq = 3 and nr = 1`, seq(3)},
		"posting gone":        {`delete from ledger_postings where seq = 3 and nr = 1`, seq(3)},
		"posting of nothing":  {`insert into ledger_postings (tenant, account, seq, nr, item, date, amount) values ('a', 'cash', 77, 0, 'loan', '2026-07-01', 5)`, seq(77)},
		"huge posting":        {`insert into ledger_postings (tenant, account, seq, nr, item, date, amount) values ('a', 'cash', 9223372036854775807, 0, 'loan', '2026-07-01', 9223372036854775807)`, account("cash")},
		"turnover":            {`update ledger_days set debits = debits + 1 where account = 'cash'`, account("cash")},
		"turnover gone":       {`delete from ledger_days where account = 'cash'`, account("cash")},
		"hold opened again":   {`update ledger_holds set state = 'open', ended_by = '' where idem_key = 'h1'`, seq(7)},
		"hold settled, not":   {`update ledger_holds set state = 'settled' where idem_key = 'h0'`, seq(6)},
		"hold's state":        {`update ledger_holds set state = 'voided' where idem_key = 'h1'`, seq(1)},
		"hold gone":           {`delete from ledger_holds where idem_key = 'h0'`, seq(6)},
		"ended hold gone":     {`delete from ledger_holds where idem_key = 'h1'`, seq(1)},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		book, ctx := open(t, db), context.Background()
		for i := range 4 {
			if _, err := book.Post(ctx, lend("a", fmt.Sprint(i), money.Fen(100*(i+1)))); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := book.Post(ctx, two("saved", "cash", "borrower_credit", 50)); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			if _, err := book.Hold(ctx, two(fmt.Sprint("h", i), "borrower_credit", "cash", 10), noon.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := book.Settle(ctx, end("s", "h1")); err != nil {
			t.Fatal(err)
		}
		if _, err := book.Close(ctx, ledger.Closing{Tenant: "a", Key: "june", Through: money.DateOf(noon) - 1}); err != nil {
			t.Fatal(err)
		}
		keep(t, db)
		for name, k := range kinds {
			t.Run(name, func(t *testing.T) {
				restore(t, db)
				if audit, err := book.Verify(ctx, "a"); err != nil || !audit.OK() {
					t.Fatalf("before: %+v %v", audit, err)
				}
				if res, err := db.Exec(ctx, k.change); err != nil {
					t.Fatal(err)
				} else if n, _ := res.RowsAffected(); n == 0 {
					t.Fatal("nothing was changed")
				}
				audit, err := book.Verify(ctx, "a")
				if err != nil || audit.OK() || !slices.ContainsFunc(audit.Faults, k.place) {
					t.Errorf("not found at its place: %+v %v", audit, err)
				}
			})
		}
	})
}

func seq(n int64) func(ledger.Fault) bool {
	return func(f ledger.Fault) bool { return f.Seq == n }
}

func account(code string) func(ledger.Fault) bool {
	return func(f ledger.Fault) bool { return f.Account == code }
}

var tables = []string{"ledger_heads", "ledger_entries", "ledger_balances", "ledger_postings", "ledger_days", "ledger_holds"}

// keep copies the book aside; restore puts it back.
func keep(t *testing.T, db *store.DB) {
	t.Helper()
	for _, table := range tables {
		if _, err := db.Exec(context.Background(), `create table kept_`+table+` as select * from `+table); err != nil {
			t.Fatal(err)
		}
	}
}

func restore(t *testing.T, db *store.DB) {
	t.Helper()
	for _, table := range tables {
		for _, stmt := range []string{`delete from ` + table, `insert into ` + table + ` select * from kept_` + table} {
			if _, err := db.Exec(context.Background(), stmt); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A book of more entries than one block, one of whose postings was changed.
func TestVerifyNamesTheEntry(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		book, ctx := open(t, db), context.Background()
		var group []ledger.Entry
		for i := range 2500 {
			group = append(group, lend("a", fmt.Sprint(i), money.Fen(i+1)))
		}
		if _, err := book.PostAll(ctx, group); err != nil {
			t.Fatal(err)
		}
		if audit, err := book.Verify(ctx, "a"); err != nil || !audit.OK() || audit.Entries != 2500 {
			t.Fatalf("%+v %v", audit, err)
		}
		if _, err := db.Exec(ctx, `update ledger_postings set date = '2026-06-30' where seq = 1500 and nr = 0`); err != nil {
			t.Fatal(err)
		}
		audit, err := book.Verify(ctx, "a")
		if err != nil || audit.Wrong != 1 || audit.Faults[0].Seq != 1500 {
			t.Errorf("%+v %v", audit, err)
		}
	})
}
