package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/fault"
)

// runPartyCheck judges credit codes, organisation codes and resident identity
// numbers. The answer is no when one is invalid.
func runPartyCheck(_ context.Context, args []string, std stdio) error {
	fs := newFlags("party check", "CODE... [--json]", std)
	asJSON := fs.Bool("json", false, "print one JSON object")
	codes, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(codes) == 0 {
		return errUsage.With("why", "give at least one credit code, organisation code or resident identity number")
	}
	counts := map[party.Status]int{party.Valid: 0, party.Suspicious: 0, party.Bad: 0}
	verdicts := make([]party.Verdict, len(codes))
	for i, code := range codes {
		verdicts[i] = party.Judge(code, time.Now())
		counts[verdicts[i].Status]++
	}
	if *asJSON {
		err = printJSON(std.Out, map[string]any{
			"codes": verdicts, "valid": counts[party.Valid], "suspicious": counts[party.Suspicious], "invalid": counts[party.Bad],
		})
	} else {
		for _, v := range verdicts {
			_, _ = fmt.Fprintf(std.Out, "%-18s %-11s %-10s %s\n", v.Code, v.Kind, v.Status, v.Detail)
		}
	}
	if err == nil && counts[party.Bad] > 0 {
		err = errNo
	}
	return err
}

var (
	errTable  = fault.New(fault.Invalid, "party.table", "{file}: {why}")
	errColumn = fault.New(fault.Invalid, "party.column", "{file} has no column {column}; its columns are {columns}")
)

// tally counts how names of a known meaning were matched.
type tally struct {
	Names     int     `json:"names"`
	Top1      float64 `json:"top1"`      // share whose best candidate is right, whatever its score
	Precision float64 `json:"precision"` // share of the accepted that are right
	Accepted  int     `json:"accepted"`
	Abstained int     `json:"abstained"`

	best, right int
}

func (t *tally) add(m party.Match, right bool) {
	t.Names++
	if right {
		t.best++
	}
	if !m.Accepted {
		t.Abstained++
	} else if t.Accepted++; right {
		t.right++
	}
}

func (t *tally) finish() {
	t.Top1 = share(t.best, t.Names)
	t.Precision = share(t.right, t.Accepted)
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// runPartyMatch finds the firm of a registry that each name means.
func runPartyMatch(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("party match", "--registry F.csv --in F.csv --out F.csv [--json]", std)
	registry := fs.String("registry", "", "firms: column name, optionally short_name, former_names, uscc, id")
	in := fs.String("in", "", "names: column variant, optionally canonical and kind, which are scored")
	out := fs.String("out", "", "result: variant, canonical, score, reason, and what the registry says")
	asJSON := fs.Bool("json", false, "print one JSON object")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 || *registry == "" || *in == "" || *out == "" {
		return errUsage.With("why", "name --registry, --in and --out")
	}
	firms, err := readNames(*registry, "name")
	if err != nil {
		return err
	}
	asked, err := readNames(*in, "variant")
	if err != nil {
		return err
	}
	matches, err := matchAll(ctx, firms, asked)
	if err != nil {
		return err
	}
	if err := writeWhole(*out, func(w io.Writer) error { return writeMatches(w, firms, asked, matches) }); err != nil {
		return err
	}
	return reportMatches(std, *asJSON, firms, asked, matches)
}

func matchAll(ctx context.Context, firms, asked *nameTable) ([]party.Match, error) {
	entries := make([]party.Entry, len(firms.rows))
	for i := range firms.rows {
		e := party.Entry{Name: firms.cell(i, "name"), Others: names(firms.cell(i, "short_name"))}
		e.Others = append(e.Others, names(firms.cell(i, "former_names"))...)
		entries[i] = e
	}
	m := party.NewIndex(entries).Matcher()
	matches := make([]party.Match, len(asked.rows))
	for i := range asked.rows {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		matches[i] = m.Match(asked.cell(i, "variant"))
	}
	return matches, nil
}

// names splits a cell of several names.
func names(cell string) []string {
	return strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(";；|、\n", r) })
}

