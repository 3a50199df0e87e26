package pay_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

var day = money.NewDate(2026, 5, 31)

func TestStatementsOfBanks(t *testing.T) {
	t.Parallel()
	want := []pay.Line{
		{Row: 2, Date: day, Direction: pay.Out, Amount: 123456, OrderID: "o-1", Ref: "r-1", Party: "惠农农资"},
		{Row: 3, Date: day, Direction: pay.In, Amount: 5, OrderID: "o-2", Ref: "r-2"},
	}
	for name, text := range map[string]string{
		"one amount":  "date,direction,amount,currency,order_id,ref,party,memo\n2026-05-31,out,1234.56,CNY,o-1,r-1,惠农农资,\n2026-05-31,in,0.05,CNY,o-2,r-2,,\n",
		"Chinese":     "交易日期,借贷标志,金额(元),币种,商户订单号,银行流水号,对方户名\n2026-05-31,借,\"1,234.56\",人民币,o-1,r-1,惠农农资\n2026/5/31,贷,0.05,RMB,o-2,r-2,\n",
		"two amounts": "交易日期,借方发生额,贷方发生额,订单号,流水号,对方户名\n20260531,1234.56,0.00,o-1,r-1,惠农农资\n20260531,,0.05,o-2,r-2,\n",
	} {
		gbk, err := simplifiedchinese.GBK.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range []string{text, "\ufeff" + text, gbk, strings.ReplaceAll(text, "\n", "\r\n")} {
			got, errs := pay.ParseStatement("s.csv", []byte(body), day)
			if errs != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %+v %v", name, got, errs)
			}
		}
	}
	if got, errs := pay.ParseStatement("s.csv", []byte(strings.Join(want[0].Cells(), ",")+"\n"), day); got != nil || errs == nil {
		t.Errorf("a statement without a header: %+v", got)
	}
}

func TestStatementMistakesHaveTheirPlace(t *testing.T) {
	t.Parallel()
	const head = "date,direction,amount,currency,order_id,ref\n"
	for line, want := range map[string]*fault.Error{
		"2026-02-30,out,1,CNY,o,r":                              pay.ErrCellDate.At("s.csv:A2"),
		"2026-05-30,out,1,CNY,o,r":                              pay.ErrDay.At("s.csv:A2"),
		"2026-05-31,sideways,1,CNY,o,r":                         pay.ErrCellDirection.At("s.csv:B2"),
		"2026-05-31,,1,CNY,o,r":                                 pay.ErrCellDirection.At("s.csv:B2"),
		"2026-05-31,out,1.005,CNY,o,r":                          pay.ErrCellAmount.At("s.csv:C2"),
		"2026-05-31,out,abc,CNY,o,r":                            pay.ErrCellAmount.At("s.csv:C2"),
		"2026-05-31,out,\"1,23\",CNY,o,r":                       pay.ErrCellAmount.At("s.csv:C2"),
		"2026-05-31,out,0,CNY,o,r":                              pay.ErrCellZero.At("s.csv:C2"),
		"2026-05-31,out,-1,CNY,o,r":                             pay.ErrCellZero.At("s.csv:C2"),
		"2026-05-31,out,1,USD,o,r":                              pay.ErrCellCurrency.At("s.csv:D2"),
		"2026-05-31,out,1,CNY,,":                                pay.ErrCellNoNumber.At("s.csv:E2"),
		"2026-05-31,out,1,CNY," + strings.Repeat("x", 65) + ",": pay.ErrCellNumber.At("s.csv:E2"),
	} {
		got, errs := pay.ParseStatement("s.csv", []byte(head+line+"\n"), day)
		var f *fault.Error
		if len(errs) != 1 || got != nil || !errors.As(errs[0], &f) || f.Code != want.Code || f.Place != want.Place {
			t.Errorf("%s: %v, want %s at %s", line, errs, want.Code, want.Place)
		}
	}
	if got, errs := pay.ParseStatement("s.csv", []byte(head), day); errs != nil || len(got) != 0 {
		t.Errorf("a day without movement: %v %v", got, errs)
	}
	if _, errs := pay.ParseStatement("s.csv", []byte("date,amount\n2026-05-31,1\n"), day); len(errs) != 1 || !errors.Is(errs[0], pay.ErrColumns) {
		t.Error(errs)
	}
	if _, errs := pay.ParseStatement("s.csv", []byte(head+"x,y,z,w,,\n1,2,3,4,,\n"), day); len(errs) < 4 {
		t.Errorf("all mistakes are told at once: %v", errs)
	}
}

func FuzzParseStatement(f *testing.F) {
	f.Add([]byte("date,direction,amount,currency,order_id,ref\n2026-05-31,out,1.00,CNY,o,r\n"))
	f.Add([]byte("交易日期,借方发生额,贷方发生额,订单号\n20260531,1,234.5,o\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		lines, errs := pay.ParseStatement("s", body, day)
		if (lines == nil) == (errs == nil) {
			t.Fatalf("%v %v", lines, errs)
		}
		for _, l := range lines {
			if l.Amount <= 0 || l.Date != day || l.Direction != pay.In && l.Direction != pay.Out || l.OrderID == "" && l.Ref == "" {
				t.Fatalf("%+v", l)
			}
		}
	})
}
