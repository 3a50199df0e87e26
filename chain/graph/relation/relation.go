// Package relation reads files of relations between firms, one row a relation, into a
// graph with the ids of its firms. Every row is accounted for: it is a link, more of a
// link that is there, or refused with its place and reason.
package relation

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sheet"
)

// What can be wrong with a file of relations as a whole.
var (
	ErrHeader = fault.New(fault.Invalid, "relation.header", "no column {column}; the header has {header}. Name the columns with --from and --to")
	ErrFile   = fault.New(fault.Invalid, "relation.file", "the file cannot be read to its end ({why}); nothing was written")
)

// Columns are the headers of a file, compared without regard to case. From and To
// stand for "seller" and "buyer" when empty; the others are read when there.
type Columns struct{ From, To, Amount, Date, Kind string }

func (c Columns) orDefault() Columns {
	return Columns{cmp.Or(c.From, "seller"), cmp.Or(c.To, "buyer"), cmp.Or(c.Amount, "amount"), cmp.Or(c.Date, "date"), cmp.Or(c.Kind, "kind")}
}

// Reason is why a row is no link.
type Reason string

// Reasons.
const (
	NoSeller  Reason = "no_seller"
	NoBuyer   Reason = "no_buyer"
	SelfLoop  Reason = "self_loop"
	BadAmount Reason = "amount" // not a number of yuan
	BadDate   Reason = "date"   // not a day between 1900 and 2200
	BadKind   Reason = "kind"
	BadQuote  Reason = "quote"
	TooLong   Reason = "too_long" // an id
)

// maxID is the longest id of a firm, in bytes.
const maxID = 256

// Refusal is a row that is no link.
type Refusal struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Reason Reason `json:"reason"`
	Record string `json:"record"`
}

// Repeat is a pair of firms that stands in the files more than once without an amount:
// the rows after the first say nothing new.
type Repeat struct {
	From string `json:"from"`
	To   string `json:"to"`
	Rows int    `json:"rows"` // after the first
}

// Report accounts for every row: Rows = Links + Summed + Duplicates + the refused.
type Report struct {
	Files      []string       `json:"files"`
	Rows       int            `json:"rows"`
	Links      int            `json:"links"`
	Summed     int            `json:"summed"`     // rows whose amount was added to a link that is there
	Duplicates int            `json:"duplicates"` // rows that say what another says, and no amount
	Refused    map[Reason]int `json:"refused"`
	Firms      int            `json:"firms"`

	Refusals []Refusal `json:"-"` // the first maxNamed
	Repeats  []Repeat  `json:"-"` // the first maxNamed
}

// maxNamed bounds what is named one by one: the counts have all of it.
const maxNamed = 10_000

// Read reads files (CSV with a header, as sheet.Text takes them) into one graph. Firms get
// their nodes in the order of the rows.
func Read(ctx context.Context, columns Columns, paths ...string) (*graph.Snapshot, Report, error) {
	r := reader{columns: columns.orDefault(), index: graph.NewIndex(), report: Report{Refused: map[Reason]int{}}}
	for _, path := range paths {
		if err := r.file(ctx, path); err != nil {
			return nil, Report{}, err
		}
	}
	r.merge()
	r.report.Links, r.report.Firms = len(r.links), r.index.Len()
	return &graph.Snapshot{Graph: graph.BuildLinks(r.index.Len(), r.links), Index: r.index}, r.report, nil
}

type reader struct {
	columns Columns
	index   *graph.Index
	links   []graph.Link
	report  Report
}

func (r *reader) file(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return ErrFile.With("why", err.Error())
	}
	defer func() { _ = f.Close() }() // read only
	in, err := sheet.Text(f)
	if err != nil {
		return ErrFile.With("why", err.Error()).At("%s", filepath.Base(path))
	}
	r.report.Files = append(r.report.Files, filepath.Base(path))
	return r.scan(ctx, in, filepath.Base(path))
}

// scan reads the rows of one file.
func (r *reader) scan(ctx context.Context, in io.Reader, name string) error {
	rows := csv.NewReader(in)
	rows.FieldsPerRecord, rows.ReuseRecord = -1, true
	header, err := rows.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("it is empty")
		}
		return ErrFile.With("why", err.Error()).At("%s", name)
	}
	p, wrong := r.places(header)
	if wrong != nil {
		return wrong.At("%s", name)
	}
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := rows.Read()
		var parse *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &parse):
			r.report.Rows++
			r.refuse(Refusal{name, parse.StartLine, BadQuote, strings.Join(row, ",")})
			continue
		case err != nil:
			return ErrFile.With("why", err.Error()).At("%s", name)
		}
		r.report.Rows++
		if why := r.take(row, p); why != "" {
			line, _ := rows.FieldPos(0)
			r.refuse(Refusal{name, line, why, strings.Join(row, ",")})
		}
	}
}

