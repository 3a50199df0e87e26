package firm

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/chain"
)

// documentSelect reads documents as d, between the firms for which they count.
const documentSelect = `select d.id, d.tenant, d.kind, d.number, d.order_no, d.contract_no, d.invoice_no, d.seller_id, d.buyer_id,
	coalesce(s.survivor_id, d.seller_id), coalesce(b.survivor_id, d.buyer_id), d.amount, d.tax, d.goods, d.quantity, d.unit, d.code, d.type,
	d.day, d.due, d.void, d.upload_id, d.anchor_id, d.funder
	from trade_document d left join firm s on s.id = d.seller_id left join firm b on b.id = d.buyer_id where d.tenant = $1
	and d.upload_id not in (select id from trade_upload where tenant = $1 and state = 'committing') and `

// Documents implements chain.Store; lists of firms and statements are not documents of trade
// and come only when asked for by kind.
func (s *Store) Documents(ctx context.Context, tenant, firmID string, kind chain.DocKind) ([]chain.Document, error) {
	members, err := s.members(ctx, tenant, firmID)
	if err != nil {
		return nil, err
	}
	q := newQuery(``, tenant)
	in := list(q, members)
	of := `d.kind not in ('suppliers', 'statements')`
	if kind != "" {
		of = `d.kind = ` + q.arg(string(kind))
	}
	// What it buys is found through the pairs: the documents lie by their sellers.
	q.text = documentSelect + of + ` and d.seller_id in ` + in + ` union all ` + documentSelect + of + ` and d.buyer_id in ` + in + `
		and d.seller_id in (select seller_id from trade_link l where l.tenant = $1 and l.buyer_id in ` + in + `) and d.seller_id not in ` + in
	var out []chain.Document
	err = s.documents(ctx, func(d chain.Document) error {
		out = append(out, d)
		return nil
	}, q.text, q.args...)
	slices.SortFunc(out, func(a, b chain.Document) int {
		if c := strings.Compare(a.Date, b.Date); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, err
}

// AllDocuments implements chain.Store.
func (s *Store) AllDocuments(ctx context.Context, tenant string, kind chain.DocKind, f func(chain.Document) error) error {
	return s.documents(ctx, f, documentSelect+`d.kind = $2 order by d.seller_id, d.buyer_id, d.number_key, d.variant`, tenant, string(kind))
}

// DocumentsBySeller implements chain.Store; the database sorts, so that no more than the
// documents of one seller are in memory.
func (s *Store) DocumentsBySeller(ctx context.Context, tenant string, f func([]chain.Document) error) error {
	var some []chain.Document
	err := s.documents(ctx, func(d chain.Document) error {
		if len(some) > 0 && some[0].SellerID != d.SellerID {
			if err := f(some); err != nil {
				return err
			}
			some = nil
		}
		some = append(some, d)
		return nil
	}, documentSelect+`d.kind not in ('suppliers', 'statements') order by coalesce(s.survivor_id, d.seller_id), d.day, d.id`, tenant)
	if err != nil || len(some) == 0 {
		return err
	}
	return f(some)
}

func (s *Store) documents(ctx context.Context, f func(chain.Document) error, query string, args ...any) error {
	rows, err := s.db.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	for rows.Next() {
		var (
			d             chain.Document
			seller, buyer string
		)
		if err := rows.Scan(&d.ID, &d.Tenant, &d.Kind, &d.Number, &d.OrderNo, &d.ContractNo, &d.InvoiceNo, &d.SellerID, &d.BuyerID, &seller, &buyer,
			&d.Amount, &d.Tax, &d.Goods, &d.Quantity, &d.Unit, &d.Code, &d.Type, &d.Date, &d.Due, &d.Void, &d.UploadID, &d.AnchorID, &d.Funder); err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		d.Key = chain.RowKey(d) // of the firms that it names
		d.SellerID, d.BuyerID = seller, buyer
		if err := f(d); err != nil {
			return err
		}
	}
	return rows.Err()
}

// asked is the number of documents that one question looks up: SQLite finds the name of
// each parameter of a statement by looking through all before it.
const asked = 40

// KnownDocuments implements chain.Store.
func (s *Store) KnownDocuments(ctx context.Context, tenant string, docs []chain.Document) ([]chain.KnownDocument, error) {
	out := make([]chain.KnownDocument, len(docs))
	some, err := s.kinds(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(docs, func(d chain.Document) bool { return some[d.Kind] }) {
		return out, nil
	}
	stmt, err := s.db.Prepare(ctx, knownQuery(min(asked, len(docs))))
	if err != nil {
		return nil, fmt.Errorf("store/firm: %w", err)
	}
	defer stmt.Close() //nolint:errcheck // it was only read
	args := make([]any, 0, 1+5*asked)
	for from := 0; from < len(docs); from += asked {
		part := docs[from:min(from+asked, len(docs))]
		args = append(args[:0], tenant)
		for _, d := range part {
			args = append(args, d.SellerID, d.BuyerID, string(d.Kind), d.NumberKey(), d.Variant())
		}
		var rows *sql.Rows
		if len(part) == asked || from == 0 {
			rows, err = stmt.QueryContext(ctx, args...)
		} else { // the last ones
			rows, err = s.db.Query(ctx, knownQuery(len(part)), args...)
		}
		if err == nil {
			err = scanKnown(rows, out[from:])
		}
		if err != nil {
			return nil, fmt.Errorf("store/firm: %w", err)
		}
	}
	return out, nil
}

// knownQuery looks so many documents up, each with its place.
func knownQuery(n int) string {
	var b strings.Builder
	b.WriteString(`select v.column1, d.amount, d.upload_id from (values `)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "(%d,$%d,$%d,$%d,$%d,$%d)", i, 5*i+2, 5*i+3, 5*i+4, 5*i+5, 5*i+6)
	}
	return b.String() + `) v join trade_document d on d.tenant = $1 and d.seller_id = v.column2 and d.buyer_id = v.column3
		and d.kind = v.column4 and d.number_key = v.column5 and d.variant = v.column6`
}

func scanKnown(rows *sql.Rows, out []chain.KnownDocument) error {
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	for rows.Next() {
		var (
			i int
			k = chain.KnownDocument{There: true}
		)
		if err := rows.Scan(&i, &k.Amount, &k.UploadID); err != nil {
			return err
		}
		out[i] = k
	}
	return rows.Err()
}

// kinds are the kinds of document that uploads brought to a tenant.
func (s *Store) kinds(ctx context.Context, tenant string) (map[chain.DocKind]bool, error) {
	out := map[chain.DocKind]bool{}
	for _, kind := range []chain.DocKind{chain.Suppliers, chain.Contract, chain.Order, chain.Delivery, chain.Invoice, chain.Payment, chain.Confirmation} {
		var some bool
		if err := s.db.QueryRow(ctx, `select exists (select 1 from trade_upload where tenant = $1 and kind = $2
			and state in ('committing', 'committed'))`, tenant, string(kind)).Scan(&some); err != nil {
			return nil, fmt.Errorf("store/firm: %w", err)
		}
		out[kind] = some
	}
	return out, nil
}
