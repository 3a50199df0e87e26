package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/credit/score/frame"
	"github.com/furrowcredit/furrow/credit/score/report"
	"github.com/furrowcredit/furrow/credit/score/train"
	measured "github.com/furrowcredit/furrow/credit/score/validate"
)

const scoreUse = `--data F.csv[.gz] --target COL [--bad VALUE] [--drop A,B] [--keep A,B] [--labels L.csv --key COL[=COL]]
       [--method additive|scorecard] [--monotone FILE|a:+,b:-] [--folds 5] [--repeats 1] [--seed 42] [--group COL] [--time COL]
       [--segment COL] [--protected COL] [--pairs N] [--base-rate R] [--name N] [--version V] [--model OUT.json] [--report OUT.html] [--lang zh-CN|en] [--json]`

// scoreFlags are the flags that score fit and score validate share.
type scoreFlags struct {
	data, target, bad, drop, keep, labels, key string
	method, monotone, group, time              string
	segment, protected, name, version          string
	dimension, model, report, lang             string
	folds, repeats, pairs                      int
	seed                                       uint64
	baseRate, pdo, points, odds, approve       float64
	asJSON                                     bool
}

func newScoreFlags(fs *flag.FlagSet) *scoreFlags {
	f := &scoreFlags{}
	usual := train.UsualScale()
	for _, s := range []struct {
		to               *string
		name, value, use string
	}{
		{&f.data, "data", "", "table to learn from: CSV, or CSV packed with gzip when the name ends in .gz"},
		{&f.target, "target", "", "column of the outcome"},
		{&f.bad, "bad", "", "value of it that means bad (default: 1, bad, yes, default and the like)"},
		{&f.drop, "drop", "", "columns that are not to be learnt from, with commas"},
		{&f.keep, "keep", "", "columns to learn from, with commas; all others are left out"},
		{&f.labels, "labels", "", "another table with the outcome, joined to the rows by --key"},
		{&f.key, "key", "", "column on which --labels is joined; A=B when it is named B there"},
		{&f.method, "method", train.Methods()[0], strings.Join(train.Methods(), " or ")},
		{&f.monotone, "monotone", "", "columns where more is better (+) or worse (-): a:+,b:-, or a file with a line for each"},
		{&f.group, "group", "", "column whose rows stay in one fold; it is no input"},
		{&f.time, "time", "", "column in whose order folds go, each learning from what was earlier; it is no input"},
		{&f.segment, "segment", "", "column by whose values figures are told apart"},
		{&f.protected, "protected", "", "column by whose values fairness is checked; it is no input"},
		{&f.name, "name", "score", "name of the model"},
		{&f.version, "version", "1", "version of the model"},
		{&f.dimension, "dimension", "", "what the model looks at: owner, firm, industry, enhancement or scene"},
		{&f.model, "model", "", "write the model here (fit), or score with it (explain)"},
		{&f.report, "report", "", "write a page of HTML with curves and tables here"},
		{&f.lang, "lang", "zh-CN", "language of the page: " + strings.Join(report.Languages(), ", ")},
	} {
		fs.StringVar(s.to, s.name, s.value, s.use)
	}
	fs.IntVar(&f.folds, "folds", 5, "folds")
	fs.IntVar(&f.repeats, "repeats", 1, "times that the folds are drawn again, with the next seed")
	fs.IntVar(&f.pairs, "pairs", -1, "pairs of inputs at most, 0 for none; -1 for up to 20, or all where they say something only together")
	fs.Uint64Var(&f.seed, "seed", 42, "seed of the folds")
	fs.Float64Var(&f.baseRate, "base-rate", 0, "share of bad ones where the model will be used; 0 takes that of the table")
	fs.Float64Var(&f.pdo, "pdo", usual.PDO, "points that double the odds")
	fs.Float64Var(&f.points, "base-points", usual.BasePoints, "points at the base odds")
	fs.Float64Var(&f.odds, "base-odds", usual.BaseOdds, "good to bad at the base points")
	fs.Float64Var(&f.approve, "approve", 0.8, "share of rows that the fairness check takes as approved")
	fs.BoolVar(&f.asJSON, "json", false, "print one JSON object")
	return f
}

func columnList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

