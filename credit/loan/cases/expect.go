package cases

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// headline are the rows that the headline count holds.
var headline = map[string]bool{"schedule": true, "periods": true, "totals": true, "transactions": true}

// judge counts one expected row; why is "" when it is met.
func (r *run) judge(of string, row int, why string) {
	c := r.result.Of[of]
	if c == nil {
		c = &Count{}
		r.result.Of[of] = c
	}
	c.Expected++
	if headline[of] {
		r.result.Expected++
	}
	if why != "" {
		r.result.Differences = append(r.result.Differences, Difference{Event: r.at, Of: of, Row: row, Why: why})
		return
	}
	c.Matched++
	if headline[of] {
		r.result.Matched++
	}
}

// expect compares one expect_ event.
func (r *run) expect(e *Event) {
	of := strings.TrimPrefix(e.Type, "expect_")
	n := 1
	if e.Rows != nil {
		n = len(e.Rows)
	}
	why := r.broken
	if why == "" && r.model == nil && (r.state == nil || r.state.Disbursed == 0) {
		was := r.state
		defer func() { r.state = was }()
		why = r.undrawn(of)
	}
	if why != "" {
		for i := 0; i < n; i++ {
			r.judge(of, i, why)
		}
		return
	}
	switch of {
	case "schedule":
		got := r.rows()
		if len(e.Rows) > 0 && fmt.Sprint(e.Rows[0]["nr"]) == "1" && fmt.Sprint(got[0]["nr"]) == "0" {
			got = got[1:] // a list without its drawdown
		}
		r.compareRows(of, e.Rows, got)
	case "periods":
		r.comparePeriods(e.Rows)
	case "transactions":
		r.transactions(e.Rows)
	case "totals":
		r.judge(of, 0, differ(e.Totals, r.totals()))
	case "status":
		r.judge(of, 0, r.status(e.Status))
	case "amount":
		r.judge(of, 0, r.amount(e))
	default:
		for i := 0; i < n; i++ {
			r.judge(of, i, "this kind of expectation is not known")
		}
	}
}

// undrawn is the state of a loan that was not drawn: its rows and totals are those that it
// would have if it were, on the day it should be.
func (r *run) undrawn(of string) string {
	if of == "status" || of == "transactions" {
		s, err := servicing.Replay(r.t, r.events, r.horizon())
		r.state = s
		return reason(err)
	}
	on := r.p.Submitted.Date
	if on == 0 {
		on = r.p.DisbursedOn.Date
	}
	s, err := servicing.Preview(r.t, r.events, servicing.Event{ID: "preview", Kind: servicing.Disburse, Date: on, Amount: r.p.Principal.Fen}, max(on, r.horizon()))
	if err != nil {
		return err.Error()
	}
	r.state = s
	return ""
}

// cells is a row as the file writes it: amounts in cents, days as text, whole numbers.
type cells map[string]any

// rows are the schedule as the file lists it: a row nr 0 for each drawdown, then what
// falls due.
func (r *run) rows() []cells {
	var out []cells
	draws := []servicing.Transaction{}
	fees := map[string]money.Fen{}
	for _, tx := range r.state.Transactions {
		switch {
		case tx.Reversed:
		case tx.Kind == servicing.Disburse, tx.Kind == servicing.Capitalise:
			draws = append(draws, tx)
		case tx.Kind == servicing.PaidAtDraw:
			fees[tx.Date.String()] += tx.Fee
		}
	}
	left := money.Fen(0)
	next := 0
	for i := range r.state.Rows {
		row := &r.state.Rows[i]
		for next < len(draws) && (draws[next].Date < row.DueOn || draws[next].Date == row.DueOn && (r.t.Upfront || row.Kind == servicing.DownRow)) {
			d := draws[next]
			left += d.Amount
			fee := fees[d.Date.String()]
			delete(fees, d.Date.String())
			out = append(out, cells{"nr": 0, "due_date": d.Date.String(), "balance": d.Amount, "fees": fee, "due": fee, "paid": fee, "outstanding": money.Fen(0)})
			next++
		}
		left -= row.Due.Principal - row.Credited
		c := cells{
			"nr": row.Nr, "days": row.Days(), "due_date": row.DueOn.String(), "balance": max(left, 0),
			"principal": row.Due.Principal, "interest": row.Due.Interest, "fees": row.Due.Fee, "penalties": row.Due.Penalty,
			"due": row.Due.Total(), "paid": row.Paid.Total(), "in_advance": row.InAdvance.Total(), "late": row.Late.Total(),
			"outstanding": row.Open().Total(),
		}
		if row.PaidOn != 0 {
			c["paid_date"] = row.PaidOn.String()
		}
		out = append(out, c)
	}
	return out
}

