package collateral

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// Named is a thing that somebody wants to pledge.
type Named struct {
	Kind   Kind      `json:"kind" enum:"crop,animal,receivable,surety"`
	Ref    string    `json:"ref" minLength:"1" maxLength:"128" doc:"the plot, animal or part of a receivable; of a surety, who answers"`
	Parent string    `json:"parent,omitempty" maxLength:"128" doc:"the herd of an animal, the receivable of a part"`
	Label  string    `json:"label,omitempty" maxLength:"200" doc:"of a surety: what a person calls it"`
	Amount money.Fen `json:"amount,omitempty" doc:"of a surety: fen that it answers for"`
	Rank   int       `json:"rank,omitempty" doc:"2 or more when others have claims before ours; 0 means 1"`
	Prior  money.Fen `json:"prior,omitempty" doc:"fen of those claims"`
}

// GivenValue is a value that a person gives, with where it comes from.
type GivenValue struct {
	AssetID string     `json:"asset_id"`
	Low     money.Fen  `json:"low"`
	Middle  money.Fen  `json:"middle"`
	High    money.Fen  `json:"high"`
	On      money.Date `json:"on,omitzero" doc:"of the evidence; today when absent"`
	Source  string     `json:"source" maxLength:"200"`
}

// PoolAct is what somebody wants done with a pool. Which fields count depends on the kind.
type PoolAct struct {
	Kind   EventKind    `json:"kind"`
	Assets []string     `json:"assets,omitempty"` // that leave: release, substitute, sale, realise, loss
	Take   []Named      `json:"take,omitempty"`   // pledge, substitute
	Values []GivenValue `json:"values,omitempty"` // revalue; none has all valued by their evidence
	Gross  money.Fen    `json:"gross,omitempty"`  // sale, realise
	Costs  money.Fen    `json:"costs,omitempty"`  // realise
	Payer  string       `json:"payer,omitempty"`
	On     money.Date   `json:"on,omitzero"` // sale, realise, loss: when; today when absent
	Filing *Filing      `json:"filing,omitempty"`
	Note   string       `json:"note,omitempty"`
}

// Scene is what a decision depends on beside the pool and the act.
type Scene struct {
	Who    access.Actor
	Second string // who agreed, when somebody had to
	Now    time.Time
	Debts  []Debt
	// Found are the things of PoolAct.Take, found and valued, in their order; Values those
	// of what is held, for an act that values by evidence.
	Found  []Asset
	Values []AssetValue
	NewID  func() string
}

// Decide says what an act makes of a pool: an event that is not sealed yet. It changes
// nothing.
func Decide(p Pool, a PoolAct, s Scene) (PoolEvent, error) {
	if p.Closed {
		return PoolEvent{}, ErrClosed
	}
	if utf8.RuneCountInString(a.Note) > maxText {
		return PoolEvent{}, ErrWhy
	}
	sum, _ := owed(s.Debts)
	e := PoolEvent{
		ApplicationID: p.ApplicationID, Seq: p.Version + 1, Kind: a.Kind, At: s.Now.UTC().Truncate(time.Millisecond),
		UserID: s.Who.UserID, UserName: s.Who.Name, SecondID: s.Second, Owed: sum, Note: strings.TrimSpace(a.Note),
	}
	var err error
	switch a.Kind {
	case Pledge:
		err = p.take(&e, s)
	case Revalue:
		err = p.revalue(&e, a, s)
	case Release:
		err = p.release(&e, a, s)
	case Substitute:
		err = p.substitute(&e, a, s)
	case Sale, Realise:
		err = p.sell(&e, a, s)
	case Loss:
		if e.Note == "" {
			return PoolEvent{}, ErrWhy.At("note")
		}
		err = p.end(&e, a.Assets, Lost)
	case Filed:
		err = p.file(&e, a)
	default:
		err = ErrKind.At("kind").With("kind", a.Kind)
	}
	return e, err
}

// take puts what was found into the pool.
func (p Pool) take(e *PoolEvent, s Scene) error {
	if len(s.Found) == 0 {
		return ErrNothing.At("take")
	}
	if len(p.Assets)+len(s.Found) > MaxAssets {
		return ErrTooMany.With("max", MaxAssets)
	}
	for i, a := range s.Found {
		twin := func(x Asset) bool { return x.Kind == a.Kind && x.Ref == a.Ref && x.Status == Held }
		switch {
		case slices.ContainsFunc(p.Assets, twin), slices.ContainsFunc(s.Found[:i], twin):
			return ErrPledged.At("take[%d]", i).With("label", a.Label).With("holder", p.ApplicationID)
		case a.OwnerID != "" && a.OwnerID != p.UserID:
			return ErrOwner.At("take[%d]", i).With("label", a.Label)
		case !a.Value.Known:
			return ErrUnvalued.At("take[%d]", i).With("label", a.Label).With("reason", a.Value.Reason)
		case a.Rank < 1, a.Rank == 1 && a.Prior != 0, a.Rank > 1 && (a.Prior <= 0 || a.Prior > MaxValue):
			return ErrRank.At("take[%d]", i)
		}
		if err := a.Value.check(); err != nil {
			return err
		}
		e.Took = append(e.Took, p.held(a, e.At, s.NewID))
	}
	return nil
}

