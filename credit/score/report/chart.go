package report

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/furrowcredit/furrow/credit/score/measure"
	"github.com/furrowcredit/furrow/credit/score/validate"
)

// A chart is 320 wide and 240 high, with the axes inside.
const (
	left, right  = 40.0, 310.0
	top, bottom  = 12.0, 206.0
	width        = right - left
	height       = bottom - top
	open         = `<svg viewBox="0 0 320 240" role="img" aria-label="%s">`
	axisTemplate = `<path class="axis" d="M%g %gV%gH%g"/>`
)

type chart struct {
	b          strings.Builder
	maxX, maxY float64
}

func newChart(title, x, y string, maxX, maxY float64) *chart {
	c := &chart{maxX: maxX, maxY: maxY}
	if c.maxX == 0 {
		c.maxX = 1
	}
	if c.maxY <= 0 {
		c.maxY = 1
	}
	fmt.Fprintf(&c.b, open, template.HTMLEscapeString(title))
	for k := 0; k <= 4; k++ {
		v := c.maxY * float64(k) / 4
		fmt.Fprintf(&c.b, `<path class="grid" d="M%.1f %.1fH%.1f"/><text x="%.1f" y="%.1f" text-anchor="end">%s</text>`, left, c.y(v), right, left-4, c.y(v)+3, short(v))
		if c.maxX < 0 { // the caller writes its own
			continue
		}
		v = c.maxX * float64(k) / 4
		fmt.Fprintf(&c.b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, c.x(v), bottom+14, short(v))
	}
	fmt.Fprintf(&c.b, axisTemplate, left, top, bottom, right)
	fmt.Fprintf(&c.b, `<text x="%.1f" y="236" text-anchor="middle">%s</text>`, left+width/2, template.HTMLEscapeString(x))
	fmt.Fprintf(&c.b, `<text x="10" y="%.1f" text-anchor="middle" transform="rotate(-90 10 %.1f)">%s</text>`, top+height/2, top+height/2, template.HTMLEscapeString(y))
	return c
}

// short keeps two decimals, less when they say nothing.
func short(v float64) string {
	s := fmt.Sprintf("%.2f", v)
	return strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(s, "0"), "0"), ".")
}

func (c *chart) x(v float64) float64 { return left + width*v/c.maxX }
func (c *chart) y(v float64) float64 { return bottom - height*v/c.maxY }

func (c *chart) line(class string, x, y []float64) {
	c.b.WriteString(`<polyline class="` + class + `" points="`)
	for i := range x {
		fmt.Fprintf(&c.b, "%.1f,%.1f ", c.x(x[i]), c.y(y[i]))
	}
	c.b.WriteString(`"/>`)
}

func (c *chart) done() template.HTML {
	c.b.WriteString("</svg>")
	return template.HTML(c.b.String()) //nolint:gosec // numbers, and words that were escaped
}

func rocChart(p []measure.Point, words map[string]string) template.HTML {
	c := newChart(words["roc"], words["false_rate"], words["true_rate"], 1, 1)
	var x, y []float64
	for _, q := range p {
		x, y = append(x, q.False), append(y, q.True)
	}
	c.line("even", []float64{0, 1}, []float64{0, 1})
	c.line("main", x, y)
	return c.done()
}

// ksChart shows the shares of bad and of good rows found, from the riskiest on.
func ksChart(p []measure.Point, words map[string]string) template.HTML {
	c := newChart(words["ks"], words["points_rank"], words["share"], 1, 1)
	var x, good, bad []float64
	at, best := 0, -1.0
	for i, q := range p {
		x, good, bad = append(x, float64(i)/float64(max(len(p)-1, 1))), append(good, q.False), append(bad, q.True)
		if q.True-q.False > best {
			best, at = q.True-q.False, i
		}
	}
	c.line("even", x, good)
	c.line("main", x, bad)
	c.line("mark", []float64{x[at], x[at]}, []float64{good[at], bad[at]})
	return c.done()
}

func calibrationChart(tenths []validate.Tenth, words map[string]string) template.HTML {
	most := 0.0
	for _, t := range tenths {
		most = max(most, t.Said, t.Rate, min(t.High, 1))
	}
	c := newChart(words["calibration"], words["said"], words["came"], most, most)
	c.line("even", []float64{0, most}, []float64{0, most})
	var x, y []float64
	for _, t := range tenths {
		x, y = append(x, t.Said), append(y, t.Rate)
		fmt.Fprintf(&c.b, `<circle class="dot" cx="%.1f" cy="%.1f" r="3"/>`, c.x(t.Said), c.y(t.Rate))
	}
	c.line("main", x, y)
	return c.done()
}

func gainsChart(tenths []validate.Tenth, words map[string]string) template.HTML {
	c := newChart(words["gains"], words["rows_share"], words["bad_found"], 1, 1)
	x, y := []float64{0}, []float64{0}
	for _, t := range tenths {
		x, y = append(x, t.CumRows), append(y, t.CumBad)
	}
	c.line("even", []float64{0, 1}, []float64{0, 1})
	c.line("main", x, y)
	return c.done()
}

// distributionChart shows good rows above and bad ones, stacked, by points.
func distributionChart(spans []validate.Span, words map[string]string) template.HTML {
	most := 0
	for _, s := range spans {
		most = max(most, s.Good+s.Bad)
	}
	c := newChart(words["distribution"], words["points"], words["rows"], -1, float64(most))
	out := strings.Builder{}
	w := width / float64(max(len(spans), 1))
	for i, s := range spans {
		x := left + float64(i)*w
		bad, all := c.y(float64(s.Bad)), c.y(float64(s.Bad+s.Good))
		fmt.Fprintf(&out, `<rect class="good" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/><rect class="bad" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`,
			x, all, w*0.9, bad-all, x, bad, w*0.9, bottom-bad)
	}
	c.b.WriteString(out.String())
	if n := len(spans); n > 0 {
		fmt.Fprintf(&c.b, `<text x="%.1f" y="%.1f" class="ends">%d</text><text x="%.1f" y="%.1f" class="ends" text-anchor="end">%d</text>`,
			left, bottom+14, spans[0].From, right, bottom+14, spans[n-1].To)
	}
	return c.done()
}

// bar shows where a bin's points stand between the input's worst and best.
func bar(points, lo, hi int) template.HTML {
	lo, hi = min(lo, 0), max(hi, 0)
	span := float64(max(hi-lo, 1))
	zero := 100 * float64(-lo) / span
	at := 100 * float64(points-lo) / span
	class, from, to := "up", zero, at
	if points < 0 {
		class, from, to = "down", at, zero
	}
	return template.HTML(fmt.Sprintf(`<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none"><rect class="%s" x="%.1f" width="%.1f" height="8"/></svg>`, class, from, to-from)) //nolint:gosec // numbers only
}
