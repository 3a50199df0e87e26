package officer

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/model"
	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// Models is the register of the models that score; credit/model.Service is one.
type Models interface {
	List(ctx context.Context, tenant string, f model.Filter) ([]model.ScoreModel, error)
	Entry(ctx context.Context, tenant, name, version string) (model.ScoreModel, error)
	File(ctx context.Context, tenant, name, version string) (*score.Model, error)
	Add(ctx context.Context, who access.Actor, file []byte, in model.New) (model.ScoreModel, error)
	Submit(ctx context.Context, who access.Actor, name, version string) (model.ScoreModel, error)
	Review(ctx context.Context, who access.Actor, name, version string, v model.Verdict, note string) (model.ScoreModel, error)
	Publish(ctx context.Context, who access.Actor, name, version string) (model.ScoreModel, error)
	Retire(ctx context.Context, who access.Actor, name, version string) (model.ScoreModel, error)
	Monitor(ctx context.Context, tenant, name, version string, from, to time.Time) (model.ModelMonitoring, error)
}

func (f face) registerModels(a *route.API, get, post func(id, path, summary string) route.Op) {
	const one = "/models/{name}/{version}"
	route.Register(a, get("models", "/models", "The register of models that score, with late reviews"), f.models)
	route.Register(a, get("model", one, "A version with its record, its reviews and its tables"), f.model)
	route.Register(a, get("model-monitor", one+"/monitor", "How a version fares: drift, calibration and overdue loans by band of points"), f.modelMonitor)
	add := post("model-add", "/models", "Put a fitted model into the register, as a draft")
	add.MaxBytes = maxModel
	route.Register(a, add, f.modelAdd)
	route.Register(a, post("model-submit", one+"/submit", "Hand a draft in for review"), f.modelSubmit)
	route.Register(a, post("model-review", one+"/review", "Say what was found; not by the person who added it"), f.modelReview)
	route.Register(a, post("model-publish", one+"/publish", "Put an approved version in use; the one before is retired"), f.modelPublish)
	route.Register(a, post("model-retire", one+"/retire", "Take a version out of use"), f.modelRetire)
}

type modelsIn struct {
	Name      string `query:"name" maxLength:"64"`
	Applicant string `query:"applicant" enum:"farmer,herder,firm,any"`
	Status    string `query:"status" enum:"draft,in_review,published,retired"`
}

func (f face) models(ctx context.Context, who access.Actor, in *modelsIn) (*route.Body[route.List[model.ScoreModel]], error) {
	list, err := f.Models.List(ctx, who.Tenant, model.Filter{Name: in.Name, Applicant: in.Applicant, Status: model.Status(in.Status)})
	return route.Page(list, err, 0, func(model.ScoreModel) string { return "" })
}

// ModelVersion names one version.
type ModelVersion struct {
	Name    string `path:"name" maxLength:"64"`
	Version string `path:"version" maxLength:"64"`
}

// ModelDetail is a version with its tables.
type ModelDetail struct {
	model.ScoreModel
	Base   int          `json:"base" doc:"points of everybody"`
	Inputs []ModelInput `json:"inputs"`
}

// ModelInput is one input with its bins.
type ModelInput struct {
	Name     string     `json:"name"`
	Monotone int        `json:"monotone" doc:"+1: more never lowers the points; -1: more never raises them"`
	Bins     []ModelBin `json:"bins"`
}

// ModelBin is what falls together and its points.
type ModelBin struct {
	Text   string `json:"text"`
	Points int    `json:"points"`
	Rows   int    `json:"rows" doc:"of the training rows"`
	Bad    int    `json:"bad"`
}

func (f face) model(ctx context.Context, who access.Actor, in *ModelVersion) (*route.Body[ModelDetail], error) {
	e, err := f.Models.Entry(ctx, who.Tenant, in.Name, in.Version)
	if err != nil {
		return nil, err
	}
	m, err := f.Models.File(ctx, who.Tenant, in.Name, in.Version)
	if err != nil {
		return nil, err
	}
	d := ModelDetail{ScoreModel: e, Base: m.File().Base, Inputs: []ModelInput{}}
	for i, input := range m.File().Inputs {
		mi := ModelInput{Name: input.Name, Monotone: input.Monotone, Bins: []ModelBin{}}
		for b, bin := range input.Bins {
			mi.Bins = append(mi.Bins, ModelBin{m.BinText(i, b), bin.Points, bin.Rows, bin.Bad})
		}
		d.Inputs = append(d.Inputs, mi)
	}
	return route.Answer(d, nil)
}