// parse reads the flags and checks what can be checked before the data.
func (f *scoreFlags) parse(fs *flag.FlagSet, args []string) error {
	rest, err := parseArgs(fs, args)
	switch {
	case err != nil:
		return err
	case len(rest) > 0:
		return errUsage.With("why", "there is nothing to do with "+rest[0])
	case f.data == "" || f.target == "":
		return errUsage.With("why", "--data and --target are needed")
	case f.folds < 2 && f.time == "" || f.folds < 1:
		return errUsage.With("why", "--folds is 2 or more, or 1 with --time")
	case f.repeats < 1 || f.pairs < -1:
		return errUsage.With("why", "--repeats is 1 or more, --pairs -1 or more")
	case f.baseRate < 0 || f.baseRate >= 1:
		return errUsage.With("why", "--base-rate lies between 0 and 1")
	case (f.labels == "") != (f.key == ""):
		return errUsage.With("why", "--labels and --key go together")
	case !slices.Contains(report.Languages(), f.lang):
		return errUsage.With("why", "--lang is one of "+strings.Join(report.Languages(), ", "))
	}
	return nil
}

// read reads the table and its outcome; columns that are not to be learnt from are gone.
func (f *scoreFlags) read(std stdio) (*frame.Frame, frame.Outcome, error) {
	var out frame.Outcome
	table, err := frame.Open(f.data)
	if err != nil {
		return nil, out, err
	}
	drop := columnList(f.drop)
	if f.labels != "" {
		labels, err := frame.Open(f.labels)
		if err != nil {
			return nil, out, err
		}
		key, other, ok := strings.Cut(f.key, "=")
		if !ok {
			other = key
		}
		if labels, err = labels.Only(other, f.target); err != nil {
			return nil, out, err
		}
		var lost int
		if table, lost, err = table.Join(labels, key, other); err != nil {
			return nil, out, err
		}
		if lost > 0 {
			_, _ = fmt.Fprintf(std.Err, "%d rows without an outcome are left out\n", lost)
		}
		if !slices.Contains(drop, key) && key != f.group {
			drop = append(drop, key)
		}
	}
	if table, err = table.Drop(drop...); err != nil {
		return nil, out, err
	}
	if keep := columnList(f.keep); len(keep) > 0 {
		for _, n := range []string{f.target, f.group, f.time, f.segment, f.protected} {
			if n != "" && !slices.Contains(keep, n) {
				keep = append(keep, n)
			}
		}
		if table, err = table.Only(keep...); err != nil {
			return nil, out, err
		}
	}
	out, err = table.Outcome(f.target, f.bad)
	return table, out, err
}

func (f *scoreFlags) config() (train.Config, error) {
	cfg := train.Config{
		Name: f.name, Version: f.version, Dimension: f.dimension, Method: f.method, Seed: f.seed, Pairs: f.pairs, BaseRate: f.baseRate,
		Scale: score.Scale{PDO: f.pdo, BasePoints: f.points, BaseOdds: f.odds},
	}
	switch f.pairs {
	case 0:
		cfg.Pairs = -1
	case -1:
		cfg.Pairs = 0
	}
	var err error
	cfg.Monotone, err = directions(f.monotone)
	return cfg, err
}

// directions reads a:+,b:- or a file with such a line for each column.
func directions(s string) (map[string]int, error) {
	if s == "" {
		return nil, nil
	}
	parts := strings.Split(s, ",")
	if body, err := os.ReadFile(s); err == nil {
		parts = strings.Split(string(body), "\n")
	}
	out := map[string]int{}
	for i, p := range parts {
		p = strings.TrimSpace(p)
		if p == "" || strings.HasPrefix(p, "#") {
			continue
		}
		at := strings.LastIndex(p, ":")
		sign, known := 0, false
		if at > 0 {
			switch strings.TrimSpace(p[at+1:]) {
			case "+", "+1", "1":
				sign, known = 1, true
			case "-", "-1":
				sign, known = -1, true
			case "0":
				known = true
			}
		}
		if !known {
			return nil, errUsage.With("why", fmt.Sprintf("--monotone, part %d: %q is not like column:+ or column:-", i+1, p))
		}
		out[strings.TrimSpace(p[:at])] = sign
	}
	return out, nil
}

// runScoreValidate measures a way of making models on rows not seen.
func runScoreValidate(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("score validate", scoreUse, std)
	f := newScoreFlags(fs)
	if err := f.parse(fs, args); err != nil {
		return err
	}
	table, out, err := f.read(std)
	if err != nil {
		return err
	}
	cfg, err := f.config()
	if err != nil {
		return err
	}
	began := time.Now()
	res, err := measured.Run(ctx, table, out, measured.Config{
		Train: cfg, Folds: f.folds, Repeats: f.repeats, Seed: f.seed, Group: f.group, Time: f.time, Segment: f.segment, Protected: f.protected, Approve: f.approve,
	})
	if err != nil {
		return err
	}
	seconds := time.Since(began).Seconds()
	if f.report != "" || f.model != "" {
		m, err := f.fit(ctx, table, out, cfg)
		if err != nil {
			return err
		}
		if err := f.write(m, res); err != nil {
			return err
		}
	}
	if f.asJSON {
		return printJSON(std.Out, struct {
			*measured.Result
			Seconds float64 `json:"seconds"`
		}{res, seconds})
	}
	return printValidation(std.Out, res, seconds)
}

