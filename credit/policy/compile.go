package policy

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/feature"
)

// node is something that the policy computes and names: a value, a table, a threshold, a
// score, or the limit itself.
type node struct {
	name  string
	what  string
	src   src
	state int // 0 not looked at, 1 being compiled, 2 done
	outs  []output
	late  bool // needs the limit
	make  func(*node)

	code  *code
	table *table
	level *threshold
	score *scoreNode
}

// compiler gathers every mistake of a file.
type compiler struct {
	p        *Policy
	name     string
	problems []Problem
	nodes    map[string]*node
	limit    node
	stack    []*node
	bounds   []bound
	codes    []told // all parts with texts, for the trial
	exprs    []*code
}

func (c *compiler) problem(level string, s src, part, format string, args ...any) {
	c.problems = append(c.problems, Problem{
		File: c.name, Line: s.line, Column: s.column, Level: level, Part: part, Message: fmt.Sprintf(format, args...),
	})
}

func (c *compiler) at(s src, part, format string, args ...any) {
	c.problem(LevelError, s, part, format, args...)
}

func (c *compiler) warn(s src, part, format string, args ...any) {
	c.problem(LevelWarning, s, part, format, args...)
}

func (c *compiler) fail(part, format string, args ...any) { c.at(src{}, part, format, args...) }

func (c *compiler) mistakes() (n int) {
	for _, p := range c.problems {
		if p.Level == LevelError {
			n++
		}
	}
	return n
}

// compile returns nil for an empty source and for one that is wrong. kind Invalid takes
// whatever comes.
func (c *compiler) compile(part string, s src, kind reflect.Kind) *code {
	if s.text == "" {
		return nil
	}
	before := c.mistakes()
	used := c.use(part, s)
	as := expr.AsAny()
	if kind == reflect.Bool {
		as = expr.AsBool()
	}
	v := &patch{c: c, done: map[ast.Node]string{}}
	opts := append([]expr.Option{expr.Env(scope{}), as, expr.Patch(v)}, functions...)
	prog, err := expr.Compile(s.text, opts...)
	if v.err != nil {
		c.at(s, part, "%v", v.err)
		return nil
	}
	if err != nil {
		if c.mistakes() == before { // not the consequence of a mistake that is told already
			line, column, msg := s.place(err)
			c.at(src{line: line, column: column}, part, "%s", msg)
		}
		return nil
	}
	out := build(prog, s)
	if c.p.format >= 2 && used.divides && out.flag == nil && out.int == nil && out.num == nil && out.text == nil {
		c.at(s, part, "%s: this cannot divide safely; give the quotient a name under values", s.text)
		return nil
	}
	if kind == reflect.Float64 && out.kind == reflect.Int {
		if whole := out.int; whole != nil {
			out.num = func(r *run) float64 { return float64(whole(r)) }
		}
		out.kind = reflect.Float64
	}
	if kind != reflect.Invalid && kind != reflect.Bool && out.kind != kind {
		c.at(s, part, "%s is %s, not %s", s.text, kindName(out.kind), kindName(kind))
		return nil
	}
	c.exprs = append(c.exprs, out)
	return out
}

// use finds what an expression names and has it compiled first.
func (c *compiler) use(part string, s src) *names {
	v := &names{}
	tree, err := parser.Parse(s.text)
	if err != nil {
		return v
	}
	ast.Walk(&tree.Node, v)
	c.bounds = append(c.bounds, v.bounds...)
	for _, name := range v.list {
		if name == "limit" && c.p.format >= 2 {
			if c.limit.state == 1 {
				c.cycle(s, part, &c.limit)
				continue
			}
			for _, n := range c.stack {
				n.late = true
			}
		}
		if n := c.nodes[name]; n != nil {
			c.resolve(s, part, n)
		}
	}
	return v
}

// resolve compiles a node before those that name it, and refuses a circle.
func (c *compiler) resolve(s src, part string, n *node) {
	switch n.state {
	case 1:
		c.cycle(s, part, n)
		return
	case 0:
		n.state = 1
		c.stack = append(c.stack, n)
		n.make(n)
		c.stack = c.stack[:len(c.stack)-1]
		n.state = 2
		if n.late {
			c.p.late = append(c.p.late, n)
		} else {
			c.p.early = append(c.p.early, n)
		}
	}
	if !n.late {
		return
	}
	if c.limit.state == 1 {
		c.at(s, part, "in a circle: limit → %s → limit", n.name)
	}
	for _, up := range c.stack {
		up.late = true
	}
}

