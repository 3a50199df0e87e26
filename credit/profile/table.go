package profile

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/width"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sheet"
)

// CellRemark is what is wrong with one cell of an uploaded table.
type CellRemark struct {
	Cell   string `json:"cell"`   // "C7"
	Column string `json:"column"` // as the field is called here
	Why    string `json:"why"`
}

// UploadReport is what became of a table. With remarks nothing of it was saved.
type UploadReport struct {
	Kind      Kind         `json:"kind"`
	Rows      int          `json:"rows"`
	Borrowers int          `json:"borrowers"`
	Saved     int          `json:"saved"` // of Borrowers; the others had the same content before
	Hash      string       `json:"hash"`  // SHA-256 of the file, hex
	DryRun    bool         `json:"dry_run"`
	Remarks   []CellRemark `json:"remarks"`
}

// maxRemarks is how many are told; nobody mends more at once.
const maxRemarks = 200

// Find resolves how a table names a borrower, by user id or login; ok is false for a
// name that nobody has.
type Find func(ctx context.Context, tenant, name string) (userID string, ok bool, err error)

// Upload is a table of histories, XLSX or CSV, of any number of borrowers.
type Upload struct {
	Kind   Kind
	File   string // its name
	Body   []byte
	By     string // user id
	DryRun bool   // says what would be kept, and keeps nothing
}

// Import saves a table: all of it, or nothing when a cell is wrong or a borrower has not
// agreed. ErrFile, ErrKind, and the errors of package sheet.
func (b *Book) Import(ctx context.Context, tenant string, up Upload, find Find) (UploadReport, error) {
	p, err := Parse(up.Kind, up.Body)
	if err != nil {
		return UploadReport{}, err
	}
	report := UploadReport{Kind: up.Kind, Rows: p.Rows, Hash: credit.Hash(up.Body), Remarks: p.Remarks, DryRun: up.DryRun}
	var all []History
	for _, s := range p.Statements {
		id, ok, err := find(ctx, tenant, s.Borrower)
		if err != nil {
			return UploadReport{}, err
		}
		if !ok {
			report.remark(s.Cell, "no borrower has this id or login")
			continue
		}
		h := s.History
		h.UserID, h.By, h.File, h.FileHash = id, up.By, up.File, report.Hash
		if err := b.agree(ctx, tenant, &h); err != nil {
			if !errors.Is(err, ErrConsent) {
				return UploadReport{}, err
			}
			report.remark(s.Cell, err.Error())
			continue
		}
		if err := b.check(&h); err != nil {
			report.remark(s.Cell, err.Error())
			continue
		}
		if slices.ContainsFunc(all, func(o History) bool { return o.UserID == id }) {
			report.remark(s.Cell, "this borrower stands in the table under another name already")
			continue
		}
		if err := b.stamp(&h); err != nil {
			return UploadReport{}, err
		}
		all = append(all, h)
	}
	report.Borrowers = len(p.Statements)
	if len(report.Remarks) > 0 || len(all) == 0 || up.DryRun {
		return report, nil
	}
	saved, err := b.AddHistories(ctx, tenant, all)
	if err != nil {
		return report, err
	}
	var fresh []string
	for i := range saved {
		if saved[i].ID == all[i].ID {
			fresh = append(fresh, all[i].UserID)
		}
	}
	report.Saved = len(fresh)
	b.changed(ctx, tenant, fresh...)
	return report, nil
}

func (r *UploadReport) remark(cell, why string) {
	if len(r.Remarks) < maxRemarks {
		r.Remarks = append(r.Remarks, CellRemark{cell, "borrower", why})
	}
}

// Statement is what a table says of one borrower, whom it names.
type Statement struct {
	Borrower string
	Cell     string // where the borrower stands first
	History  History
}

// Parsed is a table that was read.
type Parsed struct {
	Rows       int
	Statements []Statement
	Remarks    []CellRemark
}

// column of a table: its field, and its names in a header after folding.
type column struct {
	field string
	names []string
	must  bool
}

