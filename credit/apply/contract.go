package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/money"
)

// agreed are the states in which a signed contract stands.
var agreed = []State{Accepted, Signed, Active, Closed, Withdrawn, Expired}

// Contract gives the signed contract, or for an offer the one to sign, in lang, by the
// product's usual way of repayment. Its text is the same whenever it is asked for, so that
// its hash stands. ErrNoContract.
func (s *Service) Contract(ctx context.Context, actor access.Actor, id, lang string) (Contract, error) {
	return s.ContractBy(ctx, actor, id, lang, "")
}

// ContractBy is Contract for one of the product's ways of repayment; ErrWay.
func (s *Service) ContractBy(ctx context.Context, actor access.Actor, id, lang string, way schedule.Method) (Contract, error) {
	a, err := s.readable(ctx, actor, id)
	if err != nil {
		return Contract{}, err
	}
	signed, err := s.signed(ctx, a)
	if err == nil || !errors.Is(err, ErrNotFound) {
		return signed, err
	}
	o, err := s.offer(ctx, a)
	if err != nil {
		return Contract{}, err
	}
	if way == "" {
		way = o.product.Method
	}
	c, err := o.write(lang, way)
	if err == nil {
		// Printed while it is read, so that signing need not wait; what hinders it is told then.
		_, _ = s.print(c, o.decision.MadeAt)
	}
	return c, err
}

// signed is the contract that stands; ErrNotFound.
func (s *Service) signed(ctx context.Context, a Application) (Contract, error) {
	if !slices.Contains(agreed, a.State) {
		return Contract{}, ErrNotFound // one from before a new decision does not count
	}
	return s.cfg.Store.Contract(ctx, a.Tenant, a.ID)
}

// Document gives the PDF of the contract: the bytes that were signed, or for an offer those
// to sign. ErrNoContract, contract.ErrNoFont.
func (s *Service) Document(ctx context.Context, actor access.Actor, id, lang string, way schedule.Method) (body []byte, c Contract, err error) {
	if c, err = s.ContractBy(ctx, actor, id, lang, way); err != nil {
		return nil, c, err
	}
	if c.Document != "" {
		body, _, err = s.cfg.Store.Document(ctx, actor.Tenant, c.Document)
		return body, c, err
	}
	if c.SignedAt != nil { // signed before documents were kept
		return nil, c, contract.ErrAbsent
	}
	a, err := s.cfg.Store.Application(ctx, actor.Tenant, id)
	if err != nil {
		return nil, c, err
	}
	d, err := s.cfg.Store.Decision(ctx, a.Tenant, a.DecisionID)
	if err != nil {
		return nil, c, err
	}
	body, err = s.print(c, d.MadeAt)
	c.Document = credit.Hash(body)
	return body, c, err
}

// print sets the words of c; made is the day of its offer.
func (s *Service) print(c Contract, made time.Time) ([]byte, error) {
	font, err := s.cfg.Font()
	if err != nil {
		return nil, err
	}
	return s.press.Print(font, s.cfg.Words.Paper(c.Language, c.ApplicationID, c.Text, c.Hash, money.DateOf(made).Start()))
}

// offer is all that a contract is written from.
type offer struct {
	*Service
	a        Application
	product  product.Product
	decision credit.Decision
	consents []credit.Consent
	sureties []Guarantor
}

// offer gathers what stands behind an offer; ErrNoContract without one.
func (s *Service) offer(ctx context.Context, a Application) (o offer, err error) {
	if a.State != Offered && a.State != Accepted {
		return o, ErrNoContract.With("state", a.State)
	}
	o = offer{Service: s, a: a}
	if o.product, err = s.cfg.Products.Product(a.Product); err != nil {
		return o, err
	}
	if o.decision, err = s.cfg.Store.Decision(ctx, a.Tenant, a.DecisionID); err != nil {
		return o, err
	}
	ev, err := s.evidence(ctx, a)
	if err != nil {
		return o, err
	}
	o.consents = ev.Consents
	o.sureties, err = s.cfg.Store.Sureties(ctx, a.Tenant, a.ID)
	o.sureties = slices.DeleteFunc(o.sureties, func(x Guarantor) bool { return x.DeclinedAt != nil })
	return o, err
}

