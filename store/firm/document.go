package firm

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
)

// ofFirm selects what a firm sells and what it buys. Two halves, because for
// "seller or buyer" SQLite walks through all documents of the tenant.
const ofFirm = `select * from trade_document where tenant = $1 and seller_id = $2
	union all select * from trade_document where tenant = $1 and buyer_id = $2 and seller_id <> $2`

// linkQuery sums the trade of each pair. An invoice that is in the books twice,
// promised to two funders, counts once: the inner query has one row a number.
func linkQuery(documents string) string {
	return `select d.seller_id, d.buyer_id, s.name, b.name,
		sum(d.orders), sum(d.invoices), sum(d.payments),
		cast(sum(d.invoices * d.amount) as bigint) as invoiced, cast(sum(d.payments * d.amount) as bigint),
		coalesce(min(d.first_day), ''), coalesce(max(d.last_day), '')
		from (
			select seller_id, buyer_id, kind, number_key, max(amount) as amount,
				case when kind = 'orders' then 1 else 0 end as orders,
				case when kind = 'invoices' then 1 else 0 end as invoices,
				case when kind = 'payments' then 1 else 0 end as payments,
				min(case when kind <> 'suppliers' then day end) as first_day,
				max(case when kind <> 'suppliers' then day end) as last_day
			from (` + documents + `) t
			group by seller_id, buyer_id, kind, number_key
		) d
		join firm s on s.id = d.seller_id
		join firm b on b.id = d.buyer_id
		group by d.seller_id, d.buyer_id, s.name, b.name
		order by invoiced desc, d.seller_id, d.buyer_id`
}

// Links implements chain.Store.
func (s *Store) Links(ctx context.Context, tenant, firmID string) ([]chain.Link, error) {
	var out []chain.Link
	err := s.links(ctx, ofFirm, func(l chain.Link) error {
		out = append(out, l)
		return nil
	}, tenant, firmID)
	return out, err
}

// AllLinks implements chain.Store.
func (s *Store) AllLinks(ctx context.Context, tenant string, f func(chain.Link) error) error {
	return s.links(ctx, `select * from trade_document where tenant = $1`, f, tenant)
}

func (s *Store) links(ctx context.Context, documents string, f func(chain.Link) error, args ...any) error {
	rows, err := s.db.Query(ctx, linkQuery(documents), args...)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	for rows.Next() {
		var l chain.Link
		if err := rows.Scan(&l.SellerID, &l.BuyerID, &l.Seller, &l.Buyer, &l.Orders, &l.Invoices, &l.Payments,
			&l.Invoiced, &l.Paid, &l.FirstDate, &l.LastDate); err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		if err := f(l); err != nil {
			return err
		}
	}
	return rows.Err()
}

const documentColumns = `id, tenant, row_key, kind, number, order_no, seller_id, buyer_id, amount, goods, day, upload_id, anchor_id, funder`

// Documents implements chain.Store; supplier listings are not documents of trade
// and come only when asked for by kind.
func (s *Store) Documents(ctx context.Context, tenant, firmID string, kind chain.DocKind) ([]chain.Document, error) {
	q := newQuery(`select `+documentColumns+` from (`+ofFirm+`) t where `, tenant, firmID)
	if kind != "" {
		q.text += `kind = ` + q.arg(string(kind))
	} else {
		q.text += `kind <> ` + q.arg(string(chain.Suppliers))
	}
	q.text += ` order by day, id`
	var out []chain.Document
	err := s.documents(ctx, func(d chain.Document) error {
		out = append(out, d)
		return nil
	}, q.text, q.args...)
	return out, err
}

// AllDocuments implements chain.Store.
func (s *Store) AllDocuments(ctx context.Context, tenant string, kind chain.DocKind, f func(chain.Document) error) error {
	return s.documents(ctx, f, `select `+documentColumns+` from trade_document where tenant = $1 and kind = $2 order by day, id`,
		tenant, string(kind))
}

func (s *Store) documents(ctx context.Context, f func(chain.Document) error, query string, args ...any) error {
	rows, err := s.db.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	for rows.Next() {
		var d chain.Document
		if err := rows.Scan(&d.ID, &d.Tenant, &d.Key, &d.Kind, &d.Number, &d.OrderNo, &d.SellerID, &d.BuyerID, &d.Amount,
			&d.Goods, &d.Date, &d.UploadID, &d.AnchorID, &d.Funder); err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		if err := f(d); err != nil {
			return err
		}
	}
	return rows.Err()
}