var bureauColumns = []column{
	{"borrower", []string{"客户", "借款人", "客户号"}, true},
	{"at", []string{"报告日期", "date", "reportdate"}, true},
	{"lenders", []string{"贷款机构数"}, false},
	{"open_loans", []string{"未结清笔数", "未结清贷款笔数"}, false},
	{"balance", []string{"贷款余额"}, true},
	{"monthly_due", []string{"月还款额", "每月应还"}, false},
	{"card_limit", []string{"信用卡授信", "贷记卡授信"}, false},
	{"card_used", []string{"信用卡已用", "贷记卡已用"}, false},
	{"guaranteed", []string{"对外担保", "对外担保余额"}, false},
	{"overdue_now", []string{"当前逾期金额", "当前逾期"}, true},
	{"worst_overdue_days", []string{"最长逾期天数"}, true},
	{"overdue_months", []string{"逾期月数"}, false},
	{"queries_6m", []string{"近6个月查询次数", "查询次数"}, false},
	{"oldest_months", []string{"最早账户月数", "信用历史月数"}, false},
	{"judgments", []string{"公共记录", "判决记录"}, false},
}

var bankColumns = []column{
	{"borrower", []string{"客户", "借款人", "客户号"}, true},
	{"month", []string{"月份"}, true},
	{"in", []string{"收入", "流入"}, true},
	{"out", []string{"支出", "流出"}, true},
	{"low", []string{"最低余额"}, false},
	{"returned", []string{"退票", "扣款失败次数"}, false},
}

func fold(s string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "", "（元）", "", "(元)", "", "(yuan)", "").Replace(width.Narrow.String(strings.TrimSpace(s))))
}

// layout finds the columns in a header; ok when all that must be are there.
func layout(cells []string, columns []column) (at map[string]int, ok bool) {
	at = map[string]int{}
	for i, c := range cells {
		name := fold(c)
		for _, col := range columns {
			if _, twice := at[col.field]; !twice && (name == fold(col.field) || slices.Contains(col.names, name)) {
				at[col.field] = i
			}
		}
	}
	for _, col := range columns {
		if _, there := at[col.field]; col.must && !there {
			return at, false
		}
	}
	return at, true
}

// Parse reads a table without asking who its borrowers are. Amounts are yuan.
func Parse(k Kind, body []byte) (Parsed, error) {
	columns := bureauColumns
	switch k {
	case Bureau:
	case Bank:
		columns = bankColumns
	default:
		return Parsed{}, ErrKind
	}
	head, at := -1, map[string]int{}
	find := func(t *sheet.Table) bool {
		for i, r := range t.Rows[:min(len(t.Rows), sheet.HeaderRows)] {
			if found, ok := layout(r.Cells, columns); ok {
				head, at = i, found
				return true
			}
		}
		return false
	}
	t, err := sheet.Read(body, find)
	if err != nil {
		return Parsed{}, err
	}
	if !find(t) {
		var must []string
		for _, c := range columns {
			if c.must {
				must = append(must, c.field)
			}
		}
		return Parsed{}, ErrFile.With("columns", strings.Join(must, ", "))
	}
	if err := t.Split(head); err != nil {
		return Parsed{}, err
	}
	r := tableReader{columns: columns, at: at, from1904: t.From1904, of: map[string]int{}}
	for _, row := range t.Rows[head+1:] {
		r.row = row
		r.out.Rows++
		if k == Bureau {
			r.bureau()
		} else {
			r.bank()
		}
	}
	if r.out.Rows == 0 {
		return Parsed{}, sheet.ErrEmpty
	}
	if r.out.Remarks == nil {
		r.out.Remarks = []CellRemark{}
	}
	return r.out, nil
}

type tableReader struct {
	columns  []column
	at       map[string]int
	from1904 bool
	row      sheet.Row
	of       map[string]int // statement of a borrower
	out      Parsed
}

func (r *tableReader) cell(field string) string {
	if i, there := r.at[field]; there && i < len(r.row.Cells) {
		return strings.TrimSpace(width.Narrow.String(r.row.Cells[i]))
	}
	return ""
}

func (r *tableReader) place(field string) string { return sheet.CellName(r.at[field], r.row.Number) }

func (r *tableReader) bad(field, why string) {
	if len(r.out.Remarks) < maxRemarks {
		r.out.Remarks = append(r.out.Remarks, CellRemark{r.place(field), field, why})
	}
}

// amount reads yuan: "12,345.60", "¥12345.6". An empty cell is 0 where the
// column need not be there.
func (r *tableReader) amount(field string, negative bool) money.Fen {
	text := strings.NewReplacer(",", "", "¥", "", "元", "").Replace(r.cell(field))
	if text == "" && !r.must(field) {
		return 0
	}
	v, err := money.ParseFen(text)
	if err != nil || v > most || v < 0 && (!negative || v < -most) {
		r.bad(field, "write an amount in yuan, such as 12345.60")
		return 0
	}
	return v
}

