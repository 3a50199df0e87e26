package main

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
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
	"github.com/furrowcredit/furrow/sheet"
)

// runPartyCheck judges credit codes, organisation codes and resident identity
// numbers. The answer is no when one is invalid.
func runPartyCheck(_ context.Context, args []string, std stdio) error {
	fs := newFlags("party check", "CODE... | --in F.csv|F.xlsx|F.json [--json]", std)
	in := fs.String("in", "", "table of codes: column uscc or code (统一社会信用代码); or JSON with lists valid and invalid in each of its objects, whose answers are counted")
	asJSON := fs.Bool("json", false, "print one JSON object")
	codes, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	var known []bool // whether each code is valid, when the file says it
	switch {
	case strings.HasSuffix(*in, ".json") && len(codes) > 0:
		return errUsage.With("why", "give codes or a file of codes with their answers, not both")
	case strings.HasSuffix(*in, ".json"):
		if codes, known, err = readAnswers(*in); err != nil {
			return err
		}
	case *in != "":
		t, err := readNames(*in, "uscc")
		if err != nil {
			return err
		}
		for i := range t.rows {
			codes = append(codes, t.cell(i, "uscc"))
		}
	}
	if len(codes) == 0 {
		return errUsage.With("why", "give at least one credit code, organisation code or resident identity number, or a table of them with --in")
	}
	counts := map[party.Status]int{party.Valid: 0, party.Suspicious: 0, party.Bad: 0}
	verdicts := make([]party.Verdict, len(codes))
	for i, code := range codes {
		verdicts[i] = party.Judge(code, time.Now())
		counts[verdicts[i].Status]++
	}
	right := 0
	for i, valid := range known {
		if (verdicts[i].Status == party.Valid) == valid {
			right++
		}
	}
	if *asJSON {
		out := map[string]any{
			"codes": verdicts, "valid": counts[party.Valid], "suspicious": counts[party.Suspicious], "invalid": counts[party.Bad],
		}
		if known != nil {
			out["known"], out["right"] = len(known), right
		}
		err = printJSON(std.Out, out)
	} else {
		for i, v := range verdicts {
			wrong := ""
			if known != nil && (v.Status == party.Valid) != known[i] {
				wrong = "WRONG "
			}
			_, _ = fmt.Fprintf(std.Out, "%-18s %-11s %-10s %s%s\n", v.Code, v.Kind, v.Status, wrong, v.Detail)
		}
		if known != nil {
			_, _ = fmt.Fprintf(std.Out, "%d of %d as the file says\n", right, len(known))
		}
	}
	if err == nil && (known == nil && counts[party.Bad] > 0 || right < len(known)) {
		err = errNo
	}
	return err
}

// readAnswers reads codes whose answers are known: a JSON object of objects with lists
// valid and invalid. A suspicious code is not a valid one.
func readAnswers(path string) (codes []string, valid []bool, err error) {
	raw, err := os.ReadFile(path) //nolint:gosec // the person names the file
	if err != nil {
		return nil, nil, errTable.With("file", path).With("why", "it cannot be read; look at its name and who may read it")
	}
	var groups map[string]struct{ Valid, Invalid []string }
	if err := json.Unmarshal(raw, &groups); err != nil {
		return nil, nil, errTable.With("file", path).With("why", "it must be an object of objects with lists valid and invalid: "+err.Error())
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		codes = slices.Concat(codes, groups[name].Valid, groups[name].Invalid)
		valid = append(valid, slices.Repeat([]bool{true}, len(groups[name].Valid))...)
		valid = append(valid, slices.Repeat([]bool{false}, len(groups[name].Invalid))...)
	}
	return codes, valid, nil
}

var (
	errTable  = fault.New(fault.Invalid, "party.table", "{file}: {why}")
	errColumn = fault.New(fault.Invalid, "party.column", "{file} has no column {column}; its columns are {columns}")
)

