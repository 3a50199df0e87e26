package view

import (
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/money"
)

// Tranche is a part of a loan with the words of all that hinders it now.
type Tranche struct {
	loan.Tranche
	Ready bool     `json:"ready"` // it can be drawn now
	Why   []Hinder `json:"why"`   // it cannot yet; empty for one that is not planned any more
}

// Hinder is one reason against drawing a tranche.
type Hinder struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// TranchePage is the plan of a loan, as those see it who draw.
type TranchePage struct {
	Tranches []Tranche `json:"tranches"`
	Undrawn  money.Fen `json:"undrawn"` // what may still go out
}

// TrancheNr names a part of a loan in a path.
type TrancheNr struct {
	ID string `path:"id" maxLength:"64"`
	Nr int    `path:"nr" minimum:"1" maximum:"100"`
}

// TrancheDraw asks for a part of a loan once.
type TrancheDraw struct {
	TrancheNr
	Key string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each payment, the same one for each retry"`
}

// Tranches puts reasons into words of a language.
func Tranches(list []apply.TrancheView, lang string, words func(lang, code, english string, args map[string]string) string) []Tranche {
	out := make([]Tranche, len(list))
	for i := range list {
		x := &list[i]
		out[i] = Tranche{Tranche: x.Tranche, Why: []Hinder{}, Ready: x.State == loan.TranchePlanned && len(x.Hinders) == 0}
		for _, f := range x.Hinders {
			out[i].Why = append(out[i].Why, Hinder{f.Code, words(lang, f.Code, f.Msg, f.Args)})
		}
	}
	return out
}

// Plan is the page of a loan's tranches.
func Plan(tranches []Tranche) TranchePage {
	page := TranchePage{Tranches: tranches}
	for i := range tranches {
		if tranches[i].State == loan.TranchePlanned {
			page.Undrawn += tranches[i].Amount
		}
	}
	return page
}
