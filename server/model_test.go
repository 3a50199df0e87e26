package server_test

import (
	"context"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/model"
	"github.com/furrowcredit/furrow/credit/score"
)

// A model from its file to its use over HTTP: who puts it in may not review it.
func TestModelUploadTakesTwoPersons(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := context.Background()
	must(h.gate.AddUser(ctx, access.Actor{Tenant: "bank"}, access.NewUser{Login: "second", Password: password, Name: "name of second", Role: access.Officer}))(t)
	token, _, err := h.gate.SignIn(ctx, "second", password)
	if err != nil {
		t.Fatal(err)
	}
	h.tokens["second"] = token
	m, err := score.New(score.File{
		Format: score.Format, Name: "field", Version: "1", Method: "scorecard", Target: "bad", Bad: "1", Dimension: "scene",
		Scale:       score.Scale{PDO: 20, BasePoints: 600, BaseOdds: 20},
		Inputs:      []score.Input{{Name: "asked", Kind: score.Number, Bins: []score.Bin{{Points: 5}, {Missing: true}}}},
		Calibration: []score.Knot{{Points: 500, PD: 0.1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{"owner": "风险部", "applicant": "farmer", "scores": "points\n" + strings.Repeat("500\n520\n", 60), "made_at": "2026-05-01"}
	for login, status := range map[string]int{"auditor": 403, "wang": 403, "foodco": 403} {
		if r := h.upload(login, "/officer/models", "m.json", m.Bytes(), fields); r.status != status {
			t.Error(login, r.status)
		}
	}
	for what, bad := range map[string]map[string]string{
		"no owner": {"applicant": "farmer"}, "a strange applicant": {"owner": "x", "applicant": "dog"},
		"points that are none": {"owner": "x", "applicant": "farmer", "scores": "points\nmany\n"},
		"a day that is none":   {"owner": "x", "applicant": "farmer", "made_at": "2026-13-01"},
	} {
		if r := h.upload("officer", "/officer/models", "m.json", m.Bytes(), bad); r.status != 422 {
			t.Errorf("%s: %d %s", what, r.status, r.body)
		}
	}
	if r := h.upload("officer", "/officer/models", "m.json", []byte(`{"format":"furrow-score/1"}`), fields); r.status != 422 {
		t.Errorf("half a model: %d", r.status)
	}
	draft := decode[model.ScoreModel](h, h.upload("officer", "/officer/models", "m.json", m.Bytes(), fields))
	if draft.ID != m.ID() || draft.Status != model.Draft || draft.Dimension != "scene" || draft.Reference == nil || draft.Training.At != "2026-05-01" {
		t.Fatalf("%+v", draft)
	}
	const one = "/officer/models/field/1"
	review := map[string]string{"verdict": "approve", "note": "看过样本与表"}
	for _, step := range []struct {
		login, path string
		body        any
		status      int
	}{
		{"second", "/review", review, 409},
		{"officer", "/submit", nil, 200},
		{"officer", "/review", review, 403},
		{"officer", "/publish", nil, 409},
		{"second", "/review", review, 200},
		{"second", "/publish", nil, 200},
	} {
		if r := h.post(step.login, one+step.path, step.body); r.status != step.status {
			t.Errorf("%s %s: %d %s", step.login, step.path, r.status, r.body)
		}
	}
	if got := decode[model.ScoreModel](h, h.upload("officer", "/officer/models", "m.json", m.Bytes(), fields)); got.Status != model.Published {
		t.Errorf("the same file again answers with %s", got.Status)
	}
}
