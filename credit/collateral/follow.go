package collateral

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// Kinds of alerts, on the oldest loan of the application.
const (
	CallAlert     = "margin_call"         // more cover is asked for
	UnvaluedAlert = "collateral_unvalued" // the cover is short and something has no value
	GoneAlert     = "collateral_gone"     // something that is held is dead, sold or cut
	FilingAlert   = "collateral_filing"   // a registration ends soon, or has ended
)

// Follow does what follows from the state of a pool: proceeds reach the loans, receivables
// that left are freed, margin calls open, escalate and are met, the cover of the day is
// kept. All of it may be repeated; each day end does.
func (s *Service) Follow(ctx context.Context, tenant, applicationID string) error {
	_, err := s.follow(ctx, tenant, applicationID)
	return err
}

func (s *Service) follow(ctx context.Context, tenant, applicationID string) (Pool, error) {
	p, err := s.route(ctx, tenant, applicationID)
	if err != nil {
		return Pool{}, err
	}
	var gone []Asset
	for _, a := range p.Assets {
		if a.Status != Held {
			gone = append(gone, a)
		}
	}
	if err := s.free(ctx, tenant, applicationID, gone); err != nil {
		return Pool{}, err
	}
	for range tries {
		debts, err := s.cfg.Loans.Debts(ctx, tenant, applicationID)
		if err != nil {
			return Pool{}, err
		}
		e, ok := p.watch(debts, s.now())
		if ok {
			next, err := s.write(ctx, p, e)
			if err == nil {
				p = next
			} else if !errors.Is(err, ErrStale) {
				return Pool{}, err
			} else if p, err = s.cfg.Store.Pool(ctx, tenant, applicationID); err != nil {
				return Pool{}, err
			}
			continue // perhaps it is not the last
		}
		return p, s.tell(ctx, p, debts)
	}
	return Pool{}, ErrStale
}

// tell keeps alerts and the day up to date.
func (s *Service) tell(ctx context.Context, p Pool, debts []Debt) error {
	sum, _ := owed(debts)
	c := Measure(p, sum)
	subject := p.ApplicationID
	if len(debts) > 0 {
		subject = debts[0].LoanID
	}
	today := s.Today()
	say := func(kind, severity string, evidence map[string]string) error {
		if severity == "" {
			return s.cfg.Alerts.Clear(ctx, p.Tenant, kind, subject, p.ApplicationID, "met")
		}
		a := watch.Alert{
			Tenant: p.Tenant, Kind: kind, Severity: severity, SubjectKind: "loan", SubjectID: subject, Item: p.ApplicationID,
			Label: p.UserName, EventAt: s.now(), Evidence: evidence,
		}
		if len(debts) > 0 {
			a.LoanID = subject
		}
		return s.cfg.Alerts.Raise(ctx, a)
	}
	var errs []error
	severity, evidence := "", map[string]string(nil)
	if call := p.Call; call != nil {
		severity = "warning"
		if call.Stage > 0 {
			severity = "critical"
		}
		evidence = map[string]string{
			"amount": p.Terms.repay(c).String(), "due": call.Due.String(), "stage": strconv.Itoa(call.Stage), "cover_bp": coverText(c),
		}
	}
	errs = append(errs, say(CallAlert, severity, evidence))
	if severity = ""; p.Call == nil && !p.Closed && p.Terms.short(c) && c.Unknown > 0 {
		severity = "warning"
	}
	errs = append(errs, say(UnvaluedAlert, severity, map[string]string{"n": strconv.Itoa(c.Unknown)}))
	severity, evidence = s.missing(p)
	errs = append(errs, say(GoneAlert, severity, evidence))
	severity, evidence = s.filing(p, today)
	errs = append(errs, say(FilingAlert, severity, evidence), s.cfg.Store.SaveDay(ctx, p.Tenant, p.ApplicationID, CoverDay{today, c}))
	return errors.Join(errs...)
}

func coverText(c Cover) string {
	if c.CoverBP == nil {
		return ""
	}
	return strconv.FormatInt(*c.CoverBP, 10)
}

// missing tells of what is held and left the farm or the field without leave.
func (s *Service) missing(p Pool) (severity string, evidence map[string]string) {
	var labels []string
	reasons := map[string]bool{}
	for _, a := range p.Holds() {
		if r := a.Value.Reason; r == Gone || r == CutEarly {
			labels, reasons[r] = append(labels, a.Label), true
		}
	}
	if len(labels) == 0 {
		return "", nil
	}
	why := Gone
	if reasons[CutEarly] {
		why = CutEarly
	}
	return "critical", map[string]string{"n": strconv.Itoa(len(labels)), "labels": strings.Join(labels[:min(len(labels), 10)], ", "), "reason": why}
}