func (r *tableReader) number(field string, largest int) int {
	text := r.cell(field)
	if text == "" && !r.must(field) {
		return 0
	}
	v, err := strconv.Atoi(strings.TrimSuffix(text, ".0"))
	if err != nil || v < 0 || v > largest {
		r.bad(field, "write a whole number from 0 to "+strconv.Itoa(largest))
		return 0
	}
	return v
}

func (r *tableReader) must(field string) bool {
	return slices.ContainsFunc(r.columns, func(c column) bool { return c.field == field && c.must })
}

// borrower gives the statement of the row's borrower.
func (r *tableReader) borrower(k Kind) (s *Statement, first bool) {
	name := r.cell("borrower")
	if name == "" || len(name) > 100 {
		r.bad("borrower", "write the borrower's id or login")
		return nil, false
	}
	i, known := r.of[name]
	if !known {
		i = len(r.out.Statements)
		r.of[name] = i
		r.out.Statements = append(r.out.Statements, Statement{Borrower: name, Cell: r.place("borrower"), History: History{Kind: k}})
	}
	return &r.out.Statements[i], !known
}

func (r *tableReader) bureau() {
	s, first := r.borrower(Bureau)
	if s == nil {
		return
	}
	if !first {
		r.bad("borrower", "this borrower has a row already, "+s.Cell)
		return
	}
	day, ok := sheet.Day(r.cell("at"), r.from1904)
	if !ok || day.IsZero() {
		r.bad("at", "write the day of the report, such as 2026-05-31")
	}
	s.History.At = day
	s.History.Bureau = &credit.Bureau{
		At: day, Lenders: r.number("lenders", 1000), OpenLoans: r.number("open_loans", 10_000),
		Balance: r.amount("balance", false), MonthlyDue: r.amount("monthly_due", false),
		CardLimit: r.amount("card_limit", false), CardUsed: r.amount("card_used", false),
		Guaranteed: r.amount("guaranteed", false), OverdueNow: r.amount("overdue_now", false),
		WorstOverdueDays: r.number("worst_overdue_days", 3660), OverdueMonths: r.number("overdue_months", 24),
		Queries6m: r.number("queries_6m", 10_000), OldestMonths: r.number("oldest_months", 1200), Judgments: r.number("judgments", 10_000),
	}
}

func (r *tableReader) bank() {
	s, first := r.borrower(Bank)
	if s == nil {
		return
	}
	if first {
		s.History.Bank = &credit.Bank{}
	}
	b := s.History.Bank
	month, ok := monthOf(r.cell("month"), r.from1904)
	switch {
	case !ok:
		r.bad("month", "write a month such as 2026-05")
		return
	case slices.ContainsFunc(b.Months, func(m credit.BankMonth) bool { return m.Month == month.Format("2006-01") }):
		r.bad("month", "this borrower has a row of that month already")
		return
	case len(b.Months) == longest:
		r.bad("month", "at most "+strconv.Itoa(longest)+" months of one borrower are taken")
		return
	}
	b.Months = append(b.Months, credit.BankMonth{
		Month: month.Format("2006-01"), In: r.amount("in", false), Out: r.amount("out", false),
		Low: r.amount("low", true), Returned: r.number("returned", 1000),
	})
	if end := month.AddDate(0, 1, -1); end.After(s.History.At) {
		s.History.At, b.At = end, end
	}
}

// monthOf reads 2026-05, 2026/5, 2026年5月, 202605, and days of the month.
func monthOf(text string, from1904 bool) (time.Time, bool) {
	short := strings.TrimSuffix(strings.NewReplacer("年", "-", "/", "-", ".", "-").Replace(text), "月")
	for _, form := range []string{"2006-1", "200601"} {
		if m, err := time.Parse(form, short); err == nil && m.Year() >= 1990 && m.Year() < 2200 {
			return m, true
		}
	}
	day, ok := sheet.Day(text, from1904)
	if !ok || day.IsZero() {
		return time.Time{}, false
	}
	return day.AddDate(0, 0, 1-day.Day()), day.Year() >= 1990 && day.Year() < 2200
}
