package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
)

var _ ledger.PeriodStore = (*Store)(nil)

// Due implements ledger.Store.
func (s *Store) Due(ctx context.Context, now time.Time) ([]string, error) {
	return store.Collect(ctx, s.db, scanText, `select tenant from ledger_heads where expires > 0 and expires <= $1 order by tenant`, store.Millis(now))
}

// Closed implements ledger.PeriodStore.
func (s *Store) Closed(ctx context.Context, tenant string) (money.Date, error) {
	h, err := scanHead(s.db.QueryRow(ctx, `select `+headColumns+` from ledger_heads where tenant = $1`, tenant))
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return h.Closed[""], err
}

// AddPeriod implements ledger.PeriodStore.
func (s *Store) AddPeriod(ctx context.Context, p ledger.Period) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `insert into ledger_closings (id, tenant, state, through, body) values ($1, $2, $3, $4, $5)`,
		p.ID, p.Tenant, p.State, p.Through.String(), string(body))
	return err
}

func scanPeriod(row store.Row) (p ledger.Period, err error) {
	var body string
	if err := row.Scan(&p.Tenant, &body); err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(body), &p)
}

// Period implements ledger.PeriodStore.
func (s *Store) Period(ctx context.Context, tenant, id string) (ledger.Period, error) {
	p, err := scanPeriod(s.db.QueryRow(ctx, `select tenant, body from ledger_closings where tenant = $1 and id = $2`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		return p, ledger.ErrPeriod
	}
	return p, err
}

// Periods implements ledger.PeriodStore.
func (s *Store) Periods(ctx context.Context, tenant string, limit int) ([]ledger.Period, error) {
	return store.Collect(ctx, s.db, scanPeriod, `select tenant, body from ledger_closings where tenant = $1 order by id desc limit $2`, tenant, limit)
}

// DecidePeriod implements ledger.PeriodStore.
func (s *Store) DecidePeriod(ctx context.Context, p ledger.Period) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	res, err := s.db.Exec(ctx, `update ledger_closings set state = $3, body = $4 where tenant = $1 and id = $2 and state = 'asked'`,
		p.Tenant, p.ID, p.State, string(body))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return ledger.ErrPeriodState
}
