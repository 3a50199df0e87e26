package anchor

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/farmer"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

// Receivables is what an anchor does with what it owes; chain/receivable.Service does
// it.
type Receivables interface {
	farmer.Receivables
	Propose(ctx context.Context, who receivable.Who, obligorID, key string, p receivable.Proposal) (receivable.Receivable, error)
	ProposeFile(ctx context.Context, who receivable.Who, obligorID, key string, body []byte, dry bool) (receivable.Batch, error)
	ConfirmBatch(ctx context.Context, who receivable.Who, batch, key string) (receivable.Batch, error)
	Owed(ctx context.Context, who receivable.Who, f receivable.Filter) ([]receivable.Receivable, error)
	Payables(ctx context.Context, who receivable.Who, obligorID, creditorID string) ([]receivable.Payable, error)
}

func (f face) registerReceivables(a *route.API, op func(id, method, path, summary string) route.Op) {
	get, post := http.MethodGet, http.MethodPost
	file := op("receivable-file", post, "/receivable-files", "Propose the receivables of a file, all or none")
	file.MaxBytes = route.MaxUpload
	route.Register(a, op("receivables", get, "/receivables", "What we owe, newest first"), f.owed)
	route.Register(a, op("receivable-propose", post, "/receivables", "Propose a receivable on an invoice or a confirmation"), f.propose)
	route.Register(a, op("payables", get, "/suppliers/{id}/payables", "Documents of a supplier on which a receivable can be proposed"), f.payables)
	route.Register(a, op("receivable", get, "/receivables/{id}", "A receivable with its whole chain of owners"), f.receivable)
	route.Register(a, op("receivable-events", get, "/receivables/{id}/events", "Its history"), f.receivableEvents)
	route.Register(a, op("receivable-confirm", post, "/receivables/{id}/confirm", "Confirm that we owe it"), f.receivableAct(receivable.Confirm))
	route.Register(a, op("receivable-cancel", post, "/receivables/{id}/cancel", "Withdraw a proposal, or cancel together with the holder"), f.receivableAct(receivable.Cancel))
	route.Register(a, op("receivable-pay", post, "/receivables/{id}/pay", "Record a payment by its reference"), f.receivablePay)
	route.Register(a, op("receivable-template", get, "/receivable-files/template.xlsx", "A template to fill in"), f.receivableTemplate)
	route.Register(a, file, f.receivableFile)
	route.Register(a, op("receivable-file-confirm", post, "/receivable-files/{id}/confirm", "Confirm all receivables of a file"), f.confirmFile)
	farmer.HolderDesk{
		Receivables: f.Receivables, Firms: f.Firms,
		FirmsOf: func(_ context.Context, who access.Actor) ([]string, error) { return []string{who.FirmID}, nil },
	}.Register(a, "/holdings", op)
}

type owedIn struct{ view.ReceivableQuery }

func (f face) owed(ctx context.Context, who access.Actor, in *owedIn) (*route.Body[route.List[view.ReceivableLine]], error) {
	filter, err := in.Filter(f.Receivables.Today())
	if err != nil {
		return nil, err
	}
	list, err := f.Receivables.Owed(ctx, view.ForFirms(who, who.FirmID), filter)
	return f.lines().Page(ctx, who, list, err, in.Limit)
}

func (f face) payables(ctx context.Context, who access.Actor, in *ByID) (*route.Body[route.List[receivable.Payable]], error) {
	list, err := f.Receivables.Payables(ctx, view.ForFirms(who, who.FirmID), who.FirmID, in.ID)
	return route.Page(list, err, 0, nil)
}

func (f face) lines() view.Receivables {
	return view.Receivables{Firms: f.Firms, Today: f.Receivables.Today()}
}

// owes gives the receivable only to the firm that owes it: what the firm holds has
// doors of its own.
func (f face) owes(ctx context.Context, who access.Actor, id string) (receivable.Receivable, error) {
	r, err := f.Receivables.Get(ctx, view.ForFirms(who, who.FirmID), id)
	if err != nil {
		return r, err
	}
	mine, err := f.sameFirm(ctx, who, r.ObligorID)
	if err == nil && !mine {
		return receivable.Receivable{}, receivable.ErrNotFound
	}
	return r, err
}

func (f face) sameFirm(ctx context.Context, who access.Actor, id string) (bool, error) {
	if id == who.FirmID {
		return true, nil
	}
	firms, err := f.Firms.FirmsByID(ctx, who.Tenant, []string{id, who.FirmID})
	return err == nil && len(firms) == 2 && firms[0].Survivor() == firms[1].Survivor(), err
}

func (f face) receivable(ctx context.Context, who access.Actor, in *ByID) (*route.Body[view.ReceivableLine], error) {
	r, err := f.owes(ctx, who, in.ID)
	return f.lines().One(ctx, who, r, err)
}

func (f face) receivableEvents(ctx context.Context, who access.Actor, in *ByID) (*route.Body[route.List[receivable.Event]], error) {
	if _, err := f.owes(ctx, who, in.ID); err != nil {
		return nil, err
	}
	events, err := f.Receivables.Events(ctx, view.ForFirms(who, who.FirmID), in.ID)
	return route.Page(events, err, 0, func(receivable.Event) string { return "" })
}

type proposeIn struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each proposal, the same one for each retry"`
	Body struct {
		CreditorID string        `json:"creditor_id" minLength:"1" maxLength:"64" doc:"the supplier"`
		Amount     money.Fen     `json:"amount" minimum:"1" doc:"fen"`
		Due        string        `json:"due,omitempty" maxLength:"10" doc:"such as 2026-11-30; six months from now when absent"`
		Documents  []proposeFrom `json:"documents" minItems:"1" maxItems:"100"`
		Note       string        `json:"note,omitempty" maxLength:"500" doc:"why, when the term is longer than six months"`
	}
}

