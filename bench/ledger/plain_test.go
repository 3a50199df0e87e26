package ledgerbench

import (
	"context"
	"encoding/json"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
)

// insert writes the rows of some entries in one transaction, into the same tables with
// the same indexes, checking nothing: the entries, their postings by account, and the
// sums of these by sub-account and by day.
func (r rows) insert(ctx context.Context, db *store.DB, from, to int) error {
	return db.Tx(ctx, func(tx *store.Tx) error {
		entries := tx.Insert("ledger_entries", []string{
			"tenant", "seq", "idem_key", "kind", "item", "date", "memo", "op", "hold", "until", "override", "postings", "at", "input_hash", "prev", "hash",
		}, "")
		postings := tx.Insert("ledger_postings", []string{"tenant", "account", "seq", "nr", "item", "date", "amount"}, "")
		sums := map[ledger.Sub]money.Fen{}
		for _, e := range r.entries[from:to] {
			body, err := json.Marshal(e.Postings)
			if err != nil {
				return err
			}
			date := e.Date.String()
			if err := entries.Add(ctx, r.tenant, e.Seq, e.Key, e.Kind, e.Item, date, e.Memo, "", "", 0, false, string(body),
				store.Millis(e.At), e.InputHash, e.Prev, e.Hash); err != nil {
				return err
			}
			for nr, p := range e.Postings {
				if err := postings.Add(ctx, r.tenant, p.Account, e.Seq, nr, p.Item, date, int64(p.Amount)); err != nil {
					return err
				}
				if p.Item != "" { // plain inserts that wait for each other on a hot row would be a weak peer
					sums[ledger.Sub{Account: p.Account, Item: p.Item}] += p.Amount
				}
			}
		}
		if _, err := entries.Close(ctx); err != nil {
			return err
		}
		if _, err := postings.Close(ctx); err != nil {
			return err
		}
		balances := tx.Insert("ledger_balances", []string{"tenant", "account", "item", "amount"},
			`on conflict (tenant, account, item) do update set amount = ledger_balances.amount + excluded.amount`)
		for sub, sum := range sums {
			if err := balances.Add(ctx, r.tenant, sub.Account, sub.Item, int64(sum)); err != nil {
				return err
			}
		}
		_, err := balances.Close(ctx)
		return err
	})
}
