// Package reference reads the public reference chain: which companies make which
// products, what a product needs, and which industry supplies which. It is a
// background for firms that nobody knows yet, not evidence about them.
//
// docs/formats/reference-chain.md describes the files.
package reference

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/sheet"
)

// What can be wrong with the files as a whole. A bad line is no error but a Refusal.
var (
	ErrNoFiles  = fault.New(fault.Invalid, "reference.no_files", "there are no reference files; give ckg_company.jsonl, ckg_product_product.jsonl and so on")
	ErrFileName = fault.New(fault.Invalid, "reference.file_name", "the name {name} does not say what the file holds; use ckg_company.jsonl, ckg_product.jsonl and so on")
	ErrTwice    = fault.New(fault.Invalid, "reference.file_twice", "{first} and {second} hold the same kind; give one of them")
	ErrLongLine = fault.New(fault.TooLarge, "reference.long_line", "line {line} is longer than {kib} KiB; this is not a file of one record a line")
	ErrUnread   = fault.New(fault.Invalid, "reference.unreadable", "the file cannot be read; is it complete?")
)

const maxLine = 1 << 20

// Source is one file to read; the name says what it holds.
type Source struct {
	Name string
	R    io.Reader
}

// Reasons for which a record is refused.
const (
	BadJSON    = "bad_json"      // not a JSON object of the expected shape
	Missing    = "missing_field" // a name or code is empty
	Duplicate  = "duplicate"     // the same record came before
	Self       = "self_loop"     // it leads to itself
	NotPlus    = "weight_not_positive"
	OverOne    = "weight_over_one"
	NoCompany  = "unknown_company" // names a company that no file defines
	NoProduct  = "unknown_product"
	NoIndustry = "unknown_industry"
	NoRelation = "unknown_relation"
)

// Refusal names one record that was not taken.
type Refusal struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Reason string `json:"reason"`
	Record string `json:"record"` // short, for people
}

// FileReport counts one file. A record is a line; in the file of industry
// suppliers it is each pair of a line, and the line itself where it has none.
type FileReport struct {
	File    string `json:"file"`
	Kind    string `json:"kind"`
	In      int    `json:"in"`
	Out     int    `json:"out"`
	Refused int    `json:"refused"`
}

// Report is what an import did: In equals Out plus the refusals, file by file.
type Report struct {
	Files    []FileReport   `json:"files"`
	In       int            `json:"in"`
	Out      int            `json:"out"`
	Refused  map[string]int `json:"refused"` // by reason
	Refusals []Refusal      `json:"refusals"`
	Nodes    int            `json:"nodes"`
	Edges    int            `json:"edges"`
	Defects  Defects        `json:"defects"` // of what was taken
}

// kinds in the order of reading: what defines before what refers to it.
var kinds = []string{
	"industry", "company", "product",
	"industry_industry", "industry_up", "company_industry", "company_product", "product_product",
}

// Import reads the sources into a chain. progress, which may be nil, hears how many
// records of the file at hand are read. It returns ctx's error when cancelled.
func Import(ctx context.Context, sources []Source, progress func(file string, records int)) (*Chain, Report, error) {
	if len(sources) == 0 {
		return nil, Report{}, ErrNoFiles
	}
	byKind := map[string]Source{}
	for _, s := range sources {
		kind := kindOf(s.Name)
		if !slices.Contains(kinds, kind) {
			return nil, Report{}, ErrFileName.With("name", s.Name)
		}
		if other, ok := byKind[kind]; ok {
			return nil, Report{}, ErrTwice.With("first", other.Name).With("second", s.Name)
		}
		byKind[kind] = s
	}
	in := &importer{
		chain: newChain(), seen: map[chain.RefEdge]bool{}, progress: progress,
		report: Report{Refused: map[string]int{}, Refusals: []Refusal{}},
	}
	for _, kind := range kinds {
		s, ok := byKind[kind]
		if !ok {
			continue
		}
		if err := in.read(ctx, s, kind); err != nil {
			return nil, in.report, err
		}
	}
	in.chain.index()
	in.report.Nodes, in.report.Edges = len(in.chain.nodes), len(in.chain.edges)
	in.report.Defects = in.chain.Defects(nil)
	return in.chain, in.report, nil
}

// kindOf strips folder, prefix and endings: "x/ckg_company.jsonl.gz" is "company".
func kindOf(name string) string {
	name = filepath.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".jsonl"), ".ndjson")
	return strings.TrimPrefix(name, "ckg_")
}

