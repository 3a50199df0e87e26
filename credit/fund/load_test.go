package fund_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit/fund"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/money"
)

const sound = `capital: {tier1_net_fen: 100, loans_fen: 100, as_of: "2025-12-31", source: report}
funders:
  - {code: own, kind: own, name: {zh-CN: 本行, en: Bank}}
  - {code: p, kind: partner, name: {zh-CN: 他行, en: Other}}
  - {code: g, kind: guarantor, name: {zh-CN: 担保, en: Guarantor}, net_assets_fen: 10, as_of: "2025-12-31", source: accounts}
  - {code: pool, kind: pool, name: {zh-CN: 池, en: Pool}}
agreements:
  - code: a
    name: {zh-CN: 甲, en: A}
    products: [x]
    from: "2026-01-01"
    until: "2026-12-31"
    internet: true
    parties: [{funder: own, share_bp: 7000}, {funder: p, share_bp: 3000}]
    pool: {funder: pool, share_bp: 10000, cap_fen: 5}
    guarantor: {funder: g, share_bp: 8000}
    trigger_days: 90
`

func products() []product.Product { return []product.Product{{Code: "x"}} }

func TestBuiltInFundersAreSound(t *testing.T) {
	t.Parallel()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	all, err := product.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	c, err := fund.Load(files, all.All())
	if err != nil {
		t.Fatal(err)
	}
	on := money.NewDate(2026, 5, 20)
	terms, _, err := c.Terms("cold_chain", "", on, 1e7, money.BP(500))
	if err != nil || len(terms.Parties) != 2 || terms.Agreement != "cold_chain_joint" || !terms.Internet {
		t.Errorf("%+v %v", terms, err)
	}
	if terms, _, err = c.Terms("startup", "", on, 1e7, money.BP(410)); err != nil || terms.Guarantor == nil || terms.Pool == nil || terms.Subsidy == nil || terms.TriggerDays != 90 {
		t.Errorf("%+v %v", terms, err)
	}
	if _, _, err = c.Terms("cold_chain", "", on, 1e7, money.BP(300)); !errors.Is(err, fund.ErrRate) {
		t.Errorf("a partner above the price of the loan: %v", err)
	}
}

func TestVersionsByDate(t *testing.T) {
	t.Parallel()
	_, agreement, _ := strings.Cut(sound, "agreements:\n")
	next := strings.Replace(agreement, `from: "2026-01-01"`, `from: "2027-01-01"`, 1)
	next = strings.Replace(strings.Replace(next, "    until: \"2026-12-31\"\n", "", 1), "7000", "6000", 1)
	next = strings.Replace(next, "3000", "4000", 1)
	c, err := fund.Parse([]byte(sound+next), products())
	if err != nil {
		t.Fatal(err)
	}
	for on, want := range map[money.Date]int64{
		money.NewDate(2025, 12, 31): 10_000, money.NewDate(2026, 1, 1): 7000, money.NewDate(2026, 12, 31): 7000, money.NewDate(2027, 1, 1): 6000,
	} {
		if terms, _, err := c.Terms("x", "", on, 100, 0); err != nil || terms.Parties[0].Shares.Principal != want {
			t.Errorf("on %s: %+v %v", on, terms, err)
		}
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to, why string }{
		{"share_bp: 3000}", "share_bp: 2999}", "must sum to 10000, these sum to 9999"},
		{"share_bp: 7000}, {funder: p, share_bp: 3000}", "share_bp: 7500}, {funder: p, share_bp: 2500}", "at least 3000 of 10000"},
		{"share_bp: 7000}, {funder: p, share_bp: 3000}", "share_bp: 10001}, {funder: p, share_bp: -1}", "between 0 and 10000"},
		{"{funder: p, share_bp: 3000}", "{funder: q, share_bp: 3000}", "there is no funder q"},
		{"{funder: p, share_bp: 3000}", "{funder: g, share_bp: 3000}", "g is a guarantor and does not lend"},
		{"{funder: p, share_bp: 3000}", "{funder: own, share_bp: 3000}", "stands twice"},
		{"{funder: own, share_bp: 7000}, {funder: p, share_bp: 3000}", "{funder: p, share_bp: 3000}, {funder: own, share_bp: 7000}", "the own bank comes first"},
		{"{funder: p, share_bp: 3000}", "{funder: p, share_bp: 3000, fee_bp: 1}", "shares of the fees must sum to 10000"},
		{"{funder: p, share_bp: 3000}", "{funder: p, share_bp: 3000, rate_bp: 10, servicer_bp: 20}", "pay more for servicing than it gets"},
		{"{funder: own, share_bp: 7000}", "{funder: own, share_bp: 7000, rate_bp: 10}", "the lead has no rate"},
		{"cap_fen: 5", "cap_fen: 0", "a pool has a cap"},
		{"cap_fen: 5", "cap_bp: 500", "a base: disbursed or outstanding"},
		{"cap_fen: 5", "cap_fen: -5", "a pool has a cap"},
		{"funder: pool, share_bp: 10000", "funder: g, share_bp: 10000", "g is a guarantor, not a pool"},
		{"funder: g, share_bp: 8000", "funder: g, share_bp: 0", "between 1 and 10000"},
		{"until: \"2026-12-31\"", "until: \"2025-12-31\"", "not before from"},
		{"from: \"2026-01-01\"", "from: \"2026-02-30\"", "from is a date"},
		{"products: [x]", "products: [y]", "there is no product y"},
		{"trigger_days: 90", "trigger_days: -1", "trigger_days"},
		{"net_assets_fen: 10", "net_assets_fen: 0", "net_assets_fen above zero"},
		{"net_assets_fen: 10", "net_assets_fen: 10, multiple: 16", "第十五条"},
		{"tier1_net_fen: 100", "tier1_net_fen: 0", "tier1_net_fen"},
		{"kind: partner", "kind: friend", "kind must be"},
		{"trigger_days: 90", "colour: red", "field colour not found"},
		{"code: p, kind", "code: own, kind", "stands twice"},
	} {
		_, err := fund.Parse([]byte(strings.Replace(sound, c.from, c.to, 1)), products())
		if !errors.Is(err, fund.ErrFile) || !strings.Contains(err.Error(), c.why) || !strings.Contains(err.Error(), "funders.yaml:") {
			t.Errorf("%s for %s: %v", c.to, c.from, err)
		}
	}
	if _, err := fund.Parse([]byte(sound), products()); err != nil {
		t.Error(err)
	}
	_, agreement, _ := strings.Cut(sound, "agreements:\n")
	_, err := fund.Parse([]byte(sound+agreement), products())
	if !errors.Is(err, fund.ErrFile) || !strings.Contains(err.Error(), "overlaps") {
		t.Errorf("two agreements at a time: %v", err)
	}
	unknown := products()
	unknown[0].RiskPool = &product.RiskPool{Code: "nowhere"}
	if _, err := fund.Parse([]byte(sound), unknown); !errors.Is(err, fund.ErrFile) || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("a product with an unknown pool: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sound)
	f.Add("funders: [{}]")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := fund.Parse([]byte(text), products())
		if err != nil {
			return
		}
		for _, a := range c.Agreements {
			var sum int64
			for _, p := range a.Parties {
				sum += p.ShareBP
			}
			if sum != 10_000 {
				t.Errorf("%s: shares of %d are taken", a.Code, sum)
			}
		}
	})
}

