package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/chain/flow/profile"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/store/storetest"
)

func TestChainProfile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, body := range map[string]string{
		"invoices_out.csv": "firm,invoice_no,date,counterparty,amount,tax,gross,status\nE2,1,2026-01-05,b,100,13,113,valid\nE10,1,2026-02-05,b,100,13,113,void\nE10,2,2026-02-30,b,1,0,1,valid\n",
		"invoices_in.csv":  "firm,invoice_no,date,counterparty,amount,tax,gross,status\nE2,9,2026-01-04,c,50,6.5,56.5,valid\n",
		"firms.csv":        "not invoices\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "profiles.csv")
	text, _, err := call(t, runChainProfile, "--invoices", dir, "--out", out)
	if err != nil || !strings.Contains(text, "2 firms as of 2026-02-05") || !strings.Contains(text, "refused for the date: 1, first on line 4") {
		t.Error(text, err)
	}
	table, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(string(table)), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[1], "E2,2026-01-04,2026-01-05,2,1,1,113.00,56.50,") || !strings.HasPrefix(lines[2], "E10,") {
		t.Errorf("%s", table)
	}
	text, _, err = call(t, runChainProfile, filepath.Join(dir, "invoices_out.csv"), filepath.Join(dir, "invoices_in.csv"), "--as-of", "2026-01-31", "--json")
	var answer struct {
		Firms []profile.Firm `json:"firms"`
	}
	if err != nil || json.Unmarshal([]byte(text), &answer) != nil || len(answer.Firms) != 2 || answer.Firms[0].Margin == nil || *answer.Firms[0].Margin != 0.5 || answer.Firms[1].Unknown["margin"] != profile.NoInvoices {
		t.Error(text, err)
	}
	for _, args := range [][]string{{}, {filepath.Join(dir, "none.csv")}, {filepath.Join(dir, "firms.csv")}, {dir, "--as-of", "tomorrow"}} {
		if _, _, err := call(t, runChainProfile, args...); !errors.Is(err, fault.Invalid) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestFingerprintsCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dsn, salt, file := "sqlite:"+filepath.Join(dir, "furrow.db"), filepath.Join(dir, "salt"), filepath.Join(dir, "f.csv")
	if err := os.WriteFile(salt, []byte("sixteen bytes or more\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := call(t, runFingerprints, "check", "--db", dsn, "--salt", salt, "--publisher", "甲"); !errors.Is(err, fault.Invalid) {
		t.Errorf("a database that is not there: %v", err)
	}
	storetest.Open(t, dsn)
	text, _, err := call(t, runFingerprints, "export", file, "--db", dsn, "--salt", salt, "--publisher", "甲", "--json")
	if err != nil || !strings.Contains(text, `"fingerprints": 0`) {
		t.Error(text, err)
	}
	body := "hash,publisher,published\n" + strings.Repeat("ab", 32) + ",乙,2026-01-05\n"
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 fingerprints, 1 of them new", "1 fingerprints, 0 of them new"} {
		if text, _, err := call(t, runFingerprints, "import", file, "--db", dsn); err != nil || !strings.Contains(text, want) {
			t.Error(text, err)
		}
	}
	if text, _, err := call(t, runFingerprints, "check", "--db", dsn, "--salt", salt, "--publisher", "甲"); err != nil || text != "" {
		t.Error(text, err)
	}
	short := filepath.Join(dir, "short")
	if err := os.WriteFile(short, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{}, {"export"}, {"check", "x"}, {"burn", "x"}, {"check", "--db", dsn}, {"check", "--db", dsn, "--salt", short, "--publisher", "甲"}, {"import", salt, "--db", dsn},
	} {
		if _, _, err := call(t, runFingerprints, args...); !errors.Is(err, fault.Invalid) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestProfileImportRefuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "accounts.csv")
	if err := os.WriteFile(file, []byte("borrower,month,in,out\nwang,2026-05,1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	for want, args := range map[string][]string{
		"say bureau FILE or bank FILE":  {"cows", file, "--as", "officer"},
		"say who brings it: --as LOGIN": {"bank", file},
		"nobody":                        {"bank", file, "--as", "nobody", "--data", data},
	} {
		if text, _, err := call(t, runProfileImport, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %q, %v", args, text, err)
		}
	}
}
