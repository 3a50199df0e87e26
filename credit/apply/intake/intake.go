// Package intake reads tables of applications, XLSX or CSV, as officers and partners send
// them: what each row asks for, and what is wrong with each cell. It knows nothing of who
// the borrowers are. docs/formats/intake.md describes the file.
package intake

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/width"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sheet"
)

// ErrHeader is returned for a table without the columns that must be there.
var ErrHeader = fault.New(fault.Invalid, "intake.header", "the columns {columns} are missing; use the template")

// What can be wrong with a cell.
var (
	ErrBorrower = fault.New(fault.Invalid, "intake.borrower", "write the borrower's login or id")
	ErrKind     = fault.New(fault.Invalid, "intake.kind", "write 地块, 畜群 or 企业 (plot, herd or firm)")
	ErrSubject  = fault.New(fault.Invalid, "intake.subject", "write the id or the name of the borrower's plot, herd or firm")
	ErrProduct  = fault.New(fault.Invalid, "intake.product", "there is no product {value}")
	ErrAmount   = fault.New(fault.Invalid, "intake.amount", "write an amount in yuan above zero, such as 50000.00")
	ErrCurrency = fault.New(fault.Invalid, "intake.currency", "only CNY (人民币) is lent, not {value}")
	ErrTerm     = fault.New(fault.Invalid, "intake.term", "write the months as a whole number, such as 12")
	ErrPurpose  = fault.New(fault.Invalid, "intake.purpose", "describe the purpose in at most 200 characters")
	ErrParts    = fault.New(fault.Invalid, "intake.consents", "write what the borrower agreed to, 决策 among it, such as 决策、作物、征信")
	ErrProof    = fault.New(fault.Invalid, "intake.proof", "write the number of the signed consent")
	ErrDay      = fault.New(fault.Invalid, "intake.day", "write a day that exists, such as 2026-05-31")
	ErrTwice    = fault.New(fault.Invalid, "intake.twice", "this application stands in row {row} already")
)

// Row is one application.
type Row struct {
	Number     int // in the spreadsheet
	Borrower   string
	Kind       credit.SubjectKind
	Subject    string // id or name
	Product    string // code
	Asked      money.Fen
	TermMonths int
	Purpose    string
	Parts      []string // of the evidence that the borrower agreed to, in order
	Proof      string
	AgreedOn   time.Time  // midnight UTC of the day
	StatedOn   money.Date // of the paper, 0 when it does not say
	Why        string     // it was entered later
	Bad        bool       // it has remarks
}

// Hash is that of what the row asks for: the same wish has the same, wherever it stands.
func (r Row) Hash() string {
	return credit.Hash([]byte(strings.Join([]string{
		r.Borrower, string(r.Kind), r.Subject, r.Product, strconv.FormatInt(int64(r.Asked), 10), strconv.Itoa(r.TermMonths),
		r.Purpose, r.Proof, r.AgreedOn.Format(time.DateOnly), r.StatedOn.String(), strings.Join(r.Parts, ","),
	}, "\x1f")))
}

// Remark is what is wrong with one cell.
type Remark struct {
	Cell   string            `json:"cell"`   // "C7"
	Column string            `json:"column"` // field
	Code   string            `json:"code"`
	Why    string            `json:"why"`
	Args   map[string]string `json:"args,omitempty"`
}

// File is a table that was read.
type File struct {
	Rows    []Row
	Remarks []Remark
	at      map[string]int
}

// maxRemarks is how many are told; nobody mends more at once.
const maxRemarks = 1000

// Remark adds what is wrong with a row.
func (f *File) Remark(row int, field string, err error) {
	f.Rows[row].Bad = true
	if len(f.Remarks) >= maxRemarks {
		return
	}
	m := Remark{Cell: sheet.CellName(f.at[field], f.Rows[row].Number), Column: field, Why: err.Error()}
	var known *fault.Error
	if errors.As(err, &known) {
		m.Code, m.Args = known.Code, known.Args
	}
	f.Remarks = append(f.Remarks, m)
}

