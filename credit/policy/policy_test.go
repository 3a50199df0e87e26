package policy_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/policy"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
)

var taken = time.Date(2026, 7, 20, 4, 0, 0, 0, time.UTC)

// builtin compiles the built-in policies once for all tests.
var builtin = sync.OnceValues(func() (*policy.Set, *product.Catalogue) {
	fsys, err := catalog.Open("")
	if err != nil {
		panic(err)
	}
	set, err := policy.Load(fsys)
	if err != nil {
		panic(err)
	}
	products, err := product.Load(fsys)
	if err != nil {
		panic(err)
	}
	return set, products
})

func load(testing.TB) (*policy.Set, *product.Catalogue) { return builtin() }

// plot is a sound plot: 20,000 yuan of summer maize at the least, seen well and lately.
func plot() credit.Evidence {
	clear := taken.AddDate(0, 0, -6)
	return credit.Evidence{
		Applicant: credit.Applicant{UserID: "u", Name: "Wang", Kind: "person", Age: 45, Region: "410927"},
		Exposure:  &credit.Exposures{},
		Subject:   credit.Subject{Kind: credit.PlotSubject, ID: "p"},
		Product:   "crop", Asked: 2_000_000, TermMonths: 9, AreaM2: 10_000, TakenAt: taken,
		Crop: &geo.CropReport{
			PlotID: "p", Status: geo.Known, AreaM2: 10_000, Mu: 15, Crop: "summer_maize", Declared: "summer_maize",
			Confidence: 0.93, Vigour: 1.02, ClearDates: 14, TotalDates: 20, LastClear: &clear,
			Worth: &geo.Worth{Low: 2_000_000, Middle: 2_400_000, High: 2_900_000},
		},
	}
}

func herd() credit.Evidence {
	heard := taken.Add(-time.Minute)
	return credit.Evidence{
		Applicant: credit.Applicant{UserID: "u", Kind: "person", Age: 45, Region: "410927"}, Exposure: &credit.Exposures{},
		Subject: credit.Subject{Kind: credit.HerdSubject, ID: "h"},
		Product: "herd", Asked: 20_000_000, TermMonths: 12, TakenAt: taken,
		Herd: &iot.HerdReport{
			HerdID: "h", Status: "known", Registered: 100, Verified: 99, Tagged: 99, Unverified: 1,
			Value: 60_000_000, ValueLow: 50_000_000, LastHeard: &heard,
			Count: iot.HerdCount{Status: "known", Tags: 99, Estimate: 99, Low: 96, High: 102, LastAt: &heard},
		},
	}
}

func firm() credit.Evidence {
	monthly := make([]money.Fen, 12)
	for i := range monthly {
		monthly[i] = 20_000_000
	}
	return credit.Evidence{
		Applicant: credit.Applicant{UserID: "u", Kind: "firm", Region: "410927"}, Exposure: &credit.Exposures{},
		Subject: credit.Subject{Kind: credit.FirmSubject, ID: "f"},
		Product: "order", Asked: 40_000_000, TermMonths: 6, TakenAt: taken,
		Standing: &chain.Standing{
			FirmID: "f", Status: "known", Invoiced12m: 240_000_000, Monthly: monthly, Proven: 0.95,
			Counterparties: 5, Confidence: 0.9, MadeAt: taken,
			Anchors: []chain.AnchorShare{{AnchorID: "a", Tier: 1, Share: 0.8, Months: 24}},
		},
	}
}

func decide(tb testing.TB, ev credit.Evidence) credit.Decision {
	tb.Helper()
	set, products := load(tb)
	p, err := products.Product(ev.Product)
	if err != nil {
		tb.Fatal(err)
	}
	d, err := set.Decide(ev, p, nil, taken)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func has(d credit.Decision, code string) bool {
	for _, r := range d.Reasons {
		if r.Code == code {
			return true
		}
	}
	return false
}

func TestDecideOffersOnSoundEvidence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ev    credit.Evidence
		limit money.Fen
		rate  money.Rate
	}{
		"plot": {plot(), 1_400_000, money.BP(435)},  // 20,000 × 70 %
		"herd": {herd(), 20_000_000, money.BP(480)}, // asked; 300,000 possible
		"firm": {firm(), 40_000_000, money.BP(450)}, // asked; 480,000 possible
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := decide(t, c.ev)
			if d.Outcome != credit.Offer || d.Limit != c.limit || d.Rate != c.rate {
				t.Fatalf("got %s %s at %s: %+v", d.Outcome, d.Limit, d.Rate, d.Reasons)
			}
			if d.Score < 700 {
				t.Errorf("score %d of a sound case", d.Score)
			}
		})
	}
}

