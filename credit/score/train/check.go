package train

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/credit/score/frame"
)

// Why a column is left out, or warned of.
const (
	Constant = "constant" // one value in all rows
	ID       = "id"       // another value in each row
	Leak     = "leak"     // it looks like the outcome
	NameLeak = "name"     // it is named like the outcome
	Strays   = "strays"   // numbers, with cells that are none
	Ages     = "date"     // a date: what is learnt of it ages
)

// Finding is what a column is warned of, or left out for.
type Finding struct {
	Column string  `json:"column"`
	Why    string  `json:"why"`
	AUC    float64 `json:"auc,omitempty"`  // of the column alone
	Rows   int     `json:"rows,omitempty"` // that it concerns
}

// String says it in English, for the notes of a model.
func (f Finding) String() string {
	switch f.Why {
	case Constant:
		return f.Column + ": left out, it has one value in all rows"
	case ID:
		return f.Column + ": left out, it has another value in each row"
	case Leak:
		return fmt.Sprintf("%s: looks like the outcome (alone it has an AUC of %.3f); is it known before the decision?", f.Column, f.AUC)
	case NameLeak:
		return f.Column + ": is named like the outcome; is it known before the decision?"
	case Strays:
		return fmt.Sprintf("%s: %d cells are no numbers and count as missing", f.Column, f.Rows)
	default:
		return f.Column + ": is a date; what is learnt of it ages"
	}
}

// Checked is a table without the columns that cannot be learnt from.
type Checked struct {
	Frame *frame.Frame
	Left  []Finding // left out
	Warn  []Finding // kept, with a warning
}

// Notes are the findings in English.
func (c *Checked) Notes() (out []string) {
	for _, f := range slices.Concat(c.Left, c.Warn) {
		out = append(out, f.String())
	}
	return out
}

// looksLike is the AUC from which a single column is taken to tell the outcome itself.
const looksLike = 0.98

// Check leaves out columns of one value and columns of ids, and warns of columns that
// look like the outcome.
func Check(f *frame.Frame, out frame.Outcome) (*Checked, error) {
	c := &Checked{Frame: &frame.Frame{Rows: f.Rows}}
	for i := range f.Columns {
		col := f.Columns[i]
		distinct := col.Distinct()
		switch {
		case distinct == 0 || distinct == 1 && known(&col) == f.Rows:
			c.Left = append(c.Left, Finding{Column: col.Name, Why: Constant})
			continue
		case isID(&col, distinct, f.Rows):
			c.Left = append(c.Left, Finding{Column: col.Name, Why: ID})
			continue
		}
		if auc := alone(&col, out.Bad); auc >= looksLike {
			c.Warn = append(c.Warn, Finding{Column: col.Name, Why: Leak, AUC: auc})
		} else if alike(col.Name, out.Column) {
			c.Warn = append(c.Warn, Finding{Column: col.Name, Why: NameLeak})
		}
		if col.Strays > 0 {
			c.Warn = append(c.Warn, Finding{Column: col.Name, Why: Strays, Rows: col.Strays})
		}
		if col.Kind == frame.Date {
			c.Warn = append(c.Warn, Finding{Column: col.Name, Why: Ages})
		}
		c.Frame.Columns = append(c.Frame.Columns, col)
	}
	if len(c.Frame.Columns) == 0 {
		return nil, ErrNothing.With("why", "all are constant or ids")
	}
	return c, nil
}

func known(c *frame.Column) (n int) {
	for r := range len(c.Num) + len(c.Code) {
		if !c.IsMissing(r) {
			n++
		}
	}
	return n
}

// isID tells texts that differ in every row, and whole numbers that do and either count up
// row by row or are named as ids are.
func isID(c *frame.Column, distinct, rows int) bool {
	if distinct < rows || rows < 20 {
		return false
	}
	if c.Kind == frame.Category {
		return true
	}
	rising := true
	for i, v := range c.Num {
		if v != math.Trunc(v) {
			return false
		}
		rising = rising && (i == 0 || v == c.Num[i-1]+1)
	}
	name := strings.ToLower(c.Name)
	return rising || name == "id" || strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "nr") || strings.HasPrefix(name, "id_") ||
		strings.Contains(name, "loannr") || strings.Contains(name, "编号") || strings.Contains(name, "代号")
}

// alone is the AUC of a column by itself, of the best that its values or their absence tell.
func alone(c *frame.Column, bad []bool) float64 {
	type cell struct{ good, bad float64 }
	cells := map[float64]*cell{}
	at := func(k float64) *cell {
		if cells[k] == nil {
			cells[k] = &cell{}
		}
		return cells[k]
	}
	for r, b := range bad {
		k := math.Inf(-1)
		switch {
		case c.IsMissing(r):
		case c.Kind == frame.Category:
			k = float64(c.Code[r])
		default:
			k = c.Num[r]
		}
		if b {
			at(k).bad++
		} else {
			at(k).good++
		}
	}
	// The order of amounts; and, where values are few enough for their rates to be known,
	// the order of rates, whichever tells more.
	keys := make([]float64, 0, len(cells))
	for k := range cells {
		keys = append(keys, k)
	}
	area := func() float64 {
		var below, ranks, n float64
		for _, k := range keys {
			ranks += cells[k].bad * (below + cells[k].good/2)
			below += cells[k].good
			n += cells[k].bad
		}
		return max(ranks/(n*below), 1-ranks/(n*below))
	}
	slices.Sort(keys)
	best := 0.0
	if c.Kind != frame.Category {
		best = area()
	}
	if len(keys)*20 <= len(bad) {
		slices.SortFunc(keys, func(a, b float64) int {
			ra, rb := cells[a].bad/(cells[a].bad+cells[a].good), cells[b].bad/(cells[b].bad+cells[b].good)
			return cmp.Or(cmp.Compare(ra, rb), cmp.Compare(a, b))
		})
		best = max(best, area())
	}
	return best
}

// alike tells a column that is named after the outcome.
func alike(name, target string) bool {
	fold := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r == '_' || r == ' ' || r == '-' || r == '.' {
				return -1
			}
			return r
		}, strings.ToLower(s))
	}
	a, b := fold(name), fold(target)
	return len([]rune(b)) >= 3 && strings.Contains(a, b)
}

// monotone checks that declared directions are of columns of numbers; one of a column that
// was left out says nothing.
func (c *Checked) monotone(declared map[string]int) error {
	for name, d := range declared {
		if d < -1 || d > 1 {
			return ErrMonotone.With("column", name).With("why", "say +, - or 0")
		}
		if slices.ContainsFunc(c.Left, func(f Finding) bool { return f.Column == name }) {
			continue
		}
		col, err := c.Frame.Column(name)
		if err != nil {
			return err
		}
		if d != 0 && col.Kind == frame.Category {
			return ErrMonotone.With("column", name).With("why", "it holds texts, which have no order, such as "+col.Levels[0])
		}
	}
	return nil
}
