package party

import (
	"encoding/csv"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/catalog"
)

// place is a division of the country. Its code is of GB/T 2260: two digits for a
// province, four for a prefecture, six for a county; "" for the country itself.
type place struct {
	code string
	// bare marks a name without its rank, such as 寿光 for 寿光市.
	bare bool
	// district marks a bare name that counts only after the place it lies in.
	district bool
	// wide marks a part of the country: 东北.
	wide bool
}

// words are what the names of firms are made of, read from catalog/names.
type words struct {
	simple   map[rune]rune      // traditional character → simplified
	places   map[string][]place // by name, with and without the rank
	letters  map[rune][]string  // a place in one character (皖) → codes
	codes    map[string]bool
	forms    map[string]string // legal form → class
	standing map[string]bool   // of a group: 集团, 控股
	trades   map[string]string // line of business → class
	fashion  map[string]string // word of a name → old or young
	before   []string          // marks of an exchange before a short name, longest first
	after    []string
	aged     map[string]bool                  // marks of shares that were listed long ago
	longest  struct{ place, form, trade int } // in characters
}

// common are the words that come with the program.
var common = sync.OnceValue(func() *words {
	fsys, err := catalog.Open("")
	if err == nil {
		var w *words
		if w, err = load(fsys); err == nil {
			return w
		}
	}
	panic(err) // the files are part of the binary, and a test reads them
})

func load(fsys fs.FS) (*words, error) {
	w := &words{
		simple: map[rune]rune{}, places: map[string][]place{}, letters: map[rune][]string{}, codes: map[string]bool{},
		forms: map[string]string{}, standing: map[string]bool{}, trades: map[string]string{},
		fashion: map[string]string{}, aged: map[string]bool{},
	}
	for _, file := range []struct {
		name string
		row  func([]string) error
	}{{"hanzi.csv", w.hanzi}, {"regions.csv", w.region}, {"words.csv", w.word}} {
		if err := eachRow(fsys, "names/"+file.name, file.row); err != nil {
			return nil, fmt.Errorf("party: %s: %w", file.name, err)
		}
	}
	longer := func(a, b string) int { return len(b) - len(a) }
	slices.SortStableFunc(w.before, longer)
	slices.SortStableFunc(w.after, longer)
	return w, nil
}

func eachRow(fsys fs.FS, name string, row func([]string) error) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return err
	}
	for i, r := range rows[1:] {
		if err := row(r); err != nil {
			return fmt.Errorf("row %d: %w", i+2, err)
		}
	}
	return nil
}

func (w *words) hanzi(r []string) error {
	from, _ := utf8.DecodeRuneInString(r[0])
	to, _ := utf8.DecodeRuneInString(r[1])
	w.simple[from] = to
	return nil
}

func (w *words) region(r []string) error {
	code, name, short := r[0], r[1], r[2]
	w.codes[code] = true
	w.addPlace(name, place{code: code})
	if short != name {
		w.addPlace(short, place{code: code, bare: true, district: len(code) == 6 && strings.HasSuffix(name, "区")})
	}
	for _, letter := range strings.Fields(r[3]) {
		c, _ := utf8.DecodeRuneInString(letter)
		w.letters[c] = append(w.letters[c], code)
	}
	return nil
}

func (w *words) addPlace(name string, p place) {
	w.places[name] = append(w.places[name], p)
	w.longest.place = max(w.longest.place, utf8.RuneCountInString(name))
}

func (w *words) word(r []string) error {
	kind, word := r[0], r[1]
	switch kind {
	case "form":
		w.forms[word] = r[2]
		w.longest.form = max(w.longest.form, utf8.RuneCountInString(word))
	case "standing":
		w.standing[word] = true
	case "trade":
		w.trades[word] = r[2]
		w.longest.trade = max(w.longest.trade, utf8.RuneCountInString(word))
	case "country":
		w.addPlace(word, place{})
	case "area":
		w.addPlace(word, place{wide: true})
	case "fashion":
		w.fashion[word] = r[2]
	case "mark_before":
		w.before = append(w.before, word)
		w.aged[word] = r[2] == "old"
	case "mark_after":
		w.after = append(w.after, word)
		w.aged[word] = r[2] == "old"
	default:
		return fmt.Errorf("unknown kind of word %q", kind)
	}
	return nil
}

// suffix returns the longest ending of r, of at most longest characters, that is in
// the table, and leaves at least keep characters before it.
func suffix[V any](table map[string]V, r []rune, longest, keep int) (n int) {
	for n = min(longest, len(r)-keep); n > 0; n-- {
		if _, ok := table[string(r[len(r)-n:])]; ok {
			return n
		}
	}
	return 0
}

// prefix is suffix from the other end.
func prefix[V any](table map[string]V, r []rune, longest, keep int) (n int) {
	for n = min(longest, len(r)-keep); n > 0; n-- {
		if _, ok := table[string(r[:n])]; ok {
			return n
		}
	}
	return 0
}

func (w *words) isTrade(r []rune) bool { _, ok := w.trades[string(r)]; return ok }