// ways are those by which a loan may be repaid, the usual one first.
func ways(p product.Product) []schedule.Method {
	out := []schedule.Method{p.Method}
	for _, w := range p.Ways {
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// terms of an amount drawn on a day.
func (o offer) terms(amount money.Fen, months int, way schedule.Method, day money.Date) (schedule.Terms, error) {
	if !slices.Contains(ways(o.product), way) {
		return schedule.Terms{}, ErrWay.At("query.method").With("ways", fmt.Sprint(ways(o.product)))
	}
	return o.cfg.Products.ScheduleTerms(o.product, product.Drawing{
		Principal: amount, Rate: o.a.Rate, Months: months, Start: day, Method: way,
	}), nil
}

// tranches are the plan of an amount drawn on a day.
func (o offer) tranches(amount money.Fen, months int, way schedule.Method, day money.Date) []loan.Tranche {
	return o.cfg.Products.Tranches(o.product, product.Drawing{Principal: amount, Months: months, Start: day, Method: way})
}

// write fills in the contract.
func (o offer) write(lang string, way schedule.Method) (Contract, error) {
	lang = contract.Language(lang)
	a, p := o.a, o.product
	terms, err := o.terms(a.Limit, a.TermMonths, way, money.DateOf(o.decision.MadeAt))
	if err != nil {
		return Contract{}, err
	}
	rows, cost, err := costOf(terms, p.Fees)
	if err != nil {
		return Contract{}, err
	}
	purpose := a.Purpose
	if purpose == "" {
		purpose = p.Purpose[lang]
	}
	sheet := contract.Sheet{
		Application: a.ID, Borrower: a.UserName, Product: p.Name[lang], Purpose: purpose, Subject: a.SubjectName,
		Limit: a.Limit.String(), Rate: a.Rate.String(), PenaltyRate: p.PenaltyRate(a.Rate).String(),
		Interest: cost.Interest.String(), Total: cost.Total.String(), Months: a.TermMonths,
		Method: o.cfg.Words.Method(way, lang), DayCount: string(p.DayCount),
		Date: money.DateOf(o.decision.MadeAt).String(), Rows: rows,
		SimpleRate: cost.SimpleRate.String(), IRR: cost.IRR.String(), FeeTotal: cost.Fees.String(),
		Revolving: p.Revolving, Directed: p.Directed, CoolingDays: p.CoolingDays,
	}
	for _, t := range o.tranches(a.Limit, a.TermMonths, way, money.DateOf(o.decision.MadeAt)) {
		sheet.Tranches = append(sheet.Tranches, contract.Tranche{
			Nr: t.Nr, Name: t.Name[lang], Amount: t.Amount.String(), On: t.On.String(), Until: t.Until.String(),
			Condition: o.cfg.Words.Condition(string(t.Condition), lang),
		})
	}
	for _, f := range cost.Charges {
		sheet.Fees = append(sheet.Fees, contract.Fee{
			Name: f.Name[lang], Payee: o.cfg.Words.Payee(string(f.Payee), lang), When: o.cfg.Words.Moment(string(f.When), lang), Amount: f.Amount.String(),
		})
	}
	for _, g := range p.Purposes {
		if p.Directed {
			sheet.Goods = append(sheet.Goods, g.Name[lang])
		}
	}
	for _, x := range o.sureties {
		sheet.Sureties = append(sheet.Sureties, x.String())
	}
	if p.Surety != nil {
		sheet.SuretyShare = money.BP(p.Surety.ShareBP).String()
	}
	for _, c := range o.consents {
		sheet.Consents = append(sheet.Consents, contract.Consent{
			Part: o.cfg.Words.Part(c.Part, lang), Text: c.Text, Date: money.DateOf(c.GivenAt).String(),
		})
	}
	text, hash, err := o.cfg.Words.Write(lang, sheet)
	return Contract{
		ApplicationID: a.ID, Text: text, Hash: hash, Language: lang,
		Limit: a.Limit, Rate: a.Rate, TermMonths: a.TermMonths, Method: string(way), Cost: cost,
		Fees: p.Fees, CoolingDays: p.CoolingDays, Tranches: p.Tranches,
	}, err
}

// find gives the contract with hash, of its words or of its PDF, in any language and way;
// ErrContract when it is none that could be signed now.
func (o offer) find(hash string) (Contract, []byte, error) {
	var all []Contract
	for _, way := range ways(o.product) {
		for _, lang := range contract.Languages {
			c, err := o.write(lang, way)
			if err != nil {
				return c, nil, err
			}
			if c.Hash == hash {
				body, err := o.print(c, o.decision.MadeAt)
				return c, body, err
			}
			all = append(all, c)
		}
	}
	for _, c := range all {
		body, err := o.print(c, o.decision.MadeAt)
		if err != nil {
			return c, nil, err
		}
		if credit.Hash(body) == hash {
			return c, body, nil
		}
	}
	return Contract{}, nil, ErrContract
}
