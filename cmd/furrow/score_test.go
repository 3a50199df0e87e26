package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// lenders writes an invented table: debt and trade tell, ids do not.
func lenders(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("id,debt,trade,region,bad\n")
	for i := range 600 {
		debt := i * 37 % 101
		bad := "no"
		if (debt+i*13%60 > 90) != (i%17 == 0) {
			bad = "yes"
		}
		fmt.Fprintf(&b, "L%d,%d,%s,%s,%s\n", i, debt, []string{"tea", "rice", "coal"}[i%3], []string{"east", "west"}[i/7%2], bad)
	}
	name := filepath.Join(t.TempDir(), "loans.csv")
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// furrow runs a tool of two words and gives its exit code.
func furrow(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	for _, c := range commands {
		if c.name == args[0]+" "+args[1] {
			out, errs, err := call(t, c.run, args[2:]...)
			switch {
			case err == nil:
				return 0, out, errs
			case errors.Is(err, fault.Invalid):
				return 2, out, errs + err.Error()
			default:
				return 1, out, errs + err.Error()
			}
		}
	}
	t.Fatalf("no tool %v", args)
	return 0, "", ""
}

func TestScoreFromTableToReasons(t *testing.T) {
	t.Parallel()
	data := lenders(t)
	dir := filepath.Dir(data)
	model, page := filepath.Join(dir, "m.json"), filepath.Join(dir, "m.html")
	code, out, errs := furrow(t, "score", "validate", "--data", data, "--target", "bad", "--protected", "region", "--monotone", "debt:-", "--folds", "3", "--model", model, "--report", page, "--json")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"auc", "auc_sd", "ks", "ks_sd", "gini", "gini_sd", "brier", "brier_sd"} {
		if _, ok := got[key].(float64); !ok {
			t.Errorf("no figure %s", key)
		}
	}
	if auc, _ := got["auc"].(float64); auc < 0.85 {
		t.Errorf("AUC %v", auc)
	}
	if body, err := os.ReadFile(page); err != nil || !strings.Contains(string(body), "公平性") {
		t.Errorf("the page: %v", err)
	}
	code, out, errs = furrow(t, "score", "explain", "--model", model, "--data", data, "--id", "id", "--reasons", "1")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || len(lines) != 601 || !strings.HasPrefix(lines[1], "1,L0,") {
		t.Fatalf("exit %d, %d lines: %s", code, len(lines), errs)
	}
	// L30 has the highest debt, and that is the reason.
	if !strings.Contains(lines[31], "debt [") {
		t.Errorf("L30: %s", lines[31])
	}
	// The same model again, byte for byte.
	again := filepath.Join(dir, "again.json")
	if code, _, errs = furrow(t, "score", "fit", "--data", data, "--target", "bad", "--drop", "region", "--monotone", "debt:-", "--model", again); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	a, _ := os.ReadFile(model)
	b, _ := os.ReadFile(again)
	if string(a) != string(b) {
		t.Error("the same rows gave another model")
	}
}

func TestScoreSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	data := lenders(t)
	broken := filepath.Join(t.TempDir(), "broken.csv")
	if err := os.WriteFile(broken, []byte("a,b\n1,0\n2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no target":     {[]string{"validate", "--data", data}, "--data and --target"},
		"no column":     {[]string{"validate", "--data", data, "--target", "x"}, "no column x"},
		"many outcomes": {[]string{"validate", "--data", data, "--target", "trade"}, "more than two values"},
		"broken row":    {[]string{"fit", "--data", broken, "--target", "b", "--model", "m"}, "broken.csv:3:1"},
		"direction":     {[]string{"validate", "--data", data, "--target", "bad", "--monotone", "debt"}, "--monotone, part 1"},
		"text monotone": {[]string{"validate", "--data", data, "--target", "bad", "--monotone", "trade:+"}, "holds texts"},
		"no model":      {[]string{"explain", "--model", data, "--data", data}, "no model"},
		"method":        {[]string{"validate", "--data", data, "--target", "bad", "--method", "x"}, "scorecard or additive"},
	} {
		code, _, errs := furrow(t, append([]string{"score"}, c.args...)...)
		if code != 2 || !strings.Contains(errs, c.want) {
			t.Errorf("%s: exit %d, %s", name, code, errs)
		}
	}
}

// The readable model on 1,000 real loans, by five folds of seed 42.
func TestScoreOfRealLoans(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "credit")
	code, out, errs := furrow(t, "score", "validate", "--data", filepath.Join(dir, "german_credit_statlog.csv"), "--target", "creditability", "--json")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var got struct {
		AUC  float64 `json:"auc"`
		KS   float64 `json:"ks"`
		Gini float64 `json:"gini"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if got.AUC < 0.795 || got.AUC > 0.83 || got.KS < 0.45 || math.Abs(got.Gini-2*got.AUC+1) > 1e-9 {
		t.Errorf("%+v", got)
	}
}

// Firms are told apart by their invoices alone.
func TestScoreOfFirmsByTheirInvoices(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 370,000 invoices")
	}
	t.Parallel()
	dir := realdata.Dir(t, "credit", "cn_sme_invoices")
	table := filepath.Join(t.TempDir(), "F.csv")
	code, _, errs := furrow(t, "chain", "profile", "--invoices", filepath.Join(dir, "invoices_in_123.csv.gz")+","+filepath.Join(dir, "invoices_out_123.csv.gz"), "--as-of", "2018-12-31", "--out", table)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	code, out, errs := furrow(t, "score", "validate", "--data", table, "--labels", filepath.Join(dir, "firms_123_raw.csv"), "--key", "firm=企业代号",
		"--target", "是否违约", "--drop", "first_date,last_date,unknown,findings", "--repeats", "2", "--json")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var got struct {
		AUC float64 `json:"auc"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.AUC < 0.80 {
		t.Errorf("AUC %.4f, %v", got.AUC, err)
	}
}
