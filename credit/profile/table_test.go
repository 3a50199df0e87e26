package profile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/profile"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/sheet"
)

const bankTable = `流水汇总,,,,,
客户,月份,收入（元）,支出（元）,最低余额,退票
wang,2026-05,"12,345.60",8000,-20.5,1
wang,2026年4月,￥9000,7000.25,100,
li.na,202605,0,0,,0
`

func ExampleParse() {
	p, err := profile.Parse(profile.Bank, []byte(bankTable))
	if err != nil {
		panic(err)
	}
	for _, s := range p.Statements {
		fmt.Println(s.Borrower, s.History.At.Format("2006-01-02"))
		for _, m := range s.History.Bank.Months {
			fmt.Println(" ", m.Month, m.In, m.Out, m.Low, m.Returned)
		}
	}
	// Output:
	// wang 2026-05-31
	//   2026-05 12345.60 8000.00 -20.50 1
	//   2026-04 9000.00 7000.25 100.00 0
	// li.na 2026-05-31
	//   2026-05 0.00 0.00 0.00 0
}

func TestBureauTable(t *testing.T) {
	t.Parallel()
	rows := [][]string{
		{"borrower", "report_date", "balance", "overdue_now", "worst_overdue_days", "queries 6m", "Lenders"},
		{"wang", "2026-06-30", "120000", "0", "12", "3", "2"},
	}
	book, err := sheet.Write("bureau", rows)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Parse(profile.Bureau, book)
	if err != nil || len(p.Remarks) != 0 || len(p.Statements) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	b := p.Statements[0].History.Bureau
	if b.Balance != 12_000_000 || b.WorstOverdueDays != 12 || b.Queries6m != 3 || b.Lenders != 2 || b.At.Format("2006-01-02") != "2026-06-30" {
		t.Errorf("got %+v", b)
	}
}

// Each wrong cell is named, all at once.
func TestCells(t *testing.T) {
	t.Parallel()
	head := "borrower,month,in,out,low,returned\n"
	for name, c := range map[string]struct {
		rows string
		want string // cells with a remark
	}{
		"amounts":        {"wang,2026-05,ten,-1,x,0\n", "C2 D2 E2"},
		"a missing one":  {"wang,2026-05,,1,,\n", "C2"},
		"too large":      {"wang,2026-05,10000000000.01,1,,\n", "C2"},
		"half fen":       {"wang,2026-05,1.005,1,,\n", "C2"},
		"month":          {"wang,2026-13,1,1,,\nwang,May,1,1,,\n", "B2 B3"},
		"month twice":    {"wang,2026-05,1,1,,\nwang,2026/5,1,1,,\n", "B3"},
		"nobody":         {",2026-05,1,1,,\n", "A2"},
		"not whole":      {"wang,2026-05,1,1,,1.5\n", "F2"},
		"several rows":   {"wang,2026-05,a,1,,\nli,2026-05,1,b,,\n", "C2 D3"},
		"nothing at all": {"wang,2026-05,1,1,,\n", ""},
	} {
		p, err := profile.Parse(profile.Bank, []byte(head+c.rows))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var cells []string
		for _, r := range p.Remarks {
			cells = append(cells, r.Cell)
		}
		if got := strings.Join(cells, " "); got != c.want {
			t.Errorf("%s: remarks at %q, want %q: %+v", name, got, c.want, p.Remarks)
		}
	}
	twice := "borrower,date,balance,overdue_now,worst_overdue_days\nwang,2026-05-01,1,0,0\nwang,2026-05-02,1,0,0\n"
	if p, err := profile.Parse(profile.Bureau, []byte(twice)); err != nil || len(p.Remarks) != 1 || p.Remarks[0].Cell != "A3" {
		t.Errorf("two reports of one borrower: %+v, %v", p.Remarks, err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind profile.Kind
		text string
		want error
	}{
		"kind":      {"diary", bankTable, profile.ErrKind},
		"header":    {profile.Bureau, bankTable, profile.ErrFile},
		"no rows":   {profile.Bank, "borrower,month,in,out\n", sheet.ErrEmpty},
		"no column": {profile.Bank, "borrower,month,in\nwang,2026-05,1\n", profile.ErrFile},
	} {
		if _, err := profile.Parse(c.kind, []byte(c.text)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(true, []byte(bankTable))
	f.Add(false, []byte("borrower,date,balance,overdue_now,worst_overdue_days\nwang,46000,1,0,0\n"))
	f.Add(true, []byte("borrower,month,in,out\nw,1904-02,9223372036854775807,1\n"))
	f.Add(false, []byte("\xff\xfe"))
	f.Fuzz(func(t *testing.T, bank bool, body []byte) {
		k := profile.Bureau
		if bank {
			k = profile.Bank
		}
		p, err := profile.Parse(k, body)
		if err != nil {
			if fault.Kind(err) == nil {
				t.Fatalf("an error without a kind: %v", err)
			}
			return
		}
		months := 0
		for _, s := range p.Statements {
			if s.Borrower == "" || (s.History.Bank == nil) == (s.History.Bureau == nil) {
				t.Fatalf("half a statement: %+v", s)
			}
			if s.History.Bank != nil {
				months += len(s.History.Bank.Months)
			}
		}
		if len(p.Remarks) == 0 && (bank && months != p.Rows || !bank && len(p.Statements) != p.Rows) {
			t.Fatalf("%d rows became %d statements of %d months without a remark", p.Rows, len(p.Statements), months)
		}
	})
}
