package policy

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/money"
)

// scope is what expressions see: the facts, and in slots what the policy has computed.
// The names of slots cannot be written in a policy.
type scope struct {
	feature.Facts
	Ints  []int     `expr:"ints_"`
	Nums  []float64 `expr:"nums_"`
	Flags []bool    `expr:"flags_"`
	Texts []string  `expr:"texts_"`
}

var slotNames = map[reflect.Kind]string{
	reflect.Int: "ints_", reflect.Float64: "nums_", reflect.Bool: "flags_", reflect.String: "texts_",
}

var errZero = errors.New("division by zero")

// functions are what expressions can call besides the operators. The clock is not
// among them: a decision must not depend on when it is replayed.
var functions = []expr.Option{
	expr.DisableAllBuiltins(),
	expr.EnableBuiltin("any"), expr.EnableBuiltin("all"), expr.EnableBuiltin("none"), expr.EnableBuiltin("len"),
	expr.EnableBuiltin("min"), expr.EnableBuiltin("max"), expr.EnableBuiltin("filter"), expr.EnableBuiltin("join"),
	expr.Function("percent", func(v ...any) (any, error) {
		return string(appendPercent(nil, v[0].(float64))), nil
	}, func(float64) string { return "" }),
	expr.Function("yuan", func(v ...any) (any, error) {
		return money.Fen(v[0].(int)).String(), nil
	}, func(int) string { return "" }),
	expr.Function("part", func(v ...any) (any, error) {
		return part(v[0].(int), v[1].(int))
	}, func(int, int) int { return 0 }),
	expr.Function("floor", func(v ...any) (any, error) {
		return floor(v[0].(float64))
	}, func(float64) int { return 0 }),
}

func appendPercent(b []byte, v float64) []byte {
	return append(strconv.AppendFloat(b, v*100, 'f', 0, 64), '%')
}

// part is bp/10000 of an amount, HALF_EVEN.
func part(amount, bp int) (int, error) {
	if bp == 10_000 {
		return amount, nil
	}
	if amount > -1<<48 && amount < 1<<48 && bp > -1<<14 && bp < 1<<14 { // no product overflows
		n := amount * bp
		q, r := n/10_000, n%10_000
		switch up := max(r, -r) * 2; {
		case up > 10_000, up == 10_000 && q%2 != 0:
			if n < 0 {
				q--
			} else {
				q++
			}
		}
		return q, nil
	}
	f, err := money.Mul(money.Fen(amount), int64(bp), 10_000)
	return int(f), err
}

func floor(v float64) (int, error) {
	v = math.Floor(v)
	if !(math.Abs(v) < 1<<62) {
		return 0, errors.New("the number is too large for an amount")
	}
	return int(v), nil
}

// code is a compiled expression: by the function of its kind, or by the machine.
type code struct {
	kind reflect.Kind // Bool, Int, Float64, String, or Invalid for what the machine alone knows
	flag func(*run) bool
	int  func(*run) int
	num  func(*run) float64
	text func(*run) string
	prog *vm.Program
	src  src
}

// build turns an expression's tree into functions over the facts. What it does not know
// it leaves to the machine: then the functions are nil.
func build(prog *vm.Program, s src) *code {
	c := &code{prog: prog, src: s}
	n := prog.Node()
	switch c.kind = kindOf(n); c.kind {
	case reflect.Bool:
		c.flag = flagOf(n)
	case reflect.Int:
		c.int = intOf(n)
	case reflect.Float64:
		c.num = numOf(n)
	case reflect.String:
		c.text = textOf(n)
	default:
	}
	return c
}

