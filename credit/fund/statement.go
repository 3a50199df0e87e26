package fund

import (
	"cmp"
	"context"
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/money"
)

// FundFigures are what a funder has of a loan, or of all, in a month. Principal: Closing =
// Opening + Drawn - Repaid + TakenOver - Lost. TakenOver is what a pool or guarantor took
// over and paid for: above zero with them, below zero with the lenders whom they paid.
type FundFigures struct {
	Opening   money.Fen `json:"opening"`
	Drawn     money.Fen `json:"drawn"`
	Repaid    money.Fen `json:"repaid"`
	TakenOver money.Fen `json:"taken_over"`
	Lost      money.Fen `json:"lost"`
	Closing   money.Fen `json:"closing"`
	Interest  money.Fen `json:"interest"` // given on, before Servicing
	Servicing money.Fen `json:"servicing"`
	DrawFee   money.Fen `json:"draw_fee"`
	Fee       money.Fen `json:"fee"`
	Penalty   money.Fen `json:"penalty"`
	Recovered money.Fen `json:"recovered"`
	Spread    money.Fen `json:"spread"`  // kept by the lead of the funder's part
	Subsidy   money.Fen `json:"subsidy"` // claimed from a government
	// Due is what the bank owes the funder at the end, below zero what the funder owes: DueBefore
	// of the month before, with what came up, less Settled.
	DueBefore money.Fen `json:"due_before"`
	Settled   money.Fen `json:"settled"`
	Due       money.Fen `json:"due"`
}

// FundedLoan is one loan of a statement.
type FundedLoan struct {
	LoanID string `json:"loan_id"`
	FundFigures
}

// FundStatement is a funder's month.
type FundStatement struct {
	Funder string            `json:"funder"`
	Kind   Kind              `json:"kind"`
	Name   map[string]string `json:"name"`
	Month  string            `json:"month"`
	From   money.Date        `json:"from"`
	To     money.Date        `json:"to"`
	FundFigures
	Loans []FundedLoan `json:"loans"` // that had something, by id
}

// ParseMonth reads "2026-05" into its first and last day: ErrMonth.
func ParseMonth(s string) (from, to money.Date, err error) {
	t, err := time.Parse("2006-01", s)
	if err != nil || t.Year() < 2000 || t.Year() > 2200 {
		return 0, 0, ErrMonth
	}
	from = money.NewDate(t.Year(), t.Month(), 1)
	return from, from.AddMonths(1) - 1, nil
}

// ParseQuarter reads "2026Q2" into its first and last day: ErrMonth.
func ParseQuarter(s string) (from, to money.Date, err error) {
	year, q, ok := strings.Cut(s, "Q")
	if !ok || len(q) != 1 || q < "1" || q > "4" {
		return 0, 0, ErrMonth
	}
	from, _, err = ParseMonth(year + "-01")
	from = from.AddMonths(3 * int(q[0]-'1'))
	return from, from.AddMonths(3) - 1, err
}

// Statement is what a funder had in a month: ErrFunder, ErrMonth.
func (s *Service) Statement(ctx context.Context, tenant, code, month string) (FundStatement, error) {
	f, known := s.cfg.Catalogue.Funder(code)
	if !known {
		return FundStatement{}, ErrFunder.With("code", code)
	}
	from, to, err := ParseMonth(month)
	if err != nil {
		return FundStatement{}, err
	}
	lines, err := s.lines(ctx, tenant, f, LineFilter{To: to})
	if err != nil {
		return FundStatement{}, err
	}
	return Tally(f, month, from, to, lines), nil
}

// lines of a funder; a pool has those of its vintages too.
func (s *Service) lines(ctx context.Context, tenant string, f Participant, filter LineFilter) ([]ShareLine, error) {
	filter.Party = f.Code
	out, err := s.cfg.Store.Lines(ctx, tenant, filter)
	if err != nil || f.Kind != Pool {
		return out, err
	}
	buckets, err := s.cfg.Store.Buckets(ctx, tenant)
	for _, b := range buckets {
		if err != nil || !strings.HasPrefix(b, f.Code+"/") {
			continue
		}
		filter.Party = b
		var more []ShareLine
		more, err = s.cfg.Store.Lines(ctx, tenant, filter)
		out = append(out, more...)
	}
	return out, err
}

// Tally makes the statement of a funder from its lines up to a day.
func Tally(f Participant, month string, from, to money.Date, lines []ShareLine) FundStatement {
	st := FundStatement{Funder: f.Code, Kind: f.Kind, Name: f.Name, Month: month, From: from, To: to, Loans: []FundedLoan{}}
	by := map[string]*FundedLoan{}
	for _, l := range lines {
		if l.Date > to {
			continue
		}
		st.add(l, from, settlementAccount(f.Kind))
		if l.LoanID == "" {
			continue
		}
		if by[l.LoanID] == nil {
			by[l.LoanID] = &FundedLoan{LoanID: l.LoanID}
		}
		by[l.LoanID].add(l, from, settlementAccount(f.Kind))
	}
	for _, x := range by {
		if x.FundFigures != (FundFigures{DueBefore: x.DueBefore, Due: x.Due}) || x.Due != x.DueBefore {
			st.Loans = append(st.Loans, *x)
		}
	}
	slices.SortFunc(st.Loans, func(a, b FundedLoan) int { return cmp.Compare(a.LoanID, b.LoanID) })
	return st
}

