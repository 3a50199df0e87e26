package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/series"
)

var errGzip = fault.New(fault.Invalid, "cli.gzip", "the file is named .gz and is no gzip file, or is cut short")

// runSeriesSmooth smooths every series of a table.
func runSeriesSmooth(_ context.Context, args []string, std stdio) error {
	fs := newFlags("series smooth", "--in F.csv[.gz] --out F.csv [--lambda 10|auto] [--p 0.9] | [--robust] [--same-day mean] [--json]", std)
	in := fs.String("in", "", "CSV with series_id, date, value and, if there is one, weight")
	out := fs.String("out", "", "CSV to write (default: standard output): the same columns and smooth")
	lambda := fs.String("lambda", "10", "smoothness for one step of the series' middle spacing, or auto for the V-curve")
	p := fs.Float64("p", 0, "asymmetry towards the upper envelope, such as 0.9 (default: symmetric)")
	robust := fs.Bool("robust", false, "estimate what clouds hid and missed by the series' own evidence; takes no --lambda and --p, adds in_gap")
	sameDay := fs.String("same-day", "", "mean: one row for the rows of a day (default: refuse them)")
	asJSON := fs.Bool("json", false, "print one JSON object about the run; needs --out")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if *in == "" || len(rest) > 0 || *asJSON && *out == "" {
		return errUsage.With("why", "--in is needed, with --json also --out")
	}
	if *robust && (*p != 0 || *lambda != "10") {
		return errUsage.With("why", "--robust chooses for itself; leave out --lambda and --p")
	}
	if *sameDay != "" && *sameDay != "mean" {
		return errUsage.With("why", "--same-day takes mean")
	}
	if *p != 0 && (*p <= 0 || *p >= 1) {
		return errUsage.With("why", "--p lies between 0 and 1")
	}
	l := 0.0
	if *lambda != "auto" {
		if l, err = strconv.ParseFloat(*lambda, 64); err != nil || !(l > 0) {
			return errUsage.With("why", "--lambda is a positive number or auto")
		}
	}
	table, err := readSeries(*in, *sameDay == "mean")
	if err != nil {
		return err
	}
	if *robust {
		err = series.FillTable(table)
	} else {
		err = series.SmoothTable(table, l, *p)
	}
	if err != nil {
		return err
	}
	if *out == "" {
		return series.WriteTable(std.Out, table, *robust)
	}
	err = writeWhole(*out, func(w io.Writer) error { return series.WriteTable(w, table, *robust) })
	if err != nil {
		return err
	}
	rows, short, inGap := 0, 0, 0
	for _, s := range table {
		rows += len(s.Rows)
		if len(s.Rows) > 0 && math.IsNaN(s.Rows[0].Smooth) {
			short++
		}
		for _, r := range s.Rows {
			if r.InGap {
				inGap++
			}
		}
	}
	if *asJSON {
		said := map[string]any{"series": len(table), "rows": rows, "too_short": short}
		if *robust {
			said["in_gap"] = inGap
		}
		return printJSON(std.Out, said)
	}
	_, err = fmt.Fprintf(std.Out, "%d series with %d rows smoothed; %d have fewer than two values and stay empty\n", len(table), rows, short)
	return err
}

// readSeries reads a table, packed or not, by the name of its file.
func readSeries(path string, merge bool) ([]series.Named, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "cli.file", "the file cannot be read").At("%s", path).Because(err)
	}
	defer func() { _ = f.Close() }()
	var r io.Reader = bufio.NewReader(f)
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, errGzip.At("%s", path).Because(err)
		}
		r = z
	}
	return series.ReadTable(r, path, merge)
}
