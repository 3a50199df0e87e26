package policy

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Hit policies of a table: which rows answer.
const (
	HitUnique   = "unique"   // one row fits at most
	HitFirst    = "first"    // the first row that fits
	HitPriority = "priority" // of all that fit, the row whose first output stands first among the priorities
	HitAny      = "any"      // rows that fit together say the same
	HitCollect  = "collect"  // all that fit: sum, min, max or count of each output
)

// table is a decision table. Its outputs stand in slots.
type table struct {
	name    string
	hit     string
	collect string
	columns []column
	outs    []output
	rows    []row
	last    *row // when no row fits; nil gives zero, "" and false, which count as missing
	rank    []string
	parts   [][]atom // of each column, for the analysis
}

type column struct {
	name  string
	kind  reflect.Kind
	code  *code
	known func(*run) bool // nil: never missing
}

// output is a named value in a slot.
type output struct {
	name string
	kind reflect.Kind
	slot int
	id   int // among all outputs
}

type row struct {
	cells []cell
	outs  []outCell
	line  int
}

// outCell is an output of a row: a constant, or an expression.
type outCell struct {
	i    int
	n    float64
	b    bool
	t    string
	code *code
}

// tableFile is the YAML form.
type tableFile struct {
	Name       src      `yaml:"name"`
	Hit        src      `yaml:"hit"`
	Collect    src      `yaml:"collect"`
	Gaps       src      `yaml:"gaps"`
	Inputs     []src    `yaml:"inputs"`
	Outputs    pairs    `yaml:"outputs"`
	Priorities []string `yaml:"priorities"`
	Rows       []cells  `yaml:"rows"`
	Default    cells    `yaml:"default"`
}

type cells []src

// UnmarshalYAML implements yaml.Unmarshaler.
func (c *cells) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.SequenceNode {
		return fmt.Errorf("line %d: a row is a list of cells", n.Line)
	}
	out := make(cells, len(n.Content))
	for i, x := range n.Content {
		if err := out[i].UnmarshalYAML(x); err != nil {
			return err
		}
	}
	*c = out
	return nil
}

var kinds = map[string]reflect.Kind{
	"int": reflect.Int, "fen": reflect.Int, "bp": reflect.Int, "points": reflect.Int,
	"number": reflect.Float64, "text": reflect.String, "yes/no": reflect.Bool,
}

var kindNames = map[reflect.Kind]string{
	reflect.Int: "a whole number", reflect.Float64: "a number", reflect.String: "a text", reflect.Bool: "yes or no",
}

func (c *compiler) table(f *tableFile, node *node) {
	t := &table{name: f.Name.text, hit: f.Hit.text, collect: f.Collect.text, rank: f.Priorities, outs: node.outs}
	node.table = t
	c.hit(f, t)
	for _, in := range f.Inputs {
		x := c.compile(f.Name.text, in, reflect.Invalid)
		col := column{name: in.text, code: x}
		if x != nil {
			col.kind, col.known = x.kind, c.knownOf(in.text)
			if x.kind == reflect.Invalid {
				c.at(in, f.Name.text, "%s is no number, text or yes and no", in.text)
			}
		}
		t.columns = append(t.columns, col)
	}
	if len(f.Inputs) == 0 || len(f.Rows) == 0 {
		c.at(f.Name, f.Name.text, "give the table inputs and rows")
	}
	before := len(c.problems)
	for _, cs := range f.Rows {
		if r, ok := c.row(f, t, cs); ok {
			t.rows = append(t.rows, r)
		}
	}
	if len(f.Default) > 0 {
		r := row{}
		if len(f.Default) != len(t.outs) {
			c.at(f.Default[0], t.name, "default needs %d values, one for each output", len(t.outs))
		} else if c.outs(t, f.Default, &r) {
			t.last = &r
		}
	}
	if len(c.problems) == before && c.mistakes() == 0 {
		c.analyse(f, t)
	}
}

func (c *compiler) hit(f *tableFile, t *table) {
	if t.hit == "" {
		t.hit = HitUnique
	}
	switch {
	case !slices.Contains([]string{HitUnique, HitFirst, HitPriority, HitAny, HitCollect}, t.hit):
		c.at(f.Hit, t.name, "hit must be unique, first, priority, any or collect")
	case t.hit == HitCollect && !slices.Contains([]string{"sum", "min", "max", "count"}, t.collect):
		c.at(f.Name, t.name, "collect must be sum, min, max or count")
	case t.hit == HitPriority && len(t.rank) == 0:
		c.at(f.Name, t.name, "list the priorities: values of the first output, the strongest first")
	case t.hit != HitCollect && t.collect != "":
		c.at(f.Collect, t.name, "collect goes with hit: collect")
	}
	for _, o := range t.outs {
		if t.hit == HitCollect && (o.kind != reflect.Int && o.kind != reflect.Float64 || t.collect == "count" && o.kind != reflect.Int) {
			c.at(f.Name, t.name, "%s cannot be collected: %s", o.name, kindNames[o.kind])
		}
	}
}

