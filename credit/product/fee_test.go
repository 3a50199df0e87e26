package product_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/product"
)

func TestFeesHaveTheirLine(t *testing.T) {
	t.Parallel()
	const good = "{code: valuation, name: {zh-CN: 评估费, en: Valuation}, payee: agency, when: signing, fen: 2000}"
	for name, c := range map[string]struct{ fee, why string }{
		"right":          {good, ""},
		"deducted":       {strings.TrimSuffix(good, "}") + ", deducted: true}", "may not be deducted"},
		"code":           {strings.Replace(good, "valuation", "Valuation!", 1), "small letters"},
		"name":           {strings.Replace(good, "zh-CN: 评估费, ", "", 1), "name in zh-CN and en"},
		"moment":         {strings.Replace(good, "signing", "someday", 1), "when must be"},
		"payee":          {strings.Replace(good, "agency", "cousin", 1), "payee must be"},
		"no guarantor":   {strings.Replace(good, "agency", "guarantor", 1), "surety of kind company"},
		"two bases":      {strings.Replace(good, "fen: 2000", "fen: 2000, year_bp: 5", 1), "one of fen, share_bp and year_bp"},
		"no base":        {strings.Replace(good, ", fen: 2000", "", 1), "one of fen, share_bp and year_bp"},
		"below zero":     {strings.Replace(good, "fen: 2000", "fen: -1", 1), "above zero"},
		"too much":       {strings.Replace(good, "fen: 2000", "share_bp: 1001", 1), "at most 1000"},
		"unknown field":  {strings.Replace(good, "fen: 2000", "cents: 2000", 1), "no field cents"},
		"costs too much": {strings.Replace(good, "fen: 2000", "share_bp: 1000", 1), "24% is the most"},
	} {
		text := whole + "    fees:\n      - " + c.fee + "\n"
		cat, err := product.Parse([]byte(text))
		if c.why == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if p, _ := cat.Product("a"); len(p.Fees) != 1 || p.Fees[0].Fen != 2_000 {
				t.Errorf("%s: %+v", name, p.Fees)
			}
			continue
		}
		at := fmt.Sprintf("products.yaml:%d: ", strings.Count(text, "\n"))
		if !errors.Is(err, product.ErrFile) || !strings.Contains(err.Error(), c.why) || !strings.Contains(err.Error(), at) {
			t.Errorf("%s: %v, want %q at %s", name, err, c.why, at)
		}
	}
	twice := whole + "    fees:\n      - " + good + "\n      - " + good + "\n"
	if _, err := product.Parse([]byte(twice)); err == nil || !strings.Contains(err.Error(), "stands twice") {
		t.Errorf("one fee twice: %v", err)
	}
	credit := strings.Replace(twice, "class: pledge", "class: credit", 1)
	if _, err := product.Parse([]byte(credit)); err == nil || !strings.Contains(err.Error(), "something to value") {
		t.Errorf("a valuation of nothing: %v", err)
	}
}
