package ledger

import (
	"context"
	"database/sql"
	"errors"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
)

// Read implements ledger.Store.
func (s *Store) Read(ctx context.Context, tenant string, f func(ledger.Reader) error) error {
	return s.db.Snapshot(ctx, func(q store.Queryer) error { return f(reader{q, tenant}) })
}

type reader struct {
	q      store.Queryer
	tenant string
}

var _ ledger.Reader = reader{}

// Head implements ledger.Reader.
func (r reader) Head(ctx context.Context) (ledger.Head, error) {
	h, err := scanHead(r.q.QueryRow(ctx, `select `+headColumns+` from ledger_heads where tenant = $1`, r.tenant))
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.Head{Tenant: r.tenant}, nil
	}
	return h, err
}

// each streams the rows of a query.
func each[T any](ctx context.Context, q store.Queryer, scan func(store.Row) (T, error), f func(T) error, query string, args ...any) error {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return err
		}
		if err := f(v); err != nil {
			return err
		}
	}
	return rows.Err()
}

// EachEntry implements ledger.Reader.
func (r reader) EachEntry(ctx context.Context, f func(ledger.Entry) error) error {
	damaged := func(row store.Row) (ledger.Entry, error) {
		e, _, err := scanAny(row) // its hash tells
		return e, err
	}
	return each(ctx, r.q, damaged, f, `select `+columns+` from ledger_entries where tenant = $1 order by seq`, r.tenant)
}

// EachSaved implements ledger.Reader.
func (r reader) EachSaved(ctx context.Context, f func(ledger.Saved) error) error {
	return each(ctx, r.q, func(row store.Row) (s ledger.Saved, err error) {
		var posting bool
		var b ledger.Balance
		var date string
		if err := row.Scan(&posting, &b.Account, &b.Item, &b.Amount, &b.HeldDebits, &b.HeldCredits, &s.Move.Seq, &s.Move.Nr, &date); err != nil {
			return s, err
		}
		if !posting {
			s.Balance = &b
			return s, nil
		}
		s.Move.Posting = ledger.Posting{Account: b.Account, Item: b.Item, Amount: b.Amount}
		// A date that is none stays zero and is found to differ.
		_ = s.Move.Date.UnmarshalText([]byte(date))
		return s, nil
	}, f, `select false as posting, account, item, amount, held_debits, held_credits, 0 as seq, 0 as nr, '' as date from ledger_balances where tenant = $1
		union all select true, account, item, amount, 0, 0, seq, nr, date from ledger_postings where tenant = $1
		order by account, item, posting`, r.tenant)
}

// EachTurnover implements ledger.Reader.
func (r reader) EachTurnover(ctx context.Context, f func(ledger.Turnover) error) error {
	return each(ctx, r.q, scanTurnover, f, `select account, date, debits, credits from ledger_days where tenant = $1 order by account, date`, r.tenant)
}

// EachHold implements ledger.Reader.
func (r reader) EachHold(ctx context.Context, f func(ledger.Hold) error) error {
	return each(ctx, r.q, scanHold, f, `select `+holdColumns+` from ledger_holds where tenant = $1 order by seq`, r.tenant)
}

// Indexed implements ledger.Reader.
func (r reader) Indexed(ctx context.Context, from, to int64) ([]ledger.Move, error) {
	return store.Collect(ctx, r.q, scanMove, `select account, item, seq, nr, date, amount from ledger_postings
		where tenant = $1 and seq between $2 and $3 order by seq, nr`, r.tenant, from, to)
}

// Complete puts the entries of a book that was kept before there was an index of accounts
// into it. Call it once after opening, before anybody posts or asks.
func (s *Store) Complete(ctx context.Context) error {
	for {
		more := false
		err := s.db.Tx(ctx, func(tx *store.Tx) (err error) {
			more, err = complete(ctx, tx)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}

// complete does the last of the entries that are left and says whether there were any.
func complete(ctx context.Context, tx *store.Tx) (bool, error) {
	var tenant string
	err := tx.QueryRow(ctx, `select tenant from ledger_heads where bare > 0 order by tenant limit 1`).Scan(&tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	w, err := lock(ctx, tx, tenant)
	if err != nil {
		return false, err
	}
	const atOnce = 2000
	bare := w.sheet.Head.Bare
	list, err := store.Collect(ctx, tx, scan, `select `+columns+` from ledger_entries
		where tenant = $1 and seq > $2 and seq <= $3 order by seq`, tenant, bare-atOnce, bare)
	if err != nil {
		return false, err
	}
	if err := w.saveMoves(ctx, list); err != nil {
		return false, err
	}
	for _, e := range list {
		for _, p := range e.Postings {
			debit, credit := max(p.Amount, 0), max(-p.Amount, 0)
			if err := addDay(ctx, tx, tenant, p.Account, e.Date, debit, credit); err != nil {
				return false, err
			}
		}
	}
	_, err = tx.Exec(ctx, `update ledger_heads set bare = $2 where tenant = $1`, tenant, max(bare-atOnce, 0))
	return true, err
}

func addDay(ctx context.Context, tx *store.Tx, tenant, account string, date money.Date, debit, credit money.Fen) error {
	_, err := tx.Exec(ctx, `insert into ledger_days (tenant, account, date, debits, credits) values ($1, $2, $3, $4, $5)
		on conflict (tenant, account, date) do update set debits = ledger_days.debits + excluded.debits, credits = ledger_days.credits + excluded.credits`,
		tenant, account, date.String(), int64(debit), int64(credit))
	return err
}
