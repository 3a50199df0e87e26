// Package export writes a graph in the forms that larger graph systems load in bulk:
// Parquet for Spark and DuckDB, CSV with a configuration for NebulaGraph's Importer 4,
// CSV with typed headers for `neo4j-admin database import`.
//
// A node is a firm with its id, how many firms it buys from and how many it sells to; an
// edge goes from seller to buyer and has the trade. Firms and links stream: the memory
// does not grow with the graph.
package export

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with an export.
var (
	ErrThere  = fault.New(fault.Conflict, "export.there", "{path} is there already; choose another folder or move it away")
	ErrFormat = fault.New(fault.Invalid, "export.format", "there is no format {format}; choose parquet, nebula or neo4j")
)

// Format names a form.
type Format string

// Forms.
const (
	Parquet Format = "parquet"
	Nebula  Format = "nebula"
	Neo4j   Format = "neo4j"
)

// Source is a graph with the ids of its firms: a graph.Snapshot or graph.View.
type Source interface {
	Len() int
	Size() int
	Out(v uint32) []uint32
	In(v uint32) []uint32
	OutTrade(v uint32, i int) graph.Trade
	ID(v uint32) string
}

// Firm is a node as Parquet holds it.
type Firm struct {
	ID        string `parquet:"id"`
	Suppliers int64  `parquet:"suppliers"`
	Customers int64  `parquet:"customers"`
}

// Link is an edge as Parquet holds it. First and Last are days since
// 1970-01-01; 0, which is not known, is a null there.
type Link struct {
	Seller    string `parquet:"seller,dict"`
	Buyer     string `parquet:"buyer,dict"`
	Kinds     string `parquet:"kinds,dict"` // joined by ";"
	Documents int64  `parquet:"documents"`
	AmountFen int64  `parquet:"amount_fen"`
	First     int32  `parquet:"first_date,optional,date"`
	Last      int32  `parquet:"last_date,optional,date"`
}

// Write writes a graph into a new folder, which appears when everything is in it. It
// returns the names of the files.
func Write(ctx context.Context, g Source, format Format, dir string) (files []string, err error) {
	forms := map[Format]func(context.Context, Source, string) ([]string, error){Parquet: writeParquet, Nebula: writeNebula, Neo4j: writeNeo4j}
	write, ok := forms[format]
	if !ok {
		return nil, ErrFormat.With("format", format)
	}
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); err == nil {
		return nil, ErrThere.With("path", dir)
	}
	part, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+".part*")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(part))
		}
	}()
	if files, err = write(ctx, g, part); err != nil {
		return nil, err
	}
	if err := os.Chmod(part, 0o755); err != nil { //nolint:gosec // for another program to read
		return nil, err
	}
	return files, os.Rename(part, dir)
}

// KindNames are the words for the bits of Trade.Kinds, joined by ";".
func KindNames(kinds uint8) string {
	var out []string
	for i, name := range [...]string{"contract", "order", "delivery", "invoice", "payment", "confirmation"} {
		if kinds>>i&1 == 1 {
			out = append(out, name)
		}
	}
	return strings.Join(out, ";")
}

// firms and links hand every node and edge to f, and look at the context in between.
func firms(ctx context.Context, g Source, f func(Firm) error) error {
	for v := range uint32(g.Len()) {
		if v%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := f(Firm{g.ID(v), int64(len(g.In(v))), int64(len(g.Out(v)))}); err != nil {
			return err
		}
	}
	return nil
}

func links(ctx context.Context, g Source, f func(Link) error) error {
	for v := range uint32(g.Len()) {
		if v%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		seller := g.ID(v)
		for i, w := range g.Out(v) {
			t := g.OutTrade(v, i)
			if err := f(Link{seller, g.ID(w), KindNames(t.Kinds), int64(t.Count), t.Amount, t.First, t.Last}); err != nil {
				return err
			}
		}
	}
	return nil
}

// toFile writes a file whole.
func toFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<18)
	if err := write(w); err != nil {
		return err
	}
	return errors.Join(w.Flush(), f.Sync())
}

func writeParquet(ctx context.Context, g Source, dir string) ([]string, error) {
	err := errors.Join(
		toFile(filepath.Join(dir, "firms.parquet"), func(w io.Writer) error { return rows(w, func(f func(Firm) error) error { return firms(ctx, g, f) }) }),
		toFile(filepath.Join(dir, "links.parquet"), func(w io.Writer) error { return rows(w, func(f func(Link) error) error { return links(ctx, g, f) }) }),
	)
	return []string{"firms.parquet", "links.parquet"}, err
}

