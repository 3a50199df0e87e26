package application

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/store"
)

// addContract keeps what was signed. One of an offer that was taken back makes room; its
// document and signatures stay.
func addContract(ctx context.Context, tx *store.Tx, c apply.Contract) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update surety set signed_at = null where application_id = $1`, c.ApplicationID); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `insert into contracts (application_id, body, signed_at) values ($1, $2, $3)
		on conflict (application_id) do update set body = excluded.body, signed_at = excluded.signed_at`,
		c.ApplicationID, string(body), store.Millis(*c.SignedAt))
	return err
}

// sign keeps the document, and the signature at the end of the chain. It comes last in a
// transaction: the head of the chain is locked until that ends.
func sign(ctx context.Context, tx *store.Tx, a apply.Application, r apply.Record) error {
	if r.Declined != nil {
		return decline(ctx, tx, a, r)
	}
	if r.Signature == nil {
		return nil
	}
	sig := *r.Signature
	if len(r.Document) > 0 {
		if _, err := tx.Exec(ctx, `insert into contract_document (tenant, hash, application_id, body, at) values ($1, $2, $3, $4, $5)
			on conflict (tenant, hash) do nothing`, a.Tenant, sig.Document, a.ID, r.Document, store.Millis(sig.At)); err != nil {
			return err
		}
	}
	if r.Key != "" {
		if err := addKey(ctx, tx, a.Tenant, r.KeyID, r.Key, sig.At); err != nil {
			return err
		}
	}
	if r.Surety > 0 {
		res, err := tx.Exec(ctx, `update surety set signed_at = $3 where application_id = $1 and nr = $2 and signed_at is null and declined_at is null`,
			a.ID, r.Surety, store.Millis(sig.At))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err // signed already by the same request, or declined
		}
	}
	var nr int64
	var hash string
	if err := tx.QueryRow(ctx, `insert into contract_head (tenant, nr, hash) values ($1, 0, '')
		on conflict (tenant) do update set nr = contract_head.nr returning nr, hash`, a.Tenant).Scan(&nr, &hash); err != nil {
		return err
	}
	sealed, err := r.Seal(sig, nr, hash)
	if err != nil {
		return err
	}
	body, err := json.Marshal(sealed)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `insert into contract_signature (tenant, nr, application_id, body, hash) values ($1, $2, $3, $4, $5)`,
		a.Tenant, sealed.Nr, a.ID, string(body), sealed.Hash); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `update contract_head set nr = $2, hash = $3 where tenant = $1`, a.Tenant, sealed.Nr, sealed.Hash)
	return err
}

// decline keeps the no of one who was asked to answer; ErrSuretySigned when they had signed.
func decline(ctx context.Context, tx *store.Tx, a apply.Application, r apply.Record) error {
	res, err := tx.Exec(ctx, `update surety set declined_at = $3, reason = $4 where application_id = $1 and nr = $2 and signed_at is null`,
		a.ID, r.Surety, store.Millis(*r.Declined), r.Reason)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return apply.ErrSuretySigned
}

// signing is the line of those who add to a tenant's chain of signatures.
func signing(tenant string) []string { return []string{"signatures " + tenant} }

// Witness implements apply.Store.
func (s *Store) Witness(ctx context.Context, a apply.Application, r apply.Record) error {
	return s.db.TxInTurn(ctx, signing(a.Tenant), func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, `update applications set updated_at = updated_at where tenant = $1 and id = $2 and state = $3`,
			a.Tenant, a.ID, string(a.State))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return refuse(ctx, tx, a)
		}
		if r.Contract != nil {
			if err := addContract(ctx, tx, *r.Contract); err != nil {
				return err
			}
		}
		return sign(ctx, tx, a, r)
	})
}

// Contract implements apply.Store.
func (s *Store) Contract(ctx context.Context, tenant, applicationID string) (apply.Contract, error) {
	var c apply.Contract
	var body string
	err := found(s.db.QueryRow(ctx, `select c.body from contracts c join applications a on a.id = c.application_id
		where a.tenant = $1 and a.id = $2`, tenant, applicationID).Scan(&body))
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal([]byte(body), &c)
}

// Document implements apply.Store.
func (s *Store) Document(ctx context.Context, tenant, hash string) (body []byte, applicationID string, err error) {
	err = s.db.QueryRow(ctx, `select body, application_id from contract_document where tenant = $1 and hash = $2`, tenant, hash).Scan(&body, &applicationID)
	if errors.Is(err, sql.ErrNoRows) {
		err = contract.ErrAbsent
	}
	return body, applicationID, err
}

// Signatures implements apply.Store.
func (s *Store) Signatures(ctx context.Context, tenant, applicationID string, after int64, limit int) ([]contract.Signature, error) {
	return store.Collect(ctx, s.db, func(row store.Row) (sig contract.Signature, err error) {
		var body string
		if err := row.Scan(&body); err != nil {
			return sig, err
		}
		return sig, json.Unmarshal([]byte(body), &sig)
	}, `select body from contract_signature where tenant = $1 and ($2 = '' or application_id = $2) and nr > $3`+
		fmt.Sprintf(` order by nr limit %d`, min(max(limit, 1), 1000)), tenant, applicationID, after)
}

func addKey(ctx context.Context, tx *store.Tx, tenant, id, public string, at time.Time) error {
	_, err := tx.Exec(ctx, `insert into contract_key (tenant, id, pem, at) values ($1, $2, $3, $4) on conflict (tenant, id) do nothing`,
		tenant, id, public, store.Millis(at))
	return err
}

// Keys implements apply.Store.
func (s *Store) Keys(ctx context.Context, tenant string) (map[string]string, error) {
	out := map[string]string{}
	_, err := store.Collect(ctx, s.db, func(row store.Row) (id string, err error) {
		var pem string
		err = row.Scan(&id, &pem)
		out[id] = pem
		return id, err
	}, `select id, pem from contract_key where tenant = $1 order by id`, tenant)
	return out, err
}

// SetSureties implements apply.Store.
func (s *Store) SetSureties(ctx context.Context, tenant, applicationID string, list []apply.Guarantor) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		// The row is locked, so that nobody signs the contract with the names of before.
		res, err := tx.Exec(ctx, `update applications set updated_at = updated_at
			where tenant = $1 and id = $2 and state in ('draft', 'submitted', 'deciding', 'referred', 'offered')`, tenant, applicationID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return refuse(ctx, tx, apply.Application{Tenant: tenant, ID: applicationID, State: apply.Accepted})
		}
		if _, err := tx.Exec(ctx, `delete from surety where application_id = $1`, applicationID); err != nil {
			return err
		}
		for _, x := range list {
			if _, err := tx.Exec(ctx, `insert into surety (tenant, application_id, nr, user_id, name, code) values ($1, $2, $3, $4, $5, $6)`,
				tenant, applicationID, x.Nr, x.UserID, x.Name, x.Code); err != nil {
				return err
			}
		}
		return nil
	})
}

// Sureties implements apply.Store.
func (s *Store) Sureties(ctx context.Context, tenant, applicationID string) ([]apply.Guarantor, error) {
	list, err := store.Collect(ctx, s.db, func(row store.Row) (x apply.Guarantor, err error) {
		var signed, declined sql.NullInt64
		err = row.Scan(&x.Nr, &x.UserID, &x.Name, &x.Code, &signed, &declined, &x.Reason)
		x.SignedAt, x.DeclinedAt = store.NullTime(signed), store.NullTime(declined)
		return x, err
	}, `select nr, user_id, name, code, signed_at, declined_at, reason from surety where tenant = $1 and application_id = $2 order by nr`, tenant, applicationID)
	if list == nil {
		list = []apply.Guarantor{}
	}
	return list, err
}

// Answered implements apply.Store.
func (s *Store) Answered(ctx context.Context, tenant, userID string) ([]string, error) {
	return store.Collect(ctx, s.db, func(row store.Row) (id string, err error) { return id, row.Scan(&id) },
		`select application_id from surety where tenant = $1 and user_id = $2 and user_id <> '' order by application_id desc limit 500`, tenant, userID)
}

// ByKey implements apply.Store.
func (s *Store) ByKey(ctx context.Context, tenant, userID, key string) (apply.Application, error) {
	a, err := scan(s.db.QueryRow(ctx, `select `+columns+` from applications where tenant = $1 and user_id = $2 and idem_key = $3`, tenant, userID, key))
	return a, found(err)
}

// Revise implements apply.Store.
func (s *Store) Revise(ctx context.Context, a apply.Application) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, `update applications set subject_kind = $3, subject_id = $4, subject_name = $5, product = $6, asked = $7,
			term_months = $8, purpose = $9, updated_at = $10 where tenant = $1 and id = $2 and state = 'draft'`,
			a.Tenant, a.ID, string(a.Subject.Kind), a.Subject.ID, a.SubjectName, a.Product, int64(a.Asked), a.TermMonths, a.Purpose, store.Millis(a.UpdatedAt))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return refuse(ctx, tx, a)
		}
		return nil
	})
}
