package servicing_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

func date(tb testing.TB, s string) money.Date {
	tb.Helper()
	d, err := money.ParseDate(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// terms are 12 % a year by months of 1/12, in three equal instalments: of 3,000 yuan
// 1,020.07 each, with 30.00, 20.10 and 10.10 interest.
func terms() servicing.Terms {
	return servicing.Terms{Schedule: schedule.Terms{
		Rate: money.BP(1200), Method: schedule.EqualInstalments, DayCount: money.Thirty360, N: 3,
	}}
}

// free are terms without interest: 900 yuan in three rows of 300.
func free() servicing.Terms {
	t := terms()
	t.Schedule.Rate = 0
	return t
}

func draw(tb testing.TB, amount money.Fen) servicing.Event {
	tb.Helper()
	return servicing.Event{ID: "draw", Kind: servicing.Disburse, Date: date(tb, "2024-01-01"), Amount: amount}
}

func pay(tb testing.TB, id, on string, amount money.Fen) servicing.Event {
	tb.Helper()
	return servicing.Event{ID: id, Kind: servicing.Repay, Date: date(tb, on), Amount: amount}
}

func replay(tb testing.TB, t servicing.Terms, to string, events ...servicing.Event) *servicing.State {
	tb.Helper()
	s, err := servicing.Replay(t, events, date(tb, to))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// paid is what each row has been paid, by part.
func paid(s *servicing.State) string {
	out := ""
	for _, r := range s.Rows {
		out += fmt.Sprintf("[%s %s %s %s]", r.Paid.Penalty, r.Paid.Fee, r.Paid.Interest, r.Paid.Principal)
	}
	return out
}

// due is principal and interest of each row.
func due(s *servicing.State) string {
	out := ""
	for _, r := range s.Rows {
		out += fmt.Sprintf("[%s %s]", r.Due.Principal, r.Due.Interest)
	}
	return out
}

func TestPaymentIsTakenInOrder(t *testing.T) {
	t.Parallel()
	parts := func(p ...servicing.Part) []servicing.Part { return p }
	usual := parts(servicing.Penalty, servicing.Fee, servicing.Interest, servicing.Principal)
	other := parts(servicing.Principal, servicing.Interest, servicing.Fee, servicing.Penalty)
	fee := servicing.Event{ID: "fee", Kind: servicing.Charged, Date: date(t, "2024-01-10"), Amount: 5000,
		Charge: &servicing.Charge{DueOn: date(t, "2024-02-20")}}
	for name, c := range map[string]struct {
		a      servicing.Allocation
		on     string
		amount money.Fen
		want   string
	}{
		"late pays the oldest row first":         {servicing.Allocation{}, "2024-02-20", 60000, "[0.00 0.00 30.00 570.00][0.00 0.00 0.00 0.00][0.00 0.00 0.00 0.00]"},
		"principal first":                        {servicing.Allocation{Order: servicing.Order(other, other, other)}, "2024-02-20", 60000, "[0.00 0.00 0.00 600.00][0.00 0.00 0.00 0.00][0.00 0.00 0.00 0.00]"},
		"the rest goes to the next row":          {servicing.Allocation{}, "2024-02-01", 110000, "[0.00 0.00 30.00 990.07][0.00 50.00 20.10 9.83][0.00 0.00 0.00 0.00]"},
		"or to the last":                         {servicing.Allocation{Future: servicing.Last}, "2024-02-01", 110000, "[0.00 0.00 30.00 990.07][0.00 0.00 0.00 0.00][0.00 0.00 10.10 69.83]"},
		"or to all to come":                      {servicing.Allocation{Future: servicing.Reamortised}, "2024-02-01", 112007, "[0.00 0.00 30.00 990.07][0.00 50.00 20.10 9.90][0.00 0.00 10.10 9.90]"},
		"a part over all rows before the next":   {servicing.Allocation{Vertical: true}, "2024-03-05", 10000, "[0.00 0.00 30.00 0.00][0.00 50.00 20.00 0.00][0.00 0.00 0.00 0.00]"},
		"in advance before what is due":          {servicing.Allocation{Order: append(servicing.Order(nil, nil, usual), servicing.Order(usual, usual, nil)...)}, "2024-02-01", 10000, "[0.00 0.00 0.00 0.00][0.00 50.00 20.10 29.90][0.00 0.00 0.00 0.00]"},
		"charges that are due before principal":  {servicing.Allocation{Order: servicing.Order(usual, usual, other), ChargesFirst: true}, "2024-02-25", 107007, "[0.00 0.00 30.00 990.07][0.00 50.00 0.00 0.00][0.00 0.00 0.00 0.00]"},
		"charges that are not due have to wait":  {servicing.Allocation{Order: servicing.Order(usual, usual, other), ChargesFirst: true}, "2024-02-19", 107007, "[0.00 0.00 30.00 990.07][0.00 0.00 0.00 50.00][0.00 0.00 0.00 0.00]"},
		"what nobody owes is kept for the payer": {servicing.Allocation{}, "2024-02-01", 400000, "[0.00 0.00 30.00 990.07][0.00 50.00 20.10 999.97][0.00 0.00 10.10 1009.96]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt := terms()
			tt.Allocation = c.a
			s := replay(t, tt, c.on, draw(t, 300000), fee, pay(t, "p", c.on, c.amount))
			if got := paid(s); got != c.want {
				t.Errorf("paid %s\nwant %s", got, c.want)
			}
			if tx := s.Transactions[len(s.Transactions)-1]; tx.Total()+tx.Excess != c.amount {
				t.Errorf("of %s came %s and %s is kept", c.amount, tx.Total(), tx.Excess)
			}
		})
	}
}

// TestChargesFirstCountsWhole lets charges that are due and not paid in full count with their
// whole amount, whatever was paid of them: 20.00 go to the two fees of the row, 5.00 to the one
// that is due and 15.00 to the one that is not.
func TestChargesFirstCountsWhole(t *testing.T) {
	t.Parallel()
	usual := []servicing.Part{servicing.Penalty, servicing.Fee, servicing.Interest, servicing.Principal}
	ahead := []servicing.Part{servicing.Principal, servicing.Penalty, servicing.Fee, servicing.Interest}
	tt := terms()
	tt.Allocation = servicing.Allocation{Order: servicing.Order(usual, usual, ahead), ChargesFirst: true}
	fee := func(id, due string, amount money.Fen) servicing.Event {
		return servicing.Event{ID: id, Kind: servicing.Charged, Date: date(t, "2024-01-05"), Amount: amount, Charge: &servicing.Charge{DueOn: date(t, due)}}
	}
	s := replay(t, tt, "2024-02-25", draw(t, 300000), fee("a", "2024-02-10", 2000), fee("b", "2024-02-28", 3000),
		pay(t, "first", "2024-02-01", 102007), pay(t, "part", "2024-02-12", 1500), pay(t, "rest", "2024-02-25", 4000))
	if got, want := paid(s), "[0.00 0.00 30.00 990.07][0.00 35.00 0.00 20.00][0.00 0.00 0.00 0.00]"; got != want {
		t.Errorf("paid %s\nwant %s", got, want)
	}
}

func TestPaidInAdvanceAndLate(t *testing.T) {
	t.Parallel()
	s := replay(t, free(), "2024-03-10", draw(t, 90000), pay(t, "late", "2024-02-05", 30000), pay(t, "early", "2024-02-20", 10000))
	if r := s.Rows[0]; r.Late.Principal != 30000 || r.PaidOn != date(t, "2024-02-05") {
		t.Errorf("the first row is %+v", r)
	}
	if r := s.Rows[1]; r.InAdvance.Principal != 10000 || r.PaidOn != 0 {
		t.Errorf("the second row is %+v", r)
	}
	if s.OverdueDays != 9 || s.Overdue.Principal != 20000 || s.NextDue != date(t, "2024-04-01") || s.NextAmount != 30000 {
		t.Errorf("%d days, %s overdue, next %s %s", s.OverdueDays, s.Overdue.Principal, s.NextDue, s.NextAmount)
	}
}

func TestLifeOfALoan(t *testing.T) {
	t.Parallel()
	day := func(s string) money.Date { return date(t, s) }
	down := free()
	down.Schedule.DownPayment = 25 * money.RateOne / 100
	credit := free()
	credit.Chargeback = []servicing.Part{servicing.Penalty, servicing.Fee, servicing.Interest, servicing.Principal}
	penalty := servicing.Event{ID: "nsf", Kind: servicing.Charged, Date: day("2024-01-05"), Amount: 1000,
		Charge: &servicing.Charge{DueOn: day("2024-01-20"), Penalty: true}}
	for name, c := range map[string]struct {
		terms  servicing.Terms
		to     string
		events []servicing.Event
		due    string
		status servicing.Status
	}{
		"paid as promised": {terms(), "2024-04-01",
			[]servicing.Event{draw(t, 300000), pay(t, "1", "2024-02-01", 102007), pay(t, "2", "2024-03-01", 102007), pay(t, "3", "2024-04-01", 102006)},
			"[990.07 30.00][999.97 20.10][1009.96 10.10]", servicing.Closed},
		"too much": {free(), "2024-02-01", []servicing.Event{draw(t, 90000), pay(t, "1", "2024-02-01", 90001)},
			"[300.00 0.00][300.00 0.00][300.00 0.00]", servicing.Overpaid},
		"too much, and given back": {free(), "2024-02-02",
			[]servicing.Event{draw(t, 90000), pay(t, "1", "2024-02-01", 90100), {ID: "back", Kind: servicing.CreditRefund, Date: day("2024-02-02"), Amount: 100}},
			"[300.00 0.00][300.00 0.00][300.00 0.00]", servicing.Closed},
		"claimed back before the end": {free(), "2024-02-10",
			[]servicing.Event{draw(t, 90000), pay(t, "1", "2024-02-01", 30000), {ID: "cb", Kind: servicing.Chargeback, Date: day("2024-02-10"), Amount: 10000, Target: "1"}},
			"[300.00 0.00][400.00 0.00][300.00 0.00]", servicing.Active},
		"claimed back after the end": {free(), "2024-05-10",
			[]servicing.Event{draw(t, 90000), pay(t, "1", "2024-02-01", 90000), {ID: "cb", Kind: servicing.Chargeback, Date: day("2024-05-10"), Amount: 10000, Target: "1"}},
			"[300.00 0.00][300.00 0.00][300.00 0.00][100.00 0.00]", servicing.Active},
		"drawn twice with down payments": {down, "2024-01-10",
			[]servicing.Event{draw(t, 120000), {ID: "d2", Kind: servicing.Disburse, Date: day("2024-01-10"), Amount: 40000}},
			"[300.00 0.00][100.00 0.00][400.00 0.00][400.00 0.00][400.00 0.00]", servicing.Active},
		"drawn again on money that was overpaid": {free(), "2024-02-03",
			[]servicing.Event{draw(t, 90000), pay(t, "1", "2024-02-01", 95000), {ID: "d2", Kind: servicing.Disburse, Date: day("2024-02-03"), Amount: 5000}},
			"[300.00 0.00][325.00 0.00][325.00 0.00]", servicing.Closed},
		// 2,009.93 and 1,000 more over two rows of 1 %.
		"drawn again at interest": {terms(), "2024-02-01",
			[]servicing.Event{draw(t, 300000), {ID: "d2", Kind: servicing.Disburse, Date: day("2024-02-01"), Amount: 100000}},
			"[990.07 30.00][1497.48 30.10][1512.45 15.12]", servicing.Active},
		"re-aged": {free(), "2024-02-10",
			[]servicing.Event{draw(t, 90000), pay(t, "1", "2024-02-01", 30000), {ID: "ra", Kind: servicing.ReAge, Date: day("2024-02-10"),
				Change: &servicing.Change{From: day("2024-06-01"), N: 4, Every: 1, Unit: schedule.Months}}},
			"[300.00 0.00][0.00 0.00][0.00 0.00][150.00 0.00][150.00 0.00][150.00 0.00][150.00 0.00]", servicing.Active},
		"overdue spread again": {free(), "2024-02-10",
			[]servicing.Event{draw(t, 90000), {ID: "ram", Kind: servicing.ReAmortise, Date: day("2024-02-10")}},
			"[0.00 0.00][450.00 0.00][450.00 0.00]", servicing.Active},
		"a row put off": {free(), "2024-02-10",
			[]servicing.Event{draw(t, 90000), {ID: "rs", Kind: servicing.Reschedule, Date: day("2024-01-10"), Change: &servicing.Change{From: day("2024-02-01"), To: day("2024-05-01"), Extra: 1}}},
			"[225.00 0.00][225.00 0.00][225.00 0.00][225.00 0.00]", servicing.Active},
		"another rate": {terms(), "2024-02-10",
			[]servicing.Event{draw(t, 300000), {ID: "rs", Kind: servicing.RateChange, Date: day("2024-01-10"), Change: &servicing.Change{From: day("2024-03-01"), Rate: money.BP(600)}}},
			"[990.07 30.00][1002.46 10.05][1007.47 5.04]", servicing.Active},
		"written off": {free(), "2024-08-10",
			[]servicing.Event{draw(t, 90000), pay(t, "1", "2024-02-01", 30000), {ID: "off", Kind: servicing.ChargeOff, Date: day("2024-08-01")}, {ID: "wo", Kind: servicing.WriteOff, Date: day("2024-08-10")}},
			"[300.00 0.00][300.00 0.00][300.00 0.00]", servicing.WrittenOff},
		"a charge after the last row": {free(), "2024-05-10",
			[]servicing.Event{draw(t, 90000), {ID: "fee", Kind: servicing.Charged, Date: day("2024-05-01"), Amount: 100, Charge: &servicing.Charge{DueOn: day("2024-05-05")}}},
			"[300.00 0.00][300.00 0.00][300.00 0.00][0.00 0.00]", servicing.Active},
		"claimed back with its penalty": {credit, "2024-02-10",
			[]servicing.Event{draw(t, 90000), penalty, pay(t, "1", "2024-02-01", 31000), {ID: "cb", Kind: servicing.Chargeback, Date: day("2024-02-10"), Amount: 11000, Target: "1"}},
			"[300.00 0.00][400.00 0.00][300.00 0.00]", servicing.Active},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := replay(t, c.terms, c.to, c.events...)
			if got := due(s); got != c.due || s.Status != c.status {
				t.Errorf("%s, due %s\nwant %s %s", s.Status, got, c.status, c.due)
			}
		})
	}
}

