package loan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
)

// DayEndReport is what a day end did.
type DayEndReport struct {
	Date    money.Date `json:"date"`
	Days    int        `json:"days"`    // dates that were done, with those missed before
	Loans   int        `json:"loans"`   // brought to the date
	Overdue int        `json:"overdue"` // of them overdue now
	Settled int        `json:"settled"` // payments whose outcome became known
	Failed  []string   `json:"failed"`  // loans that could not be brought to the date
}

// DayRun is the day end of one date, and how far it has come.
type DayRun struct {
	Tenant   string     `json:"-"`
	Date     money.Date `json:"date"`
	Phase    Phase      `json:"phase"`
	After    string     `json:"-"`        // the loans up to this id are done
	Loans    int        `json:"loans"`    // brought to the date
	Replayed int        `json:"replayed"` // of them with more than a day's interest
	Overdue  int        `json:"overdue"`
	Failed   int        `json:"failed"`
	Interest money.Fen  `json:"interest"` // accrued on the date
	StartAt  time.Time  `json:"started_at"`
	EndAt    *time.Time `json:"ended_at,omitempty"`
}

// Phase of a day end.
type Phase string

// Phases in their order.
const (
	Accruing    Phase = "accruing"    // each loan is brought to the date
	Classifying Phase = "classifying" // the debts of firms are seen together
	Ended       Phase = "ended"
)

// ClassSum sums running loans of one tier and stage.
type ClassSum struct {
	Class        Class     `json:"class"`
	Stage        int       `json:"stage"`
	Loans        int       `json:"loans"`
	Outstanding  money.Fen `json:"outstanding"`
	Overdue      money.Fen `json:"overdue"`
	ExpectedLoss money.Fen `json:"expected_loss"`
}

// batchSize is how many loans a day end writes in one transaction: enough to be fast, few
// enough that a customer waits for milliseconds.
const batchSize = 500

// DayEnd brings every running loan of the tenant to the end of a date, one missed date
// after the other, and asks the bank for payments whose outcome is open. It may be ended at
// any point: the next call goes on where it stood, and for a date that is done it does
// nothing. A loan that fails does not stop the others; its error is joined into the result.
// ErrDayEnd is for a date beyond reason.
func (s *Service) DayEnd(ctx context.Context, tenant string, date money.Date) (DayEndReport, error) {
	report := DayEndReport{Date: date, Failed: []string{}}
	if last := money.DateOf(s.cfg.Now()).AddMonths(36); date > last {
		return report, ErrDayEnd.At("body.date").With("date", date).With("last", last)
	}
	failed, err := s.ask(ctx, tenant, &report)
	if err != nil {
		return report, err
	}
	first, err := s.cfg.Store.Behind(ctx, tenant)
	if err != nil {
		return report, err
	}
	if first == 0 || first >= date {
		first = date - 1
	}
	for day := first + 1; day <= date; day++ {
		more, err := s.dayEnd(ctx, tenant, day, &report)
		failed = append(failed, more...)
		if err != nil {
			return report, errors.Join(append(failed, err)...)
		}
		report.Days++
	}
	return report, errors.Join(failed...)
}

// ask asks the bank for payments whose outcome is open.
func (s *Service) ask(ctx context.Context, tenant string, report *DayEndReport) (failed []error, _ error) {
	open, err := s.cfg.Store.Unsettled(ctx, tenant)
	if err != nil {
		return nil, err
	}
	for _, p := range open {
		if ctx.Err() != nil {
			return failed, ctx.Err()
		}
		if _, err := s.finish(ctx, p); err != nil && !errors.Is(err, ErrPayment) {
			failed = append(failed, err)
			continue
		}
		report.Settled++
	}
	return failed, nil
}

// dayEnd does one date, or what is left of it.
func (s *Service) dayEnd(ctx context.Context, tenant string, date money.Date, report *DayEndReport) (failed []error, _ error) {
	run, err := s.cfg.Store.Run(ctx, tenant, date)
	resumed := err == nil && run.Phase != Ended
	switch {
	case errors.Is(err, ErrNotFound):
		run = DayRun{Tenant: tenant, Date: date, Phase: Accruing, StartAt: s.now()}
	case err != nil:
		return nil, err
	case run.Phase == Ended: // again, for loans that failed or came later
		run.Phase, run.After, run.Failed, run.EndAt = Accruing, "", 0, nil
	}
	report.Loans, report.Overdue, report.Failed = 0, 0, []string{}
	if run.Phase == Accruing {
		if failed, err = s.accrue(ctx, &run, report); err != nil {
			return failed, err
		}
		run.Phase, run.After = Classifying, ""
	}
	if err := s.classify(ctx, tenant); err != nil {
		return failed, err
	}
	if resumed { // an alert may have been lost with the crash
		if err := s.retell(ctx, tenant); err != nil {
			return failed, err
		}
	}
	now := s.now()
	run.Phase, run.EndAt = Ended, &now
	return failed, s.cfg.Store.SaveRun(ctx, run)
}