// places are the columns of a file; -1 for one that is not there.
type places struct{ from, to, amount, date, kind int }

func (r *reader) places(header []string) (places, *fault.Error) {
	find := func(name string) int {
		return slices.IndexFunc(header, func(h string) bool {
			return strings.EqualFold(strings.TrimSpace(h), name)
		})
	}
	c := r.columns
	p := places{find(c.From), find(c.To), find(c.Amount), find(c.Date), find(c.Kind)}
	for _, must := range []struct {
		name string
		at   int
	}{{c.From, p.from}, {c.To, p.to}} {
		if must.at < 0 {
			return p, ErrHeader.With("column", must.name).With("header", strings.Join(header, ", "))
		}
	}
	return p, nil
}

// take reads a row into a link; the reason says why not.
func (r *reader) take(row []string, p places) Reason {
	cell := func(at int) string {
		if at < 0 || at >= len(row) {
			return ""
		}
		return strings.TrimSpace(row[at])
	}
	from, to := cell(p.from), cell(p.to)
	switch {
	case from == "":
		return NoSeller
	case to == "":
		return NoBuyer
	case len(from) > maxID || len(to) > maxID:
		return TooLong
	case from == to:
		return SelfLoop
	}
	t, why := trade(cell(p.amount), cell(p.date), cell(p.kind))
	if why == "" {
		r.links = append(r.links, graph.Link{From: r.index.Add(from), To: r.index.Add(to), Trade: t})
	}
	return why
}

// kindNames are the words of the column kind, singular and plural.
var kindNames = map[string]uint8{
	"contract": graph.Contracts, "order": graph.Orders, "delivery": graph.Deliveries, "deliverie": graph.Deliveries,
	"invoice": graph.Invoices, "payment": graph.Payments, "confirmation": graph.Confirmations,
	"合同": graph.Contracts, "订单": graph.Orders, "收货": graph.Deliveries, "发票": graph.Invoices, "付款": graph.Payments, "确认": graph.Confirmations,
}

// trade is what the row says beyond the pair. A row with an amount, a date or a kind
// is a record of its own and counts; one without only names the link.
func trade(amount, date, kind string) (t graph.Trade, why Reason) {
	if amount != "" {
		fen, err := money.ParseFen(strings.ReplaceAll(amount, ",", ""))
		if err != nil {
			return t, BadAmount
		}
		t.Amount, t.Count = int64(fen), 1
	}
	if date != "" {
		day, err := money.ParseDate(strings.ReplaceAll(date, "/", "-"))
		if err != nil {
			return t, BadDate
		}
		t.First = graph.Day(day.String())
		t.Last, t.Count = t.First, 1
	}
	if kind != "" {
		bit, ok := kindNames[strings.TrimSuffix(strings.ToLower(kind), "s")]
		if !ok {
			return t, BadKind
		}
		t.Kinds, t.Count = bit, 1
	}
	return t, ""
}

func (r *reader) refuse(f Refusal) {
	r.report.Refused[f.Reason]++
	if len(r.report.Refusals) < maxNamed {
		r.report.Refusals = append(r.report.Refusals, f)
	}
}

// merge makes one link of the rows of a pair.
func (r *reader) merge() {
	slices.SortStableFunc(r.links, func(a, b graph.Link) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	out := r.links[:0]
	for i := 0; i < len(r.links); {
		link, repeats := r.links[i], 0
		for i++; i < len(r.links) && r.links[i].From == link.From && r.links[i].To == link.To; i++ {
			if more := r.links[i].Trade; more == (graph.Trade{}) {
				repeats++
			} else {
				link.Trade = link.Add(more)
				r.report.Summed++
			}
		}
		out = append(out, link)
		if r.report.Duplicates += repeats; repeats > 0 && len(r.report.Repeats) < maxNamed {
			r.report.Repeats = append(r.report.Repeats, Repeat{r.index.Key(link.From), r.index.Key(link.To), repeats})
		}
	}
	r.links = out
}

// Total is how many rows were refused.
func (r Report) Total() (refused int) {
	for _, n := range r.Refused {
		refused += n
	}
	return refused
}

// Sound says that every row is accounted for.
func (r Report) Sound() error {
	if sum := r.Links + r.Summed + r.Duplicates + r.Total(); sum != r.Rows {
		return fmt.Errorf("relation: %d rows in, %d accounted for", r.Rows, sum)
	}
	return nil
}
