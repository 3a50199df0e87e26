package officer

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/fund"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// Fund is how loans are shared; fund.Service is one.
type Fund interface {
	Catalogue() *fund.Catalogue
	Bounds(ctx context.Context, tenant string) ([]fund.BoundUse, error)
	Pools(ctx context.Context, tenant string) ([]fund.PoolUse, error)
	Loan(ctx context.Context, tenant, loanID string) (fund.SharedLoan, []fund.ShareLine, error)
	Statement(ctx context.Context, tenant, code, month string) (fund.FundStatement, error)
	SubsidyClaims(ctx context.Context, tenant, code, quarter string) (fund.SubsidyList, error)
	Settle(ctx context.Context, tenant string, x fund.FundSettlement) (fund.FundSettlement, error)
	Chosen(ctx context.Context, tenant, applicationID string) (fund.AgreementChoice, error)
	Choose(ctx context.Context, tenant, applicationID, agreement, userID string) error
}

func (f face) registerFund(a *route.API, get, post func(id, path, summary string) route.Op) {
	route.Register(a, get("funders", "/funders", "Who funds loans and answers for them, the agreements, and the capital that bounds them"), f.funders)
	route.Register(a, get("bounds", "/fund/bounds", "How far each rule on shared loans is used, with its article and the date of its figures"), f.bounds)
	route.Register(a, get("risk-pools", "/fund/pools", "How far each risk pool is used: cap, used, money in it"), f.riskPools)
	route.Register(a, get("loan-shares", "/loans/{id}/shares", "How a loan is shared: its frozen terms and every posting of them"), f.loanShares)
	route.Register(a, get("fund-statement", "/funders/{code}/statement", "A funder's month: opening, drawn, repaid, interest, fees, losses, recoveries, closing, by loan"), f.fundStatement)
	route.Register(a, get("fund-statement-csv", "/funders/{code}/statement.csv", "The same as CSV"), f.fundStatementCSV)
	route.Register(a, get("subsidy", "/funders/{code}/subsidy", "What a government owes for a quarter, loan by loan"), f.subsidy)
	route.Register(a, get("subsidy-csv", "/funders/{code}/subsidy.csv", "The same as CSV: the list that goes with the claim"), f.subsidyCSV)
	route.Register(a, post("fund-settle", "/funders/{code}/settlements", "Enter money that passed between the bank and a funder"), f.settleFund)
	route.Register(a, get("agreement", "/applications/{id}/agreement", "By which agreement an application is shared, and which may be chosen"), f.agreement)
	route.Register(a, post("agreement-choose", "/applications/{id}/agreement", "Have an application shared by an agreement that its product does not name; none goes back"), f.chooseAgreement)
}

// FunderBook is who funds loans, and how.
type FunderBook struct {
	Capital    *fund.BankCapital       `json:"capital,omitempty"`
	Funders    []fund.Participant      `json:"funders"`
	Agreements []fund.SharingAgreement `json:"agreements"`
}

func (f face) funders(context.Context, access.Actor, *struct{}) (*route.Body[FunderBook], error) {
	c := f.Fund.Catalogue()
	return route.Answer(FunderBook{c.Capital, c.Funders, c.Agreements}, nil)
}

// BoundLine is a rule with the name of the debtor that it is about.
type BoundLine struct {
	fund.BoundUse
	DebtorName string `json:"debtor_name,omitempty"`
}

func (f face) bounds(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[route.List[BoundLine]], error) {
	list, err := f.Fund.Bounds(ctx, who.Tenant)
	out := make([]BoundLine, len(list))
	for i, b := range list {
		out[i].BoundUse = b
		if b.Debtor == "" {
			continue
		}
		u, err := f.People.User(ctx, who.Tenant, b.Debtor)
		if err != nil && !errors.Is(err, access.ErrUserNotFound) {
			return nil, err
		}
		out[i].DebtorName = u.Name
	}
	return route.Page(out, err, 0, func(BoundLine) string { return "" })
}

func (f face) riskPools(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[route.List[fund.PoolUse]], error) {
	list, err := f.Fund.Pools(ctx, who.Tenant)
	return route.Page(list, err, 0, func(fund.PoolUse) string { return "" })
}

