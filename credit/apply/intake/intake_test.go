package intake_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/furrowcredit/furrow/credit/apply/intake"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sheet"
)

const header = "*借款人,*依据类型,*依据,*产品,*申请金额,币种,*期限,用途,*授权项目,*授权书编号,*授权日期,申请日期,补录原因\n"

const good = "wang,地块,东坡地,农户小额信用贷,\"50,000.00\",CNY,12个月,买种子,决策、作物、征信,SQ-1,2024年2月29日,2024-02-29,网络中断\n"

func product(name string) string {
	if name == "micro" || name == "农户小额信用贷" {
		return "micro"
	}
	return ""
}

func gbk(t testing.TB, s string) []byte {
	t.Helper()
	b, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTablesOfEveryKindSayTheSame(t *testing.T) {
	t.Parallel()
	cells := func(line string) []string {
		return []string{"wang", "地块", "东坡地", "农户小额信用贷", "50,000.00", "CNY", "12", "买种子", "征信、作物、决策", "SQ-1", "2024-02-29", "45351", "网络中断"}
	}
	xlsx, err := sheet.Write("申请", [][]string{{"某县贷款申请"}, strings.Split(strings.TrimSpace(header), ","), cells("")})
	if err != nil {
		t.Fatal(err)
	}
	var hash string
	for name, body := range map[string][]byte{
		"UTF-8": []byte(header + good), "BOM": []byte("\ufeff" + header + good), "GBK": gbk(t, header+good), "XLSX": xlsx,
		"full width": []byte(header + strings.NewReplacer("CNY", "ＣＮＹ", "50,000.00", "５０，０００．００").Replace(good)),
	} {
		f, err := intake.Read(body, product)
		if err != nil || len(f.Rows) != 1 || len(f.Remarks) > 0 {
			t.Fatalf("%s: %+v %v", name, f, err)
		}
		r := f.Rows[0]
		if r.Asked != 5_000_000 || r.TermMonths != 12 || r.Product != "micro" || r.AgreedOn.Format("2006-01-02") != "2024-02-29" ||
			r.StatedOn != money.NewDate(2024, 2, 29) || !slices.Equal(r.Parts, []string{"bureau", "crop", "decision"}) {
			t.Errorf("%s: %+v", name, r)
		}
		if hash == "" {
			hash = r.Hash()
		}
		if r.Hash() != hash {
			t.Errorf("%s: the same wish has another hash", name)
		}
	}
}

func TestBadCellsAreNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		old, new string
		want     *fault.Error
		cell     string
	}{
		"no borrower":         {"wang", "", intake.ErrBorrower, "A2"},
		"unknown kind":        {"地块", "船", intake.ErrKind, "B2"},
		"no subject":          {"东坡地", " ", intake.ErrSubject, "C2"},
		"unknown product":     {"农户小额信用贷", "房贷", intake.ErrProduct, "D2"},
		"zero":                {`"50,000.00"`, "0", intake.ErrAmount, "E2"},
		"negative":            {`"50,000.00"`, "-1", intake.ErrAmount, "E2"},
		"thirds of a fen":     {`"50,000.00"`, "1.333", intake.ErrAmount, "E2"},
		"dollars":             {`"50,000.00"`, "$5", intake.ErrAmount, "E2"},
		"another currency":    {"CNY", "USD", intake.ErrCurrency, "F2"},
		"term":                {"12个月", "1.5", intake.ErrTerm, "G2"},
		"long purpose":        {"买种子", strings.Repeat("买", 201), intake.ErrPurpose, "H2"},
		"no decision":         {"决策、", "", intake.ErrParts, "I2"},
		"unknown consent":     {"征信", "天气", intake.ErrParts, "I2"},
		"no paper":            {"SQ-1", "", intake.ErrProof, "J2"},
		"29 February of 2023": {"2024年2月29日", "2023年2月29日", intake.ErrDay, "K2"},
		"paper of no day":     {"2024-02-29", "2024-02-30", intake.ErrDay, "L2"},
	} {
		f, err := intake.Read([]byte(header+strings.Replace(good, c.old, c.new, 1)), product)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(f.Remarks) != 1 || f.Remarks[0].Code != c.want.Code || f.Remarks[0].Cell != c.cell || !f.Rows[0].Bad {
			t.Errorf("%s: %+v", name, f.Remarks)
		}
	}
	f, err := intake.Read([]byte(header+good+good), product)
	if err != nil || len(f.Remarks) != 1 || f.Remarks[0].Code != intake.ErrTwice.Code || f.Rows[0].Bad || !f.Rows[1].Bad {
		t.Errorf("a row twice: %+v %v", f, err)
	}
	if _, err := intake.Read([]byte("借款人,金额\nwang,1\n"), product); !errors.Is(err, intake.ErrHeader) || !strings.Contains(err.Error(), "授权日期") {
		t.Errorf("missing columns: %v", err)
	}
	if _, err := intake.Read([]byte(header), product); !errors.Is(err, sheet.ErrEmpty) {
		t.Errorf("no rows: %v", err)
	}
}

func TestTheTemplateIsRead(t *testing.T) {
	t.Parallel()
	body, err := intake.Template()
	if err != nil {
		t.Fatal(err)
	}
	if f, err := intake.Read(body, product); err != nil || len(f.Rows) != 1 || len(f.Remarks) > 0 {
		t.Errorf("%+v %v", f, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(header + good))
	f.Add(gbk(f, header+good))
	f.Add([]byte("借款人,金额\n1,2"))
	if b, err := intake.Template(); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		file, err := intake.Read(body, product)
		if err != nil {
			return
		}
		for _, r := range file.Rows {
			if r.Bad {
				continue
			}
			if r.Asked <= 0 || r.TermMonths < 1 || r.Borrower == "" || r.Product == "" || r.Proof == "" || !slices.Contains(r.Parts, "decision") {
				t.Errorf("taken: %+v", r)
			}
		}
	})
}
