package view

import (
	"context"
	"io"

	"github.com/danielgtaylor/huma/v2"

	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/sheet"
)

// IntakeForm is a table of applications as it is uploaded.
type IntakeForm struct {
	RawBody huma.MultipartFormFiles[struct {
		File    huma.FormFile `form:"file" required:"true" contentType:"application/octet-stream" doc:"XLSX or CSV (UTF-8, GBK)"`
		DryRun  bool          `form:"dry_run" required:"false" doc:"only say what would happen"`
		SkipBad bool          `form:"skip_bad" required:"false" doc:"enter the good rows although others are wrong"`
	}]
}

// Intake takes the table of a form in by enter, which gets the file and the answers of the
// form, and tells its remarks in the reader's language by words.
func Intake(ctx context.Context, form *IntakeForm,
	enter func(context.Context, apply.ImportRequest) (apply.ImportReport, error),
	words func(lang, code, english string, args map[string]string) string,
) (*route.Body[apply.ImportReport], error) {
	in := form.RawBody.Data()
	defer func() { _ = in.File.Close() }()
	body, err := io.ReadAll(io.LimitReader(in.File, sheet.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	route.Touch(ctx, in.File.Filename)
	report, err := enter(ctx, apply.ImportRequest{Body: body, DryRun: in.DryRun, SkipBad: in.SkipBad})
	for i, r := range report.Remarks {
		report.Remarks[i].Why = words(route.Lang(ctx), r.Code, r.Why, r.Args)
	}
	return route.Answer(report, err)
}