// Files opens the reference files of a folder, or the files themselves. The caller
// must call close when done.
func Files(paths ...string) (sources []Source, closeAll func(), err error) {
	var open []*os.File
	closeAll = func() {
		for _, f := range open {
			f.Close() //nolint:errcheck // it was only read
		}
	}
	var names []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, closeAll, ErrNoFiles.At("%s", p).Because(err)
		}
		if !info.IsDir() {
			names = append(names, p)
			continue
		}
		entries, err := os.ReadDir(p)
		if err != nil {
			return nil, closeAll, ErrNoFiles.At("%s", p).Because(err)
		}
		for _, e := range entries {
			if slices.Contains(kinds, kindOf(e.Name())) && strings.Contains(e.Name(), ".jsonl") {
				names = append(names, filepath.Join(p, e.Name()))
			}
		}
	}
	for _, name := range names {
		f, err := os.Open(name) //nolint:gosec // the person at the command line names it
		if err != nil {
			return nil, closeAll, ErrNoFiles.At("%s", name).Because(err)
		}
		open = append(open, f)
		sources = append(sources, Source{Name: name, R: f})
	}
	return sources, closeAll, nil
}

type importer struct {
	chain    *Chain
	seen     map[chain.RefEdge]bool // weight 0, to find duplicates
	progress func(string, int)
	report   Report
	file     FileReport
	line     int
}

// record is one line of any of the files.
type record struct {
	Code         string          `json:"code"`
	Name         string          `json:"name"`
	FullName     string          `json:"fullname"`
	CompanyCode  string          `json:"company_code"`
	IndustryCode string          `json:"industry_code"`
	FromCode     string          `json:"from_code"`
	ToCode       string          `json:"to_code"`
	Product      string          `json:"product"`
	Weight       json.RawMessage `json:"weight"`
	From         string          `json:"from"`
	To           string          `json:"to"`
	Rel          string          `json:"rel"`
	Industry     string          `json:"industry"`
	Ups          json.RawMessage `json:"ups"`
}

func (in *importer) read(ctx context.Context, s Source, kind string) error {
	in.file, in.line = FileReport{File: filepath.Base(s.Name), Kind: kind}, 0
	defer func() { in.report.Files = append(in.report.Files, in.file) }()
	r, err := sheet.Text(s.R)
	if err != nil {
		return ErrUnread.At("%s", in.file.File).Because(err)
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for lines.Scan() {
		in.line++
		if in.line%5000 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if in.progress != nil {
				in.progress(in.file.File, in.file.In)
			}
		}
		raw := lines.Bytes()
		if len(strings.TrimSpace(string(raw))) == 0 {
			continue
		}
		var rec record
		if err := json.Unmarshal(raw, &rec); err != nil {
			in.refuse(BadJSON, string(raw))
			continue
		}
		in.take(kind, rec)
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) || errors.Is(lines.Err(), sheet.ErrLongLine) {
		return ErrLongLine.With("line", in.line+1).With("kib", maxLine>>10).At("%s:%d", in.file.File, in.line+1)
	}
	if err := lines.Err(); err != nil {
		return ErrUnread.At("%s:%d", in.file.File, in.line+1).Because(err)
	}
	if in.progress != nil {
		in.progress(in.file.File, in.file.In)
	}
	return nil
}

func (in *importer) take(kind string, r record) {
	c := in.chain
	switch kind {
	case "company":
		name := cmp.Or(r.FullName, r.Name)
		in.node(chain.RefNode{Kind: chain.RefCompany, Key: stockCode(r.Code), Name: name, ShortName: r.Name})
	case "industry":
		in.node(chain.RefNode{Kind: chain.RefIndustry, Key: r.Code, Name: r.Name})
	case "product":
		in.node(chain.RefNode{Kind: chain.RefProduct, Key: r.Name, Name: r.Name})
	case "industry_industry":
		in.edge(chain.RefPartOf, end{chain.RefIndustry, r.FromCode}, end{chain.RefIndustry, r.ToCode}, 0, "")
	case "company_industry":
		in.edge(chain.RefBelongs, end{chain.RefCompany, stockCode(r.CompanyCode)}, end{chain.RefIndustry, r.IndustryCode}, 0, "")
	case "company_product":
		weight, err := number(r.Weight)
		reason := ""
		switch {
		case err != nil:
			reason = BadJSON
		case !(weight > 0):
			reason = NotPlus
		case weight > 1:
			reason = OverOne
		}
		in.edge(chain.RefMakes, end{chain.RefCompany, stockCode(r.CompanyCode)}, end{chain.RefProduct, r.Product}, weight, reason)
	case "product_product":
		rel, reason := productRel(r.Rel)
		in.edge(rel, end{chain.RefProduct, r.From}, end{chain.RefProduct, r.To}, 0, reason)
	case "industry_up":
		in.suppliers(r, c)
	}
}

