package firm

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/store"
)

const uploadColumns = `id, tenant, anchor_id, user_id, user_name, kind, file_name, sha256, state, rows_read, good, known, bad, created_at, done_at,
	rows_done, rows_total, touched_at, revision, same_as, failure`

func scanUpload(row scanner, more ...any) (chain.Upload, error) {
	var (
		u           chain.Upload
		at, touched int64
		done        sql.NullInt64
		failure     string
	)
	err := row.Scan(append([]any{&u.ID, &u.Tenant, &u.AnchorID, &u.UserID, &u.UserName, &u.Kind, &u.FileName, &u.SHA256, &u.State,
		&u.Rows, &u.Good, &u.Known, &u.Bad, &at, &done, &u.RowsDone, &u.RowsTotal, &touched, &u.Revision, &u.SameAs, &failure}, more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return u, chain.ErrUploadNotFound
	}
	if err != nil {
		return u, fmt.Errorf("store/firm: %w", err)
	}
	if failure != "" {
		if err := json.Unmarshal([]byte(failure), &u.Failure); err != nil {
			return u, fmt.Errorf("store/firm: %w", err)
		}
	}
	u.CreatedAt, u.TouchedAt, u.DoneAt, u.Errors = store.Time(at), store.Time(touched), store.NullTime(done), []chain.RowError{}
	return u, nil
}

// writeFailure is blank for none.
func writeFailure(f *chain.UploadFailure) (string, error) {
	if f == nil {
		return "", nil
	}
	b, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("store/firm: %w", err)
	}
	return string(b), nil
}

// AddUpload implements chain.Store.
func (s *Store) AddUpload(ctx context.Context, u chain.Upload) error {
	remarks, err := json.Marshal(u.Errors)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	failure, err := writeFailure(u.Failure)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `insert into trade_upload (`+uploadColumns+`, errors)
		values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22)`,
		u.ID, u.Tenant, u.AnchorID, u.UserID, u.UserName, string(u.Kind), u.FileName, u.SHA256, string(u.State),
		u.Rows, u.Good, u.Known, u.Bad, store.Millis(u.CreatedAt), store.NullMillis(u.DoneAt), u.RowsDone, u.RowsTotal,
		store.Millis(u.TouchedAt), u.Revision, u.SameAs, failure, string(remarks))
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	return nil
}

// Upload implements chain.Store.
func (s *Store) Upload(ctx context.Context, tenant, id string) (chain.Upload, error) {
	var remarks string
	u, err := scanUpload(s.db.QueryRow(ctx, `select `+uploadColumns+`, errors from trade_upload where tenant = $1 and id = $2`,
		tenant, id), &remarks)
	if err != nil {
		return u, err
	}
	if err := json.Unmarshal([]byte(remarks), &u.Errors); err != nil {
		return u, fmt.Errorf("store/firm: %w", err)
	}
	return u, nil
}

// Uploads implements chain.Store.
func (s *Store) Uploads(ctx context.Context, tenant string, f chain.UploadFilter) ([]chain.Upload, error) {
	q := newQuery(`select `+uploadColumns+` from trade_upload where tenant = $1`, tenant)
	if f.AnchorID != "" {
		q.and(`anchor_id = `, f.AnchorID)
	}
	if f.SHA256 != "" {
		q.and(`sha256 = `, f.SHA256)
	}
	if f.Before != "" {
		before := q.arg(f.Before)
		q.text += ` and (created_at, id) < (select created_at, id from trade_upload where tenant = $1 and id = ` + before + `)`
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	q.text += ` order by created_at desc, id desc limit ` + q.arg(min(limit, 1000))
	return store.Collect(ctx, s.db, func(row store.Row) (chain.Upload, error) { return scanUpload(row) }, q.text, q.args...)
}

// MoveUpload implements chain.Store.
func (s *Store) MoveUpload(ctx context.Context, u chain.Upload, from chain.UploadState) error {
	return moveUpload(ctx, s.db, u, from)
}

// moveUpload moves an upload on from one of some states, or says chain.ErrUploadState.
func moveUpload(ctx context.Context, db store.Queryer, u chain.Upload, from ...chain.UploadState) error {
	remarks, err := json.Marshal(u.Errors)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	failure, err := writeFailure(u.Failure)
	if err != nil {
		return err
	}
	q := newQuery(`update trade_upload set state = $3, done_at = $4, rows_read = $5, good = $6, known = $7, bad = $8, errors = $9, rows_done = $10,
		rows_total = $11, touched_at = $12, revision = $13, same_as = $14, failure = $15 where tenant = $1 and id = $2 and state in `,
		u.Tenant, u.ID, string(u.State), store.NullMillis(u.DoneAt), u.Rows, u.Good, u.Known, u.Bad, string(remarks), u.RowsDone, u.RowsTotal,
		store.Millis(u.TouchedAt), u.Revision, u.SameAs, failure)
	states := make([]string, len(from))
	for i, f := range from {
		states[i] = string(f)
	}
	res, err := db.Exec(ctx, q.text+list(q, states), q.args...)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return chain.ErrUploadState.With("state", u.State)
	}
	return err
}

