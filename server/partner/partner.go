// Package partner is the door for other systems: they apply for a borrower who is
// registered, ask what became of it, and have the parts of a loan paid out.
package partner

import (
	"context"
	"net/http"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/server/farmer"
	"github.com/furrowcredit/furrow/server/route"
)

// Desk takes applications; apply.Service is one.
type Desk interface {
	Submit(ctx context.Context, who access.Actor, req apply.Request, key string) (apply.Application, error)
	Application(ctx context.Context, who access.Actor, id string) (apply.Application, error)
	Applying
	farmer.Tranches
	// Localise puts the reasons of a decision into a language.
	Localise(ctx context.Context, who access.Actor, d credit.Decision, lang string) (credit.Decision, error)
}

// People finds people; access.Gate is one.
type People interface {
	// User returns access.ErrUserNotFound for a person of another tenant.
	User(ctx context.Context, tenant, id string) (access.User, error)
}

// Config is what the face works with.
type Config struct {
	Desk   Desk
	People People
	Quotes Quotes
	// Words gives the text of a cell's mistake, or of why a part of a loan waits, in a language.
	Words func(lang, code, english string, args map[string]string) string
	// Purchases takes orders of directed money, Callbacks what the bank tells by itself.
	Purchases Purchases
	Callbacks Callbacks // nil without a bank that is reached by HTTP
}

type face struct{ Config }

// Register adds the operations of the face.
func Register(a *route.API, cfg Config) {
	f := face{cfg}
	route.Register(a, route.Op{ID: "partner-apply", Method: http.MethodPost, Path: "/partner/applications",
		Summary: "Apply for a registered borrower", Tag: "partner"}, f.apply)
	route.Register(a, route.Op{ID: "partner-application", Method: http.MethodGet, Path: "/partner/applications/{id}",
		Summary: "An application that the partner brought and where it stands", Tag: "partner"}, f.application)
	f.registerQuotes(a)
	f.registerApplying(a)
	f.registerPurchases(a)
	f.registerTranches(a)
}

type applyIn struct {
	Key    string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each application, the same one for each retry"`
	Device string `header:"User-Agent"`
	Body   struct {
		UserID string `json:"user_id" minLength:"1" maxLength:"64" doc:"the borrower"`
		farmer.Ask
	}
}

func (f face) apply(ctx context.Context, who access.Actor, in *applyIn) (*route.Body[apply.Application], error) {
	u, err := f.People.User(ctx, who.Tenant, in.Body.UserID)
	if err != nil {
		return nil, err
	}
	if u.Role != access.Borrower {
		return nil, access.ErrUserNotFound // who else works here is not a partner's business
	}
	borrower := access.Actor{UserID: u.ID, Name: u.Name, Tenant: u.Tenant, Role: u.Role}
	req := in.Body.Request()
	req.Channel, req.Device, req.By = product.API, in.Device, who
	app, err := f.Desk.Submit(ctx, borrower, req, in.Key)
	route.Touch(ctx, app.ID)
	return route.Answer(app, err)
}

type byID struct {
	ID string `path:"id" maxLength:"64"`
}

func (f face) application(ctx context.Context, who access.Actor, in *byID) (*route.Body[apply.Application], error) {
	return route.Answer(f.Desk.Application(ctx, who, in.ID))
}
