package growth

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with a file of weighings.
var (
	ErrFile   = fault.New(fault.Invalid, "growth.file", "the file cannot be read: {why}")
	ErrColumn = fault.New(fault.Invalid, "growth.column", "the file needs a column {column}; it has {has}")
	ErrValue  = fault.New(fault.Invalid, "growth.value", "the value {value} of column {column} is not usable: {why}")
)

// The names that a column may have, in lower case. The name of the age says its unit.
var (
	animalNames = []string{"animal", "animal_id", "animalid", "id", "code", "tag", "eartag", "ear_tag", "cow", "calf", "steer", "bull",
		"lamb", "sheep", "goat", "kid", "pig", "chick", "bird", "subject", "耳标", "耳标号", "耳号", "个体号", "编号", "牲畜编号"}
	weightNames = []string{"weight_kg", "weight", "kg", "wt", "bw", "live_weight", "liveweight", "body_weight", "bodyweight", "weight_g",
		"体重", "体重kg", "体重(kg)", "体重（kg）", "体重公斤"}
	ageNames = []string{"age_months", "age_month", "months", "month", "age_days", "age_day", "days", "day", "age_weeks", "age_week",
		"weeks", "week", "age_years", "age_year", "years", "year", "age", "time", "t", "月龄", "日龄", "周龄", "年龄"}
)

// unit is the unit that a column's name tells, or otherwise.
func unit(name, otherwise string) string {
	for _, u := range []struct{ part, unit string }{
		{"month", "month"}, {"day", "day"}, {"week", "week"}, {"year", "year"}, {"月", "month"}, {"日", "day"}, {"周", "week"}, {"年", "year"},
	} {
		if strings.Contains(name, u.part) {
			return u.unit
		}
	}
	return otherwise
}

// missing are the ways to write that an animal was not weighed.
var missing = map[string]bool{"": true, "na": true, "nan": true, "null": true, ".": true, "-": true}

// Herd gathers the weighings of files.
type Herd struct {
	Missing int // rows without a weight or an age

	byAnimal map[string][]Point
}

// Animals returns every animal in the order of names, its weighings in the order of
// age; several at one age become one, their mean.
func (h *Herd) Animals() []Weighed {
	out := make([]Weighed, 0, len(h.byAnimal))
	for name, points := range h.byAnimal {
		slices.SortStableFunc(points, func(a, b Point) int { return cmp.Compare(a.Age, b.Age) })
		var merged []Point
		for i := 0; i < len(points); {
			j, sum := i, 0.0
			for ; j < len(points) && points[j].Age == points[i].Age; j++ {
				sum += points[j].Kg
			}
			merged = append(merged, Point{Age: points[i].Age, Kg: sum / float64(j-i)})
			i = j
		}
		out = append(out, Weighed{name, merged})
	}
	slices.SortFunc(out, func(a, b Weighed) int { return cmp.Compare(a.Animal, b.Animal) })
	return out
}

// Read adds the weighings of a CSV file. An age whose column does not say its unit
// is in otherwise: "day", "week", "month" or "year". ErrFile, ErrColumn, ErrValue,
// with the line and column.
func (h *Herd) Read(r io.Reader, name, otherwise string) error {
	if h.byAnimal == nil {
		h.byAnimal = make(map[string][]Point)
	}
	c := csv.NewReader(bufio.NewReaderSize(r, 1<<16))
	c.ReuseRecord = true
	head, err := c.Read()
	if err != nil {
		return fault.CSV(ErrFile, name, err)
	}
	if !utf8.ValidString(strings.Join(head, "")) {
		return ErrFile.With("why", "it is not UTF-8: save it as CSV UTF-8").At("%s:1", name)
	}
	header := slices.Clone(head)
	header[0] = strings.TrimPrefix(header[0], "\uFEFF")
	var col [3]int
	for i, names := range [][]string{animalNames, ageNames, weightNames} {
		if col[i] = find(header, names); col[i] < 0 {
			return ErrColumn.With("column", strings.Join(names[:2], " or ")).With("has", strings.Join(header, ", ")).At("%s:1", name)
		}
	}
	scale := months[unit(strings.ToLower(header[col[1]]), otherwise)]
	grams := strings.HasSuffix(strings.ToLower(strings.TrimSpace(header[col[2]])), "_g")
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fault.CSV(ErrFile, name, err)
		}
		bad := func(i int, why string) error {
			line, column := c.FieldPos(col[i])
			return ErrValue.With("value", strconv.Quote(row[col[i]])).With("column", header[col[i]]).With("why", why).At("%s:%d:%d", name, line, column)
		}
		animal := strings.TrimSpace(row[col[0]])
		if animal == "" {
			return bad(0, "it is empty")
		}
		age, kg := strings.TrimSpace(row[col[1]]), strings.TrimSpace(row[col[2]])
		if missing[strings.ToLower(age)] || missing[strings.ToLower(kg)] {
			h.Missing++
			continue
		}
		p := Point{}
		if p.Age, err = strconv.ParseFloat(age, 64); err != nil || !(math.Abs(p.Age*scale) <= 1200) {
			return bad(1, "an age is a number of at most 100 years")
		}
		if p.Kg, err = strconv.ParseFloat(kg, 64); err != nil || !(p.Kg > 0 && p.Kg <= 1e6) {
			return bad(2, "a weight is a number above 0")
		}
		p.Age *= scale
		if grams {
			p.Kg /= 1000
		}
		animal = strings.Clone(animal)
		h.byAnimal[animal] = append(h.byAnimal[animal], p)
	}
}

// find is the column that has the first of the names, or -1.
func find(header, names []string) int {
	for _, n := range names {
		for i, h := range header {
			if strings.ToLower(strings.TrimSpace(h)) == n {
				return i
			}
		}
	}
	return -1
}
