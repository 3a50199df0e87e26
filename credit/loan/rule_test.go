package loan_test

import (
	"errors"
	"os"
	"testing"
	"testing/fstest"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/fault"
)

func TestLoadRulesRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"unknown field":       "back_dayz: 3\n",
		"negative":            "back_days: -1\n",
		"alone beyond all":    "back_days: 1\nalone_back_days: 2\n",
		"no roles":            "kinds: [{kind: repay}]\n",
		"unknown role":        "kinds: [{kind: repay, roles: [king]}]\n",
		"twice":               "kinds: [{kind: repay, roles: [officer]}, {kind: repay, roles: [officer]}]\n",
		"alone and up to":     "kinds: [{kind: repay, roles: [officer], alone: true, alone_up_to_fen: 5}]\n",
		"no yaml":             "kinds: [",
		"a list for a number": "back_days: [1]\n",
	} {
		if _, err := loan.LoadRules(fstest.MapFS{loan.RuleFile: {Data: []byte(text)}}); !errors.Is(err, loan.ErrRules) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever a file says, it is refused as a whole or gives rules that hold together.
func FuzzLoadRules(f *testing.F) {
	if b, err := os.ReadFile("../../catalog/" + loan.RuleFile); err == nil {
		f.Add(b)
	}
	f.Add([]byte("back_days: 30\nalone_back_days: 3\nkinds: [{kind: waive, roles: [officer], alone_up_to_fen: 100}]\n"))
	f.Add([]byte("kinds: [{kind: repay, roles: []}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := loan.LoadRules(fstest.MapFS{loan.RuleFile: {Data: text}})
		if err != nil {
			if fault.Kind(err) == nil || r != nil {
				t.Fatalf("%v with %+v", err, r)
			}
			return
		}
		if r.AloneBackDays > r.BackDays || r.AloneBackDays < 0 || r.ObservationMonths < 0 {
			t.Fatalf("%+v", r)
		}
		for _, k := range r.Kinds {
			if len(k.Roles) == 0 || k.AloneUpTo < 0 {
				t.Fatalf("%+v", k)
			}
			for _, role := range k.Roles {
				if role == access.Role("") {
					t.Fatalf("%+v", k)
				}
			}
		}
	})
}
