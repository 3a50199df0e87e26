package loan

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// ErrMonth is returned for text that is no month, or one that has not begun.
var ErrMonth = fault.New(fault.Invalid, "loan.month", "give a month that has begun, such as 2026-05")

// Owing are what a borrower owes on a day, and what is held for the borrower.
type Owing struct {
	Principal money.Fen `json:"principal"`
	Interest  money.Fen `json:"interest"` // earned and not paid
	Fee       money.Fen `json:"fee"`
	Penalty   money.Fen `json:"penalty"`
	Credit    money.Fen `json:"credit"`
}

func balances(st *servicing.State) Owing {
	if st == nil || st.Status == servicing.WrittenOff {
		return Owing{}
	}
	o := st.Outstanding
	return Owing{o.Principal, st.Accrued, o.Fee, o.Penalty, st.Overpaid}
}

// Monthly is the statement of a loan for a month.
type Monthly struct {
	// Version 1 says what was known when the month ended, and never changes. What is booked
	// later with a date of the month makes another, which replaces the one before it. 0 is
	// of a month that still runs.
	Version  int       `json:"version"`
	Replaces int       `json:"replaces,omitempty"`
	MadeAt   time.Time `json:"made_at,omitzero"`

	LoanID   string        `json:"loan_id"`
	Borrower string        `json:"borrower"`
	Product  string        `json:"product"`
	From     money.Date    `json:"from"`
	To       money.Date    `json:"to"` // the end of the month, or the day to which the loan has been brought
	Opening  Owing         `json:"opening"`
	Lines    []Transaction `json:"lines"`
	Interest money.Fen     `json:"interest"` // earned in the month
	Penalty  money.Fen     `json:"penalty"`  // penalty and fees that came up in the month
	Fee      money.Fen     `json:"fee"`
	Closing  Owing         `json:"closing"`
	NextDue  money.Date    `json:"next_due"`
	Next     money.Fen     `json:"next_amount"`
}

// Month reads "2026-05" as its first and last day; ErrMonth.
func Month(text string) (first, last money.Date, err error) {
	t, err := time.Parse("2006-01", text)
	if err != nil {
		return 0, 0, ErrMonth.At("query.month")
	}
	first = money.NewDate(t.Year(), t.Month(), 1)
	return first, first.AddMonths(1) - 1, nil
}

// Statement tells of one month of a loan, "2026-05". Of a month that is over it is frozen
// and kept; when events of that month were booked since, it is a new version that names the
// old one. ErrNotFound, ErrMonth.
func (s *Service) Statement(ctx context.Context, tenant, id, month string) (Monthly, error) {
	first, last, err := Month(month)
	if err != nil {
		return Monthly{}, err
	}
	b, past, err := s.read(ctx, tenant, id)
	if err != nil {
		return Monthly{}, err
	}
	if first > s.today(&b.Loan) {
		return Monthly{}, ErrMonth.At("query.month")
	}
	return s.monthly(ctx, b, past, first, last)
}

// StatementVersion returns a version that was given out before; ErrNotFound, ErrMonth.
func (s *Service) StatementVersion(ctx context.Context, tenant, id, month string, version int) (Monthly, error) {
	if _, _, err := Month(month); err != nil {
		return Monthly{}, err
	}
	return s.cfg.Store.Statement(ctx, tenant, id, month, max(1, version))
}

// monthly is the newest version of a statement, which is kept once the month is over.
func (s *Service) monthly(ctx context.Context, b *book, past []Happening, first, last money.Date) (Monthly, error) {
	over := last < s.today(&b.Loan) && (b.DayEnd >= last || !b.live())
	to := last
	if !over {
		to = min(last, max(b.DayEnd, first))
	}
	now, err := b.statement(first, to)
	if err != nil || !over || len(past) == 0 || b.DrawnOn > last {
		return now, err
	}
	month := first.String()[:7]
	for {
		kept, err := s.cfg.Store.Statement(ctx, b.Tenant, b.ID, month, 0)
		var next Monthly
		switch {
		case errors.Is(err, ErrNotFound):
			if next, err = s.closing(ctx, b, past, first, last); err != nil {
				return next, err
			}
			next.Version = 1
		case err != nil || kept.says(now):
			return kept, err
		default:
			next = now
			next.Version, next.Replaces = kept.Version+1, kept.Version
		}
		next.MadeAt = s.now()
		if err := s.cfg.Store.SaveStatement(ctx, b.Tenant, month, next); err != nil && !errors.Is(err, ErrStale) {
			return next, err
		}
	}
}

// closing is the statement with what was booked by the end of the month's last day end.
func (s *Service) closing(ctx context.Context, b *book, past []Happening, first, last money.Date) (Monthly, error) {
	end := (last + 1).Start()
	run, err := s.cfg.Store.Run(ctx, b.Tenant, last)
	switch {
	case err == nil && run.EndAt != nil:
		end = *run.EndAt
	case err != nil && !errors.Is(err, ErrNotFound):
		return Monthly{}, err
	}
	known := 0
	for known < len(past) && !past[known].At.After(end) {
		known++
	}
	then := *b
	then.events = b.events[:known]
	return then.statement(first, last)
}

