package policy_test

import (
	"encoding/json"
	"math"
	"reflect"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/credit/policy"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
)

func fen(t *rapid.T, most int64, name string) money.Fen {
	return money.Fen(rapid.Int64Range(0, most).Draw(t, name))
}

// sum is an amount that is large most of the time: small ones are what rapid draws by itself.
func sum(t *rapid.T, most int64, name string) money.Fen {
	if rarely(t, 5, name+" small") {
		return fen(t, most, name)
	}
	return money.Fen(most/100*int64(rapid.SampledFrom([]int{5, 10, 20, 30, 50, 70, 100}).Draw(t, name))) + fen(t, 99_999, name+" rest")
}

func share(t *rapid.T, name string) float64 {
	return float64(rapid.IntRange(0, 20).Draw(t, name)) / 20
}

// rarely is true once in n times.
func rarely(t *rapid.T, n int, name string) bool { return rapid.IntRange(1, n).Draw(t, name) == n }

// high is a share that is high most of the time, so that limits are left to look at.
func high(t *rapid.T, name string) float64 {
	if rarely(t, 3, name+" low") {
		return share(t, name)
	}
	return 0.75 + share(t, name)/4
}

func ago(t *rapid.T, most int, name string) time.Time {
	if !rarely(t, 3, name+" old") {
		most /= 10
	}
	return taken.AddDate(0, 0, -rapid.IntRange(0, most).Draw(t, name))
}

// anyEvidence draws evidence for a policy's subject: sound, thin, old, bad and missing.
func anyEvidence(t *rapid.T, kind credit.SubjectKind) credit.Evidence {
	who := map[credit.SubjectKind]string{credit.FirmSubject: "firm"}[kind]
	if who == "" {
		who = "person"
	}
	if rarely(t, 8, "other applicant") {
		who = rapid.SampledFrom([]string{"person", "firm", ""}).Draw(t, "kind")
	}
	ev := credit.Evidence{
		Applicant: credit.Applicant{
			UserID: "u", Kind: who, Age: rapid.IntRange(20, 58).Draw(t, "age"), Household: "h",
			Region:   rapid.SampledFrom([]string{"410927", "150102", "230000", ""}).Draw(t, "region"),
			Industry: rapid.SampledFrom([]string{"A0111", "A0141", "A0313", "A0314", "C1310", "F5112", ""}).Draw(t, "industry"),
		},
		Asked: sum(t, 500_000_000, "asked"), TermMonths: rapid.SampledFrom([]int{3, 6, 12, 24, 36}).Draw(t, "term"), AreaM2: 10_000, TakenAt: taken,
	}
	if rarely(t, 3, "has debts") {
		ev.Applicant.Debts = fen(t, 40_000_000, "debts")
	}
	if rarely(t, 6, "overdue here") {
		ev.Applicant.WorstOverdueDays = rapid.IntRange(1, 120).Draw(t, "overdue")
	}
	if !rarely(t, 6, "no exposure") {
		ev.Exposure = &credit.Exposures{Household: fen(t, 20_000_000, "household"), Region: fen(t, 1e9, "region debts"), Group: fen(t, 1e8, "group")}
	}
	subject(t, kind, &ev)
	if rapid.Bool().Draw(t, "bureau") {
		ev.Bureau = &credit.Bureau{At: ago(t, 60, "bureau at"), MonthlyDue: fen(t, 2e5, "due"), Queries6m: rapid.IntRange(0, 12).Draw(t, "queries")}
		if rarely(t, 3, "bad bureau") {
			ev.Bureau.OverdueMonths, ev.Bureau.OverdueNow = rapid.IntRange(0, 5).Draw(t, "overdue months"), fen(t, 1, "now")
			ev.Bureau.WorstOverdueDays = rapid.IntRange(0, 120).Draw(t, "worst")
		}
	}
	if rapid.Bool().Draw(t, "bank") {
		ev.Bank = &credit.Bank{At: ago(t, 90, "bank at")}
		for i := range rapid.IntRange(0, 14).Draw(t, "months") {
			ev.Bank.Months = append(ev.Bank.Months, credit.BankMonth{
				Month: taken.AddDate(0, i-14, 0).Format("2006-01"), In: sum(t, 1e8, "in"), Out: sum(t, 1e8, "out"),
			})
		}
	}
	return ev
}