// compareRows compares rows in their order.
func (r *run) compareRows(of string, want []map[string]any, got []cells) {
	used := make([]bool, len(got))
	for i, w := range want {
		k := r.find(w, got, used, i)
		if k < 0 {
			r.judge(of, i, "there is no such row")
			continue
		}
		why := differ(w, got[k])
		used[k] = used[k] || why == ""
		if why == "" && i == len(want)-1 && len(got) > len(want) {
			why = fmt.Sprintf("%d more rows follow", len(got)-len(want))
		}
		r.judge(of, i, why)
	}
}

// find is the place of the row that is meant: the i-th, or another of the same due date
// that has all the cells, for rows of one day may stand in any order.
func (r *run) find(w map[string]any, got []cells, used []bool, i int) int {
	if i < len(got) && !used[i] && differ(w, got[i]) == "" {
		return i
	}
	for k := range got {
		if !used[k] && same(w["due_date"], got[k]["due_date"]) && differ(w, got[k]) == "" {
			return k
		}
	}
	if i < len(got) {
		return i
	}
	return -1
}

// differ names the cells of want that got does not have. A blank cell says nothing,
// except that a date of payment is blank where nothing is settled.
func differ(want map[string]any, got cells) string {
	var out []string
	for _, k := range order {
		w, ok := want[k]
		if !ok {
			continue
		}
		g, has := got[k]
		if w == nil {
			if k == "paid_date" && has {
				out = append(out, fmt.Sprintf("%s: %v, expected blank", k, g))
			}
			continue
		}
		if !same(w, g) {
			out = append(out, fmt.Sprintf("%s: %s, expected %v", k, text(g), w))
		}
	}
	for k := range want {
		if !known[k] {
			out = append(out, k+": unknown column")
		}
	}
	return strings.Join(out, "; ")
}

var order = []string{
	"nr", "days", "due_date", "paid_date", "transaction_date", "transaction_type", "amount", "balance", "principal", "principal_due",
	"interest", "fees", "penalties", "due", "paid", "in_advance", "late", "waived", "outstanding", "loan_balance", "overpayment", "reverted",
	"period", "sub_period", "emi", "interest_sub", "rate_factor",
}

var known = func() map[string]bool {
	m := map[string]bool{}
	for _, k := range order {
		m[k] = true
	}
	return m
}()

func text(g any) string {
	if f, ok := g.(money.Fen); ok {
		return f.String()
	}
	if g == nil {
		return "blank"
	}
	return fmt.Sprint(g)
}

func same(w, g any) bool {
	switch g := g.(type) {
	case money.Fen:
		var a Amount
		b, err := json.Marshal(w)
		return err == nil && a.UnmarshalJSON(b) == nil && !a.Blank && a.Fen == g
	case factor:
		n, ok := w.(json.Number)
		return ok && g.is(n.String())
	case int:
		n, ok := w.(json.Number)
		return ok && n.String() == fmt.Sprint(g)
	case bool:
		return fmt.Sprint(w) == fmt.Sprint(g)
	case string:
		return fmt.Sprint(w) == g
	}
	return false
}

func (r *run) totals() cells {
	var due, waived servicing.Parts
	var paid, ahead, late money.Fen
	fee := money.Fen(0)
	for i := range r.state.Rows {
		row := &r.state.Rows[i]
		due = due.Plus(row.Due)
		paid += row.Paid.Total()
		ahead += row.InAdvance.Total()
		late += row.Late.Total()
		waived = waived.Plus(row.Waived)
	}
	for _, tx := range r.state.Transactions {
		if tx.Kind == servicing.PaidAtDraw && !tx.Reversed {
			fee += tx.Fee
		}
	}
	return cells{
		"principal_due": due.Principal, "interest": due.Interest, "fees": due.Fee + fee, "penalties": due.Penalty,
		"due": due.Total() + fee, "paid": paid + fee, "in_advance": ahead, "late": late, "waived": waived.Total(),
		"outstanding": r.state.Outstanding.Total(),
	}
}