// filing tells of the registration that ends last, when that is soon.
func (s *Service) filing(p Pool, today money.Date) (severity string, evidence map[string]string) {
	var last Filing
	for _, f := range p.Filings {
		if f.Until > last.Until {
			last = f
		}
	}
	left := int(last.Until - today)
	switch {
	case last.Until == 0 || p.Closed || left > s.cfg.Rules.FilingWarn:
		return "", nil
	case left < 0:
		severity = "critical"
	default:
		severity = "warning"
	}
	return severity, map[string]string{"number": last.Number, "until": last.Until.String()}
}

// route brings proceeds that wait to their loans and what is left to the borrower. Each
// step has its own key, so that it may be repeated after a crash.
func (s *Service) route(ctx context.Context, tenant, applicationID string) (Pool, error) {
	for range tries {
		p, err := s.cfg.Store.Pool(ctx, tenant, applicationID)
		if err != nil {
			return Pool{}, err
		}
		i := 0
		for i < len(p.Proceeds) && p.Proceeds[i].Routed {
			i++
		}
		if i == len(p.Proceeds) {
			return p, nil
		}
		x := p.Proceeds[i]
		key := fmt.Sprintf("collateral:%s:%d", applicationID, x.Seq)
		shares := []LoanShare{}
		for _, sh := range x.Shares {
			err := s.cfg.Loans.Receive(ctx, tenant, sh.LoanID, sh.Amount, x.On, key+":"+sh.LoanID)
			switch {
			case err == nil:
				shares = append(shares, sh)
			case errors.Is(err, fault.Conflict): // it was repaid meanwhile
				x.Excess += sh.Amount
			default:
				return Pool{}, err
			}
		}
		x.Shares, x.Routed = shares, true
		if x.Excess > 0 {
			if err := s.excess(ctx, p, x, key); err != nil {
				return Pool{}, err
			}
		}
		e := PoolEvent{ApplicationID: applicationID, Seq: p.Version + 1, Kind: Routed, At: s.now(), UserID: System.UserID, Proceeds: &x}
		if _, err := s.write(ctx, p, e); err != nil && !errors.Is(err, ErrStale) {
			return Pool{}, err
		}
	}
	return Pool{}, ErrStale
}

// excess books what came in above the debts as the borrower's, and pays it out.
func (s *Service) excess(ctx context.Context, p Pool, x Proceeds, key string) error {
	post := func(key, kind string, amount money.Fen) error {
		_, err := s.cfg.Book.Post(ctx, ledger.Entry{
			Tenant: p.Tenant, Key: key, Kind: kind, Item: p.ApplicationID, Date: x.On,
			Postings: []ledger.Posting{
				{Account: "cash", Item: p.ApplicationID, Amount: amount}, {Account: "borrower_credit", Item: p.ApplicationID, Amount: -amount},
			},
		})
		return err
	}
	if err := post(key+":in", "collateral_excess", x.Excess); err != nil {
		return err
	}
	if err := s.cfg.Loans.Remit(ctx, p, x.Excess, key+":out"); err != nil {
		return err
	}
	return post(key+":out", "collateral_remit", -x.Excess)
}

// Revalue values all that an application holds by the evidence of now: animals that died
// leave as lost, other values move. It then does what follows.
func (s *Service) Revalue(ctx context.Context, tenant, applicationID string) error {
	for range tries {
		p, err := s.cfg.Store.Pool(ctx, tenant, applicationID)
		if err != nil {
			return err
		}
		if p.Closed {
			return s.Follow(ctx, tenant, applicationID)
		}
		found, err := s.values(ctx, p)
		if err != nil {
			return err
		}
		e, ok := s.news(p, found)
		if !ok {
			return s.Follow(ctx, tenant, applicationID)
		}
		if _, err := s.write(ctx, p, e); err != nil && !errors.Is(err, ErrStale) {
			return err
		}
	}
	return ErrStale
}

// news is the next event that new values make: what died first.
func (s *Service) news(p Pool, found []AssetValue) (PoolEvent, bool) {
	e := PoolEvent{ApplicationID: p.ApplicationID, Seq: p.Version + 1, At: s.now(), UserID: System.UserID}
	for _, v := range found {
		if v.Value.Known && v.Value.Reason == Died {
			e.Ends = append(e.Ends, AssetEnd{v.AssetID, Lost})
		}
	}
	if len(e.Ends) > 0 {
		e.Kind, e.Note = Loss, Died
		return e, true
	}
	e.Kind, e.Values = Revalue, p.moved(found)
	return e, len(e.Values) > 0
}