func subject(t *rapid.T, kind credit.SubjectKind, ev *credit.Evidence) {
	if rarely(t, 12, "no report") {
		return
	}
	doubtful := rarely(t, 5, "doubtful")
	switch kind {
	case credit.PlotSubject:
		at := ago(t, 200, "clear")
		ev.Crop = &geo.CropReport{
			Status: geo.Known, Crop: rapid.SampledFrom([]string{"summer_maize", "rice", "cotton"}).Draw(t, "crop name"),
			Confidence: high(t, "confidence"), Vigour: high(t, "vigour") * 1.1, ClearDates: rapid.IntRange(0, 12).Draw(t, "dates"),
			TotalDates: 12, AreaM2: 10_000, Mu: 15, LastClear: &at,
			Hazards: []geo.Hazard{{Kind: geo.Flood, Share: 1 - high(t, "flood")}, {Kind: geo.EarlyHarvest, Share: 1 - high(t, "harvest")}},
		}
		if doubtful {
			ev.Crop.Status = rapid.SampledFrom([]geo.Status{geo.LowConfidence, geo.Unknown}).Draw(t, "crop status")
		}
		if !rarely(t, 8, "no worth") {
			ev.Crop.Worth = &geo.Worth{Low: sum(t, 40_000_000, "worth")}
		}
	case credit.HerdSubject:
		at := ago(t, 30, "heard")
		n := rapid.IntRange(1, 300).Draw(t, "registered")
		ev.Herd = &iot.HerdReport{
			Status: "known", Registered: n, Verified: int(float64(n) * high(t, "verified")), ValueLow: sum(t, 300_000_000, "value"), LastHeard: &at,
			Count:  iot.HerdCount{Status: rapid.SampledFrom([]string{"known", "known", "unknown", ""}).Draw(t, "count"), High: n},
			Health: iot.HerdHealth{Fever: rapid.IntRange(0, 8).Draw(t, "fever")},
		}
		if doubtful {
			ev.Herd.Status = rapid.SampledFrom([]string{"low_confidence", "unknown"}).Draw(t, "herd status")
		}
	default:
		ev.Standing = &chain.Standing{
			Status: "known", Invoiced12m: sum(t, 2e9, "invoiced"), Proven: high(t, "proven"), Confidence: high(t, "sure"), MadeAt: ago(t, 120, "made"),
		}
		if doubtful {
			ev.Standing.Status = rapid.SampledFrom([]string{"low_confidence", "unknown"}).Draw(t, "firm status")
		}
		for i := range 12 {
			ev.Standing.Monthly = append(ev.Standing.Monthly, sum(t, 2e8, string(rune('a'+i))))
		}
		for range rapid.IntRange(0, 2).Draw(t, "anchors") {
			ev.Standing.Anchors = append(ev.Standing.Anchors, chain.AnchorShare{
				Tier: rapid.IntRange(1, 2).Draw(t, "tier"), Share: share(t, "anchor share"), Months: rapid.IntRange(0, 36).Draw(t, "tenure"),
			})
		}
		if rapid.Bool().Draw(t, "turnover") {
			ev.Turnover = &credit.Turnover{Status: "known", History: 24}
			for i := range 12 {
				m := sum(t, 1e8, "forecast")
				ev.Turnover.Months = append(ev.Turnover.Months, credit.TurnoverMonth{Month: taken.AddDate(0, i, 0).Format("2006-01"), Middle: m, Low: m / 2})
			}
		}
	}
}

// shipped gives a policy and one of the products that use it, or those it extends.
func shipped(t *rapid.T) (*policy.Policy, product.Product) {
	set, products := builtin()
	p := rapid.SampledFrom(set.All()).Draw(t, "policy")
	var fit []product.Product
	for _, x := range products.All() {
		if x.Policy == p.Name || x.Policy == p.Extends {
			fit = append(fit, x)
		}
	}
	return p, rapid.SampledFrom(fit).Draw(t, "product")
}

// kept are the shipped policies as a replay reads them.
var kept = sync.OnceValue(func() map[string]*policy.Policy {
	out := map[string]*policy.Policy{}
	set, _ := builtin()
	for _, p := range set.All() {
		k, err := policy.Parse("kept", p.Source)
		if err != nil {
			panic(err)
		}
		out[p.Name] = k
	}
	return out
})

// A fact that becomes better, as the catalogue says which way that is, never lowers the
// limit of any shipped policy, and never turns an offer into less.
func TestBetterFactsNeverLowerALimit(t *testing.T) {
	t.Parallel()
	rank := map[credit.Outcome]int{credit.Refuse: 0, credit.Refer: 1, credit.Offer: 2}
	rapid.Check(t, func(t *rapid.T) {
		p, prod := shipped(t)
		ev := anyEvidence(t, p.Subject)
		ev.Product = prod.Code
		if rarely(t, 2, "without formula") {
			prod.Formula = nil // that reads evidence, not facts
		}
		facts := feature.Gather(ev, feature.Terms{Min: prod.MinFen, Max: prod.MaxFen})
		was, err := p.DecideOn(facts, ev, prod, nil, taken)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range feature.List() {
			if f.Direction == 0 || !f.Known(&facts) {
				continue
			}
			if k := f.Kind(); k == reflect.String || k == reflect.Slice {
				continue
			}
			changed := facts
			f.SetNum(&changed, improve(t, &f, f.Num(&facts)))
			is, err := p.DecideOn(changed, ev, prod, nil, taken)
			if err != nil {
				t.Fatal(err)
			}
			if is.Limit < was.Limit {
				t.Fatalf("%s: %s from %g to %g lowers the limit from %s to %s:\n%+v\n%+v",
					p.Name, f.Name, f.Num(&facts), f.Num(&changed), was.Limit, is.Limit, was.Reasons, is.Reasons)
			}
			if rank[is.Outcome] < rank[was.Outcome] && is.Limit <= was.Limit {
				t.Fatalf("%s: %s from %g to %g turns %s into %s:\n%+v", p.Name, f.Name, f.Num(&facts), f.Num(&changed), was.Outcome, is.Outcome, is.Reasons)
			}
		}
	})
}

