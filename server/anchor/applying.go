package anchor

import (
	"context"
	"errors"
	"slices"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/apply/intake"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

// ErrNotPartner is the remark on a row that names no firm which trades with the anchor.
var ErrNotPartner = fault.New(fault.Invalid, "anchor.not_partner", "bring firms only that sell to you or buy from you; upload them first")

// Desk takes applications that the anchor brings; apply.Service is one.
type Desk interface {
	Submit(ctx context.Context, who access.Actor, req apply.Request, key string) (apply.Application, error)
	StartDraft(ctx context.Context, who access.Actor, p apply.Partial, channel product.Channel, key string) (apply.Application, error)
	Import(ctx context.Context, who access.Actor, r apply.ImportRequest) (apply.ImportReport, error)
}

type applyIn struct {
	Key    string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each application, the same one for each retry"`
	Device string `header:"User-Agent"`
	Body   struct {
		FirmID     string              `json:"firm_id" minLength:"1" maxLength:"64" doc:"a supplier or dealer of the anchor"`
		Product    string              `json:"product" minLength:"1" maxLength:"50" doc:"product code of the catalogue"`
		Asked      money.Fen           `json:"asked" minimum:"1" doc:"fen"`
		TermMonths int                 `json:"term_months" minimum:"1" maximum:"360"`
		Purpose    string              `json:"purpose,omitempty" maxLength:"500"`
		Consents   []consent.Agreement `json:"consents,omitempty" maxItems:"20" doc:"what the firm agreed to on paper, each with its proof and time; without any it becomes a draft that waits for the firm on its owner's phone"`
	}
}

// apply brings a supplier or dealer. With the firm's consent on paper it is sent at once;
// without, it is a draft which the owner of the firm completes and sends.
func (f face) apply(ctx context.Context, who access.Actor, in *applyIn) (*route.Body[apply.Application], error) {
	b := in.Body
	if err := f.trades(ctx, who, b.FirmID); err != nil {
		return nil, err
	}
	subject := credit.Subject{Kind: credit.FirmSubject, ID: b.FirmID}
	var app apply.Application
	var err error
	if len(b.Consents) == 0 {
		app, err = f.Desk.StartDraft(ctx, who, apply.Partial{
			Subject: subject, Product: b.Product, Asked: b.Asked, TermMonths: b.TermMonths, Purpose: b.Purpose,
		}, product.Portal, in.Key)
	} else {
		app, err = f.Desk.Submit(ctx, who, apply.Request{
			Subject: subject, Product: b.Product, Asked: b.Asked, TermMonths: b.TermMonths, Purpose: b.Purpose, Consents: b.Consents,
			Channel: product.Portal, Device: in.Device,
		}, in.Key)
	}
	route.Touch(ctx, app.ID)
	return route.Answer(app, err)
}

// trades says whether a firm sells to the anchor or buys from it: apply.ErrSubject.
func (f face) trades(ctx context.Context, who access.Actor, firmID string) error {
	firm, err := f.Firms.Firm(ctx, who.Tenant, firmID)
	if err != nil {
		return apply.ErrSubject.At("body.firm_id")
	}
	for _, buyers := range []bool{false, true} {
		page, err := f.Partners.Partners(ctx, who.Tenant, chain.PartnerFilter{FirmID: who.FirmID, Buyers: buyers, Query: firm.Name, Sort: chain.ByName, Limit: 1000})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(page.Partners, func(p chain.Partner) bool { return p.Firm.ID == firmID }) {
			return nil
		}
	}
	return apply.ErrSubject.At("body.firm_id")
}

func (f face) intakeTemplate(context.Context, access.Actor, *struct{}) (*fileOut, error) {
	body, err := intake.Template()
	return &fileOut{Type: xlsx, Disposition: `attachment; filename="applications.xlsx"`, Body: body}, err
}

// intake brings the firms of a table, each with its consent on paper.
func (f face) intake(ctx context.Context, who access.Actor, in *view.IntakeForm) (*route.Body[apply.ImportReport], error) {
	return view.Intake(ctx, in, func(ctx context.Context, req apply.ImportRequest) (apply.ImportReport, error) {
		req.May = func(ctx context.Context, subject credit.Subject) error {
			if subject.Kind != credit.FirmSubject {
				return ErrNotPartner
			}
			err := f.trades(ctx, who, subject.ID)
			if errors.Is(err, apply.ErrSubject) {
				return ErrNotPartner
			}
			return err
		}
		return f.Desk.Import(ctx, who, req)
	}, f.Words)
}
