package loan

import (
	"github.com/furrowcredit/furrow/credit/loan/schedule"
)

// Method says how principal comes back; see [schedule.Method].
type Method = schedule.Method

// Methods of a loan that is paid by the period.
const (
	EqualInstalments = schedule.EqualInstalments
	EqualPrincipal   = schedule.EqualPrincipal
	InterestFirst    = schedule.InterestFirst
	Bullet           = schedule.Bullet
)

// Unit of the time between two instalments.
type Unit = schedule.Unit

// Units; "" means months.
const (
	Months = schedule.Months
	Weeks  = schedule.Weeks
	Days   = schedule.Days
)

// Terms make a schedule.
type Terms = schedule.Terms

// ErrTerms is returned for terms that make no schedule.
var ErrTerms = schedule.ErrTerms

// Schedule lays out the instalments of t, with nothing paid yet; see [schedule.Make].
func Schedule(t Terms) ([]Instalment, error) {
	rows, err := schedule.Make(t)
	return Planned(rows), err
}

// Planned shows rows of which nothing is paid yet.
func Planned(rows []schedule.Row) []Instalment {
	out := make([]Instalment, len(rows))
	for i := range rows {
		r := &rows[i]
		out[i] = Instalment{
			Nr: r.Nr, From: r.From, DueOn: r.DueOn, Days: r.Days,
			Principal: r.Principal, Interest: r.Interest, Fee: r.Fee, Due: r.Due, Balance: r.Balance, Status: "future",
		}
	}
	return out
}
