// Package apply takes an application from draft to a signed contract and drawn
// money. Its states and who may move them stand in one table.
package apply

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// State of an application.
type State string

// States.
const (
	Draft     State = "draft"     // not sent yet: fields may be missing
	Submitted State = "submitted" // waits for its evidence
	Deciding  State = "deciding"
	Offered   State = "offered"
	Referred  State = "referred" // a person decides
	Refused   State = "refused"
	Accepted  State = "accepted" // the offer is taken, the contract waits for signatures
	Signed    State = "signed"   // contract signed, nothing drawn
	Active    State = "active"   // money out
	Closed    State = "closed"   // repaid
	Withdrawn State = "withdrawn"
	Expired   State = "expired"
)

// What can be wrong with applications.
var (
	ErrNotFound  = fault.New(fault.NotFound, "application.not_found", "there is no such application")
	ErrState     = fault.New(fault.Conflict, "application.state", "an application that is {state} cannot be moved to {to}")
	ErrPledged   = fault.New(fault.Conflict, "application.pledged", "this is pledged already under application {application}")
	ErrKeyReused = fault.New(fault.Conflict, "idempotency.reused", "this idempotency key was used with other content; make a new key")
)

// More of what can be wrong.
var (
	ErrKey         = fault.New(fault.Invalid, "idempotency.absent", "send an Idempotency-Key of 1 to 200 characters")
	ErrSubject     = fault.New(fault.NotFound, "application.subject", "you have no such plot, herd or firm")
	ErrNoLimit     = fault.New(fault.Conflict, "application.no_limit", "the evidence gives no limit that could be approved; have it assessed again or refuse")
	ErrNote        = fault.New(fault.Invalid, "application.note", "say in a few words why")
	ErrContract    = fault.New(fault.Conflict, "contract.changed", "the contract is not the one that was shown; read it again and sign that")
	ErrNoContract  = fault.New(fault.Conflict, "contract.none", "there is no contract while the application is {state}")
	ErrAboveLimit  = fault.New(fault.Invalid, "application.above_limit", "draw at most {limit} yuan")
	ErrPending     = fault.New(fault.Unavailable, "application.pending", "the satellite report of the plot is not ready yet")
	ErrDraft       = fault.New(fault.Invalid, "application.incomplete", "fill in {missing} before you send it")
	ErrStated      = fault.New(fault.Invalid, "application.stated_on", "the paper may be of today or up to {days} days ago")
	ErrBackDate    = fault.New(fault.Forbidden, "application.back_date", "only an operator may enter a paper of an earlier day")
	ErrWay         = fault.New(fault.Invalid, "application.way", "this loan is repaid by {ways}")
	ErrTerm        = fault.New(fault.Invalid, "application.offered_term", "the offer is for {months} months; for another term apply anew")
	ErrUnaccepted  = fault.New(fault.Conflict, "application.unaccepted", "accept the offer first; it can be signed from {time} on")
	ErrSureties    = fault.New(fault.Conflict, "application.sureties", "{needed} must answer for this loan; {named} are named")
	ErrPurposeLong = fault.New(fault.Invalid, "application.purpose", "describe the purpose in at most 200 characters")
)

// Application asks for money on a subject.
type Application struct {
	ID          string         `json:"id"`
	Tenant      string         `json:"-"`
	UserID      string         `json:"user_id"`
	UserName    string         `json:"user_name"`
	Subject     credit.Subject `json:"subject"`
	SubjectName string         `json:"subject_name"`
	Product     string         `json:"product"`
	Asked       money.Fen      `json:"asked"`
	TermMonths  int            `json:"term_months"`
	Purpose     string         `json:"purpose"`
	State       State          `json:"state"`
	DecisionID  string         `json:"decision_id,omitempty"`
	LoanID      string         `json:"loan_id,omitempty"`
	Limit       money.Fen      `json:"limit"`
	Rate        money.Rate     `json:"rate"`
	// Channel is how it came, BroughtBy the user id of who brought it for the borrower and BroughtFirm
	// the firm that one speaks for, StatedOn the day of its paper, when that is before it was entered.
	Channel     string     `json:"channel,omitempty"`
	BroughtBy   string     `json:"brought_by,omitempty"`
	BroughtFirm string     `json:"brought_firm,omitempty"`
	StatedOn    money.Date `json:"stated_on,omitzero"`
	StatedWhy   string     `json:"stated_why,omitempty"`
	Key         string     `json:"-"` // idempotency key
	KeyHash     string     `json:"-"` // of the body that came with it
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
}

// bring notes who brought an application for its borrower.
func (a *Application) bring(who access.Actor) { a.BroughtBy, a.BroughtFirm = who.UserID, who.FirmID }

// broughtBy says whether somebody brought it, or a colleague of the same firm.
func (a Application) broughtBy(who access.Actor) bool {
	return a.BroughtBy == who.UserID || who.FirmID != "" && a.BroughtFirm == who.FirmID
}

// VisibleTo says whether somebody of the tenant may know that an application exists: its
// borrower, the partner's or anchor's people who brought it, and the house. To everybody else it is
// as if it were not there.
func (a Application) VisibleTo(who access.Actor) bool {
	switch who.Role {
	case access.Borrower:
		return a.UserID == who.UserID
	case access.Partner, access.Anchor:
		return a.broughtBy(who)
	default:
		return true
	}
}

// Step is one move in an application's history.
type Step struct {
	ApplicationID string    `json:"application_id"`
	From          State     `json:"from"`
	To            State     `json:"to"`
	Actor         string    `json:"actor"` // user id, or "system"
	ActorName     string    `json:"actor_name"`
	Note          string    `json:"note,omitempty"`
	At            time.Time `json:"at"`
}

