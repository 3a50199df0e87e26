package purchase

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// File is where the goods stand in the catalogue.
const File = "goods.yaml"

// ErrFile is what is wrong with goods.yaml.
var ErrFile = fault.New(fault.Invalid, "purchase.file", "{code} in the list of goods is wrong: {why}")

// Quantity is an amount of goods in hundredths of their unit: 12.5 kg are 1250.
type Quantity int64

// ErrQuantity is returned for text that is no quantity.
var ErrQuantity = fault.New(fault.Invalid, "purchase.quantity", "write a quantity above zero with at most two decimals, such as 12.5; this is {value}")

// maxQuantity keeps the amount of a line within what money holds.
const maxQuantity = 1_000_000_00

// ParseQuantity reads a decimal above zero with at most two decimals: ErrQuantity.
func ParseQuantity(s string) (Quantity, error) {
	f, err := money.ParseFen(s) // the same form: two decimals
	if err != nil || f <= 0 || f > maxQuantity {
		return 0, ErrQuantity.With("value", s)
	}
	return Quantity(f), nil
}

// String gives the shortest form: "12.5", "3".
func (q Quantity) String() string {
	s := money.Fen(q).String()
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// MarshalText implements encoding.TextMarshaler.
func (q Quantity) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; it reads what MarshalText writes.
func (q *Quantity) UnmarshalText(b []byte) error {
	f, err := money.ParseFen(string(b))
	*q = Quantity(f)
	return err
}

// Category is a kind of goods, as the purposes of products and the enrolment of sellers
// name it.
type Category struct {
	Code string            `json:"code" yaml:"code"`
	Name map[string]string `json:"name" yaml:"name"`
}

// Price is a band, in force in regions over a time. The first that fits holds.
type Price struct {
	Regions []string   `json:"regions,omitempty" yaml:"regions"` // beginnings of GB/T 2260; empty: everywhere
	Low     money.Fen  `json:"low" yaml:"low"`                   // fen a unit
	High    money.Fen  `json:"high" yaml:"high"`
	From    money.Date `json:"from" yaml:"from"`
	To      money.Date `json:"to" yaml:"to"` // the last day
	Source  string     `json:"source" yaml:"source"`
}

// Season are the months in which goods make sense for crops in regions.
type Season struct {
	Regions []string `json:"regions,omitempty" yaml:"regions"`
	Crops   []string `json:"crops,omitempty" yaml:"crops"` // codes of crops.yaml; empty: any
	Months  []int    `json:"months" yaml:"months"`
}

// Bases on which a quantity is plausible.
const (
	PerMu   = "mu"   // of the plot
	PerHead = "head" // of the herd
)

// Goods is one thing that can be bought.
type Goods struct {
	Code     string            `json:"code" yaml:"code"`
	Category string            `json:"category" yaml:"category"`
	Name     map[string]string `json:"name" yaml:"name"`
	Unit     string            `json:"unit" yaml:"unit"` // "kg", "head", ...
	Whole    bool              `json:"whole,omitempty" yaml:"whole"`
	Per      string            `json:"per,omitempty" yaml:"per"`   // "mu", "head", or ""
	Most     Quantity          `json:"most,omitempty" yaml:"most"` // for one of Per within twelve months
	Prices   []Price           `json:"prices" yaml:"prices"`
	Seasons  []Season          `json:"seasons,omitempty" yaml:"seasons"` // empty: all the year
}

// Unit is that of a quantity, with its name.
type Unit struct {
	Code string            `json:"code" yaml:"code"`
	Name map[string]string `json:"name" yaml:"name"`
}

// Catalogue is the list of goods.
type Catalogue struct {
	Units      []Unit     `json:"units" yaml:"units"`
	Categories []Category `json:"categories" yaml:"categories"`
	Goods      []Goods    `json:"goods" yaml:"goods"`
}

// Load reads and checks goods.yaml: every mistake, joined, each an ErrFile.
func Load(fsys fs.FS) (*Catalogue, error) {
	b, err := fs.ReadFile(fsys, File)
	if err != nil {
		return nil, fmt.Errorf("purchase: %w", err)
	}
	return Parse(b)
}

// Parse reads the text of goods.yaml; see Load.
func Parse(text []byte) (*Catalogue, error) {
	var c Catalogue
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		return nil, ErrFile.At(File).With("code", File).With("why", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	var errs []error
	wrong := func(code, why string) { errs = append(errs, ErrFile.At(File).With("code", code).With("why", why)) }
	for i, u := range c.Units {
		named(u.Code, u.Name, slices.IndexFunc(c.Units, func(o Unit) bool { return o.Code == u.Code }) == i, wrong)
	}
	for i, x := range c.Categories {
		named(x.Code, x.Name, slices.IndexFunc(c.Categories, func(o Category) bool { return o.Code == x.Code }) == i, wrong)
	}
	for i, g := range c.Goods {
		named(g.Code, g.Name, slices.IndexFunc(c.Goods, func(o Goods) bool { return o.Code == g.Code }) == i, wrong)
		c.check(g, func(why string) { wrong(g.Code, why) })
	}
	return &c, errors.Join(errs...)
}

var codeForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`)

func named(code string, name map[string]string, once bool, wrong func(code, why string)) {
	switch {
	case !codeForm.MatchString(code):
		wrong(code, "a code has small letters, digits and underscores")
	case !once:
		wrong(code, "it stands twice")
	case name["zh-CN"] == "" || name["en"] == "":
		wrong(code, "it needs a name in zh-CN and en")
	}
}

func (c *Catalogue) check(g Goods, wrong func(why string)) {
	if !slices.ContainsFunc(c.Categories, func(x Category) bool { return x.Code == g.Category }) {
		wrong("there is no category " + g.Category)
	}
	if !slices.ContainsFunc(c.Units, func(x Unit) bool { return x.Code == g.Unit }) {
		wrong("there is no unit " + g.Unit)
	}
	switch {
	case g.Per != "" && g.Per != PerMu && g.Per != PerHead:
		wrong("per is mu or head")
	case (g.Per == "") != (g.Most == 0) || g.Most < 0:
		wrong("per and most, above zero, belong together")
	}
	if len(g.Prices) == 0 {
		wrong("it needs a price band")
	}
	for _, p := range g.Prices {
		switch {
		case p.Low <= 0 || p.High < p.Low:
			wrong("a price band goes from low, above zero, to high")
		case p.From == 0 || p.To < p.From:
			wrong("a price band is in force from a day to a later one")
		case p.Source == "":
			wrong("a price band needs its source")
		}
		regions(p.Regions, wrong)
	}
	for _, s := range g.Seasons {
		if len(s.Months) == 0 || slices.ContainsFunc(s.Months, func(m int) bool { return m < 1 || m > 12 }) {
			wrong("a season has months from 1 to 12")
		}
		regions(s.Regions, wrong)
	}
}

func regions(list []string, wrong func(why string)) {
	for _, r := range list {
		if _, err := strconv.ParseUint(r, 10, 32); err != nil || len(r) < 2 || len(r) > 6 || len(r)%2 == 1 {
			wrong("a region is two, four or six digits: " + r)
		}
	}
}

// Find returns the goods of a code.
func (c *Catalogue) Find(code string) (Goods, bool) {
	i := slices.IndexFunc(c.Goods, func(g Goods) bool { return g.Code == code })
	if i < 0 {
		return Goods{}, false
	}
	return c.Goods[i], true
}

// within says whether a county lies in one of the regions; no regions are everywhere.
func within(county string, regions []string) bool {
	return len(regions) == 0 || county != "" && slices.ContainsFunc(regions, func(r string) bool { return strings.HasPrefix(county, r) })
}

// Price is the band in force in a county ("" when it is not known) on a day.
func (g Goods) Price(county string, day money.Date) (Price, bool) {
	for _, p := range g.Prices {
		if within(county, p.Regions) && p.From <= day && day <= p.To {
			return p, true
		}
	}
	return Price{}, false
}

// Months are those in which g makes sense in a county for crops on the ground, in order.
// Where no season names one of the crops, those of every crop count: another crop is to be
// sown next. No month means the whole year.
func (g Goods) Months(county string, crops []string) []int {
	if len(g.Seasons) == 0 {
		return nil
	}
	var fits, all []int
	for _, s := range g.Seasons {
		if !within(county, s.Regions) {
			continue
		}
		all = append(all, s.Months...)
		if len(s.Crops) == 0 || slices.ContainsFunc(crops, func(c string) bool { return slices.Contains(s.Crops, c) }) {
			fits = append(fits, s.Months...)
		}
	}
	if len(fits) == 0 {
		fits = all
	}
	if len(fits) == 0 { // in no region of its seasons: those of all
		for _, s := range g.Seasons {
			fits = append(fits, s.Months...)
		}
	}
	slices.Sort(fits)
	return slices.Compact(fits)
}
