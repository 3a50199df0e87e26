package apply

import (
	"context"
	"errors"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with drawing.
var (
	// ErrEnded is returned for drawing on a limit whose time is over.
	ErrEnded = fault.New(fault.Conflict, "application.line_ended", "this limit ended on {date}; apply anew")
	// ErrDirected is returned for drawing directed money without a purchase order, or other
	// money with one.
	ErrDirected = fault.New(fault.Conflict, "application.directed", "the money of the product {product} is paid to a seller of goods; order the goods, and the seller is paid")
)

// most is what may be owed under an application now: its limit, and no more than the last
// decision carried. The limit may stand above that for what was drawn before; what is
// repaid of it cannot be drawn again.
func (s *Service) most(ctx context.Context, a Application) (money.Fen, error) {
	if _, err := s.consents(ctx, a.Tenant, a.UserID); errors.Is(err, consent.ErrMissing) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	d, err := s.cfg.Store.Decision(ctx, a.Tenant, a.DecisionID)
	if err != nil {
		return 0, err
	}
	if d.Outcome == credit.Refuse {
		return 0, nil
	}
	return min(a.Limit, d.Limit), nil
}

// lineEnd is the last day of a limit that is drawn again and again.
func (s *Service) lineEnd(ctx context.Context, a Application) (money.Date, error) {
	c, err := s.cfg.Store.Contract(ctx, a.Tenant, a.ID)
	if err != nil {
		return 0, err
	}
	return money.DateOf(*c.SignedAt).AddMonths(c.TermMonths), nil
}

// monthsLeft is the term of a loan that is drawn on a day under a limit with that end, in
// months begun. ErrEnded when it is over.
func monthsLeft(today, end money.Date) (int, error) {
	if today >= end {
		return 0, ErrEnded.With("date", end)
	}
	n := 1
	for today.AddMonths(n) < end {
		n++
	}
	return n, nil
}

// over says whether a limit that is drawn again and again has come to its end.
func (s *Service) over(ctx context.Context, a Application) (bool, error) {
	end, err := s.lineEnd(ctx, a)
	return err == nil && money.DateOf(s.now()) >= end, err
}

// drawnOf adds to d what is owed of the limit and what is left.
func (s *Service) drawnOf(ctx context.Context, a Application, d *Detail) (err error) {
	if a.State != Signed && a.State != Active {
		return nil
	}
	if d.Drawn, err = s.cfg.Loans.Owed(ctx, a.Tenant, a.ID); err != nil {
		return err
	}
	if d.Product.Revolving {
		if d.Loans, err = s.cfg.Loans.Loans(ctx, a.Tenant, loan.Filter{ApplicationID: a.ID, Limit: 500}); err != nil {
			return err
		}
		if over, err := s.over(ctx, a); err != nil || over {
			return err
		}
	} else if a.State == Active {
		return nil // drawn once
	}
	most, err := s.most(ctx, a)
	d.Available = max(most-d.Drawn, 0)
	return err
}

// endLine closes a limit that is drawn again and again, when its borrower has no more use
// for it. ErrState while something is owed.
func (s *Service) endLine(ctx context.Context, actor access.Actor, a Application) (Application, error) {
	prod, err := s.cfg.Products.Product(a.Product)
	if err != nil {
		return Application{}, err
	}
	if !prod.Revolving {
		return Application{}, ErrState.With("state", a.State).With("to", Withdrawn)
	}
	return s.move(ctx, actor, a, Closed, "", Record{})
}

// expireLines closes the limits that are drawn again and again whose time is over and of
// which nothing is owed.
func (s *Service) expireLines(ctx context.Context, tenant string) (int, error) {
	n := 0
	for f := (Filter{States: []State{Active}, Limit: 500}); ; {
		page, err := s.cfg.Store.Applications(ctx, tenant, f)
		if err != nil || len(page) == 0 {
			return n, err
		}
		for _, a := range page {
			prod, err := s.cfg.Products.Product(a.Product)
			if err != nil || !prod.Revolving {
				continue // a product that is offered no more has no line
			}
			over, err := s.over(ctx, a)
			if err != nil {
				return n, err
			}
			if !over {
				continue
			}
			switch _, err := s.move(ctx, system, a, Closed, "", Record{}); {
			case err == nil:
				n++
			case !errors.Is(err, ErrState): // something is owed
				return n, err
			}
		}
		f.Before = page[len(page)-1].ID
	}
}
