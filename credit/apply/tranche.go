package apply

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/money"
)

// Why a tranche waits, beside what the loan itself says; see [loan.Loan.Hinders].
var (
	ErrTrancheLimit = fault.New(fault.Conflict, "application.tranche_limit", "the evidence carries {left} yuan more now, which is less than this part")
	ErrTrancheLate  = fault.New(fault.Conflict, "application.tranche_late", "another loan of yours is overdue; pay that first")
	ErrTrancheAlert = fault.New(fault.Conflict, "application.tranche_alert", "a critical alert is open on {subject}; it goes out when that is cleared up")
	ErrCropUnseen   = fault.New(fault.Conflict, "application.crop_unseen", "the satellites have not seen for {days} days what grows on {subject}; wait for the next clear picture, or ask your loan officer to inspect it")
	ErrCropOther    = fault.New(fault.Conflict, "application.crop_other", "the satellites see another crop on {subject} than the one that was declared; ask your loan officer to inspect it")
	ErrCropUnsure   = fault.New(fault.Conflict, "application.crop_unsure", "it is not sure yet that the declared crop grows on {subject}; wait for the next clear picture, or ask your loan officer to inspect it")
)

// How old the last clear look at a crop may be, and how sure its name must be.
const (
	cropDays = 45
	cropSure = 0.5
)

// TrancheView is a tranche with all that hinders it now, nothing when it can be drawn.
type TrancheView struct {
	loan.Tranche
	Hinders []*fault.Error `json:"-"`
}

