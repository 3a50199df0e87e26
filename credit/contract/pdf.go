package contract

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// Paper is what is printed. The same paper in the same font gives the same bytes.
type Paper struct {
	Title  string // of the file, for readers
	Text   string // see Print
	Header string // on each page, left
	Number string // on each page, right
	Footer string // on each page, left; the SHA-256 of Text
	Page   string // such as "page {n} of {all}"
	At     time.Time
}

// Measures of a page, in millimetres; sizes of type in points.
const (
	pageWidth, pageHeight = 210.0, 297.0
	side, top, bottom     = 20.0, 22.0, 20.0
	titleSize, headSize   = 17.0, 11.5
	textSize, tableSize   = 10.0, 8.5
	smallSize             = 7.0
	leading               = 1.55 // of the size of type
	point                 = 25.4 / 72
	cellPad               = 1.2
)

// heading is how a clause begins: 一、 or 1.
var heading = regexp.MustCompile(`^([一二三四五六七八九十]+、|[0-9]{1,2}\. )`)

// Print sets p as a PDF. The first line of its text is the title; a line that begins with
// a Chinese numeral and 、, or a number and a dot, is a heading when it is not a sentence;
// lines with tabs that follow one another are a table, the first of them its head, which
// stands again on every page that the table reaches. Everything else is a paragraph.
// Characters that the font lacks are printed as their code, such as [U+20BB7].
func (f *Font) Print(p Paper) ([]byte, error) {
	w := &writer{Fpdf: fpdf.New("P", "mm", "A4", ""), font: f, widths: map[rune]float64{}, paper: p}
	w.SetCreationDate(p.At.UTC())
	w.SetModificationDate(p.At.UTC())
	w.SetCatalogSort(true)
	w.SetProducer("Furrow", true)
	w.SetTitle(p.Title, true)
	for i, face := range f.faces {
		w.AddUTF8FontFromBytes(faceName(i), "", face.body)
	}
	w.SetMargins(side, top, side)
	w.SetAutoPageBreak(false, 0)
	w.SetCellMargin(0)
	w.newPage()
	lines := strings.Split(strings.TrimRight(f.shown(p.Text), "\n"), "\n")
	for i := 0; i < len(lines); {
		switch line := lines[i]; {
		case i == 0:
			w.title(line)
		case strings.Contains(line, "\t"):
			from := i
			for i < len(lines) && strings.Contains(lines[i], "\t") {
				i++
			}
			w.table(lines[from:i])
			continue
		case strings.TrimSpace(line) == "":
			w.y += 0.5 * textSize * point
		case heading.MatchString(line) && !strings.HasSuffix(line, "。") && !strings.HasSuffix(line, "."):
			w.head(line)
		default:
			w.paragraph(line)
		}
		i++
	}
	w.number()
	var out bytes.Buffer
	if err := w.Output(&out); err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	return out.Bytes(), nil
}

type writer struct {
	*fpdf.Fpdf
	font   *Font
	paper  Paper
	widths map[rune]float64 // at a size of 1 point, in millimetres
	size   float64          // of type, in points
	y      float64
}

// newPage writes what stands on every page.
func (w *writer) newPage() {
	w.AddPage()
	w.SetTextColor(110, 110, 110)
	w.at(smallSize)
	w.put(side, top-9, w.font.shown(w.paper.Header), 0)
	w.put(side, top-9, w.font.shown(w.paper.Number), pageWidth-2*side)
	w.put(side, pageHeight-12, w.font.shown(w.paper.Footer), 0)
	w.SetDrawColor(190, 190, 190)
	w.SetLineWidth(0.15)
	w.Line(side, top-4.5, pageWidth-side, top-4.5)
	w.Line(side, pageHeight-14, pageWidth-side, pageHeight-14)
	w.SetTextColor(20, 20, 20)
	w.y = top
}

// number writes the number of each page, when it is known how many there are.
func (w *writer) number() {
	all := w.PageCount()
	for n := 1; n <= all; n++ {
		w.SetPage(n)
		w.SetFont(faceName(0), "", 1) // the page does not know which font was set last
		w.SetTextColor(110, 110, 110)
		w.at(smallSize)
		text := strings.NewReplacer("{n}", strconv.Itoa(n), "{all}", strconv.Itoa(all)).Replace(w.paper.Page)
		w.put(side, pageHeight-12, w.font.shown(text), pageWidth-2*side)
	}
}

// room begins a page when less than h is left of this one.
func (w *writer) room(h float64) {
	if w.y+h > pageHeight-bottom {
		w.newPage()
	}
}

func (w *writer) at(size float64) { w.size = size }

func faceName(i int) string { return "face" + strconv.Itoa(i) }

// put writes one line with its left edge at x; with a width, flush right in it.
func (w *writer) put(x, y float64, text string, width float64) {
	if width > 0 {
		x += width - w.width(text, w.size)
	}
	runes := []rune(text)
	for from := 0; from < len(runes); {
		face, to := w.font.face(runes[from]), from+1
		for to < len(runes) && w.font.face(runes[to]) == face {
			to++
		}
		run := string(runes[from:to])
		w.SetFont(faceName(face), "", w.size)
		w.SetXY(x, y)
		w.CellFormat(0, w.size*point, run, "", 0, "L", false, 0, "")
		x += w.width(run, w.size)
		from = to
	}
}

