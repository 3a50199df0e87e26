package register

import (
	"errors"
	"github.com/furrowcredit/furrow/sheet"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/width"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with the header of a file, beside what sheet says of the file.
var (
	ErrHeader      = fault.New(fault.Invalid, "import.header", "no column says {columns}; use the template")
	ErrHeaderTwice = fault.New(fault.Invalid, "import.header_twice", "the columns {first} and {second} mean the same; keep one")
)

// What can be wrong in a cell.
var (
	errExcel   = fault.New(fault.Invalid, "import.excel_error", "the cell holds the spreadsheet error {value}; mend its formula")
	errRounded = fault.New(fault.Invalid, "import.rounded", "the spreadsheet turned this into a rounded number; format the column as text and type it again")
	errTooLong = fault.New(fault.Invalid, "import.too_long", "shorten the text to {max} characters")
	errDate    = fault.New(fault.Invalid, "import.date", "write the date as 2024-02-28")
	errNoDay   = fault.New(fault.Invalid, "import.no_such_day", "there is no such day: {date}")
	errFuture  = fault.New(fault.Invalid, "import.future", "the date lies in the future: {date}")
	errOld     = fault.New(fault.Invalid, "import.old", "the date is before 1980-01-01; check the year: {date}")
	errWord    = fault.New(fault.Invalid, "import.word", "write one of: {words}")
	errNumber  = fault.New(fault.Invalid, "import.number", "write a whole number from {min} to {max}")
)

const maxText = 100

// column is one column of a table.
type column struct {
	field  string
	zh, en string
	others []string
	sample string // of the template
}

// animalColumns are the columns of a table of animals, in the order of the template.
func animalColumns() []column {
	return []column{
		{"code", "耳标号", "ear_tag", []string{"畜禽标识", "畜禽标识代码", "畜禽耳标号", "耳号", "标识号", "标识编码", "牛只编号", "个体号", "animal id", "animal code", "eartag", "tag no", "cn-67"}, "215252600000001"},
		{"iso", "ISO电子耳标号", "iso_11784", []string{"iso号", "iso编号", "电子标识号", "electronic id", "eid", "iso 11784", "iso11784"}, ""},
		{"chip", "芯片号", "rfid", []string{"rfid号", "芯片编号", "epc", "chip", "chip no", "transponder"}, ""},
		{"eui", "DevEUI", "dev_eui", []string{"deveui", "lora编号"}, ""},
		{"scheme", "标识体系", "scheme", []string{"编码体系", "标识类型", "identifier scheme"}, ""},
		{"species", "畜种", "species", []string{"种类", "动物种类", "畜禽种类", "specie", "animal type"}, "牛"},
		{"breed", "品种", "breed", []string{"品系", "breed name"}, "西门塔尔牛"},
		{"sex", "性别", "sex", []string{"公母", "gender"}, "母"},
		{"born", "出生日期", "born", []string{"生日", "出生时间", "出生年月日", "birth date", "birthdate", "date of birth", "dob"}, "2024-02-28"},
		{"pen", "圈舍", "pen", []string{"栏舍", "圈号", "栏号", "舍号", "畜舍", "牛舍", "羊舍", "猪舍", "barn", "house"}, ""},
		{"tag", "设备号", "device", []string{"智能耳标", "智能耳标号", "设备编号", "项圈号", "终端号", "tag", "tag id", "device id", "device no", "collar"}, ""},
		{"status", "状态", "status", []string{"在群状态", "存栏状态", "animal status"}, "在群"},
		{"since", "入场日期", "since", []string{"入栏日期", "进场日期", "购入日期", "入群日期", "登记日期", "佩戴日期", "arrival date", "entry date"}, ""},
		{"bred", "妊娠配种日期", "bred", []string{"配种日期", "受孕日期", "怀孕日期", "service date", "conception date"}, ""},
		{"heads", "只数", "heads", []string{"数量", "存栏数", "头数", "羽数", "count"}, ""},
	}
}

// boxColumns are the columns of a table of devices.
func boxColumns() []column {
	return []column{
		{"device", "设备号", "device", []string{"设备编号", "编号", "序列号", "耳标号", "number", "device id", "device no", "serial", "serial number", "id"}, "E0001"},
		{"kind", "类型", "kind", []string{"设备类型", "种类", "type", "device type"}, "耳标"},
		{"profile", "型号", "profile", []string{"设备型号", "解码模板", "型号代码", "model", "device profile"}, ""},
	}
}

// layout says where the columns stand in a table.
type layout struct {
	at     map[string]int // field → index
	header []string
	row    int // place of the header in table.rows
}

// key makes the key by which headers are compared: no case, no width, no marks, and
// nothing of a remark in brackets.
func key(header string) string {
	h := strings.ToLower(clean(header))
	if i := strings.IndexAny(h, "(（["); i > 0 {
		h = h[:i]
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("*_-:： ./", r) {
			return -1
		}
		return r
	}, h)
}