// state makes the statements of the month that a run ends, with what is booked now: they are
// frozen with it, not when somebody first asks. One that is there already is kept, so that
// it may be ended at any point.
func (s *Service) state(ctx context.Context, run *DayRun) error {
	if !endsMonth(run.Date) {
		return nil
	}
	month := run.Date.String()[:7]
	first, last, err := Month(month)
	if err != nil {
		return err
	}
	for {
		loans, err := s.cfg.Store.Drawn(ctx, run.Tenant, first, run.After, s.cfg.Batch)
		if err != nil || len(loans) == 0 {
			return err
		}
		ids := make([]string, len(loans))
		for i := range loans {
			ids[i] = loans[i].ID
		}
		past, err := s.cfg.Store.Happenings(ctx, run.Tenant, ids...)
		if err != nil {
			return err
		}
		list := make([]Monthly, 0, len(loans))
		for _, l := range loans {
			switch {
			case !l.ran(first, last):
				continue
			case l.live() && l.DayEnd < last: // it failed: its statement waits until it is brought here
				continue
			}
			m, err := s.open(l, past[l.ID]).statement(first, last)
			if err != nil {
				return fmt.Errorf("loan %s: %w", l.ID, err)
			}
			m.Version, m.MadeAt = 1, s.now()
			list = append(list, m)
		}
		run.After = ids[len(ids)-1]
		if err := s.cfg.Store.SaveStatements(ctx, *run, month, list); err != nil {
			return err
		}
	}
}

// says compares what two statements say, not which versions they are.
func (m Monthly) says(x Monthly) bool {
	m.Version, m.Replaces, m.MadeAt = x.Version, x.Replaces, x.MadeAt
	return reflect.DeepEqual(m, x)
}

// Statements are those of all loans of a borrower that ran in a month.
func (s *Service) Statements(ctx context.Context, tenant, userID, month string) ([]Monthly, error) {
	first, last, err := Month(month)
	if err != nil {
		return nil, err
	}
	out := []Monthly{}
	f := Filter{UserID: userID, States: []State{Active, Overdue, Closed, WrittenOff}, Limit: 500}
	for {
		page, err := s.cfg.Store.Loans(ctx, tenant, f)
		if err != nil || len(page) == 0 {
			return out, err
		}
		ids := make([]string, len(page))
		for i := range page {
			ids[i] = page[i].ID
		}
		past, err := s.cfg.Store.Happenings(ctx, tenant, ids...)
		if err != nil {
			return nil, err
		}
		for _, l := range page {
			if !l.ran(first, last) {
				continue
			}
			st, err := s.monthly(ctx, s.open(l, past[l.ID]), past[l.ID], first, last)
			if err != nil {
				return nil, err
			}
			out = append(out, st)
		}
		f.Before = ids[len(ids)-1]
	}
}

// ran says whether a loan ran on one of some days.
func (l *Loan) ran(first, last money.Date) bool {
	return l.DrawnOn != 0 && l.DrawnOn <= last && (l.ClosedAt == nil || money.DateOf(*l.ClosedAt) >= first)
}

func (b *book) statement(first, last money.Date) (Monthly, error) {
	out := Monthly{LoanID: b.ID, Borrower: b.UserName, Product: b.Product, From: first, To: last, Lines: []Transaction{}}
	if len(b.events) == 0 || last < b.DrawnOn {
		return out, nil
	}
	terms := b.terms()
	end, err := servicing.Replay(terms, b.events, last)
	if err != nil {
		return out, err
	}
	var start *servicing.State
	if first > b.DrawnOn {
		if start, err = servicing.Replay(terms, b.events, first-1); err != nil {
			return out, err
		}
	}
	out.Opening, out.Closing = balances(start), balances(end)
	out.NextDue, out.Next = end.NextDue, end.NextAmount
	for _, t := range transactions(end) {
		if t.Date >= first && !t.Reversed {
			out.Lines = append(out.Lines, t)
		}
	}
	before, after := grown(start), grown(end)
	out.Interest, out.Fee, out.Penalty = after.Interest-before.Interest, after.Fee-before.Fee, after.Penalty-before.Penalty
	return out, nil
}

// grown is what had come up of interest, fees and penalty by the day of a state.
func grown(st *servicing.State) (sum servicing.Parts) {
	if st == nil {
		return sum
	}
	sum.Interest = st.Accrued
	for i := range st.Rows {
		r := &st.Rows[i]
		sum.Interest += r.Paid.Interest + r.Waived.Interest + r.Written.Interest
		sum.Fee += r.Due.Fee
		sum.Penalty += r.Due.Penalty
	}
	return sum
}

// WriteStatements writes statements as CSV (UTF-8 with a byte order mark, as spreadsheets
// in China expect): one line for the opening of each loan, its transactions and its closing.
func WriteStatements(w io.Writer, list []Monthly) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	c := csv.NewWriter(w)
	rows := [][]string{{"loan_id", "borrower", "product", "date", "line", "amount", "principal", "interest", "fee", "penalty", "credit", "balance"}}
	for _, s := range list {
		line := func(d money.Date, what string, amounts ...money.Fen) {
			r := []string{s.LoanID, s.Borrower, s.Product, d.String(), what}
			for _, a := range amounts {
				r = append(r, a.String())
			}
			rows = append(rows, r)
		}
		o, z := s.Opening, s.Closing
		line(s.From, "opening", o.Principal+o.Interest+o.Fee+o.Penalty, o.Principal, o.Interest, o.Fee, o.Penalty, o.Credit, o.Principal)
		for _, t := range s.Lines {
			line(t.Date, string(t.Kind), t.Amount, t.Principal, t.Interest, t.Fee, t.Penalty, t.Excess, t.Balance)
		}
		line(s.To, "accrued", s.Interest+s.Fee+s.Penalty, 0, s.Interest, s.Fee, s.Penalty, 0, z.Principal)
		line(s.To, "closing", z.Principal+z.Interest+z.Fee+z.Penalty, z.Principal, z.Interest, z.Fee, z.Penalty, z.Credit, z.Principal)
	}
	return c.WriteAll(rows)
}
