package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/money"
)

// town is the people of the county, each with a door of their own.
type town struct {
	base     string
	password string
	open     map[string]*client // by login
}

// as is the door of a person, who signs in at the first use.
func (t *town) as(ctx context.Context, login string) (*client, error) {
	if c := t.open[login]; c != nil {
		return c, nil
	}
	c, err := signIn(ctx, t.base, login, t.password)
	if err == nil {
		t.open[login] = c
	}
	return c, err
}

// asleep forgets all sessions: after the clock has moved they are over.
func (t *town) asleep() { t.open = map[string]*client{} }

const (
	officerLogin = "officer01"
	auditorLogin = "auditor01"
	secondLogin  = "officer02" // approves what the first proposes
)

// ask is one application and how far it goes.
type ask struct {
	login   string
	subject credit.Subject
	product string
	yuan    int64 // 0 asks for the most that the product allows
	months  int
	purpose string
	less    money.Fen   // drawn less than the limit
	most    money.Fen   // drawn at most; 0 is the limit
	paper   time.Time   // signed then, and entered by an officer; zero comes by phone
	surety  string      // a company that answers for it by a letter
	shared  string      // agreement that an officer chooses for it
	until   apply.State // Submitted, Offered, Withdrawn, Signed or Active: how far the borrower goes
}

// borrow plays one application: the borrower asks and waits for the answer; when it
// is referred, the officer approves; an offer is taken as far as wanted. It returns
// the application as it then is.
func (t *town) borrow(ctx context.Context, a ask) (apply.Application, error) {
	var app apply.Application
	who, err := t.as(ctx, a.login)
	if err != nil {
		return app, err
	}
	req := apply.Request{Subject: a.subject, Product: a.product, Asked: money.Fen(a.yuan * 100), TermMonths: a.months, Purpose: a.purpose}
	desk, path := who, "/farmer/applications"
	if !a.paper.IsZero() {
		if desk, err = t.as(ctx, officerLogin); err != nil {
			return app, err
		}
		path = "/officer/applications"
	}
	if req.Consents, err = agree(ctx, desk, a.product); err != nil {
		return app, err
	}
	for i := range req.Consents {
		if !a.paper.IsZero() {
			req.Consents[i].Proof, req.Consents[i].At = "授权书-"+a.login, &a.paper
		}
	}
	if err := desk.post(ctx, path, req, &app); err != nil {
		return app, err
	}
	if app, err = answer(ctx, who, app.ID); err != nil {
		return app, err
	}
	path = "/farmer/applications/" + app.ID
	if a.until == apply.Withdrawn && app.State == apply.Offered {
		return app, who.post(ctx, path+"/withdraw", nil, &app)
	}
	if app.State == apply.Referred && (a.until == apply.Signed || a.until == apply.Active) {
		officer, err := t.as(ctx, officerLogin)
		if err != nil {
			return app, err
		}
		desk := "/officer/applications/" + app.ID
		err = officer.post(ctx, desk+"/approve", map[string]string{"note": "实地查看后同意"}, &app)
		var p *problem
		if errors.As(err, &p) && p.Code == "application.no_limit" { // nothing that could be approved
			return app, officer.post(ctx, desk+"/refuse", map[string]string{"note": "证据不足，暂不能核定额度"}, &app)
		}
		if err != nil {
			return app, err
		}
	}
	if app.State != apply.Offered || (a.until != apply.Signed && a.until != apply.Active) {
		return app, nil
	}
	if err := t.sign(ctx, who, &app, a.surety); err != nil {
		return app, err
	}
	if a.until != apply.Active {
		return app, nil
	}
	if a.shared != "" {
		officer, err := t.as(ctx, officerLogin)
		if err != nil {
			return app, err
		}
		if err := officer.post(ctx, "/officer/applications/"+app.ID+"/agreement", map[string]string{"agreement": a.shared}, nil); err != nil {
			return app, err
		}
	}
	amount := app.Limit - a.less
	if a.most > 0 {
		amount = min(amount, a.most)
	}
	var l loan.Loan
	err = who.post(ctx, path+"/draw", map[string]money.Fen{"amount": amount}, &l)
	var p *problem
	if errors.As(err, &p) && p.Code == "loan.payment_failed" { // the bank refuses: nothing was lent
		return app, nil
	}
	if err != nil {
		return app, err
	}
	app.State, app.LoanID = apply.Active, l.ID
	return app, nil
}

