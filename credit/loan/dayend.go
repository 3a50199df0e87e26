package loan

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	Stating     Phase = "stating"     // the statements of a month that ends are made
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
const batchSize = 1000

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
	return report, errors.Join(append(failed, s.lapse(ctx, tenant, date))...)
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
	if run.Phase == Classifying {
		if err := s.classify(ctx, tenant); err != nil {
			return failed, err
		}
		run.Phase, run.After = Stating, ""
	}
	if err := s.state(ctx, &run); err != nil {
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

// accrue brings loans to the date of a run, batch by batch. When others are faster with one
// of a batch, or something of it is refused at the last moment, the batch is halved and read
// again, until the loan stands alone; one that does not give way then is left for the next run.
func (s *Service) accrue(ctx context.Context, run *DayRun, report *DayEndReport) (failed []error, _ error) {
	const tries = 10
	stale, size := 0, s.cfg.Batch
	for {
		if ctx.Err() != nil {
			return failed, ctx.Err()
		}
		days, err := s.cfg.Store.Days(ctx, run.Tenant, run.Date, run.After, size)
		if err != nil || len(days) == 0 {
			return failed, err
		}
		step, err := s.step(ctx, *run, days)
		if err != nil {
			return failed, err
		}
		err = s.cfg.Store.SaveBatch(ctx, step.batch)
		if errors.Is(err, ErrStale) {
			if size = max(1, len(days)/2); len(days) > 1 {
				continue
			}
			if stale++; stale < tries {
				continue
			}
			step = skip(*run, days[0].LoanID, err)
			err = s.cfg.Store.SaveBatch(ctx, step.batch)
		}
		if err != nil {
			return failed, err
		}
		stale, size = 0, min(s.cfg.Batch, 2*size)
		*run = step.batch.Run
		report.Loans += len(step.batch.Days) + len(step.batch.Changes)
		report.Overdue += step.overdue
		report.Failed = append(report.Failed, step.failedIDs...)
		failed = append(failed, step.failed...)
		if err := s.told(ctx, &step); err != nil {
			return failed, err
		}
	}
}

// skip is a step that leaves a loan where it stands.
func skip(run DayRun, id string, err error) step {
	st := step{batch: Batch{Run: run}}
	st.fail(id, err)
	st.batch.Run.After = id
	st.batch.Run.Failed++
	return st
}

// tenDays is how often arrears that only grow older are told again.
const tenDays = 10

// told tells of the loans that a step has changed, if others should know.
func (s *Service) told(ctx context.Context, st *step) error {
	var news []Transition
	for i := range st.batch.Changes {
		x := Transition{st.before[i], st.batch.Changes[i].Loan}
		older := x.After.State == Overdue && x.After.OverdueDays%tenDays == 0
		if !older && !moved(&x.Before, &x.After) && x.Before.Class == x.After.Class {
			continue
		}
		news = append(news, x)
	}
	if len(news) == 0 {
		return nil
	}
	return errors.Join(s.tell(ctx, news), s.changed(ctx, news))
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
		news := make([]Transition, len(page))
		for i := range page {
			news[i] = Transition{page[i], page[i]}
		}
		if err := errors.Join(s.tell(ctx, news), s.changed(ctx, news)); err != nil {
			return err
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
	monthEnd := endsMonth(run.Date)
	for _, d := range days {
		if monthEnd && s.cfg.Provision != nil || run.Date >= d.Segment.To {
			busy = append(busy, d)
		} else {
			quiet = append(quiet, d)
		}
	}
	g := gather{step: &st, kind: "accrual", prefix: "day"}
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
		if x != 0 {
			g.add(d.LoanID, []ledger.Posting{
				{Account: InterestReceivable, Item: d.Product, Amount: x}, {Account: InterestIncome, Item: d.Product, Amount: -x},
			})
		}
	}
	g.flush()
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
	g := gather{step: st, kind: "day_end", prefix: "replay"}
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
		booked := b.entries
		b.entries = nil
		if err := s.complete(ctx, b, &c); err != nil {
			st.fail(l.ID, err)
			continue
		}
		st.batch.Entries = append(st.batch.Entries, c.Entries...) // of those who share the loan
		c.Entries = nil
		for _, e := range booked {
			g.add(l.ID, e.Postings)
		}
		c.Moved = moved(&l, &c.Loan)
		if b.State == Overdue {
			st.overdue++
		}
		st.batch.Run.Interest += b.Position.Earned - earned
		st.before = append(st.before, l)
		st.batch.Changes = append(st.batch.Changes, c)
	}
	g.flush()
	return nil
}

// endsMonth says whether a date is the last of its month.
func endsMonth(d money.Date) bool { return (d + 1).String()[8:] == "01" }

// mostPostings of one entry; the ledger takes a thousand.
const mostPostings = 900

// gather sums the postings of many loans into few entries, each of which balances. What is
// kept by product is one posting for all its loans.
type gather struct {
	step         *step
	kind, prefix string
	first, last  string // loans of the entry
	at           map[[2]string]int
	postings     []ledger.Posting
}

func (g *gather) add(loanID string, postings []ledger.Posting) {
	if len(postings) == 0 {
		return
	}
	if len(g.postings)+len(postings) > mostPostings {
		g.flush()
	}
	if g.first == "" {
		g.first, g.at = loanID, map[[2]string]int{}
	}
	g.last = loanID
	for _, p := range postings {
		k := [2]string{p.Account, p.Item}
		i, ok := g.at[k]
		if !ok {
			i = len(g.postings)
			g.at[k] = i
			g.postings = append(g.postings, ledger.Posting{Account: p.Account, Item: p.Item})
		}
		g.postings[i].Amount += p.Amount
	}
}

// flush ends an entry. It is named after the loans that it moves, which move once on a date.
func (g *gather) flush() {
	list := slices.DeleteFunc(g.postings, func(p ledger.Posting) bool { return p.Amount == 0 })
	if run := &g.step.batch.Run; len(list) > 0 {
		g.step.batch.Entries = append(g.step.batch.Entries, ledger.Entry{
			Tenant: run.Tenant, Key: fmt.Sprintf("%s:%s:%s:%s", g.prefix, run.Date, g.first, g.last), Kind: g.kind, Date: run.Date, Postings: list,
		})
	}
	g.first, g.last, g.at, g.postings = "", "", nil, nil
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
