// Package message holds the words that people read when something is wrong, by
// language. A fault carries its English words itself; every other language is a
// folder of JSON files, one a room, that map a fault's code to its text with
// {placeholders}. The files of a folder are merged; a test holds that each
// code stands in one file only and that every fault of the project has a text.
package message

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/fault"
)

//go:embed zh-CN/*.json en/*.json
var files embed.FS

// The languages that people can read. Chinese is the first: it answers readers
// who name no language or none of these.
const (
	Chinese = "zh-CN"
	English = "en"
)

// Catalogue is the merged texts. It is safe for concurrent use.
type Catalogue struct {
	texts   map[string]map[string]string // language -> code -> text
	phrases []phrase
	match   language.Matcher
}

// phrase is a message of the HTTP framework with its translation: both with {1},
// {2}... where values stand.
type phrase struct {
	pattern *regexp.Regexp
	chinese string
}

// Load reads the embedded texts.
func Load() (*Catalogue, error) { return load(files) }

func load(fsys fs.FS) (*Catalogue, error) {
	c := &Catalogue{
		texts: map[string]map[string]string{Chinese: {}, English: {}},
		match: language.NewMatcher([]language.Tag{language.SimplifiedChinese, language.English}),
	}
	for _, lang := range []string{Chinese, English} {
		if err := c.read(fsys, lang); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// read merges the files of a language. English has only what depends on words beside those of a fault.
func (c *Catalogue) read(fsys fs.FS, lang string) error {
	names, err := fs.Glob(fsys, lang+"/*.json")
	if err != nil {
		return err
	}
	for _, name := range names { // in name order
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		texts := map[string]string{}
		if err := json.Unmarshal(b, &texts); err != nil {
			return fmt.Errorf("messages %s: %w", name, err)
		}
		if path.Base(name) == "phrases.json" {
			c.addPhrases(texts)
			continue
		}
		maps.Copy(c.texts[lang], texts)
	}
	return nil
}

var slot = regexp.MustCompile(`\\\{[0-9]\\\}`)

// addPhrases keeps the exact phrases before those with slots, which fit more.
func (c *Catalogue) addPhrases(texts map[string]string) {
	slots := func(english string) int { return strings.Count(english, "{") }
	for _, english := range slices.SortedFunc(maps.Keys(texts), func(a, b string) int {
		return cmp.Or(cmp.Compare(slots(a), slots(b)), cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	}) {
		pattern := slot.ReplaceAllString(regexp.QuoteMeta(english), "(.*)")
		c.phrases = append(c.phrases, phrase{regexp.MustCompile("^" + pattern + "$"), texts[english]})
	}
}

// Language picks the language for an Accept-Language header.
func (c *Catalogue) Language(accept string) string {
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(tags) == 0 {
		return Chinese
	}
	_, i, confidence := c.match.Match(tags...)
	if confidence == language.No || i == 0 {
		return Chinese
	}
	return English
}

// Fault gives the words of err in lang. An error that is no fault.Error, or has no
// translation, keeps its English message.
func (c *Catalogue) Fault(lang string, err error) string {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err.Error()
	}
	return c.Text(lang, f.Code, f.Msg, f.Args)
}

// Text gives the words for code in lang with args filled in; english where lang
// has none.
func (c *Catalogue) Text(lang, code, english string, args map[string]string) string {
	text, ok := c.texts[lang][code]
	if !ok {
		return fault.Fill(english, args)
	}
	named := maps.Clone(args)
	if reason, ok := args["refusal"]; ok {
		named["refusal"] = c.Refusal(lang, reason)
	}
	for _, arg := range []string{"state", "to", "want", "got"} { // codes of states and subjects
		if word, ok := c.texts[lang]["value."+args[arg]]; ok {
			named[arg] = word
		}
	}
	return fault.Fill(text, named)
}

// Refusal says why a bank refused a payment: by the code before its words, or else in these.
func (c *Catalogue) Refusal(lang, reason string) string {
	code, said := pay.Refusal(reason)
	if text, ok := c.texts[lang]["refusal."+code]; ok {
		return text
	}
	if said == "" {
		said = code
	}
	return fault.Fill(c.texts[lang]["refusal.said"], map[string]string{"said": said})
}

// Has tells whether lang has a text of its own for code.
func (c *Catalogue) Has(lang, code string) bool {
	_, ok := c.texts[lang][code]
	return ok
}

// Phrase translates a message of the HTTP framework's own checks; one that is not
// listed stays English.
func (c *Catalogue) Phrase(lang, english string) string {
	if lang != Chinese {
		return english
	}
	for _, p := range c.phrases {
		m := p.pattern.FindStringSubmatch(english)
		if m == nil {
			continue
		}
		text := p.chinese
		for i, value := range m[1:] {
			text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i+1), value)
		}
		return text
	}
	return english
}