// KnownDocuments implements chain.Store.
func (s *Store) KnownDocuments(ctx context.Context, tenant string, keys []string) (map[string]money.Fen, error) {
	out := map[string]money.Fen{}
	for some := range slices.Chunk(keys, chunk) {
		if err := known(ctx, s.db, tenant, some, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func known(ctx context.Context, db store.Queryer, tenant string, keys []string, out map[string]money.Fen) error {
	q := newQuery(`select row_key, amount from trade_document where tenant = $1 and row_key in `, tenant)
	q.text += list(q, keys)
	rows, err := db.Query(ctx, q.text, q.args...)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	for rows.Next() {
		var (
			key    string
			amount money.Fen
		)
		if err := rows.Scan(&key, &amount); err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		out[key] = amount
	}
	return rows.Err()
}

const uploadColumns = `id, tenant, anchor_id, user_id, user_name, kind, file_name, sha256, state, rows_read, good, known, bad, created_at, done_at`

func scanUpload(row scanner, more ...any) (chain.Upload, error) {
	var (
		u    chain.Upload
		at   int64
		done sql.NullInt64
	)
	err := row.Scan(append([]any{&u.ID, &u.Tenant, &u.AnchorID, &u.UserID, &u.UserName, &u.Kind, &u.FileName, &u.SHA256, &u.State,
		&u.Rows, &u.Good, &u.Known, &u.Bad, &at, &done}, more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return u, chain.ErrUploadNotFound
	}
	if err != nil {
		return u, fmt.Errorf("store/firm: %w", err)
	}
	u.CreatedAt, u.DoneAt, u.Errors = store.Time(at), store.NullTime(done), []chain.RowError{}
	return u, nil
}

// AddUpload implements chain.Store.
func (s *Store) AddUpload(ctx context.Context, u chain.Upload) error {
	remarks, err := json.Marshal(u.Errors)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	_, err = s.db.Exec(ctx, `insert into trade_upload (`+uploadColumns+`, errors, body)
		values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17)`,
		u.ID, u.Tenant, u.AnchorID, u.UserID, u.UserName, string(u.Kind), u.FileName, u.SHA256, string(u.State),
		u.Rows, u.Good, u.Known, u.Bad, store.Millis(u.CreatedAt), store.NullMillis(u.DoneAt), string(remarks), u.Body)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	return nil
}

// Upload implements chain.Store.
func (s *Store) Upload(ctx context.Context, tenant, id string) (chain.Upload, error) {
	var (
		remarks string
		body    []byte
	)
	u, err := scanUpload(s.db.QueryRow(ctx, `select `+uploadColumns+`, errors, body from trade_upload where tenant = $1 and id = $2`,
		tenant, id), &remarks, &body)
	if err != nil {
		return u, err
	}
	u.Body = body
	if err := json.Unmarshal([]byte(remarks), &u.Errors); err != nil {
		return u, fmt.Errorf("store/firm: %w", err)
	}
	return u, nil
}

// Uploads implements chain.Store: newest first, without bodies and remarks.
func (s *Store) Uploads(ctx context.Context, tenant, anchorID string) ([]chain.Upload, error) {
	q := newQuery(`select `+uploadColumns+` from trade_upload where tenant = $1`, tenant)
	if anchorID != "" {
		q.and(`anchor_id = `, anchorID)
	}
	q.text += ` order by created_at desc, id desc limit 500`
	rows, err := s.db.Query(ctx, q.text, q.args...)
	if err != nil {
		return nil, fmt.Errorf("store/firm: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	out := []chain.Upload{}
	for rows.Next() {
		u, err := scanUpload(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, rows.Err()
}

// CommitUpload implements chain.Store.
func (s *Store) CommitUpload(ctx context.Context, u chain.Upload, firms []chain.Party, docs []chain.Document) (int, error) {
	var there int
	err := s.db.Tx(ctx, func(tx *store.Tx) error {
		there = 0
		now, err := revision(ctx, tx, u.Tenant)
		if err != nil {
			return err
		}
		if err := setState(ctx, tx, u, chain.UploadChecked); err != nil {
			return err
		}
		if now != u.Revision {
			return chain.ErrUploadRaced
		}
		if err := saveFirms(ctx, tx, firms, u.ID); err != nil {
			return err
		}
		for some := range slices.Chunk(docs, batch) {
			n, err := insertDocuments(ctx, tx, u, some)
			if err != nil {
				return err
			}
			there += len(some) - n
		}
		return nil
	})
	return there, err
}

// insertDocuments returns how many of docs were new.
func insertDocuments(ctx context.Context, tx *store.Tx, u chain.Upload, docs []chain.Document) (int, error) {
	q := newQuery(`insert into trade_document (` + documentColumns + `, number_key) values `)
	for i, d := range docs {
		if i > 0 {
			q.text += `,`
		}
		q.text += list(q, []any{d.ID, u.Tenant, d.Key, string(d.Kind), d.Number, d.OrderNo, d.SellerID, d.BuyerID,
			int64(d.Amount), d.Goods, d.Date, u.ID, u.AnchorID, d.Funder, chain.NumberKey(d.Number)})
	}
	q.text += ` on conflict (tenant, row_key) do nothing`
	res, err := tx.Exec(ctx, q.text, q.args...)
	if err != nil {
		return 0, fmt.Errorf("store/firm: %w", err)
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// UndoUpload implements chain.Store.
func (s *Store) UndoUpload(ctx context.Context, u chain.Upload) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		if err := setState(ctx, tx, u, chain.UploadCommitted); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `delete from trade_document where tenant = $1 and upload_id = $2`, u.Tenant, u.ID); err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		_, err := tx.Exec(ctx, `delete from firm where tenant = $1 and upload_id = $2 and owner_id = '' and not anchor
			and not exists (select 1 from trade_document d where d.tenant = $1 and d.seller_id = firm.id)
			and not exists (select 1 from trade_document d where d.tenant = $1 and d.buyer_id = firm.id)`, u.Tenant, u.ID)
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		return nil
	})
}

// setState moves an upload on from a state, or says chain.ErrUploadState. The books
// change with it.
func setState(ctx context.Context, tx *store.Tx, u chain.Upload, from chain.UploadState) error {
	remarks, err := json.Marshal(u.Errors)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	res, err := tx.Exec(ctx, `update trade_upload set state = $3, done_at = $4, rows_read = $5, good = $6, known = $7, bad = $8, errors = $9
		where tenant = $1 and id = $2 and state = $10`,
		u.Tenant, u.ID, string(u.State), store.NullMillis(u.DoneAt), u.Rows, u.Good, u.Known, u.Bad, string(remarks), string(from))
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return chain.ErrUploadState.With("state", u.State)
	}
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	return revise(ctx, tx, u.Tenant)
}