// The figures of a small bank: 1,000,000 yuan of capital bound its part with one partner
// to 250,000, parties of one group together.
func TestBoundsOfOneGroup(t *testing.T) {
	t.Parallel()
	c, err := fund.Parse([]byte(strings.NewReplacer("tier1_net_fen: 100, loans_fen: 100", "tier1_net_fen: 100000000, loans_fen: 60000000",
		"{code: p, kind: partner,", "{code: q, kind: trust, group: one, name: {zh-CN: 信托, en: Trust}}\n  - {code: p, kind: partner, group: one,").Replace(sound)), products())
	if err != nil {
		t.Fatal(err)
	}
	terms, _, err := c.Terms("x", "", money.NewDate(2026, 5, 1), 10_000_000, 0)
	if err != nil {
		t.Fatal(err)
	}
	terms.Guarantor = nil
	e := fund.Exposure{Own: map[string]money.Fen{"q": 18_000_000}, All: 18_000_000}
	if err := c.Admit(terms, e, nil); err != nil {
		t.Errorf("exactly a quarter: %v", err)
	}
	e.Own["q"]++
	if err := c.Admit(terms, e, nil); !errors.Is(err, fund.ErrBound) || !strings.Contains(err.Error(), "第三条") {
		t.Errorf("a fen above: %v", err)
	}
	e = fund.Exposure{All: 23_000_001}
	if err := c.Admit(terms, e, nil); !errors.Is(err, fund.ErrBound) || !strings.Contains(err.Error(), "第四条") {
		t.Errorf("above half of all loans: %v", err)
	}
}

// A guarantor with net assets of 1,000,000 yuan: 10 million in all, 100,000 for one debtor,
// 150,000 with those related to it.
func TestBoundsOfAGuarantor(t *testing.T) {
	t.Parallel()
	c, err := fund.Parse([]byte(strings.Replace(sound, "net_assets_fen: 10", "net_assets_fen: 100000000", 1)), products())
	if err != nil {
		t.Fatal(err)
	}
	terms := func(principal money.Fen) fund.SharingTerms {
		return fund.SharingTerms{Principal: principal, Debtor: "d", Parties: []fund.Lender{{Code: "own", Shares: shares(10_000)}}, Guarantor: &fund.LossBearer{Code: "g", ShareBP: 8000}}
	}
	related := func(d string) []string { return []string{"d", "sister"} }
	owes := func(by map[string]money.Fen) fund.Exposure {
		return fund.Exposure{Liability: map[string]map[string]money.Fen{"g": by}}
	}
	for _, x := range []struct {
		principal money.Fen
		by        map[string]money.Fen
		article   string
	}{
		{12_500_000, nil, ""},
		{12_500_002, nil, "10%"},
		{6_250_000, map[string]money.Fen{"d": 5_000_000, "sister": 5_000_000}, ""},
		{6_250_000, map[string]money.Fen{"d": 5_000_000, "sister": 5_000_001}, "15%"},
		{1_250_000, map[string]money.Fen{"other": 999_000_000}, ""},
		{1_250_002, map[string]money.Fen{"other": 999_000_000}, "第十五条"},
	} {
		err := c.Admit(terms(x.principal), owes(x.by), related)
		if x.article == "" && err != nil || x.article != "" && (!errors.Is(err, fund.ErrBound) || !strings.Contains(err.Error(), x.article)) {
			t.Errorf("%d beside %v: %v, want %q", x.principal, x.by, err, x.article)
		}
	}
}