// width of a text in a size of type.
func (w *writer) width(text string, size float64) float64 {
	sum := 0.0
	for _, r := range text {
		unit, known := w.widths[r]
		if !known {
			w.SetFont(faceName(max(w.font.face(r), 0)), "", 1)
			unit = w.GetStringWidth(string(r))
			w.widths[r] = unit
		}
		sum += unit
	}
	return sum * size
}

func (w *writer) title(text string) {
	w.at(titleSize)
	w.put(side+(pageWidth-2*side-w.width(text, titleSize))/2, w.y, text, 0)
	w.y += titleSize * point * 2
}

func (w *writer) head(text string) {
	w.room(headSize*point*leading + 3*textSize*point*leading) // not alone at the foot of a page
	w.y += 1
	w.at(headSize)
	w.put(side, w.y, text, 0)
	w.y += headSize * point * leading
}

func (w *writer) paragraph(text string) {
	for _, line := range w.wrap(text, textSize, pageWidth-2*side) {
		w.room(textSize * point * leading)
		w.at(textSize)
		w.put(side, w.y, line, 0)
		w.y += textSize * point * leading
	}
}

// Characters that may not begin or end a line (GB/T 15834, 5.1).
const (
	notFirst = "，。、；：？！）》」』】〕”’…％%,.;:?!)]}"
	notLast  = "（《「『【〔“‘([{"
)

// wrap breaks a text into lines of a width: between any two Chinese characters, and
// between words of others.
func (w *writer) wrap(text string, size, width float64) []string {
	var lines []string
	runes := []rune(text)
	for from := 0; from < len(runes); {
		sum, end := 0.0, from
		for end < len(runes) {
			sum += w.width(string(runes[end]), size)
			if sum > width && end > from {
				break
			}
			end++
		}
		at := end
		if end < len(runes) {
			for at > from+1 && !mayBreak(runes[at-1], runes[at]) {
				at--
			}
			if at == from+1 && !mayBreak(runes[from], runes[at]) {
				at = end // one long word: it is cut
			}
		}
		lines = append(lines, strings.TrimRight(string(runes[from:at]), " "))
		for from = at; from < len(runes) && runes[from] == ' '; from++ {
		}
	}
	if lines == nil {
		return []string{""}
	}
	return lines
}

func mayBreak(before, after rune) bool {
	switch {
	case strings.ContainsRune(notFirst, after), strings.ContainsRune(notLast, before):
		return false
	case before == ' ':
		return true
	}
	return before > 0x2E80 || after > 0x2E80
}

// figure is a cell that stands flush right.
var figure = regexp.MustCompile(`^[-+]?[0-9][0-9,.]*( ?(元|%|％))?$`)

// table sets rows of cells.
func (w *writer) table(lines []string) {
	rows := make([][]string, len(lines))
	columns := 0
	for i, l := range lines {
		rows[i] = strings.Split(l, "\t")
		columns = max(columns, len(rows[i]))
	}
	widths := w.columns(rows, columns)
	w.y += 0.8
	w.row(rows[0], widths, true)
	for _, r := range rows[1:] {
		if w.row(r, widths, false) {
			continue
		}
		w.newPage()
		w.row(rows[0], widths, true)
		w.row(r, widths, false)
	}
	w.y += 1.5
}

// columns shares the width of the page by the longest cell of each.
func (w *writer) columns(rows [][]string, n int) []float64 {
	widths := make([]float64, n)
	for _, r := range rows {
		for i, c := range r {
			widths[i] = max(widths[i], min(w.width(c, tableSize), 90)+2*cellPad)
		}
	}
	sum := 0.0
	for _, x := range widths {
		sum += x
	}
	for i := range widths {
		widths[i] *= (pageWidth - 2*side) / sum
	}
	return widths
}

// row sets one; false when the page has no room for it.
func (w *writer) row(cells []string, widths []float64, head bool) bool {
	w.at(tableSize)
	high, set := 1, make([][]string, len(widths))
	for i := range set {
		if i < len(cells) {
			set[i] = w.wrap(cells[i], tableSize, widths[i]-2*cellPad+0.01)
		}
		high = max(high, len(set[i]))
	}
	step := tableSize * point * 1.35
	h := float64(high)*step + 1.4
	if w.y+h > pageHeight-bottom && w.y > top {
		if !head {
			return false
		}
		w.newPage()
		w.at(tableSize)
	}
	x := side
	w.SetDrawColor(170, 170, 170)
	w.SetFillColor(238, 238, 238)
	for i, lines := range set {
		style := "D"
		if head {
			style = "FD"
		}
		w.Rect(x, w.y, widths[i], h, style)
		for k, line := range lines {
			flush := 0.0
			if !head && figure.MatchString(line) {
				flush = widths[i] - 2*cellPad
			}
			w.put(x+cellPad, w.y+0.9+float64(k)*step, line, flush)
		}
		x += widths[i]
	}
	w.y += h
	return true
}