// AddPart implements chain.Store.
func (s *Store) AddPart(ctx context.Context, u chain.Upload, stream chain.PartStream, n int, body []byte) error {
	_, err := s.db.Exec(ctx, `insert into upload_part (tenant, upload_id, stream, n, body) values ($1, $2, $3, $4, $5)`,
		u.Tenant, u.ID, string(stream), n, body)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	return nil
}

// Parts implements chain.Store. It reads one part at a time, so that f may take its time.
func (s *Store) Parts(ctx context.Context, u chain.Upload, stream chain.PartStream, f func(body []byte) error) error {
	for n := 0; ; n++ {
		var body []byte
		err := s.db.QueryRow(ctx, `select body from upload_part where tenant = $1 and upload_id = $2 and stream = $3 and n = $4`,
			u.Tenant, u.ID, string(stream), n).Scan(&body)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		if err := f(body); err != nil {
			return err
		}
	}
}

// DropUpload implements chain.Store.
func (s *Store) DropUpload(ctx context.Context, u chain.Upload) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `delete from trade_upload where tenant = $1 and id = $2 and state not in ('committing', 'committed', 'undone')`, u.Tenant, u.ID)
		if err == nil {
			_, err = tx.Exec(ctx, `delete from upload_part where tenant = $1 and upload_id = $2
				and not exists (select 1 from trade_upload where id = $2)`, u.Tenant, u.ID)
		}
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		return nil
	})
}

// SweepParts implements chain.Store.
func (s *Store) SweepParts(ctx context.Context, tenant string, before time.Time) error {
	_, err := s.db.Exec(ctx, `delete from upload_part where tenant = $1 and upload_id < $2
		and not exists (select 1 from trade_upload u where u.id = upload_part.upload_id)`, tenant, ident.At(before))
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	return nil
}

// step is the number of documents that one transaction of a commit writes or takes back:
// half a second at most in which SQLite's other writers wait.
const step = 10_000

// dead is the time without a sign of life after which a commit has broken off.
const dead = 3 * time.Minute

// CommitUpload implements chain.Store. The documents of an upload that is being committed
// are in the table, but no reader selects them.
func (s *Store) CommitUpload(
	ctx context.Context, u chain.Upload, docs iter.Seq2[chain.Document, error], firms func() []chain.Party, leans map[string]int, progress func(done int),
) (int, error) {
	if err := s.begin(ctx, u); err != nil {
		return 0, err
	}
	known, err := s.write(ctx, u, docs, firms, leans, progress)
	if err != nil {
		// The caller may be gone; what was written must go all the same.
		return 0, errors.Join(err, s.AbortUpload(context.WithoutCancel(ctx), u))
	}
	return known, nil
}