type column struct {
	field, zh string
	also      []string // further names, folded
	must      bool
	sample    string
}

var columns = []column{
	{"borrower", "借款人", []string{"借款人账号", "客户", "客户号"}, true, "wang"},
	{"kind", "依据类型", []string{"类型"}, true, "地块"},
	{"subject", "依据", []string{"地块", "畜群", "企业", "名称"}, true, "东坡地"},
	{"product", "产品", []string{"贷款产品", "产品代码"}, true, "micro"},
	{"asked", "申请金额", []string{"金额", "amount"}, true, "50,000.00"},
	{"currency", "币种", nil, false, "CNY"},
	{"term", "期限", []string{"期限月", "月数", "termmonths"}, true, "12"},
	{"purpose", "用途", []string{"贷款用途"}, false, "买种子化肥"},
	{"consents", "授权项目", []string{"授权", "同意项目"}, true, "决策、作物、征信"},
	{"proof", "授权书编号", []string{"同意书编号"}, true, "SQ-2026-0001"},
	{"agreed_on", "授权日期", []string{"同意日期"}, true, "2026-05-20"},
	{"stated_on", "申请日期", []string{"纸质申请日期"}, false, ""},
	{"reason", "补录原因", nil, false, ""},
}

// Template makes the XLSX that officers fill in: Chinese headers, required ones marked *,
// and one sample row.
func Template() ([]byte, error) {
	header, sample := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		header[i], sample[i] = c.zh, c.sample
		if c.must {
			header[i] = "*" + c.zh
		}
	}
	return sheet.Write("贷款申请", [][]string{header, sample})
}

// parts of the evidence as people write them.
var parts = map[string]string{
	"决策": "decision", "自动决策": "decision", "作物": "crop", "地块": "crop", "卫星": "crop", "畜群": "herd", "耳标": "herd",
	"交易": "standing", "产业链": "standing", "征信": "bureau", "流水": "bank", "银行流水": "bank",
	"decision": "decision", "crop": "crop", "herd": "herd", "standing": "standing", "bureau": "bureau", "bank": "bank",
}

var kinds = map[string]credit.SubjectKind{
	"地块": credit.PlotSubject, "plot": credit.PlotSubject, "畜群": credit.HerdSubject, "herd": credit.HerdSubject,
	"企业": credit.FirmSubject, "firm": credit.FirmSubject,
}

func fold(s string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "", "*", "", "（元）", "", "(元)", "", "（月）", "", "(月)", "").
		Replace(width.Narrow.String(strings.TrimSpace(s))))
}

// layout finds the columns in a header; missing are those that must be there and are not.
func layout(cells []string) (at map[string]int, missing []string) {
	at = map[string]int{}
	for _, c := range columns {
		i := slices.IndexFunc(cells, func(cell string) bool {
			name := fold(cell)
			return name == fold(c.zh) || name == fold(c.field) || slices.Contains(c.also, name)
		})
		switch {
		case i >= 0:
			at[c.field] = i
		case c.must:
			missing = append(missing, c.zh)
		}
	}
	return at, missing
}

// Read takes a table apart. product gives the code of a product by code or name, "" for
// none. ErrHeader, and the errors of package sheet.
func Read(body []byte, product func(name string) string) (*File, error) {
	head := -1
	out := &File{Rows: []Row{}, Remarks: []Remark{}}
	var missing []string
	find := func(t *sheet.Table) bool {
		for i, r := range t.Rows[:min(len(t.Rows), sheet.HeaderRows)] {
			at, lacks := layout(r.Cells)
			if missing == nil || len(lacks) < len(missing) {
				missing = lacks
			}
			if len(lacks) == 0 {
				head, out.at = i, at
				return true
			}
		}
		return false
	}
	t, err := sheet.Read(body, find)
	if err != nil {
		return nil, err
	}
	if !find(t) {
		return nil, ErrHeader.With("columns", strings.Join(missing, "、"))
	}
	if err := t.Split(head); err != nil {
		return nil, err
	}
	first := map[string]int{}
	for _, row := range t.Rows[head+1:] {
		r := reader{out, row, t.From1904, len(out.Rows)}
		out.Rows = append(out.Rows, Row{Number: row.Number})
		r.read(product)
		if x := out.Rows[r.i]; !x.Bad {
			hash := x.Hash()
			if n, twice := first[hash]; twice {
				out.Remark(r.i, "borrower", ErrTwice.With("row", n))
			} else {
				first[hash] = row.Number
			}
		}
	}
	if len(out.Rows) == 0 {
		return nil, sheet.ErrEmpty
	}
	return out, nil
}

