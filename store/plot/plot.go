// Package plot keeps plots and their satellite reports: the geo.Store on SQLite
// and PostgreSQL.
package plot

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/store"
)

// Store implements geo.Store.
type Store struct {
	db *store.DB
}

var _ geo.Store = (*Store)(nil)

// New returns the store of an open database.
func New(db *store.DB) *Store { return &Store{db} }

// AddPlot implements geo.Store.
func (s *Store) AddPlot(ctx context.Context, p geo.Plot) error { return add(ctx, s.db, []geo.Plot{p}) }

// AddPlotOnce implements geo.Store.
func (s *Store) AddPlotOnce(ctx context.Context, p geo.Plot, key, hash string) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		if err := add(ctx, tx, []geo.Plot{p}); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `update plot set add_key = $3, add_hash = $4 where tenant = $1 and id = $2`, p.Tenant, p.ID, key, hash)
		switch {
		case store.Conflict(err):
			return geo.ErrPlotExists.Because(err)
		case err != nil:
			return fmt.Errorf("store: plot: %w", err)
		}
		return nil
	})
}

// PlotOfKey implements geo.Store.
func (s *Store) PlotOfKey(ctx context.Context, tenant, ownerID, key string) (geo.Plot, string, error) {
	var id, hash string
	err := s.db.QueryRow(ctx, `select id, add_hash from plot where tenant = $1 and owner_id = $2 and add_key = $3`, tenant, ownerID, key).Scan(&id, &hash)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return geo.Plot{}, "", geo.ErrPlotNotFound
	case err != nil:
		return geo.Plot{}, "", fmt.Errorf("store: plot of key: %w", err)
	}
	p, err := s.Plot(ctx, tenant, id)
	return p, hash, err
}

// AddPlots implements geo.Store.
func (s *Store) AddPlots(ctx context.Context, plots []geo.Plot) error {
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		for some := range slices.Chunk(plots, 12) { // SQLite looks each $n up among all of a statement
			if err := add(ctx, tx, some); err != nil {
				return err
			}
		}
		return nil
	})
}

const columns = `tenant, id, owner_id, owner_name, name, region, polygon, area_m2, claimed_m2, crop, source_crs, source, created_at`

func add(ctx context.Context, q store.Queryer, plots []geo.Plot) error {
	var rows strings.Builder
	var args []any
	for _, p := range plots {
		polygon, err := json.Marshal(p.Polygon)
		if err != nil {
			return fmt.Errorf("store: plot: polygon: %w", err)
		}
		b := p.Polygon.Bound()
		row := []any{
			p.Tenant, p.ID, p.OwnerID, p.OwnerName, p.Name, p.Region, string(polygon), p.AreaM2, p.ClaimedM2, p.Crop, p.SourceCRS, p.Source,
			store.Millis(p.CreatedAt), b.Min[0], b.Min[1], b.Max[0], b.Max[1], cellOf(b),
		}
		mark := ", ("
		if len(args) == 0 {
			mark = "("
		}
		for range row {
			rows.WriteString(mark + "$" + strconv.Itoa(len(args)+1))
			args = append(args, row[len(args)%len(row)])
			mark = ", "
		}
		rows.WriteString(")")
	}
	_, err := q.Exec(ctx, `insert into plot (`+columns+`, west, south, east, north, cell) values `+rows.String(), args...)
	switch {
	case store.Conflict(err):
		return geo.ErrPlotExists.Because(err)
	case err != nil:
		return fmt.Errorf("store: plot: %w", err)
	}
	return nil
}

func scan(row store.Row) (geo.Plot, error) {
	var p geo.Plot
	var polygon string
	var created int64
	err := row.Scan(&p.Tenant, &p.ID, &p.OwnerID, &p.OwnerName, &p.Name, &p.Region, &polygon,
		&p.AreaM2, &p.ClaimedM2, &p.Crop, &p.SourceCRS, &p.Source, &created)
	if err != nil {
		return geo.Plot{}, err
	}
	p.CreatedAt = store.Time(created)
	if err := json.Unmarshal([]byte(polygon), &p.Polygon); err != nil {
		return geo.Plot{}, fmt.Errorf("polygon of %s: %w", p.ID, err)
	}
	return p, nil
}