func (c *compiler) row(f *tableFile, t *table, cs cells) (row, bool) {
	where := f.Name
	if len(cs) > 0 {
		where = cs[0]
	}
	if want := len(t.columns) + len(t.outs); len(cs) != want {
		c.at(where, t.name, "a row needs %d cells, %d inputs and %d outputs; this one has %d", want, len(t.columns), len(t.outs), len(cs))
		return row{}, false
	}
	r := row{line: where.line}
	fine := true
	for i := range t.columns {
		x, err := parseCell(cs[i].text, t.columns[i].kind)
		if err == nil && x.missing && t.columns[i].known == nil {
			err = fmt.Errorf("%s is never missing", t.columns[i].name)
		}
		if err != nil && t.columns[i].kind != reflect.Invalid {
			c.at(cs[i], t.name, "%v; the column %s is %s", err, t.columns[i].name, kindNames[t.columns[i].kind])
			fine = false
		}
		r.cells = append(r.cells, x)
		for _, s := range x.ranges {
			c.bounds = append(c.bounds, bound{t.columns[i].name, s.lo}, bound{t.columns[i].name, s.hi})
		}
	}
	return r, c.outs(t, cs[len(t.columns):], &r) && fine
}

func (c *compiler) outs(t *table, cs cells, r *row) bool {
	fine := true
	for i, o := range t.outs {
		out, err := c.cellOf(t.name, o.kind, cs[i])
		if err != nil {
			c.at(cs[i], t.name, "%s: %v; the output is %s", o.name, err, kindNames[o.kind])
			fine = false
		}
		if t.hit == HitPriority && i == 0 && out.code == nil && len(r.cells) > 0 && !slices.Contains(t.rank, out.text(o.kind)) {
			c.at(cs[i], t.name, "%s is not among the priorities", out.text(o.kind))
			fine = false
		}
		r.outs = append(r.outs, out)
	}
	return fine
}

func (c *compiler) cellOf(part string, kind reflect.Kind, s src) (outCell, error) {
	var x outCell
	var err error
	switch kind {
	case reflect.Int:
		if x.i, err = strconv.Atoi(strings.ReplaceAll(s.text, "_", "")); err == nil {
			return x, nil
		}
	case reflect.Float64:
		if x.n, err = literal(s.text); err == nil {
			return x, nil
		}
	case reflect.Bool:
		if x.b, err = strconv.ParseBool(s.text); err == nil {
			return x, nil
		}
	default:
		return outCell{t: s.text}, nil
	}
	if strings.TrimSpace(s.text) == "" {
		return x, fmt.Errorf("nothing stands here")
	}
	x.code = c.compile(part, s, kind)
	return x, nil
}

func (o outCell) text(kind reflect.Kind) string {
	switch kind {
	case reflect.Int:
		return strconv.Itoa(o.i)
	case reflect.Float64:
		return strconv.FormatFloat(o.n, 'g', -1, 64)
	case reflect.Bool:
		return strconv.FormatBool(o.b)
	default:
		return o.t
	}
}

func (o outCell) same(p outCell) bool {
	return o.code == nil && p.code == nil && o == p
}

// analyse finds rows that contradict each other, rows that no evidence reaches, and
// evidence that no row fits.
func (c *compiler) analyse(f *tableFile, t *table) {
	t.parts = make([][]atom, len(t.columns))
	for i := range t.columns {
		t.parts[i] = t.atoms(i)
	}
	if t.hit == HitUnique || t.hit == HitAny {
		c.overlaps(f, t)
	}
	if t.hit == HitFirst {
		for i := range t.rows {
			if _, free, done := t.gap(numbered(i), &t.rows[i]); done && !free {
				c.warn(f.Rows[i][0], t.name, "row %d is never reached: the rows before it take all that fits it", i+1)
			}
		}
	}
	if t.last != nil || t.hit == HitCollect {
		return
	}
	values, found, done := t.gap(numbered(len(t.rows)), nil)
	level := LevelError
	switch f.Gaps.text {
	case "", "error":
	case "warn":
		level = LevelWarning
	case "allow":
		return
	default:
		c.at(f.Gaps, t.name, "gaps must be error, warn or allow")
	}
	switch {
	case !done && !found:
		c.warn(f.Name, t.name, "the table is too large to search for gaps; give it a default")
	case found:
		c.problem(level, f.Name, t.name, "no row fits %s; add a row, or a default", values)
	}
}

