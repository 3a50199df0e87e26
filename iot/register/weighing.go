package register

import (
	"github.com/furrowcredit/furrow/sheet"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
)

var (
	errKg     = fault.New(fault.Invalid, "import.kg", "write the weight as a number of kilograms above 0 and at most 3000")
	errNoDate = fault.New(fault.Invalid, "import.no_date", "the day of the weighing is missing")
)

// heaviest is the greatest weight in kg that a table may say of one animal.
const heaviest = 3000

// weighingColumns are the columns of a table of weighings.
func weighingColumns() []column {
	return []column{
		animalColumns()[0],
		{"scheme", "标识体系", "scheme", []string{"编码体系", "标识类型", "identifier scheme"}, ""},
		{"at", "称重日期", "date", []string{"称量日期", "测定日期", "日期", "weighing date", "weighed at", "weighed"}, "2026-05-31"},
		{"kg", "体重", "weight_kg", []string{"体重kg", "体重公斤", "重量", "活重", "kg", "weight", "live weight", "body weight"}, "412.5"},
		{"method", "称重方法", "method", []string{"方法", "称重方式", "测定方法", "weighing method"}, "地磅"},
	}
}

// methods are the words for ways of weighing; the first of each list is the code.
var methods = [][]string{
	{"scale", "scale", "地磅", "磅秤", "电子秤", "台秤", "称重", "weighbridge"},
	{"walk_over", "walk_over", "通道秤", "自动称重", "walk over", "walk-over"},
	{"tape", "tape", "体尺", "胸围", "体重尺", "girth"},
	{"estimate", "estimate", "估重", "目测", "估计", "visual"},
}

// ReadWeighings reads a table of weighings (XLSX, CSV): an animal's code, day, kg, and
// how it was weighed, on a scale unless it says otherwise. Mistakes in cells are
// Refusals; an error says that the file as a whole cannot be read. Read = Weighings +
// refused rows.
func ReadWeighings(body []byte, opt Options) (File, error) {
	if len(body) > sheet.MaxBytes {
		return File{}, sheet.ErrTooLarge.With("mib", sheet.MaxBytes>>20)
	}
	columns := weighingColumns()
	t, err := sheet.Read(body, func(t *sheet.Table) bool { _, err := find(t, columns, "kg"); return err == nil })
	if err != nil {
		return File{}, err
	}
	if len(t.Rows) == 0 {
		return File{}, sheet.ErrEmpty
	}
	l, err := find(t, columns, "kg")
	if err != nil {
		return File{}, err
	}
	for _, c := range columns {
		if _, ok := l.at[c.field]; !ok && (c.field == "code" || c.field == "at") {
			return File{}, ErrHeader.With("columns", c.zh+" ("+c.en+")")
		}
	}
	f := File{Format: "table", from: map[string]string{}}
	for _, r := range t.Rows[l.row+1:] {
		f.Read++
		line := line{Row: r, layout: &l}
		w := line.weighing(t.From1904, opt)
		key := w.Code.Scheme + " " + w.Code.Code + " " + w.At.String() + " " + w.Method
		if first, twice := f.from[key]; twice && len(line.refused) == 0 {
			f.refuse(w.Place, errTwice.With("first", first))
			continue
		}
		if len(line.refused) > 0 {
			f.Refusals = append(f.Refusals, line.refused...)
			continue
		}
		f.from[key] = w.String()
		f.Weighings = append(f.Weighings, w)
	}
	return f, nil
}

// weighing reads the cells of a row, each by itself.
func (l *line) weighing(from1904 bool, opt Options) Weighing {
	w := Weighing{Place: Place{Row: l.Number}}
	scheme := strings.ToLower(l.cell("scheme"))
	if scheme == "" {
		scheme = iot.SchemeCN67
	}
	w.Code = iot.AnimalID{Scheme: scheme, Code: l.number("code")}.Normal()
	switch err := w.Code.Validate(""); {
	case len(l.refused) > 0:
	case w.Code.Code == "":
		l.fail("code", iot.ErrNoCode)
	case err != nil:
		l.fail("code", err)
	}
	if w.At = l.date("at", from1904, opt.Today); w.At.IsZero() && l.cell("at") == "" {
		l.fail("at", errNoDate)
	}
	text := l.cell("kg")
	for _, unit := range []string{"公斤", "千克", "kg", "KG", "Kg"} {
		text = strings.TrimSpace(strings.TrimSuffix(text, unit))
	}
	kg, err := strconv.ParseFloat(text, 64)
	if err != nil || !(kg > 0 && kg <= heaviest) {
		l.fail("kg", errKg)
	}
	w.Kg = kg
	if w.Method = l.word("method", methods); w.Method == "" {
		w.Method = methods[0][0]
	}
	return w
}
