package policy

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/money"
)

// told is what a part says when it fires: its code, its text cut at the arguments, and
// what they are.
type told struct {
	code string
	text []segment
	args []arg
}

// segment is a piece of a text, and the argument after it.
type segment struct{ text, arg string }

// segments cuts a text at its {arguments}.
func segments(s string) (out []segment) {
	for {
		a := strings.IndexByte(s, '{')
		b := -1
		if a >= 0 {
			b = strings.IndexByte(s[a:], '}')
		}
		if b < 0 {
			return append(out, segment{text: s})
		}
		out = append(out, segment{s[:a], s[a+1 : a+b]})
		s = s[a+b+1:]
	}
}

// ready is a reason whose arguments never change.
type ready struct {
	args map[string]string
	msg  string
}

// fixed is the reason of a part whose one argument is known beforehand.
func (t told) fixed(name, value string) *ready {
	if len(t.args) > 0 {
		return nil
	}
	var b strings.Builder
	for _, s := range t.text {
		b.WriteString(s.text)
		switch s.arg {
		case "":
		case name:
			b.WriteString(value)
		default:
			b.WriteString("{" + s.arg + "}")
		}
	}
	return &ready{map[string]string{name: value}, b.String()}
}

func percentOf(bp int64) string { return strconv.FormatInt(bp/100, 10) + "%" }

// arg is a named value in a text. What most of them are is written without the machine.
type arg struct {
	name  string
	code  *code
	write func(*run) // into run.buf; nil asks the machine
}

func newArg(name string, x *code) arg {
	a := arg{name: name, code: x}
	switch n := x.prog.Node().(type) {
	case *ast.CallNode:
		a.write = writeCall(n)
	case *ast.BuiltinNode:
		if f, ok := joined(n); ok {
			sep := n.Arguments[1].(*ast.StringNode).Value
			a.write = func(r *run) {
				for i, s := range f.Texts(&r.Facts) {
					if i > 0 {
						r.buf = append(r.buf, sep...)
					}
					r.buf = append(r.buf, s...)
				}
			}
		}
	}
	if a.write != nil {
		return a
	}
	switch {
	case x.text != nil:
		a.write = func(r *run) { r.buf = append(r.buf, x.text(r)...) }
	case x.int != nil:
		a.write = func(r *run) { r.buf = strconv.AppendInt(r.buf, int64(x.int(r)), 10) }
	case x.num != nil:
		a.write = func(r *run) { r.buf = strconv.AppendFloat(r.buf, x.num(r), 'f', 2, 64) }
	case x.flag != nil:
		a.write = func(r *run) { r.buf = strconv.AppendBool(r.buf, x.flag(r)) }
	}
	return a
}

func writeCall(n *ast.CallNode) func(*run) {
	id, _ := n.Callee.(*ast.IdentifierNode)
	if id == nil || len(n.Arguments) != 1 {
		return nil
	}
	switch id.Value {
	case "percent":
		if kindOf(n.Arguments[0]) != reflect.Float64 {
			return nil
		}
		if v := numOf(n.Arguments[0]); v != nil {
			return func(r *run) { r.buf = appendPercent(r.buf, v(r)) }
		}
	case "yuan":
		if v := ifInt(n.Arguments[0]); v != nil {
			return func(r *run) { r.buf = appendYuan(r.buf, money.Fen(v(r))) }
		}
	}
	return nil
}

func joined(n *ast.BuiltinNode) (feature.Feature, bool) {
	if n.Name != "join" || len(n.Arguments) != 2 {
		return feature.Feature{}, false
	}
	if _, ok := n.Arguments[1].(*ast.StringNode); !ok {
		return feature.Feature{}, false
	}
	return fact(n.Arguments[0], reflect.Slice)
}