// rows writes what source hands out, in groups of so many rows that a group stays small
// in memory.
func rows[T any](to io.Writer, source func(func(T) error) error) error {
	w := parquet.NewGenericWriter[T](to, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(250_000))
	buf := make([]T, 0, 4096)
	flush := func() error {
		_, err := w.Write(buf)
		buf = buf[:0]
		return err
	}
	err := source(func(row T) error {
		if buf = append(buf, row); len(buf) == cap(buf) {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	return errors.Join(err, w.Close())
}

// table writes a CSV file with a header.
func table(path string, header []string, source func(func(...string) error) error) error {
	return toFile(path, func(to io.Writer) error {
		w := csv.NewWriter(to)
		if err := w.Write(header); err != nil {
			return err
		}
		err := source(func(row ...string) error { return w.Write(row) })
		w.Flush()
		return errors.Join(err, w.Error())
	})
}

func writeTables(ctx context.Context, g Source, dir string, firmHeader, linkHeader []string) error {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return errors.Join(
		table(filepath.Join(dir, "firms.csv"), firmHeader, func(row func(...string) error) error {
			return firms(ctx, g, func(f Firm) error { return row(f.ID, number(f.Suppliers), number(f.Customers)) })
		}),
		table(filepath.Join(dir, "links.csv"), linkHeader, func(row func(...string) error) error {
			return links(ctx, g, func(l Link) error {
				return row(l.Seller, l.Buyer, l.Kinds, number(l.Documents), number(l.AmountFen), graph.Date(l.First), graph.Date(l.Last))
			})
		}),
	)
}

// writeNeo4j writes the headers of neo4j-admin: ids in a space of their own, arrays
// joined by ";", which is its default.
func writeNeo4j(ctx context.Context, g Source, dir string) ([]string, error) {
	err := writeTables(ctx, g, dir, []string{"id:ID(Firm)", "suppliers:long", "customers:long"},
		[]string{":START_ID(Firm)", ":END_ID(Firm)", "kinds:string[]", "documents:long", "amount_fen:long", "first_date:date", "last_date:date"})
	if err != nil {
		return nil, err
	}
	const script = `#!/bin/sh
# Loads the firms and their links into a new database of Neo4j 5. The server must not
# have the database yet; run as the user of the server: ./import.sh [DATABASE]
set -eu
cd "$(dirname "$0")"
neo4j-admin database import full "${1:-furrow}" --id-type=string --multiline-fields=true \
	--nodes=Firm=firms.csv --relationships=SELLS_TO=links.csv
`
	return []string{"firms.csv", "links.csv", "import.sh"}, os.WriteFile(filepath.Join(dir, "import.sh"), []byte(script), 0o755) //nolint:gosec // a script is run
}

// writeNebula writes CSV and a configuration of NebulaGraph Importer 4 that makes the
// space, the tag and the edge type before it loads.
func writeNebula(ctx context.Context, g Source, dir string) ([]string, error) {
	err := writeTables(ctx, g, dir, []string{"id", "suppliers", "customers"},
		[]string{"seller", "buyer", "kinds", "documents", "amount_fen", "first_date", "last_date"})
	if err != nil {
		return nil, err
	}
	longest := 1
	for v := range uint32(g.Len()) {
		longest = max(longest, len(g.ID(v)))
	}
	return []string{"firms.csv", "links.csv", "importer.yaml"},
		os.WriteFile(filepath.Join(dir, "importer.yaml"), []byte(fmt.Sprintf(nebulaConfig, longest)), 0o644) //nolint:gosec // for another program to read
}

const nebulaConfig = `# Run: nebula-importer --config importer.yaml
client:
  version: v3
  address: "127.0.0.1:9669"
  user: root
  password: nebula
  retry: 3
manager:
  spaceName: furrow
  batch: 512
  hooks:
    before:
      - statements:
          - |
            CREATE SPACE IF NOT EXISTS furrow(partition_num=20, replica_factor=1, vid_type=FIXED_STRING(%d));
        wait: 20s
      - statements:
          - |
            USE furrow;
            CREATE TAG IF NOT EXISTS firm(suppliers int64, customers int64);
            CREATE EDGE IF NOT EXISTS sells_to(kinds string, documents int64, amount_fen int64, first_date date NULL, last_date date NULL);
        wait: 20s
log:
  level: INFO
  console: true
sources:
  - path: ./firms.csv
    csv:
      delimiter: ","
      withHeader: true
    tags:
      - name: firm
        id: {type: STRING, index: 0}
        props:
          - {name: suppliers, type: INT, index: 1}
          - {name: customers, type: INT, index: 2}
  - path: ./links.csv
    csv:
      delimiter: ","
      withHeader: true
    edges:
      - name: sells_to
        src:
          id: {type: STRING, index: 0}
        dst:
          id: {type: STRING, index: 1}
        props:
          - {name: kinds, type: STRING, index: 2}
          - {name: documents, type: INT, index: 3}
          - {name: amount_fen, type: INT, index: 4}
          - {name: first_date, type: DATE, index: 5, nullable: true, nullValue: ""}
          - {name: last_date, type: DATE, index: 6, nullable: true, nullValue: ""}
`
