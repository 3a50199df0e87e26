package species

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/money"
)

// PriceFile is where the catalogue keeps prices.
const PriceFile = "livestock_prices.csv"

// Price is what the market paid on a day: of live weight, or of a head.
type Price struct {
	Species    string
	Class      string // "" every class
	Region     string // county, prefecture or province code of GB/T 2260; "" the country
	Date       string // YYYY-MM-DD, in China
	FenPerKg   money.Fen
	FenPerHead money.Fen
	Source     string
}

// quoted is what a price is of.
type quoted struct{ species, class, region string }

// Quote is the price that holds for an animal.
type Quote struct {
	Price
	Stale bool // older than its species' prices may be
}

var priceColumns = []string{"species", "class", "region", "date", "fen_per_kg", "fen_per_head", "source"}

// china is where bank dates are read.
var china = time.FixedZone("Asia/Shanghai", 8*3600)

func (c *Catalogue) readPrices(r io.Reader) error {
	c.prices = make(map[quoted][]Price)
	t := csv.NewReader(r)
	t.FieldsPerRecord = len(priceColumns)
	bad := func(line, column int, format string, args ...any) error {
		return ErrCatalogue.With("why", fmt.Sprintf(format, args...)).At("%s:%d:%d", PriceFile, line, column)
	}
	for first := true; ; first = false {
		row, err := t.Read()
		var parse *csv.ParseError
		switch {
		case errors.Is(err, io.EOF) && first:
			return bad(1, 1, "it is empty; the columns are %s", strings.Join(priceColumns, ", "))
		case errors.Is(err, io.EOF):
			for key, list := range c.prices {
				slices.SortStableFunc(list, func(a, b Price) int { return cmp.Compare(a.Date, b.Date) })
				for i := 1; i < len(list); i++ {
					if list[i].Date == list[i-1].Date {
						return bad(0, 0, "%s %s %s has two prices of %s", key.species, key.class, key.region, list[i].Date)
					}
				}
			}
			return nil
		case errors.As(err, &parse):
			return bad(parse.Line, parse.Column, "%v", parse.Err)
		case err != nil:
			return ErrCatalogue.With("why", err.Error()).At("%s", PriceFile).Because(err)
		}
		if first {
			row[0] = strings.TrimPrefix(row[0], "\uFEFF")
			if !slices.Equal(row, priceColumns) {
				return bad(1, 1, "the columns are %s; they must be %s", strings.Join(row, ", "), strings.Join(priceColumns, ", "))
			}
			continue
		}
		p, field, why := c.price(row)
		if why != "" {
			line, column := t.FieldPos(field)
			return bad(line, column, "%s: %s", priceColumns[field], why)
		}
		key := quoted{p.Species, p.Class, p.Region}
		c.prices[key] = append(c.prices[key], p)
	}
}

// price reads a row; why it cannot be used names the field.
func (c *Catalogue) price(row []string) (p Price, field int, why string) {
	p = Price{Species: row[0], Class: row[1], Region: row[2], Date: row[3], Source: row[6]}
	s, ok := c.byCode[p.Species]
	if !ok {
		return p, 0, fmt.Sprintf("%q is not a species of %s", p.Species, File)
	}
	if p.Class != "" && !slices.ContainsFunc(s.Classes, func(x Class) bool { return x.Code == p.Class }) {
		return p, 1, fmt.Sprintf("%q is not a class of %s", p.Class, p.Species)
	}
	if p.Region != "" && !isRegion(p.Region) {
		return p, 2, fmt.Sprintf("%q is not a code of GB/T 2260, six digits", p.Region)
	}
	if d, err := time.Parse(time.DateOnly, p.Date); err != nil || d.Format(time.DateOnly) != p.Date {
		return p, 3, fmt.Sprintf("%q is not a date; write it as 2026-05-31", p.Date)
	}
	if (row[4] == "") == (row[5] == "") {
		return p, 4, "give a price by the kg or by the head, and not both"
	}
	for i, to := range []*money.Fen{&p.FenPerKg, &p.FenPerHead} {
		if row[4+i] == "" {
			continue
		}
		v, err := strconv.ParseInt(row[4+i], 10, 64)
		if err != nil || v < 1 || v > 1e9 {
			return p, 4 + i, fmt.Sprintf("%q is not a number of fen from 1 to 1000000000", row[4+i])
		}
		*to = money.Fen(v)
	}
	if strings.TrimSpace(p.Source) == "" {
		return p, 6, "say where the price is from"
	}
	return p, 0, ""
}

func isRegion(s string) bool {
	return len(s) == 6 && s[0] != '0' && strings.Trim(s, "0123456789") == ""
}

// regions are where to look for a price, the nearest first.
func regions(county string) []string {
	if !isRegion(county) {
		return []string{""}
	}
	return slices.Compact([]string{county, county[:4] + "00", county[:2] + "0000", ""})
}

// Quote is the newest price not after a day, for a class of animals in a county. A
// price of the class goes before one of every class, and a nearer one before a
// farther one; but a price that is too old, by its species, goes after all that are
// not. false when there is none.
func (c *Catalogue) Quote(species, class, county string, at time.Time) (Quote, bool) {
	day := at.In(china)
	today, oldest := day.Format(time.DateOnly), day.AddDate(0, 0, -c.byCode[species].Price.MaxAge).Format(time.DateOnly)
	var stale *Price
	for _, cl := range slices.Compact([]string{class, ""}) {
		for _, region := range regions(county) {
			list := c.prices[quoted{species, cl, region}]
			n, _ := slices.BinarySearchFunc(list, today, func(p Price, day string) int {
				if p.Date <= day {
					return -1
				}
				return 1
			})
			switch {
			case n == 0:
			case list[n-1].Date >= oldest:
				return Quote{Price: list[n-1]}, true
			case stale == nil || list[n-1].Date > stale.Date:
				stale = &list[n-1]
			}
		}
	}
	if stale == nil {
		return Quote{}, false
	}
	return Quote{*stale, true}, true
}