// appendYuan writes as [money.Fen.String] does.
func appendYuan(b []byte, f money.Fen) []byte {
	u := uint64(f)
	if f < 0 {
		b, u = append(b, '-'), uint64(-f)
	}
	b = strconv.AppendUint(b, u/100, 10)
	return append(b, '.', byte('0'+u%100/10), byte('0'+u%10))
}

// appendBP writes basis points as [money.Rate.String] does: per cent with the decimals
// that are needed.
func appendBP(b []byte, bp int64) []byte {
	u := uint64(bp)
	if bp < 0 {
		b, u = append(b, '-'), uint64(-bp)
	}
	b = strconv.AppendUint(b, u/100, 10)
	if tenth, rest := u%100/10, u%10; rest > 0 {
		b = append(b, '.', byte('0'+tenth), byte('0'+rest))
	} else if tenth > 0 {
		b = append(b, '.', byte('0'+tenth))
	}
	return append(b, '%')
}

// item is a reason or an allowance before its texts are cut out of the run's buffer.
type item struct {
	reason   credit.Reason
	from, to int // arguments
	msg      [2]int
	set      *ready
	shared   map[string]string // arguments of an allowance, the same for all decisions
}

// piece is the value of an argument in the buffer.
type piece struct {
	name string
	at   [2]int
}

// extra is an argument that the engine adds to those of the file.
type extra struct {
	name string
	fen  money.Fen
	text string // instead of fen
	bp   int64  // instead of both, when rate says so
	rate bool
}

// say makes a reason in English.
func (r *run) say(t *told, effect string, amount money.Fen, x extra) item {
	it := item{reason: credit.Reason{Code: t.code, Effect: effect, Amount: amount}, from: len(r.pieces)}
	if x.name != "" {
		at := len(r.buf)
		switch {
		case x.rate:
			r.buf = appendBP(r.buf, x.bp)
		case x.text != "":
			r.buf = append(r.buf, x.text...)
		default:
			r.buf = appendYuan(r.buf, x.fen)
		}
		r.pieces = append(r.pieces, piece{x.name, [2]int{at, len(r.buf)}})
	}
	for i := range t.args {
		a := &t.args[i]
		at := len(r.buf)
		if a.write != nil {
			a.write(r)
		} else {
			r.buf = append(r.buf, r.print(a.code)...)
		}
		r.pieces = append(r.pieces, piece{a.name, [2]int{at, len(r.buf)}})
	}
	it.to = len(r.pieces)
	r.message(t, &it)
	return it
}

func (r *run) message(t *told, it *item) {
	it.msg[0] = len(r.buf)
	for i := range t.text {
		s := &t.text[i]
		r.buf = append(r.buf, s.text...)
		if s.arg == "" {
			continue
		}
		found := false
		for _, p := range r.pieces[it.from:it.to] {
			if p.name == s.arg {
				r.buf = append(r.buf, r.buf[p.at[0]:p.at[1]]...)
				found = true
				break
			}
		}
		if !found {
			r.buf = append(append(append(r.buf, '{'), s.arg...), '}')
		}
	}
	it.msg[1] = len(r.buf)
}

// finish cuts the texts of an item out of all, which is the whole buffer as a string.
// skip is an argument that is not repeated.
func (r *run) finish(it *item, all, skip string) credit.Reason {
	out := it.reason
	if it.set != nil {
		out.Args, out.Msg = it.set.args, it.set.msg
		return out
	}
	out.Msg = all[it.msg[0]:it.msg[1]]
	if it.shared != nil && skip != "" {
		out.Args = it.shared
		return out
	}
	for _, p := range r.pieces[it.from:it.to] {
		if p.name == skip {
			continue
		}
		if out.Args == nil {
			out.Args = make(map[string]string, it.to-it.from)
		}
		out.Args[p.name] = all[p.at[0]:p.at[1]]
	}
	return out
}

// print asks the machine for the text of a value.
func (r *run) print(x *code) string {
	switch v := r.eval(x).(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case nil:
		return ""
	default:
		return fmt.Sprint(v)
	}
}
