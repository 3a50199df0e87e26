package apply

import (
	"context"
	"errors"
	"slices"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/product"
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
	room, err := s.room(ctx, a)
	return min(a.Limit, d.Limit, room), err
}

// room is what the bounds on loans outstanding leave for a revolving limit. A decision sees
// what was drawn on its day; a limit of others that was not drawn then may be now.
func (s *Service) room(ctx context.Context, a Application) (money.Fen, error) {
	prod, err := s.cfg.Products.Product(a.Product)
	if err != nil {
		return 0, err
	}
	most := a.Limit
	bounds := slices.DeleteFunc(prod.Bounds(), func(c product.Cap) bool { return c.Counted() != product.LoansOutstanding })
	if !prod.Revolving || len(bounds) == 0 {
		return most, nil
	}
	ev, err := s.evidence(ctx, a)
	if err != nil {
		return 0, err
	}
	x, err := s.cfg.Profiles.Exposure(ctx, a.Tenant, around(a, ev))
	if err != nil {
		return 0, err
	}
	for _, c := range bounds {
		most = min(most, c.MaxFen-x.Of(c.On))
	}
	return max(most, 0), nil
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
	} else if a.State == Active { // drawn once, or in tranches
		l, err := s.cfg.Loans.ByApplication(ctx, a.Tenant, a.ID)
		if err != nil {
			return err
		}
		d.Available, err = s.drawable(ctx, &l)
		return err
	}
	most, err := s.most(ctx, a)
	d.Available = max(most-d.Drawn, 0)
	if d.Product.Directed && !d.Product.Revolving { // an order is paid out of the first tranche
		c, err := s.cfg.Store.Contract(ctx, a.Tenant, a.ID)
		if err != nil {
			return err
		}
		p := d.Product
		p.Tranches = c.Tranches
		if list := s.cfg.Products.Tranches(p, product.Drawing{
			Principal: a.Limit, Months: a.TermMonths, Start: money.DateOf(s.now()), Method: loan.Method(c.Method),
		}); len(list) > 0 {
			d.Available = min(d.Available, list[0].Amount)
		}
	}
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