func TestUndrawnAndWaived(t *testing.T) {
	t.Parallel()
	fee := servicing.Event{ID: "fee", Kind: servicing.Charged, Date: date(t, "2024-01-10"), Amount: 5000, Charge: &servicing.Charge{DueOn: date(t, "2024-02-01")}}
	waive := servicing.Event{ID: "w", Kind: servicing.Waive, Date: date(t, "2024-01-20"), Target: "fee"}
	s := replay(t, free(), "2024-02-01", draw(t, 90000), fee, waive, pay(t, "1", "2024-02-01", 30000))
	if r := s.Rows[0]; r.Waived.Fee != 5000 || r.PaidOn != date(t, "2024-02-01") {
		t.Errorf("the row is %+v", r)
	}
	if s := replay(t, free(), "2024-02-01"); s.Status != servicing.Approved || len(s.Rows) != 0 {
		t.Errorf("a loan without events is %+v", s)
	}
}

func TestPrepayment(t *testing.T) {
	t.Parallel()
	for how, want := range map[servicing.Prepayment]string{
		// 1,500 instead of 1,020.07 on the first due date leave 1,530 out.
		servicing.Lower:   "[1470.00 30.00][761.19 15.30][768.81 7.69]",
		servicing.Shorten: "[1470.00 30.00][1004.77 15.30][525.23 5.25]",
		servicing.Move:    "[1470.00 30.00][524.84 15.30][1005.16 10.05]",
	} {
		tt := terms()
		tt.Recalculation = &servicing.Recalculation{}
		tt.Prepayment = how
		s := replay(t, tt, "2024-02-01", draw(t, 300000), pay(t, "1", "2024-02-01", 150000))
		if got := due(s); got != want {
			t.Errorf("%s: %s\n want %s", how, got, want)
		}
	}
	tt := terms()
	tt.Prepayment = servicing.Hold
	s := replay(t, tt, "2024-02-10", draw(t, 300000), pay(t, "1", "2024-02-01", 150000))
	if s.Overpaid != 47993 || s.Rows[1].Paid.Total() != 0 {
		t.Errorf("%s is held and %+v was paid", s.Overpaid, s.Rows[1].Paid)
	}
	if s = replay(t, tt, "2024-03-01", draw(t, 300000), pay(t, "1", "2024-02-01", 150000)); s.Overpaid != 0 || s.Rows[1].Paid.Total() != 47993 {
		t.Errorf("%s is held on the due date and %+v was paid", s.Overpaid, s.Rows[1].Paid)
	}
}