var kindNames = map[servicing.Kind]string{
	servicing.Disburse: "Disbursement", servicing.Repay: "Repayment", servicing.DownPaid: "Down Payment",
	servicing.Goodwill: "Goodwill Credit", servicing.MerchantRefund: "Merchant Issued Refund", servicing.PayoutRefund: "Payout Refund",
	servicing.CreditRefund: "Credit Balance Refund", servicing.Chargeback: "Chargeback", servicing.ChargeOff: "Charge-off",
	servicing.AdjustCharge: "Charge Adjustment", servicing.Accrue: "Accrual", servicing.ReAge: "Re-age", servicing.ReAmortise: "Re-amortize",
	servicing.Waive: "Waive loan charges", servicing.PaidAtDraw: "Repayment (at time of disbursement)", servicing.WriteOff: "Close (as written-off)",
	servicing.Recovery: "Recovery Repayment", servicing.WaiveInterest: "Waive interest",
	servicing.InterestWaiver: "Interest Payment Waiver", servicing.InterestRefund: "Interest Refund",
	servicing.Capitalise: "Capitalized Income", servicing.Terminate: "Contract Termination",
}

// transactions compares what is expected with what there is, in any order, and each only
// once.
func (r *run) transactions(want []map[string]any) {
	got := []cells{}
	for _, tx := range r.state.Transactions {
		if tx.Reversed {
			f, ok := r.frozen[tx.Event]
			if !ok || f.Kind == servicing.Disburse || f.Kind == servicing.Accrue {
				continue
			}
			tx = f
		}
		c := cells{
			"transaction_date": tx.Date.String(), "transaction_type": kindNames[tx.Kind], "amount": tx.Amount,
			"principal": tx.Principal, "interest": tx.Interest, "fees": tx.Fee, "penalties": tx.Penalty,
			"loan_balance": max(tx.Balance, 0), "overpayment": tx.Excess, "reverted": tx.Reversed,
		}
		switch tx.Kind {
		case servicing.Disburse: // what overpaid money paid of it is not shown
			c["principal"], c["interest"], c["fees"], c["penalties"], c["overpayment"] = money.Fen(0), money.Fen(0), money.Fen(0), money.Fen(0), money.Fen(0)
		case servicing.Accrue, servicing.ReAge, servicing.ReAmortise, servicing.ChargeOff, servicing.Terminate:
			c["loan_balance"] = money.Fen(0)
		default:
		}
		got = append(got, c)
	}
	got = append(got, r.activity()...)
	used := make([]bool, len(got))
	for i, w := range want {
		best, near := "there is no such transaction", -1
		for k := range got {
			if used[k] {
				continue
			}
			why := differ(w, got[k])
			if why == "" {
				best, near = "", k
				break
			}
			if near < 0 && same(w["transaction_date"], got[k]["transaction_date"]) && same(w["transaction_type"], got[k]["transaction_type"]) {
				best = why
			}
		}
		if near >= 0 {
			used[near] = true
		}
		r.judge("transactions", i, best)
	}
	for k := range got {
		if !used[k] && len(got) > len(want) {
			r.result.Extra = append(r.result.Extra, Difference{Event: r.at, Of: "transactions", Row: k,
				Why: fmt.Sprintf("%v of %s on %v is not named", got[k]["transaction_type"], text(got[k]["amount"]), got[k]["transaction_date"])})
		}
	}
}

// activity is the income of each due date that a day end has closed, where the product
// lists it.
func (r *run) activity() (out []cells) {
	if !r.p.Terms.Activity {
		return nil
	}
	for _, row := range r.state.Rows {
		d := row.Due
		if x := d.Interest + d.Fee + d.Penalty; x > 0 && row.DueOn <= r.closed {
			out = append(out, cells{
				"transaction_date": row.DueOn.String(), "transaction_type": "Accrual Activity", "amount": x, "principal": money.Fen(0),
				"interest": d.Interest, "fees": d.Fee, "penalties": d.Penalty, "loan_balance": money.Fen(0), "overpayment": money.Fen(0), "reverted": false,
			})
		}
	}
	return out
}

func (r *run) status(want string) string {
	names := map[servicing.Status]string{
		servicing.Approved: "approved", servicing.Active: "active", servicing.Closed: "closed obligations met",
		servicing.Overpaid: "overpaid", servicing.WrittenOff: "closed written off",
	}
	w := strings.ToLower(strings.NewReplacer("_", " ", "(", "", ")", "", "-", " ").Replace(want))
	g := names[r.state.Status]
	if r.status0 != "" {
		g = r.status0
	}
	if g != w {
		return fmt.Sprintf("status: %s, expected %s", g, want)
	}
	return ""
}

func (r *run) amount(e *Event) string {
	var g money.Fen
	switch e.What {
	case "outstanding":
		g = r.state.Outstanding.Total()
	case "overpaid":
		g = r.state.Overpaid
	default:
		return "unknown amount " + e.What
	}
	if g != e.Amount.Fen {
		return fmt.Sprintf("%s: %s, expected %s", e.What, g, e.Amount.Fen)
	}
	return ""
}
