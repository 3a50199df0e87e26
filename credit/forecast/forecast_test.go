package forecast_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/forecast"
	"github.com/furrowcredit/furrow/internal/realdata"
	"github.com/furrowcredit/furrow/money"

	"github.com/furrowcredit/furrow/chain/flow/profile"
)

// made draws a monthly series: level, slope and season move by innovations, noise is
// now and then large, and half of the series multiply. Nothing of it is one of the
// models that are fitted.
func made(r *rand.Rand, n int) []float64 {
	pick := func(from ...float64) float64 { return from[r.IntN(len(from))] }
	size, phase := pick(0, 0.03, 0.1, 0.25), 2*math.Pi*r.Float64()
	var season [12]float64
	for i := range season {
		season[i] = size * (0.6*math.Sin(2*math.Pi*float64(i)/12+phase) + 0.5*r.NormFloat64())
	}
	alpha, noise, drift := pick(0, 0.1, 0.3, 0.6, 1), pick(0.02, 0.05, 0.1, 0.2), pick(0, 0, 0.002, 0.005, -0.002)
	phi, beta, gamma, ar := pick(1, 0.9, 0.98), pick(0, 0, 0.01, 0.05), pick(0, 0.01, 0.1), pick(0, 0, 0.4, -0.3)
	logs := r.IntN(2) == 0
	level, slope, before := 1.0, drift, 0.0
	if logs {
		level = 0
	}
	y := make([]float64, n)
	for t := range y {
		e := noise * r.NormFloat64()
		if r.IntN(60) == 0 {
			e *= 3
		}
		if r.IntN(150) == 0 {
			level += 3 * noise * r.NormFloat64()
		}
		v := level + slope + season[t%12] + e + ar*before
		if logs {
			v = math.Exp(v)
		}
		y[t] = 5000 * math.Max(v, 0.05)
		before = e
		level, slope = level+slope+alpha*e, phi*(slope-drift)+drift+beta*e
		season[t%12] += gamma * e
	}
	return y
}

func madeSeries(seed uint64, n int) []forecast.Series {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]forecast.Series, n)
	for i := range out {
		out[i] = forecast.Series{ID: fmt.Sprint(i), Frequency: forecast.Monthly, Last: money.NewDate(2026, 5, 31), Values: made(r, 18+[]int{50, 70, 110, 220}[r.IntN(4)])}
	}
	return out
}