// begin claims the books of the tenant for one upload.
func (s *Store) begin(ctx context.Context, u chain.Upload) error {
	others, err := store.Collect(ctx, s.db, func(row store.Row) (chain.Upload, error) { return scanUpload(row) },
		`select `+uploadColumns+` from trade_upload where tenant = $1 and state = 'committing'`, u.Tenant)
	if err != nil {
		return err
	}
	for _, o := range others {
		if time.Since(o.TouchedAt) > dead { // processes live by the wall clock
			o.Failure = &chain.UploadFailure{Code: chain.ErrUploadBroken.Code, Msg: chain.ErrUploadBroken.Msg, At: time.Now().UTC()}
			if err := s.AbortUpload(ctx, o); err != nil && !errors.Is(err, chain.ErrUploadState) {
				return err
			}
		}
	}
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		if err := alone(ctx, tx, u); err != nil {
			return err
		}
		now, err := revision(ctx, tx, u.Tenant)
		if err != nil {
			return err
		}
		claimed := u
		claimed.State, claimed.DoneAt, claimed.TouchedAt, claimed.Failure = chain.UploadCommitting, nil, time.Now(), nil
		if err := moveUpload(ctx, tx, claimed, chain.UploadChecked); err != nil {
			return err
		}
		if now != u.Revision {
			return chain.ErrUploadRaced
		}
		return nil
	})
}

// alone returns ErrUploadBusy while another upload of the tenant is being committed.
func alone(ctx context.Context, tx *store.Tx, u chain.Upload) error {
	var busy bool
	err := tx.QueryRow(ctx, `select exists (select 1 from trade_upload where tenant = $1 and state = 'committing')`, u.Tenant).Scan(&busy)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	if busy {
		return chain.ErrUploadBusy
	}
	return nil
}

func (s *Store) write(
	ctx context.Context, u chain.Upload, docs iter.Seq2[chain.Document, error], firms func() []chain.Party, leans map[string]int, progress func(done int),
) (int, error) {
	var (
		some    = make([]chain.Document, 0, run)
		touched = map[pair]bool{}
		done    int
		written int64
	)
	flush := func() error {
		inKeyOrder(some)
		for part := range slices.Chunk(some, step) {
			n, err := s.insertDocuments(ctx, u, part, done+len(part))
			if err != nil {
				return err
			}
			written += n
			done += len(part)
			progress(done)
		}
		clear(some)
		some = some[:0]
		return nil
	}
	for d, err := range docs {
		if err != nil {
			return 0, err
		}
		touched[pair{d.SellerID, d.BuyerID}] = true
		if some = append(some, d); len(some) == run {
			if err := flush(); err != nil {
				return 0, err
			}
		}
	}
	if err := flush(); err != nil {
		return 0, err
	}
	return done - int(written), s.finish(ctx, u, firms(), leans, touched)
}

// run is the number of documents that are brought into the order of their key before they
// are written: each page of the index is then written once a run. A run is held in memory.
const run = 10 * step

// inKeyOrder sorts documents by the index of their key, and hands their ids out anew in
// that order, so that the index of ids grows at its end. Those that are one stay in the
// order of their rows: the first is written.
func inKeyOrder(docs []chain.Document) {
	ids := make([]string, len(docs))
	for i, d := range docs {
		ids[i] = d.ID
	}
	slices.Sort(ids)
	slices.SortStableFunc(docs, func(a, b chain.Document) int {
		return cmp.Or(strings.Compare(a.SellerID, b.SellerID), strings.Compare(a.BuyerID, b.BuyerID), strings.Compare(string(a.Kind), string(b.Kind)),
			strings.Compare(a.Number, b.Number))
	})
	for i := range docs {
		docs[i].ID = ids[i]
	}
}

