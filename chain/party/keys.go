package party

import (
	"slices"
	"strings"
)

// Keys are what a name can be compared by without reading it against every other.
type Keys struct {
	// Whole is region, core and trade without the form: names with one Whole are one
	// name. Homeless leaves the region out and is the same as Whole without one.
	Whole, Homeless string
	Region          string // code of the last place it names, "" for none
	Class           string // of the legal form, "" for a short name
	// Text is the name in the usual order with its form, for slips of the pen.
	Text []rune
	// Shorts are the short names that the firm is likely to go by; a short name has
	// itself alone.
	Shorts []string
	// Odd says that a part of the name is neither a known word nor a usual core, as
	// after a slip.
	Odd bool
}

// KeysOf returns the keys of a name; a blank name has none.
func KeysOf(name string) Keys {
	w, p := common(), split(fold(name))
	k := Keys{Class: p.class, Text: p.runes()}
	body := string(p.core) + string(p.trade)
	if body == "" {
		return Keys{}
	}
	if len(p.places) > 0 {
		k.Region = p.places[len(p.places)-1]
	}
	region := k.Region
	if region == "" {
		region = string(p.region)
	}
	k.Homeless, k.Whole = body, region+"|"+body
	k.Odd = len(p.core) > 4 || p.class == "" && len(k.Text) > 6
	if k.Class == "" {
		k.Shorts = []string{string(k.Text)}
		return k
	}
	head := string(p.core[:w.coreHead(p.core)])
	words := w.starts(p.trade)
	add := func(s string) {
		if n := len([]rune(s)); n >= 3 && n <= 6 && !slices.Contains(k.Shorts, s) {
			k.Shorts = append(k.Shorts, s)
		}
	}
	add(body)
	add(string(p.core))
	if len(words) > 0 {
		end := len(p.trade)
		if len(words) > 1 {
			end = words[1]
		}
		add(head + string(p.trade[:end]))
		add(string(p.core) + string(p.trade[words[len(words)-1]:]))
	}
	add(head + "股份")
	add(head + "集团")
	if place := strings.TrimRight(string(p.region), "省市县"); place != "" {
		add(place + head)
	}
	return k
}