func TestCombinationBeatsTheta(t *testing.T) {
	t.Parallel()
	v, err := forecast.Validate(t.Context(), madeSeries(7, 250), 18, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", v)
	if v.Series != 250 || v.SMAPE >= v.Theta.SMAPE || v.MASE >= v.Theta.MASE || v.MASE >= v.SeasonalNaive.MASE {
		t.Errorf("not better than theta: %+v", v)
	}
	if v.Coverage80 < 0.75 || v.Coverage80 > 0.88 || v.Coverage95 < 0.90 || v.Coverage95 > 0.98 {
		t.Errorf("intervals hold %.3f and %.3f of what happened", v.Coverage80, v.Coverage95)
	}
}

func TestRealTurnoverBeatsTheta(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "credit", "cn_sme_invoices")
	book, err := profile.Read(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var series []forecast.Series
	for _, firm := range book.Firms() {
		var values []float64
		for _, m := range profile.Whole(profile.Series(book.Invoices(firm), money.NewDate(2019, 12, 31), 60)) {
			values = append(values, float64(m.Sales))
		}
		if len(values) >= 24 {
			series = append(series, forecast.Series{Frequency: forecast.Monthly, Values: values})
		}
	}
	v, err := forecast.Validate(t.Context(), series, 6, 12)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", v)
	if v.Series < 300 || v.SMAPE >= v.Theta.SMAPE || v.MASE >= v.Theta.MASE || v.MASE >= v.Naive.MASE || v.MASE >= v.SeasonalNaive.MASE {
		t.Errorf("not better than theta and naive: %+v", v)
	}
}

func TestForecastsAreTheSameEveryTime(t *testing.T) {
	t.Parallel()
	series := madeSeries(3, 12)
	first, err := forecast.All(t.Context(), series, 12, 0)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(series)
	second, err := forecast.All(t.Context(), series, 12, 0)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(second)
	if fmt.Sprint(first) != fmt.Sprint(second) {
		t.Error("the same series got other forecasts")
	}
}

// What any forecast must keep whatever the series: finite, ordered, never below zero
// when nothing was, and the unit of the values does not matter.
func TestForecastsOfOddSeries(t *testing.T) {
	t.Parallel()
	ramp, spike, lumpy := make([]float64, 40), make([]float64, 40), make([]float64, 40)
	for i := range ramp {
		ramp[i] = float64(i)
		if i%7 == 0 {
			lumpy[i] = 1e6
		}
	}
	spike[20] = 1e9
	for name, y := range map[string][]float64{
		"constant": slices.Repeat([]float64{5}, 30), "zeros": make([]float64, 20), "six values": {1, 2, 3, 4, 5, 6}, "ramp": ramp,
		"one spike": spike, "lumpy": lumpy, "negative": {-1, -2, -3, -2, -1, -2, -3, -4, -3, -2}, "tiny": {1e-9, 2e-9, 1e-9, 3e-9, 2e-9, 1e-9, 2e-9},
		"huge": {1e17, 2e17, 1e17, 3e17, 2e17, 1e17, 2e17, 1e17}, "halving": {1024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1},
	} {
		for _, m := range []int{1, 4, 12} {
			points := forecast.Fit(y, m).Outlook(24)
			for h, p := range points {
				if math.IsNaN(p.Middle) || math.IsInf(p.High95, 0) || p.Low95 > p.Low80 || p.Low80 > p.Middle || p.Middle > p.High80 || p.High80 > p.High95 {
					t.Fatalf("%s, season %d, lead %d: %+v", name, m, h+1, p)
				}
				if slices.Min(y) >= 0 && p.Low95 < 0 {
					t.Fatalf("%s: below zero: %+v", name, p)
				}
			}
		}
	}
	if p := forecast.Fit(slices.Repeat([]float64{5}, 30), 12).Outlook(1)[0]; p.Middle != 5 || p.Low95 != 5 || p.High95 != 5 {
		t.Errorf("constant series: %+v", p)
	}
}

func TestScaleDoesNotMatter(t *testing.T) {
	t.Parallel()
	y := made(rand.New(rand.NewPCG(5, 5)), 60)
	big := make([]float64, len(y))
	for i, v := range y {
		big[i] = v * 1024
	}
	a, b := forecast.Fit(y, 12).Outlook(6), forecast.Fit(big, 12).Outlook(6)
	for h := range a {
		if math.Abs(b[h].Middle/a[h].Middle/1024-1) > 1e-9 {
			t.Fatalf("lead %d: %v and %v", h+1, a[h], b[h])
		}
	}
}

func ExampleSMAPE() {
	fmt.Printf("%.2f %.2f\n", forecast.SMAPE([]float64{100, 50}, []float64{110, 50}), forecast.MASE([]float64{1, 2, 4, 3}, []float64{5, 6}, []float64{4, 4}, 1))
	// Output: 4.76 1.12
}

func trade(first string, sales ...float64) []chain.TradeMonth {
	var out []chain.TradeMonth
	d, _ := money.ParseDate(first + "-01")
	for i, v := range sales {
		out = append(out, chain.TradeMonth{Month: d.AddMonths(i).String()[:7], Sales: money.Fen(v)})
	}
	return out
}

func index(first string, values ...float64) []forecast.IndexPoint {
	var out []forecast.IndexPoint
	for _, m := range trade(first, values...) {
		out = append(out, forecast.IndexPoint{Month: m.Month, Value: float64(m.Sales)})
	}
	return out
}

func ExampleTurnover() {
	own := trade("2025-03", 900_000, 1_010_000, 990_000, 1_000_000, 1_020_000, 980_000, 1_000_000, 400_000)
	own[0].Partial, own[7].Partial = true, true
	t := forecast.Turnover(own, nil, nil, 1)
	fmt.Println(t.Status, t.History, t.Months[0].Month, math.Round(float64(t.Months[0].Middle)/100_000))
	fmt.Println(forecast.Turnover(own[:5], nil, nil, 1).Reason)
	// Output:
	// known 6 2025-10 10
	// too_short
}

func TestTurnoverAbstains(t *testing.T) {
	t.Parallel()
	for why, own := range map[string][]chain.TradeMonth{
		"too_short": trade("2025-03", 1, 2, 3, 4, 5),
		"no_sales":  trade("2025-03", 0, 0, 0, 0, 0, 0, 0),
	} {
		got := forecast.Turnover(own, nil, nil, 6)
		if got.Status != "unknown" || got.Reason != why || len(got.Months) != 0 {
			t.Errorf("%s: %+v", why, got)
		}
	}
	stopped := make([]float64, 30)
	copy(stopped, []float64{9, 8, 9, 7, 9, 8, 9, 7, 9})
	if got := forecast.Turnover(trade("2023-03", stopped...), nil, nil, 2); got.Reason != forecast.NoSales {
		t.Errorf("nothing sold for a year: %+v", got)
	}
	if got := forecast.Turnover(trade("2025-03", 100, -400, 50, 20, 10, 5), nil, nil, 2); got.Reason != forecast.NoSales {
		t.Errorf("more taken back than sold: %+v", got)
	}
}

// A firm that sells the same on every day that is not new year's holiday: the month of
// the holiday must be the low one, in whichever month it falls.
func TestTurnoverMovesWithTheNewYear(t *testing.T) {
	t.Parallel()
	share := func(d money.Date) float64 {
		days := float64(d.AddMonths(1) - d)
		from := forecast.NewYear(d.AddMonths(0).Start().AddDate(0, 0, 15).Year()) - 1
		return 1 - float64(max(0, min(d.AddMonths(1), from+7)-max(d, from)))/days
	}
	var sales []float64
	for i := range 44 { // 2022-05 to 2025-12
		sales = append(sales, 1e7*share(money.NewDate(2022, 5, 1).AddMonths(i)))
	}
	for _, months := range []int{8, 20, 32, 44} {
		for h, m := range forecast.Turnover(trade("2022-05", sales[:months]...), nil, nil, 3).Months {
			if want := 1e7 * share(money.NewDate(2022, 5, 1).AddMonths(months+h)); math.Abs(float64(m.Middle)/want-1) > 0.01 {
				t.Errorf("after %d months %s: %d, want %.0f", months, m.Month, m.Middle, want)
			}
		}
	}
}

// A young firm whose noise hides that it moves with its industry, or with the anchor that
// buys most of what it sells, is foretold nearer to what comes with them than alone.
func TestTurnoverLeansOnOthersWhereThatHelps(t *testing.T) {
	t.Parallel()
	noise := rand.New(rand.NewPCG(7, 7))
	var alone, industry, anchor float64
	used, firms := 0, 12
	for firm := range firms {
		monthly := []float64{1.05, 0.95}[firm%2]
		var moves, sales []float64
		for i := range 60 {
			moves = append(moves, 1000*math.Pow(monthly, float64(i)))
			sales = append(sales, 1e5*moves[i]*(0.6+0.8*noise.Float64()))
		}
		own, level := trade("2024-02", sales[42:54]...), index("2020-08", moves[:54]...)
		miss := func(got credit.Turnover) (sum float64) {
			for h, m := range got.Months {
				sum += math.Abs(float64(m.Middle)/(1e5*moves[54+h]) - 1)
			}
			return sum
		}
		a, b := forecast.Turnover(own, nil, nil, 6), forecast.Turnover(own, level, nil, 6)
		c := forecast.Turnover(own, nil, []forecast.AnchorSeries{{Share: 0.9, Months: level}}, 6)
		alone, industry, anchor = alone+miss(a), industry+miss(b), anchor+miss(c)
		if a.Outside != nil || b.Outside.Anchors || c.Outside.Industry {
			t.Errorf("%+v, %+v, %+v", a.Outside, b.Outside, c.Outside)
		}
		if o := b.Outside; o.Industry {
			used++
			if o.Error > 0.95*o.Alone || o.Weight < 0.2 || o.Origins != 8 {
				t.Errorf("%+v", o)
			}
		}
	}
	if used < firms/2 || industry > 0.85*alone || anchor > 0.85*alone {
		t.Errorf("%d of %d lean on their industry; off by %.3f alone, %.3f with it, %.3f with the anchor", used, firms, alone, industry, anchor)
	}
}

// Of real firms the sales of all others are a poor guide; leaning on them only where the
// firm's own past was told better does no harm.
func TestRealTurnoverIsNoWorseWithOthers(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "credit", "cn_sme_invoices")
	book, err := profile.Read(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	firms := map[string][]chain.TradeMonth{}
	for _, firm := range book.Firms() {
		if s := profile.Whole(profile.Series(book.Invoices(firm), money.NewDate(2019, 12, 31), 60)); len(s) >= 24 {
			firms[firm] = s
		}
	}
	const held = 6
	var alone, with float64
	n, used := 0, 0
	for i, firm := range slices.Sorted(maps.Keys(firms)) {
		if i%16 != 0 {
			continue
		}
		known := firms[firm][:len(firms[firm])-held]
		end := known[len(known)-1].Month
		sum, count := map[string]float64{}, map[string]float64{}
		for other, s := range firms {
			var mean float64
			for _, m := range s {
				mean += math.Abs(float64(m.Sales)) / float64(len(s))
			}
			for _, m := range s {
				if other != firm && m.Month <= end && mean > 0 {
					sum[m.Month] += math.Max(0, float64(m.Sales)/mean)
					count[m.Month]++
				}
			}
		}
		var level []forecast.IndexPoint
		for _, month := range slices.Sorted(maps.Keys(sum)) {
			level = append(level, forecast.IndexPoint{Month: month, Value: math.Round(1e6*sum[month]/count[month]) / 1e6})
		}
		a, b := forecast.Turnover(known, nil, nil, held), forecast.Turnover(known, level, nil, held)
		if a.Status != "known" {
			continue
		}
		n++
		if b.Outside.Industry || b.Outside.Season {
			used++
		}
		var scale float64
		for _, m := range known {
			scale += math.Abs(float64(m.Sales)) / float64(len(known))
		}
		for h, m := range firms[firm][len(known):] {
			alone += math.Min(10, math.Abs(float64(a.Months[h].Middle-m.Sales))/scale) / held
			with += math.Min(10, math.Abs(float64(b.Months[h].Middle-m.Sales))/scale) / held
		}
	}
	t.Logf("%d firms, %d lean on others: off by %.4f of mean sales alone, %.4f with others", n, used, alone/float64(n), with/float64(n))
	if n < 20 || with > 1.02*alone {
		t.Errorf("%d firms: %.4f alone, %.4f with others", n, alone, with)
	}
}

// Others that move against the firm count for nothing: the forecast is that of the
// firm's months alone, to the fen, and says what was tried.
func TestTurnoverStandsAloneWhereOthersMislead(t *testing.T) {
	t.Parallel()
	var grow, sales []float64
	for i := range 60 {
		grow = append(grow, 1000*math.Pow(1.05, float64(i)))
		sales = append(sales, 1e8*math.Pow(0.97, float64(i)))
	}
	own, level := trade("2020-08", sales[30:54]...), index("2018-02", grow[:54]...)
	alone := forecast.Turnover(own, nil, nil, 12)
	got := forecast.Turnover(own, level, []forecast.AnchorSeries{{Share: 0.5, Months: level}}, 12)
	if o := got.Outside; o == nil || o.Industry || o.Anchors || o.Season || o.Weight != 0 || o.Error != o.Alone {
		t.Errorf("%+v", o)
	}
	got.Outside = nil
	if d := cmp.Diff(alone, got); d != "" {
		t.Error(d)
	}
}

// What was known later changes nothing: points after the firm's last whole month are not
// looked at.
func TestTurnoverSeesNothingLater(t *testing.T) {
	t.Parallel()
	noise := rand.New(rand.NewPCG(3, 3))
	var level, sales []float64
	for i := range 60 {
		level = append(level, 1000*math.Pow(1.03, float64(i)))
		sales = append(sales, 1e5*level[i]*(0.8+0.4*noise.Float64()))
	}
	own := trade("2022-08", sales[24:48]...)
	then := forecast.Turnover(own, index("2020-08", level[:48]...), nil, 12)
	for i := 48; i < 60; i++ {
		level[i] *= 50
	}
	if d := cmp.Diff(then, forecast.Turnover(own, index("2020-08", level...), nil, 12)); d != "" {
		t.Error(d)
	}
}

func TestYoungFirmTakesTheSeasonOfItsIndustry(t *testing.T) {
	t.Parallel()
	var wave []float64
	for i := range 60 {
		wave = append(wave, 1000*(1+0.5*math.Sin(2*math.Pi*float64(i)/12)))
	}
	var own []float64
	for i := 48; i < 60; i++ {
		own = append(own, 1e5*wave[i])
	}
	got := forecast.Turnover(trade("2025-01", own...), index("2021-01", wave...), nil, 12)
	for h, m := range got.Months {
		if want := 1e5 * wave[h]; math.Abs(float64(m.Middle)/want-1) > 0.2 {
			t.Errorf("%s: %d, want about %.0f", m.Month, m.Middle, want)
		}
	}
}

func TestReadTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	rows := func(lines ...string) string { return "series_id,date,value\n" + strings.Join(lines, "\n") + "\n" }
	for name, c := range map[string]struct {
		in   string
		gaps forecast.Gaps
		want string
	}{
		"no column":     {"id,value\na,1\n", "", `t.csv:1:1: the table needs a column date; its first line has id, value`},
		"empty":         {"", "", "t.csv:1:1: the table cannot be read: it is empty"},
		"no rows":       {rows()[:21], "", "t.csv: the table cannot be read: it has no rows"},
		"no number":     {rows("a,2026-01,1", "a,2026-02,much"), "", `t.csv:3:11: "much" in column value cannot be used: it must be a number`},
		"no date":       {rows("a,2026-13,1"), "", `t.csv:2:3: "2026-13" in column date cannot be used: write it like 2026-05-31 or 2026-05`},
		"no id":         {rows(",2026-01,1"), "", `t.csv:2:1: "" in column series_id cannot be used: it is empty`},
		"too large":     {rows("a,2026-01,1e30"), "", `t.csv:2:11: "1e30" in column value cannot be used: it is too large`},
		"ragged":        {rows("a,2026-01"), "", "t.csv:2:1: the table cannot be read: wrong number of fields"},
		"same day":      {rows("a,2026-01,1", "a,2026-02,1", "a,2026-01,2"), "", "t.csv:4: series a has 2026-01-01 already, on line 2; leave one of them out"},
		"same month":    {rows("a,2026-01-01,1", "a,2026-02-01,1", "a,2026-02-20,1", "a,2026-03-01,1", "a,2026-04-01,1"), "", "t.csv:4: series a has 2026-02-20 already, on line 3; leave one of them out"},
		"no steps":      {rows("a,2026-01-01,1", "a,2026-01-16,1", "a,2026-01-31,1"), "", "t.csv:3: the dates of series a are not days, weeks, months, quarters or years: the distances between them differ too much"},
		"gap is unsaid": {rows("a,2026-01,1", "a,2026-02,1", "a,2026-03,1", "a,2026-05,1"), forecast.GapsRefused, "t.csv:5: series a has nothing for 1 steps before 2026-05-01; write the values, or say with --gaps what they are"},
	} {
		_, err := forecast.Read(strings.NewReader(c.in), "t.csv", c.gaps)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v\nwant %s", name, err, c.want)
		}
	}
}

