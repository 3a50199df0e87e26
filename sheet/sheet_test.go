package sheet_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/sheet"
)

func anyTable(*sheet.Table) bool { return true }

func TestWrittenIsRead(t *testing.T) {
	t.Parallel()
	rows := [][]string{{"发票号码", "金额"}, {"25992000000012345678", "1,000.00"}, {"", ""}, {"a\nb", "=1+1"}}
	body, err := sheet.Write("发票", rows)
	if err != nil {
		t.Fatal(err)
	}
	got, err := sheet.Read(body, anyTable)
	if err != nil {
		t.Fatal(err)
	}
	want := []sheet.Row{{Number: 1, Cells: rows[0]}, {Number: 2, Cells: rows[1]}, {Number: 4, Cells: rows[3]}}
	if d := cmp.Diff(want, got.Rows); d != "" {
		t.Error(d)
	}
}

func TestDay(t *testing.T) {
	t.Parallel()
	leap := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		text     string
		from1904 bool
		day      time.Time
		ok       bool
	}{
		{"2024-02-29", false, leap, true},
		{"2024/2/29 08:15", false, leap, true},
		{"2024年2月29日", false, leap, true},
		{"20240229", false, leap, true},
		{"45351", false, leap, true},
		{"45351.5", false, leap, true},
		{"43889", true, leap, true},
		{"2023-02-29", false, time.Time{}, true},
		{"29.2.2024", false, time.Time{}, false},
		{"today", false, time.Time{}, false},
	} {
		if day, ok := sheet.Day(c.text, c.from1904); !day.Equal(c.day) || ok != c.ok {
			t.Errorf("%s: %s %v", c.text, day, ok)
		}
	}
}

func FuzzRead(f *testing.F) {
	body, err := sheet.Write("x", [][]string{{"a", "b"}, {"1", "2"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte("a;b\n\"1\n2\";3\n"))
	f.Add([]byte("\xff\xfea\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := sheet.Read(body, anyTable)
		if err != nil {
			if fault.Kind(err) == nil {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		last := 0
		for _, r := range got.Rows {
			if r.Number <= last || len(r.Cells) == 0 {
				t.Fatalf("row %d after %d with %d cells", r.Number, last, len(r.Cells))
			}
			last = r.Number
		}
	})
}