// fit makes a model of all rows.
func (f *scoreFlags) fit(ctx context.Context, table *frame.Frame, out frame.Outcome, cfg train.Config) (*score.Model, error) {
	drop := []string{f.target}
	for _, n := range []string{f.group, f.time, f.protected} {
		if n != "" && !slices.Contains(drop, n) {
			drop = append(drop, n)
		}
	}
	if f.time != "" {
		c, err := table.Column(f.time)
		if err != nil {
			return nil, err
		}
		if from, to, ok := c.Days(); ok {
			cfg.From, cfg.To = from.Format(time.DateOnly), to.Format(time.DateOnly)
		}
	}
	if f.group != "" {
		c, err := table.Column(f.group)
		if err != nil {
			return nil, err
		}
		for r := range table.Rows {
			cfg.Groups = append(cfg.Groups, c.Text(r))
		}
	}
	inputs, err := table.Drop(drop...)
	if err != nil {
		return nil, err
	}
	return train.Fit(ctx, inputs, out, cfg)
}

// write writes what was asked for of a model and its figures, which may be nil.
func (f *scoreFlags) write(m *score.Model, res *measured.Result) error {
	if f.model != "" {
		if err := writeWhole(f.model, func(w io.Writer) error { _, err := w.Write(m.Bytes()); return err }); err != nil {
			return err
		}
	}
	if f.report == "" {
		return nil
	}
	return writeWhole(f.report, func(w io.Writer) error { return report.Write(w, f.lang, m, res) })
}

func printValidation(w io.Writer, r *measured.Result, seconds float64) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d rows, %d bad, %d folds (%s) x %d, seed %d, %.1f s\n", r.Method, r.Rows, r.Bad, r.Folds, r.FoldsOf, r.Repeats, r.Seed, seconds)
	fmt.Fprintf(&b, "AUC   %.4f  sd %.4f  95 %% interval %.4f to %.4f  (in training %.4f)\n", r.AUC, r.AUCSD, r.AUCLow, r.AUCHigh, r.TrainAUC)
	fmt.Fprintf(&b, "KS    %.4f  sd %.4f\nGini  %.4f  sd %.4f\nBrier %.4f  sd %.4f\n", r.KS, r.KSSD, r.Gini, r.GiniSD, r.Brier, r.BrierSD)
	fmt.Fprintf(&b, "calibration error %.4f, PSI %.4f\n", r.ECE, r.PSI)
	for _, f := range slices.Concat(r.Findings.Left, r.Findings.Warn) {
		fmt.Fprintf(&b, "%s\n", f)
	}
	for _, u := range r.Unknown {
		if u.Share >= 0.01 {
			fmt.Fprintf(&b, "%s: %.1f %% of the rows tested have a value that training had not\n", u.Column, 100*u.Share)
		}
	}
	for _, s := range r.Segments {
		fmt.Fprintf(&b, "segment %-24s %7d rows, bad %.4f, said %.4f, AUC %s\n", s.Value, s.Rows, s.Rate, s.Said, maybe(s.AUC))
	}
	for _, g := range r.Protected {
		fmt.Fprintf(&b, "group   %-24s %7d rows, bad %.4f, said %.4f, AUC %s, approved %.3f (ratio %.3f), good approved %.3f (%+.3f)\n",
			g.Value, g.Rows, g.Rate, g.Said, maybe(g.AUC), g.Approved, g.Ratio, g.GoodIn, g.Gap)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func maybe(v *float64) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v, 'f', 4, 64)
}

// runScoreFit makes a model of a table.
func runScoreFit(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("score fit", scoreUse, std)
	f := newScoreFlags(fs)
	if err := f.parse(fs, args); err != nil {
		return err
	}
	if f.model == "" && f.report == "" {
		return errUsage.With("why", "say where to write the model with --model")
	}
	table, out, err := f.read(std)
	if err != nil {
		return err
	}
	cfg, err := f.config()
	if err != nil {
		return err
	}
	m, err := f.fit(ctx, table, out, cfg)
	if err != nil {
		return err
	}
	if err := f.write(m, nil); err != nil {
		return err
	}
	file := m.File()
	if f.asJSON {
		return printJSON(std.Out, map[string]any{
			"id": m.ID(), "method": file.Method, "inputs": m.Inputs(), "pairs": len(file.Pairs), "rows": file.Training.Rows, "bad": file.Training.Bad,
			"chosen": file.Training.Chosen, "notes": append([]string{}, file.Notes...),
		})
	}
	_, _ = fmt.Fprintf(std.Out, "%s: %s, %d inputs, %d pairs, from %d rows with %d bad\n", m.ID(), file.Method, len(file.Inputs), len(file.Pairs), file.Training.Rows, file.Training.Bad)
	for _, n := range file.Notes {
		_, _ = fmt.Fprintln(std.Out, n)
	}
	return nil
}