func (x *FundFigures) add(l ShareLine, from money.Date, open string) {
	before := l.Date < from
	if l.Account == open {
		x.Due -= l.Amount
		if before {
			x.DueBefore -= l.Amount
		}
	}
	if l.Account == Principal {
		x.Closing -= l.Amount
		if before {
			x.Opening -= l.Amount
		}
	}
	if before {
		return
	}
	switch l.Account {
	case Principal:
		switch l.Kind {
		case Draw:
			x.Drawn -= l.Amount
		case Absorbed:
			x.TakenOver -= l.Amount
		case Lost:
			x.Lost += l.Amount
		default:
			x.Repaid += l.Amount
		}
	case Interest:
		x.Interest += l.Amount
	case Servicing:
		x.Servicing -= l.Amount
	case Placement:
		x.DrawFee -= l.Amount
	case Fee:
		x.Fee += l.Amount
	case Penalty:
		x.Penalty += l.Amount
	case Recovered:
		x.Recovered += l.Amount
	case Spread:
		x.Spread -= l.Amount
	case SubsidyClaim:
		if l.Kind == Subsidy {
			x.Subsidy += l.Amount
		}
	}
	if l.Kind == Settle && l.Account == open {
		x.Settled += l.Amount
	}
}

// WriteCSV writes the loans of a statement, and a last row with the sums.
func (st FundStatement) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	rows := [][]string{{
		"loan_id", "opening", "drawn", "repaid", "taken_over", "lost", "closing", "interest", "servicing", "draw_fee", "fee",
		"penalty", "recovered", "spread", "subsidy", "due_before", "settled", "due",
	}}
	row := func(id string, f FundFigures) {
		cells := []string{id}
		for _, v := range []money.Fen{
			f.Opening, f.Drawn, f.Repaid, f.TakenOver, f.Lost, f.Closing, f.Interest, f.Servicing, f.DrawFee, f.Fee,
			f.Penalty, f.Recovered, f.Spread, f.Subsidy, f.DueBefore, f.Settled, f.Due,
		} {
			cells = append(cells, v.String())
		}
		rows = append(rows, cells)
	}
	for _, l := range st.Loans {
		row(l.LoanID, l.FundFigures)
	}
	row("total", st.FundFigures)
	return out.WriteAll(rows)
}

// SubsidyRow is one loan of a subsidy claim.
type SubsidyRow struct {
	LoanID    string     `json:"loan_id"`
	Debtor    string     `json:"debtor"`
	Product   string     `json:"product"`
	Principal money.Fen  `json:"principal"`
	Rate      money.Rate `json:"rate"` // a year; 1e-8 units
	Until     money.Date `json:"until"`
	Interest  money.Fen  `json:"interest"` // paid in the quarter
	Amount    money.Fen  `json:"amount"`   // claimed
}

// SubsidyList is what is claimed from a government for a quarter.
type SubsidyList struct {
	Funder  string       `json:"funder"`
	Quarter string       `json:"quarter"`
	From    money.Date   `json:"from"`
	To      money.Date   `json:"to"`
	Amount  money.Fen    `json:"amount"`
	Loans   []SubsidyRow `json:"loans"`
}

// SubsidyClaims lists what a government owes for a quarter: ErrFunder, ErrKind, ErrMonth.
func (s *Service) SubsidyClaims(ctx context.Context, tenant, code, quarter string) (SubsidyList, error) {
	f, known := s.cfg.Catalogue.Funder(code)
	switch {
	case !known:
		return SubsidyList{}, ErrFunder.With("code", code)
	case f.Kind != Government:
		return SubsidyList{}, ErrKind.With("code", code).With("kind", f.Kind)
	}
	from, to, err := ParseQuarter(quarter)
	if err != nil {
		return SubsidyList{}, err
	}
	list := SubsidyList{Funder: code, Quarter: quarter, From: from, To: to, Loans: []SubsidyRow{}}
	claims, err := s.cfg.Store.Lines(ctx, tenant, LineFilter{Party: code, Kind: Subsidy, From: from, To: to})
	if err != nil {
		return list, err
	}
	sums := map[string]money.Fen{}
	for _, l := range claims {
		if l.Account == SubsidyClaim {
			sums[l.LoanID] += l.Amount
		}
	}
	for _, id := range sorted(sums) {
		if sums[id] == 0 {
			continue
		}
		f, lines, err := s.Loan(ctx, tenant, id)
		if err != nil {
			return list, err
		}
		row := SubsidyRow{LoanID: id, Debtor: f.Terms.Debtor, Product: f.Product, Principal: f.Terms.Principal, Rate: f.Terms.Rate, Amount: sums[id]}
		if f.Terms.Subsidy != nil {
			row.Until = f.Terms.Subsidy.Until
		}
		for _, l := range lines {
			if l.Account == Interest && l.Date >= from && l.Date <= to {
				row.Interest += l.Amount
			}
		}
		list.Amount += row.Amount
		list.Loans = append(list.Loans, row)
	}
	return list, nil
}

// WriteCSV writes the list that goes with the claim.
func (list SubsidyList) WriteCSV(w io.Writer) error {
	rows := [][]string{{"loan_id", "debtor", "product", "principal", "rate", "until", "interest", "amount"}}
	for _, r := range list.Loans {
		rows = append(rows, []string{
			r.LoanID, r.Debtor, r.Product, r.Principal.String(), r.Rate.String(), r.Until.String(), r.Interest.String(), r.Amount.String(),
		})
	}
	rows = append(rows, []string{"total", "", "", "", "", "", "", list.Amount.String()})
	return csv.NewWriter(w).WriteAll(rows)
}
