package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/model"
	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/store/storetest"
)

// A model from its file to its use by the tools alone, and who may not do what.
func TestModelRegister(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := "sqlite:" + filepath.Join(dir, "furrow.db")
	storetest.Open(t, db)
	m, err := score.New(score.File{
		Format: score.Format, Name: "field", Version: "1", Method: "scorecard", Target: "bad", Bad: "1",
		Scale:       score.Scale{PDO: 20, BasePoints: 600, BaseOdds: 20},
		Inputs:      []score.Input{{Name: "asked", Kind: score.Number, Bins: []score.Bin{{Points: 5}, {Missing: true}}}},
		Calibration: []score.Knot{{Points: 500, PD: 0.1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	file, scores := filepath.Join(dir, "m.json"), filepath.Join(dir, "s.csv")
	for path, body := range map[string]string{file: string(m.Bytes()), scores: "id,points\n" + strings.Repeat("1,500\n2,520\n", 60)} {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"model add " + file + " --by ann --owner risk --applicant farmer --scores " + scores, 0, "is draft"},
		{"model add " + file + " --by ann --owner risk --applicant dog", 2, "farmer, herder, firm or any"},
		{"model add " + file + " --owner risk --applicant farmer", 2, "--by"},
		{"model submit field --by ann", 2, "NAME@VERSION"},
		{"model submit field@2 --by ann", 1, "there is no model field@2"},
		{"model submit field@1 --by ann", 0, "is in_review"},
		{"model review field@1 --by ann --note fine", 1, "another person must review it"},
		{"model review field@1 --by bob", 2, "say what you looked at"},
		{"model publish field@1 --by bob", 1, "a second person must approve"},
		{"model review field@1 --by bob --note fine", 0, "is in_review"},
		{"model publish field@1 --by bob", 0, "is published"},
		{"model list", 0, "field@1"},
		{"model monitor field@1", 0, "0 decisions"},
		{"model monitor field@1 --from 2026-05-02 --to 2026-05-01", 2, "--from is after --to"},
		{"model retire field@1 --by ann", 0, "is retired"},
	} {
		code, out, errs := shell(t, "", append(strings.Fields(c.args), "--db", db)...)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%s: code %d, want %d: %s%s", c.args, code, c.code, out, errs)
		}
	}
	_, out, _ := shell(t, "", "model", "list", "--db", db, "--json")
	var got struct {
		Models []model.ScoreModel `json:"models"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Models) != 1 || got.Models[0].Reference == nil || got.Models[0].Reviews[0].ByName != "bob" {
		t.Errorf("%v %+v", err, got)
	}
}
