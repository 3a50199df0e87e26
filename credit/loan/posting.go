package loan

import (
	"fmt"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// Accounts of the chart that loans post to. Accounts of the balance sheet are kept by
// loan, income, expense and the interest that grows by the day by product: what a loan owes
// of it follows from its replay, see [Service.Prove].
const (
	Cash               = "cash"
	PrincipalAccount   = "loan_principal"
	InterestReceivable = "interest_receivable"
	FeeReceivable      = "fee_receivable"
	PenaltyReceivable  = "penalty_receivable"
	BorrowerCredit     = "borrower_credit"
	LossAllowance      = "loan_loss_allowance"
	InterestIncome     = "interest_income"
	FeeIncome          = "fee_income"
	PenaltyIncome      = "penalty_income"
	RecoveryIncome     = "recovery_income"
	Concession         = "concession"
	ImpairmentLoss     = "impairment_loss"
	GuarantorPayable   = "guarantor_payable"
	InsurerPayable     = "insurer_payable"
	AgencyPayable      = "agency_payable"
)

// posted lists the accounts in the order of Posted. New ones go to the end, because the
// store keeps the amounts by place.
var posted = [...]string{
	Cash, PrincipalAccount, InterestReceivable, FeeReceivable, PenaltyReceivable, BorrowerCredit, LossAllowance,
	InterestIncome, FeeIncome, PenaltyIncome, RecoveryIncome, Concession, ImpairmentLoss,
	GuarantorPayable, InsurerPayable, AgencyPayable,
}

// Places in Posted.
const (
	atCash = iota
	atPrincipal
	atInterest
	atFee
	atPenalty
	atCredit
	atAllowance
	atInterestIncome
	atFeeIncome
	atPenaltyIncome
	atRecovery
	atConcession
	atImpairment
	atGuarantor
	atInsurer
	atAgency
)

// payable is the place of what is charged for a payee, and owed to it as soon as it is paid.
func payable(payee string) (int, error) {
	switch cost.Payee(payee) {
	case cost.Guarantor:
		return atGuarantor, nil
	case cost.Insurer:
		return atInsurer, nil
	case cost.Agency:
		return atAgency, nil
	default:
		return 0, fmt.Errorf("there is no account for fees of %q", payee)
	}
}

// byProduct says whether an account is kept by product, not by loan.
func byProduct(at int) bool { return at == atInterest || at >= atInterestIncome && at <= atImpairment }

// Posted is what the ledger holds of a loan, by account: debits positive. It sums to zero.
type Posted [len(posted)]money.Fen

// PostedFrom reads balances of a loan by account, for a loan whose posted sums were not
// kept. Where they do not sum to zero, the rest is income that was posted by product.
func PostedFrom(balances map[string]money.Fen) (p Posted) {
	var sum money.Fen
	for i, account := range posted {
		p[i] = balances[account]
		sum += p[i]
	}
	p[atInterestIncome] -= sum
	return p
}

// with adds the interest that was accrued.
func (p Posted) with(earned money.Fen) Posted {
	p[atInterest] += earned
	p[atInterestIncome] -= earned
	return p
}

// postings are the difference from p to q. Item is the loan, and for interest, income and
// expense its product.
func (p Posted) postings(q Posted, l *Loan) []ledger.Posting {
	var out []ledger.Posting
	for i, account := range posted {
		if d := q[i] - p[i]; d != 0 {
			item := l.ID
			if byProduct(i) {
				item = l.Product
			}
			out = append(out, ledger.Posting{Account: account, Item: item, Amount: d})
		}
	}
	return out
}

// cash is what an event moved at the bank, as the lender sees it.
func cash(t *servicing.Transaction) money.Fen {
	switch t.Kind {
	case servicing.Disburse, servicing.CreditRefund, servicing.Chargeback:
		return -t.Amount
	case servicing.Repay, servicing.DownPaid, servicing.Payoff, servicing.MerchantRefund, servicing.PayoutRefund, servicing.Recovery, servicing.PaidAtDraw:
		return t.Amount
	default:
		return 0
	}
}

// passOn makes fees of others theirs: they are no income of the bank, and letting them off
// or losing them costs it nothing. What a loan that is given up owes of them is dropped.
func (p *Posted) passOn(st *servicing.State) error {
	for _, x := range st.PassedOn {
		at, err := payable(x.Payee)
		if err != nil {
			return err
		}
		stands := x.Charged - x.Waived
		open := stands - x.Paid
		switch {
		case st.Status == servicing.WrittenOff:
			p[atImpairment] -= open
			stands = x.Paid
		case st.ChargedOff != 0:
			p[atFee] -= open
			stands = x.Paid
		}
		p[atFeeIncome] += x.Charged
		p[atConcession] -= x.Waived
		p[at] -= stands
	}
	return nil
}

// target is what the ledger should hold of a loan in a state, and the interest earned in
// all. Each kind of money that came to be is followed to where it is now: what was lent,
// earned and charged is out, was paid, let off or lost.
func target(st *servicing.State, expected money.Fen) (Posted, money.Fen, error) {
	var p Posted
	var paid, waived, lost servicing.Parts
	var charged servicing.Parts
	for i := range st.Rows {
		r := &st.Rows[i]
		paid, waived, lost = paid.Plus(r.Paid), waived.Plus(r.Waived), lost.Plus(r.Written)
		charged.Fee += r.Due.Fee
		charged.Penalty += r.Due.Penalty
	}
	var given, recovered money.Fen // goodwill is paid by nobody; a recovery pays no row
	for i := range st.Transactions {
		t := &st.Transactions[i]
		if t.Reversed {
			continue
		}
		p[atCash] += cash(t)
		switch t.Kind {
		case servicing.Goodwill, servicing.AdjustCharge:
			given += t.Amount
		case servicing.PaidAtDraw:
			charged.Fee += t.Amount
		case servicing.Recovery:
			recovered += t.Amount
		default: // the rows tell
		}
	}
	p[atPrincipal], p[atInterest] = st.Outstanding.Principal, st.Accrued
	p[atFee], p[atPenalty] = st.Outstanding.Fee, st.Outstanding.Penalty
	p[atCredit] = -st.Overpaid
	earned := st.Accrued + paid.Interest + waived.Interest + lost.Interest
	p[atInterestIncome], p[atFeeIncome], p[atPenaltyIncome] = -earned, -charged.Fee, -charged.Penalty
	p[atConcession] = waived.Total() + given
	p[atRecovery] = -recovered
	p[atImpairment] = lost.Total()
	if err := p.passOn(st); err != nil {
		return p, 0, err
	}
	if st.ChargedOff != 0 { // it is still owed, but no asset of the bank any more
		p[atImpairment] += p[atPrincipal] + p[atInterest] + p[atFee] + p[atPenalty]
		p[atPrincipal], p[atInterest], p[atFee], p[atPenalty] = 0, 0, 0, 0
	}
	p[atAllowance] -= expected
	p[atImpairment] += expected
	var sum money.Fen
	for _, x := range p {
		sum += x
	}
	if sum != 0 {
		return p, 0, fmt.Errorf("the books of the loan differ by %s: %v", sum, p)
	}
	return p, earned, nil
}