func numbered(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func (c *compiler) overlaps(f *tableFile, t *table) {
	found := 0
	for i := range t.rows {
		for j := range i {
			if !t.overlap(&t.rows[j], &t.rows[i]) {
				continue
			}
			if t.hit == HitAny && slices.EqualFunc(t.rows[i].outs, t.rows[j].outs, outCell.same) {
				continue
			}
			if found++; found > 20 {
				return
			}
			if t.hit == HitAny {
				c.at(f.Rows[i][0], t.name, "rows %d and %d fit the same evidence and say different things (line %d)", j+1, i+1, t.rows[j].line)
			} else {
				c.at(f.Rows[i][0], t.name, "rows %d and %d overlap (line %d): some evidence fits both", j+1, i+1, t.rows[j].line)
			}
		}
	}
}

// decide evaluates the table into its slots.
func (t *table) decide(r *run) {
	var fixed [12]probe
	probes := fixed[:0]
	for i := range t.columns {
		probes = append(probes, t.columns[i].probe(r))
	}
	best, rank, hits := -1, len(t.rank)+1, 0
	for i := 0; i < len(t.rows) && (best < 0 || t.hit == HitPriority); i++ {
		if !t.fits(i, probes) {
			continue
		}
		switch t.hit {
		case HitCollect:
			t.gather(r, &t.rows[i], hits)
			hits++
			continue
		case HitPriority:
			if k := t.priority(r, &t.rows[i]); k < rank {
				best, rank = i, k
			}
			continue
		}
		best = i
	}
	switch {
	case t.hit == HitCollect:
		t.collected(r, hits)
	case best >= 0:
		t.put(r, &t.rows[best])
	case t.last != nil:
		t.put(r, t.last)
	default:
		t.blank(r)
	}
}

func (t *table) fits(i int, probes []probe) bool {
	cells := t.rows[i].cells
	for k := range cells {
		if !cells[k].holds(t.columns[k].kind, &probes[k]) {
			return false
		}
	}
	return true
}

func (c *column) probe(r *run) (p probe) {
	if c.known != nil && !c.known(r) {
		p.missing = true
		return p
	}
	switch c.kind {
	case reflect.Bool:
		p.flag = r.holds(c.code)
	case reflect.String:
		p.text = r.string(c.code)
	default:
		p.num = r.number(c.code)
		p.missing = math.IsNaN(p.num) && c.known != nil
	}
	return p
}

func (t *table) put(r *run, x *row) {
	for k, o := range t.outs {
		cell := &x.outs[k]
		r.set(o, true)
		switch o.kind {
		case reflect.Int:
			v := cell.i
			if cell.code != nil {
				v = r.integer(cell.code)
			}
			r.Ints[o.slot] = v
		case reflect.Float64:
			v := cell.n
			if cell.code != nil {
				v = r.number(cell.code)
			}
			r.Nums[o.slot] = v
		case reflect.Bool:
			v := cell.b
			if cell.code != nil {
				v = r.holds(cell.code)
			}
			r.Flags[o.slot] = v
		default:
			r.Texts[o.slot] = cell.t
		}
	}
}

func (t *table) blank(r *run) {
	for _, o := range t.outs {
		r.set(o, false)
		switch o.kind {
		case reflect.Int:
			r.Ints[o.slot] = 0
		case reflect.Float64:
			r.Nums[o.slot] = 0
		case reflect.Bool:
			r.Flags[o.slot] = false
		default:
			r.Texts[o.slot] = ""
		}
	}
}

func (t *table) priority(r *run, x *row) int {
	cell := &x.outs[0]
	if cell.code == nil {
		return slices.Index(t.rank, cell.text(t.outs[0].kind))
	}
	v := outCell{i: 0}
	switch t.outs[0].kind {
	case reflect.Int:
		v.i = r.integer(cell.code)
	case reflect.Float64:
		v.n = r.number(cell.code)
	case reflect.Bool:
		v.b = r.holds(cell.code)
	default:
	}
	if k := slices.Index(t.rank, v.text(t.outs[0].kind)); k >= 0 {
		return k
	}
	return len(t.rank)
}

// gather adds one row that fits to what is collected.
func (t *table) gather(r *run, x *row, hits int) {
	for k, o := range t.outs {
		cell := &x.outs[k]
		if o.kind == reflect.Int {
			v := cell.i
			if cell.code != nil {
				v = r.integer(cell.code)
			}
			to := &r.Ints[o.slot]
			*to = collect(t.collect, *to, v, hits)
			continue
		}
		v := cell.n
		if cell.code != nil {
			v = r.number(cell.code)
		}
		to := &r.Nums[o.slot]
		*to = collect(t.collect, *to, v, hits)
	}
}

func collect[N int | float64](how string, so, v N, hits int) N {
	if hits == 0 {
		if how == "count" {
			return 1
		}
		return v
	}
	switch how {
	case "sum":
		return so + v
	case "min":
		return min(so, v)
	case "max":
		return max(so, v)
	default:
		return so + 1
	}
}

// collected closes a collection: nothing counts and adds up to zero, but has no smallest.
func (t *table) collected(r *run, hits int) {
	switch {
	case hits > 0:
		for _, o := range t.outs {
			r.set(o, true)
		}
	case t.last != nil:
		t.put(r, t.last)
	default:
		t.blank(r)
		for _, o := range t.outs {
			r.set(o, t.collect == "sum" || t.collect == "count")
		}
	}
}