// sign signs the contract of an offer, for the borrower and for who answers for it.
func (t *town) sign(ctx context.Context, who *client, app *apply.Application, surety string) error {
	officer, err := t.as(ctx, officerLogin)
	if err != nil {
		return err
	}
	path, desk := "/farmer/applications/"+app.ID, "/officer/applications/"+app.ID+"/guarantors"
	if surety != "" {
		if err := officer.post(ctx, desk, map[string]any{"guarantors": []map[string]any{{"name": surety}}}, nil); err != nil {
			return err
		}
	}
	var contract apply.Contract
	if err := who.get(ctx, path+"/contract", &contract); err != nil {
		return err
	}
	if err := who.post(ctx, path+"/sign", map[string]string{"hash": contract.Hash}, app); err != nil || surety == "" {
		return err
	}
	return officer.post(ctx, desk+"/1/sign", map[string]string{"hash": contract.Hash, "proof": "担保函-" + app.ID[:8]}, app)
}

// agree says yes to everything that the product asks for, in the words of the catalogue.
func agree(ctx context.Context, who *client, code string) ([]consent.Agreement, error) {
	var c struct {
		Products []product.Product `json:"products"`
		Consents consent.Wordings  `json:"consents"`
	}
	if err := who.get(ctx, "/catalogue", &c); err != nil {
		return nil, err
	}
	for _, p := range c.Products {
		if p.Code == code {
			return c.Consents.All("zh-CN", p), nil
		}
	}
	return nil, product.ErrUnknown.With("code", code)
}

// allow says yes to parts of the evidence, in the words of the catalogue.
func allow(ctx context.Context, who *client, parts ...string) error {
	var c struct {
		Consents consent.Wordings `json:"consents"`
	}
	if err := who.get(ctx, "/catalogue", &c); err != nil {
		return err
	}
	return who.post(ctx, "/farmer/consents", map[string]any{"consents": c.Consents.Answers("zh-CN", parts...)}, nil)
}

// repay pays a share of what would end the loan today.
func (t *town) repay(ctx context.Context, login, loanID string, share float64) error {
	who, err := t.as(ctx, login)
	if err != nil {
		return err
	}
	var out struct {
		Payoff loan.Quote `json:"payoff"`
	}
	if err := who.get(ctx, "/farmer/loans/"+loanID, &out); err != nil {
		return err
	}
	amount := money.Fen(float64(out.Payoff.Total) * share) // a simulator may choose its amounts by floats
	return who.post(ctx, "/farmer/loans/"+loanID+"/repay", map[string]money.Fen{"amount": amount}, nil)
}

// answer waits until an application is decided.
func answer(ctx context.Context, who *client, id string) (apply.Application, error) {
	var d apply.Detail
	err := poll(ctx, 60*time.Second, func() (bool, error) {
		err := who.get(ctx, "/farmer/applications/"+id, &d)
		return d.Application.State != apply.Submitted && d.Application.State != apply.Deciding, err
	})
	if err != nil {
		return d.Application, fmt.Errorf("application %s: %w", id, err)
	}
	return d.Application, nil
}

// idle waits until the background work is done.
func (t *town) idle(ctx context.Context, operator string, limit time.Duration) error {
	who, err := t.as(ctx, operator)
	if err != nil {
		return err
	}
	return poll(ctx, limit, func() (bool, error) {
		var jobs struct {
			States map[string]int `json:"states"`
		}
		err := who.get(ctx, "/operator/jobs", &jobs)
		n := jobs.States
		return n["available"]+n["running"]+n["retryable"]+n["scheduled"]+n["pending"] == 0, err
	})
}

var errSlow = fmt.Errorf("took too long: %w", context.DeadlineExceeded)

// poll asks done a few times a second until it says so.
func poll(ctx context.Context, limit time.Duration, done func() (bool, error)) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); ; {
		if ok, err := done(); ok || err != nil {
			return err
		}
		if time.Now().After(end) {
			return errSlow
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