// PlotChanged values the pools that hold the crop of a plot.
func (s *Service) PlotChanged(ctx context.Context, tenant, plotID string) error {
	return s.each(ctx, tenant, Filter{Open: true, Kind: Crop, Ref: plotID}, s.Revalue)
}

// HerdChanged values the pools that hold animals of a herd.
func (s *Service) HerdChanged(ctx context.Context, tenant, herdID string) error {
	return s.each(ctx, tenant, Filter{Open: true, Kind: Animal, Parent: herdID}, s.Revalue)
}

// LoanChanged looks whether what is owed calls for more cover, or met a call.
func (s *Service) LoanChanged(ctx context.Context, tenant, applicationID string) error {
	err := s.Follow(ctx, tenant, applicationID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func (s *Service) each(ctx context.Context, tenant string, f Filter, do func(ctx context.Context, tenant, applicationID string) error) error {
	var errs []error
	for f.Limit = 200; ; {
		list, err := s.cfg.Store.Pools(ctx, tenant, f)
		if err != nil {
			return err
		}
		for _, p := range list {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := do(ctx, tenant, p.ApplicationID); err != nil {
				errs = append(errs, fmt.Errorf("collateral of %s: %w", p.ApplicationID, err))
			}
		}
		if len(list) < f.Limit {
			return errors.Join(errs...)
		}
		f.Before = list[len(list)-1].ApplicationID
	}
}

// DayEnd values every open pool of a tenant and does what follows; those that ended in the
// last week are looked after once more. A pool that fails does not stop the others.
func (s *Service) DayEnd(ctx context.Context, tenant string) error {
	return errors.Join(
		s.each(ctx, tenant, Filter{Open: true}, s.Revalue),
		s.each(ctx, tenant, Filter{EndedSince: s.now().AddDate(0, 0, -7)}, s.Follow),
	)
}

// Paid takes what an obligor paid on a part that is held: it goes to the loans as proceeds
// of the part, which leaves when nothing of it is open. ref names the payment, so that it
// counts once. Nothing happens for a part that is not held.
func (s *Service) Paid(ctx context.Context, tenant, partID string, amount money.Fen, on money.Date, payer, ref string) error {
	if amount <= 0 {
		return ErrMoney
	}
	return s.each(ctx, tenant, Filter{Open: true, Kind: Receivable, Ref: partID}, func(ctx context.Context, tenant, applicationID string) error {
		key := "paid/" + partID + "/" + ref
		for range tries {
			if _, ok, err := s.cfg.Store.Done(ctx, tenant, key); err != nil || ok {
				return errors.Join(err, s.Follow(ctx, tenant, applicationID))
			}
			p, err := s.cfg.Store.Pool(ctx, tenant, applicationID)
			if err != nil {
				return err
			}
			e, err := s.paid(ctx, p, partID, amount, on, payer)
			if err != nil {
				return err
			}
			c, err := s.changed(p, e, key, ref)
			if err != nil {
				return err
			}
			if err := s.cfg.Store.Append(ctx, c); err != nil && !errors.Is(err, ErrStale) {
				return err
			}
		}
		return ErrStale
	})
}

func (s *Service) paid(ctx context.Context, p Pool, partID string, amount money.Fen, on money.Date, payer string) (PoolEvent, error) {
	debts, err := s.cfg.Loans.Debts(ctx, p.Tenant, p.ApplicationID)
	if err != nil {
		return PoolEvent{}, err
	}
	found, err := s.values(ctx, p)
	if err != nil {
		return PoolEvent{}, err
	}
	sum, _ := owed(debts)
	e := PoolEvent{ApplicationID: p.ApplicationID, Seq: p.Version + 1, Kind: Sale, At: s.now(), UserID: System.UserID, Owed: sum}
	for _, v := range found {
		a, _ := p.Asset(v.AssetID)
		if a.Kind != Receivable || a.Ref != partID {
			continue
		}
		if v.Value.Known && v.Value.Low == 0 && v.Value.Reason != OverdueBy {
			e.Ends = append(e.Ends, AssetEnd{a.ID, Settled})
		} else {
			e.Values = p.moved([]AssetValue{v})
		}
		e.Proceeds = proceeds(e.Seq, []string{a.ID}, amount, 0, payer, on, debts)
	}
	if e.Proceeds == nil {
		return PoolEvent{}, ErrAsset.With("id", partID)
	}
	return e, nil
}
