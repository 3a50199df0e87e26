package credit

import (
	"time"

	"github.com/furrowcredit/furrow/money"
)

// Source is where one part of the evidence comes from.
type Source struct {
	Part    string     `json:"part" enum:"applicant,overlaps,crop,herd,standing,surroundings,bureau,bank,turnover,exposure"`
	From    string     `json:"from"`         // "sentinel-2", "ear tags", "upload <SHA-256>", "this bank"
	Version string     `json:"version"`      // of the method that made it
	At      *time.Time `json:"at,omitempty"` // of the newest observation in it
	// Uncertainty is 0 for what is certain and 1 for a mere guess.
	Uncertainty float64 `json:"uncertainty"`
	Missing     string  `json:"missing,omitempty"` // why the part is not there: "no_consent", "not_uploaded", "too_short"
}

// Bureau is what a credit bureau's report says of the applicant, as it was uploaded.
type Bureau struct {
	At               time.Time `json:"at"` // of the report
	Lenders          int       `json:"lenders"`
	OpenLoans        int       `json:"open_loans"`
	Balance          money.Fen `json:"balance"`
	MonthlyDue       money.Fen `json:"monthly_due"`
	CardLimit        money.Fen `json:"card_limit"`
	CardUsed         money.Fen `json:"card_used"`
	Guaranteed       money.Fen `json:"guaranteed"` // for others
	OverdueNow       money.Fen `json:"overdue_now"`
	WorstOverdueDays int       `json:"worst_overdue_days"` // of the last 24 months
	OverdueMonths    int       `json:"overdue_months"`     // of the last 24
	Queries6m        int       `json:"queries_6m"`         // by lenders, of the last six months
	OldestMonths     int       `json:"oldest_months"`      // since the first account
	Judgments        int       `json:"judgments"`          // public records against the applicant
}

// Bank is the history of the applicant's accounts, as it was uploaded.
type Bank struct {
	At     time.Time   `json:"at"` // end of the statement
	Months []BankMonth `json:"months"`
}

// BankMonth is one calendar month of all accounts together.
type BankMonth struct {
	Month    string    `json:"month"` // "2026-05"
	In       money.Fen `json:"in"`
	Out      money.Fen `json:"out"`
	Low      money.Fen `json:"low"`      // smallest balance at a day's end
	Returned int       `json:"returned"` // debits refused for want of money
}

// Turnover is the forecast of a firm's monthly sales. Status unknown says why there
// is none.
type Turnover struct {
	Status  string          `json:"status" enum:"known,unknown"`
	Reason  string          `json:"reason,omitempty"` // "too_short", "no_sales"
	History int             `json:"history"`          // whole months that it rests on
	Method  string          `json:"method"`
	Months  []TurnoverMonth `json:"months"` // to come, the next first
	// Outside says what of the firm's surroundings it leans on; nil when nothing was known.
	Outside *TurnoverOutside `json:"outside,omitempty"`
}

// TurnoverOutside is what a trial on the firm's own past found of its surroundings. With
// neither Industry, Anchors nor Season the forecast rests on the firm's months alone.
type TurnoverOutside struct {
	Industry bool    `json:"industry"` // the growth of its industry counts
	Anchors  bool    `json:"anchors"`  // the growth of what its anchors buy
	Season   bool    `json:"season"`   // the season of its industry
	Weight   float64 `json:"weight"`   // of others' growth in the forecast, 0..1
	Origins  int     `json:"origins"`  // past months from which it was tried
	Alone    float64 `json:"alone"`    // mean absolute error of the months alone, by mean sales
	Error    float64 `json:"error"`    // of the way that is used
}

// TurnoverMonth is one month to come, with its 80 % interval.
type TurnoverMonth struct {
	Month  string    `json:"month"`
	Middle money.Fen `json:"middle"`
	Low    money.Fen `json:"low"`
	High   money.Fen `json:"high"`
}

// Exposures are what is lent around the applicant; the applicant's own debts are in
// Applicant. The fields count loans outstanding (贷款余额): balances, of a revolving limit
// what is drawn, and promises of a loan that is drawn once, whose whole amount goes out.
// Granted counts the same people by credit granted (授信): a revolving limit whole, drawn
// or not.
type Exposures struct {
	Household money.Fen `json:"household"` // of its members, the applicant among them
	Group     money.Fen `json:"group"`
	Anchor    money.Fen `json:"anchor"` // of all who borrow on trade with the nearest anchor
	AnchorID  string    `json:"anchor_id,omitempty"`
	Product   money.Fen `json:"product"` // of the whole product
	Region    money.Fen `json:"region"`  // of the county, all products
	Total     money.Fen `json:"total"`   // of the house
	Granted   Granted   `json:"granted,omitzero"`
}

// Of returns the loans outstanding on a side: household, group, anchor, product, region or
// total.
func (x Exposures) Of(side string) money.Fen {
	return map[string]money.Fen{
		"household": x.Household, "group": x.Group, "anchor": x.Anchor, "product": x.Product, "region": x.Region, "total": x.Total,
	}[side]
}

// Granted are sums of credit granted. None is below the balance beside it; one that is,
// as in evidence from before both were kept, reads as that balance.
type Granted struct {
	Household money.Fen `json:"household"`
	Group     money.Fen `json:"group"`
	Anchor    money.Fen `json:"anchor"`
	Product   money.Fen `json:"product"`
	Region    money.Fen `json:"region"`
	Total     money.Fen `json:"total"`
}

// Consent is a person's agreement that a kind of evidence is read for a purpose.
type Consent struct {
	ID      string    `json:"id"`
	Purpose string    `json:"purpose"` // "credit_decision", "post_loan"
	Part    string    `json:"part"`    // as in Source; "decision" for deciding at all
	Text    string    `json:"text"`    // SHA-256 of the words agreed to
	GivenAt time.Time `json:"given_at"`
}
