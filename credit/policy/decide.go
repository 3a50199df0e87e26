package policy

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/expr-lang/expr/vm"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/money"
)

// Models finds the model in force by its name. A name that is not known gives nil, and
// what the policy says of a missing score holds; an error refers to a person.
type Models interface {
	Model(name string) (*score.Model, error)
}

// ModelSet are models by name.
type ModelSet map[string]*score.Model

// Model implements Models.
func (s ModelSet) Model(name string) (*score.Model, error) { return s[name], nil }

// Decide answers by the policy that the product names, or by the one over it that is for
// the applicant's industry; ErrUnknown when there is none.
func (s *Set) Decide(ev credit.Evidence, p product.Product, models Models, now time.Time) (credit.Decision, error) {
	pol, err := s.For(p.Policy, ev.Applicant.Industry)
	if err != nil {
		return credit.Decision{}, err
	}
	return pol.Decide(ev, p, models, now)
}

// Decide is a pure function of its arguments; now only stamps the decision. models may be
// nil. The caller sets ID, ApplicationID, EvidenceHash and Micros. The arguments of reasons
// may be shared between decisions: nobody changes them.
//
// The limit is the base × each factor's first row that fits (basis points, HALF_EVEN
// after each), then not above any allowance, then rounded down. Rules see the limit. One
// rule that refuses refuses; else one that refers refers; else the limit is offered.
//
// A policy of format 2 that cannot be worked out, by a division by zero or an amount that
// no number holds, refers with the reason policy.error. Evidence with a part that is newer
// than TakenAt is feature.ErrLater.
func (p *Policy) Decide(ev credit.Evidence, prod product.Product, models Models, now time.Time) (credit.Decision, error) {
	if p.format >= 2 {
		if err := feature.Check(&ev); err != nil {
			return credit.Decision{}, err
		}
	}
	r := p.newRun()
	defer r.release()
	r.Fill(&ev, feature.Terms{Min: prod.MinFen, Max: prod.MaxFen})
	return p.decide(r, &ev, &prod, models, now)
}

// DecideOn is [Policy.Decide] on facts that were gathered from ev, or changed since to ask
// what would be. A formula of the product reads ev.
func (p *Policy) DecideOn(facts feature.Facts, ev credit.Evidence, prod product.Product, models Models, now time.Time) (credit.Decision, error) {
	r := p.newRun()
	defer r.release()
	r.Facts = facts
	return p.decide(r, &ev, &prod, models, now)
}

func (p *Policy) decide(r *run, ev *credit.Evidence, prod *product.Product, models Models, now time.Time) (credit.Decision, error) {
	d := credit.Decision{
		Outcome: credit.Offer, TermMonths: ev.TermMonths, Policy: p.id, MadeAt: now.UTC(),
	}
	for _, n := range p.early {
		p.compute(r, n, models)
	}
	d.Limit = p.limit(r, ev, prod)
	r.Limit = int(d.Limit)
	for _, n := range p.late {
		p.compute(r, n, models)
	}
	for i := range p.rules {
		if x := &p.rules[i]; r.holds(x.when) {
			r.reason(r.say(&x.told, x.effect, 0, extra{}))
		}
	}
	r.product(ev, prod)
	d.Outcome = r.outcome
	d.Score = p.rating(r)
	d.Rate = p.rate(r, prod, d.Score)
	if r.err != nil {
		if p.format < 2 {
			return credit.Decision{}, fmt.Errorf("policy %s: %w", p.id, r.err)
		}
		return p.failed(r, d), nil
	}
	p.tell(r, &d)
	return d, nil
}

// failed is the answer of a policy that could not be worked out.
func (p *Policy) failed(r *run, d credit.Decision) credit.Decision {
	d.Outcome, d.Limit, d.Rate, d.Score = credit.Refer, 0, 0, 0
	r.buf, r.pieces = r.buf[:0], r.pieces[:0]
	it := r.named("policy.error", Refer, "why", r.err.Error())
	d.Reasons = []credit.Reason{r.finish(&it, string(r.buf), "")}
	return d
}