type monitorIn struct {
	ModelVersion
	From string `query:"from" format:"date" doc:"first day of decisions; three years before the last when absent"`
	To   string `query:"to" format:"date" doc:"last day; today when absent"`
}

func (f face) modelMonitor(ctx context.Context, who access.Actor, in *monitorIn) (*route.Body[model.ModelMonitoring], error) {
	var err error
	last := money.DateOf(f.Now())
	if in.To != "" {
		if last, err = money.ParseDate(in.To); err != nil {
			return nil, err
		}
	}
	first := last.AddMonths(-36)
	if in.From != "" {
		if first, err = money.ParseDate(in.From); err != nil {
			return nil, err
		}
	}
	return route.Answer(f.Models.Monitor(ctx, who.Tenant, in.Name, in.Version, first.Start(), (last + 1).Start()))
}

// maxModel is far more than a readable model and the points of its training rows take.
const maxModel = 8 << 20

type modelAddIn struct {
	RawBody huma.MultipartFormFiles[struct {
		File      huma.FormFile `form:"file" required:"true" contentType:"application/octet-stream" doc:"JSON of furrow score fit"`
		Owner     string        `form:"owner" required:"true" minLength:"1" maxLength:"100" doc:"who answers for the model"`
		Applicant string        `form:"applicant" required:"true" enum:"farmer,herder,firm,any"`
		Dimension string        `form:"dimension" required:"false" enum:"owner,firm,industry,enhancement,scene,whole" doc:"that of the model when absent"`
		Scores    string        `form:"scores" required:"false" doc:"CSV with a column points: the scores of the training rows, to measure drift against"`
		Folds     string        `form:"folds" required:"false" maxLength:"200" doc:"how it was measured"`
		MadeBy    string        `form:"made_by" required:"false" maxLength:"100"`
		MadeAt    string        `form:"made_at" required:"false" format:"date"`
	}]
}

func (f face) modelAdd(ctx context.Context, who access.Actor, in *modelAddIn) (*route.Body[model.ScoreModel], error) {
	form := in.RawBody.Data()
	defer func() { _ = form.File.Close() }()
	file, err := io.ReadAll(form.File) // bounded by maxModel
	if err != nil {
		return nil, err
	}
	add := model.New{
		Owner: form.Owner, Applicant: form.Applicant, Dimension: form.Dimension, Folds: form.Folds, By: form.MadeBy, At: form.MadeAt,
	}
	if form.MadeAt != "" {
		if _, err := money.ParseDate(form.MadeAt); err != nil {
			return nil, err
		}
	}
	if form.Scores != "" {
		if add.Scores, err = model.ReadPoints("scores", strings.NewReader(form.Scores)); err != nil {
			return nil, err
		}
	}
	e, err := f.Models.Add(ctx, who, file, add)
	route.Touch(ctx, e.ID)
	return route.Answer(e, err)
}

func (f face) modelSubmit(ctx context.Context, who access.Actor, in *ModelVersion) (*route.Body[model.ScoreModel], error) {
	return route.Answer(f.Models.Submit(ctx, who, in.Name, in.Version))
}

type modelReviewIn struct {
	ModelVersion
	Body struct {
		Verdict model.Verdict `json:"verdict" enum:"approve,return"`
		Note    string        `json:"note" minLength:"1" maxLength:"2000" doc:"what was looked at and found"`
	}
}

func (f face) modelReview(ctx context.Context, who access.Actor, in *modelReviewIn) (*route.Body[model.ScoreModel], error) {
	return route.Answer(f.Models.Review(ctx, who, in.Name, in.Version, in.Body.Verdict, in.Body.Note))
}

func (f face) modelPublish(ctx context.Context, who access.Actor, in *ModelVersion) (*route.Body[model.ScoreModel], error) {
	return route.Answer(f.Models.Publish(ctx, who, in.Name, in.Version))
}

func (f face) modelRetire(ctx context.Context, who access.Actor, in *ModelVersion) (*route.Body[model.ScoreModel], error) {
	return route.Answer(f.Models.Retire(ctx, who, in.Name, in.Version))
}