type proposeFrom struct {
	DocumentID string    `json:"document_id,omitempty" maxLength:"64"`
	Number     string    `json:"number,omitempty" maxLength:"200" doc:"of the invoice or the confirmation, when the id is absent"`
	Amount     money.Fen `json:"amount,omitempty" minimum:"1" doc:"fen of it; as much as is needed and free when absent"`
}

func (f face) propose(ctx context.Context, who access.Actor, in *proposeIn) (*route.Body[view.ReceivableLine], error) {
	p := receivable.Proposal{CreditorID: in.Body.CreditorID, Amount: in.Body.Amount, Note: in.Body.Note}
	if in.Body.Due != "" {
		due, err := money.ParseDate(in.Body.Due)
		if err != nil {
			return nil, err
		}
		p.Due = due
	}
	for _, d := range in.Body.Documents {
		p.Documents = append(p.Documents, receivable.Basis(d))
	}
	r, err := f.Receivables.Propose(ctx, view.ForFirms(who, who.FirmID), who.FirmID, in.Key, p)
	route.Touch(ctx, r.ID)
	return f.lines().One(ctx, who, r, err)
}

type receivableActIn struct {
	farmer.ActKey
	Body struct {
		Note string `json:"note,omitempty" maxLength:"500"`
	}
}

func (f face) receivableAct(kind receivable.Kind) func(context.Context, access.Actor, *receivableActIn) (*route.Body[view.ReceivableLine], error) {
	return func(ctx context.Context, who access.Actor, in *receivableActIn) (*route.Body[view.ReceivableLine], error) {
		return f.do(ctx, who, in.ActKey, receivable.Command{Kind: kind, Note: in.Body.Note})
	}
}

func (f face) do(ctx context.Context, who access.Actor, act farmer.ActKey, c receivable.Command) (*route.Body[view.ReceivableLine], error) {
	if _, err := f.owes(ctx, who, act.ID); err != nil {
		return nil, err
	}
	r, err := f.Receivables.Do(ctx, view.ForFirms(who, who.FirmID), act.ID, act.Key, c)
	return f.lines().One(ctx, who, r, err)
}

type receivablePayIn struct {
	farmer.ActKey
	Body struct {
		Amount money.Fen `json:"amount" minimum:"1" doc:"fen"`
		Ref    string    `json:"ref" minLength:"1" maxLength:"200" doc:"reference of the bank transfer"`
		Date   string    `json:"date,omitempty" maxLength:"10" doc:"when the money moved; today when absent"`
		Note   string    `json:"note,omitempty" maxLength:"500"`
	}
}

func (f face) receivablePay(ctx context.Context, who access.Actor, in *receivablePayIn) (*route.Body[view.ReceivableLine], error) {
	c := receivable.Command{Kind: receivable.Pay, Amount: in.Body.Amount, Ref: in.Body.Ref, Note: in.Body.Note}
	if in.Body.Date != "" {
		day, err := money.ParseDate(in.Body.Date)
		if err != nil {
			return nil, err
		}
		c.Date = day
	}
	return f.do(ctx, who, in.ActKey, c)
}

func (f face) receivableTemplate(context.Context, access.Actor, *struct{}) (*fileOut, error) {
	b, err := receivable.Template()
	if err != nil {
		return nil, err
	}
	return &fileOut{
		Type:        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		Disposition: `attachment; filename="receivables.xlsx"`,
		Body:        b,
	}, nil
}

type receivableFileIn struct {
	Key     string `header:"Idempotency-Key" minLength:"8" maxLength:"128" doc:"the file is its own key when absent"`
	RawBody huma.MultipartFormFiles[struct {
		DryRun bool          `form:"dry_run" required:"false" doc:"only say what would be"`
		File   huma.FormFile `form:"file" required:"true" contentType:"application/octet-stream" doc:"CSV (UTF-8, GBK) or XLSX"`
	}]
}

func (f face) receivableFile(ctx context.Context, who access.Actor, in *receivableFileIn) (*route.Body[receivable.Batch], error) {
	form := in.RawBody.Data()
	defer func() { _ = form.File.Close() }()
	body, err := io.ReadAll(form.File)
	if err != nil {
		return nil, route.ErrUnreadable.Because(err)
	}
	b, err := f.Receivables.ProposeFile(ctx, view.ForFirms(who, who.FirmID), who.FirmID, in.Key, body, form.DryRun)
	if b.Written {
		route.Touch(ctx, b.ID)
	}
	return route.Answer(f.wordedBatch(ctx, b), err)
}

// wordedBatch puts the remarks into the reader's language.
func (f face) wordedBatch(ctx context.Context, b receivable.Batch) receivable.Batch {
	errs := make([]chain.RowError, len(b.Errors))
	for i, e := range b.Errors {
		e.Msg = f.Words(route.Lang(ctx), e.Code, e.Msg, e.Args)
		errs[i] = e
	}
	b.Errors = errs
	return b
}

type confirmFileIn struct {
	farmer.ActKey
}

func (f face) confirmFile(ctx context.Context, who access.Actor, in *confirmFileIn) (*route.Body[receivable.Batch], error) {
	b, err := f.Receivables.ConfirmBatch(ctx, view.ForFirms(who, who.FirmID), in.ID, in.Key)
	return route.Answer(f.wordedBatch(ctx, b), err)
}