// kindOf is what a node gives, when its type says so or can be told from its parts.
func kindOf(n ast.Node) reflect.Kind {
	if list, _, ok := slot(n); ok {
		for k, name := range slotNames {
			if name == list {
				return k
			}
		}
	}
	switch x := n.(type) {
	case *ast.IntegerNode:
		return reflect.Int
	case *ast.FloatNode:
		return reflect.Float64
	case *ast.BoolNode:
		return reflect.Bool
	case *ast.StringNode:
		return reflect.String
	case *ast.ConstantNode:
		switch x.Value.(type) {
		case int:
			return reflect.Int
		case float64:
			return reflect.Float64
		case string:
			return reflect.String
		case bool:
			return reflect.Bool
		}
		return reflect.Invalid
	case *ast.BuiltinNode:
		if x.Name == "min" || x.Name == "max" {
			kind := reflect.Invalid
			for i, a := range x.Arguments {
				k := kindOf(a)
				if i > 0 && k != kind {
					return reflect.Invalid
				}
				kind = k
			}
			return kind
		}
	case *ast.ConditionalNode:
		if a, b := kindOf(x.Exp1), kindOf(x.Exp2); a == b {
			return a
		}
		return reflect.Invalid
	case *ast.PointerNode:
		return reflect.String
	}
	if t := n.Type(); t != nil {
		switch k := t.Kind(); k {
		case reflect.Int, reflect.Float64, reflect.Bool, reflect.String:
			return k
		default:
		}
	}
	return reflect.Invalid
}

func number(k reflect.Kind) bool { return k == reflect.Int || k == reflect.Float64 }

// slot is what a node reads from a slot.
func slot(n ast.Node) (list string, i int, ok bool) {
	m, isMember := n.(*ast.MemberNode)
	if !isMember {
		return "", 0, false
	}
	id, a := m.Node.(*ast.IdentifierNode)
	at, b := m.Property.(*ast.IntegerNode)
	if !a || !b || !strings.HasSuffix(id.Value, "_") {
		return "", 0, false
	}
	return id.Value, at.Value, true
}

func fact(n ast.Node, kind reflect.Kind) (feature.Feature, bool) {
	id, ok := n.(*ast.IdentifierNode)
	if !ok {
		return feature.Feature{}, false
	}
	f, ok := feature.Find(id.Value)
	return f, ok && f.Kind() == kind
}

func intOf(n ast.Node) func(*run) int {
	if f, ok := fact(n, reflect.Int); ok {
		return func(r *run) int { return f.Int(&r.Facts) }
	}
	if list, i, ok := slot(n); ok && list == "ints_" {
		return func(r *run) int { return r.Ints[i] }
	}
	switch x := n.(type) {
	case *ast.IntegerNode:
		v := x.Value
		return func(*run) int { return v }
	case *ast.ConstantNode:
		if v, ok := x.Value.(int); ok {
			return func(*run) int { return v }
		}
	case *ast.UnaryNode:
		if a := ifInt(x.Node); a != nil && x.Operator == "-" {
			return func(r *run) int { return -a(r) }
		} else if x.Operator == "+" {
			return a
		}
	case *ast.BinaryNode:
		return intBinary(x)
	case *ast.ConditionalNode:
		c, a, b := flagOf(x.Cond), ifInt(x.Exp1), ifInt(x.Exp2)
		if c != nil && a != nil && b != nil {
			return func(r *run) int {
				if c(r) {
					return a(r)
				}
				return b(r)
			}
		}
	case *ast.BuiltinNode:
		return intBuiltin(x)
	case *ast.CallNode:
		return intCall(x)
	}
	return nil
}

// ifInt is intOf of a node that gives an int.
func ifInt(n ast.Node) func(*run) int {
	if kindOf(n) != reflect.Int {
		return nil
	}
	return intOf(n)
}

func intBinary(x *ast.BinaryNode) func(*run) int {
	a, b := ifInt(x.Left), ifInt(x.Right)
	if a == nil || b == nil {
		return nil
	}
	switch x.Operator {
	case "+":
		return func(r *run) int { return a(r) + b(r) }
	case "-":
		return func(r *run) int { return a(r) - b(r) }
	case "*":
		return func(r *run) int { return a(r) * b(r) }
	case "%":
		return func(r *run) int {
			d := b(r)
			if d == 0 {
				r.fail(errZero)
				return 0
			}
			return a(r) % d
		}
	}
	return nil
}