// tell makes the reasons, allowances and scores of the decision from what the run noted.
func (p *Policy) tell(r *run, d *credit.Decision) {
	if d.Outcome == credit.Refuse {
		d.Limit = 0
	} else {
		r.reasons = append(r.reasons, r.limits...)
		r.reasons = append(r.reasons, r.prices...)
	}
	all := string(r.buf)
	order(r.reasons)
	d.Reasons = make([]credit.Reason, len(r.reasons))
	for i := range r.reasons {
		d.Reasons[i] = r.finish(&r.reasons[i], all, "")
	}
	if p.format < 2 {
		return
	}
	if len(r.allowed) > 0 {
		least := r.allowed[0].reason.Amount
		for i := range r.allowed {
			least = min(least, r.allowed[i].reason.Amount)
		}
		d.Allowances = make([]credit.Allowance, len(r.allowed))
		for i := range r.allowed {
			x := r.finish(&r.allowed[i], all, "yuan")
			d.Allowances[i] = credit.Allowance{Code: x.Code, Amount: x.Amount, Binding: x.Amount == least, Msg: x.Msg, Args: x.Args}
		}
	}
	if len(r.scores) > 0 {
		d.Scores = slices.Clone(r.scores)
	}
}

// order sorts reasons by effect, and those of the limit by the size of the change; a
// handful, so by insertion and without moving what is in order.
func order(list []item) {
	for i := 1; i < len(list); i++ {
		for k := i; k > 0 && before(&list[k].reason, &list[k-1].reason); k-- {
			list[k], list[k-1] = list[k-1], list[k]
		}
	}
}

func before(a, b *credit.Reason) bool {
	x, y := rank(a.Effect), rank(b.Effect)
	if x != y || a.Effect == Refuse || a.Effect == Refer {
		return x < y
	}
	return size(a.Amount) > size(b.Amount)
}

func size(f money.Fen) money.Fen {
	if f < 0 {
		return -f
	}
	return f
}

func (p *Policy) limit(r *run, ev *credit.Evidence, prod *product.Product) money.Fen {
	formula := prod.Formula != nil
	var limit money.Fen
	if formula {
		var known bool
		if limit, known = prod.Formula.Allow(*ev); !known {
			r.reason(r.named("evidence.missing", Refer, "part", prod.Formula.Part(), "why", "formula"))
		}
		r.limits = append(r.limits, r.say(builtinTold["limit.evidence"], Info, limit, extra{name: "yuan", fen: limit}))
	} else {
		limit = max(0, money.Fen(r.integer(p.base.fen)))
		r.limits = append(r.limits, r.say(&p.base.told, Info, limit, extra{name: "yuan", fen: limit}))
	}
	for i := range p.factors {
		if f := &p.factors[i]; !f.own || !formula {
			limit = r.factor(f, limit)
		}
	}
	if p.format >= 2 {
		r.allow(r.say(builtinTold["limit.evidence"], Lower, 0, extra{name: "yuan", fen: limit}), limit)
	}
	for i := range p.caps {
		c := &p.caps[i]
		if c.when != nil && !r.holds(c.when) {
			continue
		}
		most := max(0, money.Fen(r.integer(c.fen)))
		if p.format < 2 && most >= limit {
			continue
		}
		it := r.say(&c.told, c.effect, min(0, most-limit), extra{name: "yuan", fen: most})
		r.allow(it, most)
		if most < limit {
			r.limits = append(r.limits, it)
			limit = most
		}
	}
	limit = r.bounds(p, prod, limit)
	return limit - limit%p.round
}

func (r *run) factor(f *factor, limit money.Fen) money.Fen {
	bp := int64(10_000)
	var set *ready
	if f.bp != nil {
		bp = int64(min(max(r.integer(f.bp), 0), 20_000))
	}
	for i := range f.rows {
		if row := &f.rows[i]; row.when == nil || r.holds(row.when) {
			bp, set = row.bp, row.set
			break
		}
	}
	if bp == 10_000 || limit == 0 {
		return limit
	}
	next, err := part(int(limit), int(bp))
	if err != nil {
		r.fail(err)
		return 0
	}
	effect := Lower
	if bp > 10_000 {
		effect = Raise
	}
	change := money.Fen(next) - limit
	if set != nil {
		r.limits = append(r.limits, item{reason: credit.Reason{Code: f.told.code, Effect: effect, Amount: change}, set: set})
	} else {
		r.limits = append(r.limits, r.say(&f.told, effect, change, extra{name: "percent", text: percentOf(bp)}))
	}
	return money.Fen(next)
}