func TestDecideByRule(t *testing.T) {
	t.Parallel()
	old := taken.AddDate(0, 0, -60)
	tests := []struct {
		code    string
		ev      func() credit.Evidence
		change  func(*credit.Evidence)
		outcome credit.Outcome
	}{
		{"plot.pledged", plot, func(e *credit.Evidence) { e.Pledged = "other" }, credit.Refuse},
		{"plot.overlap", plot, func(e *credit.Evidence) { e.Overlaps = []geo.Overlap{{PlotID: "q", Share: 0.101}} }, credit.Refuse},
		{"plot.small_overlap", plot, func(e *credit.Evidence) { e.Overlaps = []geo.Overlap{{PlotID: "q", Share: 0.10}} }, credit.Refer},
		{"plot.never_sown", plot, func(e *credit.Evidence) { e.Crop.Hazards = []geo.Hazard{{Kind: geo.NeverSown, Share: 1}} }, credit.Refuse},
		{"plot.never_sown", plot, func(e *credit.Evidence) { e.Crop.Crop = "fallow" }, credit.Refuse},
		{"plot.harvested", plot, func(e *credit.Evidence) { e.Crop.Hazards = []geo.Hazard{{Kind: geo.EarlyHarvest, Share: 1}} }, credit.Refuse},
		{"plot.drowned", plot, func(e *credit.Evidence) { e.Crop.Hazards = []geo.Hazard{{Kind: geo.Flood, Share: 0.7}} }, credit.Refuse},
		{"plot.damage", plot, func(e *credit.Evidence) { e.Crop.Hazards = []geo.Hazard{{Kind: geo.Drought, Share: 0.2}} }, credit.Offer},
		{"plot.below_min", plot, func(e *credit.Evidence) { e.Crop.Worth.Low = 100_000 }, credit.Refuse},
		{"plot.no_report", plot, func(e *credit.Evidence) { e.Crop = nil }, credit.Refer},
		{"plot.unknown", plot, func(e *credit.Evidence) { e.Crop = &geo.CropReport{Status: geo.Unknown, Reason: "cloud"} }, credit.Refer},
		{"plot.unsure", plot, func(e *credit.Evidence) { e.Crop.Status = geo.LowConfidence }, credit.Refer},
		{"plot.not_as_declared", plot, func(e *credit.Evidence) { e.Crop.Declared = "rice" }, credit.Refer},
		{"plot.no_worth", plot, func(e *credit.Evidence) { e.Crop.Worth = nil }, credit.Refer},
		{"plot.area_mismatch", plot, func(e *credit.Evidence) { e.AreaM2 = 9_000 }, credit.Refer},
		{"plot.alerts", plot, func(e *credit.Evidence) { e.Alerts = []string{"flood"} }, credit.Refer},
		{"plot.overdue_short", plot, func(e *credit.Evidence) { e.Applicant.WorstOverdueDays = 90 }, credit.Refer},
		{"plot.overdue_long", plot, func(e *credit.Evidence) { e.Applicant.WorstOverdueDays = 91 }, credit.Refuse},
		{"plot.evidence_age", plot, func(e *credit.Evidence) { e.Crop.LastClear = &old }, credit.Offer},
		{"plot.evidence_thin", plot, func(e *credit.Evidence) { e.Crop.ClearDates = 5 }, credit.Offer},
		{"plot.large", plot, func(e *credit.Evidence) { e.Crop.Worth.Low, e.Asked = 20_000_000, 20_000_000 }, credit.Refer},
		{"herd.few_verified", herd, func(e *credit.Evidence) { e.Herd.Verified = 49 }, credit.Refuse},
		{"herd.unknown", herd, func(e *credit.Evidence) { e.Herd = &iot.HerdReport{Status: "unknown", Reason: "silent"} }, credit.Refer},
		{"herd.no_report", herd, func(e *credit.Evidence) { e.Herd = nil }, credit.Refer},
		{"herd.alerts", herd, func(e *credit.Evidence) { e.Alerts = []string{"silence", "fence_exit"} }, credit.Refer},
		{"herd.counts_short", herd, func(e *credit.Evidence) {
			e.Herd.Status, e.Herd.Reason, e.Herd.Verified, e.Herd.Count.High = "low_confidence", "counts_short", 80, 80
		}, credit.Refer},
		{"herd.counts_short", herd, func(e *credit.Evidence) { e.Herd.Count.High = 98 }, credit.Refer},
		{"herd.tags_doubtful", herd, func(e *credit.Evidence) {
			e.Herd.Status, e.Herd.Reason, e.Herd.Integrity.Carrier = "low_confidence", "tags_doubtful", 6
		}, credit.Refer},
		{"herd.tags_doubtful", herd, func(e *credit.Evidence) { e.Herd.Integrity.TwoTags = 1 }, credit.Refer},
		{"herd.tags_doubtful", herd, func(e *credit.Evidence) { e.Herd.Integrity.TwoPlaces = 1 }, credit.Refer},
		{"herd.tags_doubtful", herd, func(e *credit.Evidence) { e.Herd.Integrity.Impostors = 1 }, credit.Refer},
		{"herd.unsure", herd, func(e *credit.Evidence) { e.Herd.Status, e.Herd.Reason = "low_confidence", "price_old" }, credit.Refer},
		{"herd.uncounted", herd, func(e *credit.Evidence) { e.Herd.Count = iot.HerdCount{Status: "unknown", Reason: "no_counts"} }, credit.Refer},
		{"herd.uncounted", herd, func(e *credit.Evidence) { e.Herd.Count = iot.HerdCount{} }, credit.Refer},
		{"herd.counted", herd, func(e *credit.Evidence) {
			e.Herd.Count, e.Asked = iot.HerdCount{}, 10_000_000
			e.Herd.ValueLow = 15_000_000
		}, credit.Offer},
		{"herd.sick", herd, func(e *credit.Evidence) { e.Herd.Health.Fever = 4; e.Herd.ValueLow = 30_000_000 }, credit.Offer},
		{"herd.alerts", herd, func(e *credit.Evidence) { e.Alerts = []string{"count_short"} }, credit.Refer},
		{"herd.large", herd, func(e *credit.Evidence) { e.Herd.ValueLow, e.Asked = 90_000_000, 90_000_000 }, credit.Refer},
		{"firm.invoice_reused", firm, func(e *credit.Evidence) { e.Standing.Findings = []chain.Finding{{Kind: chain.InvoiceReused}} }, credit.Refuse},
		{"firm.circular_trade", firm, func(e *credit.Evidence) { e.Standing.Findings = []chain.Finding{{Kind: chain.CircularTrade}} }, credit.Refuse},
		{"firm.unmatched", firm, func(e *credit.Evidence) { e.Standing.Findings = []chain.Finding{{Kind: chain.UnmatchedFlow}} }, credit.Refer},
		{"firm.invoice_withdrawn", firm, func(e *credit.Evidence) { e.Standing.Findings = []chain.Finding{{Kind: chain.InvoiceWithdrawn}} }, credit.Refer},
		{"firm.over_capacity", firm, func(e *credit.Evidence) { e.Standing.Findings = []chain.Finding{{Kind: chain.OverCapacity}} }, credit.Refer},
		{"firm.cash_returned", firm, func(e *credit.Evidence) { e.Standing.Findings = []chain.Finding{{Kind: chain.CashReturned}} }, credit.Refer},
		{"firm.related_parties", firm, func(e *credit.Evidence) { e.Standing.Findings = []chain.Finding{{Kind: chain.RelatedParties}} }, credit.Refer},
		{"firm.proven", firm, func(e *credit.Evidence) { e.Standing.Proven = 0.6 }, credit.Offer},
		{"firm.no_standing", firm, func(e *credit.Evidence) { e.Standing = nil }, credit.Refer},
	}
	for _, c := range tests {
		t.Run(c.code, func(t *testing.T) {
			t.Parallel()
			ev := c.ev()
			c.change(&ev)
			d := decide(t, ev)
			if d.Outcome != c.outcome || !has(d, c.code) {
				t.Fatalf("want %s with %s, got %s: %+v", c.outcome, c.code, d.Outcome, d.Reasons)
			}
			if d.Outcome == credit.Refuse && d.Limit != 0 {
				t.Errorf("a refusal has limit %s", d.Limit)
			}
			if d.Outcome != credit.Offer && d.Reasons[0].Effect != string(d.Outcome) {
				t.Errorf("the first reason is %+v", d.Reasons[0])
			}
		})
	}
}

