package farmer

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// Applying is what of the desk drafts, offers and contracts need; apply.Service has it.
type Applying interface {
	StartDraft(ctx context.Context, who access.Actor, p apply.Partial, channel product.Channel, key string) (apply.Application, error)
	ReviseDraft(ctx context.Context, who access.Actor, id string, p apply.Partial) (apply.Application, error)
	SendDraft(ctx context.Context, who access.Actor, id string, given []consent.Agreement, device string) (apply.Application, error)
	Preview(ctx context.Context, who access.Actor, id string, ask apply.PreviewAsk) (apply.Preview, error)
	Accept(ctx context.Context, who access.Actor, id string) (apply.Application, error)
	ContractBy(ctx context.Context, who access.Actor, id, lang string, way schedule.Method) (apply.Contract, error)
	Document(ctx context.Context, who access.Actor, id, lang string, way schedule.Method) ([]byte, apply.Contract, error)
	Signatures(ctx context.Context, who access.Actor, id string) ([]contract.Signature, error)
	Guarantees(ctx context.Context, who access.Actor, lang string) ([]apply.Guarantee, error)
	DeclineSurety(ctx context.Context, who access.Actor, id string, nr int, reason string) (apply.Application, error)
	SignSurety(ctx context.Context, who access.Actor, id string, nr int, by apply.Signing) (apply.Application, error)
	Verify(ctx context.Context, tenant string, q apply.Question) (apply.ContractCheck, error)
}

func (f face) registerApplying(a *route.API, op func(id, method, path, summary string) route.Op) {
	route.Register(a, op("draft", http.MethodPost, "/drafts", "Save an application that is not complete yet"), f.draft)
	route.Register(a, op("draft-set", http.MethodPut, "/drafts/{id}", "Replace what a draft says"), f.setDraft)
	route.Register(a, op("draft-send", http.MethodPost, "/drafts/{id}/send", "Send a draft: all of it is checked"), f.sendDraft)
	route.Register(a, op("preview", http.MethodGet, "/applications/{id}/preview", "What drawing an amount would cost: schedule, fees, total"), f.preview)
	route.Register(a, op("accept", http.MethodPost, "/applications/{id}/accept", "Take an offer that gives time to think before the signature"), f.accept)
	route.Register(a, op("contract-file", http.MethodGet, "/applications/{id}/contract.pdf", "The contract as PDF: what was signed, or what is to be"), f.contractFile)
	route.Register(a, op("signatures", http.MethodGet, "/applications/{id}/signatures", "The evidence of the signatures"), f.signatures)
	route.Register(a, op("guarantees", http.MethodGet, "/guarantees", "Loans for which I answer or am asked to"), f.guarantees)
	route.Register(a, op("guarantee-sign", http.MethodPost, "/guarantees/{id}/{nr}/sign", "Sign as the one who answers for a loan"), f.signGuarantee)
	route.Register(a, op("guarantee-decline", http.MethodPost, "/guarantees/{id}/{nr}/decline", "Decline to answer for a loan; it goes back to an officer"), f.declineGuarantee)
}

type draftIn struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each draft, the same one for each retry"`
	Body apply.Partial
}

func (f face) draft(ctx context.Context, who access.Actor, in *draftIn) (*route.Body[apply.Application], error) {
	app, err := f.Desk.StartDraft(ctx, who, in.Body, product.Phone, in.Key)
	route.Touch(ctx, app.ID)
	return route.Answer(app, err)
}

type setDraftIn struct {
	ByID
	Body apply.Partial
}

func (f face) setDraft(ctx context.Context, who access.Actor, in *setDraftIn) (*route.Body[apply.Application], error) {
	return route.Answer(f.Desk.ReviseDraft(ctx, who, in.ID, in.Body))
}

type sendDraftIn struct {
	ByID
	Device string `header:"User-Agent"`
	Body   struct {
		Consents []consent.Agreement `json:"consents,omitempty" maxItems:"20" doc:"what the borrower agrees to with it; the texts are in the catalogue"`
	}
}

func (f face) sendDraft(ctx context.Context, who access.Actor, in *sendDraftIn) (*route.Body[apply.Application], error) {
	return route.Answer(f.Desk.SendDraft(ctx, who, in.ID, in.Body.Consents, in.Device))
}

type previewIn struct {
	ByID
	Amount     money.Fen       `query:"amount" minimum:"0" doc:"fen; 0 is the whole limit"`
	TermMonths int             `query:"term_months" minimum:"0" maximum:"360" doc:"0 is the term of the offer; fewer for a limit that is drawn again and again"`
	Method     schedule.Method `query:"method" doc:"a way of repayment of the product; none is the usual one"`
}