// allow notes what one rule of the limit allows.
func (r *run) allow(it item, most money.Fen) {
	it.reason.Amount = most
	r.allowed = append(r.allowed, it)
}

// reason notes a reason and what it makes of the outcome.
func (r *run) reason(it item) {
	switch it.reason.Effect {
	case Refuse:
		r.outcome = credit.Refuse
	case Refer:
		if r.outcome == credit.Offer {
			r.outcome = credit.Refer
		}
	}
	r.reasons = append(r.reasons, it)
}

func (p *Policy) rate(r *run, prod *product.Product, rating int) money.Rate {
	bp := prod.PriceBP(rating, r.TermMonths, r.Region)
	for i := range p.price {
		x := &p.price[i]
		if x.when != nil && !r.holds(x.when) {
			continue
		}
		add := x.bp
		if x.by != nil {
			if add = int64(r.integer(x.by)); add == 0 {
				continue
			}
		}
		bp += add
		r.prices = append(r.prices, r.say(&x.told, Info, 0, extra{name: "percent", bp: add, rate: true}))
	}
	return money.BP(min(max(bp, 0), prod.MaxRateBP))
}

func (p *Policy) rating(r *run) int {
	points := p.points
	for i := range p.score {
		if x := &p.score[i]; x.when == nil || r.holds(x.when) {
			points += x.points
		}
	}
	return min(max(points, 0), 1000)
}

// compute puts what a node says into its slots.
func (p *Policy) compute(r *run, n *node, models Models) {
	switch {
	case n.code != nil:
		o := n.outs[0]
		r.set(o, true)
		switch o.kind {
		case reflect.Int:
			r.Ints[o.slot] = r.integer(n.code)
		case reflect.Float64:
			r.Nums[o.slot] = r.number(n.code)
		case reflect.Bool:
			r.Flags[o.slot] = r.holds(n.code)
		default:
			r.Texts[o.slot] = r.string(n.code)
		}
	case n.table != nil:
		n.table.decide(r)
	case n.level != nil:
		r.put(n.outs[0], n.level.find(&r.Facts))
	case n.score != nil:
		p.scored(r, n, models)
	}
}

func (r *run) put(o output, v *outCell) {
	r.set(o, v != nil)
	if v == nil {
		return
	}
	switch o.kind {
	case reflect.Int:
		r.Ints[o.slot] = v.i
	case reflect.Float64:
		r.Nums[o.slot] = v.n
	case reflect.Bool:
		r.Flags[o.slot] = v.b
	default:
		r.Texts[o.slot] = v.t
	}
}

// boundModel is a model with what reads its inputs, and the words of its bins.
type boundModel struct {
	names []string
	read  []func(*feature.Facts) score.Value
	bins  [][]string
	err   error
}

// mostReasons are the features told of a score.
const mostReasons = 4

func (p *Policy) bind(m *score.Model) *boundModel {
	if b, ok := p.bound.Load(m); ok {
		return b.(*boundModel)
	}
	b := &boundModel{names: m.Inputs()}
	for i, name := range b.names {
		read, ok := feature.Lookup(name)
		if !ok {
			b.err = fmt.Errorf("the model %s needs %s, which is no feature", m.ID(), name)
			break
		}
		b.read = append(b.read, read)
		var words []string
		for k := range m.File().Inputs[i].Bins {
			words = append(words, m.BinText(i, k))
		}
		b.bins = append(b.bins, words)
	}
	p.bound.Store(m, b)
	return b
}