// accrue brings loans to the date of a run, batch by batch.
func (s *Service) accrue(ctx context.Context, run *DayRun, report *DayEndReport) (failed []error, _ error) {
	stale := 0
	for {
		if ctx.Err() != nil {
			return failed, ctx.Err()
		}
		days, err := s.cfg.Store.Days(ctx, run.Tenant, run.Date, run.After, batchSize)
		if err != nil || len(days) == 0 {
			return failed, err
		}
		step, err := s.step(ctx, *run, days)
		if err != nil {
			return failed, err
		}
		err = s.cfg.Store.SaveBatch(ctx, step.batch)
		if errors.Is(err, ErrStale) && stale < 100 { // a customer was faster; read the batch again
			stale++
			continue
		}
		if err != nil {
			return failed, err
		}
		stale = 0
		*run = step.batch.Run
		report.Loans += len(step.batch.Days) + len(step.batch.Changes)
		report.Overdue += step.overdue
		report.Failed = append(report.Failed, step.failedIDs...)
		failed = append(failed, step.failed...)
		for i := range step.batch.Changes {
			before, after := &step.before[i], &step.batch.Changes[i].Loan
			if err := s.told(ctx, before, after); err != nil {
				return failed, err
			}
		}
	}
}

// tenDays is how often arrears that only grow older are told again.
const tenDays = 10

// told tells of a loan that a day end has changed, if others should know.
func (s *Service) told(ctx context.Context, before, after *Loan) error {
	if !moved(before, after) && before.Class == after.Class {
		if after.State == Overdue && after.OverdueDays%tenDays == 0 {
			return s.tell(ctx, *before, *after)
		}
		return nil
	}
	return errors.Join(s.tell(ctx, *before, *after), s.changed(ctx, *before, *after))
}

func moved(before, after *Loan) bool {
	return before.State != after.State || before.Outstanding != after.Outstanding
}

// retell repeats what may have been lost when a day end was killed between a batch and its
// telling: nothing of it hurts twice.
func (s *Service) retell(ctx context.Context, tenant string) error {
	f := Filter{States: []State{Overdue}, Limit: 500}
	for {
		page, err := s.cfg.Store.Loans(ctx, tenant, f)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			if err := errors.Join(s.tell(ctx, page[i], page[i]), s.changed(ctx, page[i], page[i])); err != nil {
				return err
			}
		}
		f.Before = page[len(page)-1].ID
	}
}

// step is a batch with what is told after it.
type step struct {
	batch     Batch
	before    []Loan // of the changes
	overdue   int
	failed    []error
	failedIDs []string
}

// step computes a batch: a day's interest for the quiet loans, a replay for the others.
func (s *Service) step(ctx context.Context, run DayRun, days []Day) (step, error) {
	st := step{batch: Batch{Run: run}}
	var quiet, busy []Day
	monthEnd := (run.Date + 1).AddMonths(0).String()[8:] == "01"
	for _, d := range days {
		if monthEnd && s.cfg.Provision != nil || run.Date >= d.Segment.To {
			busy = append(busy, d)
		} else {
			quiet = append(quiet, d)
		}
	}
	entry := ledger.Entry{
		Tenant: run.Tenant, Key: fmt.Sprintf("day:%s:%s:%s", run.Date, days[0].LoanID, days[len(days)-1].LoanID), Kind: "accrual", Date: run.Date,
	}
	income := map[string]money.Fen{}
	var products []string // in the order of the loans, so that the entry is always the same
	for _, d := range quiet {
		before, err := d.Segment.earned(d.DayEnd)
		if err != nil {
			return st, err
		}
		after, err := d.Segment.earned(run.Date)
		if err != nil {
			return st, err
		}
		x := after - before
		d.DayEnd = run.Date
		d.Accrued += x
		d.Earned += x
		st.batch.Days = append(st.batch.Days, d)
		st.batch.Run.Interest += x
		if x == 0 {
			continue
		}
		entry.Postings = append(entry.Postings, ledger.Posting{Account: InterestReceivable, Item: d.LoanID, Amount: x})
		if _, ok := income[d.Product]; !ok {
			products = append(products, d.Product)
		}
		income[d.Product] -= x
	}
	for _, p := range products {
		entry.Postings = append(entry.Postings, ledger.Posting{Account: InterestIncome, Item: p, Amount: income[p]})
	}
	if len(entry.Postings) > 0 {
		st.batch.Entries = append(st.batch.Entries, entry)
	}
	if err := s.replay(ctx, run, busy, &st); err != nil {
		return st, err
	}
	r := &st.batch.Run
	r.After = days[len(days)-1].LoanID
	r.Loans += len(st.batch.Days) + len(st.batch.Changes)
	r.Replayed += len(st.batch.Changes)
	r.Overdue += st.overdue
	r.Failed += len(st.failed)
	var err error
	for i := range st.batch.Entries {
		if st.batch.Entries[i], err = s.cfg.Book.Prepare(st.batch.Entries[i]); err != nil {
			return st, err
		}
	}
	return st, nil
}

