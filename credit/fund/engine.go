package fund

import (
	"fmt"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// Accounts of the chart that shares are posted to. The item of a posting is the funder's
// code, so that a balance is what one funder is owed; the loan is the item of the entry.
const (
	Principal     = "funder_principal"   // what each has lent: a liability of the books of the lead
	Payable       = "funder_payable"     // to a lender that is not the bank; below zero it owes
	OwnFunds      = "own_funds"          // the bank's own part, against Principal
	Interest      = "funder_interest"    // given on, by lender
	Fee           = "funder_fee"         // likewise
	Penalty       = "funder_penalty"     // likewise
	Recovered     = "funder_recovery"    // likewise, of what was written off
	OwnIncome     = "own_income"         // the bank's own part of what Interest to Recovered give on
	Spread        = "funder_spread"      // kept by the lead, by lender
	Servicing     = "servicer_income"    // paid to the lead, by lender
	Placement     = "placement_income"   // of drawdowns, by lender
	LossBorne     = "loss_borne"         // by others than the bank, by funder
	PoolMoney     = "risk_pool"          // money of a pool
	Claim         = "guarantor_claim"    // due from a guarantor
	SubsidyClaim  = "subsidy_receivable" // due from a government
	SubsidyCredit = "subsidy_payable"    // to borrowers, when it is paid
	cash          = "cash"
)

// Reasons are the kinds of ledger entries that the package makes.
const (
	Draw     = "fund_draw"
	Repay    = "fund_repay"
	Absorbed = "fund_absorb" // pool and guarantor take over principal and pay for it
	Lost     = "fund_loss"
	Recovery = "fund_recovery"
	Subsidy  = "fund_subsidy"
	Settle   = "fund_settle"
)

// Movement is what one event of a loan moved, or by how much that has changed: parts are
// below zero when less was moved than was said before.
type Movement = loan.Movement

// Claimed is the kind of a movement in which guarantor and pool pay for what is overdue.
// It is no event of the loan: the borrower owes what he owed.
const Claimed servicing.Kind = "claim"

// reason of a movement: why its principal moves; "" of those in which nobody's does.
func reason(m Movement) string {
	switch m.Kind {
	case servicing.Disburse:
		return Draw
	case servicing.Repay, servicing.DownPaid, servicing.Payoff, servicing.AdjustCharge, servicing.Goodwill,
		servicing.MerchantRefund, servicing.PayoutRefund, servicing.Chargeback, servicing.PaidAtDraw:
		return Repay
	case servicing.WriteOff:
		return Lost
	case servicing.Recovery:
		return Recovery
	case Claimed:
		return Absorbed
	default: // charges, waivers and changes of the schedule move no money; a charge-off is a mark
		return ""
	}
}

// ShareLine is one posting of an entry that the package made. Debits are above zero.
type ShareLine struct {
	Key     string     `json:"key"` // of the entry
	Kind    string     `json:"kind"`
	LoanID  string     `json:"loan_id"`
	Event   string     `json:"event"`
	Date    money.Date `json:"date"`
	Account string     `json:"account"`
	Party   string     `json:"party"`
	Amount  money.Fen  `json:"amount"`
}

// EntryKey is the idempotency key of the n-th entry of a kind for an event of a loan.
func EntryKey(loanID, event, kind string, n int) string {
	return fmt.Sprintf("fund/%s/%s/%s/%d", loanID, event, kind, n)
}

// Lines reads an entry back; entries that are not of this package have none.
func Lines(e ledger.Entry) []ShareLine {
	event, ok := strings.CutPrefix(e.Key, "fund/"+e.Item+"/")
	if !ok || !strings.HasPrefix(e.Kind, "fund_") {
		return nil
	}
	event = cutLast(cutLast(event)) // without the kind and the number
	out := make([]ShareLine, len(e.Postings))
	for i, p := range e.Postings {
		out[i] = ShareLine{
			Key: e.Key, Kind: e.Kind, LoanID: e.Item, Event: event, Date: e.Date,
			Account: p.Account, Party: p.Item, Amount: p.Amount,
		}
	}
	return out
}

func cutLast(s string) string { return s[:max(0, strings.LastIndexByte(s, '/'))] }

// Share divides a movement of a loan between its funders. lines are all that were posted
// for the loan before; room is what its pool can still bear. The entries have no tenant.
func Share(t SharingTerms, lines []ShareLine, m Movement, room money.Fen) []ledger.Entry {
	if m.Kind == servicing.Chargeback { // it puts back on what a payment took off
		m.Principal, m.Interest, m.Fee, m.Penalty = -m.Principal, -m.Interest, -m.Fee, -m.Penalty
	}
	s := sheet{terms: t, lines: slices.Clip(lines), m: m, room: max(0, room)}
	why := reason(m)
	switch why {
	case "":
		return nil
	case Draw:
		s.draw(m.Principal)
	case Lost:
		s.lose(m.Principal)
	case Recovery:
		s.recover(m.Amount)
		return s.entries()
	case Absorbed:
		s.absorb(m.Principal)
		return s.entries()
	default:
		s.give(m.Principal)
	}
	if why != Lost { // interest that nobody pays is given to nobody
		s.interest(m.Interest)
		s.income(Fee, m.Fee, func(x LenderShares) int64 { return x.Fee })
		s.income(Penalty, m.Penalty, func(x LenderShares) int64 { return x.Penalty })
	}
	return s.entries()
}

// sheet is one movement in work. New lines count at once in its sums.
type sheet struct {
	terms SharingTerms
	lines []ShareLine
	made  int // of lines, those at the end
	m     Movement
	room  money.Fen
}

// post debits one account and credits another, or the reverse below zero.
func (s *sheet) post(kind, debit, debitor, credit, creditor string, amount money.Fen) {
	if amount == 0 {
		return
	}
	line := ShareLine{Kind: kind, LoanID: s.m.LoanID, Event: s.m.Event, Date: s.m.Date, Account: debit, Party: debitor, Amount: amount}
	s.lines = append(s.lines, line)
	line.Account, line.Party, line.Amount = credit, creditor, -amount
	s.lines = append(s.lines, line)
	s.made += 2
}

// entries gathers what was made, one entry a kind, one posting an account and party. They
// stand in the order in which they were made: what is lost was taken over before, and
// goes back the other way round, so that nobody ever holds less than nothing.
func (s *sheet) entries() []ledger.Entry {
	old, made := s.lines[:len(s.lines)-s.made], s.lines[len(s.lines)-s.made:]
	var kinds []string
	for _, l := range made {
		if !slices.Contains(kinds, l.Kind) {
			kinds = append(kinds, l.Kind)
		}
	}
	var out []ledger.Entry
	for _, kind := range kinds {
		e := ledger.Entry{Kind: kind, Item: s.m.LoanID, Date: s.m.Date, Memo: s.terms.Agreement}
		for _, l := range made {
			if l.Kind != kind {
				continue
			}
			i := slices.IndexFunc(e.Postings, func(p ledger.Posting) bool { return p.Account == l.Account && p.Item == l.Party })
			if i < 0 {
				e.Postings = append(e.Postings, ledger.Posting{Account: l.Account, Item: l.Party})
				i = len(e.Postings) - 1
			}
			e.Postings[i].Amount += l.Amount
		}
		e.Postings = slices.DeleteFunc(e.Postings, func(p ledger.Posting) bool { return p.Amount == 0 })
		if len(e.Postings) == 0 {
			continue
		}
		keys := map[string]bool{}
		for _, l := range old {
			if l.Kind == kind && l.Event == s.m.Event {
				keys[l.Key] = true
			}
		}
		e.Key = EntryKey(s.m.LoanID, s.m.Event, kind, len(keys)+1)
		out = append(out, e)
	}
	return out
}

// sum of an account of a party; kind "" and event "" are all.
func (s *sheet) sum(account, party, kind, event string) (sum money.Fen) {
	for i := range s.lines {
		l := &s.lines[i]
		if l.Account == account && l.Party == party && (kind == "" || l.Kind == kind) && (event == "" || l.Event == event) {
			sum += l.Amount
		}
	}
	return sum
}

func (s *sheet) held(code string) money.Fen { return -s.sum(Principal, code, "", "") }

// codes of the lenders, or of those who bear losses before them, in order.
func (s *sheet) lenders() []string {
	out := make([]string, len(s.terms.Parties))
	for i, p := range s.terms.Parties {
		out[i] = p.Code
	}
	return out
}

func (s *sheet) bearers() []string {
	var out []string
	for _, b := range s.terms.bearers() {
		out = append(out, b.Code)
	}
	return out
}

func (s *sheet) each(codes []string, of func(string) money.Fen) ([]money.Fen, money.Fen) {
	out := make([]money.Fen, len(codes))
	var sum money.Fen
	for i, c := range codes {
		out[i] = of(c)
		sum += out[i]
	}
	return out, sum
}

func (s *sheet) lead() string { return s.terms.Parties[0].Code }

// against is the account that settles with a party.
func (s *sheet) against(code string) (account, item string) {
	switch {
	case code == s.lead():
		return OwnFunds, code
	case s.terms.Pool != nil && code == s.terms.Pool.Code:
		return PoolMoney, s.terms.Pool.Bucket
	case s.terms.Guarantor != nil && code == s.terms.Guarantor.Code:
		return Claim, code
	}
	return Payable, code
}

// hold raises what a party has lent, or lowers it below zero. A loss is nobody's debt.
func (s *sheet) hold(kind, code string, amount money.Fen) {
	account, item := s.against(code)
	if kind == Lost && code != s.lead() {
		account, item = LossBorne, code
	}
	s.post(kind, account, item, Principal, code, amount)
}

// weigh turns amounts into weights.
func weigh(amounts []money.Fen) []int64 {
	out := make([]int64, len(amounts))
	for i, a := range amounts {
		out[i] = int64(max(a, 0))
	}
	return out
}

func byPrincipal(x LenderShares) int64 { return x.Principal }

// draw gives each lender its share of all that was drawn.
func (s *sheet) draw(p money.Fen) {
	drawn, sum := s.each(s.lenders(), func(c string) money.Fen { return -s.sum(Principal, c, Draw, "") })
	for i, target := range Allocate(s.terms.weights(byPrincipal), sum+p) {
		party := s.terms.Parties[i]
		s.hold(Draw, party.Code, target-drawn[i])
		if i > 0 && party.DrawFeeBP > 0 {
			fee := Allocate([]int64{party.DrawFeeBP, whole - party.DrawFeeBP}, target)[0]
			s.post(Draw, Payable, party.Code, Placement, party.Code, fee+s.sum(Placement, party.Code, "", ""))
		}
	}
}

// give takes principal that was repaid off the lenders by their shares of all that was
// repaid. Where pool or guarantor have paid, lenders come first, then they in reverse
// order. What nobody holds any more was written off: it is a recovery.
func (s *sheet) give(p money.Fen) {
	if p < 0 {
		p += s.unrecover(-p) // the part of the payment beyond what anybody held
	}
	switch _, absorbed := s.each(s.bearers(), func(c string) money.Fen { return -s.sum(Principal, c, Absorbed, "") }); {
	case p == 0:
	case absorbed != 0 && p < 0:
		s.ungive(-p)
	case absorbed != 0:
		s.layers(p)
	default:
		gone, sum := s.each(s.lenders(), func(c string) money.Fen { return s.sum(Principal, c, Repay, "") })
		held, all := s.each(s.lenders(), s.held)
		x := min(p, all)
		part := Allocate(s.terms.weights(byPrincipal), sum+x)
		fits := true
		for i := range part {
			part[i] -= gone[i]
			fits = fits && part[i] <= held[i]
		}
		if !fits { // part of the loan was written off
			part = Allocate(weigh(held), x)
		}
		for i, c := range s.lenders() {
			s.hold(Repay, c, -part[i])
		}
		s.recover(p - x)
	}
}

// layers gives what was repaid back in reverse order of loss.
func (s *sheet) layers(p money.Fen) {
	held, _ := s.each(s.bearers(), s.held)
	lent, all := s.each(s.lenders(), s.held)
	back, over := Recover(append(held, all), p)
	for i, part := range Allocate(weigh(lent), back[len(held)]) {
		s.hold(Repay, s.lenders()[i], -part)
	}
	for i, c := range s.bearers() {
		s.hold(Repay, c, -back[i])
	}
	s.recover(over)
}

// ungive takes back a repayment that counts for less now: first from those who were paid
// last. A pool takes back no more than it has room for.
func (s *sheet) ungive(u money.Fen) {
	was := func(c string) money.Fen { return s.sum(Principal, c, Repay, s.m.Event) }
	for i, c := range s.bearers() {
		x := max(0, min(was(c), u))
		if s.terms.Pool != nil && i == 0 {
			x = min(x, s.room)
			s.room -= x
		}
		s.hold(Repay, c, x)
		u -= x
	}
	had, all := s.each(s.lenders(), was)
	weights := weigh(had)
	if all <= 0 {
		weights = s.terms.weights(byPrincipal)
	}
	for i, part := range Allocate(weights, u) {
		s.hold(Repay, s.lenders()[i], part)
	}
}

// absorb has pool and guarantor take over their part of principal that is lost, or
// overdue for too long, and pay the lenders for it. Once they have, they do not again.
func (s *sheet) absorb(loss money.Fen) {
	if _, taken := s.each(s.bearers(), s.held); taken != 0 || loss <= 0 || len(s.bearers()) == 0 {
		return
	}
	lent, all := s.each(s.lenders(), s.held)
	loss = min(loss, all)
	var layers []Layer
	for _, b := range s.terms.bearers() {
		l := Layer{Party: b.Code, ShareBP: b.ShareBP, Left: NoCap}
		if s.terms.Pool != nil && b.Code == s.terms.Pool.Code {
			l.Left = s.room
		}
		layers = append(layers, l)
	}
	parts := Absorb(layers, loss)
	for i, x := range Allocate(weigh(lent), loss-parts[len(layers)]) {
		s.hold(Absorbed, s.lenders()[i], -x)
	}
	for i, l := range layers {
		s.hold(Absorbed, l.Party, parts[i])
	}
}

// lose writes principal off: pool and guarantor bear their part unless they have paid
// already, then everybody loses of what they hold.
func (s *sheet) lose(p money.Fen) {
	if p < 0 {
		s.unlose(-p)
		return
	}
	_, before := s.each(s.bearers(), s.held)
	s.absorb(p)
	codes := append(s.bearers(), s.lenders()...)
	held, all := s.each(codes, s.held)
	p = min(p, all)
	if taken, sum := s.each(s.bearers(), s.held); before == 0 && sum > 0 { // what was taken over now is lost now
		for i, c := range s.bearers() {
			s.hold(Lost, c, -min(taken[i], p))
		}
		codes, p = s.lenders(), max(0, p-sum)
		held, _ = s.each(codes, s.held)
	}
	for i, part := range Allocate(weigh(held), p) {
		s.hold(Lost, codes[i], -part)
	}
}

// unlose takes a loss back: the lenders, who bore last, come first.
func (s *sheet) unlose(u money.Fen) {
	lost := func(c string) money.Fen { return s.sum(Principal, c, Lost, s.m.Event) }
	had, all := s.each(s.lenders(), lost)
	x := max(0, min(u, all))
	for i, part := range Allocate(weigh(had), x) {
		s.hold(Lost, s.lenders()[i], part)
	}
	u -= x
	for _, c := range slices.Backward(s.bearers()) {
		x := max(0, min(u, lost(c)))
		s.hold(Lost, c, x)
		u -= x
		// What was taken over by this event goes back to the lenders with it.
		taken := min(x, -s.sum(Principal, c, Absorbed, s.m.Event))
		gave, _ := s.each(s.lenders(), func(l string) money.Fen { return s.sum(Principal, l, Absorbed, s.m.Event) })
		s.hold(Absorbed, c, -taken)
		for i, part := range Allocate(weigh(gave), taken) {
			s.hold(Absorbed, s.lenders()[i], part)
		}
	}
}

// net is what a party has lost and not got back.
func (s *sheet) net(c string) money.Fen {
	_, item := s.against(c)
	return s.sum(Principal, c, Lost, "") - s.sum(Recovered, item, Recovery, "")
}

// recover gives money that came for what was written off to those who lost, in reverse
// order; more than was lost is the lenders'.
func (s *sheet) recover(r money.Fen) {
	if r < 0 {
		s.unrecover(-r)
		return
	}
	borne, _ := s.each(s.bearers(), s.net)
	lost, all := s.each(s.lenders(), s.net)
	back, over := Recover(append(borne, all), r)
	for i, part := range Allocate(weigh(lost), back[len(borne)]) {
		s.receive(s.lenders()[i], part)
	}
	for i, c := range s.bearers() {
		s.receive(c, back[i])
	}
	for i, part := range Allocate(s.terms.weights(byPrincipal), over) {
		s.receive(s.lenders()[i], part)
	}
}

// receive passes recovered money on.
func (s *sheet) receive(code string, amount money.Fen) {
	account, item := s.against(code)
	if code == s.lead() {
		account = OwnIncome
	}
	s.post(Recovery, Recovered, item, account, item, amount)
}

// unrecover takes a recovery of this event back and says how much of u that was. A pool
// that has spent the money meanwhile pays what it has room for; lenders give the rest.
func (s *sheet) unrecover(u money.Fen) (done money.Fen) {
	was := func(c string) money.Fen {
		_, item := s.against(c)
		return s.sum(Recovered, item, Recovery, s.m.Event)
	}
	var short money.Fen
	for i, c := range s.bearers() {
		x := max(0, min(was(c), u-done))
		done += x
		if s.terms.Pool != nil && i == 0 {
			short = max(0, x-s.room)
			x -= short
			s.room -= x
		}
		s.receive(c, -x)
	}
	had, all := s.each(s.lenders(), was)
	x := max(0, min(u-done, all))
	done += x
	for i, part := range Allocate(weigh(had), x) {
		s.receive(s.lenders()[i], -part)
	}
	for i, part := range Allocate(s.terms.weights(byPrincipal), short) {
		s.receive(s.lenders()[i], -part)
	}
	return done
}

// income divides fees or penalties by the shares of all that was paid.
func (s *sheet) income(account string, amount money.Fen, of func(LenderShares) int64) {
	if amount == 0 {
		return
	}
	had, sum := s.each(s.lenders(), func(c string) money.Fen { return s.sum(account, c, "", "") })
	for i, target := range Allocate(s.terms.weights(of), sum+amount) {
		s.pass(reason(s.m), account, s.lenders()[i], target-had[i])
	}
}

// pass gives a part of income to a lender.
func (s *sheet) pass(kind, account, code string, amount money.Fen) {
	to := Payable
	if code == s.lead() {
		to = OwnIncome
	}
	s.post(kind, account, code, to, code, amount)
}

// slot is one use of interest.
type slot struct {
	use    string // Interest, Servicing or Spread
	code   string
	weight int64
}

// slots of the interest that is paid: what each lender gets net, what it pays for
// servicing, and what the lead keeps of its part.
func (t SharingTerms) slots() []slot {
	out := []slot{{Interest, t.Parties[0].Code, int64(t.Rate) * whole * t.Parties[0].Shares.Interest}}
	for _, p := range t.Parties[1:] {
		gross := int64(t.Rate) * whole
		if p.Rate > 0 && p.Rate < t.Rate {
			gross = int64(p.Rate)*whole + int64(t.Rate-p.Rate)*p.SpreadBP
		}
		fee := min(int64(p.Servicer)*whole, gross)
		out = append(out,
			slot{Interest, p.Code, (gross - fee) * p.Shares.Interest},
			slot{Servicing, p.Code, fee * p.Shares.Interest},
			slot{Spread, p.Code, (int64(t.Rate)*whole - gross) * p.Shares.Interest})
	}
	if t.Rate <= 0 { // interest of a loan without a rate: by shares alone
		for i, p := range t.Parties {
			out[max(0, 3*i-2)].weight = p.Shares.Interest
		}
	}
	return out
}

// interest divides what was paid of it, and claims the subsidy on it.
func (s *sheet) interest(amount money.Fen) {
	if amount != 0 {
		s.settleInterest(reason(s.m), amount)
		s.subsidise()
	}
}

// settleInterest brings every use of interest to its share of all that was paid.
func (s *sheet) settleInterest(kind string, amount money.Fen) {
	slots := s.terms.slots()
	had := make([]money.Fen, len(slots))
	weights := make([]int64, len(slots))
	var sum money.Fen
	for i, x := range slots {
		weights[i] = x.weight
		switch x.use {
		case Interest:
			had[i] = s.sum(Interest, x.code, "", "") + s.sum(Servicing, x.code, "", "")
		default:
			had[i] = -s.sum(x.use, x.code, "", "")
		}
		if x.use == Spread {
			had[0] -= had[i] // it is part of what the lead was given
		}
	}
	for _, h := range had {
		sum += h
	}
	for i, target := range Allocate(weights, sum+amount) {
		x, part := slots[i], target-had[i]
		switch x.use {
		case Interest:
			s.pass(kind, Interest, x.code, part)
		case Servicing: // the lender is given it, and pays it
			s.pass(kind, Interest, x.code, part)
			s.post(kind, Payable, x.code, Servicing, x.code, part)
		case Spread:
			s.post(kind, Interest, s.lead(), Spread, x.code, part)
		}
	}
}

// subsidise brings the claim to its share of all interest up to the last day.
func (s *sheet) subsidise() {
	g := s.terms.Subsidy
	if g == nil || s.terms.Principal <= 0 {
		return
	}
	var paid money.Fen
	for _, l := range s.lines {
		if l.Account == Interest && l.Date <= g.Until {
			paid += l.Amount
		}
	}
	num, den := g.ShareBP, whole
	if s.terms.Principal > g.MaxFen {
		num, den = g.ShareBP*int64(g.MaxFen), whole*int64(s.terms.Principal)
	}
	target, err := money.Mul(paid, num, den)
	if err != nil {
		return // cannot be: the quotient is at most 1
	}
	s.post(Subsidy, SubsidyClaim, g.Code, SubsidyCredit, g.Code, target-s.sum(SubsidyClaim, g.Code, Subsidy, ""))
}