func TestReadTakesAnyStep(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dates []string
		want  forecast.Frequency
	}{
		"days":       {[]string{"2026-02-27", "2026-02-28", "2026-03-01"}, forecast.Daily},
		"weeks":      {[]string{"2026-02-20", "2026-02-27", "2026-03-06"}, forecast.Weekly},
		"month ends": {[]string{"2026-01-31", "2026-02-28", "2026-03-31"}, forecast.Monthly},
		"with time":  {[]string{"2026-01-15T00:00:00Z", "2026-02-15 12:00", "2026-03-15"}, forecast.Monthly},
		"quarters":   {[]string{"2025-12-31", "2026-03-31", "2026-06-30"}, forecast.Quarterly},
		"years":      {[]string{"2023", "2024", "2025"}, forecast.Yearly},
	} {
		in := "date,value,series_id,note\n"
		for i, d := range c.dates {
			in += fmt.Sprintf("%s,%d,a,x\n", d, i)
		}
		got, err := forecast.Read(strings.NewReader(in), "t.csv", forecast.GapsMissing)
		if err != nil || len(got) != 1 || got[0].Frequency != c.want || len(got[0].Values) != 3 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestGapsAreWhatIsSaid(t *testing.T) {
	t.Parallel()
	in := "series_id,date,value\na,2026-01,1\na,2026-02,2\na,2026-05,5\na,2026-06,NA\na,2026-07,7\n"
	for gaps, want := range map[forecast.Gaps]string{forecast.GapsMissing: "[1 2 NaN NaN 5 NaN 7]", forecast.GapsZero: "[1 2 0 0 5 NaN 7]"} {
		got, err := forecast.Read(strings.NewReader(in), "t.csv", gaps)
		if err != nil || fmt.Sprint(got[0].Values) != want {
			t.Errorf("%s: %v, %v; want %s", gaps, got, err, want)
		}
	}
	if got := forecast.Filled([]float64{math.NaN(), 1, math.NaN(), math.NaN(), 4, math.NaN()}); fmt.Sprint(got) != "[1 1 2 3 4 4]" {
		t.Errorf("filled %v", got)
	}
}

func TestValidateCountsWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	series := append(madeSeries(9, 3), forecast.Series{Values: make([]float64, 10)}, forecast.Series{Frequency: forecast.Monthly, Values: slices.Repeat([]float64{3}, 40)})
	v, err := forecast.Validate(t.Context(), series, 6, 0)
	if err != nil || v.Series != 4 || v.Skipped["too_short"] != 1 || v.Unscaled != 1 {
		t.Errorf("%+v, %v", v, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("series_id,date,value\na,2026-01,1\na,2026-02,2\n")
	f.Add("\ufeffseries_id,date,value\na,2026-01-01,1\na,2026-02,NA\n\"b\",1999,2\n")
	f.Fuzz(func(t *testing.T, in string) {
		for _, gaps := range []forecast.Gaps{forecast.GapsMissing, forecast.GapsZero, forecast.GapsRefused} {
			got, err := forecast.Read(strings.NewReader(in), "f.csv", gaps)
			if err != nil {
				continue
			}
			for _, s := range got {
				if len(s.Values) == 0 || s.ID == "" {
					t.Fatalf("an empty series %+v of %q", s, in)
				}
			}
		}
	})
}

func BenchmarkFit(b *testing.B) {
	y := made(rand.New(rand.NewPCG(1, 1)), 120)
	for b.Loop() {
		forecast.Fit(y, 12)
	}
}