type reader struct {
	*File
	row      sheet.Row
	from1904 bool
	i        int
}

func (r reader) cell(field string) string {
	if i, there := r.at[field]; there && i < len(r.row.Cells) {
		return strings.TrimSpace(width.Narrow.String(r.row.Cells[i]))
	}
	return ""
}

func (r reader) read(product func(string) string) {
	x := &r.Rows[r.i]
	bad := func(field string, err error) { r.Remark(r.i, field, err) }
	if x.Borrower = r.cell("borrower"); x.Borrower == "" || len(x.Borrower) > 100 {
		bad("borrower", ErrBorrower)
	}
	if x.Kind = kinds[fold(r.cell("kind"))]; x.Kind == "" {
		bad("kind", ErrKind)
	}
	if x.Subject = r.cell("subject"); x.Subject == "" || len(x.Subject) > 300 {
		bad("subject", ErrSubject)
	}
	if name := r.cell("product"); name != "" {
		x.Product = product(name)
	}
	if x.Product == "" {
		bad("product", ErrProduct.With("value", short(r.cell("product"))))
	}
	if c := r.cell("currency"); c != "" && !slices.Contains([]string{"cny", "rmb", "人民币", "元"}, strings.ToLower(c)) {
		bad("currency", ErrCurrency.With("value", short(c)))
	}
	asked, err := money.ParseFen(strings.NewReplacer(",", "", "¥", "", "元", "").Replace(r.cell("asked")))
	if x.Asked = asked; err != nil || asked <= 0 {
		bad("asked", ErrAmount)
	}
	months := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(r.cell("term"), "月"), "个"), ".0")
	if x.TermMonths, err = strconv.Atoi(months); err != nil || x.TermMonths < 1 || x.TermMonths > 360 {
		bad("term", ErrTerm)
	}
	if x.Purpose = r.cell("purpose"); len([]rune(x.Purpose)) > 200 {
		bad("purpose", ErrPurpose)
	}
	r.consent(x, bad)
	x.Why = r.cell("reason")
	if text := r.cell("stated_on"); text != "" {
		if day, ok := r.day(text); ok {
			x.StatedOn = money.NewDate(day.Year(), day.Month(), day.Day())
		} else {
			bad("stated_on", ErrDay)
		}
	}
}

func (r reader) consent(x *Row, bad func(string, error)) {
	for _, p := range strings.FieldsFunc(r.cell("consents"), func(c rune) bool { return strings.ContainsRune("、､,;/ ，；", c) }) {
		code := parts[strings.ToLower(p)]
		if code == "" {
			bad("consents", ErrParts)
			return
		}
		if !slices.Contains(x.Parts, code) {
			x.Parts = append(x.Parts, code)
		}
	}
	slices.Sort(x.Parts)
	if !slices.Contains(x.Parts, "decision") {
		bad("consents", ErrParts)
	}
	if x.Proof = r.cell("proof"); x.Proof == "" || len(x.Proof) > 200 {
		bad("proof", ErrProof)
	}
	day, ok := r.day(r.cell("agreed_on"))
	if x.AgreedOn = day; !ok {
		bad("agreed_on", ErrDay)
	}
}

// day reads a day that exists, within the years that a paper can be of.
func (r reader) day(text string) (time.Time, bool) {
	day, ok := sheet.Day(text, r.from1904)
	return day, ok && !day.IsZero() && day.Year() >= 1990 && day.Year() < 2200
}

func short(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
