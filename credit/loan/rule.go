package loan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// RuleFile says in the catalogue who may do what to a loan.
const RuleFile = "servicing.yaml"

// What can be wrong with rules, and with what they forbid.
var (
	ErrRules    = fault.New(fault.Invalid, "loan.rules", "the rules of servicing are wrong: {why}")
	ErrSecond   = fault.New(fault.Conflict, "loan.second", "this needs a second person; propose it with a reason")
	ErrBackDate = fault.New(fault.Invalid, "loan.back_date", "{date} lies too far back; give a date from {first} on")
	ErrAhead    = fault.New(fault.Invalid, "loan.ahead", "{date} has not come; give a date up to {last}")
	ErrRate     = fault.New(fault.Invalid, "loan.rate", "{rate} a year is above {most}, the most that may be asked for")
	ErrDrawdown = fault.New(fault.Conflict, "loan.drawdown", "a drawdown is paid back by the rail or by a repayment; it cannot be undone on paper")
)

// mostRate is the highest rate a year that a change of terms may bring, as for products.
const mostRate = 2400 // basis points

// Rules say who may do what to a loan.
type Rules struct {
	// BackDays is how far back an operation may be dated; beyond AloneBackDays it needs a
	// second person.
	BackDays          int    `yaml:"back_days"`
	AloneBackDays     int    `yaml:"alone_back_days"`
	ObservationMonths int    `yaml:"observation_months"` // after a change of terms in trouble
	Kinds             []Rule `yaml:"kinds"`
}

// Rule is for one kind of operation. Kinds that are not listed nobody may do by hand.
type Rule struct {
	Kind         servicing.Kind `yaml:"kind"`
	Roles        []access.Role  `yaml:"roles"`
	Alone        bool           `yaml:"alone"`           // one person is enough
	AloneUpTo    money.Fen      `yaml:"alone_up_to_fen"` // one person is enough up to this amount
	Restructures bool           `yaml:"restructures"`    // it starts the time of observation
}

// System acts when nobody does: it may do everything and needs nobody beside it.
var System = access.Actor{UserID: "system", Name: "system"}

// LoadRules reads servicing.yaml; it returns ErrRules.
func LoadRules(fsys fs.FS) (*Rules, error) {
	b, err := fs.ReadFile(fsys, RuleFile)
	if err != nil {
		return nil, fmt.Errorf("loan: %w", err)
	}
	var r Rules
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&r); err != nil && !errors.Is(err, io.EOF) {
		return nil, ErrRules.At(RuleFile).With("why", err)
	}
	if why := r.check(); why != "" {
		return nil, ErrRules.At(RuleFile).With("why", why)
	}
	return &r, nil
}

func (r *Rules) check() string {
	if r.BackDays < 0 || r.AloneBackDays < 0 || r.AloneBackDays > r.BackDays || r.ObservationMonths < 0 {
		return "back_days, alone_back_days (no more than back_days) and observation_months must not be negative"
	}
	seen := map[servicing.Kind]bool{}
	for _, k := range r.Kinds {
		switch {
		case k.Kind == "" || seen[k.Kind]:
			return "each kind needs a name of its own"
		case len(k.Roles) == 0 || slices.ContainsFunc(k.Roles, func(x access.Role) bool { return !slices.Contains(access.Roles(), x) }):
			return "kind " + string(k.Kind) + " needs roles that there are"
		case k.AloneUpTo < 0 || k.Alone && k.AloneUpTo > 0:
			return "kind " + string(k.Kind) + ": give alone or alone_up_to_fen"
		}
		seen[k.Kind] = true
	}
	return ""
}

func (r *Rules) observation() int {
	if r == nil {
		return 12
	}
	return r.ObservationMonths
}

func (r *Rules) rule(kind servicing.Kind) *Rule {
	if r == nil {
		return nil
	}
	for i := range r.Kinds {
		if r.Kinds[i].Kind == kind {
			return &r.Kinds[i]
		}
	}
	return nil
}

// may says whether actor may do ev on a day, and whether a second person must agree. It
// returns access.ErrRole, ErrBackDate and ErrAhead.
func (r *Rules) may(actor access.Actor, ev *servicing.Event, today money.Date) (second bool, err error) {
	if ev.Date > today {
		return false, ErrAhead.At("body.date").With("date", ev.Date).With("last", today)
	}
	if actor.UserID == System.UserID {
		return false, nil
	}
	rule := r.rule(ev.Kind)
	if rule == nil || !slices.Contains(rule.Roles, actor.Role) {
		return false, access.ErrRole
	}
	if first := today - money.Date(r.BackDays); ev.Date < first {
		return false, ErrBackDate.At("body.date").With("date", ev.Date).With("first", first)
	}
	if c := ev.Change; c != nil && c.Rate > money.BP(mostRate) {
		return false, ErrRate.At("body.change.rate_bp").With("rate", c.Rate).With("most", money.BP(mostRate))
	}
	alone := rule.Alone || ev.Amount > 0 && ev.Amount <= rule.AloneUpTo
	return !alone || int(today-ev.Date) > r.AloneBackDays, nil
}
