package farmer

import (
	"context"
	"errors"
	"net/http"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// Servicing shows what became of a loan and what would become of it; loan.Service does it.
type Servicing interface {
	Schedule(ctx context.Context, tenant, id string) ([]loan.Instalment, error)
	Transactions(ctx context.Context, tenant, id string) ([]loan.Transaction, error)
	PayoffOn(ctx context.Context, tenant, id string, day money.Date) (loan.Quote, error)
	Cooling(ctx context.Context, tenant, id string) (loan.StepBack, error)
	Preview(ctx context.Context, actor access.Actor, loanID string, ev servicing.Event) (loan.View, error)
	Refund(ctx context.Context, actor access.Actor, loanID string, amount money.Fen, key string) (loan.Loan, error)
	Statement(ctx context.Context, tenant, id, month string) (loan.Monthly, error)
}

func (f face) registerLoans(a *route.API, op func(id, method, path, summary string) route.Op) {
	get, post := http.MethodGet, http.MethodPost
	const one = "/loans/{id}"
	route.Register(a, op("loan", get, one, "A loan with its calendar of repayment and what was booked"), f.loan)
	route.Register(a, op("repay", post, one+"/repay", "Repay"), f.repay)
	route.Register(a, op("loan-payoff", get, one+"/payoff", "What ends a loan on a day"), f.payoff)
	route.Register(a, op("repay-preview", get, one+"/repayment", "What repaying an amount today would do; nothing moves"), f.previewRepay)
	route.Register(a, op("loan-statement", get, one+"/statement", "A loan in one month"), f.statement)
	route.Register(a, op("loan-refund", post, one+"/refund", "Have money back that the bank holds for me"), f.refund)
	f.registerTranches(a, op)
	route.Register(a, op("loan-step-back", post, one+"/step-back", "Give the money back within the days of cooling off"), f.stepBack)
}

// LoanPage is a loan with its calendar, what was booked, and what would end it today.
type LoanPage struct {
	Loan         loan.Loan          `json:"loan"`
	Schedule     []loan.Instalment  `json:"schedule"`
	Transactions []loan.Transaction `json:"transactions"`     // in the order of their dates
	Payoff       *loan.Quote        `json:"payoff,omitempty"` // of an open loan
	// StepBack is what giving the money back takes today, while that can be done.
	StepBack *loan.StepBack `json:"step_back,omitempty"`
}

func open(l loan.Loan) bool { return l.State == loan.Active || l.State == loan.Overdue }

func (f face) loan(ctx context.Context, who access.Actor, in *ByID) (*route.Body[LoanPage], error) {
	page := LoanPage{}
	var err error
	if page.Loan, err = f.Desk.Loan(ctx, who, in.ID); err != nil {
		return nil, err
	}
	if page.Schedule, err = f.Book.Schedule(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	if page.Transactions, err = f.Book.Transactions(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	if open(page.Loan) {
		payoff, err := f.Book.PayoffOn(ctx, who.Tenant, in.ID, 0)
		if err != nil {
			return nil, err
		}
		page.Payoff = &payoff
		switch back, err := f.Book.Cooling(ctx, who.Tenant, in.ID); {
		case err == nil:
			page.StepBack = &back
		case !errors.Is(err, loan.ErrNoCooling) && !errors.Is(err, loan.ErrCooled):
			return nil, err
		}
	}
	return route.Answer(page, nil)
}

func (f face) repay(ctx context.Context, who access.Actor, in *amountIn) (*route.Body[loan.Loan], error) {
	return route.Answer(f.Desk.Repay(ctx, who, in.ID, in.Body.Amount, in.Key))
}

type payoffIn struct {
	ByID
	Date string `query:"date" format:"date" doc:"today when it is not given"`
}

func (f face) payoff(ctx context.Context, who access.Actor, in *payoffIn) (*route.Body[loan.Quote], error) {
	if _, err := f.Desk.Loan(ctx, who, in.ID); err != nil {
		return nil, err
	}
	var day money.Date
	if in.Date != "" {
		d, err := money.ParseDate(in.Date)
		if err != nil {
			return nil, money.ErrDate.With("text", in.Date).At("query.date")
		}
		day = d
	}
	return route.Answer(f.Book.PayoffOn(ctx, who.Tenant, in.ID, day))
}

// RepayPreview is what a repayment would do.
type RepayPreview struct {
	Ends        bool              `json:"ends"` // it repays the loan
	Transaction *loan.Transaction `json:"transaction,omitempty"`
	Loan        loan.Loan         `json:"loan"` // as it would be
	Schedule    []loan.Instalment `json:"schedule"`
	// Now is the schedule as it stands, to compare.
	Now []loan.Instalment `json:"now"`
}

type repayPreviewIn struct {
	ByID
	Amount money.Fen `query:"amount" required:"true" minimum:"1" doc:"fen"`
}

func (f face) previewRepay(ctx context.Context, who access.Actor, in *repayPreviewIn) (*route.Body[RepayPreview], error) {
	l, err := f.Desk.Loan(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	if !open(l) {
		return nil, loan.ErrState.With("state", l.State)
	}
	quote, err := f.Book.PayoffOn(ctx, who.Tenant, in.ID, 0)
	if err != nil {
		return nil, err
	}
	now, err := f.Book.Schedule(ctx, who.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	ev := servicing.Event{Kind: servicing.Repay, Amount: in.Amount}
	if in.Amount >= quote.Total {
		ev.Kind = servicing.Payoff
	}
	// The rail books a borrower's money as the house; the loan is the borrower's own.
	house := loan.System
	house.Tenant = who.Tenant
	view, err := f.Book.Preview(ctx, house, in.ID, ev)
	if err != nil {
		return nil, err
	}
	page := RepayPreview{Ends: view.Loan.State == loan.Closed, Loan: view.Loan, Schedule: view.Schedule, Now: now}
	for i := range view.Transactions {
		if view.Transactions[i].Event == view.Event.ID {
			page.Transaction = &view.Transactions[i]
		}
	}
	return route.Answer(page, nil)
}

type statementIn struct {
	ByID
	Month string `query:"month" required:"true" pattern:"^[0-9]{4}-[0-9]{2}$" doc:"such as 2026-05"`
}

func (f face) statement(ctx context.Context, who access.Actor, in *statementIn) (*route.Body[loan.Monthly], error) {
	if _, err := f.Desk.Loan(ctx, who, in.ID); err != nil {
		return nil, err
	}
	return route.Answer(f.Book.Statement(ctx, who.Tenant, in.ID, in.Month))
}

func (f face) stepBack(ctx context.Context, who access.Actor, in *amountIn) (*route.Body[loan.Loan], error) {
	return route.Answer(f.Desk.StepBack(ctx, who, in.ID, in.Body.Amount, in.Key))
}

func (f face) refund(ctx context.Context, who access.Actor, in *amountIn) (*route.Body[loan.Loan], error) {
	if _, err := f.Desk.Loan(ctx, who, in.ID); err != nil {
		return nil, err
	}
	return route.Answer(f.Book.Refund(ctx, who, in.ID, in.Body.Amount, who.UserID+":"+in.Key))
}