func (c *compiler) cycle(s src, part string, n *node) {
	var path []string
	for i := max(0, slices.Index(c.stack, n)); i < len(c.stack); i++ {
		path = append(path, c.stack[i].name)
	}
	if len(path) == 0 || path[0] != n.name {
		path = append([]string{n.name}, path...)
	}
	c.at(s, part, "in a circle: %s → %s", strings.Join(path, " → "), n.name)
}

func (c *compiler) out(name string, kind reflect.Kind) output {
	list := map[reflect.Kind]int{reflect.Int: 0, reflect.Float64: 1, reflect.Bool: 2, reflect.String: 3}[kind]
	o := output{name: name, kind: kind, slot: c.p.slots[list], id: c.p.outs}
	c.p.slots[list]++
	c.p.outs++
	return o
}

// knownOf tells when a column is missing: when a fact that it names is, unless it asks
// for that by itself. nil is never.
func (c *compiler) knownOf(text string) func(*run) bool {
	tree, err := parser.Parse(text)
	if err != nil {
		return nil
	}
	v := &names{}
	ast.Walk(&tree.Node, v)
	if v.guarded {
		return nil
	}
	var all []func(*run) bool
	for _, name := range v.list {
		if n := c.nodes[name]; n != nil && (n.table != nil || n.score != nil) {
			id := n.outs[0].id
			all = append(all, func(r *run) bool { return r.known[id] })
			continue
		}
		if f, ok := feature.Find(name); ok && !f.Always() && c.nodes[name] == nil {
			all = append(all, func(r *run) bool { return f.Known(&r.Facts) })
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return func(r *run) bool {
		for _, k := range all {
			if !k(r) {
				return false
			}
		}
		return true
	}
}

// amount compiles a formula of fen; the result must be an integer without a cast.
func (c *compiler) amount(part string, s src) *code {
	if s.text == "" {
		c.at(s, part, "give a formula in fen")
		return nil
	}
	x := c.compile(part, s, reflect.Invalid)
	if x != nil && x.kind != reflect.Int {
		c.at(s, part, "%s is not an integer amount of fen; multiply by basis points in a factor instead", s.text)
		return nil
	}
	return x
}

func (c *compiler) coded(f *coded) told {
	part := f.Code.text
	switch {
	case part == "":
		c.at(f.Code, "", "every part needs a code")
	case f.EN == "" || f.ZH == "":
		c.at(f.Code, part, "give the reason in en and zh")
	default:
		if _, twice := c.p.texts[part]; twice {
			c.at(f.Code, part, "the code is used twice")
		}
		c.p.texts[part] = f.text
	}
	t := told{code: part, text: segments(f.EN)}
	for _, a := range f.Args.sorted() {
		if x := c.compile(part, a.src, reflect.Invalid); x != nil {
			t.args = append(t.args, newArg(a.name, x))
		}
	}
	c.codes = append(c.codes, t)
	return t
}

func (c *compiler) file(f *document) {
	p := c.p
	if f.Name == "" || f.Version == "" {
		c.fail("", "give it a name and a version")
	}
	if f.Format > Format || f.Format < 0 {
		c.fail("", "format %d is not known; the newest is %d", f.Format, Format)
	}
	switch f.Subject {
	case credit.PlotSubject, credit.HerdSubject, credit.FirmSubject:
	default:
		c.fail("", "subject must be plot, herd or firm")
	}
	if p.format < 2 && len(f.Values)+len(f.Tables)+len(f.Thresholds)+len(f.Scores)+len(f.Limit.Allowances) > 0 {
		c.fail("", "values, tables, thresholds, scores and allowances need format: 2")
	}
	if f.Extends.text != "" {
		c.at(f.Extends, "", "the policy extends %s, which must be there to read it", f.Extends.text)
	}
	c.declare(f)
	for _, name := range c.declared(f) {
		n := c.nodes[name]
		c.resolve(n.src, n.name, n)
	}
	c.limit = node{name: "limit", state: 1}
	c.limits(f)
	c.limit.state = 2
	c.rates(f)
	p.points = f.Score.Base
	for _, x := range f.Score.Rows {
		p.score = append(p.score, scored{c.compile("score", x.When, reflect.Bool), x.Points})
	}
	c.rules(f)
}

func (c *compiler) limits(f *document) {
	p := c.p
	b := &f.Limit.Base
	p.base = base{c.coded(&b.coded), c.amount(b.Code.text, b.Fen)}
	for i := range f.Limit.Factors {
		x := &f.Limit.Factors[i]
		t := factor{told: c.coded(&x.coded), own: x.OwnBase}
		if x.BP.text != "" {
			t.bp = c.compile(x.Code.text, x.BP, reflect.Int)
			if len(x.Rows) > 0 {
				c.at(x.BP, x.Code.text, "give it rows or bp, not both")
			}
		} else if len(x.Rows) == 0 {
			c.at(x.Code, x.Code.text, "give it rows")
		}
		for i, r := range x.Rows {
			if r.BP < 0 || r.BP > 20_000 {
				c.at(x.Code, x.Code.text, "bp must be between 0 and 20000")
			}
			if last := i == len(x.Rows)-1; last != (r.When.text == "") {
				c.at(x.Code, x.Code.text, "the last row, and only the last, stands without when")
			}
			t.rows = append(t.rows, bpRow{c.compile(x.Code.text, r.When, reflect.Bool), r.BP, t.told.fixed("percent", percentOf(r.BP))})
		}
		p.factors = append(p.factors, t)
	}
	for i := range f.Limit.Caps {
		c.cap(&f.Limit.Caps[i])
	}
	for i := range f.Limit.Allowances {
		c.cap(&f.Limit.Allowances[i])
	}
	if p.round = f.Limit.RoundFen; p.round <= 0 {
		c.fail("limit", "limit.round_fen must be above zero")
	}
}

func (c *compiler) cap(x *capFile) {
	if x.Effect == "" && c.p.format >= 2 {
		x.Effect = Lower
	}
	if x.Effect != Lower && x.Effect != Info {
		c.at(x.Code, x.Code.text, "effect must be lower or info")
	}
	c.p.caps = append(c.p.caps, capped{
		c.coded(&x.coded), x.Effect, c.compile(x.Code.text, x.When, reflect.Bool), c.amount(x.Code.text, x.Fen),
	})
}

func (c *compiler) rates(f *document) {
	for i := range f.Rate {
		x := &f.Rate[i]
		r := priced{told: c.coded(&x.coded), when: c.compile(x.Code.text, x.When, reflect.Bool)}
		if v, err := strconv.ParseInt(x.BP.text, 10, 64); err == nil || x.BP.text == "" {
			r.bp = v
		} else {
			r.by = c.compile(x.Code.text, x.BP, reflect.Int)
		}
		c.p.price = append(c.p.price, r)
	}
}

func (c *compiler) rules(f *document) {
	p := c.p
	for i := range f.Rules {
		x := &f.Rules[i]
		t := c.coded(&x.coded)
		if !slices.Contains([]string{Refuse, Refer, Info}, x.Effect) {
			c.at(x.Code, x.Code.text, "effect must be refuse, refer or info")
		}
		if x.When.text == "" {
			c.at(x.Code, x.Code.text, "say when")
		}
		p.rules = append(p.rules, rule{t, x.Effect, x.Weight, c.compile(x.Code.text, x.When, reflect.Bool)})
	}
	slices.SortStableFunc(p.rules, func(a, b rule) int {
		if d := rank(a.effect) - rank(b.effect); d != 0 {
			return d
		}
		return b.weight - a.weight
	})
}

func rank(effect string) int {
	switch effect {
	case Refuse:
		return 0
	case Refer:
		return 1
	case Lower:
		return 2
	case Raise:
		return 3
	}
	return 4
}

// declared are the names that the file gives, in its order.
func (c *compiler) declared(f *document) (out []string) {
	for _, x := range f.Thresholds {
		out = append(out, x.Name.text)
	}
	for _, x := range f.Scores {
		out = append(out, x.Name.text)
	}
	for _, x := range f.Values {
		out = append(out, x.name)
	}
	for _, x := range f.Tables {
		out = append(out, x.Name.text)
	}
	return slices.DeleteFunc(out, func(n string) bool { return c.nodes[n] == nil })
}

// declare notes every name before anything is compiled, so that the order of the file
// does not matter.
func (c *compiler) declare(f *document) {
	add := func(s src, what string, outs []output, fill func(*node)) {
		name := s.text
		_, taken := feature.Find(name)
		switch {
		case name == "" || !word(name):
			c.at(s, name, "a %s needs a name of letters, digits and _", what)
		case taken || name == "limit":
			c.at(s, name, "%s is the name of a fact", name)
		case c.nodes[name] != nil:
			c.at(s, name, "the name is used twice")
		default:
			c.nodes[name] = &node{name: name, what: what, src: s, outs: outs, make: fill}
		}
	}
	for i := range f.Thresholds {
		x := &f.Thresholds[i]
		kind, ok := kinds[x.Type.text]
		if !ok {
			c.at(x.Name, x.Name.text, "type must be int, fen, bp, points, number, text or yes/no")
			continue
		}
		add(x.Name, "threshold", []output{c.out(x.Name.text, kind)}, func(n *node) { c.threshold(x, n) })
	}
	for i := range f.Scores {
		x := &f.Scores[i]
		outs := []output{
			c.out("points", reflect.Int), c.out("pd", reflect.Float64), c.out("pd_low", reflect.Float64),
			c.out("pd_high", reflect.Float64), c.out("band", reflect.String),
		}
		add(x.Name, "score", outs, func(n *node) { c.scoreNode(x, n) })
	}
	for _, x := range f.Values {
		s := x.src
		s.text = x.name
		add(s, "value", nil, func(n *node) {
			n.code = c.compile(x.name, x.src, reflect.Invalid)
			kind := reflect.Int
			if n.code != nil {
				kind = n.code.kind
			}
			if kind == reflect.Invalid {
				c.at(x.src, x.name, "%s is no number, text or yes and no", x.src.text)
				kind = reflect.Int
			}
			n.outs = []output{c.out(x.name, kind)}
		})
	}
	for i := range f.Tables {
		x := &f.Tables[i]
		var outs []output
		for _, o := range x.Outputs {
			kind, ok := kinds[o.src.text]
			if !ok || !word(o.name) {
				c.at(o.src, x.Name.text, "an output is a name with int, fen, bp, points, number, text or yes/no")
				kind = reflect.Int
			}
			outs = append(outs, c.out(o.name, kind))
		}
		if len(outs) == 0 {
			c.at(x.Name, x.Name.text, "give the table outputs")
			continue
		}
		add(x.Name, "table", outs, func(n *node) { c.table(x, n) })
	}
}

func word(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != "" && !strings.HasSuffix(s, "_")
}

// threshold is a value by product, county and industry: of the rows that fit, the one
// that names most; product weighs before county, county before industry, and of codes the
// longer beginning.
type threshold struct {
	rows []levelRow // the most special first
}

type levelRow struct {
	product, region, industry string
	value                     outCell
}

func (l levelRow) keys() (n int) {
	for _, s := range []string{l.product, l.region, l.industry} {
		if s != "" {
			n++
		}
	}
	return n
}

func (c *compiler) threshold(f *thresholdFile, n *node) {
	n.level = &threshold{}
	open := false
	for _, x := range f.Rows {
		v, err := c.cellOf(f.Name.text, n.outs[0].kind, x.Value)
		if err != nil || v.code != nil {
			c.at(x.Value, f.Name.text, "%s is not %s", x.Value.text, kindName(n.outs[0].kind))
		}
		l := levelRow{x.Product, x.Region, x.Industry, v}
		for _, o := range n.level.rows {
			if o.product == l.product && o.region == l.region && o.industry == l.industry {
				c.at(x.Value, f.Name.text, "two rows are for the same product, region and industry")
			}
		}
		open = open || l.keys() == 0
		n.level.rows = append(n.level.rows, l)
	}
	if !open {
		c.at(f.Name, f.Name.text, "one row must stand without product, region and industry: it holds for all others")
	}
	slices.SortStableFunc(n.level.rows, func(a, b levelRow) int {
		for _, d := range []int{
			b.keys() - a.keys(), len(b.product) - len(a.product), len(b.region) - len(a.region), len(b.industry) - len(a.industry),
		} {
			if d != 0 {
				return d
			}
		}
		return 0
	})
}

func (t *threshold) find(f *feature.Facts) *outCell {
	for i := range t.rows {
		l := &t.rows[i]
		if (l.product == "" || l.product == f.Product) && strings.HasPrefix(f.Region, l.region) && strings.HasPrefix(f.Industry, l.industry) {
			return &l.value
		}
	}
	return nil
}

// scoreNode is a model with the bands of its answer.
type scoreNode struct {
	model string
	when  *code
	byPD  bool
	bands *table
	names []string
}

func (c *compiler) scoreNode(f *scoreFile, n *node) {
	s := &scoreNode{model: f.Model, when: c.compile(f.Name.text, f.When, reflect.Bool)}
	n.score = s
	if f.Model == "" {
		c.at(f.Name, f.Name.text, "name the model")
	}
	kind := reflect.Int
	switch f.By.text {
	case "", "points":
	case "pd":
		s.byPD, kind = true, reflect.Float64
	default:
		c.at(f.By, f.Name.text, "by must be points or pd")
	}
	if len(f.Bands) == 0 {
		return
	}
	// Bands are a table of one column: they may not overlap and must cover every number,
	// so that a score on a bound has one answer.
	t := &table{name: f.Name.text, hit: HitUnique, columns: []column{{name: "the score", kind: kind}}}
	var lines tableFile
	lines.Name = f.Name
	for _, b := range f.Bands {
		x, err := parseCell(b.Test.text, kind)
		if err != nil || x.any || x.missing {
			c.at(b.Test, f.Name.text, "%q is no range of scores", b.Test.text)
			return
		}
		if b.Band == "" {
			c.at(b.Test, f.Name.text, "name the band")
		}
		t.rows = append(t.rows, row{cells: []cell{x}, line: b.Test.line})
		s.names = append(s.names, b.Band)
		lines.Rows = append(lines.Rows, cells{b.Test})
	}
	s.bands = t
	c.analyse(&lines, t)
}

func (s *scoreNode) band(points int, pd float64) string {
	if s.bands == nil {
		return ""
	}
	v := probe{num: float64(points)}
	if s.byPD {
		v.num = pd
	}
	for i := range s.bands.rows {
		if s.bands.rows[i].cells[0].holds(s.bands.columns[0].kind, &v) {
			return s.names[i]
		}
	}
	return ""
}

// trial decides on no evidence, and then on evidence that is all there with each fact in
// turn at the numbers that the policy compares it with, and evaluates every part.
func (c *compiler) trial() {
	p := c.p
	try := func(f *feature.Facts, what string) bool {
		r := p.newRun()
		r.Facts = *f
		for _, n := range p.early {
			p.compute(r, n, nil)
		}
		for _, n := range p.late {
			p.compute(r, n, nil)
		}
		for _, x := range c.exprs {
			r.err = nil
			r.any(x)
			if r.err != nil {
				c.at(x.src, "", "%s: %v on %s", x.src.text, r.err, what)
				return false
			}
		}
		return true
	}
	empty := feature.Gather(credit.Evidence{}, feature.Terms{})
	if !try(&empty, "evidence that is empty") || p.format < 2 {
		return
	}
	full := empty
	for _, f := range feature.List() {
		if f.Unit == feature.Days && f.Kind() == reflect.Int || strings.HasPrefix(f.Name, "has_") {
			f.SetNum(&full, 1)
		}
	}
	if !try(&full, "evidence that is all zero") {
		return
	}
	tried := 0
	for _, b := range c.bounds {
		f, ok := feature.Find(b.name)
		if !ok || math.IsInf(b.value, 0) || tried > 500 {
			continue
		}
		tried++
		at := full
		f.SetNum(&at, b.value)
		if !try(&at, fmt.Sprintf("%s = %g", b.name, b.value)) {
			return
		}
	}
}
