package receipt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/extract/receipt"
	"github.com/furrowcredit/furrow/internal/realdata"
)

func ExampleLines() {
	r := receipt.Lines([]string{
		"HIJAU VALLEY MART SDN BHD", "(112233-X)", "NO 5, JALAN PADI 2,", "TAMAN HIJAU, 43000 KAJANG", "TEL: 03-1234567", "TAX INVOICE",
		"DATE: 05/03/2018 10:11", "RICE 5KG", "26.48", "SUB TOTAL", "26.48", "ROUNDING ADJ", "0.02", "TOTAL", "26.50", "CASH", "50.00", "CHANGE", "23.50",
	})
	fmt.Printf("%s\n%s\n%s\n%s\n", r.Company, r.Address, r.Date, r.Total)
	// Output:
	// HIJAU VALLEY MART SDN BHD
	// NO 5, JALAN PADI 2, TAMAN HIJAU, 43000 KAJANG
	// 2018-03-05
	// 26.50
}

func TestDay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"25/12/2018 8:13:39 PM": "2018-12-25", "12-01-19 21:13": "2019-01-12", "05 MAR 2018": "2018-03-05", "30DEC17": "2017-12-30",
		"MAR 5, 2018": "2018-03-05", "2018-03-05": "2018-03-05", "20180305": "2018-03-05", "12/25/2018": "2018-12-25", "#19- 24/07/2016": "2016-07-24",
		"31/02/2018": "", "TEL 03-1234-5678": "", "no day": "",
	} {
		if got := receipt.Day(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestTotals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ lines, want string }{
		"cash is not the total":    {"TOTAL|9.00|CASH|10.00|CHANGE|1.00", "9.00"},
		"after rounding":           {"TOTAL|RM 33.92|ROUNDING ADJUSTMENT|-RM 0.02|TOTAL ROUNDED|RM 33.90|CASH|RM 50.00|CHANGE|RM 16.10", "33.90"},
		"not the sum without tax":  {"TOTAL EXCL GST|100.00|TOTAL INCL GST|106.00", "106.00"},
		"not the summary of taxes": {"TOTAL|10.60|GST SUMMARY|TOTAL|10.00|0.60", "10.60"},
		"read by columns":          {"TOTAL SALES|CASH|CHANGE|RM|RM|RM|108.50|150.00|41.50", "108.50"},
		"not the number of things": {"TOTAL QTY: 3.00|TOTAL: 1,234.50", "1234.50"},
		"by card":                  {"TOTAL|RM|88.17|VISA|RM|88.17", "88.17"},
		"no sum":                   {"TOTAL|CASH", ""},
	} {
		if got := receipt.Lines(strings.Split(c.lines, "|")).Total; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestRealReceipts measures on real receipts. The rules were made on every other receipt;
// the rest was held out.
func TestRealReceipts(t *testing.T) {
	t.Parallel()
	f, err := os.Open(filepath.Join(realdata.Dir(t, "chain"), "sroie.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := receipt.ReadSamples(f, "sroie.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for half, floor := range map[int]float64{0: 0.90, 1: 0.86} {
		var samples []receipt.Sample
		var read []receipt.Receipt
		for i, s := range all {
			if i%2 == half {
				samples, read = append(samples, s), append(read, receipt.Lines(s.Lines))
			}
		}
		s := receipt.Judge(samples, read)
		t.Logf("half %d: %+v", half, s)
		if s.All.F1 < floor {
			t.Errorf("half %d: F1 %.3f, want at least %.2f", half, s.All.F1, floor)
		}
	}
}

const special = `                     增值税专用发票
发票代码：3700211130                     发票号码：00412345
                                         开票日期：2026年03月15日
购买方  名　　称：青穗粮油集团有限公司          密码区
        纳税人识别号：91990000MA0TEMPE3R
货物或应税劳务、服务名称   规格型号  单位  数量  单价   金额    税率   税额
*谷物*玉米                           吨    10    1000  10000.00  9%  900.00
合　　计                                            ￥10000.00      ￥900.00
价税合计（大写）  壹万零玖佰圆整             （小写）￥10900.00
销售方  名　　称：临溪县禾垄种植专业合作社
        纳税人识别号：91350900587527783P
`

const digital = `电子发票（普通发票）
发票号码：26372000000012345678
开票日期：2026年04月01日
购 名称：青穗粮油集团有限公司                销 名称：临溪种业有限公司
统一社会信用代码/纳税人识别号：91990000MA0TEMPE3R   统一社会信用代码/纳税人识别号：91350900587527783P
项目名称  规格型号  单位  数量  单价  金额  税率/征收率  税额
*农产品*种子   袋  2  50.00  100.00  免税  ***
合  计   ¥100.00   ***
价税合计（大写） ⊗壹佰圆整   （小写）¥100.00
`

func TestInvoices(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want receipt.Invoice
	}{
		"special": {special, receipt.Invoice{
			Type: chain.SpecialInvoice, Code: "3700211130", Number: "00412345", Date: "2026-03-15", Seller: "临溪县禾垄种植专业合作社", SellerTax: "91350900587527783P",
			Buyer: "青穗粮油集团有限公司", BuyerTax: "91990000MA0TEMPE3R", Amount: 1000000, Tax: 90000, Total: 1090000, Goods: "玉米",
		}},
		"digital": {digital, receipt.Invoice{
			Type: chain.DigitalGeneralInvoice, Number: "26372000000012345678", Date: "2026-04-01", Seller: "临溪种业有限公司", SellerTax: "91350900587527783P",
			Buyer: "青穗粮油集团有限公司", BuyerTax: "91990000MA0TEMPE3R", Amount: 10000, Total: 10000, Goods: "种子",
		}},
		"sums that differ": {strings.Replace(special, "10900.00", "10901.00", 1), receipt.Invoice{
			Type: chain.SpecialInvoice, Code: "3700211130", Number: "00412345", Date: "2026-03-15", Seller: "临溪县禾垄种植专业合作社", SellerTax: "91350900587527783P",
			Buyer: "青穗粮油集团有限公司", BuyerTax: "91990000MA0TEMPE3R", Amount: 1000000, Tax: 90000, Total: 1090100, Goods: "玉米", Doubts: []string{"total"},
		}},
		"no invoice": {"今天天气很好", receipt.Invoice{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := receipt.ReadInvoice(c.text)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if isInvoice := receipt.IsInvoice(c.text); isInvoice != (c.want.Number != "") {
				t.Error("is an invoice:", isInvoice)
			}
			if f, ok := got.Fact(c.text); ok && (c.text[f.Start:f.End] != f.Quote || f.Head != c.want.Seller) {
				t.Errorf("%+v", f)
			}
		})
	}
}

func FuzzLines(f *testing.F) {
	f.Add("TOTAL|9.00|CASH|10.00|CHANGE|1.00")
	f.Add("A SDN BHD|(1-X)|NO 5, JALAN|12/12/12|99999999999999999999.99")
	f.Fuzz(func(_ *testing.T, text string) { receipt.Lines(strings.Split(text, "|")) })
}

func FuzzReadInvoice(f *testing.F) {
	f.Add(special)
	f.Add(digital)
	f.Add("名称:名称:名称: 合计¥9999999999999999999.99")
	f.Fuzz(func(t *testing.T, text string) {
		v := receipt.ReadInvoice(text)
		if fact, ok := v.Fact(text); ok && text[fact.Start:fact.End] != fact.Quote {
			t.Error(fact)
		}
	})
}