func writeMatches(w io.Writer, firms, asked *nameTable, matches []party.Match) error {
	out := csv.NewWriter(w)
	header := []string{"variant", "canonical", "score", "reason", "candidate", "second"}
	more := slices.DeleteFunc([]string{"id", "uscc"}, func(c string) bool { _, ok := firms.columns[c]; return !ok })
	if err := out.Write(append(header, more...)); err != nil {
		return err
	}
	name := func(i int) string {
		if i < 0 {
			return ""
		}
		return firms.cell(i, "name")
	}
	for i, m := range matches {
		row := []string{asked.cell(i, "variant"), "", strconv.FormatFloat(m.Score, 'f', 4, 64), m.Reason, name(m.Best), name(m.Second)}
		if m.Accepted {
			row[1] = name(m.Best)
		}
		for _, c := range more {
			cell := ""
			if m.Accepted {
				cell = firms.cell(m.Best, c)
			}
			row = append(row, cell)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func reportMatches(std stdio, asJSON bool, firms, asked *nameTable, matches []party.Match) error {
	all, kinds := &tally{}, map[string]*tally{}
	_, known := asked.columns["canonical"]
	_, sorted := asked.columns["kind"]
	reasons := map[string]int{}
	for i, m := range matches {
		right := known && m.Best >= 0 && party.Normalise(firms.cell(m.Best, "name")) == party.Normalise(asked.cell(i, "canonical"))
		all.add(m, right)
		if m.Reason != "" {
			reasons[m.Reason]++
		}
		if sorted {
			kind := asked.cell(i, "kind")
			if kinds[kind] == nil {
				kinds[kind] = &tally{}
			}
			kinds[kind].add(m, right)
		}
	}
	all.finish()
	for _, t := range kinds {
		t.finish()
	}
	if asJSON {
		out := map[string]any{
			"registry": len(firms.rows), "names": all.Names, "accepted": all.Accepted, "abstained": all.Abstained,
			"reasons": reasons, "threshold": party.Threshold,
		}
		if known {
			out["top1"], out["precision"] = all.Top1, all.Precision
			if sorted {
				out["kinds"] = kinds
			}
		}
		return printJSON(std.Out, out)
	}
	line := func(name string, t *tally) {
		if known {
			_, _ = fmt.Fprintf(std.Out, "%-24s names %7d  top1 %.4f  precision %.4f  abstained %d\n", name, t.Names, t.Top1, t.Precision, t.Abstained)
		} else {
			_, _ = fmt.Fprintf(std.Out, "%-24s names %7d  accepted %d  abstained %d\n", name, t.Names, t.Accepted, t.Abstained)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		line(kind, kinds[kind])
	}
	line("all", all)
	return nil
}

// nameTable is a CSV with a header.
type nameTable struct {
	columns map[string]int
	rows    [][]string
}

func (t *nameTable) cell(row int, column string) string {
	if c, ok := t.columns[column]; ok && c < len(t.rows[row]) {
		return t.rows[row][c]
	}
	return ""
}

func readNames(path, needed string) (*nameTable, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errTable.With("file", path).With("why", "it cannot be read").Because(err)
	}
	defer f.Close() //nolint:errcheck // only read
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		return nil, errTable.With("file", path).With("why", err.Error()).Because(err)
	}
	if len(rows) == 0 {
		return nil, errTable.With("file", path).With("why", "it is empty")
	}
	t := &nameTable{columns: map[string]int{}, rows: rows[1:]}
	for i, name := range rows[0] {
		t.columns[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))] = i
	}
	if _, ok := t.columns[needed]; !ok {
		return nil, errColumn.With("file", path).With("column", needed).With("columns", strings.Join(rows[0], ", "))
	}
	return t, nil
}