func TestInterestFollowsTheBalance(t *testing.T) {
	t.Parallel()
	tt := terms()
	tt.Schedule.DayCount = money.Act360
	tt.Recalculation = &servicing.Recalculation{}
	tt.Prepayment = servicing.Lower
	// Nothing is paid: each month earns on 3,000 until the day of the state, 29 and 31 days.
	s := replay(t, tt, "2024-04-20", draw(t, 300000))
	for i, want := range []money.Fen{3100, 2900, 3100} {
		if got := s.Rows[i].Due.Interest; got != want {
			t.Errorf("row %d owes %s of interest, want %s", i+1, got, want)
		}
	}
	// 1,000 come ten days before the due date: 21 days on 3,000 and 10 on 2,000.
	s = replay(t, tt, "2024-01-22", draw(t, 300000), pay(t, "1", "2024-01-22", 100000))
	if got := s.Rows[0].Due.Interest; got != 2100+667 {
		t.Errorf("the first row owes %s, want 27.67", got)
	}
}

func TestQuotePaysOff(t *testing.T) {
	t.Parallel()
	for _, how := range []servicing.Prepayment{"", servicing.Hold, servicing.Lower, servicing.Shorten, servicing.Move} {
		for _, on := range []string{"2024-01-01", "2024-01-20", "2024-02-01", "2024-02-29", "2024-05-20"} {
			tt := terms()
			tt.Schedule.DayCount = money.Act365
			tt.Prepayment = how
			if how == servicing.Lower || how == servicing.Shorten || how == servicing.Move {
				tt.Recalculation = &servicing.Recalculation{}
			}
			events := []servicing.Event{draw(t, 300000)}
			q, err := servicing.Quote(tt, events, date(t, on))
			if err != nil {
				t.Fatal(err)
			}
			s := replay(t, tt, on, append(events, servicing.Event{ID: "off", Kind: servicing.Payoff, Date: date(t, on), Amount: q.Total()})...)
			if s.Status != servicing.Closed || s.Overpaid != 0 {
				t.Errorf("%q on %s: %s paid, %s, %s open, %s left over", how, on, q.Total(), s.Status, s.Outstanding.Total(), s.Overpaid)
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	d := draw(t, 90000)
	with := func(e servicing.Event, f func(*servicing.Event)) servicing.Event { f(&e); return e }
	p := pay(t, "p", "2024-02-01", 100)
	for name, c := range map[string]struct {
		terms  servicing.Terms
		events []servicing.Event
		want   error
	}{
		"nothing":               {free(), []servicing.Event{d, with(p, func(e *servicing.Event) { e.Amount = 0 })}, servicing.ErrAmount},
		"less than nothing":     {free(), []servicing.Event{d, with(p, func(e *servicing.Event) { e.Amount = -1 })}, servicing.ErrAmount},
		"a drawdown of nothing": {free(), []servicing.Event{draw(t, 0)}, servicing.ErrAmount},
		"before the drawdown":   {free(), []servicing.Event{pay(t, "p", "2023-12-31", 100), d}, servicing.ErrNotDrawn},
		"an unknown kind":       {free(), []servicing.Event{d, with(p, func(e *servicing.Event) { e.Kind = "gift" })}, servicing.ErrKind},
		"undoing what is not":   {free(), []servicing.Event{d, {ID: "r", Kind: servicing.Reverse, Date: d.Date, Target: "x"}}, servicing.ErrTarget},
		"a charge without day":  {free(), []servicing.Event{d, {ID: "c", Kind: servicing.Charged, Date: d.Date, Amount: 1}}, servicing.ErrDate},
		"no rows":               {servicing.Terms{}, []servicing.Event{d}, schedule.ErrTerms},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := servicing.Replay(c.terms, c.events, date(t, "2024-06-01"))
			if !errors.Is(err, c.want) || s != nil {
				t.Errorf("state %v, error %v", s, err)
			}
		})
	}
}

func TestOddDaysAndRates(t *testing.T) {
	t.Parallel()
	tt := terms()
	leap := servicing.Event{ID: "d", Kind: servicing.Disburse, Date: date(t, "2024-02-29"), Amount: 300000}
	s := replay(t, tt, "2025-03-01", leap)
	if got := s.Rows[2].DueOn; got != date(t, "2024-05-29") {
		t.Errorf("the last row is due on %s", got)
	}
	tt.Schedule.Rate = 10 * money.RateOne // 1,000 %
	if s = replay(t, tt, "2025-03-01", leap); s.Outstanding.Principal != 300000 || s.Outstanding.Interest <= 300000 {
		t.Errorf("at 1,000 %% %+v is owed", s.Outstanding)
	}
}

func ExampleReplay() {
	day := func(y int, d int) money.Date { return money.NewDate(y, 1, 1).AddMonths(d) }
	t := servicing.Terms{Schedule: schedule.Terms{
		Rate: money.BP(600), Method: schedule.EqualInstalments, DayCount: money.Thirty360, N: 2,
	}}
	s, err := servicing.Replay(t, []servicing.Event{
		{ID: "draw", Kind: servicing.Disburse, Date: day(2024, 0), Amount: 1_000_000},
		{ID: "first", Kind: servicing.Repay, Date: day(2024, 1), Amount: 503_753},
	}, day(2024, 1))
	fmt.Println(err, s.Status, s.Transactions[1].Interest, s.Transactions[1].Principal, s.NextDue, s.NextAmount)
	// Output: <nil> active 50.00 4987.53 2024-03-01 5037.53
}
