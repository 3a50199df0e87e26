package main

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/fault"
)

func contagionFiles(t *testing.T) (path func(name string) string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"links.csv":  "supplier,buyer,amount\ngrower,mill,300\ngrower,shop,100\nmill,bakery,500\nbakery,shop,900\n",
		"firms.csv":  "id,sector,size,owner\ngrower,A01,,\nmill,C13,,bakery\nbakery,C14,,\nshop,F52,,\n",
		"needs.csv":  "supplier_sector,buyer_sector,essential\nA,C,yes\nC13,C14,yes\n",
		"loans.csv":  "loan,firm,outstanding\nL1,grower,1000\nL2,shop,10.50\nL3,nobody,1\n",
		"owed.csv":   "debtor,creditor,amount\nA,B,10\nB,C,8\n",
		"has.csv":    "id,external\nA,12\nB,1\nC,0\n",
		"self.csv":   "supplier,buyer,amount\nmill,mill,3\n",
		"circle.csv": "id,owner\nmill,bakery\nbakery,mill\ngrower,\nshop,\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string { return filepath.Join(dir, name) }
}

// The bakery halves: the mill that sells to it alone loses half, the grower three
// quarters of that; the shop loses what the bakery is of its goods.
func TestContagionOfAnAnchor(t *testing.T) {
	t.Parallel()
	at := contagionFiles(t)
	text, _, err := call(t, runChainContagion, "--links", at("links.csv"), "--firms", at("firms.csv"), "--inputs", at("needs.csv"),
		"--shock", "bakery=0.5", "--loans", at("loans.csv"), "--json")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Index  float64
		Losses []struct {
			FirmID string `json:"firm_id"`
			Loss   float64
			Cause  struct{ Path []string }
		}
		Loans struct {
			Hit     int64
			Unknown []string
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Losses) != 4 || got.Losses[3].FirmID != "grower" || got.Losses[3].Loss != 0.375 || strings.Join(got.Losses[3].Cause.Path, " ") != "bakery mill grower" {
		t.Errorf("%+v", got.Losses)
	}
	if got.Loans.Hit != 375_00+472 || len(got.Loans.Unknown) != 1 || math.Abs(got.Index-850./1800) > 1e-9 {
		t.Errorf("%+v", got)
	}
	// With its group the mill is struck too, which changes nobody's loss but its reason.
	text, _, err = call(t, runChainContagion, "--links", at("links.csv"), "--firms", at("firms.csv"), "--inputs", at("needs.csv"), "--shock", "bakery=0.5", "--group")
	if err != nil || !strings.Contains(text, "shock  mill\n") {
		t.Error(err, text)
	}
	text, _, err = call(t, runChainContagion, "--links", at("links.csv"), "--each")
	if err != nil || len(strings.Split(strings.TrimSpace(text), "\n")) != 4 {
		t.Error(err, text)
	}
}

func TestContagionOfDebts(t *testing.T) {
	t.Parallel()
	at := contagionFiles(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--model", "en", "--shock", "A=0.5"}, "A fails 6.000000 of 10.000000 B fails 7.000000 of 8.000000 C pays 0.000000 of 0.000000"},
		{[]string{"--model", "rv", "--alpha", "0.5", "--beta", "0.5", "--shock", "A=0.5"}, "A fails 3.000000 of 10.000000 B fails 2.000000 of 8.000000 C pays 0.000000 of 0.000000"},
		{[]string{"--model", "en"}, "A pays 10.000000 of 10.000000 B pays 8.000000 of 8.000000 C pays 0.000000 of 0.000000"},
		{[]string{"--model", "debtrank", "--shock", "A=0.15"}, "A stress 0.150000 B stress 0.500000 C stress 0.500000"},
		{[]string{"--model", "single", "--shock", "A=0.15"}, "A stress 0.150000 B stress 0.150000 C stress 0.150000"},
	} {
		text, _, err := call(t, runChainContagion, append(c.args, "--liabilities", at("owed.csv"), "--assets", at("has.csv"))...)
		if err != nil {
			t.Error(c.args, err)
			continue
		}
		var got []string
		for _, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
			got = append(got, strings.Fields(strings.Split(line, "  equity")[0])...)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v: %s", c.args, text)
		}
	}
}

func TestContagionRefusesNonsense(t *testing.T) {
	t.Parallel()
	at := contagionFiles(t)
	for place, args := range map[string][]string{
		"self.csv:2:6":   {"--links", at("self.csv"), "--each"},
		"circle.csv:2:6": {"--links", at("links.csv"), "--firms", at("circle.csv"), "--each"},
		"none.csv":       {"--links", at("none.csv"), "--each"},
		"no firm X":      {"--links", at("links.csv"), "--shock", "X"},
		"at most 1":      {"--links", at("links.csv"), "--shock", "mill=2"},
		"--shock or":     {"--links", at("links.csv")},
		"esri wants":     {"--shock", "mill"},
		"en wants":       {"--model", "en", "--links", at("links.csv")},
		"--model is":     {"--model", "dsge"},
		"go with rv":     {"--model", "en", "--liabilities", at("owed.csv"), "--assets", at("has.csv"), "--alpha", "0.5"},
		"0 to 1":         {"--model", "rv", "--liabilities", at("owed.csv"), "--assets", at("has.csv"), "--alpha", "NaN"},
		"--tolerance":    {"--links", at("links.csv"), "--each", "--tolerance", "0"},
	} {
		text, _, err := call(t, runChainContagion, args...)
		if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), place) || text != "" {
			t.Errorf("%v: %v %s, want %s", args, err, text, place)
		}
	}
}