func intBuiltin(x *ast.BuiltinNode) func(*run) int {
	switch x.Name {
	case "len":
		if f, ok := fact(x.Arguments[0], reflect.Slice); ok {
			return func(r *run) int { return len(f.Texts(&r.Facts)) }
		}
	case "min", "max":
		list := make([]func(*run) int, len(x.Arguments))
		for i, a := range x.Arguments {
			if list[i] = ifInt(a); list[i] == nil {
				return nil
			}
		}
		most := x.Name == "max"
		return func(r *run) int {
			best := list[0](r)
			for _, f := range list[1:] {
				if v := f(r); v > best == most && v != best {
					best = v
				}
			}
			return best
		}
	}
	return nil
}

func intCall(x *ast.CallNode) func(*run) int {
	id, _ := x.Callee.(*ast.IdentifierNode)
	switch {
	case id == nil:
	case id.Value == "part" && len(x.Arguments) == 2:
		a, b := ifInt(x.Arguments[0]), ifInt(x.Arguments[1])
		if a != nil && b != nil {
			return func(r *run) int {
				v, err := part(a(r), b(r))
				r.fail(err)
				return v
			}
		}
	case id.Value == "floor" && len(x.Arguments) == 1:
		if a := numOf(x.Arguments[0]); a != nil {
			return func(r *run) int {
				v, err := floor(a(r))
				r.fail(err)
				return v
			}
		}
	}
	return nil
}

// numOf reads a number of either kind.
func numOf(n ast.Node) func(*run) float64 {
	if kindOf(n) == reflect.Int {
		if a := intOf(n); a != nil {
			return func(r *run) float64 { return float64(a(r)) }
		}
		return nil
	}
	if f, ok := fact(n, reflect.Float64); ok {
		return func(r *run) float64 { return f.Float(&r.Facts) }
	}
	if list, i, ok := slot(n); ok && list == "nums_" {
		return func(r *run) float64 { return r.Nums[i] }
	}
	switch x := n.(type) {
	case *ast.FloatNode:
		v := x.Value
		return func(*run) float64 { return v }
	case *ast.ConstantNode:
		if v, ok := x.Value.(float64); ok {
			return func(*run) float64 { return v }
		}
	case *ast.UnaryNode:
		if a := numOf(x.Node); a != nil && x.Operator == "-" {
			return func(r *run) float64 { return -a(r) }
		}
	case *ast.BinaryNode:
		return numBinary(x)
	case *ast.ConditionalNode:
		c, a, b := flagOf(x.Cond), numOf(x.Exp1), numOf(x.Exp2)
		if c != nil && a != nil && b != nil && kindOf(n) == reflect.Float64 {
			return func(r *run) float64 {
				if c(r) {
					return a(r)
				}
				return b(r)
			}
		}
	case *ast.BuiltinNode:
		return numBuiltin(x)
	}
	return nil
}

func numBinary(x *ast.BinaryNode) func(*run) float64 {
	if !number(kindOf(x.Left)) || !number(kindOf(x.Right)) {
		return nil
	}
	a, b := numOf(x.Left), numOf(x.Right)
	if a == nil || b == nil {
		return nil
	}
	switch x.Operator {
	case "+":
		return func(r *run) float64 { return a(r) + b(r) }
	case "-":
		return func(r *run) float64 { return a(r) - b(r) }
	case "*":
		return func(r *run) float64 { return a(r) * b(r) }
	case "/":
		return func(r *run) float64 {
			d := b(r)
			if d == 0 && r.strict {
				r.fail(errZero)
				return 0
			}
			return a(r) / d
		}
	}
	return nil
}

func numBuiltin(x *ast.BuiltinNode) func(*run) float64 {
	if x.Name != "min" && x.Name != "max" {
		return nil
	}
	list := make([]func(*run) float64, len(x.Arguments))
	for i, a := range x.Arguments {
		if !number(kindOf(a)) {
			return nil
		}
		if list[i] = numOf(a); list[i] == nil {
			return nil
		}
	}
	most := x.Name == "max"
	return func(r *run) float64 {
		best := list[0](r)
		for _, f := range list[1:] {
			if v := f(r); most && v > best || !most && v < best {
				best = v
			}
		}
		return best
	}
}

