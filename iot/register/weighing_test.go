package register_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/furrowcredit/furrow/iot/register"
)

var weighDay = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func readWeighings(tb testing.TB, body string) register.File {
	tb.Helper()
	f, err := register.ReadWeighings([]byte(body), register.Options{Today: weighDay})
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func TestReadWeighings(t *testing.T) {
	t.Parallel()
	want := "cn-67 215252600000001 2026-05-31 412.5 scale|cn-67 215252600000002 2026-05-30 398 tape"
	workbook := excelize.NewFile()
	for i, row := range [][]any{{"东场称重记录"}, {"耳标号", "称重日期", "体重（kg）", "称重方法"},
		{"215252600000001", "2026-05-31", 412.5, "地磅"}, {"215252600000002", 46172, "398公斤", "胸围"}} {
		if err := workbook.SetSheetRow("Sheet1", fmt.Sprint("A", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	var book bytes.Buffer
	if err := workbook.Write(&book); err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"Chinese":  "耳标号,称重日期,体重,称重方法\n215252600000001,2026/5/31,412.5,\n215252600000002,2026年5月30日,398公斤,胸围\n",
		"English":  "weight_kg,date,ear_tag,method\n412.5,2026-05-31,215252600000001,scale\n398,20260530,215252600000002,tape\n",
		"workbook": book.String(),
	} {
		f := readWeighings(t, body)
		var got []string
		for _, w := range f.Weighings {
			got = append(got, fmt.Sprint(w.Code.Scheme, " ", w.Code.Code, " ", w.At.Format(time.DateOnly), " ", w.Kg, " ", w.Method))
		}
		if read, err := register.Read([]byte(body), register.Options{Today: weighDay}); err != nil || len(read.Weighings) != 2 {
			t.Errorf("%s: not known as weighings: %+v, %v", name, read, err)
		}
		if s := strings.Join(got, "|"); s != want || f.Read != 2 || len(f.Refusals) != 0 {
			t.Errorf("%s: %s, %+v", name, s, f.Refusals)
		}
	}
}

func TestReadWeighingsRefuses(t *testing.T) {
	t.Parallel()
	f := readWeighings(t, `耳标号,称重日期,体重,称重方法
215252600000001,2026-05-31,412.5,
215252600000001,2026-05-31,413,
215252600000003,2026-06-02,400,
215252600000004,,400,
,2026-05-31,400,
215252600000006,2026-05-31,-4,
215252600000007,2026-05-31,4000,
215252600000008,2026-05-31,400,魔法
12,2026-05-31,400,
`)
	var got []string
	for _, r := range f.Refusals {
		got = append(got, fmt.Sprint(r.Row, " ", r.Cell, " ", r.Code))
	}
	if f.Read != 9 || len(f.Weighings) != 1 || len(got) != 8 {
		t.Errorf("%d read, %d kept, refused %s", f.Read, len(f.Weighings), strings.Join(got, "\n"))
	}
	for _, want := range []string{"4 B4 import.future", "5 B5 import.no_date", "6 A6 ", "7 C7 import.kg", "8 C8 import.kg", "9 D9 import.word", "10 A10 "} {
		if !strings.Contains(strings.Join(got, "\n")+"\n", want) {
			t.Errorf("no %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
	for _, body := range []string{"耳标号,体重\n1,2\n", "称重日期,体重\n2026-05-31,2\n", "耳标号,称重日期\n1,2026-05-31\n"} {
		if _, err := register.ReadWeighings([]byte(body), register.Options{Today: weighDay}); !errors.Is(err, register.ErrHeader) {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func FuzzReadWeighings(f *testing.F) {
	f.Add([]byte("耳标号,称重日期,体重,称重方法\n215252600000001,2026-05-31,412.5,地磅\n"))
	f.Add([]byte("ear_tag,date,kg\n215252600000001,46172,1e3\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := register.ReadWeighings(body, register.Options{Today: weighDay})
		if err != nil {
			return
		}
		refused := map[register.Place]bool{}
		for _, r := range got.Refusals {
			refused[r.Place] = true
		}
		if got.Read != len(got.Weighings)+len(refused) {
			t.Errorf("%d read, %d kept, %d refused", got.Read, len(got.Weighings), len(refused))
		}
		for _, w := range got.Weighings {
			if !(w.Kg > 0 && w.Kg <= 3000) || w.At.IsZero() || w.At.After(weighDay) || w.Method == "" || w.Code.Validate("") != nil {
				t.Errorf("%+v", w)
			}
		}
	})
}