// tally counts how names of a known meaning were matched.
type tally struct {
	Names     int      `json:"names"`
	Top1      float64  `json:"top1"`                // share whose best candidate is right, whatever its score
	Precision *float64 `json:"precision,omitempty"` // share of the accepted that are right; nil when none is
	Accepted  int      `json:"accepted"`
	Abstained int      `json:"abstained"`

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
	if t.Accepted > 0 {
		p := share(t.right, t.Accepted)
		t.Precision = &p
	}
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// runPartyMatch finds the firm of a registry that each name means.
func runPartyMatch(ctx context.Context, args []string, std stdio) error {
	fs := newFlags("party match", "--registry F.csv|F.xlsx --in F.csv|F.xlsx --out F.csv [--json]", std)
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
	variants := make([]string, len(asked.rows))
	for i := range variants {
		variants[i] = asked.cell(i, "variant")
	}
	return party.NewIndex(entries).MatchAll(ctx, variants)
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
			out["top1"] = all.Top1
			if all.Precision != nil {
				out["precision"] = *all.Precision
			}
			if sorted {
				out["kinds"] = kinds
			}
		}
		return printJSON(std.Out, out)
	}
	line := func(name string, t *tally) {
		if known {
			precision := "     -"
			if t.Precision != nil {
				precision = fmt.Sprintf("%.4f", *t.Precision)
			}
			_, _ = fmt.Fprintf(std.Out, "%-24s names %7d  top1 %.4f  precision %s  abstained %d\n", name, t.Names, t.Top1, precision, t.Abstained)
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

// nameTable is a table with a header.
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

// chineseColumns are what the columns are also called.
var chineseColumns = map[string]string{
	"企业名称": "name", "公司名称": "name", "名称": "name", "简称": "short_name", "曾用名": "former_names", "统一社会信用代码": "uscc", "信用代码": "uscc", "纳税人识别号": "uscc", "code": "uscc",
}

// header finds the columns of a row; the names that are asked for may be called as
// those of a registry are.
func (t *nameTable) header(cells []string, needed string) bool {
	t.columns = map[string]int{}
	chinese := map[string]int{}
	for i, cell := range cells {
		column := strings.ToLower(strings.TrimSpace(cell))
		into := t.columns
		if known, ok := chineseColumns[column]; ok {
			if column, into = known, chinese; column == "name" && needed != "uscc" {
				column = needed
			}
		}
		if _, ok := into[column]; !ok {
			into[column] = i
		}
	}
	for column, i := range chinese {
		if _, ok := t.columns[column]; !ok {
			t.columns[column] = i
		}
	}
	_, ok := t.columns[needed]
	return ok
}

// openNames opens a table that can be read at any place: a file that ends in .gz is
// unpacked into a temporary one first.
func openNames(path string) (f *os.File, size int64, done func(), err error) {
	if f, err = os.Open(path); err != nil { //nolint:gosec // the person names the file
		return nil, 0, nil, err
	}
	done = func() { _ = f.Close() } // it was only read
	if strings.HasSuffix(path, ".gz") {
		packed := f
		defer func() { _ = packed.Close() }() // it was only read
		if f, err = os.CreateTemp("", "furrow-names-*"); err != nil {
			return nil, 0, nil, err
		}
		done = func() { _ = errors.Join(f.Close(), os.Remove(f.Name())) } // nothing is lost with it
		if err := unpack(f, packed); err != nil {
			done()
			return nil, 0, nil, err
		}
	}
	info, err := f.Stat()
	if err != nil {
		done()
		return nil, 0, nil, err
	}
	return f, info.Size(), done, nil
}

func unpack(to io.Writer, packed io.Reader) error {
	z, err := gzip.NewReader(packed)
	if err != nil {
		return err
	}
	n, err := io.Copy(to, io.LimitReader(z, maxNames+1))
	if err == nil && n > maxNames {
		err = sheet.ErrTooLarge.With("mib", maxNames>>20)
	}
	return err
}

// maxNames bounds a table of names, in bytes: registries are larger than uploads.
const maxNames = 2 << 30

// inFile says in which file something is wrong.
func inFile(path string, err error) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) && f.Place == "" {
		return f.At("%s", path)
	}
	return errTable.With("file", path).With("why", err.Error())
}

// readNames reads XLSX, or CSV in UTF-8, UTF-16 or GBK, either of them gzipped. Titles
// may stand above the header.
func readNames(path, needed string) (*nameTable, error) {
	damaged := func(err error) error { return inFile(path, err) }
	if info, bad := os.Stat(path); bad == nil && info.IsDir() {
		return nil, errTable.With("file", path).With("why", aFolder)
	}
	f, size, done, err := openNames(path)
	if os.IsNotExist(err) || os.IsPermission(err) {
		return nil, errTable.With("file", path).With("why", "it cannot be read; look at its name and who may read it")
	}
	if err != nil {
		return nil, damaged(err)
	}
	defer done()
	limits := sheet.Large()
	limits.CSV, limits.Rows = maxNames, 10_000_000
	r, err := sheet.Open(f, size, limits, func(head *sheet.Table) bool {
		return slices.ContainsFunc(head.Rows, func(row sheet.Row) bool { return new(nameTable).header(row.Cells, needed) })
	})
	if err != nil {
		return nil, damaged(err)
	}
	defer r.Close() //nolint:errcheck // only read
	t, titles := &nameTable{}, [][]string(nil)
	for found := false; ; {
		row, err := r.Next()
		switch {
		case errors.Is(err, io.EOF) && found:
			return t, nil
		case errors.Is(err, io.EOF) && len(titles) == 0:
			return nil, errTable.With("file", path).With("why", "it is empty")
		case err != nil && !errors.Is(err, io.EOF):
			return nil, damaged(err)
		case found:
			t.rows = append(t.rows, slices.Clone(row.Cells))
		case err != nil || len(titles) > sheet.HeaderRows:
			return nil, errColumn.With("file", path).With("column", needed).With("columns", strings.Join(titles[0], ", "))
		default:
			found = t.header(row.Cells, needed)
			titles = append(titles, slices.Clone(row.Cells))
		}
	}
}
