package report

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/geo"
)

// The chart's frame in its own units.
const (
	chartW, chartH        = 960.0, 300.0
	left, right, top, low = 40.0, 10.0, 12.0, 40.0
	ndviMin, ndviMax      = -0.2, 1.0
)

// chart draws the curve as SVG: a line where it is trusted, nothing in gaps,
// observations as dots, lost ones as ticks on the axis, hazards as bands.
func chart(r geo.CropReport, words map[string]string) template.HTML {
	if len(r.Observations) == 0 || !r.Season.End.After(r.Season.Start) {
		return ""
	}
	span := r.Season.End.Sub(r.Season.Start).Hours()
	x := func(t time.Time) float64 {
		return left + (chartW-left-right)*max(0, min(1, t.Sub(r.Season.Start).Hours()/span))
	}
	y := func(v float64) float64 {
		return top + (chartH-top-low)*(ndviMax-max(ndviMin, min(ndviMax, v)))/(ndviMax-ndviMin)
	}
	var b strings.Builder
	put := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	esc := template.HTMLEscapeString
	put(`<svg viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`, chartW, chartH, esc(words["curve"]))
	for _, h := range r.Hazards {
		a, z := x(h.Start), x(h.End)
		put(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#e8b27a" fill-opacity=".35"><title>%s</title></rect>`, a, top, max(z-a, 3), chartH-top-low, esc(words["hazard."+string(h.Kind)]))
	}
	for _, v := range []float64{0, 0.2, 0.4, 0.6, 0.8, 1} {
		put(`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#d9e0da"/><text x="%.1f" y="%.1f" text-anchor="end">%.1f</text>`, left, chartW-right, y(v), y(v), left-6, y(v)+4, v)
	}
	months := int(span/24/30) + 1
	every := max(1, (months+13)/14)
	for t := time.Date(r.Season.Start.Year(), r.Season.Start.Month()+1, 1, 0, 0, 0, 0, time.UTC); t.Before(r.Season.End); t = t.AddDate(0, every, 0) {
		put(`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#d9e0da"/><text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, x(t), x(t), chartH-low, chartH-low+5, x(t), chartH-low+18, t.Format("06-01"))
	}
	if r.Growth != nil {
		for _, run := range together(r.Growth.Points) {
			put(`<path d="%s" fill="#7d9dc4" fill-opacity=".28"><title>%s</title></path>`, band(run, x, y), esc(words["band"]))
			put(`<path d="%s" fill="none" stroke="#4f74a3" stroke-dasharray="4 3"/>`, middle(run, x, y))
		}
	}
	pen := false
	var path strings.Builder
	for i, p := range r.Curve {
		if p.InGap {
			if !pen && i > 0 && r.Curve[i-1].InGap {
				put(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#eef1ee"><title>%s</title></rect>`, x(r.Curve[i-1].Date), top, x(p.Date)-x(r.Curve[i-1].Date)+0.3, chartH-top-low, esc(words["gap"]))
			}
			pen = false
			continue
		}
		move := "L"
		if !pen {
			move = "M"
		}
		pen = true
		_, _ = fmt.Fprintf(&path, "%s%.1f %.1f", move, x(p.Date), y(p.NDVI))
	}
	put(`<path d="%s" fill="none" stroke="#2f7d3b" stroke-width="2"/>`, path.String())
	for _, o := range r.Observations {
		if o.Valid {
			put(`<circle cx="%.1f" cy="%.1f" r="3.2" fill="#fff" stroke="#2f7d3b"><title>%s %.2f</title></circle>`, x(o.Date), y(o.NDVI), o.Date.Format(time.DateOnly), o.NDVI)
		} else {
			put(`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#9aa59d" stroke-width="2"><title>%s %s</title></line>`, x(o.Date), x(o.Date), chartH-low-7, chartH-low, o.Date.Format(time.DateOnly), esc(o.Reason))
		}
	}
	put(`<circle cx="%.0f" cy="%.0f" r="3.2" fill="#fff" stroke="#2f7d3b"/><text x="%.0f" y="%.0f">%s</text>`, left, chartH-6, left+8, chartH-2, esc(words["observation"]))
	put(`<line x1="%.0f" x2="%.0f" y1="%.0f" y2="%.0f" stroke="#9aa59d" stroke-width="2"/><text x="%.0f" y="%.0f">%s</text>`, left+160, left+160, chartH-12, chartH-3, left+168, chartH-2, esc(words["lost"]))
	put(`<rect x="%.0f" y="%.0f" width="12" height="10" fill="#e1e6e1"/><text x="%.0f" y="%.0f">%s</text>`, left+320, chartH-12, left+338, chartH-2, esc(words["gap"]))
	if r.Growth != nil && len(r.Growth.Points) > 0 {
		put(`<rect x="%.0f" y="%.0f" width="12" height="10" fill="#7d9dc4" fill-opacity=".4"/><text x="%.0f" y="%.0f">%s</text>`, left+460, chartH-12, left+478, chartH-2, esc(words["band"]))
	}
	put(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // every text in it is escaped above
}

// bandGap is how far apart two dates may lie for the band of the peers to run on.
const bandGap = 40 * 24 * time.Hour

// together parts the points where too long nothing was seen; a lone one makes no band.
func together(points []geo.GrowthPoint) [][]geo.GrowthPoint {
	var out [][]geo.GrowthPoint
	from := 0
	for i := 1; i <= len(points); i++ {
		if i == len(points) || points[i].Date.Sub(points[i-1].Date) > bandGap {
			if i-from > 1 {
				out = append(out, points[from:i])
			}
			from = i
		}
	}
	return out
}

// band is the outline of the peers' middle half.
func band(run []geo.GrowthPoint, x func(time.Time) float64, y func(float64) float64) string {
	var b strings.Builder
	move := "M"
	for _, p := range run {
		_, _ = fmt.Fprintf(&b, "%s%.1f %.1f", move, x(p.Date), y(p.High))
		move = "L"
	}
	for i := len(run) - 1; i >= 0; i-- {
		_, _ = fmt.Fprintf(&b, "L%.1f %.1f", x(run[i].Date), y(run[i].Low))
	}
	return b.String() + "Z"
}

func middle(run []geo.GrowthPoint, x func(time.Time) float64, y func(float64) float64) string {
	var b strings.Builder
	move := "M"
	for _, p := range run {
		_, _ = fmt.Fprintf(&b, "%s%.1f %.1f", move, x(p.Date), y(p.Middle))
		move = "L"
	}
	return b.String()
}