// Old and thin evidence never raises a limit.
func TestLimitFallsWithEvidence(t *testing.T) {
	t.Parallel()
	last := money.Fen(1 << 60)
	for _, age := range []int{0, 20, 21, 40, 41, 80, 81, 160, 161, 4000} {
		ev := plot()
		at := taken.AddDate(0, 0, -age)
		ev.Crop.LastClear = &at
		d := decide(t, ev)
		if d.Limit > last {
			t.Errorf("%d days: %s is more than %s", age, d.Limit, last)
		}
		last = d.Limit
	}
	if last != 700_000 { // 20,000 × 70 % × 50 %
		t.Errorf("the oldest evidence gives %s", last)
	}
}

func TestReasonsExplainTheLimit(t *testing.T) {
	t.Parallel()
	ev := plot()
	ev.Crop.Confidence, ev.Crop.ClearDates = 0.6, 5
	d := decide(t, ev)
	var sum money.Fen
	for _, r := range d.Reasons {
		sum += r.Amount
		if strings.Contains(r.Msg, "{") || r.Msg == "" {
			t.Errorf("%s reads %q", r.Code, r.Msg)
		}
	}
	if sum-sum%10_000 != d.Limit {
		t.Errorf("the reasons add up to %s, the limit is %s", sum, d.Limit)
	}
}

