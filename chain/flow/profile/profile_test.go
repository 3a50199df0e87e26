package profile_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/chain/flow/profile"
	"github.com/furrowcredit/furrow/internal/realdata"
	"github.com/furrowcredit/furrow/money"
)

func date(tb testing.TB, s string) money.Date {
	tb.Helper()
	d, err := money.ParseDate(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

const small = `企业代号,发票号码,开票日期,购方单位代号,金额,税额,价税合计,发票状态
甲,1,2025-01-15,客1,100,13,113,有效发票
甲,2,2025/2/3,客2,"1,000.00",130,"1,130.00",有效发票
甲,3,2025-02-03 10:11:12,客2,-100,-13,-113,有效发票
甲,4,20250301,客1,50,6.5,56.5,作废发票
甲,4,20250301,客1,50,6.5,56.5,作废发票
乙,1,2025年3月2日,客1,10,1.3,11.3,有效发票
乙,2,2025-02-30,客1,10,1.3,11.3,有效发票
乙,3,2025-03-03,客1,十元,1.3,,有效发票
,3,2025-03-03,客1,1,1,2,有效发票
乙,3,2025-03-03
乙,5,2025-03-09,客1,1,1,2,不知道

`

func TestReadAndProfile(t *testing.T) {
	t.Parallel()
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String(small)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(gbk)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"utf-8": small, "byte order mark": "\ufeff" + small, "gb18030": gbk, "gzip": packed.String(),
		"crlf": strings.ReplaceAll(small, "\n", "\r\n"), "tabs": strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(small, `"1,000.00"`, "1000"), `"1,130.00"`, "1130"), ",", "\t"),
	} {
		b, err := profile.ReadFrom(t.Context(), strings.NewReader(body), "x.csv")
		if err != nil {
			t.Fatal(name, err)
		}
		want := []profile.File{{File: "x.csv", Side: "out", In: 11, Out: 6, Refused: map[string]profile.Refused{
			"date": {1, 8}, "amount": {1, 9}, "firm": {1, 10}, "columns": {1, 11}, "status": {1, 12},
		}}}
		if d := cmp.Diff(want, b.Files); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		firms := profile.All(b, b.LastDay(), fraud.DefaultRules())
		if len(firms) != 2 || firms[1].Firm != "甲" {
			t.Fatalf("%s: %+v", name, firms)
		}
		f := firms[1]
		side := profile.Side{Invoices: 2, Void: 1, Returned: 1, Amount: 113_000, Tax: 13_000, Back: 11_300, Partners: 2}
		if d := cmp.Diff(side, f.AllSales); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		var got []string
		for _, m := range f.Series {
			got = append(got, fmt.Sprint(m.Month, " ", m.Sales, " ", m.Invoices, " ", m.Void, " ", m.Partial))
		}
		if d := cmp.Diff([]string{"2025-01 113.00 1 0 true", "2025-02 1017.00 1 0 false", "2025-03 0.00 0 1 true"}, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if f.Growth != nil || f.Unknown["growth"] != profile.ShortHistory || f.Unknown["supplier_hhi"] != profile.NoInvoices || f.BuyerHHI == nil || *f.VoidShare != 0.25 {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, body string
		want       error
	}{
		"empty":            {"in.csv", "", profile.ErrFile},
		"a spreadsheet":    {"in.csv", "PK\x03\x04", profile.ErrFile},
		"broken gzip":      {"in.csv.gz", "\x1f\x8bxxxx", profile.ErrFile},
		"no date":          {"in.csv", "firm,counterparty,amount\n", profile.ErrHeader},
		"no amount":        {"in.csv", "firm,counterparty,date\n", profile.ErrHeader},
		"no side":          {"x.csv", "firm,counterparty,date,amount\n", profile.ErrSide},
		"both sides named": {"in_out.csv", "firm,counterparty,date,amount\n", profile.ErrSide},
		"one endless row":  {"in.csv", "firm,counterparty,date,amount\n" + strings.Repeat("x", 2<<20), profile.ErrFile},
	} {
		if _, err := profile.ReadFrom(t.Context(), strings.NewReader(c.body), c.file); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := profile.Read(t.Context(), filepath.Join(t.TempDir(), "none")); !errors.Is(err, profile.ErrFile) {
		t.Error(err)
	}
	if _, err := profile.Read(t.Context(), t.TempDir()); !errors.Is(err, profile.ErrFile) {
		t.Error(err)
	}
}

func TestCutGzipIsRefused(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, "firm,counterparty,date,amount\n")
	for i := range 50_000 {
		_, _ = fmt.Fprintf(z, "a,b%d,2025-01-01,%d.%02d\n", i*7919, i, i%100)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := profile.ReadFrom(t.Context(), bytes.NewReader(packed.Bytes()), "in.csv.gz"); err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{packed.Len() / 2, packed.Len() - 1} {
		if _, err := profile.ReadFrom(t.Context(), bytes.NewReader(packed.Bytes()[:cut]), "in.csv.gz"); !errors.Is(err, profile.ErrFile) {
			t.Errorf("%d bytes of %d: %v", cut, packed.Len(), err)
		}
	}
}

// read gives the one amount and day of a row.
func read(t testing.TB, day, amount string) (profile.Invoice, bool) {
	t.Helper()
	b, err := profile.ReadFrom(t.Context(), strings.NewReader("firm\tcounterparty\tdate\tgross\na\tb\t"+day+"\t"+amount+"\n"), "out.csv")
	if err != nil {
		t.Fatal(err)
	}
	if rows := b.Invoices("a"); len(rows) == 1 {
		return rows[0], true
	}
	return profile.Invoice{}, false
}

func TestAmountsToTheFen(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]money.Fen{
		"0": 0, "1": 100, "1.5": 150, "-943.40": -94340, "1,234.56": 123456, "¥12": 1200, "0.005": 0, "0.015": 2, "0.0051": 1, "2.675": 268,
		"943.4000000001": 94340, "999999999.99": 99_999_999_999, ".5": 50, "+7": 700,
	} {
		if got, ok := read(t, "2025-01-01", in); !ok || got.Amount != want {
			t.Errorf("%s: %d %v, want %d", in, got.Amount, ok, want)
		}
	}
	for _, in := range []string{"", "-", "1e5", "1.2.3", "12a", "99999999999999999999", "1 2", "--"} {
		if got, ok := read(t, "2025-01-01", in); ok && in != "--" {
			t.Errorf("%q is read as %d", in, got.Amount)
		}
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		d := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 70_000).Draw(r, "day"))
		for _, layout := range []string{"2006-01-02", "2006/1/2", "2006.01.02", "20060102", "2006年1月2日", "2006-01-02T15:04:05", "2006-1-2 15:04"} {
			if got, ok := read(t, d.Format(layout), "1"); !ok || got.Day != money.NewDate(d.Date()) {
				t.Errorf("%s: %s %v", d.Format(layout), got.Day, ok)
			}
		}
	})
	for _, in := range []string{"", "2025-02-29", "2025-13-01", "2025-00-10", "2025-1", "1-2-3-4", "01/02/2025", "2025-01-32", "20251301", "soon", "2025年1月"} {
		if got, ok := read(t, in, "1"); ok {
			t.Errorf("%q is read as %s", in, got.Day)
		}
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	asOf := date(t, "2026-05-31")
	var rows []profile.Invoice
	id := uint64(0)
	add := func(day money.Date, out bool, yuan int64, other uint64) {
		id++
		rows = append(rows, profile.Invoice{Day: day, Out: out, Amount: money.Fen(yuan * 100), Other: other, ID: id})
	}
	for m := range 30 {
		day := date(t, "2023-12-15").AddMonths(m)
		yuan := int64(1000)
		if m >= 18 {
			yuan = 1500
		}
		add(day, true, yuan*3/4, 1)
		add(day, true, yuan/4, 2)
		add(day, false, yuan/2, 3)
	}
	f := profile.Of("x", rows, asOf, fraud.DefaultRules())
	for name, c := range map[string]struct {
		got  *float64
		want float64
	}{
		"growth": {f.Growth, 0.5}, "buyer hhi": {f.BuyerHHI, 0.625}, "top buyer": {f.TopBuyer, 0.75}, "supplier hhi": {f.SupplierHHI, 1}, "margin": {f.Margin, 0.5},
		"variation": {f.Variation, 0.2}, "repeat": {f.Repeat, 1}, "returned": {f.Returned, 0}, "void": {f.VoidShare, 0},
	} {
		if c.got == nil || math.Abs(*c.got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	if f.Months != 30 || f.ActiveMonths != 30 || f.LongestGap != 0 || len(f.Unknown) != 0 || len(f.Series) != 30 || f.Series[29].Partial {
		t.Errorf("%+v", f)
	}
	// Half a month more must not look like a fall.
	add(date(t, "2026-06-02"), true, 10, 1)
	if later := profile.Of("x", rows, date(t, "2026-06-10"), fraud.DefaultRules()); later.Growth == nil || math.Abs(*later.Growth-0.5) > 1e-9 {
		t.Errorf("growth %v", *later.Growth)
	}
}

// TestOrderChangesNothing, and a row twice counts once.
func TestOrderChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) profile.Invoice {
			return profile.Invoice{
				Day: money.Date(20_000 + rapid.IntRange(0, 900).Draw(t, "day")), Out: rapid.Bool().Draw(t, "out"), Void: rapid.IntRange(0, 5).Draw(t, "void") == 0,
				Amount: money.Fen(rapid.Int64Range(-1e6, 1e9).Draw(t, "amount")), Other: uint64(rapid.IntRange(0, 5).Draw(t, "other")), ID: rapid.Uint64().Draw(t, "id"),
			}
		}), 0, 40).Draw(t, "rows")
		asOf := money.Date(20_900)
		want := profile.Of("x", append([]profile.Invoice{}, rows...), asOf, fraud.DefaultRules())
		shuffled := append(rapid.Permutation(rows).Draw(t, "order"), rows...)
		got := profile.Of("x", shuffled, asOf, fraud.DefaultRules())
		if got.Repeated -= len(rows); got.Repeated < 0 {
			t.Fatalf("%d rows told twice", got.Repeated)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		var sum money.Fen
		for _, m := range got.Series {
			sum += m.Sales
		}
		if sum != got.AllSales.Amount {
			t.Fatalf("months make %s of %s", sum, got.AllSales.Amount)
		}
		for _, v := range []*float64{got.BuyerHHI, got.TopBuyer, got.SupplierHHI, got.Repeat, got.VoidShare, got.Returned} {
			if v != nil && !(*v >= 0 && *v <= 1) {
				t.Fatalf("%v in %+v", *v, got)
			}
		}
	})
}