// find looks for the header among the first rows; the row that names most columns is
// it. One of the needed columns must be there.
func find(t *sheet.Table, columns []column, needed ...string) (layout, error) {
	fields := map[string]string{}
	for _, c := range columns {
		for _, name := range c.others {
			if k := key(name); fields[k] == "" {
				fields[k] = c.field
			}
		}
	}
	for _, c := range columns { // what a column is called comes before what it may be called
		fields[key(c.zh)], fields[key(c.en)] = c.field, c.field
	}
	best := layout{at: map[string]int{}}
	var bestErr error
	for i := range min(len(t.Rows), sheet.HeaderRows) {
		l := layout{at: map[string]int{}, header: make([]string, len(t.Rows[i].Cells)), row: i}
		var err error
		for j, h := range t.Rows[i].Cells {
			l.header[j] = clip(clean(h))
			field := fields[key(h)]
			if field == "" {
				continue
			}
			if old, ok := l.at[field]; ok {
				err = ErrHeaderTwice.With("first", l.header[old]).With("second", l.header[j])
				continue
			}
			l.at[field] = j
		}
		if len(l.at) > len(best.at) {
			best, bestErr = l, err
		}
	}
	if bestErr != nil {
		return best, bestErr
	}
	var names []string
	for _, c := range columns {
		for _, n := range needed {
			if _, ok := best.at[n]; ok {
				needed = nil
			}
			if n == c.field {
				names = append(names, c.zh)
			}
		}
	}
	switch {
	case len(needed) > 0:
		return best, ErrHeader.With("columns", strings.Join(names, ", "))
	case best.row == len(t.Rows)-1:
		return best, sheet.ErrEmpty
	}
	return best, t.Split(best.row)
}

// clean folds full-width letters and digits, trims and joins white space.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch r {
		case '\ufeff', '\u200b', '\u200c', '\u200d', 0:
			return -1
		}
		if r >= '！' && r <= '～' && r != '（' && r != '）' {
			return []rune(width.Narrow.String(string(r)))[0]
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

func clip(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}

// line is a row of a table whose cells are read one by one; the first mistake stays.
type line struct {
	sheet.Row
	*layout
	refused []RowRefusal
}

// cell is the clean text of a field.
func (l *line) cell(field string) string {
	i, ok := l.at[field]
	if !ok || i >= len(l.Cells) {
		return ""
	}
	s := clean(l.Cells[i])
	switch {
	case len(s) > 2 && s[0] == '#' && strings.Trim(s, "#ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/!?_") == "":
		l.fail(field, errExcel.With("value", s))
		return ""
	case len([]rune(s)) > maxText:
		l.fail(field, errTooLong.With("max", maxText))
		return ""
	}
	return s
}

var scientific = regexp.MustCompile(`^(\d)(?:\.(\d+))?[eE]\+?(\d{1,3})$`)

// number is a cell of a long number, which spreadsheets like to spoil.
func (l *line) number(field string) string {
	s := l.cell(field)
	if m := scientific.FindStringSubmatch(s); m != nil {
		if digits := m[1] + m[2]; len(digits) == atoi(m[3])+1 {
			return digits // none is lost
		}
		l.fail(field, errRounded)
		return ""
	}
	return strings.TrimSuffix(s, ".0")
}

// word is a cell that must be one of some words; each list has the code first. A cell
// without any is "".
func (l *line) word(field string, words [][]string) string {
	s := strings.ToLower(l.cell(field))
	if s == "" {
		return ""
	}
	var codes []string
	for _, w := range words {
		for _, x := range w {
			if s == x {
				return w[0]
			}
		}
		codes = append(codes, w[1])
	}
	l.fail(field, errWord.With("words", strings.Join(codes, ", ")))
	return ""
}

// date is a cell of a day, or the zero time.
func (l *line) date(field string, from1904 bool, today time.Time) time.Time {
	s := l.cell(field)
	if s == "" {
		return time.Time{}
	}
	day, err := parseDate(s, from1904, today)
	if err != nil {
		l.fail(field, err)
	}
	return day
}

// parseDate reads a day as sheet.Day does.
func parseDate(s string, from1904 bool, today time.Time) (time.Time, error) {
	day, ok := sheet.Day(s, from1904)
	switch {
	case !ok:
		return time.Time{}, errDate
	case day.IsZero():
		return time.Time{}, errNoDay.With("date", s)
	case day.After(today):
		return time.Time{}, errFuture.With("date", day.Format(time.DateOnly))
	case day.Year() < 1980:
		return time.Time{}, errOld.With("date", day.Format(time.DateOnly))
	}
	return day, nil
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s) // digits, by the pattern
	return n
}

// fail notes what is wrong with a cell, or with the row when it has no such column.
func (l *line) fail(field string, err error) {
	r := refusal(err)
	r.Row = l.Number
	if i, ok := l.at[field]; ok {
		r.Column = l.header[i]
		r.Cell, _ = excelize.CoordinatesToCellName(i+1, l.Number)
		if i < len(l.Cells) {
			r.Value = clip(clean(l.Cells[i]))
		}
	}
	l.refused = append(l.refused, r)
}

// refusal puts an error into words; one that carries no code is not the file's.
func refusal(err error) RowRefusal {
	r := RowRefusal{Err: err, Msg: err.Error()}
	var f *fault.Error
	if errors.As(err, &f) {
		r.Code, r.Msg, r.Args = f.Code, f.Msg, f.Args
	}
	return r
}
