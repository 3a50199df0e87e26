package upload_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

var today = time.Date(2026, 5, 20, 0, 0, 0, 0, time.UTC)

func code(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Code
	}
	return ""
}

func TestAmounts(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]money.Fen{
		"1234.56": 123456, "1,234.56": 123456, "1，234.56": 123456, "￥1234.5": 123450, "¥ 1,234": 123400, "1234元": 123400,
		"１２３４．５６": 123456, "12.5万元": 12_500_000, "12.5 万": 12_500_000, "0.000001万": 1, "人民币1000元整": 100_000,
		"1234.5599999999999": 123456, "1.285E+05": 12_850_000, "RMB 5": 500, "128,500": 12_850_000, "12,8500": 12_850_000,
		"100000000000": 10_000_000_000_000,
	} {
		if got, err := upload.ParseAmount(in, 100); err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"abc": "cell.amount", "1.2.3": "cell.amount", "1,23": "cell.amount", "12,345,6": "cell.amount", "": "cell.amount", "0x10": "cell.amount",
		"1e999999999": "cell.amount", "1/3": "cell.amount", "12.345": "cell.amount_decimals", "0": "cell.amount_not_positive",
		"-5": "cell.amount_not_positive", "(1,000.00)": "cell.amount_not_positive", "100000000000.01": "cell.amount_too_large",
		"9e99": "cell.amount_too_large", "NaN": "cell.amount", "一百元": "cell.amount",
	} {
		if got, err := upload.ParseAmount(in, 100); code(err) != want {
			t.Errorf("%s: %s %v, want %s", in, got, err, want)
		}
	}
	if got, err := upload.ParseAmount("12.5", 1_000_000); err != nil || got != 12_500_000 {
		t.Errorf("12.5 under a header in 万元 is %s, %v", got, err)
	}
}

// TestAmountsAsWritten: what money prints is read back.
func TestAmountsAsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := money.Fen(rapid.Int64Range(1, 10_000_000_000_000).Draw(t, "fen"))
		if got, err := upload.ParseAmount("¥"+f.String()+"元", 100); err != nil || got != f {
			t.Fatalf("%s: %s %v", f, got, err)
		}
	})
}

func TestDates(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"2026-02-28": "2026-02-28", "2026/2/28": "2026-02-28", "2026年2月28日": "2026-02-28", "2026.02.28": "2026-02-28",
		"20260228": "2026-02-28", "46081": "2026-02-28", "46081.75": "2026-02-28", "２０２６－０２－２８": "2026-02-28",
		"2026-02-28 13:45:00": "2026-02-28", "2026-02-28T00:00:00Z": "2026-02-28", "2024-02-29": "2024-02-29", " 2026-5-1 ": "2026-05-01",
		"2026-05-21": "2026-05-21",
	} {
		if got, err := upload.ParseDate(in, false, today); err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"2026-02-30": "cell.date_not_exist", "2025-02-29": "cell.date_not_exist", "20261301": "cell.date_not_exist", "2026年2月30日": "cell.date_not_exist",
		"2026-00-10": "cell.date_not_exist", "2027-01-01": "cell.date_future", "2026-05-23": "cell.date_future", "1999-12-31": "cell.date_old",
		"28/02/2026": "cell.date", "26-2-28": "cell.date", "yesterday": "cell.date", "12": "cell.date",
	} {
		if got, err := upload.ParseDate(in, false, today); code(err) != want {
			t.Errorf("%s: %s %v, want %s", in, got, err, want)
		}
	}
	if got, err := upload.ParseDate("44619", true, today); err != nil || got != "2026-02-28" {
		t.Errorf("serial of the 1904 calendar: %s %v", got, err)
	}
}

// TestSignedAmounts: what is taken back, and the units that people write.
func TestSignedAmounts(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]money.Fen{
		"-5": -500, "(1,234.50)": -123_450, "（1,234.50）": -123_450, "-￥3": -300, "￥-3": -300, "−7": -700, "0": 0, "-0.01元": -1,
		"1.5亿元": 15_000_000_000, "3千元": 300_000, "-12.5万": -12_500_000, "1,234,567,890.12": 123_456_789_012, "12": 1200, "0.5": 50,
	} {
		if got, err := upload.ParseMoney(in, 100); err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", in, got, err, want)
		}
	}
	if got, err := upload.ParseMoney("12元", 1_000_000); err != nil || got != 1200 {
		t.Errorf("the unit of the cell goes before that of the header: %s %v", got, err)
	}
	for _, in := range []string{"--5", "-(5)", "5-", "1,23", "1,2345.6,7", ".5", "5.", ",5", "1,,000"} {
		if got, err := upload.ParseMoney(in, 100); err == nil {
			t.Errorf("%s is %s", in, got)
		}
	}
}

// FuzzPart: a part that was damaged is an error, never a crash nor a huge memory.
func FuzzPart(f *testing.F) {
	for _, raw := range []string{"", "\x01\x02ab\x00\x01c", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		packed, err := upload.Pack(raw)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := upload.GoodRows(packed, 3); err == nil && n > len(raw) {
			t.Errorf("%d rows in %d bytes", n, len(raw))
		}
		_, _ = upload.GoodRows(raw, 3)
	})
}

func FuzzCell(f *testing.F) {
	for _, s := range []string{"1,234.56", "12万元", "2026-02-30", "46081", "(5)", "1e5", "２０２６年２月２８日"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := upload.ParseAmount(s, int64(100+999_900*(len(s)%2))); err == nil && (v <= 0 || v > 10_000_000_000_000) {
			t.Errorf("%q is %s", s, v)
		}
		if d, err := upload.ParseDate(s, false, today); err == nil {
			if at, err := time.Parse(time.DateOnly, d); err != nil || at.After(today.AddDate(0, 0, 1)) || at.Year() < 2000 {
				t.Errorf("%q is %q", s, d)
			}
		}
	})
}