// held is a as it comes into the pool.
func (p Pool) held(a Asset, at time.Time, id func() string) Asset {
	a.ID, a.Status, a.HeldAt, a.EndedAt = id(), Held, at, nil
	a.AdvanceBP = p.Terms.AdvanceBP[a.Kind]
	return a
}

// check says whether a value can be one.
func (v Valuation) check() error {
	if v.Low < 0 || v.Low > v.Middle || v.Middle > v.High || v.High > MaxValue {
		return ErrValue.With("max", MaxValue)
	}
	return nil
}

// byPerson is the method of values that a person gave.
const byPerson = "person"

func (p Pool) revalue(e *PoolEvent, a PoolAct, s Scene) error {
	if len(a.Values) == 0 {
		e.Values = p.moved(s.Values)
		return nil
	}
	today := money.DateOf(s.Now)
	seen := map[string]bool{}
	for i, g := range a.Values {
		x, ok := p.Asset(g.AssetID)
		switch {
		case !ok || x.Status != Held:
			return ErrAsset.At("values[%d].asset_id", i).With("id", g.AssetID)
		case seen[g.AssetID]:
			return ErrNothing.At("values[%d]", i)
		case strings.TrimSpace(g.Source) == "" || utf8.RuneCountInString(g.Source) > 200:
			return ErrSource.At("values[%d].source", i)
		case g.On > today || g.On != 0 && g.On < today.AddMonths(-12):
			return ErrDate.At("values[%d].on", i)
		}
		seen[g.AssetID] = true
		if g.On == 0 {
			g.On = today
		}
		v := Valuation{Known: true, Low: g.Low, Middle: g.Middle, High: g.High, On: g.On, Source: strings.TrimSpace(g.Source), Method: byPerson}
		if err := v.check(); err != nil || v.Middle <= 0 {
			return ErrValue.At("values[%d]", i).With("max", MaxValue)
		}
		e.Values = append(e.Values, AssetValue{g.AssetID, v})
	}
	return nil
}

// moved are the values that say something new. What is not known now leaves the last
// known value as it is: it grows old, and nothing is released on it.
func (p Pool) moved(values []AssetValue) []AssetValue {
	out := []AssetValue{}
	for _, v := range values {
		a, ok := p.Asset(v.AssetID)
		if !ok || a.Status != Held || a.Value == v.Value || v.Value.check() != nil {
			continue
		}
		if !v.Value.Known && (a.Value.Known || a.Value.Reason == v.Value.Reason) {
			continue
		}
		out = append(out, v)
	}
	return out
}

// end takes assets out of the pool.
func (p Pool) end(e *PoolEvent, ids []string, as Status) error {
	if len(ids) == 0 {
		return ErrNothing.At("assets")
	}
	for i, id := range ids {
		a, ok := p.Asset(id)
		switch {
		case !ok || a.Status != Held:
			return ErrAsset.At("assets[%d]", i).With("id", id)
		case slices.Contains(ids[:i], id):
			return ErrNothing.At("assets[%d]", i)
		}
		e.Ends = append(e.Ends, AssetEnd{id, as})
	}
	return nil
}

// proven says whether the values of all that stays are young enough to release on.
func (p Pool) proven(leave []string, today money.Date) error {
	if p.Terms.ProofDays == 0 {
		return nil
	}
	for _, a := range p.Assets {
		if a.Status != Held || slices.Contains(leave, a.ID) || a.Worth() == 0 {
			continue
		}
		if int(today-a.Value.On) > p.Terms.ProofDays {
			return ErrProof.With("label", a.Label).With("date", a.Value.On).With("days", p.Terms.ProofDays)
		}
	}
	return nil
}

func (p Pool) release(e *PoolEvent, a PoolAct, s Scene) error {
	if err := p.end(e, a.Assets, Released); err != nil {
		return err
	}
	if e.Owed == 0 {
		return nil
	}
	if p.Terms.ReleaseBP == 0 {
		return ErrNoRelease
	}
	if p.Call != nil {
		return ErrCalled.With("amount", p.Call.Repay)
	}
	if first := FirstRepay(p, e.Owed, a.Assets); first > 0 {
		return ErrCover.With("amount", first)
	}
	return p.proven(a.Assets, money.DateOf(s.Now))
}