// LoanShares is how one loan is shared.
type LoanShares struct {
	fund.SharedLoan
	Lines []fund.ShareLine `json:"lines"`
}

func (f face) loanShares(ctx context.Context, who access.Actor, in *ByID) (*route.Body[LoanShares], error) {
	shared, lines, err := f.Fund.Loan(ctx, who.Tenant, in.ID)
	return route.Answer(LoanShares{shared, lines}, err)
}

// ByFunder names a funder.
type ByFunder struct {
	Code string `path:"code" maxLength:"50"`
}

type fundMonthIn struct {
	ByFunder
	Month string `query:"month" required:"true" maxLength:"7" doc:"2026-05"`
}

func (f face) fundStatement(ctx context.Context, who access.Actor, in *fundMonthIn) (*route.Body[fund.FundStatement], error) {
	return route.Answer(f.Fund.Statement(ctx, who.Tenant, in.Code, in.Month))
}

func (f face) fundStatementCSV(ctx context.Context, who access.Actor, in *fundMonthIn) (*csvOut, error) {
	st, err := f.Fund.Statement(ctx, who.Tenant, in.Code, in.Month)
	return tableCSV(in.Code+"-"+in.Month+".csv", st, err)
}

type fundQuarterIn struct {
	ByFunder
	Quarter string `query:"quarter" required:"true" maxLength:"6" doc:"2026Q2"`
}

func (f face) subsidy(ctx context.Context, who access.Actor, in *fundQuarterIn) (*route.Body[fund.SubsidyList], error) {
	return route.Answer(f.Fund.SubsidyClaims(ctx, who.Tenant, in.Code, in.Quarter))
}

func (f face) subsidyCSV(ctx context.Context, who access.Actor, in *fundQuarterIn) (*csvOut, error) {
	list, err := f.Fund.SubsidyClaims(ctx, who.Tenant, in.Code, in.Quarter)
	return tableCSV(in.Code+"-"+in.Quarter+".csv", list, err)
}

// tableCSV answers with what writes itself as CSV. Names come from codes that are known.
func tableCSV(name string, t interface{ WriteCSV(w io.Writer) error }, err error) (*csvOut, error) {
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.WriteCSV(&b); err != nil {
		return nil, err
	}
	return &csvOut{"text/csv; charset=utf-8", `attachment; filename="` + name + `"`, b.Bytes()}, nil
}

type settleFundIn struct {
	ByFunder
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"100" doc:"a new one for each settlement, the same one for each retry"`
	Body struct {
		Amount money.Fen  `json:"amount" doc:"fen: above zero the bank pays, below zero the funder does"`
		Date   money.Date `json:"date" doc:"bank date of the transfer"`
		Ref    string     `json:"ref" minLength:"1" maxLength:"200" doc:"reference of the bank's transfer"`
		Bucket string     `json:"bucket,omitempty" maxLength:"60" doc:"vintage of a risk pool, such as county_startup/2026"`
	}
}

func (f face) settleFund(ctx context.Context, who access.Actor, in *settleFundIn) (*route.Body[fund.FundSettlement], error) {
	return route.Answer(f.Fund.Settle(ctx, who.Tenant, fund.FundSettlement{
		Funder: in.Code, Bucket: in.Body.Bucket, Amount: in.Body.Amount, Date: in.Body.Date, Ref: in.Body.Ref, Key: in.Key,
	}))
}

type chooseAgreementIn struct {
	ByID
	Body struct {
		Agreement string `json:"agreement" maxLength:"50" doc:"code of an agreement in force; empty goes back to the product's"`
	}
}

func (f face) agreement(ctx context.Context, who access.Actor, in *ByID) (*route.Body[fund.AgreementChoice], error) {
	return route.Answer(f.Fund.Chosen(ctx, who.Tenant, in.ID))
}

func (f face) chooseAgreement(ctx context.Context, who access.Actor, in *chooseAgreementIn) (*struct{}, error) {
	return nil, f.Fund.Choose(ctx, who.Tenant, in.ID, in.Body.Agreement, who.UserID)
}