// Tranches shows the plan of a loan that the actor may see, as [Service.Loan] says.
func (s *Service) Tranches(ctx context.Context, actor access.Actor, loanID string) ([]TrancheView, error) {
	l, err := s.Loan(ctx, actor, loanID)
	if err != nil {
		return nil, err
	}
	out := make([]TrancheView, len(l.Tranches))
	for i := range l.Tranches {
		out[i].Tranche = l.Tranches[i]
		if t := &l.Tranches[i]; t.State == loan.TranchePlanned {
			if out[i].Hinders, err = s.hinders(ctx, &l, t, t.Amount); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// hinders is all that speaks against drawing an amount of a tranche today.
func (s *Service) hinders(ctx context.Context, l *loan.Loan, t *loan.Tranche, amount money.Fen) ([]*fault.Error, error) {
	why := l.Hinders(t, max(money.DateOf(s.now()), l.DayEnd))
	a, err := s.cfg.Store.Application(ctx, l.Tenant, l.ApplicationID)
	if err != nil {
		return nil, err
	}
	most, err := s.most(ctx, a)
	if err != nil {
		return nil, err
	}
	owed, err := s.cfg.Loans.Owed(ctx, l.Tenant, l.ApplicationID)
	if err != nil {
		return nil, err
	}
	if left := max(most-owed, 0); amount > left {
		why = append(why, ErrTrancheLimit.With("left", left))
	}
	late, err := s.cfg.Loans.Loans(ctx, l.Tenant, loan.Filter{UserID: l.UserID, States: []loan.State{loan.Overdue}, Limit: 2})
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(late, func(x loan.Loan) bool { return x.ID != l.ID }) {
		why = append(why, ErrTrancheLate)
	}
	alerts, err := s.cfg.Alerts.List(ctx, l.Tenant, watch.Filter{Open: true, SubjectID: l.Subject.ID, Limit: 500})
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(alerts, func(x watch.Alert) bool { return x.Severity == "critical" }) {
		why = append(why, ErrTrancheAlert.With("subject", l.SubjectName))
	}
	if t.Condition == loan.CropGrows && !t.Inspected() {
		no, err := s.cropGrows(ctx, l)
		if err != nil {
			return nil, err
		}
		if no != nil {
			why = append(why, no)
		}
	}
	return why, nil
}

// cropGrows says what speaks against that the declared crop is seen to grow, nil for nothing.
func (s *Service) cropGrows(ctx context.Context, l *loan.Loan) (*fault.Error, error) {
	r, err := s.cfg.PlotReports.LatestReport(ctx, l.Tenant, l.Subject.ID)
	unseen := ErrCropUnseen.With("days", cropDays).With("subject", l.SubjectName)
	if errors.Is(err, geo.ErrReportAbsent) {
		return unseen, nil
	}
	if err != nil {
		return nil, err
	}
	switch {
	case r.Status == geo.Unknown || r.LastClear == nil || s.now().Sub(*r.LastClear) > cropDays*24*time.Hour:
		return unseen, nil
	case r.Declared == "" || r.Doubts() > 0 || r.Confidence < cropSure:
		return ErrCropUnsure.With("subject", l.SubjectName), nil
	case r.Crop != r.Declared:
		return ErrCropOther.With("subject", l.SubjectName), nil
	}
	for i := range r.Hazards {
		if k := r.Hazards[i].Kind; k == geo.NeverSown || k == geo.Abandoned {
			return ErrCropUnsure.With("subject", l.SubjectName), nil
		}
	}
	return nil, nil //nolint:nilnil // nothing speaks against it
}

// DrawTranche sends the tranche of a loan that its borrower asks for, or the partner who
// brought it: the amount, or all of it for 0. See [loan.Service.DrawTranche] and
// [Service.Loan]. What hinders it is the error, the first of [Service.Tranches].
func (s *Service) DrawTranche(ctx context.Context, actor access.Actor, loanID string, nr int, amount money.Fen, key string) (loan.Loan, error) {
	if key == "" || len(key) > 150 {
		return loan.Loan{}, ErrKey.At("header.Idempotency-Key")
	}
	if actor.Role != access.Borrower && actor.Role != access.Partner {
		return loan.Loan{}, access.ErrRole
	}
	l, err := s.Loan(ctx, actor, loanID)
	if err != nil {
		return loan.Loan{}, err
	}
	prod, err := s.cfg.Products.Product(l.Product)
	if err != nil {
		return loan.Loan{}, err
	}
	if prod.Directed {
		return loan.Loan{}, ErrDirected.With("product", prod.Code)
	}
	return s.drawTranche(ctx, l, loan.TrancheRequest{Tenant: l.Tenant, LoanID: l.ID, Nr: nr, Amount: amount, Key: l.UserID + ":" + key})
}

func (s *Service) drawTranche(ctx context.Context, l loan.Loan, req loan.TrancheRequest) (loan.Loan, error) {
	t, err := l.Tranche(req.Nr)
	if err != nil {
		return loan.Loan{}, err
	}
	// One that is drawn, or on its way, may be the answer that was lost.
	if t.State == loan.TranchePlanned {
		why, err := s.hinders(ctx, &l, t, min(cmp.Or(req.Amount, t.Amount), t.Amount)) // the loan says when it is too much
		if err != nil {
			return loan.Loan{}, err
		}
		if len(why) > 0 {
			return loan.Loan{}, why[0]
		}
	}
	a, err := s.cfg.Store.Application(ctx, l.Tenant, l.ApplicationID)
	if err != nil {
		return loan.Loan{}, err
	}
	if req.Most, err = s.most(ctx, a); err != nil {
		return loan.Loan{}, err
	}
	return s.cfg.Loans.DrawTranche(ctx, req)
}

// nextTranche pays a purchase out of the next tranche of a loan that runs; the rest of that
// tranche is given up.
func (s *Service) nextTranche(ctx context.Context, l loan.Loan, amount money.Fen, key string, payee pay.Payee, purchase string) (loan.Loan, error) {
	nr := 0
	for i := range l.Tranches {
		// One whose order was paid before, or is being paid, is answered by its key.
		if t := &l.Tranches[i]; nr == 0 && i > 0 && (t.State == loan.TranchePlanned || t.State == loan.TranchePaying) {
			nr = t.Nr
		}
	}
	if nr == 0 {
		return loan.Loan{}, loan.ErrDrawn
	}
	return s.drawTranche(ctx, l, loan.TrancheRequest{
		Tenant: l.Tenant, LoanID: l.ID, Nr: nr, Amount: amount, Key: key, Payee: payee, Purchase: purchase,
	})
}

// CancelTranches gives up what has not gone out of a loan that the actor may see.
func (s *Service) CancelTranches(ctx context.Context, actor access.Actor, loanID string) (loan.Loan, error) {
	if _, err := s.Loan(ctx, actor, loanID); err != nil {
		return loan.Loan{}, err
	}
	return s.cfg.Loans.CancelTranches(ctx, actor, loanID)
}

// drawable is what of a running loan's next tranche an order may use.
func (s *Service) drawable(ctx context.Context, l *loan.Loan) (money.Fen, error) {
	t := l.Next()
	if t == nil {
		return 0, nil
	}
	if why, err := s.hinders(ctx, l, t, 1); err != nil || len(why) > 0 {
		return 0, err
	}
	return t.Amount, nil
}