func textOf(n ast.Node) func(*run) string {
	if f, ok := fact(n, reflect.String); ok {
		return func(r *run) string { return f.Text(&r.Facts) }
	}
	if list, i, ok := slot(n); ok && list == "texts_" {
		return func(r *run) string { return r.Texts[i] }
	}
	switch x := n.(type) {
	case *ast.StringNode:
		v := x.Value
		return func(*run) string { return v }
	case *ast.ConstantNode:
		if v, ok := x.Value.(string); ok {
			return func(*run) string { return v }
		}
	case *ast.PointerNode:
		if x.Name == "" {
			return func(r *run) string { return r.element }
		}
	case *ast.ConditionalNode:
		c, a, b := flagOf(x.Cond), textOf(x.Exp1), textOf(x.Exp2)
		if c != nil && a != nil && b != nil {
			return func(r *run) string {
				if c(r) {
					return a(r)
				}
				return b(r)
			}
		}
	}
	return nil
}

func flagOf(n ast.Node) func(*run) bool {
	if f, ok := fact(n, reflect.Bool); ok {
		return func(r *run) bool { return f.Flag(&r.Facts) }
	}
	if list, i, ok := slot(n); ok && list == "flags_" {
		return func(r *run) bool { return r.Flags[i] }
	}
	switch x := n.(type) {
	case *ast.BoolNode:
		v := x.Value
		return func(*run) bool { return v }
	case *ast.UnaryNode:
		if a := flagOf(x.Node); a != nil && (x.Operator == "not" || x.Operator == "!") {
			return func(r *run) bool { return !a(r) }
		}
	case *ast.BinaryNode:
		return flagBinary(x)
	case *ast.ConditionalNode:
		c, a, b := flagOf(x.Cond), flagOf(x.Exp1), flagOf(x.Exp2)
		if c != nil && a != nil && b != nil {
			return func(r *run) bool {
				if c(r) {
					return a(r)
				}
				return b(r)
			}
		}
	case *ast.BuiltinNode:
		return flagBuiltin(x)
	case *ast.PredicateNode:
		return flagOf(x.Node)
	}
	return nil
}

func flagBuiltin(x *ast.BuiltinNode) func(*run) bool {
	if x.Name != "any" && x.Name != "all" && x.Name != "none" || len(x.Arguments) != 2 {
		return nil
	}
	f, ok := fact(x.Arguments[0], reflect.Slice)
	test := flagOf(x.Arguments[1])
	if !ok || test == nil {
		return nil
	}
	stop, found := x.Name != "all", x.Name == "any" // the answer of a test that ends it, and what it means
	return func(r *run) bool {
		for _, r.element = range f.Texts(&r.Facts) {
			if test(r) == stop {
				return found
			}
		}
		return !found
	}
}

func flagBinary(x *ast.BinaryNode) func(*run) bool {
	switch x.Operator {
	case "and", "&&", "or", "||":
		a, b := flagOf(x.Left), flagOf(x.Right)
		if a == nil || b == nil {
			return nil
		}
		if x.Operator == "and" || x.Operator == "&&" {
			return func(r *run) bool { return a(r) && b(r) }
		}
		return func(r *run) bool { return a(r) || b(r) }
	case "in":
		return flagIn(x)
	}
	return compare(x)
}

func flagIn(x *ast.BinaryNode) func(*run) bool {
	a := textOf(x.Left)
	if a == nil || kindOf(x.Left) != reflect.String {
		return nil
	}
	var set []string
	switch list := x.Right.(type) {
	case *ast.ConstantNode:
		switch m := list.Value.(type) {
		case map[string]struct{}:
			for k := range m {
				set = append(set, k)
			}
		case []string:
			set = m
		case []any:
			for _, v := range m {
				s, ok := v.(string)
				if !ok {
					return nil
				}
				set = append(set, s)
			}
		default:
			return nil
		}
	case *ast.ArrayNode:
		for _, n := range list.Nodes {
			s, ok := n.(*ast.StringNode)
			if !ok {
				return nil
			}
			set = append(set, s.Value)
		}
	default:
		if f, ok := fact(x.Right, reflect.Slice); ok {
			return func(r *run) bool { return slices.Contains(f.Texts(&r.Facts), a(r)) }
		}
		return nil
	}
	if len(set) <= 16 {
		return func(r *run) bool { return slices.Contains(set, a(r)) }
	}
	fast := make(map[string]bool, len(set))
	for _, s := range set {
		fast[s] = true
	}
	return func(r *run) bool { return fast[a(r)] }
}