// Contract is what the borrower signs.
type Contract struct {
	ApplicationID string     `json:"application_id"`
	Text          string     `json:"text"` // the exact words shown, in the reader's language
	Hash          string     `json:"hash"` // SHA-256 of Text, hex
	Limit         money.Fen  `json:"limit"`
	Rate          money.Rate `json:"rate"`
	TermMonths    int        `json:"term_months"`
	Method        string     `json:"method"` // repayment method: "equal_instalments", "interest_first", "bullet"
	Language      string     `json:"language,omitempty"`
	Document      string     `json:"document,omitempty"` // SHA-256 of the PDF that was signed, hex
	Cost          LoanCost   `json:"cost"`
	// Fees and CoolingDays are agreed with the signature; what the product says later does
	// not change them.
	Fees        []cost.Fee `json:"fees,omitempty"`
	CoolingDays int        `json:"cooling_days,omitempty"`
	// Tranches are the plan by which the money goes out; empty: at once.
	Tranches []product.Tranche `json:"tranches,omitempty"`
	SignedBy string            `json:"signed_by,omitempty"`
	SignedAt *time.Time        `json:"signed_at,omitempty"`
	Device   string            `json:"device,omitempty"` // user agent of the signature
}

// Filter selects applications, newest first; zero fields do not restrict.
type Filter struct {
	UserID string
	States []State
	// Subject restricts by its kind, its id or both.
	Subject credit.Subject
	Before  string // keyset: ids less than this
	Limit   int    // 0 means 50; at most 500
}

// Store keeps applications, decisions and contracts. Implemented in store/application.
type Store interface {
	// Add saves a and its first step. When Key is known for the user it returns the
	// application saved then, or ErrKeyReused when KeyHash differs.
	Add(ctx context.Context, a Application) (Application, error)
	// Application returns ErrNotFound.
	Application(ctx context.Context, tenant, id string) (Application, error)
	Applications(ctx context.Context, tenant string, f Filter) ([]Application, error)
	// Move saves a when its stored state is still from, with its step and what r holds,
	// in one transaction; ErrState otherwise. Moving to Signed takes the pledge of the
	// subject: ErrPledged when another application holds it or one of r.Rivals, and
	// iot.ErrPledged when one holds one of r.Animals; ErrContract when the offer was
	// decided again. Closed needs that nothing is owed. Closed, Withdrawn, Expired and
	// Refused free it. An officer's word on a referred one ends its review. Signed
	// cannot become Withdrawn or Expired while a loan stands.
	Move(ctx context.Context, from State, a Application, s Step, r Record) error
	Steps(ctx context.Context, tenant, applicationID string) ([]Step, error)
	// Redecide keeps r.Decision, and moves the limit to r.Limit or what is owed, whichever
	// is more, with r.Change when that is another one. ErrMoved: r.Before holds no more.
	Redecide(ctx context.Context, r Redecision) (Application, error)
	// LimitChanges are those of an application, oldest first.
	LimitChanges(ctx context.Context, tenant, applicationID string) ([]LimitChange, error)
	// Decision returns ErrNotFound.
	Decision(ctx context.Context, tenant, id string) (credit.Decision, error)
	// Frozen returns the inputs of a decision; ErrNotFound.
	Frozen(ctx context.Context, tenant, decisionID string) (strategy.Frozen, error)
	// Contract returns the signed contract; ErrNotFound.
	Contract(ctx context.Context, tenant, applicationID string) (Contract, error)
	// ByKey finds the application that a person's key made; ErrNotFound.
	ByKey(ctx context.Context, tenant, userID, key string) (Application, error)
	// Revise saves what a draft says now; ErrState when it is a draft no more.
	Revise(ctx context.Context, a Application) error
	// Document returns the bytes of a signed PDF by their SHA-256 and the application that it
	// is of; contract.ErrAbsent.
	Document(ctx context.Context, tenant, hash string) (body []byte, applicationID string, err error)
	// Signatures are those of an application, or with "" all of the tenant, after a number,
	// in order.
	Signatures(ctx context.Context, tenant, applicationID string, after int64, limit int) ([]contract.Signature, error)
	// Witness saves a signature that moves nothing, with what r holds; ErrState when a is no
	// longer in its state.
	Witness(ctx context.Context, a Application, r Record) error
	// Keys are the public keys with which the house signed, PEM by id.
	Keys(ctx context.Context, tenant string) (map[string]string, error)
	// SetSureties replaces those who answer for an application; ErrState when somebody has
	// signed already.
	SetSureties(ctx context.Context, tenant, applicationID string, s []Guarantor) error
	Sureties(ctx context.Context, tenant, applicationID string) ([]Guarantor, error)
	// Answered are the ids of the applications for which a person answers, newest first.
	Answered(ctx context.Context, tenant, userID string) ([]string, error)
	// PledgeOf returns the application that holds the subject, or "".
	PledgeOf(ctx context.Context, tenant string, s credit.Subject) (string, error)
	// PledgedPlots returns the ids of all plots that are pledged now.
	PledgedPlots(ctx context.Context, tenant string) ([]string, error)
	CountByState(ctx context.Context, tenant string) (map[State]int, error)
	// AddReview returns ErrReviewed when one of the same decision is there.
	AddReview(ctx context.Context, r Review) error
	Reviews(ctx context.Context, tenant string, f ReviewFilter) ([]Review, error)
	// CloseReview saves when, by whom and with what answer r.ID ended; ErrReviewAbsent.
	CloseReview(ctx context.Context, r Review) (Review, error)
}
