package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/furrowcredit/furrow/chain/graph/relation"
	"github.com/furrowcredit/furrow/chain/reference"
)

// runChainImport reads the files of a reference chain, or tables of relations, and says
// what was taken and what was refused.
func runChainImport(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("chain import", "DIR|FILE... [--refusals] [--find NAME] [--json]\n       furrow chain import FILE.csv[.gz]... --out GRAPH [--from COLUMN --to COLUMN] [--refusals] [--json]", std)
	list := fs.Bool("refusals", false, "print each refused record")
	find := fs.String("find", "", "print what is upstream and downstream of this company, product or industry")
	asJSON := fs.Bool("json", false, "print one JSON object")
	out := fs.String("out", "", "graph file to write from tables of relations")
	var columns relation.Columns
	fs.StringVar(&columns.From, "from", "", "column of the seller (default seller)")
	fs.StringVar(&columns.To, "to", "", "column of the buyer (default buyer)")
	fs.StringVar(&columns.Amount, "amount", "", "column of the amount in yuan (default amount, when there)")
	fs.StringVar(&columns.Date, "date", "", "column of the date (default date, when there)")
	fs.StringVar(&columns.Kind, "kind", "", "column of the kind of document (default kind, when there)")
	paths, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return errUsage.With("why", "name a folder or files")
	}
	if relationFiles(paths) {
		return importRelations(ctx, columns, paths, *out, *list, *asJSON, std)
	}
	if *out != "" || columns != (relation.Columns{}) {
		return errUsage.With("why", "--out and the columns are for tables of relations: files that end in .csv or .csv.gz")
	}
	sources, closeAll, err := reference.Files(paths...)
	defer closeAll()
	if err != nil {
		return err
	}
	c, report, err := reference.Import(ctx, sources, func(file string, records int) {
		if terminal(std.Err) {
			_, _ = fmt.Fprintf(std.Err, "\r%-28s %8d\r", file, records)
		}
	})
	if err != nil {
		return err
	}
	places := []reference.Place{}
	if *find != "" {
		for _, n := range c.Find(*find) {
			places = append(places, c.Place(n))
		}
	}
	if *asJSON {
		out := map[string]any{
			"in": report.In, "out": report.Out, "refused": report.Refused, "files": report.Files, "nodes": report.Nodes, "edges": report.Edges,
			"defects": report.Defects,
		}
		if *list {
			out["refusals"] = report.Refusals
		}
		if *find != "" {
			out["places"] = places
		}
		return printJSON(std.Out, out)
	}
	for _, f := range report.Files {
		_, _ = fmt.Fprintf(std.Out, "%-28s in %7d  out %7d  refused %6d\n", f.File, f.In, f.Out, f.Refused)
	}
	_, _ = fmt.Fprintf(std.Out, "%-28s in %7d  out %7d  refused %6d\n%d nodes, %d edges\n",
		"all", report.In, report.Out, len(report.Refusals), report.Nodes, report.Edges)
	for _, reason := range slices.Sorted(maps.Keys(report.Refused)) {
		_, _ = fmt.Fprintf(std.Out, "refused %-22s %7d\n", reason, report.Refused[reason])
	}
	if *list {
		for _, r := range report.Refusals {
			_, _ = fmt.Fprintf(std.Out, "%s:%d: %s: %s\n", r.File, r.Line, r.Reason, r.Record)
		}
	}
	for _, p := range places {
		_, _ = fmt.Fprintf(std.Out, "%s %s %s\n", p.Node.Kind, p.Node.Key, p.Node.Name)
		for _, side := range []struct {
			title string
			list  []reference.Neighbour
		}{{"makes", p.Products}, {"made by", p.Makers}, {"upstream", p.Upstream}, {"downstream", p.Downstream}} {
			for _, n := range side.list {
				_, _ = fmt.Fprintf(std.Out, "  %-10s %s\n", side.title, n.Name)
			}
		}
	}
	return nil
}

// terminal says whether somebody looks at w: progress is for them, not for logs.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
