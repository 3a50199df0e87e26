package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/chain/graph/export"
	"github.com/furrowcredit/furrow/chain/graph/relation"
	"github.com/furrowcredit/furrow/fault"
)

// errNotInGraph is the answer to an id that the graph lacks.
var errNotInGraph = fault.New(fault.NotFound, "cli.not_in_graph", "the graph has no firm {id}")

// relationFiles says whether all paths are tables of relations, and not files of a
// reference chain.
func relationFiles(paths []string) bool {
	for _, p := range paths {
		if !strings.HasSuffix(p, ".csv") && !strings.HasSuffix(p, ".csv.gz") {
			return false
		}
	}
	return len(paths) > 0
}

// importRelations reads tables of relations into a graph file. The answer is no, and
// there is no file, when there is no link in them.
func importRelations(ctx context.Context, columns relation.Columns, paths []string, out string, list, asJSON bool, std stdio) error {
	began := time.Now()
	s, report, err := relation.Read(ctx, columns, paths...)
	if err != nil {
		return err
	}
	if err := report.Sound(); err != nil {
		return err
	}
	if report.Links == 0 {
		return errors.Join(reportRelations(report, "", began, list, asJSON, std), errNo)
	}
	if out != "" {
		if err := s.Write(out); err != nil {
			return errUsage.With("why", "the graph cannot be written: "+err.Error())
		}
	}
	return reportRelations(report, out, began, list, asJSON, std)
}

func reportRelations(report relation.Report, out string, began time.Time, list, asJSON bool, std stdio) error {
	if asJSON {
		answer := struct {
			relation.Report
			Out      string             `json:"out,omitempty"`
			Seconds  float64            `json:"seconds"`
			Refusals []relation.Refusal `json:"refusals,omitempty"`
			Repeats  []relation.Repeat  `json:"repeats,omitempty"`
		}{Report: report, Out: out, Seconds: time.Since(began).Seconds()}
		if list {
			answer.Refusals, answer.Repeats = report.Refusals, report.Repeats
		}
		return printJSON(std.Out, answer)
	}
	_, _ = fmt.Fprintf(std.Out, "%d rows: %d links, %d added to a link, %d duplicates, %d refused; %d firms\n",
		report.Rows, report.Links, report.Summed, report.Duplicates, report.Total(), report.Firms)
	for _, reason := range slices.Sorted(maps.Keys(report.Refused)) {
		_, _ = fmt.Fprintf(std.Out, "refused %-12s %9d\n", reason, report.Refused[reason])
	}
	if !list {
		return nil
	}
	for _, r := range report.Refusals {
		_, _ = fmt.Fprintf(std.Out, "%s:%d: %s: %s\n", r.File, r.Line, r.Reason, r.Record)
	}
	for _, r := range report.Repeats {
		_, _ = fmt.Fprintf(std.Out, "duplicate: %s sells to %s, %d rows more\n", r.From, r.To, r.Rows)
	}
	return nil
}

// reached is a firm that a walk found. Path leads from it to the firm asked for, with
// the trade of each link.
type reached struct {
	ID   string `json:"id"`
	Hops int    `json:"hops"`
	Path []hop  `json:"path,omitempty"`
}

// hop is a link of a path, from seller to buyer.
type hop struct {
	Seller    string `json:"seller"`
	Buyer     string `json:"buyer"`
	Kinds     string `json:"kinds,omitempty"`
	Documents uint32 `json:"documents"`
	AmountFen int64  `json:"amount_fen"`
	First     string `json:"first_date,omitempty"`
	Last      string `json:"last_date,omitempty"`
}

// tierCount is how many firms are so many hops away.
type tierCount struct {
	Hops  int `json:"hops"`
	Firms int `json:"firms"`
}

// runChainReach walks from firms through the tiers of their suppliers or customers.
func runChainReach(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("chain reach", "--graph FILE --from ID... [--hops 3] [--direction up|down|both] [--list N] [--paths] [--json]", std)
	file := fs.String("graph", "", "graph file of furrow chain import --out")
	var from []string
	fs.Func("from", "firm to begin at; give it again, or more ids after it", func(id string) error {
		from = append(from, id)
		return nil
	})
	hops := fs.Int("hops", 3, "tiers to go, 1 to 100")
	way := fs.String("direction", "up", "up to suppliers, down to customers, or both")
	most := fs.Int("list", 100, "firms to name, the nearest first; 0 only counts")
	paths := fs.Bool("paths", false, "with each firm, the links by which it was reached")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	from = append(from, rest...)
	dir, ok := map[string]graph.Direction{"up": graph.Upstream, "down": graph.Downstream, "both": graph.Both}[*way]
	if *file == "" || len(from) == 0 || !ok || *hops < 1 || *hops > 100 || *most < 0 {
		return errUsage.With("why", "give --graph and --from; --hops is 1 to 100, --direction up, down or both")
	}
	g, err := openGraph(*file)
	if err != nil {
		return err
	}
	defer func() { _ = g.Close() }() // read only
	seeds := make([]uint32, len(from))
	for i, id := range from {
		if seeds[i], ok = g.Find(id); !ok {
			return errNotInGraph.With("id", id)
		}
	}
	return printReach(ctx, g, seeds, *hops, dir, *most, *paths, *asJSON, std)
}