// compare compares two numbers, two texts, or for equality two flags. A comparison of a
// fact with a constant, which most are, is one function.
func compare(x *ast.BinaryNode) func(*run) bool {
	ka, kb := kindOf(x.Left), kindOf(x.Right)
	switch {
	case number(ka) && number(kb):
		a := numOf(x.Left)
		b := numOf(x.Right)
		if a == nil || b == nil {
			return nil
		}
		if ka == reflect.Int && kb == reflect.Int { // exact beyond 2^53
			return compareInts(x, intOf(x.Left), intOf(x.Right))
		}
		if c, ok := constant(x.Right); ok {
			return compareTo(x.Operator, a, c)
		}
		return compareNums(x.Operator, a, b)
	case ka == reflect.String && kb == reflect.String:
		return compareTexts(x.Operator, textOf(x.Left), textOf(x.Right))
	case ka == reflect.Bool && kb == reflect.Bool:
		a, b := flagOf(x.Left), flagOf(x.Right)
		switch {
		case a == nil || b == nil:
		case x.Operator == "==":
			return func(r *run) bool { return a(r) == b(r) }
		case x.Operator == "!=":
			return func(r *run) bool { return a(r) != b(r) }
		}
	}
	return nil
}

func constant(n ast.Node) (float64, bool) {
	switch x := n.(type) {
	case *ast.IntegerNode:
		return float64(x.Value), true
	case *ast.FloatNode:
		return x.Value, true
	case *ast.ConstantNode:
		switch v := x.Value.(type) {
		case int:
			return float64(v), true
		case float64:
			return v, true
		}
	case *ast.UnaryNode:
		if v, ok := constant(x.Node); ok && x.Operator == "-" {
			return -v, true
		}
	}
	return 0, false
}

func compareTo(op string, a func(*run) float64, c float64) func(*run) bool {
	switch op {
	case "<":
		return func(r *run) bool { return a(r) < c }
	case "<=":
		return func(r *run) bool { return a(r) <= c }
	case ">":
		return func(r *run) bool { return a(r) > c }
	case ">=":
		return func(r *run) bool { return a(r) >= c }
	case "==":
		return func(r *run) bool { return a(r) == c }
	case "!=":
		return func(r *run) bool { return a(r) != c }
	}
	return nil
}

func compareNums(op string, a, b func(*run) float64) func(*run) bool {
	switch op {
	case "<":
		return func(r *run) bool { return a(r) < b(r) }
	case "<=":
		return func(r *run) bool { return a(r) <= b(r) }
	case ">":
		return func(r *run) bool { return a(r) > b(r) }
	case ">=":
		return func(r *run) bool { return a(r) >= b(r) }
	case "==":
		return func(r *run) bool { return a(r) == b(r) }
	case "!=":
		return func(r *run) bool { return a(r) != b(r) }
	}
	return nil
}

func compareInts(x *ast.BinaryNode, a, b func(*run) int) func(*run) bool {
	if c, ok := x.Right.(*ast.IntegerNode); ok {
		v := c.Value
		b = nil
		switch x.Operator {
		case "<":
			return func(r *run) bool { return a(r) < v }
		case "<=":
			return func(r *run) bool { return a(r) <= v }
		case ">":
			return func(r *run) bool { return a(r) > v }
		case ">=":
			return func(r *run) bool { return a(r) >= v }
		case "==":
			return func(r *run) bool { return a(r) == v }
		case "!=":
			return func(r *run) bool { return a(r) != v }
		}
		return nil
	}
	switch x.Operator {
	case "<":
		return func(r *run) bool { return a(r) < b(r) }
	case "<=":
		return func(r *run) bool { return a(r) <= b(r) }
	case ">":
		return func(r *run) bool { return a(r) > b(r) }
	case ">=":
		return func(r *run) bool { return a(r) >= b(r) }
	case "==":
		return func(r *run) bool { return a(r) == b(r) }
	case "!=":
		return func(r *run) bool { return a(r) != b(r) }
	}
	return nil
}