func improve(t *rapid.T, f *feature.Feature, v float64) float64 {
	if f.Unit == feature.Yes {
		if f.Direction > 0 {
			return 1
		}
		return 0
	}
	by := float64(rapid.IntRange(1, 200).Draw(t, "by"))
	switch f.Unit {
	case feature.Fen:
		by *= 100_000
	case feature.Share, feature.Ratio:
		by /= 100
	}
	v += by * float64(f.Direction)
	if f.Unit != feature.Fen && f.Unit != feature.Ratio {
		v = max(v, 0)
	}
	if f.Unit == feature.Share {
		v = min(v, 1)
	}
	return v
}

// The same evidence gives the same bytes, after freezing too, and never an error.
func TestSameEvidenceSameBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, prod := shipped(t)
		ev := anyEvidence(t, p.Subject)
		frozen, _, err := credit.Canonical(ev)
		if err != nil {
			t.Fatal(err)
		}
		back, err := credit.Read(frozen)
		if err != nil {
			t.Fatal(err)
		}
		first, err := p.Decide(ev, prod, nil, taken)
		if err != nil {
			t.Fatal(err)
		}
		second, err := kept()[p.Name].Decide(back, prod, nil, taken)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(first)
		b, _ := json.Marshal(second)
		if string(a) != string(b) {
			t.Fatalf("differs:\n%s\n%s", a, b)
		}
		if first.Limit < 0 || first.Limit%100 != 0 || first.Outcome == credit.Offer && first.Limit > ev.Asked {
			t.Fatalf("limit %d of %d asked", first.Limit, ev.Asked)
		}
		for _, a := range first.Allowances {
			if first.Outcome != credit.Refuse && a.Amount < first.Limit || a.Binding && a.Amount-first.Limit > 10_000 && first.Outcome != credit.Refuse {
				t.Fatalf("allowance %+v of limit %s", a, first.Limit)
			}
		}
	})
}

// What would raise the limit raises it.
func TestRaisesHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, prod := shipped(t)
		prod.Formula = nil
		ev := anyEvidence(t, p.Subject)
		ev.Asked = 1e9
		was, err := p.Decide(ev, prod, nil, taken)
		if err != nil {
			t.Fatal(err)
		}
		raises, err := p.Raises(ev, prod, nil)
		if err != nil {
			t.Fatal(err)
		}
		last := money.Fen(math.MaxInt64)
		for _, r := range raises {
			if r.Amount <= 0 || r.Amount > last || r.Args["yuan"] != (was.Limit+r.Amount).String() {
				t.Fatalf("%+v on %s", r, was.Limit)
			}
			last = r.Amount
			if f, ok := feature.Find(r.Args["fact"]); !ok || !f.Actionable {
				t.Fatalf("nobody can change %s", r.Args["fact"])
			}
		}
	})
}

func TestRaises(t *testing.T) {
	t.Parallel()
	set, products := load(t)
	ev := herd()
	ev.Herd.Verified, ev.Herd.Tagged, ev.Asked = 80, 80, 100_000_000
	prod, _ := products.Product("herd")
	p, _ := set.Policy("herd")
	raises, err := p.Raises(ev, prod, nil)
	if err != nil || len(raises) == 0 {
		t.Fatal(raises, err)
	}
	r := raises[0]
	if r.Args["fact"] != "verified_share" || r.Args["from"] != "80%" || r.Args["to"] != "85%" {
		t.Errorf("got %+v", raises)
	}
	d := set.Localise(credit.Decision{Raises: raises}, "zh-CN")
	if want := "如果畜群核实率从 80% 变为 85%，额度可达 270000.00 元。"; d.Raises[0].Msg != want {
		t.Errorf("got %s, want %s", d.Raises[0].Msg, want)
	}
}

// Any evidence gets an answer from every shipped policy.
func FuzzDecide(f *testing.F) {
	for _, ev := range []credit.Evidence{plot(), herd(), firm(), {}} {
		b, _, err := credit.Canonical(ev)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	set, products := builtin()
	f.Fuzz(func(t *testing.T, b []byte) {
		ev, err := credit.Read(b)
		if err != nil || feature.Check(&ev) != nil {
			return
		}
		for _, prod := range products.All() {
			d, err := set.Decide(ev, prod, nil, taken)
			if err != nil || d.Limit < 0 || d.Outcome == "" {
				t.Fatalf("%s: %+v, %v", prod.Code, d, err)
			}
		}
	})
}

func BenchmarkRaises(b *testing.B) {
	set, products := builtin()
	for name, ev := range map[string]credit.Evidence{"plot": plot(), "herd": herd(), "firm": firm()} {
		prod, _ := products.Product(ev.Product)
		p, _ := set.Policy(name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Raises(ev, prod, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
