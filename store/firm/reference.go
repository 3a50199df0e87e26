package firm

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/store"
)

// batch is the number of rows an insert takes. SQLite looks for the name of each
// parameter among all of its statement, so that large batches cost their square.
const batch = 32

// chunk is the number of keys that a query looks up at once.
const chunk = 200

// SaveReference implements chain.ReferenceStore.
func (s *Store) SaveReference(ctx context.Context, tenant string, nodes []chain.RefNode, edges []chain.RefEdge, progress func(done, total int)) error {
	if progress == nil {
		progress = func(int, int) {}
	}
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		for _, table := range []string{"reference_edge", "reference_node"} {
			if _, err := tx.Exec(ctx, `delete from `+table+` where tenant = $1`, tenant); err != nil {
				return fmt.Errorf("store/firm: %w", err)
			}
		}
		total := len(nodes) + len(edges)
		for at := 0; at < len(nodes); at += batch {
			some := nodes[at:min(at+batch, len(nodes))]
			err := insert(ctx, tx, `reference_node (tenant, id, kind, node_key, name, short_name, name_key, short_key)`, len(some), func(i int) []any {
				n := some[i]
				return []any{tenant, n.ID, string(n.Kind), n.Key, n.Name, n.ShortName, party.Normalise(n.Name), party.Normalise(n.ShortName)}
			})
			if err != nil {
				return err
			}
			progress(at+len(some), total)
		}
		for at := 0; at < len(edges); at += batch {
			some := edges[at:min(at+batch, len(edges))]
			err := insert(ctx, tx, `reference_edge (tenant, rel, from_id, to_id, weight)`, len(some), func(i int) []any {
				e := some[i]
				return []any{tenant, string(e.Rel), e.From, e.To, e.Weight}
			})
			if err != nil {
				return err
			}
			progress(len(nodes)+at+len(some), total)
		}
		return nil
	})
}

func insert(ctx context.Context, tx *store.Tx, into string, rows int, values func(i int) []any) error {
	q := newQuery(`insert into ` + into + ` values `)
	var text []byte
	for i := range rows {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, list(q, values(i))...)
	}
	if _, err := tx.Exec(ctx, q.text+string(text), q.args...); err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	return nil
}

// ReferenceSize implements chain.ReferenceStore.
func (s *Store) ReferenceSize(ctx context.Context, tenant string) (nodes, edges int, err error) {
	err = s.db.QueryRow(ctx, `select (select count(*) from reference_node where tenant = $1),
		(select count(*) from reference_edge where tenant = $1)`, tenant).Scan(&nodes, &edges)
	if err != nil {
		return 0, 0, fmt.Errorf("store/firm: %w", err)
	}
	return nodes, edges, nil
}

// RefNodes implements chain.ReferenceStore.
func (s *Store) RefNodes(ctx context.Context, tenant, nameKey string) ([]chain.RefNode, error) {
	if nameKey == "" {
		return nil, nil
	}
	return s.refNodes(ctx, `select id, kind, node_key, name, short_name from reference_node
		where tenant = $1 and (name_key = $2 or short_key = $2 or node_key = $2)
		order by case when node_key = $2 then 0 else 1 end, id`, tenant, nameKey)
}

// RefEdges implements chain.ReferenceStore.
func (s *Store) RefEdges(ctx context.Context, tenant string, ids []int64, limit int) ([]chain.RefEdge, []chain.RefNode, error) {
	var edges []chain.RefEdge
	for some := range slices.Chunk(ids, chunk) {
		if len(edges) >= limit {
			break
		}
		q := newQuery(`select rel, from_id, to_id, weight from reference_edge where tenant = $1 and from_id in `, tenant)
		in := list(q, some)
		q.text += in + ` union select rel, from_id, to_id, weight from reference_edge where tenant = $1 and to_id in ` + in +
			` order by 1, 4 desc, 2, 3 limit ` + q.arg(limit-len(edges))
		if err := s.refEdges(ctx, &edges, q); err != nil {
			return nil, nil, err
		}
	}
	slices.SortFunc(edges, compareEdges) // an edge between two chunks comes twice
	edges = slices.Compact(edges)
	var ends []int64
	for _, e := range edges {
		ends = append(ends, e.From, e.To)
	}
	slices.Sort(ends)
	var nodes []chain.RefNode
	for some := range slices.Chunk(slices.Compact(ends), chunk) {
		q := newQuery(`select id, kind, node_key, name, short_name from reference_node where tenant = $1 and id in `, tenant)
		q.text += list(q, some) + ` order by id`
		found, err := s.refNodes(ctx, q.text, q.args...)
		if err != nil {
			return nil, nil, err
		}
		nodes = append(nodes, found...)
	}
	return edges, nodes, nil
}

func compareEdges(a, b chain.RefEdge) int {
	switch {
	case a.Rel != b.Rel:
		return cmp.Compare(a.Rel, b.Rel)
	case a.Weight != b.Weight:
		return cmp.Compare(b.Weight, a.Weight)
	case a.From != b.From:
		return cmp.Compare(a.From, b.From)
	}
	return cmp.Compare(a.To, b.To)
}

func (s *Store) refEdges(ctx context.Context, into *[]chain.RefEdge, q *query) error {
	rows, err := s.db.Query(ctx, q.text, q.args...)
	if err != nil {
		return fmt.Errorf("store/firm: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	for rows.Next() {
		var e chain.RefEdge
		if err := rows.Scan(&e.Rel, &e.From, &e.To, &e.Weight); err != nil {
			return fmt.Errorf("store/firm: %w", err)
		}
		*into = append(*into, e)
	}
	return rows.Err()
}

func (s *Store) refNodes(ctx context.Context, query string, args ...any) ([]chain.RefNode, error) {
	rows, err := s.db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store/firm: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err below tells
	var out []chain.RefNode
	for rows.Next() {
		var n chain.RefNode
		if err := rows.Scan(&n.ID, &n.Kind, &n.Key, &n.Name, &n.ShortName); err != nil {
			return nil, fmt.Errorf("store/firm: %w", err)
		}
		out = append(out, n)
	}
	return out, rows.Err()
}
