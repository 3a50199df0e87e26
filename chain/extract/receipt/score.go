package receipt

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/furrowcredit/furrow/fault"
)

// ErrLine is returned for a line that is no receipt.
var ErrLine = fault.New(fault.Invalid, "receipt.line", "write one JSON object a line, with the lines of the receipt in lines")

// Sample is a receipt with what is known to stand on it.
type Sample struct {
	ID    string            `json:"id"`
	Lines []string          `json:"lines"`
	Key   map[string]string `json:"key"`
}

// maxLine bounds a line of a file of receipts.
const maxLine = 1 << 20

// ReadSamples reads JSON lines of {id, lines, key}. It returns ErrLine with its place.
func ReadSamples(r io.Reader, name string) ([]Sample, error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 64<<10), maxLine)
	var out []Sample
	for n := 1; in.Scan(); n++ {
		if len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		var s Sample
		if err := json.Unmarshal(in.Bytes(), &s); err != nil {
			return nil, ErrLine.At("%s:%d", name, n).Because(err)
		}
		if len(s.Lines) == 0 {
			return nil, ErrLine.At("%s:%d", name, n)
		}
		out = append(out, s)
	}
	if err := in.Err(); err != nil {
		return nil, ErrLine.At("%s", name).Because(err)
	}
	return out, nil
}

// Fields are those that are scored.
func Fields() []string { return []string{"company", "date", "address", "total"} }

// Field gives a field by its name.
func (r Receipt) Field(name string) string {
	switch name {
	case "company":
		return r.Company
	case "date":
		return r.Date
	case "address":
		return r.Address
	case "total":
		return r.Total
	}
	return ""
}

// Plain brings a field to the form in which it is compared: a day to year, month, day;
// a total to its number; company and address to their letters and digits in capitals.
func Plain(field, value string) string {
	switch field {
	case "date":
		if d := Day(value); d != "" {
			return d
		}
	case "total":
		if list := amounts(value); len(list) == 1 {
			if strings.Contains(value, "-") {
				list[0] = -list[0]
			}
			return strconv.FormatInt(list[0], 10)
		}
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, value)
}

// Count is how often a field was read and is right.
type Count struct {
	Read      int     `json:"read"`
	Right     int     `json:"right"`
	Labelled  int     `json:"labelled"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

func (c *Count) finish() {
	if c.Read > 0 {
		c.Precision = float64(c.Right) / float64(c.Read)
	}
	if c.Labelled > 0 {
		c.Recall = float64(c.Right) / float64(c.Labelled)
	}
	if c.Right > 0 {
		c.F1 = 2 * c.Precision * c.Recall / (c.Precision + c.Recall)
	}
}

// Score is how well receipts were read; All is the micro average of the fields.
type Score struct {
	Receipts int              `json:"receipts"`
	Fields   map[string]Count `json:"fields"`
	All      Count            `json:"all"`
}

// Judge compares what was read with what is known. A field without a label is not judged.
func Judge(samples []Sample, read []Receipt) Score {
	s := Score{Receipts: len(samples), Fields: map[string]Count{}}
	for _, field := range Fields() {
		var c Count
		for i, sample := range samples {
			want, got := sample.Key[field], read[i].Field(field)
			if want == "" {
				continue
			}
			c.Labelled++
			if got != "" {
				c.Read++
			}
			if got != "" && Plain(field, got) == Plain(field, want) {
				c.Right++
			}
		}
		s.All.Read += c.Read
		s.All.Right += c.Right
		s.All.Labelled += c.Labelled
		c.finish()
		s.Fields[field] = c
	}
	s.All.finish()
	return s
}