func productRel(s string) (rel chain.RefRel, reason string) {
	switch s {
	case "上游材料":
		return chain.RefNeeds, ""
	case "下游产品":
		return chain.RefServes, ""
	case "产品小类":
		return chain.RefHasKind, ""
	}
	return chain.RefRel(s), NoRelation
}

// suppliers takes {"industry": NAME, "ups": {NAME: COUNT, ...}}; the names are
// those of the industries, which have a code elsewhere.
func (in *importer) suppliers(r record, c *Chain) {
	if len(r.Ups) == 0 || string(r.Ups) == "null" {
		in.refuse(Missing, r.Industry)
		return
	}
	dec := json.NewDecoder(strings.NewReader(string(r.Ups)))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		in.refuse(BadJSON, r.Industry)
		return
	}
	from, known := c.industries[r.Industry]
	pairs := 0
	for dec.More() { // in the order of the file, so that refusals are the same every time
		key, err := dec.Token()
		if err != nil {
			in.refuse(BadJSON, r.Industry)
			return
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			in.refuse(BadJSON, r.Industry)
			return
		}
		pairs++
		up, _ := key.(string)
		to, upKnown := c.industries[up]
		weight, err := number(raw)
		reason := ""
		switch {
		case err != nil:
			reason = BadJSON
		case !(weight > 0):
			reason = NotPlus
		}
		if !known {
			from = r.Industry
		}
		if !upKnown {
			to = up
		}
		in.edge(chain.RefSupplied, end{chain.RefIndustry, from}, end{chain.RefIndustry, to}, weight, reason)
	}
	if pairs > 0 {
		return
	}
	// An industry without suppliers is a record too: nothing to keep, nothing wrong.
	if !known {
		in.refuse(NoIndustry, r.Industry)
		return
	}
	in.file.In++
	in.file.Out++
	in.report.In++
	in.report.Out++
}

func number(raw json.RawMessage) (float64, error) {
	var v float64
	if err := json.Unmarshal(raw, &v); err != nil || len(raw) == 0 || string(raw) == "null" || math.IsInf(v, 0) {
		return 0, fmt.Errorf("not a number: %s", raw)
	}
	return v, nil
}

// stockCode drops the exchange: 688268.SH, 688268SH and 688268 are one company.
func stockCode(s string) string {
	return strings.TrimRight(strings.TrimRight(party.Clean(s), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), ".")
}

// end names a node by kind and key.
type end struct {
	kind chain.RefKind
	key  string
}

func (in *importer) node(n chain.RefNode) {
	n.Key, n.Name, n.ShortName = clean(n.Key), clean(n.Name), clean(n.ShortName)
	switch {
	case n.Key == "" || n.Name == "":
		in.refuse(Missing, n.Key+" "+n.Name)
	case !in.chain.add(n):
		in.refuse(Duplicate, n.Key+" "+n.Name)
	default:
		in.accept()
	}
}

// clean drops what no database keeps in text.
func clean(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\x00", "")) }

func (in *importer) edge(rel chain.RefRel, from, to end, weight float64, reason string) {
	text := fmt.Sprintf("%s %s %s", from.key, rel, to.key)
	if weight != 0 {
		text += fmt.Sprintf(" %g", weight)
	}
	if reason != "" {
		in.refuse(reason, text)
		return
	}
	if from.key == "" || to.key == "" {
		in.refuse(Missing, text)
		return
	}
	var ids [2]int64
	for i, e := range []end{from, to} {
		id, ok := in.chain.byKey[e]
		if !ok {
			switch e.kind {
			case chain.RefCompany:
				reason = NoCompany
			case chain.RefIndustry:
				reason = NoIndustry
			case chain.RefProduct:
				reason = NoProduct
			}
			in.refuse(reason, text)
			return
		}
		ids[i] = id
	}
	if ids[0] == ids[1] {
		in.refuse(Self, text)
		return
	}
	key := chain.RefEdge{Rel: rel, From: ids[0], To: ids[1]}
	if in.seen[key] {
		in.refuse(Duplicate, text)
		return
	}
	in.seen[key] = true
	key.Weight = weight
	in.chain.edges = append(in.chain.edges, key)
	in.accept()
}

func (in *importer) accept() {
	in.file.In++
	in.file.Out++
	in.report.In++
	in.report.Out++
}

func (in *importer) refuse(reason, text string) {
	if r := []rune(text); len(r) > 120 {
		text = string(r[:120]) + "…"
	}
	in.file.In++
	in.file.Refused++
	in.report.In++
	in.report.Refused[reason]++
	in.report.Refusals = append(in.report.Refusals, Refusal{in.file.File, in.line, reason, text})
}