// replay brings loans to the date on which something may happen beside interest. Their
// postings go into one entry.
func (s *Service) replay(ctx context.Context, run DayRun, days []Day, st *step) error {
	if len(days) == 0 {
		return nil
	}
	ids := make([]string, len(days))
	for i := range days {
		ids[i] = days[i].LoanID
	}
	loans, err := s.cfg.Store.Some(ctx, run.Tenant, ids)
	if err != nil {
		return err
	}
	past, err := s.cfg.Store.Happenings(ctx, run.Tenant, ids...)
	if err != nil {
		return err
	}
	entry := ledger.Entry{Tenant: run.Tenant, Key: fmt.Sprintf("replay:%s:%s:%s", run.Date, ids[0], ids[len(ids)-1]), Kind: "day_end", Date: run.Date}
	for _, l := range loans {
		if !l.live() || l.DayEnd >= run.Date {
			continue // a customer was faster
		}
		b := s.open(l, past[l.ID])
		earned := l.Position.Earned
		if err := b.carry(run.Date, "day", "day_end"); err != nil {
			st.fail(l.ID, err)
			continue
		}
		var c Change
		for _, e := range b.entries {
			entry.Postings = append(entry.Postings, e.Postings...)
		}
		b.entries = nil
		if err := s.complete(ctx, b, &c); err != nil {
			st.fail(l.ID, err)
			continue
		}
		c.Moved = moved(&l, &c.Loan)
		if b.State == Overdue {
			st.overdue++
		}
		st.batch.Run.Interest += b.Position.Earned - earned
		st.before = append(st.before, l)
		st.batch.Changes = append(st.batch.Changes, c)
	}
	st.post(entry)
	return nil
}

// mostPostings of one entry; the ledger takes a thousand.
const mostPostings = 900

// post cuts an entry between two loans where it has too many postings.
func (st *step) post(e ledger.Entry) {
	for nr := 1; len(e.Postings) > 0; nr++ {
		n := min(len(e.Postings), mostPostings)
		var sum money.Fen
		for _, p := range e.Postings[:n] {
			sum += p.Amount
		}
		for n < len(e.Postings) && sum != 0 {
			sum += e.Postings[n].Amount
			n++
		}
		part := e
		part.Key += fmt.Sprintf(":%d", nr)
		part.Postings = e.Postings[:n:n]
		st.batch.Entries = append(st.batch.Entries, part)
		e.Postings = e.Postings[n:]
	}
}

func (st *step) fail(id string, err error) {
	st.failed = append(st.failed, fmt.Errorf("loan %s: %w", id, err))
	st.failedIDs = append(st.failedIDs, id)
}

// classify sees the debts of each firm together and sets or lifts the floor of its loans.
func (s *Service) classify(ctx context.Context, tenant string) error {
	debtors, err := s.cfg.Store.Debtors(ctx, tenant)
	if err != nil {
		return err
	}
	for _, d := range debtors {
		floor := d.Floor()
		for _, x := range d.Debts {
			if x.Floor == floor {
				continue
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			_, err := s.update(ctx, tenant, x.LoanID, func(b *book) (Change, error) {
				if !b.live() || b.Position.Floor == floor {
					return Change{}, errNothing
				}
				b.Position.Floor = floor
				key := fmt.Sprintf("tier:%s:%d", b.ID, b.Version)
				return Change{}, b.carry(b.DayEnd, key, "day_end")
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Runs returns the last day ends, newest first.
func (s *Service) Runs(ctx context.Context, tenant string, limit int) ([]DayRun, error) {
	return s.cfg.Store.Runs(ctx, tenant, limit)
}

// Classes sums the running loans by tier and stage.
func (s *Service) Classes(ctx context.Context, tenant string) ([]ClassSum, error) {
	return s.cfg.Store.Classes(ctx, tenant)
}