func openGraph(file string) (*graph.Snapshot, error) {
	g, err := graph.Open(file)
	if err != nil && fault.Kind(err) == nil {
		return nil, errUsage.With("why", "the graph cannot be opened: "+err.Error())
	}
	return g, err
}

func printReach(ctx context.Context, g *graph.Snapshot, seeds []uint32, hops int, dir graph.Direction, most int, paths, asJSON bool, std stdio) error {
	walker := g.Walker()
	each := make([]map[string]any, len(seeds))
	for i, v := range seeds {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		_, ends := walker.Tiers([]uint32{v}, hops, dir)
		each[i] = map[string]any{"id": g.ID(v), "tiers": tiers(ends)}
	}
	began := time.Now()
	nodes, ends := walker.Tiers(seeds, hops, dir)
	took := time.Since(began)
	all := tiers(ends)
	found := len(nodes) - ends[0]
	list := nearest(g, seeds, hops, dir, min(most, found), paths)
	if asJSON {
		return printJSON(std.Out, map[string]any{
			"firms": g.Len(), "links": g.Size(), "from": each, "reached": found, "tiers": all, "list": list, "walk_ms": float64(took.Microseconds()) / 1000,
		})
	}
	for _, e := range each {
		_, _ = fmt.Fprintf(std.Out, "%s:%s\n", e["id"], counts(e["tiers"].([]tierCount)))
	}
	if len(seeds) > 1 {
		_, _ = fmt.Fprintf(std.Out, "together:%s\n", counts(all))
	}
	for _, r := range list {
		_, _ = fmt.Fprintf(std.Out, "%d %s\n", r.Hops, r.ID)
		for _, h := range r.Path {
			_, _ = fmt.Fprintf(std.Out, "    %s sells to %s: %d documents, %d fen %s %s %s\n", h.Seller, h.Buyer, h.Documents, h.AmountFen, h.Kinds, h.First, h.Last)
		}
	}
	if found > len(list) {
		_, _ = fmt.Fprintf(std.Out, "and %d more\n", found-len(list))
	}
	return nil
}

func tiers(ends []int) []tierCount {
	out := []tierCount{}
	for h := 1; h < len(ends); h++ {
		out = append(out, tierCount{h, ends[h] - ends[h-1]})
	}
	return out
}

func counts(list []tierCount) string {
	var b strings.Builder
	sum := 0
	for _, t := range list {
		sum += t.Firms
		_, _ = fmt.Fprintf(&b, " tier %d: %d,", t.Hops, t.Firms)
	}
	return fmt.Sprintf("%s %d firms", b.String(), sum)
}

// nearest names the first firms of a walk, with the way by which each was reached.
func nearest(g *graph.Snapshot, seeds []uint32, hops int, dir graph.Direction, most int, paths bool) []reached {
	list := []reached{}
	before := map[uint32]uint32{}
	g.Walk(seeds, hops, dir, func(s graph.Step) bool {
		before[s.ID] = s.From
		if s.Hops > 0 {
			if len(list) == most {
				return false
			}
			r := reached{ID: g.ID(s.ID), Hops: s.Hops}
			for v := s.ID; paths && before[v] != v; v = before[v] {
				r.Path = append(r.Path, link(g, v, before[v], dir))
			}
			list = append(list, r)
		}
		return true
	})
	return list
}

// link is the trade between a firm and the one from which it was reached.
func link(g *graph.Snapshot, v, from uint32, dir graph.Direction) hop {
	seller, buyer := v, from
	t, ok := g.Trade(seller, buyer)
	if dir == graph.Downstream || !ok {
		seller, buyer = from, v
		t, _ = g.Trade(seller, buyer)
	}
	return hop{g.ID(seller), g.ID(buyer), export.KindNames(t.Kinds), t.Count, t.Amount, graph.Date(t.First), graph.Date(t.Last)}
}

// runChainExport writes a graph in a form that other graph systems load.
func runChainExport(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("chain export", "[--graph FILE | --db DSN | --data DIR] [--tenant T] --format parquet|nebula|neo4j --out DIR [--json]", std)
	file := fs.String("graph", "", "graph file of furrow chain import --out; default the books of a house")
	dsn := booksFlags(fs)
	tenant := fs.String("tenant", env("FURROW_TENANT", "bank"), "the bank whose books are exported (FURROW_TENANT)")
	format := fs.String("format", "parquet", "parquet, nebula (Importer 4) or neo4j (neo4j-admin import)")
	out := fs.String("out", "", "folder to make")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if *out == "" || len(rest) > 0 {
		return errUsage.With("why", "give --format and --out, and --graph or --db for where the links are")
	}
	var g *graph.Snapshot
	if *file != "" {
		g, err = openGraph(*file)
	} else {
		g, err = app.ChainGraph(ctx, dsn(), *tenant)
	}
	if err != nil {
		return err
	}
	defer func() { _ = g.Close() }() // read only
	files, err := export.Write(ctx, g, export.Format(*format), *out)
	if err != nil {
		if fault.Kind(err) == nil && ctx.Err() == nil {
			err = errUsage.With("why", "the export cannot be written: "+err.Error())
		}
		return err
	}
	if *asJSON {
		return printJSON(std.Out, map[string]any{"firms": g.Len(), "links": g.Size(), "format": *format, "out": *out, "files": files})
	}
	_, err = fmt.Fprintf(std.Out, "%d firms and %d links in %s: %s\n", g.Len(), g.Size(), *out, strings.Join(files, ", "))
	return err
}