// finish makes the documents seen.
func (s *Store) finish(ctx context.Context, u chain.Upload, firms []chain.Party, leans map[string]int, touched map[pair]bool) error {
	return s.change(ctx, u.Tenant, func(tx *store.Tx) error {
		if err := moveUpload(ctx, tx, u, chain.UploadCommitting); err != nil {
			return err
		}
		if err := saveFirms(ctx, tx, firms, u.ID); err != nil {
			return err
		}
		for on, n := range leans {
			_, err := tx.Exec(ctx, `insert into upload_lean (tenant, upload_id, on_id, documents) values ($1, $2, $3, $4)
				on conflict (upload_id, on_id) do update set documents = excluded.documents`, u.Tenant, u.ID, on, n)
			if err != nil {
				return fmt.Errorf("store/firm: %w", err)
			}
		}
		if err := revise(ctx, tx, u.Tenant); err != nil {
			return err
		}
		now, err := revision(ctx, tx, u.Tenant)
		if err != nil {
			return err
		}
		if err := markLinks(ctx, tx, u.Tenant, now, touched); err != nil {
			return err
		}
		return sumLinks(ctx, tx, u.Tenant, now)
	})
}

// AbortUpload implements chain.Store.
func (s *Store) AbortUpload(ctx context.Context, u chain.Upload) error {
	for {
		res, err := s.db.Exec(ctx, `delete from trade_document where id in (select d.id from trade_document d join trade_upload u on u.id = d.upload_id
			where d.upload_id = $1 and u.tenant = $2 and u.state = 'committing' limit $3)`, u.ID, u.Tenant, step)
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			break
		}
	}
	failure, err := writeFailure(u.Failure)
	if err != nil {
		return err
	}
	res, err := s.db.Exec(ctx, `update trade_upload set state = 'checked', done_at = null, failure = $3 where tenant = $1 and id = $2 and state = 'committing'`,
		u.Tenant, u.ID, failure)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	if n, err := res.RowsAffected(); err == nil && n == 0 {
		return chain.ErrUploadState.With("state", u.State)
	}
	return nil
}

var documentColumns = []string{"id", "tenant", "kind", "number", "number_key", "variant", "order_no", "contract_no", "contract_key", "invoice_no",
	"seller_id", "buyer_id", "amount", "tax", "goods", "quantity", "unit", "code", "type", "day", "due", "void", "upload_id", "anchor_id", "funder"}

// insertDocuments returns how many of docs were new.
func (s *Store) insertDocuments(ctx context.Context, u chain.Upload, docs []chain.Document, done int) (written int64, err error) {
	err = s.db.Tx(ctx, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, `update trade_upload set rows_done = $3, touched_at = $4 where tenant = $1 and id = $2 and state = 'committing'`,
			u.Tenant, u.ID, done, store.Millis(time.Now()))
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		if n, err := res.RowsAffected(); err == nil && n == 0 { // somebody took it for dead
			return chain.ErrUploadState.With("state", u.State)
		}
		in := tx.Insert("trade_document", documentColumns, `on conflict (tenant, seller_id, buyer_id, kind, number_key, variant) do nothing`)
		for _, d := range docs {
			err := in.Add(ctx, d.ID, u.Tenant, string(d.Kind), d.Number, d.NumberKey(), d.Variant(), d.OrderNo, d.ContractNo, chain.NumberKey(d.ContractNo),
				d.InvoiceNo, d.SellerID, d.BuyerID, int64(d.Amount), int64(d.Tax), d.Goods, d.Quantity, d.Unit, d.Code, string(d.Type), d.Date, d.Due, d.Void,
				u.ID, u.AnchorID, d.Funder)
			if err != nil {
				return fmt.Errorf("store/firm: %w", err)
			}
		}
		written, err = in.Close(ctx)
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		return nil
	})
	return written, err
}

func scanPair(row store.Row) (pair, error) {
	var p pair
	err := row.Scan(&p.seller, &p.buyer)
	return p, err
}