// Plot implements geo.Store.
func (s *Store) Plot(ctx context.Context, tenant, id string) (geo.Plot, error) {
	p, err := scan(s.db.QueryRow(ctx, `select `+columns+` from plot where tenant = $1 and id = $2`, tenant, id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return geo.Plot{}, geo.ErrPlotNotFound
	case err != nil:
		return geo.Plot{}, fmt.Errorf("store: plot: %w", err)
	}
	return p, nil
}

// Plots implements geo.Store.
func (s *Store) Plots(ctx context.Context, tenant string, f geo.PlotFilter) ([]geo.Plot, error) {
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	query := `select ` + columns + ` from plot where tenant = ` + arg(tenant)
	if f.OwnerID != "" {
		query += ` and owner_id = ` + arg(f.OwnerID)
	}
	if f.Region != "" {
		query += ` and region = ` + arg(f.Region)
	}
	if f.Crop != "" {
		query += ` and crop = ` + arg(f.Crop)
	}
	if b := f.Bound; b != nil {
		query += ` and west <= ` + arg(b.Max[0]) + ` and east >= ` + arg(b.Min[0]) + ` and south <= ` + arg(b.Max[1]) + ` and north >= ` + arg(b.Min[1])
		if cells, ok := cellsOf(*b); ok {
			keys := make([]string, len(cells)) // numbers of our own: as arguments they would be many
			for i, c := range cells {
				keys[i] = strconv.FormatInt(c, 10)
			}
			// Apart, so that no plan walks through all plots in order of their ids.
			query = `with near as materialized (` + query + ` and cell in (` + strings.Join(keys, ", ") + `)) select ` + columns + ` from near where true`
		}
	}
	query += ` and id > ` + arg(f.After)
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	plots, err := store.Collect(ctx, s.db, scan, query+` order by id limit `+arg(min(limit, 1000)), args...)
	if err != nil {
		return nil, fmt.Errorf("store: plots: %w", err)
	}
	return plots, nil
}

// SaveReport implements geo.Store. Of two reports the one made later is the newest,
// whichever is saved first.
func (s *Store) SaveReport(ctx context.Context, tenant string, r geo.CropReport) error {
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("store: report of %s: %w", r.PlotID, err)
	}
	made := store.Millis(r.MadeAt)
	return s.db.Tx(ctx, func(tx *store.Tx) error {
		var newest sql.NullInt64
		err := tx.QueryRow(ctx, `select report_at from plot where tenant = $1 and id = $2`, tenant, r.PlotID).Scan(&newest)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return geo.ErrPlotNotFound
		case err != nil:
			return fmt.Errorf("store: report: %w", err)
		}
		_, err = tx.Exec(ctx, `insert into plot_report (tenant, id, plot_id, made_at, report) values ($1, $2, $3, $4, $5)`,
			tenant, ident.New(), r.PlotID, made, string(body))
		if err != nil {
			return fmt.Errorf("store: report: %w", err)
		}
		if newest.Valid && newest.Int64 > made {
			return nil
		}
		_, err = tx.Exec(ctx, `update plot set report = $3, report_at = $4 where tenant = $1 and id = $2`,
			tenant, r.PlotID, string(body), made)
		if err != nil {
			return fmt.Errorf("store: report: %w", err)
		}
		return nil
	})
}

// LatestReport implements geo.Store.
func (s *Store) LatestReport(ctx context.Context, tenant, plotID string) (geo.CropReport, error) {
	found, err := s.LatestReports(ctx, tenant, []string{plotID})
	if err != nil {
		return geo.CropReport{}, err
	}
	r, ok := found[plotID]
	if !ok {
		return geo.CropReport{}, geo.ErrReportAbsent
	}
	return r, nil
}

// LatestReports implements geo.Store.
func (s *Store) LatestReports(ctx context.Context, tenant string, plotIDs []string) (map[string]geo.CropReport, error) {
	out := make(map[string]geo.CropReport, len(plotIDs))
	for ids := range slices.Chunk(plotIDs, 500) { // within every database's limit of parameters
		if err := s.latest(ctx, tenant, ids, out); err != nil {
			return nil, fmt.Errorf("store: reports: %w", err)
		}
	}
	return out, nil
}

func (s *Store) latest(ctx context.Context, tenant string, ids []string, out map[string]geo.CropReport) error {
	args := []any{tenant}
	marks := make([]string, len(ids))
	for i, id := range ids {
		args = append(args, id)
		marks[i] = fmt.Sprintf("$%d", i+2)
	}
	rows, err := s.db.Query(ctx, `select id, report from plot
		where tenant = $1 and report is not null and id in (`+strings.Join(marks, ", ")+`)`, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var id, body string
		if err := rows.Scan(&id, &body); err != nil {
			return err
		}
		var r geo.CropReport
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			return fmt.Errorf("report of %s: %w", id, err)
		}
		out[id] = r
	}
	return rows.Err()
}
