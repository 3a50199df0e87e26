package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo/register"
	"github.com/furrowcredit/furrow/geo/zonal"
)

// zonalStats are the statistics by the names of the command line.
var zonalStats = map[string]func(zonal.Stat) float64{
	"mean":  func(s zonal.Stat) float64 { return s.Mean },
	"count": func(s zonal.Stat) float64 { return s.Count },
	"stdev": func(s zonal.Stat) float64 { return s.StdDev },
	"min":   func(s zonal.Stat) float64 { return s.Min },
	"max":   func(s zonal.Stat) float64 { return s.Max },
}

// maxInner is the most that an edge may lose, in metres.
const maxInner = 10000

// runZonal measures polygons on rasters with exact coverage.
func runZonal(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("zonal", "--raster F... --plots FILE --id COL [--stats mean,count,stdev,min,max] [--inner M] [--out F.csv] [--json]", std)
	var rasters []string
	fs.Func("raster", "raster file; may be given several times, or several after one flag", func(v string) error {
		rasters = append(rasters, v)
		return nil
	})
	plots := fs.String("plots", "", "vector file with the polygons")
	id := fs.String("id", "", "column that names them")
	stats := fs.String("stats", "mean,count,stdev,min,max", "which statistics")
	inner := fs.Float64("inner", 0, "metres that the edges of the polygons lose before they are measured")
	out := fs.String("out", "", "CSV to write (default: standard output)")
	asJSON := fs.Bool("json", false, "print one JSON object about the run")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	rasters = append(rasters, rest...)
	names := strings.Split(*stats, ",")
	for _, n := range names {
		if zonalStats[n] == nil {
			return errUsage.With("why", fmt.Sprintf("there is no statistic %q; use mean, count, stdev, min, max", n))
		}
	}
	switch {
	case len(rasters) == 0 || *plots == "" || *id == "":
		return errUsage.With("why", "--raster, --plots and --id are needed")
	case !(*inner >= 0 && *inner <= maxInner):
		return errUsage.With("why", fmt.Sprintf("--inner is a distance in metres, from 0 to %d", maxInner))
	case *asJSON && *out == "":
		return errUsage.With("why", "--json needs --out")
	}
	file, err := register.Open(*plots)
	if err != nil {
		return err
	}
	header, ids := []string{"id"}, make([]string, len(file.Features))
	shapes := make([]orb.MultiPolygon, len(file.Features))
	blank := 0
	for i, f := range file.Features {
		v, ok := f.Fields[*id]
		if !ok {
			columns := strings.Join(slices.Sorted(maps.Keys(f.Fields)), ", ")
			return errUsage.At("%s, feature %d", *plots, f.Number).With("why", fmt.Sprintf("it has no column %q, only %s", *id, columns))
		}
		ids[i], shapes[i] = v, f.Shape
		if f.Err != nil {
			blank++
			_, _ = fmt.Fprintf(std.Err, "%s, feature %d (%s): %v\n", *plots, f.Number, v, f.Err)
		}
	}
	got, err := zonal.Measure(ctx, rasters, zonal.Shapes{
		CRS: file.CRS, Shapes: shapes, InnerM: *inner,
		MeanOnly: !slices.ContainsFunc(names, func(n string) bool { return n != "mean" && n != "count" }),
	})
	if err != nil {
		return err
	}
	rows := make([][]string, len(ids))
	for i := range rows {
		rows[i] = []string{ids[i]}
	}
	for k, r := range got {
		for b, stats := range r.Stats {
			if !slices.ContainsFunc(stats, func(s zonal.Stat) bool { return s.Count > 0 }) {
				_, _ = fmt.Fprintf(std.Err, "%s: no polygon lies on data of band %d\n", r.Path, b+1)
			}
			prefix := columnPrefix(got, k, b)
			for _, n := range names {
				header = append(header, prefix+n)
				for i, s := range stats {
					rows[i] = append(rows[i], number(zonalStats[n](s)))
				}
			}
		}
	}
	if err := writeCSV(*out, std.Out, header, rows); err != nil {
		return err
	}
	if *asJSON {
		return printJSON(std.Out, map[string]any{"parcels": len(rows), "without_shape": blank, "rasters": len(rasters), "columns": header, "out": *out})
	}
	return nil
}

// columnPrefix tells rasters and bands apart where there are several; what two of
// them share is no name: the place in the list tells those apart.
func columnPrefix(all []zonal.RasterStats, raster, band int) string {
	stem := func(r zonal.RasterStats) string {
		base := filepath.Base(r.Path)
		return strings.TrimSuffix(base, filepath.Ext(base))
	}
	r := all[raster]
	var p string
	if len(all) > 1 {
		name := stem(r)
		if slices.ContainsFunc(slices.Concat(all[:raster], all[raster+1:]), func(o zonal.RasterStats) bool { return stem(o) == name }) {
			name = fmt.Sprintf("%s_r%d", name, raster+1)
		}
		p = name + "_"
	}
	if len(r.Bands) > 1 {
		name := r.Bands[band].Description
		for i, o := range r.Bands {
			if name == "" || i != band && o.Description == name {
				name = fmt.Sprintf("b%d", band+1)
			}
		}
		p += name + "_"
	}
	return p
}

// number writes all digits; what is not known is blank.
func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// writeCSV writes a table to a file, or to w when path is empty.
func writeCSV(path string, w io.Writer, header []string, rows [][]string) error {
	if path != "" {
		return writeWhole(path, func(f io.Writer) error { return writeCSV("", f, header, rows) })
	}
	buf := bufio.NewWriter(w)
	c := csv.NewWriter(buf)
	if err := c.Write(header); err != nil {
		return err
	}
	if err := c.WriteAll(rows); err != nil {
		return err
	}
	return buf.Flush()
}