// UndoUpload implements chain.Store.
func (s *Store) UndoUpload(ctx context.Context, u chain.Upload) error {
	return s.change(ctx, u.Tenant, func(tx *store.Tx) error {
		if err := alone(ctx, tx, u); err != nil {
			return err
		}
		var (
			file string
			rows int
		)
		err := tx.QueryRow(ctx, `select l.file_name, n.documents from upload_lean n join trade_upload l on l.id = n.upload_id
			where n.tenant = $1 and n.on_id = $2 and l.state = 'committed' order by l.created_at desc, l.id desc limit 1`, u.Tenant, u.ID).Scan(&file, &rows)
		if err == nil {
			return chain.ErrUploadNeeded.With("file", file).With("rows", rows)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("store/firm: %w", err)
		}
		if err := stands(ctx, tx, u); err != nil {
			return err
		}
		if err := moveUpload(ctx, tx, u, chain.UploadCommitted); err != nil {
			return err
		}
		if err := revise(ctx, tx, u.Tenant); err != nil {
			return err
		}
		now, err := revision(ctx, tx, u.Tenant)
		if err != nil {
			return err
		}
		touched, err := store.Collect(ctx, tx, scanPair,
			`select distinct seller_id, buyer_id from trade_document where tenant = $1 and upload_id = $2`, u.Tenant, u.ID)
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		pairs := make(map[pair]bool, len(touched))
		for _, p := range touched {
			pairs[p] = true
		}
		if err := markLinks(ctx, tx, u.Tenant, now, pairs); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `delete from trade_document where tenant = $1 and upload_id = $2`, u.Tenant, u.ID); err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		if err := sumLinks(ctx, tx, u.Tenant, now); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `delete from firm where tenant = $1 and upload_id = $2 and owner_id = '' and not anchor and survivor_id = id
			and not exists (select 1 from firm m where m.tenant = $1 and m.survivor_id = firm.id and m.id <> firm.id)
			and not exists (select 1 from trade_link l where l.tenant = $1 and l.seller_id = firm.id and l.documents > 0)
			and not exists (select 1 from trade_link l where l.tenant = $1 and l.buyer_id = firm.id and l.documents > 0)
			and id not in (select obligor_id from receivable where tenant = $1 union select creditor_id from receivable where tenant = $1
				union select holder_id from receivable_part where tenant = $1 union select firm_id from receivable_total where tenant = $1)`, u.Tenant, u.ID)
		if store.Conflict(err) { // somebody has just come to name it
			return chain.ErrFirmInUse.Because(err)
		}
		if err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		return nil
	})
}

// stands returns ErrUploadStands when a receivable that is not cancelled rests on a
// document of an upload: it is the proof of a debt, also after that was paid.
func stands(ctx context.Context, tx *store.Tx, u chain.Upload) error {
	type resting struct {
		number string
		ids    []string
	}
	// Only those who owe for one of the documents can have confirmed it, under any of the
	// names that they were found to be one with.
	found, err := store.Collect(ctx, tx, func(row store.Row) (r resting, err error) {
		var body string
		if err := row.Scan(&r.number, &body); err != nil {
			return r, err
		}
		var kept struct {
			Documents []struct {
				ID string `json:"document_id"`
			} `json:"documents"`
		}
		if err := json.Unmarshal([]byte(body), &kept); err != nil {
			return r, err
		}
		for _, d := range kept.Documents {
			r.ids = append(r.ids, d.ID)
		}
		return r, nil
	}, `select number, body from receivable where tenant = $1 and state <> 'cancelled' and obligor_id in (
		select f.id from firm f where f.tenant = $1 and f.survivor_id in (select b.survivor_id from firm b where b.tenant = $1 and b.id in (
			select distinct buyer_id from trade_document where tenant = $1 and upload_id = $2))) order by number`, u.Tenant, u.ID)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	number := map[string]string{} // of the receivable, by document
	var ids []string
	for _, r := range found {
		for _, id := range r.ids {
			if number[id] == "" {
				number[id], ids = r.number, append(ids, id)
			}
		}
	}
	for some := range slices.Chunk(ids, chunk) {
		q := newQuery(`select id, number from trade_document where tenant = $1 and upload_id = $2 and id in `, u.Tenant, u.ID)
		var id, document string
		err := tx.QueryRow(ctx, q.text+list(q, some)+` order by id limit 1`, q.args...).Scan(&id, &document)
		if err == nil {
			return chain.ErrUploadStands.With("receivable", number[id]).With("document", document)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("store/firm: %w", err)
		}
	}
	return nil
}