// scoredRow is what explain says of a row.
type scoredRow struct {
	Row     int      `json:"row"`
	ID      string   `json:"id,omitempty"`
	Points  int      `json:"points"`
	PD      float64  `json:"pd"`
	Low     float64  `json:"low"`
	High    float64  `json:"high"`
	Reasons []reason `json:"reasons"`
}

type reason struct {
	Input string  `json:"input"`
	Value string  `json:"value"`
	Bin   string  `json:"bin"`
	Lost  float64 `json:"lost"`
}

// runScoreExplain scores rows with a model and says why.
func runScoreExplain(_ context.Context, args []string, std stdio) error {
	fs := newFlags("score explain", "--model M.json --data F.csv[.gz] [--id COL] [--reasons 4] [--out F.csv] [--json]", std)
	model := fs.String("model", "", "file of the model")
	data := fs.String("data", "", "rows to score")
	id := fs.String("id", "", "column that names a row")
	reasons := fs.Int("reasons", 4, "reasons at most")
	out := fs.String("out", "", "write a table of CSV here")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 || *model == "" || *data == "" || *reasons < 0 {
		return errUsage.With("why", "give --model and --data")
	}
	body, err := os.ReadFile(*model)
	if err != nil {
		return errUsage.With("why", "the model cannot be read: "+err.Error())
	}
	m, err := score.Read(body)
	if err != nil {
		return err
	}
	table, err := frame.Open(*data)
	if err != nil {
		return err
	}
	rows, absent, err := explain(m, table, *id, *reasons)
	if err != nil {
		return err
	}
	if len(absent) == len(m.Inputs()) {
		return frame.ErrColumn.With("column", absent[0]).With("columns", "none that the model needs")
	}
	for _, n := range absent {
		_, _ = fmt.Fprintf(std.Err, "the table has no column %s: it counts as missing\n", n)
	}
	if *out != "" {
		return writeWhole(*out, func(w io.Writer) error { return writeScored(w, rows) })
	}
	if *asJSON {
		return printJSON(std.Out, map[string]any{"model": m.ID(), "rows": rows, "absent": append([]string{}, absent...)})
	}
	return writeScored(std.Out, rows)
}

// explain scores the rows of a table; absent are the model's columns that it has not.
func explain(m *score.Model, table *frame.Frame, id string, most int) (out []scoredRow, absent []string, err error) {
	cols := make([]*frame.Column, len(m.Inputs()))
	for i, n := range m.Inputs() {
		if c, err := table.Column(n); err == nil {
			cols[i] = c
		} else {
			absent = append(absent, n)
		}
	}
	var named *frame.Column
	if id != "" {
		if named, err = table.Column(id); err != nil {
			return nil, nil, err
		}
	}
	row := make([]score.Value, len(cols))
	var res score.Result
	for r := range table.Rows {
		for i, c := range cols {
			if row[i] = score.Missing; c != nil {
				row[i] = c.Value(r)
			}
		}
		m.Score(row, &res)
		s := scoredRow{Row: r + 1, Points: res.Points, PD: res.PD, Low: res.Low, High: res.High, Reasons: []reason{}}
		if named != nil {
			s.ID = named.Text(r)
		}
		for _, p := range res.Parts[:min(most, len(res.Parts))] {
			if p.Lost > 0 {
				s.Reasons = append(s.Reasons, reason{m.Inputs()[p.Input], row[p.Input].String(), m.BinText(p.Input, p.Bin), p.Lost})
			}
		}
		out = append(out, s)
	}
	return out, absent, nil
}

func writeScored(w io.Writer, rows []scoredRow) error {
	buf := bufio.NewWriter(w)
	c := csv.NewWriter(buf)
	_ = c.Write([]string{"row", "id", "points", "pd", "low", "high", "reasons"})
	for _, s := range rows {
		var why []string
		for _, r := range s.Reasons {
			why = append(why, fmt.Sprintf("%s [%s] -%g", r.Input, r.Bin, r.Lost))
		}
		f := func(v float64) string { return strconv.FormatFloat(v, 'f', 6, 64) }
		if err := c.Write([]string{strconv.Itoa(s.Row), s.ID, strconv.Itoa(s.Points), f(s.PD), f(s.Low), f(s.High), strings.Join(why, "; ")}); err != nil {
			return err
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return err
	}
	return buf.Flush()
}
