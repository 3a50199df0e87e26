package farmer

import (
	"context"
	"net/http"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/server/route"
)

// Consents keeps what borrowers agree to; consent.Book is one.
type Consents interface {
	History(ctx context.Context, tenant, userID string) ([]consent.Act, error)
	Give(ctx context.Context, tenant, userID string, answers []consent.Agreement, how consent.How) error
	Withdraw(ctx context.Context, tenant, userID, purpose, part string, how consent.How) error
}

func (f face) registerRights(a *route.API, op func(id, method, path, summary string) route.Op) {
	route.Register(a, op("consents", http.MethodGet, "/consents", "What I agreed to and took back, oldest first"), f.consents)
	route.Register(a, op("consent-give", http.MethodPost, "/consents", "Agree to what is read, and for what"), f.giveConsents)
	route.Register(a, op("consent-withdraw", http.MethodPost, "/consents/{part}/withdraw", "Take a consent back"), f.withdrawConsent)
	route.Register(a, op("review", http.MethodPost, "/applications/{id}/review", "Ask that a person looks at the decision"), f.review)
}

func (f face) consents(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[route.List[consent.Act]], error) {
	acts, err := f.Consents.History(ctx, who.Tenant, who.UserID)
	return route.Answer(route.List[consent.Act]{Items: acts}, err)
}

type consentsIn struct {
	Device string `header:"User-Agent"`
	Body   struct {
		Consents []consent.Agreement `json:"consents" minItems:"1" maxItems:"20"`
	}
}

func (f face) giveConsents(ctx context.Context, who access.Actor, in *consentsIn) (*route.Body[route.List[consent.Act]], error) {
	how := consent.How{Channel: string(product.Phone), Device: in.Device, By: who.UserID}
	if err := f.Consents.Give(ctx, who.Tenant, who.UserID, in.Body.Consents, how); err != nil {
		return nil, err
	}
	return f.consents(ctx, who, nil)
}

type consentIn struct {
	Part    string `path:"part" maxLength:"20"`
	Purpose string `query:"purpose" enum:"credit_decision,post_loan" default:"credit_decision"`
	Device  string `header:"User-Agent"`
}

func (f face) withdrawConsent(ctx context.Context, who access.Actor, in *consentIn) (*route.Body[route.List[consent.Act]], error) {
	how := consent.How{Channel: string(product.Phone), Device: in.Device, By: who.UserID}
	if err := f.Consents.Withdraw(ctx, who.Tenant, who.UserID, in.Purpose, in.Part, how); err != nil {
		return nil, err
	}
	route.Touch(ctx, in.Part)
	return f.consents(ctx, who, nil)
}

type reviewIn struct {
	ByID
	Body struct {
		Reason string `json:"reason" maxLength:"2000" doc:"what the person should look at"`
	}
}

func (f face) review(ctx context.Context, who access.Actor, in *reviewIn) (*route.Body[apply.Review], error) {
	return route.Answer(f.Desk.AskReview(ctx, who, in.ID, in.Body.Reason))
}