// scored asks the model; without one the score is missing.
func (p *Policy) scored(r *run, n *node, models Models) {
	for _, o := range n.outs {
		r.set(o, false)
		r.put(o, &outCell{})
		r.set(o, false)
	}
	s := n.score
	if models == nil || s.when != nil && !r.holds(s.when) {
		return
	}
	m, err := models.Model(s.model)
	if err != nil || m == nil {
		r.fail(err)
		return
	}
	b := p.bind(m)
	if b.err != nil {
		r.fail(b.err)
		return
	}
	r.row = r.row[:0]
	for _, read := range b.read {
		r.row = append(r.row, read(&r.Facts))
	}
	m.Score(r.row, &r.result)
	x := &r.result
	r.Ints[n.outs[0].slot] = x.Points
	for i, v := range []float64{x.PD, x.Low, x.High} {
		r.Nums[n.outs[1+i].slot] = v
	}
	r.Texts[n.outs[4].slot] = s.band(x.Points, x.PD)
	for _, o := range n.outs {
		r.set(o, true)
	}
	most := min(len(x.Parts), mostReasons)
	why := make([]credit.ScoreReason, 0, most)
	for _, part := range x.Parts[:most] {
		if part.Lost <= 0 {
			break
		}
		why = append(why, credit.ScoreReason{Feature: b.names[part.Input], Bin: b.bins[part.Input][part.Bin], Points: part.Lost})
	}
	r.scores = append(r.scores, credit.Score{
		Model: m.ID(), Dimension: m.Dimension(), Points: x.Points, PD: x.PD, PDLow: x.Low, PDHigh: x.High, Reasons: why,
	})
}

// run is one decision being made. It keeps the first error, and is used again.
type run struct {
	scope
	strict  bool // a division by zero is an error
	err     error
	element string // of a list, in any, all and none
	known   []bool // of each output
	vm      vm.VM

	outcome credit.Outcome
	reasons []item // of rules and products
	limits  []item
	prices  []item
	allowed []item
	pieces  []piece
	buf     []byte // every text of the decision
	scores  []credit.Score
	row     []score.Value
	result  score.Result
}

var runs = sync.Pool{New: func() any { return new(run) }}

func (p *Policy) newRun() *run {
	r := runs.Get().(*run)
	r.strict, r.err, r.outcome = p.format >= 2, nil, credit.Offer
	r.Ints, r.Nums = sized(r.Ints, p.slots[0]), sized(r.Nums, p.slots[1])
	r.Flags, r.Texts = sized(r.Flags, p.slots[2]), sized(r.Texts, p.slots[3])
	r.known = sized(r.known, p.outs)
	r.reasons, r.limits, r.prices, r.allowed = r.reasons[:0], r.limits[:0], r.prices[:0], r.allowed[:0]
	r.pieces, r.buf, r.scores = r.pieces[:0], r.buf[:0], r.scores[:0]
	return r
}

func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// release gives the run back without what belongs to the evidence.
func (r *run) release() {
	r.Facts = feature.Facts{}
	clear(r.scores)
	runs.Put(r)
}

func (r *run) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *run) set(o output, known bool) { r.known[o.id] = known }

// eval asks the machine.
func (r *run) eval(x *code) any {
	v, err := r.vm.Run(x.prog, &r.scope)
	if err != nil {
		r.fail(errors.New(firstLine(err.Error())))
		return nil
	}
	return v
}

func firstLine(s string) string {
	for i := range len(s) {
		if s[i] == '\n' {
			return s[:i]
		}
	}
	return s
}

func (r *run) holds(x *code) bool {
	if x.flag != nil {
		return x.flag(r)
	}
	v, _ := r.eval(x).(bool)
	return v
}

func (r *run) integer(x *code) int {
	if x.int != nil {
		return x.int(r)
	}
	v, _ := r.eval(x).(int)
	return v
}

func (r *run) number(x *code) float64 {
	switch {
	case x.num != nil:
		return x.num(r)
	case x.int != nil:
		return float64(x.int(r))
	}
	switch v := r.eval(x).(type) {
	case float64:
		return v
	case int:
		return float64(v)
	}
	return 0
}

func (r *run) string(x *code) string {
	if x.text != nil {
		return x.text(r)
	}
	v, _ := r.eval(x).(string)
	return v
}

// any evaluates an expression of any kind, for the trial.
func (r *run) any(x *code) {
	switch {
	case x.flag != nil:
		x.flag(r)
	case x.int != nil:
		x.int(r)
	case x.num != nil:
		x.num(r)
	case x.text != nil:
		x.text(r)
	default:
		r.eval(x)
	}
}