func compareTexts(op string, a, b func(*run) string) func(*run) bool {
	if a == nil || b == nil {
		return nil
	}
	switch op {
	case "==":
		return func(r *run) bool { return a(r) == b(r) }
	case "!=":
		return func(r *run) bool { return a(r) != b(r) }
	case "<":
		return func(r *run) bool { return a(r) < b(r) }
	case "<=":
		return func(r *run) bool { return a(r) <= b(r) }
	case ">":
		return func(r *run) bool { return a(r) > b(r) }
	case ">=":
		return func(r *run) bool { return a(r) >= b(r) }
	case "startsWith":
		return func(r *run) bool { return strings.HasPrefix(a(r), b(r)) }
	case "endsWith":
		return func(r *run) bool { return strings.HasSuffix(a(r), b(r)) }
	case "contains":
		return func(r *run) bool { return strings.Contains(a(r), b(r)) }
	}
	return nil
}

// names are the identifiers of an expression, each once, and whether it asks for what is
// there by itself: with a condition or a has_ fact.
type names struct {
	list    []string
	guarded bool
	bounds  []bound
	divides bool
}

// bound is a number that an expression compares a name with.
type bound struct {
	name  string
	value float64
}

// Visit implements ast.Visitor.
func (v *names) Visit(n *ast.Node) {
	switch x := (*n).(type) {
	case *ast.IdentifierNode:
		if !slices.Contains(v.list, x.Value) {
			v.list = append(v.list, x.Value)
		}
		v.guarded = v.guarded || strings.HasPrefix(x.Value, "has_")
	case *ast.ConditionalNode:
		v.guarded = true
	case *ast.BinaryNode:
		v.divides = v.divides || x.Operator == "/" || x.Operator == "%"
		for _, p := range [][2]ast.Node{{x.Left, x.Right}, {x.Right, x.Left}} {
			if id, ok := p[0].(*ast.IdentifierNode); ok {
				if c, ok := constant(p[1]); ok {
					v.bounds = append(v.bounds, bound{id.Value, c})
				}
			}
		}
	}
}

// patch puts slots for the names of values, tables, thresholds and scores.
type patch struct {
	c    *compiler
	done map[ast.Node]string // nodes that were put for a name
	err  error
}

// Visit implements ast.Visitor; the parts of a node come before it.
func (v *patch) Visit(n *ast.Node) {
	switch x := (*n).(type) {
	case *ast.IdentifierNode:
		if strings.HasSuffix(x.Value, "_") && slices.Contains([]string{"ints_", "nums_", "flags_", "texts_"}, x.Value) {
			if _, ours := v.done[x]; !ours {
				v.err = fmt.Errorf("unknown name %s", x.Value)
			}
			return
		}
		if node := v.c.nodes[x.Value]; node != nil && len(node.outs) == 1 {
			v.put(n, x.Value, node.outs[0])
		}
	case *ast.MemberNode:
		name, ok := v.done[x.Node]
		if id, isID := x.Node.(*ast.IdentifierNode); isID && !ok && v.c.nodes[id.Value] != nil {
			name, ok = id.Value, true
		}
		field, isText := x.Property.(*ast.StringNode)
		if !ok || !isText {
			return
		}
		for _, o := range v.c.nodes[name].outs {
			if o.name == field.Value {
				v.put(n, "", o)
				return
			}
		}
		v.err = fmt.Errorf("%s has no %s", name, field.Value)
	}
}

func (v *patch) put(n *ast.Node, name string, o output) {
	list := &ast.IdentifierNode{Value: slotNames[o.kind]}
	v.done[list] = ""
	list.SetLocation((*n).Location())
	at := &ast.IntegerNode{Value: o.slot}
	m := &ast.MemberNode{Node: list, Property: at}
	if name != "" {
		v.done[m] = name
	}
	ast.Patch(n, m)
}
