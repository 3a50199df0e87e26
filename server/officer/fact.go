package officer

import (
	"context"
	"io"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/chain/extract/intake"
	"github.com/furrowcredit/furrow/server/route"
)

// Documents takes files and keeps the facts in them; intake.Service is one.
type Documents interface {
	Take(ctx context.Context, tenant, name, subject string, body []byte) (intake.Taken, error)
}

// maxDocument is what document reading takes, and the form around it.
const maxDocument = 65 << 20

func (f face) registerFacts(a *route.API, get, post func(id, path, summary string) route.Op) {
	take := post("document", "/documents", "Read the facts out of a document; what came of it is said, nothing found included")
	take.MaxBytes = maxDocument
	route.Register(a, take, f.document)
	route.Register(a, get("facts", "/facts", "What documents say about trade between firms, oldest first"), f.facts)
	route.Register(a, post("fact-decide", "/facts/{id}/decide", "Accept or reject a fact, or take that back"), f.decideFact)
}

type documentIn struct {
	RawBody huma.MultipartFormFiles[struct {
		Subject string        `form:"subject" required:"false" maxLength:"200" doc:"the firm that the document calls the company"`
		File    huma.FormFile `form:"file" required:"true" contentType:"application/octet-stream" doc:"PDF, DOCX, XLSX, image or text of at most 64 MiB"`
	}]
}

func (f face) document(ctx context.Context, who access.Actor, in *documentIn) (*route.Body[intake.Taken], error) {
	form := in.RawBody.Data()
	defer func() { _ = form.File.Close() }()
	body, err := io.ReadAll(form.File)
	if err != nil {
		return nil, err
	}
	taken, err := f.Documents.Take(ctx, who.Tenant, form.File.Filename, form.Subject, body)
	route.Touch(ctx, taken.SHA256)
	return route.Answer(taken, err)
}

// FactLine is a fact with the firms that it is about, as far as they are known.
type FactLine struct {
	Claim extract.Claim `json:"claim"`
	Head  *chain.Party  `json:"head,omitempty"`
	Tail  *chain.Party  `json:"tail,omitempty"`
}

type factsIn struct {
	State  string `query:"state" enum:"pending,accepted,rejected"`
	FirmID string `query:"firm_id" maxLength:"64" doc:"is one side of it"`
	After  string `query:"after" maxLength:"64" doc:"next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (f face) facts(ctx context.Context, who access.Actor, in *factsIn) (*route.Body[route.List[FactLine]], error) {
	claims, err := f.Facts.Claims(ctx, who.Tenant, extract.ClaimFilter{State: extract.State(in.State), FirmID: in.FirmID, After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	lines, err := f.factLines(ctx, who.Tenant, claims)
	return route.Page(lines, err, in.Limit, func(l FactLine) string { return l.Claim.ID })
}

func (f face) factLines(ctx context.Context, tenant string, claims []extract.Claim) ([]FactLine, error) {
	ids := make([]string, 0, 2*len(claims))
	for _, c := range claims {
		ids = append(ids, c.HeadID, c.TailID)
	}
	slices.Sort(ids)
	firms, err := f.Firms.FirmsByID(ctx, tenant, slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" }))
	if err != nil {
		return nil, err
	}
	known := make(map[string]*chain.Party, len(firms))
	for i := range firms {
		known[firms[i].ID] = &firms[i]
	}
	lines := make([]FactLine, len(claims))
	for i, c := range claims {
		lines[i] = FactLine{c, known[c.HeadID], known[c.TailID]}
	}
	return lines, nil
}

type decideFactIn struct {
	ByID
	Body struct {
		State  string `json:"state" enum:"accepted,rejected,pending" doc:"pending takes a decision back"`
		Reason string `json:"reason,omitempty" maxLength:"500"`
		HeadID string `json:"head_id,omitempty" maxLength:"64" doc:"the firm that the first name means; what was found when absent"`
		TailID string `json:"tail_id,omitempty" maxLength:"64" doc:"and the second"`
	}
}

func (f face) decideFact(ctx context.Context, who access.Actor, in *decideFactIn) (*route.Body[FactLine], error) {
	c, err := f.Facts.DecideClaim(ctx, who.Tenant, in.ID, extract.Decision{
		State: extract.State(in.Body.State), Reason: in.Body.Reason, HeadID: in.Body.HeadID, TailID: in.Body.TailID, By: who.UserID, At: f.Now().UTC(),
	})
	if err != nil {
		return nil, err
	}
	lines, err := f.factLines(ctx, who.Tenant, []extract.Claim{c})
	if err != nil {
		return nil, err
	}
	return route.Answer(lines[0], nil)
}