// substitute: what comes in is taken first; what is held after it may not be worth less,
// nor may less be lent on it.
func (p Pool) substitute(e *PoolEvent, a PoolAct, s Scene) error {
	if !p.Terms.Replace {
		return ErrNoReplace
	}
	if err := p.take(e, s); err != nil {
		return err
	}
	if err := p.end(e, a.Assets, Replaced); err != nil {
		return err
	}
	var worth, advance money.Fen
	for _, x := range e.Took {
		worth, advance = worth+x.Worth(), advance+x.Advance()
	}
	for i, x := range e.Ends {
		old, _ := p.Asset(x.AssetID)
		worth, advance = worth-old.Worth(), advance-old.Advance()
		if i < len(e.Took) {
			e.Took[i].Replaces = x.AssetID
		}
	}
	if less := min(worth, advance); less < 0 {
		return ErrWorse.With("amount", -less)
	}
	return nil
}

func (p Pool) sell(e *PoolEvent, a PoolAct, s Scene) error {
	today := money.DateOf(s.Now)
	_, overdue := owed(s.Debts)
	enforced := a.Kind == Realise
	on := a.On
	if on == 0 {
		on = today
	}
	payer := strings.TrimSpace(a.Payer)
	switch {
	case enforced && !overdue && (p.Call == nil || p.Call.Stage == 0):
		return ErrEnforce
	case a.Gross <= 0 || a.Gross > MaxValue || a.Costs < 0 || a.Costs > MaxValue || !enforced && a.Costs > 0:
		return ErrMoney
	case payer == "" || utf8.RuneCountInString(payer) > 200:
		return ErrBuyer.At("payer")
	case on > today || on < money.DateOf(p.OpenedAt):
		return ErrDate.At("on")
	}
	if err := p.end(e, a.Assets, Sold); err != nil {
		return err
	}
	e.Proceeds = proceeds(e.Seq, a.Assets, a.Gross, a.Costs, payer, on, s.Debts)
	e.Proceeds.Enforced = enforced
	return nil
}

func proceeds(seq int64, ids []string, gross, costs money.Fen, payer string, on money.Date, debts []Debt) *Proceeds {
	x := &Proceeds{Seq: seq, AssetIDs: ids, Gross: gross, Costs: costs, Payer: payer, On: on}
	x.Shares, x.Excess = splitProceeds(x.Net(), debts)
	return x
}

func (p Pool) file(e *PoolEvent, a PoolAct) error {
	if a.Filing == nil {
		return ErrFiling
	}
	f := *a.Filing
	f.Number = strings.ToUpper(strings.TrimSpace(f.Number))
	wrong := func(x rune) bool { return (x < '0' || x > '9') && (x < 'A' || x > 'Z') && x != '-' }
	switch {
	case len(f.Number) < 8, len(f.Number) > 40, strings.ContainsFunc(f.Number, wrong):
		return ErrFiling.At("number")
	case f.On == 0, f.Until <= f.On, f.On > money.DateOf(e.At), f.Until > f.On.AddMonths(12*30):
		return ErrFiling.At("until")
	case slices.ContainsFunc(p.Filings, func(x Filing) bool { return x.Number == f.Number && x.Until >= f.Until }):
		return ErrFiled.With("number", f.Number)
	}
	f.By = e.UserID
	e.Filing = &f
	return nil
}

// watch says what the cover asks for on a day: a call, its escalation or its cure; ok is
// false when nothing.
func (p Pool) watch(debts []Debt, now time.Time) (e PoolEvent, ok bool) {
	sum, _ := owed(debts)
	c, t, today := Measure(p, sum), p.Terms, money.DateOf(now)
	e = PoolEvent{ApplicationID: p.ApplicationID, Seq: p.Version + 1, At: now.UTC().Truncate(time.Millisecond), UserID: "system", Owed: sum}
	if p.Closed {
		return e, false
	}
	if p.Call == nil {
		// An unknown value is not a low one: a person values it first.
		if !t.short(c) || c.Unknown > 0 {
			return e, false
		}
		e.Kind = Called
		e.Call = &MarginCall{ID: ident.New(), On: today, Due: today + money.Date(t.CureDays), Repay: t.repay(c), Add: t.add(c), Cover: *c.CoverBP}
		return e, true
	}
	call := *p.Call
	if t.cured(c) {
		e.Kind, call.Cured = Cured, today
		e.Call = &call
		return e, true
	}
	stage := 0
	if today > call.Due {
		stage = 1
		for _, days := range t.Escalate {
			if int(today-call.Due) >= days {
				stage++
			}
		}
	}
	if stage <= call.Stage {
		return e, false
	}
	e.Kind, call.Stage = Escalated, stage
	call.Repay, call.Add = t.repay(c), t.add(c)
	if c.CoverBP != nil {
		call.Cover = *c.CoverBP
	}
	e.Call = &call
	return e, true
}