// The stored snapshot gives the same decision byte for byte.
func TestReplayIsExact(t *testing.T) {
	t.Parallel()
	set, products := load(t)
	for _, ev := range []credit.Evidence{plot(), herd(), firm()} {
		p, _ := products.Product(ev.Product)
		frozen, hash, err := credit.Canonical(ev)
		if err != nil {
			t.Fatal(err)
		}
		back, err := credit.Read(frozen)
		if err != nil {
			t.Fatal(err)
		}
		again, hash2, _ := credit.Canonical(back)
		if hash != hash2 || string(frozen) != string(again) {
			t.Errorf("canonical form is not stable:\n%s\n%s", frozen, again)
		}
		pol, _ := set.Policy(p.Policy)
		kept, err := policy.Parse("kept", pol.Source)
		if err != nil {
			t.Fatal(err)
		}
		first, _ := set.Decide(ev, p, nil, taken)
		second, err := kept.Decide(back, p, nil, taken)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(first)
		b, _ := json.Marshal(second)
		if string(a) != string(b) {
			t.Errorf("replay differs:\n%s\n%s", a, b)
		}
	}
}

func TestLocalise(t *testing.T) {
	t.Parallel()
	set, _ := load(t)
	ev := plot()
	ev.Pledged = "x"
	d := decide(t, ev)
	zh := set.Localise(d, "zh-CN")
	if zh.Reasons[0].Msg != "这块地已经为另一笔贷款作了抵押。" {
		t.Errorf("got %q", zh.Reasons[0].Msg)
	}
	named := set.Text("plot.not_as_declared", "zh-CN", map[string]string{"declared": "soybean", "crop": "summer_maize"})
	if named != "申报的是大豆，卫星看到的是夏玉米。" {
		t.Errorf("got %q", named)
	}
	listed := set.Text("herd.alerts", "zh-CN", map[string]string{"alerts": "fence_exit, tag_off"})
	if listed != "这个畜群有未处理的预警：越出围栏、耳标脱落或被剪。" {
		t.Errorf("got %q", listed)
	}
	if d.Reasons[0].Msg == zh.Reasons[0].Msg {
		t.Error("Localise changed its argument")
	}
	old := credit.Decision{Reasons: []credit.Reason{{Code: "gone", Msg: "kept"}}}
	if got := set.Localise(old, "zh-CN").Reasons[0].Msg; got != "kept" {
		t.Errorf("a reason of an older policy became %q", got)
	}
}