func (f face) preview(ctx context.Context, who access.Actor, in *previewIn) (*route.Body[apply.Preview], error) {
	return route.Answer(f.Desk.Preview(ctx, who, in.ID, apply.PreviewAsk{Amount: in.Amount, TermMonths: in.TermMonths, Method: in.Method}))
}

func (f face) accept(ctx context.Context, who access.Actor, in *ByID) (*route.Body[apply.Application], error) {
	return route.Answer(f.Desk.Accept(ctx, who, in.ID))
}

// ContractIn names a contract.
type ContractIn struct {
	ByID
	Method schedule.Method `query:"method" doc:"a way of repayment of the product, for a contract that is not signed; none is the usual one"`
}

func (f face) contract(ctx context.Context, who access.Actor, in *ContractIn) (*route.Body[apply.Contract], error) {
	return route.Answer(f.Desk.ContractBy(ctx, who, in.ID, route.Lang(ctx), in.Method))
}

// File is a PDF as an answer.
type File struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Digest      string `header:"Content-SHA256" doc:"of the bytes, hex: what is signed"`
	Cache       string `header:"Cache-Control"`
	Body        []byte
}

// PDF answers with a contract.
func PDF(body []byte, c apply.Contract, err error) (*File, error) {
	if err != nil {
		return nil, err
	}
	return &File{
		Type: "application/pdf", Disposition: `inline; filename="contract-` + c.ApplicationID + `.pdf"`,
		Digest: c.Document, Cache: "private, no-store", Body: body,
	}, nil
}

func (f face) contractFile(ctx context.Context, who access.Actor, in *ContractIn) (*File, error) {
	return PDF(f.Desk.Document(ctx, who, in.ID, route.Lang(ctx), in.Method))
}

func (f face) signatures(ctx context.Context, who access.Actor, in *ByID) (*route.Body[route.List[contract.Signature]], error) {
	items, err := f.Desk.Signatures(ctx, who, in.ID)
	return route.Page(items, err, 0, nil)
}

// Signature is one as a device sends it.
type Signature struct {
	Device string `header:"User-Agent"`
	Body   struct {
		Hash  string         `json:"hash" minLength:"64" maxLength:"64" doc:"SHA-256 of the contract's words, or of its PDF, that was shown"`
		Seen  *contract.Seen `json:"seen,omitempty" doc:"what the signer was shown, as the device tells"`
		Proof string         `json:"proof,omitempty" maxLength:"200" doc:"number or hash of a paper, when an officer brings it"`
		// Declaration is for guarantors on their phone only.
		Declaration string `json:"declaration,omitempty" maxLength:"64" doc:"SHA-256 of the declaration that a guarantor agreed to, hex"`
	}
	remote string
}

// Resolve notes from where the request came.
func (s *Signature) Resolve(ctx huma.Context) []error {
	s.remote = ctx.RemoteAddr()
	return nil
}

// Signing is what the domain takes.
func (s *Signature) Signing() apply.Signing {
	by := apply.Signing{Hash: s.Body.Hash, Device: s.Device, Remote: s.remote, Proof: s.Body.Proof, Declaration: s.Body.Declaration}
	if s.Body.Seen != nil {
		by.Seen = *s.Body.Seen
	}
	return by
}

type signIn struct {
	ByID
	Signature
}

func (f face) sign(ctx context.Context, who access.Actor, in *signIn) (*route.Body[apply.Application], error) {
	return route.Answer(f.Desk.Sign(ctx, who, in.ID, in.Signing()))
}

func (f face) guarantees(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[route.List[apply.Guarantee]], error) {
	items, err := f.Desk.Guarantees(ctx, who, route.Lang(ctx))
	return route.Page(items, err, 0, nil)
}

// BySurety names one who answers for a loan.
type BySurety struct {
	ByID
	Nr int `path:"nr" minimum:"1" maximum:"100"`
}

type signGuaranteeIn struct {
	BySurety
	Signature
}

// GuaranteeState is what a guarantor is told of the application after a step.
type GuaranteeState struct {
	State apply.State `json:"state"`
}

func (f face) signGuarantee(ctx context.Context, who access.Actor, in *signGuaranteeIn) (*route.Body[GuaranteeState], error) {
	a, err := f.Desk.SignSurety(ctx, who, in.ID, in.Nr, in.Signing())
	return route.Answer(GuaranteeState{a.State}, err)
}

type declineGuaranteeIn struct {
	BySurety
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"2000" doc:"up to 200 characters, for the bank and the borrower"`
	}
}

func (f face) declineGuarantee(ctx context.Context, who access.Actor, in *declineGuaranteeIn) (*route.Body[GuaranteeState], error) {
	a, err := f.Desk.DeclineSurety(ctx, who, in.ID, in.Nr, in.Body.Reason)
	return route.Answer(GuaranteeState{a.State}, err)
}
