package policy

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/expr-lang/expr/vm"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// Decide answers by the policy that the product names; ErrUnknown when there is none.
func (s *Set) Decide(ev credit.Evidence, p product.Product, now time.Time) (credit.Decision, error) {
	pol, err := s.Policy(p.Policy)
	if err != nil {
		return credit.Decision{}, err
	}
	return pol.Decide(ev, p, now)
}

// Decide is a pure function of its arguments; now only stamps the decision. The
// caller sets ID, ApplicationID, EvidenceHash and Micros.
//
// The limit is the base × each factor's first row that fits (basis points, HALF_EVEN
// after each), then not above any cap, then rounded down. Rules see the limit. One
// rule that refuses refuses; else one that refers refers; else the limit is offered.
func (p *Policy) Decide(ev credit.Evidence, prod product.Product, now time.Time) (credit.Decision, error) {
	facts := feature.Gather(ev, feature.Terms{Min: prod.MinFen, Max: prod.MaxFen})
	r := runs.Get().(*run)
	defer runs.Put(r)
	r.facts, r.err = &facts, nil
	d := credit.Decision{
		Outcome: credit.Offer, TermMonths: ev.TermMonths, Policy: p.ID(), MadeAt: now.UTC(),
	}
	limits := make([]credit.Reason, 0, 8)
	d.Limit, limits = p.limit(r, limits)
	facts.Limit = int(d.Limit)

	d.Reasons = make([]credit.Reason, 0, 8)
	for i := range p.rules {
		x := &p.rules[i]
		if !r.holds(x.when) {
			continue
		}
		switch x.effect {
		case Refuse:
			d.Outcome = credit.Refuse
		case Refer:
			if d.Outcome == credit.Offer {
				d.Outcome = credit.Refer
			}
		}
		d.Reasons = append(d.Reasons, p.reason(r, x.code, x.effect, 0, x.args, "", ""))
	}
	prices := p.rate(r, prod, &d)
	d.Score = p.rating(r)
	if d.Outcome == credit.Refuse {
		d.Limit = 0
	} else {
		d.Reasons = append(d.Reasons, limits...)
		d.Reasons = append(d.Reasons, prices...)
	}
	slices.SortStableFunc(d.Reasons, func(a, b credit.Reason) int {
		if x := rank(a.Effect) - rank(b.Effect); x != 0 || a.Effect == Refuse || a.Effect == Refer {
			return x
		}
		return int(min(max(size(b.Amount)-size(a.Amount), -1), 1))
	})
	if r.err != nil {
		return credit.Decision{}, fmt.Errorf("policy %s: %w", p.ID(), r.err)
	}
	return d, nil
}

func size(f money.Fen) money.Fen {
	if f < 0 {
		return -f
	}
	return f
}

func (p *Policy) limit(r *run, why []credit.Reason) (money.Fen, []credit.Reason) {
	limit := max(0, r.fen(p.base.fen))
	why = append(why, p.reason(r, p.base.code, Info, limit, p.base.args, "yuan", limit.String()))
	for i := range p.factors {
		f := &p.factors[i]
		bp := int64(10_000)
		for _, row := range f.rows {
			if row.when == nil || r.holds(row.when) {
				bp = row.bp
				break
			}
		}
		if bp == 10_000 || limit == 0 {
			continue
		}
		next, err := money.Mul(limit, bp, 10_000)
		if err != nil {
			r.fail(err)
			return 0, why
		}
		effect := Lower
		if bp > 10_000 {
			effect = Raise
		}
		why = append(why, p.reason(r, f.code, effect, next-limit, f.args, "percent", strconv.FormatInt(bp/100, 10)+"%"))
		limit = next
	}
	for i := range p.caps {
		c := &p.caps[i]
		if most := max(0, r.fen(c.fen)); most < limit {
			why = append(why, p.reason(r, c.code, c.effect, most-limit, c.args, "yuan", most.String()))
			limit = most
		}
	}
	return limit - limit%p.round, why
}

func (p *Policy) rate(r *run, prod product.Product, d *credit.Decision) (why []credit.Reason) {
	bp := prod.BaseRateBP
	for i := range p.price {
		x := &p.price[i]
		if x.when != nil && !r.holds(x.when) {
			continue
		}
		bp += x.bp
		why = append(why, p.reason(r, x.code, Info, 0, x.args, "percent", money.BP(x.bp).String()))
	}
	d.Rate = money.BP(min(max(bp, 0), prod.MaxRateBP))
	return why
}

func (p *Policy) rating(r *run) int {
	points := p.points
	for _, x := range p.score {
		if x.when == nil || r.holds(x.when) {
			points += x.points
		}
	}
	return min(max(points, 0), 1000)
}

// reason makes a reason in English; extra names one more argument.
func (p *Policy) reason(r *run, code, effect string, amount money.Fen, args []arg, extra, value string) credit.Reason {
	out := credit.Reason{Code: code, Effect: effect, Amount: amount}
	if extra != "" || len(args) > 0 {
		out.Args = make(map[string]string, len(args)+1)
	}
	if extra != "" {
		out.Args[extra] = value
	}
	for _, a := range args {
		out.Args[a.name] = r.text(a.value)
	}
	out.Msg = fault.Fill(p.texts[code].EN, out.Args)
	return out
}

// trial decides on empty evidence and evaluates every part, fired or not.
func (p *Policy) trial() error {
	facts := feature.Gather(credit.Evidence{}, feature.Terms{})
	r := &run{facts: &facts}
	r.fen(p.base.fen)
	args := slices.Clone(p.base.args)
	for _, f := range p.factors {
		args = append(args, f.args...)
		for _, row := range f.rows {
			if row.when != nil {
				r.holds(row.when)
			}
		}
	}
	for _, c := range p.caps {
		r.fen(c.fen)
		args = append(args, c.args...)
	}
	for _, x := range p.price {
		if x.when != nil {
			r.holds(x.when)
		}
		args = append(args, x.args...)
	}
	p.rating(r)
	for _, x := range p.rules {
		r.holds(x.when)
		args = append(args, x.args...)
	}
	for _, a := range args {
		r.text(a.value)
	}
	return r.err
}

// run evaluates expressions and keeps the first error. Its machine is reused.
type run struct {
	vm    vm.VM
	facts *feature.Facts
	err   error
}

var runs = sync.Pool{New: func() any { return new(run) }}

func (r *run) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *run) eval(p *vm.Program) any {
	v, err := r.vm.Run(p, r.facts)
	if err != nil {
		r.fail(err)
		return nil
	}
	return v
}

func (r *run) holds(p *vm.Program) bool {
	v, _ := r.eval(p).(bool)
	return v
}

func (r *run) fen(p *vm.Program) money.Fen {
	v, _ := r.eval(p).(int)
	return money.Fen(v)
}

func (r *run) text(p *vm.Program) string {
	switch v := r.eval(p).(type) {
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