const good = `
name: t
version: "1"
subject: plot
limit:
  base: {code: b, fen: worth_low, en: b, zh: b}
  round_fen: 1
`

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"unknown name":   {good + `rules: [{code: r, effect: refuse, when: "wealth > 1", en: a, zh: b}]`, "unknown name wealth"},
		"not a boolean":  {good + `rules: [{code: r, effect: refuse, when: "asked + 1", en: a, zh: b}]`, "expected bool"},
		"clock":          {good + `rules: [{code: r, effect: refuse, when: "now().Year() > 1", en: a, zh: b}]`, "now"},
		"unknown field":  {good + `rulez: []`, "rulez"},
		"no zh":          {good + `rules: [{code: r, effect: refuse, when: "pledged", en: a}]`, "en and zh"},
		"effect":         {good + `rules: [{code: r, effect: maybe, when: "pledged", en: a, zh: b}]`, "effect must be"},
		"twice":          {good + `rules: [{code: b, effect: refuse, when: "pledged", en: a, zh: b}]`, "used twice"},
		"no last row":    {strings.Replace(good, "  round_fen", "  factors: [{code: f, en: a, zh: b, rows: [{when: pledged, bp: 1}]}]\n  round_fen", 1), "last row"},
		"zero divide":    {good + `rules: [{code: r, effect: refuse, when: "asked % debts == 1", en: a, zh: b}]`, "division by zero"},
		"not yaml":       {"\t", "found character"},
		"float for fen":  {strings.Replace(good, "worth_low", "proven", 1), "not an integer amount"},
		"name is absent": {strings.Replace(good, "name: t", "name: ''", 1), "name and a version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := policy.Parse("t.yaml", []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if _, err := policy.Parse("t.yaml", []byte(good)); err != nil {
		t.Error(err)
	}
}

func TestLoadRefusesTwoOfOneName(t *testing.T) {
	t.Parallel()
	_, err := policy.Load(fstest.MapFS{
		"policy/a.yaml": {Data: []byte(good)}, "policy/b.yaml": {Data: []byte(good)},
	})
	if err == nil {
		t.Error("two files of one name pass")
	}
}

// A table's bound belongs to the row that names it.
func TestBoundsHaveAnOutcome(t *testing.T) {
	t.Parallel()
	ev := plot()
	ev.Crop.Confidence = 0.85
	if d := decide(t, ev); has(d, "plot.confidence") {
		t.Error("0.85 must count in full")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := policy.Parse("f", b)
		if err == nil {
			if _, err := p.Decide(plot(), product.Product{}, nil, taken); err != nil && p == nil {
				t.Error(err)
			}
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	set, products := load(b)
	for name, ev := range map[string]credit.Evidence{"plot": plot(), "herd": herd(), "firm": firm()} {
		p, _ := products.Product(ev.Product)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := set.Decide(ev, p, nil, taken); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a herd is lent falls with every sick animal and with weaker counts, and never rises.
func TestHerdLimitFallsWithSicknessAndDoubt(t *testing.T) {
	t.Parallel()
	last := money.Fen(1 << 60)
	for sick := range 30 {
		ev := herd()
		ev.Asked, ev.Herd.Health.Fever, ev.Herd.Health.Still = 90_000_000, sick, sick/2
		d := decide(t, ev)
		if d.Limit > last {
			t.Errorf("%d sick: %s is more than %s", sick, d.Limit, last)
		}
		last = d.Limit
	}
	if last != 15_000_000 { // 500,000 × 60 % × 50 %
		t.Errorf("a sick herd is lent %s", last)
	}
	last = 1 << 60
	for _, status := range []string{"known", "low_confidence", "unknown", ""} {
		ev := herd()
		ev.Herd.Count.Status = status
		d := decide(t, ev)
		if ev.Asked = 90_000_000; d.Limit > last || has(d, "herd.uncounted") == (status == "known") {
			t.Errorf("count %q: %s after %s, %+v", status, d.Limit, last, d.Reasons)
		}
		last = d.Limit
	}
	small := herd()
	small.Asked, small.Herd.Count = 5_000_000, iot.HerdCount{Status: "unknown", Reason: "no_counts"}
	if d := decide(t, small); d.Outcome != credit.Offer {
		t.Errorf("a small loan without counts: %+v", d.Reasons)
	}
}