func FuzzReadFrom(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("firm,counterparty,date,amount,side\na,\"b\nc\",2025-01-01,1,out\n"))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := profile.ReadFrom(t.Context(), bytes.NewReader(body), "out.csv")
		if err != nil {
			return
		}
		refused := 0
		for _, r := range b.Files[0].Refused {
			refused += r.Rows
		}
		if b.Files[0].In != b.Files[0].Out+refused {
			t.Fatalf("%+v", b.Files[0])
		}
		for _, p := range profile.All(b, b.LastDay(), fraud.DefaultRules()) {
			if p.AllSales.Invoices+p.AllPurchases.Invoices+p.AllSales.Void+p.AllPurchases.Void+p.AllSales.Returned+p.AllPurchases.Returned > b.Files[0].Out {
				t.Fatalf("%+v", p)
			}
		}
	})
}

// invoices of real small firms, with the counts that their publisher gives.
func TestRealFirms(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "credit", "cn_sme_invoices")
	b, err := profile.Read(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, f := range b.Files {
		if rows += f.Out; f.In != f.Out {
			t.Errorf("%+v", f)
		}
	}
	firms := profile.All(b, b.LastDay(), fraud.DefaultRules())
	if rows != 1_099_441 || len(firms) != 425 {
		t.Errorf("%d invoices of %d firms", rows, len(firms))
	}
	byName := map[string]*profile.Firm{}
	findings := 0
	for i := range firms {
		byName[firms[i].Firm] = &firms[i]
		findings += len(firms[i].Findings)
	}
	t.Logf("%d findings", findings)
	if findings > len(firms)/50 {
		t.Errorf("%d findings among %d ordinary firms", findings, len(firms))
	}
	checked := 0
	for _, name := range []string{"firms_123_raw.csv", "firms_302_raw.csv"} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		table, err := csv.NewReader(f).ReadAll()
		if err != nil || f.Close() != nil {
			t.Fatal(err)
		}
		at := map[string]int{}
		for i, h := range table[0] {
			at[h] = i
		}
		for _, row := range table[1:] {
			p := byName[row[0]]
			counts := []int{p.AllSales.Invoices + p.AllSales.Returned, p.AllPurchases.Invoices + p.AllPurchases.Returned, p.AllSales.Void, p.AllPurchases.Void}
			differ := 0 // by the rows that are there twice, which the publisher counts twice
			for i, column := range []string{"有效销项发票数", "有效进项发票数", "作废销项发票数", "作废进项发票数"} {
				n, err := strconv.Atoi(row[at[column]])
				if err != nil || n < counts[i] {
					t.Errorf("%s: %s %d, the publisher says %s", row[0], column, counts[i], row[at[column]])
				}
				differ += n - counts[i]
			}
			if checked++; differ != p.Repeated {
				t.Errorf("%s: %d fewer than the publisher says, %d rows repeated", row[0], differ, p.Repeated)
			}
		}
	}
	t.Logf("the counts of %d firms compared", checked)
}

// BenchmarkProfile reads the invoices of 425 firms and profiles them; the floor is a
// plain scan of the same files by encoding/csv, without keeping anything.
func BenchmarkProfile(b *testing.B) {
	dir := realdata.Dir(b, "credit", "cn_sme_invoices")
	b.Run("furrow", func(b *testing.B) {
		for b.Loop() {
			book, err := profile.Read(b.Context(), dir)
			if err != nil {
				b.Fatal(err)
			}
			profile.All(book, book.LastDay(), fraud.DefaultRules())
		}
	})
	b.Run("plain scan", func(b *testing.B) {
		files, err := filepath.Glob(filepath.Join(dir, "invoices*.csv.gz"))
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			for _, name := range files {
				f, err := os.Open(name)
				if err != nil {
					b.Fatal(err)
				}
				z, err := gzip.NewReader(f)
				if err != nil {
					b.Fatal(err)
				}
				r := csv.NewReader(z)
				r.ReuseRecord = true
				for err == nil {
					_, err = r.Read()
				}
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
				_ = f.Close()
			}
		}
	})
}
